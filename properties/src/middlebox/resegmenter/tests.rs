use core::time::Duration;

use timewait_sim::{Instant, Node, Packet};
use timewait_stack::SeqNumber;
use timewait_stack::wire::{Flags, Options, Segment};

use crate::event::BoxEvent;
use crate::middlebox::Middlebox;
use crate::middlebox::tests::{Came, drain, end, packet, parsed, pass, seconds, seg};
use crate::scenario::boxes::{Bad, BoxPlan, Join, SegmentsPlan, Work};

const WAIT: Duration = Duration::from_millis(5);

fn middlebox(split: Option<u16>, join: Option<u16>) -> Middlebox {
    let join = join.map(|octets_max| Join {
        octets_max,
        wait: WAIT,
    });
    let work = Work::Segments(SegmentsPlan { split, join });
    Middlebox::new(
        &BoxPlan {
            work,
            bad: Bad::Drop,
        },
        Vec::new(),
    )
}

fn data<'a>(seq: u32, text: &'a [u8], flags: Flags) -> Segment<'a> {
    Segment {
        seq: SeqNumber(seq),
        text,
        options: Options {
            timestamps: Some((7, 8)),
            ..Options::default()
        },
        ..seg(flags | Flags::ACK)
    }
}

fn sent(segment: &Segment<'_>) -> Packet {
    packet(end("10.0.0.1:1000"), end("10.0.0.2:80"), segment)
}

/// Sequence number, text, flags and urgent pointer of each segment that goes on.
fn told(came: &Came) -> Vec<(u32, Vec<u8>, Flags, u16)> {
    let tell = |packet: &Packet| {
        let segment = parsed(packet);
        assert_eq!(segment.options.timestamps, Some((7, 8)));
        let text = segment.text.to_vec();
        (segment.seq.0, text, segment.flags, segment.urgent)
    };
    came.onward.iter().map(tell).collect()
}

#[test]
fn a_long_segment_is_cut_and_only_the_last_piece_ends_anything() {
    let mut cutter = middlebox(Some(4), None);
    let flags = Flags::PSH | Flags::FIN | Flags::CWR | Flags::ECE;
    let start = u32::MAX - 4;
    let came = pass(
        &mut cutter,
        seconds(1),
        sent(&data(start, b"abcdefghij", flags)),
    );
    let common = Flags::ACK | Flags::ECE;
    let pieces = [
        (start, b"abcd".to_vec(), common | Flags::CWR, 0),
        (u32::MAX, b"efgh".to_vec(), common, 0),
        (3, b"ij".to_vec(), common | Flags::PSH | Flags::FIN, 0),
    ];
    assert_eq!(told(&came), pieces);
    assert_eq!(came.events, [BoxEvent::Cut]);
    let classes: Vec<_> = came.onward.iter().map(|packet| packet.class).collect();
    use crate::label::class::{DATA, FIN};
    assert_eq!(classes, [DATA, DATA, DATA | FIN]);
}

#[test]
fn the_urgent_pointer_counts_from_each_piece_and_ends_where_it_pointed() {
    let mut cutter = middlebox(Some(4), None);
    let urgent = Segment {
        urgent: 5,
        ..data(100, b"abcdefghij", Flags::URG)
    };
    let came = pass(&mut cutter, seconds(1), sent(&urgent));
    let pointers: Vec<_> = told(&came)
        .into_iter()
        .map(|(seq, _, flags, urgent)| (seq, flags.contains(Flags::URG), urgent))
        .collect();
    assert_eq!(pointers, [(100, true, 5), (104, true, 1), (108, false, 0)]);
}

#[test]
fn short_segments_and_syns_are_not_cut() {
    let mut cutter = middlebox(Some(4), None);
    for segment in [
        data(1, b"abcd", Flags::FIN),
        data(1, b"abcdef", Flags::SYN),
        data(1, b"abcdef", Flags::RST),
    ] {
        let came = pass(&mut cutter, seconds(1), sent(&segment));
        assert_eq!(came.onward, [sent(&segment)]);
    }
}

