//! The ring against a `VecDeque`.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec as list;
use proptest::prelude::*;

use super::{CAPACITY_MIN, Ring};
use crate::wire::arbitrary::config;

fn content(ring: &Ring) -> Vec<u8> {
    let mut out = Vec::new();
    ring.copy_to(0, ring.len(), &mut out);
    out
}

#[test]
fn no_memory_is_held_before_the_first_octet() {
    let mut ring = Ring::new();
    ring.push(&[]);
    ring.write_at(1_000, &[]);
    assert_eq!(
        (
            ring.capacity_octets(),
            ring.read(&mut [0; 4]),
            ring.is_empty()
        ),
        (0, 0, true)
    );
    ring.discard(0);
    ring.extend(0);
    assert_eq!(content(&ring), []);
}

#[test]
fn octets_come_out_in_order_across_the_end_of_the_storage() {
    let mut ring = Ring::new();
    ring.push(&[250]);
    // One octet always stays, so the front wanders around the storage four times.
    for value in 0..u8::MAX / 3 {
        ring.push(&[3 * value, 3 * value + 1, 3 * value + 2]);
        let mut out = [0; 3];
        assert_eq!(ring.read(&mut out), 3);
        let left = if value == 0 { 250 } else { 3 * value - 1 };
        assert_eq!(out, [left, 3 * value, 3 * value + 1]);
    }
    assert_eq!(
        ring.capacity_octets() as usize,
        CAPACITY_MIN,
        "4 octets at a time never grow it"
    );
}

#[test]
fn the_ring_grows_in_powers_of_two_and_keeps_its_content() {
    let mut ring = Ring::new();
    ring.push(&[1; 50]);
    ring.discard(45);
    ring.push(&[2; 50]); // wraps
    assert_eq!(ring.capacity_octets(), 64);
    ring.push(&[3; 10]);
    assert_eq!(ring.capacity_octets(), 128);
    assert_eq!(
        content(&ring),
        [vec![1; 5], vec![2; 50], vec![3; 10]].concat()
    );
    ring.push(&[4; 1_448]);
    assert_eq!((ring.capacity_octets(), ring.len()), (2_048, 1_513));
}

#[test]
fn octets_written_ahead_survive_growth_and_become_content() {
    let mut ring = Ring::new();
    ring.push(b"abc");
    ring.write_at(10, b"xyz");
    ring.write_at(500, b"!");
    assert_eq!((ring.len(), ring.capacity_octets()), (3, 512));
    ring.write_at(3, b"defghij");
    ring.extend(10);
    assert_eq!(content(&ring), b"abcdefghijxyz");
}

#[test]
fn reading_everything_keeps_what_was_written_ahead() {
    let mut ring = Ring::new();
    ring.push(b"abc");
    ring.write_at(4, b"e");
    assert_eq!(ring.read(&mut [0; 9]), 3);
    ring.release();
    assert_ne!(ring.capacity_octets(), 0);
    ring.write_at(0, b"d");
    ring.extend(2);
    assert_eq!(content(&ring), b"de");
}

#[test]
fn an_empty_ring_gives_its_memory_back_and_works_on() {
    let mut ring = Ring::new();
    ring.push(b"abc");
    ring.release();
    assert_eq!(content(&ring), b"abc");
    ring.discard(3);
    assert_eq!(ring.capacity_octets(), 64);
    ring.release();
    assert_eq!(ring.capacity_octets(), 0);
    ring.push(b"d");
    assert_eq!(content(&ring), b"d");
}

#[test]
#[should_panic(expected = "extending by 2 of 1 octets")]
fn what_was_never_written_cannot_become_content() {
    let mut ring = Ring::new();
    ring.write_at(0, b"a");
    ring.extend(2);
}

#[test]
#[should_panic(expected = "discarding 2 of 1 octets")]
fn more_than_there_is_cannot_be_discarded() {
    let mut ring = Ring::new();
    ring.push(b"a");
    ring.write_at(1, b"b");
    ring.discard(2);
}

#[derive(Clone, Debug)]
enum Call {
    Push(Vec<u8>),
    Read(usize),
    Discard(u32),
    CopyTo(u32, u32),
    WriteAhead(u32, Vec<u8>),
    Release,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => list(any::<u8>(), 0..80).prop_map(Call::Push),
        3 => (0_usize..90).prop_map(Call::Read),
        2 => (0_u32..90).prop_map(Call::Discard),
        3 => (0_u32..200, 0_u32..200).prop_map(|(offset, len)| Call::CopyTo(offset, len)),
        2 => (0_u32..90, list(any::<u8>(), 0..80)).prop_map(|(gap, o)| Call::WriteAhead(gap, o)),
        1 => Just(Call::Release),
    ]
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn a_ring_is_a_queue(calls in list(call(), 0..80)) {
        let (mut ring, mut model) = (Ring::new(), VecDeque::<u8>::new());
        for call in calls {
            match call {
                Call::Push(octets) => {
                    ring.push(&octets);
                    model.extend(octets);
                }
                Call::Read(count) => {
                    let mut out = vec![0; count];
                    let read = ring.read(&mut out) as usize;
                    prop_assert_eq!(read, count.min(model.len()));
                    let expected: Vec<u8> = model.drain(..read).collect();
                    prop_assert_eq!(&out[..read], expected);
                }
                Call::Discard(count) => {
                    let count = count.min(ring.len());
                    ring.discard(count);
                    model.drain(..count as usize);
                }
                Call::CopyTo(offset, len) => {
                    let offset = offset.min(ring.len());
                    let len = len.min(ring.len() - offset);
                    let mut out = vec![7];
                    ring.copy_to(offset, len, &mut out);
                    let expected = model.iter().skip(offset as usize).take(len as usize);
                    prop_assert!([7].iter().chain(expected).eq(&out));
                }
                // The gap is filled after the octets behind it.
                Call::WriteAhead(gap, octets) => {
                    let start = ring.len();
                    ring.write_at(start + gap, &octets);
                    prop_assert_eq!(ring.len(), start);
                    if !octets.is_empty() {
                        ring.write_at(start, &vec![9; gap as usize]);
                        ring.extend(gap + octets.len() as u32);
                        model.extend(vec![9; gap as usize]);
                        model.extend(octets);
                    }
                }
                Call::Release => ring.release(),
            }
            prop_assert_eq!(ring.len() as usize, model.len());
            prop_assert_eq!(ring.is_empty(), model.is_empty());
            let capacity = ring.capacity_octets() as usize;
            prop_assert!(capacity == 0 || capacity.is_power_of_two());
        }
        prop_assert!(content(&ring).iter().eq(&model));
    }
}
