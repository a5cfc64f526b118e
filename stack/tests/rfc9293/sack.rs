//! Selective acknowledgment: what a receiver reports (RFC 2018, RFC 2883), and how a sender recovers
//! by such reports (RFC 6675, RFC 9937).

use timewait_stack::event::CaState;
use timewait_stack::wire::{Flags, Options, SackBlock, SackBlocks};
use timewait_stack::{Config, Duration, SeqNumber, SocketId};

use crate::peer::{Bench, Sent, config, peer_seq};

/// What the peer offers in its SYN.
fn offer() -> Options {
    Options {
        mss: Some(1000),
        sack_permitted: true,
        ..Options::default()
    }
}

/// A passive connection whose peer permits SACK; the round trip takes 100 ms.
pub(crate) fn permitted(config: Config) -> (Bench, SocketId, SeqNumber) {
    permitted_by(config, Flags::SYN)
}

/// The same by a SYN with these flags.
pub(crate) fn permitted_by(config: Config, syn: Flags) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, listener) = Bench::listening(config);
    let syn = bench.inject_options(syn, 0, SeqNumber(0), b"", 65_535, offer());
    assert!(syn[0].options.sack_permitted, "R6675-11");
    bench.wait(Duration::from_millis(100));
    bench.inject(Flags::ACK, 1, syn[0].seq + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    (bench, socket, syn[0].seq)
}

pub(crate) fn send(bench: &mut Bench, socket: SocketId, octets: usize) -> Vec<Sent> {
    assert_eq!(
        bench.stack.send(bench.now, socket, &vec![b'x'; octets]),
        Ok(octets)
    );
    bench.drain()
}

/// Blocks of these octets of the sender, counted from its first.
fn blocks(iss: SeqNumber, ranges: &[(u32, u32)]) -> SackBlocks {
    let mut blocks = SackBlocks::default();
    for &(left, right) in ranges {
        blocks.push(SackBlock {
            left: iss + 1 + left,
            right: iss + 1 + right,
        });
    }
    blocks
}

/// The peer has everything up to `octets`, and these.
pub(crate) fn ack(
    bench: &mut Bench,
    iss: SeqNumber,
    octets: u32,
    ranges: &[(u32, u32)],
) -> Vec<Sent> {
    let options = Options {
        sack: blocks(iss, ranges),
        ..Options::default()
    };
    bench.inject_options(Flags::ACK, 1, iss + 1 + octets, b"", 65_535, options)
}

/// Where segments start, counted from the first octet.
pub(crate) fn starts(iss: SeqNumber, sent: &[Sent]) -> Vec<u32> {
    sent.iter().map(|segment| segment.seq - (iss + 1)).collect()
}

/// What an ACK reports, counted from the peer's first octet.
fn reported(sent: &Sent) -> Vec<(i32, i32)> {
    let offset = |seq: SeqNumber| (seq - peer_seq(1)) as i32;
    sent.options
        .sack
        .as_slice()
        .iter()
        .map(|block| (offset(block.left), offset(block.right)))
        .collect()
}

/// The peer's text at this offset; what is answered to it.
fn receive(bench: &mut Bench, iss: SeqNumber, offset: i64, len: usize) -> Vec<Sent> {
    bench.inject(Flags::ACK, 1 + offset, iss + 1, &vec![b'y'; len])
}

#[test]
fn sack_is_permitted_only_to_those_who_permit_it() {
    for (own, theirs) in [(true, false), (false, true), (false, false)] {
        let (mut bench, _) = Bench::listening(Config {
            sack: own,
            ..config()
        });
        let options = Options {
            sack_permitted: theirs,
            ..offer()
        };
        let sent = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 65_535, options);
        assert!(!sent[0].options.sack_permitted, "R6675-11");
        bench.inject(Flags::ACK, 1, sent[0].seq + 1, b"");
        let sent = receive(&mut bench, sent[0].seq, 1000, 1000);
        assert_eq!(reported(&sent[0]), [], "R6675-11");
    }
}

