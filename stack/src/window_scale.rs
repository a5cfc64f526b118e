//! Window scaling (RFC 7323 §2): what a window field counts.
//!
//! A field of 16 bits counts units of `1 << shift` octets, in every segment but a SYN (R7323-03).
//! Each direction has a shift of its own, told in the SYN of its receiver, and both are zero unless
//! both SYNs told one (R7323-01).

use crate::config::{Config, WindowScale};

/// The largest shift: with it a window is at most 2^30 octets (RFC 7323 §2.3, R7323-02).
pub(crate) const SHIFT_MAX: u8 = 14;

/// How far window fields of one direction are shifted, 0 to 14.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shift(u8);

impl Shift {
    /// Fields count octets.
    pub(crate) const NONE: Self = Self(0);

    /// What a window scale option means: more than 14 is read as 14 (R7323-02).
    pub(crate) fn of_option(shift: u8) -> Self {
        Self(shift.min(SHIFT_MAX))
    }

    /// The shift that is offered for a receive buffer; `None`: the host does not scale.
    ///
    /// The unit is at most a quarter of the buffer, whatever is asked for: rounded down to units,
    /// a window that is nearly open must never look shut.
    pub(crate) fn offered(config: &Config, receive_buffer: u32) -> Option<Self> {
        let buffer = receive_buffer.clamp(1, BUFFER_MAX);
        let coarsest = (buffer / 4).checked_ilog2().unwrap_or(0) as u8;
        let shift = match config.window_scale {
            WindowScale::Off => return None,
            WindowScale::AsNeeded => (0..SHIFT_MAX)
                .find(|&shift| Self(shift).widest() >= buffer)
                .unwrap_or(SHIFT_MAX),
            WindowScale::Fixed(shift) => shift,
        };
        Some(Self::of_option(shift.min(coarsest)))
    }

    /// The shift as the option says it, and as oracles see it.
    pub(crate) fn count(self) -> u8 {
        self.0
    }

    /// The octets that a field stands for (R7323-13).
    pub(crate) fn octets(self, field: u16) -> u32 {
        u32::from(field) << self.0
    }

    /// The field for so many octets, rounded down to whole units (R7323-13).
    pub(crate) fn field(self, octets: u32) -> u16 {
        (octets >> self.0).min(u32::from(u16::MAX)) as u16
    }

    /// The octets that the field for so many stands for: less than a unit fewer.
    pub(crate) fn rounded(self, octets: u32) -> u32 {
        self.octets(self.field(octets))
    }

    /// The largest window that a field can say.
    pub(crate) fn widest(self) -> u32 {
        self.octets(u16::MAX)
    }

    /// The octets by which rounding may move a right edge back: less than a unit (RFC 7323 §2.4).
    pub(crate) fn lost(self) -> u32 {
        (1 << self.0) - 1
    }
}

/// The largest receive buffer: a window beyond it could not be told (RFC 7323 §2.3).
pub(crate) const BUFFER_MAX: u32 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::{BUFFER_MAX, Shift};
    use crate::config::{Config, WindowScale};
    use alloc::vec;

    fn offered(receive_buffer: u32, window_scale: WindowScale) -> Option<u8> {
        let config = Config {
            window_scale,
            ..Config::new(vec![], [0; 32])
        };
        Shift::offered(&config, receive_buffer).map(Shift::count)
    }

    #[test]
    fn a_shift_is_as_large_as_the_buffer_needs() {
        let as_needed = |buffer| offered(buffer, WindowScale::AsNeeded);
        assert_eq!(as_needed(65_535), Some(0));
        assert_eq!(as_needed(65_536), Some(1));
        assert_eq!(as_needed(1 << 20), Some(5));
        assert_eq!(as_needed(BUFFER_MAX), Some(14), "R7323-02");
        assert_eq!(as_needed(u32::MAX), Some(14));
        assert_eq!(offered(1 << 20, WindowScale::Off), None);
    }

    #[test]
    fn a_unit_is_at_most_a_quarter_of_the_buffer() {
        let fixed = |buffer| offered(buffer, WindowScale::Fixed(14));
        assert_eq!(fixed(65_536), Some(14));
        assert_eq!(fixed(65_535), Some(13));
        assert_eq!((fixed(4), fixed(3), fixed(0)), (Some(0), Some(0), Some(0)));
        assert_eq!(offered(BUFFER_MAX, WindowScale::Fixed(200)), Some(14));
    }

    #[test]
    fn fourteen_is_the_most_and_a_field_is_rounded_down() {
        assert_eq!(Shift::of_option(255), Shift::of_option(14), "R7323-02");
        let shift = Shift::of_option(7);
        assert_eq!(
            (shift.field(127), shift.field(128), shift.field(1000)),
            (0, 1, 7)
        );
        assert_eq!(
            (shift.octets(7), shift.rounded(1000), shift.lost()),
            (896, 896, 127)
        );
        assert_eq!(shift.field(u32::MAX), 65_535, "R7323-13");
        assert_eq!(Shift::of_option(14).widest(), 65_535 << 14);
        assert_eq!((Shift::NONE.octets(9), Shift::NONE.lost()), (9, 0));
    }
}
