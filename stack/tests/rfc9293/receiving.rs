//! Receiving: the first, seventh and eighth checks of RFC 9293 §3.10.7.4, and acknowledgments
//! (§3.8.6.3, RFC 5681 §4.2).

use timewait_stack::wire::Flags;
use timewait_stack::{Duration, SeqNumber, SocketId, State};

use crate::peer::{Bench, config, peer_seq};

fn read(bench: &mut Bench, socket: SocketId) -> Vec<u8> {
    let mut text = vec![0; 100_000];
    let octets = bench.stack.recv(bench.now, socket, &mut text).unwrap_or(0);
    text.truncate(octets);
    text
}

fn ack(bench: &mut Bench, offset: i64, iss: SeqNumber, text: &[u8]) -> Option<u32> {
    let sent = bench.inject(Flags::ACK, offset, iss + 1, text);
    assert!(
        sent.len() <= 1
            && sent
                .iter()
                .all(|s| s.flags == Flags::ACK && s.seq == iss + 1)
    );
    sent.first().map(|sent| sent.ack - peer_seq(0))
}

#[test]
fn one_segment_is_acknowledged_within_half_a_second() {
    let (mut bench, _, iss) = Bench::established(config());
    assert_eq!(ack(&mut bench, 1, iss, b"abc"), None, "SHLD-18");
    let sent = bench.wait(Duration::from_millis(499));
    assert_eq!((sent.len(), sent[0].ack), (1, peer_seq(4)), "MUST-40");
}

#[test]
fn every_second_full_segment_is_acknowledged_at_once() {
    let (mut bench, _, iss) = Bench::established(config());
    assert_eq!(ack(&mut bench, 1, iss, &[0; 1460]), None);
    assert_eq!(
        ack(&mut bench, 1461, iss, &[0; 1460]),
        Some(2921),
        "SHLD-19"
    );
}

#[test]
fn text_out_of_order_is_kept_and_acknowledged_at_once() {
    let (mut bench, socket, iss) = Bench::established(config());
    assert_eq!(
        ack(&mut bench, 4, iss, b"def"),
        Some(1),
        "MAY-13, RFC 5681 §4.2"
    );
    assert_eq!(
        ack(&mut bench, 1, iss, b"abc"),
        Some(7),
        "the gap is filled"
    );
    assert_eq!(read(&mut bench, socket), b"abcdef", "SHLD-31");
}

#[test]
fn text_left_of_the_window_is_acknowledged_and_dropped() {
    let (mut bench, socket, iss) = Bench::established(config());
    ack(&mut bench, 1, iss, b"abc");
    assert_eq!(ack(&mut bench, 1, iss, b"xyz"), Some(4));
    assert_eq!(ack(&mut bench, 2, iss, b"xyz"), None, "one new octet");
    assert_eq!(read(&mut bench, socket), b"abcz");
}

#[test]
fn text_beyond_the_window_is_trimmed() {
    let (mut bench, socket, iss) = Bench::established(config());
    ack(&mut bench, 65_530, iss, &[7; 100]);
    assert_eq!(
        ack(&mut bench, 65_536, iss, b"x"),
        Some(1),
        "right of the window"
    );
    let vars = bench.stack.status(socket).unwrap().vars.unwrap();
    assert_eq!((vars.out_of_order, vars.out_of_order_blocks), (6, 1));
}

#[test]
fn a_fin_that_overtakes_text_waits_for_it() {
    let (mut bench, socket, iss) = Bench::established(config());
    let fin = bench.inject(Flags::FIN | Flags::ACK, 4, iss + 1, b"def");
    assert_eq!(
        (fin[0].ack, bench.state(socket)),
        (peer_seq(1), State::Established)
    );
    assert_eq!(ack(&mut bench, 1, iss, b"abc"), Some(8));
    assert_eq!(
        (bench.state(socket), read(&mut bench, socket)),
        (State::CloseWait, b"abcdef".to_vec())
    );
}

#[test]
fn a_fin_in_order_counts_more_than_a_stray_one() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.inject(Flags::FIN | Flags::ACK, 100, iss + 1, b"stray");
    bench.inject(Flags::FIN | Flags::ACK, 1, iss + 1, b"abc");
    assert_eq!(
        (bench.state(socket), read(&mut bench, socket)),
        (State::CloseWait, b"abc".to_vec())
    );
}

#[test]
fn a_segment_without_ack_is_dropped() {
    let (mut bench, socket, _) = Bench::established(config());
    assert_eq!(bench.inject(Flags::PSH, 1, SeqNumber(0), b"abc"), []);
    assert_eq!(read(&mut bench, socket), b"");
}

#[test]
fn a_wrong_checksum_is_dropped_in_silence() {
    let (mut bench, socket, iss) = Bench::established(config());
    let mut bytes = Vec::new();
    let segment = timewait_stack::wire::Segment {
        source_port: crate::peer::PEER_PORT,
        destination_port: crate::peer::PORT,
        seq: peer_seq(1),
        ack: iss + 1,
        flags: Flags::ACK,
        window: 1000,
        urgent: 0,
        options: timewait_stack::wire::Options::default(),
        text: b"abc",
    };
    segment.emit(crate::peer::PEER, crate::peer::HOST, &mut bytes);
    bytes[22] ^= 0x10;
    let (from, to) = (crate::peer::PEER, crate::peer::HOST);
    bench
        .stack
        .handle_segment(bench.now, from, to, timewait_stack::Ecn::NotEct, &bytes);
    assert_eq!(
        (bench.drain(), read(&mut bench, socket)),
        (vec![], vec![]),
        "MUST-3"
    );
}

#[test]
fn a_probe_left_of_the_window_is_answered() {
    let (mut bench, _, iss) = Bench::established(config());
    assert_eq!(
        ack(&mut bench, 0, iss, b""),
        Some(1),
        "the peer's keepalive"
    );
}

#[test]
fn blocks_out_of_order_are_bounded() {
    let (mut bench, socket, iss) = Bench::established(config());
    for island in 1..1000 {
        ack(&mut bench, 1 + 2 * island, iss, b"x");
    }
    let vars = bench.stack.status(socket).unwrap().vars.unwrap();
    assert_eq!(
        vars.out_of_order_blocks,
        bench.stack.config().reassembly_blocks_max
    );
}
