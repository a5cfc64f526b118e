//! The command line: what it takes, what it prints, how it ends.
//!
//! Exit status 0: all held. 1: a violation, or a campaign that tested nothing. 2: wrong input,
//! told in one line on standard error. What goes to standard output is the same for the same
//! seeds, whatever the machine and the jobs; times of the wall clock go to standard error.

mod arguments;
mod asked;
mod clock;
mod counterfactuals;
mod diff;
mod drawing;
mod failure;
mod files;
mod json;
mod list;
mod numbers;
mod output;
mod page;
mod plan;
mod progress;
mod replay;
mod report;
mod run;
mod show;
mod shrink;
mod subject;
mod tables;
mod values;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use arguments::{Arguments, Command};

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Held,
    Violation,
    WrongInput,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Held => 0,
            Status::Violation => 1,
            Status::WrongInput => 2,
        })
    }
}

pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refused(&error).into(),
    };
    match arguments.command {
        Command::Run(run) => run::run(&run),
        Command::Replay(replay) => replay::replay(&replay),
        Command::Shrink(arguments) => shrink::shrink(&arguments),
        Command::Counterfactuals(arguments) => counterfactuals::counterfactuals(&arguments),
        Command::Diff(diff) => diff::diff(&diff),
        Command::Show(show) => show::show(&show),
        Command::List => list::list(),
    }
    .into()
}

/// Help and version are an answer; anything else is wrong input.
fn refused(error: &clap::Error) -> Status {
    let text = error.to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        output::print(&text);
        return Status::Held;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return wrong_input(
            "a command is missing: run, replay, shrink, counterfactuals, diff, show or list (see timewait --help)",
        );
    }
    wrong_input(&one_line(&text))
}

/// One line on standard error.
fn wrong_input(message: &str) -> Status {
    output::complain(&format!("timewait: {message}"));
    Status::WrongInput
}

/// The message and the tips of a report by clap, without the usage.
fn one_line(report: &str) -> String {
    let said = report.split("\n\nUsage:").next().unwrap_or(report);
    let said = said
        .split("\n\nFor more information")
        .next()
        .unwrap_or(said);
    let words: Vec<&str> = said
        .trim_start_matches("error: ")
        .split_whitespace()
        .collect();
    words.join(" ").replace(" tip: ", "; ")
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_report_becomes_one_line_with_its_tip() {
        let report = "error: unexpected argument '--sed' found\n\n  tip: a similar argument exists: '--seed'\n\nUsage: timewait\n\nFor more information, try '--help'.\n";
        assert_eq!(
            one_line(report),
            "unexpected argument '--sed' found; a similar argument exists: '--seed'"
        );
    }
}
