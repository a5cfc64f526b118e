//! What many runs came to, by kind of scenario or by whatever else they are counted.
//!
//! Merging is commutative and associative, so it does not matter who ran what when.

use core::ops::AddAssign;
use core::time::Duration;
use std::collections::BTreeMap;

use timewait_sim::{Damage, Fate, Outcome};

use crate::check::Report;
use crate::facts::Coverage;
use crate::scenarios::Kind;

/// The tallies of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Campaign<K = Kind> {
    tallies: BTreeMap<K, Tally>,
}

impl<K: Ord + Clone> Campaign<K> {
    /// An empty tally for each of these kinds.
    pub fn new(kinds: &[K]) -> Self {
        let empty = |kind: &K| (kind.clone(), Tally::default());
        Self {
            tallies: kinds.iter().map(empty).collect(),
        }
    }

    /// Adds one or many runs of a kind.
    pub fn add(&mut self, kind: K, tally: &Tally) {
        *self.tallies.entry(kind).or_default() += tally;
    }

    /// The tally of a kind, if it belongs to the campaign.
    pub fn tally(&self, kind: &K) -> Option<&Tally> {
        self.tallies.get(kind)
    }

    /// Every kind with its tally, in their order.
    pub fn tallies(&self) -> impl Iterator<Item = (&K, &Tally)> {
        self.tallies.iter()
    }

    /// All kinds together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.tallies.values() {
            total += tally;
        }
        total
    }
}

/// What some runs came to. All counts are sums over the runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs, each of one seed.
    pub seeds: u64,
    /// Runs that panicked. Nothing else is known of them.
    pub panics: u64,
    /// Runs that ended at their time limit with something still to happen.
    pub unfinished: u64,
    /// Simulated time.
    pub simulated: Duration,
    /// Datagrams that hosts sent.
    pub sent: u64,
    /// Faults, by family.
    pub faults: Faults,
    /// What the oracles saw reached.
    pub coverage: Coverage,
}

/// Faults that landed, by family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Datagrams and copies lost.
    pub lost: u64,
    /// Datagrams and copies delayed above the link's own delay: these may be overtaken.
    pub late: u64,
    /// Datagrams damaged in whatever way.
    pub damaged: u64,
    /// Of these, those in more than one place.
    pub wide: u64,
    /// Of these, those whose end is missing.
    pub cut_short: u64,
    /// Datagrams of which copies were made.
    pub copied: u64,
    /// Datagrams that a router kept.
    pub held: u64,
    /// Copies that a router kept while the original went on.
    pub copies_held: u64,
    /// Datagrams and copies that met a link that was cut.
    pub cut_off: u64,
}

impl Tally {
    /// The tally of one run.
    pub fn of(report: &Report) -> Self {
        let mut faults = Faults {
            cut_off: report.stats.dropped_cut,
            ..Faults::default()
        };
        for (_, fate) in &report.fates {
            faults.count(fate);
        }
        Self {
            seeds: 1,
            panics: 0,
            unfinished: u64::from(!report.quiet),
            simulated: report.simulated,
            sent: report.stats.sent,
            faults,
            coverage: report.coverage.clone(),
        }
    }

    /// The tally of a run that panicked.
    pub fn panicked() -> Self {
        Self {
            seeds: 1,
            panics: 1,
            ..Self::default()
        }
    }

    /// Hazards found: what follows from a broken assumption.
    pub fn hazards(&self) -> u64 {
        self.coverage.hazards.values().sum()
    }

    /// Violations found, panics included.
    pub fn violations(&self) -> u64 {
        self.panics + self.coverage.violations.values().sum::<u64>()
    }
}

impl AddAssign<&Tally> for Tally {
    fn add_assign(&mut self, other: &Tally) {
        let Tally {
            seeds,
            panics,
            unfinished,
            simulated,
            sent,
            faults,
            coverage,
        } = other;
        self.seeds += seeds;
        self.panics += panics;
        self.unfinished += unfinished;
        self.simulated += *simulated;
        self.sent += sent;
        self.faults += faults;
        self.coverage += coverage;
    }
}

