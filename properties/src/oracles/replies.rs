//! `replies` (inner): what a segment draws in answer, and what it must not (RFC 9293 §3.10.7;
//! RFC 5961 §3, §4, §5, §7; RFC 1337; ORACLES.md §2). Where nobody is connected (CLOSED, LISTEN)
//! the table needs no variables: packets alone decide.
//!
//! - Each segment is of one class where it arrives; [`table`] says what that class may and must
//!   draw there. An answer has exactly these control bits, SEQ and ACK, goes back to where the
//!   segment came from, and comes once.
//! - What is due at once leaves in the same batch, by itself or on text. An answer to an invalid
//!   segment may be missing if the limit on those (RFC 5961 §7, one per connection) is reached.
//! - What was taken in order is acknowledged in less than 500 ms (MUST-40).
//! - Other ACKs without text leave only for a window that opens, for urgent data, and for what
//!   waits for its ACK: or two ends would go on answering each other. A RST leaves only as an answer, or by a user.
//!
//! - In its quiet time (§3.4.3) a host answers nothing.
//!
//! A damaged segment whose checksum verifies is not judged (E6).

mod batch;
mod class;
mod owed;
mod table;

use std::collections::BTreeMap;
use timewait_sim::{Cause, Finding, Instant, NodeId, Observation, Packet};
use timewait_stack::event::SegmentArrival;
use timewait_stack::wire::Flags;
use timewait_stack::{Event, State};

use self::batch::{Batch, Sent};
use self::class::{Arrival, classes};
use self::owed::Owed;
use crate::event::HostEvent;
use crate::facts::{Delivery, Facts, Seconds, SegmentHeader};
use crate::label::{Incarnation, class as label};
use crate::oracle::{Judge, Notes};

pub use self::table::{Answer, Class, Due, Replies, answer, table};

const NAME: &str = "replies";

/// The oracle `replies`.
#[derive(Debug, Default)]
pub struct ReplyTable {
    /// What the host at hand does about the segment at hand.
    batch: Option<Box<Batch>>,
    /// Room for what is sent in the next one.
    spare: Vec<Sent>,
    /// When each one last answered something invalid.
    limited: BTreeMap<Incarnation, Instant>,
    owed: Owed,
    notes: Notes,
}

