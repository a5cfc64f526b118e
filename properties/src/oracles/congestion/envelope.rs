//! The most that cwnd and ssthresh may be, kept from outside (RFC 5681 §3, RFC 6582 §3.2).
//!
//! The envelope follows the variables down: growth is counted from the window in force.

use timewait_stack::SeqNumber;
use timewait_stack::event::Vars;

use super::profile::{SLOW_START_LIMIT, avoidance, threshold};
use super::spurious::Before;

/// The bounds of one connection. All in octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope {
    cwnd: u32,
    ssthresh: u32,
    /// Octets acknowledged in congestion avoidance times SMSS, less what cwnd grew by times cwnd.
    credit: u64,
    /// The cwnd before the ACK at hand, if it was one in congestion avoidance.
    avoided_from: Option<u32>,
    /// What was sent before this belongs to the last loss.
    recover: Option<SeqNumber>,
    recovering: bool,
    /// The last loss was found by the timer: until `recover`, one segment for each ACK
    /// (RFC 3465 §2.3).
    timed_out: bool,
    /// SMSS when last seen: the path MTU may change it.
    smss: u32,
}

impl Envelope {
    /// The handshake is over.
    pub(super) fn new(initial: u32) -> Self {
        Self {
            cwnd: initial,
            ssthresh: u32::MAX,
            credit: 0,
            avoided_from: None,
            recover: None,
            recovering: false,
            timed_out: false,
            smss: u32::MAX,
        }
    }

    pub(super) fn cwnd(&self) -> u32 {
        self.cwnd
    }

    /// In fast recovery.
    pub(super) fn recovering(&self) -> bool {
        self.recovering
    }

    /// `acked` new octets are acknowledged.
    pub(super) fn acked(&mut self, acked: u32, before: &Vars, after: &Vars) {
        let smss = u32::from(after.smss);
        let over = self
            .recover
            .is_some_and(|end| after.snd_una.at_or_after(end));
        if over {
            self.timed_out = false;
        }
        if self.recovering {
            if over {
                // RFC 6582 §3.2 step 3: down to ssthresh, or less.
                self.recovering = false;
                self.cwnd = self.ssthresh;
            } else {
                // A partial ACK: less what left the network, and one segment may follow.
                self.cwnd = self
                    .cwnd
                    .saturating_sub(acked)
                    .max(smss)
                    .saturating_add(smss);
            }
            return;
        }
        if before.cwnd < before.ssthresh {
            let limit = if self.timed_out { 1 } else { SLOW_START_LIMIT };
            self.cwnd = self.cwnd.saturating_add(acked.min(limit * smss));
            return;
        }
        self.credit += u64::from(acked) * u64::from(smss);
        let growth = self.credit / u64::from(self.cwnd.max(1));
        let growth = u32::try_from(growth).unwrap_or(u32::MAX).min(smss);
        self.avoided_from = Some(self.cwnd);
        self.cwnd = self.cwnd.saturating_add(growth.max(avoidance(acked)));
    }

    /// A duplicate ACK: in fast recovery a segment has left the network (RFC 5681 §3.2 step 4).
    pub(super) fn duplicate(&mut self, after: &Vars) {
        if self.recovering {
            self.cwnd = self.cwnd.saturating_add(u32::from(after.smss));
        }
    }

    /// Fast recovery begins with `flight` octets outstanding (RFC 5681 §3.2 steps 2 and 3).
    pub(super) fn lost(&mut self, flight: u32, sent_to: Option<SeqNumber>, after: &Vars) {
        let smss = u32::from(after.smss);
        self.recover = sent_to;
        (self.recovering, self.timed_out) = (true, false);
        self.ssthresh = threshold(flight, smss);
        self.cwnd = self.ssthresh.saturating_add(3 * smss);
    }

    /// The peer reports congestion. What was sent before the last reduction is no news (RFC 3168
    /// §6.1.2).
    pub(super) fn reported(&mut self, sent_to: Option<SeqNumber>, after: &Vars) {
        let news = |recover| after.snd_una.after(recover);
        if self.recovering || !self.recover.is_none_or(news) {
            return;
        }
        self.recover = sent_to;
        self.ssthresh = threshold(after.snd_nxt - after.snd_una, u32::from(after.smss));
        self.cwnd = self.cwnd.min(self.ssthresh);
    }

    /// The retransmission timer has expired. ssthresh is set at the first expiry only (RFC 5681
    /// §3.1).
    pub(super) fn timed_out(&mut self, flight: u32, sent_to: SeqNumber, first: bool, vars: &Vars) {
        let smss = u32::from(vars.smss);
        self.recover = Some(sent_to);
        (self.recovering, self.timed_out) = (false, true);
        if first {
            self.ssthresh = threshold(flight, smss);
        }
        self.cwnd = smss;
    }

    /// What a timeout now would take away, and F-RTO might give back: not within the recovery from
    /// an earlier one (RFC 5682 §2.1 step 1).
    pub(super) fn before_timeout(&self, una: SeqNumber) -> Option<Before> {
        let within = self.timed_out && self.recover.is_some_and(|end| una.before(end));
        (!within).then_some(Before {
            cwnd: self.cwnd,
            ssthresh: self.ssthresh,
            recover: self.recover,
        })
    }

    /// A timeout was spurious: all may be as before it (RFC 4015 §3.2), and is if `undone`. Not if
    /// the ACK that shows it reports congestion (§3.4): then the reduction stands. One that was
    /// undone is no answer to what a later ACK reports.
    pub(super) fn undo(&mut self, before: Before, undone: bool, congested: bool) {
        self.timed_out &= !undone;
        if congested {
            return;
        }
        self.cwnd = self.cwnd.max(before.cwnd);
        self.ssthresh = self.ssthresh.max(before.ssthresh);
        if undone {
            self.recover = before.recover;
        }
    }

    /// Transmission begins again after idleness (RFC 5681 §4.1).
    pub(super) fn restart(&mut self, window: u32) {
        self.cwnd = self.cwnd.min(window);
    }

    /// What is wrong with the variables; from now on they are the bound.
    pub(super) fn hold(&mut self, vars: &Vars) -> Vec<String> {
        let mut wrong = Vec::new();
        let smss = u32::from(vars.smss);
        if smss > self.smss {
            // The path carries more again: one segment must fit, and ssthresh never is less than two.
            self.cwnd = self.cwnd.max(smss);
            self.ssthresh = self.ssthresh.max(2 * smss);
        }
        self.smss = smss;
        if vars.cwnd > self.cwnd {
            let at_most = self.cwnd;
            wrong.push(format!(
                "cwnd is {}, at most {at_most} is allowed",
                vars.cwnd
            ));
        }
        if vars.ssthresh > self.ssthresh {
            let at_most = self.ssthresh;
            let is = vars.ssthresh;
            wrong.push(format!("ssthresh is {is}, at most {at_most} is allowed"));
        }
        if let Some(from) = self.avoided_from.take() {
            let spent = u64::from(vars.cwnd.saturating_sub(from)) * u64::from(from);
            self.credit = self.credit.saturating_sub(spent);
        }
        (self.cwnd, self.ssthresh) = (vars.cwnd, vars.ssthresh);
        wrong
    }
}
