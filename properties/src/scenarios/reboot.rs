//! A host crashes in the middle and boots again, while its peer knows nothing of it: half-open
//! connections (RFC 9293 §3.5.1, figures 9 and 10), and sequence numbers that nobody remembers
//! (§3.4.3).
//!
//! What a boot remembers of its sequence numbers is drawn: clock and key, the key and a clock that
//! starts again where it first did, or neither. So is whether it keeps quiet for an MSL. With the
//! key, the old clock and no quiet time the new numbers are the old ones once more, and what the
//! routers have kept fits them: E2.

use core::time::Duration;

use timewait_sim::HopId;
use timewait_sim::fates::LinkFaults;
use timewait_stack::Config;

use super::Kind;
use crate::choose::Choose;
use crate::label::class;
use crate::scenario::ground::{Ground, Shape};
use crate::scenario::weather::PERCENT;
use crate::scenario::{
    AppPlan, Call, Crash, Ending, HostPlan, LinkPlan, Role, Scenario, Serve, Talk, Write,
};
use crate::scenario::{isn, talks, weather};

/// Host 0 calls host 1 there.
const PORT: u16 = 80;
/// And mostly from here, so that one tuple is used again.
const CLIENT_PORT: u16 = 1000;
/// When nothing has ended a conversation, its users do.
const PATIENCE: Duration = Duration::from_secs(300);
const LIMIT: Duration = Duration::from_secs(12 * 3600);
const RTT_MAX: Duration = Duration::from_millis(100);

/// Two hosts, and one or two crashes.
pub(super) fn generate(choose: &mut dyn Choose) -> Scenario {
    let ground = Ground::draw(choose, RTT_MAX);
    let shape = Shape::Chain(choose.between(1, 3) as u16);
    let (routers, links) = ground.wires(choose, shape, 2);
    let hosts: Vec<HostPlan> = (0..2).map(|index| ground.host(choose, index)).collect();
    let again = choose.chance(1, 3);
    let hops = match again {
        true => {
            let copies = copies(choose, &ground, 30, LinkFaults::NONE);
            weather::spread(choose, &links, copies, 4)
        }
        false => hops(choose, &ground, &links),
    };
    let mut scenario = Scenario {
        kind: Kind::Reboot,
        seed: None,
        hosts,
        routers,
        attackers: Vec::new(),
        links,
        icmp: None,
        lifetime: Some(ground.lifetime),
        faults: weather::drawn(choose, hops, Vec::new()),
        crashes: Vec::new(),
        cuts: Vec::new(),
        routes: Vec::new(),
        heal_at: weather::heal_at(choose),
        limit: LIMIT,
    };
    match again {
        true => numbers_again(choose, &ground, &mut scenario),
        false => anytime(choose, &ground, &mut scenario),
    }
    scenario
}

/// One or two crashes of either host at any moment.
fn anytime(choose: &mut dyn Choose, ground: &Ground, scenario: &mut Scenario) {
    let first = call(choose, Duration::ZERO);
    let server = serve(choose);
    scenario.hosts[0].apps.push(first);
    scenario.hosts[1].apps.push(server);
    let most = Duration::from_secs(5);
    let mut at = weather::log_duration(choose, ground.rtt / 4, most);
    for _ in 0..choose.between(1, 2) {
        let crash = crash(choose, ground, scenario, at);
        at = crash.boots_at() + weather::log_duration(choose, ground.rtt, most);
        if crash.host == 1 {
            // The client learns of it by a RST, and calls again.
            let msl = scenario.hosts[1].config.msl;
            let later = weather::log_duration(choose, ground.rtt, msl * 4);
            let again = call(choose, crash.at + later);
            scenario.hosts[0].apps.push(again);
        }
        scenario.crashes.push(crash);
    }
}

/// What a quiet time is for: the client crashes in TIME-WAIT, is up again before the server's clock
/// has gone far, and calls from the same port with the same numbers, while the routers still have
/// copies of what it sent.
fn numbers_again(choose: &mut dyn Choose, ground: &Ground, scenario: &mut Scenario) {
    let brief = |choose: &mut dyn Choose, start| {
        let talk = Talk {
            write: Write::Octets(choose.log_between(1 << 10, 32 << 10)),
            ending: Ending::Shut,
            ..Talk::sink(PATIENCE)
        };
        caller(start, CLIENT_PORT, talk)
    };
    let first = brief(choose, Duration::ZERO);
    scenario.hosts[0].apps.push(first);
    let server = server(3, Talk::sink(PATIENCE));
    scenario.hosts[1].apps.push(server);
    let ms = Duration::from_millis;
    let at = weather::log_duration(choose, ground.rtt * 6, ground.rtt * 40);
    let off = weather::log_duration(choose, ms(1), ms(100));
    let start = weather::log_duration(choose, Duration::from_micros(10), ms(20));
    let before = &scenario.hosts[0].config;
    let config = Config {
        quiet_time: choose.chance(1, 2).then_some(before.msl),
        ..clock_again(before, at + off)
    };
    let apps = vec![brief(choose, start)];
    scenario.crashes.push(Crash {
        host: 0,
        at,
        off,
        config,
        apps,
    });
}

