//! All that a host sends because of one segment, held against the table.

use timewait_sim::{Instant, NodeId, PacketId};
use timewait_stack::event::Cause;
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, State, Vars};

use super::table::{Answer, Class, Due, Replies};
use crate::facts::{Facts, SegmentHeader};
use crate::label::Incarnation;
use crate::oracles::describe::standing;

/// The control bits that tell one answer from another.
const CONTROL: Flags = Flags::SYN
    .union(Flags::FIN)
    .union(Flags::RST)
    .union(Flags::ACK);

/// A segment that the host sends in the batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) header: SegmentHeader,
    /// Who sends it; of an echo, who sent what it answers.
    pub(super) tag: Incarnation,
    pub(super) echo: bool,
    /// It goes where the segment came from, from where that went.
    pub(super) back: bool,
    /// Something in order waited for its ACK before this one.
    pub(super) owed: bool,
}

/// One segment and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) at: Instant,
    pub(super) node: NodeId,
    pub(super) packet: PacketId,
    pub(super) class: Class,
    pub(super) answer: Answer,
    /// The segment; `None` if it was none.
    pub(super) segment: Option<SegmentHeader>,
    /// Who received it, and the state before; `None`: nobody.
    pub(super) receiver: Option<(Incarnation, State)>,
    /// Who was started by it.
    pub(super) opened: Option<Incarnation>,
    pub(super) before: Vars,
    pub(super) after: Vars,
    /// The right edge after the batch.
    pub(super) edge: SeqNumber,
    /// An answer to it counts against the limit.
    pub(super) counts: bool,
    /// The limit on answers may be reached.
    pub(super) limited: bool,
    pub(super) sent: Vec<Sent>,
}

impl Batch {
    /// Whether `name` has received the segment.
    pub(super) fn is_of(&self, name: Incarnation) -> bool {
        self.receiver.is_some_and(|(receiver, _)| receiver == name)
    }

    /// `what` is wrong, and what the segment was.
    pub(super) fn describe(&self, what: &str) -> String {
        let standing = standing(self.receiver, &self.before);
        let segment = self
            .segment
            .map_or_else(|| "(no segment)".to_owned(), |segment| segment.to_string());
        let PacketId { origin, ordinal } = self.packet;
        let class = self.class.name();
        format!(
            "{standing} received datagram {ordinal} of h{} {segment} ({class}): {what}",
            origin.0
        )
    }

