//! A router reports what it drops to where it came from (RFC 1122 §3.2.2, RFC 1812 §4.3.2).

use super::{Machine, World};
use crate::fates::{Fates, HopId};
use crate::icmp::{self, Problem};
use crate::node::Node;
use crate::oracle::{Cause, DropReason};
use crate::packet::{NodeId, Outgoing, PacketId};

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
            Problem::NoPort | Problem::Incomplete => {
                unreachable!("machines on the way know neither ports nor parts")
            }
        };
        self.drop(flight, hop, reason);
        if let Some((ordinal, report)) = report {
            self.send_report(at, ordinal, about, report);
        }
    }

    /// The error that this machine sends about a datagram, with its number. None is sent about
    /// ICMP itself, be it an error or not, so that there are none about errors; none about a part but
    /// the first (RFC 1122 §3.2.2); and none if the last one was too short a time ago.
    fn report(&mut self, at: NodeId, flight: u32, problem: Problem) -> Option<(u64, Outgoing)> {
        let about = &self.flights[flight].packet;
        let Machine::Router(router) = &mut self.machines[at.0 as usize] else {
            return None;
        };
        let reporter = router.reporter.as_mut()?;
        let later_part = about.fragment.is_some_and(|part| part.offset > 0);
        if later_part || icmp::PROTOCOLS.contains(&about.protocol) {
            return None;
        }
        let ordinal = reporter.may_report(self.now)?;
        let errors = reporter.errors;
        let from = icmp::router_address(at, about.dst.is_ipv4());
        let report = icmp::report(from, about, problem, errors);
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
        let to = report.dst;
        let flight = self.launch(id, Cause::Packet(about), destination, report);
        match self.next_hop(at, to, Some(destination)) {
            Some(hop) => self.enter(hop, flight),
            None => self.drop(flight, None, DropReason::NoRoute),
        }
    }
}
