//! The first page of a report.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use timewait::properties::campaign::{Faults, Tally};
use timewait::properties::facts::CLASS_NAMES;
use timewait::stack::{Disabled, State};

use super::charts::{Growth, bars};
use super::page_name;
use crate::cli::failure::Failure;
use crate::cli::numbers::{counted, grouped, long, sparse};
use crate::cli::page::{COLOURS, filled};
use crate::cli::run::Outcome;
use crate::cli::tables::{Column, REACHED, SUFFERED, meaning};

const TEMPLATE: &str = include_str!("index.html");
const STYLE: &str = include_str!("index.css");

pub(super) fn index(outcome: &Outcome) -> String {
    let total = outcome.campaign.total();
    let cells = total.coverage.cells.reached();
    let all = CLASS_NAMES.len() * State::ALL.len();
    let transitions = total.coverage.transitions.reached();
    let values = [
        ("style", format!("{COLOURS}\n{STYLE}")),
        ("verdict", verdict(outcome, &total)),
        ("failures", failures(outcome)),
        ("reached", scenarios(outcome, &REACHED)),
        ("suffered", scenarios(outcome, &SUFFERED)),
        ("cells reached", format!("{cells} of {all}")),
        ("cells", cells_table(&total)),
        ("transitions reached", transitions.to_string()),
        ("transitions", transitions_table(&total)),
        ("faults", faults(&total.faults)),
        ("durations", durations(outcome)),
        ("hazards", counts(&total.coverage.hazards, meaning)),
        ("notes", counts(&total.coverage.notes, |_| "")),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, its)| (*name, &**its)).collect();
    filled(TEMPLATE, &values)
}

/// What the campaign came to, in a sentence.
fn verdict(outcome: &Outcome, total: &Tally) -> String {
    let ran = format!(
        "{}, {} simulated, {} segments",
        counted(total.seeds, "seed"),
        long(total.simulated),
        grouped(total.coverage.segments)
    );
    let off = outcome.disabled.iter().map(timewait::Protection::name);
    let off = off.collect::<Vec<_>>().join(", ");
    let without = match off.is_empty() {
        true => off,
        false => format!(" Switched off: {off}."),
    };
    let (class, word) = match (&outcome.vain, outcome.failures.len()) {
        (Some(vain), _) => ("bad", escaped(vain)),
        (None, 0) => ("good", "All held.".to_owned()),
        (None, failed) => ("bad", format!("{} failed.", counted(failed as u64, "seed"))),
    };
    format!("<strong class=\"{class}\">{word}</strong> {ran}.{without}")
}

/// Each seed that failed, with the way to its page.
fn failures(outcome: &Outcome) -> String {
    if outcome.failures.is_empty() {
        return String::new();
    }
    let mut text = "<h2>Violations</h2>\n<ol class=\"failures\">\n".to_owned();
    for failure in &outcome.failures {
        let _ = writeln!(text, "<li>{}</li>", failure_item(failure, outcome));
    }
    text + "</ol>\n"
}

fn failure_item(failure: &Failure, outcome: &Outcome) -> String {
    let more = match failure.more {
        0 => String::new(),
        more => format!(" <em>and {} more in this run</em>", grouped(more)),
    };
    format!(
        "<a href=\"{}\">{}</a>: <b>{}</b>{more}<p>{}</p><code>{}</code>",
        page_name(failure),
        escaped(&failure.subject.title(failure.seed, Disabled::NONE)),
        escaped(&failure.oracle),
        escaped(&failure.message),
        failure.replay_line(outcome.disabled),
    )
}

/// A table with one row for each kind that was run, and one for all.
fn scenarios(outcome: &Outcome, columns: &[Column]) -> String {
    let mut text = "<table>\n<thead><tr><th scope=\"col\">scenario</th>".to_owned();
    for (name, _) in columns {
        let _ = write!(text, "<th scope=\"col\">{}</th>", name.replace('\n', " "));
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    let all = outcome.campaign.tallies();
    let ran: Vec<_> = all.filter(|(_, tally)| tally.seeds > 0).collect();
    for (kind, tally) in &ran {
        text.push_str(&scenario(&escaped(&kind.to_string()), tally, columns));
    }
    if ran.len() > 1 {
        text.push_str(&scenario("all", &outcome.campaign.total(), columns));
    }
    text + "</tbody>\n</table>\n"
}

fn scenario(name: &str, tally: &Tally, columns: &[Column]) -> String {
    let mut text = format!("<tr><th scope=\"row\">{name}</th>");
    for (_, count) in columns {
        let _ = write!(text, "<td>{}</td>", sparse(count(tally)));
    }
    text + "</tr>\n"
}

/// What came in which state.
fn cells_table(total: &Tally) -> String {
    let rows = CLASS_NAMES.into_iter().enumerate();
    let row = |(class, name)| {
        let cells = State::ALL.map(|state| total.coverage.cells.at(class, state));
        (name, cells)
    };
    grid("came", rows.map(row))
}

/// From which state to which.
fn transitions_table(total: &Tally) -> String {
    let row = |from: State| {
        let cells = State::ALL.map(|to| total.coverage.transition(from, to));
        (from.name(), cells)
    };
    grid("from \\ to", State::ALL.into_iter().map(row))
}

/// A table with one column for each state; the more, the darker.
fn grid(
    corner: &str,
    rows: impl Iterator<Item = (&'static str, [u64; State::ALL.len()])>,
) -> String {
    let mut text = format!("<table class=\"grid\">\n<thead><tr><th>{corner}</th>");
    for state in State::ALL {
        let _ = write!(text, "<th scope=\"col\">{state}</th>");
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    for (name, cells) in rows {
        let _ = write!(text, "<tr><th scope=\"row\">{name}</th>");
        for count in cells {
            // 1, 10, 100… each have a shade.
            let shade = count.checked_ilog10().map_or(0, |power| power.min(6) + 1);
            let _ = write!(text, "<td class=\"s{shade}\">{}</td>", sparse(count));
        }
        text.push_str("</tr>\n");
    }
    text + "</tbody>\n</table>\n"
}

fn faults(faults: &Faults) -> String {
    let Faults {
        lost,
        late,
        damaged,
        wide,
        cut_short,
        copied,
        held,
        copies_held,
        cut_off,
    } = *faults;
    let rows = [
        ("lost", lost),
        ("delayed", late),
        ("copied", copied),
        ("damaged", damaged),
        ("in many places", wide),
        ("cut short", cut_short),
        ("cut off", cut_off),
        ("held", held),
        ("copies held", copies_held),
    ];
    bars("Faults by family", &rows, Growth::Logarithmic)
}

fn durations(outcome: &Outcome) -> String {
    bars(
        "Runs by simulated time",
        &outcome.durations.rows(),
        Growth::Linear,
    )
}

/// Names with their counts.
fn counts(counts: &BTreeMap<&'static str, u64>, meaning: fn(&str) -> &'static str) -> String {
    if counts.is_empty() {
        return "<p>None.</p>\n".to_owned();
    }
    let mut text = "<table>\n<tbody>\n".to_owned();
    for (name, count) in counts {
        let (name, meaning) = (escaped(name), meaning(name));
        let _ = writeln!(
            text,
            "<tr><th scope=\"row\">{name}{meaning}</th><td>{}</td></tr>",
            grouped(*count)
        );
    }
    text + "</tbody>\n</table>\n"
}

/// As text of HTML.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn segments_in_messages_are_no_markup() {
        assert_eq!(escaped("<SEQ=1>&"), "&lt;SEQ=1&gt;&amp;");
    }
}
