//! The most that cwnd and ssthresh may be, kept from outside (RFC 5681 §3, RFC 6582 §3.2, RFC 9937
//! §6, RFC 9438 §4).
//!
//! The envelope follows the variables down: growth is counted from the window in force.

use timewait_sim::Instant;
use timewait_stack::SeqNumber;
use timewait_stack::event::Vars;

use super::avoidance::{Avoidance, Avoided};
use super::profile::Profile;
use super::prr::{Prr, Share, delivered};

/// The bounds of one connection. All in octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope {
    profile: Profile,
    cwnd: u32,
    ssthresh: u32,
    /// No more than cwnd is: what was seen last, or less.
    known: u32,
    /// The rule above ssthresh.
    avoidance: Avoidance,
    /// What was sent before this belongs to the last reduction.
    recover: Option<SeqNumber>,
    /// That was one without a repair: until `recover` nothing grows, and there is none of another
    /// kind (R5681-14).
    reduced: bool,
    recovering: bool,
    /// The last loss was found by the timer: until `recover`, one segment for each ACK
    /// (RFC 3465 §2.3).
    timed_out: bool,
    /// Of the recovery with SACK.
    prr: Prr,
    /// What was before the last reduction, as long as that may prove unfounded.
    before_cut: Option<Cut>,
    /// SMSS when last seen: the path MTU may change it.
    smss: u32,
}

/// What was before a reduction, and an undone one gives back. cwnd and ssthresh in octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    cwnd: u32,
    ssthresh: u32,
    recover: Option<SeqNumber>,
    avoidance: Avoidance,
}

/// A loss, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loss {
    /// SND.UNA, with the ACK that tells of it.
    pub(super) una: SeqNumber,
    /// Octets that were outstanding.
    pub(super) flight: u32,
    /// What was sent before this belongs to it.
    pub(super) sent_to: Option<SeqNumber>,
    pub(super) smss: u32,
}

impl Envelope {
    /// The handshake is over.
    pub(super) fn new(profile: Profile, initial: u32) -> Self {
        Self {
            profile,
            cwnd: initial,
            known: 0,
            ssthresh: u32::MAX,
            avoidance: Avoidance::new(profile.cubic),
            recover: None,
            reduced: false,
            recovering: false,
            timed_out: false,
            prr: Prr::default(),
            before_cut: None,
            smss: u32::MAX,
        }
    }

    pub(super) fn cwnd(&self) -> u32 {
        self.cwnd
    }

    pub(super) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// In fast recovery.
    pub(super) fn recovering(&self) -> bool {
        self.recovering
    }

    /// A loss is being repaired: fast recovery, or what follows a timeout.
    pub(super) fn repairing(&self) -> bool {
        self.recovering || self.timed_out
    }

    /// Octets that were outstanding are acknowledged. `congested`: and congestion is reported, so
    /// that nothing grows (RFC 3168 §6.1.2).
    pub(super) fn acked(&mut self, before: &Vars, after: &Vars, now: Instant, congested: bool) {
        let acked = after.snd_una - before.snd_una;
        let smss = u32::from(after.smss);
        let over = self
            .recover
            .is_some_and(|end| after.snd_una.at_or_after(end));
        if over {
            self.before_cut = None;
            (self.reduced, self.timed_out) = (false, false);
        }
        if self.recovering && over {
            // RFC 6582 §3.2 step 3, RFC 6675 §5 step A: down to ssthresh, or less.
            self.recovering = false;
            self.cwnd = self.ssthresh;
            self.known = self.known.min(self.cwnd);
            self.avoidance.restart();
        } else if self.recovering && after.sack.is_none() {
            // A partial ACK: less what left the network, and one segment may follow.
            self.cwnd = self
                .cwnd
                .saturating_sub(acked)
                .max(smss)
                .saturating_add(smss);
        } else if self.reduced || congested {
            // A reduction without a repair lasts for its window, as one with it does.
        } else if !self.recovering && before.cwnd < before.ssthresh {
            let limit = if self.timed_out {
                1
            } else {
                self.profile.slow_start_limit
            };
            self.cwnd = self.cwnd.saturating_add(acked.min(limit * smss));
        } else if !self.recovering {
            self.cwnd = self.avoidance.most(&Avoided {
                cwnd: self.cwnd,
                acked,
                smss,
                now,
                srtt: after.srtt.unwrap_or_default(),
            });
        }
    }

    /// A duplicate ACK without SACK: in fast recovery a segment has left the network (RFC 5681 §3.2
    /// step 4).
    pub(super) fn duplicate(&mut self, after: &Vars) {
        if self.recovering && after.sack.is_none() {
            self.cwnd = self.cwnd.saturating_add(u32::from(after.smss));
        }
    }

