//! Fates from a list, to replay a recorded run or to shrink it.

use std::collections::BTreeMap;

use super::{Fate, Fates, Passage};
use crate::packet::Packet;

/// Looks each passage up; what is not listed is carried at base delay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed(BTreeMap<Passage, Fate>);

impl Listed {
    /// These fates. Of several for one passage the last counts.
    pub fn new(fates: impl IntoIterator<Item = (Passage, Fate)>) -> Self {
        Self(fates.into_iter().collect())
    }
}

impl FromIterator<(Passage, Fate)> for Listed {
    fn from_iter<I: IntoIterator<Item = (Passage, Fate)>>(fates: I) -> Self {
        Self::new(fates)
    }
}

impl Fates for Listed {
    fn fate(&mut self, at: Passage, _: &Packet) -> Fate {
        self.0.get(&at).copied().unwrap_or_default()
    }
}
