//! TCP options (RFC 9293 §3.1, §3.2; RFC 2018; RFC 5482; RFC 7323).
//!
//! What the texts leave open is decided here:
//! - An option of a kind we know but of a length it cannot have is skipped like one we do not know
//!   (MUST-6). Its length still says where the next one begins, so nothing else becomes doubtful;
//!   the illegal lengths of MUST-7 are those that hide the rest of the list.
//! - Of two options of one kind the last counts, as in the stacks of Linux and the BSDs.
//! - What follows End-of-list is not read. The zeros of MUST-69 bind those who send.
//! - Values are given as received: whether an option may stand in this segment, whether a window
//!   shift exceeds 14 or an MSS is absurd is for the state machine to judge (MUST-5).

use alloc::vec::Vec;
use core::fmt;

use super::parse_error::ParseError;
use super::sack::{SackBlock, SackBlocks};
use super::{HEADER_LEN, SACK_BLOCKS_MAX, UserTimeout};
use crate::seq::SeqNumber;

/// The most octets of options: 15 words of header, less 5.
pub const OPTIONS_LEN_MAX: usize = 40;

/// The order in which the options of a SYN stand. By it, among other things, others recognise a
/// system; RFC 9293 leaves it open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum OptionOrder {
    /// MSS, SACK-permitted, timestamps, window scale: as Linux writes them.
    #[default]
    Linux,
    /// MSS, window scale, SACK-permitted, timestamps: as FreeBSD writes them.
    FreeBsd,
}

/// The options of a segment that this stack understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Maximum segment size, kind 2: the most octets of text the sender of this option takes in
    /// one segment (RFC 9293 §3.7.1).
    pub mss: Option<u16>,
    /// Window scale, kind 3: the shift of the sender's window fields (RFC 7323 §2.2).
    pub window_scale: Option<u8>,
    /// SACK-permitted, kind 4 (RFC 2018 §2).
    pub sack_permitted: bool,
    /// Timestamps, kind 8: TSval and TSecr (RFC 7323 §3.2).
    pub timestamps: Option<(u32, u32)>,
    /// User timeout, kind 28: how long the sender waits for acknowledgments (RFC 5482 §3).
    pub user_timeout: Option<UserTimeout>,
    /// SACK, kind 5 (RFC 2018 §3).
    pub sack: SackBlocks,
}

impl Options {
    /// Takes all options that lie between the fixed header and the text, at whatever alignment
    /// (MUST-64); all but two have a length (MUST-4, MUST-6, MUST-68). (To fill in what is there
    /// spares the copy of a result, a fifth of the time of a whole parse.)
    #[inline]
    pub(super) fn take_all(&mut self, bytes: &[u8]) -> Result<(), ParseError> {
        let mut rest = bytes;
        while let &[kind, ref after @ ..] = rest {
            match kind {
                END_OF_LIST => break,
                NO_OPERATION => {
                    rest = after;
                    continue;
                }
                _ => {}
            }
            // At most 60, for there are at most 40 octets of options.
            let at = || (HEADER_LEN + bytes.len() - rest.len()) as u8;
            let Some(&length) = after.first() else {
                return Err(ParseError::OptionWithoutLength { kind, at: at() });
            };
            if length < 2 {
                return Err(ParseError::OptionTooShort {
                    kind,
                    at: at(),
                    length,
                });
            }
            let Some((option, next)) = rest.split_at_checked(usize::from(length)) else {
                return Err(ParseError::OptionOverlong {
                    kind,
                    at: at(),
                    length,
                });
            };
            self.take(kind, &option[2..]);
            rest = next;
        }
        Ok(())
    }

    /// Takes one option, unless its kind is unknown or its length is not that of its kind.
    #[inline]
    fn take(&mut self, kind: u8, data: &[u8]) {
        match (kind, data) {
            (MSS, &[a, b]) => self.mss = Some(u16::from_be_bytes([a, b])),
            (WINDOW_SCALE, &[shift]) => self.window_scale = Some(shift),
            (SACK_PERMITTED, []) => self.sack_permitted = true,
            (TIMESTAMPS, &[a, b, c, d, e, f, g, h]) => {
                let value = u32::from_be_bytes([a, b, c, d]);
                let echo = u32::from_be_bytes([e, f, g, h]);
                self.timestamps = Some((value, echo));
            }
            (USER_TIMEOUT, &[a, b]) => {
                self.user_timeout = Some(UserTimeout::from_bits(u16::from_be_bytes([a, b])));
            }
            (SACK, blocks) => self.sack = sack_blocks(blocks).unwrap_or(self.sack),
            _ => {}
        }
    }

    /// The octets these options take in a header, 0 to 40, a multiple of 4 (RFC 9293 §3.7.1,
    /// MUST-16: they come off the text).
    pub fn octets(&self) -> u16 {
        self.layout().octets as u16
    }

    /// Appends the options in this `order`; the user timeout and SACK stand last. All have a length
    /// (MUST-68).
    ///
    /// No-operations align each as is customary, so that a receiver may compare whole words. If
    /// that takes more than 40 octets there are none of them, and zeros (End-of-list, MUST-69) at
    /// the end. SACK blocks that have no room even so are left out, the last first (RFC 2018 §3).
    ///
    /// `layout` is [`Options::layout`].
    pub(super) fn write(&self, layout: &Layout, order: OptionOrder, buf: &mut Vec<u8>) {
        if layout.octets == 0 {
            return;
        }
        let end = buf.len() + layout.octets;
        if let Some(mss) = self.mss {
            let [a, b] = mss.to_be_bytes();
            buf.extend_from_slice(&[MSS, 4, a, b]);
        }
        if order == OptionOrder::FreeBsd {
            self.write_scale(layout, buf);
        }
        self.write_permitted_and_timestamps(layout, buf);
        if order == OptionOrder::Linux {
            self.write_scale(layout, buf);
        }
        if let Some(timeout) = self.user_timeout {
            let [a, b] = timeout.bits().to_be_bytes();
            buf.extend_from_slice(&[USER_TIMEOUT, 4, a, b]);
        }
        if layout.blocks > 0 {
            layout.align(buf, 2);
            buf.extend_from_slice(&[SACK, (2 + 8 * layout.blocks) as u8]);
            for block in &self.sack.as_slice()[..layout.blocks] {
                buf.extend_from_slice(&block.left.0.to_be_bytes());
                buf.extend_from_slice(&block.right.0.to_be_bytes());
            }
        }
        buf.resize(end, END_OF_LIST);
    }

