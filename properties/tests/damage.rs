//! Damage that the checksum does not tell of (E6): whatever follows from it is nobody's fault.

use std::collections::BTreeMap;

use timewait_properties::check::check;
use timewait_properties::scenario::{FaultPlan, Scenario};
use timewait_properties::scenarios::Kind;
use timewait_sim::FindingKind;
use timewait_sim::fates::LinkFaults;

/// This scenario with damage of two kinds at all its hops, besides what is there.
fn damaging(kind: Kind, seed: u64, faults: LinkFaults) -> Scenario {
    let mut scenario = Scenario::from_seed(kind, seed);
    let FaultPlan::Drawn { hops, .. } = &mut scenario.faults else {
        panic!("{kind} has dice");
    };
    for hop in 0..scenario.links.len() as u32 * 2 {
        let hop = timewait_sim::HopId(hop);
        match hops.iter_mut().find(|(its, _)| *its == hop) {
            Some((_, its)) => (its.wide, its.swap) = (faults.wide, faults.swap),
            None => hops.push((hop, faults)),
        }
    }
    scenario
}

#[test]
fn what_no_checksum_tells_is_a_hazard_and_no_violation() {
    let faults = LinkFaults {
        wide: 30_000,
        swap: 1_000_000,
        ..LinkFaults::NONE
    };
    let mut hazards: BTreeMap<&str, u32> = BTreeMap::new();
    for kind in [
        Kind::Swarm,
        Kind::Bulk,
        Kind::Close,
        Kind::Abort,
        Kind::Churn,
    ] {
        for seed in 0..12 {
            let report = check(&damaging(kind, seed, faults));
            assert!(!report.failed(), "{kind} {seed} with damage\n{report}");
            for finding in &report.findings {
                if let FindingKind::Hazard(name) = finding.kind {
                    *hazards.entry(name).or_default() += 1;
                }
            }
        }
    }
    assert!(hazards.contains_key("E6"), "{hazards:?}");
}

#[test]
fn what_a_checksum_tells_changes_nothing() {
    let faults = LinkFaults {
        wide: 30_000,
        ..LinkFaults::NONE
    };
    for seed in 0..12 {
        let report = check(&damaging(Kind::Bulk, seed, faults));
        assert!(!report.failed(), "bulk {seed} with damage\n{report}");
        assert!(report.stats.corrupted > 0 || report.stats.delivered < 40);
    }
}
