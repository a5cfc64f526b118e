//! Controlled delay (RFC 8289): what to drop or mark is decided when a datagram leaves the queue.
//!
//! Whether so few octets wait that nothing is dropped (§4.4) is known only then: so these queues hold
//! their datagrams, and the world calls when the link is free again. Queues of other kinds know the
//! moment of departure on arrival and need no event.

use core::time::Duration;
use std::collections::VecDeque;

use super::aqm::CodelConfig;
use crate::time::{Instant, nanos};

/// A datagram that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) flight: u32,
    /// Octets.
    pub(crate) size: u64,
    /// Delay on the link above its own.
    pub(crate) extra: Duration,
    /// It can be marked instead of dropped.
    pub(crate) capable: bool,
    since: Instant,
}

/// One queue and its state (§5.3).
#[derive(Clone, Debug)]
pub(super) struct Codel {
    config: CodelConfig,
    /// With no more octets than one datagram may have nothing is dropped.
    packet_max: u64,
    queue: VecDeque<Waiting>,
    bytes: u64,
    /// When the wait will have been too long for an interval.
    first_above: Option<Instant>,
    dropping: bool,
    drop_next: Instant,
    count: u64,
    last_count: u64,
}

/// What leaves a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Leaves {
    /// These are dropped.
    pub(super) dropped: Vec<u32>,
    /// This one goes.
    pub(super) sent: Option<Waiting>,
    /// And is marked.
    pub(super) marked: bool,
}

impl Codel {
    pub(super) fn new(config: CodelConfig, packet_max: u64) -> Self {
        Self {
            config,
            packet_max,
            queue: VecDeque::new(),
            bytes: 0,
            first_above: None,
            dropping: false,
            drop_next: Instant::ZERO,
            count: 0,
            last_count: 0,
        }
    }

