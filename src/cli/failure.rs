//! A violation, told so that its reader can begin at once: what, where, the last lines, and the
//! line to paste.

use std::fmt::Write as _;

use timewait::Report;
use timewait::properties::check_with;
use timewait::properties::ladder::{Filter, Ladder};
use timewait::sim::Instant;
use timewait::stack::Disabled;

use super::plan::Job;
use super::subject::Subject;
use crate::panics::caught;

/// Lines of the ladder that lead to the violation.
const TAIL: u32 = 24;

/// Messages are wrapped here.
const WIDTH: usize = 98;

/// The first thing that failed in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) subject: Subject,
    /// Without one it is that of the file.
    pub(super) seed: Option<u64>,
    /// The oracle, or `panic`, or `determinism`.
    pub(super) oracle: String,
    /// When; unknown for a panic.
    pub(super) at: Option<Instant>,
    pub(super) message: String,
    /// Of each other oracle that found something in the same run: the first of it.
    pub(super) others: Vec<Other>,
    /// All further violations of the same run.
    pub(super) more: u64,
}

/// What another oracle found in the same run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) oracle: &'static str,
    pub(super) at: Instant,
    pub(super) message: String,
}

impl Failure {
    /// The violations of a report, if there are any.
    pub(super) fn of(job: &Job, report: &Report) -> Option<Self> {
        let mut violations = report.violations();
        let first = violations.next()?;
        let (mut others, mut more): (Vec<Other>, u64) = (Vec::new(), 0);
        for finding in violations {
            more += 1;
            let seen = others
                .iter()
                .map(|other| other.oracle)
                .chain([first.oracle]);
            if !seen.into_iter().any(|oracle| oracle == finding.oracle) {
                let (oracle, message) = (finding.oracle, finding.message.clone());
                others.push(Other {
                    oracle,
                    at: finding.at,
                    message,
                });
            }
        }
        Some(Self {
            subject: job.subject.clone(),
            seed: job.seed,
            oracle: first.oracle.to_owned(),
            at: Some(first.at),
            message: first.message.clone(),
            others,
            more,
        })
    }

    /// Something that no oracle said.
    pub(super) fn other(job: &Job, oracle: &str, message: String) -> Self {
        Self {
            subject: job.subject.clone(),
            seed: job.seed,
            oracle: oracle.to_owned(),
            at: None,
            message,
            others: Vec::new(),
            more: 0,
        }
    }

    /// `timewait replay churn --seed 17 --disable time-wait`.
    pub(super) fn replay_line(&self, disabled: Disabled) -> String {
        let mut line = format!("timewait replay {}", self.subject);
        if let Some(seed) = self.seed {
            let _ = write!(line, " --seed {seed}");
        }
        for protection in disabled.iter() {
            let _ = write!(line, " --disable {protection}");
        }
        line
    }

    /// The last lines of the ladder up to the violation.
    pub(super) fn tail(&self, disabled: Disabled) -> String {
        let ladder = Ladder::tail(TAIL, self.at.unwrap_or(Instant::MAX));
        let scenario = self.subject.scenario(self.seed, disabled);
        // It may panic again: what was recorded until then is what is wanted.
        let _ = caught(|| check_with(&scenario, vec![ladder.oracle()]));
        ladder.render(&Filter::default())
    }

    /// Everything, for a human.
    pub(super) fn describe(&self, disabled: Disabled) -> String {
        let mut text = format!("VIOLATION of {} in {}", self.oracle, self.subject);
        if let Some(seed) = self.seed {
            let _ = write!(text, ", seed {seed}");
        }
        if let Some(at) = self.at {
            let _ = write!(text, ", at {}", seconds(at));
        }
        text.push('\n');
        wrap(&mut text, &self.message);
        for other in &self.others {
            let _ = writeln!(
                text,
                "\nIn the same run, of {} at {}",
                other.oracle,
                seconds(other.at)
            );
            wrap(&mut text, &other.message);
        }
        match self.more {
            0 => {}
            1 => text.push_str("\nThat is 2 violations of this run.\n"),
            more => {
                let _ = writeln!(text, "\nThe run has {} violations in all.", more + 1);
            }
        }
        let _ = write!(
            text,
            "\nThe last lines before the first:\n{}",
            self.tail(disabled)
        );
        let _ = writeln!(text, "\nReplay it:\n  {}", self.replay_line(disabled));
        text
    }
}

fn seconds(at: Instant) -> String {
    let micros = at.as_nanos() / 1_000;
    format!("{}.{:06} s", micros / 1_000_000, micros % 1_000_000)
}

/// Appends a message, indented, in lines of at most [`WIDTH`] columns where blanks allow it.
fn wrap(text: &mut String, message: &str) {
    const INDENT: &str = "  ";
    let mut columns = 0;
    for word in message.split_whitespace() {
        let length = word.chars().count();
        if columns > 0 && columns + 1 + length > WIDTH {
            text.push('\n');
            columns = 0;
        }
        let before = if columns == 0 { INDENT } else { " " };
        text.push_str(before);
        text.push_str(word);
        columns += before.len() + length;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, wrap};

    #[test]
    fn messages_are_wrapped_and_lose_no_word() {
        let message = (0..60)
            .map(|n| format!("word{n}"))
            .collect::<Vec<_>>()
            .join(" ");
        let mut text = String::new();
        wrap(&mut text, &message);
        assert!(
            text.lines()
                .all(|line| line.len() <= WIDTH && line.starts_with("  ")),
            "{text}"
        );
        assert!(text.split_whitespace().eq(message.split_whitespace()));
    }
}
