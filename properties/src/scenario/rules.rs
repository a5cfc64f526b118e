//! Faults that are in force for a while, as data.

use core::time::Duration;

use timewait_sim::fates::Match;
use timewait_sim::{Fate, HopId};

/// Every datagram that fits meets this fate for a while, whatever dice and lists say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RulePlan {
    /// From when on.
    pub at: Duration,
    /// For how long.
    pub lasts: Duration,
    /// Where; `None`: at every hop.
    pub hop: Option<HopId>,
    /// The bits of class that they all have; 0: whatever they have.
    pub class: u16,
    /// Whose; `None`: everybody's.
    pub tag: Option<u64>,
    /// What happens to them.
    pub fate: Fate,
}

impl RulePlan {
    /// When it is over.
    pub fn end(&self) -> Duration {
        self.at + self.lasts
    }

    /// Which datagrams it is about.
    pub(crate) fn which(&self) -> Match {
        Match {
            hop: self.hop,
            class: self.class,
            tag: self.tag,
        }
    }
}