    /// Octets that wait.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn push(
        &mut self,
        now: Instant,
        flight: u32,
        size: u64,
        extra: Duration,
        capable: bool,
    ) {
        self.bytes += size;
        self.queue.push_back(Waiting {
            flight,
            size,
            extra,
            capable,
            since: now,
        });
    }

    /// The link is free: the next one goes, and perhaps some are dropped before it (§5.5).
    pub(super) fn pop(&mut self, now: Instant) -> Leaves {
        let mut leaves = Leaves::default();
        let (mut next, mut too_long) = self.take(now);
        if self.dropping {
            self.dropping = too_long;
            while self.dropping && now >= self.drop_next {
                self.count += 1;
                if self.notify(&mut leaves, next) {
                    self.drop_next = self.later(self.drop_next);
                    break;
                }
                (next, too_long) = self.take(now);
                self.dropping = too_long;
                if too_long {
                    self.drop_next = self.later(self.drop_next);
                }
            }
        } else if too_long {
            if !self.notify(&mut leaves, next) {
                (next, _) = self.take(now);
            }
            self.begin(now);
        }
        leaves.sent = next;
        leaves
    }

    /// Dropping begins; if it ended a short time ago, it begins about as fast as it was (§5.5).
    fn begin(&mut self, now: Instant) {
        self.dropping = true;
        let since = now.as_nanos().saturating_sub(self.drop_next.as_nanos());
        let recent = since < 16 * nanos(self.config.interval);
        let delta = self.count.saturating_sub(self.last_count);
        self.count = if delta > 1 && recent { delta } else { 1 };
        self.drop_next = self.later(now);
        self.last_count = self.count;
    }

    /// Tells the sender of this one: by a mark (`true`), or by dropping it.
    fn notify(&self, leaves: &mut Leaves, one: Option<Waiting>) -> bool {
        let Some(one) = one else {
            return false;
        };
        leaves.marked = one.capable;
        if !one.capable {
            leaves.dropped.push(one.flight);
        }
        one.capable
    }

    /// Takes out the first one, and says whether the wait has been too long for an interval
    /// (§5.4).
    fn take(&mut self, now: Instant) -> (Option<Waiting>, bool) {
        let Some(first) = self.queue.pop_front() else {
            self.first_above = None;
            return (None, false);
        };
        self.bytes -= first.size;
        let waited = now.as_nanos() - first.since.as_nanos();
        if waited < nanos(self.config.target) || self.bytes <= self.packet_max {
            self.first_above = None;
            return (Some(first), false);
        }
        let above = *self.first_above.get_or_insert(now + self.config.interval);
        (Some(first), now >= above)
    }

    /// The control law: the interval over the root of the count later (§3.2).
    fn later(&self, from: Instant) -> Instant {
        let interval = u128::from(nanos(self.config.interval));
        let step = (interval * interval / u128::from(self.count.max(1))).isqrt();
        from.plus_nanos(step as u64)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::{Codel, CodelConfig, Leaves};
    use crate::time::Instant;

    const MS: Duration = Duration::from_millis(1);

    fn at(ms: u32) -> Instant {
        Instant::ZERO + MS * ms
    }

    fn codel() -> Codel {
        let config = CodelConfig {
            target: MS * 5,
            interval: MS * 100,
        };
        Codel::new(config, 1500)
    }

    /// A queue in which each datagram has waited for 20 ms when it leaves, one each millisecond, from
    /// number `from` on: which were dropped or marked, and when.
    fn standing(codel: &mut Codel, ms: core::ops::Range<u32>, capable: bool) -> Vec<u32> {
        let mut told = Vec::new();
        for now in ms {
            codel.push(at(now), now, 1000, Duration::ZERO, capable);
            if now < 20 {
                continue;
            }
            let Leaves {
                dropped,
                sent,
                marked,
            } = codel.pop(at(now));
            assert!(sent.is_some() && marked == (capable && marked));
            told.extend(dropped.iter().map(|_| now));
            told.extend(marked.then_some(now));
        }
        told
    }

    #[test]
    fn a_short_wait_is_no_matter() {
        let mut codel = codel();
        for now in 0..500 {
            for flight in 0..4 {
                codel.push(at(now * 5), flight, 1000, Duration::ZERO, false);
            }
            for later in 0..4 {
                let leaves = codel.pop(at(now * 5 + later));
                assert!(leaves.dropped.is_empty() && leaves.sent.is_some());
            }
        }
        assert_eq!(codel.bytes(), 0);
    }

    #[test]
    fn a_wait_that_lasts_an_interval_is_told_of_more_and_more_often() {
        let told = standing(&mut codel(), 0..500, true);
        // First above at 20, an interval later the first mark; then 100, 70.7, 57.7, 50, 44.7 ms.
        assert_eq!(told, [120, 220, 291, 349, 399, 444, 484]);
    }

    #[test]
    fn who_can_t_be_marked_is_dropped_and_the_next_one_goes() {
        let told = standing(&mut codel(), 0..240, false);
        assert_eq!(told, [120, 220]);
    }

    #[test]
    fn the_last_datagrams_of_a_queue_are_never_dropped() {
        let mut codel = codel();
        for now in 0..50 {
            codel.push(at(now), now, 1500, Duration::ZERO, false);
        }
        // One at a time, after ever longer waits.
        let kept: Vec<_> = (0..60).map(|n| codel.pop(at(1000 + n * 50))).collect();
        let sent = kept.iter().filter(|leaves| leaves.sent.is_some()).count();
        let dropped: usize = kept.iter().map(|leaves| leaves.dropped.len()).sum();
        assert_eq!(sent + dropped, 50);
        assert!(dropped > 5 && sent > 5, "{sent} {dropped}");
        let last = kept.iter().rfind(|leaves| leaves.sent.is_some()).unwrap();
        assert!(
            last.dropped.is_empty(),
            "with one datagram behind it nothing is dropped"
        );
    }

    #[test]
    fn who_has_just_stopped_goes_on_about_where_it_was() {
        let mut codel = codel();
        let told = standing(&mut codel, 0..500, true);
        assert_eq!(told.len(), 7);
        // For a moment the queue is empty.
        while codel.pop(at(500)).sent.is_some() {}
        let base = 600;
        for n in 0..20 {
            codel.push(at(base + n), n, 1000, Duration::ZERO, true);
        }
        let mut told = Vec::new();
        for n in 20..200 {
            codel.push(at(base + n), n, 1000, Duration::ZERO, true);
            told.extend(codel.pop(at(base + n)).marked.then_some(n));
        }
        // At once every 100 / sqrt(6) ms, as before.
        assert_eq!(told[..2], [120, 161]);
    }
}
