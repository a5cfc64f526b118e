//! Somewhere between two hosts is a link that carries less than theirs: path MTU discovery
//! (RFC 1191, RFC 8201), or detection of a black hole where routers keep silent (RFC 2923 §2.1).

use core::time::Duration;

use timewait_stack::config::{BlackHole, GiveUp};

use super::Kind;
use crate::choose::Choose;
use crate::scenario::ground::{Ground, Shape, narrow};
use crate::scenario::{AppPlan, Call, Ending, IcmpPlan, Role, Scenario, Serve, Talk, Write};
use crate::scenario::{talks, weather};

/// The server's port.
const PORT: u16 = 80;
const LIMIT: Duration = Duration::from_secs(12 * 3600);
const RTT_MAX: Duration = Duration::from_millis(200);

/// A scenario of this kind: host 0 is the client, host 1 the server.
pub(super) fn generate(choose: &mut dyn Choose) -> Scenario {
    let ground = Ground::draw(choose, RTT_MAX);
    let shape = Shape::Chain(choose.between(2, 4) as u16);
    let (routers, mut links) = ground.wires(choose, shape, 2);
    narrow(choose, &mut links, ground.mtu_min());
    let icmp = (!choose.chance(1, 3)).then(|| IcmpPlan::draw(choose));
    let detection = icmp.is_some() || choose.chance(3, 4);
    let mut hosts: Vec<_> = (0..2).map(|index| ground.host(choose, index)).collect();
    for host in &mut hosts {
        host.config.mtu = *choose.pick(&[1500, 1500, 9000]);
        // Otherwise no flight of several segments meets the narrow link.
        host.config.receive_buffer = 65_535;
        host.config.send_buffer = 262_144;
        host.config.black_hole = detection.then(BlackHole::default);
        // Several timeouts find a black hole; they must not end the connection.
        host.config.r2 = *choose.pick(&[
            GiveUp::Elapsed(Duration::from_secs(600)),
            GiveUp::Retransmissions(15),
        ]);
        (host.config.user_timeout, host.config.announce_user_timeout) = (None, false);
        host.may_be_cut_up = choose.chance(1, 4);
        // Below that routers may cut, whoever looks for the path MTU (RFC 1191 §3).
        host.config.path_mtu_min = *choose.pick(&[552, 552, 1200]);
    }
    let hops = match choose.chance(1, 2) {
        true => weather::somewhere(choose, &ground, &links, 3, 2),
        false => Vec::new(),
    };
    let mut scenario = Scenario {
        icmp,
        faults: weather::drawn(choose, hops, Vec::new()),
        heal_at: weather::heal_at(choose),
        ..ground.calm(Kind::PathMtu, hosts, (routers, links), LIMIT)
    };
    users(choose, &mut scenario);
    scenario
}

/// Much in one or both directions; or little, again and again, so long that a larger size is
/// tried in between (RFC 1191 §6.3).
fn users(choose: &mut dyn Choose, scenario: &mut Scenario) {
    let octets = choose.log_between(1 << 10, 256 << 10);
    let (up, down, patience) = if choose.chance(1, 4) {
        let request = choose.between(1, 8 << 10) as u32;
        let response = choose.between(1, 8 << 10) as u32;
        let ask = Write::Request {
            count: choose.between(2, 5) as u32,
            request,
            response,
            pause: Duration::from_secs(choose.between(60, 1200)),
        };
        (ask, Write::Respond { request, response }, 3 * 3600)
    } else {
        let (up, down) = *choose.pick(&[(octets, 0), (0, octets), (octets, octets / 3)]);
        (Write::Octets(up), Write::Octets(down), 300)
    };
    let patience = Duration::from_secs(patience);
    let talk = |write, ending| Talk {
        write,
        ending,
        ..Talk::sink(patience)
    };
    scenario.hosts[0].apps.push(AppPlan {
        start: Duration::ZERO,
        role: Role::Call(Call {
            from: 0,
            host: 1,
            port: PORT,
            talk: Talk {
                read: talks::reader(choose),
                ..talk(up, Ending::Shut)
            },
        }),
    });
    scenario.hosts[1].apps.push(AppPlan {
        start: Duration::ZERO,
        role: Role::Serve(Serve {
            port: PORT,
            backlog: 4,
            clients: 1,
            accept_pause: Duration::ZERO,
            defer_accept: None,
            patience,
            talk: talk(down, Ending::Passive),
        }),
    });
}
