//! One tuple used again by virtue of its timestamps alone (RFC 6191): the client sends more octets
//! than its ISN clock ticks in that time, so its next SYN lies behind what the TIME-WAIT of the
//! server expects. Rows 11 and 13 of ORACLES.md §3: the ISN, which masks both elsewhere, can't help.

use std::time::Duration;

use timewait_properties::label::class;
use timewait_properties::pair::{CLIENT_TO_SERVER, pair};
use timewait_properties::scenario::{
    AppPlan, Churn, End, FaultPlan, Role, Round, RoundEnding, Scenario,
};
use timewait_properties::{Report, check};
use timewait_sim::fates::LinkFaults;
use timewait_stack::Protection;

const PORTS: [u16; 2] = [1000, 80];
const ROUNDS: usize = 10;

/// Host 0 uploads 64 KiB in less than a millisecond, host 1 closes first, and `gap` later host 0
/// opens again, ten times.
fn uploads(seed: u64, gap: Duration) -> Scenario {
    let mut scenario = pair(seed).scenario().clone();
    for link in &mut scenario.links {
        link.delay = Duration::from_micros(10);
    }
    let round = Round {
        gap,
        opener: End::A,
        closer: End::B,
        a_to_b: 64 << 10,
        b_to_a: 0,
        ending: RoundEnding::Orderly,
    };
    for (host, end) in [(0, End::A), (1, End::B)] {
        let other = 1 - host;
        let churn = Churn {
            end,
            port: PORTS[host],
            host: other as u16,
            peer_port: PORTS[other],
            patience: Duration::from_secs(300),
            rounds: vec![round; ROUNDS],
        };
        scenario.hosts[host].apps.push(AppPlan {
            start: Duration::ZERO,
            role: Role::Churn(churn),
        });
    }
    scenario
}

/// The router keeps copies of what the client sends until the next SYN comes. The next ISN of the
/// server is a window beyond the last one, so RFC 5961 §5 refuses the ACK of every copy: it is off.
fn with_copies(scenario: Scenario, seed: u64) -> Scenario {
    let mut scenario = scenario.without(Protection::Rfc5961Ack);
    let copies = LinkFaults {
        hold_copy: 300_000,
        hold_any_of: class::DATA,
        hold_max: Duration::from_millis(50),
        seen: 1_000_000,
        seen_class: class::OPEN,
        seen_packets_max: 20,
        ..LinkFaults::NONE
    };
    scenario.faults = FaultPlan::Drawn {
        seed,
        hops: vec![(CLIENT_TO_SERVER, copies)],
        nth: Vec::new(),
    };
    scenario
}

fn names(report: &Report) -> Vec<&'static str> {
    report.violations().map(|found| found.oracle).collect()
}

/// Whoever is there for it notices in each of a few seeds, and nobody finds anything with it on.
#[track_caller]
fn assert_noticed(scenarios: impl Iterator<Item = Scenario>, off: Protection, by: &[&str]) {
    for scenario in scenarios {
        let on = check(&scenario);
        assert!(!on.failed(), "{on}");
        let found = names(&check(&scenario.without(off)));
        for oracle in by {
            assert!(found.contains(oracle), "{oracle} is not among {found:?}");
        }
    }
}

/// Row 11.
#[test]
fn paws_keeps_old_text_out_where_the_window_does_not() {
    let scenarios = (0..3).map(|seed| with_copies(uploads(seed, Duration::from_millis(3)), seed));
    let by = ["acceptance", "incarnation"];
    assert_noticed(scenarios, Protection::Paws, &by);
}

/// Row 13.
#[test]
fn an_equal_timestamp_reopens_nothing() {
    let scenarios = (0..3).map(|seed| uploads(seed, Duration::from_micros(300)));
    assert_noticed(scenarios, Protection::TsClockTicks, &["time-wait"]);
}