#[test]
fn the_first_block_is_that_of_the_segment_that_draws_the_ack() {
    let (mut bench, _, iss) = permitted(config());
    assert_eq!(
        reported(&receive(&mut bench, iss, 1000, 1000)[0]),
        [(1000, 2000)]
    );
    // R5681-12: each of these ACKs goes at once.
    assert_eq!(
        reported(&receive(&mut bench, iss, 5000, 1000)[0]),
        [(5000, 6000), (1000, 2000)],
        "R6675-09"
    );
    assert_eq!(
        reported(&receive(&mut bench, iss, 2000, 1000)[0]),
        [(1000, 3000), (5000, 6000)]
    );
    let filled = receive(&mut bench, iss, 0, 1000);
    assert_eq!(filled[0].ack, peer_seq(3001), "R5681-13: at once");
    assert_eq!(reported(&filled[0]), [(5000, 6000)]);
    assert_eq!(reported(&receive(&mut bench, iss, 3000, 2000)[0]), []);
}

#[test]
fn nothing_is_reported_beyond_a_fin() {
    let (mut bench, socket, iss) = permitted(config());
    receive(&mut bench, iss, 3000, 1000); // An old duplicate, say.
    let sent = bench.inject(Flags::FIN | Flags::ACK, 1, iss + 1, b"yy");
    assert_eq!(sent[0].ack, peer_seq(4));
    assert_eq!(reported(&sent[0]), []);
    let vars = bench.vars(socket);
    assert_eq!((vars.out_of_order, vars.out_of_order_blocks), (0, 0));
}

#[test]
fn as_many_blocks_as_fit_are_reported_the_latest_first() {
    let (mut bench, _, iss) = permitted(config());
    let mut last = vec![];
    for island in 1..=6 {
        last = receive(&mut bench, iss, island * 2000, 1000);
    }
    let all = [
        (12_000, 13_000),
        (10_000, 11_000),
        (8000, 9000),
        (6000, 7000),
    ];
    assert_eq!(reported(&last[0]), all, "R6675-10");
}

#[test]
fn what_comes_twice_is_told_once_and_first() {
    let (mut bench, _, iss) = permitted(config());
    receive(&mut bench, iss, 0, 1000);
    let twice = receive(&mut bench, iss, 0, 1000);
    assert_eq!(reported(&twice[0]), [(0, 1000)], "RFC 2883 §4.1.1");
    receive(&mut bench, iss, 2000, 1000);
    let twice = receive(&mut bench, iss, 2000, 1000);
    assert_eq!(
        reported(&twice[0]),
        [(2000, 3000), (2000, 3000)],
        "RFC 2883 §4.1.3"
    );
    let part = receive(&mut bench, iss, 500, 1000);
    assert_eq!(
        reported(&part[0]),
        [(500, 1000), (2000, 3000)],
        "RFC 2883 §4.2.1"
    );
    assert_eq!(
        reported(&receive(&mut bench, iss, 4000, 10)[0]),
        [(4000, 4010), (2000, 3000)]
    );
}

#[test]
fn blocks_come_off_the_text() {
    let (mut bench, socket, iss) = permitted(config());
    receive(&mut bench, iss, 1000, 1000);
    receive(&mut bench, iss, 3000, 1000);
    for segment in send(&mut bench, socket, 5000) {
        let room = segment.text.len() + usize::from(segment.options.octets());
        assert!(room <= 1000, "MUST-16: {room}");
        assert_eq!(reported(&segment), [(3000, 4000), (1000, 2000)]);
    }
}

/// Ten segments are out, the first ten round trips' worth of cwnd long grown.
fn ten_out(config: Config) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, socket, iss) = permitted(config);
    let mut acked = 0;
    send(&mut bench, socket, 12_000);
    while bench.vars(socket).cwnd < 10_000 {
        bench.wait(Duration::from_millis(100));
        acked += 1000;
        ack(&mut bench, iss, acked, &[]);
    }
    let rest = 12_000 - acked;
    bench.wait(Duration::from_millis(100));
    ack(&mut bench, iss, acked + rest, &[]);
    assert_eq!(
        starts(iss, &send(&mut bench, socket, 30_000)).len(),
        bench.vars(socket).cwnd as usize / 1000
    );
    (bench, socket, iss)
}

