//! What the segment parser promises of any octets (RFC 9293 §3.1): the body of the fuzz target
//! `segment_parse` and of the test that replays its corpus on stable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use timewait_stack::wire::{HEADER_LEN, OPTIONS_LEN_MAX, ParseError, Segment};

/// Documentation addresses of IPv4, source and destination: those of the corpus.
pub(crate) const V4: (IpAddr, IpAddr) = (
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
);
/// The same of IPv6.
pub(crate) const V6: (IpAddr, IpAddr) = (
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2)),
);

/// Parses; if it is a segment, emits it and parses again: it means the same.
///
/// # Panics
///
/// If a promise is broken.
pub(crate) fn segment_parse(bytes: &[u8]) {
    for (from, to) in [V4, V6, (V4.0, V6.1)] {
        let _ = Segment::verify_checksum(from, to, bytes);
    }
    match Segment::parse(bytes) {
        Ok(segment) => {
            assert!(bytes.ends_with(segment.text));
            let header_len = bytes.len() - segment.text.len();
            assert!((HEADER_LEN..=HEADER_LEN + OPTIONS_LEN_MAX).contains(&header_len));
            assert!(
                segment.len() as usize - segment.text.len() <= 2,
                "SYN and FIN"
            );
            assert!(!segment.to_string().is_empty());
            emits_the_same(&segment, V4);
            emits_the_same(&segment, V6);
        }
        Err(error) => points_into(error, bytes),
    }
}

/// Emit and parse are inverse, the checksum holds, and there is one way to write a segment.
fn emits_the_same(segment: &Segment<'_>, (from, to): (IpAddr, IpAddr)) {
    let mut emitted = Vec::new();
    segment.emit(from, to, &mut emitted);
    assert!(Segment::verify_checksum(from, to, &emitted));
    let again = match Segment::parse(&emitted) {
        Ok(again) => again,
        // The options may have become longer by padding, the text being as long as can be.
        Err(ParseError::Long) if emitted.len() > 0xffff => return,
        Err(error) => panic!("{segment} is emitted as something else: {error}"),
    };
    assert_eq!(&again, segment);
    let mut twice = Vec::new();
    again.emit(from, to, &mut twice);
    assert_eq!(twice, emitted);
}

/// An error names something that is there.
fn points_into(error: ParseError, bytes: &[u8]) {
    assert!(!error.to_string().is_empty());
    match error {
        ParseError::Short { octets } => {
            assert!(bytes.len() == usize::from(octets) && bytes.len() < HEADER_LEN);
        }
        ParseError::Long => assert!(bytes.len() > 0xffff),
        ParseError::DataOffsetTooSmall { words } => {
            assert!(bytes[12] >> 4 == words && words < 5);
        }
        ParseError::DataOffsetBeyondEnd { words, octets } => {
            assert!(bytes[12] >> 4 == words && bytes.len() == usize::from(octets));
            assert!(bytes.len() < 4 * usize::from(words));
        }
        ParseError::OptionWithoutLength { kind, at } => {
            assert_eq!(bytes[usize::from(at)], kind);
            assert_eq!(usize::from(at) + 1, header_len(bytes));
        }
        ParseError::OptionTooShort { kind, at, length } => {
            assert_eq!(bytes[usize::from(at)..][..2], [kind, length]);
            assert!(length < 2);
        }
        ParseError::OptionOverlong { kind, at, length } => {
            assert_eq!(bytes[usize::from(at)..][..2], [kind, length]);
            assert!(usize::from(at) + usize::from(length) > header_len(bytes));
        }
    }
}

fn header_len(bytes: &[u8]) -> usize {
    4 * usize::from(bytes[12] >> 4)
}
