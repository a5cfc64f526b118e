//! A listener under flood (RFC 4987): SYNs from addresses that nobody has, 1 to 20 times what
//! it lets be half-open, while clients call it. In some scenarios one more connection is opened that leaves
//! every second octet of its stream out, so that what came waits in as many blocks.

use core::time::Duration;

use super::Kind;
use crate::choose::Choose;
use crate::scenario::ground::{Ground, Shape};
use crate::scenario::{
    AppPlan, Attack, AttackerPlan, Call, Ending, HostPlan, Method, Role, Scenario, Serve, Talk,
    Target, Write, talks, weather,
};

/// The listener.
const VICTIM: Target = Target { host: 0, port: 80 };
/// The attacker's own port.
const ISLANDS_PORT: u16 = 4000;
/// When nothing has ended a conversation, its users do.
const PATIENCE: Duration = Duration::from_secs(300);
const LIMIT: Duration = Duration::from_secs(4 * 3600);
const RTT_MAX: Duration = Duration::from_millis(100);

/// A listener under flood.
pub(super) fn generate(choose: &mut dyn Choose) -> Scenario {
    let ground = Ground::draw(choose, RTT_MAX);
    let count = choose.between(2, 5) as u16;
    let (routers, mut links) = ground.wires(choose, Shape::Star, count);
    let mut hosts: Vec<HostPlan> = (0..count).map(|index| ground.host(choose, index)).collect();
    let calls = choose.between(1, 8) as u16;
    for _ in 0..calls {
        let caller = choose.between(1, u64::from(count) - 1);
        let app = caller_app(choose);
        hosts[caller as usize].apps.push(app);
    }
    let half_open_max = choose.between(2, 16) as u16;
    hosts[0].config.syn_queue_max = half_open_max;
    let serve = Serve {
        port: VICTIM.port,
        backlog: choose.between(2, 16) as u16,
        clients: calls + 1,
        accept_pause: Duration::ZERO,
        defer_accept: None,
        patience: PATIENCE,
        talk: Talk {
            read: talks::reader(choose),
            ..Talk::sink(PATIENCE)
        },
    };
    hosts[0].apps.push(AppPlan {
        start: Duration::ZERO,
        role: Role::Serve(serve),
    });
    let address = super::beyond(hosts[0].config.addresses[0]);
    links.push(ground.attackers_wire(0));
    let attacks = attacks(choose, &ground, half_open_max);
    let faults = weather::families(choose, &ground, 2);
    let hops = weather::spread(choose, &links, faults, 2);
    Scenario {
        kind: Kind::Flood,
        seed: None,
        hosts,
        routers,
        attackers: vec![AttackerPlan { address, attacks }],
        links,
        icmp: None,
        lifetime: Some(ground.lifetime),
        faults: weather::drawn(choose, hops, Vec::new()),
        crashes: Vec::new(),
        cuts: Vec::new(),
        routes: Vec::new(),
        heal_at: weather::heal_at(choose),
        limit: LIMIT,
    }
}

/// A client that comes before, in or after the flood.
fn caller_app(choose: &mut dyn Choose) -> AppPlan {
    let talk = Talk {
        write: Write::Octets(talks::small(choose)),
        ending: Ending::Shut,
        ..Talk::sink(PATIENCE)
    };
    let call = Call {
        from: 0,
        host: VICTIM.host,
        port: VICTIM.port,
        talk,
    };
    AppPlan {
        start: Duration::from_millis(choose.below(20_000)),
        role: Role::Call(call),
    }
}

fn attacks(choose: &mut dyn Choose, ground: &Ground, half_open_max: u16) -> Vec<Attack> {
    let (soon, late) = (Duration::from_millis(1), Duration::from_secs(5));
    let flood = Attack {
        to: VICTIM,
        start: weather::log_duration(choose, soon, late),
        every: weather::log_duration(choose, Duration::from_micros(1), Duration::from_millis(100)),
        count: u32::from(half_open_max) * choose.between(1, 20) as u32,
        method: Method::Flood,
    };
    let mut attacks = vec![flood];
    if choose.chance(1, 2) {
        attacks.push(Attack {
            to: VICTIM,
            start: weather::log_duration(choose, soon, late),
            every: weather::log_duration(choose, Duration::from_micros(1), ground.rtt),
            count: choose.log_between(10, 2_000) as u32,
            method: Method::Islands { port: ISLANDS_PORT },
        });
    }
    attacks
}