    /// What is wrong with it.
    pub(super) fn wrong(&self, facts: &Facts) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut answered = Replies::NONE;
        let mut snd_nxt = self.after.snd_nxt;
        for sent in &self.sent {
            if !sent.back {
                if sent.echo {
                    wrong.push(format!("{} goes to somebody else", sent.header));
                }
                continue;
            }
            match self.judge(sent, snd_nxt, &mut answered, facts) {
                Ok(()) => {}
                Err(why) => wrong.push(format!("{} is sent: {why}", sent.header)),
            }
            if self.is_ours(sent) {
                snd_nxt = snd_nxt.max(sent.header.end());
            }
        }
        if self.is_missing(answered, facts) {
            wrong.push(format!(
                "{} is due at once and missing",
                self.answer.replies
            ));
        }
        wrong
    }

    /// Whether the answer that is due is missing.
    fn is_missing(&self, answered: Replies, facts: &Facts) -> bool {
        let due = match self.answer.due {
            Due::Never | Due::Delayed => false,
            Due::Limited => !self.limited,
            Due::Now => true,
        };
        due && answered == Replies::NONE && !self.ended_by_user(facts)
    }

    /// Whether the answer to something invalid was held back.
    pub(super) fn held_back(&self) -> bool {
        self.answer.due == Due::Limited && self.limited && !self.acknowledged()
    }

    /// Whether the receiver has sent an ACK.
    pub(super) fn acknowledged(&self) -> bool {
        let ack = |sent: &Sent| self.is_ours(sent) && sent.header.has(Flags::ACK);
        self.sent.iter().any(ack)
    }

    fn judge(
        &self,
        sent: &Sent,
        snd_nxt: SeqNumber,
        answered: &mut Replies,
        facts: &Facts,
    ) -> Result<(), String> {
        let header = &sent.header;
        let control = header.flags & CONTROL;
        if control.contains(Flags::RST) {
            self.reset(sent, snd_nxt, answered, facts)
        } else if control == Flags::SYN | Flags::ACK {
            self.syn_ack(sent, answered)
        } else if control == Flags::SYN {
            let again = self.is_ours(sent);
            forbidden_if(again, "a SYN answers nothing")
        } else if self.is_ours(sent) {
            self.ack(sent, snd_nxt, answered)
        } else {
            Ok(())
        }
    }

    fn reset(
        &self,
        sent: &Sent,
        snd_nxt: SeqNumber,
        answered: &mut Replies,
        facts: &Facts,
    ) -> Result<(), String> {
        let header = &sent.header;
        if !sent.echo && self.ended_by_user(facts) {
            return Ok(());
        }
        let (control, segment) = (header.flags & CONTROL, self.segment.as_ref());
        let echoes = segment.is_some_and(|segment| echoes(header, segment));
        let a = control == Flags::RST && segment.is_some_and(|segment| header.seq == segment.ack);
        let zero = control == Flags::RST | Flags::ACK
            && header.seq == SeqNumber(0)
            && segment.is_some_and(|segment| header.ack == segment.end());
        let fits = [
            (Replies::RST_A, a && echoes),
            (Replies::RST_0, zero && echoes),
            (Replies::RST_OWN, header.seq == snd_nxt),
        ];
        self.one_of(&fits, answered)
    }

    /// The SYN-ACK of a child, of a crossed SYN, or one sent again; or a cookie.
    fn syn_ack(&self, sent: &Sent, answered: &mut Replies) -> Result<(), String> {
        let header = &sent.header;
        let acknowledges = self.segment.as_ref().map(|segment| segment.seq + 1);
        let ours = self.is_ours(sent) && header.seq == self.before.iss;
        let of_child = self.opened == Some(sent.tag) && !sent.echo;
        let cookie = sent.echo && self.opened.is_none() && self.before.state == State::Listen;
        let exact = Some(header.ack) == acknowledges && header.seg_len() == 1;
        self.one_of(
            &[(Replies::SYN_ACK, exact && (ours || of_child || cookie))],
            answered,
        )
    }

    /// Anything else with ACK: an answer, or text, or a window that opens.
    fn ack(&self, sent: &Sent, snd_nxt: SeqNumber, answered: &mut Replies) -> Result<(), String> {
        let header = &sent.header;
        if !header.has(Flags::ACK) || header.ack != self.after.rcv_nxt {
            return Err(format!("RCV.NXT is {}", self.after.rcv_nxt));
        }
        if header.seg_len() > 0 {
            if self.answer.replies.contains(Replies::ACK) {
                *answered = Replies::ACK; // It rides on the text.
            }
            return Ok(());
        }
        if header.seq != snd_nxt {
            return Err(format!("SND.NXT is {snd_nxt}"));
        }
        let asked = self.one_of(&[(Replies::ACK, true)], answered);
        let opens = self.edge.after(self.after.rcv_adv);
        // Urgent data that can't go is announced (§3.8.5).
        if sent.owed || opens || header.has(Flags::URG) {
            Ok(())
        } else {
            asked
        }
    }

    /// The segment is one of the answers, and one that is allowed: the first one.
    fn one_of(&self, fits: &[(Replies, bool)], answered: &mut Replies) -> Result<(), String> {
        let allowed = self.answer.replies;
        let reply = fits
            .iter()
            .find(|(reply, fits)| *fits && allowed.contains(*reply));
        match reply {
            Some((reply, _)) if *answered == Replies::NONE => {
                *answered = *reply;
                Ok(())
            }
            Some(_) => Err("one answer is enough".to_owned()),
            None => Err(format!("allowed is {}", self.answer)),
        }
    }

    /// The receiver has sent it: of an echo, on behalf of the receiver.
    fn is_ours(&self, sent: &Sent) -> bool {
        let receiver = self.receiver.map(|(name, _)| name);
        !sent.echo && Some(sent.tag) == receiver
    }

    /// A user has ended the receiver, or whom the segment started, in this very batch.
    fn ended_by_user(&self, facts: &Facts) -> bool {
        let receiver = self.receiver.map(|(name, _)| name);
        let mut ends = [receiver, self.opened].into_iter().flatten();
        ends.any(|name| {
            let last = facts.life(name).and_then(|life| life.history.last());
            last.is_some_and(|step| {
                let user = matches!(step.cause, Cause::User(_));
                user && step.at == self.at && step.to == State::Closed
            })
        })
    }
}

fn forbidden_if(wrong: bool, why: &str) -> Result<(), String> {
    if wrong { Err(why.to_owned()) } else { Ok(()) }
}

/// A RST that has timestamps, in answer to a segment that has, echoes those and has none of its own
/// (RFC 7323 §5.2).
fn echoes(reset: &SegmentHeader, segment: &SegmentHeader) -> bool {
    match (reset.timestamps, segment.timestamps) {
        (Some(ours), Some((value, _))) => ours == (0, value),
        _ => true,
    }
}
