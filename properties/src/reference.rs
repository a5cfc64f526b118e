//! The reference: what a segment may and must change, by RFC 9293 §3.10.7 with RFC 5961, RFC 1337,
//! RFC 7323 and RFC 6191 on.
//!
//! A function of the variables *before* the segment and of its header, written from the RFC and
//! never from the stack. Where the text leaves a choice (SHOULD, MAY, or an order of work that
//! nobody outside can see) the answer is a set: [`Permit::May`]. What is switched off in a stack's
//! configuration never changes the answer.
//!
//! Text on a SYN that is no SYN-ACK need not be kept, although §3.10.7.2 and §3.10.7.3 would queue it:
//! who sent it sends it again.
//!
//! TS.Recent is that of the [`Shadow`], not the one that the stack shows: a stack that keeps it
//! wrong would otherwise excuse itself.

mod check;
mod held;
mod shadow;
mod syn_sent;
mod synchronized;

pub use check::Breach;
pub(crate) use check::changes;
pub use held::Held;
pub(crate) use shadow::{SHIFT_MAX, older};
pub use shadow::{Shadow, Stamp};
pub(crate) use synchronized::{table_6, widest_window};

use timewait_sim::Instant;
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, State, Vars};

use crate::facts::SegmentHeader;

/// Whether one effect is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permit {
    /// Forbidden.
    #[default]
    No,
    /// The text leaves a choice.
    May,
    /// Demanded.
    Must,
}

/// A set of states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States(u16);

impl States {
    /// Just this one.
    pub const fn just(state: State) -> Self {
        Self(1 << state as u16)
    }

    /// This set with `state` added.
    #[must_use]
    pub const fn with(self, state: State) -> Self {
        Self(self.0 | 1 << state as u16)
    }

    /// Whether `state` is in the set.
    pub const fn contains(self, state: State) -> bool {
        self.0 & 1 << state as u16 != 0
    }

    /// Adds `to` if `from` is in the set and the step from one to the other is `allowed`.
    fn step(&mut self, allowed: bool, from: State, to: State) {
        if allowed && self.contains(from) {
            *self = self.with(to);
        }
    }
}

/// What a segment may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Why nothing may change, if so.
    pub refusal: Option<&'static str>,
    /// The states allowed afterwards. CLOSED and LISTEN mean that the incarnation ends.
    pub states: States,
    /// The segment must end the incarnation.
    pub must_end: bool,
    /// A new incarnation may begin: from LISTEN, or out of TIME-WAIT.
    pub opens: bool,
    /// IRS and all that follows from it is taken from the segment.
    pub synchronize: Permit,
    /// SND.UNA becomes SEG.ACK.
    pub una: Permit,
    /// SND.WND, SND.WL1 and SND.WL2 are set from the segment.
    pub window: Permit,
    /// SEG.WND in octets: what SND.WND then is.
    pub snd_wnd: u32,
    /// The values that SND.WL1 may then take: SEG.SEQ, or that of the trimmed segment.
    pub wl1: [SeqNumber; 2],
    /// Octets that may be taken or held: the segment's, trimmed to the window, FIN included.
    pub octets: Option<(SeqNumber, SeqNumber)>,
    /// The sequence numbers after the FINs that may be taken: the segment's, and one held.
    pub fin_ends: [Option<SeqNumber>; 2],
    /// The least and the largest RCV.NXT afterwards.
    pub rcv_nxt: (SeqNumber, SeqNumber),
    /// RCV.UP moves to this place, if that lies ahead of what the user has read.
    pub urgent: (Permit, SeqNumber),
    /// TS.Recent before, where both ends agreed on timestamps.
    pub ts_recent: Option<u32>,
    /// What it may become.
    pub stamp: Stamp,
}

impl Allowance {
    /// Nothing may change, for this reason.
    fn refused(before: &Vars, reason: &'static str) -> Self {
        Self {
            refusal: Some(reason),
            states: States::just(before.state),
            must_end: false,
            opens: false,
            synchronize: Permit::No,
            una: Permit::No,
            window: Permit::No,
            snd_wnd: before.snd_wnd,
            wl1: [before.snd_wl1; 2],
            octets: None,
            fin_ends: [None; 2],
            rcv_nxt: (before.rcv_nxt, before.rcv_nxt),
            urgent: (Permit::No, before.rcv_nxt),
            ts_recent: None,
            stamp: Stamp::default(),
        }
    }

    /// Like [`Allowance::refused`], to be filled in.
    fn nothing_yet(before: &Vars) -> Self {
        Self {
            refusal: None,
            ..Self::refused(before, "")
        }
    }

    /// The segment must end the incarnation, which is then in one of `states`.
    fn end(before: &Vars, states: States) -> Self {
        Self {
            states,
            must_end: true,
            ..Self::nothing_yet(before)
        }
    }

    /// A new incarnation may begin; the variables at hand stay as they are.
    fn open(before: &Vars) -> Self {
        Self {
            opens: true,
            ..Self::nothing_yet(before)
        }
    }
}

/// What `segment` may change at `now`, where the variables are `before`. `None`: no segment at all, or its
/// checksum is wrong.
pub fn allowance(
    before: &Vars,
    shadow: &Shadow,
    segment: Option<&SegmentHeader>,
    now: Instant,
) -> Allowance {
    let ts_recent = shadow.ts_recent();
    let Some(segment) = segment else {
        return Allowance {
            ts_recent,
            ..Allowance::refused(before, "it is damaged (MUST-3)")
        };
    };
    let allowance = match before.state {
        State::Closed => Allowance::refused(before, "there is no connection (§3.10.7.1)"),
        State::Listen => listen(before, segment),
        State::SynSent => syn_sent::allowance(before, shadow, segment),
        _ => synchronized::allowance(before, shadow, segment, now),
    };
    Allowance {
        snd_wnd: shadow.window(segment),
        ts_recent,
        ..allowance
    }
}

/// Sixth check (RFC 9293 §3.10.7.3 and .4): where RCV.UP may move, to SEG.UP. A segment that
/// completes a handshake may leave it to a retransmission, like its text.
fn urgent(before: &Vars, segment: &SegmentHeader, strength: Permit) -> (Permit, SeqNumber) {
    let permit = match before.state {
        _ if !segment.has(Flags::URG) => Permit::No,
        State::Established | State::FinWait1 | State::FinWait2 => strength,
        State::SynSent | State::SynReceived => Permit::May,
        _ => Permit::No,
    };
    (permit, segment.seq + u32::from(segment.urgent))
}

/// RFC 9293 §3.10.7.2.
fn listen(before: &Vars, segment: &SegmentHeader) -> Allowance {
    if segment.has(Flags::RST) {
        Allowance::refused(before, "a RST in LISTEN (§3.10.7.2, first check)")
    } else if segment.has(Flags::ACK) {
        Allowance::refused(before, "an ACK in LISTEN (§3.10.7.2, second check)")
    } else if segment.has(Flags::SYN) {
        Allowance::open(before)
    } else {
        Allowance::refused(before, "no SYN in LISTEN (§3.10.7.2, fourth check)")
    }
}

#[cfg(test)]
mod tests;
