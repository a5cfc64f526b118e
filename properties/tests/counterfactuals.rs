//! Stacks with one protection less (the rows of ORACLES.md §3): the oracle that is there for it
//! notices, and is silent with it.

use timewait_properties::{Kind, Scenario, check};
use timewait_stack::Protection;

/// Some of the first 60 seeds of `kind` shows `oracle` that `protection` is off, and nothing to any
/// oracle when it is on.
#[track_caller]
fn assert_noticed(kind: Kind, protection: Protection, oracle: &str) {
    assert_noticed_in(60, kind, protection, oracle);
}

/// The same of that many seeds.
#[track_caller]
fn assert_noticed_in(seeds: u64, kind: Kind, protection: Protection, oracle: &str) {
    let fires = |seed: &u64| {
        let off = check(&Scenario::from_seed(kind, *seed).without(protection));
        off.violations().any(|violation| violation.oracle == oracle)
    };
    let seed = (0..seeds).find(fires);
    let seed = seed.unwrap_or_else(|| panic!("{oracle} does not miss {protection} in {kind}"));
    let on = check(&Scenario::from_seed(kind, seed));
    assert!(!on.failed(), "{on}");
}

/// Row 2.
#[test]
fn a_fin_that_time_wait_does_not_acknowledge() {
    assert_noticed(Kind::LastAckLost, Protection::TimeWaitReAck, "replies");
}

/// Row 6.
#[test]
fn a_syn_ack_for_an_old_syn() {
    assert_noticed(Kind::Churn, Protection::TimeWaitReopenCheck, "replies");
}

/// Row 7.
#[test]
fn a_reopened_number_that_is_not_beyond_the_old_ones() {
    assert_noticed(Kind::Churn, Protection::IsnPastOld, "isn");
}

/// Row 8.
#[test]
fn a_clock_that_stands_still() {
    assert_noticed(Kind::Churn, Protection::IsnClock, "isn");
}

/// Row 9.
#[test]
fn numbers_at_random() {
    assert_noticed(Kind::Churn, Protection::IsnMonotone, "isn");
}

/// Row 21.
#[test]
fn nobody_who_keeps_silent() {
    assert_noticed(Kind::Refused, Protection::RstFromClosed, "replies");
}

/// Row 27.
#[test]
fn blind_resets() {
    assert_noticed(Kind::Attack, Protection::Rfc5961Rst, "off-path");
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

/// Row 31.
#[test]
fn a_limit_that_connections_share() {
    assert_noticed(
        Kind::Bystander,
        Protection::PerConnectionLimiter,
        "off-path",
    );
}

/// Row 32.
#[test]
fn a_host_that_speaks_in_its_quiet_time() {
    assert_noticed(Kind::Reboot, Protection::QuietTime, "quiet-time");
}

/// Row 32: it needs copies that fit the numbers of the next boot.
#[test]
fn old_segments_that_a_quiet_time_would_have_outlived() {
    assert_noticed_in(300, Kind::Reboot, Protection::QuietTime, "incarnation");
}

/// Row 33.
#[test]
fn a_flood_without_bound() {
    assert_noticed(Kind::Flood, Protection::SynQueueBound, "resources");
}

/// Row 34.
#[test]
fn islands_without_bound() {
    assert_noticed(Kind::Flood, Protection::ReassemblyBound, "resources");
}

#[test]
fn an_exact_reset_is_a_hazard_and_not_a_violation() {
    let report = check(&Scenario::from_seed(Kind::Attack, 79));
    assert!(!report.failed(), "{report}");
}
