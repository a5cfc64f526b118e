//! Congestion control: slow start, congestion avoidance, fast retransmit (RFC 5681), limited
//! transmit (RFC 3042) and NewReno recovery (RFC 6582). All in octets.

use crate::config::Config;
use crate::protection::Protection;
use crate::seq::SeqNumber;

/// No window without scaling comes near; keeps the arithmetic far from overflow.
const CWND_MAX: u32 = 1 << 30;
/// Duplicate ACKs that mean a loss (RFC 5681 §3.2).
const DUP_THRESH: u32 = 3;

/// The congestion variables of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Congestion {
    pub(crate) cwnd: u32,
    pub(crate) ssthresh: u32,
    /// Octets acknowledged in congestion avoidance since cwnd last grew.
    acked: u32,
    duplicates: u32,
    pub(crate) recovering: bool,
    /// Loss up to here has been answered: nothing sent before counts as a new loss (RFC 6582 §3.2).
    recover: SeqNumber,
}

impl Congestion {
    /// The start of data transfer. `syn_lost`: the SYN or its acknowledgment was retransmitted.
    pub(crate) fn new(config: &Config, smss: u32, iss: SeqNumber, syn_lost: bool) -> Self {
        let cwnd = match (config.protects(Protection::SlowStart), syn_lost) {
            (false, _) => CWND_MAX,
            (true, true) => smss,
            (true, false) => initial_window(smss),
        };
        Self {
            cwnd,
            ssthresh: CWND_MAX,
            acked: 0,
            duplicates: 0,
            recovering: false,
            recover: iss,
        }
    }

    /// Octets that may be in flight now, limited transmit included (RFC 3042 §2).
    pub(crate) fn allowance(&self, smss: u32) -> u32 {
        let extra = if self.recovering {
            0
        } else {
            self.duplicates.min(2) * smss
        };
        self.cwnd + extra
    }

    /// An ACK of `acked` new octets moved SND.UNA to `una`; `flight` octets are still out.
    /// Returns whether the first unacknowledged segment is to be sent again (a partial ACK).
    pub(crate) fn on_ack(&mut self, acked: u32, una: SeqNumber, flight: u32, smss: u32) -> bool {
        self.duplicates = 0;
        if !self.recovering {
            self.grow(acked, smss);
            return false;
        }
        if una.at_or_after(self.recover) {
            self.recovering = false;
            self.acked = 0;
            // RFC 6582 §3.2 step 3, option 1: no burst at the end of recovery.
            self.cwnd = self.ssthresh.min(flight.max(smss) + smss);
            return false;
        }
        // Partial ACK: deflate by what left the network, and let one segment follow.
        self.cwnd = self.cwnd.saturating_sub(acked).max(smss);
        if acked >= smss {
            self.cwnd += smss;
        }
        true
    }

    /// A duplicate ACK (RFC 5681 §2). Returns whether to retransmit the first segment now.
    pub(crate) fn on_duplicate(
        &mut self,
        config: &Config,
        una: SeqNumber,
        nxt: SeqNumber,
        smss: u32,
    ) -> bool {
        self.duplicates += 1;
        if self.recovering {
            self.cwnd = (self.cwnd + smss).min(CWND_MAX);
            return false;
        }
        // RFC 6582 §3.2 step 1: duplicates caused by our own retransmissions are no new loss.
        if self.duplicates != DUP_THRESH || una.at_or_before(self.recover) {
            return false;
        }
        self.recover = nxt;
        self.recovering = true;
        if config.protects(Protection::LossResponse) {
            // What limited transmit sent does not count (RFC 5681 §3.2 step 2).
            let limited = 2 * smss;
            let flight = (nxt - una).saturating_sub(limited).max(smss);
            self.ssthresh = (flight.min(self.cwnd) / 2).max(2 * smss);
            self.cwnd = self.ssthresh + DUP_THRESH * smss;
        }
        true
    }

    /// The retransmission timer ran out. `first`: on a segment not retransmitted by the timer
    /// before, so only then ssthresh is cut (RFC 5681 §3.1).
    pub(crate) fn on_timeout(
        &mut self,
        config: &Config,
        flight: u32,
        nxt: SeqNumber,
        smss: u32,
        first: bool,
    ) {
        self.recover = nxt;
        self.recovering = false;
        self.duplicates = 0;
        self.acked = 0;
        if !config.protects(Protection::LossResponse) {
            return;
        }
        if first {
            self.ssthresh = (flight / 2).max(2 * smss);
        }
        self.cwnd = smss;
    }

    /// Nothing was sent for longer than an RTO: the restart window (RFC 5681 §4.1).
    pub(crate) fn on_idle(&mut self, config: &Config, smss: u32) {
        if config.protects(Protection::SlowStart) {
            self.cwnd = self.cwnd.min(initial_window(smss));
        }
    }

