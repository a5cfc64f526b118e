//! The table: every allowed transition with its causes (RFC 9293 §3.3.2, figure 5, §3.10).

use timewait_stack::State;
use timewait_stack::event::{Call, Cause, Timer};

use crate::facts::Step;

/// What must come along with a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Nothing more.
    None,
    /// A SYN without ACK.
    Syn,
    /// A SYN with ACK.
    SynAck,
    /// An ACK and no RST.
    Ack,
    /// An ACK of the FIN.
    FinAcked,
    /// An ACK, at a host whose listeners send SYN cookies.
    Cookie,
    /// It came from LISTEN, and a SYN cookie that reached the peer takes its place.
    PassiveCookie,
    /// A RST.
    Reset,
    /// A RST or a SYN in the window.
    ResetOrSyn,
    /// A RST, or text that comes after the user has gone and is answered by one (SHLD-3).
    ResetOrLostText,
    /// A RST or an ACK of the FIN.
    ResetOrFinAcked,
    /// An ICMP error that the profile lets end a connection in this state (§3.9.2.2, SHLD-26).
    HardError,
    /// The user has shut the sending side before.
    Closed,
    /// It came from LISTEN.
    Passive,
    /// It came from LISTEN, and a RST or a SYN sends it back.
    PassiveResetOrSyn,
}

/// What the step takes besides its cause; `None`: there is no such step by this cause.
pub(super) fn evidence(step: Step) -> Option<Evidence> {
    use State::{
        CloseWait, Closed, Closing, Established, FinWait1, FinWait2, LastAck, Listen, SynReceived,
        SynSent, TimeWait,
    };
    let cause = step.cause;
    match (step.from, step.to) {
        (Closed, Listen) => by_call(cause, &[Call::Listen]),
        (Closed | Listen, SynSent) => by_call(cause, &[Call::Connect]),
        // RFC 4987 §3.6: the acknowledgment of a SYN cookie.
        (Listen, Established) => by_segment(cause, Evidence::Cookie),
        (SynReceived, Closed) if cause == Cause::Replaced => Some(Evidence::PassiveCookie),
        (Listen, Closed) => by_call(cause, &[Call::Close, Call::Abort]),
        (Listen | SynSent | TimeWait, SynReceived) => by_segment(cause, Evidence::Syn),
        (SynSent, Established | CloseWait) => by_segment(cause, Evidence::SynAck),
        (SynSent, Closed) => leaves(cause, Evidence::Reset),
        (SynReceived, Established | CloseWait) => by_segment(cause, Evidence::Ack),
        (SynReceived | Established, FinWait1) | (CloseWait, LastAck) => closes(cause),
        (SynReceived, Listen) => match cause {
            Cause::Segment => Some(Evidence::PassiveResetOrSyn),
            Cause::Timer(Timer::Retransmit | Timer::User) => Some(Evidence::Passive),
            _ => None,
        },
        (SynReceived, TimeWait) => leaves(cause, Evidence::ResetOrSyn),
        (SynReceived | Established | CloseWait, Closed) => leaves(cause, Evidence::Reset),
        (Established, CloseWait) => by_segment(cause, Evidence::Ack),
        (FinWait1, FinWait2) => by_segment(cause, Evidence::FinAcked),
        (FinWait1, Closing) => by_segment(cause, Evidence::Ack),
        (FinWait2, TimeWait) => sender_of_rst(cause).or(by_segment(cause, Evidence::Ack)),
        (FinWait1 | Closing, TimeWait) => {
            sender_of_rst(cause).or(by_segment(cause, Evidence::FinAcked))
        }
        (Established | CloseWait | LastAck, TimeWait) => sender_of_rst(cause),
        (FinWait1 | FinWait2, Closed) => leaves(cause, Evidence::ResetOrLostText),
        (Closing, Closed) => leaves(cause, Evidence::Reset),
        (LastAck, Closed) => leaves(cause, Evidence::ResetOrFinAcked),
        (TimeWait, Closed) => match cause {
            Cause::Timer(Timer::TimeWait) | Cause::Replaced | Cause::User(Call::Abort) => {
                Some(Evidence::None)
            }
            _ => None,
        },
        _ => None,
    }
}

fn by_call(cause: Cause, calls: &[Call]) -> Option<Evidence> {
    matches!(cause, Cause::User(call) if calls.contains(&call)).then_some(Evidence::None)
}

fn by_segment(cause: Cause, evidence: Evidence) -> Option<Evidence> {
    (cause == Cause::Segment).then_some(evidence)
}

/// CLOSE, at once or when what was sent before it has left (§3.10.4).
fn closes(cause: Cause) -> Option<Evidence> {
    match cause {
        Cause::User(call) => by_call(Cause::User(call), &[Call::Close, Call::Shutdown]),
        Cause::Segment | Cause::Timer(_) => Some(Evidence::Closed),
        Cause::Replaced | Cause::Icmp => None,
    }
}

/// To CLOSED without FIN: ABORT, CLOSE that loses data or comes before the handshake is over,
/// R2 and the other timers that give up, a hard error of ICMP, and a segment with this evidence.
fn leaves(cause: Cause, evidence: Evidence) -> Option<Evidence> {
    match cause {
        Cause::User(Call::Close | Call::Abort | Call::Shutdown) => Some(Evidence::None),
        Cause::Timer(
            Timer::Retransmit | Timer::Persist | Timer::Keepalive | Timer::User | Timer::FinWait2,
        ) => Some(Evidence::None),
        Cause::Segment => Some(evidence),
        Cause::Icmp => Some(Evidence::HardError),
        Cause::User(_) | Cause::Timer(_) | Cause::Replaced => None,
    }
}

/// Who sends a RST may keep TIME-WAIT (§3.5.2, figure 5 note 3).
fn sender_of_rst(cause: Cause) -> Option<Evidence> {
    by_call(cause, &[Call::Abort, Call::Close])
}
