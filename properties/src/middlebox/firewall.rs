//! A firewall that knows connections by their segments: what belongs to none is dropped, with or
//! without a RST.

use timewait_sim::Instant;

use super::flows::{Flows, From, Standing};
use super::{Out, Passing};
use crate::scenario::boxes::StatePlan;

/// A firewall at work.
#[derive(Debug)]
pub(super) struct Firewall {
    plan: StatePlan,
    flows: Flows,
}

impl Firewall {
    pub(super) const fn new(plan: StatePlan) -> Self {
        Self {
            plan,
            flows: Flows::new(plan),
        }
    }

    pub(super) fn segment(&mut self, now: Instant, passing: Passing, out: &mut Out) {
        let (from, to) = (passing.from, passing.to);
        let (ends, side) = match from <= to {
            true => ((from, to), From::First),
            false => ((to, from), From::Second),
        };
        match self
            .flows
            .take(now, ends, side, passing.flags, passing.sound)
        {
            Standing::Known | Standing::New => out.onward(passing.transit),
            standing => out.refuse(&passing, standing, self.plan.answer),
        }
    }
}
