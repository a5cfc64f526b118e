//! Urgent data (RFC 9293 §3.8.5, §3.9.1.2, §3.9.1.3; RFC 6093).

use timewait_stack::event::Ready;
use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{Config, SendFlags, SeqNumber, SocketId};

use crate::peer::{Bench, PEER_PORT, PORT, Sent, config, peer_seq};

const URGENT_ACK: Flags = Flags::ACK.union(Flags::URG);

fn send(bench: &mut Bench, socket: SocketId, octets: usize, flags: SendFlags) -> Vec<Sent> {
    let taken = bench
        .stack
        .send_with(bench.now, socket, &vec![b'u'; octets], flags);
    assert_eq!(taken, Ok(octets));
    bench.drain()
}

/// A segment of the peer with the urgent field, `offset` after its ISN.
fn urgent(bench: &mut Bench, offset: u32, pointer: u16, ack: SeqNumber, text: &[u8]) -> Vec<Sent> {
    bench.inject_segment(Segment {
        source_port: PEER_PORT,
        destination_port: PORT,
        seq: peer_seq(offset),
        ack,
        flags: URGENT_ACK,
        window: 65_535,
        urgent: pointer,
        options: Options::default(),
        text,
    })
}

fn told(bench: &mut Bench) -> usize {
    let told = bench.ready.drain(..);
    told.filter(|(_, ready)| *ready == Ready::Urgent).count()
}

fn left(bench: &Bench, socket: SocketId) -> u32 {
    bench.stack.status(socket).unwrap().urgent
}

fn read(bench: &mut Bench, socket: SocketId) -> usize {
    let mut text = [0; 4096];
    bench.stack.recv(bench.now, socket, &mut text).unwrap_or(0)
}

/// The first octet after the urgent data, as a segment sent says it.
fn end(sent: &Sent) -> SeqNumber {
    sent.seq + u32::from(sent.urgent)
}

#[test]
fn the_pointer_says_the_octet_after_the_urgent_data() {
    let (mut bench, socket, iss) = Bench::established(config());
    let sent = send(&mut bench, socket, 3, SendFlags::URGENT);
    assert_eq!(sent.len(), 1, "MUST-30");
    assert!(sent[0].flags.contains(Flags::URG));
    assert_eq!((sent[0].urgent, end(&sent[0])), (3, iss + 4), "MUST-62");
    bench.inject(Flags::ACK, 1, iss + 4, b"");
    let plain = send(&mut bench, socket, 3, SendFlags::empty());
    assert!(!plain[0].flags.contains(Flags::URG) && plain[0].urgent == 0);
}

#[test]
fn every_segment_before_the_end_of_urgent_data_says_where_it_is() {
    let (mut bench, listener) = Bench::listening(config());
    let iss = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1000))[0].seq;
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    let mut sent = send(&mut bench, socket, 2500, SendFlags::URGENT);
    sent.extend(bench.inject(Flags::ACK, 1, iss + 2001, b""));
    let pointers: Vec<u16> = sent.iter().map(|segment| segment.urgent).collect();
    assert_eq!(pointers, [2500, 1500, 500]);
    assert!(sent.iter().all(|segment| end(segment) == iss + 2501));
}

#[test]
fn urgent_data_is_longer_than_the_field_can_say() {
    let large = Config {
        send_buffer: 200_000,
        ..config()
    };
    let (mut bench, socket, iss) = Bench::established(large);
    let mut sent = send(&mut bench, socket, 150_000, SendFlags::URGENT);
    let mut acked = iss + 1;
    let mut octets = 0;
    while let Some(segment) = sent.first().cloned() {
        let to_come = iss + 150_001 - segment.seq;
        assert_eq!(
            u32::from(segment.urgent),
            to_come.min(65_535),
            "MUST-31: the pointer advances as far as it can"
        );
        octets += segment.text.len();
        acked += segment.text.len() as u32;
        sent.remove(0);
        sent.extend(bench.inject(Flags::ACK, 1, acked, b""));
    }
    assert_eq!(octets, 150_000);
}

#[test]
fn urgent_data_behind_a_closed_window_is_announced_at_once() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.inject_window(Flags::ACK, 1, iss + 1, b"", None, 0);
    let sent = send(&mut bench, socket, 3, SendFlags::URGENT);
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].flags, sent[0].text.len()), (URGENT_ACK, 0));
    assert_eq!(end(&sent[0]), iss + 4);
}

#[test]
fn the_user_hears_when_urgent_data_is_pending_and_when_its_end_moves() {
    let (mut bench, socket, iss) = Bench::established(config());
    urgent(&mut bench, 1, 5, iss + 1, b"ab");
    assert_eq!(
        (told(&mut bench), left(&bench, socket)),
        (1, 5),
        "MUST-32, MUST-33"
    );
    urgent(&mut bench, 3, 3, iss + 1, b"c");
    assert_eq!(told(&mut bench), 0, "the end has not moved");
    urgent(&mut bench, 4, 10, iss + 1, b"d");
    assert_eq!((told(&mut bench), left(&bench, socket)), (1, 13), "MUST-32");
    urgent(&mut bench, 5, 2, iss + 1, b"e");
    assert_eq!(
        (told(&mut bench), left(&bench, socket)),
        (0, 13),
        "RCV.UP never goes back"
    );
}

#[test]
fn one_recv_never_mixes_urgent_and_later_octets() {
    let (mut bench, socket, iss) = Bench::established(config());
    urgent(&mut bench, 1, 4, iss + 1, b"urgent");
    assert_eq!(
        read(&mut bench, socket),
        4,
        "up to the end of the urgent data"
    );
    assert_eq!(left(&bench, socket), 0, "MUST-33: nothing urgent is left");
    assert_eq!(read(&mut bench, socket), 2);
}

#[test]
fn urgent_data_that_was_read_already_is_not_pending() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.inject(Flags::ACK, 1, iss + 1, b"abc");
    read(&mut bench, socket);
    urgent(&mut bench, 4, 0, iss + 1, b"");
    assert_eq!((told(&mut bench), left(&bench, socket)), (0, 0));
}

#[test]
fn the_urgent_field_counts_behind_a_zero_window() {
    let small = Config {
        receive_buffer: 100,
        ..config()
    };
    let (mut bench, socket, iss) = Bench::established(small);
    bench.inject(Flags::ACK, 1, iss + 1, &[b'x'; 100]);
    urgent(&mut bench, 101, 7, iss + 1, b"refused");
    assert_eq!(
        (told(&mut bench), left(&bench, socket)),
        (1, 107),
        "MUST-66"
    );
}

#[test]
fn the_urgent_field_means_nothing_without_urg_or_after_the_fin() {
    let (mut bench, socket, iss) = Bench::established(config());
    let mut segment = Segment {
        source_port: PEER_PORT,
        destination_port: PORT,
        seq: peer_seq(1),
        ack: iss + 1,
        flags: Flags::ACK,
        window: 65_535,
        urgent: 9,
        options: Options::default(),
        text: b"x",
    };
    bench.inject_segment(segment.clone());
    assert_eq!((told(&mut bench), left(&bench, socket)), (0, 0));
    bench.inject(Flags::FIN | Flags::ACK, 2, iss + 1, b"");
    segment.flags = URGENT_ACK;
    segment.seq = peer_seq(3);
    segment.text = b"";
    bench.inject_segment(segment);
    assert_eq!(
        (told(&mut bench), left(&bench, socket)),
        (0, 0),
        "CLOSE-WAIT"
    );
}
