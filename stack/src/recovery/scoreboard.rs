//! What is outstanding, segment by segment: when it was sent, what the peer says it has, what is
//! taken for lost, what was sent again (RFC 6675 §2 to §4, RFC 8985 §5).
//!
//! The records lie in sequence order without gaps, from SND.UNA to SND.NXT. Four counters make the
//! pipe a sum that is always at hand. Everything is bounded: beyond `limit` records a new segment
//! joins the last one, and a SACK block that cuts through one waits for all of it, so an ACK costs
//! at most a walk over the records, whatever the peer reports. ACKs repeat the blocks of those
//! before; what was known from the last one is not looked at again.

use alloc::collections::VecDeque;
use core::mem;

use bitflags::bitflags;

use super::rack::Rack;
use crate::seq::SeqNumber;
use crate::time::{Duration, Instant};
use crate::wire::{SackBlock, SackBlocks};

bitflags! {
    /// What is known of a segment.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Marks: u8 {
        /// The peer has reported it.
        const SACKED = 1;
        /// Taken for lost.
        const LOST = 2;
        /// A retransmission of it is in the network.
        const RESENT = 4;
        /// Sent more than once since it was first sent: what answers it is ambiguous (Karn).
        const EVER_RESENT = 8;
    }
}

/// One segment, or what is left of it or joined to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) start: SeqNumber,
    pub(crate) end: SeqNumber,
    /// When it was last sent.
    pub(crate) at: Instant,
    pub(crate) marks: Marks,
}

impl Sent {
    pub(crate) fn len(&self) -> u32 {
        self.end - self.start
    }

    pub(crate) fn is(&self, mark: Marks) -> bool {
        self.marks.contains(mark)
    }

    /// Taken for lost, and nothing of it is in the network.
    fn waits(&self) -> bool {
        self.marks & (Marks::SACKED | Marks::LOST | Marks::RESENT) == Marks::LOST
    }
}

/// What [`Scoreboard::detect`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Detected {
    /// Octets newly taken for lost.
    pub(crate) lost: u32,
    /// When the last retransmission among them was made.
    pub(crate) resent_at: Option<Instant>,
    /// When the last segment that is under suspicion will be taken for lost, too.
    pub(crate) deadline: Option<Instant>,
}

/// Room for so many records goes from one flight to the next.
const KEPT_MAX: usize = 16;

/// The records of one flight.
#[derive(Debug)]
pub(crate) struct Scoreboard {
    records: VecDeque<Sent>,
    limit: usize,
    /// Octets reported by the peer.
    sacked: u32,
    /// Segments reported by the peer.
    sacked_segments: u32,
    /// Octets taken for lost.
    lost: u32,
    /// Those of them that were not sent again yet.
    waiting: u32,
    /// Octets whose retransmission is in the network.
    resent: u32,
    /// No record before it waits to be sent again.
    first_waiting: SeqNumber,
    /// The blocks of the last ACK.
    known: SackBlocks,
    /// Records looked at for the last ACK.
    work: u32,
}

impl Scoreboard {
    /// An empty board; `limit`: records kept apart, at least 1.
    pub(crate) fn new(una: SeqNumber, limit: u32) -> Self {
        Self {
            records: VecDeque::new(),
            limit: limit.max(1) as usize,
            sacked: 0,
            sacked_segments: 0,
            lost: 0,
            waiting: 0,
            resent: 0,
            first_waiting: una,
            known: SackBlocks::default(),
            work: 0,
        }
    }

    /// Empty again, for another flight. Memory for a few records stays.
    pub(crate) fn start_over(&mut self, una: SeqNumber) {
        let mut records = mem::take(&mut self.records);
        records.clear();
        if records.capacity() > KEPT_MAX {
            records.shrink_to(KEPT_MAX);
        }
        *self = Self {
            records,
            ..Self::new(una, self.limit as u32)
        };
    }

    /// Segments kept apart: never more than twice the limit.
    pub(crate) fn segments(&self) -> u32 {
        self.records.len() as u32
    }

    /// Records looked at for the last ACK.
    pub(crate) fn work(&self) -> u32 {
        self.work
    }

