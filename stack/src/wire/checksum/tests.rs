//! The sum against a naive one, against the examples of RFC 1071, and what it detects.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::arbitrary::config;
use super::super::{Flags, Header};
use super::{finish_checksum, fold, sum, verifies};

const FROM: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const TO: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// The sum as RFC 9293 §3.1 words it: 16-bit words in network order, the carry added at once.
fn naive(bytes: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// The folded sum in network order.
fn fast(bytes: &[u8]) -> u16 {
    u16::from_be(fold(sum(bytes)))
}

/// The pseudo-headers as RFC 9293 figure 2 and RFC 8200 §8.1 draw them, followed by the segment.
fn with_pseudo_header(from: IpAddr, to: IpAddr, segment: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            bytes.extend_from_slice(&from.octets());
            bytes.extend_from_slice(&to.octets());
            bytes.extend_from_slice(&[0, 6]);
            bytes.extend_from_slice(&(segment.len() as u16).to_be_bytes());
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            bytes.extend_from_slice(&from.octets());
            bytes.extend_from_slice(&to.octets());
            bytes.extend_from_slice(&(segment.len() as u32).to_be_bytes());
            bytes.extend_from_slice(&[0, 0, 0, 6]);
        }
        _ => panic!("one family"),
    }
    bytes.extend_from_slice(segment);
    bytes
}

/// A segment with `text` and a right checksum.
fn segment(text: &[u8]) -> Vec<u8> {
    let header = Header {
        source_port: 1,
        window: 0xffff,
        flags: Flags::ACK,
        ..Header::default()
    };
    let mut bytes = Vec::new();
    header.write(&mut bytes);
    bytes.extend_from_slice(text);
    finish_checksum(FROM, TO, &mut bytes);
    bytes
}

#[test]
fn the_example_of_rfc_1071_sums_to_ddf2() {
    // RFC 1071 §3: normal order ddf2, and by octets of the swapped words f2dd.
    let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(fast(&bytes), 0xddf2);
    let swapped = [0x01, 0x00, 0x03, 0xf2, 0xf5, 0xf4, 0xf7, 0xf6];
    assert_eq!(fast(&swapped), 0xf2dd);
}

