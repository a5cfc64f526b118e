//! Why octets are no segment (RFC 9293 §3.1, MUST-7).

use core::fmt;

/// Why octets are no acceptable segment, and where.
///
/// Every `at` counts octets from the start of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Fewer octets than a header has without options.
    Short {
        /// The octets there are, 0 to 19.
        octets: u8,
    },
    /// More octets than an IP datagram carries: above [`SEGMENT_LEN_MAX`](super::SEGMENT_LEN_MAX).
    Long,
    /// The data offset says that the header is shorter than 20 octets.
    DataOffsetTooSmall {
        /// The data offset, in words of 4 octets, 0 to 4.
        words: u8,
    },
    /// The data offset points beyond the end of the segment.
    DataOffsetBeyondEnd {
        /// The data offset, in words of 4 octets, 6 to 15.
        words: u8,
        /// The octets there are, 20 to 59.
        octets: u8,
    },
    /// The header ends where the length of an option should be.
    OptionWithoutLength {
        /// The kind of the option.
        kind: u8,
        /// Where the option begins.
        at: u8,
    },
    /// An option's length is below 2, though it counts kind and length themselves.
    OptionTooShort {
        /// The kind of the option.
        kind: u8,
        /// Where the option begins.
        at: u8,
        /// Its length, 0 or 1.
        length: u8,
    },
    /// An option's length reaches beyond the end of the header.
    OptionOverlong {
        /// The kind of the option.
        kind: u8,
        /// Where the option begins.
        at: u8,
        /// Its length.
        length: u8,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Short { octets } => write!(f, "{octets} octets are too few for a header"),
            Self::Long => f.write_str("more octets than an IP datagram carries"),
            Self::DataOffsetTooSmall { words } => {
                write!(
                    f,
                    "a data offset of {words} words lies inside the fixed header"
                )
            }
            Self::DataOffsetBeyondEnd { words, octets } => {
                write!(
                    f,
                    "a data offset of {words} words lies beyond the {octets} octets there are"
                )
            }
            Self::OptionWithoutLength { kind, at } => {
                write!(
                    f,
                    "the header ends after the kind of option {kind} at octet {at}"
                )
            }
            Self::OptionTooShort { kind, at, length } => {
                write!(
                    f,
                    "option {kind} at octet {at} has the impossible length {length}"
                )
            }
            Self::OptionOverlong { kind, at, length } => {
                write!(
                    f,
                    "option {kind} at octet {at} has length {length}, beyond the header"
                )
            }
        }
    }
}

impl core::error::Error for ParseError {}
