//! SYN-RECEIVED and the synchronized states (RFC 9293 §3.10.7.4).

use timewait_sim::Instant;
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, State, Vars};

use super::shadow::Paws;
use super::{Allowance, Permit, Shadow, States, urgent};
use crate::facts::SegmentHeader;

/// The outcome of the first check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sequence {
    /// Table 6 accepts it by the window last advertised (then `Must`), or only by the free buffer.
    Acceptable(Permit),
    /// Table 6 refuses it, but its ACK fields may be taken (§A.2).
    Beside,
    /// Table 6 refuses it.
    Refused,
}

pub(super) fn allowance(
    before: &Vars,
    shadow: &Shadow,
    segment: &SegmentHeader,
    now: Instant,
) -> Allowance {
    if segment.has(Flags::RST) {
        return reset(before, segment);
    }
    if before.state == State::TimeWait {
        return time_wait(before, shadow, segment, now);
    }
    match shadow.paws(segment, now) {
        Paws::Passes => checks(before, shadow, segment, now),
        Paws::Old => Allowance::refused(before, OLD),
        // RFC 7323 §3.2 would have it dropped; common stacks take it as it is.
        Paws::Missing => optional(before, checks(before, shadow, segment, now)),
    }
}

const OLD: &str = "its timestamp is older than TS.Recent (PAWS, RFC 7323 §5.3)";

/// All that is demanded is only allowed.
fn optional(before: &Vars, allowance: Allowance) -> Allowance {
    Allowance {
        states: allowance.states.with(before.state),
        una: allowance.una.min(Permit::May),
        window: allowance.window.min(Permit::May),
        urgent: (allowance.urgent.0.min(Permit::May), allowance.urgent.1),
        rcv_nxt: (before.rcv_nxt, allowance.rcv_nxt.1),
        ..allowance
    }
}

/// The checks of §3.10.7.4, once PAWS has let the segment pass.
fn checks(before: &Vars, shadow: &Shadow, segment: &SegmentHeader, now: Instant) -> Allowance {
    let sequence = sequence(before, segment);
    if sequence == Sequence::Refused {
        return Allowance::refused(before, "it lies outside the window (first check, Table 6)");
    }
    if segment.has(Flags::SYN) && !at_irs(before, segment) {
        return syn(before, segment);
    }
    if !segment.has(Flags::ACK) {
        return Allowance::refused(before, "no ACK (fifth check)");
    }
    if let Some(reason) = bad_ack(before, shadow, segment) {
        return Allowance::refused(before, reason);
    }
    acknowledged(before, shadow, segment, sequence, now)
}

/// Second check, as RFC 5961 §3 has it: a RST counts exactly at RCV.NXT, also at zero window
/// (MUST-66). In TIME-WAIT it never counts (RFC 1337 §3, fix F1).
fn reset(before: &Vars, segment: &SegmentHeader) -> Allowance {
    if before.state == State::TimeWait {
        return Allowance::refused(before, "a RST in TIME-WAIT (RFC 1337)");
    }
    if segment.seq != before.rcv_nxt {
        return Allowance::refused(before, "a RST that is not at RCV.NXT (RFC 5961 §3)");
    }
    Allowance::end(before, back_to_the_start(before))
}

/// Where a connection goes that a RST or SYN sends back (§3.10.7.4, second and fourth check); a
/// reopened one goes back to TIME-WAIT (MAY-2).
fn back_to_the_start(before: &Vars) -> States {
    let states = States::just(State::Closed);
    if before.state == State::SynReceived && before.passive {
        states.with(State::Listen).with(State::TimeWait)
    } else {
        states
    }
}

/// TIME-WAIT takes nothing from a segment; a FIN restarts its clock, which no variable here
/// shows. A bare SYN may reopen it, wherever it lies, if it proves to be new (MAY-2, RFC 6191 §2).
///
/// RFC 6191 asks for the last timestamp *seen*, RFC 7323 §5.3 takes TS.Recent from acceptable
/// segments only: that of the peer's FIN, sent again, may be taken, or not.
fn time_wait(before: &Vars, shadow: &Shadow, segment: &SegmentHeader, now: Instant) -> Allowance {
    if segment.has(Flags::SYN) {
        let bare = !segment.has(Flags::ACK);
        return if bare && shadow.may_reopen(before.rcv_nxt, segment, now) {
            Allowance::open(before)
        } else {
            Allowance::refused(before, "it is no SYN that reopens TIME-WAIT (RFC 6191 §2)")
        };
    }
    let fin_again = segment.has(Flags::FIN | Flags::ACK) && segment.end() == before.rcv_nxt;
    let seen = fin_again || segment.has(Flags::ACK) && segment.seq == before.rcv_nxt;
    let permit = if seen { Permit::May } else { Permit::No };
    Allowance {
        stamp: shadow.stamp(segment, permit, now),
        ..Allowance::refused(before, "TIME-WAIT takes nothing from it")
    }
}

