//! A segment's header as the oracles read it (RFC 9293 §3.1).
//!
//! Parsed and checksummed here a second time, on purpose: a judge that used the parser of the
//! stack would share its mistakes.

use core::net::IpAddr;
use timewait_sim::Packet;
use timewait_stack::SeqNumber;
use timewait_stack::wire::{Flags, SackBlock, SackBlocks};

use super::TCP;

/// The header of a segment and the length of its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// SEG.SEQ.
    pub seq: SeqNumber,
    /// SEG.ACK; means something only with ACK set.
    pub ack: SeqNumber,
    /// The control bits.
    pub flags: Flags,
    /// SEG.WND as the field says it: what it counts, only the SYNs of both ends tell.
    pub window: u16,
    /// The urgent field; means something only with URG set.
    pub urgent: u16,
    /// The MSS option.
    pub mss: Option<u16>,
    /// The window scale option, whatever the segment and the value.
    pub window_scale: Option<u8>,
    /// The SACK-permitted option (RFC 2018 §2).
    pub sack_permitted: bool,
    /// The timestamps option: TSval and TSecr.
    pub timestamps: Option<(u32, u32)>,
    /// The blocks of the SACK option (RFC 2018 §3).
    pub sack: SackBlocks,
    /// Where the text starts in the datagram's octets.
    pub text_start: u16,
    /// Octets of text.
    pub text_len: u32,
}

impl SegmentHeader {
    /// Reads a header; `None` if the octets are no segment.
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let fixed = octets.first_chunk::<20>()?;
        let text_start = usize::from(fixed[12] >> 4) * 4;
        let options = octets.get(20..text_start)?;
        let text_len = u32::try_from(octets.len() - text_start).ok()?;
        let known = KnownOptions::read(options);
        Some(Self {
            source_port: u16::from_be_bytes([fixed[0], fixed[1]]),
            destination_port: u16::from_be_bytes([fixed[2], fixed[3]]),
            seq: SeqNumber(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]])),
            ack: SeqNumber(u32::from_be_bytes([
                fixed[8], fixed[9], fixed[10], fixed[11],
            ])),
            flags: Flags::from_bits_retain(fixed[13]),
            window: u16::from_be_bytes([fixed[14], fixed[15]]),
            urgent: u16::from_be_bytes([fixed[18], fixed[19]]),
            mss: known.mss,
            window_scale: known.window_scale,
            sack_permitted: known.sack_permitted,
            timestamps: known.timestamps,
            sack: known.sack,
            text_start: u16::from(fixed[12] >> 4) * 4,
            text_len,
        })
    }

    /// The header of the segment in a datagram; `None` if it holds none.
    pub fn of(packet: &Packet) -> Option<Self> {
        let octets = packet.payload.octets();
        (packet.protocol == TCP)
            .then(|| Self::decode(octets))
            .flatten()
    }

    /// Whether all of `flags` are set.
    pub fn has(&self, flags: Flags) -> bool {
        self.flags.contains(flags)
    }

    /// Whether a SYN or SYN-ACK has the flags by which ECN is agreed on (RFC 3168 §6.1.1).
    pub fn is_ecn_setup(&self) -> bool {
        let both = Flags::ECE.union(Flags::CWR);
        let answer = self.has(Flags::ACK);
        self.flags & both == if answer { Flags::ECE } else { both }
    }

    /// Whether the first SACK block says what came twice: it lies before the acknowledgment, or in
    /// the second one (RFC 2883 §4).
    pub fn has_dsack(&self) -> bool {
        match self.sack.as_slice() {
            [first, ..] if first.left.before(self.ack) => true,
            [first, second, ..] => {
                second.left.at_or_before(first.left) && first.right.at_or_before(second.right)
            }
            _ => false,
        }
    }

    /// Octets of options, padding included.
    pub fn option_octets(&self) -> u32 {
        u32::from(self.text_start).saturating_sub(20)
    }

    /// SEG.LEN: the text, plus one each for SYN and FIN (RFC 9293 §3.4).
    pub fn seg_len(&self) -> u32 {
        self.text_len + u32::from(self.has(Flags::SYN)) + u32::from(self.has(Flags::FIN))
    }

    /// The sequence number after the segment's last.
    pub fn end(&self) -> SeqNumber {
        self.seq + self.seg_len()
    }

    /// The sequence number of the first octet of text: after the SYN, if there is one.
    pub fn text_seq(&self) -> SeqNumber {
        self.seq + u32::from(self.has(Flags::SYN))
    }

    /// The sequence number after the last octet of text: that of the FIN, if there is one.
    pub fn text_end(&self) -> SeqNumber {
        self.text_seq() + self.text_len
    }
}

