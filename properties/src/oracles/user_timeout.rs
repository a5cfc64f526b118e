//! The user timeout (RFC 9293 §3.10.8, RFC 5482): what `timers` and `close` know of it.

use timewait_stack::config::Config;
use timewait_stack::event::Timer;
use timewait_stack::{Duration, Vars};

/// The longest user timeout that a connection of this host can have, if it must have one: its own,
/// or what the option of a peer makes of it (RFC 5482 §3.1).
pub(super) fn longest(config: &Config) -> Option<Duration> {
    let own = config.user_timeout?;
    Some(most_adopted(config).map_or(own, |most| own.max(most)))
}

/// The most that a peer's option can make of it, where it is listened to: never as short as the RTO,
/// which may be at its own bound.
fn most_adopted(config: &Config) -> Option<Duration> {
    let beyond_rto = config.rto.max + config.rto.granularity;
    let most = config.user_timeout_bounds.max.max(beyond_rto);
    config.announce_user_timeout.then_some(most)
}

/// The longest that keepalive may wait before it asks for the first time: beyond the user timeout
/// that both ends have agreed on (RFC 5482 §4.2).
pub(super) fn keepalive_idle(config: &Config, idle: Duration) -> Duration {
    let agreed = most_adopted(config).map(|most| config.user_timeout.unwrap_or_default().max(most));
    agreed.map_or(idle, |most| idle.max(most + config.rto.granularity))
}

/// The shortest that keepalive may wait: beyond its own user timeout, where the peer is told of it.
pub(super) fn least_idle(config: &Config, idle: Duration) -> Duration {
    let told = config.user_timeout.and(shortest(config));
    told.filter(|_| config.announce_user_timeout)
        .map_or(idle, |least| idle.max(least))
}

/// The shortest one that it can have, if it can have one.
pub(super) fn shortest(config: &Config) -> Option<Duration> {
    let bounds = config.user_timeout_bounds;
    match (config.user_timeout, config.announce_user_timeout) {
        (Some(own), false) => Some(own),
        (Some(own), true) => Some(own.min(bounds.max)),
        (None, true) => Some(bounds.min.min(bounds.max)),
        (None, false) => None,
    }
}

/// What is wrong with its timer: it watches what is outstanding, where there is one. Behind a
/// closed window it watches only probes that nobody answers (MUST-37), which the variables don't
/// tell. `wanted` is the sender's timer that must run.
pub(super) fn wrong(vars: &Vars, config: &Config, wanted: Option<Timer>) -> Option<String> {
    let runs = vars.timers.user.is_some();
    if runs && shortest(config).is_none() {
        return Some("a user timeout runs that nobody asked for".to_owned());
    }
    let outstanding = wanted == Some(Timer::Retransmit);
    let missing = outstanding && !runs && config.user_timeout.is_some();
    let idle = runs && !outstanding && wanted != Some(Timer::Persist);
    (missing || idle).then(|| format!("the user timeout is {:?}", vars.timers.user))
}

#[cfg(test)]
mod tests {
    use super::{longest, shortest, wrong};
    use timewait_stack::config::{Config, UserTimeoutBounds};
    use timewait_stack::event::Timer;
    use timewait_stack::{Duration, Instant, Vars};

    fn config(own: Option<u64>, announce: bool) -> Config {
        Config {
            user_timeout: own.map(Duration::from_secs),
            announce_user_timeout: announce,
            user_timeout_bounds: UserTimeoutBounds {
                min: Duration::from_secs(100),
                max: Duration::from_secs(200),
            },
            ..Config::new(Vec::new(), [0; 32])
        }
    }

    #[test]
    fn a_peers_option_moves_it_within_the_bounds() {
        let range = |own, announce| {
            let config = config(own, announce);
            let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
            (seconds(shortest(&config)), seconds(longest(&config)))
        };
        assert_eq!(range(None, false), (None, None));
        assert_eq!(range(Some(50), false), (Some(50), Some(50)));
        assert_eq!(range(Some(50), true), (Some(50), Some(200)));
        assert_eq!(range(Some(500), true), (Some(200), Some(500)));
        assert_eq!(range(None, true), (Some(100), None));
        let mut slow = config(Some(50), true);
        slow.rto.max = Duration::from_secs(300);
        let beyond = Duration::from_secs(300) + slow.rto.granularity;
        assert_eq!(longest(&slow), Some(beyond), "larger than the RTO");
    }

    #[test]
    fn it_runs_while_something_is_outstanding_and_only_then() {
        let vars = |runs: bool| {
            let mut vars = Vars::default();
            vars.timers.user = runs.then_some(Instant::ZERO);
            vars
        };
        let asked = config(Some(50), false);
        let judge = |runs, wanted| wrong(&vars(runs), &asked, wanted).is_some();
        assert!(judge(false, Some(Timer::Retransmit)) && judge(true, None));
        assert!(!judge(true, Some(Timer::Retransmit)) && !judge(false, None));
        assert!(!judge(true, Some(Timer::Persist)) && !judge(false, Some(Timer::Persist)));
        assert!(wrong(&vars(true), &config(None, false), Some(Timer::Retransmit)).is_some());
    }
}
