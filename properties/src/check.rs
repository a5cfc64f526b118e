//! The one check that `cargo test`, proptest, the fuzzer, `replay` and `run` all call.

use core::fmt;
use core::time::Duration;

use timewait_sim::{Fate, Finding, FindingKind, Oracle, Passage, Stats};
use timewait_stack::Disabled;

use crate::event::HostEvent;
use crate::facts::Coverage;
use crate::scenario::Scenario;
use crate::scenarios::Kind;

mod bystander;
mod circumstances;
mod run;
mod timeline;

pub(crate) use run::node;
pub use run::{Run, ScenarioWorld, Watch};

/// What a run showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The kind of scenario.
    pub kind: Kind,
    /// Its seed, if it still is what the seed means.
    pub seed: Option<u64>,
    /// The protections that were switched off.
    pub disabled: Disabled,
    /// What the oracles found, in the order in which they found it.
    pub findings: Vec<Finding>,
    /// Every fate that was not the default.
    pub fates: Vec<(Passage, Fate)>,
    /// The trace hash; 0 if it was not computed.
    pub hash: u64,
    /// How long the run lasted, in simulated time.
    pub simulated: Duration,
    /// What the network did.
    pub stats: Stats,
    /// What the stacks and their users came to; empty without oracles.
    pub coverage: Coverage,
    /// The run ended because nothing was left to happen, not because of the limit.
    pub quiet: bool,
    /// Listeners, connections and TIME-WAIT records that were left at the end.
    pub left_over: u64,
}

impl Report {
    /// The findings that fail the run.
    pub fn violations(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.kind == FindingKind::Violation)
    }

    /// The first violation of this oracle.
    pub fn violation_of(&self, oracle: &str) -> Option<&Finding> {
        self.violations().find(|finding| finding.oracle == oracle)
    }

    /// Whether something happened that must not happen.
    pub fn failed(&self) -> bool {
        self.violations().next().is_some()
    }

    /// The line to paste that replays the run, if a seed means it.
    pub fn replay_line(&self) -> Option<String> {
        let seed = self.seed?;
        let mut line = format!("timewait replay {} --seed {seed}", self.kind);
        for protection in self.disabled.iter() {
            line += &format!(" --disable {protection}");
        }
        Some(line)
    }
}

/// The violations, one per line, and how to see them again.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.violations() {
            writeln!(f, "{finding}")?;
        }
        match self.replay_line() {
            Some(line) => write!(f, "replay: {line}"),
            None => write!(f, "in a scenario of kind {}", self.kind),
        }
    }
}

/// Runs the scenario with the default oracles.
pub fn check(scenario: &Scenario) -> Report {
    check_with(scenario, Vec::new())
}

/// Runs the scenario with the default oracles and these, which see everything first to last.
pub fn check_with(scenario: &Scenario, extra: Vec<Box<dyn Oracle<HostEvent>>>) -> Report {
    let mut run = Run::new(scenario, Watch::ALL, extra);
    run.run();
    run.finish()
}

/// Runs the scenario without oracles, events or hash: what a bench measures.
pub fn run_bare(scenario: &Scenario) -> Report {
    let mut run = Run::new(scenario, Watch::NOTHING, Vec::new());
    run.run();
    run.finish()
}
