//! A segment that has arrived, or is to be sent in one piece (RFC 9293 §3.1).

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::{Flags, HEADER_LEN, Header, Options, ParseError, checksum, finish_checksum};
use crate::seq::SeqNumber;

/// The most octets of a segment, header included: what the length field of IPv6 can say. (IPv4
/// carries 20 less; jumbograms, RFC 2675, are not supported.)
pub const SEGMENT_LEN_MAX: usize = 65_535;

/// A segment, its text borrowed from the datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the header")]
pub struct Segment<'a> {
    pub source_port: u16,
    pub destination_port: u16,
    pub seq: SeqNumber,
    pub ack: SeqNumber,
    pub flags: Flags,
    pub window: u16,
    pub urgent: u16,
    pub options: Options,
    pub text: &'a [u8],
}

impl<'a> Segment<'a> {
    /// Reads a segment from any octets. The reserved bits are ignored, the checksum is not looked
    /// at: see [`Segment::verify_checksum`].
    ///
    /// # Errors
    ///
    /// If the header does not fit into the octets, or the length of an option hides where the next
    /// one begins (MUST-7). The whole segment is refused then: a part of its options would be a
    /// segment that nobody has sent.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(ParseError::Short {
                octets: bytes.len() as u8,
            });
        };
        if bytes.len() > SEGMENT_LEN_MAX {
            return Err(ParseError::Long);
        }
        let words = header[12] >> 4;
        let Some(options_len) = usize::from(words * 4).checked_sub(HEADER_LEN) else {
            return Err(ParseError::DataOffsetTooSmall { words });
        };
        let Some((options, text)) = rest.split_at_checked(options_len) else {
            return Err(ParseError::DataOffsetBeyondEnd {
                words,
                octets: bytes.len() as u8,
            });
        };
        let mut segment = Self {
            source_port: u16::from_be_bytes([header[0], header[1]]),
            destination_port: u16::from_be_bytes([header[2], header[3]]),
            seq: SeqNumber(u32::from_be_bytes([
                header[4], header[5], header[6], header[7],
            ])),
            ack: SeqNumber(u32::from_be_bytes([
                header[8], header[9], header[10], header[11],
            ])),
            flags: Flags::from_bits_retain(header[13]),
            window: u16::from_be_bytes([header[14], header[15]]),
            urgent: u16::from_be_bytes([header[18], header[19]]),
            options: Options::default(),
            text,
        };
        segment.options.take_all(options)?;
        Ok(segment)
    }

    /// Whether the checksum over pseudo-header and octets verifies (RFC 9293 §3.1, MUST-3).
    ///
    /// An IPv4 address and its v4-mapped form are the same. (They even have the same sum: 0xffff is
    /// the other zero of ones' complement.) Addresses of two families never verify.
    pub fn verify_checksum(from: IpAddr, to: IpAddr, bytes: &[u8]) -> bool {
        checksum::verifies(from, to, bytes)
    }

    /// SEG.LEN: the sequence numbers it occupies, SYN and FIN included (RFC 9293 §3.4).
    #[expect(
        clippy::len_without_is_empty,
        reason = "SEG.LEN counts sequence numbers, not items"
    )]
    pub fn len(&self) -> u32 {
        self.text.len() as u32
            + u32::from(self.flags.contains(Flags::SYN))
            + u32::from(self.flags.contains(Flags::FIN))
    }

    /// All but the text.
    pub const fn header(&self) -> Header {
        Header {
            source_port: self.source_port,
            destination_port: self.destination_port,
            seq: self.seq,
            ack: self.ack,
            flags: self.flags,
            window: self.window,
            urgent: self.urgent,
            options: self.options,
        }
    }

    /// Appends the segment with its checksum. The order of the options is fixed: MSS,
    /// SACK-permitted, timestamps, window scale, user timeout, SACK.
    pub fn emit(&self, from: IpAddr, to: IpAddr, buf: &mut Vec<u8>) {
        let start = buf.len();
        self.header().write(buf);
        buf.extend_from_slice(self.text);
        finish_checksum(from, to, &mut buf[start..]);
    }
}

/// One line: `<SEQ=1 ACK=2 CTL=SYN,ACK WND=65535 LEN=0 MSS=1460>`. `ACK` and `UP` appear with
/// their flag; `LEN` counts the octets of text.
impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<SEQ={}", self.seq)?;
        if self.flags.contains(Flags::ACK) {
            write!(f, " ACK={}", self.ack)?;
        }
        write!(
            f,
            " CTL={} WND={} LEN={}",
            self.flags,
            self.window,
            self.text.len()
        )?;
        if self.flags.contains(Flags::URG) {
            write!(f, " UP={}", self.urgent)?;
        }
        write!(f, "{}>", self.options)
    }
}

#[cfg(test)]
mod tests;