    fn grow(&mut self, acked: u32, smss: u32) {
        if self.cwnd < self.ssthresh {
            self.cwnd = (self.cwnd + acked.min(smss)).min(CWND_MAX);
            return;
        }
        // Byte counting, the way RFC 5681 §3.1 recommends: one SMSS per window acknowledged.
        self.acked += acked;
        if self.acked >= self.cwnd {
            self.acked -= self.cwnd;
            self.cwnd = (self.cwnd + smss).min(CWND_MAX);
        }
    }
}

/// IW of RFC 5681 §3.1: 2 to 4 segments by their size.
fn initial_window(smss: u32) -> u32 {
    match smss {
        ..=1095 => 4 * smss,
        1096..=2190 => 3 * smss,
        2191.. => 2 * smss,
    }
}

#[cfg(test)]
mod tests {
    use super::{Congestion, initial_window};
    use crate::config::Config;
    use crate::seq::SeqNumber;
    use alloc::vec;

    const SMSS: u32 = 1000;
    const ISS: SeqNumber = SeqNumber(0);

    fn config() -> Config {
        Config::new(vec![], [0; 32])
    }

    fn open() -> Congestion {
        Congestion::new(&config(), SMSS, ISS, false)
    }

    #[test]
    fn initial_window_is_two_to_four_segments() {
        assert_eq!(
            [536, 1095, 1460, 2190, 8960].map(initial_window),
            [2144, 4380, 4380, 6570, 17920]
        );
    }

    #[test]
    fn a_lost_syn_starts_with_one_segment() {
        assert_eq!(Congestion::new(&config(), SMSS, ISS, true).cwnd, SMSS);
    }

    #[test]
    fn slow_start_adds_at_most_one_segment_per_ack() {
        let mut congestion = open();
        congestion.on_ack(2 * SMSS, ISS + 2 * SMSS, 0, SMSS);
        congestion.on_ack(10, ISS + 2010, 0, SMSS);
        assert_eq!(congestion.cwnd, 4 * SMSS + SMSS + 10);
    }

    #[test]
    fn congestion_avoidance_adds_one_segment_per_window() {
        let mut congestion = Congestion {
            ssthresh: 4 * SMSS,
            ..open()
        };
        for n in 1..=3 {
            congestion.on_ack(SMSS, ISS + n * SMSS, 0, SMSS);
            assert_eq!(congestion.cwnd, 4 * SMSS);
        }
        congestion.on_ack(SMSS, ISS + 4 * SMSS, 0, SMSS);
        assert_eq!(congestion.cwnd, 5 * SMSS);
    }

    #[test]
    fn the_third_duplicate_retransmits_and_halves() {
        let mut congestion = Congestion {
            cwnd: 10 * SMSS,
            ..open()
        };
        let (una, nxt) = (ISS + 1, ISS + 1 + 12 * SMSS);
        let answers = [(); 4].map(|()| congestion.on_duplicate(&config(), una, nxt, SMSS));
        assert_eq!(answers, [false, false, true, false]);
        assert_eq!((congestion.ssthresh, congestion.cwnd), (5 * SMSS, 9 * SMSS));
    }

    #[test]
    fn the_first_two_duplicates_let_one_new_segment_go_each() {
        let mut congestion = open();
        let cwnd = congestion.cwnd;
        for allowance in [cwnd + SMSS, cwnd + 2 * SMSS] {
            congestion.on_duplicate(&config(), ISS + 1, ISS + 5000, SMSS);
            assert_eq!(
                (congestion.allowance(SMSS), congestion.cwnd),
                (allowance, cwnd)
            );
        }
    }

    #[test]
    fn a_partial_ack_retransmits_and_a_full_one_deflates() {
        let mut congestion = Congestion {
            cwnd: 10 * SMSS,
            ..open()
        };
        let (una, nxt) = (ISS + 1, ISS + 1 + 12 * SMSS);
        for _ in 0..3 {
            congestion.on_duplicate(&config(), una, nxt, SMSS);
        }
        assert!(congestion.on_ack(SMSS, una + SMSS, 11 * SMSS, SMSS) && congestion.recovering);
        assert!(!congestion.on_ack(11 * SMSS, nxt, 0, SMSS) && !congestion.recovering);
        assert_eq!(congestion.cwnd, 2 * SMSS);
    }

    #[test]
    fn a_timeout_leaves_one_segment_and_cuts_the_threshold_once() {
        let mut congestion = Congestion {
            cwnd: 20 * SMSS,
            ..open()
        };
        congestion.on_timeout(&config(), 16 * SMSS, ISS + 16 * SMSS, SMSS, true);
        assert_eq!((congestion.cwnd, congestion.ssthresh), (SMSS, 8 * SMSS));
        congestion.on_timeout(&config(), SMSS, ISS + 16 * SMSS, SMSS, false);
        assert_eq!(congestion.ssthresh, 8 * SMSS);
    }

    #[test]
    fn duplicates_of_what_a_timeout_resent_are_no_new_loss() {
        let mut congestion = open();
        congestion.on_timeout(&config(), 4 * SMSS, ISS + 4 * SMSS, SMSS, true);
        let una = ISS + 2 * SMSS;
        for _ in 0..5 {
            assert!(!congestion.on_duplicate(&config(), una, ISS + 4 * SMSS, SMSS));
        }
    }
}
