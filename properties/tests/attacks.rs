//! Attackers against stacks with one protection less: the oracle notices, and is silent with it.

use timewait_properties::{Kind, Scenario, check};
use timewait_stack::Protection;

/// Some of the first seeds of `kind` shows `oracle` that `protection` is off, and nothing to any
/// oracle when it is on.
#[track_caller]
fn assert_noticed(kind: Kind, protection: Protection, oracle: &str) {
    const SEEDS: u64 = 60;
    let fires = |seed: &u64| {
        let off = check(&Scenario::from_seed(kind, *seed).without(protection));
        off.violations().any(|violation| violation.oracle == oracle)
    };
    let seed = (0..SEEDS).find(fires);
    let seed = seed.unwrap_or_else(|| panic!("{oracle} does not miss {protection} in {kind}"));
    let on = check(&Scenario::from_seed(kind, seed));
    assert!(!on.failed(), "{on}");
}

#[test]
fn blind_resets() {
    assert_noticed(Kind::Attack, Protection::Rfc5961Rst, "off-path");
}

#[test]
fn blind_syns() {
    assert_noticed(Kind::Attack, Protection::Rfc5961Syn, "off-path");
}

#[test]
fn blind_data() {
    assert_noticed(Kind::Attack, Protection::Rfc5961Ack, "off-path");
}

#[test]
fn a_storm_of_challenges() {
    assert_noticed(Kind::Attack, Protection::ChallengeLimit, "off-path");
}

#[test]
fn a_limit_that_connections_share() {
    assert_noticed(
        Kind::Bystander,
        Protection::PerConnectionLimiter,
        "off-path",
    );
}

#[test]
fn a_flood_without_bound() {
    assert_noticed(Kind::Flood, Protection::SynQueueBound, "resources");
}

#[test]
fn islands_without_bound() {
    assert_noticed(Kind::Flood, Protection::ReassemblyBound, "resources");
}

#[test]
fn an_exact_reset_is_a_hazard_and_not_a_violation() {
    let report = check(&Scenario::from_seed(Kind::Attack, 79));
    assert!(!report.failed(), "{report}");
}
