//! Work on all cores: the only threads of the project.
//!
//! Workers claim indices from a shared counter; the caller gets the results in the order of the
//! indices, whatever finishes first. So what it makes of them is the same for one job or many.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};

use crate::panics::caught;

/// What became of one piece of work: its result, or the message of its panic.
pub(crate) type Outcome<T> = Result<T, String>;

/// Results that may wait for the one before them, per worker.
const WAITING_MAX: usize = 64;

/// Calls `work` for the indices `0..count` on `jobs` threads and `take` on this thread with each
/// outcome, in order, until `take` breaks.
///
/// `go_on` is asked before each piece of work; once it says no, no new ones start.
pub(crate) fn in_order<T: Send>(
    jobs: u32,
    count: u64,
    go_on: impl Fn() -> bool + Sync,
    work: impl Fn(u64) -> T + Sync,
    mut take: impl FnMut(u64, Outcome<T>) -> ControlFlow<()>,
) {
    let next = AtomicU64::new(0);
    let stopped = AtomicBool::new(false);
    let (results, arrivals) = mpsc::sync_channel(WAITING_MAX * jobs.max(1) as usize);
    let worker = |results: SyncSender<(u64, Outcome<T>)>| {
        while !stopped.load(Ordering::Relaxed) && go_on() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            if results.send((index, caught(|| work(index)))).is_err() {
                break;
            }
        }
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that has threads"
    )]
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let results = results.clone();
            scope.spawn(|| worker(results));
        }
        drop(results);
        merge(arrivals.iter(), &mut take);
        stopped.store(true, Ordering::Relaxed);
        // Whoever still waits for room in the channel is sent home.
        drop(arrivals);
    });
}

/// Hands out what arrives in the order of the indices.
fn merge<T>(
    arrivals: impl Iterator<Item = (u64, Outcome<T>)>,
    take: &mut impl FnMut(u64, Outcome<T>) -> ControlFlow<()>,
) {
    let mut early = BTreeMap::new();
    let mut expected = 0;
    for (index, outcome) in arrivals {
        early.insert(index, outcome);
        while let Some(outcome) = early.remove(&expected) {
            if take(expected, outcome).is_break() {
                return;
            }
            expected += 1;
        }
    }
}

/// As many jobs as the machine runs at once.
pub(crate) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::in_order;
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn collect(jobs: u32, count: u64) -> Vec<(u64, u64)> {
        let mut taken = Vec::new();
        in_order(
            jobs,
            count,
            || true,
            |index| index * index,
            |index, outcome| {
                taken.push((index, outcome.expect("no panic")));
                ControlFlow::Continue(())
            },
        );
        taken
    }

    #[test]
    fn results_come_in_order_whatever_the_jobs() {
        let whole: Vec<_> = (0..1000).map(|index| (index, index * index)).collect();
        for jobs in [0, 1, 2, 7] {
            assert_eq!(collect(jobs, 1000), whole, "{jobs} jobs");
        }
        assert_eq!(collect(3, 0), []);
    }

    #[test]
    fn a_break_ends_it_without_a_hang_and_nothing_later_is_taken() {
        let mut taken = Vec::new();
        in_order(
            3,
            1_000_000,
            || true,
            |index| index,
            |index, _| {
                taken.push(index);
                if index == 500 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        assert_eq!(taken, (0..=500).collect::<Vec<_>>());
    }

    #[test]
    fn no_work_starts_once_told_to_stop() {
        let started = AtomicU64::new(0);
        let mut taken = 0;
        in_order(
            1,
            100,
            || started.load(Ordering::Relaxed) < 10,
            |_| started.fetch_add(1, Ordering::Relaxed),
            |_, _| {
                taken += 1;
                ControlFlow::Continue(())
            },
        );
        assert_eq!((started.into_inner(), taken), (10, 10));
    }

    #[test]
    fn a_panic_is_an_outcome_with_its_message() {
        let mut messages = Vec::new();
        in_order(
            2,
            3,
            || true,
            |index| assert_ne!(index, 1, "index one"),
            |_, outcome| {
                messages.push(outcome.err());
                ControlFlow::Continue(())
            },
        );
        assert!(messages[0].is_none() && messages[2].is_none());
        assert!(
            messages[1]
                .as_ref()
                .is_some_and(|text| text.contains("index one"))
        );
    }
}
