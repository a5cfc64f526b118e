//! Scenarios of two hosts, one thing each: host 0 is the client, host 1 the server.

use core::time::Duration;

use timewait_sim::HopId;
use timewait_sim::fates::NthMatch;

use super::Kind;
use crate::choose::Choose;
use crate::label::class;
use crate::scenario::ground::{Ground, Shape};
use crate::scenario::{AppPlan, Call, Ending, Role, Scenario, Serve, Talk, Write};
use crate::scenario::{talks, weather};

/// The server's port.
const PORT: u16 = 80;
/// When nothing has ended a conversation, its users do.
const PATIENCE: Duration = Duration::from_secs(300);
/// The end of a run that does not come to rest.
const LIMIT: Duration = Duration::from_secs(4 * 3600);
const RTT_MAX: Duration = Duration::from_millis(200);

/// The hop by which everything leaves the client.
const FROM_CLIENT: HopId = HopId(0);

/// A scenario of this kind.
pub(super) fn generate(kind: Kind, choose: &mut dyn Choose) -> Scenario {
    let ground = Ground::draw(choose, RTT_MAX);
    let mut scenario = empty(kind, choose, &ground);
    match kind {
        Kind::Handshake => handshake(&mut scenario, choose, &ground),
        Kind::Close => close(&mut scenario, choose, &ground),
        Kind::SimultaneousOpen => simultaneous_open(&mut scenario, choose, &ground),
        Kind::SimultaneousClose => simultaneous_close(&mut scenario, choose, &ground),
        Kind::HalfClose => half_close(&mut scenario, choose, &ground),
        Kind::Refused => refused(&mut scenario, choose, &ground),
        Kind::Abort => abort(&mut scenario, choose, &ground),
        Kind::LastAckLost => last_ack_lost(&mut scenario, choose),
        Kind::Bulk
        | Kind::Swarm
        | Kind::Churn
        | Kind::PathMtu
        | Kind::Attack
        | Kind::Flood
        | Kind::Bystander
        | Kind::Reboot
        | Kind::Middlebox
        | Kind::Ailing
        | Kind::Rogue => {
            bulk(&mut scenario, choose, &ground);
        }
    }
    scenario
}

/// Two hosts with wires between them, without users and faults.
fn empty(kind: Kind, choose: &mut dyn Choose, ground: &Ground) -> Scenario {
    let shape = Shape::Chain(choose.below(4) as u16);
    let (routers, links) = ground.wires(choose, shape, 2);
    let hosts = (0..2).map(|index| ground.host(choose, index)).collect();
    ground.calm(kind, hosts, (routers, links), LIMIT)
}

fn handshake(scenario: &mut Scenario, choose: &mut dyn Choose, ground: &Ground) {
    let calls = choose.between(1, 3) as u16;
    let talk = talk(Write::Octets(talks::small(choose)), Ending::Shut);
    // Sometimes all at once.
    let together = choose.chance(1, 3);
    for _ in 0..calls {
        let start = weather::log_duration(choose, ground.rtt, Duration::from_secs(2));
        let start = if together { Duration::ZERO } else { start };
        call(scenario, start, 0, talk);
    }
    serve(
        scenario,
        choose,
        calls,
        Talk {
            ending: Ending::Passive,
            ..Talk::sink(PATIENCE)
        },
    );
    let nth = lose_one_of(
        choose,
        scenario,
        &[(false, class::OPEN), (true, class::SYN_ACK)],
    );
    weather(scenario, choose, ground, nth);
}

fn close(scenario: &mut Scenario, choose: &mut dyn Choose, ground: &Ground) {
    let endings = *choose.pick(&[
        (Ending::Shut, Ending::Passive),
        (Ending::Passive, Ending::Shut),
        (Ending::Shut, Ending::Shut),
        (Ending::Close, Ending::Passive),
    ]);
    let octets = (talks::small(choose), talks::small(choose));
    // Who closes without reading to the end is reset by what still comes (SHLD-3).
    let back = if endings.0 == Ending::Close {
        0
    } else {
        octets.1
    };
    call(
        scenario,
        Duration::ZERO,
        0,
        talk(Write::Octets(octets.0), endings.0),
    );
    serve(scenario, choose, 1, talk(Write::Octets(back), endings.1));
    let nth = lose_one_of(choose, scenario, &[(false, class::FIN), (true, class::FIN)]);
    weather(scenario, choose, ground, nth);
}

