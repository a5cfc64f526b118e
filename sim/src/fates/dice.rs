//! Fates drawn by chance, each family of faults at each hop from its own stream.
//!
//! A family that is off draws nothing. A family that is on draws for every datagram that enters
//! the hop, whatever the other families do to it, so that switching one on or off, or changing
//! its rate, moves no other family's dice.

mod delay;
mod hop;

use core::time::Duration;

pub use delay::Delay;

use super::{Copies, Fate, Fates, HopId, Outcome, Passage, Release};
use crate::packet::Packet;
use crate::rng::Key;
use hop::HopDice;

/// What may happen at one hop. Rates are parts per million of the datagrams entering it; 0
/// switches a family off. The default: nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFaults {
    /// Rate at which datagrams are lost.
    pub loss: u32,
    /// Losses that come in bursts; beside `loss`, from dice of their own.
    pub loss_bursts: Option<LossBursts>,
    /// Rate at which copies follow the datagram.
    pub duplicate: u32,
    /// So many follow it at most, 1 to [`Copies::MAX`].
    pub duplicates_max: u8,
    /// Each copy comes up to this much later.
    pub duplicate_max: Duration,
    /// Rate at which datagrams are set back, so that later ones may overtake.
    pub reorder: u32,
    /// They are set back by 1 ns to this.
    pub reorder_max: Duration,
    /// Every datagram comes so much later.
    pub jitter: Delay,
    /// Rate at which datagrams are damaged by one burst.
    pub corrupt: u32,
    /// The longest burst, 1 to 16 bits. The ones' complement checksum (RFC 1071) catches every
    /// burst of at most 15.
    pub burst_bits_max: u8,
    /// Rate at which datagrams are damaged so widely that a checksum of 16 bits may not tell.
    pub wide: u32,
    /// Share of these in which two words change places, so that it never tells, in parts per million;
    /// in the others up to [`Dice::SCRAMBLED_MAX`] octets are wrong.
    pub swap: u32,
    /// Rate at which the end of a datagram is missing.
    pub truncate: u32,
    /// Rate at which the router keeps datagrams.
    pub hold_original: u32,
    /// Rate at which the router keeps a copy while the datagram itself goes on. At the hop that
    /// leaves a host the copy goes on as well: see [`LinkFaults::without_holds`].
    pub hold_copy: u32,
    /// Only datagrams with any of these bits of class are kept, or a copy of them; 0: all may be.
    pub hold_any_of: u16,
    /// The longest time that something is kept.
    pub hold_max: Duration,
    /// Share of what is kept, in parts per million, that waits for the class `seen_class`; the
    /// rest is kept for a time up to `hold_max`.
    pub seen: u32,
    /// The bits of class that it waits for.
    pub seen_class: u16,
    /// After the awaited datagram up to this many further ones of the flow go first.
    pub seen_packets_max: u32,
    /// Share of the rest, in parts per million, that waits for the hop to come up again after a
    /// cut, for `hold_max` at most.
    pub restored: u32,
}

/// Losses in bursts (Gilbert 1960, Elliott 1963): a hop is in a good state, where this family
/// loses nothing, or in a bad one. All in parts per million, per datagram entering the hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossBursts {
    /// Chance to go from good to bad.
    pub begin: u32,
    /// Chance to go from bad to good: bursts last `1_000_000 / end` datagrams on average.
    pub end: u32,
    /// Rate of loss in the bad state.
    pub loss: u32,
}

impl LinkFaults {
    /// No faults.
    pub const NONE: Self = Self {
        loss: 0,
        loss_bursts: None,
        duplicate: 0,
        duplicates_max: 1,
        duplicate_max: Duration::ZERO,
        reorder: 0,
        reorder_max: Duration::ZERO,
        jitter: Delay::None,
        corrupt: 0,
        burst_bits_max: 15,
        wide: 0,
        swap: 0,
        truncate: 0,
        hold_original: 0,
        hold_copy: 0,
        hold_any_of: 0,
        hold_max: Duration::ZERO,
        seen: 0,
        seen_class: 0,
        seen_packets_max: 0,
        restored: 0,
    };

    /// The same for a hop that leaves a host, which keeps nothing.
    pub const fn without_holds(self) -> Self {
        Self {
            hold_original: 0,
            hold_copy: 0,
            ..self
        }
    }
}

impl Default for LinkFaults {
    fn default() -> Self {
        Self::NONE
    }
}

/// A targeted fault: the `n`-th datagram, from 1, that enters `hop` with all bits of `class`, and
/// perhaps with one label, has this fate, whatever the dice say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NthMatch {
    /// Where.
    pub hop: HopId,
    /// The bits of class; 0: every datagram counts.
    pub class: u16,
    /// Only those with this label of their sender; `None`: everybody's.
    pub tag: Option<u64>,
    /// Which of them, from 1.
    pub n: u32,
    /// Its fate.
    pub fate: Fate,
}

impl NthMatch {
    /// The datagram is lost.
    pub fn lose(hop: HopId, class: u16, n: u32) -> Self {
        Self {
            hop,
            class,
            tag: None,
            n,
            fate: Outcome::Drop.into(),
        }
    }

    /// The same of those alone that have this label.
    #[must_use]
    pub fn of(self, tag: u64) -> Self {
        Self {
            tag: Some(tag),
            ..self
        }
    }

    /// The router keeps a copy, and the datagram itself goes on.
    pub fn hold_copy(hop: HopId, class: u16, n: u32, release: Release) -> Self {
        Self {
            hop,
            class,
            tag: None,
            n,
            fate: Fate {
                original: Outcome::default(),
                copies: Copies::one(Outcome::Hold(release)),
            },
        }
    }
}

/// Draws fates.
#[derive(Clone, Debug)]
pub struct Dice {
    key: Key,
    elsewhere: LinkFaults,
    hops: Vec<Option<Box<HopDice>>>,
    quiet: bool,
}

impl Dice {
    /// So many octets are scrambled at once at most.
    pub const SCRAMBLED_MAX: u16 = 64;

    /// Dice of this seed, so far without faults.
    pub fn new(seed: u64) -> Self {
        Self {
            key: Key::new(seed),
            elsewhere: LinkFaults::NONE,
            hops: Vec::new(),
            quiet: false,
        }
    }

    /// Dice of this seed with the same faults at every hop.
    pub fn everywhere(seed: u64, faults: LinkFaults) -> Self {
        Self {
            elsewhere: faults,
            ..Self::new(seed)
        }
    }

    /// Sets the faults of one hop; its dice go on where they are.
    pub fn set(&mut self, hop: HopId, faults: LinkFaults) {
        self.at(hop).faults = faults;
    }

    /// Adds a targeted fault. Where several fit, the one added last has its way.
    pub fn add_rule(&mut self, rule: NthMatch) {
        self.at(rule.hop).add_rule(rule);
    }

    /// While quiet, nothing is drawn or counted and every fate is the default: the network has
    /// healed. What was delayed or held before still comes.
    pub fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    fn at(&mut self, hop: HopId) -> &mut HopDice {
        let index = hop.0 as usize;
        if self.hops.len() <= index {
            self.hops.resize(index + 1, None);
        }
        self.hops[index].get_or_insert_with(|| Box::new(HopDice::new(self.elsewhere)))
    }
}

impl Fates for Dice {
    fn fate(&mut self, at: Passage, packet: &Packet) -> Fate {
        if self.quiet {
            return Fate::default();
        }
        let key = self.key;
        self.at(at.hop).fate(key, at.hop, packet)
    }
}

#[cfg(test)]
mod tests;
