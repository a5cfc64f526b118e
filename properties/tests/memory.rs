//! The bound on the memory of a host under attack: floods, users who never read, much data each way.

use timewait_properties::scenario::Scenario;
use timewait_properties::{Kind, check};

/// Room for three first windows and a little more.
const MEMORY_MAX: u64 = 200_000;

#[test]
fn no_flood_and_no_load_breaks_the_bound_on_memory() {
    let mut refused = 0;
    for &kind in &[
        Kind::Flood,
        Kind::Swarm,
        Kind::Attack,
        Kind::Bulk,
        Kind::Churn,
    ] {
        for seed in 0..8 {
            let mut scenario = Scenario::from_seed(kind, seed);
            for host in &mut scenario.hosts {
                host.config.memory_max = Some(MEMORY_MAX);
            }
            let report = check(&scenario);
            assert!(!report.failed(), "{report}");
            let notes = &report.coverage.notes;
            refused += notes
                .get("delivery: the reader's host is short of memory")
                .copied()
                .unwrap_or(0);
        }
    }
    assert!(refused > 0, "nobody met the bound");
}
