//! `quiescence` \[I\]: two ends that have nothing to say to each other fall silent (RFC 9293
//! §3.10.7.4; RFC 1337 §2, hazard H2).
//!
//! A *reply* is sent in the step that handles a datagram, with no timer and no user in between.
//!
//! - (a) A chain of replies without acceptance at either end is at most 8 long. Octets that were
//!   never sent before break it: a duplicate ACK may release them (RFC 5681 §3.2, limited
//!   transmit) though nothing but a count changes, and what the user gave has an end. And so does a
//!   datagram that the network has kept for as long as RFC 5961 §7 lets nobody answer twice: two
//!   ends that must answer each other (a TIME-WAIT and what a copy of its SYN has made) go on at
//!   that pace until one of them is gone, which is for `close` to judge.
//! - (b) Along a chain of replies no cycle comes back to the same abstract state of both ends for
//!   the third time, unless a timer or a user acted in between. (It must be along *one* chain: ten
//!   copies of an old segment rightly draw ten equal acknowledgments. And something must have
//!   been accepted: while nothing is, the state stays as it is, and (a) counts.)
//! - (c) Both users idle, nothing unsent, unacknowledged or behind a closed window: after
//!   G + 2MSL only keepalive probes and what they draw.
//!
//! A SYN that a timer repeats, its re-acknowledgment and the RST against TIME-WAIT are three
//! chains of one or two replies, and end with 2MSL. Attackers would explain a loop; there are
//! none. \[W\], sixteen equal acknowledgments back and forth, is for captures.

mod chain;
mod idle;

use std::collections::BTreeMap;
use timewait_sim::{Cause, Finding, Instant, NodeId, Observation, Packet, PacketId};
use timewait_stack::event::{IcmpVerdict, Timer};
use timewait_stack::{Event, SeqNumber, State, Vars};

use crate::event::HostEvent;
use crate::facts::{Delivery, Facts, accepted, connection_of};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;
use crate::oracles::report::Report;

/// The oracle `quiescence`.
#[derive(Debug, Default)]
pub struct Quiescence {
    step: Step,
    chains: chain::Chains,
    flows: BTreeMap<u64, idle::Flow>,
    /// The sequence number after the last that each has sent.
    sent_to: BTreeMap<Incarnation, SeqNumber>,
}

/// What happens at one node for one cause.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    key: Option<(Instant, NodeId, Cause)>,
    /// Something was accepted, came to be or changed its state.
    accepted: bool,
    /// A sequence number went on: no earlier state can come back.
    progress: bool,
    /// A user acted.
    user: bool,
    /// A keepalive timer expired.
    keepalive: bool,
}

impl Judge for Quiescence {
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
        match *seen {
            Observation::Delivered { node, packet, .. } => {
                self.step = Step::new((now, node, Cause::Packet(packet.id)));
            }
            Observation::Node { node, cause, event } => {
                self.step.begin((now, node, cause));
                match event {
                    HostEvent::Stack(event) => self.happened(node, event, now, facts),
                    HostEvent::User(event) => {
                        self.step.user = true;
                        let who = connection_of(event).map(|name| facts.name(node, name));
                        if let Some(flow) = who.and_then(|who| self.flow(who, facts)) {
                            flow.user(now);
                        }
                    }
                    HostEvent::Crashed | HostEvent::Rebooted { .. } => self.step.user = true,
                    HostEvent::Box(_) => {}
                }
            }
            Observation::Sent { cause, packet } => {
                self.step.begin((now, packet.id.origin, cause));
                let who = Incarnation::from_tag(packet.tag);
                self.sent(
                    packet,
                    &mut Report {
                        oracle: NAME,
                        who,
                        now,
                        facts,
                        findings,
                    },
                );
            }
            _ => {}
        }
    }
}

impl Step {
    fn new(key: (Instant, NodeId, Cause)) -> Self {
        Self {
            key: Some(key),
            ..Self::default()
        }
    }

    fn begin(&mut self, key: (Instant, NodeId, Cause)) {
        if self.key != Some(key) {
            *self = Self::new(key);
        }
    }

    /// The datagram that what is sent now replies to.
    fn replies_to(&self) -> Option<PacketId> {
        match self.key {
            Some((_, _, Cause::Packet(id))) if !self.user => Some(id),
            _ => None,
        }
    }
}

