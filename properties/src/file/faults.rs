//! What the network does to datagrams, in a file: families of faults drawn by dice, single faults
//! on top, or a list of fates and nothing else.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use timewait_sim::fates::{Delay, LinkFaults, LossBursts, NthMatch};
use timewait_sim::{Fate, Passage};

use super::error::Wrong;
use super::fates::{What, copies, whats};
use super::names::{Class, HopName, Rate, Seed, Span, Tag};
use crate::scenario::text::time;
use crate::scenario::{FaultPlan, RulePlan};

/// The table `faults`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Faults {
    /// That of the dice.
    seed: Option<Seed>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hops: Vec<HopFaults>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    single: Vec<Single>,
    listed: Option<Vec<Listed>>,
}

impl Faults {
    pub(super) fn of(plan: &FaultPlan) -> Self {
        match plan {
            FaultPlan::Drawn { seed, hops, nth } => Self {
                seed: Some(Seed(*seed)),
                hops: hops
                    .iter()
                    .map(|(hop, faults)| HopFaults::of(HopName(*hop), faults))
                    .collect(),
                single: nth.iter().map(Single::of).collect(),
                listed: None,
            },
            FaultPlan::Listed(fates) => Self {
                listed: (!fates.is_empty()).then(|| fates.iter().map(Listed::of).collect()),
                ..Self::default()
            },
        }
    }

    pub(super) fn plan(self) -> Result<FaultPlan, Wrong> {
        let drawn = self.seed.is_some() || !self.hops.is_empty() || !self.single.is_empty();
        match self.listed {
            Some(_) if drawn => Err(Wrong::new(
                "faults.listed",
                "faults are listed, or they are drawn (seed, hops, single), but not both",
            )),
            None if drawn => Ok(FaultPlan::Drawn {
                seed: self.seed.unwrap_or_default().0,
                hops: self.hops.into_iter().map(HopFaults::faults).collect(),
                nth: self.single.into_iter().map(Single::rule).collect(),
            }),
            listed => Ok(FaultPlan::Listed(
                listed.into_iter().flatten().map(Listed::fate).collect(),
            )),
        }
    }
}

/// The families of faults at one hop; those that are left out are off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HopFaults {
    at: HopName,
    #[serde(default)]
    loss: Rate,
    loss_bursts: Option<Bursts>,
    #[serde(default)]
    duplicate: Rate,
    #[serde(default = "duplicates_max")]
    duplicates_max: u8,
    #[serde(default)]
    duplicate_max: Span,
    #[serde(default)]
    reorder: Rate,
    #[serde(default)]
    reorder_max: Span,
    #[serde(default, with = "DelayText", skip_serializing_if = "is_none")]
    jitter: Delay,
    #[serde(default)]
    corrupt: Rate,
    #[serde(default = "burst_bits_max")]
    burst_bits_max: u8,
    #[serde(default)]
    wide: Rate,
    #[serde(default)]
    swap: Rate,
    #[serde(default)]
    truncate: Rate,
    #[serde(default)]
    hold_original: Rate,
    #[serde(default)]
    hold_copy: Rate,
    #[serde(default)]
    hold_any_of: Class,
    #[serde(default)]
    hold_max: Span,
    #[serde(default)]
    seen: Rate,
    #[serde(default)]
    seen_class: Class,
    #[serde(default)]
    seen_packets_max: u32,
    #[serde(default)]
    restored: Rate,
}

const fn duplicates_max() -> u8 {
    LinkFaults::NONE.duplicates_max
}

fn is_none(delay: &Delay) -> bool {
    *delay == Delay::None
}

/// A distribution of delays.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Delay", rename_all = "kebab-case", deny_unknown_fields)]
enum DelayText {
    None,
    Constant(#[serde(with = "time")] Duration),
    Uniform {
        #[serde(with = "time")]
        max: Duration,
    },
    Normal {
        #[serde(with = "time")]
        mean: Duration,
        #[serde(with = "time")]
        deviation: Duration,
    },
    HeavyTail {
        #[serde(with = "time")]
        scale: Duration,
        #[serde(with = "time")]
        max: Duration,
    },
}

const fn burst_bits_max() -> u8 {
    LinkFaults::NONE.burst_bits_max
}

/// Losses in bursts: chances per datagram.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bursts {
    begin: Rate,
    end: Rate,
    loss: Rate,
}

