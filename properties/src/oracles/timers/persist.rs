//! Zero-window probes (RFC 9293 §3.8.6.1, SHLD-29, SHLD-30, MUST-36): the first when the window
//! has been closed for one RTO, each next one after a longer interval, up to the profile's bound.
//!
//! ORACLES.md asks that interval k+1 is not shorter than interval k; SHLD-30 asks that it grows
//! exponentially. Judged is the stricter: it grows until it has reached the bound.

use timewait_stack::config::Config;
use timewait_stack::event::Vars;
use timewait_stack::{Duration, Instant, SeqNumber};

/// What is remembered of one connection's closed window.
#[derive(Debug, Default)]
pub(super) struct Persist {
    /// The episode: the window has been closed since.
    episode: Option<Episode>,
    /// A probe was sent since the last snapshot.
    probed: bool,
}

#[derive(Debug)]
struct Episode {
    una: SeqNumber,
    interval: Duration,
}

impl Persist {
    pub(super) fn expired(&mut self) {
        self.probed = true;
    }

    /// Judges the variables at the end of a batch and remembers them.
    pub(super) fn snapshot(
        &mut self,
        vars: &Vars,
        config: &Config,
        now: Instant,
    ) -> Option<String> {
        let probed = core::mem::take(&mut self.probed);
        let Some(at) = vars.timers.persist else {
            self.episode = None;
            return None;
        };
        let interval = at.saturating_since(now);
        let Some(episode) = &mut self.episode else {
            self.episode = Some(Episode {
                una: vars.snd_una,
                interval,
            });
            let least = vars.rto.min(config.persist_max);
            return (interval + config.rto.granularity < least).then(|| {
                format!(
                    "the first probe comes after {interval:?}, RTO is {:?}",
                    vars.rto
                )
            });
        };
        if episode.una != vars.snd_una {
            // Octets that a probe brought across: the intervals may start anew.
            *episode = Episode {
                una: vars.snd_una,
                interval: Duration::ZERO,
            };
        }
        if !probed {
            return None;
        }
        let last = core::mem::replace(&mut episode.interval, interval);
        let grown = interval > last || last + config.rto.granularity >= config.persist_max;
        let shrunk = interval + config.rto.granularity < last;
        (shrunk || !grown).then(|| {
            format!("the next probe comes after {interval:?}, the last came after {last:?}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Persist;
    use timewait_stack::config::Config;
    use timewait_stack::event::Vars;
    use timewait_stack::{Duration, Instant, SeqNumber, State};

    const NOW: Instant = Instant::from_nanos(5_000_000_000);

    fn closed_window(interval: u64, una: u32) -> Vars {
        let mut vars = Vars {
            state: State::Established,
            rto: Duration::from_secs(1),
            snd_una: SeqNumber(una),
            unsent: 10,
            ..Vars::default()
        };
        vars.timers.persist = Some(NOW + Duration::from_secs(interval));
        vars
    }

    /// Complaints about probes at these intervals in seconds, one una for each.
    fn complaints(intervals: &[(u64, u32)]) -> usize {
        let config = Config::new(Vec::new(), [0; 32]);
        let mut persist = Persist::default();
        let mut count = 0;
        for (index, &(interval, una)) in intervals.iter().enumerate() {
            if index > 0 {
                persist.expired();
            }
            count += usize::from(
                persist
                    .snapshot(&closed_window(interval, una), &config, NOW)
                    .is_some(),
            );
        }
        count
    }

    #[test]
    fn doubling_up_to_the_bound_is_silent() {
        assert_eq!(
            complaints(&[(1, 7), (2, 7), (4, 7), (60, 7), (60, 7), (60, 7)]),
            0
        );
    }

    #[test]
    fn a_constant_interval_below_the_bound_is_not() {
        assert_eq!(complaints(&[(1, 7), (1, 7), (1, 7)]), 2);
    }

    #[test]
    fn a_shorter_interval_is_not() {
        assert_eq!(complaints(&[(1, 7), (60, 7), (30, 7)]), 1);
    }

    #[test]
    fn the_first_probe_waits_for_an_rto() {
        assert_eq!(complaints(&[(0, 7)]), 1);
    }

    #[test]
    fn an_octet_that_got_across_starts_anew() {
        assert_eq!(complaints(&[(1, 7), (2, 7), (4, 7), (1, 8), (2, 8)]), 0);
    }

    #[test]
    fn a_window_that_opened_and_closed_starts_anew() {
        let config = Config::new(Vec::new(), [0; 32]);
        let mut persist = Persist::default();
        for vars in [closed_window(4, 7), Vars::default(), closed_window(1, 7)] {
            assert_eq!(persist.snapshot(&vars, &config, NOW), None);
        }
    }

    #[test]
    fn an_answer_that_keeps_the_window_shut_changes_nothing() {
        let config = Config::new(Vec::new(), [0; 32]);
        let mut persist = Persist::default();
        assert_eq!(persist.snapshot(&closed_window(4, 7), &config, NOW), None);
        assert_eq!(persist.snapshot(&closed_window(3, 7), &config, NOW), None);
        persist.expired();
        assert_eq!(persist.snapshot(&closed_window(8, 7), &config, NOW), None);
    }
}
