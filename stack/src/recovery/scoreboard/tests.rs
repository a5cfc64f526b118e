use super::{Detected, Scoreboard};
use crate::recovery::rack::{Delivery, Rack, RackMemory};
use crate::seq::SeqNumber;
use crate::time::{Duration, Instant};
use crate::wire::SackBlock;
use alloc::vec::Vec;

const UNA: SeqNumber = SeqNumber(u32::MAX - 3000);
const SMSS: u32 = 1000;

fn at(ms: u64) -> Instant {
    Instant::from_nanos(ms * 1_000_000)
}

/// So many segments, one for each millisecond from 0 on.
fn board(segments: u32, limit: u32) -> Scoreboard {
    let mut board = Scoreboard::new(UNA, limit);
    for n in 0..segments {
        board.push(UNA + n * SMSS, UNA + (n + 1) * SMSS, at(u64::from(n)));
    }
    board
}

fn block(left: u32, right: u32) -> SackBlock {
    SackBlock {
        left: UNA + left,
        right: UNA + right,
    }
}

/// What is reported for the first time, as offsets.
fn report(board: &mut Scoreboard, blocks: &[SackBlock]) -> Vec<(u32, u32)> {
    let mut new = Vec::new();
    board.report(blocks, |sent| new.push((sent.start - UNA, sent.end - UNA)));
    new
}

/// RACK after the delivery of what `board` had at `ms`, sent once, answered at `now`.
fn rack(start: u32, sent: u64, now: u64) -> Rack {
    let mut rack = Rack::new(UNA);
    let mut memory = RackMemory::default();
    let mut delivery = Delivery::default();
    let record = super::Sent {
        start: UNA + start,
        end: UNA + start + SMSS,
        at: at(sent),
        marks: super::Marks::empty(),
    };
    rack.deliver(&mut delivery, &record, at(now), &memory);
    rack.advance(&delivery, &mut memory, SMSS);
    rack
}

#[test]
fn the_pipe_is_what_is_neither_reported_nor_lost_plus_what_was_sent_again() {
    let mut board = board(10, 100);
    assert_eq!(board.pipe(), 10_000, "R6675-01: SetPipe");
    assert_eq!(
        report(&mut board, &[block(3000, 5000), block(9000, 10_000)]),
        [(3000, 4000), (4000, 5000), (9000, 10_000)]
    );
    assert_eq!((board.sacked(), board.pipe()), (3000, 7000));
    let found = board.detect(&rack(4000, 4, 104), Duration::ZERO, at(104));
    assert_eq!(found.lost, 3000, "what was sent before the fifth");
    assert_eq!(
        (board.lost(), board.waiting(), board.pipe()),
        (3000, 3000, 4000)
    );
    assert_eq!(
        board.next_waiting(),
        Some((UNA, UNA + SMSS)),
        "NextSeg, rule 1"
    );
    board.sent_again(UNA, UNA + SMSS, at(105));
    assert_eq!(
        (board.resent(), board.waiting(), board.pipe()),
        (1000, 2000, 5000)
    );
    assert_eq!(board.next_waiting(), Some((UNA + SMSS, UNA + 2 * SMSS)));
    board.acknowledge(UNA + 5000, |_| {});
    assert_eq!(
        (board.sacked(), board.lost(), board.pipe()),
        (1000, 0, 4000)
    );
}

#[test]
fn an_ack_in_the_middle_of_a_segment_leaves_the_rest() {
    let mut board = board(2, 100);
    let mut seen = Vec::new();
    board.acknowledge(UNA + 1500, |sent| {
        seen.push((sent.start - UNA, sent.end - UNA));
    });
    assert_eq!(seen, [(0, 1000), (1000, 1500)]);
    assert_eq!((board.pipe(), board.segments()), (500, 1));
}

#[test]
fn blocks_cut_segments_where_there_is_room_for_it() {
    let mut board = board(2, 4);
    assert_eq!(report(&mut board, &[block(200, 300)]), [(200, 300)]);
    assert_eq!((board.segments(), board.sacked()), (4, 100));
    assert_eq!(report(&mut board, &[block(1200, 1700)]), [(1200, 1700)]);
    assert_eq!(board.segments(), 6);
    for offset in [10, 30, 50, 70] {
        report(&mut board, &[block(offset, offset + 1)]);
    }
    assert_eq!(board.segments(), 8, "twice the limit");
    let all = block(0, 2000);
    report(&mut board, &[all]);
    assert_eq!(
        (board.sacked(), board.pipe()),
        (2000, 0),
        "a report of all of it counts"
    );
}

#[test]
fn beyond_the_limit_new_segments_join_the_last_one() {
    let mut board = board(1000, 8);
    assert_eq!((board.segments(), board.pipe()), (8, 1_000_000));
    report(&mut board, &[block(999_000, 1_000_000)]);
    board.push(UNA + 1_000_000, UNA + 1_001_000, at(1000));
    board.push(UNA + 1_001_000, UNA + 1_002_000, at(1001));
    assert_eq!((board.segments(), board.pipe()), (10, 1_001_000));
}

#[test]
fn the_work_for_repeated_blocks_is_that_for_what_is_new() {
    let mut board = board(1000, 2000);
    let nothing = board.segments();
    assert_eq!(nothing, 1000);
    board.acknowledge(UNA, |_| {});
    report(&mut board, &[block(1000, 900_000)]);
    assert!(board.work() >= 899);
    board.acknowledge(UNA, |_| {});
    assert_eq!(
        report(&mut board, &[block(1000, 901_000)]),
        [(900_000, 901_000)]
    );
    assert!(board.work() < 5, "{}", board.work());
}

