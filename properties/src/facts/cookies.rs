//! SYN cookies (RFC 4987 §3.6): SYN-ACKs that no stack remembers, but we do.

use core::net::IpAddr;
use std::collections::BTreeMap;
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

/// What a cookie stands for: the SYN that nobody remembers, and the SYN-ACK with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    /// What the peer has sent.
    pub(crate) syn: SegmentHeader,
    /// What it was answered.
    pub(crate) syn_ack: SegmentHeader,
}

/// All that were ever sent. A SYN that comes again may have other options and get the same number;
/// the timestamp of the SYN-ACK tells which it was.
#[derive(Debug, Default)]
pub(super) struct Cookies(BTreeMap<Cookie, Vec<Handshake>>);

impl Cookies {
    /// A segment is sent in answer to `cause`.
    pub(super) fn sent(
        &mut self,
        packet: &Packet,
        segment: &SegmentHeader,
        cause: Option<&SegmentHeader>,
    ) {
        const COOKIE: u16 = class::ECHO | class::SYN_ACK;
        if packet.class & COOKIE != COOKIE {
            return;
        }
        let cookie = Cookie {
            host: packet.src,
            port: segment.source_port,
            peer: packet.dst,
            peer_port: segment.destination_port,
            iss: segment.seq.0,
            irs: segment.ack.back(1).0,
        };
        let handshakes = self.0.entry(cookie).or_default();
        handshakes.extend(cause.map(|syn| Handshake {
            syn: *syn,
            syn_ack: *segment,
        }));
    }

    /// Whether the datagram acknowledges one, and is the first in sequence to do so.
    pub(super) fn acknowledged_by(&self, delivery: &Delivery) -> bool {
        self.acknowledged(delivery).is_some()
    }

    /// The SYN and the SYN-ACK behind the one that it acknowledges: those whose timestamp it echoes.
    pub(super) fn handshake(&self, delivery: &Delivery) -> Option<Handshake> {
        let stamp = |segment: &SegmentHeader| segment.timestamps.map(|(value, _)| value);
        let echo = delivery.segment()?.timestamps.map(|(_, echo)| echo);
        let mut handshakes = self.acknowledged(delivery)?.iter();
        handshakes.find(|it| stamp(&it.syn_ack) == echo).copied()
    }

    fn acknowledged(&self, delivery: &Delivery) -> Option<&Vec<Handshake>> {
        let ack = delivery.segment()?;
        let plain = ack.flags & (Flags::ACK | Flags::SYN | Flags::RST) == Flags::ACK;
        let cookie = Cookie {
            host: delivery.dst,
            port: ack.destination_port,
            peer: delivery.src,
            peer_port: ack.source_port,
            iss: ack.ack.back(1).0,
            irs: ack.seq.back(1).0,
        };
        self.0.get(&cookie).filter(|_| plain)
    }
}
