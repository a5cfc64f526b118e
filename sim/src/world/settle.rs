//! What a node does: started, woken, called or handed a datagram, it is settled.

use std::collections::BTreeSet;

use super::{Happening, Host, Machine, World};
use crate::fates::Fates;
use crate::node::Node;
use crate::oracle::{Cause, Observation};
use crate::packet::NodeId;
use crate::time::Instant;

/// So many events and datagrams of one node out of one cause never end.
const SETTLE_MAX: u32 = 100_000;

/// When a node wants to be woken, and when it will be.
///
/// Wanting it later leaves the queue of the world alone: the early alarm finds nothing due, and
/// then the later one is queued. So most nodes have one alarm there, however often they change
/// their mind.
pub(super) struct Alarm {
    wanted: Instant,
    /// The earliest alarm in the queue; the last moment of the clock if there is none.
    next: Instant,
    /// The others, the earliest last.
    later: Vec<Instant>,
}

impl Default for Alarm {
    fn default() -> Self {
        Self {
            wanted: Instant::MAX,
            next: Instant::MAX,
            later: Vec::new(),
        }
    }
}

impl Alarm {
    /// Takes note of when the node wants to be woken, and returns for when an alarm has to be
    /// queued, if for any time.
    fn want(&mut self, wanted: Instant, now: Instant) -> Option<Instant> {
        self.wanted = wanted;
        let at = wanted.max(now);
        if at >= self.next {
            return None;
        }
        if self.next < Instant::MAX {
            self.later.push(self.next);
        }
        self.next = at;
        Some(at)
    }

    /// The earliest alarm has left the queue.
    fn pop(&mut self) -> Instant {
        core::mem::replace(&mut self.next, self.later.pop().unwrap_or(Instant::MAX))
    }
}

/// The nodes whose alarms have left the queue at the instant at hand, until all else that happens
/// then has happened.
#[derive(Debug, Default)]
pub(super) struct Ringing {
    at: Instant,
    nodes: BTreeSet<NodeId>,
}

impl Ringing {
    /// When these alarms are due, if there are any.
    pub(super) fn at(&self) -> Option<Instant> {
        (!self.nodes.is_empty()).then_some(self.at)
    }

    fn add(&mut self, node: NodeId, at: Instant) {
        self.at = at;
        self.nodes.insert(node);
    }

    /// The first node, if it is due at or before `until`.
    pub(super) fn pop_until(&mut self, until: Instant) -> Option<(Instant, NodeId)> {
        if self.at > until {
            return None;
        }
        self.nodes.pop_first().map(|node| (self.at, node))
    }
}

impl<N: Node, F: Fates> World<N, F> {
    /// Starts every node that has not been, and takes note of hops that were restored in the
    /// meantime.
    pub(super) fn start(&mut self) {
        self.notice_restored();
        while self.started < self.machines.len() {
            let node = NodeId(self.started as u32);
            self.started += 1;
            let now = self.now;
            if let Machine::Host(host) = &mut self.machines[node.0 as usize] {
                host.node.start(now);
                self.settle(node, Cause::Start);
            }
        }
    }

    /// An alarm has left the queue.
    pub(super) fn ring(&mut self, node: NodeId, at: Instant) {
        assert_eq!(
            self.host_mut(node).alarm.pop(),
            at,
            "the queue and a node disagree about its alarms"
        );
        self.ringing.add(node, at);
    }

    /// Says whether a node whose alarm rings is due. If not, it is seen to that another comes in
    /// time.
    pub(super) fn alarm_is_due(&mut self, node: NodeId, at: Instant) -> bool {
        let alarm = &mut self.host_mut(node).alarm;
        if alarm.wanted <= at {
            return true;
        }
        if let Some(later) = alarm.want(alarm.wanted, at) {
            self.schedule(later, Happening::Alarm(node.0));
        }
        false
    }

    pub(super) fn timeout(&mut self, node: NodeId) {
        if self.is_late(node) {
            return;
        }
        let now = self.now;
        self.host_mut(node).node.handle_timeout(now);
        self.settle(node, Cause::Timer);
    }

    /// Takes from a node all that it has to say and to send, and asks when to wake it. Every call
    /// of a node that may change it ends here.
    pub(super) fn settle(&mut self, node: NodeId, cause: Cause) {
        if self.halted {
            return;
        }
        let now = self.now;
        for _ in 0..SETTLE_MAX {
            let Machine::Host(host) = &mut self.machines[node.0 as usize] else {
                return;
            };
            if let Some(event) = host.node.poll_event() {
                self.judges.see(now, || Observation::Node {
                    node,
                    cause,
                    event: &event,
                });
            } else if host.on_the_way
                && let Some(transit) = host.node.poll_transit(now)
            {
                self.pass_on(node, transit);
            } else if let Some(outgoing) = host.node.poll_transmit(now) {
                self.send(node, cause, outgoing);
            } else if let Some(event) = host.node.poll_event() {
                self.judges.see(now, || Observation::Node {
                    node,
                    cause,
                    event: &event,
                });
            } else {
                self.set_alarm(node);
                return;
            }
        }
        let message = format!("{node:?} goes on after {SETTLE_MAX} events and datagrams");
        self.halt("settle", message);
    }

    fn set_alarm(&mut self, node: NodeId) {
        let now = self.now;
        let Host {
            node: inner, alarm, ..
        } = self.host_mut(node);
        let wanted = inner.poll_timeout().unwrap_or(Instant::MAX);
        if let Some(at) = alarm.want(wanted, now) {
            self.schedule(at, Happening::Alarm(node.0));
        }
    }
}