    fn write_scale(&self, layout: &Layout, buf: &mut Vec<u8>) {
        if let Some(shift) = self.window_scale {
            layout.align(buf, 1);
            buf.extend_from_slice(&[WINDOW_SCALE, 3, shift]);
        }
    }

    fn write_permitted_and_timestamps(&self, layout: &Layout, buf: &mut Vec<u8>) {
        if self.sack_permitted != self.timestamps.is_some() {
            layout.align(buf, 2);
        }
        if self.sack_permitted {
            buf.extend_from_slice(&[SACK_PERMITTED, 2]);
        }
        if let Some((value, echo)) = self.timestamps {
            let ([a, b, c, d], [e, f, g, h]) = (value.to_be_bytes(), echo.to_be_bytes());
            buf.extend_from_slice(&[TIMESTAMPS, 10, a, b, c, d, e, f, g, h]);
        }
    }

    /// How these options are laid out: with as many SACK blocks as there is room for, and aligned
    /// if these then fit.
    #[inline]
    pub(super) fn layout(&self) -> Layout {
        let mut blocks = self.sack.as_slice().len();
        loop {
            let aligned = self.octets_aligned(blocks);
            if aligned <= OPTIONS_LEN_MAX {
                return Layout {
                    octets: aligned,
                    aligned: true,
                    blocks,
                };
            }
            let packed = self.octets_packed(blocks).next_multiple_of(4);
            if packed <= OPTIONS_LEN_MAX {
                return Layout {
                    octets: packed,
                    aligned: false,
                    blocks,
                };
            }
            // All but SACK take 24 octets at most, so this ends before there is none to leave out.
            blocks -= 1;
        }
    }

    fn octets_aligned(&self, blocks: usize) -> usize {
        let timestamps_and_permitted = match (self.timestamps, self.sack_permitted) {
            (Some(_), _) => 12,
            (None, true) => 4,
            (None, false) => 0,
        };
        let sack = if blocks > 0 { 4 + 8 * blocks } else { 0 };
        4 * usize::from(self.mss.is_some())
            + timestamps_and_permitted
            + 4 * usize::from(self.window_scale.is_some())
            + 4 * usize::from(self.user_timeout.is_some())
            + sack
    }

    fn octets_packed(&self, blocks: usize) -> usize {
        let sack = if blocks > 0 { 2 + 8 * blocks } else { 0 };
        4 * usize::from(self.mss.is_some())
            + 2 * usize::from(self.sack_permitted)
            + 10 * usize::from(self.timestamps.is_some())
            + 3 * usize::from(self.window_scale.is_some())
            + 4 * usize::from(self.user_timeout.is_some())
            + sack
    }
}

/// The blocks of a SACK option, if its length is one it can have. (A function that returns them,
/// so that the other options can stay in registers.)
fn sack_blocks(data: &[u8]) -> Option<SackBlocks> {
    let (octets, []) = data.as_chunks::<8>() else {
        return None;
    };
    let mut blocks = SackBlocks::default();
    for &[a, b, c, d, e, f, g, h] in octets {
        // Four blocks fill 34 of the 40 octets, so there is no fifth.
        blocks.push(SackBlock {
            left: SeqNumber(u32::from_be_bytes([a, b, c, d])),
            right: SeqNumber(u32::from_be_bytes([e, f, g, h])),
        });
    }
    (!blocks.is_empty()).then_some(blocks)
}

/// Where the options of one header go.
pub(super) struct Layout {
    /// All octets, padding included.
    pub(super) octets: usize,
    /// With no-operations that align.
    aligned: bool,
    /// The SACK blocks that have room.
    blocks: usize,
}

impl Layout {
    /// Appends `count` no-operations if this layout has them.
    fn align(&self, buf: &mut Vec<u8>, count: usize) {
        if self.aligned {
            buf.extend_from_slice(&[NO_OPERATION; 2][..count]);
        }
    }
}

/// One word each, led by a space: ` MSS=1460 WS=7`, and nothing where there are none.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(mss) = self.mss {
            write!(f, " MSS={mss}")?;
        }
        if self.sack_permitted {
            f.write_str(" SACK-PERMITTED")?;
        }
        if let Some((value, echo)) = self.timestamps {
            write!(f, " TS={value}/{echo}")?;
        }
        if let Some(shift) = self.window_scale {
            write!(f, " WS={shift}")?;
        }
        if let Some(timeout) = self.user_timeout {
            write!(f, " UTO={timeout}")?;
        }
        for (count, block) in self.sack.as_slice().iter().enumerate() {
            let lead = if count == 0 { " SACK=" } else { "," };
            write!(f, "{lead}{}-{}", block.left, block.right)?;
        }
        Ok(())
    }
}

const _: () = assert!(2 + 8 * SACK_BLOCKS_MAX <= OPTIONS_LEN_MAX);

const END_OF_LIST: u8 = 0;
const NO_OPERATION: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;
const USER_TIMEOUT: u8 = 28;

#[cfg(test)]
mod tests;
