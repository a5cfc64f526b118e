//! Every way in which a small network can go wrong, one after the other.
//!
//! A run is a list of decisions, one per question to [`Fates::fate`], each an index into a menu
//! whose index 0 is the default. Lists are enumerated depth first from the start: a run answers 0
//! beyond the list that it was given, and the next run changes the last decision that can still
//! be changed. A tiny run is so short that each starts at the beginning, so nothing has to be
//! cloned.

use std::collections::BTreeMap;

use super::{Fate, Fates, Passage};
use crate::packet::Packet;

/// Enumerates all lists of decisions with a bounded number of faults.
///
/// ```
/// # use timewait_sim::{Outcome, fates::Explorer};
/// let mut explorer = Explorer::new([Outcome::Drop.into()], 2);
/// while explorer.begin_run() {
///     // Build a world with `&mut explorer` as its fates, and run it.
/// }
/// assert_eq!(explorer.runs(), 1); // No datagram, no decision.
/// ```
#[derive(Clone, Debug)]
pub struct Explorer {
    menu: Vec<Fate>,
    faults_max: u32,
    decisions_max: u32,
    /// The decisions of this run: those it was given, then those it has made.
    list: Vec<u32>,
    /// How many decisions it was given.
    given: usize,
    /// How many it has made so far.
    made: usize,
    faults: Vec<(Passage, Fate)>,
    runs: u64,
    seen: BTreeMap<u64, Budget>,
}

/// What could still go wrong when a state was seen.
#[derive(Clone, Copy, Debug)]
struct Budget {
    faults: u32,
    decisions: u32,
}

impl Explorer {
    /// Explores these fates beside the default, at most `faults_max` of them in one run.
    pub fn new(menu: impl IntoIterator<Item = Fate>, faults_max: u32) -> Self {
        let others = menu.into_iter().filter(|fate| !fate.is_default());
        Self {
            menu: core::iter::once(Fate::default()).chain(others).collect(),
            faults_max,
            decisions_max: 64,
            list: Vec::new(),
            given: 0,
            made: 0,
            faults: Vec::new(),
            runs: 0,
            seen: BTreeMap::new(),
        }
    }

    /// Beyond this many decisions, 64 unless set, a run has no more faults.
    #[must_use]
    pub fn decisions_max(mut self, decisions: u32) -> Self {
        self.decisions_max = decisions;
        self
    }

    /// Goes on to the next run. `false`: all have been.
    pub fn begin_run(&mut self) -> bool {
        if self.runs > 0 && !self.advance() {
            return false;
        }
        self.runs += 1;
        self.given = self.list.len();
        self.made = 0;
        self.faults.clear();
        true
    }

    /// How many runs have begun.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// What went wrong in this run so far, to be replayed by [`Listed`](super::Listed).
    pub fn faults(&self) -> &[(Passage, Fate)] {
        &self.faults
    }

    /// Tells that the run has come to the state with this digest, which must cover everything
    /// that its future depends on. `true`: all that can follow has been or will be explored
    /// elsewhere, and the run may be abandoned.
    ///
    /// Call it only between decisions, and at the same points of every run.
    pub fn seen(&mut self, digest: u64) -> bool {
        if self.made < self.given {
            // Still on the way of earlier runs: their states are its own past.
            return false;
        }
        let now = Budget {
            faults: self.faults_max - self.faults.len() as u32,
            decisions: self.decisions_max.saturating_sub(self.made as u32),
        };
        let Some(before) = self.seen.get_mut(&digest) else {
            self.seen.insert(digest, now);
            return false;
        };
        if before.faults >= now.faults && before.decisions >= now.decisions {
            return true;
        }
        if now.faults >= before.faults && now.decisions >= before.decisions {
            *before = now;
        }
        false
    }

    /// Changes the last decision that can be changed, and forgets those after it.
    fn advance(&mut self) -> bool {
        // A run that was abandoned early never came to some of what it was given.
        self.list.truncate(self.made);
        let mut faults = self.list.iter().filter(|choice| **choice > 0).count();
        while let Some(last) = self.list.pop() {
            faults -= usize::from(last > 0);
            let next = last + 1;
            if (next as usize) < self.menu.len() && faults < self.faults_max as usize {
                self.list.push(next);
                return true;
            }
        }
        false
    }
}

impl Fates for Explorer {
    fn fate(&mut self, at: Passage, _: &Packet) -> Fate {
        if self.made >= self.decisions_max as usize {
            return Fate::default();
        }
        if self.made == self.list.len() {
            self.list.push(0);
        }
        let fate = self.menu[self.list[self.made] as usize];
        self.made += 1;
        if !fate.is_default() {
            self.faults.push((at, fate));
        }
        fate
    }
}

#[cfg(test)]
mod tests;
