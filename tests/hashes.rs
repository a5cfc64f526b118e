//! Trace hashes against drift: the same seed gives the same bytes, in every build and for ever.
//!
//! A change that means to change what happens in a run changes this table, and says so in
//! CHANGELOG.md. Anything else that changes it is a bug.

use timewait::prelude::*;

const HASHES: [(Kind, u64, u64); 8] = [
    (Kind::Handshake, 1, 0x4b54_80d0_44b0_1ea6),
    (Kind::SimultaneousOpen, 2, 0x1b42_a532_b302_3cc8),
    (Kind::SimultaneousClose, 3, 0x6819_604a_c617_ce43),
    (Kind::Abort, 4, 0x3094_618a_3294_810a),
    (Kind::Bulk, 5, 0xd646_d013_6698_2952),
    (Kind::LastAckLost, 6, 0x5f68_fdd1_2ad9_5f36),
    (Kind::Swarm, 7, 0x4fd2_be60_b58f_8010),
    (Kind::Churn, 8, 0x37a9_a9d1_5b07_ef83),
];

#[test]
fn seeds_still_mean_the_same_bytes() {
    let found =
        HASHES.map(|(kind, seed, _)| (kind, seed, check(&Scenario::from_seed(kind, seed)).hash));
    let text: Vec<String> = found
        .iter()
        .map(|(kind, seed, hash)| format!("    (Kind::{kind:?}, {seed}, {hash:#018x}),"))
        .collect();
    assert_eq!(
        found,
        HASHES,
        "the table would now be:\n{}",
        text.join("\n")
    );
}
