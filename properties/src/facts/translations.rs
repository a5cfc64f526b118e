//! What NATs show of ends inside, so that both ends of a connection are known to be of one flow.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use timewait_sim::Packet;

use super::SegmentHeader;
use crate::label::flow_of;

/// Whom each port of a NAT stands for, since it was last given to somebody.
#[derive(Debug, Default)]
pub(crate) struct Translations(BTreeMap<SocketAddr, SocketAddr>);

impl Translations {
    pub(crate) fn add(&mut self, inside: SocketAddr, outside: SocketAddr) {
        self.0.insert(outside, inside);
    }

    /// The flow between two ends, as one of them sees them now.
    pub(crate) fn flow(&self, a: SocketAddr, b: SocketAddr) -> u64 {
        flow_of(self.behind(a), self.behind(b))
    }

    /// The flow of a datagram, wherever it is seen.
    pub(crate) fn flow_of(&self, packet: &Packet) -> u64 {
        let header = SegmentHeader::of(packet).filter(|_| !self.0.is_empty());
        header.map_or(packet.flow, |header| {
            self.flow(
                SocketAddr::new(packet.src, header.source_port),
                SocketAddr::new(packet.dst, header.destination_port),
            )
        })
    }

    fn behind(&self, end: SocketAddr) -> SocketAddr {
        self.0.get(&end).copied().unwrap_or(end)
    }
}
