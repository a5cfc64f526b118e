//! The headline properties, over scenarios that proptest draws and over a fixed sweep of seeds.
//!
//! The cases are the same every time. A failure prints the line that replays it.

use std::cell::{Cell, RefCell};

use proptest::test_runner::TestCaseError;
use timewait_properties::scenario::FaultPlan;
use timewait_properties::strategy::{runner, scenarios};
use timewait_properties::{Kind, Report, Run, Scenario, Watch, check};

/// Nothing is violated, and the world comes to rest.
fn holds(report: &Report) -> Result<(), TestCaseError> {
    let line = report.replay_line().unwrap_or_default();
    if report.failed() {
        return Err(TestCaseError::fail(report.to_string()));
    }
    if !report.quiet {
        return Err(TestCaseError::fail(format!(
            "it never comes to rest\nreplay: {line}"
        )));
    }
    Ok(())
}

fn for_all(kind: Kind, cases: u32, property: impl Fn(&Report) -> Result<(), TestCaseError>) {
    // The shrunk scenario has no seed any more; the first that failed has.
    let first = RefCell::new(None);
    let outcome = runner(cases).run(&scenarios(kind), |scenario| {
        let report = check(&scenario);
        let outcome = property(&report);
        if outcome.is_err() {
            first.borrow_mut().get_or_insert(report.replay_line());
        }
        outcome
    });
    if let Err(error) = outcome {
        let line = first.into_inner().flatten().unwrap_or_default();
        panic!("{kind}: {error}\nreplay: {line}");
    }
}

/// The oracles `incarnation` and `acceptance` watch every old datagram. Here it is made sure
/// that there was something to watch.
#[test]
fn no_old_duplicate_is_accepted_by_a_new_incarnation_after_time_wait() {
    let old = Cell::new((0, 0));
    for_all(Kind::Churn, 6, |report| {
        let (delivered, in_window) = old.get();
        let coverage = &report.coverage;
        old.set((
            delivered + coverage.old_delivered,
            in_window + coverage.old_in_window,
        ));
        holds(report)
    });
    let (delivered, in_window) = old.get();
    assert!(
        delivered > 100 && in_window > 0,
        "{delivered} delivered, {in_window} in the window"
    );
}

/// Every user closes, so in the end no stack has anything left: no connection, no TIME-WAIT
/// record, no listener.
#[test]
fn every_close_ends_in_closed() {
    let kinds = [
        Kind::Close,
        Kind::HalfClose,
        Kind::SimultaneousClose,
        Kind::LastAckLost,
        Kind::Abort,
        Kind::Swarm,
    ];
    for kind in kinds {
        for_all(kind, 16, |report| {
            holds(report)?;
            match report.left_over {
                0 => Ok(()),
                left => Err(TestCaseError::fail(format!("{left} left\n{report}"))),
            }
        });
    }
}

#[test]
fn a_fixed_sweep_over_all_kinds_holds() {
    for &kind in Kind::ALL {
        let long = matches!(
            kind,
            Kind::Churn | Kind::Rogue | Kind::Attack | Kind::Bystander
        );
        let seeds = if long { 4 } else { 20 };
        for seed in 0..seeds {
            let report = check(&Scenario::from_seed(kind, seed));
            assert!(!report.failed() && report.quiet, "{report}");
        }
    }
}

#[test]
fn a_run_is_the_same_again_and_the_same_from_its_recorded_fates() {
    for &kind in Kind::ALL {
        let scenario = Scenario::from_seed(kind, 3);
        let first = check(&scenario);
        let again = check(&scenario);
        assert_eq!(
            (first.hash, &first.fates),
            (again.hash, &again.fates),
            "{kind}"
        );
        assert_ne!(first.hash, 0);
        let mut unwatched = Run::new(
            &scenario,
            Watch {
                oracles: false,
                hash: true,
            },
            Vec::new(),
        );
        unwatched.run();
        assert_eq!(
            unwatched.finish().hash,
            first.hash,
            "{kind} without oracles"
        );
        let listed = Scenario {
            faults: FaultPlan::Listed(first.fates.clone()),
            ..scenario
        };
        assert_eq!(
            check(&listed).hash,
            first.hash,
            "{kind} from its list of fates"
        );
    }
}
