//! Everything the network decides on the way of a datagram passes [`Fates::fate`].
//!
//! [`Dice`] draws, [`Listed`] looks up, [`Explorer`] enumerates; [`Recorder`] wraps any of them
//! and logs, [`Ruled`] lets a test overrule them for a while; `()` leaves everything alone.

mod copies;
mod damage;
mod dice;
mod explorer;
mod listed;
mod recorder;
mod rules;

pub use copies::Copies;
pub(crate) use damage::Struck;
pub use damage::{Burst, Damage};
pub use dice::{Delay, Dice, LinkFaults, LossBursts, NthMatch};
pub use explorer::Explorer;
pub use listed::Listed;
pub use recorder::Recorder;
pub use rules::{Match, Rule, Ruled, Rules};

use core::time::Duration;

use crate::packet::Packet;

/// One direction of one link, by the order in which links were added: link `n` forward is
/// `2n`, backward `2n + 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HopId(pub u32);

/// Which passage of which datagram over which hop: stable while other faults come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Passage {
    /// The hop it is about to enter.
    pub hop: HopId,
    /// The sender's label.
    pub tag: u64,
    /// How many datagrams with this label entered this hop before.
    pub ordinal: u32,
}

/// What happens to a datagram as it enters a hop. The default: carried at base delay, alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// What happens to the datagram itself.
    pub original: Outcome,
    /// What happens to copies of it, if any are made.
    pub copies: Copies,
}

/// What happens to one datagram or copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Carried to the other end.
    Deliver {
        /// Delay above that of the link. It lets later datagrams overtake.
        extra: Duration,
        /// What happens to its octets on the way. What is damaged already is damaged no further:
        /// two bursts of a width that a checksum always catches may together escape it.
        damage: Option<Damage>,
    },
    /// Lost, before it takes up any of the link.
    Drop,
    /// Kept by the router at the near end of the hop, and sent on when released. A host holds
    /// nothing: at the hop that leaves a host this is the same as `Deliver` with no extra.
    Hold(Release),
}

impl Default for Outcome {
    fn default() -> Self {
        Self::Deliver {
            extra: Duration::ZERO,
            damage: None,
        }
    }
}

/// When a router lets go of a datagram that it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// After this time.
    After(Duration),
    /// When the router next forwards a datagram of the same flow, in either direction, with all
    /// bits of `class` and with another tag, and then `packets` further datagrams of the flow; or
    /// after `at_most`. Datagrams that the router keeps or releases do not count as forwarded.
    Seen {
        /// The bits to wait for.
        class: u16,
        /// How many more datagrams of the flow go first.
        packets: u32,
        /// The longest wait.
        at_most: Duration,
    },
    /// When the hop comes up again after a cut ([`World::cut`](crate::World::cut)), together with
    /// everything else that the router keeps for that; or after `at_most`.
    Restored {
        /// The longest wait.
        at_most: Duration,
    },
}

/// Decides what happens to datagrams.
pub trait Fates {
    /// The fate of `packet` as it enters a hop.
    fn fate(&mut self, at: Passage, packet: &Packet) -> Fate;
}

impl<F: Fates + ?Sized> Fates for Box<F> {
    fn fate(&mut self, at: Passage, packet: &Packet) -> Fate {
        (**self).fate(at, packet)
    }
}

impl<F: Fates + ?Sized> Fates for &mut F {
    fn fate(&mut self, at: Passage, packet: &Packet) -> Fate {
        (**self).fate(at, packet)
    }
}

/// Nothing ever happens to a datagram.
impl Fates for () {
    fn fate(&mut self, _: Passage, _: &Packet) -> Fate {
        Fate::default()
    }
}

impl Fate {
    /// Whether the datagram is carried at base delay, alone.
    pub fn is_default(&self) -> bool {
        self.copies.is_empty() && self.original == Outcome::default()
    }
}

/// This happens to the datagram, and no copies are made.
impl From<Outcome> for Fate {
    fn from(original: Outcome) -> Self {
        Self {
            original,
            copies: Copies::NONE,
        }
    }
}
