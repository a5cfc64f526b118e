//! IPv4 datagrams in parts: cut where a link carries less (RFC 791 §2.3), and put together again at
//! their destination, or where a node on the way wants to see them whole (RFC 7857 §10 has a NAT do
//! so). IPv6 routers never cut any (RFC 8200 §4.5).

use super::{Happening, World};
use crate::fates::{Fates, HopId};
use crate::icmp::{self, Problem, RouterErrors};
use crate::node::Node;
use crate::oracle::{Cause, DropReason, Observation};
use crate::packet::{Fragment, NodeId, Packet, Payload};
use crate::reassembly::{Arrival, Gathered, Key};
use crate::time::{Duration, Instant};

impl<N: Node, F: Fates> World<N, F> {
    /// Cuts a datagram into parts that a link of this MTU carries. Each enters the hop by itself.
    pub(super) fn cut_up(&mut self, hop: HopId, flight: u32, mtu: u16) {
        let room = usize::from(mtu).saturating_sub(HEADER) & !7;
        let room = room.max(8);
        let packet = &self.flights[flight].packet;
        let parts = packet.payload.octets().len().div_ceil(room) as u32;
        let now = self.now;
        self.stats.fragmented += 1;
        self.trace.fragmented(now, hop, packet, parts);
        self.judges
            .see(now, || Observation::Fragmented { hop, packet, parts });
        let from = packet.fragment.unwrap_or(Fragment::WHOLE);
        // The parts take over everything but the octets.
        let whole = core::mem::take(&mut self.flights[flight].packet.sent.payload);
        for (nth, octets) in (0..parts).zip(whole.octets().chunks(room)) {
            let part = self.flights.copy(flight);
            let of = &mut self.flights[part].packet;
            of.sent.payload = Payload::from_slice(octets);
            of.fragment = Some(Fragment {
                offset: from.offset + nth as u16 * room as u16,
                more: from.more || nth + 1 < parts,
            });
            self.enter(hop, part);
        }
        self.flights[flight].packet.sent.payload = whole;
        self.end(flight);
    }

    /// A part of a datagram has come to its destination.
    pub(super) fn gather(&mut self, node: NodeId, flight: u32) {
        let packet = &self.flights[flight].packet;
        let Fragment { offset, more } = packet.fragment.unwrap_or(Fragment::WHOLE);
        let key = Key {
            src: packet.src,
            dst: packet.dst,
            protocol: packet.protocol,
            identification: packet.identification(),
        };
        let arrival = Arrival {
            flight,
            offset: offset.into(),
            octets: packet.payload.octets().len() as u32,
            more,
        };
        match self.host_mut(node).reassembly.add(key, &arrival) {
            Gathered::Whole(parts) => self.put_together(node, &parts),
            Gathered::Refused(parts) => self.drop_parts(parts, DropReason::Overlap),
            Gathered::Waits { first } => {
                if let Some(serial) = first {
                    let node = node.0;
                    self.schedule(self.now + PATIENCE, Happening::Reassembly { node, serial });
                }
                self.make_room(node);
            }
        }
    }

    fn make_room(&mut self, node: NodeId) {
        loop {
            let parts = self.host_mut(node).reassembly.make_room();
            if parts.is_empty() {
                return;
            }
            self.drop_parts(parts, DropReason::Incomplete);
        }
    }

    /// Hands on a datagram of which all parts are there. It has the labels of the first one, and is
    /// as old as the oldest. A mark on one is a mark on all (RFC 3168 §5.3). Parts of different
    /// datagrams that had the same number are damage.
    fn put_together(&mut self, node: NodeId, parts: &[u32]) {
        let octets = parts
            .iter()
            .map(|part| self.flights[*part].packet.payload.octets());
        let payload = Payload::new(octets.collect::<Vec<_>>().concat());
        let id = self.flights[parts[0]].packet.id;
        let born = |part: &u32| self.flights[*part].packet.born;
        let born = parts.iter().map(born).min().unwrap_or(Instant::ZERO);
        let marked = parts.iter().any(|part| self.flights[*part].packet.ecn == 3);
        let spoilt = |part: &u32| {
            let of = &self.flights[*part];
            of.damaged || of.packet.id != id
        };
        let damaged = parts.iter().any(spoilt);
        let held_by = parts
            .iter()
            .rev()
            .find_map(|part| self.flights[*part].held_by);
        let whole = parts[0];
        let of = &mut self.flights[whole];
        (of.damaged, of.held_by) = (damaged, held_by);
        (of.packet.born, of.packet.fragment) = (born, None);
        of.packet.sent.payload = payload;
        if marked {
            of.packet.sent.ecn = 3;
        }
        self.stats.reassembled += 1;
        for part in &parts[1..] {
            self.end(*part);
        }
        self.hand(node, whole);
    }

    /// Whether a datagram still waits for parts.
    pub(super) fn is_partial(&mut self, node: NodeId, serial: u32) -> bool {
        self.host_mut(node).reassembly.has(serial)
    }

    /// A datagram has waited for its parts as long as it may: a host that reports says so, if it got
    /// the first one (RFC 792, RFC 1122 §3.2.2.4).
    pub(super) fn give_up(&mut self, node: NodeId, serial: u32) {
        let (parts, begun) = self.host_mut(node).reassembly.expire(serial);
        let first = parts.first().filter(|_| begun);
        let about = first.map(|part| self.flights[*part].packet.clone());
        self.drop_parts(parts, DropReason::Incomplete);
        let errors = self.host_errors.filter(|_| !self.is_on_the_way(node));
        if let Some((errors, about)) = errors.zip(about) {
            self.report_incomplete(node, errors, &about);
        }
    }

    fn report_incomplete(&mut self, node: NodeId, errors: RouterErrors, about: &Packet) {
        if icmp::PROTOCOLS.contains(&about.protocol) {
            return;
        }
        let report = icmp::report(about.dst, about, Problem::Incomplete, errors);
        self.stats.errors_reported += 1;
        self.send(node, Cause::Timer, report);
    }

    fn drop_parts(&mut self, parts: Vec<u32>, reason: DropReason) {
        for part in parts {
            self.drop(part, None, reason);
        }
    }
}

/// Octets of an IPv4 header without options.
const HEADER: usize = 20;

/// For so long a datagram may wait for its parts: RFC 1122 §3.3.2 has 60 to 120 seconds.
const PATIENCE: Duration = Duration::from_secs(60);
