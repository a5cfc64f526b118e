//! The Internet checksum over the pseudo-header (RFC 1071, RFC 9293 §3.1, RFC 8200 §8.1).
//!
//! The ones' complement sum does not care for byte order (RFC 1071 §2 (B)) nor for the width of
//! its addends (§2 (C)): so wide words are loaded as the machine likes them, 64-bit lanes take the
//! carries, and the sum is folded once, at the end. In memory it then has network order.

use core::net::IpAddr;

use super::HEADER_LEN;

/// Fills in the checksum of `segment`, a header with options and text, for these addresses
/// (MUST-2). Whatever the checksum field holds is overwritten.
///
/// Both addresses must be of one family (v4-mapped counts as IPv4), or no receiver will verify it.
///
/// # Panics
///
/// If `segment` is shorter than a header.
pub fn finish_checksum(from: IpAddr, to: IpAddr, segment: &mut [u8]) {
    assert!(
        segment.len() >= HEADER_LEN,
        "a checksum needs a header to stand in"
    );
    segment[CHECKSUM_AT..CHECKSUM_AT + 2].fill(0);
    let sum = !fold(pseudo_header(from, to, segment.len(), TCP) + sum(segment));
    segment[CHECKSUM_AT..CHECKSUM_AT + 2].copy_from_slice(&sum.to_ne_bytes());
}

/// Whether the sum over pseudo-header and segment is the ones' complement zero.
pub(super) fn verifies(from: IpAddr, to: IpAddr, segment: &[u8]) -> bool {
    let (from, to) = (from.to_canonical(), to.to_canonical());
    from.is_ipv4() == to.is_ipv4()
        && fold(pseudo_header(from, to, segment.len(), TCP) + sum(segment)) == u16::MAX
}

/// The same for an ICMP message, which has a pseudo-header in IPv6 alone (RFC 4443 §2.3).
pub(super) fn verifies_icmp(from: IpAddr, to: IpAddr, message: &[u8]) -> bool {
    let header = match from.is_ipv6() && to.is_ipv6() {
        true => pseudo_header(from, to, message.len(), ICMPV6),
        false => 0,
    };
    fold(header + sum(message)) == u16::MAX
}

/// The sum of the pseudo-header, in machine order. That of IPv4 and that of IPv6 hold the same
/// addends, in other places.
fn pseudo_header(from: IpAddr, to: IpAddr, segment_len: usize, protocol: u8) -> u64 {
    // More than 2^32 - 1 octets cannot be a segment: the parser refuses 2^16.
    let length = (segment_len as u32).to_be_bytes();
    address(from) + address(to) + word(length) + word([0, 0, 0, protocol])
}

fn address(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => word(v4.octets()),
        IpAddr::V6(v6) => sum(&v6.octets()),
    }
}

/// The sum of the 16-bit words of `bytes`, in machine order, not yet folded; an odd octet at the
/// end is padded with a zero on its right.
///
/// Of the 64-bit words, `all` sums up everything modulo 2^64 and `high` the upper halves, exactly.
/// What `all` holds beyond `high` is then the exact sum of the lower halves: both sums of halves
/// stay below 2^64 for 2^32 words, far more than a segment has.
#[inline]
fn sum(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<16>();
    // Two lanes make one vector register on every common machine.
    let (mut all, mut high) = ([0_u64; 2], [0_u64; 2]);
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (lane, &octets) in words.iter().enumerate() {
            let word = u64::from_ne_bytes(octets);
            all[lane] = all[lane].wrapping_add(word);
            high[lane] = high[lane].wrapping_add(word >> 32);
        }
    }
    let lanes = all.iter().zip(high);
    lanes.fold(sum_short(rest), |sum, (all, high)| {
        sum + high + all.wrapping_sub(high << 32)
    })
}

/// The same for the few octets that fill no block.
#[inline]
fn sum_short(bytes: &[u8]) -> u64 {
    let (words, tail) = bytes.as_chunks::<4>();
    let last = match *tail {
        [] => 0,
        [a] => word([a, 0, 0, 0]),
        [a, b] => word([a, b, 0, 0]),
        [a, b, c, ..] => word([a, b, c, 0]),
    };
    words.iter().fold(last, |sum, &octets| sum + word(octets))
}

/// Two 16-bit words at once, in machine order.
#[inline]
const fn word(octets: [u8; 4]) -> u64 {
    u32::from_ne_bytes(octets) as u64
}

/// Adds the carries back in until 16 bits are left.
#[inline]
const fn fold(sum: u64) -> u16 {
    let sum = (sum >> 32) + (sum & 0xffff_ffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    sum as u16
}

/// Where the checksum stands in a header.
const CHECKSUM_AT: usize = 16;

/// The numbers of TCP and ICMPv6 in IP.
const TCP: u8 = 6;
const ICMPV6: u8 = 58;

#[cfg(test)]
mod tests;
