//! Dice that fall alike everywhere: ChaCha8, one key per world, one named stream per use.
//!
//! Two uses never share a stream, so one of them drawing more or less moves nothing in the other.
//! All arithmetic is on integers, and none of it is left to a library whose results may change:
//! the tests pin the values.

use core::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::time::nanos;

/// One in a million: the unit of every rate.
pub const PPM: u32 = 1_000_000;

/// The key of a world: all its streams are split from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of this seed.
    pub fn new(seed: u64) -> Self {
        let mut key = *b"........timewait key, version 1.";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Self(key)
    }

    /// The stream of the `index`-th user of kind `family`, from its beginning.
    ///
    /// Families below 0x1_0000 are taken by this crate; others are free.
    pub fn stream(&self, family: u32, index: u32) -> Stream {
        let mut rng = ChaCha8Rng::from_seed(self.0);
        rng.set_stream(u64::from(family) << 32 | u64::from(index));
        Stream(rng)
    }
}

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Any number.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `n`, each as likely as the others; 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // Lemire (2019): the high half of a product is in range, and rejecting low halves below
        // 2^64 mod n takes the bias away.
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            let rejected = n.wrapping_neg() % n;
            while (product as u64) < rejected {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// `true` with a chance of `ppm` in a million. Always draws once.
    pub fn ratio(&mut self, ppm: u32) -> bool {
        self.below(u64::from(PPM)) < u64::from(ppm)
    }

    /// A number from `low` to `high`, both included; `low` if `high` is not above it.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        match high.saturating_sub(low).checked_add(1) {
            Some(count) => low + self.below(count),
            None => self.next_u64(),
        }
    }

    /// A time from `low` to `high`, both included, in whole nanoseconds; `low` if `high` is not
    /// above it.
    pub fn duration(&mut self, low: Duration, high: Duration) -> Duration {
        Duration::from_nanos(self.between(nanos(low), nanos(high)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, PPM};

    /// The numbers are those of an independent ChaCha8 (Bernstein 2008) with a 64-bit counter from
    /// 0 and the stream's name, little-endian, as its 64-bit nonce.
    #[test]
    fn the_values_are_pinned() {
        let mut stream = Key::new(0x1234_5678_9abc_def0).stream(7, 3);
        let drawn: [u64; 4] = core::array::from_fn(|_| stream.next_u64());
        assert_eq!(
            drawn,
            [
                1_754_324_561_162_484_021,
                12_181_103_503_058_423_721,
                8_701_229_649_413_159_425,
                9_488_863_034_550_466_765
            ]
        );
        let drawn: [u64; 4] = core::array::from_fn(|_| stream.between(10, 1_000));
        assert_eq!(drawn, [549, 830, 98, 962]);
        let drawn: [bool; 8] = core::array::from_fn(|_| stream.ratio(PPM / 2));
        assert_eq!(drawn, [false, true, true, true, false, false, true, true]);
    }

    #[test]
    fn streams_differ_by_seed_family_and_index() {
        let first = |seed, family, index| Key::new(seed).stream(family, index).next_u64();
        let base = first(1, 1, 1);
        assert_eq!(base, first(1, 1, 1));
        for other in [first(2, 1, 1), first(1, 2, 1), first(1, 1, 2)] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn every_value_of_a_range_comes_up_about_equally_often() {
        let mut stream = Key::new(1).stream(1, 1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[stream.below(7) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (9_500..10_500).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn ends_of_ranges_are_included_and_empty_ranges_are_harmless() {
        let mut stream = Key::new(1).stream(1, 1);
        let drawn: Vec<u64> = (0..200).map(|_| stream.between(3, 5)).collect();
        assert_eq!(drawn.iter().min(), Some(&3));
        assert_eq!(drawn.iter().max(), Some(&5));
        assert_eq!(stream.between(5, 3), 5);
        assert_eq!(stream.below(0), 0);
        stream.between(0, u64::MAX);
    }

    #[test]
    fn rates_of_nothing_and_of_all_are_certain() {
        let mut stream = Key::new(1).stream(1, 1);
        assert!((0..1_000).all(|_| !stream.ratio(0) && stream.ratio(PPM)));
        let half = (0..10_000).filter(|_| stream.ratio(PPM / 2)).count();
        assert!((4_700..5_300).contains(&half), "{half}");
    }
}
