//! Many segments in, few out; many SENDs, few segments: RFC 9293 §3.9.1.2, §3.10.7.4.

use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{Config, Duration, Ecn, SeqNumber, SocketOption};

use crate::peer::{Bench, HOST, PEER, PEER_PORT, PORT, config, peer_seq};

/// Hands a segment in and asks for nothing.
fn queue(bench: &mut Bench, offset: u32, ack: SeqNumber, text: &[u8]) {
    let segment = Segment {
        source_port: PEER_PORT,
        destination_port: PORT,
        seq: peer_seq(offset),
        ack,
        flags: Flags::ACK,
        window: 65_535,
        urgent: 0,
        options: Options::default(),
        text,
    };
    let mut bytes = Vec::new();
    segment.emit(PEER, HOST, &mut bytes);
    bench
        .stack
        .handle_segment(bench.now, PEER, HOST, Ecn::NotEct, &bytes);
}

#[test]
fn a_queue_of_segments_draws_one_acknowledgment_of_them_all() {
    let (mut bench, _, iss) = Bench::established(config());
    for n in 0..8 {
        queue(&mut bench, 1 + n * 1460, iss + 1, &[0; 1460]);
    }
    let sent = bench.drain();
    assert_eq!(sent.len(), 1, "MUST-58, MUST-59");
    assert_eq!(sent[0].ack, peer_seq(1 + 8 * 1460), "MUST-59");
}

#[test]
fn an_acknowledgment_rides_on_text_that_goes_anyway() {
    let (mut bench, socket, iss) = Bench::established(config());
    queue(&mut bench, 1, iss + 1, b"question");
    bench.stack.send(bench.now, socket, b"answer").unwrap();
    let sent = bench.drain();
    assert_eq!((sent.len(), sent[0].ack), (1, peer_seq(9)), "MUST-58");
    assert_eq!(bench.wait(Duration::from_millis(999)), [], "and no other");
}

#[test]
fn successive_sends_are_one_segment_as_large_as_it_may_be() {
    let (mut bench, socket, iss) = Bench::established(config());
    let nodelay = SocketOption::NoDelay(true);
    bench.stack.set_option(socket, nodelay).unwrap();
    // The window is shut while the user sends and sends.
    bench.inject_window(Flags::ACK, 1, iss + 1, b"", None, 0);
    for _ in 0..30 {
        bench.stack.send(bench.now, socket, &[0; 100]).unwrap();
        assert_eq!(bench.drain(), []);
    }
    let sent = bench.inject(Flags::ACK, 1, iss + 1, b"");
    let lens: Vec<usize> = sent.iter().map(|segment| segment.text.len()).collect();
    assert_eq!(lens, [1460, 1460, 80], "SHLD-27, SHLD-28");
    let pushed = sent
        .iter()
        .map(|segment| segment.flags.contains(Flags::PSH));
    assert!(pushed.eq([false, false, true]), "MUST-61: the last one");
}

/// There is no push flag on SEND: small writes may be gathered while others are out (MAY-16), and
/// leave together.
#[test]
fn small_sends_are_gathered_while_something_is_out() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.stack.send(bench.now, socket, b"first").unwrap();
    assert_eq!(bench.drain().len(), 1);
    for word in ["a", "few", "words"] {
        bench
            .stack
            .send(bench.now, socket, word.as_bytes())
            .unwrap();
        assert_eq!(bench.drain(), []);
    }
    let sent = bench.inject(Flags::ACK, 1, iss + 6, b"");
    assert_eq!((sent.len(), &sent[0].text[..]), (1, &b"afewwords"[..]));
    assert!(sent[0].flags.contains(Flags::PSH), "MUST-61");
}

#[test]
fn text_too_small_for_a_good_segment_goes_within_the_override_timeout() {
    let (mut bench, socket, iss) = Bench::established(config());
    // A window much smaller than the largest ever seen, and more text than fits: too silly to use.
    bench.inject_window(Flags::ACK, 1, iss + 1, b"", None, 10);
    bench.stack.send(bench.now, socket, &[0; 100]).unwrap();
    assert_eq!(bench.drain(), [], "MUST-38");
    let sent = bench.wait(Duration::from_secs(1));
    assert_eq!((sent.len(), sent[0].text.len()), (1, 10), "MUST-60");
}

/// MAY-8: a user who never reads keeps the window shut, and the connection lives on it.
#[test]
fn a_window_may_stay_shut_for_ever() {
    let small = Config {
        receive_buffer: 1000,
        ..config()
    };
    let (mut bench, socket, iss) = Bench::established(small);
    bench.inject(Flags::ACK, 1, iss + 1, &[1; 1000]);
    for _ in 0..500 {
        bench.wait(Duration::from_secs(60));
        let answer = bench.inject(Flags::ACK, 1001, iss + 1, b"?");
        assert_eq!((answer.len(), answer[0].window), (1, 0));
        assert_eq!(answer[0].ack, peer_seq(1001));
    }
    assert_eq!(bench.stack.status(socket).unwrap().readable, 1000);
}
