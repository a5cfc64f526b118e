//! Congestion control: slow start, congestion avoidance, fast retransmit (RFC 5681), limited
//! transmit (RFC 3042), NewReno recovery (RFC 6582) without SACK, and the frame of recovery with
//! it (RFC 6675, RFC 9937). All in octets.
//!
//! How cwnd grows above ssthresh and what a loss leaves is the matter of an algorithm:
//! [`control`], with [`newreno`] and [`cubic`].

mod control;
mod cubic;
mod initial;
mod newreno;

use alloc::boxed::Box;

use crate::config::Config;
use crate::event::CaState;
use crate::protection::Protection;
use crate::seq::SeqNumber;

pub(crate) use control::Acked;
use control::Algorithm;
use initial::initial_window;

/// No window comes near (RFC 7323 §2.3); keeps the arithmetic far from overflow.
const CWND_MAX: u32 = 1 << 30;
/// Duplicate ACKs that mean a loss (RFC 5681 §3.2).
const DUP_THRESH: u8 = 3;

/// The congestion variables of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Congestion {
    pub(crate) cwnd: u32,
    pub(crate) ssthresh: u32,
    pub(crate) state: CaState,
    /// Loss up to here has been answered: nothing sent before counts as a new loss (RFC 6582 §3.2).
    pub(crate) recover: SeqNumber,
    /// The end of the window for which cwnd was reduced last; ISS before the first time. Smaller
    /// segments move `recover`, but reduce nothing.
    pub(crate) reduced: SeqNumber,
    /// The peer, who reported congestion, is told of that reduction.
    pub(crate) told: bool,
    /// Duplicate ACKs in a row, as far as one can count to 255: no more than three ever matter.
    duplicates: u8,
    /// L of RFC 3465 §2.2: the most segments by which one ACK makes cwnd grow in slow start.
    slow_start_limit: u8,
    algorithm: Algorithm,
    /// What was before the last reduction, as long as that may prove unfounded.
    undo: Option<Box<Undo>>,
}

/// The variables before a reduction (RFC 4015 §3.2, RFC 9438 §4.9).
#[derive(Clone, Debug)]
struct Undo {
    cwnd: u32,
    ssthresh: u32,
    reduced: SeqNumber,
    algorithm: Algorithm,
}

impl Congestion {
    /// The start of data transfer. `syn_lost`: the SYN or its acknowledgment was retransmitted, after
    /// which RFC 5681 §3.1 has one segment (RFC 6928 §2 would not fall so low after the first time).
    pub(crate) fn new(config: &Config, smss: u32, iss: SeqNumber, syn_lost: bool) -> Self {
        let cwnd = match (config.protects(Protection::SlowStart), syn_lost) {
            (false, _) => CWND_MAX,
            (true, true) => smss,
            (true, false) => initial_window(config.initial_window, smss),
        };
        Self {
            cwnd,
            ssthresh: CWND_MAX,
            state: CaState::Open,
            recover: iss,
            reduced: iss,
            told: false,
            duplicates: 0,
            slow_start_limit: config.slow_start_limit.max(1),
            algorithm: Algorithm::new(config.congestion_control),
            undo: None,
        }
    }

    /// A loss is being repaired (RFC 5681 §3.2).
    pub(crate) fn recovering(&self) -> bool {
        self.state == CaState::Recovery
    }

    /// A loss is being repaired, whoever told of it.
    pub(crate) fn repairing(&self) -> bool {
        matches!(self.state, CaState::Recovery | CaState::Loss)
    }

    /// cwnd was reduced, for the window that ends at `reduced`.
    pub(crate) fn has_reduced(&self) -> bool {
        self.repairing() || self.state == CaState::Cwr
    }

    /// The reduction in force may still be undone.
    pub(crate) fn can_undo(&self) -> bool {
        self.undo.is_some()
    }

    /// Octets that may be in flight now, limited transmit included (RFC 3042 §2; R5681-08). Without
    /// SACK only: with it what is reported has left the pipe.
    pub(crate) fn allowance(&self, smss: u32) -> u32 {
        let extra = if self.repairing() {
            0
        } else {
            u32::from(self.duplicates.min(2)) * smss
        };
        self.cwnd + extra
    }

    /// An ACK that moved SND.UNA to `una`, without SACK. Returns whether the first unacknowledged
    /// segment is to be sent again (a partial ACK).
    pub(crate) fn on_ack(&mut self, una: SeqNumber, ack: &Acked) -> bool {
        self.duplicates = 0;
        let smss = ack.smss;
        if self.state != CaState::Recovery {
            self.leave(una);
            self.grow(ack);
            return false;
        }
        if una.at_or_after(self.recover) {
            // RFC 6582 §3.2 step 3, option 1: no burst at the end of recovery (R5681-10).
            let flight = ack.flight - ack.octets;
            self.recovered(self.ssthresh.min(flight.max(smss) + smss));
            return false;
        }
        // Partial ACK: deflate by what left the network, and let one segment follow.
        self.cwnd = self.cwnd.saturating_sub(ack.octets).max(smss);
        if ack.octets >= smss {
            self.cwnd += smss;
        }
        true
    }

