use timewait::prelude::*;

#[test]
fn a_close_that_loses_its_last_ack_ends_in_peace() {
    for seed in seeds(0..20) {
        let report = check(&Scenario::from_seed(Kind::LastAckLost, seed));
        assert!(!report.failed(), "{report}");
    }
}
