//! The receive buffer against a map from offset to octet.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use proptest::collection::vec as list;
use proptest::prelude::*;

use super::Reassembly;
use crate::wire::arbitrary::config;

const MANY: u16 = u16::MAX;

fn read_all(buffer: &mut Reassembly) -> Vec<u8> {
    let mut out = vec![0; buffer.readable() as usize + 1];
    let read = buffer.read(&mut out) as usize;
    out.truncate(read);
    out
}

/// The blocks, as first offset and the one after the last.
fn ranges(buffer: &Reassembly) -> Vec<(u32, u32)> {
    let offsets = (0..buffer.blocks.len()).map(|at| buffer.offsets(at));
    offsets.map(|Range { start, end }| (start, end)).collect()
}

/// What the module promises of its blocks.
fn invariants_hold(buffer: &Reassembly) {
    let mut last_end = 0;
    for (start, end) in ranges(buffer) {
        assert!(
            start > last_end,
            "sorted, disjoint, not adjacent, not at RCV.NXT"
        );
        assert!(end > start, "not empty");
        last_end = end;
    }
    let sum: u32 = ranges(buffer).iter().map(|(start, end)| end - start).sum();
    assert_eq!(sum, buffer.out_of_order());
    assert_eq!(buffer.fills_gap(), buffer.blocks() > 0);
}

#[test]
fn octets_in_order_need_no_block() {
    let mut buffer = Reassembly::new();
    assert_eq!(buffer.insert(0, b"ab", 0), Some(2));
    assert_eq!(buffer.insert(0, b"cd", 0), Some(2));
    assert_eq!(
        (buffer.readable(), buffer.blocks(), buffer.blocks.capacity()),
        (4, 0, 0)
    );
    assert_eq!(read_all(&mut buffer), b"abcd");
}

#[test]
fn a_gap_that_is_filled_releases_what_waited_behind_it() {
    let mut buffer = Reassembly::new();
    assert_eq!(buffer.insert(2, b"cd", MANY), Some(0));
    assert_eq!(
        (buffer.readable(), buffer.out_of_order(), buffer.blocks()),
        (0, 2, 1)
    );
    assert!(buffer.fills_gap());
    assert_eq!(buffer.insert(0, b"ab", MANY), Some(4));
    assert_eq!(
        (buffer.readable(), buffer.out_of_order(), buffer.blocks()),
        (4, 0, 0)
    );
    assert_eq!(read_all(&mut buffer), b"abcd");
}

#[test]
fn a_gap_that_is_filled_in_part_releases_nothing() {
    let mut buffer = Reassembly::new();
    buffer.insert(4, b"e", MANY);
    assert_eq!(buffer.insert(0, b"ab", MANY), Some(2));
    assert_eq!(ranges(&buffer), [(2, 3)]);
    assert_eq!(buffer.insert(0, b"cd", MANY), Some(3));
    assert_eq!(read_all(&mut buffer), b"abcde");
}

#[test]
fn only_the_first_of_two_gaps_is_filled() {
    let mut buffer = Reassembly::new();
    buffer.insert(1, b"b", MANY);
    buffer.insert(3, b"d", MANY);
    assert_eq!(buffer.insert(0, b"a", MANY), Some(2));
    assert_eq!(
        (read_all(&mut buffer), ranges(&buffer)),
        (b"ab".to_vec(), vec![(1, 2)])
    );
}

#[test]
fn neighbours_become_one_block() {
    let mut buffer = Reassembly::new();
    for offset in [5, 9, 7] {
        buffer.insert(offset, b"x", MANY);
    }
    assert_eq!(ranges(&buffer), [(5, 6), (7, 8), (9, 10)]);
    buffer.insert(6, b"x", MANY);
    assert_eq!(ranges(&buffer), [(5, 8), (9, 10)]);
    buffer.insert(8, b"x", MANY);
    assert_eq!(ranges(&buffer), [(5, 10)]);
    buffer.insert(3, b"xxxxxxxxx", MANY);
    assert_eq!(ranges(&buffer), [(3, 12)]);
}

#[test]
fn the_first_arrival_of_an_octet_wins() {
    let mut buffer = Reassembly::new();
    buffer.insert(2, b"cd", MANY);
    buffer.insert(6, b"gh", MANY);
    assert_eq!(buffer.insert(1, b"BCDEFGHI", MANY), Some(0));
    assert_eq!(buffer.out_of_order(), 8);
    assert_eq!(buffer.insert(0, b"123456789_", MANY), Some(10));
    assert_eq!(read_all(&mut buffer), b"1BcdEFghI_");
}

