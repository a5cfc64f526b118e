//! `timewait shrink`: a failing scenario, as small as it still fails.

use std::fmt::Write as _;
use std::fs;

use timewait::properties::ladder::{Filter, Ladder};
use timewait::properties::shrink::{Failing, Shrunk, shrink as smallest};
use timewait::properties::{check, check_with};
use timewait::sim::{Finding, Instant};
use timewait::{Report, Scenario};

use super::arguments::Shrink;
use super::numbers::grouped;
use super::{Status, output, wrong_input};
use crate::panics::caught;

/// What a panic is called where an oracle is named.
const PANIC: &str = "panic";

pub(super) fn shrink(arguments: &Shrink) -> Status {
    match shrunk(arguments) {
        Ok(text) => {
            output::print(&text);
            Status::Violation
        }
        Err(message) => wrong_input(&message),
    }
}

fn shrunk(arguments: &Shrink) -> Result<String, String> {
    let (scenario, _) = arguments.asked.scenario()?;
    let oracle = match &arguments.oracle {
        Some(oracle) => oracle.clone(),
        None => first_objection(&scenario)
            .ok_or_else(|| format!("{} holds: nothing to shrink", arguments.asked.subject))?,
    };
    let shrunk = smallest(&scenario, arguments.runs, |scenario| {
        fails(scenario, &oracle)
    });
    if fails(&shrunk.scenario, &oracle).is_none() {
        return Err(format!(
            "{} does not violate {oracle}",
            arguments.asked.subject
        ));
    }
    output::complain(&format!(
        "{} runs, {}",
        grouped(shrunk.runs),
        if shrunk.minimal {
            "and no step makes it smaller"
        } else {
            "and it might get smaller still"
        }
    ));
    let file = shrunk.scenario.to_toml();
    if let Some(path) = &arguments.output {
        fs::write(path, &file).map_err(|error| format!("--output {}: {error}", path.display()))?;
    }
    Ok(told(&shrunk, &oracle, &file, arguments))
}

fn first_objection(scenario: &Scenario) -> Option<String> {
    match caught(|| check(scenario)) {
        Ok(report) => report
            .violations()
            .next()
            .map(|found| found.oracle.to_owned()),
        Err(_) => Some(PANIC.to_owned()),
    }
}

fn fails(scenario: &Scenario, oracle: &str) -> Option<Failing> {
    match caught(|| check(scenario)) {
        Ok(report) => Failing::of(report, oracle),
        Err(_) => (oracle == PANIC).then_some(Failing {
            at: Instant::MAX,
            fates: Vec::new(),
        }),
    }
}

/// The ladder, the finding, the file and the test.
fn told(shrunk: &Shrunk, oracle: &str, file: &str, arguments: &Shrink) -> String {
    let ladder = Ladder::new();
    let report = caught(|| check_with(&shrunk.scenario, vec![ladder.oracle()]));
    let mut text = ladder.render(&Filter::default());
    let _ = writeln!(text, "\n{}\n", finding(&report, oracle));
    match &arguments.output {
        Some(path) => {
            let path = path.display();
            let _ = writeln!(text, "Replay it:\n  timewait replay {path}\n\nAs a test:\n");
            text.push_str(&test(oracle, &format!("include_str!(\"{path}\")")));
        }
        None => {
            text.push_str("As a test:\n\n");
            text.push_str(&test(oracle, &format!("r#\"\n{file}\"#")));
        }
    }
    text
}

fn finding(report: &Result<Report, String>, oracle: &str) -> String {
    match report {
        Err(message) => format!("panic: {message}"),
        Ok(report) => {
            let found = report.violation_of(oracle);
            found.map_or_else(String::new, Finding::to_string)
        }
    }
}

/// A test that fails as long as the scenario does.
fn test(oracle: &str, source: &str) -> String {
    let name = oracle.replace('-', "_");
    format!(
        "#[test]\nfn {name}_holds() {{\n    let scenario = Scenario::from_toml({source}).expect(\"a \
         scenario\");\n    let report = check(&scenario);\n    assert!(!report.failed(), \
         \"{{report}}\");\n}}\n"
    )
}
