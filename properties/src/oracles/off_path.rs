//! `off-path` \[I\]: who sees nothing of a connection changes nothing of it (RFC 5961; RFC 9293
//! §3.10.7; ORACLES.md §1). Of every segment that an attacker sent:
//!
//! - If it fails the exact checks, nothing is accepted, and at most one datagram answers it.
//! - Limited answers keep the interval of the profile, on each connection: challenge ACKs to RST and
//!   SYN (RFC 5961 §7), and, by our choice, to a bad ACK and to what lies outside the window without
//!   text. (Text there may be a retransmission whose ACK was lost; each one is answered.)
//!
//! What passes may be accepted, for nobody could tell it from the peer's: a RST at RCV.NXT; a
//! segment in the window with an ACK from UNA - MAX.SND.WND to NXT; in SYN-SENT and SYN-RECEIVED
//! the ACK of the SYN; a SYN in LISTEN; a bare SYN in SYN-SENT; a SYN in the window of a passive
//! SYN-RECEIVED; a SYN that may reopen a TIME-WAIT. Such a lucky guess is counted, and what
//! follows from it is a hazard (E7).
//!
//! - An error of ICMP that quotes a SEQ outside SND.UNA..SND.NXT is not believed (RFC 5927 §4.1).
//!
//! That an attack on one connection leaves another one alone can't be seen in a single run: that
//! is [`check`](mod@crate::check)'s matter.

mod exact;

use std::collections::BTreeMap;
use timewait_sim::{Cause, Finding, Instant, NodeId, Observation, Packet, PacketId};
use timewait_stack::event::{IcmpArrival, SegmentArrival};
use timewait_stack::wire::Flags;
use timewait_stack::{Event, State, Vars};

use super::describe::standing;
use crate::event::HostEvent;
use crate::facts::{Delivery, Facts, SegmentHeader, is_believed};
use crate::label::{Incarnation, class};
use crate::oracle::{Judge, Notes};
use crate::reference::changes;

const NAME: &str = "off-path";

/// The judge. See the module.
#[derive(Debug, Default)]
pub struct OffPath {
    /// The blind segment that is being handled.
    blind: Option<Blind>,
    /// When each connection last sent a limited answer to an attacker.
    answered: BTreeMap<Incarnation, Instant>,
    notes: Notes,
}

/// A segment of an attacker at work.
#[derive(Clone, Copy, Debug)]
struct Blind {
    id: PacketId,
    node: NodeId,
    /// It passed, so anything may follow.
    passed: bool,
    /// A pure ACK that answers it counts against the limit of this connection.
    limited: Option<Incarnation>,
    answers: u32,
}

impl Judge for OffPath {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(
        &mut self,
        now: Instant,
        seen: &Observation<'_, HostEvent>,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let wrong = match *seen {
            Observation::Delivered { node, packet, .. } => {
                let blind = facts.is_attacker(packet.id.origin);
                self.blind = blind.then(|| Blind::new(packet.id, node));
                None
            }
            Observation::Node {
                event: HostEvent::Stack(Event::Segment(arrival)),
                ..
            } if self.blind.is_some() => self.arrived(arrival, facts),
            Observation::Node {
                node,
                event: HostEvent::Stack(Event::Icmp(arrival)),
                ..
            } => self.told(node, arrival, facts),
            Observation::Sent { cause, packet } if self.blind.is_some() => {
                self.sent(now, cause, packet, facts)
            }
            _ => None,
        };
        findings.extend(wrong.map(|message| Finding::violation(NAME, now, message)));
    }

    fn notes(&self) -> Notes {
        self.notes.clone()
    }
}

impl Blind {
    const fn new(id: PacketId, node: NodeId) -> Self {
        Self {
            id,
            node,
            passed: false,
            limited: None,
            answers: 0,
        }
    }
}

impl OffPath {
    fn arrived(&mut self, arrival: &SegmentArrival, facts: &Facts) -> Option<String> {
        let delivery = facts.delivery()?;
        let outcome = delivery.outcome.as_ref()?;
        let blind = self.blind.as_mut()?;
        let before = &arrival.before;
        let passes = delivery
            .segment()
            .and_then(|segment| exact::passes(before, segment, max_snd_wnd(delivery, facts)));
        if let Some(name) = passes {
            blind.passed = true;
            *self.notes.entry(name).or_default() += 1;
            return None;
        }
        *self.notes.entry("off-path: refused").or_default() += 1;
        let limited = delivery
            .segment()
            .is_some_and(|segment| is_limited(before, segment));
        blind.limited = delivery
            .received_by
            .map(|(name, _)| name)
            .filter(|_| limited);
        if !outcome.accepted && delivery.opened.is_none() {
            return None;
        }
        let receiver = standing(delivery.received_by, before);
        let what = changes(before, &arrival.after);
        Some(format!(
            "{receiver} accepted what an attacker sent without a sight of it: {delivery}; {what}"
        ))
    }

    /// Of an error of ICMP that an attacker made up.
    fn told(&mut self, node: NodeId, arrival: &IcmpArrival, facts: &Facts) -> Option<String> {
        facts.delivery().filter(|it| it.forged && it.node == node)?;
        let who = facts.name(node, arrival.connection?);
        let (before, seq) = (&arrival.before, arrival.message?.quote.seq);
        if seq.within(before.snd_una, before.snd_nxt - before.snd_una) {
            *self
                .notes
                .entry("off-path: ICMP about what is on its way")
                .or_default() += 1;
            return None;
        }
        *self.notes.entry("off-path: ICMP refused").or_default() += 1;
        is_believed(arrival.verdict).then(|| {
            format!(
                "{who} believes an attacker's error about SEQ {seq}, though SND.UNA is {} and SND.NXT {} (RFC 5927 §4.1): {:?}",
                before.snd_una, before.snd_nxt, arrival.verdict
            )
        })
    }

    fn sent(
        &mut self,
        now: Instant,
        cause: Cause,
        packet: &Packet,
        facts: &Facts,
    ) -> Option<String> {
        let blind = self.blind.as_mut()?;
        let answers = packet.id.origin == blind.node && cause == Cause::Packet(blind.id);
        if !answers || blind.passed {
            return None;
        }
        blind.answers += 1;
        if blind.answers > 1 {
            let count = blind.answers;
            return Some(format!("{count} answers to one blind segment"));
        }
        let bare = packet.class == class::PURE_ACK;
        let who = blind.limited.filter(|_| bare)?;
        let interval = facts.circumstances().config(who.host)?.challenge_interval;
        let last = self.answered.insert(who, now)?;
        let pause = facts.circumstances().clock(who.host).between(last, now);
        (pause < interval).then(|| {
            format!(
                "{who} answers blind segments {pause:?} apart, {interval:?} at least (RFC 5961 §7)"
            )
        })
    }
}

/// MAX.SND.WND of the receiver, as the windows that it was offered tell.
fn max_snd_wnd(delivery: &Delivery, facts: &Facts) -> u32 {
    let receiver = delivery.received_by.and_then(|(name, _)| facts.life(name));
    receiver.map_or(0, |life| life.shadow.max_snd_wnd)
}

/// An answer to it is limited.
fn is_limited(before: &Vars, segment: &SegmentHeader) -> bool {
    let connected = before.state.is_synchronized() || before.state == State::SynReceived;
    let challenged = segment.has(Flags::RST) || segment.has(Flags::SYN);
    let bare = segment.text_len == 0 && !segment.has(Flags::FIN);
    connected && (challenged || bare || exact::in_offered_window(before, segment))
}

#[cfg(test)]
mod tests;
