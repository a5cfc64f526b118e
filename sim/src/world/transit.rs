//! Nodes that stand on the way: what comes to them, and what they send on.

use super::flights::NOBODY;
use super::{Machine, World};
use crate::fates::Fates;
use crate::node::Node;
use crate::oracle::{Cause, DropReason, Observation};
use crate::packet::{NodeId, Transit};

impl<N: Node, F: Fates> World<N, F> {
    /// Whether a machine takes what is for others, too.
    pub(super) fn is_on_the_way(&self, node: NodeId) -> bool {
        matches!(&self.machines[node.0 as usize], Machine::Host(host) if host.on_the_way)
    }

    /// A datagram comes to a node on its way.
    pub(super) fn hand_over(&mut self, node: NodeId, flight: u32) {
        let hop_limit = &mut self.flights[flight].packet.sent.hop_limit;
        *hop_limit = hop_limit.saturating_sub(1);
        if *hop_limit == 0 {
            self.drop(flight, None, DropReason::HopLimit);
            return;
        }
        if self.is_too_old(flight) {
            self.drop(flight, None, DropReason::TooOld);
            return;
        }
        let of = &self.flights[flight];
        let transit = Transit {
            packet: of.packet.clone(),
            damaged: of.damaged,
            held_by: of.held_by,
        };
        let cause = Cause::Packet(of.packet.id);
        self.end(flight);
        let now = self.now;
        self.host_mut(node).node.handle_transit(now, transit);
        self.settle(node, cause);
    }

    /// A node on the way sends a datagram on.
    pub(super) fn pass_on(&mut self, node: NodeId, transit: Transit) {
        let now = self.now;
        let destination = self.addresses.get(&transit.packet.dst).copied();
        let onward = destination.filter(|destination| *destination != node);
        let flight = self.flights.take_place();
        let of = &mut self.flights[flight];
        of.packet = transit.packet;
        of.damaged = transit.damaged;
        of.held_by = transit.held_by;
        of.destination = destination.unwrap_or(NOBODY);
        of.next = node;
        self.stats.passed += 1;
        let packet = &of.packet;
        self.trace.passed(now, node, packet);
        self.judges
            .see(now, || Observation::Passed { node, packet });
        let hop = onward.and_then(|onward| self.routes.next(&self.hops, node, onward));
        match hop {
            Some(hop) => self.enter(hop, flight),
            None => self.drop(flight, None, DropReason::NoRoute),
        }
    }
}