    pub(crate) fn sacked(&self) -> u32 {
        self.sacked
    }

    pub(crate) fn lost(&self) -> u32 {
        self.lost
    }

    pub(crate) fn resent(&self) -> u32 {
        self.resent
    }

    /// Octets taken for lost and not yet sent again.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Octets in the network (SetPipe of RFC 6675 §4; R6675-01): what was sent and is neither reported nor
    /// lost, plus the retransmissions.
    pub(crate) fn pipe(&self) -> u32 {
        self.outstanding() - self.sacked - self.lost + self.resent
    }

    /// The peer has reported as much beyond a gap as three duplicate ACKs would tell: DupThresh
    /// segments, or more octets than two of them carry (RFC 6675 §4, IsLost; R6675-02).
    pub(crate) fn dup_thresh_reached(&self, smss: u32) -> bool {
        self.sacked_segments >= DUP_THRESH || self.sacked > (DUP_THRESH - 1) * smss
    }

    /// The number of segments in the network, as far as one or more matters.
    pub(crate) fn is_single(&self) -> bool {
        self.records.len() <= 1
    }

    /// The last segment.
    pub(crate) fn last(&self) -> Option<&Sent> {
        self.records.back()
    }

    /// `start..end` was sent for the first time.
    pub(crate) fn push(&mut self, start: SeqNumber, end: SeqNumber, now: Instant) {
        if self.records.len() >= self.limit
            && let Some(last) = self.records.back().copied()
        {
            // No room for one more: it joins the last one. A mark keeps them apart as long as
            // that can be afforded; then the pair counts as in the network.
            if last.marks.is_empty() || self.records.len() >= 2 * self.limit {
                let at = self.records.len() - 1;
                self.known = SackBlocks::default();
                self.mark(at, last.marks & Marks::EVER_RESENT);
                let last = &mut self.records[at];
                (last.end, last.at) = (end, now);
                return;
            }
        }
        self.records.push_back(Sent {
            start,
            end,
            at: now,
            marks: Marks::empty(),
        });
    }

    /// Everything before `ack` is acknowledged: `each` sees what was outstanding.
    pub(crate) fn acknowledge(&mut self, ack: SeqNumber, mut each: impl FnMut(&Sent)) {
        self.work = 0;
        while let Some(first) = self.records.front().copied() {
            if !first.start.before(ack) {
                break;
            }
            self.work += 1;
            self.uncount(&first);
            if first.end.at_or_before(ack) {
                self.records.pop_front();
                each(&first);
            } else {
                each(&Sent { end: ack, ..first });
                let rest = Sent {
                    start: ack,
                    ..first
                };
                self.records[0] = rest;
                self.count(&rest);
                break;
            }
        }
    }

    /// The peer reports these blocks, which the caller has checked: `each` sees what is new.
    pub(crate) fn report(&mut self, blocks: &[SackBlock], mut each: impl FnMut(&Sent)) {
        if blocks.is_empty() {
            return;
        }
        let known = mem::take(&mut self.known);
        for block in blocks {
            let old = known.as_slice().iter().find(|old| {
                old.left.at_or_after(block.left) && old.right.at_or_before(block.right)
            });
            let whole = match old {
                Some(old) => {
                    self.report_range(block.left, old.left, &mut each)
                        & self.report_range(old.right, block.right, &mut each)
                }
                None => self.report_range(block.left, block.right, &mut each),
            };
            if whole {
                self.known.push(*block);
            }
        }
    }

    /// Whether all of it could be marked.
    fn report_range(
        &mut self,
        left: SeqNumber,
        right: SeqNumber,
        each: &mut impl FnMut(&Sent),
    ) -> bool {
        let mut whole = true;
        if !left.before(right) {
            return whole;
        }
        let mut at = self.find(left);
        while let Some(record) = self.records.get(at).copied() {
            if !record.start.before(right) {
                break;
            }
            self.work += 1;
            if record.is(Marks::SACKED) {
                at += 1;
            } else if record.start.before(left) {
                // Cut off what lies before the block, or wait for a report of all of it.
                whole &= self.split(at, left);
                at += 1;
            } else if record.end.after(right) && !self.split(at, right) {
                whole = false;
                break;
            } else {
                let record = self.records[at];
                self.mark(at, (record.marks & Marks::EVER_RESENT) | Marks::SACKED);
                each(&record);
                at += 1;
            }
        }
        whole
    }

