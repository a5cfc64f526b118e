//! What happens to the octets of a datagram on its way.

/// Damage to the octets above IP, which length and header of IP do not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A burst error. One of at most 15 bits never escapes the ones' complement checksum
    /// (RFC 1071).
    Burst(Burst),
    /// Several octets are other ones. One time in 65,535 or so no checksum of 16 bits tells.
    Scramble {
        /// The first of them, modulo the length.
        start: u32,
        /// How many; the end of the payload is their end.
        octets: u16,
        /// What they are combined with, the least significant octet first, again and again.
        pattern: u32,
    },
    /// Two words of 16 bits have changed places: the ones' complement sum never tells (Stone and
    /// Partridge 2000).
    Swap {
        /// The one, modulo the number of words.
        a: u32,
        /// The other one.
        b: u32,
    },
    /// The end is missing.
    Truncate {
        /// How many octets remain, modulo the length.
        octets: u32,
    },
}

/// A burst error: from bit `start` (of the payload, modulo its length, most significant first)
/// the bits that `pattern` has set are inverted; bit 0 of the pattern comes first. A burst that
/// would run over the end of the payload is moved back so far that it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// The first bit, taken modulo the length of the payload in bits.
    pub start: u32,
    /// Which of the following bits are inverted.
    pub pattern: u16,
}

impl Damage {
    /// Does it to these octets, and says whether anything changed.
    pub(crate) fn strike(self, octets: &mut [u8]) -> Struck {
        let length = octets.len() as u64;
        if length == 0 {
            return Struck::Unchanged;
        }
        let changed = match self {
            Self::Burst(burst) => burst.strike(octets),
            Self::Scramble {
                start,
                octets: count,
                pattern,
            } => {
                let first = (u64::from(start) % length) as usize;
                let struck = octets[first..].iter_mut().take(count.into());
                let pattern = pattern.to_le_bytes().into_iter().cycle();
                struck.zip(pattern).fold(false, |changed, (octet, with)| {
                    *octet ^= with;
                    changed || with != 0
                })
            }
            Self::Swap { a, b } => swap(octets, a, b),
            Self::Truncate { octets: remain } => {
                return Struck::Truncated((u64::from(remain) % length) as usize);
            }
        };
        match changed {
            true => Struck::Changed,
            false => Struck::Unchanged,
        }
    }
}

/// What damage has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Struck {
    Unchanged,
    Changed,
    /// So many octets are left.
    Truncated(usize),
}

fn swap(octets: &mut [u8], a: u32, b: u32) -> bool {
    let words = octets.len() as u64 / 2;
    if words == 0 {
        return false;
    }
    let [a, b] = [a, b].map(|word| (u64::from(word) % words) as usize * 2);
    let differ = octets[a..a + 2] != octets[b..b + 2];
    octets.swap(a, b);
    octets.swap(a + 1, b + 1);
    differ
}

impl Burst {
    /// A burst that would run over the end is moved back so far that it fits, because wrapped
    /// around or cut off it would no longer be the burst that was asked for.
    fn strike(self, octets: &mut [u8]) -> bool {
        let bits = octets.len() as u64 * 8;
        if self.pattern == 0 {
            return false;
        }
        let pattern = self.pattern >> self.pattern.trailing_zeros();
        let first = u64::from(self.start) + u64::from(self.pattern.trailing_zeros());
        let width = u64::from(16 - pattern.leading_zeros());
        let first = (first % bits).min(bits.saturating_sub(width));
        for offset in 0..width.min(bits) {
            if pattern >> offset & 1 == 1 {
                let bit = first + offset;
                octets[(bit / 8) as usize] ^= 0x80 >> (bit % 8);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Burst, Damage, Struck};

    fn burst(start: u32, pattern: u16) -> Damage {
        Damage::Burst(Burst { start, pattern })
    }

    #[test]
    fn a_burst_inverts_exactly_its_bits_most_significant_first() {
        let mut octets = [0, 0, 0];
        assert_eq!(burst(6, 0b1011).strike(&mut octets), Struck::Changed);
        assert_eq!(octets, [0b0000_0011, 0b0100_0000, 0]);
        // The start is taken modulo the length.
        assert_eq!(burst(24 + 6, 0b1011).strike(&mut octets), Struck::Changed);
        assert_eq!(octets, [0, 0, 0]);
    }

    #[test]
    fn a_burst_never_leaves_octets_as_they_were_and_never_spreads() {
        for length in 1_usize..5 {
            for start in 0..40 {
                for pattern in 1..=u16::MAX >> 4 {
                    let mut octets = [0; 5];
                    let octets = &mut octets[..length];
                    assert_eq!(burst(start, pattern).strike(octets), Struck::Changed);
                    let number = octets
                        .iter()
                        .fold(0_u64, |sum, octet| sum << 8 | u64::from(*octet));
                    let width = number.ilog2() - number.trailing_zeros() + 1;
                    let asked = pattern.ilog2() - pattern.trailing_zeros() + 1;
                    assert!(number != 0 && width <= asked);
                }
            }
        }
    }

    #[test]
    fn scrambled_octets_stay_within_the_datagram() {
        let scramble = |start, octets| Damage::Scramble {
            start,
            octets,
            pattern: 0x0400_0201,
        };
        let mut octets = [0; 6];
        assert_eq!(scramble(1, 4).strike(&mut octets), Struck::Changed);
        assert_eq!(octets, [0, 1, 2, 0, 4, 0]);
        let mut octets = [0; 3];
        assert_eq!(scramble(3 + 2, 100).strike(&mut octets), Struck::Changed);
        assert_eq!(octets, [0, 0, 1], "nothing is behind the end");
        assert_eq!(scramble(0, 0).strike(&mut octets), Struck::Unchanged);
    }

    #[test]
    fn words_that_change_places_leave_the_sum_as_it_is() {
        let mut octets = [1, 2, 3, 4, 5];
        let swap = |a, b| Damage::Swap { a, b };
        assert_eq!(swap(0, 1).strike(&mut octets), Struck::Changed);
        assert_eq!(octets, [3, 4, 1, 2, 5]);
        assert_eq!(swap(1, 3).strike(&mut octets), Struck::Unchanged);
        assert_eq!(octets, [3, 4, 1, 2, 5], "two words: 3 is 1");
        assert_eq!(swap(0, 1).strike(&mut octets[..1]), Struck::Unchanged);
    }

    #[test]
    fn what_is_cut_short_lost_an_octet_at_least() {
        for (octets, left) in [(0, 0), (4, 4), (5, 0), (7, 2)] {
            let damage = Damage::Truncate { octets };
            assert_eq!(damage.strike(&mut [9; 5]), Struck::Truncated(left));
        }
    }

    #[test]
    fn nothing_can_be_damaged_in_nothing_or_by_nothing() {
        for damage in [burst(3, 1), Damage::Truncate { octets: 3 }] {
            assert_eq!(damage.strike(&mut []), Struck::Unchanged);
        }
        assert_eq!(burst(3, 0).strike(&mut [7]), Struck::Unchanged);
    }
}
