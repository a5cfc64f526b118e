//! What happens to a datagram, from the node that sends it to the one that gets it.

use core::net::IpAddr;
use core::time::Duration;

use super::flights::{Flight, NOBODY};
use super::{Happening, Machine, World};
use crate::fates::{Copies, Damage, Fate, Fates, HopId, Outcome, Passage};
use crate::icmp::Problem;
use crate::link::{self, Departure, Entering, Entry, Hop};
use crate::node::Node;
use crate::oracle::{Cause, DropReason, Observation};
use crate::packet::{NodeId, Outgoing, PacketId};
use crate::router::Labels;
use crate::time::Instant;

/// Where the datagrams of a host to an address go.
#[derive(Clone, Copy)]
pub(super) struct Way {
    address: IpAddr,
    /// The state of the network that this holds for.
    network: u32,
    /// The node that has the address.
    destination: Option<NodeId>,
    /// The first hop to it, unless it is the host itself.
    hop: Option<HopId>,
}

impl<N: Node, F: Fates> World<N, F> {
    /// Gives a datagram its name and sends it on its way.
    pub(super) fn send(&mut self, node: NodeId, cause: Cause, sent: Outgoing) {
        let now = self.now;
        let way = self.first_hop(node, sent.dst);
        let host = self.host_mut(node);
        let id = PacketId {
            origin: node,
            ordinal: host.sent,
        };
        host.sent += 1;

        let flight = self.launch(id, cause, way.destination.unwrap_or(NOBODY), sent);
        match way {
            Way {
                destination: Some(own),
                ..
            } if own == node => self.land(flight, now),
            Way { hop: Some(hop), .. } => self.enter(hop, flight),
            Way { hop: None, .. } => self.drop(flight, None, DropReason::NoRoute),
        }
    }

    /// Makes a flight of a datagram that its origin sends now.
    pub(super) fn launch(
        &mut self,
        id: PacketId,
        cause: Cause,
        destination: NodeId,
        sent: Outgoing,
    ) -> u32 {
        let now = self.now;
        self.stats.sent += 1;
        let flight = self.flights.take_place();
        let of = &mut self.flights[flight];
        of.packet.id = id;
        of.packet.born = now;
        of.packet.fragment = None;
        of.packet.sent = sent;
        of.packet.parts.clear();
        of.destination = destination;
        of.next = id.origin;
        of.damaged = false;
        of.held_by = None;
        let packet = &of.packet;
        self.trace.sent(now, packet);
        self.judges.see(now, || Observation::Sent { cause, packet });
        flight
    }

    /// Where a datagram of this node to this address goes.
    fn first_hop(&mut self, node: NodeId, address: IpAddr) -> Way {
        if let Machine::Host(host) = &self.machines[node.0 as usize]
            && let Some(way) = &host.last_way
            && way.address == address
            && way.network == self.network
        {
            return *way;
        }
        let destination = self.addresses.get(&address).copied();
        let other = destination.filter(|destination| *destination != node);
        let hop = match (destination, other) {
            (None, _) => self.routes.fallback(&self.hops, node),
            (_, other) => other.and_then(|other| self.next_hop(node, address, Some(other))),
        };
        let way = Way {
            address,
            network: self.network,
            destination,
            hop,
        };
        self.host_mut(node).last_way = Some(way);
        way
    }

    /// A datagram comes out of its hop.
    pub(super) fn arrive(&mut self, flight: u32) {
        let of = &mut self.flights[flight];
        let at = of.next;
        let handed = at == of.destination || self.is_on_the_way(at);
        let of = &mut self.flights[flight];
        if handed {
            match of.packet.fragment {
                Some(_) => self.gather(at, flight),
                None => self.hand(at, flight),
            }
            return;
        }
        of.packet.sent.hop_limit = of.packet.sent.hop_limit.saturating_sub(1);
        if of.packet.sent.hop_limit == 0 {
            self.drop_and_report(at, flight, None, Problem::HopLimit);
        } else {
            self.forward(at, flight);
        }
    }

    /// Hands a datagram to a node: to its destination, or to one on the way.
    pub(super) fn hand(&mut self, node: NodeId, flight: u32) {
        if self.is_on_the_way(node) {
            self.hand_over(node, flight);
        } else {
            self.deliver(node, flight);
        }
    }

