//! The value of the user timeout option (RFC 5482 §3, kind 28).

use core::fmt;

use crate::time::Duration;

/// How long the sender of the option waits for acknowledgments: 15 bits of seconds or minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserTimeout(u16);

impl UserTimeout {
    /// The field as it stands in the option: the top bit says minutes.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The field as it goes into the option.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The time in seconds if they fit, else in minutes; rounded up, 1 second to 32,767 minutes
    /// (zero must not be sent, RFC 5482 §3.4).
    pub fn from_duration(time: Duration) -> Self {
        let up = u64::from(time.subsec_nanos() > 0);
        let seconds = time.as_secs().saturating_add(up).max(1);
        if seconds <= u64::from(VALUE_MAX) {
            return Self(seconds as u16);
        }
        let minutes = seconds.div_ceil(60).min(u64::from(VALUE_MAX));
        Self(MINUTES | minutes as u16)
    }

    /// The time that it says; zero says nothing.
    pub fn duration(self) -> Duration {
        let unit = if self.0 & MINUTES == 0 { 1 } else { 60 };
        Duration::from_secs(u64::from(self.0 & VALUE_MAX) * unit)
    }
}

impl fmt::Display for UserTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.duration().as_secs())
    }
}

/// The granularity bit.
const MINUTES: u16 = 1 << 15;
const VALUE_MAX: u16 = MINUTES - 1;

#[cfg(test)]
mod tests {
    use super::UserTimeout;
    use crate::time::Duration;

    fn bits(seconds: u64) -> u16 {
        UserTimeout::from_duration(Duration::from_secs(seconds)).bits()
    }

    #[test]
    fn seconds_while_they_fit_then_minutes_never_zero() {
        assert_eq!([bits(0), bits(1), bits(32_767)], [1, 1, 32_767]);
        assert_eq!(bits(32_768), 0x8000 | 547);
        assert_eq!(bits(u64::MAX), 0xffff);
        let part = UserTimeout::from_duration(Duration::from_millis(1_001));
        assert_eq!(part.duration(), Duration::from_secs(2), "rounded up");
    }

    #[test]
    fn the_top_bit_says_minutes() {
        let of = |bits| UserTimeout::from_bits(bits).duration().as_secs();
        assert_eq!([of(100), of(0x8000 | 100), of(0)], [100, 6_000, 0]);
    }
}
