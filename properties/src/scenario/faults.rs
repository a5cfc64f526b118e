//! What the network does to datagrams, as data.

use timewait_sim::fates::{Dice, LinkFaults, Listed, NthMatch, Ruled, Rules};
use timewait_sim::{Fate, Fates, HopId, Packet, Passage};

/// The faults of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultPlan {
    /// Dice, thrown by this seed.
    Drawn {
        /// The seed of the dice.
        seed: u64,
        /// Which faults happen where; a hop that is missing has none.
        hops: Vec<(HopId, LinkFaults)>,
        /// Single faults, on top.
        nth: Vec<NthMatch>,
    },
    /// Just these; everything else is carried at base delay.
    Listed(Vec<(Passage, Fate)>),
}

impl FaultPlan {
    /// No faults.
    pub const NONE: Self = Self::Listed(Vec::new());

    /// The fates of a world with this plan.
    pub fn fates(&self) -> PlannedFates {
        let plan = match self {
            Self::Listed(fates) => Plan::Listed(fates.iter().copied().collect()),
            Self::Drawn { seed, hops, nth } => {
                let mut dice = Dice::new(*seed);
                for &(hop, faults) in hops {
                    dice.set(hop, faults);
                }
                for &rule in nth {
                    dice.add_rule(rule);
                }
                Plan::Drawn(dice)
            }
        };
        PlannedFates {
            plan: Ruled::new(plan),
            healed: false,
        }
    }
}

/// The fates that a plan means.
#[derive(Clone, Debug)]
pub struct PlannedFates {
    plan: Ruled<Plan>,
    healed: bool,
}

#[derive(Clone, Debug)]
enum Plan {
    Drawn(Dice),
    Listed(Listed),
}

impl PlannedFates {
    /// The handle by which a test adds faults of its own while the world runs.
    pub fn rules(&self) -> Rules {
        self.plan.rules()
    }

    /// From now on the network does no harm to what enters a hop.
    pub fn heal(&mut self) {
        self.healed = true;
    }
}

impl Fates for PlannedFates {
    fn fate(&mut self, at: Passage, packet: &Packet) -> Fate {
        if self.healed {
            return Fate::default();
        }
        self.plan.fate(at, packet)
    }
}

impl Fates for Plan {
    fn fate(&mut self, at: Passage, packet: &Packet) -> Fate {
        match self {
            Self::Drawn(dice) => dice.fate(at, packet),
            Self::Listed(listed) => listed.fate(at, packet),
        }
    }
}
