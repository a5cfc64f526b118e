//! A network that keeps datagrams beyond the MSL: hazards by name, and no violation.

use std::collections::BTreeMap;

use timewait_properties::{Kind, Scenario, check};
use timewait_sim::FindingKind;

#[test]
fn what_comes_after_the_msl_is_a_hazard_by_name() {
    let mut hazards: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..16 {
        let report = check(&Scenario::from_seed(Kind::Rogue, seed));
        assert!(!report.failed(), "{report}");
        for finding in &report.findings {
            match finding.kind {
                FindingKind::Hazard(name) => *hazards.entry(name).or_default() += 1,
                _ => panic!("{finding}"),
            }
        }
    }
    assert!(hazards.contains_key("E1"), "{hazards:?}");
}
