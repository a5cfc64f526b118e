//! What the parser of ICMP errors promises of any octets (RFC 792, RFC 4443): the body of the fuzz
//! target `icmp_parse` and of the test that replays its corpus on stable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use timewait_stack::wire::{IcmpKind, IcmpMessage, IcmpParseError};

/// Documentation addresses, of the router and of the host: those of the corpus.
pub(crate) const V4: (IpAddr, IpAddr) = (
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
);
/// The same of IPv6.
pub(crate) const V6: (IpAddr, IpAddr) = (
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
);

/// Parses as either family; what is read stands in the octets.
///
/// # Panics
///
/// If a promise is broken.
pub(crate) fn icmp_parse(bytes: &[u8]) {
    for (from, to) in [V4, V6, (V4.0, V6.1)] {
        let _ = IcmpMessage::verify_checksum(from, to, bytes);
    }
    for v4 in [true, false] {
        match IcmpMessage::parse(v4, bytes) {
            Ok(message) => {
                let segment = if v4 {
                    8 + 4 * usize::from(bytes[8] & 15)
                } else {
                    48
                };
                let quote = message.quote;
                assert_eq!((quote.from.is_ipv4(), quote.to.is_ipv4()), (v4, v4));
                assert_eq!(bytes[segment..][..2], quote.source_port.to_be_bytes());
                assert_eq!(bytes[segment + 4..][..4], quote.seq.0.to_be_bytes());
                assert!(!v4 || quote.length <= 0xffff);
                if let IcmpKind::TooBig { mtu } = message.kind {
                    assert!(!v4 || mtu <= 0xffff);
                }
                assert!(!message.to_string().is_empty());
            }
            Err(IcmpParseError::Short) => assert!(bytes.len() < 8),
            Err(IcmpParseError::OtherType(kind)) => assert_eq!(bytes[0], kind),
            Err(error) => assert!(bytes.len() >= 8, "{error:?}"),
        }
    }
}