fn simultaneous_open(scenario: &mut Scenario, choose: &mut dyn Choose, ground: &Ground) {
    let start = Duration::from_millis(1);
    let half = ground.rtt / 2;
    let late = Duration::from_nanos(choose.below(half.as_nanos() as u64));
    for (host, start) in [(0, start), (1, start + late)] {
        let talk = talk(Write::Octets(talks::small(choose)), Ending::Shut);
        let (from, port) = if host == 0 {
            (1000, 2000)
        } else {
            (2000, 1000)
        };
        let role = Role::Call(Call {
            from,
            host: 1 - host,
            port,
            talk,
        });
        scenario.hosts[usize::from(host)]
            .apps
            .push(AppPlan { start, role });
    }
    let nth = lose_one_of(
        choose,
        scenario,
        &[(false, class::OPEN), (true, class::OPEN)],
    );
    weather(scenario, choose, ground, nth);
}

fn simultaneous_close(scenario: &mut Scenario, choose: &mut dyn Choose, ground: &Ground) {
    // The server shuts as it accepts, while the client's FIN is behind the ACK.
    let octets = talks::small(choose);
    call(
        scenario,
        Duration::ZERO,
        0,
        talk(Write::Octets(octets), Ending::Shut),
    );
    serve(
        scenario,
        choose,
        1,
        talk(Write::Octets(octets), Ending::Shut),
    );
    let nth = lose_one_of(choose, scenario, &[(false, class::FIN), (true, class::FIN)]);
    weather(scenario, choose, ground, nth);
}

fn half_close(scenario: &mut Scenario, choose: &mut dyn Choose, ground: &Ground) {
    let up = talks::small(choose);
    let down = choose.log_between(1, 128 << 10);
    let answer = if choose.chance(1, 3) {
        Write::Respond {
            request: 1,
            response: 1 + (down % 40) as u32,
        }
    } else {
        Write::Octets(down)
    };
    let reader = talks::reader(choose);
    let client = Talk {
        read: reader,
        ..talk(Write::Octets(up), Ending::Shut)
    };
    call(scenario, Duration::ZERO, 0, client);
    serve(scenario, choose, 1, talk(answer, Ending::Passive));
    weather(scenario, choose, ground, Vec::new());
}

fn refused(scenario: &mut Scenario, choose: &mut dyn Choose, ground: &Ground) {
    for _ in 0..choose.between(1, 3) {
        let start = weather::log_duration(choose, ground.rtt, Duration::from_secs(2));
        let from = *choose.pick(&[0, 0, 1000]);
        call(scenario, start, from, talk(Write::Octets(1), Ending::Shut));
    }
    let nth = lose_one_of(
        choose,
        scenario,
        &[(false, class::OPEN), (true, class::RST)],
    );
    weather(scenario, choose, ground, nth);
}

fn abort(scenario: &mut Scenario, choose: &mut dyn Choose, ground: &Ground) {
    let octets = choose.log_between(1, 256 << 10);
    let aborter = talk(Write::Octets(0), Ending::Abort(choose.between(0, octets)));
    let writer = talk(Write::Octets(octets), Ending::Shut);
    let (client, server) = if choose.chance(1, 2) {
        (writer, aborter)
    } else {
        (aborter, writer)
    };
    call(scenario, Duration::ZERO, 0, client);
    serve(scenario, choose, 1, server);
    let nth = lose_one_of(choose, scenario, &[(false, class::RST), (true, class::RST)]);
    weather(scenario, choose, ground, nth);
}