#[test]
fn alternating_reports_cost_no_more_than_the_bound() {
    let mut board = board(60_000, 64);
    let mut most = 0;
    for n in 0..10_000_u32 {
        board.acknowledge(UNA, |_| {});
        let left = (n * 7919) % 59_000 * SMSS + n % 900;
        let blocks = [0, 1, 2, 3].map(|k| block(left + 200 * k, left + 200 * k + 1));
        report(&mut board, &blocks);
        board.detect(
            &rack(59_000 * SMSS, 59_000, 60_000),
            Duration::ZERO,
            at(60_000),
        );
        most = most.max(board.work());
        assert!(board.segments() <= 128);
    }
    // Each block and the detection may walk over all records.
    assert!(most <= 5 * 128, "{most}");
}

#[test]
fn a_segment_under_suspicion_waits_for_the_reordering_window() {
    let mut board = board(3, 100);
    report(&mut board, &[block(2000, 3000)]);
    let rack = rack(2000, 2, 102);
    let window = Duration::from_millis(25);
    let found = board.detect(&rack, window, at(102));
    // Sent at 0 and at 1, a round trip of 100: the last deadline is 126.
    assert_eq!(
        found,
        Detected {
            lost: 0,
            resent_at: None,
            deadline: Some(at(126))
        },
        "R8985-02"
    );
    assert_eq!(board.detect(&rack, window, at(125)).lost, 1000);
    assert_eq!(board.detect(&rack, window, at(126)).lost, 1000);
}

#[test]
fn a_lost_retransmission_is_lost_when_something_sent_later_arrives() {
    let mut board = board(4, 100);
    report(&mut board, &[block(1000, 2000)]);
    assert_eq!(
        board
            .detect(&rack(1000, 1, 101), Duration::ZERO, at(101))
            .lost,
        1000
    );
    board.sent_again(UNA, UNA + SMSS, at(102));
    assert_eq!(
        board
            .detect(&rack(3000, 3, 103), Duration::ZERO, at(103))
            .lost,
        1000,
        "the third, not the retransmission"
    );
    board.push(UNA + 4000, UNA + 5000, at(110));
    report(&mut board, &[block(4000, 5000)]);
    let found = board.detect(&rack(4000, 110, 210), Duration::ZERO, at(210));
    assert_eq!(found.lost, 2000, "both the retransmission and the fourth");
    assert_eq!(board.next_waiting(), Some((UNA, UNA + SMSS)));
}

#[test]
fn a_timeout_takes_back_all_trust_in_reports() {
    let mut board = board(4, 100);
    report(&mut board, &[block(1000, 4000)]);
    board.time_out(None, at(1000));
    assert_eq!(
        (board.sacked(), board.waiting(), board.pipe()),
        (0, 4000, 0),
        "R6675-07"
    );
    assert_eq!(
        report(&mut board, &[block(1000, 4000)]).len(),
        3,
        "but the peer may say it again"
    );
    assert_eq!(board.waiting(), 1000);
}

#[test]
fn a_timeout_spares_what_was_sent_lately() {
    let mut board = board(4, 100);
    board.time_out(Some(Duration::from_millis(100)), at(102));
    assert_eq!(
        (board.waiting(), board.pipe()),
        (3000, 1000),
        "RFC 8985 §6.3"
    );
}

#[test]
fn what_a_spurious_timeout_took_for_lost_comes_back() {
    let mut board = board(4, 100);
    board.time_out(None, at(1000));
    board.sent_again(UNA, UNA + SMSS, at(1000));
    board.acknowledge(UNA + SMSS, |_| {});
    board.find_again();
    assert_eq!((board.waiting(), board.lost(), board.pipe()), (0, 0, 3000));
}

#[test]
fn the_last_segment_is_filled_up_when_it_is_sent_again() {
    let mut board = Scoreboard::new(UNA, 8);
    board.push(UNA, UNA + 1, at(0));
    board.lose_all();
    board.sent_again(UNA, UNA + SMSS, at(1));
    assert_eq!(
        (board.pipe(), board.lost(), board.segments()),
        (SMSS, SMSS, 1)
    );
    board.acknowledge(UNA + SMSS, |_| {});
    assert_eq!((board.pipe(), board.segments()), (0, 0));
}

#[test]
fn what_goes_again_of_a_record_counts_even_without_room_to_cut_it() {
    // Two records, and no more: one of a segment, one of four.
    let mut board = board(1, 1);
    board.lose_all();
    for n in 1..5 {
        board.push(UNA + n * SMSS, UNA + (n + 1) * SMSS, at(u64::from(n)));
    }
    board.lose_all();
    assert_eq!((board.segments(), board.waiting()), (2, 5000));
    let end = UNA + 5 * SMSS;
    // The rest of the first record waits with the second, of which 700 go, too.
    board.sent_again(UNA, UNA + 700, at(200));
    assert_eq!((board.waiting(), board.resent()), (4300, 700));
    assert_eq!(board.next_waiting(), Some((UNA + 700, end)));
    board.sent_again(UNA + 700, UNA + 1400, at(200));
    assert_eq!((board.waiting(), board.resent()), (3600, 1400));
    assert_eq!(board.next_waiting(), Some((UNA + 1400, end)));
    assert_eq!((board.segments(), board.pipe()), (2, 1400));
}