    /// The first octets that wait to be sent again (NextSeg of RFC 6675 §4, rule 1).
    pub(crate) fn next_waiting(&mut self) -> Option<(SeqNumber, SeqNumber)> {
        if self.waiting == 0 {
            return None;
        }
        let from = self.find(self.first_waiting);
        let at = (from..self.records.len()).find(|&at| self.records[at].waits())?;
        let Sent { start, end, .. } = self.records[at];
        self.first_waiting = start;
        Some((start, end))
    }

    /// `start..end` was sent again. The last record may grow by octets never sent before.
    pub(crate) fn sent_again(&mut self, start: SeqNumber, end: SeqNumber, now: Instant) {
        let at = self.find(start);
        let Some(record) = self.records.get(at).copied() else {
            return;
        };
        let mut at = at;
        if record.start.before(start) && self.split(at, start) {
            at += 1;
        }
        let record = self.records[at];
        if record.end.after(end) {
            if !self.split(at, end) {
                if self.join_previous(at, end, now) {
                    return;
                }
                self.move_rest(at, end);
            }
        } else if end.after(record.end) && at + 1 == self.records.len() {
            self.uncount(&record);
            self.records[at].end = end;
            self.count(&Sent { end, ..record });
        }
        let again = Marks::RESENT | Marks::EVER_RESENT;
        self.mark(at, self.records[at].marks | again);
        self.records[at].at = now;
    }

    /// Takes for lost what was sent before something that has arrived, a round trip and the
    /// reordering window ago (RFC 8985 §6.2 step 5; R8985-01, R8985-02).
    pub(crate) fn detect(&mut self, rack: &Rack, window: Duration, now: Instant) -> Detected {
        let mut found = Detected::default();
        let mut resent_ahead = self.resent;
        for at in 0..self.records.len() {
            let record = self.records[at];
            self.work += 1;
            if record.is(Marks::SACKED) || record.waits() {
                continue;
            }
            let again = record.is(Marks::RESENT);
            if again {
                resent_ahead -= record.len();
            }
            if !rack.newer_than(&record) {
                if !again && resent_ahead == 0 {
                    break; // What follows was sent later still.
                }
                continue;
            }
            let due = record.at + rack.rtt() + window;
            if due <= now {
                self.take_for_lost(at);
                found.lost += record.len();
                if again {
                    found.resent_at = found.resent_at.max(Some(record.at));
                }
            } else {
                found.deadline = found.deadline.max(Some(due));
            }
        }
        found
    }

    /// The retransmission timer ran out. Reports are not trusted any longer: the peer may have
    /// dropped what it had reported (RFC 2018 §8, RFC 6675 §5.1; R6675-07). Lost is the first
    /// segment, and whatever is older than `overdue` allows (RFC 8985 §6.3).
    pub(crate) fn time_out(&mut self, overdue: Option<Duration>, now: Instant) {
        self.known = SackBlocks::default();
        for at in 0..self.records.len() {
            let record = self.records[at];
            self.mark(at, record.marks - (Marks::SACKED | Marks::RESENT));
            let late = overdue.is_none_or(|after| record.at + after <= now);
            if at == 0 || late {
                self.take_for_lost(at);
            }
        }
    }

    /// All that is not reported is to be sent again.
    pub(crate) fn lose_all(&mut self) {
        if let Some(first) = self.records.front() {
            self.lose_from(first.start);
        }
    }

    /// The segment that holds `seq` is lost for certain, and those after it, as far as the peer
    /// has not reported them.
    pub(crate) fn lose_from(&mut self, seq: SeqNumber) {
        for at in 0..self.records.len() {
            let behind = self.records[at].end.after(seq);
            if behind && !self.records[at].is(Marks::SACKED) {
                self.take_for_lost(at);
            }
        }
    }

