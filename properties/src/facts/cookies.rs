//! SYN cookies (RFC 4987 §3.6): SYN-ACKs that no stack remembers, but we do.

use core::net::IpAddr;
use std::collections::BTreeSet;
use timewait_sim::Packet;
use timewait_stack::wire::Flags;

use super::{Delivery, SegmentHeader};
use crate::label::class;

/// The numbers of a stateless SYN-ACK, and whose acknowledgment it awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cookie {
    host: IpAddr,
    port: u16,
    peer: IpAddr,
    peer_port: u16,
    iss: u32,
    irs: u32,
}

/// All that were ever sent.
#[derive(Debug, Default)]
pub(super) struct Cookies(BTreeSet<Cookie>);

impl Cookies {
    pub(super) fn sent(&mut self, packet: &Packet, segment: &SegmentHeader) {
        const COOKIE: u16 = class::ECHO | class::SYN_ACK;
        if packet.class & COOKIE != COOKIE {
            return;
        }
        self.0.insert(Cookie {
            host: packet.src,
            port: segment.source_port,
            peer: packet.dst,
            peer_port: segment.destination_port,
            iss: segment.seq.0,
            irs: segment.ack.back(1).0,
        });
    }

    /// Whether the datagram acknowledges one, and is the first in sequence to do so.
    pub(super) fn acknowledged_by(&self, delivery: &Delivery) -> bool {
        delivery.segment().is_some_and(|ack| {
            let plain = ack.flags & (Flags::ACK | Flags::SYN | Flags::RST) == Flags::ACK;
            let cookie = Cookie {
                host: delivery.dst,
                port: ack.destination_port,
                peer: delivery.src,
                peer_port: ack.source_port,
                iss: ack.ack.back(1).0,
                irs: ack.seq.back(1).0,
            };
            plain && self.0.contains(&cookie)
        })
    }
}