impl HopFaults {
    fn of(at: HopName, faults: &LinkFaults) -> Self {
        let LinkFaults {
            loss,
            loss_bursts,
            duplicate,
            duplicates_max,
            duplicate_max,
            reorder,
            reorder_max,
            jitter,
            corrupt,
            burst_bits_max,
            wide,
            swap,
            truncate,
            hold_original,
            hold_copy,
            hold_any_of,
            hold_max,
            seen,
            seen_class,
            seen_packets_max,
            restored,
        } = *faults;
        Self {
            at,
            loss: Rate(loss),
            loss_bursts: loss_bursts.map(|bursts| Bursts {
                begin: Rate(bursts.begin),
                end: Rate(bursts.end),
                loss: Rate(bursts.loss),
            }),
            duplicate: Rate(duplicate),
            duplicates_max,
            duplicate_max: Span(duplicate_max),
            reorder: Rate(reorder),
            reorder_max: Span(reorder_max),
            jitter,
            corrupt: Rate(corrupt),
            burst_bits_max,
            wide: Rate(wide),
            swap: Rate(swap),
            truncate: Rate(truncate),
            hold_original: Rate(hold_original),
            hold_copy: Rate(hold_copy),
            hold_any_of: Class(hold_any_of),
            hold_max: Span(hold_max),
            seen: Rate(seen),
            seen_class: Class(seen_class),
            seen_packets_max,
            restored: Rate(restored),
        }
    }

    fn faults(self) -> (timewait_sim::HopId, LinkFaults) {
        let faults = LinkFaults {
            loss: self.loss.0,
            loss_bursts: self.loss_bursts.map(|bursts| LossBursts {
                begin: bursts.begin.0,
                end: bursts.end.0,
                loss: bursts.loss.0,
            }),
            duplicate: self.duplicate.0,
            duplicates_max: self.duplicates_max,
            duplicate_max: self.duplicate_max.0,
            reorder: self.reorder.0,
            reorder_max: self.reorder_max.0,
            jitter: self.jitter,
            corrupt: self.corrupt.0,
            burst_bits_max: self.burst_bits_max,
            wide: self.wide.0,
            swap: self.swap.0,
            truncate: self.truncate.0,
            hold_original: self.hold_original.0,
            hold_copy: self.hold_copy.0,
            hold_any_of: self.hold_any_of.0,
            hold_max: self.hold_max.0,
            seen: self.seen.0,
            seen_class: self.seen_class.0,
            seen_packets_max: self.seen_packets_max,
            restored: self.restored.0,
        };
        (self.at.0, faults)
    }
}

/// The `n`-th datagram of a class at a hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Single {
    at: HopName,
    #[serde(default)]
    class: Class,
    of: Option<Tag>,
    n: u32,
    #[serde(default, skip_serializing_if = "What::is_default")]
    original: What,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    copies: Vec<What>,
}

impl Single {
    fn of(rule: &NthMatch) -> Self {
        Self {
            at: HopName(rule.hop),
            class: Class(rule.class),
            of: rule.tag.map(Tag),
            n: rule.n,
            original: What::of(rule.fate.original),
            copies: whats(&rule.fate),
        }
    }

    fn rule(self) -> NthMatch {
        NthMatch {
            hop: self.at.0,
            class: self.class.0,
            tag: self.of.map(|of| of.0),
            n: self.n,
            fate: Fate {
                original: self.original.outcome(),
                copies: copies(self.copies),
            },
        }
    }
}

/// Faults that are in force for a while: the table `rules`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    from: Span,
    lasts: Span,
    at: Option<HopName>,
    #[serde(default)]
    class: Class,
    of: Option<Tag>,
    #[serde(default, skip_serializing_if = "What::is_default")]
    original: What,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    copies: Vec<What>,
}

impl Rule {
    pub(super) fn of(plan: &RulePlan) -> Self {
        Self {
            from: Span(plan.at),
            lasts: Span(plan.lasts),
            at: plan.hop.map(HopName),
            class: Class(plan.class),
            of: plan.tag.map(Tag),
            original: What::of(plan.fate.original),
            copies: whats(&plan.fate),
        }
    }

    pub(super) fn plan(self) -> RulePlan {
        RulePlan {
            at: self.from.0,
            lasts: self.lasts.0,
            hop: self.at.map(|at| at.0),
            class: self.class.0,
            tag: self.of.map(|of| of.0),
            fate: Fate {
                original: self.original.outcome(),
                copies: copies(self.copies),
            },
        }
    }
}

/// The fate of one passage: the `nth` datagram, from 0, of an incarnation at a hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    at: HopName,
    of: Tag,
    nth: u32,
    #[serde(default, skip_serializing_if = "What::is_default")]
    original: What,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    copies: Vec<What>,
}

impl Listed {
    fn of((at, fate): &(Passage, Fate)) -> Self {
        Self {
            at: HopName(at.hop),
            of: Tag(at.tag),
            nth: at.ordinal,
            original: What::of(fate.original),
            copies: whats(fate),
        }
    }

    fn fate(self) -> (Passage, Fate) {
        let passage = Passage {
            hop: self.at.0,
            tag: self.of.0,
            ordinal: self.nth,
        };
        let fate = Fate {
            original: self.original.outcome(),
            copies: copies(self.copies),
        };
        (passage, fate)
    }
}