#[test]
fn what_follows_is_joined_until_somebody_pushes() {
    let mut joiner = middlebox(None, Some(100));
    let first = pass(
        &mut joiner,
        seconds(1),
        sent(&data(10, b"abc", Flags::empty())),
    );
    assert!(first.onward.is_empty());
    let newer = Segment {
        ack: SeqNumber(600),
        window: 3,
        ..data(13, b"de", Flags::PSH)
    };
    let came = pass(&mut joiner, seconds(1), sent(&newer));
    assert_eq!(
        told(&came),
        [(10, b"abcde".to_vec(), Flags::ACK | Flags::PSH, 0)]
    );
    let segment = parsed(&came.onward[0]);
    assert_eq!((segment.ack, segment.window), (SeqNumber(600), 3));
    assert_eq!(came.onward[0].parts.len(), 2);
    assert_eq!(came.events, [BoxEvent::Joined]);
    assert_eq!(joiner.poll_timeout(), None);
}

#[test]
fn an_older_acknowledgment_takes_nothing_back() {
    let mut joiner = middlebox(None, Some(100));
    pass(
        &mut joiner,
        seconds(1),
        sent(&data(10, b"abc", Flags::empty())),
    );
    let older = Segment {
        ack: SeqNumber(400),
        window: 3,
        ..data(13, b"de", Flags::FIN)
    };
    let came = pass(&mut joiner, seconds(1), sent(&older));
    let segment = parsed(&came.onward[0]);
    assert_eq!((segment.ack, segment.window), (SeqNumber(500), 1000));
    assert_eq!(segment.flags, Flags::ACK | Flags::FIN);
}

#[test]
fn a_segment_waits_no_longer_than_it_may() {
    let mut joiner = middlebox(None, Some(100));
    let segment = data(10, b"abc", Flags::empty());
    pass(&mut joiner, seconds(1), sent(&segment));
    let due = seconds(1) + WAIT;
    assert_eq!(joiner.poll_timeout(), Some(due));
    let early = Instant::from_nanos(due.as_nanos() - 1);
    joiner.handle_timeout(early);
    assert!(drain(&mut joiner, early).onward.is_empty());
    joiner.handle_timeout(due);
    assert_eq!(drain(&mut joiner, due).onward, [sent(&segment)]);
}

#[test]
fn what_does_not_fit_together_goes_one_after_the_other() {
    let other_stamp = Segment {
        options: Options::default(),
        ..data(13, b"de", Flags::empty())
    };
    for second in [
        data(14, b"gap", Flags::empty()),
        data(12, b"overlap", Flags::empty()),
        data(13, b"", Flags::empty()),
        data(13, b"de", Flags::URG),
        data(13, b"de", Flags::CWR),
        data(13, &[7; 98], Flags::empty()),
        other_stamp,
    ] {
        let mut joiner = middlebox(None, Some(100));
        let first = sent(&data(10, b"abc", Flags::empty()));
        pass(&mut joiner, seconds(1), first.clone());
        let second = sent(&second);
        let mut came = pass(&mut joiner, seconds(1), second.clone()).onward;
        joiner.handle_timeout(seconds(2));
        came.extend(drain(&mut joiner, seconds(2)).onward);
        assert_eq!(came, [first, second]);
    }
}

#[test]
fn the_other_direction_is_another_stream() {
    let mut joiner = middlebox(None, Some(100));
    pass(
        &mut joiner,
        seconds(1),
        sent(&data(10, b"abc", Flags::empty())),
    );
    let back = packet(
        end("10.0.0.2:80"),
        end("10.0.0.1:1000"),
        &data(13, b"de", Flags::PSH),
    );
    assert_eq!(pass(&mut joiner, seconds(1), back.clone()).onward, [back]);
}

#[test]
fn what_waits_is_bounded() {
    let mut joiner = middlebox(None, Some(100));
    for port in 0..200 {
        let from = core::net::SocketAddr::new([10, 0, 0, 1].into(), port);
        let datagram = packet(from, end("10.0.0.2:80"), &data(1, b"x", Flags::empty()));
        let came = pass(&mut joiner, seconds(1), datagram);
        assert_eq!(came.onward.len(), usize::from(port >= 64), "port {port}");
    }
}
