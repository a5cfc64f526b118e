//! Random early detection (Floyd and Jacobson 1993) without dice.

use super::aqm::RedConfig;
use crate::rng::PPM;
use crate::time::Instant;

/// The state of one queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Red {
    config: RedConfig,
    /// The average of what waits, in parts of an octet.
    average: u64,
    /// The probabilities since something was marked or dropped, times [`ONE`].
    credit: u64,
}

/// What happens to a datagram that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Pass,
    /// It is marked, or dropped if it can't be.
    Notify,
    /// It is dropped.
    Drop,
}

impl Red {
    pub(super) fn new(config: RedConfig) -> Self {
        Self {
            config,
            average: 0,
            credit: 0,
        }
    }

    /// A datagram comes while `waiting` octets wait, or none have since `idle_since`. In `per_small`
    /// nanoseconds the link would have sent one small datagram.
    pub(super) fn arrives(
        &mut self,
        now: Instant,
        waiting: u64,
        idle_since: Option<Instant>,
        per_small: u64,
    ) -> Verdict {
        if let Some(since) = idle_since {
            // As if so many small datagrams had come to an empty queue (§5).
            let idle = now.as_nanos().saturating_sub(since.as_nanos());
            self.fade(idle / per_small.max(1));
        }
        let weight = self.weight();
        self.average -= self.average >> weight;
        self.average += (waiting.min(OCTETS_MAX) << PARTS) >> weight;
        self.verdict()
    }

    fn weight(&self) -> u32 {
        u32::from(self.config.weight).min(PARTS)
    }

    /// The average times (1 - w)^count.
    fn fade(&mut self, mut count: u64) {
        let mut factor = ONE - (ONE >> self.weight());
        while count > 0 && self.average > 0 {
            if count & 1 == 1 {
                self.average = times(self.average, factor);
            }
            factor = times(factor, factor);
            count >>= 1;
        }
    }

    fn verdict(&mut self) -> Verdict {
        let RedConfig {
            bytes_min,
            bytes_max,
            probability_max,
            ..
        } = self.config;
        let (low, high) = (bytes_min << PARTS, bytes_max << PARTS);
        if self.average < low {
            self.credit = 0;
            return Verdict::Pass;
        }
        if self.average >= high {
            self.credit = 0;
            return Verdict::Drop;
        }
        let most = u64::from(probability_max.min(PPM)) * ONE / u64::from(PPM);
        let share = u128::from(self.average - low) * u128::from(most) / u128::from(high - low);
        self.credit += share as u64;
        if self.credit < ONE {
            return Verdict::Pass;
        }
        self.credit = 0;
        Verdict::Notify
    }
}

fn times(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 32) as u64
}

/// One, in fixed point.
const ONE: u64 = 1 << 32;
/// Bits of the parts of an octet.
const PARTS: u32 = 16;
/// No queue counts as longer than this: a terabyte.
const OCTETS_MAX: u64 = 1 << 40;

#[cfg(test)]
mod tests {
    use super::{Red, RedConfig, Verdict};
    use crate::time::Instant;

    const CONFIG: RedConfig = RedConfig {
        bytes_min: 1_000,
        bytes_max: 3_000,
        probability_max: 100_000,
        weight: 2,
    };

    fn at(ns: u64) -> Instant {
        Instant::from_nanos(ns)
    }

    /// So many datagrams find so many octets waiting.
    fn find(red: &mut Red, count: u32, waiting: u64) -> Vec<Verdict> {
        (0..count)
            .map(|_| red.arrives(at(0), waiting, None, 1))
            .collect()
    }

    #[test]
    fn a_burst_passes_and_a_queue_that_stays_long_does_not() {
        let mut red = Red::new(CONFIG);
        assert_eq!(find(&mut red, 1, 3_900), [Verdict::Pass], "975 on average");
        let later = find(&mut red, 20, 3_900);
        assert_eq!(later.last(), Some(&Verdict::Drop));
    }

    #[test]
    fn between_the_thresholds_every_so_many_is_told() {
        let mut red = Red::new(CONFIG);
        find(&mut red, 100, 2_000);
        // Half of 100,000 ppm, and a little less: one of 21.
        let told = find(&mut red, 200, 2_000);
        let told: Vec<_> = (0..)
            .zip(told)
            .filter(|(_, its)| *its == Verdict::Notify)
            .collect();
        assert!(told.len() > 8);
        assert!(
            told.windows(2).all(|two| two[1].0 - two[0].0 == 21),
            "{told:?}"
        );
        assert_eq!(find(&mut red, 100, 900).last(), Some(&Verdict::Pass));
    }

    #[test]
    fn an_idle_queue_is_forgotten() {
        let mut red = Red::new(CONFIG);
        find(&mut red, 100, 2_900);
        let mut soon = red;
        assert_eq!(soon.average, red.average);
        soon.arrives(at(2_000), 0, Some(at(0)), 1_000);
        // Two small datagrams and this one: (3/4)^3.
        let wanted = red.average * 27 / 64;
        assert!(
            soon.average.abs_diff(wanted) < 10,
            "{} {wanted}",
            soon.average
        );
        red.arrives(at(1 << 60), 0, Some(at(0)), 1);
        assert_eq!(red.average, 0);
    }
}
