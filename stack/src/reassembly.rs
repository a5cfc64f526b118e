//! The receive buffer with its holes (RFC 9293 §3.10.7.4, SHLD-31: what arrives out of order is
//! kept).
//!
//! The octets lie in a [`Ring`], each at the place where it will be read. A bounded list says which
//! of those beyond RCV.NXT are there: sorted, disjoint, non-adjacent blocks, none of which begins
//! at RCV.NXT. Their edges are positions in the stream modulo 2^32, so that an advance of RCV.NXT
//! moves one number and no block.
//!
//! An octet that is held already stays as it is: the first to arrive wins. A peer sends one value
//! for one sequence number, so this matters only against an attacker, who thus cannot change
//! what has come before him.

use alloc::vec::Vec;
use core::ops::Range;

use crate::ring::Ring;

/// Octets that wait: in order for the user, or out of order for a gap to be filled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reassembly {
    ring: Ring,
    /// What waits out of order.
    blocks: Vec<Block>,
    /// RCV.NXT as a position in the stream: the octets that have become readable, modulo 2^32.
    next: u32,
    /// Octets in all blocks.
    out_of_order: u32,
    /// Blocks looked at or moved so far.
    #[cfg(test)]
    work: u64,
}

/// Octets out of order: `start..end` as positions in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    start: u32,
    end: u32,
}

impl Reassembly {
    /// A buffer without memory.
    pub(crate) const fn new() -> Self {
        Self {
            ring: Ring::new(),
            blocks: Vec::new(),
            next: 0,
            out_of_order: 0,
            #[cfg(test)]
            work: 0,
        }
    }

    /// Octets in order that the user has not read.
    pub(crate) const fn readable(&self) -> u32 {
        self.ring.len()
    }

    /// Octets held out of order.
    pub(crate) const fn out_of_order(&self) -> u32 {
        self.out_of_order
    }

    /// Separate blocks held out of order.
    pub(crate) fn blocks(&self) -> u16 {
        self.blocks.len() as u16
    }

    /// Whether octets at RCV.NXT would fill a gap, all or part of it (RFC 5681 §4.2: to be
    /// acknowledged at once).
    pub(crate) fn fills_gap(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// Takes octets that begin at RCV.NXT + `offset` and end inside the window. Returns by how many
    /// octets RCV.NXT advances: 0 if they lie behind a gap, or are none.
    ///
    /// `None`: nothing was taken, for it would have been a block beyond `blocks_max`. Octets at
    /// RCV.NXT, or next to a block that is there, are never refused.
    pub(crate) fn insert(&mut self, offset: u32, octets: &[u8], blocks_max: u16) -> Option<u32> {
        if octets.is_empty() {
            return Some(0);
        }
        let len = octets.len() as u32;
        if offset == 0 && self.blocks.is_empty() {
            self.ring.push(octets);
            self.next = self.next.wrapping_add(len);
            return Some(len);
        }
        let end = offset + len;
        let touched = self.touched(offset, end);
        if touched.is_empty() && offset > 0 && self.blocks.len() >= usize::from(blocks_max) {
            return None;
        }
        self.fill(offset, octets, touched.clone());
        let start = touched
            .clone()
            .next()
            .map_or(offset, |at| self.offsets(at).start.min(offset));
        let end = touched
            .clone()
            .last()
            .map_or(end, |at| self.offsets(at).end.max(end));
        Some(if start == 0 {
            self.advance(end, touched)
        } else {
            self.merge(start..end, touched);
            0
        })
    }

    /// The block that holds the octet at RCV.NXT + `offset`, as offsets (RFC 2018 §4).
    pub(crate) fn block_at(&self, offset: u32) -> Option<Range<u32>> {
        let at = self
            .blocks
            .partition_point(|block| block.end.wrapping_sub(self.next) <= offset);
        (at < self.blocks.len())
            .then(|| self.offsets(at))
            .filter(|range| range.start <= offset)
    }

    /// All blocks, in order, as offsets from RCV.NXT.
    pub(crate) fn held(&self) -> impl Iterator<Item = Range<u32>> {
        (0..self.blocks.len()).map(|at| self.offsets(at))
    }

    /// The first octets of `start..end`, offsets from RCV.NXT, that are held already.
    pub(crate) fn overlap(&self, start: u32, end: u32) -> Option<Range<u32>> {
        let at = self
            .blocks
            .partition_point(|block| block.end.wrapping_sub(self.next) <= start);
        let held = (at < self.blocks.len()).then(|| self.offsets(at))?;
        let range = held.start.max(start)..held.end.min(end);
        (!range.is_empty()).then_some(range)
    }

    /// Moves readable octets to `out`. Returns how many.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> u32 {
        self.ring.read(out)
    }

