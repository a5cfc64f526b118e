//! The reply table as data (ORACLES.md §2): one row for each class of segment, one column for each
//! state. [`table`] prints it, for review.

use core::fmt;
use timewait_stack::State;

/// What a segment is to the one that it reaches: which of the checks of RFC 9293 §3.10.7 decides
/// about its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It comes while the host keeps its quiet time (§3.4.3).
    Quiet,
    /// No segment, a wrong checksum (MUST-3), or from or to an address that no connection has.
    Damaged,
    /// A RST that is not in the window, or where there is no window.
    Reset,
    /// A RST in the window but not at RCV.NXT (RFC 5961 §3).
    ResetInWindow,
    /// A RST at RCV.NXT.
    ResetAtNxt,
    /// A bare SYN that starts an incarnation: in LISTEN, or one that reopens TIME-WAIT (MAY-2, RFC
    /// 6191).
    SynTaken,
    /// Any other bare SYN.
    Syn,
    /// The SYN that started this connection, once more.
    SynAtIrs,
    /// A SYN, with or without ACK, in the window of a passive SYN-RECEIVED.
    SynReturns,
    /// A SYN-ACK of our SYN.
    SynAckGood,
    /// The SYN-ACK of the other side of a simultaneous open.
    SynAckCrossed,
    /// Any other SYN-ACK.
    SynAck,
    /// Neither ACK nor SYN nor RST, where Table 6 lets it in.
    Bare,
    /// Table 6 refuses it; neither SYN nor RST.
    Outside,
    /// Nothing but an ACK, one beyond a closed window: its sender has sent a probe that was refused
    /// (§A.2).
    BesideClosedWindow,
    /// TIME-WAIT: the peer's FIN again.
    FinAgain,
    /// It acknowledges what was never sent, or is too old (RFC 5961 §5).
    BadAck,
    /// Its ACK is good, and it has neither text nor FIN (in CLOSED and LISTEN: any ACK).
    Ack,
    /// Text or FIN at RCV.NXT.
    InOrder,
    /// Text or FIN at RCV.NXT that leads to TIME-WAIT.
    LastFin,
    /// Text or FIN beyond RCV.NXT.
    OutOfOrder,
    /// Text in the window for a user that has closed (SHLD-3).
    ForNobody,
    /// A FIN in the window after the peer's FIN was taken.
    FinBeyond,
    /// Its timestamp is older than TS.Recent (PAWS, RFC 7323 §5.3).
    OldStamp,
    /// It lacks the timestamp that both ends agreed on (RFC 7323 §3.2).
    Unstamped,
}

impl Class {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "in the quiet time",
            Self::Damaged => "damaged, or not for us",
            Self::Reset => "RST, not in a window",
            Self::ResetInWindow => "RST in the window",
            Self::ResetAtNxt => "RST at RCV.NXT",
            Self::SynTaken => "SYN that starts one",
            Self::Syn => "SYN, any other",
            Self::SynAtIrs => "SYN at IRS",
            Self::SynReturns => "SYN in a passive one's window",
            Self::SynAckGood => "SYN-ACK of our SYN",
            Self::SynAckCrossed => "SYN-ACK at IRS, crossed",
            Self::SynAck => "SYN-ACK, any other",
            Self::Bare => "no ACK, SYN, RST; SEQ good",
            Self::Outside => "SEQ unacceptable",
            Self::BesideClosedWindow => "ACK beside a closed window",
            Self::FinAgain => "the peer's FIN again",
            Self::BadAck => "ACK bad",
            Self::Ack => "ACK good, no text",
            Self::InOrder => "text or FIN in order",
            Self::LastFin => "FIN that ends in TIME-WAIT",
            Self::OutOfOrder => "text or FIN out of order",
            Self::ForNobody => "text for a gone user",
            Self::FinBeyond => "FIN beyond the peer's FIN",
            Self::OldStamp => "older than TS.Recent",
            Self::Unstamped => "without its timestamp",
        }
    }
}

/// A set of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replies(u8);

impl Replies {
    /// No answer.
    pub const NONE: Self = Self(0);
    /// `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`.
    pub const ACK: Self = Self(1);
    /// `<SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>`.
    pub const SYN_ACK: Self = Self(2);
    /// `<SEQ=SEG.ACK><CTL=RST>`.
    pub const RST_A: Self = Self(4);
    /// `<SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>`.
    pub const RST_0: Self = Self(8);
    /// `<SEQ=SND.NXT><CTL=RST>`, as ABORT sends it.
    pub const RST_OWN: Self = Self(16);

