//! The labels that a host puts on its datagrams, outside the bytes, where no stack sees them.
//!
//! `sim` compares them and never interprets them; this file says what they mean.

use core::net::SocketAddr;
use timewait_sim::NodeId;
use timewait_stack::ConnectionId;
use timewait_stack::wire::Flags;

/// One endpoint incarnation of one boot of one host: the tag of everything it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation {
    /// The host.
    pub host: NodeId,
    /// How often the host had booted before.
    pub boot: u8,
    /// The connection.
    pub connection: ConnectionId,
}

const HOST_SHIFT: u32 = 48;
const BOOT_SHIFT: u32 = 40;

impl Incarnation {
    /// As the tag of a datagram: 16 bits of host, 8 of boot, 40 of connection.
    pub fn tag(self) -> u64 {
        debug_assert!(self.host.0 < 1 << 16 && self.connection.0 < 1 << BOOT_SHIFT);
        u64::from(self.host.0) << HOST_SHIFT
            | u64::from(self.boot) << BOOT_SHIFT
            | self.connection.0
    }

    /// The incarnation that a tag names.
    pub fn from_tag(tag: u64) -> Self {
        Self {
            host: NodeId((tag >> HOST_SHIFT) as u32),
            boot: (tag >> BOOT_SHIFT) as u8,
            connection: ConnectionId(tag & ((1 << BOOT_SHIFT) - 1)),
        }
    }
}

/// `h1#7`: the host, its boot if not the first, the connection.
impl core::fmt::Display for Incarnation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "h{}", self.host.0)?;
        if self.boot > 0 {
            write!(f, "'{}", self.boot)?;
        }
        write!(f, "{}", self.connection)
    }
}

impl core::str::FromStr for Incarnation {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let name = || {
            let (machine, connection) = text.strip_prefix('h')?.split_once('#')?;
            let (host, boot) = machine.split_once('\'').unwrap_or((machine, "0"));
            let connection = connection.parse().ok().filter(|n| *n < 1 << BOOT_SHIFT)?;
            Some(Self {
                host: NodeId(host.parse::<u16>().ok()?.into()),
                boot: boot.parse().ok()?,
                connection: ConnectionId(connection),
            })
        };
        name().ok_or_else(|| format!("`{text}` is no incarnation: it takes h0#2, or h0'1#2"))
    }
}

/// The bits of `Packet::class`.
pub mod class {
    /// A SYN without ACK: the first segment of an active open.
    pub const OPEN: u16 = 1 << 0;
    /// A SYN with ACK.
    pub const SYN_ACK: u16 = 1 << 1;
    /// A FIN.
    pub const FIN: u16 = 1 << 2;
    /// It carries text.
    pub const DATA: u16 = 1 << 3;
    /// A RST.
    pub const RST: u16 = 1 << 4;
    /// Only an acknowledgment: no text, SYN, FIN or RST.
    pub const PURE_ACK: u16 = 1 << 5;
    /// A RST or stateless SYN-ACK that answers a segment. Its tag is that of the segment answered.
    pub const ECHO: u16 = 1 << 6;
    /// An ICMP error of a router: no segment, and an echo of the datagram that it quotes.
    pub const ICMP: u16 = 1 << 7 | ECHO;
}

/// The class of a segment with these flags and `text` octets of text.
pub fn class_of(flags: Flags, text: usize) -> u16 {
    let mut bits = 0;
    if flags.contains(Flags::SYN) {
        bits |= if flags.contains(Flags::ACK) {
            class::SYN_ACK
        } else {
            class::OPEN
        };
    }
    if flags.contains(Flags::FIN) {
        bits |= class::FIN;
    }
    if flags.contains(Flags::RST) {
        bits |= class::RST;
    }
    if text > 0 {
        bits |= class::DATA;
    }
    if bits == 0 && flags.contains(Flags::ACK) {
        bits |= class::PURE_ACK;
    }
    bits
}

/// The flow of two ends, the same from either side.
pub fn flow_of(a: SocketAddr, b: SocketAddr) -> u64 {
    let (a, b) = (end_hash(a), end_hash(b));
    mix(a.wrapping_add(b) ^ mix(a ^ b))
}

fn end_hash(end: SocketAddr) -> u64 {
    let ip = match end {
        SocketAddr::V4(v4) => v4.ip().to_ipv6_mapped().to_bits(),
        SocketAddr::V6(v6) => v6.ip().to_bits(),
    };
    mix(mix((ip >> 64) as u64 ^ mix(ip as u64)) ^ u64::from(end.port()))
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
