//! An attack on one connection must leave another one alone, though both are between the same two
//! stacks: the run is compared with one in which nobody attacks.
//!
//! So nothing but the attack differs: no fault is drawn, no link has a rate, and the bystander
//! calls before anything else happens. Its ends ask each other now and then whether they are
//! alive, and each such probe wants an answer that a stack limits: one that counts these answers
//! for all its connections together tells an attacker what the bystander does, and keeps the
//! bystander from answering (CVE-2016-5696).

use core::time::Duration;

use timewait_stack::config::Keepalive;

use super::{Kind, attack};
use crate::choose::Choose;
use crate::scenario::ground::{Ground, Shape};
use crate::scenario::{
    AppPlan, AttackerPlan, Call, Ending, FaultPlan, HostPlan, LinkPlan, Role, Scenario, Serve,
    Talk, Write,
};

/// The bystander's ports, its caller's first.
const BYSTANDER: (u16, u16) = (2000, 8080);
/// The connection under attack begins when the bystander's has begun.
const ATTACKED_START: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(150);
const LIMIT: Duration = Duration::from_secs(3600);
const RTT_MAX: Duration = Duration::from_millis(200);

/// A bystander.
pub(super) fn generate(choose: &mut dyn Choose) -> Scenario {
    let ground = Ground::draw(choose, RTT_MAX);
    let (routers, wires) = ground.wires(choose, Shape::Chain(1), 2);
    let mut links: Vec<_> = wires.into_iter().map(unrated).collect();
    links.push(ground.attackers_wire(0));
    let mut hosts: Vec<HostPlan> = (0..2).map(|index| ground.host(choose, index)).collect();
    for host in &mut hosts {
        host.config.keepalive = Some(Keepalive {
            idle: Duration::from_secs(choose.between(3, 10)),
            interval: Duration::from_secs(choose.between(1, 3)),
            probes: choose.between(3, 9) as u8,
            garbage: false,
        });
    }
    let (asks, answers) = conversation(choose);
    connect(&mut hosts, Duration::ZERO, BYSTANDER, asks, answers);
    let (client, server) = (attack::CLIENT.port, attack::SERVER.port);
    let waits = Talk::sink(PATIENCE);
    connect(&mut hosts, ATTACKED_START, (client, server), waits, waits);
    let address = super::beyond(hosts[0].config.addresses[0]);
    let attacks = (0..choose.between(1, 3)).map(|_| attack::on_conversation(choose));
    Scenario {
        kind: Kind::Bystander,
        seed: None,
        hosts,
        routers,
        attackers: vec![AttackerPlan {
            address,
            attacks: attacks.collect(),
        }],
        links,
        icmp: None,
        lifetime: Some(ground.lifetime),
        faults: FaultPlan::NONE,
        crashes: Vec::new(),
        cuts: Vec::new(),
        routes: Vec::new(),
        heal_at: Duration::ZERO,
        limit: LIMIT,
    }
}

fn unrated(link: LinkPlan) -> LinkPlan {
    LinkPlan { rate: None, ..link }
}

/// A few requests with long pauses.
fn conversation(choose: &mut dyn Choose) -> (Talk, Talk) {
    let (request, response) = (
        choose.log_between(1, 2000) as u32,
        choose.log_between(1, 4000) as u32,
    );
    let asks = Talk {
        write: Write::Request {
            count: choose.between(2, 6) as u32,
            request,
            response,
            pause: Duration::from_secs(choose.between(8, 20)),
        },
        ending: Ending::Shut,
        ..Talk::sink(PATIENCE)
    };
    let answers = Talk {
        write: Write::Respond { request, response },
        ..Talk::sink(PATIENCE)
    };
    (asks, answers)
}

/// Host 0 calls host 1 from the one port to the other.
fn connect(
    hosts: &mut [HostPlan],
    start: Duration,
    (from, port): (u16, u16),
    client: Talk,
    server: Talk,
) {
    let call = Call {
        from,
        host: 1,
        port,
        talk: client,
    };
    let serve = Serve {
        port,
        backlog: 4,
        clients: 1,
        accept_pause: Duration::ZERO,
        defer_accept: None,
        patience: PATIENCE,
        talk: server,
    };
    let role = Role::Call(call);
    hosts[0].apps.push(AppPlan { start, role });
    let (start, role) = (Duration::ZERO, Role::Serve(serve));
    hosts[1].apps.push(AppPlan { start, role });
}