    const NAMES: [(Self, &'static str); 5] = [
        (Self::ACK, "ACK"),
        (Self::SYN_ACK, "SYN-ACK"),
        (Self::RST_A, "RSTa"),
        (Self::RST_0, "RST0"),
        (Self::RST_OWN, "RST"),
    ];

    /// The answers in either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("-");
        }
        let names = Self::NAMES.iter().filter(|(one, _)| self.contains(*one));
        for (index, (_, name)) in names.enumerate() {
            f.write_str(if index > 0 { "/" } else { "" })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// Whether and when an answer is due. In order of strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// None is due; one may come.
    Never,
    /// What was taken is acknowledged in less than 500 ms (MUST-40).
    Delayed,
    /// At once, unless the limit on answers (RFC 5961 §7) is reached.
    Limited,
    /// At once.
    Now,
}

/// What may and must be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The answers allowed.
    pub replies: Replies,
    /// Whether one of them is due.
    pub due: Due,
}

impl Answer {
    const fn new(replies: Replies, due: Due) -> Self {
        Self { replies, due }
    }

    /// What is right if it is not known which of the two cases is at hand.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            replies: self.replies.or(other.replies),
            due: self.due.min(other.due),
        }
    }
}

/// `-`, `ACK` at once, `ACK~` within the delayed-ACK bound, `ACK*` unless limited, `ACK?` perhaps.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.due {
            Due::Never if self.replies == Replies::NONE => "",
            Due::Never => "?",
            Due::Delayed => "~",
            Due::Limited => "*",
            Due::Now => "",
        };
        write!(f, "{}{mark}", self.replies)
    }
}

/// An entry; `None`: there is no such class in that state.
type Cell = Option<Answer>;

const fn cell(replies: Replies, due: Due) -> Cell {
    Some(Answer::new(replies, due))
}

/// There is no such class in that state.
const X: Cell = None;
/// No answer.
const NO: Cell = cell(Replies::NONE, Due::Never);
/// An ACK at once.
const AN: Cell = cell(Replies::ACK, Due::Now);
/// An ACK, if the limit allows.
const AL: Cell = cell(Replies::ACK, Due::Limited);
/// An ACK, perhaps later.
const AD: Cell = cell(Replies::ACK, Due::Delayed);
/// An ACK, perhaps.
const AM: Cell = cell(Replies::ACK, Due::Never);
/// A SYN-ACK at once.
const SA: Cell = cell(Replies::SYN_ACK, Due::Now);
/// A SYN-ACK, perhaps: a cookie, if the queue is full.
const SM: Cell = cell(Replies::SYN_ACK, Due::Never);
/// An ACK or the SYN-ACK again, if the limit allows.
const SL: Cell = cell(Replies::ACK.or(Replies::SYN_ACK), Due::Limited);
/// A RST that the sender of an ACK takes.
const RA: Cell = cell(Replies::RST_A, Due::Now);
/// A RST that the sender of a segment without ACK takes.
const R0: Cell = cell(Replies::RST_0, Due::Now);
/// A RST, because text is lost; or an ACK, for only a SHOULD says so.
const RL: Cell = cell(
    Replies::RST_A.or(Replies::RST_OWN).or(Replies::ACK),
    Due::Now,
);

