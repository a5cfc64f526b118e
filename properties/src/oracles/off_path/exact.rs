//! The exact checks that a blind segment passes only by luck, written a second time: neither the
//! stack nor the reference is asked.

use timewait_stack::wire::Flags;
use timewait_stack::{State, Vars};

use crate::facts::SegmentHeader;

/// Under what name the segment may be accepted, if it may. `max_snd_wnd`: the largest window that
/// the receiver was offered.
pub(super) fn passes(
    before: &Vars,
    segment: &SegmentHeader,
    max_snd_wnd: u32,
) -> Option<&'static str> {
    match before.state {
        State::Closed => None,
        State::Listen => is_bare_syn(segment).then_some("off-path: SYN to LISTEN"),
        State::SynSent => syn_sent(before, segment),
        State::TimeWait => {
            // Which SYNs these are is for `acceptance` and `time-wait` to say.
            is_bare_syn(segment).then_some("off-path: SYN to TIME-WAIT")
        }
        _ => connected(before, segment, max_snd_wnd),
    }
}

fn is_bare_syn(segment: &SegmentHeader) -> bool {
    segment.flags & (Flags::SYN | Flags::ACK | Flags::RST) == Flags::SYN
}

/// RFC 9293 §3.10.7.3: the number of the SYN is guessed, or none is asked for.
fn syn_sent(before: &Vars, segment: &SegmentHeader) -> Option<&'static str> {
    let guessed = segment.has(Flags::ACK) && acks_syn(before, segment);
    let counts = segment.has(Flags::RST) || segment.has(Flags::SYN);
    if guessed && counts {
        Some("off-path: exact ACK of the SYN")
    } else {
        is_bare_syn(segment).then_some("off-path: SYN to SYN-SENT")
    }
}

/// SYN-RECEIVED and the synchronized states (RFC 9293 §3.10.7.4, RFC 5961 §3 to §5).
fn connected(before: &Vars, segment: &SegmentHeader, max_snd_wnd: u32) -> Option<&'static str> {
    if segment.has(Flags::RST) {
        return (segment.seq == before.rcv_nxt).then_some("off-path: exact RST");
    }
    let half_open = before.state == State::SynReceived;
    if segment.has(Flags::SYN) {
        let crossing = half_open && segment.seq == before.irs && acks_syn(before, segment);
        if crossing && segment.has(Flags::ACK) {
            return Some("off-path: exact ACK of the SYN");
        }
        let returns = half_open && before.passive && in_window(before, segment);
        return returns.then_some("off-path: SYN to SYN-RECEIVED");
    }
    if !segment.has(Flags::ACK) || !in_window(before, segment) {
        return None;
    }
    if half_open {
        return acks_syn(before, segment).then_some("off-path: exact ACK of the SYN");
    }
    let oldest = before.snd_una.back(max_snd_wnd);
    let fits = segment.ack.at_or_after(oldest) && segment.ack.at_or_before(before.snd_nxt);
    fits.then_some("off-path: ACK in the window")
}

/// UNA < SEG.ACK <= NXT.
fn acks_syn(before: &Vars, segment: &SegmentHeader) -> bool {
    segment.ack.after(before.snd_una) && segment.ack.at_or_before(before.snd_nxt)
}

/// It touches the window, the one offered or the one that the buffer would allow; beside a window
/// that is shut, one off counts too (§A.2).
fn in_window(before: &Vars, segment: &SegmentHeader) -> bool {
    let beside = offered(before) == 0 && segment.seq.within(before.rcv_nxt.back(1), 3);
    beside || touches(before, offered(before).max(before.rcv_free), segment)
}

/// It touches the window that was offered.
pub(super) fn in_offered_window(before: &Vars, segment: &SegmentHeader) -> bool {
    touches(before, offered(before), segment)
}

/// RCV.WND as last advertised.
fn offered(before: &Vars) -> u32 {
    before.rcv_adv.saturating_since(before.rcv_nxt)
}

/// Its first or its last sequence number lies in a window of this size.
fn touches(before: &Vars, window: u32, segment: &SegmentHeader) -> bool {
    let last = segment.seq + segment.seg_len().saturating_sub(1);
    segment.seq == before.rcv_nxt
        || segment.seq.within(before.rcv_nxt, window)
        || segment.seg_len() > 0 && last.within(before.rcv_nxt, window)
}
