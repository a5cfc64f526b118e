//! A header to be sent (RFC 9293 §3.1).

use alloc::vec::Vec;

use super::{Flags, OptionOrder, Options};
use crate::seq::SeqNumber;

/// Octets of a header without options.
pub const HEADER_LEN: usize = 20;

/// All of a segment but its text: what a sender fills in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the header")]
pub struct Header {
    pub source_port: u16,
    pub destination_port: u16,
    pub seq: SeqNumber,
    pub ack: SeqNumber,
    pub flags: Flags,
    pub window: u16,
    pub urgent: u16,
    pub options: Options,
}

impl Header {
    /// Appends header and options; the checksum is zero until
    /// [`finish_checksum`](super::finish_checksum), the reserved bits are zero for ever.
    pub fn write(&self, buf: &mut Vec<u8>) {
        self.write_ordered(OptionOrder::default(), buf);
    }

    /// [`Header::write`] with the options in this order.
    pub fn write_ordered(&self, order: OptionOrder, buf: &mut Vec<u8>) {
        let layout = self.options.layout();
        let words = (HEADER_LEN + layout.octets) / 4;
        let mut header = [0; HEADER_LEN];
        header[0..2].copy_from_slice(&self.source_port.to_be_bytes());
        header[2..4].copy_from_slice(&self.destination_port.to_be_bytes());
        header[4..8].copy_from_slice(&self.seq.0.to_be_bytes());
        header[8..12].copy_from_slice(&self.ack.0.to_be_bytes());
        header[12] = (words as u8) << 4;
        header[13] = self.flags.bits();
        header[14..16].copy_from_slice(&self.window.to_be_bytes());
        header[18..20].copy_from_slice(&self.urgent.to_be_bytes());
        buf.extend_from_slice(&header);
        self.options.write(&layout, order, buf);
    }
}
