//! When the timers of a connection run out. One entry in the stack's queue stands for all.

use crate::challenge::ChallengeLimit;
use crate::resting::Rest;
use crate::time::Instant;

/// What is always known of the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// For when the stack's queue holds the entry that counts.
    pub(crate) scheduled: Instant,
    /// When the peer was last heard; later by as much as keepalive probes since have come late.
    pub(crate) heard_at: Instant,
    /// When text or a FIN was last sent; acknowledgments alone do not count (RFC 5681 §4.1).
    pub(crate) data_sent_at: Instant,
}

impl Times {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            scheduled: Instant::MAX,
            heard_at: now,
            data_sent_at: now,
        }
    }
}

/// The timers, and what they count; [`Instant::MAX`]: not armed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerTable {
    pub(crate) retransmit: Instant,
    pub(crate) probe: Instant,
    pub(crate) reorder: Instant,
    pub(crate) persist: Instant,
    pub(crate) delayed_ack: Instant,
    pub(crate) override_: Instant,
    pub(crate) fin_wait_2: Instant,
    /// Until then nothing new goes (RFC 3168 §6.1.2).
    pub(crate) hold: Instant,
    /// When something that is now outstanding was first sent, or SND.UNA last moved.
    pub(crate) progress_at: Instant,
    pub(crate) challenge: ChallengeLimit,
    /// Consecutive expiries of the retransmission timer without progress.
    pub(crate) retransmissions: u32,
    /// Zero-window probes sent since the peer was last heard.
    pub(crate) probes: u32,
    /// The same since the window closed: the interval grows by it.
    pub(crate) persist_shift: u32,
    /// Keepalive probes sent since the peer was last heard.
    pub(crate) keepalive_probes: u32,
}

impl TimerTable {
    /// SND.UNA has moved: the count towards R2 starts again.
    pub(crate) fn progress(&mut self, now: Instant) {
        self.progress_at = now;
        self.retransmissions = 0;
    }

    /// The earliest of those that are kept here.
    pub(crate) fn earliest(&self) -> Instant {
        self.retransmit
            .min(self.probe)
            .min(self.reorder)
            .min(self.persist)
            .min(self.delayed_ack)
            .min(self.override_)
            .min(self.fin_wait_2)
            .min(self.hold)
    }
}

impl Rest for TimerTable {
    const REST: Self = Self {
        retransmit: Instant::MAX,
        probe: Instant::MAX,
        reorder: Instant::MAX,
        persist: Instant::MAX,
        delayed_ack: Instant::MAX,
        override_: Instant::MAX,
        fin_wait_2: Instant::MAX,
        hold: Instant::MAX,
        progress_at: Instant::ZERO,
        challenge: ChallengeLimit::UNUSED,
        retransmissions: 0,
        probes: 0,
        persist_shift: 0,
        keepalive_probes: 0,
    };
    const AT_REST: &'static Self = &Self::REST;

    /// Only of a connection with nothing outstanding: of others `progress_at` matters.
    fn is_at_rest(&self, now: Instant) -> bool {
        let counts = [
            self.retransmissions,
            self.probes,
            self.persist_shift,
            self.keepalive_probes,
        ];
        self.earliest() == Instant::MAX && !self.challenge.holds(now) && counts == [0; 4]
    }
}
