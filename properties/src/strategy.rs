//! Scenarios for proptest: drawn from its own dice, shrunk by [`Scenario::smaller`].

use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::scenario::Scenario;
use crate::scenarios::Kind;

/// Scenarios of this kind.
pub fn scenarios(kind: Kind) -> Scenarios {
    Scenarios { kind }
}

/// A runner with a fixed seed and without a persistence file: the same cases every time, in
/// every place. Our replay line is the persistence.
pub fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"timewait: the same cases always.");
    TestRunner::new_with_rng(config, rng)
}

/// Scenarios of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Scenarios {
    kind: Kind,
}

impl Strategy for Scenarios {
    type Tree = ScenarioTree;
    type Value = Scenario;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        use rand_chacha::rand_core::Rng as _;
        // Small seeds are easy to paste.
        let seed = u64::from(runner.rng().next_u32());
        Ok(ScenarioTree::new(Scenario::from_seed(self.kind, seed)))
    }
}

/// A scenario and how far it has been shrunk.
#[derive(Clone, Debug)]
pub struct ScenarioTree {
    /// The simplest that is known to fail.
    failing: Scenario,
    /// What is being tried.
    current: Scenario,
    /// Which candidate of `failing` comes next.
    next: usize,
}

impl ScenarioTree {
    fn new(scenario: Scenario) -> Self {
        Self {
            failing: scenario.clone(),
            current: scenario,
            next: 0,
        }
    }

    /// Tries the next candidate of the simplest that fails.
    fn advance(&mut self) -> bool {
        let candidate = self.failing.smaller().nth(self.next);
        self.next += 1;
        match candidate {
            Some(candidate) => {
                self.current = candidate;
                true
            }
            None => {
                self.current = self.failing.clone();
                false
            }
        }
    }
}

impl ValueTree for ScenarioTree {
    type Value = Scenario;

    fn current(&self) -> Scenario {
        self.current.clone()
    }

    /// The current one fails: it is the simplest known, and its candidates come next.
    fn simplify(&mut self) -> bool {
        self.failing = self.current.clone();
        self.next = 0;
        self.advance()
    }

    /// The current one holds: the next candidate.
    fn complicate(&mut self) -> bool {
        self.advance()
    }
}

#[cfg(test)]
mod tests {
    use proptest::strategy::{Strategy as _, ValueTree as _};

    use super::{runner, scenarios};
    use crate::scenario::Scenario;
    use crate::scenarios::Kind;

    #[test]
    fn the_same_cases_come_every_time() {
        let draw = || {
            let mut runner = runner(1);
            let strategy = scenarios(Kind::Swarm);
            [(); 3].map(|()| strategy.new_tree(&mut runner).map(|tree| tree.current()))
        };
        assert_eq!(draw(), draw());
    }

    #[test]
    fn a_drawn_scenario_is_what_its_seed_means() {
        let tree = scenarios(Kind::Close)
            .new_tree(&mut runner(1))
            .expect("always drawn");
        let drawn = tree.current();
        let seed = drawn.seed.expect("it has a seed");
        assert_eq!(drawn, Scenario::from_seed(Kind::Close, seed));
    }

    /// Fails while it has a lossy hop: everything else must go.
    #[test]
    fn shrinking_keeps_just_what_fails() {
        use crate::scenario::FaultPlan;
        let lossy = |scenario: &Scenario| match &scenario.faults {
            FaultPlan::Drawn { hops, .. } => hops.iter().any(|(_, faults)| faults.loss > 0),
            FaultPlan::Listed(_) => false,
        };
        let strategy = scenarios(Kind::Swarm);
        let mut runner = runner(1);
        let mut tree = loop {
            let tree = strategy.new_tree(&mut runner).expect("always drawn");
            if lossy(&tree.current()) && tree.current().hosts.len() > 3 {
                break tree;
            }
        };
        let mut more = tree.simplify();
        while more {
            more = if lossy(&tree.current()) {
                tree.simplify()
            } else {
                tree.complicate()
            };
        }
        let simplest = tree.current();
        assert!(lossy(&simplest));
        assert_eq!(simplest.hosts.len(), 2);
        assert!(simplest.hosts.iter().all(|host| host.apps.is_empty()));
        let FaultPlan::Drawn { hops, .. } = simplest.faults else {
            panic!("it had dice")
        };
        assert_eq!(hops.len(), 1);
    }
}
