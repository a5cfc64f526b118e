//! SYN-SENT (RFC 9293 §3.10.7.3).

use timewait_stack::wire::Flags;
use timewait_stack::{State, Vars};

use super::{Allowance, Permit, Shadow, States, urgent};
use crate::facts::SegmentHeader;

pub(super) fn allowance(before: &Vars, shadow: &Shadow, segment: &SegmentHeader) -> Allowance {
    let ack = segment.has(Flags::ACK);
    let good = segment.ack.after(before.iss) && segment.ack.at_or_before(before.snd_nxt);
    if ack && !good {
        return Allowance::refused(before, "its ACK is not of the SYN (§3.10.7.3, first check)");
    }
    if segment.has(Flags::RST) {
        return if ack {
            Allowance::end(before, States::just(State::Closed))
        } else {
            Allowance::refused(before, "a RST without ACK in SYN-SENT (second check)")
        };
    }
    if !segment.has(Flags::SYN) {
        return Allowance::refused(before, "neither SYN nor RST in SYN-SENT (fifth check)");
    }
    let allowance = if ack {
        answered(before, segment)
    } else {
        crossed(before, segment)
    };
    Allowance {
        stamp: shadow.first_stamp(segment),
        ..allowance
    }
}

/// A SYN-ACK: ESTABLISHED. Text and FIN that come with it may be processed at once or be left to
/// a retransmission.
fn answered(before: &Vars, segment: &SegmentHeader) -> Allowance {
    let first = segment.seq + 1;
    let edge = first + before.rcv_free;
    let text_end = segment.text_end().min(edge);
    let fin = segment.has(Flags::FIN) && segment.text_end().before(edge);
    let end = text_end + u32::from(fin);
    let mut states = States::just(State::Established);
    states.step(fin, State::Established, State::CloseWait);
    Allowance {
        states,
        synchronize: Permit::Must,
        una: Permit::Must,
        window: Permit::Must,
        wl1: [segment.seq, first],
        octets: first.before(end).then_some((first, end)),
        fin_ends: [fin.then_some(end), None],
        rcv_nxt: (first, end),
        urgent: urgent(before, segment, Permit::May),
        ..Allowance::nothing_yet(before)
    }
}

/// A bare SYN: taken for a simultaneous open (MUST-10), old or not. What else it carries waits for
/// ESTABLISHED.
fn crossed(before: &Vars, segment: &SegmentHeader) -> Allowance {
    let first = segment.seq + 1;
    Allowance {
        states: States::just(State::SynReceived),
        synchronize: Permit::Must,
        window: Permit::May,
        wl1: [segment.seq, first],
        rcv_nxt: (first, first),
        ..Allowance::nothing_yet(before)
    }
}