fn crash(choose: &mut dyn Choose, ground: &Ground, scenario: &Scenario, at: Duration) -> Crash {
    let host = choose.below(2) as u16;
    let before = &scenario.hosts[usize::from(host)].config;
    // A reboot may take long, or so short that the ISN clock of the other end has hardly ticked.
    let most = before.msl * 2;
    let off = match choose.chance(1, 2) {
        true => weather::log_duration(choose, Duration::from_millis(1), most),
        false => Duration::from_nanos(choose.below(most.as_nanos() as u64)),
    };
    let config = Config {
        quiet_time: choose.chance(1, 2).then_some(before.msl),
        ..remembered(choose, before, at + off)
    };
    let apps = if host == 0 {
        let start = weather::log_duration(choose, ground.rtt / 4, Duration::from_secs(1));
        vec![call(choose, start)]
    } else {
        vec![serve(choose)]
    };
    Crash {
        host,
        at,
        off,
        config,
        apps,
    }
}

/// The settings of a boot at `boots_at`, with what it still knows of its sequence numbers.
fn remembered(choose: &mut dyn Choose, before: &Config, boots_at: Duration) -> Config {
    match choose.below(3) {
        0 => before.clone(),
        1 => clock_again(before, boots_at),
        _ => Config {
            isn_epoch: choose.below(1 << 32) as u32,
            secret: choose.secret(),
            ..before.clone()
        },
    }
}

/// The clock starts again where it started at the first boot; the key is the same.
fn clock_again(before: &Config, boots_at: Duration) -> Config {
    Config {
        isn_epoch: before.isn_epoch.wrapping_sub(isn::ticks(boots_at)),
        ..before.clone()
    }
}

fn call(choose: &mut dyn Choose, start: Duration) -> AppPlan {
    let octets = choose.log_between(1, 256 << 10);
    let ending = *choose.pick(&[Ending::Shut, Ending::Shut, Ending::Passive]);
    let talk = Talk {
        write: Write::Octets(octets),
        read: talks::reader(choose),
        ending,
        ..Talk::sink(PATIENCE)
    };
    let from = *choose.pick(&[CLIENT_PORT, CLIENT_PORT, 0]);
    caller(start, from, talk)
}

fn caller(start: Duration, from: u16, talk: Talk) -> AppPlan {
    let role = Role::Call(Call {
        from,
        host: 1,
        port: PORT,
        talk,
    });
    AppPlan { start, role }
}

fn serve(choose: &mut dyn Choose) -> AppPlan {
    let octets = choose.log_between(1, 1 << 20);
    let write = *choose.pick(&[Write::Octets(octets), Write::Octets(0)]);
    let ending = *choose.pick(&[Ending::Passive, Ending::Shut]);
    let talk = Talk {
        write,
        ending,
        ..Talk::sink(PATIENCE)
    };
    let clients = choose.between(2, 4) as u16;
    server(clients, talk)
}

fn server(clients: u16, talk: Talk) -> AppPlan {
    let role = Role::Serve(Serve {
        port: PORT,
        backlog: 8,
        clients,
        accept_pause: Duration::ZERO,
        defer_accept: None,
        patience: PATIENCE,
        talk,
    });
    AppPlan {
        start: Duration::ZERO,
        role,
    }
}

/// Routers keep copies until the next SYN comes; now and then something else goes wrong.
fn hops(choose: &mut dyn Choose, ground: &Ground, links: &[LinkPlan]) -> Vec<(HopId, LinkFaults)> {
    let mut faults = match choose.chance(1, 2) {
        true => weather::families(choose, ground, 3),
        false => LinkFaults::NONE,
    };
    if choose.chance(2, 3) {
        faults = LinkFaults {
            // What is released by the first SYN still meets the old connection.
            seen: *choose.pick(&[0, 0, 800_000]),
            ..copies(choose, ground, 10, faults)
        };
    }
    weather::spread(choose, links, faults, 3)
}

/// Copies of up to `percent` of all datagrams are kept, mostly until the next SYN comes.
fn copies(
    choose: &mut dyn Choose,
    ground: &Ground,
    percent: u64,
    faults: LinkFaults,
) -> LinkFaults {
    LinkFaults {
        hold_copy: choose.between(PERCENT, percent * PERCENT) as u32,
        hold_max: weather::log_duration(choose, ground.rtt * 8, ground.lifetime),
        seen: 800_000,
        seen_class: class::OPEN,
        seen_packets_max: 20,
        ..faults
    }
}
