//! The receiver's half of SACK (RFC 2018 §4, RFC 2883): which blocks an ACK reports.
//!
//! First what came twice in the segment just taken, if something did (D-SACK), then the block that
//! the latest segment is in, then those reported most recently, then whatever else there is: as
//! many as the header has room for (R6675-09, R6675-10).

use crate::reassembly::Reassembly;
use crate::seq::SeqNumber;
use crate::wire::{SACK_BLOCKS_MAX, SackBlock, SackBlocks};

/// What a receiver remembers to report; there is none while everything comes in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reports {
    /// Octets in the blocks that were last added to, the latest first.
    recent: [SeqNumber; SACK_BLOCKS_MAX],
    len: u8,
    /// What came twice in the latest segment.
    duplicate: Option<SackBlock>,
}

impl Reports {
    /// A segment that starts at `seq` was taken out of order.
    pub(crate) fn add(&mut self, seq: SeqNumber) {
        let len = usize::from(self.len);
        let known = self.recent[..len].iter().position(|old| *old == seq);
        let last = known.unwrap_or(len.min(SACK_BLOCKS_MAX - 1));
        self.recent.copy_within(..last, 1);
        self.recent[0] = seq;
        self.len = (last + 1).max(len) as u8;
    }

    /// What came twice in the segment that is being taken, if anything.
    pub(crate) fn duplicate(&mut self, block: Option<SackBlock>) {
        self.duplicate = block;
    }

    /// The option of an ACK that says `nxt`.
    pub(crate) fn blocks(&self, nxt: SeqNumber, buffer: &Reassembly) -> SackBlocks {
        let mut blocks = SackBlocks::default();
        if let Some(duplicate) = self.duplicate {
            blocks.push(duplicate);
        }
        let first = blocks.as_slice().len();
        let recent = self.recent[..usize::from(self.len)]
            .iter()
            .filter(|seq| seq.after(nxt))
            .filter_map(|seq| buffer.block_at(*seq - nxt));
        for range in recent.chain(buffer.held()) {
            let block = SackBlock {
                left: nxt + range.start,
                right: nxt + range.end,
            };
            if !blocks.as_slice()[first..].contains(&block) && !blocks.push(block) {
                break;
            }
        }
        blocks
    }

    /// An ACK has gone out: a duplicate is told once. Whether there is anything left to report.
    pub(crate) fn told(&mut self, buffer: &Reassembly) -> bool {
        self.duplicate = None;
        buffer.fills_gap()
    }
}

#[cfg(test)]
mod tests {
    use super::Reports;
    use crate::reassembly::Reassembly;
    use crate::seq::SeqNumber;
    use crate::wire::SackBlock;
    use alloc::vec;
    use alloc::vec::Vec;

    const NXT: SeqNumber = SeqNumber(u32::MAX - 20);

    /// Held: ten octets at each of these offsets, in the order of arrival.
    fn held(offsets: &[u32]) -> (Reports, Reassembly) {
        let (mut reports, mut buffer) = (Reports::default(), Reassembly::new());
        for &offset in offsets {
            buffer.insert(offset, &[0; 10], 64);
            reports.add(NXT + offset);
        }
        (reports, buffer)
    }

    fn blocks(reports: &Reports, buffer: &Reassembly) -> Vec<(u32, u32)> {
        let blocks = reports.blocks(NXT, buffer);
        let offsets = |block: &SackBlock| (block.left - NXT, block.right - NXT);
        blocks.as_slice().iter().map(offsets).collect()
    }

    #[test]
    fn the_block_of_the_latest_segment_comes_first() {
        let (reports, buffer) = held(&[20, 60, 40]);
        assert_eq!(
            blocks(&reports, &buffer),
            [(40, 50), (60, 70), (20, 30)],
            "R6675-09"
        );
        let (reports, buffer) = held(&[20, 60, 30]);
        assert_eq!(blocks(&reports, &buffer), [(20, 40), (60, 70)], "joined");
    }

    #[test]
    fn as_many_as_there_is_room_for() {
        let (mut reports, buffer) = held(&[20, 40, 60, 80, 100, 120]);
        let all = [(120, 130), (100, 110), (80, 90), (60, 70)];
        assert_eq!(blocks(&reports, &buffer), all, "R6675-10");
        reports.add(NXT + 40);
        assert_eq!(blocks(&reports, &buffer)[..2], [(40, 50), (120, 130)]);
    }

    #[test]
    fn blocks_never_reported_lately_fill_the_rest() {
        let (_, buffer) = held(&[20, 40]);
        assert_eq!(blocks(&Reports::default(), &buffer), [(20, 30), (40, 50)]);
    }

    #[test]
    fn a_duplicate_leads_and_is_told_once() {
        let (mut reports, buffer) = held(&[20, 40]);
        let twice = SackBlock {
            left: NXT.back(10),
            right: NXT,
        };
        reports.duplicate(Some(twice));
        assert_eq!(reports.blocks(NXT, &buffer).as_slice()[0], twice);
        assert_eq!(blocks(&reports, &buffer)[1..], [(40, 50), (20, 30)]);
        assert!(reports.told(&buffer));
        assert_eq!(blocks(&reports, &buffer), [(40, 50), (20, 30)]);
    }

    #[test]
    fn a_duplicate_that_is_a_whole_block_is_followed_by_it() {
        let (mut reports, buffer) = held(&[20]);
        let twice = SackBlock {
            left: NXT + 20,
            right: NXT + 30,
        };
        reports.duplicate(Some(twice));
        assert_eq!(
            reports.blocks(NXT, &buffer).as_slice(),
            vec![twice; 2],
            "RFC 2883 §4.1.3"
        );
    }

    #[test]
    fn what_became_readable_is_not_reported() {
        let (mut reports, mut buffer) = held(&[10]);
        buffer.insert(0, &[0; 10], 64);
        assert_eq!(reports.blocks(NXT + 20, &buffer).as_slice(), []);
        assert!(!reports.told(&buffer), "nothing is left");
    }
}
