//! Small worlds written by hand, so that a ladder depends on no generator.
//!
//! Host 0 is 10.0.0.1, host 1 is 10.0.1.1. A link takes 10 ms. Chains have one router between the
//! hosts: hop 0 leaves host 0, hop 2 leaves the router towards host 1, hops 3 and 1 lead back.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use timewait::prelude::*;
use timewait::properties::Clock;
use timewait::properties::scenario::{
    AppPlan, Call, Crash, Ending, FaultPlan, HostPlan, LinkEnd, LinkPlan, Role, Serve, Talk, Write,
};
use timewait::sim::fates::NthMatch;
use timewait::sim::{Aqm, HopId};
use timewait::stack::Config;

/// The port of the first host's user and of the second's.
pub(crate) const PORTS: [u16; 2] = [4000, 7];

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Two hosts with a direct link and these users.
pub(crate) fn pair(first: Vec<AppPlan>, second: Vec<AppPlan>) -> Scenario {
    world(
        0,
        vec![link(LinkEnd::Host(0), LinkEnd::Host(1))],
        first,
        second,
    )
}

/// Two hosts with a router between them and these users.
pub(crate) fn chain(first: Vec<AppPlan>, second: Vec<AppPlan>) -> Scenario {
    let links = [
        (LinkEnd::Host(0), LinkEnd::Router(0)),
        (LinkEnd::Router(0), LinkEnd::Host(1)),
    ];
    world(1, links.map(|(a, b)| link(a, b)).to_vec(), first, second)
}

fn world(
    routers: u16,
    links: Vec<LinkPlan>,
    first: Vec<AppPlan>,
    second: Vec<AppPlan>,
) -> Scenario {
    Scenario {
        attackers: Vec::new(),
        boxes: Vec::new(),
        kind: Kind::Close,
        seed: None,
        hosts: vec![host(0, first), host(1, second)],
        routers,
        links,
        icmp: None,
        lifetime: Some(ms(2000)),
        faults: FaultPlan::NONE,
        crashes: Vec::new(),
        pauses: Vec::new(),
        cuts: Vec::new(),
        rules: Vec::new(),
        routes: Vec::new(),
        heal_at: ms(2000),
        limit: Duration::from_secs(60),
    }
}

fn host(number: u8, apps: Vec<AppPlan>) -> HostPlan {
    let address = IpAddr::V4(Ipv4Addr::new(10, 0, number, 1));
    let config = Config {
        msl: ms(2000),
        ..Config::new(vec![address], [number; 32])
    };
    HostPlan {
        config,
        clock: Clock::TRUE,
        may_be_cut_up: false,
        apps,
    }
}

fn link(a: LinkEnd, b: LinkEnd) -> LinkPlan {
    LinkPlan {
        a,
        b,
        delay: ms(10),
        rate: None,
        queue_bytes_max: 1 << 20,
        aqm: Aqm::None,
        mtu: None,
    }
}

/// The user of host 0 calls host 1, or the other way round, at `start`.
pub(crate) fn call(from: u16, start: Duration, octets: u64, ending: Ending) -> AppPlan {
    let [own, other] = if from == 0 {
        PORTS
    } else {
        [PORTS[1], PORTS[0]]
    };
    let talk = talk(octets, ending);
    AppPlan {
        start,
        role: Role::Call(Call {
            from: own,
            host: 1 - from,
            port: other,
            talk,
        }),
    }
}

/// The user of host 1 serves so many clients and sends so many octets to each.
pub(crate) fn serve(clients: u16, octets: u64, ending: Ending) -> AppPlan {
    let serve = Serve {
        port: PORTS[1],
        backlog: 4,
        accept_pause: Duration::ZERO,
        defer_accept: None,
        clients,
        patience: PATIENCE,
        talk: talk(octets, ending),
    };
    AppPlan {
        start: Duration::ZERO,
        role: Role::Serve(serve),
    }
}

fn talk(octets: u64, ending: Ending) -> Talk {
    Talk {
        write: Write::Octets(octets),
        ending,
        ..Talk::sink(PATIENCE)
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

/// Host 0 crashes at `at`, is off for 100 ms, and has these users afterwards. It remembers
/// everything about its sequence numbers, but no connection.
pub(crate) fn crash(mut scenario: Scenario, at: Duration, apps: Vec<AppPlan>) -> Scenario {
    scenario.crashes.push(Crash {
        host: 0,
        at,
        off: ms(100),
        config: scenario.hosts[0].config.clone(),
        apps,
    });
    scenario
}

/// The nth datagram with these bits on this hop is lost.
pub(crate) fn lose(mut scenario: Scenario, hop: u32, class: u16, nth: u32) -> Scenario {
    let nth = NthMatch::lose(HopId(hop), class, nth);
    scenario.faults = FaultPlan::Drawn {
        seed: 0,
        hops: Vec::new(),
        nth: vec![nth],
    };
    scenario
}
