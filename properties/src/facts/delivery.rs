//! The datagram that a host is handling now.

use core::fmt;
use core::net::IpAddr;
use timewait_sim::{Duration, Instant, NodeId, Packet, PacketId};
use timewait_stack::State;

use super::header::{SegmentHeader, checksum_verifies};
use crate::label::{Incarnation, class};
use crate::reference::{Allowance, Breach};

/// A datagram handed to a host, with all that is known of it from outside its octets.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The host that handles it.
    pub node: NodeId,
    /// When.
    pub at: Instant,
    /// Its name.
    pub id: PacketId,
    /// The incarnation that sent it; for an echo, the one that sent the segment it answers.
    pub tag: Incarnation,
    /// Who else has sent parts of it, if a box has put several segments together.
    pub others: Vec<Incarnation>,
    /// An attacker sent it, or what it answers (E7).
    pub forged: bool,
    /// The bits of [`class`].
    pub class: u16,
    /// The ECN field of its IP header, as it arrived.
    pub ecn: u8,
    /// When it was sent.
    pub born: Instant,
    /// Its source address.
    pub src: IpAddr,
    /// Its destination address.
    pub dst: IpAddr,
    /// A burst damaged it.
    pub damaged: bool,
    /// Who kept it last, if a router did.
    pub held_by: Option<NodeId>,
    /// Its header; `None` if the octets are no segment.
    pub header: Option<SegmentHeader>,
    /// Its checksum verifies.
    pub intact: bool,
    /// Who received it and in which state; known from the stack's `Segment` event on. `None`
    /// before that, and if nobody did (CLOSED).
    pub received_by: Option<(Incarnation, State)>,
    /// It is old where it was received (ORACLES.md §0); known from the `Segment` event on.
    pub old: bool,
    /// The incarnation that it opened, from LISTEN or out of TIME-WAIT.
    pub opened: Option<Incarnation>,
    /// What became of it; known from the `Segment` event on.
    pub outcome: Option<Outcome>,
}

/// What a host did with a segment, held against the reference.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What it might do.
    pub allowance: Allowance,
    /// How what it did differs from that.
    pub breach: Option<Breach>,
    /// The segment was accepted: it changed something (ORACLES.md §0).
    pub accepted: bool,
}

impl Delivery {
    pub(super) fn new(
        now: Instant,
        node: NodeId,
        packet: &Packet,
        damaged: bool,
        held_by: Option<NodeId>,
    ) -> Self {
        let octets = packet.payload.octets();
        let header = SegmentHeader::of(packet);
        Self {
            node,
            at: now,
            id: packet.id,
            tag: Incarnation::from_tag(packet.tag),
            others: others(packet),
            forged: false,
            class: packet.class,
            ecn: packet.ecn,
            born: packet.born,
            src: packet.src,
            dst: packet.dst,
            damaged,
            held_by,
            header,
            intact: header.is_some() && checksum_verifies(packet.src, packet.dst, octets),
            received_by: None,
            old: false,
            opened: None,
            outcome: None,
        }
    }

    /// Its age on arrival.
    pub fn age(&self) -> Duration {
        self.at.saturating_since(self.born)
    }

    /// It is a RST or SYN-ACK that answers a segment.
    pub fn is_echo(&self) -> bool {
        self.class & class::ECHO != 0
    }

    /// The header, if the segment is intact: what a host may act on.
    pub fn segment(&self) -> Option<&SegmentHeader> {
        self.header.as_ref().filter(|_| self.intact)
    }
}

/// The senders of what was joined to the datagram, but for its own.
fn others(packet: &Packet) -> Vec<Incarnation> {
    let tags = packet.parts.iter().map(|part| part.tag);
    let others = tags.filter(|tag| *tag != packet.tag);
    others.map(Incarnation::from_tag).collect()
}

/// `datagram 17 of h1 <SEQ=…><CTL=ACK>, sent by h1#3 at 1.5 s, held by router r4, 2.25 s old`.
impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "datagram {} of h{} ", self.id.ordinal, self.id.origin.0)?;
        match &self.header {
            Some(header) => write!(f, "{header}")?,
            None => f.write_str("(no segment)")?,
        }
        let verb = if self.is_echo() {
            "sent in answer to"
        } else {
            "sent by"
        };
        let attacker = if self.forged { "the attacker " } else { "" };
        write!(
            f,
            ", {verb} {attacker}{} at {}",
            self.tag,
            Seconds(self.born)
        )?;
        if let Some(router) = self.held_by {
            write!(f, ", held by router r{}", router.0)?;
        }
        if self.damaged {
            write!(f, ", damaged")?;
        }
        let age = self.age();
        write!(f, ", {}.{:09} s old", age.as_secs(), age.subsec_nanos())
    }
}

/// The protocol number of TCP.
pub(crate) const TCP: u8 = 6;

/// A moment, displayed in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Seconds(pub Instant);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0.as_nanos();
        write!(f, "{}.{:09} s", ns / 1_000_000_000, ns % 1_000_000_000)
    }
}
