//! Headers octet by octet, and what any octets must give.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::arbitrary::{config, header, option_octets, options};
use super::super::{Flags, Header, Options, ParseError};
use super::{SEGMENT_LEN_MAX, Segment};
use crate::seq::SeqNumber;

const FROM: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const TO: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// RFC 9293 figure 1, a different value in every field; all four reserved bits are set.
const BYTES: [u8; 28] = [
    0x12, 0x34, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0xf1, 0xf2, 0xf3, 0xf4, 0x6f, 0x31, 0xff, 0xfe,
    0xaa, 0xbb, 0x00, 0x09, 0x02, 0x04, 0x05, 0xb4, b't', b'e', b'x', b't',
];

fn example() -> Segment<'static> {
    Segment {
        source_port: 0x1234,
        destination_port: 80,
        seq: SeqNumber(0x0102_0304),
        ack: SeqNumber(0xf1f2_f3f4),
        flags: Flags::URG | Flags::ACK | Flags::FIN,
        window: 0xfffe,
        urgent: 9,
        options: Options {
            mss: Some(1_460),
            ..Options::default()
        },
        text: b"text",
    }
}

fn segment(header: Header, text: &[u8]) -> Segment<'_> {
    let Header {
        source_port,
        destination_port,
        seq,
        ack,
        flags,
        window,
        urgent,
        options,
    } = header;
    Segment {
        source_port,
        destination_port,
        seq,
        ack,
        flags,
        window,
        urgent,
        options,
        text,
    }
}

#[test]
fn every_field_is_read_from_its_place() {
    assert_eq!(Segment::parse(&BYTES), Ok(example()));
}

#[test]
fn every_field_is_written_to_its_place() {
    let mut bytes = Vec::from([7]);
    example().emit(FROM, TO, &mut bytes);
    assert_eq!(bytes[0], 7, "emit appends");
    let mut expected = BYTES;
    expected[12] = 0x60; // reserved bits are sent as zeros
    expected[16..18].copy_from_slice(&bytes[17..19]);
    assert_eq!(bytes[1..], expected);
    assert!(Segment::verify_checksum(FROM, TO, &bytes[1..]));
    assert!(!Segment::verify_checksum(FROM, TO, &BYTES));
}

/// MUST-1.
#[test]
fn a_large_window_is_not_negative() {
    let mut bytes = BYTES;
    bytes[14..16].fill(0xff);
    assert_eq!(
        Segment::parse(&bytes).map(|s| u32::from(s.window)),
        Ok(65_535)
    );
}

#[test]
fn every_truncation_is_an_error_that_says_where() {
    for len in 0..20 {
        let error = ParseError::Short { octets: len as u8 };
        assert_eq!(Segment::parse(&BYTES[..len]), Err(error));
    }
    for len in 20..24 {
        let error = ParseError::DataOffsetBeyondEnd {
            words: 6,
            octets: len as u8,
        };
        assert_eq!(Segment::parse(&BYTES[..len]), Err(error));
    }
    assert_eq!(Segment::parse(&BYTES[..24]).map(|s| s.text), Ok(&[][..]));
}

#[test]
fn a_data_offset_inside_the_header_is_an_error() {
    for words in 0..5 {
        let mut bytes = BYTES;
        bytes[12] = words << 4;
        assert_eq!(
            Segment::parse(&bytes),
            Err(ParseError::DataOffsetTooSmall { words })
        );
    }
}

#[test]
fn without_options_the_text_begins_after_20_octets() {
    let mut bytes = BYTES;
    bytes[12] = 0x50;
    let parsed = Segment::parse(&bytes).expect("a header without options");
    assert_eq!(
        (parsed.options, parsed.text),
        (Options::default(), &bytes[20..])
    );
}

#[test]
fn options_are_read_in_segments_of_every_kind() {
    // MUST-5: whether an MSS may stand here is not the parser's business.
    for bits in 0..=u8::MAX {
        let mut bytes = BYTES;
        bytes[13] = bits;
        let parsed = Segment::parse(&bytes).expect("any flags");
        assert_eq!(
            (parsed.flags.bits(), parsed.options.mss),
            (bits, Some(1_460))
        );
    }
}

