//! `timewait diff`: where two runs begin to differ.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use timewait::Scenario;
use timewait::properties::check_with;
use timewait::properties::trace::{Difference, Trace, difference};

use super::arguments::Diff;
use super::numbers::grouped;
use super::{Status, output, wrong_input};
use crate::panics::caught;

pub(super) fn diff(arguments: &Diff) -> Status {
    let (a, b) = match (lines(&arguments.a), lines(&arguments.b)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(message), _) | (_, Err(message)) => return wrong_input(&message),
    };
    match difference(&a, &b, arguments.context) {
        None => {
            output::print(&format!("The same: {} lines.\n", grouped(a.len() as u64)));
            Status::Held
        }
        Some(found) => {
            output::print(&told(&found));
            Status::Violation
        }
    }
}

/// The lines of a trace, or those of the run of a scenario file.
fn lines(path: &Path) -> Result<Vec<String>, String> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    if path.extension().is_none_or(|extension| extension != "toml") {
        return Ok(text.lines().map(str::to_owned).collect());
    }
    let scenario = Scenario::from_toml(&text).map_err(|error| format!("{name}:{error}"))?;
    let trace = Trace::new();
    // What was recorded before a panic is what is wanted.
    let _ = caught(|| check_with(&scenario, vec![trace.oracle()]));
    Ok(trace.lines())
}

/// As diff tells it: common lines, those of A after `-`, those of B after `+`.
fn told(found: &Difference) -> String {
    let mut text = format!("The first difference is line {}:\n", grouped(found.line));
    let marked = [
        (' ', &found.before),
        ('-', &found.left),
        ('+', &found.right),
    ];
    for (mark, lines) in marked {
        for line in lines {
            let _ = writeln!(text, "{mark} {line}");
        }
        if lines.is_empty() && mark != ' ' {
            let _ = writeln!(text, "{mark} (it is over)");
        }
    }
    text
}
