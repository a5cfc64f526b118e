//! The protections that can be switched off, to prove that somebody would notice.
//!
//! Each is asked at one place by `protects`. Without the feature `counterfactuals` the answer is
//! a constant `true` and the switch does not exist.

use core::fmt;

macro_rules! protections {
    ($(#[doc = $doc:literal] $variant:ident = $name:literal,)*) => {
        /// A rule of TCP that keeps something bad from happening.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Protection { $(#[doc = $doc] $variant,)* }

        impl Protection {
            /// Every protection, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name by which a command line calls it, such as `time-wait`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The rule in one line, with its source.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $doc.trim_ascii(),)* }
            }
        }
    };
}

protections! {
    /// TIME-WAIT lasts 2MSL (RFC 9293 §3.6.1, MUST-13).
    TimeWait = "time-wait",
    /// TIME-WAIT acknowledges the peer's retransmitted FIN (RFC 9293 §3.10.7.4).
    TimeWaitReAck = "tw-re-ack",
    /// The peer's FIN restarts the 2MSL clock (RFC 9293 §3.10.7.4, eighth check).
    TimeWaitRestart = "tw-restart",
    /// A RST does not end TIME-WAIT (RFC 1337 §3, fix F1).
    Rfc1337 = "rfc1337",
    /// A SYN that proves to be old gives TIME-WAIT back (RFC 9293 §3.6.1, MAY-2).
    TimeWaitReturn = "tw-return",
    /// Only a SYN beyond RCV.NXT reopens TIME-WAIT (RFC 9293 §3.6.1, MAY-2).
    TimeWaitReopenCheck = "tw-reopen-check",
    /// A reopened connection starts beyond the old SND.NXT (RFC 9293 §3.6.1, MAY-2).
    IsnPastOld = "isn-past-old",
    /// The ISN follows the 4 us clock; off: it is constant (RFC 9293 §3.4.1, MUST-8).
    IsnClock = "isn-clock",
    /// The ISN is monotone for one tuple; off: it is drawn anew each time (RFC 6528 §3).
    IsnMonotone = "isn-monotone",
    /// The ISN is offset by a keyed hash of the tuple (RFC 6528 §3, MUST-9).
    IsnHash = "isn-hash",
    /// A host that has lost its memory keeps quiet for an MSL (RFC 9293 §3.4.3).
    QuietTime = "quiet-time",
    /// PAWS: no segment older than TS.Recent is taken (RFC 7323 §5.3).
    Paws = "paws",
    /// TS.Recent is taken only from segments that start no later than Last.ACK.sent (RFC 7323 §4.3).
    TsRecent = "ts-recent",
    /// A SYN of the same tick reopens TIME-WAIT only by its ISN (RFC 6191 §2).
    TsClockTicks = "ts-clock-ticks",
    /// Segments with a wrong checksum are dropped (RFC 9293 §3.1, MUST-3).
    Checksum = "checksum",
    /// Table 6 of RFC 9293 §3.10.7.4.
    SequenceCheck = "sequence-check",
    /// SYN-RECEIVED demands an ACK of its own SYN (RFC 9293 §3.10.7.4, fifth check).
    SynReceivedAckCheck = "syn-received-ack-check",
    /// A FIN is taken only after all text before it (RFC 9293 §3.10.7.4).
    FinOrder = "fin-order",
    /// A lost FIN is sent again.
    FinRetransmission = "fin-retransmission",
    /// A lost SYN-ACK is sent again.
    SynAckRetransmission = "syn-ack-retransmission",
    /// Retransmission ends at R2 (RFC 9293 §3.8.3, MUST-20).
    GiveUp = "give-up",
    /// CLOSED answers with a RST (RFC 9293 §3.10.7.1).
    RstFromClosed = "rst-from-closed",
    /// A zero window is probed (RFC 9293 §3.8.6.1, MUST-36).
    Persist = "persist",
    /// The interval of probes grows (RFC 9293 §3.8.6.1, SHLD-30).
    PersistBackoff = "persist-backoff",
    /// Retransmitted segments give no RTT sample (RFC 6298 §3, MUST-18).
    Karn = "karn",
    /// The RTO doubles at each expiry (RFC 6298 §5.5, MUST-19).
    Backoff = "backoff",
    /// The retransmission timer runs whenever something is outstanding (RFC 6298 §5.1).
    RtoArming = "rto-arming",
    /// A RST must be exactly at RCV.NXT (RFC 5961 §3).
    Rfc5961Rst = "rfc5961-rst",
    /// A SYN in a synchronized state draws a challenge ACK (RFC 5961 §4).
    Rfc5961Syn = "rfc5961-syn",
    /// Too old an ACK discards its segment (RFC 5961 §5, MAY-12).
    Rfc5961Ack = "rfc5961-ack",
    /// Challenge ACKs are limited in rate (RFC 5961 §7).
    ChallengeLimit = "challenge-limit",
    /// Each connection has its own limit of challenge ACKs (CVE-2016-5696).
    PerConnectionLimiter = "per-connection-limiter",
    /// Half-open connections of a listener are bounded (RFC 4987 §2.2).
    SynQueueBound = "syn-queue-bound",
    /// Blocks held out of order are bounded.
    ReassemblyBound = "reassembly-bound",
    /// Segments that loss recovery keeps apart are bounded, and so is its work for one ACK.
    ScoreboardBound = "scoreboard-bound",
    /// SND.WL1 and SND.WL2 keep old segments from setting the window (RFC 9293 §3.10.7.4).
    WindowUpdateOrder = "wl1-wl2",
    /// New octets stay inside the peer's window (RFC 9293 §3.8.6, SHLD-15).
    SendWindow = "send-window",
    /// The advertised right edge never moves left (RFC 9293 §3.8.6, SHLD-14).
    NoShrink = "no-shrink",
    /// Sender side silly-window avoidance (RFC 9293 §3.8.6.2.1, MUST-38).
    SillyWindowSender = "sws-sender",
    /// Receiver side silly-window avoidance (RFC 9293 §3.8.6.2.2, MUST-39).
    SillyWindowReceiver = "sws-receiver",
    /// An ACK is delayed less than half a second (RFC 9293 §3.8.6.3, MUST-40).
    DelayedAckBound = "delayed-ack-bound",
    /// At least every second full-sized segment is acknowledged (RFC 9293 §3.8.6.3, SHLD-19).
    AckEverySecond = "ack-every-second",
    /// cwnd starts small and grows by ACKs (RFC 5681 §3.1, MUST-19).
    SlowStart = "slow-start",
    /// Loss reduces cwnd (RFC 5681 §3.1, §3.2).
    LossResponse = "loss-response",
    /// No segment exceeds the peer's MSS (RFC 9293 §3.7.1, MUST-16).
    Mss = "mss",
    /// One unanswered keepalive probe does not kill (RFC 9293 §3.8.4, MUST-29).
    KeepaliveMissCount = "keepalive-miss-count",
    /// ICMP errors must quote what is outstanding, and surprising ones wait (RFC 5927 §4.1, §7.2).
    Rfc5927 = "rfc5927",
    /// ACKs are taken from segments beside a zero window (RFC 9293 §A.2).
    ZeroWindowAllowance = "zero-window-allowance",
}

