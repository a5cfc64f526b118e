//! What goes wrong without each protection of TCP, and which oracle says so (ORACLES.md §3).
//!
//! A row is a kind of scenario in which the absence shows. Where it does not in a campaign, [`Row`]
//! has none: [`ELSEWHERE`] says which test shows it.

use timewait_stack::Protection;

use crate::check::check;
use crate::scenario::Scenario;
use crate::scenarios::Kind;

/// A protection, and how its absence shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of the row in ORACLES.md §3.
    pub number: u8,
    /// What is switched off.
    pub protection: Protection,
    /// In scenarios of this kind.
    pub kind: Kind,
    /// The oracle that must object.
    pub oracle: &'static str,
    /// Within so many seeds, whichever is the first.
    pub within: u64,
}

impl Row {
    /// The scenario of this seed with the protection switched off.
    pub fn scenario(&self, seed: u64) -> Scenario {
        Scenario::from_seed(self.kind, seed).without(self.protection)
    }

    /// How many seeds from this one on it takes until the oracle objects, that one included; `None`:
    /// it does not within [`Row::within`].
    pub fn seeds_needed(&self, first: u64) -> Option<u64> {
        let objects = |needed: &u64| {
            let report = check(&self.scenario(first + needed - 1));
            report.violation_of(self.oracle).is_some()
        };
        (1..=self.within).find(objects)
    }
}

macro_rules! rows {
    ($($number:literal $protection:ident $kind:ident $oracle:literal $within:literal,)*) => {
        /// Every row that a campaign shows, in the order of ORACLES.md.
        pub const ROWS: &[Row] = &[$(Row {
            number: $number,
            protection: Protection::$protection,
            kind: Kind::$kind,
            oracle: $oracle,
            within: $within,
        },)*];
    };
}

rows! {
    1 TimeWait LastAckLost "time-wait" 10,
    2 TimeWaitReAck LastAckLost "replies" 10,
    3 TimeWaitRestart LastAckLost "time-wait" 20,
    4 Rfc1337 Churn "time-wait" 20,
    5 TimeWaitReturn Churn "transitions" 60,
    6 TimeWaitReopenCheck Churn "replies" 60,
    7 IsnPastOld Churn "isn" 20,
    8 IsnClock Churn "isn" 20,
    9 IsnMonotone Churn "isn" 20,
    11 Paws Churn "acceptance" 60,
    12 TsRecent Bulk "acceptance" 20,
    14 Checksum HalfClose "acceptance" 60,
    15 SequenceCheck Churn "acceptance" 20,
    16 SynReceivedAckCheck Rogue "replies" 60,
    17 FinOrder SimultaneousOpen "stream" 60,
    18 FinRetransmission Close "timers" 60,
    19 SynAckRetransmission Handshake "timers" 60,
    20 GiveUp Rogue "close" 60,
    21 RstFromClosed Refused "replies" 20,
    22 Persist Bulk "timers" 60,
    23 PersistBackoff Bulk "timers" 60,
    24 Karn Churn "timers" 60,
    25 Backoff Handshake "timers" 20,
    26 RtoArming Handshake "timers" 20,
    27 Rfc5961Rst Attack "off-path" 300,
    28 Rfc5961Syn Bystander "off-path" 60,
    29 Rfc5961Ack Bystander "off-path" 60,
    30 ChallengeLimit Bystander "off-path" 60,
    31 PerConnectionLimiter Bystander "off-path" 60,
    32 QuietTime Reboot "quiet-time" 20,
    33 SynQueueBound Flood "resources" 60,
    34 ReassemblyBound Flood "resources" 60,
    35 ScoreboardBound Bulk "resources" 300,
    36 WindowUpdateOrder Bulk "acceptance" 60,
    37 SendWindow HalfClose "sequence" 60,
    38 NoShrink HalfClose "sequence" 60,
    39 SillyWindowSender HalfClose "silly-window" 60,
    39 SillyWindowReceiver HalfClose "silly-window" 60,
    40 DelayedAckBound Close "timers" 20,
    41 AckEverySecond HalfClose "timers" 60,
    42 SlowStart Bulk "congestion" 20,
    43 LossResponse Bulk "congestion" 20,
    44 Mss Bulk "negotiation" 60,
    45 Rfc5927 Attack "off-path" 60,
    46 KeepaliveMissCount Flood "timers" 120,
}

/// The protections without a row, and what shows their absence instead.
pub const ELSEWHERE: &[(Protection, &str)] = &[
    (
        Protection::IsnHash,
        "the statistic of `isn` over many connections (oracles/isn/statistic.rs)",
    ),
    (
        Protection::TsClockTicks,
        "links of less than a millisecond (properties/tests/reopening.rs)",
    ),
    (
        Protection::ZeroWindowAllowance,
        "the segments of RFC 9293 §A.2 by hand (stack/tests/rfc9293)",
    ),
];

#[cfg(test)]
mod tests {
    use super::{ELSEWHERE, ROWS};
    use std::collections::BTreeSet;
    use timewait_stack::Protection;

    #[test]
    fn every_protection_has_a_row_or_a_test_elsewhere() {
        let rows = ROWS.iter().map(|row| row.protection);
        let elsewhere = ELSEWHERE.iter().map(|(protection, _)| *protection);
        let told: Vec<Protection> = rows.chain(elsewhere).collect();
        let all: BTreeSet<_> = Protection::ALL.iter().copied().collect();
        assert_eq!(told.iter().copied().collect::<BTreeSet<_>>(), all);
        assert_eq!(told.len(), all.len(), "none twice");
        assert!(ROWS.is_sorted_by_key(|row| row.number));
    }
}