fn bulk(scenario: &mut Scenario, choose: &mut dyn Choose, ground: &Ground) {
    let octets = choose.log_between(64 << 10, 2 << 20);
    let (up, down) = *choose.pick(&[(octets, 0), (0, octets), (octets, octets / 3)]);
    let (client, server) = (talks::reader(choose), talks::reader(choose));
    call(
        scenario,
        Duration::ZERO,
        0,
        Talk {
            read: client,
            ..talk(Write::Octets(up), Ending::Shut)
        },
    );
    serve(
        scenario,
        choose,
        1,
        Talk {
            read: server,
            ..talk(Write::Octets(down), Ending::Shut)
        },
    );
    weather(scenario, choose, ground, Vec::new());
}

/// The one who closes first only sends, so that its last acknowledgment is its second (the
/// client's) or its first (the server's), and the answers to retransmitted FINs follow.
fn last_ack_lost(scenario: &mut Scenario, choose: &mut dyn Choose) {
    let octets = talks::small(choose);
    let first = talk(Write::Octets(octets), Ending::Shut);
    let second = talk(Write::Octets(0), Ending::Passive);
    let client_first = !choose.chance(1, 2);
    let (client, server) = if client_first {
        (first, second)
    } else {
        (second, first)
    };
    call(scenario, Duration::ZERO, 0, client);
    serve(scenario, choose, 1, server);
    let (hop, last) = if client_first {
        (FROM_CLIENT, 2)
    } else {
        (from_server(scenario), 1)
    };
    let lost = choose.between(1, 3) as u32;
    let nth = (last..last + lost)
        .map(|n| NthMatch::lose(hop, class::PURE_ACK, n))
        .collect();
    scenario.faults = weather::drawn(choose, Vec::new(), nth);
    scenario.heal_at = Duration::from_secs(60);
}

/// In two of three scenarios, the first one to three datagrams of one of these classes are lost;
/// `true`: on the way from the server.
fn lose_one_of(
    choose: &mut dyn Choose,
    scenario: &Scenario,
    menu: &[(bool, u16)],
) -> Vec<NthMatch> {
    if !choose.chance(2, 3) {
        return Vec::new();
    }
    let &(back, class) = choose.pick(menu);
    let hop = if back {
        from_server(scenario)
    } else {
        FROM_CLIENT
    };
    let lost = choose.between(1, 3) as u32;
    (1..=lost).map(|n| NthMatch::lose(hop, class, n)).collect()
}

/// Faults of all families, or of none, until some time.
fn weather(scenario: &mut Scenario, choose: &mut dyn Choose, ground: &Ground, nth: Vec<NthMatch>) {
    let hops = match choose.chance(3, 4) {
        true => weather::somewhere(choose, ground, &scenario.links, 3, 3),
        false => Vec::new(),
    };
    scenario.faults = weather::drawn(choose, hops, nth);
    scenario.heal_at = weather::heal_at(choose);
}

/// The hop by which everything leaves the server.
fn from_server(scenario: &Scenario) -> HopId {
    HopId(scenario.links.len() as u32 * 2 - 1)
}

fn call(scenario: &mut Scenario, start: Duration, from: u16, talk: Talk) {
    let role = Role::Call(Call {
        from,
        host: 1,
        port: PORT,
        talk,
    });
    scenario.hosts[0].apps.push(AppPlan { start, role });
}

/// A server that stops listening after its last client, or goes on for a while.
fn serve(scenario: &mut Scenario, choose: &mut dyn Choose, clients: u16, talk: Talk) {
    let clients = clients + u16::from(choose.chance(1, 2));
    let role = Role::Serve(Serve {
        port: PORT,
        backlog: talks::backlog(choose),
        accept_pause: talks::accept_pause(choose),
        defer_accept: talks::defer_accept(choose),
        clients,
        patience: PATIENCE,
        talk,
    });
    scenario.hosts[1].apps.push(AppPlan {
        start: Duration::ZERO,
        role,
    });
}

fn talk(write: Write, ending: Ending) -> Talk {
    Talk {
        write,
        ending,
        ..Talk::sink(PATIENCE)
    }
}
