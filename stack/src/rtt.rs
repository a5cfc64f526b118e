//! The retransmission timeout (RFC 6298), in integer nanoseconds.

use crate::config::RtoBounds;
use crate::time::{Duration, nanos};

/// SRTT before any sample.
const NEVER: u64 = u64::MAX;

/// Smoothed round-trip time, its variation, and the timeout that follows from them (MUST-18), all
/// in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RttEstimator {
    /// [`NEVER`]: nothing was measured yet.
    srtt: u64,
    rttvar: u64,
    /// The timeout in force, backed off. It stays backed off until a sample replaces it (§5.7,
    /// Karn): an ACK alone does not say which transmission it answers.
    rto: u64,
}

impl RttEstimator {
    /// Before any sample (§2.1, R6298-01).
    pub(crate) fn new(bounds: &RtoBounds) -> Self {
        Self {
            srtt: NEVER,
            rttvar: 0,
            rto: nanos(bounds.initial),
        }
    }

    pub(crate) fn rto(&self) -> Duration {
        Duration::from_nanos(self.rto)
    }

    pub(crate) fn srtt(&self) -> Option<Duration> {
        (self.srtt != NEVER).then(|| Duration::from_nanos(self.srtt))
    }

    pub(crate) fn rttvar(&self) -> Duration {
        Duration::from_nanos(self.rttvar)
    }

    /// Takes an unambiguous sample (§2.2, §2.3; R6298-02, R6298-03), within the bounds (R6298-04,
    /// R6298-05).
    pub(crate) fn sample(&mut self, rtt: Duration, bounds: &RtoBounds) {
        let r = nanos(rtt);
        if self.srtt == NEVER {
            (self.srtt, self.rttvar) = (r, r / 2);
        } else {
            // RTTVAR before SRTT: it compares with the old SRTT.
            self.rttvar = (3 * self.rttvar + self.srtt.abs_diff(r)) / 4;
            self.srtt = (7 * self.srtt + r) / 8;
        }
        let margin = (4 * self.rttvar).max(nanos(bounds.granularity));
        let rto = self.srtt + margin;
        self.rto = rto.max(nanos(bounds.min)).min(nanos(bounds.max));
    }

    /// The timer ran out: twice the timeout, within its bound (§5.5, R6298-05, R6298-10).
    pub(crate) fn back_off(&mut self, bounds: &RtoBounds) {
        self.rto = self.rto.saturating_mul(2).min(nanos(bounds.max));
    }

    /// Data transfer begins after the SYN or its acknowledgment was lost (§5.7, R6298-11).
    pub(crate) fn start_after_syn_loss(&mut self, bounds: &RtoBounds) {
        if self.srtt == NEVER {
            self.rto = nanos(bounds.after_syn_loss);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RttEstimator;
    use crate::config::RtoBounds;
    use crate::time::Duration;

    fn bounds(min_ms: u64) -> RtoBounds {
        RtoBounds {
            min: Duration::from_millis(min_ms),
            ..RtoBounds::default()
        }
    }

    /// R6298-01, R6298-05, R6298-10.
    #[test]
    fn starts_at_one_second_and_doubles_up_to_the_bound() {
        let mut rtt = RttEstimator::new(&bounds(1000));
        assert_eq!((rtt.rto(), rtt.srtt()), (Duration::from_secs(1), None));
        let mut seen = [0; 8];
        for slot in &mut seen {
            rtt.back_off(&bounds(1000));
            *slot = rtt.rto().as_secs();
        }
        assert_eq!(seen, [2, 4, 8, 16, 32, 60, 60, 60]);
    }

    /// R6298-02.
    #[test]
    fn first_sample_sets_three_times_the_rtt() {
        let mut rtt = RttEstimator::new(&bounds(1));
        rtt.sample(Duration::from_millis(100), &bounds(1));
        assert_eq!(rtt.srtt(), Some(Duration::from_millis(100)));
        assert_eq!(rtt.rto(), Duration::from_millis(300));
    }

    /// R6298-03.
    #[test]
    fn later_samples_are_weighed_by_a_quarter_and_an_eighth() {
        let mut rtt = RttEstimator::new(&bounds(1));
        rtt.sample(Duration::from_millis(100), &bounds(1));
        rtt.sample(Duration::from_millis(180), &bounds(1));
        // RTTVAR = 3/4 * 50 + 1/4 * 80 = 57.5, SRTT = 7/8 * 100 + 1/8 * 180 = 110.
        assert_eq!(rtt.srtt(), Some(Duration::from_millis(110)));
        assert_eq!(rtt.rto(), Duration::from_millis(340));
    }

    /// R6298-04.
    #[test]
    fn a_sample_ends_back_off_and_obeys_the_minimum() {
        let mut rtt = RttEstimator::new(&bounds(1000));
        rtt.back_off(&bounds(1000));
        rtt.sample(Duration::from_millis(10), &bounds(1000));
        assert_eq!(rtt.rto(), Duration::from_secs(1));
    }

    /// R6298-11.
    #[test]
    fn after_a_lost_syn_data_starts_at_three_seconds() {
        let mut rtt = RttEstimator::new(&bounds(1000));
        rtt.back_off(&bounds(1000));
        rtt.start_after_syn_loss(&bounds(1000));
        assert_eq!(rtt.rto(), Duration::from_secs(3));
    }
}