impl Judge for ReplyTable {
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
        if self.batch.is_some() && !self.goes_on(seen) {
            self.end(facts, findings);
        }
        self.judge_late(now, facts, findings);
        match *seen {
            Observation::Sent { cause, packet } => self.sent(now, cause, packet, facts, findings),
            Observation::Node {
                node,
                event: HostEvent::Stack(event),
                ..
            } => match event {
                Event::Segment(arrival) => self.arrived(now, node, arrival, facts),
                Event::Snapshot(snapshot) => {
                    let name = facts.name(node, snapshot.connection);
                    if let Some(batch) = self.batch.as_mut().filter(|batch| batch.is_of(name)) {
                        batch.edge = snapshot.vars.rcv_adv;
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn finish(&mut self, now: Instant, facts: &Facts, findings: &mut Vec<Finding>) {
        self.end(facts, findings);
        self.judge_late(now, facts, findings);
    }

    fn notes(&self) -> Notes {
        self.notes.clone()
    }
}

impl ReplyTable {
    /// Whether this belongs to the batch at hand. What the network does with what was sent says
    /// nothing about that.
    fn goes_on(&self, seen: &Observation<'_, HostEvent>) -> bool {
        let Some(batch) = &self.batch else {
            return false;
        };
        let same = |node, cause| node == batch.node && cause == Cause::Packet(batch.packet);
        match *seen {
            Observation::Delivered { .. } => false,
            Observation::Sent { cause, packet } => same(packet.id.origin, cause),
            Observation::Node { node, cause, .. } => same(node, cause),
            Observation::Fate { .. }
            | Observation::Dropped { .. }
            | Observation::Marked { .. }
            | Observation::Fragmented { .. }
            | Observation::Cut { .. }
            | Observation::Restored { .. }
            | Observation::Released { .. }
            | Observation::Passed { .. }
            | Observation::Paused { .. }
            | Observation::Resumed { .. } => true,
        }
    }

    /// A segment was judged: from here on, its host answers.
    fn arrived(&mut self, now: Instant, node: NodeId, arrival: &SegmentArrival, facts: &Facts) {
        let shown = facts.circumstances().clock(node).shows(now);
        let Some(delivery) = facts.delivery() else {
            return;
        };
        if delivery.damaged && delivery.intact {
            return;
        }
        let name = delivery.received_by.map(|(name, _)| name);
        let life = name.and_then(|name| facts.life(name));
        let segment = delivery.segment().filter(|_| is_for(delivery, node, facts));
        let seen = Arrival {
            before: &arrival.before,
            after: arrival.after.state,
            opened: delivery.opened.is_some(),
            quiet: facts.quiet_until(node).is_some_and(|until| now < until),
            max_snd_wnd: life.map_or(0, |life| life.shadow.max_snd_wnd),
            stamped: life
                .zip(segment)
                .is_none_or(|(life, segment)| life.shadow.passes(segment, shown)),
            may_reopen: life.zip(segment).is_some_and(|(life, segment)| {
                life.shadow
                    .may_reopen(arrival.before.rcv_nxt, segment, shown)
            }),
        };
        let (class, other) = classes(seen, segment);
        let state = arrival.before.state;
        let answer_to = |class| answer(class, state).unwrap_or(NOTHING);
        let due = other.map_or(answer_to(class), |other| {
            answer_to(class).or(answer_to(other))
        });
        let (before, after) = (&arrival.before, &arrival.after);
        let due = Answer {
            // The accept queue may have no room for it: then it comes again.
            due: match state {
                State::Listen if facts.acknowledges_cookie(delivery) => Due::Never,
                _ => due.due,
            },
            ..due
        };
        if let Some(name) = name
            && due.due == Due::Delayed
            && before.rcv_nxt != after.rcv_nxt
        {
            self.owed.add(name, now, after.rcv_nxt);
        }
        let batch = Batch {
            at: now,
            node,
            packet: delivery.id,
            class,
            answer: due,
            segment: segment.copied(),
            receiver: delivery.received_by,
            opened: delivery.opened,
            before: before.clone(),
            after: after.clone(),
            edge: after.rcv_adv,
            counts: [Some(class), other].into_iter().flatten().any(|class| {
                // Beside a closed window the ACK field is looked at, and may be invalid (§A.2).
                let invalid = class == Class::BesideClosedWindow;
                invalid || answer_to(class).due == Due::Limited
            }),
            limited: name.is_some_and(|name| self.may_be_limited(now, name, facts)),
            sent: core::mem::take(&mut self.spare),
        };
        self.batch = Some(Box::new(batch));
    }

    /// Something invalid was answered so lately that the limit may be reached.
    fn may_be_limited(&self, now: Instant, name: Incarnation, facts: &Facts) -> bool {
        let interval = facts
            .circumstances()
            .config(name.host)
            .map(|config| config.challenge_interval);
        match (self.limited.get(&name), interval) {
            (Some(last), Some(interval)) => {
                now < facts
                    .circumstances()
                    .clock(name.host)
                    .after(*last, interval)
            }
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    fn sent(
        &mut self,
        now: Instant,
        cause: Cause,
        packet: &Packet,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let Some(header) = facts.segment_sent() else {
            return;
        };
        let tag = Incarnation::from_tag(packet.tag);
        let echo = packet.class & label::ECHO != 0;
        let owed = !echo && header.has(Flags::ACK) && self.owed.acknowledged(tag, header.ack);
        let batch = self.batch.as_mut();
        if let Some(batch) = batch.filter(|_| matches!(cause, Cause::Packet(_))) {
            batch.sent.push(Sent {
                header,
                tag,
                echo,
                back: facts
                    .delivery()
                    .is_some_and(|to| goes_back(to, packet, &header)),
                owed,
            });
        } else if echo && facts.delivery().is_none_or(|delivery| !delivery.damaged) {
            let message = format!(
                "h{} sends {header}, which answers nothing",
                packet.id.origin.0
            );
            findings.push(Finding::violation(NAME, now, message));
        }
    }

    /// The host is done with the segment at hand.
    fn end(&mut self, facts: &Facts, findings: &mut Vec<Finding>) {
        let Some(batch) = self.batch.take() else {
            return;
        };
        for what in batch.wrong(facts) {
            findings.push(Finding::violation(NAME, batch.at, batch.describe(&what)));
        }
        if batch.held_back() {
            *self
                .notes
                .entry("replies: held back by the limit")
                .or_default() += 1;
        }
        if let Some((name, _)) = batch.receiver
            && batch.counts
            && batch.acknowledged()
        {
            self.limited.insert(name, batch.at);
        }
        self.spare = batch.sent;
        self.spare.clear();
    }

    fn judge_late(&mut self, now: Instant, facts: &Facts, findings: &mut Vec<Finding>) {
        for (who, since) in self.owed.late(now, facts) {
            let since = Seconds(since);
            let message = format!("{who} has not acknowledged what it took in order at {since}");
            findings.push(Finding::violation(NAME, now, message));
        }
    }
}

/// A class that the table does not have in that state draws nothing.
const NOTHING: Answer = Answer {
    replies: Replies::NONE,
    due: Due::Never,
};

/// It is from an address that a connection may have, to one of this host (MUST-63, MUST-57).
fn is_for(delivery: &Delivery, node: NodeId, facts: &Facts) -> bool {
    let ours = facts
        .circumstances()
        .config(node)
        .is_none_or(|config| config.addresses.contains(&delivery.dst));
    let from = delivery.src;
    let broadcast = from == core::net::IpAddr::V4(core::net::Ipv4Addr::BROADCAST);
    ours && !broadcast && !from.is_multicast() && !from.is_unspecified()
}

/// The datagram goes where the one at hand came from, between the same ports.
fn goes_back(delivery: &Delivery, packet: &Packet, header: &SegmentHeader) -> bool {
    let ports = |from: &SegmentHeader| (from.source_port, from.destination_port);
    let there = (header.destination_port, header.source_port);
    (packet.src, packet.dst) == (delivery.dst, delivery.src)
        && delivery.header.as_ref().map(ports) == Some(there)
}

#[cfg(test)]
mod tests;
