//! ICMP errors about segments that this host has sent (RFC 792, RFC 4443), as real bytes.
//!
//! Only what TCP acts on is read (RFC 9293 §3.9.2.2): the kind of error, and the quote of the
//! datagram that caused it, which says what connection it is about. Echoes, redirects and the like
//! are the business of IP. [`IcmpMessage::parse`] is total: any octets give a message or a typed
//! error.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::checksum;
use crate::seq::SeqNumber;

/// An ICMP error with what it quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpMessage {
    /// What is wrong.
    pub kind: IcmpKind,
    /// With what.
    pub quote: Quote,
}

/// The errors that TCP is told of; codes are those of the family of the quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpKind {
    /// The destination is unreachable, for the reason `code`.
    Unreachable {
        /// RFC 792 (but not 4), RFC 4443 §3.1.
        code: u8,
    },
    /// The datagram was larger than the next link (IPv4: unreachable, code 4).
    TooBig {
        /// The MTU of that link, in octets; 0: the router does not say (before RFC 1191).
        mtu: u32,
    },
    /// An appeal to send less, which nobody heeds any more (RFC 6633).
    SourceQuench,
    /// Hop limit or reassembly time ran out.
    TimeExceeded {
        /// 0: hop limit; 1: reassembly.
        code: u8,
    },
    /// A field of the header makes no sense.
    ParameterProblem {
        /// RFC 792, RFC 4443 §3.4.
        code: u8,
    },
}

/// The beginning of a datagram with a segment, as an ICMP error quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Its source: the host that is told of the error.
    pub from: IpAddr,
    /// Its destination.
    pub to: IpAddr,
    /// Its length in octets, IP header included, as that header says.
    pub length: u32,
    /// The source port of the segment.
    pub source_port: u16,
    /// The destination port of the segment.
    pub destination_port: u16,
    /// The sequence number of the segment.
    pub seq: SeqNumber,
}

/// Why octets are no ICMP error about a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpParseError {
    /// Fewer octets than an ICMP header has.
    Short,
    /// An ICMP message of another type: no error, or none that concerns TCP.
    OtherType(u8),
    /// The quote ends before ports and sequence number.
    QuoteCut,
    /// The quote begins with no header of the family that carries the message.
    QuoteVersion(u8),
    /// The quoted IPv4 header says that it is shorter than a header can be.
    QuoteHeader(u8),
    /// What is quoted is no segment but this protocol (IPv6: or extension header).
    QuoteProtocol(u8),
    /// What is quoted is a later fragment, without ports.
    QuoteFragment,
}

impl IcmpMessage {
    /// Reads a message, of ICMP or ICMPv6, from any octets. The checksum is not looked at: see
    /// [`IcmpMessage::verify_checksum`].
    ///
    /// # Errors
    ///
    /// If it is none of the errors that TCP acts on, or its quote does not show a segment's ports
    /// and sequence number (MUST-54).
    pub fn parse(v4: bool, bytes: &[u8]) -> Result<Self, IcmpParseError> {
        let Some((header, quote)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(IcmpParseError::Short);
        };
        let [kind, code, _, _, rest @ ..] = *header;
        let kind = match (v4, kind, code) {
            // RFC 1191 §4: the MTU is the lower half of what RFC 792 left unused.
            (true, 3, 4) => IcmpKind::TooBig {
                mtu: u32::from(u16::from_be_bytes([rest[2], rest[3]])),
            },
            (false, 2, _) => IcmpKind::TooBig {
                mtu: u32::from_be_bytes(rest),
            },
            (true, 3, _) | (false, 1, _) => IcmpKind::Unreachable { code },
            (true, 4, _) => IcmpKind::SourceQuench,
            (true, 11, _) | (false, 3, _) => IcmpKind::TimeExceeded { code },
            (true, 12, _) | (false, 4, _) => IcmpKind::ParameterProblem { code },
            _ => return Err(IcmpParseError::OtherType(kind)),
        };
        let quote = if v4 { quote_v4(quote) } else { quote_v6(quote) }?;
        Ok(Self { kind, quote })
    }

    /// Whether the checksum verifies: over the message in IPv4 (RFC 792), over the pseudo-header,
    /// too, in IPv6 (RFC 4443 §2.3).
    pub fn verify_checksum(from: IpAddr, to: IpAddr, bytes: &[u8]) -> bool {
        checksum::verifies_icmp(from, to, bytes)
    }
}

/// IP options stand only here, for no others are handed to TCP: they are passed over (MUST-50).
fn quote_v4(bytes: &[u8]) -> Result<Quote, IcmpParseError> {
    let Some((header, _)) = bytes.split_first_chunk::<20>() else {
        return Err(IcmpParseError::QuoteCut);
    };
    if header[0] >> 4 != 4 {
        return Err(IcmpParseError::QuoteVersion(header[0] >> 4));
    }
    let words = header[0] & 15;
    if words < 5 {
        return Err(IcmpParseError::QuoteHeader(words));
    }
    if u16::from_be_bytes([header[6], header[7]]) & 0x1fff != 0 {
        return Err(IcmpParseError::QuoteFragment);
    }
    let address = |at: usize| {
        let [a, b, c, d] = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    let length = u32::from(u16::from_be_bytes([header[2], header[3]]));
    let segment = bytes.get(4 * usize::from(words)..).unwrap_or_default();
    quote(header[9], (address(12), address(16)), length, segment)
}

fn quote_v6(bytes: &[u8]) -> Result<Quote, IcmpParseError> {
    let Some((header, segment)) = bytes.split_first_chunk::<40>() else {
        return Err(IcmpParseError::QuoteCut);
    };
    if header[0] >> 4 != 6 {
        return Err(IcmpParseError::QuoteVersion(header[0] >> 4));
    }
    let address = |at: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&header[at..at + 16]);
        IpAddr::V6(Ipv6Addr::from(octets))
    };
    let length = 40 + u32::from(u16::from_be_bytes([header[4], header[5]]));
    // This host sends no extension headers, so none can stand before the segment.
    quote(header[6], (address(8), address(24)), length, segment)
}

fn quote(
    protocol: u8,
    (from, to): (IpAddr, IpAddr),
    length: u32,
    segment: &[u8],
) -> Result<Quote, IcmpParseError> {
    if protocol != TCP {
        return Err(IcmpParseError::QuoteProtocol(protocol));
    }
    let Some((segment, _)) = segment.split_first_chunk::<8>() else {
        return Err(IcmpParseError::QuoteCut);
    };
    let [a, b, c, d, seq @ ..] = *segment;
    Ok(Quote {
        from,
        to,
        length,
        source_port: u16::from_be_bytes([a, b]),
        destination_port: u16::from_be_bytes([c, d]),
        seq: SeqNumber(u32::from_be_bytes(seq)),
    })
}

impl fmt::Display for IcmpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { code } => write!(f, "unreachable ({code})"),
            Self::TooBig { mtu } => write!(f, "too big, MTU {mtu}"),
            Self::SourceQuench => f.write_str("source quench"),
            Self::TimeExceeded { code } => write!(f, "time exceeded ({code})"),
            Self::ParameterProblem { code } => write!(f, "parameter problem ({code})"),
        }
    }
}

/// `<ICMP too big, MTU 1400, SEQ=17>`.
impl fmt::Display for IcmpMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<ICMP {}, SEQ={}>", self.kind, self.quote.seq)
    }
}

/// The octets of an ICMP header, before the quote.
const HEADER_LEN: usize = 8;

/// TCP's number in IP.
const TCP: u8 = 6;

#[cfg(test)]
mod tests;
