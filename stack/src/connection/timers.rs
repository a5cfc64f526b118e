//! When the timers of a connection run out. One entry in the stack's queue stands for all.

use crate::time::Instant;

/// The timers; [`Instant::MAX`]: not armed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerTable {
    pub(crate) retransmit: Instant,
    pub(crate) probe: Instant,
    pub(crate) reorder: Instant,
    pub(crate) persist: Instant,
    pub(crate) delayed_ack: Instant,
    pub(crate) override_: Instant,
    pub(crate) fin_wait_2: Instant,
    /// For when the stack's queue holds the entry that counts.
    pub(crate) scheduled: Instant,
    /// When something that is now outstanding was first sent, or SND.UNA last moved.
    pub(crate) progress_at: Instant,
    /// When the peer was last heard.
    pub(crate) heard_at: Instant,
    /// When text or a FIN was last sent; acknowledgments alone do not count (RFC 5681 §4.1).
    pub(crate) data_sent_at: Instant,
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
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            retransmit: Instant::MAX,
            probe: Instant::MAX,
            reorder: Instant::MAX,
            persist: Instant::MAX,
            delayed_ack: Instant::MAX,
            override_: Instant::MAX,
            fin_wait_2: Instant::MAX,
            scheduled: Instant::MAX,
            progress_at: now,
            heard_at: now,
            data_sent_at: now,
            retransmissions: 0,
            probes: 0,
            persist_shift: 0,
            keepalive_probes: 0,
        }
    }

    /// The peer is there: keepalive waits anew.
    pub(crate) fn hear(&mut self, now: Instant) {
        self.heard_at = now;
        self.keepalive_probes = 0;
    }

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
    }
}