#[test]
fn reports_of_three_segments_begin_recovery() {
    let (mut bench, socket, iss) = ten_out(config());
    let (before, una) = (bench.vars(socket), 12_000);
    bench.wait(Duration::from_millis(50));
    let first = ack(&mut bench, iss, una, &[(13_000, 14_000)]);
    let second = ack(&mut bench, iss, una, &[(13_000, 15_000)]);
    assert_eq!(
        [first.len(), second.len()],
        [1, 1],
        "limited transmit by the pipe, RFC 6675 §5"
    );
    assert_eq!(bench.vars(socket).ca_state, CaState::Disorder);
    let third = ack(&mut bench, iss, una, &[(13_000, 16_000)]);
    assert_eq!(starts(iss, &third), [una], "R6675-02, R6675-04");
    let vars = bench.vars(socket);
    assert_eq!((vars.ca_state, vars.recovering), (CaState::Recovery, true));
    assert_eq!(
        vars.recover,
        iss + 1 + 12_000 + before.cwnd + 2000,
        "R6675-03: HighData"
    );
    assert_eq!(vars.ssthresh, before.cwnd / 2, "R6675-03, R5681-09");
}

#[test]
fn in_recovery_the_pipe_governs_and_lost_segments_come_first() {
    let (mut bench, socket, iss) = ten_out(config());
    bench.wait(Duration::from_millis(50));
    // Two holes: the first and the third segment.
    let sent = ack(
        &mut bench,
        iss,
        12_000,
        &[(15_000, 18_000), (13_000, 14_000)],
    );
    let mut seen = starts(iss, &sent);
    for right in (19_000..=22_000).step_by(1000) {
        let sent = ack(
            &mut bench,
            iss,
            12_000,
            &[(15_000, right), (13_000, 14_000)],
        );
        let vars = bench.vars(socket);
        let pipe = vars.sack.unwrap().pipe;
        assert!(
            sent.is_empty() || pipe <= vars.cwnd,
            "R6675-05: {pipe} {}",
            vars.cwnd
        );
        seen.extend(starts(iss, &sent));
    }
    assert_eq!(seen[..2], [12_000, 14_000], "R6675-06");
    assert!(seen[2..].iter().all(|start| *start >= 22_000), "{seen:?}");
}

#[test]
fn recovery_ends_at_the_recovery_point_with_cwnd_at_ssthresh() {
    let (mut bench, socket, iss) = ten_out(config());
    bench.wait(Duration::from_millis(50));
    ack(&mut bench, iss, 12_000, &[(13_000, 16_000)]);
    let point = bench.vars(socket).recover - (iss + 1);
    bench.wait(Duration::from_millis(50));
    ack(&mut bench, iss, point - 1000, &[]);
    assert!(bench.vars(socket).recovering);
    ack(&mut bench, iss, point, &[]);
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.recovering, vars.cwnd),
        (false, vars.ssthresh),
        "R6675-08, R5681-10"
    );
}

#[test]
fn a_timeout_forgets_what_was_reported() {
    let (mut bench, socket, iss) = ten_out(Config {
        frto: false,
        ..config()
    });
    bench.wait(Duration::from_millis(50));
    ack(&mut bench, iss, 12_000, &[(13_000, 14_000)]);
    assert_eq!(bench.vars(socket).sack.unwrap().sacked, 1000);
    let sent = bench.wait(Duration::from_millis(1500));
    assert_eq!(starts(iss, &sent).last(), Some(&12_000));
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.ca_state, vars.sack.unwrap().sacked),
        (CaState::Loss, 0),
        "R6675-07"
    );
    // The peer has reneged: it acknowledges the first segment only. The second goes again.
    let sent = ack(&mut bench, iss, 13_000, &[]);
    assert_eq!(starts(iss, &sent)[0], 13_000, "R6675-07");
}

