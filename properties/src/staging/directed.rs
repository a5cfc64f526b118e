//! Scenarios made by hand: a client that sends, a server that reads, two links between them.

use core::time::Duration;

use crate::check::{Report, check};
use crate::pair::pair;
use crate::scenario::{AppPlan, Call, FaultPlan, Read, Role, Scenario, Serve, Talk};

/// A client sends so many octets to a server that reads like this, and closes.
pub(crate) fn transfer(octets: u64, read: Read) -> Scenario {
    let patience = Duration::from_secs(300);
    let mut scenario = pair(1).scenario().clone();
    let call = Role::Call(Call {
        from: 0,
        host: 1,
        port: 80,
        talk: Talk::bulk(octets, patience),
    });
    let serve = Role::Serve(Serve {
        port: 80,
        backlog: 4,
        accept_pause: Duration::ZERO,
        defer_accept: None,
        clients: 1,
        patience,
        talk: Talk {
            read,
            ..Talk::sink(patience)
        },
    });
    for (host, role) in scenario.hosts.iter_mut().zip([call, serve]) {
        host.apps.push(AppPlan {
            start: Duration::ZERO,
            role,
        });
    }
    scenario.faults = FaultPlan::NONE;
    scenario
}

/// The first violation of this oracle; `None` if nothing is violated at all.
#[track_caller]
pub(crate) fn violation_of(oracle: &str, scenario: &Scenario) -> Option<String> {
    let report: Report = check(scenario);
    let mut violations = report.violations();
    let ours = violations.find(|finding| finding.oracle == oracle);
    assert!(ours.is_some() || !report.failed(), "{report}");
    ours.map(ToString::to_string)
}
