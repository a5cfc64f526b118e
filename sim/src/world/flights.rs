//! The datagrams on their way.

use core::net::{IpAddr, Ipv4Addr};
use core::ops::{Index, IndexMut};

use crate::packet::{NodeId, Outgoing, Packet, PacketId, Payload};
use crate::time::Instant;

/// Stands for the node that has an address which none has.
pub(super) const NOBODY: NodeId = NodeId(u32::MAX);

/// A datagram on its way.
#[derive(Clone)]
pub(super) struct Flight {
    pub(super) packet: Packet,
    /// The node that has its destination address, or [`NOBODY`].
    pub(super) destination: NodeId,
    /// The machine that it comes to next.
    pub(super) next: NodeId,
    pub(super) damaged: bool,
    pub(super) held_by: Option<NodeId>,
}

/// Flights by number. A place that is free again keeps what was in it, so that a datagram is
/// copied into its place once and never moved after that.
#[derive(Default)]
pub(super) struct Flights {
    places: Vec<Flight>,
    free: Vec<u32>,
}

impl Flights {
    /// A place for a new flight, with whatever was there before: every field has to be set.
    pub(super) fn take_place(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.places.push(nothing());
            (self.places.len() - 1) as u32
        })
    }

    /// A second flight like this one.
    pub(super) fn copy(&mut self, flight: u32) -> u32 {
        let copy = self[flight].clone();
        let place = self.take_place();
        self[place] = copy;
        place
    }

    /// A flight is over. What remains of its payload is given back if it has a buffer.
    pub(super) fn end(&mut self, flight: u32) -> Option<Payload> {
        self.free.push(flight);
        self[flight].packet.sent.payload.take_buffer()
    }

    pub(super) fn count(&self) -> u64 {
        (self.places.len() - self.free.len()) as u64
    }
}

impl Index<u32> for Flights {
    type Output = Flight;
    fn index(&self, flight: u32) -> &Flight {
        &self.places[flight as usize]
    }
}

impl IndexMut<u32> for Flights {
    fn index_mut(&mut self, flight: u32) -> &mut Flight {
        &mut self.places[flight as usize]
    }
}

/// What is in a place before its first flight.
fn nothing() -> Flight {
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let sent = Outgoing {
        src: nowhere,
        dst: nowhere,
        hop_limit: 0,
        ecn: 0,
        diffserv: 0,
        dont_fragment: false,
        protocol: 0,
        payload: Payload::default(),
        tag: 0,
        flow: 0,
        class: 0,
    };
    let packet = Packet {
        id: PacketId {
            origin: NOBODY,
            ordinal: 0,
        },
        born: Instant::ZERO,
        fragment: None,
        sent,
        parts: Vec::new(),
    };
    Flight {
        packet,
        destination: NOBODY,
        next: NOBODY,
        damaged: false,
        held_by: None,
    }
}