#[test]
fn blocks_of_nothing_outstanding_change_nothing() {
    let (mut bench, socket, iss) = ten_out(config());
    let before = bench.vars(socket).sack.unwrap();
    let end = bench.vars(socket).snd_nxt - (iss + 1);
    for ranges in [
        [(end, end + 1000)],
        [(0, 1000)],
        [(14_000, 13_000)],
        [(13_000, end + 1)],
    ] {
        ack(&mut bench, iss, 12_000, &ranges);
        let after = bench.vars(socket).sack.unwrap();
        assert_eq!(
            (after.sacked, after.lost),
            (before.sacked, before.lost),
            "{ranges:?}"
        );
    }
}

#[test]
fn the_blocks_of_an_invalid_ack_are_not_looked_at() {
    let (mut bench, socket, iss) = ten_out(config());
    let beyond = bench.vars(socket).snd_nxt - (iss + 1) + 1;
    ack(&mut bench, iss, beyond, &[(13_000, 16_000)]);
    assert_eq!(bench.vars(socket).sack.unwrap().sacked, 0, "R5961-05");
}

#[test]
fn dsacks_for_all_that_was_sent_again_undo_the_reduction() {
    let (mut bench, socket, iss) = ten_out(config());
    let before = bench.vars(socket);
    bench.wait(Duration::from_millis(50));
    ack(&mut bench, iss, 12_000, &[(13_000, 16_000)]);
    assert!(bench.vars(socket).can_undo && bench.vars(socket).ssthresh < before.cwnd);
    // The first segment was late and not lost.
    ack(&mut bench, iss, 16_000, &[]);
    ack(&mut bench, iss, 16_000, &[(12_000, 13_000)]);
    let vars = bench.vars(socket);
    assert!(
        vars.cwnd >= before.cwnd && vars.ca_state == CaState::Open,
        "RFC 2883 §5: {vars:?}"
    );
}

/// As [`ack`], with a window that ends at `edge`.
fn ack_up_to(
    bench: &mut Bench,
    iss: SeqNumber,
    octets: u32,
    ranges: &[(u32, u32)],
    edge: u32,
) -> Vec<Sent> {
    let options = Options {
        sack: blocks(iss, ranges),
        ..Options::default()
    };
    let window = (edge - octets) as u16;
    bench.inject_options(Flags::ACK, 1, iss + 1 + octets, b"", window, options)
}

/// Segments sent during a repair are lost, too, and wait behind the peer's window until it is over.
fn lost_beyond(bench: &mut Bench, iss: SeqNumber, una: u32, end: u32, socket: SocketId) {
    let nxt = bench.vars(socket).snd_nxt - (iss + 1);
    assert!(nxt >= end + 2000, "{nxt} {end}");
    bench.wait(Duration::from_millis(100));
    let sent = ack_up_to(bench, iss, una, &[(end + 1000, nxt)], end);
    assert!(starts(iss, &sent).iter().all(|start| *start < end));
    assert!(bench.vars(socket).sack.unwrap().lost > 0);
}

#[test]
fn what_is_lost_beyond_a_recovery_and_waits_begins_the_next_one() {
    let (mut bench, socket, iss) = ten_out(config());
    bench.wait(Duration::from_millis(50));
    for right in (14_000..=22_000).step_by(1000) {
        ack(&mut bench, iss, 12_000, &[(13_000, right)]);
    }
    let before = bench.vars(socket);
    let end = before.recover - (iss + 1);
    lost_beyond(&mut bench, iss, 12_000, end, socket);
    assert_eq!(bench.vars(socket).recover, before.recover);
    let sent = ack(&mut bench, iss, end, &[]);
    assert_eq!(starts(iss, &sent)[0], end, "R6675-04");
    let vars = bench.vars(socket);
    assert!(vars.recovering && vars.recover.after(before.recover));
    assert!(vars.ssthresh < before.ssthresh, "R6675-03");
}