/// First check. The window is the one last advertised; who judges by the free buffer, where that
/// reaches further, may.
fn sequence(before: &Vars, segment: &SegmentHeader) -> Sequence {
    let advertised = before.rcv_adv.saturating_since(before.rcv_nxt);
    if table_6(before.rcv_nxt, advertised, segment) {
        Sequence::Acceptable(Permit::Must)
    } else if table_6(before.rcv_nxt, widest_window(before), segment) {
        Sequence::Acceptable(Permit::May)
    } else if beside(before, segment) {
        Sequence::Beside
    } else {
        Sequence::Refused
    }
}

/// RCV.WND, as advertised or as the buffer allows.
pub(crate) fn widest_window(before: &Vars) -> u32 {
    before
        .rcv_adv
        .saturating_since(before.rcv_nxt)
        .max(before.rcv_free)
}

/// Table 6.
pub(crate) fn table_6(rcv_nxt: SeqNumber, rcv_wnd: u32, segment: &SegmentHeader) -> bool {
    match (segment.seg_len(), rcv_wnd) {
        (0, 0) => segment.seq == rcv_nxt,
        (0, _) => segment.seq.within(rcv_nxt, rcv_wnd),
        (_, 0) => false,
        (len, _) => {
            segment.seq.within(rcv_nxt, rcv_wnd)
                || (segment.seq + (len - 1)).within(rcv_nxt, rcv_wnd)
        }
    }
}

/// §A.2: probes one octet beside RCV.NXT, and text at RCV.NXT before a closed window (§3.10.7.4:
/// special allowance for valid ACKs), may have their ACK fields taken; so may a SYN-ACK.
fn beside(before: &Vars, segment: &SegmentHeader) -> bool {
    let near = segment.seq.within(before.rcv_nxt.back(1), 3);
    near || at_irs(before, segment)
}

/// The SYN-ACK of this very connection: trimming cuts its SYN off.
fn at_irs(before: &Vars, segment: &SegmentHeader) -> bool {
    segment.has(Flags::SYN | Flags::ACK) && segment.seq == before.irs
}

/// Fourth check: a challenge ACK at most (RFC 5961 §4); but a SYN in the window makes a passive
/// SYN-RECEIVED return to LISTEN.
fn syn(before: &Vars, segment: &SegmentHeader) -> Allowance {
    let in_window = segment.seq.within(before.rcv_nxt, widest_window(before));
    if before.state == State::SynReceived && before.passive && in_window {
        let states = back_to_the_start(before).with(before.state);
        Allowance {
            states,
            ..Allowance::nothing_yet(before)
        }
    } else {
        Allowance::refused(before, "a SYN in a synchronized state (RFC 5961 §4)")
    }
}

/// Fifth check, and RFC 5961 §5.
fn bad_ack(before: &Vars, shadow: &Shadow, segment: &SegmentHeader) -> Option<&'static str> {
    if segment.ack.after(before.snd_nxt) {
        Some("it acknowledges what was never sent (fifth check)")
    } else if before.state == State::SynReceived {
        let good = segment.ack.after(before.snd_una);
        (!good).then_some("its ACK is not of the SYN (fifth check, SYN-RECEIVED)")
    } else {
        let oldest = before.snd_una.back(shadow.max_snd_wnd);
        segment
            .ack
            .before(oldest)
            .then_some("its ACK is too old (RFC 5961 §5)")
    }
}

/// The fifth check passed: ACK, window, text, FIN, each as far as the segment is acceptable.
fn acknowledged(
    before: &Vars,
    shadow: &Shadow,
    segment: &SegmentHeader,
    sequence: Sequence,
    now: Instant,
) -> Allowance {
    let acceptable = match sequence {
        Sequence::Acceptable(permit) => permit,
        Sequence::Beside | Sequence::Refused => Permit::No,
    };
    // The text processes idealized segments that begin at RCV.NXT. Whether the ACK of a later one
    // waits with its text is left open, and so is what a SYN-ACK at IRS is good for.
    let begins = segment.seq.at_or_before(before.rcv_nxt) && !segment.has(Flags::SYN);
    let strength = if begins {
        acceptable.max(Permit::May)
    } else {
        Permit::May
    };
    // A full accept queue may keep SYN-RECEIVED in spite of a good ACK. And who counts only the
    // windows it took may know a smaller MAX.SND.WND than was offered.
    let oldest = before.snd_una.back(before.max_snd_wnd);
    let lenient = before.state == State::SynReceived || segment.ack.before(oldest);
    let strength = if lenient {
        strength.min(Permit::May)
    } else {
        strength
    };
    let mut allowance = Allowance::nothing_yet(before);
    ack_fields(&mut allowance, before, segment, strength);
    allowance.urgent = urgent(before, segment, urgent_strength(before, segment, strength));
    if acceptable != Permit::No {
        text_and_fin(&mut allowance, before, shadow, segment, strength);
        allowance.stamp = shadow.stamp(segment, strength, now);
    }
    states(&mut allowance, before, segment);
    allowance
}

