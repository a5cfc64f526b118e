//! Segments made up for tests: real octets with a real checksum.

use core::net::{IpAddr, SocketAddr};
use timewait_stack::wire::Flags;

use super::WINDOW;

/// A segment to be.
#[derive(Clone, Debug)]
pub(crate) struct Seg {
    pub(crate) flags: Flags,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) window: u16,
    pub(crate) text: Vec<u8>,
    pub(crate) options: Vec<u8>,
}

/// A segment with these control bits, SEQ and ACK zero and the usual window.
pub(crate) fn seg(flags: Flags) -> Seg {
    Seg {
        flags,
        seq: 0,
        ack: 0,
        window: WINDOW as u16,
        text: Vec::new(),
        options: Vec::new(),
    }
}

impl Seg {
    pub(crate) fn seq(mut self, seq: u32) -> Self {
        self.seq = seq;
        self
    }

    pub(crate) fn ack(mut self, ack: u32) -> Self {
        self.ack = ack;
        self
    }

    pub(crate) fn window(mut self, window: u16) -> Self {
        self.window = window;
        self
    }

    pub(crate) fn text(mut self, text: Vec<u8>) -> Self {
        self.text = text;
        self
    }

    /// Options, padded with no-operations.
    pub(crate) fn options(mut self, options: &[u8]) -> Self {
        self.options = options.to_vec();
        self.options
            .resize(options.len().next_multiple_of(4), NO_OPERATION);
        self
    }

    /// These options, too.
    pub(crate) fn more_options(self, options: &[u8]) -> Self {
        let all = [&self.options, options].concat();
        self.options(&all)
    }

    /// The timestamps option.
    pub(crate) fn stamp(self, value: u32, echo: u32) -> Self {
        let option = [&[8, 10], &value.to_be_bytes()[..], &echo.to_be_bytes()].concat();
        self.options(&option)
    }

    /// The octets between these ends.
    pub(crate) fn octets(&self, from: SocketAddr, to: SocketAddr) -> Vec<u8> {
        let mut octets = Vec::with_capacity(20 + self.text.len());
        octets.extend(from.port().to_be_bytes());
        octets.extend(to.port().to_be_bytes());
        octets.extend(self.seq.to_be_bytes());
        octets.extend(self.ack.to_be_bytes());
        let words = (20 + self.options.len() as u8) / 4;
        octets.extend([words << 4, self.flags.bits()]);
        octets.extend(self.window.to_be_bytes());
        octets.extend([0; 4]);
        octets.extend(&self.options);
        octets.extend(&self.text);
        let sum = checksum(from.ip(), to.ip(), &octets);
        octets[16..18].copy_from_slice(&sum.to_be_bytes());
        octets
    }
}

const NO_OPERATION: u8 = 1;

/// RFC 1071, word by word.
fn checksum(from: IpAddr, to: IpAddr, octets: &[u8]) -> u16 {
    let (IpAddr::V4(from), IpAddr::V4(to)) = (from, to) else {
        unreachable!("staged hosts")
    };
    let mut all = [from.octets(), to.octets()].concat();
    all.extend([0, 6]);
    all.extend((octets.len() as u16).to_be_bytes());
    all.extend(octets);
    all.resize(all.len().next_multiple_of(2), 0);
    let mut sum: u32 = all
        .chunks(2)
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
