//! The octets that a connection was offered beyond RCV.NXT and may hold (RFC 9293 §3.10.7.4,
//! SHLD-31).

use timewait_stack::SeqNumber;

/// Blocks in sequence order, none touching the next. A stack may have dropped any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    blocks: Vec<(SeqNumber, SeqNumber)>,
    /// The sequence numbers after each FIN that was offered, the last one at the end: an honest peer
    /// has one, an attacker as many as it likes.
    fin_ends: Vec<SeqNumber>,
}

impl Held {
    /// Nothing was offered beyond RCV.NXT.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The octets from `start` to `end` were offered, the last of them a FIN or not.
    pub fn offer(&mut self, start: SeqNumber, end: SeqNumber, fin: bool) {
        if fin {
            self.fin_ends.retain(|known| *known != end);
            self.fin_ends.push(end);
        }
        if !start.before(end) {
            return;
        }
        let (mut start, mut end) = (start, end);
        let first = self.blocks.partition_point(|&(_, e)| e.before(start));
        let past = first
            + self.blocks[first..]
                .iter()
                .take_while(|&&(s, _)| s.at_or_before(end))
                .count();
        for &(s, e) in &self.blocks[first..past] {
            start = start.min(s);
            end = end.max(e);
        }
        self.blocks.splice(first..past, [(start, end)]);
    }

    /// RCV.NXT has moved: what lies before it counts no more.
    pub fn taken_to(&mut self, rcv_nxt: SeqNumber) {
        self.blocks.retain(|&(_, end)| end.after(rcv_nxt));
        self.fin_ends.retain(|end| end.after(rcv_nxt));
    }

    /// How far everything is there, if all up to `from` is.
    pub fn reach(&self, from: SeqNumber) -> SeqNumber {
        let touching = self
            .blocks
            .iter()
            .find(|&&(s, e)| s.at_or_before(from) && e.after(from));
        touching.map_or(from, |&(_, end)| end)
    }

    /// The blocks, in sequence order.
    pub fn blocks(&self) -> &[(SeqNumber, SeqNumber)] {
        &self.blocks
    }

    /// Octets in all blocks.
    pub fn octets(&self) -> u64 {
        self.blocks.iter().map(|&(s, e)| u64::from(e - s)).sum()
    }

    /// Whether everything from `start` up to `end` is there.
    pub fn covers(&self, start: SeqNumber, end: SeqNumber) -> bool {
        let mut blocks = self.blocks.iter();
        blocks.any(|&(s, e)| s.at_or_before(start) && end.at_or_before(e))
    }

    /// The first part of `start` to `end` that is there.
    pub fn first_overlap(
        &self,
        start: SeqNumber,
        end: SeqNumber,
    ) -> Option<(SeqNumber, SeqNumber)> {
        let mut blocks = self.blocks.iter();
        let &(s, e) = blocks.find(|&&(s, e)| s.before(end) && start.before(e))?;
        Some((s.max(start), e.min(end)))
    }

    /// The sequence number after the FIN, if one was offered: the one that is `kept`, or the last.
    pub fn fin_end(&self, kept: Option<SeqNumber>) -> Option<SeqNumber> {
        let kept = kept.map(|fin| fin + 1);
        let known = kept.filter(|end| self.fin_ends.contains(end));
        known.or(self.fin_ends.last().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::Held;
    use timewait_stack::SeqNumber;

    fn held(blocks: &[(u32, u32)]) -> Held {
        let mut held = Held::default();
        for &(start, end) in blocks {
            held.offer(SeqNumber(start), SeqNumber(end), false);
        }
        held
    }

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        let blocks = [(10, 20), (30, 40), (20, 25), (5, 10), (39, 50)];
        let mut reversed = blocks;
        reversed.reverse();
        assert_eq!(held(&blocks), held(&reversed));
        assert_eq!(held(&blocks), held(&[(5, 25), (30, 50)]));
    }

    #[test]
    fn reach_stops_at_the_first_hole() {
        let held = held(&[(10, 20), (30, 40), (20, 25)]);
        assert_eq!(held.reach(SeqNumber(9)), SeqNumber(9));
        assert_eq!(held.reach(SeqNumber(10)), SeqNumber(25));
        assert_eq!(held.reach(SeqNumber(25)), SeqNumber(25));
    }

    #[test]
    fn a_block_covers_what_lies_in_it_and_overlaps_what_touches_it() {
        let held = held(&[(10, 20), (30, 40)]);
        let at = |(start, end)| (SeqNumber(start), SeqNumber(end));
        let covers = |range| held.covers(at(range).0, at(range).1);
        assert!(covers((10, 20)) && covers((31, 39)));
        assert!(!covers((9, 20)) && !covers((10, 21)) && !covers((15, 35)));
        let overlap = |range| held.first_overlap(at(range).0, at(range).1);
        assert_eq!(overlap((5, 35)), Some(at((10, 20))));
        assert_eq!(overlap((15, 18)), Some(at((15, 18))));
        assert_eq!(overlap((20, 30)), None);
        assert_eq!((held.octets(), held.blocks().len()), (20, 2));
    }

    #[test]
    fn blocks_may_span_the_wrap() {
        let mut held = held(&[(u32::MAX - 5, 5), (8, 9)]);
        assert_eq!(held.reach(SeqNumber(u32::MAX)), SeqNumber(5));
        held.taken_to(SeqNumber(5));
        assert_eq!(held, self::held(&[(8, 9)]));
        held.taken_to(SeqNumber(9));
        assert!(held.is_empty());
    }

    #[test]
    fn of_several_fins_the_one_that_is_kept_counts() {
        let mut held = Held::default();
        for end in [150, 250, 150] {
            held.offer(SeqNumber(end - 50), SeqNumber(end), true);
        }
        assert_eq!(held.fin_end(None), Some(SeqNumber(150)), "the last");
        assert_eq!(held.fin_end(Some(SeqNumber(249))), Some(SeqNumber(250)));
        assert_eq!(held.fin_end(Some(SeqNumber(300))), Some(SeqNumber(150)));
        held.taken_to(SeqNumber(150));
        assert_eq!(held.fin_end(None), Some(SeqNumber(250)));
    }
}