#[test]
fn the_example_of_rfc_1071_splits_at_an_odd_octet() {
    // RFC 1071 §2 (B): a part that begins at an odd octet enters the sum with its octets swapped.
    let (first, second) = ([0x00, 0x01, 0xf2], [0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
    let joined = u32::from(fast(&first)) + u32::from(fast(&second).swap_bytes());
    assert_eq!((joined & 0xffff) + (joined >> 16), 0xddf2);
}

#[test]
fn an_odd_octet_is_padded_on_its_right() {
    assert_eq!(fast(&[0x12]), 0x1200);
    assert_eq!(fast(&[0x12, 0x34, 0x56]), 0x6834);
    assert_eq!(fast(&[]), 0);
}

#[test]
fn carries_come_back_in_however_many_there_are() {
    for len in [1_usize, 2, 31, 32, 33, 1_448, 65_535] {
        let bytes = alloc::vec![0xff; len];
        assert_eq!(fast(&bytes), naive(&bytes), "{len} octets");
    }
    assert_eq!(fold(u64::MAX), u16::MAX);
    assert_eq!(fold(0x0001_ffff_ffff), 1);
}

#[test]
fn every_length_around_a_block_is_summed_whole() {
    let bytes: Vec<u8> = (0..200_u32).map(|i| (i * 37 + 11) as u8).collect();
    for start in 0..9 {
        for end in start..bytes.len() {
            let part = &bytes[start..end];
            assert_eq!(fast(part), naive(part), "octets {start}..{end}");
        }
    }
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn the_fast_sum_is_the_naive_sum(bytes in vec(any::<u8>(), 0..3_000)) {
        prop_assert_eq!(fast(&bytes), naive(&bytes));
    }

    #[test]
    fn both_families_sum_the_pseudo_header_of_their_rfc(
        four in any::<[[u8; 4]; 2]>(),
        six in any::<[[u8; 16]; 2]>(),
        mut bytes in vec(any::<u8>(), 20..200),
    ) {
        let pairs = [four.map(IpAddr::from), six.map(IpAddr::from)];
        for [from, to] in pairs {
            if from.to_canonical() != from || to.to_canonical() != to {
                continue;
            }
            finish_checksum(from, to, &mut bytes);
            prop_assert_eq!(naive(&with_pseudo_header(from, to, &bytes)), 0xffff);
            prop_assert!(verifies(from, to, &bytes));
        }
    }
}

#[test]
fn the_checksum_covers_addresses_length_and_every_octet() {
    let good = segment(b"abc");
    assert!(verifies(FROM, TO, &good));
    let other = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
    assert!(!verifies(other, TO, &good) && !verifies(FROM, other, &good));
    let mut longer = good.clone();
    longer.push(0);
    assert!(
        !verifies(FROM, TO, &longer),
        "the length is in the pseudo-header"
    );
    assert!(!verifies(FROM, TO, &[]) && !verifies(FROM, TO, &good[..19]));
}

#[test]
fn what_the_checksum_field_held_before_does_not_matter() {
    let good = segment(b"abc");
    let mut again = good.clone();
    again[16..18].fill(0xa5);
    finish_checksum(FROM, TO, &mut again);
    assert_eq!(again, good);
}

#[test]
fn families_do_not_mix_and_v4_mapped_is_v4() {
    let mapped = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => IpAddr::V6(v4.to_ipv6_mapped()),
        v6 @ IpAddr::V6(_) => v6,
    };
    let good = segment(b"x");
    assert!(verifies(mapped(FROM), TO, &good) && verifies(mapped(FROM), mapped(TO), &good));
    let six = IpAddr::V6(Ipv6Addr::LOCALHOST);
    assert!(!verifies(six, TO, &good) && !verifies(FROM, six, &good));
    assert!(!verifies(mapped(FROM), six, &good));
    let mut bytes = good.clone();
    finish_checksum(FROM, six, &mut bytes);
    assert!(
        !verifies(FROM, six, &bytes),
        "not even with the sum of a mixed pair"
    );
}

/// Inverts the bits of `pattern` from bit `start` on, most significant first.
fn damage(bytes: &mut [u8], start: usize, pattern: u16) {
    for bit in 0..16 {
        if pattern >> bit & 1 == 1 {
            let at = start + bit;
            bytes[at / 8] ^= 0x80 >> (at % 8);
        }
    }
}

#[test]
fn every_burst_of_at_most_15_bits_is_detected() {
    // At every position of a sample that has words of zeros, of ones, and of neither.
    let good = segment(&[0, 0, 0xff, 0xff, b'o', b'd']);
    let mut bad = good.clone();
    for start in 0..good.len() * 8 {
        // Bit 0 set, so that no burst is tried twice.
        for pattern in (1..1 << 15_u16)
            .step_by(2)
            .filter(|p: &u16| fits(&good, start, *p))
        {
            damage(&mut bad, start, pattern);
            assert!(!verifies(FROM, TO, &bad), "{pattern:#x} at bit {start}");
            damage(&mut bad, start, pattern);
        }
    }
    assert_eq!(bad, good);
}

fn fits(bytes: &[u8], start: usize, pattern: u16) -> bool {
    start + (16 - pattern.leading_zeros() as usize) <= bytes.len() * 8
}

#[test]
fn a_burst_of_16_bits_may_slip_through() {
    // A word of zeros that becomes a word of ones: the same number in ones' complement.
    let mut bytes = segment(&[0, 0]);
    damage(&mut bytes, 20 * 8, 0xffff);
    assert!(verifies(FROM, TO, &bytes));
}