/// The columns are the states in the RFC's order: CLOSED, LISTEN, SYN-SENT, SYN-RECEIVED,
/// ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2, CLOSE-WAIT, CLOSING, LAST-ACK, TIME-WAIT.
const TABLE: [(Class, [Cell; 11]); 25] = [
    (Class::Quiet, [NO, X, X, X, X, X, X, X, X, X, X]),
    (Class::Damaged, [NO; 11]),
    (Class::Reset, [NO; 11]),
    (
        Class::ResetInWindow,
        [X, X, X, AL, AL, AL, AL, AL, AL, AL, NO],
    ),
    (Class::ResetAtNxt, [X, X, X, NO, NO, NO, NO, NO, NO, NO, NO]),
    (Class::SynTaken, [X, SA, X, X, X, X, X, X, X, X, SA]),
    // TIME-WAIT: RFC 6191 §2 would have it dropped in silence.
    (Class::Syn, [R0, SM, SA, AL, AL, AL, AL, AL, AL, AL, AM]),
    (Class::SynAtIrs, [X, X, X, SL, X, X, X, X, X, X, X]),
    (Class::SynReturns, [X, X, X, AM, X, X, X, X, X, X, X]),
    (Class::SynAckGood, [X, X, AN, X, X, X, X, X, X, X, X]),
    (Class::SynAckCrossed, [X, X, X, AM, X, X, X, X, X, X, X]),
    (Class::SynAck, [RA, RA, X, AL, AL, AL, AL, AL, AL, AL, AL]),
    (Class::Bare, [R0, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO]),
    (Class::Outside, [X, X, X, AL, AL, AL, AL, AL, AL, AL, AL]),
    (
        Class::BesideClosedWindow,
        [X, X, X, AM, AM, AM, AM, AM, AM, AM, AM],
    ),
    (Class::FinAgain, [X, X, X, X, X, X, X, X, X, X, AN]),
    (Class::BadAck, [X, X, RA, RA, AL, AL, AL, AL, AL, AL, AL]),
    (Class::Ack, [RA, RA, NO, NO, NO, NO, NO, NO, NO, NO, NO]),
    (Class::InOrder, [X, X, X, AD, AD, AD, AD, NO, NO, NO, NO]),
    (Class::LastFin, [X, X, X, X, X, AN, AN, X, X, X, X]),
    (Class::OutOfOrder, [X, X, X, AN, AN, AN, AN, NO, NO, NO, NO]),
    (Class::ForNobody, [X, X, X, RL, X, RL, RL, X, X, X, X]),
    (Class::FinBeyond, [X, X, X, X, X, X, X, AM, AM, AM, NO]),
    (Class::OldStamp, [X, X, X, AL, AL, AL, AL, AL, AL, AL, AL]),
    (Class::Unstamped, [X, X, X, NO, NO, NO, NO, NO, NO, NO, NO]),
];

/// What a segment of this class may and must draw in this state; `None`: there is no such thing.
pub fn answer(class: Class, state: State) -> Option<Answer> {
    let (row, cells) = TABLE.get(class as usize)?;
    debug_assert_eq!(*row, class);
    cells.get(state as usize).copied().flatten()
}

/// The whole table as text.
pub fn table() -> String {
    use fmt::Write as _;
    let mut text = String::new();
    let mut line = |first: &str, cells: &mut dyn Iterator<Item = String>| {
        let _ = write!(text, "{first:31}");
        for cell in cells {
            let _ = write!(text, " {cell:12}");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    };
    line("", &mut State::ALL.iter().map(ToString::to_string));
    for (class, cells) in &TABLE {
        let show = |cell: &Cell| cell.map_or_else(String::new, |answer| answer.to_string());
        line(class.name(), &mut cells.iter().map(show));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Answer, Class, Due, Replies, TABLE, answer};
    use timewait_stack::State;

    #[test]
    fn every_class_has_its_row_and_no_state_is_missing() {
        for (index, (class, _)) in TABLE.iter().enumerate() {
            assert_eq!(*class as usize, index);
        }
        assert_eq!(TABLE.len(), Class::Unstamped as usize + 1);
        for state in State::ALL {
            assert!(answer(Class::Damaged, state).is_some());
        }
    }

    /// RFC 9293 §3.10.7: no RST is ever answered by a RST, in whatever state.
    #[test]
    fn no_reset_draws_a_reset() {
        let resets = Replies::RST_A.or(Replies::RST_0).or(Replies::RST_OWN);
        for state in State::ALL {
            for class in [Class::Reset, Class::ResetInWindow, Class::ResetAtNxt] {
                let replies = answer(class, state).map_or(Replies::NONE, |answer| answer.replies);
                assert!(!resets.0 & replies.0 == replies.0, "{class:?} in {state}");
            }
        }
    }

    #[test]
    fn in_doubt_both_answers_are_right_and_the_milder_demand_holds() {
        let ack = Answer::new(Replies::ACK, Due::Now);
        let none = Answer::new(Replies::NONE, Due::Never);
        assert_eq!(ack.or(none), Answer::new(Replies::ACK, Due::Never));
    }
}