#[test]
fn a_duplicate_is_taken_and_changes_nothing() {
    let mut buffer = Reassembly::new();
    buffer.insert(4, b"abcd", MANY);
    assert_eq!(buffer.insert(4, b"ABCD", 1), Some(0));
    assert_eq!(buffer.insert(5, b"BC", 1), Some(0));
    assert_eq!((ranges(&buffer), buffer.out_of_order()), (vec![(4, 8)], 4));
    buffer.insert(0, b"....", MANY);
    assert_eq!(read_all(&mut buffer), b"....abcd");
}

#[test]
fn a_block_too_many_is_refused_whole() {
    let mut buffer = Reassembly::new();
    assert_eq!(buffer.insert(2, b"x", 2), Some(0));
    assert_eq!(buffer.insert(6, b"x", 2), Some(0));
    assert_eq!(buffer.insert(4, b"y", 2), None);
    assert_eq!(
        (ranges(&buffer), buffer.out_of_order()),
        (vec![(2, 3), (6, 7)], 2)
    );
    assert_eq!(
        buffer.insert(7, b"z", 2),
        Some(0),
        "a block that grows is no new one"
    );
    assert_eq!(buffer.insert(3, b"yyy", 2), Some(0), "nor is a bridge");
    assert_eq!(ranges(&buffer), [(2, 8)]);
    assert_eq!(Reassembly::new().insert(1, b"x", 0), None);
}

#[test]
fn octets_at_rcv_nxt_are_never_refused() {
    let mut buffer = Reassembly::new();
    buffer.insert(2, b"c", 1);
    assert_eq!(
        buffer.insert(0, b"a", 0),
        Some(1),
        "they are no block, even before a gap"
    );
    assert_eq!(buffer.insert(0, b"b", 0), Some(2));
}

#[test]
fn reading_does_not_disturb_what_waits() {
    let mut buffer = Reassembly::new();
    buffer.insert(0, b"ab", MANY);
    buffer.insert(1, b"d", MANY);
    assert_eq!(buffer.read(&mut [0; 1]), 1);
    buffer.discard_readable();
    buffer.release();
    assert_eq!((buffer.readable(), ranges(&buffer)), (0, vec![(1, 2)]));
    assert_eq!(buffer.insert(0, b"c", MANY), Some(2));
    assert_eq!(read_all(&mut buffer), b"cd");
}

#[test]
fn what_is_cleared_is_gone_and_its_memory_is_given_back() {
    let mut buffer = Reassembly::new();
    buffer.insert(0, b"ab", MANY);
    buffer.insert(3, b"d", MANY);
    buffer.clear();
    assert_eq!(
        (buffer.readable(), buffer.out_of_order(), buffer.blocks()),
        (0, 0, 0)
    );
    buffer.release();
    assert_eq!(
        (buffer.ring.capacity_octets(), buffer.blocks.capacity()),
        (0, 0)
    );
    assert_eq!(buffer.insert(0, b"xyz", MANY), Some(3));
    assert_eq!(read_all(&mut buffer), b"xyz");
}

/// Octets by their position in the stream; the naive truth.
#[derive(Default)]
struct Model {
    octets: BTreeMap<u32, u8>,
    next: u32,
    unread: Vec<u8>,
}

impl Model {
    fn insert(&mut self, offset: u32, octets: &[u8]) -> u32 {
        for (position, &octet) in (self.next + offset..).zip(octets) {
            self.octets.entry(position).or_insert(octet);
        }
        let before = self.next;
        while let Some(octet) = self.octets.remove(&self.next) {
            self.unread.push(octet);
            self.next += 1;
        }
        self.next - before
    }

    /// The blocks that the octets form.
    fn ranges(&self) -> Vec<(u32, u32)> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for offset in self.octets.keys().map(|position| position - self.next) {
            match ranges.last_mut() {
                Some((_, end)) if *end == offset => *end += 1,
                _ => ranges.push((offset, offset + 1)),
            }
        }
        ranges
    }
}

#[derive(Clone, Debug)]
enum Call {
    Insert(u32, Vec<u8>),
    Read(usize),
    DiscardReadable,
    Release,
}

