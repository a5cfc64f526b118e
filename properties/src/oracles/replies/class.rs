//! Of which class a segment is, by the variables before it (RFC 9293 §3.10.7, in the order of its
//! checks).

use timewait_stack::wire::Flags;
use timewait_stack::{State, Vars};

use super::table::Class;
use crate::facts::SegmentHeader;
use crate::reference::{table_6, widest_window};

/// What is known of an arrival besides the segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    /// The variables before.
    pub(super) before: &'a Vars,
    /// The state after.
    pub(super) after: State,
    /// It started an incarnation.
    pub(super) opened: bool,
    /// The host keeps its quiet time.
    pub(super) quiet: bool,
    /// The largest window that was ever offered (MAX.SND.WND): the stack's own count may be less,
    /// if it took fewer of them.
    pub(super) max_snd_wnd: u32,
    /// It passes PAWS, and has a timestamp if it must have one.
    pub(super) stamped: bool,
    /// RFC 6191 lets it reopen TIME-WAIT.
    pub(super) may_reopen: bool,
}

/// The class of the segment, and another where the text leaves open which of two it is.
pub(super) fn classes(
    arrival: Arrival<'_>,
    segment: Option<&SegmentHeader>,
) -> (Class, Option<Class>) {
    if arrival.quiet {
        return (Class::Quiet, None);
    }
    let Some(segment) = segment else {
        return (Class::Damaged, None);
    };
    match arrival.before.state {
        State::Closed | State::Listen => (unsynchronized(arrival, segment), None),
        State::SynSent => (syn_sent(arrival.before, segment), None),
        _ => in_doubt(arrival, segment),
    }
}

/// §3.10.7.1 and §3.10.7.2: there are no sequence numbers to compare with.
fn unsynchronized(arrival: Arrival<'_>, segment: &SegmentHeader) -> Class {
    let (syn, ack) = (segment.has(Flags::SYN), segment.has(Flags::ACK));
    match (segment.has(Flags::RST), syn, ack) {
        (true, ..) => Class::Reset,
        (_, true, true) => Class::SynAck,
        (_, true, false) if arrival.opened => Class::SynTaken,
        (_, true, false) => Class::Syn,
        (_, false, true) => Class::Ack,
        (_, false, false) => Class::Bare,
    }
}

/// §3.10.7.3: the ACK comes first.
fn syn_sent(before: &Vars, segment: &SegmentHeader) -> Class {
    let ack = segment.has(Flags::ACK);
    let good = segment.ack.after(before.iss) && segment.ack.at_or_before(before.snd_nxt);
    if segment.has(Flags::RST) {
        Class::Reset
    } else if ack && !good {
        Class::BadAck
    } else {
        match (segment.has(Flags::SYN), ack) {
            (true, true) => Class::SynAckGood,
            (true, false) => Class::Syn,
            (false, true) => Class::Ack,
            (false, false) => Class::Bare,
        }
    }
}

/// The window is the one last advertised or, for who judges by it, what the buffer has room for;
/// MAX.SND.WND what was taken or what was offered.
fn in_doubt(arrival: Arrival<'_>, segment: &SegmentHeader) -> (Class, Option<Class>) {
    let before = arrival.before;
    let crossed = before.state == State::SynReceived
        && !before.passive
        && segment.has(Flags::SYN | Flags::ACK)
        && segment.seq == before.irs;
    // A bare SYN there may begin something new, whatever its timestamp (RFC 6191 §2).
    let bare_syn = segment.has(Flags::SYN) && !segment.has(Flags::ACK);
    let syn_in_time_wait = before.state == State::TimeWait && bare_syn;
    if !arrival.stamped && !segment.has(Flags::RST) && !syn_in_time_wait {
        return match segment.timestamps {
            Some(_) => (Class::OldStamp, None),
            // Common stacks take it as it is.
            None => (Class::Unstamped, Some(strict(arrival, segment))),
        };
    }
    if crossed && !is_good_ack(before, segment, 0) {
        // It lies left of the window; but its ACK field may be looked at (§A.2).
        return (Class::SynAck, Some(Class::BadAck));
    }
    let one = strict(arrival, segment);
    let offered = arrival.max_snd_wnd.max(before.max_snd_wnd);
    let other = synchronized(arrival, segment, widest_window(before), offered);
    (one, Some(other).filter(|other| *other != one))
}

