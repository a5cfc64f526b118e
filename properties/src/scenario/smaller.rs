//! Simpler scenarios: the only shrinker.
//!
//! Each candidate is one step simpler than the scenario it comes from: a host, a user, an
//! attack, a round or a fault less, or a smaller number. Every step takes something away or moves
//! a number towards a fixed one, so shrinking ends whatever order it takes. The boldest steps come first.

use timewait_sim::fates::{Delay, LinkFaults};

use super::{FaultPlan, LinkEnd, Scenario};
use crate::clock::Clock;

mod drop_host;
mod drop_rounds;
mod numbers;

/// One way to make a scenario simpler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Without this host, its link and everybody who calls it.
    DropHost(u16),
    /// Without this attacker and its link.
    DropAttacker(u16),
    /// A router in the place of this box.
    DropBox(u16),
    /// Without this attack of this attacker.
    DropAttack(u16, u16),
    /// Without this user of this host.
    DropApp(u16, u16),
    /// Rounds of all churns: without `count` from `first` on, which began so many incarnations at
    /// each of the first two hosts.
    DropRounds {
        first: u32,
        count: u32,
        begun: [u32; 2],
    },
    /// Without this crash.
    DropCrash(u32),
    /// Without this pause.
    DropPause(u32),
    /// The clock of this host shows true time.
    TrueClock(u16),
    /// Without this user after this crash.
    DropLaterApp(u32, u16),
    /// Cuts: without `count` from `first` on.
    DropCuts { first: u32, count: u32 },
    /// Without this route.
    DropRoute(u32),
    /// Without this rule.
    DropRule(u32),
    /// Without this part of the listed fates.
    DropListed { first: u32, count: u32 },
    /// Without faults at this place in the list of hops.
    DropHop(u32),
    /// Without this family of faults at all hops.
    DropFamily(usize),
    /// Without this single fault.
    DropNth(u32),
    /// No router between the two hosts.
    Straighten,
    /// A simpler number somewhere.
    Number(numbers::Place),
}

/// What switches a family of faults off.
const FAMILIES: [fn(&mut LinkFaults); 10] = [
    |faults| faults.loss = 0,
    |faults| faults.loss_bursts = None,
    |faults| faults.duplicate = 0,
    |faults| faults.reorder = 0,
    |faults| faults.jitter = Delay::None,
    |faults| faults.corrupt = 0,
    |faults| faults.wide = 0,
    |faults| faults.truncate = 0,
    |faults| faults.hold_original = 0,
    |faults| faults.hold_copy = 0,
];

