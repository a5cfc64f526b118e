//! What the RFCs that a host follows let congestion control do at most.

use timewait_stack::Config;
use timewait_stack::config::{CongestionControl, InitialWindow};

/// The profile of a host. All windows in octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    /// L: by so many segments one ACK may let cwnd grow in slow start (RFC 5681 §3.1: 1;
    /// RFC 3465 §2.2: 2).
    pub(super) slow_start_limit: u32,
    /// RFC 9438 above ssthresh, and not RFC 5681.
    pub(super) cubic: bool,
    initial: InitialWindow,
}

impl Profile {
    /// That of a host with this configuration.
    pub(super) fn of(config: &Config) -> Self {
        Self {
            slow_start_limit: u32::from(config.slow_start_limit.clamp(1, 2)),
            cubic: config.congestion_control == CongestionControl::Cubic,
            initial: config.initial_window,
        }
    }

    /// IW, which is also the restart window (RFC 5681 §3.1, equation 1, and §4.1; RFC 6928 §2).
    pub(super) fn initial_window(&self, smss: u32) -> u32 {
        match (self.initial, smss) {
            (InitialWindow::Rfc6928, _) => (10 * smss).min((2 * smss).max(14_600)),
            (InitialWindow::Rfc5681, 2191..) => 2 * smss,
            (InitialWindow::Rfc5681, 1096..=2190) => 3 * smss,
            (InitialWindow::Rfc5681, ..=1095) => 4 * smss,
        }
    }

    /// The most that ssthresh may be after a loss with this flight: half of it (RFC 5681 §3.1,
    /// equation 4), with CUBIC 0.7 of it (RFC 9438 §4.6).
    pub(super) fn threshold(&self, flight: u32, smss: u32) -> u32 {
        let (share, of) = if self.cubic { (7, 10) } else { (1, 2) };
        let left = u64::from(flight) * share / of;
        u32::try_from(left).unwrap_or(u32::MAX).max(2 * smss)
    }
}
