//! Timestamps (RFC 7323 §3 to §5): the clock, the echo, round trips (RTTM) and PAWS.
//!
//! TSval is a clock of 1 ms plus a keyed offset for each 4-tuple. So it never goes back from one
//! incarnation of a tuple to the next, which RFC 6191 and PAWS live on, and says nothing about when
//! the host booted or what it says to others.

use core::num::NonZeroU32;

use crate::config::Config;
use crate::keyed::{self, Purpose};
use crate::protection::Protection;
use crate::table::FourTuple;
use crate::time::{Duration, Instant};

/// What TSopt takes of a segment with its two no-operations (RFC 7323 appendix A).
pub(crate) const OPTION_OCTETS: u16 = 12;

/// One tick: between 1 ms and 1 s (RFC 7323 §5.4, R7323-12).
const TICK_NANOS: u64 = 1_000_000;

/// After so long TSval may have gone half around at the fastest tick (RFC 7323 §5.5, R7323-11).
pub(crate) const VALID_FOR: Duration = Duration::from_secs(24 * 24 * 3600);

/// TSval of a connection with this tuple.
pub(crate) fn value(config: &Config, now: Instant, tuple: &FourTuple) -> u32 {
    clock(now).wrapping_add(offset(config, tuple))
}

/// `a < b` on a clock that wraps.
pub(crate) fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// PAWS: whether a segment with this TSval is older than TS.Recent, given if it is still valid
/// (RFC 7323 §5.3, R7323-09).
pub(crate) fn paws_refuses(config: &Config, value: u32, recent: Option<u32>) -> bool {
    recent.is_some_and(|recent| before(value, recent)) && config.protects(Protection::Paws)
}

/// The 1 ms clock.
fn clock(now: Instant) -> u32 {
    (now.as_nanos() / TICK_NANOS) as u32
}

/// Whole seconds on the stack's clock, from one on, for 136 years.
fn seconds(at: Instant) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add((at.as_nanos() / 1_000_000_000) as u32)
}

fn offset(config: &Config, tuple: &FourTuple) -> u32 {
    let purpose = Purpose::TimestampOffset;
    keyed::hash(&config.secret, purpose, tuple.local, tuple.remote, 0) as u32
}

/// The timestamps of a connection whose two SYNs carried them (R7323-04).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamps {
    offset: u32,
    /// TS.Recent, and when it was taken in whole seconds: PAWS and RFC 6191 need no more.
    recent: u32,
    recent_at: NonZeroU32,
}

impl Timestamps {
    /// Both SYNs had the option; `first` is TSval of the peer's.
    pub(crate) fn new(config: &Config, tuple: &FourTuple, first: u32, now: Instant) -> Self {
        Self {
            offset: offset(config, tuple),
            recent: first,
            recent_at: seconds(now),
        }
    }

    pub(crate) fn recent(&self) -> u32 {
        self.recent
    }

    /// TSval and TSecr of a segment that leaves now; without ACK, TSecr is zero (R7323-07).
    pub(crate) fn option(&self, now: Instant, acknowledges: bool) -> (u32, u32) {
        let echo = if acknowledges { self.recent } else { 0 };
        (clock(now).wrapping_add(self.offset), echo)
    }

    /// TS.Recent, if it is not too old to be compared with (R7323-11).
    pub(crate) fn valid_recent(&self, now: Instant) -> Option<u32> {
        let age = seconds(now).get().saturating_sub(self.recent_at.get());
        (u64::from(age) <= VALID_FOR.as_secs()).then_some(self.recent)
    }

    /// TS.Recent becomes TSval of a segment that may set it, unless that is older (R7323-08).
    pub(crate) fn take(&mut self, value: u32, now: Instant) {
        let older = |recent| before(value, recent);
        if !self.valid_recent(now).is_some_and(older) {
            (self.recent, self.recent_at) = (value, seconds(now));
        }
    }

    /// RTTM: the time since the segment left that TSecr echoes (RFC 7323 §4.1), if it ever did:
    /// `longest` is more than any round trip.
    pub(crate) fn elapsed(&self, echo: u32, now: Instant, longest: Duration) -> Option<Duration> {
        let ticks = clock(now).wrapping_add(self.offset).wrapping_sub(echo);
        let elapsed = Duration::from_nanos(u64::from(ticks) * TICK_NANOS);
        (elapsed <= longest).then_some(elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Timestamps, before, paws_refuses, value};
    use crate::config::Config;
    use crate::table::{End, FourTuple};
    use crate::time::{Duration, Instant};
    use alloc::vec;
    use core::net::{IpAddr, Ipv4Addr};

    const DAY: u64 = 24 * 3600;

    fn tuple(port: u16) -> FourTuple {
        let end = |last, port| End::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
        FourTuple {
            local: end(1, port),
            remote: end(2, 80),
        }
    }

    fn config() -> Config {
        Config::new(vec![], [3; 32])
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn the_clock_of_a_tuple_ticks_every_millisecond() {
        let value = |ns| value(&config(), Instant::from_nanos(ns), &tuple(5));
        assert_eq!(value(1_000_000).wrapping_sub(value(0)), 1, "R7323-12");
        assert_eq!(value(999_999), value(0));
        assert_eq!(value(3_600_000_000_000).wrapping_sub(value(0)), 3_600_000);
    }

    #[test]
    fn tuples_do_not_tell_each_others_clock() {
        let now = at(9);
        let one = value(&config(), now, &tuple(5));
        assert_ne!(one, value(&config(), now, &tuple(6)));
    }

    #[test]
    fn order_wraps() {
        assert!(before(u32::MAX, 3) && !before(3, u32::MAX) && !before(7, 7));
    }

    #[test]
    fn an_older_timestamp_is_old_for_24_days() {
        let mut stamps = Timestamps::new(&config(), &tuple(5), 1000, at(0));
        let refuses = |value, now| paws_refuses(&config(), value, stamps.valid_recent(now));
        assert!(
            refuses(999, at(24 * DAY)) && !refuses(1000, at(0)),
            "R7323-09"
        );
        assert!(!refuses(999, at(24 * DAY + 1)), "R7323-11");
        stamps.take(999, at(24 * DAY));
        assert_eq!(stamps.recent(), 1000, "R7323-08");
        stamps.take(999, at(24 * DAY + 1));
        assert_eq!(stamps.recent(), 999, "R7323-11");
        assert_eq!(stamps.valid_recent(at(48 * DAY)), Some(999));
    }

    #[test]
    fn an_echo_tells_the_time_since_and_nonsense_tells_nothing() {
        let stamps = Timestamps::new(&config(), &tuple(5), 0, at(0));
        let (sent, _) = stamps.option(at(5), true);
        let longest = Duration::from_secs(60);
        assert_eq!(
            stamps.elapsed(sent, at(7), longest),
            Some(Duration::from_secs(2))
        );
        assert_eq!(
            stamps.elapsed(sent.wrapping_add(1), at(5), longest),
            None,
            "of the future"
        );
        assert_eq!(stamps.elapsed(sent, at(66), longest), None, "of long ago");
    }

    #[test]
    fn nothing_is_echoed_without_an_ack() {
        let stamps = Timestamps::new(&config(), &tuple(5), 77, at(0));
        assert_eq!(
            (stamps.option(at(1), false).1, stamps.option(at(1), true).1),
            (0, 77),
            "R7323-07"
        );
    }
}
