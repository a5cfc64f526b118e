//! The clock of a host, which need not show true time: it may be ahead, and run fast or slow.
//!
//! In integers throughout. A moment of the host is reached at the first moment of true time at which
//! its clock shows it or more, so that no timer of a host comes early (DESIGN: deadlines are rounded
//! up).

use core::time::Duration;

use serde::{Deserialize, Serialize};
use timewait_sim::Instant;

use crate::scenario::text::time;

/// What a host's clock makes of true time: how far it is ahead at the start, and its rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clock {
    /// What it shows when the run begins.
    #[serde(with = "time")]
    pub offset: Duration,
    /// How much it gains, in parts per million: -500 to 500. Negative: it loses.
    pub drift_ppm: i32,
}

/// The rate of a clock without drift.
const MILLION: i128 = 1_000_000;

impl Clock {
    /// The largest drift either way. RFC 9293 says nothing of it; crystals do with a tenth of it.
    pub const DRIFT_MAX_PPM: i32 = 500;

    /// True time itself.
    pub const TRUE: Self = Self {
        offset: Duration::ZERO,
        drift_ppm: 0,
    };

    /// What it shows at a moment of true time.
    pub fn shows(&self, at: Instant) -> Instant {
        if *self == Self::TRUE {
            return at;
        }
        let passed = i128::from(at.as_nanos());
        let gained = (passed * i128::from(self.drift_ppm)).div_euclid(MILLION);
        narrow(self.offset.as_nanos() as i128 + passed + gained)
    }

    /// The first moment of true time at which it shows `shown` or more.
    pub fn reaches(&self, shown: Instant) -> Instant {
        if *self == Self::TRUE || shown == Instant::MAX {
            return shown;
        }
        let wanted = i128::from(shown.as_nanos()) - self.offset.as_nanos() as i128;
        let rate = MILLION + i128::from(self.drift_ppm);
        // passed + floor(passed * drift / 10^6) >= wanted holds from wanted * 10^6 / rate on, up.
        let passed = (wanted.max(0) * MILLION + rate - 1).div_euclid(rate);
        let at = narrow(passed);
        match at.as_nanos().checked_sub(1).map(Instant::from_nanos) {
            Some(before) if self.shows(before) >= shown => before,
            _ => at,
        }
    }

    /// When so much time has passed on it since a moment of true time.
    pub fn after(&self, since: Instant, time: Duration) -> Instant {
        let shown = i128::from(self.shows(since).as_nanos()) + time.as_nanos() as i128;
        self.reaches(narrow(shown))
    }

    /// How much time passes on it between two moments of true time.
    pub fn between(&self, from: Instant, to: Instant) -> Duration {
        self.shows(to).saturating_since(self.shows(from))
    }

    /// At most so much true time passes in this time of the host.
    pub fn at_most(&self, time: Duration) -> Duration {
        match self.drift_ppm {
            0 => time,
            _ => self.at_least(time).saturating_add(Duration::from_nanos(2)),
        }
    }

    /// At least so much true time passes in this time of the host.
    pub fn at_least(&self, time: Duration) -> Duration {
        if self.drift_ppm == 0 {
            return time;
        }
        let rate = MILLION + i128::from(self.drift_ppm);
        let time = i128::try_from(time.as_nanos()).unwrap_or(i128::MAX / MILLION);
        let scaled = time.saturating_mul(MILLION) / rate;
        Duration::from_nanos(u64::try_from((scaled - 1).max(0)).unwrap_or(u64::MAX))
    }
}

fn narrow(ns: i128) -> Instant {
    Instant::from_nanos(u64::try_from(ns.max(0)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use timewait_sim::Instant;

    use super::Clock;

    const WEEKS: Duration = Duration::from_secs(50 * 24 * 3600);

    fn clocks() -> Vec<Clock> {
        let drifts = [-500, -499, -1, 0, 1, 7, 500];
        let offsets = [Duration::ZERO, Duration::from_nanos(1), WEEKS];
        let all = offsets
            .into_iter()
            .flat_map(|offset| drifts.map(|drift_ppm| Clock { offset, drift_ppm }));
        all.collect()
    }

    fn ns(ns: u64) -> Instant {
        Instant::from_nanos(ns)
    }

    #[test]
    fn a_clock_gains_and_loses_its_parts_in_a_million() {
        let shows = |drift_ppm, at| {
            let clock = Clock {
                offset: Duration::from_nanos(10),
                drift_ppm,
            };
            clock.shows(ns(at)).as_nanos()
        };
        assert_eq!(shows(0, 5_000_000), 5_000_010);
        assert_eq!(shows(500, 5_000_000), 5_002_510);
        assert_eq!(shows(-500, 5_000_000), 4_997_510);
    }

    #[test]
    fn a_moment_is_reached_when_it_is_first_shown_and_not_before() {
        for clock in clocks() {
            for step in [0, 1, 2, 3, 1_999, 2_000, 2_001, 1_000_003, 987_654_321_987] {
                let start = clock.offset.as_nanos() as u64;
                let shown = ns(start + step);
                let at = clock.reaches(shown);
                assert!(clock.shows(at) >= shown, "{clock:?} {step}");
                if let Some(before) = at.as_nanos().checked_sub(1) {
                    assert!(clock.shows(ns(before)) < shown, "{clock:?} {step}");
                }
            }
        }
    }

    #[test]
    fn what_was_shown_before_the_start_is_reached_at_once() {
        let clock = Clock {
            offset: WEEKS,
            drift_ppm: -3,
        };
        assert_eq!(clock.reaches(ns(17)), Instant::ZERO);
        assert_eq!(clock.reaches(Instant::MAX), Instant::MAX);
    }

    #[test]
    fn time_of_the_host_lies_between_its_bounds_in_true_time() {
        for clock in clocks() {
            for (since, time) in [(0, 1), (12_345, 30_000_000_000), (999, 1_000_000)] {
                let time = Duration::from_nanos(time);
                let passed = clock.after(ns(since), time).saturating_since(ns(since));
                let one = Duration::from_nanos(1);
                assert!(passed <= clock.at_most(time) + one, "{clock:?} {time:?}");
                assert!(passed + one >= clock.at_least(time), "{clock:?} {time:?}");
                let shown = clock.between(ns(since), ns(since) + passed);
                assert!(shown >= time && shown <= time + one, "{clock:?} {shown:?}");
            }
        }
    }
}
