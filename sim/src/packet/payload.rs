//! The octets above IP, stored so that small ones cost no allocation.

use core::fmt;

use crate::fates::Burst;

/// The octets above IP. How they are stored is hidden, so that it can become cheaper.
#[derive(Clone)]
pub struct Payload(Store);

/// What fits beside its length in 48 octets: a TCP header with the options that are in use, and
/// integers.
const INLINE: usize = 46;

#[derive(Clone)]
enum Store {
    Inline { length: u8, octets: [u8; INLINE] },
    Heap(Vec<u8>),
}

impl Payload {
    /// A payload that takes over this buffer.
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Store::Heap(octets))
    }

    /// A payload with a copy of these octets; up to 46 of them are kept without an allocation.
    pub fn from_slice(octets: &[u8]) -> Self {
        if octets.len() > INLINE {
            return Self::new(octets.to_vec());
        }
        let mut inline = [0; INLINE];
        inline[..octets.len()].copy_from_slice(octets);
        Self(Store::Inline {
            length: octets.len() as u8,
            octets: inline,
        })
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        match &self.0 {
            Store::Inline { length, octets } => &octets[..usize::from(*length)],
            Store::Heap(octets) => octets,
        }
    }

    /// Its buffer, emptied, to be filled again; `None` if it never had one.
    pub fn into_buffer(self) -> Option<Vec<u8>> {
        match self.0 {
            Store::Inline { .. } => None,
            Store::Heap(mut octets) => {
                octets.clear();
                Some(octets)
            }
        }
    }

    /// The payload, if it has a buffer; an empty one stays behind.
    pub(crate) fn take_buffer(&mut self) -> Option<Self> {
        matches!(self.0, Store::Heap(_)).then(|| core::mem::take(self))
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Store::Inline { length, octets } => &mut octets[..usize::from(*length)],
            Store::Heap(octets) => octets,
        }
    }

    /// Inverts the bits of a burst and says whether anything changed: not so for an empty payload
    /// or pattern.
    ///
    /// A burst that would run over the end is moved back so far that it fits, because wrapped
    /// around or cut off it would no longer be the burst that was asked for.
    pub(crate) fn damage(&mut self, burst: Burst) -> bool {
        let octets = self.octets_mut();
        let bits = octets.len() as u64 * 8;
        if bits == 0 || burst.pattern == 0 {
            return false;
        }
        let pattern = burst.pattern >> burst.pattern.trailing_zeros();
        let first = u64::from(burst.start) + u64::from(burst.pattern.trailing_zeros());
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

impl Default for Payload {
    fn default() -> Self {
        Self::from_slice(&[])
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.octets() == other.octets()
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Payload").field(&self.octets()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Payload;
    use crate::fates::Burst;

    #[test]
    fn payloads_are_equal_by_octets_not_by_storage() {
        for length in [0, 1, 45, 46, 47, 1500] {
            let octets: Vec<u8> = (0..length).map(|n| n as u8).collect();
            assert_eq!(Payload::new(octets.clone()), Payload::from_slice(&octets));
            assert_eq!(Payload::from_slice(&octets).octets(), octets);
        }
    }

    #[test]
    fn a_burst_inverts_exactly_its_bits_most_significant_first() {
        let mut payload = Payload::from_slice(&[0, 0, 0]);
        assert!(payload.damage(Burst {
            start: 6,
            pattern: 0b1011
        }));
        assert_eq!(payload.octets(), [0b0000_0011, 0b0100_0000, 0]);
        // The start is taken modulo the length.
        assert!(payload.damage(Burst {
            start: 24 + 6,
            pattern: 0b1011
        }));
        assert_eq!(payload.octets(), [0, 0, 0]);
    }

    #[test]
    fn a_burst_never_leaves_octets_as_they_were_and_never_spreads() {
        for length in 1_usize..5 {
            for start in 0..40 {
                for pattern in 1..=u16::MAX >> 4 {
                    let mut payload = Payload::from_slice(&[0; 5][..length]);
                    assert!(payload.damage(Burst { start, pattern }));
                    let number = payload
                        .octets()
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
    fn nothing_can_be_damaged_in_nothing_or_by_nothing() {
        assert!(!Payload::default().damage(Burst {
            start: 3,
            pattern: 1
        }));
        let mut payload = Payload::from_slice(&[7]);
        assert!(!payload.damage(Burst {
            start: 3,
            pattern: 0
        }));
        assert_eq!(payload.octets(), [7]);
    }
}
