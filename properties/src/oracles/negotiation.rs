//! `negotiation` \[I+W\]: what the two SYNs agree on is kept to, and nothing else is used
//! (RFC 9293 §3.2, §3.7.1).
//!
//! In force for an incarnation is what stood in the SYN or SYN-ACK that set its IRS: what another
//! attempt on the same addresses was offered does not count, nor what a copy says later.
//!
//! - MSS: only in SYN segments (MUST-65), in each of them where it is not the default (MUST-14,
//!   SHLD-5), never more than the link carries (MUST-67); text and options of a segment together
//!   are never more than the peer's MSS, or 536 or 1220 without the option (MUST-15, MUST-16).
//! - Window scale (`scale.rs`), timestamps (`timestamps.rs`) and SACK (`sack.rs`): offered by SYNs and
//!   by no other segment, answered in a SYN-ACK, in force only if both SYNs had the option; and then
//!   used as their RFCs have it.
//! - ECN (RFC 3168 §6.1): agreed by the flags of both SYNs, ECN-capable is only new text, a mark is
//!   echoed until CWR comes, CWR answers ECE.

mod ecn;
mod mss;
mod sack;
mod scale;
mod timestamps;

use std::collections::BTreeMap;
use timewait_sim::{Cause, Finding, Instant, Observation, Packet};
use timewait_stack::event::{IcmpVerdict, SegmentArrival};
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Event, State};

use super::report::Report;
use crate::clock::Clock;
use crate::event::HostEvent;
use crate::facts::{Facts, Life, SegmentHeader, is_by_cookie, sets_irs};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;

const NAME: &str = "negotiation";

/// The judge. See the module.
#[derive(Debug, Default)]
pub struct Negotiation {
    agreed: BTreeMap<Incarnation, Agreed>,
}

/// What the SYNs of an incarnation and of its parent said.
#[derive(Clone, Debug, Default)]
struct Agreed {
    syns: Syns,
    ecn: ecn::Ecn,
    clock: timestamps::Clock,
    receiver: sack::Receiver,
    /// What a router has said that the path carries, and when.
    path: Option<(u16, Instant)>,
}

/// The two SYNs that count. Of an end that began with a cookie: the SYN that nobody remembers, and the
/// SYN-ACK that was a cookie.
#[derive(Clone, Copy, Debug, Default)]
struct Syns {
    /// The SYN or SYN-ACK that it sent last.
    own: Option<SegmentHeader>,
    /// The SYN or SYN-ACK that set IRS.
    peer: Option<SegmentHeader>,
}

impl Syns {
    /// Whether both have something; `None`: one of them is not known.
    fn both(&self, has: impl Fn(&SegmentHeader) -> bool) -> Option<bool> {
        Some(has(self.own.as_ref()?) && has(self.peer.as_ref()?))
    }
}

impl Agreed {
    /// The largest datagram that may be sent: a report of a router holds until a larger size may be
    /// tried (RFC 1191 §6.3, RFC 8201 §4).
    fn mtu(&self, config: &Config, clock: Clock, now: Instant) -> u16 {
        let holds = |since| clock.between(since, now) < config.path_mtu_raise_after;
        let path = self.path.filter(|(_, since)| holds(*since));
        path.map_or(config.mtu, |(mtu, _)| mtu.min(config.mtu))
    }
}

impl Judge for Negotiation {
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
            Observation::Sent { cause, packet } => {
                let who = Incarnation::from_tag(packet.tag);
                let mut report = Report {
                    oracle: NAME,
                    who,
                    now,
                    facts,
                    findings,
                };
                self.sent(cause, packet, &mut report);
            }
            Observation::Node {
                node,
                event:
                    HostEvent::Stack(Event::Transition {
                        connection,
                        from,
                        to,
                        ..
                    }),
                ..
            } => {
                let who = facts.name(node, *connection);
                if matches!(to, State::Closed | State::Listen) {
                    self.agreed.remove(&who);
                } else if is_by_cookie(*from, *to) {
                    let agreed = self.agreed.entry(who).or_default();
                    let delivery = facts.delivery();
                    if let Some(cookie) = delivery.and_then(|it| facts.handshake_by_cookie(it)) {
                        agreed.syns.own = Some(cookie.syn_ack);
                        agreed.syns.peer = Some(cookie.syn);
                    }
                } else if synchronizes(*from, *to) {
                    let peer = facts.delivery().and_then(|delivery| delivery.header);
                    let agreed = self.agreed.entry(who).or_default();
                    agreed.syns.peer = peer;
                    if let Some(peer) = peer {
                        agreed.ecn.synchronized(&peer);
                    }
                }
            }
            Observation::Node {
                event: HostEvent::Stack(Event::Segment(arrival)),
                ..
            } => self.arrived(arrival, facts),
            Observation::Node {
                node,
                event: HostEvent::Stack(Event::Icmp(arrival)),
                ..
            } => {
                if let (IcmpVerdict::PathMtu(mtu), Some(connection)) =
                    (arrival.verdict, arrival.connection)
                {
                    let who = facts.name(node, connection);
                    self.agreed.entry(who).or_default().path = Some((mtu, now));
                }
            }
            _ => {}
        }
    }
}

