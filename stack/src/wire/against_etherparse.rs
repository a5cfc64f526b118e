//! Our parser against the one of `etherparse`: every field of every generated header agrees, but
//! for these differences, which are meant:
//! - Bit 8 was the NS flag (RFC 3540, historic). RFC 9293 reserves it: we ignore it on arrival.
//! - `etherparse` finds errors in options only when these are iterated, and an option of a known
//!   kind and a wrong length is an error there. Here it is skipped like an unknown one (MUST-6).
//! - An option of an unknown kind is an error there, and ends the iteration. Here it is skipped.
//! - In a SACK of one to four blocks, `etherparse` gives the first and the others apart.
//! - The user timeout (kind 28) is unknown there.
//! - More than 65,535 octets are no segment here.

use alloc::vec::Vec;

use etherparse::{TcpHeaderSlice, TcpOptionElement, TcpOptionReadError};
use proptest::collection::vec;
use proptest::prelude::*;

use super::arbitrary::{config, header, option_octets, options};
use super::{Flags, Options, SackBlock, SackBlocks, Segment, finish_checksum};
use crate::seq::SeqNumber;

/// The options as `etherparse` iterates them, until an unknown or misshapen one, and whether the
/// end was reached.
fn their_options(header: &TcpHeaderSlice<'_>) -> (Options, bool) {
    let mut options = Options::default();
    for element in header.options_iterator() {
        match element {
            Ok(TcpOptionElement::Noop) => {}
            Ok(TcpOptionElement::MaximumSegmentSize(mss)) => options.mss = Some(mss),
            Ok(TcpOptionElement::WindowScale(shift)) => options.window_scale = Some(shift),
            Ok(TcpOptionElement::SelectiveAcknowledgementPermitted) => {
                options.sack_permitted = true;
            }
            Ok(TcpOptionElement::SelectiveAcknowledgement(first, others)) => {
                options.sack = SackBlocks::default();
                for (left, right) in [first].into_iter().chain(others.into_iter().flatten()) {
                    let block = SackBlock {
                        left: SeqNumber(left),
                        right: SeqNumber(right),
                    };
                    assert!(options.sack.push(block));
                }
            }
            Ok(TcpOptionElement::Timestamp(value, echo)) => {
                options.timestamps = Some((value, echo));
            }
            Err(
                TcpOptionReadError::UnknownId(_)
                | TcpOptionReadError::UnexpectedSize { .. }
                | TcpOptionReadError::UnexpectedEndOfSlice { .. },
            ) => return (options, false),
        }
    }
    (options, true)
}

/// What we write and they can read.
fn options_they_know() -> impl Strategy<Value = Options> {
    options().prop_map(|options| Options {
        user_timeout: None,
        ..options
    })
}

fn agrees(bytes: &[u8]) -> Result<(), TestCaseError> {
    let theirs = TcpHeaderSlice::from_slice(bytes);
    let ours = Segment::parse(bytes);
    let (ours, theirs) = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(_), Err(_)) => return Ok(()),
        (Err(_), Ok(theirs)) => {
            prop_assert!(
                !their_options(&theirs).1,
                "only our options can be at fault"
            );
            return Ok(());
        }
        (Ok(ours), Err(error)) => {
            return Err(TestCaseError::fail(alloc::format!(
                "{ours} is none there: {error}"
            )));
        }
    };
    prop_assert_eq!(ours.source_port, theirs.source_port());
    prop_assert_eq!(ours.destination_port, theirs.destination_port());
    prop_assert_eq!(ours.seq.0, theirs.sequence_number());
    prop_assert_eq!(ours.ack.0, theirs.acknowledgment_number());
    prop_assert_eq!(ours.window, theirs.window_size());
    prop_assert_eq!(ours.urgent, theirs.urgent_pointer());
    prop_assert_eq!(ours.text, &bytes[theirs.slice().len()..]);
    for (flag, set) in [
        (Flags::FIN, theirs.fin()),
        (Flags::SYN, theirs.syn()),
        (Flags::RST, theirs.rst()),
        (Flags::PSH, theirs.psh()),
        (Flags::ACK, theirs.ack()),
        (Flags::URG, theirs.urg()),
        (Flags::ECE, theirs.ece()),
        (Flags::CWR, theirs.cwr()),
    ] {
        prop_assert_eq!(ours.flags.contains(flag), set, "{}", flag);
    }
    if let (options, true) = their_options(&theirs) {
        prop_assert_eq!(ours.options, options);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn our_segments_are_read_alike(header in header(options_they_know()), text in vec(any::<u8>(), 0..64)) {
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        bytes.extend_from_slice(&text);
        agrees(&bytes)?;
        prop_assert!(their_options(&TcpHeaderSlice::from_slice(&bytes).expect("a header")).1);
    }

    #[test]
    fn segments_with_any_options_are_read_alike(
        header in header(Just(Options::default())),
        octets in option_octets(),
        reserved in 0_u8..16,
        text in vec(any::<u8>(), 0..8),
    ) {
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        bytes[12] = ((20 + octets.len()) / 4 * 16) as u8 | reserved;
        bytes.extend_from_slice(&octets);
        bytes.extend_from_slice(&text);
        agrees(&bytes)?;
    }

    #[test]
    fn any_octets_are_read_alike(bytes in vec(any::<u8>(), 0..80)) {
        agrees(&bytes)?;
    }

    #[test]
    fn checksums_are_alike(
        header in header(options()),
        text in vec(any::<u8>(), 0..1_500),
        four in any::<[[u8; 4]; 2]>(),
        six in any::<[[u8; 16]; 2]>(),
    ) {
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        bytes.extend_from_slice(&text);
        finish_checksum(four[0].into(), four[1].into(), &mut bytes);
        let theirs = TcpHeaderSlice::from_slice(&bytes).expect("a header");
        prop_assert_eq!(Ok(theirs.checksum()), theirs.calc_checksum_ipv4_raw(four[0], four[1], &text));
        finish_checksum(six[0].into(), six[1].into(), &mut bytes);
        let theirs = TcpHeaderSlice::from_slice(&bytes).expect("a header");
        prop_assert_eq!(
            Ok(theirs.checksum()),
            theirs.to_header().calc_checksum_ipv6_raw(six[0], six[1], &text)
        );
    }
}
