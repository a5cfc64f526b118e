//! From a scenario that fails to a small one that fails alike.
//!
//! First the faults that the dice brought are listed, one by one; if the list fails as the dice did,
//! single ones can be left out. The run is cut off at what was found. Then
//! [`Scenario::smaller`] is gone through, step by step, and whatever still fails alike is taken, until
//! a whole pass finds nothing more.

use core::time::Duration;

use timewait_sim::{Fate, Instant, Passage};

use crate::check::Report;
use crate::scenario::{FaultPlan, Scenario};

/// A trial run failed as the first one did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// When.
    pub at: Instant,
    /// The fates that were not the default.
    pub fates: Vec<(Passage, Fate)>,
}

/// Where shrinking came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The smallest scenario that was found to fail.
    pub scenario: Scenario,
    /// How many runs were tried.
    pub runs: u64,
    /// No step makes it smaller and still fails; otherwise it never failed, or the runs are used up.
    pub minimal: bool,
}

impl Failing {
    /// The first violation of this oracle in a run, if there is one.
    pub fn of(report: Report, oracle: &str) -> Option<Self> {
        let at = report.violation_of(oracle)?.at;
        let fates = report.fates;
        Some(Self { at, fates })
    }
}

/// Makes a failing scenario smaller as long as `fails` says that it fails alike, with at most
/// `runs_max` trials, 1 at least.
pub fn shrink(
    scenario: &Scenario,
    runs_max: u64,
    fails: impl FnMut(&Scenario) -> Option<Failing>,
) -> Shrunk {
    let mut search = Search {
        scenario: scenario.clone(),
        runs: 0,
        runs_max: runs_max.max(1),
        fails,
    };
    let Some(failing) = search.takes(scenario.clone()) else {
        return search.ends(false);
    };
    search.list(failing);
    let mut found = true;
    while found && search.has_runs() {
        found = search.pass();
    }
    search.ends(!found)
}

struct Search<F> {
    scenario: Scenario,
    runs: u64,
    runs_max: u64,
    fails: F,
}

impl<F: FnMut(&Scenario) -> Option<Failing>> Search<F> {
    fn has_runs(&self) -> bool {
        self.runs < self.runs_max
    }

    fn ends(self, finished: bool) -> Shrunk {
        Shrunk {
            minimal: finished && self.has_runs(),
            scenario: self.scenario,
            runs: self.runs,
        }
    }

    /// Takes a scenario over if it fails.
    fn takes(&mut self, candidate: Scenario) -> Option<Failing> {
        self.runs += 1;
        let failing = (self.fails)(&candidate)?;
        self.scenario = candidate;
        Some(failing)
    }

    /// The faults that were met in the place of dice, if they fail alike; and the end of the run.
    fn list(&mut self, failing: Failing) {
        let mut last = failing.clone();
        if matches!(self.scenario.faults, FaultPlan::Drawn { .. }) && self.has_runs() {
            let faults = FaultPlan::Listed(failing.fates);
            let seed = None;
            let listed = Scenario {
                faults,
                seed,
                ..self.scenario.clone()
            };
            if let Some(failing) = self.takes(listed) {
                last = failing;
            }
        }
        self.tidy(&last);
    }

    /// Goes through all steps once. After one that was taken the next ones of its kind have the same
    /// place, so the pass goes on from there. Returns whether any was taken.
    fn pass(&mut self) -> bool {
        let (mut place, mut found) = (0, false);
        while self.has_runs() {
            let Some(candidate) = self.scenario.smaller().nth(place) else {
                break;
            };
            match self.takes(candidate) {
                Some(failing) => {
                    found = true;
                    self.tidy(&failing);
                }
                None => place += 1,
            }
        }
        found
    }

    /// What comes after the failure, and the fates of datagrams that were not sent, don't matter.
    fn tidy(&mut self, failing: &Failing) {
        let until = failing.at.saturating_since(Instant::ZERO) + Duration::from_nanos(1);
        self.scenario.limit = self.scenario.limit.min(until);
        if let FaultPlan::Listed(listed) = &mut self.scenario.faults {
            listed.retain(|fate| failing.fates.contains(fate));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Failing, shrink};
    use crate::check::check;
    use crate::scenario::{FaultPlan, Scenario};
    use crate::scenarios::Kind;
    use timewait_stack::Protection;

    fn violates(oracle: &str) -> impl FnMut(&Scenario) -> Option<Failing> {
        move |scenario| Failing::of(check(scenario), oracle)
    }

    #[test]
    fn a_churn_without_time_wait_shrinks_to_a_few_datagrams() {
        let scenario = Scenario::from_seed(Kind::Churn, 0).without(Protection::TimeWait);
        let shrunk = shrink(&scenario, 3000, violates("time-wait"));
        assert!(shrunk.minimal && violates("time-wait")(&shrunk.scenario).is_some());
        let report = check(&shrunk.scenario);
        assert!(report.stats.sent <= 20, "{}", report.stats.sent);
    }

    #[test]
    #[cfg(feature = "files")]
    fn an_old_duplicate_shrinks_to_one_fault_and_two_short_connections() {
        let text = include_str!("../../scenarios/old-duplicate.toml");
        let scenario = Scenario::from_toml(text).expect("a scenario");
        let scenario = scenario.without(Protection::TimeWait);
        let shrunk = shrink(&scenario, 3000, violates("incarnation"));
        let FaultPlan::Listed(fates) = &shrunk.scenario.faults else {
            panic!("not listed");
        };
        assert_eq!(fates.len(), 1, "{fates:?}");
        let report = check(&shrunk.scenario);
        assert!(report.stats.sent <= 30, "{}", report.stats.sent);
        // What is printed is what was found.
        let again = Scenario::from_toml(&shrunk.scenario.to_toml());
        assert_eq!(again, Ok(shrunk.scenario));
    }

    #[test]
    fn what_does_not_fail_is_left_alone() {
        let scenario = Scenario::from_seed(Kind::Close, 1);
        let shrunk = shrink(&scenario, 100, violates("incarnation"));
        assert_eq!((shrunk.runs, shrunk.minimal), (1, false));
        assert_eq!(shrunk.scenario, scenario);
    }

    #[test]
    fn the_runs_are_bounded() {
        let scenario = Scenario::from_seed(Kind::Churn, 0).without(Protection::TimeWait);
        let shrunk = shrink(&scenario, 7, violates("time-wait"));
        assert_eq!((shrunk.runs, shrunk.minimal), (7, false));
    }
}
