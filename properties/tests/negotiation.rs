//! Row 44 of the counterfactuals, in a campaign's own scenarios: who sends more than the peer's MSS
//! is noticed by `negotiation`, soon.

use timewait_properties::{Kind, Scenario, check};
use timewait_stack::Protection;

/// Within so many seeds.
const SEEDS: u64 = 20;

#[test]
fn segments_larger_than_the_peer_allows_are_noticed_in_campaigns() {
    let noticed = |seed: &u64| {
        let scenario = Scenario::from_seed(Kind::Bulk, *seed).without(Protection::Mss);
        let report = check(&scenario);
        let violations = &report.coverage.violations;
        violations.contains_key("negotiation")
    };
    let first = (0..SEEDS).find(noticed).expect("one of them");
    let report = check(&Scenario::from_seed(Kind::Bulk, first));
    assert!(!report.failed(), "{report}");
}