    /// Hands a datagram to its destination.
    pub(super) fn deliver(&mut self, node: NodeId, flight: u32) {
        if self.waits(node, flight) {
            return;
        }
        if self.is_too_old(flight) {
            self.drop(flight, None, DropReason::TooOld);
            return;
        }
        let now = self.now;
        let Flight {
            packet,
            damaged,
            held_by,
            ..
        } = &self.flights[flight];
        let (damaged, held_by) = (*damaged, *held_by);
        self.stats.delivered += 1;
        self.stats.delivered_after_hold += u64::from(held_by.is_some());
        self.trace.delivered(now, node, packet, damaged, held_by);
        self.judges.see(now, || Observation::Delivered {
            node,
            packet,
            damaged,
            held_by,
        });
        if let Machine::Host(host) = &mut self.machines[node.0 as usize] {
            host.node.handle_packet(now, packet);
        }
        let cause = Cause::Packet(packet.id);
        self.end(flight);
        self.settle(node, cause);
    }

    /// A machine sends a datagram on towards its destination.
    fn forward(&mut self, from: NodeId, flight: u32) {
        let Flight {
            destination,
            ref packet,
            ..
        } = self.flights[flight];
        let known = (destination != NOBODY).then_some(destination);
        match self.next_hop(from, packet.dst, known) {
            Some(hop) => self.enter(hop, flight),
            None => self.drop_and_report(from, flight, None, Problem::NoRoute),
        }
    }

    /// The hop over which a machine sends what is for this address, which this node has.
    pub(super) fn next_hop(
        &mut self,
        from: NodeId,
        address: IpAddr,
        destination: Option<NodeId>,
    ) -> Option<HopId> {
        if let Machine::Router(router) = &self.machines[from.0 as usize]
            && let Some(hop) = router.routes.hop(address)
        {
            return Some(hop);
        }
        self.routes.next(&self.hops, from, destination?)
    }

    /// A datagram comes to the near end of a hop, where its fate is decided.
    pub(super) fn enter(&mut self, hop: HopId, flight: u32) {
        if self.is_too_old(flight) {
            self.drop(flight, Some(hop), DropReason::TooOld);
            return;
        }
        let now = self.now;
        let packet = &self.flights[flight].packet;
        let Hop { from, mtu, .. } = self.hops[hop.0 as usize];
        if let Some(mtu) = mtu.filter(|mtu| packet.size() > u64::from(*mtu)) {
            if packet.may_be_cut_up() {
                self.cut_up(hop, flight, mtu);
            } else {
                self.drop_and_report(from, flight, Some(hop), Problem::TooBig { mtu });
            }
            return;
        }
        let Outgoing {
            tag, flow, class, ..
        } = packet.sent;
        let ordinal = self.hops[hop.0 as usize].count(tag);
        let at = Passage { hop, tag, ordinal };
        let fate = self.fates.fate(at, packet);
        self.trace.fate(now, at, packet, &fate);
        self.judges
            .see(now, || Observation::Fate { at, packet, fate });

        let Hop {
            leaves_router,
            from,
            ..
        } = self.hops[hop.0 as usize];
        let router = leaves_router.then_some(from);
        let passes = router.is_some() && !matches!(fate.original, Outcome::Hold(_));
        match fate.copies.is_empty() {
            true => self.meet(hop, router, flight, fate.original),
            false => self.meet_all(hop, router, flight, &fate),
        }
        if let Some(router) = router.filter(|_| passes) {
            self.notice(router, Labels { tag, flow, class });
        }
    }

    /// A datagram meets its fate, and so do its copies, which are made before anything happens to it.
    fn meet_all(&mut self, hop: HopId, router: Option<NodeId>, flight: u32, fate: &Fate) {
        let mut copies = [None; Copies::MAX];
        for (copy, outcome) in copies.iter_mut().zip(fate.copies.iter()) {
            *copy = Some((self.flights.copy(flight), outcome));
        }
        self.meet(hop, router, flight, fate.original);
        for (copy, outcome) in copies.into_iter().flatten() {
            self.meet_as_copy(hop, router, copy, outcome);
        }
    }

    fn meet(&mut self, hop: HopId, router: Option<NodeId>, flight: u32, outcome: Outcome) {
        match outcome {
            Outcome::Deliver { extra, damage } => self.carry(hop, flight, extra, damage),
            Outcome::Drop => self.lose(flight),
            Outcome::Hold(release) => match router {
                Some(_) => {
                    self.stats.held_originals += 1;
                    self.hold(hop, flight, release);
                }
                None => self.carry(hop, flight, Duration::ZERO, None),
            },
        }
    }

    fn meet_as_copy(&mut self, hop: HopId, router: Option<NodeId>, copy: u32, outcome: Outcome) {
        match (outcome, router) {
            (Outcome::Deliver { extra, damage }, _) => {
                self.stats.duplicated += 1;
                self.carry(hop, copy, extra, damage);
            }
            (Outcome::Drop, _) => self.end(copy),
            (Outcome::Hold(release), Some(_)) => {
                self.stats.held_copies += 1;
                self.hold(hop, copy, release);
            }
            (Outcome::Hold(_), None) => {
                self.stats.duplicated += 1;
                self.carry(hop, copy, Duration::ZERO, None);
            }
        }
    }