/// `<SEQ=1><ACK=2><CTL=SYN,ACK><LEN=1>`, in the notation of RFC 9293 §3.5.
impl core::fmt::Display for SegmentHeader {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "<SEQ={}>", self.seq)?;
        if self.has(Flags::ACK) {
            write!(f, "<ACK={}>", self.ack)?;
        }
        f.write_str("<CTL=")?;
        let mut separator = "";
        for (name, _) in self.flags.iter_names() {
            write!(f, "{separator}{name}")?;
            separator = ",";
        }
        f.write_str(">")?;
        if self.text_len > 0 {
            write!(f, "<DATA={}>", self.text_len)?;
        }
        Ok(())
    }
}

/// The options that judges look at.
#[derive(Clone, Copy, Debug, Default)]
struct KnownOptions {
    mss: Option<u16>,
    window_scale: Option<u8>,
    sack_permitted: bool,
    timestamps: Option<(u32, u32)>,
    sack: SackBlocks,
}

impl KnownOptions {
    /// The last well-formed option of each kind before the list ends.
    fn read(mut options: &[u8]) -> Self {
        let mut known = Self::default();
        loop {
            match *options {
                [1, ref rest @ ..] => {
                    options = rest;
                    continue;
                }
                [2, 4, a, b, ..] => known.mss = Some(u16::from_be_bytes([a, b])),
                [3, 3, shift, ..] => known.window_scale = Some(shift),
                [4, 2, ..] => known.sack_permitted = true,
                [8, 10, a, b, c, d, e, f, g, h, ..] => {
                    let (value, echo) = ([a, b, c, d], [e, f, g, h]);
                    known.timestamps = Some((u32::from_be_bytes(value), u32::from_be_bytes(echo)));
                }
                [5, len, ref rest @ ..] => known.sack = sack(rest, len).unwrap_or(known.sack),
                _ => {}
            }
            let rest = match *options {
                [0, ..] => None,
                [_, len, ..] if len >= 2 => options.get(usize::from(len)..),
                _ => None,
            };
            match rest {
                Some(rest) => options = rest,
                None => return known,
            }
        }
    }
}

/// The blocks in a SACK option of `len` octets, two of them before `rest`; `None` if these are not
/// whole blocks.
fn sack(rest: &[u8], len: u8) -> Option<SackBlocks> {
    let octets = rest.get(..usize::from(len).checked_sub(2)?)?;
    let (blocks, odd) = octets.as_chunks::<8>();
    let mut sack = SackBlocks::default();
    let pushed = blocks.iter().all(|&[a, b, c, d, e, f, g, h]| {
        let [left, right] = [[a, b, c, d], [e, f, g, h]].map(u32::from_be_bytes);
        sack.push(SackBlock {
            left: SeqNumber(left),
            right: SeqNumber(right),
        })
    });
    (pushed && odd.is_empty()).then_some(sack)
}

/// Whether the checksum over pseudo-header and octets verifies (RFC 9293 §3.1, RFC 8200 §8.1).
pub fn checksum_verifies(src: IpAddr, dst: IpAddr, octets: &[u8]) -> bool {
    let addresses = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => sum(&src.octets()) + sum(&dst.octets()),
        (IpAddr::V6(src), IpAddr::V6(dst)) => sum(&src.octets()) + sum(&dst.octets()),
        _ => return false,
    };
    let mut total = addresses + u64::from(PROTOCOL) + octets.len() as u64 + sum(octets);
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total == 0xffff
}

/// The protocol number of TCP.
const PROTOCOL: u8 = 6;

/// The sum of 16-bit words; a last odd octet is padded on the right. Words are added in pairs,
/// which the ones' complement sum does not mind (RFC 1071 §2 (C)).
fn sum(octets: &[u8]) -> u64 {
    let mut pairs = octets.chunks_exact(4);
    let total: u64 = pairs
        .by_ref()
        .map(|p| u64::from(u32::from_be_bytes([p[0], p[1], p[2], p[3]])))
        .sum();
    let mut last = [0; 4];
    let rest = pairs.remainder();
    last[..rest.len()].copy_from_slice(rest);
    total + u64::from(u32::from_be_bytes(last))
}

