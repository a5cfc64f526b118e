//! The same seeds at every `cargo test`: no oracle finds anything, in any kind of scenario.
//!
//! `TIMEWAIT_SEED=17 cargo test sweep` runs one seed, `TIMEWAIT_SEEDS=500` more of them.

use timewait::prelude::*;

/// Runs per kind; some are long, so there are fewer of them.
const RUNS: u64 = 20;
const LONG_RUNS: u64 = 4;

#[test]
fn no_oracle_finds_a_violation_in_any_scenario() {
    for &kind in Kind::ALL {
        let runs = if matches!(
            kind,
            Kind::Churn | Kind::Rogue | Kind::Swarm | Kind::Attack | Kind::Bystander
        ) {
            LONG_RUNS
        } else {
            RUNS
        };
        for seed in seeds(0..runs) {
            let report = check(&Scenario::from_seed(kind, seed));
            assert!(!report.failed(), "{report}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_hash_again() {
    for &kind in Kind::ALL {
        let hash = |seed| check(&Scenario::from_seed(kind, seed)).hash;
        let (first, again, other) = (hash(1), hash(1), hash(2));
        assert_eq!(first, again, "{kind}");
        assert_ne!(first, other, "{kind}: two seeds, one hash");
        assert_ne!(first, 0, "{kind}: no hash at all");
    }
}
