//! What every bench shares: measuring in CPU time, and scenarios of plain pairs of hosts.
//!
//! Oracles, events, records and the hash are off: `run_bare` does nothing but run.

#![allow(dead_code, reason = "each bench uses its part of it")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cpu_time::ProcessTime;
use timewait::properties::scenario::{
    AppPlan, Call, Ending, FaultPlan, HostPlan, LinkEnd, LinkPlan, Role, Serve, Talk, Write,
};
use timewait::properties::{Clock, run_bare};
use timewait::sim::Aqm;
use timewait::stack::Config;
use timewait::{Kind, Report, Scenario};

/// How often each bench runs; the best counts.
const RUNS: u32 = 3;

/// The port that every server listens on.
pub(crate) const PORT: u16 = 7;

/// Runs `work`, which does `amount` of `unit`, and prints how much that is per CPU second.
pub(crate) fn measure(name: &str, amount: u64, unit: &str, mut work: impl FnMut()) {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let start = ProcessTime::now();
        work();
        best = best.min(start.elapsed());
    }
    let nanos = best.as_nanos().max(1);
    let rate = u128::from(amount) * 1_000_000_000 / nanos;
    let each = nanos / u128::from(amount.max(1));
    println!(
        "{name:<10} {rate:>13} {unit} per CPU second   ({each} ns each, {} ms of CPU, best of {RUNS})",
        best.as_millis()
    );
}

/// Runs a scenario and makes sure that it did all its work.
pub(crate) fn run(scenario: &Scenario, delivered_min: u64) -> Report {
    let report = run_bare(scenario);
    assert!(report.quiet, "the run did not come to its end");
    let delivered = report.stats.delivered;
    assert!(
        delivered >= delivered_min,
        "only {delivered} datagrams arrived"
    );
    report
}

/// A world of `pairs` of hosts: hosts 2n and 2n + 1 have a link of 1 ms of their own.
pub(crate) fn pairs(
    pairs: u16,
    client: impl Fn(u16) -> Vec<AppPlan>,
    server: impl Fn() -> Vec<AppPlan>,
) -> Scenario {
    let mut hosts = Vec::new();
    let mut links = Vec::new();
    for pair in 0..pairs {
        let (caller, callee) = (2 * pair, 2 * pair + 1);
        hosts.push(HostPlan {
            config: config(caller),
            clock: Clock::TRUE,
            apps: client(callee),
            may_be_cut_up: false,
        });
        hosts.push(HostPlan {
            config: config(callee),
            clock: Clock::TRUE,
            apps: server(),
            may_be_cut_up: false,
        });
        links.push(LinkPlan {
            a: LinkEnd::Host(caller),
            b: LinkEnd::Host(callee),
            delay: Duration::from_millis(1),
            rate: None,
            queue_bytes_max: u64::MAX,
            aqm: Aqm::None,
            mtu: None,
        });
    }
    Scenario {
        kind: Kind::Bulk,
        seed: None,
        hosts,
        routers: 0,
        attackers: Vec::new(),
        boxes: Vec::new(),
        links,
        icmp: None,
        lifetime: Some(Duration::from_secs(30)),
        faults: FaultPlan::NONE,
        crashes: Vec::new(),
        pauses: Vec::new(),
        cuts: Vec::new(),
        rules: Vec::new(),
        routes: Vec::new(),
        heal_at: Duration::ZERO,
        limit: Duration::from_secs(1_000_000),
    }
}

/// A client that calls `host` at `start`, and behaves like this.
pub(crate) fn call(start: Duration, host: u16, write: Write) -> AppPlan {
    let talk = Talk {
        write,
        ending: Ending::Shut,
        ..Talk::sink(PATIENCE)
    };
    AppPlan {
        start,
        role: Role::Call(Call {
            from: 0,
            host,
            port: PORT,
            talk,
        }),
    }
}

/// A server for so many clients, that behaves like this.
pub(crate) fn serve(clients: u16, write: Write) -> AppPlan {
    let talk = Talk {
        write,
        ending: Ending::Passive,
        ..Talk::sink(PATIENCE)
    };
    let serve = Serve {
        port: PORT,
        backlog: 128,
        accept_pause: Duration::ZERO,
        defer_accept: None,
        clients,
        patience: PATIENCE,
        talk,
    };
    AppPlan {
        start: Duration::ZERO,
        role: Role::Serve(serve),
    }
}

/// So many round trips of so many octets, one after the other.
pub(crate) fn round_trips(count: u32, octets: u32) -> Write {
    Write::Request {
        count,
        request: octets,
        response: octets,
        pause: Duration::ZERO,
    }
}

/// Longer than any bench lasts.
const PATIENCE: Duration = Duration::from_secs(1_000_000);

fn config(host: u16) -> Config {
    let [high, low] = host.to_be_bytes();
    let address = IpAddr::V4(Ipv4Addr::new(10, high, low, 1));
    let mut secret = [0; 32];
    secret[..2].copy_from_slice(&host.to_le_bytes());
    Config {
        msl: Duration::from_secs(30),
        ..Config::new(vec![address], secret)
    }
}