#[test]
fn what_is_lost_beyond_a_timeout_and_waits_begins_a_recovery() {
    let (mut bench, socket, iss) = ten_out(Config {
        frto: false,
        tail_loss_probe: false,
        ..config()
    });
    bench.wait(Duration::from_millis(1500));
    let end = bench.vars(socket).recover - (iss + 1);
    let mut una = 12_000;
    while bench.vars(socket).snd_nxt - (iss + 1) < end + 3000 {
        bench.wait(Duration::from_millis(10));
        una += 1000;
        ack(&mut bench, iss, una, &[]);
    }
    let before = bench.vars(socket);
    assert!(before.ca_state == CaState::Loss && una < end);
    lost_beyond(&mut bench, iss, una, end, socket);
    ack(&mut bench, iss, end, &[]);
    let vars = bench.vars(socket);
    assert!(vars.recovering, "R6675-07");
    assert!(vars.recover.after(before.recover), "R6675-03");
}

#[test]
fn a_lost_retransmission_is_one_more_indication_of_congestion() {
    let (mut bench, socket, iss) = ten_out(config());
    bench.wait(Duration::from_millis(50));
    let again = ack(&mut bench, iss, 12_000, &[(13_000, 16_000)]);
    assert_eq!(starts(iss, &again), [12_000]);
    let first = bench.vars(socket);
    let mut new = vec![];
    for right in (17_000..=22_000).step_by(1000) {
        bench.wait(Duration::from_millis(1));
        new.extend(ack(&mut bench, iss, 12_000, &[(13_000, right)]));
    }
    assert_eq!(bench.vars(socket).ssthresh, first.ssthresh, "one window");
    // What was sent later arrives, the first segment still does not.
    let nxt = bench.vars(socket).snd_nxt - (iss + 1);
    bench.wait(Duration::from_millis(100));
    let sent = ack(&mut bench, iss, 12_000, &[(13_000, nxt)]);
    assert_eq!(starts(iss, &sent)[0], 12_000);
    let second = bench.vars(socket);
    assert_eq!(second.ssthresh, first.ssthresh / 2, "R5681-14");
    assert!(second.cwnd <= second.ssthresh && !second.can_undo);
    assert_eq!(second.recover, first.recover, "one repair");
}

#[test]
fn after_a_timeout_a_lost_retransmission_lowers_ssthresh_again() {
    let (mut bench, socket, iss) = ten_out(Config {
        frto: false,
        tail_loss_probe: false,
        ..config()
    });
    bench.wait(Duration::from_millis(1500));
    let first = bench.vars(socket);
    bench.wait(Duration::from_millis(100));
    let sent = ack(&mut bench, iss, 13_000, &[]);
    assert_eq!(starts(iss, &sent), [13_000, 14_000]);
    bench.wait(Duration::from_millis(100));
    let sent = ack(&mut bench, iss, 13_000, &[(14_000, 15_000)]);
    assert_eq!(starts(iss, &sent)[0], 13_000);
    let second = bench.vars(socket);
    assert_eq!(second.ssthresh, first.ssthresh / 2, "R5681-14");
    assert_eq!(second.ca_state, CaState::Loss, "R6675-07: no recovery yet");
}

#[test]
fn alternating_reports_keep_within_the_bound() {
    let (mut bench, socket, iss) = permitted(Config {
        nagle: false,
        scoreboard_segments_max: 8,
        ..config()
    });
    for _ in 0..200 {
        send(&mut bench, socket, 10);
    }
    let mut most = 0;
    for n in 0..1500 {
        let left = ((n * 37) % 1990) | 1;
        let ranges = [0, 2, 4, 6].map(|k| (left + k, left + k + 1));
        ack(&mut bench, iss, 0, &ranges);
        let sack = bench.vars(socket).sack.unwrap();
        assert!(sack.segments <= 16, "{}", sack.segments);
        most = most.max(sack.work);
    }
    assert!(most <= 6 * 16, "{most}");
}
