//! Loss recovery with SACK (RFC 2018, 6675, 8985, 9937): what one flight needs to know of itself.
//!
//! A connection has a [`Recovery`] only while something is outstanding; what must outlive a flight
//! is in [`Memory`]. Detection is that of RACK: a reordering window of zero makes it the DupThresh
//! of RFC 6675. Of its NextSeg, rules 3 and 4 are left out: what they would send on suspicion, the
//! reordering timer and the tail loss probe ask for (RFC 8985 §9.2).

pub(crate) mod frto;
mod prr;
mod rack;
mod scoreboard;
mod tlp;

use alloc::boxed::Box;

use crate::config::Config;
use crate::protection::Protection;
use crate::seq::SeqNumber;
use crate::time::{Duration, Instant};
use crate::wire::{SackBlock, SackBlocks};

pub(crate) use frto::{Frto, FrtoAck, FrtoVerdict};
pub(crate) use prr::Prr;
use rack::{Delivery, Rack, RackMemory};
pub(crate) use scoreboard::Scoreboard;
pub(crate) use tlp::{Answer, Tlp};

/// What loss recovery remembers of a connection between flights.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Both SYNs carried SACK-permitted (RFC 2018 §2; R6675-11).
    pub(crate) sack: bool,
    pub(crate) rack: RackMemory,
    pub(crate) tlp: Tlp,
}

/// The state of one flight.
#[derive(Debug)]
pub(crate) struct Recovery {
    pub(crate) board: Scoreboard,
    /// The flight is over: nothing of this counts.
    over: bool,
    rack: Rack,
    pub(crate) prr: Prr,
    /// The first segment that waits goes whatever cwnd says: the fast retransmit (R6675-04), or
    /// that of a timeout.
    pub(crate) force: bool,
    /// When a segment under suspicion is taken for lost (RFC 8985 §6.2 step 5).
    pub(crate) suspicion: Option<Instant>,
    /// Octets sent again since the reduction that may be undone, less those that D-SACKs tell were
    /// not needed, and the octets that it was about.
    doubtful: u32,
    watched: (SeqNumber, SeqNumber),
    /// When cwnd was last reduced: a retransmission since then that is lost, too, is one more
    /// indication of congestion (RFC 5681 §4.3).
    pub(crate) reduced_at: Instant,
}

/// What an ACK told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    pub(crate) delivered: u32,
    pub(crate) original: Option<SeqNumber>,
    pub(crate) highest: Option<SeqNumber>,
    /// Octets newly taken for lost.
    pub(crate) lost: u32,
    /// Among them is a retransmission made since the last reduction.
    pub(crate) lost_again: bool,
    /// Every octet that was sent again was there already.
    pub(crate) all_unneeded: bool,
}

/// The circumstances of an ACK or a timeout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    pub(crate) srtt: Option<Duration>,
    pub(crate) smss: u32,
    /// A loss is being repaired.
    pub(crate) repairing: bool,
}

/// The place of a [`Recovery`]: from one flight to the next it keeps the memory.
#[derive(Debug, Default)]
pub(crate) struct Flight(Option<Box<Recovery>>);

impl Flight {
    /// The state of the flight, if there is one.
    pub(crate) fn as_ref(&self) -> Option<&Recovery> {
        self.0.as_deref().filter(|recovery| !recovery.over)
    }

    pub(crate) fn as_mut(&mut self) -> Option<&mut Recovery> {
        self.0.as_deref_mut().filter(|recovery| !recovery.over)
    }

    /// Something goes out at `una`, with which a flight begins if there is none.
    pub(crate) fn goes_on(&mut self, config: &Config, una: SeqNumber) -> &mut Recovery {
        let recovery = self
            .0
            .get_or_insert_with(|| Box::new(Recovery::new(config, una)));
        if recovery.over {
            recovery.start_over(una);
        }
        recovery
    }

    /// Everything is acknowledged.
    pub(crate) fn end(&mut self) {
        if let Some(recovery) = &mut self.0 {
            recovery.over = true;
        }
    }

    /// Gives the memory back if no flight needs it.
    pub(crate) fn settle(&mut self) {
        if self.as_ref().is_none() {
            self.0 = None;
        }
    }
}

impl Recovery {
    fn new(config: &Config, una: SeqNumber) -> Self {
        let limit = if config.protects(Protection::ScoreboardBound) {
            u32::from(config.scoreboard_segments_max)
        } else {
            u32::MAX
        };
        Self {
            board: Scoreboard::new(una, limit),
            over: false,
            rack: Rack::new(una),
            prr: Prr::default(),
            force: false,
            suspicion: None,
            doubtful: 0,
            watched: (una, una),
            reduced_at: Instant::ZERO,
        }
    }

    /// The next flight begins: as [`Recovery::new`], in the same memory.
    fn start_over(&mut self, una: SeqNumber) {
        let Self {
            board,
            over,
            rack,
            prr,
            force,
            suspicion,
            doubtful,
            watched,
            reduced_at,
        } = self;
        board.start_over(una);
        (*over, *rack, *prr) = (false, Rack::new(una), Prr::default());
        (*force, *suspicion) = (false, None);
        (*doubtful, *watched) = (0, (una, una));
        *reduced_at = Instant::ZERO;
    }