    /// A duplicate ACK (RFC 5681 §2), without SACK. Returns whether to retransmit the first segment
    /// now (R5681-07).
    pub(crate) fn on_duplicate(
        &mut self,
        config: &Config,
        una: SeqNumber,
        nxt: SeqNumber,
        smss: u32,
    ) -> bool {
        self.duplicates = self.duplicates.saturating_add(1);
        match self.state {
            CaState::Recovery => {
                self.cwnd = (self.cwnd + smss).min(CWND_MAX);
                return false;
            }
            CaState::Open => self.state = CaState::Disorder,
            CaState::Disorder | CaState::Cwr | CaState::Loss => {}
        }
        // RFC 6582 §3.2 step 2: duplicates caused by our own retransmissions are no new loss.
        if self.duplicates != DUP_THRESH || una.at_or_before(self.recover) {
            return false;
        }
        // What limited transmit sent does not count (RFC 5681 §3.2 step 2; R5681-09).
        let flight = (nxt - una).saturating_sub(2 * smss).max(smss);
        let reduces = config.protects(Protection::LossResponse);
        self.enter_recovery(config, flight.min(self.cwnd), nxt, smss);
        if reduces {
            self.cwnd = self.ssthresh + u32::from(DUP_THRESH) * smss;
        }
        true
    }

    /// Loss recovery begins with `flight` octets outstanding; `nxt` ends what it is about
    /// (RFC 6675 §5 step 4; R6675-03). Within a window that was reduced already nothing is reduced
    /// again (R5681-14).
    pub(crate) fn enter_recovery(
        &mut self,
        config: &Config,
        flight: u32,
        nxt: SeqNumber,
        smss: u32,
    ) {
        let reduced = self.state == CaState::Cwr;
        self.state = CaState::Recovery;
        self.recover = nxt;
        if !config.protects(Protection::LossResponse) {
            return;
        }
        if !reduced {
            self.remember();
            self.ssthresh = self.algorithm.control().on_loss(self.cwnd, flight, smss);
        }
        self.reduces(nxt);
    }

    /// In a repair a retransmission is lost, too: one more indication of congestion, so cwnd and
    /// ssthresh are lowered once more (RFC 5681 §4.3; R5681-14). That the timer alone does not lower
    /// ssthresh twice (§3.1) is the matter of [`Self::on_timeout`].
    pub(crate) fn reduce_again(&mut self, config: &Config, flight: u32, smss: u32) {
        if !config.protects(Protection::LossResponse) {
            return;
        }
        self.undo = None;
        // What the repair aims at is the window that proves too large.
        let (window, flight) = (self.ssthresh, flight.min(self.ssthresh));
        if window > 2 * smss {
            let control = self.algorithm.control();
            self.ssthresh = if self.state == CaState::Loss {
                control.on_timeout(window, flight, smss)
            } else {
                control.on_loss(window, flight, smss)
            };
        }
        self.cwnd = self.cwnd.min(self.ssthresh);
    }

    /// A reduction is due without anything to repair: the network has marked something (RFC 3168
    /// §6.1.2), or a loss was repaired before anybody knew of it (RFC 8985 §7.4; R8985-08). Not
    /// within a window that was reduced already.
    pub(crate) fn reduce_once(&mut self, config: &Config, flight: u32, nxt: SeqNumber, smss: u32) {
        if matches!(self.state, CaState::Open | CaState::Disorder)
            && config.protects(Protection::LossResponse)
        {
            self.ssthresh = self.algorithm.control().on_loss(self.cwnd, flight, smss);
            self.cwnd = self.cwnd.min(self.ssthresh);
            (self.state, self.recover) = (CaState::Cwr, nxt);
            self.reduces(nxt);
        }
    }

    /// Recovery is over.
    pub(crate) fn recovered(&mut self, cwnd: u32) {
        self.state = CaState::Open;
        self.duplicates = 0;
        self.algorithm.restart();
        self.cwnd = cwnd;
        self.undo = None;
    }

    /// What a reduction was about is acknowledged: ends all but fast recovery.
    pub(crate) fn leave(&mut self, una: SeqNumber) {
        let over = match self.state {
            CaState::Disorder => true,
            CaState::Cwr => una.at_or_after(self.reduced),
            CaState::Loss => una.at_or_after(self.recover),
            CaState::Open | CaState::Recovery => false,
        };
        if over {
            self.state = CaState::Open;
            self.undo = None;
        }
    }

