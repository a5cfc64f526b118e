//! Initial sequence numbers (RFC 9293 §3.4.1, RFC 6528 §3).
//!
//! ISN = M + F(local, remote, secret): M ticks every 4 us, so that numbers of one tuple grow with
//! time (MUST-8), and F keeps them from whoever does not know the secret (MUST-9, SHLD-1).

use crate::config::Config;
use crate::keyed::{self, Purpose};
use crate::protection::Protection;
use crate::seq::SeqNumber;
use crate::table::FourTuple;
use crate::time::Instant;

/// Nanoseconds of one tick of the ISN clock.
const TICK_NANOS: u64 = 4_000;

/// The initial send sequence number of a connection that opens now (R6528-01). `opens` counts the
/// opens of this stack; it matters only with protections off.
pub(crate) fn initial(config: &Config, now: Instant, tuple: &FourTuple, opens: u64) -> SeqNumber {
    if !config.protects(Protection::IsnMonotone) {
        let secret = &config.secret;
        let purpose = Purpose::RandomSequenceNumber;
        return SeqNumber(keyed::hash(secret, purpose, tuple.local, tuple.remote, opens) as u32);
    }
    let offset = if config.protects(Protection::IsnHash) {
        offset(config, tuple)
    } else {
        0
    };
    SeqNumber(clock(config, now).wrapping_add(offset))
}

/// The number for a connection that replaces one in TIME-WAIT: beyond everything the old one
/// sent (RFC 9293 §3.6.1), or the clock's where that is further. `old_wnd`: the largest window
/// that the peer offered to the old one.
pub(crate) fn past(
    config: &Config,
    clock: SeqNumber,
    old_snd_nxt: SeqNumber,
    old_wnd: u32,
) -> SeqNumber {
    // Further than its windows, so that no old ACK looks plausible (RFC 5961 §5).
    let gap = old_wnd.max(u32::from(u16::MAX)) + 2;
    if !config.protects(Protection::IsnPastOld) {
        return clock;
    }
    clock.max(old_snd_nxt + gap)
}

/// M: the 4 us clock.
fn clock(config: &Config, now: Instant) -> u32 {
    if !config.protects(Protection::IsnClock) {
        return config.isn_epoch;
    }
    config
        .isn_epoch
        .wrapping_add((now.as_nanos() / TICK_NANOS) as u32)
}

/// F: the keyed hash of the tuple (R6528-02, R6528-03).
fn offset(config: &Config, tuple: &FourTuple) -> u32 {
    let purpose = Purpose::InitialSequenceNumber;
    keyed::hash(&config.secret, purpose, tuple.local, tuple.remote, 0) as u32
}

#[cfg(test)]
mod tests {
    use super::{initial, past};
    use crate::config::Config;
    use crate::seq::SeqNumber;
    use crate::table::{End, FourTuple};
    use crate::time::{Duration, Instant};
    use alloc::vec;
    use core::net::{IpAddr, Ipv4Addr};

    fn tuple(port: u16) -> FourTuple {
        let end = |last, port| End::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
        FourTuple {
            local: end(1, port),
            remote: end(2, 80),
        }
    }

    fn config(secret: u8) -> Config {
        Config::new(vec![], [secret; 32])
    }

    /// MUST-8, SHLD-1, R6528-01, R6528-03.
    #[test]
    fn one_tuple_follows_the_clock_of_four_microseconds() {
        let at = |nanos| initial(&config(1), Instant::from_nanos(nanos), &tuple(5), 0);
        assert_eq!(at(4_000) - at(0), 1);
        assert_eq!(at(3_999) - at(0), 0);
        assert_eq!(at(1_000_000_000) - at(0), 250_000);
    }

    /// MUST-9, SHLD-1, R6528-02, R6528-03: without the secret nobody computes one from another.
    #[test]
    fn tuples_and_secrets_are_unrelated() {
        let now = Instant::ZERO + Duration::from_secs(9);
        let base = initial(&config(1), now, &tuple(5), 0);
        assert_ne!(base, initial(&config(1), now, &tuple(6), 0));
        assert_ne!(base, initial(&config(2), now, &tuple(5), 0));
    }

    #[test]
    fn a_reopened_connection_starts_beyond_the_old_one() {
        let old = SeqNumber(u32::MAX - 3);
        assert!(past(&config(1), old.back(1_000_000), old, 0).after(old + 65_535));
        assert_eq!(past(&config(1), old + 1_000_000, old, 0), old + 1_000_000);
    }

    #[test]
    fn the_step_beyond_the_old_connection_is_wider_than_its_windows() {
        let old = SeqNumber(u32::MAX - 3);
        assert!(past(&config(1), old + 1_000_000, old, 1 << 30).after(old + (1 << 30)));
    }

    #[test]
    fn the_epoch_shifts_every_number() {
        let shifted = Config {
            isn_epoch: 77,
            ..config(1)
        };
        let (a, b) = (initial(&config(1), Instant::ZERO, &tuple(5), 0), shifted);
        assert_eq!(initial(&b, Instant::ZERO, &tuple(5), 0) - a, 77);
    }
}