impl Protection {
    /// The protection called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|protection| protection.name() == name)
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The set of protections that are switched off; empty by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disabled(u64);

impl Disabled {
    /// Nothing is switched off.
    pub const NONE: Self = Self(0);

    /// This set with `protection` added.
    #[must_use]
    pub const fn with(self, protection: Protection) -> Self {
        Self(self.0 | 1 << protection as u8)
    }

    /// Whether `protection` is switched off.
    pub const fn contains(self, protection: Protection) -> bool {
        self.0 & (1 << protection as u8) != 0
    }

    /// The members, in the order of [`Protection::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Protection> {
        Protection::ALL
            .iter()
            .copied()
            .filter(move |protection| self.contains(*protection))
    }
}

impl FromIterator<Protection> for Disabled {
    fn from_iter<I: IntoIterator<Item = Protection>>(protections: I) -> Self {
        protections.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::{Disabled, Protection};

    #[test]
    fn every_name_leads_back_to_its_protection() {
        for &protection in Protection::ALL {
            assert_eq!(Protection::from_name(protection.name()), Some(protection));
        }
        assert_eq!(Protection::from_name("no-such-thing"), None);
    }

    #[test]
    fn a_set_holds_just_what_was_put_in() {
        let set: Disabled = [Protection::Mss, Protection::TimeWait]
            .into_iter()
            .collect();
        assert!(set.iter().eq([Protection::TimeWait, Protection::Mss]));
        assert!(!set.contains(Protection::Karn));
    }
}
