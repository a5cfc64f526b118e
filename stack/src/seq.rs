//! Sequence numbers and their arithmetic modulo 2^32 (RFC 9293 §3.4).
//!
//! There is deliberately no `Ord`: modular order is not total, so two numbers are compared by
//! [`SeqNumber::before`] and [`SeqNumber::after`], which are exact while they lie less than 2^31
//! apart.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// A sequence or acknowledgment number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// `self < other` in modular order: `other` lies at most 2^31 - 1 ahead.
    pub const fn before(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// `self > other` in modular order.
    pub const fn after(self, other: Self) -> bool {
        other.before(self)
    }

    /// `self <= other` in modular order.
    pub const fn at_or_before(self, other: Self) -> bool {
        !other.before(self)
    }

    /// `self >= other` in modular order.
    pub const fn at_or_after(self, other: Self) -> bool {
        !self.before(other)
    }

    /// Whether `self` lies on the half-open arc that starts at `start` and is `len` long.
    pub const fn within(self, start: Self, len: u32) -> bool {
        self.0.wrapping_sub(start.0) < len
    }

    /// The later of the two in modular order.
    pub const fn max(self, other: Self) -> Self {
        if self.before(other) { other } else { self }
    }

    /// The earlier of the two in modular order.
    pub const fn min(self, other: Self) -> Self {
        if self.before(other) { self } else { other }
    }

    /// The octets from `earlier` up to `self`, or zero if `earlier` lies ahead.
    pub const fn saturating_since(self, earlier: Self) -> u32 {
        if self.before(earlier) {
            0
        } else {
            self.0.wrapping_sub(earlier.0)
        }
    }

    /// The number `octets` back.
    pub const fn back(self, octets: u32) -> Self {
        Self(self.0.wrapping_sub(octets))
    }
}

impl Add<u32> for SeqNumber {
    type Output = Self;
    fn add(self, rhs: u32) -> Self {
        Self(self.0.wrapping_add(rhs))
    }
}

impl AddAssign<u32> for SeqNumber {
    fn add_assign(&mut self, rhs: u32) {
        *self = *self + rhs;
    }
}

/// The distance forward from `rhs` to `self`, modulo 2^32.
impl Sub for SeqNumber {
    type Output = u32;
    fn sub(self, rhs: Self) -> u32 {
        self.0.wrapping_sub(rhs.0)
    }
}

impl fmt::Display for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::SeqNumber;

    const HALF: u32 = 1 << 31;

    #[test]
    fn order_wraps_at_the_top() {
        let top = SeqNumber(u32::MAX);
        assert!(top.before(top + 1) && (top + 1).after(top));
        assert_eq!((top + 1).0, 0);
        assert_eq!((top + 5) - top, 5);
    }

    #[test]
    fn order_is_strict_up_to_half_the_space() {
        let a = SeqNumber(7);
        assert!(a.before(a + (HALF - 1)));
        assert!(!a.before(a) && a.at_or_before(a) && a.at_or_after(a));
        assert!(!(a + (HALF - 1)).before(a));
    }

    #[test]
    fn arcs_are_half_open_and_wrap() {
        let start = SeqNumber(u32::MAX - 1);
        assert!(start.within(start, 1) && !(start + 1).within(start, 1));
        assert!((start + 3).within(start, 4) && !start.back(1).within(start, 4));
        assert!(!start.within(start, 0));
    }

    #[test]
    fn larger_and_smaller_follow_modular_order() {
        let a = SeqNumber(u32::MAX);
        assert_eq!((a.max(a + 2), a.min(a + 2)), (a + 2, a));
        assert_eq!(
            (a.saturating_since(a + 2), (a + 2).saturating_since(a)),
            (0, 2)
        );
    }
}