    /// What was taken for lost and was not sent again is in the network after all.
    pub(crate) fn find_again(&mut self) {
        for at in 0..self.records.len() {
            if self.records[at].waits() {
                self.mark(at, self.records[at].marks - Marks::LOST);
            }
        }
    }

    fn take_for_lost(&mut self, at: usize) {
        let record = self.records[at];
        self.mark(at, (record.marks - Marks::RESENT) | Marks::LOST);
        self.first_waiting = self.first_waiting.min(record.start);
    }

    /// The record that holds `seq`, or the first one after it.
    fn find(&self, seq: SeqNumber) -> usize {
        self.records
            .partition_point(|record| record.end.at_or_before(seq))
    }

    /// Cuts a record in two at `seq`; `false`: there is no room for one more.
    fn split(&mut self, at: usize, seq: SeqNumber) -> bool {
        if self.records.len() >= 2 * self.limit {
            return false;
        }
        let record = self.records[at];
        self.uncount(&record);
        let (first, second) = (
            Sent { end: seq, ..record },
            Sent {
                start: seq,
                ..record
            },
        );
        self.records[at] = first;
        self.records.insert(at + 1, second);
        self.count(&first);
        self.count(&second);
        true
    }

    /// What was sent again of a record before `seq` joins the record before it, if that was sent
    /// again, too. Whether it did.
    fn join_previous(&mut self, at: usize, seq: SeqNumber, now: Instant) -> bool {
        let record = self.records[at];
        let Some(before) = at.checked_sub(1).map(|at| self.records[at]) else {
            return false;
        };
        let resent = before.marks & (Marks::SACKED | Marks::LOST | Marks::RESENT);
        if !record.waits() || resent != Marks::LOST | Marks::RESENT {
            return false;
        }
        let grown = Sent {
            end: seq,
            at: now,
            ..before
        };
        self.replace(
            at - 1,
            grown,
            Sent {
                start: seq,
                ..record
            },
        );
        true
    }

    /// What a record has from `seq` on joins the next one, if that waits as it does. For want of room
    /// to cut it, it would count as sent again as a whole.
    fn move_rest(&mut self, at: usize, seq: SeqNumber) {
        let record = self.records[at];
        let Some(next) = self.records.get(at + 1).copied() else {
            return;
        };
        if !record.waits() || !next.waits() {
            return;
        }
        let rest = Sent {
            start: seq,
            marks: next.marks | record.marks,
            ..next
        };
        self.replace(at, Sent { end: seq, ..record }, rest);
    }

    /// Moves the boundary between the records at `at` and after it.
    fn replace(&mut self, at: usize, first: Sent, second: Sent) {
        for (at, record) in [(at, first), (at + 1, second)] {
            let before = self.records[at];
            self.uncount(&before);
            self.records[at] = record;
            self.count(&record);
        }
    }

    fn mark(&mut self, at: usize, marks: Marks) {
        let record = self.records[at];
        self.uncount(&record);
        let record = Sent { marks, ..record };
        self.records[at] = record;
        self.count(&record);
    }

    fn count(&mut self, record: &Sent) {
        let len = record.len();
        if record.is(Marks::SACKED) {
            self.sacked += len;
            self.sacked_segments += 1;
            return;
        }
        self.lost += if record.is(Marks::LOST) { len } else { 0 };
        self.resent += if record.is(Marks::RESENT) { len } else { 0 };
        self.waiting += if record.waits() { len } else { 0 };
    }

    fn uncount(&mut self, record: &Sent) {
        let len = record.len();
        if record.is(Marks::SACKED) {
            self.sacked -= len;
            self.sacked_segments -= 1;
            return;
        }
        self.lost -= if record.is(Marks::LOST) { len } else { 0 };
        self.resent -= if record.is(Marks::RESENT) { len } else { 0 };
        self.waiting -= if record.waits() { len } else { 0 };
    }

    fn outstanding(&self) -> u32 {
        match (self.records.front(), self.records.back()) {
            (Some(first), Some(last)) => last.end - first.start,
            _ => 0,
        }
    }
}

/// DupThresh (RFC 5681 §3.2, RFC 6675 §2).
const DUP_THRESH: u32 = 3;

#[cfg(test)]
mod tests;
