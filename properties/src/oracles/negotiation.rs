//! `negotiation` \[I+W\]: what the two SYNs agree on is kept to, and nothing else is used
//! (RFC 9293 §3.2, §3.7.1).
//!
//! In force for an incarnation is what stood in the SYN or SYN-ACK that set its IRS: what another
//! attempt on the same addresses was offered does not count, nor what a copy says later.
//!
//! - MSS: only in SYN segments (MUST-65), in each of them where it is not the default (MUST-14,
//!   SHLD-5), never more than the link carries (MUST-67); text and options of a segment together
//!   are never more than the peer's MSS, or 536 or 1220 without the option (MUST-15, MUST-16).
//! - ECN (RFC 3168 §6.1): agreed by the flags of both SYNs, ECN-capable is only new text, a mark is
//!   echoed until CWR comes, CWR answers ECE.

mod ecn;
mod mss;

use std::collections::BTreeMap;
use timewait_sim::{Finding, Instant, Observation, Packet};
use timewait_stack::event::Verdict;
use timewait_stack::wire::Flags;
use timewait_stack::{Event, State};

use super::report::Report;
use crate::event::HostEvent;
use crate::facts::{Facts, SegmentHeader, is_by_cookie, sets_irs};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;

const NAME: &str = "negotiation";

/// The judge. See the module.
#[derive(Debug, Default)]
pub struct Negotiation {
    agreed: BTreeMap<Incarnation, Agreed>,
}

/// What the SYNs of an incarnation and of its parent said.
#[derive(Clone, Copy, Debug, Default)]
struct Agreed {
    /// The SYN or SYN-ACK that set IRS.
    peer: Option<SegmentHeader>,
    ecn: ecn::Ecn,
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
            Observation::Sent { packet, .. } => {
                let who = Incarnation::from_tag(packet.tag);
                let mut report = Report {
                    oracle: NAME,
                    who,
                    now,
                    facts,
                    findings,
                };
                self.sent(packet, &mut report);
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
                } else if synchronizes(*from, *to) {
                    let peer = facts.delivery().and_then(|delivery| delivery.header);
                    let agreed = self.agreed.entry(who).or_default();
                    agreed.peer = peer;
                    if let Some(peer) = peer {
                        agreed.ecn.synchronized(&peer);
                    }
                }
            }
            Observation::Node {
                event: HostEvent::Stack(Event::Segment(arrival)),
                ..
            } => self.arrived(arrival.verdict, facts),
            _ => {}
        }
    }
}

/// Whether a SYN or SYN-ACK is behind this transition, and set IRS.
fn synchronizes(from: State, to: State) -> bool {
    sets_irs(from, to) && !is_by_cookie(from, to)
}

impl Negotiation {
    fn arrived(&mut self, verdict: Verdict, facts: &Facts) {
        let Some(delivery) = facts.delivery() else {
            return;
        };
        let receiver = delivery.received_by.map(|(receiver, _)| receiver);
        let agreed = receiver.and_then(|receiver| self.agreed.get_mut(&receiver));
        if let (Some(agreed), Some(segment)) = (agreed, delivery.segment()) {
            let taken = verdict == Verdict::Accepted;
            agreed.ecn.arrived(segment, delivery.ecn, taken);
        }
    }

    fn sent(&mut self, packet: &Packet, report: &mut Report<'_>) {
        // The tag of a SYN cookie is that of the SYN it answers.
        let config = report.facts.circumstances().config(packet.id.origin);
        let (Some(segment), Some(config)) = (report.facts.segment_sent(), config) else {
            return;
        };
        let peer = self.agreed.get(&report.who).and_then(|agreed| agreed.peer);
        let own = packet.class & class::ECHO == 0;
        let life = report.facts.life(report.who);
        let rests = life.is_none_or(|life| life.state == State::TimeWait);
        if own && !segment.has(Flags::RST) && !rests {
            let vars = life.and_then(|life| life.vars.as_deref());
            let agreed = self.agreed.entry(report.who).or_default();
            let wrong = agreed.ecn.sent(&segment, packet.ecn, config.ecn, vars);
            report.violations_unless_damaged(wrong);
        }
        report.violations_unless_damaged(mss::option(&segment, packet.src, config.mtu));
        if own && let Some(peer) = peer {
            report.violations_unless_damaged(mss::size(&segment, &peer, packet.src, config.mtu));
        }
    }
}

#[cfg(test)]
mod tests;
