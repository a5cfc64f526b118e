//! SYN cookies (RFC 4987 §3.6): what a listener has to remember of a SYN travels in the ISN of its
//! SYN-ACK and comes back in the peer's acknowledgment, so a flood of SYNs costs no memory.
//!
//! ```text
//!  ISN - mask(tuple) = | period mod 32 | MSS index | hash(tuple, IRS, period, MSS index) |
//!                           5 bits         3 bits                24 bits
//! ```
//!
//! A cookie is good in the period in which it was made and in the next. To guess one takes some
//! 2^23 tries; to check one takes two hashes. What does not fit in is lost: the peer's window (the
//! acknowledgment brings another), the MSS is rounded down, and there is no place for other options.
//!
//! Where the peer has timestamps, two more options travel in ours and come back as TSecr, as in Linux:
//!
//! ```text
//!  TSval = | clock, less its last six bits | SACK-permitted | window scale, 15: none |
//!                      26 bits                    1 bit             4 bits, 1 spare
//! ```
//!
//! TSval is then up to 64 ticks behind the clock, never before it: all later ones are greater, as
//! RFC 7323 §5.4 wants them. A peer that echoes something else deceives itself only. ECN and the user
//! timeout are not kept.

use crate::config::Config;
use crate::keyed::{self, Purpose};
use crate::seq::SeqNumber;
use crate::table::FourTuple;
use crate::time::{Duration, Instant};
use crate::timestamps;
use crate::window_scale::SHIFT_MAX;
use crate::wire::Options;

/// How long one secret period lasts. A cookie is good for one to two of these.
pub(crate) const PERIOD: Duration = Duration::from_secs(64);

/// The largest of these that the peer's MSS allows is what we keep to: the floor of any MSS, the
/// defaults of RFC 9293 §3.7.1, those of common links with and without tunnels, of large frames.
const MSS_TABLE: [u16; 8] = [48, 256, 536, 1220, 1380, 1440, 1460, 8940];

/// What an acknowledged cookie says of the SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) mss: u16,
    /// With timestamps only.
    pub(crate) offer: Option<Offer>,
}

/// What both ends may use because the SYN and the cookie had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The peer's shift, 14 at most.
    pub(crate) window_scale: Option<u8>,
    pub(crate) sack: bool,
}

impl Offer {
    /// Of the options of a SYN.
    pub(crate) fn of(syn: &Options) -> Self {
        Self {
            window_scale: syn.window_scale.map(|shift| shift.min(SHIFT_MAX)),
            sack: syn.sack_permitted,
        }
    }

    /// The latest TSval no later than `value` that tells it.
    pub(crate) fn stamp(self, value: u32) -> u32 {
        let shift = u32::from(self.window_scale.unwrap_or(UNSCALED));
        let stamp = value & !OFFER_BITS | u32::from(self.sack) << 4 | shift;
        let late = timestamps::before(value, stamp);
        stamp.wrapping_sub(if late { OFFER_BITS + 1 } else { 0 })
    }

    /// What the echo of such a TSval tells.
    pub(crate) fn in_echo(echo: u32) -> Self {
        let shift = (echo & 15) as u8;
        Self {
            window_scale: (shift <= SHIFT_MAX).then_some(shift),
            sack: echo >> 4 & 1 == 1,
        }
    }
}

/// Of a TSval.
const OFFER_BITS: u32 = 63;
/// No shift.
const UNSCALED: u8 = 15;

/// The ISN for a SYN of `tuple` that starts at `irs` and allows segments of `mss` octets.
pub(crate) fn issue(
    config: &Config,
    now: Instant,
    tuple: &FourTuple,
    irs: SeqNumber,
    mss: u16,
) -> SeqNumber {
    let above = MSS_TABLE.iter().rposition(|&entry| entry <= mss);
    bake(config, tuple, irs, period(now), above.unwrap_or(0))
}

/// The MSS, if `iss` is a cookie that is good now for this tuple and `irs`.
pub(crate) fn check(
    config: &Config,
    now: Instant,
    tuple: &FourTuple,
    irs: SeqNumber,
    iss: SeqNumber,
) -> Option<u16> {
    let bare = iss.0.wrapping_sub(mask(config, tuple));
    let (low, index) = (u64::from(bare >> 27), (bare >> 24 & 7) as usize);
    let age = period(now).wrapping_sub(low) & 31;
    let made = period(now).checked_sub(age).filter(|_| age <= 1)?;
    (bake(config, tuple, irs, made, index) == iss).then_some(MSS_TABLE[index])
}

