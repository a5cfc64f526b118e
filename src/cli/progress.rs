//! The progress bar on standard error, hidden where nobody watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

use super::clock::Stopwatch;
use super::numbers::{long, rate, short};

/// How often it is drawn per second.
const HERTZ: u8 = 10;

/// What a campaign shows while it runs.
pub(super) struct Progress {
    bar: ProgressBar,
    clock: Stopwatch,
    seeds: u64,
    simulated: Duration,
    segments: u64,
}

impl Progress {
    /// A bar up to `total`; `None`: nobody knows, only what was done is shown.
    pub(super) fn new(total: Option<u64>, hidden: bool, clock: Stopwatch) -> Self {
        // Off a terminal, indicatif draws nothing by itself.
        let target = if hidden {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(HERTZ)
        };
        let (bar, template) = match total {
            Some(total) => (
                ProgressBar::with_draw_target(Some(total), target),
                "{bar:16} {pos}/{len} seeds, {wide_msg}",
            ),
            None => (
                ProgressBar::with_draw_target(None, target),
                "{spinner} {pos} seeds, {wide_msg}",
            ),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━━─"));
        }
        Self {
            bar,
            clock,
            seeds: 0,
            simulated: Duration::ZERO,
            segments: 0,
        }
    }

    /// One more seed is done.
    pub(super) fn add(&mut self, simulated: Duration, segments: u64) {
        self.seeds += 1;
        self.simulated += simulated;
        self.segments += segments;
        self.bar.inc(1);
        self.bar.set_message(self.speed());
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// `312 seeds/s, 41 h simulated (12.3 kx real time), 1.20 M segments/s`.
    pub(super) fn speed(&self) -> String {
        let wall = self.clock.elapsed();
        let millis = u64::try_from(self.simulated.as_millis()).unwrap_or(u64::MAX);
        format!(
            "{} seeds/s, {} simulated ({}x real time), {} segments/s",
            short(rate(self.seeds, wall)),
            long(self.simulated),
            short(rate(millis, wall) / 1_000).replace(' ', ""),
            short(rate(self.segments, wall)),
        )
    }
}