/// By the window last advertised and the windows taken.
fn strict(arrival: Arrival<'_>, segment: &SegmentHeader) -> Class {
    let before = arrival.before;
    let advertised = before.rcv_adv.saturating_since(before.rcv_nxt);
    synchronized(arrival, segment, advertised, before.max_snd_wnd)
}

/// §3.10.7.4.
fn synchronized(
    arrival: Arrival<'_>,
    segment: &SegmentHeader,
    window: u32,
    max_snd_wnd: u32,
) -> Class {
    let before = arrival.before;
    if segment.has(Flags::RST) {
        return reset(before, segment, window);
    }
    if segment.has(Flags::SYN) {
        return syn(arrival, segment, window);
    }
    let good_ack = is_good_ack(before, segment, max_snd_wnd);
    if before.state == State::TimeWait && is_fin_again(before, segment) && good_ack {
        return Class::FinAgain;
    }
    if !table_6(before.rcv_nxt, window, segment) {
        let probed = window == 0 && segment.seq == before.rcv_nxt + 1 && segment.seg_len() == 0;
        return if probed && segment.has(Flags::ACK) {
            Class::BesideClosedWindow
        } else {
            Class::Outside
        };
    }
    if !segment.has(Flags::ACK) {
        Class::Bare
    } else if !good_ack {
        Class::BadAck
    } else {
        text_and_fin(arrival, segment)
    }
}

fn reset(before: &Vars, segment: &SegmentHeader, window: u32) -> Class {
    if segment.seq == before.rcv_nxt {
        Class::ResetAtNxt
    } else if segment.seq.within(before.rcv_nxt, window) {
        Class::ResetInWindow
    } else {
        Class::Reset
    }
}

fn syn(arrival: Arrival<'_>, segment: &SegmentHeader, window: u32) -> Class {
    let before = arrival.before;
    let ack = segment.has(Flags::ACK);
    let other = if ack { Class::SynAck } else { Class::Syn };
    match before.state {
        State::TimeWait if arrival.opened && !ack && arrival.may_reopen => Class::SynTaken,
        State::SynReceived if segment.seq == before.irs => match (ack, before.passive) {
            (false, _) => Class::SynAtIrs,
            (true, true) => Class::SynAck,
            (true, false) => Class::SynAckCrossed,
        },
        State::SynReceived if before.passive && table_6(before.rcv_nxt, window, segment) => {
            Class::SynReturns
        }
        _ => other,
    }
}

/// The peer's FIN, which lies left of the window by now.
fn is_fin_again(before: &Vars, segment: &SegmentHeader) -> bool {
    segment.has(Flags::FIN | Flags::ACK) && segment.end() == before.rcv_nxt
}

/// Fifth check, and RFC 5961 §5.
fn is_good_ack(before: &Vars, segment: &SegmentHeader, max_snd_wnd: u32) -> bool {
    let (una, ack) = (before.snd_una, segment.ack);
    let not_too_old = match before.state {
        State::SynReceived => ack.after(una),
        _ => ack.at_or_after(una.back(max_snd_wnd)),
    };
    not_too_old && ack.at_or_before(before.snd_nxt)
}

/// Seventh and eighth check.
fn text_and_fin(arrival: Arrival<'_>, segment: &SegmentHeader) -> Class {
    let before = arrival.before;
    if segment.seg_len() == 0 {
        return Class::Ack;
    }
    let in_order = segment.seq.at_or_before(before.rcv_nxt);
    let place = if in_order {
        Class::InOrder
    } else {
        Class::OutOfOrder
    };
    if !before.state.may_receive() {
        let after_fin = segment.has(Flags::FIN) && before.state != State::TimeWait;
        return if after_fin { Class::FinBeyond } else { place };
    }
    if before.orphan && segment.text_len > 0 {
        Class::ForNobody
    } else if arrival.after == State::TimeWait {
        Class::LastFin
    } else {
        place
    }
}
