//! A datagram and what travels with it outside its bytes.

mod payload;
mod transit;

use core::net::IpAddr;

pub use payload::Payload;
pub use transit::{Part, Transit};

use crate::time::Instant;

/// A host or router of a world, by the order in which it was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// The name of a datagram: who sent it and as its how-manieth. Copies keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId {
    /// The node that sent it.
    pub origin: NodeId,
    /// Its number among the datagrams of that node, from 0.
    pub ordinal: u64,
}

/// What a node hands to the network: a datagram without a name yet, with the sender's labels.
///
/// The labels are opaque to `sim`, which compares them and never interprets them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// As in IP (RFC 791, RFC 8200 §3): each router takes one off and drops what has none left.
    pub hop_limit: u8,
    /// The ECN field (RFC 3168 §5): 0 not ECN-capable, 1 or 2 capable, 3 congestion experienced.
    pub ecn: u8,
    /// The Diffserv field, 0 to 63 (RFC 2474 §3).
    pub diffserv: u8,
    /// May not be fragmented.
    pub dont_fragment: bool,
    /// The protocol number of IP.
    pub protocol: u8,
    /// The octets above IP.
    pub payload: Payload,
    /// The incarnation that sent it.
    pub tag: u64,
    /// The unordered pair of its ends.
    pub flow: u64,
    /// A bit set that says of what kind it is.
    pub class: u16,
}

impl Outgoing {
    /// The octets it takes on a link: the payload and an IP header without options.
    pub fn size(&self) -> u64 {
        let header = if self.dst.is_ipv4() { 20 } else { 40 };
        header + self.payload.octets().len() as u64
    }

    /// A queue experiences congestion (RFC 3168 §5): says whether that is news, which it is only
    /// in a datagram that is ECN-capable and bears no mark yet.
    pub(crate) fn mark(&mut self) -> bool {
        let capable = matches!(self.ecn, 1 | 2);
        if capable {
            self.ecn = 3;
        }
        capable
    }

    /// Whether it may be cut into parts where a link carries less, as nothing may in IPv6
    /// (RFC 8200 §4.5).
    pub(crate) fn may_be_cut_up(&self) -> bool {
        !self.dont_fragment && self.dst.is_ipv4()
    }
}

/// A datagram in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its name.
    pub id: PacketId,
    /// When it was handed to the network. Copies keep it; age counts from here.
    pub born: Instant,
    /// Which part of what was sent it is; `None`: all of it.
    pub fragment: Option<Fragment>,
    /// Everything the sender said; of a part, with the octets of that part.
    pub sent: Outgoing,
    /// The datagrams that a node on the way has joined to this one; none, if none has.
    pub parts: Vec<Part>,
}

/// Which part of an IPv4 datagram something is (RFC 791 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Where its octets begin, in octets: a multiple of 8.
    pub offset: u16,
    /// It is not the last part.
    pub more: bool,
}

impl Fragment {
    pub(crate) const WHOLE: Self = Self {
        offset: 0,
        more: false,
    };
}

impl Packet {
    /// The identification field of its IPv4 header (RFC 791 §3.1): the same in all its parts, and
    /// soon again in those of other datagrams (RFC 4963).
    pub fn identification(&self) -> u16 {
        self.id.ordinal as u16
    }
}

impl core::ops::Deref for Packet {
    type Target = Outgoing;
    fn deref(&self) -> &Outgoing {
        &self.sent
    }
}
