//! `timewait run`: a campaign.

use std::ops::ControlFlow;

use timewait::Kind;
use timewait::properties::campaign::{Campaign, Tally};
use timewait::properties::check;
use timewait::stack::Disabled;

use super::arguments::Run;
use super::clock::Stopwatch;
use super::failure::Failure;
use super::plan::{Job, Plan};
use super::progress::Progress;
use super::report::{Durations, Folder};
use super::subject::Subject;
use super::{Status, json, numbers, output, tables, wrong_input};
use crate::parallel;

/// What a campaign came to.
pub(super) struct Outcome {
    pub(super) campaign: Campaign<Subject>,
    /// How long runs lasted.
    pub(super) durations: Durations,
    /// The failures of the seeds that failed, the lowest first.
    pub(super) failures: Vec<Failure>,
    /// The campaign ends at so many.
    failures_max: usize,
    /// Why the campaign proves nothing although nothing failed.
    pub(super) vain: Option<String>,
    pub(super) disabled: Disabled,
}

impl Outcome {
    fn new(plan: &Plan, disabled: Disabled, failures_max: usize) -> Self {
        Self {
            campaign: Campaign::new(plan.subjects()),
            durations: Durations::default(),
            failures: Vec::new(),
            failures_max,
            vain: None,
            disabled,
        }
    }

    /// The failure of the lowest seed that failed.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failures.first()
    }

    /// Nothing failed, and the campaign tested something.
    pub(super) fn held(&self) -> bool {
        self.failures.is_empty() && self.vain.is_none()
    }
}

/// Seeds that may fail before a campaign ends that is to be reported, each with its own page.
const REPORTED_MAX: usize = 8;

pub(super) fn run(arguments: &Run) -> Status {
    let folder = match arguments.report.as_deref().map(Folder::open).transpose() {
        Ok(folder) => folder,
        Err(error) => return wrong_input(&error),
    };
    let disabled: Disabled = arguments.disable.iter().copied().collect();
    let plan = match Plan::new(arguments) {
        Ok(plan) => plan,
        Err(message) => return wrong_input(&message),
    };
    let clock = Stopwatch::start();
    let total = (plan.jobs() < u64::MAX / 2 && arguments.time.is_none()).then(|| plan.jobs());
    let mut progress = Progress::new(total, arguments.json, clock);
    let jobs = arguments.jobs.map_or_else(parallel::cores, u32::from);
    let time_left = || arguments.time.is_none_or(|time| clock.elapsed() < time);
    let failures_max = if folder.is_some() { REPORTED_MAX } else { 1 };
    let mut outcome = Outcome::new(&plan, disabled, failures_max);
    parallel::in_order(
        jobs,
        plan.indices(),
        time_left,
        |index| plan.job(index).map(|job| work(&job, disabled)),
        |index, done| take(&mut outcome, &mut progress, &plan, index, done),
    );
    progress.finish();
    if outcome.failures.is_empty() && disabled == Disabled::NONE {
        outcome.vain = vain(&outcome.campaign);
    }
    let text = if arguments.json {
        json::campaign(&outcome)
    } else {
        tables::campaign(&outcome)
    };
    output::print(&text);
    if !arguments.json {
        output::complain(&progress.speed());
    }
    if let Some(folder) = folder
        && let Err(error) = folder.write(&outcome)
    {
        return wrong_input(&error);
    }
    if outcome.held() {
        Status::Held
    } else {
        Status::Violation
    }
}

/// What one run came to.
struct Done {
    tally: Tally,
    failure: Option<Failure>,
}

/// One run, or two that must be alike.
fn work(job: &Job, disabled: Disabled) -> Done {
    let scenario = job.subject.scenario(job.seed, disabled);
    let report = check(&scenario);
    let failure = Failure::of(job, &report).or_else(|| {
        let again = if job.twice {
            check(&scenario).hash
        } else {
            report.hash
        };
        differs(job, report.hash, again)
    });
    Done {
        tally: Tally::of(&report),
        failure,
    }
}

fn differs(job: &Job, hash: u64, again: u64) -> Option<Failure> {
    (hash != again).then(|| {
        let message =
            format!("two runs of this seed have the trace hashes {hash:016x} and {again:016x}");
        Failure::other(job, "determinism", message)
    })
}