    /// An ACK of everything before `ack` with these blocks, which are valid.
    pub(crate) fn on_ack(
        &mut self,
        ack: SeqNumber,
        blocks: &[SackBlock],
        dsack: Option<SackBlock>,
        nxt: SeqNumber,
        moment: &Moment,
        memory: &mut Memory,
    ) -> Report {
        let mut delivery = Delivery::default();
        let rack = self.rack;
        let mut each = |record: &scoreboard::Sent| {
            rack.deliver(&mut delivery, record, moment.now, &memory.rack);
        };
        self.board.acknowledge(ack, &mut each);
        self.board.report(blocks, &mut each);
        self.rack.advance(&delivery, &mut memory.rack, moment.smss);
        let all_unneeded = dsack.is_some_and(|block| self.was_unneeded(block));
        if dsack.is_some() {
            self.rack.on_duplicate(ack, nxt, &mut memory.rack);
        }
        let (lost, lost_again) = self.detect(moment, memory);
        Report {
            delivered: delivery.octets,
            original: delivery.original,
            highest: delivery.highest,
            lost,
            lost_again,
            all_unneeded,
        }
    }

    /// Takes for lost what is. Says how much, and whether a retransmission made since the last
    /// reduction is among it. Also when the reordering timer runs out.
    pub(crate) fn detect(&mut self, moment: &Moment, memory: &Memory) -> (u32, bool) {
        let window = self.window(moment, memory);
        let detected = self.board.detect(&self.rack, window, moment.now);
        self.suspicion = detected.deadline;
        let lost_again = detected.resent_at.is_some_and(|at| at >= self.reduced_at);
        (detected.lost, lost_again)
    }

    /// The retransmission timer ran out (R6675-07).
    pub(crate) fn time_out(&mut self, moment: &Moment, memory: &mut Memory) {
        let overdue = self.rack.overdue(self.window(moment, memory));
        self.board.time_out(overdue, moment.now);
        self.suspicion = None;
        self.force = true;
        memory.tlp.forget();
    }

    /// RACK.rtt (RFC 8985 §5.3).
    pub(crate) fn rack_rtt(&self) -> Duration {
        self.rack.rtt()
    }

    /// A reduction begins, about `una..nxt`, that D-SACKs may prove unfounded.
    pub(crate) fn watch(&mut self, una: SeqNumber, nxt: SeqNumber, now: Instant) {
        self.doubtful = 0;
        self.watched = (una, nxt);
        self.reduced_at = now;
    }

    /// The timeout was spurious: what it took for lost is on its way, and no proof of loss for what
    /// was sent before the retransmission.
    pub(crate) fn forgive(&mut self) {
        self.board.find_again();
        self.rack.forget();
        self.suspicion = None;
        self.force = false;
    }

    /// Octets went out again in a recovery.
    pub(crate) fn sent_again(&mut self, start: SeqNumber, end: SeqNumber, now: Instant) {
        self.force = false;
        self.board.sent_again(start, end, now);
        self.doubtful = self.doubtful.saturating_add(end - start);
    }

    fn window(&self, moment: &Moment, memory: &Memory) -> Duration {
        let eager = moment.repairing || self.board.dup_thresh_reached(moment.smss);
        memory.rack.window(eager, moment.srtt)
    }

    fn was_unneeded(&mut self, block: SackBlock) -> bool {
        let (start, end) = self.watched;
        if self.doubtful == 0 || block.left.before(start) || block.right.after(end) {
            return false;
        }
        self.doubtful = self.doubtful.saturating_sub(block.right - block.left);
        self.doubtful == 0
    }
}

/// Splits the blocks of an ACK into the D-SACK, if it has one (RFC 2883 §4: the first block, below
/// SEG.ACK or inside the second one), and those that report something: inside SND.UNA..SND.NXT,
/// left of right, beyond SEG.ACK. What is not so is of no use and is left out.
pub(crate) fn sort_blocks(
    blocks: &SackBlocks,
    una: SeqNumber,
    ack: SeqNumber,
    nxt: SeqNumber,
) -> (Option<SackBlock>, SackBlocks) {
    let all = blocks.as_slice();
    let duplicate = all.first().copied().filter(|first| {
        let below = first.right.at_or_before(ack);
        let inside = all.get(1).is_some_and(|second| {
            first.left.at_or_after(second.left) && first.right.at_or_before(second.right)
        });
        // Not further back than what was ever sent, as far as a window of that time reaches.
        let sane = first.left.before(first.right) && first.right.at_or_before(nxt);
        sane && (below || inside)
    });
    let mut reports = SackBlocks::default();
    let skip = usize::from(duplicate.is_some());
    for block in &all[skip.min(all.len())..] {
        let inside = block.left.at_or_after(una) && block.right.at_or_before(nxt);
        if inside && block.left.before(block.right) && block.left.at_or_after(ack) {
            reports.push(*block);
        }
    }
    (duplicate, reports)
}

#[cfg(test)]
mod tests;