impl Faults {
    /// Adds what one fate did.
    fn count(&mut self, fate: &Fate) {
        match fate.original {
            Outcome::Drop => self.lost += 1,
            Outcome::Hold(_) => self.held += 1,
            Outcome::Deliver { extra, damage } => self.delivered(extra, damage),
        }
        self.copied += u64::from(!fate.copies.is_empty());
        for copy in fate.copies.iter() {
            match copy {
                Outcome::Drop => self.lost += 1,
                Outcome::Hold(_) => self.copies_held += 1,
                Outcome::Deliver { extra, damage } => self.delivered(extra, damage),
            }
        }
    }

    fn delivered(&mut self, extra: Duration, damage: Option<Damage>) {
        self.late += u64::from(!extra.is_zero());
        self.damaged += u64::from(damage.is_some());
        let wide = matches!(damage, Some(Damage::Scramble { .. } | Damage::Swap { .. }));
        self.wide += u64::from(wide);
        let short = matches!(damage, Some(Damage::Truncate { .. }));
        self.cut_short += u64::from(short);
    }
}

impl AddAssign<&Faults> for Faults {
    fn add_assign(&mut self, other: &Faults) {
        let Faults {
            lost,
            late,
            damaged,
            wide,
            cut_short,
            copied,
            held,
            copies_held,
            cut_off,
        } = other;
        self.lost += lost;
        self.late += late;
        self.damaged += damaged;
        self.wide += wide;
        self.cut_short += cut_short;
        self.copied += copied;
        self.held += held;
        self.copies_held += copies_held;
        self.cut_off += cut_off;
    }
}

#[cfg(test)]
mod tests {
    use super::{Campaign, Faults, Tally};
    use crate::scenarios::Kind;
    use core::time::Duration;
    use timewait_sim::{Copies, Fate, Outcome, Release};

    fn late() -> Outcome {
        Outcome::Deliver {
            extra: Duration::from_millis(3),
            damage: None,
        }
    }

    #[test]
    fn each_fate_counts_in_its_families() {
        let mut faults = Faults::default();
        let held = Outcome::Hold(Release::After(Duration::from_secs(1)));
        faults.count(&Fate {
            original: Outcome::Drop,
            copies: Copies::NONE,
        });
        faults.count(&Fate {
            original: late(),
            copies: Copies::one(held),
        });
        faults.count(&Fate {
            original: held,
            copies: Copies::one(late()),
        });
        let expected = Faults {
            lost: 1,
            late: 2,
            damaged: 0,
            wide: 0,
            cut_short: 0,
            copied: 2,
            held: 1,
            copies_held: 1,
            cut_off: 0,
        };
        assert_eq!(faults, expected);
    }

    #[test]
    fn the_order_of_merging_does_not_matter() {
        let tally = |seeds, lost| Tally {
            seeds,
            faults: Faults {
                lost,
                ..Faults::default()
            },
            ..Tally::default()
        };
        let runs = [
            (Kind::Churn, tally(1, 2)),
            (Kind::Close, tally(3, 4)),
            (Kind::Churn, tally(5, 6)),
        ];
        let (mut one, mut other) = (Campaign::new(&[]), Campaign::new(&[]));
        runs.iter().for_each(|(kind, tally)| one.add(*kind, tally));
        runs.iter()
            .rev()
            .for_each(|(kind, tally)| other.add(*kind, tally));
        assert_eq!(one, other);
        assert_eq!((one.total().seeds, one.total().faults.lost), (9, 12));
        assert_eq!(one.tally(&Kind::Churn).map(|tally| tally.seeds), Some(6));
    }

    #[test]
    fn a_panic_is_a_violation() {
        assert_eq!(Tally::panicked().violations(), 1);
    }
}
