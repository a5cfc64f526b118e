//! A growable ring of octets: what a send buffer and a receive buffer are made of.
//!
//! Offsets count from the front. The first `len` octets are the content; behind them there may be
//! octets that came out of order ([`Ring::write_at`]) and become content later ([`Ring::extend`]).
//! No memory is held until the first octet comes. There is no upper bound here: windows and buffer
//! sizes are for the owner to keep.

use alloc::vec;
use alloc::vec::Vec;

/// A ring of octets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ring {
    /// As long as a power of two, or empty.
    storage: Vec<u8>,
    /// Where in `storage` the front is.
    head: u32,
    /// Octets of content.
    len: u32,
    /// Octets from the front to the last one written: `len <= extent <= storage.len()`.
    extent: u32,
}

impl Ring {
    /// A ring without memory.
    pub(crate) const fn new() -> Self {
        Self {
            storage: Vec::new(),
            head: 0,
            len: 0,
            extent: 0,
        }
    }

    /// Octets of content.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is no content.
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The memory held, in octets.
    #[cfg(test)]
    pub(crate) fn capacity_octets(&self) -> u32 {
        self.storage.len() as u32
    }

    /// Appends to the content.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        self.write_at(self.len, octets);
        self.extend(octets.len() as u32);
    }

    /// Moves octets from the front to `out`: as many as there are, or as have room. Returns how
    /// many.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> u32 {
        let count = self.peek(out);
        self.discard(count);
        count
    }

    /// Copies octets from the front to `out`: as many as there are, or as have room. Returns how
    /// many.
    pub(crate) fn peek(&self, out: &mut [u8]) -> u32 {
        // Shortened to a `u32` by the minimum.
        let count = out.len().min(self.len as usize);
        let (first, second) = self.slices(0, count as u32);
        let (out_first, out_second) = out[..count].split_at_mut(first.len());
        out_first.copy_from_slice(first);
        out_second.copy_from_slice(second);
        count as u32
    }

    /// Drops `count` octets from the front.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    pub(crate) fn discard(&mut self, count: u32) {
        assert!(
            count <= self.len,
            "discarding {count} of {} octets",
            self.len
        );
        self.len -= count;
        self.extent -= count;
        // An empty ring starts over, so that small exchanges stay in the same few cache lines.
        self.head = if self.extent == 0 {
            0
        } else {
            self.position(count)
        };
    }

    /// Appends the octets `offset..offset + len` of the content to `buf`.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    pub(crate) fn copy_to(&self, offset: u32, len: u32, buf: &mut Vec<u8>) {
        let there = offset.checked_add(len).is_some_and(|end| end <= self.len);
        assert!(there, "copying {len} octets from {offset} of {}", self.len);
        let (first, second) = self.slices(offset, len);
        buf.extend_from_slice(first);
        buf.extend_from_slice(second);
    }

    /// Writes octets at `offset` from the front, in or behind the content. The content does not
    /// get longer. Octets between it and `offset` that were never written have any value.
    pub(crate) fn write_at(&mut self, offset: u32, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        let end = u64::from(offset) + octets.len() as u64;
        self.reserve(end);
        let start = self.position(offset) as usize;
        let (first, second) = octets.split_at(octets.len().min(self.storage.len() - start));
        self.storage[start..start + first.len()].copy_from_slice(first);
        self.storage[..second.len()].copy_from_slice(second);
        // Fits, for it fits into the storage.
        self.extent = self.extent.max(end as u32);
    }

    /// Makes the next `count` octets behind the content part of it.
    ///
    /// # Panics
    ///
    /// If so many were never written.
    pub(crate) fn extend(&mut self, count: u32) {
        let written = self.extent - self.len;
        assert!(count <= written, "extending by {count} of {written} octets");
        self.len += count;
    }

    /// Frees the memory if nothing is in it.
    pub(crate) fn release(&mut self) {
        if self.extent == 0 {
            *self = Self::new();
        }
    }

    /// The same, if it is more than what a short exchange needs over and over again.
    pub(crate) fn release_much(&mut self) {
        if self.storage.len() > KEPT_MAX {
            self.release();
        }
    }

    /// Whether nothing at all is in it.
    pub(crate) const fn is_unused(&self) -> bool {
        self.extent == 0
    }

    /// Drops everything, written behind the content or in it. Keeps the memory.
    pub(crate) fn clear(&mut self) {
        (self.head, self.len, self.extent) = (0, 0, 0);
    }

    /// The octets `offset..offset + len` in the at most two pieces they lie in.
    fn slices(&self, offset: u32, len: u32) -> (&[u8], &[u8]) {
        let (start, len) = (self.position(offset) as usize, len as usize);
        let first = len.min(self.storage.len() - start);
        (
            &self.storage[start..start + first],
            &self.storage[..len - first],
        )
    }

    /// Where in the storage an offset lies.
    fn position(&self, offset: u32) -> u32 {
        let mask = (self.storage.len() as u32).saturating_sub(1);
        self.head.wrapping_add(offset) & mask
    }

    /// Grows to a power of two of at least `octets`, the front moving to the start.
    fn reserve(&mut self, octets: u64) {
        if octets <= self.storage.len() as u64 {
            return;
        }
        assert!(octets <= CAPACITY_MAX, "a ring of {octets} octets");
        let mut storage = vec![0; (octets as usize).next_power_of_two().max(CAPACITY_MIN)];
        let (first, second) = self.slices(0, self.extent);
        storage[..first.len()].copy_from_slice(first);
        storage[first.len()..first.len() + second.len()].copy_from_slice(second);
        self.storage = storage;
        self.head = 0;
    }
}

/// An empty ring that may soon be used again keeps no more, in octets.
const KEPT_MAX: usize = 2048;

/// The least memory that is ever held, in octets.
const CAPACITY_MIN: usize = 64;

/// The most: windows end at 2^30 octets (RFC 7323 §2.2), and offsets must not wrap.
const CAPACITY_MAX: u64 = 1 << 31;

#[cfg(test)]
mod tests;
