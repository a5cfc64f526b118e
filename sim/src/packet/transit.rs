//! A datagram in the hands of a node that stands on its way.

use super::{NodeId, Outgoing, Packet, PacketId};
use crate::time::Instant;

/// A datagram that passes a node on its way (`World::add_transit`). The node may change all that is
/// in [`Packet::sent`] but the labels; name, birth, labels, and what has befallen it go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transit {
    pub(crate) packet: Packet,
    pub(crate) damaged: bool,
    pub(crate) held_by: Option<NodeId>,
}

/// A datagram that has become part of another one: its name, its birth, and its sender's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub id: PacketId,
    /// When it was handed to the network.
    pub born: Instant,
    /// The incarnation that sent it.
    pub tag: u64,
}

impl Transit {
    /// A datagram that nothing has befallen yet, as tests of a node on the way want it.
    pub fn new(packet: Packet) -> Self {
        Self {
            packet,
            damaged: false,
            held_by: None,
        }
    }

    /// The datagram.
    pub fn packet(&self) -> &Packet {
        &self.packet
    }

    /// What its sender said, to be changed; the labels (`tag`, `flow`, and of `class` what does not
    /// follow from the octets) are to stay.
    pub fn sent_mut(&mut self) -> &mut Outgoing {
        &mut self.packet.sent
    }

    /// Takes note that the octets of `later` have been joined to these: the name stays, the birth
    /// becomes the older one, and both senders are remembered.
    pub fn join(&mut self, later: &Self) {
        let (own, other) = (self.part(), later.part());
        let packet = &mut self.packet;
        if packet.parts.is_empty() {
            packet.parts.push(own);
        }
        match later.packet.parts.as_slice() {
            [] => packet.parts.push(other),
            parts => packet.parts.extend_from_slice(parts),
        }
        packet.born = packet.born.min(later.packet.born);
        let hop_limit = &mut packet.sent.hop_limit;
        *hop_limit = (*hop_limit).min(later.packet.sent.hop_limit);
        self.damaged |= later.damaged;
        self.held_by = self.held_by.or(later.held_by);
    }

    fn part(&self) -> Part {
        let Packet { id, born, sent, .. } = &self.packet;
        Part {
            id: *id,
            born: *born,
            tag: sent.tag,
        }
    }
}
