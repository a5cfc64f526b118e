//! Trace hashes against drift: the same seed gives the same bytes, in every build and for ever.
//!
//! A change that means to change what happens in a run changes this snapshot, and says so in
//! CHANGELOG.md. Anything else that changes it is a bug.

use timewait::prelude::*;

const SEEDS: [(Kind, u64); 8] = [
    (Kind::Handshake, 1),
    (Kind::SimultaneousOpen, 2),
    (Kind::SimultaneousClose, 3),
    (Kind::Abort, 4),
    (Kind::Bulk, 5),
    (Kind::LastAckLost, 6),
    (Kind::Swarm, 7),
    (Kind::Churn, 8),
];

#[test]
fn seeds_still_mean_the_same_bytes() {
    let lines = SEEDS.map(|(kind, seed)| {
        let hash = check(&Scenario::from_seed(kind, seed)).hash;
        format!("{kind} {seed} {hash:#018x}")
    });
    insta::assert_snapshot!(lines.join("\n"));
}
