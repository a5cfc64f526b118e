use super::{Delivery, Rack, RackMemory};
use crate::recovery::scoreboard::{Marks, Sent};
use crate::seq::SeqNumber;
use crate::time::{Duration, Instant};

const UNA: SeqNumber = SeqNumber(u32::MAX - 1500);

fn at(ms: u64) -> Instant {
    Instant::from_nanos(ms * 1_000_000)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn sent(segment: u32, ms: u64, marks: Marks) -> Sent {
    Sent {
        start: UNA + segment * 1000,
        end: UNA + (segment + 1) * 1000,
        at: at(ms),
        marks,
    }
}

/// One ACK at `now` that tells of these.
fn ack(rack: &mut Rack, memory: &mut RackMemory, now: u64, told: &[Sent]) -> Delivery {
    let mut delivery = Delivery::default();
    for record in told {
        rack.deliver(&mut delivery, record, at(now), memory);
    }
    rack.advance(&delivery, memory, 1000);
    delivery
}

#[test]
fn the_newest_by_time_and_then_by_place_counts() {
    let (mut rack, mut memory) = (Rack::new(UNA), RackMemory::default());
    let original = Marks::empty();
    ack(
        &mut rack,
        &mut memory,
        100,
        &[sent(1, 0, original), sent(0, 0, original)],
    );
    assert_eq!(rack.rtt(), ms(100), "R8985-01");
    assert!(
        rack.newer_than(&sent(0, 0, original)),
        "sent together, but before it"
    );
    assert!(!rack.newer_than(&sent(2, 0, original)) && !rack.newer_than(&sent(0, 1, original)));
}

#[test]
fn an_answer_to_a_retransmission_sooner_than_any_round_trip_is_not_believed() {
    let (mut rack, mut memory) = (Rack::new(UNA), RackMemory::default());
    ack(&mut rack, &mut memory, 100, &[sent(0, 0, Marks::empty())]);
    ack(
        &mut rack,
        &mut memory,
        150,
        &[sent(1, 90, Marks::EVER_RESENT)],
    );
    assert_eq!(rack.rtt(), ms(100), "R8985-05");
    assert!(!rack.newer_than(&sent(2, 89, Marks::empty())));
    ack(
        &mut rack,
        &mut memory,
        190,
        &[sent(1, 90, Marks::EVER_RESENT)],
    );
    assert!(rack.newer_than(&sent(2, 89, Marks::empty())));
}

#[test]
fn only_what_was_sent_once_shows_reordering() {
    for (marks, seen) in [(Marks::empty(), true), (Marks::EVER_RESENT, false)] {
        let (mut rack, mut memory) = (Rack::new(UNA), RackMemory::default());
        ack(&mut rack, &mut memory, 100, &[sent(2, 2, Marks::empty())]);
        assert!(!memory.reordering_seen);
        ack(&mut rack, &mut memory, 101, &[sent(0, 0, marks)]);
        assert_eq!(memory.reordering_seen, seen);
    }
}

#[test]
fn the_degree_of_reordering_is_how_far_one_was_overtaken() {
    for (highest, late, degree) in [(2, 0, 3), (6, 0, 6), (6, 2, 4), (1000, 0, 300)] {
        let (mut rack, mut memory) = (Rack::new(UNA), RackMemory::default());
        assert_eq!(memory.reordering(), 3);
        for segment in [highest, late] {
            ack(
                &mut rack,
                &mut memory,
                100,
                &[sent(segment, 2, Marks::empty())],
            );
        }
        assert_eq!(memory.reordering(), degree, "{highest} {late}");
        ack(
            &mut rack,
            &mut memory,
            100,
            &[sent(highest - 1, 2, Marks::empty())],
        );
        assert_eq!(memory.reordering(), degree, "the most so far");
    }
}

#[test]
fn two_segments_told_of_by_one_ack_are_not_out_of_order() {
    let (mut rack, mut memory) = (Rack::new(UNA), RackMemory::default());
    let original = Marks::empty();
    ack(
        &mut rack,
        &mut memory,
        100,
        &[sent(2, 2, original), sent(0, 0, original)],
    );
    assert!(!memory.reordering_seen);
}

#[test]
fn the_window_is_a_quarter_of_the_least_round_trip_once_reordering_was_seen() {
    let (mut rack, mut memory) = (Rack::new(UNA), RackMemory::default());
    ack(&mut rack, &mut memory, 100, &[sent(0, 0, Marks::empty())]);
    let srtt = Some(ms(120));
    assert_eq!(memory.window(false, srtt), ms(25), "R8985-03");
    assert_eq!(memory.window(true, srtt), ms(0), "DupThresh is reached");
    memory.reordering_seen = true;
    assert_eq!(memory.window(true, srtt), ms(25));
}

#[test]
fn each_round_with_a_dsack_widens_the_window_up_to_srtt() {
    let (mut rack, mut memory) = (Rack::new(UNA), RackMemory::default());
    ack(&mut rack, &mut memory, 100, &[sent(0, 0, Marks::empty())]);
    let srtt = Some(ms(90));
    for (una, nxt, window) in [
        (1, 2, 50),
        (1, 3, 50), // The same round trip.
        (2, 3, 75),
        (3, 4, 90), // SRTT at most.
    ] {
        rack.on_duplicate(UNA + una * 1000, UNA + nxt * 1000, &mut memory);
        assert_eq!(memory.window(false, srtt), ms(window), "R8985-04");
    }
    for _ in 0..15 {
        memory.on_recovered();
    }
    assert_eq!(memory.window(false, srtt), ms(90));
    memory.on_recovered();
    assert_eq!(memory.window(false, srtt), ms(25), "after 16 recoveries");
}
