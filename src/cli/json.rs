//! What a campaign came to, for machines: one document with everything that the tables say.

use std::collections::BTreeMap;

use serde::Serialize;
use timewait::Protection;
use timewait::properties::campaign::Tally;
use timewait::properties::facts::CLASS_NAMES;
use timewait::sim::Instant;
use timewait::stack::State;

use super::failure::Failure;
use super::run::Outcome;

/// The version of the document: a field that is removed or changes its meaning raises it.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    /// Nothing failed and the campaign tested something.
    held: bool,
    disabled: Vec<&'static str>,
    scenarios: Vec<Scenario>,
    total: Numbers,
    violation: Option<Violation<'a>>,
    /// The lines that replay further seeds that failed; none unless a report was asked for.
    further_failures: Vec<String>,
    /// Why the campaign proves nothing although nothing failed.
    tested_nothing: Option<&'a str>,
}

#[derive(Serialize)]
struct Scenario {
    scenario: String,
    #[serde(flatten)]
    numbers: Numbers,
}

#[derive(Serialize)]
struct Numbers {
    seeds: u64,
    panics: u64,
    unfinished: u64,
    simulated_ns: u64,
    datagrams_sent: u64,
    segments: u64,
    connections: u64,
    incarnations: u64,
    states: Vec<&'static str>,
    transitions: BTreeMap<String, u64>,
    /// Segments delivered, by class and by the state that received them.
    arrivals: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    faults: Faults,
    old_duplicates: OldDuplicates,
    hazards: BTreeMap<&'static str, u64>,
    notes: BTreeMap<&'static str, u64>,
    violations: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Faults {
    lost: u64,
    delayed: u64,
    damaged: u64,
    damaged_widely: u64,
    cut_short: u64,
    copied: u64,
    held: u64,
    copies_held: u64,
    cut_off: u64,
}

#[derive(Serialize)]
struct OldDuplicates {
    delivered_to_later_incarnation: u64,
    inside_its_window: u64,
    accepted: u64,
}

#[derive(Serialize)]
struct Violation<'a> {
    scenario: String,
    seed: Option<u64>,
    oracle: &'a str,
    at_ns: Option<u64>,
    message: &'a str,
    others: Vec<Other<'a>>,
    more: u64,
    last_lines: Vec<String>,
    replay: String,
}

/// The first thing that another oracle found in the same run.
#[derive(Serialize)]
struct Other<'a> {
    oracle: &'static str,
    at_ns: u64,
    message: &'a str,
}

pub(super) fn campaign(outcome: &Outcome) -> String {
    let document = Document {
        version: VERSION,
        held: outcome.held(),
        disabled: outcome.disabled.iter().map(Protection::name).collect(),
        scenarios: outcome
            .campaign
            .tallies()
            .map(|(kind, tally)| Scenario {
                scenario: kind.to_string(),
                numbers: numbers(tally),
            })
            .collect(),
        total: numbers(&outcome.campaign.total()),
        violation: outcome.failure().map(|failure| violation(failure, outcome)),
        further_failures: outcome
            .failures
            .iter()
            .skip(1)
            .map(|failure| failure.replay_line(outcome.disabled))
            .collect(),
        tested_nothing: outcome.vain.as_deref(),
    };
    // Plain structs with text keys always serialise.
    serde_json::to_string_pretty(&document)
        .map_or_else(|error| error.to_string(), |text| text + "\n")
}

fn violation<'a>(failure: &'a Failure, outcome: &Outcome) -> Violation<'a> {
    Violation {
        scenario: failure.subject.to_string(),
        seed: failure.seed,
        oracle: &failure.oracle,
        at_ns: failure.at.map(Instant::as_nanos),
        message: &failure.message,
        others: failure
            .others
            .iter()
            .map(|other| Other {
                oracle: other.oracle,
                at_ns: other.at.as_nanos(),
                message: &other.message,
            })
            .collect(),
        more: failure.more,
        last_lines: failure
            .tail(outcome.disabled)
            .lines()
            .map(str::to_owned)
            .collect(),
        replay: failure.replay_line(outcome.disabled),
    }
}

fn numbers(tally: &Tally) -> Numbers {
    let Tally {
        seeds,
        panics,
        unfinished,
        simulated,
        sent,
        faults,
        coverage,
    } = tally;
    Numbers {
        seeds: *seeds,
        panics: *panics,
        unfinished: *unfinished,
        simulated_ns: u64::try_from(simulated.as_nanos()).unwrap_or(u64::MAX),
        datagrams_sent: *sent,
        segments: coverage.segments,
        connections: coverage.connections,
        incarnations: coverage.incarnations,
        states: coverage.states().map(State::name).collect(),
        transitions: transitions(tally),
        arrivals: arrivals(tally),
        faults: Faults {
            lost: faults.lost,
            delayed: faults.late,
            damaged: faults.damaged,
            damaged_widely: faults.wide,
            cut_short: faults.cut_short,
            copied: faults.copied,
            held: faults.held,
            copies_held: faults.copies_held,
            cut_off: faults.cut_off,
        },
        old_duplicates: OldDuplicates {
            delivered_to_later_incarnation: coverage.old_delivered,
            inside_its_window: coverage.old_in_window,
            accepted: coverage.old_accepted,
        },
        hazards: coverage.hazards.clone(),
        notes: coverage.notes.clone(),
        violations: coverage.violations.clone(),
    }
}

/// `"LISTEN > SYN-RECEIVED": 12`; those that never happened are left out.
fn transitions(tally: &Tally) -> BTreeMap<String, u64> {
    let pairs = State::ALL
        .into_iter()
        .flat_map(|from| State::ALL.map(|to| (from, to)));
    pairs
        .map(|(from, to)| {
            (
                format!("{from} > {to}"),
                tally.coverage.transition(from, to),
            )
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// `"FIN": {"ESTABLISHED": 12}`; zeros are left out.
fn arrivals(tally: &Tally) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
    let by_state = |class| {
        let counts = State::ALL.map(|state| (state.name(), tally.coverage.cells.at(class, state)));
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    };
    CLASS_NAMES
        .into_iter()
        .enumerate()
        .map(|(class, name)| (name, by_state(class)))
        .collect()
}
