//! `timewait replay`: one seed, told line by line, or one moment of it, socket by socket.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use timewait::properties::capture::Capture;
use timewait::properties::ladder::{Filter, Ladder};
use timewait::properties::trace::{Selection, Trace};
use timewait::properties::{Run, Watch, check_with};
use timewait::sim::{Instant, NodeId};
use timewait::stack::status::NetstatRow;
use timewait::{Protection, Report, Scenario};

use super::arguments::Replay;
use super::numbers::grouped;
use super::subject::{Name, Subject};
use super::{Status, output, tables, wrong_input};
use crate::panics::caught;

pub(super) fn replay(arguments: &Replay) -> Status {
    let scenario = match asked(&arguments.subject, arguments.seed, &arguments.disable) {
        Ok(scenario) => scenario,
        Err(message) => return wrong_input(&message),
    };
    if let Some(moment) = arguments.netstat {
        netstat(&scenario, moment)
    } else if let Some(path) = &arguments.pcap {
        capture(&scenario, path, arguments)
    } else if let Some(path) = &arguments.trace {
        trace(&scenario, path, arguments)
    } else {
        let ladder = Ladder::new();
        let report = caught(|| check_with(&scenario, vec![ladder.oracle()]));
        tell(&ladder.render(&filter(arguments)), &report)
    }
}

/// Writes the trace of the run to a file, and prints its ladder if that is wanted, too.
fn trace(scenario: &Scenario, path: &Path, arguments: &Replay) -> Status {
    let hosts = arguments.between.map(|(a, b)| vec![NodeId(a), NodeId(b)]);
    let trace = Trace::of(Selection {
        parts: arguments.only.clone(),
        hosts: hosts.unwrap_or_default(),
        connections: arguments.of.clone(),
    });
    let ladder = Ladder::new();
    let mut oracles = vec![trace.oracle()];
    oracles.extend(arguments.ladder.then(|| ladder.oracle()));
    let report = caught(|| check_with(scenario, oracles));
    if let Err(error) = fs::write(path, trace.to_string()) {
        return wrong_input(&format!("--trace {}: {error}", path.display()));
    }
    let lines = grouped(trace.lines().len() as u64);
    output::complain(&format!("{lines} lines in {}", path.display()));
    tell(&ladder.render(&filter(arguments)), &report)
}

/// The scenario that the arguments mean.
pub(super) fn asked(
    name: &Name,
    seed: Option<u64>,
    disable: &[Protection],
) -> Result<Scenario, String> {
    let subject = Subject::open(name)?;
    if seed.is_none() && !subject.is_file() {
        return Err(format!("which run of {subject}? --seed is missing"));
    }
    if seed.is_some() && !subject.has_dice() {
        return Err(format!(
            "--seed: {subject} lists its faults, so it has no dice"
        ));
    }
    Ok(subject.scenario(seed, disable.iter().copied().collect()))
}

/// Writes the run to a file, and prints its ladder if that is wanted, too.
fn capture(scenario: &Scenario, path: &Path, arguments: &Replay) -> Status {
    let failed = |error| wrong_input(&format!("--pcap {}: {error}", path.display()));
    let mut capture = Capture::of(scenario);
    if !arguments.interface.is_empty() {
        capture = match capture.only(&arguments.interface) {
            Ok(capture) => capture,
            Err(error) => return wrong_input(&format!("--interface: {error}")),
        };
    }
    let file = match File::create(path) {
        Ok(file) => file,
        Err(error) => return failed(error),
    };
    let ladder = Ladder::new();
    let mut oracles = vec![capture.oracle()];
    oracles.extend(arguments.ladder.then(|| ladder.oracle()));
    let report = caught(|| check_with(scenario, oracles));
    if let Err(error) = capture.write(BufWriter::new(file)) {
        return failed(error);
    }
    let packets = grouped(capture.packets());
    output::complain(&format!("{packets} packets in {}", path.display()));
    tell(&ladder.render(&filter(arguments)), &report)
}

/// Prints a ladder and what was found in its run.
fn tell(ladder: &str, report: &Result<Report, String>) -> Status {
    let mut text = ladder.to_owned();
    let status = match report {
        Ok(report) => {
            for finding in &report.findings {
                let _ = write!(text, "\n{finding}\n");
            }
            if report.failed() {
                Status::Violation
            } else {
                Status::Held
            }
        }
        Err(message) => {
            let _ = write!(text, "\npanic: {message}\n");
            Status::Violation
        }
    };
    output::print(&text);
    status
}

/// Every socket of every host at `moment`.
fn netstat(scenario: &Scenario, moment: Duration) -> Status {
    let listed = caught(|| {
        let mut run = Run::new(scenario, Watch::NOTHING, Vec::new());
        run.run_until(Instant::ZERO + moment);
        let hosts = (0..).map(NodeId).take(scenario.hosts.len());
        let rows = hosts.flat_map(|id| {
            let host = run.world().node(id).host();
            let rows = host.map(|host| host.stack().netstat());
            rows.into_iter().flatten().map(move |row| (id, row))
        });
        rows.map(|(host, row)| cells(host, &row))
            .collect::<Vec<_>>()
    });
    match listed {
        Ok(rows) => {
            output::print(&tables::sockets(rows));
            Status::Held
        }
        Err(message) => {
            output::print(&format!("panic: {message}\n"));
            Status::Violation
        }
    }
}

fn cells(host: NodeId, row: &NetstatRow) -> Vec<String> {
    vec![
        format!("h{}{}", host.0, row.connection),
        grouped(row.receive_queue.into()),
        grouped(row.send_queue.into()),
        row.local.to_string(),
        row.remote
            .map_or("*".to_owned(), |remote| remote.to_string()),
        row.state.to_string(),
    ]
}

fn filter(arguments: &Replay) -> Filter {
    let hosts = arguments
        .between
        .map_or(Vec::new(), |(a, b)| vec![NodeId(a), NodeId(b)]);
    Filter {
        hosts,
        last: arguments.last.map(u32::from),
        ..Filter::default()
    }
}
