//! Somebody attacks: he knows addresses and ports, and sees nothing (ORACLES.md §4, "Attackers").
//!
//! Host 0 calls host 1 once; SYN or SYN-ACK are lost in some scenarios, so that the handshake
//! lasts, and others are over soon, so that TIME-WAIT is met. Segments of every kind are sent to
//! either end in the name of the other, to ports where nobody listens, and to the listener.

use core::time::Duration;

use timewait_sim::HopId;
use timewait_sim::fates::NthMatch;
use timewait_sim::icmp::Problem;
use timewait_stack::wire::Flags;

use super::Kind;
use crate::choose::Choose;
use crate::label::class;
use crate::scenario::ground::{Ground, Shape};
use crate::scenario::{
    AppPlan, Attack, AttackerPlan, Call, Ending, Forgery, Lie, Method, Role, Scenario, Serve,
    Sweep, Talk, Target, Write, talks, weather,
};

/// The two ends of the conversation.
pub(super) const CLIENT: Target = Target {
    host: 0,
    port: 1000,
};
pub(super) const SERVER: Target = Target { host: 1, port: 80 };
/// A port of the server where nobody listens.
const CLOSED: u16 = 81;
/// A port of the client that has no connection.
const UNUSED: u16 = 1001;
/// When nothing has ended a conversation, its users do.
const PATIENCE: Duration = Duration::from_secs(300);
const LIMIT: Duration = Duration::from_secs(4 * 3600);
const RTT_MAX: Duration = Duration::from_millis(200);
/// Windows are no larger.
const WINDOW: u32 = 65_535;

/// A conversation under attack.
pub(super) fn generate(choose: &mut dyn Choose) -> Scenario {
    let ground = Ground::draw(choose, RTT_MAX);
    let shape = Shape::Chain(choose.between(1, 3) as u16);
    let (routers, mut links) = ground.wires(choose, shape, 2);
    let mut hosts: Vec<_> = (0..2).map(|index| ground.host(choose, index)).collect();
    let (client, server) = match choose.chance(1, 2) {
        true => long(choose),
        false => talks::pair(choose, PATIENCE),
    };
    let start = Duration::from_millis(choose.below(1000));
    let call = Call {
        from: CLIENT.port,
        host: SERVER.host,
        port: SERVER.port,
        talk: client,
    };
    let role = Role::Call(call);
    hosts[0].apps.push(AppPlan { start, role });
    let serve = Serve {
        port: SERVER.port,
        backlog: choose.between(2, 8) as u16,
        clients: 2,
        accept_pause: Duration::ZERO,
        defer_accept: None,
        patience: PATIENCE,
        talk: server,
    };
    let (start, role) = (Duration::ZERO, Role::Serve(serve));
    hosts[1].apps.push(AppPlan { start, role });
    let nth = slow_handshake(choose, links.len() as u32);
    let attackers = vec![attacker(choose, &ground, hosts[0].config.addresses[0])];
    let router = choose.below(routers.into()) as u16;
    links.push(ground.attackers_wire(router));
    let hops = match choose.chance(1, 4) {
        true => weather::somewhere(choose, &ground, &links, 2, 3),
        false => Vec::new(),
    };
    let mut scenario = Scenario {
        kind: Kind::Attack,
        seed: None,
        hosts,
        routers,
        attackers,
        links,
        icmp: None,
        lifetime: Some(ground.lifetime),
        faults: weather::drawn(choose, hops, nth),
        crashes: Vec::new(),
        cuts: Vec::new(),
        routes: Vec::new(),
        heal_at: weather::heal_at(choose),
        limit: LIMIT,
    };
    if choose.chance(1, 3) {
        let lies = lies(choose, &ground);
        scenario.attackers[0].attacks.push(lies);
    }
    scenario
}

/// ICMP errors about what an end of the conversation may have sent (RFC 5927).
fn lies(choose: &mut dyn Choose, ground: &Ground) -> Attack {
    let (about, to) = *choose.pick(&[(CLIENT, SERVER), (SERVER, CLIENT)]);
    let lasts = weather::log_duration(choose, ground.rtt, Duration::from_secs(60));
    let count = choose.log_between(100, 3_000) as u32;
    let step = *choose.pick(&[1, 7, 1460, WINDOW]);
    let back = choose.below(u64::from(step) * 64 + 1) as u32;
    let mtu = choose.log_between(u64::from(ground.mtu_min()), 1500) as u16;
    Attack {
        to,
        start: weather::log_duration(choose, Duration::from_millis(1), Duration::from_secs(20)),
        every: (lasts / count).max(Duration::from_micros(1)),
        count,
        method: Method::Report(Lie {
            about,
            problem: *choose.pick(&[
                Problem::TooBig { mtu },
                Problem::NoPort,
                Problem::NoRoute,
                Problem::HopLimit,
            ]),
            seq: Sweep {
                start: 0_u32.wrapping_sub(back),
                step,
            },
        }),
    }
}