    /// Copies readable octets to `out`, and keeps them. Returns how many.
    pub(crate) fn peek(&self, out: &mut [u8]) -> u32 {
        self.ring.peek(out)
    }

    /// Drops what is readable.
    pub(crate) fn discard_readable(&mut self) {
        self.ring.discard(self.ring.len());
    }

    /// Drops what waits out of order.
    pub(crate) fn discard_waiting(&mut self) {
        self.blocks.clear();
        self.out_of_order = 0;
    }

    /// Drops everything, out of order or not. Keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.ring.clear();
        self.discard_waiting();
    }

    /// Frees the memory that holds nothing.
    pub(crate) fn release(&mut self) {
        self.ring.release();
        if self.blocks.is_empty() {
            self.blocks = Vec::new();
        }
    }

    /// The same, if it is more than what a short exchange needs over and over again.
    pub(crate) fn release_much(&mut self) {
        self.ring.release_much();
        if self.blocks.is_empty() {
            self.blocks = Vec::new();
        }
    }

    /// Whether nothing at all is in it. Then where it stands in the stream does not matter.
    pub(crate) const fn is_unused(&self) -> bool {
        self.ring.is_unused() && self.blocks.is_empty()
    }

    /// A block as offsets from RCV.NXT.
    fn offsets(&self, at: usize) -> Range<u32> {
        let Block { start, end } = self.blocks[at];
        start.wrapping_sub(self.next)..end.wrapping_sub(self.next)
    }

    /// The blocks that overlap `start..end` or are next to it.
    fn touched(&mut self, start: u32, end: u32) -> Range<usize> {
        let first = self
            .blocks
            .partition_point(|block| block.end.wrapping_sub(self.next) < start);
        let behind = self.blocks[first..]
            .partition_point(|block| block.start.wrapping_sub(self.next) <= end);
        self.did(2 * (self.blocks.len() + 1).ilog2() as usize + behind);
        first..first + behind
    }

    /// Counts work, for the test that bounds it.
    fn did(&mut self, blocks: usize) {
        #[cfg(test)]
        {
            self.work += blocks as u64;
        }
        #[cfg(not(test))]
        let _ = blocks;
    }

    /// Writes those octets that are in none of the blocks `touched`.
    fn fill(&mut self, offset: u32, octets: &[u8], touched: Range<usize>) {
        let end = offset + octets.len() as u32;
        let mut from = offset;
        for at in touched {
            let held = self.offsets(at);
            self.write(from..held.start.min(end), offset, octets);
            from = from.max(held.end);
        }
        self.write(from..end, offset, octets);
    }

    /// Writes the part `range` of the octets that begin at `offset`; nothing if it is reversed.
    fn write(&mut self, range: Range<u32>, offset: u32, octets: &[u8]) {
        if range.is_empty() {
            return;
        }
        let part = &octets[(range.start - offset) as usize..(range.end - offset) as usize];
        self.ring.write_at(self.ring.len() + range.start, part);
        self.out_of_order += range.end - range.start;
    }

    /// Moves RCV.NXT to the offset `end`, past the blocks `touched`, which are the first ones.
    fn advance(&mut self, end: u32, touched: Range<usize>) -> u32 {
        self.did(self.blocks.len());
        self.blocks.drain(touched);
        self.ring.extend(end);
        self.next = self.next.wrapping_add(end);
        self.out_of_order -= end;
        end
    }

    /// Puts one block in the place of those `touched`.
    fn merge(&mut self, range: Range<u32>, touched: Range<usize>) {
        self.did(self.blocks.len() - touched.start);
        let start = self.next.wrapping_add(range.start);
        let block = Block {
            start,
            end: self.next.wrapping_add(range.end),
        };
        match self.blocks.get_mut(touched.clone()) {
            Some([first, ..]) => {
                *first = block;
                self.blocks.drain(touched.start + 1..touched.end);
            }
            _ => self.blocks.insert(touched.start, block),
        }
    }
}

#[cfg(test)]
mod tests;
