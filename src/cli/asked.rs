//! The one run that the arguments of a command mean.

use timewait::Scenario;
use timewait::stack::Disabled;

use super::arguments::Asked;
use super::subject::Subject;

impl Asked {
    /// The scenario, and what it is called over its pages.
    pub(super) fn scenario(&self) -> Result<(Scenario, String), String> {
        let (subject, seed) = (Subject::open(&self.subject)?, self.seed);
        if seed.is_none() && !subject.is_file() {
            return Err(format!("which run of {subject}? --seed is missing"));
        }
        if seed.is_some() && !subject.has_dice() {
            return Err(format!(
                "--seed: {subject} lists its faults, so it has no dice"
            ));
        }
        let disabled: Disabled = self.disable.iter().copied().collect();
        Ok((
            subject.scenario(seed, disabled),
            subject.title(seed, disabled),
        ))
    }
}
