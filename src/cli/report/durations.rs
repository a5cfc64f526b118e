//! How long runs lasted, in simulated time.

use std::time::Duration;

/// Up to but not including so many seconds, and what that is called.
const BOUNDS: [(u64, &str); 10] = [
    (1, "< 1 s"),
    (3, "< 3 s"),
    (10, "< 10 s"),
    (30, "< 30 s"),
    (60, "< 1 min"),
    (120, "< 2 min"),
    (300, "< 5 min"),
    (600, "< 10 min"),
    (1_800, "< 30 min"),
    (3_600, "< 1 h"),
];

/// How many runs lasted how long.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Durations {
    counts: [u64; BOUNDS.len() + 1],
}

impl Durations {
    /// Counts a run.
    pub(in crate::cli) fn add(&mut self, simulated: Duration) {
        let within = |(bound, _): &(u64, _)| simulated < Duration::from_secs(*bound);
        let place = BOUNDS.iter().position(within);
        self.counts[place.unwrap_or(BOUNDS.len())] += 1;
    }

    /// Each span of time by name with its number of runs.
    pub(super) fn rows(&self) -> Vec<(&'static str, u64)> {
        let names = BOUNDS.iter().map(|(_, name)| *name).chain(["longer"]);
        names.zip(self.counts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Durations;
    use std::time::Duration;

    #[test]
    fn each_run_counts_once_and_bounds_belong_to_the_longer() {
        let mut durations = Durations::default();
        for millis in [0, 999, 1_000, 3_599_999, 3_600_000, 9_000_000] {
            durations.add(Duration::from_millis(millis));
        }
        let counts: Vec<u64> = durations
            .rows()
            .into_iter()
            .map(|(_, count)| count)
            .collect();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
    }
}