impl Scenario {
    /// Every scenario that is one step simpler, the boldest steps first. Shrinking takes the
    /// first that still fails, and starts again from there.
    pub fn smaller(&self) -> impl Iterator<Item = Self> + '_ {
        self.steps().into_iter().filter_map(|step| {
            let mut scenario = self.apply(step)?;
            scenario.seed = None;
            (scenario
                != Self {
                    seed: None,
                    ..self.clone()
                })
            .then_some(scenario)
        })
    }

    fn steps(&self) -> Vec<Step> {
        let hosts = self.hosts.len() as u16;
        let mut steps = Vec::new();
        if hosts > 2 {
            steps.extend((0..hosts).map(Step::DropHost));
        }
        for (attacker, plan) in (0..).zip(&self.attackers) {
            steps.push(Step::DropAttacker(attacker));
            let attacks = 0..plan.attacks.len() as u16;
            steps.extend(attacks.map(|attack| Step::DropAttack(attacker, attack)));
        }
        steps.extend((0..self.boxes.len() as u16).map(Step::DropBox));
        steps.extend(self.rounds_to_drop());
        for (host, plan) in (0..).zip(&self.hosts) {
            steps.extend((0..plan.apps.len() as u16).map(|app| Step::DropApp(host, app)));
        }
        for (nth, crash) in (0..).zip(&self.crashes) {
            steps.push(Step::DropCrash(nth));
            steps.extend((0..crash.apps.len() as u16).map(|app| Step::DropLaterApp(nth, app)));
        }
        steps.extend((0..self.pauses.len() as u32).map(Step::DropPause));
        steps.extend((0..hosts).map(Step::TrueClock));
        let pieces_of_cuts = pieces(self.cuts.len() as u32);
        steps.extend(pieces_of_cuts.map(|(first, count)| Step::DropCuts { first, count }));
        steps.extend((0..self.routes.len() as u32).map(Step::DropRoute));
        steps.extend((0..self.rules.len() as u32).map(Step::DropRule));
        match &self.faults {
            FaultPlan::Listed(fates) => {
                let pieces = pieces(fates.len() as u32);
                steps.extend(pieces.map(|(first, count)| Step::DropListed { first, count }));
            }
            FaultPlan::Drawn { hops, nth, .. } => {
                steps.extend((0..FAMILIES.len()).map(Step::DropFamily));
                steps.extend((0..hops.len() as u32).map(Step::DropHop));
                steps.extend((0..nth.len() as u32).map(Step::DropNth));
            }
        }
        steps.push(Step::Straighten);
        steps.extend(self.number_places().into_iter().map(Step::Number));
        steps
    }

    fn apply(&self, step: Step) -> Option<Self> {
        let mut scenario = self.clone();
        match step {
            Step::DropHost(host) => return self.without_host(host),
            Step::DropAttacker(attacker) => return self.without_attacker(attacker),
            Step::DropBox(number) => return self.without_box(number),
            Step::DropAttack(attacker, attack) => {
                let plan = scenario.attackers.get_mut(usize::from(attacker))?;
                plan.attacks.remove(usize::from(attack));
            }
            Step::DropApp(host, app) => {
                let apps = &mut scenario.hosts.get_mut(usize::from(host))?.apps;
                apps.remove(usize::from(app));
            }
            Step::DropRounds {
                first,
                count,
                begun,
            } => scenario.drop_rounds(first, count, begun),
            Step::DropCrash(nth) => {
                scenario.crashes.remove(nth as usize);
            }
            Step::DropPause(nth) => {
                scenario.pauses.remove(nth as usize);
            }
            Step::TrueClock(host) => {
                scenario.hosts.get_mut(usize::from(host))?.clock = Clock::TRUE;
            }
            Step::DropLaterApp(nth, app) => {
                let crash = scenario.crashes.get_mut(nth as usize)?;
                crash.apps.remove(usize::from(app));
            }
            Step::DropCuts { first, count } => {
                let range = first as usize..(first + count) as usize;
                scenario.cuts.drain(range);
            }
            Step::DropRoute(nth) => {
                scenario.routes.remove(nth as usize);
            }
            Step::DropRule(nth) => {
                scenario.rules.remove(nth as usize);
            }
            Step::DropListed { first, count } => {
                let FaultPlan::Listed(fates) = &mut scenario.faults else {
                    return None;
                };
                fates.drain(first as usize..(first + count) as usize);
            }
            Step::DropHop(at) => {
                let FaultPlan::Drawn { hops, .. } = &mut scenario.faults else {
                    return None;
                };
                hops.remove(at as usize);
            }
            Step::DropFamily(family) => {
                let FaultPlan::Drawn { hops, .. } = &mut scenario.faults else {
                    return None;
                };
                hops.iter_mut()
                    .for_each(|(_, faults)| FAMILIES[family](faults));
            }
            Step::DropNth(at) => {
                let FaultPlan::Drawn { nth, .. } = &mut scenario.faults else {
                    return None;
                };
                nth.remove(at as usize);
            }
            Step::Straighten => return self.straightened(),
            Step::Number(place) => scenario.simplify(place)?,
        }
        Some(scenario)
    }

    /// Two hosts in a chain with no router between them. Only without faults and cuts at single
    /// hops, which would be elsewhere then.
    fn straightened(&self) -> Option<Self> {
        let no_faults = match &self.faults {
            FaultPlan::Listed(fates) => fates.is_empty(),
            FaultPlan::Drawn { hops, nth, .. } => hops.is_empty() && nth.is_empty(),
        };
        let others = self.hosts.len() != 2
            || !self.attackers.is_empty()
            || !self.boxes.is_empty()
            || !self.cuts.is_empty()
            || !self.rules.is_empty();
        if others || self.routers == 0 || !no_faults {
            return None;
        }
        let mut scenario = self.clone();
        let mut link = *scenario.links.first()?;
        (link.a, link.b) = (LinkEnd::Host(0), LinkEnd::Host(1));
        link.delay = self.links.iter().map(|link| link.delay).sum();
        scenario.links = vec![link];
        scenario.routes.clear();
        scenario.routers = 0;
        Some(scenario)
    }
}

/// First and length of the halves, quarters… and single ones of `count` things.
fn pieces(count: u32) -> impl Iterator<Item = (u32, u32)> {
    let sizes = core::iter::successors(Some(count), |size| (*size > 1).then_some(size.div_ceil(2)));
    sizes.filter(|size| *size > 0).flat_map(move |size| {
        (0..count.div_ceil(size)).map(move |n| (n * size, size.min(count - n * size)))
    })
}

#[cfg(test)]
mod tests;