/// Adds what one run came to; breaks at the last failure that is wanted, so that what was counted is the same
/// for any number of jobs.
fn take(
    outcome: &mut Outcome,
    progress: &mut Progress,
    plan: &Plan,
    index: u64,
    done: parallel::Outcome<Option<Done>>,
) -> ControlFlow<()> {
    let Some(job) = plan.job(index) else {
        return ControlFlow::Continue(());
    };
    let done = match done {
        Ok(Some(done)) => done,
        Ok(None) => return ControlFlow::Continue(()),
        Err(message) => Done {
            tally: Tally::panicked(),
            failure: Some(Failure::other(&job, "panic", message)),
        },
    };
    progress.add(done.tally.simulated, done.tally.coverage.segments);
    outcome.campaign.add(job.subject, &done.tally);
    outcome.durations.add(done.tally.simulated);
    outcome.failures.extend(done.failure);
    if outcome.failures.len() >= outcome.failures_max {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// A churn in which no old duplicate got near a later incarnation has tested nothing.
fn vain(campaign: &Campaign<Subject>) -> Option<String> {
    let churn = campaign.tally(&Subject::Kind(Kind::Churn))?;
    (churn.seeds > 0 && churn.coverage.old_in_window == 0).then(|| {
        format!(
            "{} of churn brought no old duplicate inside the window of a later incarnation, so \
             nothing was tested; run more seeds",
            numbers::counted(churn.seeds, "seed")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Job, Outcome, Plan, Progress, Stopwatch, Subject, differs, take, vain};
    use crate::cli::arguments::{Arguments, Command};
    use clap::Parser as _;
    use timewait::Kind;
    use timewait::properties::campaign::{Campaign, Tally};
    use timewait::properties::facts::Coverage;
    use timewait::stack::Disabled;

    fn kinds(kinds: &[Kind]) -> Vec<Subject> {
        kinds.iter().copied().map(Subject::Kind).collect()
    }

    fn churned(old_in_window: u64) -> Campaign<Subject> {
        let coverage = Coverage {
            old_delivered: 9,
            old_in_window,
            ..Coverage::default()
        };
        let mut campaign = Campaign::new(&kinds(Kind::ALL));
        campaign.add(
            Subject::Kind(Kind::Churn),
            &Tally {
                seeds: 1,
                coverage,
                ..Tally::default()
            },
        );
        campaign
    }

    #[test]
    fn a_churn_without_an_old_duplicate_in_a_window_has_tested_nothing() {
        assert!(vain(&churned(0)).is_some_and(|why| why.contains("1 seed ")));
        assert_eq!(vain(&churned(1)), None);
    }

    #[test]
    fn a_campaign_without_churn_owes_no_old_duplicate() {
        assert_eq!(vain(&Campaign::new(&kinds(Kind::ALL))), None);
        assert_eq!(vain(&Campaign::new(&kinds(&[Kind::Close]))), None);
    }

    #[test]
    fn two_hashes_of_one_seed_are_a_violation_of_determinism() {
        let job = Job {
            seed: Some(7),
            subject: Subject::Kind(Kind::Close),
            twice: true,
        };
        assert_eq!(differs(&job, 1, 1), None);
        let failure = differs(&job, 1, 2).expect("a failure");
        assert_eq!(
            (failure.seed, failure.oracle.as_str()),
            (Some(7), "determinism")
        );
    }

    #[test]
    fn a_panic_is_the_violation_of_its_seed_and_ends_the_campaign() {
        let arguments = Arguments::parse_from(["timewait", "run", "close", "--seed-range", "5..9"]);
        let Command::Run(arguments) = arguments.command else {
            panic!("not run")
        };
        let plan = Plan::new(&arguments).expect("a plan");
        let mut progress = Progress::new(None, true, Stopwatch::start());
        let mut outcome = Outcome::new(&plan, Disabled::NONE, 1);
        let flow = take(
            &mut outcome,
            &mut progress,
            &plan,
            2,
            Err("boom".to_owned()),
        );
        assert!(flow.is_break());
        assert_eq!(outcome.campaign.total().violations(), 1);
        let failure = outcome.failure().expect("a failure");
        assert_eq!((failure.seed, failure.oracle.as_str()), (Some(7), "panic"));
        assert_eq!(
            failure.replay_line(Disabled::NONE),
            "timewait replay close --seed 7"
        );
    }
}
