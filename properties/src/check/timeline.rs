//! What is done to a world from outside, in the order of time.

use std::collections::VecDeque;

use timewait_sim::Instant;

use crate::scenario::Scenario;

/// What is done to a world from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// Links go down: the cut of this number.
    Cut(usize),
    /// The cut of this number is over.
    Restore(usize),
    /// The rule of this number comes into force.
    Rule(usize),
    /// It is over.
    Lift(usize),
    /// The network does no harm any more.
    Heal,
    /// A host crashes: the crash of this number.
    Crash(usize),
    /// The host of this crash boots again.
    Boot(usize),
    /// A host stands still: the pause of this number.
    Pause(usize),
    /// The host of this pause goes on.
    Resume(usize),
}

/// Everything that is done to the world of this scenario, in the order of time.
pub(super) fn timeline(scenario: &Scenario) -> VecDeque<(Instant, Turn)> {
    let crashes = scenario.crashes.iter().enumerate();
    let turns = crashes.flat_map(|(nth, crash)| {
        [
            (crash.at, Turn::Crash(nth)),
            (crash.boots_at(), Turn::Boot(nth)),
        ]
    });
    let pauses = scenario.pauses.iter().enumerate();
    let stops = pauses.flat_map(|(nth, pause)| {
        [
            (pause.at, Turn::Pause(nth)),
            (pause.ends_at(), Turn::Resume(nth)),
        ]
    });
    let turns = turns.chain(stops);
    let cuts = scenario.cuts.iter().enumerate();
    let cuts = cuts.flat_map(|(nth, cut)| {
        let begins = (cut.at, Turn::Cut(nth));
        [begins, (cut.end(), Turn::Restore(nth))]
    });
    let rules = scenario.rules.iter().enumerate();
    let rules =
        rules.flat_map(|(nth, rule)| [(rule.at, Turn::Rule(nth)), (rule.end(), Turn::Lift(nth))]);
    let turns = turns
        .chain(cuts)
        .chain(rules)
        .chain([(scenario.heal_at, Turn::Heal)]);
    let mut turns: Vec<_> = turns.map(|(at, turn)| (Instant::ZERO + at, turn)).collect();
    turns.sort_unstable();
    turns.into()
}
