//! CUBIC (RFC 9438) in integers: windows in 1/1024 segment, times in 1/1024 second.
//!
//! Application-limited time does not count (§5.8): the epoch moves on by as long as ACKs came that
//! the window did not limit, and cwnd does not grow by them.

use super::control::{Acked, Control};
use crate::time::{Duration, Instant, nanos};

/// The variables of §4.1.2.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cubic {
    /// W_max.
    w_max: u64,
    /// cwnd before the last reduction.
    cwnd_prior: u64,
    epoch: Option<Epoch>,
    /// The timer told of the last loss: the next epoch begins flat (§4.8).
    timed_out: bool,
}

/// Congestion avoidance since the last reduction.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    start: Instant,
    /// The last ACK.
    last: Instant,
    k: u64,
    /// W_est.
    w_est: u64,
    /// What the next octet of cwnd grows from.
    fraction: u64,
}

impl Control for Cubic {
    fn avoid(&mut self, cwnd: u32, ack: &Acked) -> u32 {
        let window = scaled(cwnd, ack.smss);
        let mut epoch = self.epoch.unwrap_or_else(|| self.begin(window, ack.now));
        let limited = ack.flight.saturating_add(ack.smss) >= cwnd;
        let since = ack.now - epoch.last;
        epoch.last = ack.now;
        if !limited {
            epoch.start += since;
            self.epoch = Some(epoch);
            return cwnd;
        }
        let acked = scaled(ack.octets, ack.smss);
        let t = ticks(ack.now - epoch.start);
        // §4.3: as AIMD with a factor of 0.7 would grow, to be fair to it.
        let (alpha, of) = if epoch.w_est < self.cwnd_prior {
            ALPHA
        } else {
            (1, 1)
        };
        epoch.w_est += acked * alpha * SCALE / (of * window);
        let grown = if self.curve(t, epoch.k) < epoch.w_est {
            epoch.w_est.max(window)
        } else {
            // §4.2, §4.4, §4.5: towards where the curve will be in one round trip.
            let later = t + ticks(ack.srtt.unwrap_or_default());
            let target = self
                .curve(later, epoch.k)
                .clamp(window, window + window / 2);
            window + (target - window) * acked / window
        };
        let octets = (grown - window) * u64::from(ack.smss) + epoch.fraction;
        epoch.fraction = octets % SCALE;
        self.epoch = Some(epoch);
        let growth = u32::try_from(octets / SCALE).unwrap_or(u32::MAX);
        cwnd.saturating_add(growth.min(cwnd / 2))
    }

    /// §4.6, and fast convergence (§4.7).
    fn on_loss(&mut self, cwnd: u32, flight: u32, smss: u32) -> u32 {
        let window = scaled(cwnd, smss);
        self.cwnd_prior = window;
        self.w_max = if window < self.w_max {
            window * (10 + BETA) / 20
        } else {
            window
        };
        self.timed_out = false;
        self.epoch = None;
        let left = u64::from(flight) * BETA / 10;
        (left as u32).max(2 * smss)
    }

    fn on_timeout(&mut self, cwnd: u32, flight: u32, smss: u32) -> u32 {
        let ssthresh = self.on_loss(cwnd, flight, smss);
        self.timed_out = true;
        ssthresh
    }
}

impl Cubic {
    /// Growth begins anew.
    pub(super) fn restart(&mut self) {
        self.epoch = None;
    }

    /// Segments grow from `before` octets to `after`, and cwnd stays what it is in octets: what was
    /// counted in segments is fewer of them. Without this cwnd would be raised to W_est at once.
    pub(super) fn resize(&mut self, before: u16, after: u16) {
        let share = |window: u64| window * u64::from(before) / u64::from(after.max(1));
        (self.w_max, self.cwnd_prior) = (share(self.w_max), share(self.cwnd_prior));
        self.epoch = None;
    }

    /// An epoch begins at this window. From below W_max it rises to it within K; after a timeout,
    /// or where slow start ended without a loss, it begins flat (§4.8, §4.10).
    fn begin(&mut self, window: u64, now: Instant) -> Epoch {
        if self.timed_out || self.w_max <= window {
            self.w_max = window;
            self.timed_out = false;
        }
        Epoch {
            start: now,
            last: now,
            k: k(self.w_max - window),
            w_est: window,
            fraction: 0,
        }
    }

    /// W_cubic(t) = C (t - K)^3 + W_max (§4.2, figure 1).
    fn curve(&self, t: u64, k: u64) -> u64 {
        let cube = |away: u64| {
            let away = away.min(AWAY_MAX);
            // Ticks to the third are 1024^3 of seconds, of which the scale of windows takes one.
            away * away * away * C.0 / (C.1 << 20)
        };
        if t < k {
            self.w_max.saturating_sub(cube(k - t))
        } else {
            self.w_max + cube(t - k)
        }
    }
}

/// K = cbrt((W_max - cwnd_epoch) / C) (§4.2, figure 2), in ticks.
fn k(below: u64) -> u64 {
    cube_root(below * (C.1 << 20) / C.0)
}

/// The largest number whose cube is at most `cube`, which is below 2^63.
fn cube_root(cube: u64) -> u64 {
    let (mut low, mut high) = (0, 1 << 21);
    while low + 1 < high {
        let middle = (low + high) / 2;
        if middle * middle * middle <= cube {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Octets in units of 1/1024 segment.
fn scaled(octets: u32, smss: u32) -> u64 {
    (u64::from(octets) * SCALE / u64::from(smss.max(1))).max(1)
}

/// A time in units of 1/1024 s.
fn ticks(time: Duration) -> u64 {
    (u128::from(nanos(time)) * u128::from(SCALE) / 1_000_000_000) as u64
}

const SCALE: u64 = 1024;
/// C = 0.4 segments per second to the third (§5.1).
const C: (u64, u64) = (2, 5);
/// beta_cubic = 0.7, in tenths (§4.6).
const BETA: u64 = 7;
/// alpha_cubic = 3 (1 - beta) / (1 + beta) (§4.3).
const ALPHA: (u64, u64) = (9, 17);
/// No curve is followed further from its middle than this, 17 minutes: it is beyond any window.
const AWAY_MAX: u64 = 1 << 20;

#[cfg(test)]
mod tests;