fn call() -> impl Strategy<Value = Call> {
    let offset = prop_oneof![2 => Just(0), 5 => 0_u32..150, 1 => 0_u32..1_000];
    prop_oneof![
        12 => (offset, list(any::<u8>(), 0..40)).prop_map(|(at, octets)| Call::Insert(at, octets)),
        4 => (0_usize..100).prop_map(Call::Read),
        1 => Just(Call::DiscardReadable),
        1 => Just(Call::Release),
    ]
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn the_buffer_is_a_map_from_offset_to_octet(
        calls in list(call(), 0..100),
        blocks_max in 0_u16..8,
        start in prop_oneof![Just(0), Just(u32::MAX - 100), any::<u32>()],
    ) {
        let (mut buffer, mut model) = (Reassembly::new(), Model::default());
        buffer.next = start; // positions may wrap at any moment of a stream
        for call in calls {
            match call {
                Call::Insert(offset, octets) => {
                    let before = ranges(&buffer);
                    match buffer.insert(offset, &octets, blocks_max) {
                        Some(advance) => {
                            prop_assert_eq!(advance, model.insert(offset, &octets));
                            let grown = buffer.blocks.len() > before.len();
                            prop_assert!(!grown || buffer.blocks() <= blocks_max);
                        }
                        None => {
                            let end = offset + octets.len() as u32;
                            let apart = |&(first, past): &(u32, u32)| past < offset || end < first;
                            prop_assert!(offset > 0 && before.iter().all(apart));
                            prop_assert!(before.len() >= usize::from(blocks_max));
                        }
                    }
                }
                Call::Read(count) => {
                    let mut out = vec![0; count];
                    let read = buffer.read(&mut out) as usize;
                    prop_assert_eq!(read, count.min(model.unread.len()));
                    let expected: Vec<u8> = model.unread.drain(..read).collect();
                    prop_assert_eq!(&out[..read], expected);
                }
                Call::DiscardReadable => {
                    buffer.discard_readable();
                    model.unread.clear();
                }
                Call::Release => buffer.release(),
            }
            invariants_hold(&buffer);
            prop_assert_eq!(ranges(&buffer), model.ranges());
            prop_assert_eq!(buffer.readable() as usize, model.unread.len());
        }
        // Fill every gap: all that was ever taken comes out, and nothing else.
        while let Some(hole) = ranges(&buffer).first().map(|first| first.0) {
            let filler = vec![0x55; hole as usize];
            prop_assert_eq!(buffer.insert(0, &filler, 0), Some(model.insert(0, &filler)));
        }
        prop_assert_eq!(read_all(&mut buffer), model.unread);
    }
}

/// The most blocks that one of many islands of one octet made the buffer touch, when they come in
/// this order.
fn most_work(blocks_max: u16, offsets: impl Iterator<Item = u32>) -> u64 {
    let mut reassembly = Reassembly::new();
    let mut most = 0;
    for offset in offsets {
        let before = reassembly.work;
        let _ = reassembly.insert(offset, b"x", blocks_max);
        most = most.max(reassembly.work - before);
    }
    most
}

/// SegmentSmack (CVE-2018-5390): work per segment must not grow with what an attacker left there.
#[test]
fn islands_cost_no_more_than_the_bound_on_blocks() {
    const BOUND: u16 = 64;
    let up = || (1..30_000).map(|n| 2 * n);
    let down = || up().rev();
    let per_segment = 2 * u64::from(BOUND).ilog2() + u32::from(BOUND) + 4;
    for most in [most_work(BOUND, up()), most_work(BOUND, down())] {
        assert!(
            most <= u64::from(per_segment),
            "{most} blocks for one segment"
        );
    }
    let unbounded = most_work(u16::MAX, down());
    assert!(
        unbounded > 10_000,
        "the work of {unbounded} blocks was not counted"
    );
}

/// One segment over all islands: it may touch each of them once, and they are gone then.
#[test]
fn a_segment_over_all_islands_touches_each_a_few_times() {
    let mut reassembly = Reassembly::new();
    for n in 1..=64 {
        assert_eq!(reassembly.insert(2 * n, b"x", 64), Some(0));
    }
    let before = reassembly.work;
    assert_eq!(reassembly.insert(0, &[b'x'; 200], 64), Some(200));
    let work = reassembly.work - before;
    assert!((64..=3 * 64).contains(&work), "{work}");
    assert_eq!(reassembly.blocks(), 0);
}