    /// An ACK in a recovery with SACK, or the one that begins it (RFC 9937 §6.2).
    pub(super) fn proportion(&mut self, before: &Vars, after: &Vars) {
        let Some(sack) = after.sack.filter(|_| self.recovering) else {
            return;
        };
        // What a closed window refused leaves the network with the ACK that opens it, on top.
        let opens = before.snd_wnd == 0 && after.snd_wnd > 0;
        let refused = before.sack.filter(|_| opens).map_or(0, |sack| sack.pipe);
        let share = Share {
            delivered: delivered(before, after),
            advances: after.snd_una != before.snd_una,
            pipe: sack.pipe.max(refused),
            ssthresh: self.ssthresh.min(after.ssthresh),
            smss: u32::from(after.smss),
        };
        self.cwnd = self.prr.most(&share).unwrap_or(self.cwnd);
    }

    /// So much of the sequence space was sent, new or again.
    pub(super) fn sent(&mut self, octets: u32) {
        if self.recovering {
            self.prr.sent(octets);
        }
    }

    /// Fast recovery begins (RFC 5681 §3.2 steps 2 and 3, RFC 6675 §5 step 4). Not a second
    /// reduction in a window that was reduced already (R5681-14).
    fn enter(&mut self, loss: &Loss) {
        let open = self.recover.is_some_and(|end| loss.una.before(end));
        let reduced = core::mem::take(&mut self.reduced);
        (self.recovering, self.timed_out) = (true, false);
        if !(reduced && open) {
            self.cut(false);
            self.ssthresh = self.profile.threshold(loss.flight, loss.smss);
        }
        self.recover = loss.sent_to;
    }

    /// Fast recovery begins, without SACK.
    pub(super) fn lost(&mut self, loss: &Loss) {
        self.enter(loss);
        self.cwnd = self.ssthresh.saturating_add(3 * loss.smss);
    }

    /// Fast recovery begins, and of what was outstanding so much was `reported` before. What cwnd
    /// becomes, [`Envelope::proportion`] says.
    pub(super) fn lost_with_sack(&mut self, loss: &Loss, outstanding: u32, reported: u32) {
        self.enter(loss);
        self.prr = Prr::new(outstanding, reported);
    }

    /// As before, found by the reordering timer (RFC 8985 §6.2 step 5): `outstanding` then, and
    /// `sent` went since.
    pub(super) fn lost_by_timer(&mut self, loss: &Loss, outstanding: u32, vars: &Vars, sent: u32) {
        let Some(sack) = &vars.sack else { return };
        self.lost_with_sack(loss, outstanding, sack.sacked);
        let share = Share {
            delivered: 0,
            advances: false,
            pipe: sack.pipe.saturating_sub(sent),
            ssthresh: self.ssthresh,
            smss: loss.smss,
        };
        self.cwnd = self.prr.most(&share).unwrap_or(self.cwnd);
        self.prr.sent(sent);
    }

    /// The repair at hand, if there is one, lasts until all is acknowledged that was sent up to now.
    pub(super) fn prolonged(&mut self, sent_to: Option<SeqNumber>) {
        if self.recovering {
            self.recover = sent_to;
        }
    }

    /// In the repair at hand ssthresh was lowered once more: a retransmission is lost, too (RFC 5681
    /// §4.3).
    pub(super) fn lowered(&mut self, vars: &Vars) {
        if self.repairing() && vars.ssthresh < self.ssthresh {
            self.avoidance
                .reduced(self.ssthresh, self.ssthresh, self.timed_out);
            self.before_cut = None;
        }
    }

    /// The peer reports congestion. What was sent before the last reduction is no news (RFC 3168
    /// §6.1.2). Returns whether it is news to who has a cwnd of one segment, which can't be less.
    pub(super) fn reported(&mut self, sent_to: Option<SeqNumber>, after: &Vars) -> bool {
        let news = |recover| after.snd_una.after(recover);
        let news = !self.recovering && self.recover.is_none_or(news);
        let one = self.cwnd <= u32::from(after.smss);
        if news {
            self.reduced(&Loss {
                una: after.snd_una,
                flight: after.snd_nxt - after.snd_una,
                sent_to,
                smss: u32::from(after.smss),
            });
        }
        news && one
    }