/// MUST-7.
#[test]
fn an_illegal_option_length_refuses_the_whole_segment() {
    let mut bytes = BYTES;
    bytes[21] = 0;
    let error = ParseError::OptionTooShort {
        kind: 2,
        at: 20,
        length: 0,
    };
    assert_eq!(Segment::parse(&bytes), Err(error));
    bytes[21] = 5;
    let error = ParseError::OptionOverlong {
        kind: 2,
        at: 20,
        length: 5,
    };
    assert_eq!(
        Segment::parse(&bytes),
        Err(error),
        "the text is no part of the options"
    );
}

#[test]
fn a_segment_is_no_longer_than_ip_can_carry() {
    let mut bytes = alloc::vec![0; SEGMENT_LEN_MAX];
    bytes[12] = 0x50;
    assert_eq!(Segment::parse(&bytes).map(|s| s.len()), Ok(65_515));
    bytes.push(0);
    assert_eq!(Segment::parse(&bytes), Err(ParseError::Long));
}

#[test]
fn syn_and_fin_occupy_a_sequence_number_each() {
    let with = |flags| Segment { flags, ..example() }.len();
    assert_eq!(with(Flags::ACK | Flags::PSH | Flags::RST), 4);
    assert_eq!(
        (
            with(Flags::SYN),
            with(Flags::FIN),
            with(Flags::SYN | Flags::FIN)
        ),
        (5, 5, 6)
    );
}

#[test]
fn a_segment_is_shown_in_one_line() {
    let shown = "<SEQ=16909060 ACK=4059231220 CTL=FIN,ACK,URG WND=65534 LEN=4 UP=9 MSS=1460>";
    assert_eq!(example().to_string(), shown);
    let syn = Segment {
        flags: Flags::SYN,
        text: b"",
        ..example()
    };
    assert_eq!(
        syn.to_string(),
        "<SEQ=16909060 CTL=SYN WND=65534 LEN=0 MSS=1460>"
    );
}

#[test]
fn errors_say_what_and_where() {
    let error = ParseError::OptionOverlong {
        kind: 2,
        at: 22,
        length: 9,
    };
    assert_eq!(
        error.to_string(),
        "option 2 at octet 22 has length 9, beyond the header"
    );
    let error = ParseError::Short { octets: 3 };
    assert_eq!(error.to_string(), "3 octets are too few for a header");
}

/// What every parse promises, of any octets.
fn parse_holds(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Ok(parsed) = Segment::parse(bytes) else {
        return Ok(());
    };
    prop_assert!(bytes.ends_with(parsed.text));
    prop_assert!(bytes.len() - parsed.text.len() >= 20);
    let six = IpAddr::V6(Ipv6Addr::LOCALHOST);
    for (from, to) in [(FROM, TO), (six, six)] {
        let mut emitted = Vec::new();
        parsed.emit(from, to, &mut emitted);
        prop_assert!(Segment::verify_checksum(from, to, &emitted));
        prop_assert_eq!(Segment::parse(&emitted), Ok(parsed.clone()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn any_octets_are_a_segment_or_an_error(bytes in vec(any::<u8>(), 0..100)) {
        parse_holds(&bytes)?;
    }

    #[test]
    fn any_options_are_a_segment_or_an_error(
        header in header(Just(Options::default())),
        options in option_octets(),
        text in vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        bytes[12] = ((20 + options.len()) / 4 * 16) as u8;
        bytes.extend_from_slice(&options);
        bytes.extend_from_slice(&text);
        parse_holds(&bytes)?;
    }

    #[test]
    fn what_is_emitted_is_parsed(header in header(options()), text in vec(any::<u8>(), 0..80)) {
        let mut fitting = header;
        let mut bytes = Vec::new();
        segment(header, &text).emit(FROM, TO, &mut bytes);
        let parsed = Segment::parse(&bytes).expect("our own segment");
        fitting.options.sack = parsed.options.sack; // blocks without room are left out
        prop_assert_eq!(parsed, segment(fitting, &text));
    }
}