fn bake(
    config: &Config,
    tuple: &FourTuple,
    irs: SeqNumber,
    period: u64,
    index: usize,
) -> SeqNumber {
    // 29 bits hold every period of a clock that counts nanoseconds in 64.
    let matter = period << 35 | u64::from(irs.0) << 3 | index as u64;
    let purpose = Purpose::Cookie;
    let hash = keyed::hash(&config.secret, purpose, tuple.local, tuple.remote, matter) as u32;
    let bare = (period as u32) << 27 | (index as u32) << 24 | hash >> 8;
    SeqNumber(bare.wrapping_add(mask(config, tuple)))
}

/// Hides the parts of a cookie, and makes those of different tuples unrelated (RFC 6528 §3).
fn mask(config: &Config, tuple: &FourTuple) -> u32 {
    let purpose = Purpose::CookieMask;
    keyed::hash(&config.secret, purpose, tuple.local, tuple.remote, 0) as u32
}

fn period(now: Instant) -> u64 {
    now.as_nanos() / PERIOD.as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::{Offer, PERIOD, check, issue};
    use crate::config::Config;
    use crate::seq::SeqNumber;
    use crate::table::{End, FourTuple};
    use crate::time::{Duration, Instant};
    use crate::wire::Options;
    use alloc::vec;
    use core::net::{IpAddr, Ipv4Addr};

    const IRS: SeqNumber = SeqNumber(u32::MAX);

    fn tuple(port: u16) -> FourTuple {
        let end = |last, port| End::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
        FourTuple {
            local: end(1, 80),
            remote: end(2, port),
        }
    }

    fn config(secret: u8) -> Config {
        Config::new(vec![], [secret; 32])
    }

    fn at(periods: u32) -> Instant {
        Instant::ZERO + PERIOD * periods
    }

    #[test]
    fn the_mss_comes_back_rounded_down() {
        for (given, kept) in [
            (0, 48),
            (48, 48),
            (535, 256),
            (536, 536),
            (1459, 1440),
            (1460, 1460),
            (u16::MAX, 8940),
        ] {
            let iss = issue(&config(1), at(3), &tuple(5), IRS, given);
            assert_eq!(check(&config(1), at(3), &tuple(5), IRS, iss), Some(kept));
        }
    }

    #[test]
    fn an_offer_comes_back_from_a_timestamp_that_is_not_ahead_of_the_clock() {
        for window_scale in [None, Some(0), Some(7), Some(14)] {
            for (sack, value) in [(false, 5), (true, 64), (true, u32::MAX), (false, 0)] {
                let offer = Offer { window_scale, sack };
                let stamp = offer.stamp(value);
                assert!(value.wrapping_sub(stamp) < 64, "{value} {stamp}");
                assert_eq!(Offer::in_echo(stamp), offer);
            }
        }
        let steep = Options {
            window_scale: Some(200),
            ..Options::default()
        };
        assert_eq!(Offer::of(&steep).window_scale, Some(14), "R7323-02");
    }

    #[test]
    fn a_cookie_is_good_for_its_period_and_the_next() {
        for made in [0, 1, 31, 32, 1_000_000] {
            let iss = issue(&config(1), at(made), &tuple(5), IRS, 1460);
            let good = |now| check(&config(1), now, &tuple(5), IRS, iss).is_some();
            let tick = Duration::from_nanos(1);
            assert!(good(at(made)) && good(at(made + 1)), "{made}");
            assert!(!good(at(made + 2)), "{made}");
            assert!(good(at(made) + (PERIOD * 2 - tick)), "{made}");
            // The five bits come around.
            assert!(!good(at(made + 32)) && !good(at(made + 33)), "{made}");
        }
    }

    #[test]
    fn it_is_good_only_where_it_was_made() {
        let iss = issue(&config(1), at(3), &tuple(5), IRS, 1460);
        assert_eq!(check(&config(1), at(3), &tuple(6), IRS, iss), None);
        assert_eq!(check(&config(2), at(3), &tuple(5), IRS, iss), None);
        assert_eq!(check(&config(1), at(3), &tuple(5), IRS + 1, iss), None);
        assert_eq!(check(&config(1), at(2), &tuple(5), IRS, iss), None);
    }

    #[test]
    fn guesses_are_no_cookies() {
        let guess = |n: u32| SeqNumber(n.wrapping_mul(0x9e37_79b9));
        let hit = |n: &u32| check(&config(1), at(3), &tuple(5), IRS, guess(*n)).is_some();
        assert_eq!((0..20_000).filter(hit).count(), 0);
    }

    #[test]
    fn cookies_of_neighbours_are_unrelated() {
        let iss = |port| issue(&config(1), at(3), &tuple(port), IRS, 1460);
        let steps: alloc::collections::BTreeSet<u32> =
            (0..500).map(|port| iss(port + 1) - iss(port)).collect();
        assert_eq!(steps.len(), 500);
    }
}
