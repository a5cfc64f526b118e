//! What a campaign came to, for a human at 100 columns.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentLineStyle, LineStyle, Table, TableStyle};
use timewait::properties::campaign::{Campaign, Tally};
use timewait::properties::facts::CLASS_NAMES;
use timewait::stack::State;

use super::numbers::{counted, grouped, long, sparse};
use super::run::Outcome;
use super::subject::Subject;

/// One column: its head, and what it says of a tally.
pub(super) type Column = (&'static str, fn(&Tally) -> u64);

/// What was run and reached.
pub(super) const REACHED: [Column; 8] = [
    ("seeds", |tally| tally.seeds),
    ("connec-\ntions", |tally| tally.coverage.connections),
    ("incar-\nnations", |tally| tally.coverage.incarnations),
    ("segments", |tally| tally.coverage.segments),
    ("states", |tally| tally.coverage.states().count() as u64),
    ("transi-\ntions", |tally| {
        u64::from(tally.coverage.transitions.reached())
    }),
    ("hazards", Tally::hazards),
    ("violations", Tally::violations),
];

/// What the network did, and the old duplicates that it brought to later incarnations.
pub(super) const SUFFERED: [Column; 10] = [
    ("lost", |tally| tally.faults.lost),
    ("delayed", |tally| tally.faults.late),
    ("copied", |tally| tally.faults.copied),
    ("damaged", |tally| tally.faults.damaged),
    ("cut\noff", |tally| tally.faults.cut_off),
    ("held", |tally| tally.faults.held),
    ("copies\nheld", |tally| tally.faults.copies_held),
    ("old ones\narrived", |tally| tally.coverage.old_delivered),
    ("in a\nwindow", |tally| tally.coverage.old_in_window),
    ("accepted", |tally| tally.coverage.old_accepted),
];

/// Text is wrapped here.
const WIDTH: usize = 98;

/// Only a rule below the head.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─'))
    .content_lines(ContentLineStyle::none());

pub(super) fn campaign(outcome: &Outcome) -> String {
    let campaign = &outcome.campaign;
    let total = campaign.total();
    let mut text = String::new();
    for columns in [&REACHED[..], &SUFFERED[..]] {
        text.push_str(&campaign_table(campaign, columns));
        text.push('\n');
    }
    named(&mut text, "Hazards", &total.coverage.hazards, meaning);
    named(&mut text, "Noted", &total.coverage.notes, |_| "");
    let missing = missing(&total);
    if !missing.is_empty() {
        wrapped(
            &mut text,
            "Not reached",
            &[format!("segments in {}", missing.join(", "))],
        );
    }
    text.push_str(&verdict(outcome, &total));
    text
}

/// One row for each kind that was run, and one for all of them below a rule.
fn campaign_table(campaign: &Campaign<Subject>, columns: &[Column]) -> String {
    let mut table = Table::new();
    table.load_style(STYLE);
    let mut head = vec!["scenario".to_owned()];
    head.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
    table.set_header(head);
    for (kind, tally) in campaign.tallies().filter(|(_, tally)| tally.seeds > 0) {
        table.add_row(row(&kind.to_string(), tally, columns));
    }
    let many = table.row_count() > 1;
    if many {
        table.add_row(row("all", &campaign.total(), columns));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut lines: Vec<String> = table.lines().collect();
    let rule = lines.iter().find(|line| line.starts_with('─')).cloned();
    if let Some(rule) = rule.filter(|_| many) {
        lines.insert(lines.len() - 1, rule);
    }
    joined(lines.into_iter())
}

fn row(name: &str, tally: &Tally, columns: &[Column]) -> Vec<String> {
    let mut row = vec![name.to_owned()];
    row.extend(columns.iter().map(|(_, count)| sparse(count(tally))));
    row
}

/// A table with this head; the columns from `numbers` on are set to the right.
pub(super) fn plain(head: &[&str], rows: Vec<Vec<String>>, numbers: usize) -> String {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(head.iter().copied());
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    joined(table.lines())
}

/// The sockets of all hosts, as netstat lists them.
pub(super) fn sockets(rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header([
        "host",
        "recv-q",
        "send-q",
        "local address",
        "foreign address",
        "state",
    ]);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1).take(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    joined(table.lines())
}

/// The lines without trailing blanks.
fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// `Hazards: E3 (an end aborted) 12`; nothing if there are none.
fn named(
    text: &mut String,
    title: &str,
    counts: &BTreeMap<&'static str, u64>,
    meaning: fn(&str) -> &'static str,
) {
    let words: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{name}{} {}", meaning(name), grouped(*count)))
        .collect();
    if !words.is_empty() {
        wrapped(text, title, &words);
    }
}

/// What the assumption was that a hazard broke.
pub(super) fn meaning(hazard: &str) -> &'static str {
    match hazard {
        "E1" => " (older than the MSL)",
        "E2" => " (a host lost its memory)",
        "E3" => " (an end aborted)",
        "E4" => " (the passive closer outlived TIME-WAIT)",
        "E5" => " (sequence numbers wrapped)",
        "E6" => " (damage that no checksum shows)",
        "E7" => " (an attacker)",
        "E8" => " (an address translator)",
        "E9" => " (an answer to an old segment)",
        "E10" => " (a SYN cookie)",
        "E11" => " (a clock did not tick)",
        "E12" => " (a box joined two incarnations)",
        _ => "",
    }
}

/// A title and words after it, in lines of at most [`WIDTH`].
fn wrapped(text: &mut String, title: &str, words: &[String]) {
    let mut line = format!("{title}: ");
    let indent = " ".repeat(line.len());
    for (index, word) in words.iter().enumerate() {
        let end = if index + 1 < words.len() { ", " } else { "" };
        if line.chars().count() + word.chars().count() > WIDTH && line != indent {
            let _ = writeln!(text, "{}", line.trim_end());
            line.clone_from(&indent);
        }
        line.push_str(word);
        line.push_str(end);
    }
    let _ = writeln!(text, "{line}");
}

/// The states in which no segment ever arrived.
fn missing(total: &Tally) -> Vec<&'static str> {
    let reached = |state: State| {
        (0..CLASS_NAMES.len()).any(|class| total.coverage.cells.at(class, state) > 0)
    };
    State::ALL
        .into_iter()
        .filter(|state| !reached(*state))
        .map(State::name)
        .collect()
}

/// The last line, or the failure.
fn verdict(outcome: &Outcome, total: &Tally) -> String {
    if let Some(failure) = outcome.failure() {
        return format!(
            "\n{}{}",
            failure.describe(outcome.disabled),
            further(outcome)
        );
    }
    if let Some(vain) = &outcome.vain {
        return format!("\nFAILED: {vain}\n");
    }
    format!(
        "\nAll held: {}, {} simulated, {} segments, no violation.\n",
        counted(total.seeds, "seed"),
        long(total.simulated),
        grouped(total.coverage.segments),
    )
}

/// The seeds that failed after the first.
fn further(outcome: &Outcome) -> String {
    let further = outcome.failures.iter().skip(1);
    let lines: String = further
        .map(|failure| format!("  {}\n", failure.replay_line(outcome.disabled)))
        .collect();
    match lines.is_empty() {
        true => lines,
        false => format!("\nFurther seeds that failed:\n{lines}"),
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_lists_are_wrapped_below_their_first_word() {
        let words: Vec<String> = (0..40).map(|n| format!("word-{n:02}")).collect();
        let mut text = String::new();
        wrapped(&mut text, "Title", &words);
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        assert!(
            text.lines()
                .skip(1)
                .all(|line| line.starts_with("       word")),
            "{text}"
        );
    }
}