/// The urgent field counts at RCV.NXT even where the window is shut and the text is refused
/// (MUST-66).
fn urgent_strength(before: &Vars, segment: &SegmentHeader, strength: Permit) -> Permit {
    if segment.seq == before.rcv_nxt {
        strength
    } else {
        strength.min(Permit::May)
    }
}

/// SND.UNA, and the window by SND.WL1 and SND.WL2. Both the sequence number of the segment and
/// that of its trimmed rest may be compared.
fn ack_fields(allowance: &mut Allowance, before: &Vars, segment: &SegmentHeader, strength: Permit) {
    if segment.ack.after(before.snd_una) {
        allowance.una = strength;
    }
    allowance.wl1 = [segment.seq, segment.seq.max(before.rcv_nxt)];
    if before.snd_una == before.iss {
        // The SYN is not acknowledged yet: SND.WL1 and SND.WL2 mean nothing before this ACK.
        allowance.window = strength.min(Permit::May);
    } else if segment.ack.at_or_after(before.snd_una) {
        let newer = |seq: SeqNumber| {
            before.snd_wl1.before(seq)
                || before.snd_wl1 == seq && before.snd_wl2.at_or_before(segment.ack)
        };
        allowance.window = match allowance.wl1.map(newer) {
            [true, true] => strength,
            [false, false] => Permit::No,
            _ => strength.min(Permit::May),
        };
    }
}

/// Seventh and eighth check: what lies in the window may be taken or held, and what begins at
/// RCV.NXT must be taken.
fn text_and_fin(
    allowance: &mut Allowance,
    before: &Vars,
    shadow: &Shadow,
    segment: &SegmentHeader,
    strength: Permit,
) {
    if !before.state.may_receive() {
        return;
    }
    let advertised = before.rcv_adv.max(before.rcv_nxt);
    let edge = advertised.max(before.rcv_nxt + before.rcv_free);
    let end = segment.end().min(edge);
    let start = segment.text_seq().max(before.rcv_nxt);
    if !start.before(end) {
        return;
    }
    allowance.octets = Some((start, end));
    let own_fin = segment.has(Flags::FIN) && end == segment.end();
    let kept_fin = shadow.held.fin_end(before.fin_held);
    allowance.fin_ends = [own_fin.then_some(end), kept_fin];
    if start == before.rcv_nxt {
        let least = segment.end().min(advertised).max(before.rcv_nxt);
        // Nothing follows a FIN: text that goes beyond one that is held may be cut there.
        let fin = kept_fin.filter(|fin| fin.after(before.rcv_nxt));
        let least = fin.map_or(least, |fin| least.min(fin));
        let beyond = shadow.held.reach(end);
        allowance.rcv_nxt.0 = if strength == Permit::Must {
            least
        } else {
            before.rcv_nxt
        };
        allowance.rcv_nxt.1 = beyond;
    }
}

/// Every state that the allowed effects can lead to, step by step through the checks.
fn states(allowance: &mut Allowance, before: &Vars, segment: &SegmentHeader) {
    let fin_acked = before.fin_sent && segment.ack == before.snd_nxt;
    let (least, most) = (before.rcv_nxt, allowance.rcv_nxt.1);
    let reached = |end: SeqNumber| end.after(least) && end.at_or_before(most);
    let fin = allowance.fin_ends.into_iter().flatten().any(reached);
    let queued = before.fin_queued;
    let states = &mut allowance.states;
    states.step(true, State::SynReceived, State::Established);
    states.step(queued, State::Established, State::FinWait1);
    states.step(fin_acked, State::FinWait1, State::FinWait2);
    states.step(fin_acked, State::Closing, State::TimeWait);
    states.step(fin_acked, State::LastAck, State::Closed);
    states.step(fin, State::Established, State::CloseWait);
    states.step(fin, State::FinWait1, State::Closing);
    states.step(fin, State::FinWait2, State::TimeWait);
    states.step(queued, State::CloseWait, State::LastAck);
    // New text for a user that is gone: a RST shows that it was lost (SHLD-3). Who sends a RST
    // may keep TIME-WAIT (§3.5.2, figure 5 note 3).
    if before.orphan && segment.text_len > 0 && allowance.octets.is_some() {
        *states = states.with(State::Closed).with(State::TimeWait);
    }
}
