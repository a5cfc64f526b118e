//! The dice of one hop.

use core::time::Duration;

use super::{Delay, Dice, LinkFaults, NthMatch};
use crate::fates::{Burst, Copies, Damage, Fate, HopId, Outcome, Release};
use crate::packet::Packet;
use crate::rng::{Key, Stream};

/// The kinds of faults, each with its own stream. The number is part of the stream's name.
#[derive(Clone, Copy)]
enum Family {
    Loss,
    LossBurst,
    Duplicate,
    Reorder,
    Jitter,
    Corrupt,
    HoldOriginal,
    HoldCopy,
    Wide,
    Truncate,
}

const FAMILIES: usize = 10;

#[derive(Clone, Debug)]
pub(super) struct HopDice {
    pub(super) faults: LinkFaults,
    streams: [Option<Box<Stream>>; FAMILIES],
    /// In the bad state of the loss bursts.
    bad: bool,
    /// Targeted faults, each with how many datagrams have fitted so far.
    rules: Vec<(NthMatch, u32)>,
}

impl HopDice {
    pub(super) fn new(faults: LinkFaults) -> Self {
        Self {
            faults,
            streams: [const { None }; FAMILIES],
            bad: false,
            rules: Vec::new(),
        }
    }

    pub(super) fn add_rule(&mut self, rule: NthMatch) {
        self.rules.push((rule, 0));
    }

    pub(super) fn fate(&mut self, key: Key, hop: HopId, packet: &Packet) -> Fate {
        let drawn = Roll {
            dice: self,
            key,
            hop,
            class: packet.class,
        }
        .fate();
        self.ruled(packet).unwrap_or(drawn)
    }

    /// The fate that the rules have for a datagram.
    fn ruled(&mut self, packet: &Packet) -> Option<Fate> {
        let mut fate = None;
        for (rule, count) in &mut self.rules {
            let whose = rule.tag.is_none_or(|tag| tag == packet.tag);
            if whose && packet.class & rule.class == rule.class {
                *count = count.saturating_add(1);
                if *count == rule.n {
                    fate = Some(rule.fate);
                }
            }
        }
        fate
    }
}

/// One throw of all dice of a hop.
struct Roll<'a> {
    dice: &'a mut HopDice,
    key: Key,
    hop: HopId,
    class: u16,
}