impl Quiescence {
    fn happened(&mut self, node: NodeId, event: &Event, now: Instant, facts: &Facts) {
        match event {
            Event::Segment(arrival) => {
                let (before, after) = (&arrival.before, &arrival.after);
                self.step.accepted |= accepted(before, after);
                self.step.progress |= progress(before, after);
            }
            Event::Icmp(arrival) => {
                self.step.accepted |= matches!(arrival.verdict, IcmpVerdict::PathMtu(_));
            }
            Event::Opened { connection, .. } => {
                self.step.accepted = true;
                let who = facts.name(node, *connection);
                if let Some(flow) = self.flow(who, facts) {
                    flow.opened(who, facts);
                }
            }
            Event::Transition { connection, to, .. } => {
                self.step.accepted = true;
                let who = facts.name(node, *connection);
                if matches!(to, State::Closed | State::Listen) {
                    self.sent_to.remove(&who);
                }
                if let Some(flow) = self.flow(who, facts) {
                    flow.active(now);
                }
            }
            Event::Timer {
                connection, timer, ..
            } => {
                self.step.keepalive |= *timer == Timer::Keepalive;
                if let Some(flow) = self.flow(facts.name(node, *connection), facts) {
                    flow.timer();
                }
            }
            Event::Snapshot(snapshot) => {
                let who = facts.name(node, snapshot.connection);
                if let Some(flow) = self.flow(who, facts) {
                    flow.busy(who, &snapshot.vars, now);
                }
            }
            Event::Reopened { .. }
            | Event::Ready { .. }
            | Event::RttSample { .. }
            | Event::ShiftTooLarge { .. } => {}
        }
    }

    fn flow(&mut self, who: Incarnation, facts: &Facts) -> Option<&mut idle::Flow> {
        Some(self.flows.entry(facts.flow_of(who)?).or_default())
    }

    /// Whether the datagram holds text, SYN or FIN that its incarnation never sent before.
    fn is_new(&mut self, packet: &Packet, who: Incarnation, facts: &Facts) -> bool {
        let counts = packet.class & (class::ECHO | class::RST) == 0;
        let header = facts.segment_sent().filter(|_| counts);
        let Some(header) = header.filter(|header| header.seg_len() > 0) else {
            return false;
        };
        let end = header.end();
        let sent_to = self.sent_to.entry(who).or_insert(header.seq);
        let new = end.after(*sent_to);
        *sent_to = end.max(*sent_to);
        new
    }

    fn sent(&mut self, packet: &Packet, report: &mut Report<'_>) {
        let mut step = self.step;
        if self.is_new(packet, report.who, report.facts) {
            (step.accepted, step.progress) = (true, true);
        }
        let known = report.facts.flow_of(report.who);
        let Some(flow) = self.flows.get(&known.unwrap_or(packet.flow)) else {
            return;
        };
        let verdict = self.chains.sent(chain::Sent {
            id: packet.id,
            cause: step.replies_to(),
            accepted: step.accepted,
            late: is_late(report),
            // Going on rules a cycle out, and is what nearly every datagram of a transfer does.
            look: if step.progress {
                chain::Look::New
            } else if step.accepted {
                chain::Look::Perhaps(flow.digest(report.facts))
            } else {
                chain::Look::Same
            },
            epoch: flow.epoch(),
            keepalive: step.keepalive,
        });
        // Who answers whom: the sender of what is answered need not be the pair (RFC 1337 H2).
        let answered = report.facts.delivery().map(|delivery| delivery.tag);
        if verdict.replies > chain::REPLIES_MAX {
            let message = format!("a chain of {} replies, none accepted", verdict.replies);
            report.violation_between(answered, message);
        }
        if verdict.seen >= chain::SEEN_MAX {
            let message = format!(
                "both ends are in one state for the {}th time in a chain of replies",
                verdict.seen
            );
            report.violation_between(answered, message);
        }
        if !verdict.keepalive && flow.is_idle(report) {
            report.violation("a datagram between two ends that have long been idle");
        }
    }
}

/// What `who` handles was on its way for longer than the interval of its limit.
fn is_late(report: &Report<'_>) -> bool {
    let interval = report.config().map(|config| config.challenge_interval);
    let age = report.facts.delivery().map(Delivery::age);
    age.zip(interval)
        .is_some_and(|(age, interval)| age >= interval)
}

/// SND.UNA, SND.NXT or RCV.NXT went on: what never goes back rules a cycle out.
fn progress(before: &Vars, after: &Vars) -> bool {
    before.snd_una != after.snd_una
        || before.snd_nxt != after.snd_nxt
        || before.rcv_nxt != after.rcv_nxt
}

const NAME: &str = "quiescence";

#[cfg(test)]
mod tests;