    /// Segments arrive out of order, or SACK tells so.
    pub(crate) fn disorder(&mut self, disorder: bool) {
        match (self.state, disorder) {
            (CaState::Open, true) => self.state = CaState::Disorder,
            (CaState::Disorder, false) => self.state = CaState::Open,
            _ => {}
        }
    }

    /// The retransmission timer ran out. `first`: on a segment not retransmitted by the timer
    /// before, so only then ssthresh is cut (RFC 5681 §3.1; R5681-05).
    pub(crate) fn on_timeout(
        &mut self,
        config: &Config,
        flight: u32,
        nxt: SeqNumber,
        smss: u32,
        first: bool,
    ) {
        let repairing = self.repairing();
        self.recover = nxt;
        self.state = CaState::Loss;
        self.duplicates = 0;
        if !config.protects(Protection::LossResponse) {
            return;
        }
        if first {
            if repairing {
                self.undo = None;
            } else {
                self.remember();
            }
            self.ssthresh = self.algorithm.control().on_timeout(self.cwnd, flight, smss);
        }
        self.reduces(nxt);
        self.cwnd = smss; // The loss window (R5681-06).
    }

    /// The loss that was answered was none: all is as before (RFC 9438 §4.9; RFC 4015 §3.4 would
    /// limit the burst by a smaller cwnd).
    pub(crate) fn undo(&mut self) {
        if !self.repairing() {
            return; // What was unfounded is over, and another reduction may be in force.
        }
        if let Some(before) = self.undo.take() {
            self.cwnd = self.cwnd.max(before.cwnd);
            self.ssthresh = self.ssthresh.max(before.ssthresh);
            self.algorithm = before.algorithm;
            self.reduced = before.reduced;
        } else if self.state == CaState::Recovery {
            // The reduction stands, but the repair is over: what PRR let cwnd be in it counts no more
            // (RFC 9937 §6.2), and may be too little for one segment.
            self.cwnd = self.cwnd.max(self.ssthresh);
        }
        self.state = CaState::Open;
        self.duplicates = 0;
    }

    /// The reduction stands.
    pub(crate) fn confirm(&mut self) {
        self.undo = None;
    }

    /// Nothing was sent for longer than an RTO: the restart window (RFC 5681 §4.1; R5681-11).
    pub(crate) fn on_idle(&mut self, config: &Config, smss: u32) {
        if config.protects(Protection::SlowStart) {
            self.cwnd = self.cwnd.min(initial_window(config.initial_window, smss));
            self.algorithm.restart();
        }
    }

    /// Segments have another size. In smaller ones cwnd shrinks in proportion, or a burst of many
    /// would follow (RFC 5681 §3.1, RFC 3390 §2); a larger one must fit. Duplicate ACKs of what
    /// is out are no new loss. In a repair cwnd is what PRR makes of it (RFC 9937 §6.2), however little.
    pub(crate) fn resize(&mut self, before: u16, after: u16, nxt: SeqNumber) {
        if after < before {
            let scaled = u64::from(self.cwnd) * u64::from(after) / u64::from(before);
            self.cwnd = scaled as u32;
            self.recover = nxt;
            self.duplicates = 0;
        } else {
            self.algorithm.resize(before, after);
        }
        if self.state != CaState::Recovery {
            self.cwnd = self.cwnd.max(u32::from(after));
        }
    }

    /// cwnd grows by an ACK outside of fast recovery (R5681-02, R5681-03). After a timeout one ACK
    /// lets it grow by one segment at most (RFC 3465 §2.3); within a reduced window not at all, nor
    /// by an ACK that reports congestion (RFC 3168 §6.1.2; R3168-12).
    pub(crate) fn grow(&mut self, ack: &Acked) {
        if self.state == CaState::Cwr || ack.congested {
            return;
        }
        if self.cwnd < self.ssthresh {
            let segments = if self.state == CaState::Loss {
                1
            } else {
                self.slow_start_limit
            };
            let growth = ack.octets.min(u32::from(segments) * ack.smss);
            self.cwnd = (self.cwnd + growth).min(CWND_MAX);
        } else {
            let cwnd = self.algorithm.control().avoid(self.cwnd, ack);
            self.cwnd = cwnd.min(CWND_MAX);
        }
    }

    /// A reduction for the window that ends at `nxt`.
    fn reduces(&mut self, nxt: SeqNumber) {
        (self.reduced, self.told) = (nxt, false);
    }

    fn remember(&mut self) {
        self.undo = Some(Box::new(Undo {
            cwnd: self.cwnd,
            ssthresh: self.ssthresh,
            reduced: self.reduced,
            algorithm: self.algorithm.clone(),
        }));
    }
}

#[cfg(test)]
mod tests;
