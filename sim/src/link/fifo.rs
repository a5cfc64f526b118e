//! A queue that knows on arrival when each datagram will leave: all but CoDel.

use std::collections::VecDeque;

use super::aqm::Aqm;
use super::red::{Red, Verdict};
use super::serialization_ns;
use crate::time::Instant;

/// Puts one datagram after the other on a link of finite rate.
pub(super) struct Fifo {
    octets_per_second: u64,
    bytes_max: u64,
    /// Beyond so many octets it marks.
    threshold: u64,
    red: Option<Red>,
    /// When everything accepted so far is on the link.
    free: Instant,
    /// When each waiting datagram begins to be sent, and its size.
    waiting: VecDeque<(Instant, u64)>,
    waiting_bytes: u64,
}

/// What becomes of a datagram.
pub(super) enum Sent {
    /// It has left then; `congested`: it is to be marked if it can be.
    At { time: Instant, congested: bool },
    /// There is no room for it to wait.
    Full,
    /// It is dropped although there was room.
    Early,
}

impl Fifo {
    pub(super) fn new(octets_per_second: u64, bytes_max: u64, aqm: Aqm) -> Self {
        let (threshold, red) = match aqm {
            Aqm::Threshold { bytes } => (bytes, None),
            Aqm::Red(config) => (u64::MAX, Some(Red::new(config))),
            Aqm::None | Aqm::Codel(_) => (u64::MAX, None),
        };
        Self {
            octets_per_second,
            bytes_max,
            threshold,
            red,
            free: Instant::ZERO,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// A datagram of this size comes, which can be marked if it is `capable`.
    pub(super) fn send(&mut self, now: Instant, size: u64, capable: bool) -> Sent {
        while let Some((begins, gone)) = self.waiting.front().copied()
            && begins <= now
        {
            self.waiting.pop_front();
            self.waiting_bytes -= gone;
        }
        let early = self.early(now);
        if early == Verdict::Drop || early == Verdict::Notify && !capable {
            return Sent::Early;
        }
        let begins = self.free.max(now);
        if begins > now {
            if self.waiting_bytes + size > self.bytes_max {
                return Sent::Full;
            }
            self.waiting.push_back((begins, size));
            self.waiting_bytes += size;
        }
        self.free = begins.plus_nanos(serialization_ns(self.octets_per_second, size));
        Sent::At {
            time: self.free,
            congested: early == Verdict::Notify || self.waiting_bytes > self.threshold,
        }
    }

    fn early(&mut self, now: Instant) -> Verdict {
        let Some(red) = &mut self.red else {
            return Verdict::Pass;
        };
        let idle = (self.free < now).then_some(self.free);
        let per_small = serialization_ns(self.octets_per_second, SMALL);
        red.arrives(now, self.waiting_bytes, idle, per_small)
    }
}

/// Octets of a small datagram.
const SMALL: u64 = 64;
