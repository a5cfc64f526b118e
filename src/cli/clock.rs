//! The wall clock, for `--time` and for telling how fast it went. No run ever sees it.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command measures itself; nothing inside a run depends on it"
)]

use std::time::{Duration, Instant};

/// Runs since it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