    /// A datagram enters a hop, and may be damaged on it.
    pub(super) fn carry(
        &mut self,
        hop: HopId,
        flight: u32,
        extra: Duration,
        damage: Option<Damage>,
    ) {
        if self.cuts.is_cut(hop) {
            self.drop(flight, Some(hop), DropReason::Cut);
            return;
        }
        let of = &mut self.flights[flight];
        let (packet, now) = (&of.packet, self.now);
        let entering = Entering {
            flight,
            extra,
            capable: packet.ecn != 0,
        };
        let entry = self.hops[hop.0 as usize].enter(now, || packet.size(), &entering);
        match entry {
            Entry::Full => return self.drop(flight, Some(hop), DropReason::QueueFull),
            Entry::Early => return self.drop(flight, Some(hop), DropReason::Early),
            Entry::Goes(_) | Entry::Waits { .. } => {}
        }
        if let Some(damage) = damage.filter(|_| !of.damaged) {
            of.damaged = of.packet.sent.payload.damage(damage);
            self.stats.corrupted += u64::from(of.damaged);
        }
        of.next = self.hops[hop.0 as usize].to;
        self.stats.delayed += u64::from(!extra.is_zero());
        match entry {
            Entry::Goes(way) => self.go(hop, flight, &way),
            Entry::Waits { idle: true } => self.depart(hop),
            _ => {}
        }
    }

    /// A datagram is on the link, or will be by itself.
    fn go(&mut self, hop: HopId, flight: u32, way: &link::Way) {
        if way.congested {
            self.mark(hop, flight);
        }
        self.stats.reordered += u64::from(way.overtakes);
        self.land(flight, way.arrival);
    }

    /// The link of a hop is free whose queue holds its datagrams.
    pub(super) fn depart(&mut self, hop: HopId) {
        let Departure {
            dropped,
            sent,
            free,
        } = self.hops[hop.0 as usize].depart(self.now);
        for flight in dropped {
            self.drop(flight, Some(hop), DropReason::Early);
        }
        if let Some((waiting, way)) = sent {
            self.go(hop, waiting.flight, &way);
            self.schedule(free, Happening::Departure(hop));
        }
    }

    /// A datagram waits in a queue that marks congestion.
    fn mark(&mut self, hop: HopId, flight: u32) {
        let of = &mut self.flights[flight];
        if of.packet.sent.mark() {
            self.stats.marked += 1;
            let (now, packet) = (self.now, &of.packet);
            self.trace.marked(now, hop, packet);
            self.judges.see(now, || Observation::Marked { hop, packet });
        }
    }

    fn land(&mut self, flight: u32, at: Instant) {
        if !self.schedule(at, Happening::Arrival(flight)) {
            self.lose(flight);
        }
    }

    pub(super) fn is_too_old(&self, flight: u32) -> bool {
        let born = self.flights[flight].packet.born;
        self.now.as_nanos() - born.as_nanos() > self.lifetime_ns
    }

    /// The network drops a datagram on its own account.
    pub(super) fn drop(&mut self, flight: u32, hop: Option<HopId>, reason: DropReason) {
        let now = self.now;
        let packet = &self.flights[flight].packet;
        *match reason {
            DropReason::QueueFull => &mut self.stats.dropped_queue_full,
            DropReason::TooOld => &mut self.stats.dropped_too_old,
            DropReason::HopLimit => &mut self.stats.dropped_hop_limit,
            DropReason::NoRoute => &mut self.stats.dropped_no_route,
            DropReason::TooBig => &mut self.stats.dropped_too_big,
            DropReason::Cut => &mut self.stats.dropped_cut,
            DropReason::Early => &mut self.stats.dropped_early,
            DropReason::Incomplete => &mut self.stats.dropped_incomplete,
            DropReason::Overlap => &mut self.stats.dropped_overlap,
        } += 1;
        self.trace.dropped(now, hop, packet, reason);
        self.judges.see(now, || Observation::Dropped {
            hop,
            packet,
            reason,
        });
        self.end(flight);
    }

    fn lose(&mut self, flight: u32) {
        self.stats.lost += 1;
        self.end(flight);
    }

    /// A flight is over: its buffer goes back to its sender.
    pub(super) fn end(&mut self, flight: u32) {
        let origin = self.flights[flight].packet.id.origin;
        if let Some(payload) = self.flights.end(flight)
            && let Machine::Host(host) = &mut self.machines[origin.0 as usize]
        {
            host.node.reclaim(payload);
        }
    }
}
