//! `timewait replay`: one seed, told line by line, or one moment of it, socket by socket.

use std::fmt::Write as _;
use std::time::Duration;

use timewait::properties::ladder::{Filter, Ladder};
use timewait::properties::{Run, Watch, check_with};
use timewait::sim::{Instant, NodeId};
use timewait::stack::status::NetstatRow;
use timewait::{Report, Scenario};

use super::arguments::Replay;
use super::files::Files;
use super::numbers::grouped;
use super::{Status, output, tables, wrong_input};
use crate::panics::caught;

pub(super) fn replay(arguments: &Replay) -> Status {
    let (scenario, title) = match arguments.asked.scenario() {
        Ok(asked) => asked,
        Err(message) => return wrong_input(&message),
    };
    if let Some(moment) = arguments.netstat {
        return netstat(&scenario, moment);
    }
    if arguments.from > arguments.until.or(arguments.from) {
        return wrong_input("--until: it is before --from");
    }
    let files = match Files::of(&scenario, &title, arguments) {
        Ok(files) => files,
        Err(error) => return wrong_input(&error),
    };
    let ladder = (files.are_none() || arguments.ladder).then(Ladder::new);
    let mut oracles = files.oracles();
    oracles.extend(ladder.as_ref().map(Ladder::oracle));
    let report = caught(|| check_with(&scenario, oracles));
    if let Err(error) = files.write(report.as_ref().ok()) {
        return wrong_input(&error);
    }
    let ladder = ladder.map_or(String::new(), |ladder| ladder.render(&filter(arguments)));
    tell(&ladder, &report)
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
        from: arguments.from.map(|from| Instant::ZERO + from),
        until: arguments.until.map(|until| Instant::ZERO + until),
        last: arguments.last.map(u32::from),
        ..Filter::default()
    }
}