#[cfg(test)]
mod tests {
    use super::{SegmentHeader, checksum_verifies};
    use timewait_stack::SeqNumber;
    use timewait_stack::wire::{Flags, SackBlock};

    /// A SYN with MSS 1460 from 10.0.0.1:4096 to 10.0.0.2:80, its checksum computed by hand:
    /// words 0a00 0001 0a00 0002 0006 0018 | 1000 0050 0001 0002 0000 0000 6002 ffff 0000 0000
    /// 0204 05b4 sum to 0x18c2d, folded 0x8c2e, complement 0x73d1.
    const SYN: [u8; 24] = [
        0x10, 0x00, 0x00, 0x50, 0x00, 0x01, 0x00, 0x02, 0, 0, 0, 0, 0x60, 0x02, 0xff, 0xff, 0x73,
        0xd1, 0, 0, 2, 4, 0x05, 0xb4,
    ];

    #[test]
    fn a_syn_is_read_field_by_field() {
        let header = SegmentHeader::decode(&SYN).unwrap();
        assert_eq!((header.source_port, header.destination_port), (4096, 80));
        assert_eq!(
            (header.seq, header.ack),
            (SeqNumber(0x1_0002), SeqNumber(0))
        );
        assert_eq!(
            (header.flags, header.window, header.mss),
            (Flags::SYN, 0xffff, Some(1460))
        );
        assert_eq!((header.text_len, header.seg_len()), (0, 1));
    }

    #[test]
    fn options_are_read_up_to_the_end_of_the_list() {
        let mut octets = SYN[..20].to_vec();
        octets[12] = 0xb0;
        octets.extend([1, 3, 3, 7, 8, 10, 0, 0, 1, 2, 0, 0, 0, 9, 30, 2]);
        octets.extend([3, 3, 9, 0, 3, 3, 11, 1]);
        let header = SegmentHeader::decode(&octets).unwrap();
        assert_eq!(header.window_scale, Some(9), "the last one before the end");
        assert_eq!((header.timestamps, header.mss), (Some((0x102, 9)), None));
        octets[21..24].copy_from_slice(&[3, 4, 7]);
        octets[24..26].copy_from_slice(&[8, 1]);
        let broken = SegmentHeader::decode(&octets).unwrap();
        assert_eq!((broken.window_scale, broken.timestamps), (None, None));
    }

    #[test]
    fn sack_blocks_are_read_if_they_are_whole() {
        let mut octets = SYN[..20].to_vec();
        octets[12] = 0xb0;
        octets.extend([1, 1, 5, 18, 0, 0, 0, 9, 0, 0, 1, 0, 255, 255, 255, 255]);
        octets.extend([0, 0, 0, 1, 0, 0, 0, 0]);
        let block = |left, right| SackBlock {
            left: SeqNumber(left),
            right: SeqNumber(right),
        };
        let blocks = [block(9, 256), block(u32::MAX, 1)];
        let read = |octets: &[u8]| SegmentHeader::decode(octets).unwrap().sack;
        assert_eq!(read(&octets).as_slice(), blocks);
        octets[23] = 17;
        assert!(read(&octets).is_empty());
    }

    #[test]
    fn the_checksum_covers_every_bit_and_both_addresses() {
        let (a, b) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        assert!(checksum_verifies(a, b, &SYN));
        assert!(!checksum_verifies(a, [10, 0, 0, 3].into(), &SYN));
        for bit in 0..SYN.len() * 8 {
            let mut damaged = SYN;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!checksum_verifies(a, b, &damaged), "bit {bit}");
        }
    }

    #[test]
    fn octets_that_are_no_segment_are_refused() {
        assert_eq!(SegmentHeader::decode(&SYN[..19]), None);
        let mut short_offset = SYN;
        short_offset[12] = 0x40;
        assert_eq!(SegmentHeader::decode(&short_offset), None);
        let mut long_offset = SYN;
        long_offset[12] = 0x70;
        assert_eq!(SegmentHeader::decode(&long_offset), None);
    }

    #[test]
    fn an_odd_last_octet_counts_as_the_high_half_of_a_word() {
        assert_eq!(super::sum(&[0, 1, 2]), super::sum(&[0, 1, 2, 0]));
        assert_ne!(super::sum(&[0, 1, 2]), super::sum(&[0, 1, 0, 2]));
    }
}
