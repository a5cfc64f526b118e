//! The blocks of a selective acknowledgment (RFC 2018 §3).

use crate::seq::SeqNumber;

/// The most blocks that fit into a header.
pub const SACK_BLOCKS_MAX: usize = 4;

/// Octets that were received out of order: `left..right`, modulo 2^32. As the peer says it:
/// nothing is promised about the order of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SackBlock {
    /// The first octet.
    pub left: SeqNumber,
    /// The octet after the last.
    pub right: SeqNumber,
}

/// Up to [`SACK_BLOCKS_MAX`] blocks, in the order of the option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SackBlocks {
    /// Those from `len` on are zero, so that equality may compare all.
    blocks: [SackBlock; SACK_BLOCKS_MAX],
    len: u8,
}

impl SackBlocks {
    /// Appends a block; `false` and nothing done if there is no room.
    pub fn push(&mut self, block: SackBlock) -> bool {
        match self.blocks.get_mut(usize::from(self.len)) {
            Some(free) => {
                *free = block;
                self.len += 1;
                true
            }
            None => false,
        }
    }

    /// The blocks.
    pub fn as_slice(&self) -> &[SackBlock] {
        &self.blocks[..usize::from(self.len)]
    }

    /// Whether there is none: the option is absent.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}
