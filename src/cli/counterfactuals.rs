//! `timewait counterfactuals`: what each protection of TCP is for, by what happens without it.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use timewait::Protection;
use timewait::properties::counterfactuals::{ELSEWHERE, ROWS, Row};
use timewait::properties::ladder::{Filter, Ladder};
use timewait::properties::shrink::{Failing, shrink};
use timewait::properties::{check, check_with};

use super::arguments::Counterfactuals;
use super::{Status, output, tables};
use crate::parallel;

/// Searches begin so many seeds apart.
const APART: u64 = 1000;
/// Runs to make a failing one small.
const RUNS_MAX: u64 = 2000;

/// What was found without one protection.
struct Found {
    /// Seeds that it took, search by search; `None`: more than there may be.
    needed: Vec<Option<u64>>,
    /// Lines of the ladder of the first failing run, made small.
    lines: Option<u64>,
}

pub(super) fn counterfactuals(arguments: &Counterfactuals) -> Status {
    let wanted = |protection| {
        arguments.protections.is_empty() || arguments.protections.contains(&protection)
    };
    let rows: Vec<&Row> = ROWS.iter().filter(|row| wanted(row.protection)).collect();
    let mut told = Vec::new();
    let mut missed = false;
    let jobs = arguments.jobs.map_or_else(parallel::cores, u32::from);
    parallel::in_order(
        jobs,
        rows.len() as u64,
        || true,
        |index| found(rows[index as usize], arguments.searches),
        |index, found| {
            let found = found.ok();
            let all = |found: &Found| found.needed.iter().all(Option::is_some);
            missed |= !found.as_ref().is_some_and(all);
            told.push(cells(rows[index as usize], found.as_ref()));
            ControlFlow::Continue(())
        },
    );
    let head = [
        "row",
        "protection",
        "scenario",
        "oracle",
        "median",
        "worst",
        "lines",
    ];
    let mut text = tables::plain(&head, told, 4);
    for (protection, test) in ELSEWHERE
        .iter()
        .filter(|(protection, _)| wanted(*protection))
    {
        let _ = writeln!(text, "\n{protection} shows elsewhere: {test}");
    }
    output::print(&text);
    if missed {
        Status::Violation
    } else {
        Status::Held
    }
}

fn found(row: &Row, searches: u64) -> Found {
    let needed: Vec<_> = (0..searches)
        .map(|nth| row.seeds_needed(nth * APART))
        .collect();
    let first = needed.iter().position(Option::is_some);
    let lines = first.and_then(|nth| {
        let seed = nth as u64 * APART + needed[nth]? - 1;
        Some(smallest(row, seed))
    });
    Found { needed, lines }
}

/// The lines of the ladder of a failing run, made small.
fn smallest(row: &Row, seed: u64) -> u64 {
    let fails = |scenario: &_| Failing::of(check(scenario), row.oracle);
    let shrunk = shrink(&row.scenario(seed), RUNS_MAX, fails);
    let ladder = Ladder::new();
    check_with(&shrunk.scenario, vec![ladder.oracle()]);
    let lines = ladder.render(&Filter::default()).lines().count();
    lines.saturating_sub(1) as u64
}

fn cells(row: &Row, found: Option<&Found>) -> Vec<String> {
    let beyond = format!(">{}", row.within);
    let (median, worst, lines) = match found {
        None => ("panic".to_owned(), "panic".to_owned(), String::new()),
        Some(found) => {
            let mut needed: Vec<u64> = found.needed.iter().map(|n| n.unwrap_or(u64::MAX)).collect();
            needed.sort_unstable();
            let say = |needed: u64| match needed {
                u64::MAX => beyond.clone(),
                needed => needed.to_string(),
            };
            let lines = found.lines.map(|lines| lines.to_string());
            let (middle, last) = (needed[(needed.len() - 1) / 2], needed[needed.len() - 1]);
            (say(middle), say(last), lines.unwrap_or_default())
        }
    };
    let Row {
        number,
        protection,
        kind,
        oracle,
        ..
    } = row;
    vec![
        number.to_string(),
        Protection::name(*protection).to_owned(),
        kind.to_string(),
        (*oracle).to_owned(),
        median,
        worst,
        lines,
    ]
}