/// A conversation that lasts: a few octets now and then, for a minute or so.
fn long(choose: &mut dyn Choose) -> (Talk, Talk) {
    let (request, response) = (choose.log_between(1, 3000) as u32, 100);
    let client = Talk {
        write: Write::Request {
            count: choose.between(10, 40) as u32,
            request,
            response,
            pause: Duration::from_millis(choose.between(500, 3000)),
        },
        ending: Ending::Shut,
        ..Talk::sink(PATIENCE)
    };
    let server = Talk {
        write: Write::Respond { request, response },
        ..Talk::sink(PATIENCE)
    };
    (client, server)
}

/// In one of three scenarios SYNs or SYN-ACKs are lost, so that SYN-SENT or SYN-RECEIVED last.
fn slow_handshake(choose: &mut dyn Choose, links: u32) -> Vec<NthMatch> {
    if !choose.chance(1, 3) {
        return Vec::new();
    }
    let (hop, class) = *choose.pick(&[
        (HopId(0), class::OPEN),
        (HopId(links * 2 - 1), class::SYN_ACK),
    ]);
    let lost = choose.between(1, 3) as u32;
    (1..=lost).map(|n| NthMatch::lose(hop, class, n)).collect()
}

fn attacker(
    choose: &mut dyn Choose,
    ground: &Ground,
    neighbour: core::net::IpAddr,
) -> AttackerPlan {
    let attacks = (0..choose.between(1, 3)).map(|_| attack(choose, ground));
    AttackerPlan {
        address: super::beyond(neighbour),
        attacks: attacks.collect(),
    }
}

/// One stream of forged segments: from 1,000 to 100,000 of them, within a round trip to minutes.
fn attack(choose: &mut dyn Choose, ground: &Ground) -> Attack {
    let (from, to) = *choose.pick(&[
        (CLIENT, SERVER),
        (SERVER, CLIENT),
        (CLIENT, SERVER),
        (SERVER, CLIENT),
        (
            Target {
                port: UNUSED,
                ..CLIENT
            },
            SERVER,
        ),
        (
            CLIENT,
            Target {
                port: CLOSED,
                ..SERVER
            },
        ),
    ]);
    let lasts = weather::log_duration(choose, ground.rtt, Duration::from_secs(120));
    let start = weather::log_duration(choose, Duration::from_millis(1), Duration::from_secs(20));
    stream(choose, (from, to), start, lasts)
}

/// The same against the conversation alone, most of the time that a [`bystander`](super::bystander)
/// is there.
pub(super) fn on_conversation(choose: &mut dyn Choose) -> Attack {
    let ends = *choose.pick(&[(CLIENT, SERVER), (SERVER, CLIENT)]);
    let lasts = Duration::from_secs(choose.between(60, 120));
    let start = Duration::from_secs(choose.between(3, 10));
    stream(choose, ends, start, lasts)
}

fn stream(
    choose: &mut dyn Choose,
    (from, to): (Target, Target),
    start: Duration,
    lasts: Duration,
) -> Attack {
    let most = *choose.pick(&[10_000, 10_000, 10_000, 100_000]);
    let count = choose.log_between(1_000, most) as u32;
    Attack {
        to,
        start,
        every: (lasts / count).max(Duration::from_micros(1)),
        count,
        method: Method::Forge(forgery(choose, from)),
    }
}

/// Segments of one kind. SEQ goes up from somewhat below the ISS by single numbers, segments or
/// windows; ACK is near the truth, where it was 2^31 ago, or goes up as well.
fn forgery(choose: &mut dyn Choose, from: Target) -> Forgery {
    let (flags, text) = *choose.pick(&[
        (Flags::RST, 0),
        (Flags::RST | Flags::ACK, 0),
        (Flags::SYN, 0),
        (Flags::ACK, 0),
        (Flags::ACK | Flags::PSH, 1),
        (Flags::ACK | Flags::PSH, 536),
        (Flags::SYN | Flags::ACK, 0),
        (Flags::FIN | Flags::ACK, 0),
        (Flags::FIN | Flags::ACK, 100),
        (Flags::empty(), 0),
        (Flags::empty(), 10),
        (Flags::SYN | Flags::FIN, 0),
        (Flags::SYN | Flags::RST | Flags::ACK, 0),
    ]);
    let step = *choose.pick(&[1, 1, 7, 1460, WINDOW / 4, WINDOW]);
    let back = choose.below(u64::from(step) * 64 + 1) as u32;
    let seq = match choose.chance(1, 4) {
        true => choose.below(1 << 32) as u32,
        false => 0_u32.wrapping_sub(back),
    };
    let ack = *choose.pick(&[
        1,
        1,
        3 << 30,
        3 << 30,
        0_u32.wrapping_sub(WINDOW),
        1 << 31,
        1 << 30,
    ]);
    Forgery {
        from,
        flags,
        text,
        window: *choose.pick(&[65_535, 0, 1, 1000]),
        seq: Sweep { start: seq, step },
        ack: Sweep {
            start: ack,
            step: *choose.pick(&[0, 0, 1, 1460, WINDOW]),
        },
    }
}
