//! Where a scenario's choices come from: a seed, or the bytes of a fuzzer.
//!
//! A choice is a number below a bound, and 0 is always the mildest. So a fuzzer that ran out of
//! bytes gets the mildest scenario that begins as it said, and fewer or smaller bytes mean less.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::label::mix;

/// Makes choices.
pub trait Choose {
    /// A number below `bound`, which is at least 1. 0 is the mildest choice.
    fn below(&mut self, bound: u64) -> u64;
}

/// What every source of choices can do.
impl dyn Choose + '_ {
    /// A number from `low` to `high`, both included; `low` is the mildest.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        debug_assert!(low <= high);
        match (high - low).checked_add(1) {
            Some(bound) => low + self.below(bound),
            None => self.below(u64::MAX),
        }
    }

    /// True in `part` of `whole` cases; false is the mildest.
    pub fn chance(&mut self, part: u64, whole: u64) -> bool {
        // The upper end counts as true, so that 0 is false.
        self.below(whole) >= whole - part
    }

    /// One of these; the first is the mildest.
    pub fn pick<'a, T>(&mut self, menu: &'a [T]) -> &'a T {
        &menu[self.below(menu.len() as u64) as usize]
    }

    /// A number from `low` to `high` with every octave as likely as the next, uniform inside
    /// each: log-uniform up to the step, in integers. `low` is at least 1 and the mildest.
    pub fn log_between(&mut self, low: u64, high: u64) -> u64 {
        debug_assert!(1 <= low && low <= high);
        let octaves = u64::from((high / low).ilog2()) + 1;
        let start = low << self.below(octaves);
        self.between(start, (start * 2 - 1).min(high))
    }

    /// Eight octets at a time of something secret; all zero is the mildest.
    pub fn secret(&mut self) -> [u8; 32] {
        let mut secret = [0; 32];
        for word in secret.chunks_mut(8) {
            word.copy_from_slice(&self.below(u64::MAX).to_le_bytes());
        }
        secret
    }
}

/// Choices drawn from a seed.
#[derive(Clone, Debug)]
pub struct Seeded(ChaCha8Rng);

impl Seeded {
    /// The choices of `seed` for one named `purpose`: other purposes draw other numbers.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut word = mix(seed);
        for &octet in purpose.as_bytes() {
            word = mix(word ^ u64::from(octet));
        }
        let mut key = [0; 32];
        for part in key.chunks_mut(8) {
            word = mix(word);
            part.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }
}

impl Choose for Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        // Lemire's multiplication without the rejection: the bias is below bound / 2^64.
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }
}

/// Choices read from bytes, as a fuzzer hands them in.
#[derive(Clone, Debug)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// Choices from these bytes; 0 for ever after them.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl Choose for Bytes<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        // As many octets as the bound needs, little end first: a fuzzer's change stays local.
        let octets = (71 - (bound - 1).leading_zeros()) / 8;
        let (now, later) = self.0.split_at(self.0.len().min(octets as usize));
        self.0 = later;
        now.iter()
            .rev()
            .fold(0, |word, &octet| word << 8 | u64::from(octet))
            % bound
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Choose, Seeded};

    fn draws(choose: &mut dyn Choose) -> Vec<u64> {
        vec![
            choose.between(3, 9),
            choose.log_between(10, 1000),
            u64::from(choose.chance(1, 2)),
            *choose.pick(&[7, 8, 9]),
        ]
    }

    #[test]
    fn a_seed_and_a_purpose_draw_the_same_again_and_others_differ() {
        let first = |seed, purpose| Seeded::new(seed, purpose).below(u64::MAX);
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(2, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
    }

    #[test]
    fn bytes_that_ran_out_choose_the_mildest() {
        assert_eq!(draws(&mut Bytes::new(&[])), [3, 10, 0, 7]);
        assert_eq!(draws(&mut Bytes::new(&[5])), [8, 10, 0, 7]);
    }

    #[test]
    fn bytes_are_taken_by_the_size_of_the_bound() {
        let mut bytes = Bytes::new(&[1, 2, 3, 4]);
        assert_eq!(bytes.below(1), 0);
        assert_eq!(bytes.below(256), 1);
        assert_eq!(bytes.below(257), (3 << 8 | 2) % 257);
        assert_eq!(bytes.below(u64::MAX), 4);
    }

    #[test]
    fn draws_stay_in_their_bounds_and_reach_both_ends() {
        let mut seeded = Seeded::new(1, "bounds");
        let choose: &mut dyn Choose = &mut seeded;
        let mut seen = [false; 8];
        for _ in 0..1000 {
            let drawn = choose.between(2, 5);
            assert!((2..=5).contains(&drawn));
            seen[drawn as usize] = true;
            assert!((200..=200_000).contains(&choose.log_between(200, 200_000)));
            assert_eq!(choose.log_between(9, 9), 9);
        }
        assert!(seen[2] && seen[5]);
    }

    #[test]
    fn every_octave_is_drawn() {
        let mut seeded = Seeded::new(1, "octaves");
        let choose: &mut dyn Choose = &mut seeded;
        let small = (0..1000)
            .filter(|_| choose.log_between(1, 1 << 20) < 1 << 10)
            .count();
        assert!(
            (380..620).contains(&small),
            "{small} of 1000 in the lower half of the octaves"
        );
    }
}
