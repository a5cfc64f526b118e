//! Selective acknowledgment (RFC 2018) and the report of what came twice (D-SACK, RFC 2883).

use timewait_sim::PacketId;
use timewait_stack::event::{SegmentArrival, Vars, Verdict};
use timewait_stack::wire::{Flags, SackBlock};
use timewait_stack::{Config, SeqNumber, State};

use super::Syns;
use crate::facts::SegmentHeader;
use crate::reference::{Allowance, Held};

/// From a sequence number up to, not including, another.
type Range = (SeqNumber, SeqNumber);

/// What one incarnation has received and reported.
#[derive(Clone, Debug, Default)]
pub(super) struct Receiver {
    /// The text that waits out of order.
    queue: Held,
    /// The last segment with text.
    last: Option<Last>,
    /// The first part of its text that had come before, until it is reported: of the last segment
    /// that was taken, and of the last that was refused since. One that is refused may not count.
    again: [Option<Range>; 2],
}

/// A segment with text, and what came of it.
#[derive(Clone, Copy, Debug)]
struct Last {
    id: PacketId,
    /// What of it waits since then.
    queued: Option<Range>,
}

/// A segment that is being sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending<'a> {
    pub(super) segment: &'a SegmentHeader,
    pub(super) syns: &'a Syns,
    pub(super) config: &'a Config,
    pub(super) vars: Option<&'a Vars>,
    /// The datagram that it answers at once.
    pub(super) cause: Option<PacketId>,
}

impl Receiver {
    /// A segment was judged.
    pub(super) fn arrived(
        &mut self,
        id: PacketId,
        segment: &SegmentHeader,
        arrival: &SegmentArrival,
        allowance: &Allowance,
    ) {
        let (before, after) = (&arrival.before, &arrival.after);
        let receives = before.state.is_synchronized() || before.state == State::SynReceived;
        if !receives || segment.text_len == 0 {
            return;
        }
        let (start, end) = (segment.text_seq(), segment.text_end());
        let again = if start.before(before.rcv_nxt) {
            Some((start, end.min(before.rcv_nxt)))
        } else {
            self.queue.first_overlap(start, end)
        };
        let mut queued = None;
        if let Some((start, with_fin)) = allowance.octets {
            // What lies beyond the window is trimmed off (RFC 9293 §3.10.7.4, seventh check).
            let offered = (start, end.min(with_fin).min(before.rcv_adv));
            let grew = after.out_of_order > before.out_of_order;
            let advanced = after.rcv_nxt != before.rcv_nxt;
            if grew || advanced {
                self.queue.offer(offered.0, offered.1, false);
            }
            queued = Some(offered).filter(|_| grew && !advanced);
        }
        self.queue.taken_to(after.rcv_nxt);
        self.last = Some(Last { id, queued });
        self.again = match arrival.verdict {
            Verdict::Accepted => [again, None],
            _ => [self.again[0], again],
        };
    }

    /// What is wrong with the options of a segment, one sentence each.
    pub(super) fn sent(&mut self, sending: &Sending<'_>) -> Vec<String> {
        let segment = sending.segment;
        let mut wrong = Vec::new();
        wrong.extend(permission(sending));
        let blocks = segment.sack.as_slice();
        let twice = blocks.first().filter(|_| segment.has_dsack());
        let rest = &blocks[usize::from(twice.is_some())..];
        wrong.extend(twice.and_then(|block| self.told_twice(*block)));
        wrong.extend(rest.iter().find_map(|block| self.block(*block, sending)));
        if (1..rest.len()).any(|n| rest[..n].contains(&rest[n])) {
            wrong.push("RFC 2018 §4: it reports a block twice");
        }
        wrong.extend(self.first(rest, sending.cause));
        if rest.is_empty() && owes(sending) {
            wrong.push("RFC 2018 §4: text waits out of order, and it says nothing of it");
        }
        let say = |what: &str| format!("{what}: {segment}, SACK {:?}", segment.sack.as_slice());
        wrong.into_iter().map(say).collect()
    }

    /// RFC 2883 §4 (1) to (3): just what came twice in the latest segment, and once.
    fn told_twice(&mut self, block: SackBlock) -> Option<&'static str> {
        let told = Some((block.left, block.right));
        match self.again.iter_mut().find(|again| **again == told) {
            Some(again) => {
                *again = None;
                None
            }
            None => Some("RFC 2883 §4: it says that something came twice, which it did not"),
        }
    }

    /// RFC 2018 §3: text that waits in the window, contiguous and isolated.
    fn block(&self, block: SackBlock, sending: &Sending<'_>) -> Option<&'static str> {
        let SackBlock { left, right } = block;
        if !left.before(right) || left.at_or_before(sending.segment.ack) {
            return Some("RFC 2018 §3: a block that is empty or acknowledged already");
        }
        if !self.queue.covers(left, right) {
            return Some("RFC 2018 §3: a block of what was not received");
        }
        let vars = sending.vars?;
        if right.after(vars.rcv_adv) {
            return Some("RFC 2018 §3: a block beyond the window");
        }
        // A stack may have dropped some of what was offered to it (RFC 2018 §8).
        let complete = self.queue.octets() == u64::from(vars.out_of_order);
        (complete && !self.queue.blocks().contains(&(left, right)))
            .then_some("RFC 2018 §3: a block that is not isolated")
    }

    /// RFC 2018 §4: the first block is the one that the segment is in which is answered.
    fn first(&self, rest: &[SackBlock], cause: Option<PacketId>) -> Option<&'static str> {
        let last = self.last.filter(|last| cause == Some(last.id))?;
        let (start, end) = last.queued.filter(|(start, end)| start.before(*end))?;
        let first = rest.first()?;
        let covers = first.left.at_or_before(start) && end.at_or_before(first.right);
        (!covers).then_some("RFC 2018 §4: the first block is not that of the latest segment")
    }
}

/// RFC 2018 §2 and §4: permitted by SYNs, and used only if both did.
fn permission(sending: &Sending<'_>) -> Option<&'static str> {
    let segment = sending.segment;
    let syn = segment.has(Flags::SYN);
    if segment.sack_permitted && !syn {
        return Some("R6675-11: SACK is permitted without SYN");
    }
    if segment.sack_permitted && !sending.config.sack {
        return Some("SACK is permitted by a host that does not use it");
    }
    let blocks = segment.sack.as_slice().len();
    let most = if segment.timestamps.is_some() { 3 } else { 4 };
    if blocks == 0 {
        None
    } else if syn || !segment.has(Flags::ACK) {
        Some("RFC 2018 §3: SACK on what is no ACK of an established connection")
    } else if sending.syns.both(|syn| syn.sack_permitted) == Some(false) {
        Some("R6675-11: SACK, and not both SYNs permit it")
    } else if blocks > most {
        Some("RFC 2018 §3: more blocks than there is room for")
    } else {
        None
    }
}

/// RFC 2018 §4: every ACK reports while anything waits out of order. In TIME-WAIT nothing does.
fn owes(sending: &Sending<'_>) -> bool {
    let flags = sending.segment.flags & (Flags::ACK | Flags::SYN | Flags::RST);
    let waits = |vars: &Vars| vars.state != State::TimeWait && vars.out_of_order_blocks > 0;
    let waits = sending.vars.is_some_and(waits);
    let agreed = sending.syns.both(|syn| syn.sack_permitted) == Some(true);
    flags == Flags::ACK && waits && agreed
}

#[cfg(test)]
mod tests;
