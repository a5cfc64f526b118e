//! What is run or replayed: a kind of scenario, or a scenario file.

use std::cmp::Ordering;
use std::fmt;
use std::fs;
use std::sync::Arc;

use timewait::properties::scenario::FaultPlan;
use timewait::stack::Disabled;
use timewait::{Kind, Scenario};

use super::values;

/// A kind of scenario, of which a seed makes one, or one from a file.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    Kind(Kind),
    File(Arc<File>),
}

/// A scenario from a file, under the name by which it was called.
#[derive(Debug)]
pub(super) struct File {
    name: String,
    scenario: Scenario,
}

/// What the command line calls a subject.
#[derive(Clone, Debug)]
pub(super) enum Name {
    Kind(Kind),
    File(String),
}

impl Name {
    /// A name with a dot or a slash is one of a file.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(['.', '/']) {
            Ok(Self::File(text.to_owned()))
        } else {
            values::kind(text).map(Self::Kind)
        }
    }
}

impl Subject {
    /// Reads the file, if it is one.
    pub(super) fn open(name: &Name) -> Result<Self, String> {
        let name = match name {
            Name::Kind(kind) => return Ok(Self::Kind(*kind)),
            Name::File(name) => name,
        };
        let text = fs::read_to_string(name).map_err(|error| format!("{name}: {error}"))?;
        let scenario = Scenario::from_toml(&text).map_err(|error| format!("{name}:{error}"))?;
        let name = name.clone();
        Ok(Self::File(Arc::new(File { name, scenario })))
    }

    pub(super) const fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Whether a seed makes a difference: it does not where all fates are listed.
    pub(super) fn has_dice(&self) -> bool {
        match self {
            Self::Kind(_) => true,
            Self::File(file) => matches!(file.scenario.faults, FaultPlan::Drawn { .. }),
        }
    }

    /// The scenario of this seed, with these protections switched off. In a file the seed is that
    /// of the dice; none: the file's own.
    pub(super) fn scenario(&self, seed: Option<u64>, disabled: Disabled) -> Scenario {
        let scenario = match self {
            Self::Kind(kind) => Scenario::from_seed(*kind, seed.unwrap_or_default()),
            Self::File(file) => file.scenario.clone().with_dice(seed),
        };
        disabled.iter().fold(scenario, Scenario::without)
    }

    /// What a run is called over its pages: `churn, seed 7, without time-wait`.
    pub(super) fn title(&self, seed: Option<u64>, disabled: Disabled) -> String {
        let seed = seed.map(|seed| format!(", seed {seed}"));
        let without = disabled.iter().map(|its| format!(", without {its}"));
        format!(
            "{self}{}{}",
            seed.unwrap_or_default(),
            without.collect::<String>()
        )
    }

    /// Kinds first, in their order; then files by name.
    fn key(&self) -> (bool, Option<Kind>, &str) {
        match self {
            Self::Kind(kind) => (false, Some(*kind), ""),
            Self::File(file) => (true, None, &file.name),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => f.pad(kind.name()),
            Self::File(name) => f.pad(name),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => f.pad(kind.name()),
            Self::File(file) => f.pad(&file.name),
        }
    }
}

impl Ord for Subject {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Subject {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Subject {}