/// Whether a SYN or SYN-ACK is behind this transition, and set IRS.
fn synchronizes(from: State, to: State) -> bool {
    sets_irs(from, to) && !is_by_cookie(from, to)
}

impl Negotiation {
    fn arrived(&mut self, arrival: &SegmentArrival, facts: &Facts) {
        let Some(delivery) = facts.delivery() else {
            return;
        };
        let receiver = delivery.received_by.map(|(receiver, _)| receiver);
        let agreed = receiver.and_then(|receiver| self.agreed.get_mut(&receiver));
        if let (Some(agreed), Some(segment)) = (agreed, delivery.segment()) {
            agreed.ecn.arrived(segment, delivery.ecn, arrival.verdict);
            if let Some(outcome) = &delivery.outcome {
                let receiver = &mut agreed.receiver;
                receiver.arrived(delivery.id, segment, arrival, &outcome.allowance);
            }
        }
    }

    fn sent(&mut self, cause: Cause, packet: &Packet, report: &mut Report<'_>) {
        // The tag of a SYN cookie is that of the SYN it answers.
        let config = report.facts.circumstances().config(packet.id.origin);
        let (Some(segment), Some(config)) = (report.facts.segment_sent(), config) else {
            return;
        };
        report.violations_unless_damaged(mss::option(&segment, packet.src, config.mtu));
        if packet.class & class::ECHO != 0 {
            return;
        }
        let life = report.facts.life(report.who);
        let vars = life.and_then(|life| life.vars.as_deref());
        let agreed = self.agreed.entry(report.who).or_default();
        if segment.has(Flags::SYN) {
            agreed.syns.own = Some(segment);
        }
        let rests = life.is_none_or(|life| life.state == State::TimeWait);
        if !segment.has(Flags::RST) && !rests {
            let wrong = agreed.ecn.sent(&segment, packet.ecn, config.ecn, vars);
            report.violations_unless_damaged(wrong);
        }
        let syns = &agreed.syns;
        if let Some(peer) = &syns.peer {
            let clock = report.facts.circumstances().clock(packet.id.origin);
            let mtu = agreed.mtu(config, clock, report.now);
            report.violations_unless_damaged(mss::size(&segment, peer, packet.src, mtu));
        }
        let buffer = buffer(&segment, life, config, report);
        report.violations_unless_damaged(scale::wrong(&segment, syns, buffer, config));
        let recent = life.and_then(|life| life.shadow.ts_recent());
        report.violations_unless_damaged(agreed.clock.sent(&segment, syns, recent, config));
        let sending = sack::Sending {
            segment: &segment,
            syns,
            config,
            vars,
            cause: match cause {
                Cause::Packet(id) => Some(id),
                Cause::Timer | Cause::User | Cause::Start => None,
            },
        };
        report.violations_unless_damaged(agreed.receiver.sent(&sending));
    }
}

/// Of a child whose SYN-ACK this is nothing is known yet: it has the buffer of its host, unless the
/// users of that set others.
fn buffer(
    segment: &SegmentHeader,
    life: Option<&Life>,
    config: &Config,
    report: &Report<'_>,
) -> scale::Buffer {
    let (circumstances, host) = (report.facts.circumstances(), report.who.host);
    let largest = circumstances.largest_buffers(host);
    let by_life = life.map(Life::receive_buffer).filter(|octets| *octets > 0);
    let same = !circumstances.buffers.contains_key(&host) || !segment.has(Flags::ACK);
    scale::Buffer {
        now: by_life.or_else(|| same.then_some(config.receive_buffer)),
        largest: largest.map_or(config.receive_buffer, |most| most.receive),
    }
}

#[cfg(test)]
mod tests;
