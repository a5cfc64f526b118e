//! ICMP messages octet by octet, and that any octets are harmless.

use alloc::vec::Vec;
use core::net::IpAddr;

use proptest::prelude::*;

use super::{IcmpKind, IcmpMessage, IcmpParseError, Quote};
use crate::seq::SeqNumber;
use crate::wire::arbitrary;

/// 192.0.2.1 port 80 to 198.51.100.7 port 5000, 1,500 octets, SEQ 0x01020304.
const QUOTE_V4: [u8; 28] = [
    0x45, 0, 0x05, 0xdc, 0, 0, 0x40, 0, 63, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7, 0, 80, 0x13,
    0x88, 1, 2, 3, 4,
];

fn quote_v6() -> Vec<u8> {
    let mut quote = Vec::from([0x60, 0, 0, 0, 0x05, 0xb4, 6, 63]);
    for last in [1, 2] {
        quote.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    quote.extend_from_slice(&QUOTE_V4[20..]);
    quote
}

fn message(header: [u8; 8], quote: &[u8]) -> Vec<u8> {
    [&header, quote].concat()
}

fn kind(v4: bool, kind: u8, code: u8, rest: [u8; 4]) -> Result<IcmpKind, IcmpParseError> {
    let quote = if v4 { QUOTE_V4.to_vec() } else { quote_v6() };
    let [a, b, c, d] = rest;
    let bytes = message([kind, code, 0, 0, a, b, c, d], &quote);
    IcmpMessage::parse(v4, &bytes).map(|message| message.kind)
}

#[test]
fn the_quote_leads_to_the_connection() {
    // MUST-54: ports and sequence number are in the first 8 octets above IP.
    let v4 = IcmpMessage::parse(true, &message([3, 1, 0, 0, 0, 0, 0, 0], &QUOTE_V4)).unwrap();
    let quote = Quote {
        from: "192.0.2.1".parse().unwrap(),
        to: "198.51.100.7".parse().unwrap(),
        length: 1500,
        source_port: 80,
        destination_port: 5000,
        seq: SeqNumber(0x0102_0304),
    };
    assert_eq!(v4.quote, quote);
    let v6 = IcmpMessage::parse(false, &message([1, 0, 0, 0, 0, 0, 0, 0], &quote_v6())).unwrap();
    let addresses: [IpAddr; 2] = [
        "2001:db8::1".parse().unwrap(),
        "2001:db8::2".parse().unwrap(),
    ];
    assert_eq!([v6.quote.from, v6.quote.to], addresses);
    assert_eq!((v6.quote.length, v6.quote.seq), (1500, quote.seq));
}

#[test]
fn options_of_the_quoted_header_are_passed_over() {
    // MUST-50
    let mut quote = QUOTE_V4.to_vec();
    quote[0] = 0x46;
    quote.splice(20..20, [1, 1, 1, 1]);
    let parsed = IcmpMessage::parse(true, &message([3, 1, 0, 0, 0, 0, 0, 0], &quote)).unwrap();
    assert_eq!(parsed.quote.source_port, 80);
    quote.truncate(31);
    let cut = IcmpMessage::parse(true, &message([3, 1, 0, 0, 0, 0, 0, 0], &quote));
    assert_eq!(cut, Err(IcmpParseError::QuoteCut));
}

#[test]
fn the_types_of_both_families_mean_the_same() {
    let none = [0; 4];
    let unreachable = |code| Ok(IcmpKind::Unreachable { code });
    assert_eq!(kind(true, 3, 3, none), unreachable(3));
    assert_eq!(kind(false, 1, 4, none), unreachable(4));
    let too_big = |mtu| Ok(IcmpKind::TooBig { mtu });
    assert_eq!(kind(true, 3, 4, [9, 9, 0x05, 0x78]), too_big(1400));
    assert_eq!(kind(false, 2, 0, [0, 1, 0, 0]), too_big(65_536));
    let exceeded = Ok(IcmpKind::TimeExceeded { code: 1 });
    assert_eq!(
        [kind(true, 11, 1, none), kind(false, 3, 1, none)],
        [exceeded; 2]
    );
    let problem = Ok(IcmpKind::ParameterProblem { code: 2 });
    assert_eq!(
        [kind(true, 12, 2, none), kind(false, 4, 2, none)],
        [problem; 2]
    );
    assert_eq!(kind(true, 4, 0, none), Ok(IcmpKind::SourceQuench));
    for (v4, other) in [(true, 0), (true, 5), (true, 8), (false, 128), (false, 135)] {
        assert_eq!(
            kind(v4, other, 0, none),
            Err(IcmpParseError::OtherType(other))
        );
    }
}

#[test]
fn what_shows_no_segment_is_refused() {
    use IcmpParseError::{
        QuoteCut, QuoteFragment, QuoteHeader, QuoteProtocol, QuoteVersion, Short,
    };
    let changed = |at: usize, octet: u8| {
        let mut quote = QUOTE_V4;
        quote[at] = octet;
        IcmpMessage::parse(true, &message([11, 0, 0, 0, 0, 0, 0, 0], &quote)).unwrap_err()
    };
    assert_eq!(changed(0, 0x65), QuoteVersion(6));
    assert_eq!(changed(0, 0x44), QuoteHeader(4));
    assert_eq!(changed(7, 1), QuoteFragment);
    assert_eq!(changed(9, 17), QuoteProtocol(17));
    let whole = message([3, 0, 0, 0, 0, 0, 0, 0], &QUOTE_V4);
    for length in 0..whole.len() {
        let expected = if length < 8 { Short } else { QuoteCut };
        assert_eq!(IcmpMessage::parse(true, &whole[..length]), Err(expected));
    }
}

#[test]
fn the_checksum_covers_the_pseudo_header_in_ipv6_alone() {
    let (a, b) = (
        "2001:db8::2".parse().unwrap(),
        "2001:db8::1".parse().unwrap(),
    );
    let (c, d) = ("192.0.2.9".parse().unwrap(), "192.0.2.1".parse().unwrap());
    // Computed by hand: 0x0b00 + 0x0001 = 0x0b01, complement 0xf4fe.
    let v4 = [11, 0, 0xf4, 0xfe, 0, 1];
    assert!(IcmpMessage::verify_checksum(c, d, &v4));
    assert!(
        IcmpMessage::verify_checksum(a, c, &v4),
        "the addresses do not count"
    );
    // 2001 0db8 ... 2, 2001 0db8 ... 1: 0x5b75; length 6, next header 58: 0x5bb5; 0x0300 + 1:
    // 0x5eb6, complement 0xa149.
    let v6 = [3, 0, 0xa1, 0x49, 0, 1];
    assert!(IcmpMessage::verify_checksum(a, b, &v6));
    assert!(!IcmpMessage::verify_checksum(
        a,
        "2001:db8::3".parse().unwrap(),
        &v6
    ));
    for bit in 0..48 {
        let (mut four, mut six) = (v4, v6);
        four[bit / 8] ^= 1 << (bit % 8);
        six[bit / 8] ^= 1 << (bit % 8);
        assert!(!IcmpMessage::verify_checksum(c, d, &four), "bit {bit}");
        assert!(!IcmpMessage::verify_checksum(a, b, &six), "bit {bit}");
    }
}

proptest! {
    #![proptest_config(arbitrary::config(2000))]

    #[test]
    fn parsing_is_total(bytes in prop::collection::vec(any::<u8>(), 0..100), head in any::<[u8; 2]>()) {
        let mut likely = message([3, head[0] % 8, 0, 0, 0, 0, 5, 0], &QUOTE_V4);
        let at = usize::from(head[1]) % likely.len();
        likely.splice(at.., bytes.iter().copied());
        for bytes in [bytes, likely] {
            for v4 in [true, false] {
                if let Ok(message) = IcmpMessage::parse(v4, &bytes) {
                    let least = if v4 { 36 } else { 56 };
                    prop_assert!(bytes.len() >= least);
                    prop_assert_eq!(message.quote.from.is_ipv4(), v4);
                }
            }
        }
    }
}
