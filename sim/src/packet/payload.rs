//! The octets above IP, stored so that small ones cost no allocation.

use core::fmt;

use crate::fates::{Damage, Struck};

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

    /// Damages the octets, and says whether anything changed: not so for an empty payload.
    pub(crate) fn damage(&mut self, damage: Damage) -> bool {
        match damage.strike(self.octets_mut()) {
            Struck::Unchanged => false,
            Struck::Changed => true,
            Struck::Truncated(octets) => {
                self.truncate(octets);
                true
            }
        }
    }

    fn truncate(&mut self, octets: usize) {
        match &mut self.0 {
            Store::Inline { length, .. } => *length = (*length).min(octets as u8),
            Store::Heap(all) => all.truncate(octets),
        }
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
    use crate::fates::Damage;

    #[test]
    fn payloads_are_equal_by_octets_not_by_storage() {
        for length in [0, 1, 45, 46, 47, 1500] {
            let octets: Vec<u8> = (0..length).map(|n| n as u8).collect();
            assert_eq!(Payload::new(octets.clone()), Payload::from_slice(&octets));
            assert_eq!(Payload::from_slice(&octets).octets(), octets);
        }
    }

    #[test]
    fn what_is_cut_short_keeps_its_beginning() {
        for length in [3, 46, 47, 1500] {
            let octets: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut payload = Payload::from_slice(&octets);
            assert!(payload.damage(Damage::Truncate { octets: 2 }));
            assert_eq!(payload.octets(), [0, 1]);
        }
        assert!(!Payload::default().damage(Damage::Truncate { octets: 2 }));
    }
}
