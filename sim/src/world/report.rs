//! A router reports what it drops to where it came from (RFC 1122 §3.2.2, RFC 1812 §4.3.2).

use super::{Machine, World};
use crate::fates::{Fates, HopId};
use crate::icmp::{self, Problem};
use crate::node::Node;
use crate::oracle::{Cause, DropReason};
use crate::packet::{NodeId, Outgoing, PacketId, Payload};

impl<N: Node, F: Fates> World<N, F> {
    /// A machine drops a datagram, and reports it if it is a router that does.
    pub(super) fn drop_and_report(
        &mut self,
        at: NodeId,
        flight: u32,
        hop: Option<HopId>,
        problem: Problem,
    ) {
        let report = self.report(at, flight, problem);
        let about = self.flights[flight].packet.id;
        let reason = match problem {
            Problem::TooBig { .. } => DropReason::TooBig,
            Problem::HopLimit => DropReason::HopLimit,
            Problem::NoRoute => DropReason::NoRoute,
            Problem::NoPort => unreachable!("machines on the way know no ports"),
        };
        self.drop(flight, hop, reason);
        if let Some((ordinal, report)) = report {
            self.send_report(at, ordinal, about, report);
        }
    }

    /// The error that this machine sends about a datagram, with its number. None is sent about
    /// ICMP itself, be it an error or not, so that there are none about errors; and none if the
    /// last one was too short a time ago.
    fn report(&mut self, at: NodeId, flight: u32, problem: Problem) -> Option<(u64, Outgoing)> {
        let about = &self.flights[flight].packet.sent;
        let Machine::Router(router) = &mut self.machines[at.0 as usize] else {
            return None;
        };
        let reporter = router.reporter.as_mut()?;
        if icmp::PROTOCOLS.contains(&about.protocol) {
            return None;
        }
        let ordinal = reporter.may_report(self.now)?;
        let errors = reporter.errors;
        let v4 = about.dst.is_ipv4();
        let src = icmp::router_address(at, v4);
        let octets = icmp::error(src, about, problem, errors.quote_octets);
        let report = Outgoing {
            src,
            dst: about.src,
            hop_limit: HOP_LIMIT,
            ecn: 0,
            // RFC 1812 §4.3.2.5: internetwork control (CS6).
            diffserv: 48,
            dont_fragment: false,
            protocol: icmp::PROTOCOLS[usize::from(!v4)],
            payload: Payload::from_slice(&octets),
            tag: about.tag,
            flow: about.flow,
            class: errors.class,
        };
        Some((ordinal, report))
    }

    fn send_report(&mut self, at: NodeId, ordinal: u64, about: PacketId, report: Outgoing) {
        let Some(&destination) = self.addresses.get(&report.dst) else {
            return;
        };
        self.stats.errors_reported += 1;
        let id = PacketId {
            origin: at,
            ordinal,
        };
        let flight = self.launch(id, Cause::Packet(about), destination, report);
        match self.routes.next(&self.hops, at, destination) {
            Some(hop) => self.enter(hop, flight),
            None => self.drop(flight, None, DropReason::NoRoute),
        }
    }
}

/// RFC 1700: the default TTL.
const HOP_LIMIT: u8 = 64;
