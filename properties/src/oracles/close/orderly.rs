//! (b): an orderly close ends without an error (RFC 9293 §3.6, §3.6.1, §3.10.7.4).
//!
//! Both users have read everything and closed, nobody aborted (E3). What may still go wrong is
//! the last acknowledgment: the network may lose it until TIME-WAIT is over and a RST answers the
//! FIN, or until the passive closer gives up (E4). Whether the *network* did that is seen from
//! the datagrams, since a stack that does not re-acknowledge a FIN must not excuse itself: a FIN
//! that arrived in TIME-WAIT was answered, and no such answer that arrived was without effect.
//! This replaces the condition `2MSL > RTO at the FIN + RTT`, which only says that a second FIN
//! can come in time.

use std::collections::BTreeMap;
use timewait_sim::{Cause, Packet, PacketId};
use timewait_stack::State;
use timewait_stack::event::{SegmentArrival, Timer};
use timewait_stack::wire::Flags;

use crate::facts::{Ending, Life};
use crate::label::{Incarnation, class};
use crate::oracles::report::Report;

/// The FINs that reached TIME-WAIT, and what became of their acknowledgments.
#[derive(Debug, Default)]
pub(super) struct LastAcks {
    unanswered: Option<Fin>,
    /// Acknowledgments on their way, with the incarnation whose FIN each answers.
    answers: BTreeMap<PacketId, Incarnation>,
    chances: BTreeMap<Incarnation, Chance>,
}

/// A FIN that is being handled.
#[derive(Clone, Copy, Debug)]
struct Fin {
    from: Incarnation,
    to: Incarnation,
    id: PacketId,
}

/// Why an end that fails although all was read can't put it down to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chance {
    Unanswered,
    Answered,
}

impl Chance {
    const fn words(self) -> &'static str {
        match self {
            Self::Unanswered => "its FIN reached TIME-WAIT and was not acknowledged",
            Self::Answered => "the acknowledgment of its FIN had arrived",
        }
    }
}

impl LastAcks {
    /// Another datagram is delivered: the answer to the last one did not come.
    pub(super) fn delivered(&mut self) {
        if let Some(fin) = self.unanswered.take() {
            self.chances.entry(fin.from).or_insert(Chance::Unanswered);
        }
    }

    pub(super) fn sent(&mut self, cause: Cause, packet: &Packet) {
        let Some(fin) = self.unanswered else { return };
        let answers = cause == Cause::Packet(fin.id) && packet.tag == fin.to.tag();
        if answers && packet.class & (class::ECHO | class::RST) == 0 {
            self.answers.insert(packet.id, fin.from);
            self.unanswered = None;
        }
    }

    pub(super) fn arrived(&mut self, arrival: &SegmentArrival, report: &Report<'_>) {
        let (who, facts) = (report.who, report.facts);
        let Some(delivery) = facts.delivery() else {
            return;
        };
        let Some(header) = delivery.segment().filter(|_| !delivery.damaged) else {
            return;
        };
        if self.answers.get(&delivery.id) == Some(&who) {
            self.chances.entry(who).or_insert(Chance::Answered);
        }
        let to_the_last = header.has(Flags::FIN) && header.end() == arrival.after.rcv_nxt;
        if to_the_last
            && arrival.after.state == State::TimeWait
            && facts.pair_of(who) == Some(delivery.tag)
        {
            let (from, to, id) = (delivery.tag, who, delivery.id);
            self.unanswered = Some(Fin { from, to, id });
        }
    }

    /// An incarnation has ended. The name of the exemption, if it needed one.
    pub(super) fn ended(&mut self, life: &Life, report: &mut Report<'_>) -> Option<&'static str> {
        if self.unanswered.is_some_and(|fin| fin.from == life.name) {
            self.delivered();
        }
        let chance = self.chances.remove(&life.name);
        self.answers.retain(|_, from| *from != life.name);
        let ending = life.end?.ending;
        let failed = match ending {
            Ending::Reset => true,
            Ending::GaveUp(timer) => timer != Timer::FinWait2,
            _ => false,
        };
        let pair = report
            .facts
            .pair_of(life.name)
            .and_then(|name| report.facts.life(name))?;
        if !failed || !read_everything(life, pair) || !read_everything(pair, life) {
            return None;
        }
        if !ends_by_fin(pair) {
            return Some("close: E3");
        }
        if report.facts.is_reset_before_cookie(life.name, pair.name) {
            return Some("close: reset before its cookie came");
        }
        let peer_stays = ending == Ending::Reset && pair.state.is_synchronized();
        let fault = match chance {
            Some(chance) => chance.words(),
            None if peer_stays => "its peer has not ended",
            None => return Some("close: E4"),
        };
        report.violation(format!(
            "ended by {ending:?} though both had read everything: {fault}"
        ));
        None
    }
}

/// The user of `reader` has read all that the user of `writer` gave, and has closed.
fn read_everything(reader: &Life, writer: &Life) -> bool {
    reader.user.octets_received == writer.user.octets_sent
        && reader.user.aborted_at.is_none()
        && reader.user.unread_at_close == 0
        && reader.both_shut_at().is_some()
}

/// E3: it has not ended but by its FIN and its peer's.
fn ends_by_fin(life: &Life) -> bool {
    life.end
        .is_none_or(|end| matches!(end.ending, Ending::Orderly | Ending::Replaced))
}
