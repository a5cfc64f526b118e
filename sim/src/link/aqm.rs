//! How the queue of a rated link is managed (RFC 7567).

use core::time::Duration;

/// What a queue does before it is full. An ECN-capable datagram (RFC 3168 §5) is marked where
/// another one would be dropped, unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aqm {
    /// Nothing: it drops its tail.
    #[default]
    None,
    /// It marks an ECN-capable datagram with which more than so many octets would wait, and drops
    /// none.
    Threshold {
        /// Octets.
        bytes: u64,
    },
    /// Random early detection (Floyd and Jacobson 1993) by an average of what waits.
    Red(RedConfig),
    /// Controlled delay (RFC 8289), by how long datagrams have waited.
    Codel(CodelConfig),
}

/// The settings of RED.
///
/// Between the two thresholds a datagram is marked or dropped whenever the probabilities since the
/// last one add up to one: as often as dice would, and as evenly spaced as Floyd and Jacobson want it
/// (§7), without any. Above, every datagram is dropped, ECN-capable or not (RFC 3168 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedConfig {
    /// Octets of the average below which nothing happens.
    pub bytes_min: u64,
    /// Octets of the average from which on everything is dropped.
    pub bytes_max: u64,
    /// The probability just below that, in parts per million.
    pub probability_max: u32,
    /// A new length of the queue counts for 1 in 2^`weight` in the average, 0 to 16.
    pub weight: u8,
}

/// The settings of CoDel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodelConfig {
    /// The wait that is acceptable (RFC 8289 §4.2: 5 ms).
    pub target: Duration,
    /// For so long it may be more (§4.3: 100 ms), more than zero.
    pub interval: Duration,
}

impl Aqm {
    /// The same where nothing is asked of a queue beyond so many octets.
    #[must_use]
    pub fn within(self, most: u64) -> Self {
        match self {
            Self::Threshold { bytes } => Self::Threshold {
                bytes: bytes.min(most),
            },
            Self::Red(red) => Self::Red(RedConfig {
                bytes_min: red.bytes_min.min(most / 2),
                bytes_max: red.bytes_max.min(most),
                ..red
            }),
            Self::None | Self::Codel(_) => self,
        }
    }

    /// Whether it drops what there was room for.
    pub fn drops_early(self) -> bool {
        matches!(self, Self::Red(_) | Self::Codel(_))
    }
}