    /// A reduction without a repair: a congestion mark, or a tail loss probe that had repaired a
    /// loss (RFC 8985 §7.4).
    pub(super) fn reduced(&mut self, loss: &Loss) {
        (self.recover, self.reduced) = (loss.sent_to, true);
        self.avoidance.reduced(self.known, self.cwnd, false);
        self.ssthresh = self.profile.threshold(loss.flight, loss.smss);
        self.cwnd = self.cwnd.min(self.ssthresh);
    }

    /// The retransmission timer has expired. ssthresh is set at the first expiry only (RFC 5681
    /// §3.1).
    pub(super) fn timed_out(&mut self, loss: &Loss, first: bool) {
        let repairing = self.repairing();
        (self.recovering, self.timed_out, self.reduced) = (false, true, false);
        if first {
            self.cut(true);
            if repairing {
                self.before_cut = None;
            }
            self.ssthresh = self.profile.threshold(loss.flight, loss.smss);
        }
        self.recover = loss.sent_to;
        self.cwnd = loss.smss;
    }

    /// What the last reduction took away, for [`Envelope::undone`]: it is given back once.
    pub(super) fn take_cut(&mut self) -> Option<Cut> {
        self.before_cut.take()
    }

    /// The last reduction proved unfounded: all may be as before (RFC 4015 §3.2, RFC 5682 §3.1,
    /// RFC 9438 §4.9). If it is given back no more, only the repair is over, and leaves ssthresh (RFC
    /// 9937 §6.2). What cwnd regains is no growth: the rule above ssthresh is where it was.
    pub(super) fn undone(&mut self, cut: Option<Cut>) {
        if let Some(cut) = cut {
            self.cwnd = self.cwnd.max(cut.cwnd);
            self.ssthresh = self.ssthresh.max(cut.ssthresh);
            self.avoidance = cut.avoidance;
            self.recover = cut.recover;
        } else if self.recovering {
            self.cwnd = self.cwnd.max(self.ssthresh);
        }
        (self.recovering, self.timed_out) = (false, false);
    }

    /// What a timeout now would take away, and F-RTO might give back: not within the recovery from
    /// an earlier one (RFC 5682 §2.1 step 1).
    pub(super) fn before_timeout(&self, una: SeqNumber) -> Option<Cut> {
        let within = self.timed_out && self.recover.is_some_and(|end| una.before(end));
        (!within).then_some(self.as_is())
    }

    /// Without SACK a timeout was spurious: all may be as before it (RFC 4015 §3.2), and is if it is
    /// `undone`, by what [`Envelope::take_cut`] gave before the ACK counted. Not if the ACK that shows it reports congestion (§3.4): then the reduction stands.
    /// One that was undone is no answer to what a later ACK reports.
    pub(super) fn undo(&mut self, before: Cut, undone: Option<Option<Cut>>, congested: bool) {
        if congested {
            self.timed_out &= undone.is_none();
            return;
        }
        self.cwnd = self.cwnd.max(before.cwnd);
        self.ssthresh = self.ssthresh.max(before.ssthresh);
        if let Some(cut) = undone {
            self.undone(cut);
            self.recover = before.recover;
        }
    }

    /// The last reduction stands, whatever it was about.
    pub(super) fn confirmed(&mut self) {
        self.before_cut = None;
    }

    /// Transmission begins again after idleness (RFC 5681 §4.1).
    pub(super) fn restart(&mut self, window: u32) {
        self.cwnd = self.cwnd.min(window);
        self.avoidance.restart();
    }

    /// What is wrong with the variables; from now on they are the bound.
    pub(super) fn hold(&mut self, vars: &Vars) -> Vec<String> {
        let mut wrong = Vec::new();
        self.resize(u32::from(vars.smss));
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
        self.avoidance.settle(vars.cwnd);
        (self.cwnd, self.ssthresh) = (vars.cwnd, vars.ssthresh);
        self.known = vars.cwnd;
        wrong
    }

    fn resize(&mut self, smss: u32) {
        if smss > self.smss {
            // The path carries more again: one segment must fit, and ssthresh never is less than two.
            self.cwnd = self.cwnd.max(smss);
            self.ssthresh = self.ssthresh.max(2 * smss);
        }
        if smss != self.smss && self.smss != u32::MAX {
            self.avoidance.resize(self.smss, smss);
        }
        self.smss = smss;
    }

    /// A reduction is due, which may be undone.
    fn cut(&mut self, timed_out: bool) {
        self.before_cut = Some(self.as_is());
        self.avoidance.reduced(self.known, self.cwnd, timed_out);
    }

    fn as_is(&self) -> Cut {
        Cut {
            cwnd: self.cwnd,
            ssthresh: self.ssthresh,
            recover: self.recover,
            avoidance: self.avoidance,
        }
    }
}