impl Roll<'_> {
    /// Every family draws before the draws are put together, so none depends on another.
    fn fate(&mut self) -> Fate {
        let lost = self.hit(Family::Loss, self.dice.faults.loss);
        let lost = self.lost_in_burst() || lost;
        let extra = self.reorder().saturating_add(self.jitter());
        let (burst, wide, short) = (self.burst(), self.wide(), self.truncate());
        let damage = burst.or(wide).or(short);
        let duplicates = self.duplicates();
        let held = self.hold(Family::HoldOriginal, self.dice.faults.hold_original);
        let held_copy = self.hold(Family::HoldCopy, self.dice.faults.hold_copy);
        let original = match held {
            _ if lost => Outcome::Drop,
            Some(release) => Outcome::Hold(release),
            None => Outcome::Deliver { extra, damage },
        };
        // A link that loses a datagram does not copy it; a router that keeps a copy has done so
        // before.
        let duplicates = if lost { Copies::NONE } else { duplicates };
        let held_copy = held_copy.map(Outcome::Hold);
        Fate {
            original,
            copies: held_copy.into_iter().chain(duplicates.iter()).collect(),
        }
    }

    fn stream(&mut self, family: Family) -> &mut Stream {
        let (key, hop) = (self.key, self.hop.0);
        self.dice.streams[family as usize]
            .get_or_insert_with(|| Box::new(key.stream(family as u32, hop)))
    }

    /// Draws whether a family strikes, unless it is off.
    fn hit(&mut self, family: Family, rate: u32) -> bool {
        rate > 0 && self.stream(family).ratio(rate)
    }

    fn lost_in_burst(&mut self) -> bool {
        let Some(bursts) = self.dice.faults.loss_bursts else {
            return false;
        };
        let bad = self.dice.bad;
        let stream = self.stream(Family::LossBurst);
        let turns = stream.ratio(if bad { bursts.end } else { bursts.begin });
        let bad = bad != turns;
        let lost = bad && stream.ratio(bursts.loss);
        self.dice.bad = bad;
        lost
    }

    fn reorder(&mut self) -> Duration {
        let LinkFaults {
            reorder,
            reorder_max,
            ..
        } = self.dice.faults;
        if !self.hit(Family::Reorder, reorder) {
            return Duration::ZERO;
        }
        self.stream(Family::Reorder)
            .duration(Duration::from_nanos(1), reorder_max)
    }

    fn jitter(&mut self) -> Duration {
        match self.dice.faults.jitter {
            Delay::None => Duration::ZERO,
            jitter => jitter.draw(self.stream(Family::Jitter)),
        }
    }

    fn duplicates(&mut self) -> Copies {
        let LinkFaults {
            duplicate,
            duplicates_max,
            duplicate_max,
            ..
        } = self.dice.faults;
        if !self.hit(Family::Duplicate, duplicate) {
            return Copies::NONE;
        }
        let stream = self.stream(Family::Duplicate);
        let count = match u64::from(duplicates_max).min(Copies::MAX as u64) {
            0 | 1 => 1,
            most => stream.between(1, most),
        };
        let later = (0..count).map(|_| Outcome::Deliver {
            extra: stream.duration(Duration::ZERO, duplicate_max),
            damage: None,
        });
        later.collect()
    }

    fn wide(&mut self) -> Option<Damage> {
        let LinkFaults { wide, swap, .. } = self.dice.faults;
        self.hit(Family::Wide, wide).then(|| {
            let stream = self.stream(Family::Wide);
            let [a, b] = [0; 2].map(|_: u32| stream.below(1 << 32) as u32);
            if swap > 0 && stream.ratio(swap) {
                return Damage::Swap { a, b };
            }
            Damage::Scramble {
                start: a,
                octets: stream.between(1, Dice::SCRAMBLED_MAX.into()) as u16,
                // The first octet is wrong by definition, so it is never nothing.
                pattern: b | 1,
            }
        })
    }

    fn truncate(&mut self) -> Option<Damage> {
        let truncate = self.dice.faults.truncate;
        self.hit(Family::Truncate, truncate).then(|| {
            let stream = self.stream(Family::Truncate);
            let octets = stream.below(1 << 32) as u32;
            Damage::Truncate { octets }
        })
    }

    fn burst(&mut self) -> Option<Damage> {
        let LinkFaults {
            corrupt,
            burst_bits_max,
            ..
        } = self.dice.faults;
        self.hit(Family::Corrupt, corrupt).then(|| {
            let stream = self.stream(Family::Corrupt);
            let width = stream.between(1, u64::from(burst_bits_max.clamp(1, 16))) as u32;
            let start = stream.below(1 << 32) as u32;
            // Both ends of a burst are wrong by definition, so it is never empty.
            let inside = stream.below(1 << width) as u16;
            Damage::Burst(Burst {
                start,
                pattern: inside | 1 | 1 << (width - 1),
            })
        })
    }

    fn hold(&mut self, family: Family, rate: u32) -> Option<Release> {
        let LinkFaults {
            hold_any_of,
            hold_max,
            seen,
            seen_class,
            seen_packets_max,
            restored,
            ..
        } = self.dice.faults;
        let may = hold_any_of == 0 || self.class & hold_any_of != 0;
        if !may || !self.hit(family, rate) {
            return None;
        }
        let stream = self.stream(family);
        Some(if seen > 0 && stream.ratio(seen) {
            let packets = stream.between(0, u64::from(seen_packets_max)) as u32;
            Release::Seen {
                class: seen_class,
                packets,
                at_most: hold_max,
            }
        } else if restored > 0 && stream.ratio(restored) {
            Release::Restored { at_most: hold_max }
        } else {
            Release::After(stream.duration(Duration::ZERO, hold_max))
        })
    }
}
