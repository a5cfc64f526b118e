//! Segments as real bytes (RFC 9293 §3.1, §3.2): header, options, checksum.
//!
//! [`Segment::parse`] is total: any octets give a segment or a typed error, in at most one step
//! per octet of the header. [`Segment::verify_checksum`] is a question of its own, for only the
//! caller knows the addresses. [`Segment::emit`] writes; a sender whose text lies in a buffer of
//! its own writes a [`Header`], appends the text and calls [`finish_checksum`].
//!
//! In reading order: `flags`, `segment`, `parse_error`, `options`, `sack`, `user_timeout`, `header`,
//! `checksum`; `icmp`: errors about segments.

mod checksum;
mod flags;
mod header;
mod icmp;
mod options;
mod parse_error;
mod sack;
mod segment;
mod user_timeout;

#[cfg(test)]
mod against_etherparse;
#[cfg(test)]
pub(crate) mod arbitrary;

pub use checksum::finish_checksum;
pub use flags::Flags;
pub use header::{HEADER_LEN, Header};
pub use icmp::{IcmpKind, IcmpMessage, IcmpParseError, Quote};
pub use options::{OPTIONS_LEN_MAX, OptionOrder, Options};
pub use parse_error::ParseError;
pub use sack::{SACK_BLOCKS_MAX, SackBlock, SackBlocks};
pub use segment::{SEGMENT_LEN_MAX, Segment};
pub use user_timeout::UserTimeout;
