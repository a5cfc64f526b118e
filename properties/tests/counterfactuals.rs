//! Stacks with one protection less (the rows of ORACLES.md §3): the oracle that is there for it
//! notices, and is silent with it. First every row as `timewait counterfactuals` tells it, then what a
//! row shows in scenarios of other kinds, or of hosts that were set up for it.

use timewait_properties::counterfactuals::{ELSEWHERE, ROWS};
use timewait_properties::{Kind, Scenario, check};
use timewait_stack::Protection;
use timewait_stack::config::{HardErrors, SynCookies};

#[test]
fn each_protection_is_missed_by_its_oracle_and_only_while_it_is_off() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let Some(needed) = row.seeds_needed(0) else {
            wrong.push(format!("{} misses nothing: {row:?}", row.oracle));
            continue;
        };
        let on = check(&Scenario::from_seed(row.kind, needed - 1));
        if on.failed() {
            wrong.push(format!("{row:?}: {on}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_protection_has_a_row_or_is_said_to_show_elsewhere() {
    for protection in Protection::ALL {
        let row = ROWS.iter().any(|row| row.protection == *protection);
        let elsewhere = ELSEWHERE.iter().any(|(there, _)| there == protection);
        assert!(row != elsewhere, "{protection}");
    }
}

/// Some of the first 60 seeds of `kind` shows `oracle` that `protection` is off, and nothing to any
/// oracle when it is on.
#[track_caller]
fn assert_noticed(kind: Kind, protection: Protection, oracle: &str) {
    assert_noticed_among(seeds(kind, 60), protection, oracle);
}

/// The same of one of these scenarios.
#[track_caller]
fn assert_noticed_among(
    mut scenarios: impl Iterator<Item = Scenario>,
    protection: Protection,
    oracle: &str,
) {
    let fires = |scenario: &Scenario| {
        let off = check(&scenario.clone().without(protection));
        off.violation_of(oracle).is_some()
    };
    let scenario = scenarios.find(fires);
    let scenario = scenario.unwrap_or_else(|| panic!("{oracle} does not miss {protection}"));
    let on = check(&scenario);
    assert!(!on.failed(), "{on}");
}

fn seeds(kind: Kind, count: u64) -> impl Iterator<Item = Scenario> {
    (0..count).map(move |seed| Scenario::from_seed(kind, seed))
}

/// Row 28.
#[test]
fn blind_syns() {
    assert_noticed(Kind::Attack, Protection::Rfc5961Syn, "off-path");
}

/// Row 29.
#[test]
fn blind_data() {
    assert_noticed(Kind::Attack, Protection::Rfc5961Ack, "off-path");
}

/// Row 30.
#[test]
fn a_storm_of_challenges() {
    assert_noticed(Kind::Attack, Protection::ChallengeLimit, "off-path");
}

/// Row 32: it needs copies that fit the numbers of the next boot, about one seed of 180 has some.
#[test]
fn old_segments_that_a_quiet_time_would_have_outlived() {
    assert_noticed_among(
        seeds(Kind::Reboot, 1000),
        Protection::QuietTime,
        "incarnation",
    );
}

/// Row 33. A cookie is no half-open connection, so a listener that always sends one has no queue to
/// overflow; they are switched off.
#[test]
fn a_flood_without_bound() {
    let without_cookies = |seed| {
        let mut scenario = Scenario::from_seed(Kind::Flood, seed);
        for host in &mut scenario.hosts {
            host.config.syn_cookies = SynCookies::Off;
        }
        scenario
    };
    assert_noticed_among(
        (0..60).map(without_cookies),
        Protection::SynQueueBound,
        "resources",
    );
}

/// Row 45. Most profiles take a hard error for a soft one once the handshake is over (RFC 5461), which
/// hides what a forged one could do; here it ends every connection, as SHLD-26 has it.
#[test]
fn a_hard_error_that_nobody_checks() {
    let at_their_word = |mut scenario: Scenario| {
        for host in &mut scenario.hosts {
            host.config.hard_errors = HardErrors::Abort;
        }
        scenario
    };
    let scenarios = seeds(Kind::Attack, 60).map(at_their_word);
    assert_noticed_among(scenarios, Protection::Rfc5927, "off-path");
}

#[test]
fn an_exact_reset_is_a_hazard_and_not_a_violation() {
    let report = check(&Scenario::from_seed(Kind::Attack, 79));
    assert!(!report.failed(), "{report}");
}
