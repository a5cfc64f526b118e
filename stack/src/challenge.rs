//! The limit on answers to invalid segments (RFC 5961 §7, R5961-06), one per connection.
//!
//! Per connection, so that traffic on one says nothing about another. One answer per interval,
//! not a burst: two ends that each take the other's ACK for invalid would answer for ever (the
//! ACK loop of RFC 1337 H2), and end after one round when the interval exceeds the round trip.

use crate::config::Config;
use crate::protection::Protection;
use crate::time::Instant;

/// When the next answer is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChallengeLimit {
    next: Instant,
}

impl ChallengeLimit {
    /// That of a connection that has answered nothing yet.
    pub(crate) const UNUSED: Self = Self {
        next: Instant::ZERO,
    };

    /// Whether an answer at `now` would come too soon.
    pub(crate) fn holds(&self, now: Instant) -> bool {
        now < self.next
    }

    /// Whether an answer may go now; if so, it is counted (R5961-06).
    pub(crate) fn allow(&mut self, now: Instant, config: &Config) -> bool {
        if !config.protects(Protection::ChallengeLimit) {
            return true;
        }
        if self.holds(now) {
            return false;
        }
        self.next = now + config.challenge_interval;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::ChallengeLimit;
    use crate::config::Config;
    use crate::time::{Duration, Instant};
    use alloc::vec;

    /// R5961-06.
    #[test]
    fn one_answer_per_interval() {
        let config = Config::new(vec![], [0; 32]);
        let mut limit = ChallengeLimit::default();
        let mut at = |ms| limit.allow(Instant::ZERO + Duration::from_millis(ms), &config);
        assert_eq!(
            [at(0), at(1), at(499), at(500), at(999)],
            [true, false, false, true, false]
        );
    }
}
