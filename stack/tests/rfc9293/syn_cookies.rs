//! SYN cookies (RFC 4987 §3.6), and TCP_DEFER_ACCEPT.

use std::net::SocketAddr;

use timewait_stack::config::{GiveUp, SynCookies};
use timewait_stack::error::AcceptError;
use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{Config, Duration, Ecn, SeqNumber, SocketId, SocketOption, State};

use crate::peer::{Bench, HOST, PEER, PEER_PORT, PORT, Sent, config, peer_seq};

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
const RST: Flags = Flags::RST;

fn with(syn_cookies: SynCookies) -> Config {
    Config {
        syn_cookies,
        syn_queue_max: 1,
        ..config()
    }
}

/// A SYN from a port that never answers takes the only place in the SYN queue.
fn fill(bench: &mut Bench) -> Vec<Sent> {
    let segment = Segment {
        source_port: PEER_PORT + 1,
        destination_port: PORT,
        seq: SeqNumber(1),
        ack: SeqNumber(0),
        flags: Flags::SYN,
        window: 1000,
        urgent: 0,
        options: Options::default(),
        text: b"",
    };
    let mut bytes = Vec::new();
    segment.emit(PEER, HOST, &mut bytes);
    bench
        .stack
        .handle_segment(bench.now, PEER, HOST, Ecn::NotEct, &bytes);
    bench.drain()
}

/// A listener that has sent a cookie to the peer; the ISN in it.
fn cookie_sent(mss: Option<u16>) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, listener) = Bench::listening(with(SynCookies::WhenFull));
    assert_eq!(fill(&mut bench).len(), 1);
    let sent = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", mss);
    assert_eq!((sent.len(), sent[0].flags), (1, SYN_ACK));
    assert_eq!((sent[0].ack, sent[0].mss), (peer_seq(1), Some(1460)));
    assert_eq!(sent[0].window, 65_535);
    assert_eq!(bench.stack.usage().connections, 1, "nothing is kept of it");
    bench.transitions.clear();
    (bench, listener, sent[0].seq)
}

#[test]
fn a_syn_that_finds_the_queue_full_is_answered_and_forgotten() {
    let (mut bench, listener, iss) = cookie_sent(Some(1460));
    assert_eq!(bench.inject(Flags::ACK, 1, iss + 1, b""), []);
    assert_eq!(bench.transitions, [(State::Listen, State::Established)]);
    let (socket, from) = bench.stack.accept(listener).unwrap();
    assert_eq!(from, SocketAddr::new(PEER, PEER_PORT));
    bench.inject(Flags::ACK, 1, iss + 1, b"hello");
    let mut text = [0; 8];
    assert_eq!(bench.stack.recv(bench.now, socket, &mut text), Ok(5));
    let vars = bench.stack.status(socket).unwrap().vars.unwrap();
    assert_eq!(
        (vars.iss, vars.irs, vars.snd_wnd),
        (iss, peer_seq(0), 65_535)
    );
}

#[test]
fn the_mss_of_the_syn_is_kept_or_a_smaller_one() {
    for (mss, kept) in [
        (Some(1460), 1460),
        (Some(1000), 536),
        (None, 536),
        (Some(60), 48),
    ] {
        let (mut bench, listener, iss) = cookie_sent(mss);
        bench.inject(Flags::ACK, 1, iss + 1, b"");
        let (socket, _) = bench.stack.accept(listener).unwrap();
        bench.stack.send(bench.now, socket, &[7; 2000]).unwrap();
        let longest = bench.drain().iter().map(|sent| sent.text.len()).max();
        assert_eq!(longest, Some(kept), "MUST-16: {mss:?}");
    }
}

#[test]
fn the_acknowledgment_may_bring_text_and_a_fin() {
    let (mut bench, listener, iss) = cookie_sent(Some(1460));
    let sent = bench.inject(Flags::ACK | Flags::FIN, 1, iss + 1, b"bye");
    assert_eq!((sent.len(), sent[0].ack), (1, peer_seq(5)));
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(bench.state(socket), State::CloseWait);
    let mut text = [0; 8];
    assert_eq!(bench.stack.recv(bench.now, socket, &mut text), Ok(3));
    assert_eq!(bench.stack.recv(bench.now, socket, &mut text), Ok(0));
}

#[test]
fn whatever_is_no_cookie_is_reset_as_ever() {
    let (mut bench, listener, iss) = cookie_sent(Some(1460));
    for (offset, ack) in [(1, iss), (1, iss + 2), (0, iss + 1), (2, iss + 1)] {
        let sent = bench.inject(Flags::ACK, offset, ack, b"");
        assert_eq!((sent.len(), sent[0].flags, sent[0].seq), (1, RST, ack));
    }
    // A SYN-ACK acknowledges no SYN-ACK, and a RST is dropped.
    let sent = bench.inject(SYN_ACK, 1, iss + 1, b"");
    assert_eq!((sent[0].flags, sent[0].seq), (RST, iss + 1));
    assert_eq!(bench.inject(RST, 1, iss + 1, b""), []);
    assert_eq!(bench.stack.accept(listener), Err(AcceptError::WouldBlock));
    assert_eq!(bench.stack.usage().connections, 1);
}

#[test]
fn a_cookie_is_good_for_a_minute_and_for_two_at_most() {
    for (wait, good) in [(64, true), (128, false)] {
        let (mut bench, listener, iss) = cookie_sent(Some(1460));
        bench.now += Duration::from_secs(wait);
        let answered = bench.inject(Flags::ACK, 1, iss + 1, b"");
        assert_eq!(bench.stack.accept(listener).is_ok(), good, "{wait} s");
        assert_eq!(answered.iter().any(|sent| sent.flags == RST), !good);
    }
}

/// Without that, a listener that never was flooded could be made to hash.
#[test]
fn a_listener_that_sent_none_lately_looks_for_none() {
    let (_, _, iss) = cookie_sent(Some(1460));
    let (mut bench, listener) = Bench::listening(with(SynCookies::WhenFull));
    let sent = bench.inject(Flags::ACK, 1, iss + 1, b"");
    assert_eq!((sent[0].flags, sent[0].seq), (RST, iss + 1));
    // The same cookie counts once this listener has sent one to somebody.
    fill(&mut bench);
    bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    assert!(bench.stack.accept(listener).is_ok());
}

#[test]
fn without_room_to_wait_the_acknowledgment_is_dropped_and_may_come_again() {
    let mut bench = Bench::new(with(SynCookies::Always));
    let listener = bench.stack.socket();
    let local = SocketAddr::new(HOST, PORT);
    bench.stack.bind(listener, local).unwrap();
    bench.stack.listen(listener, 1).unwrap();
    let iss = bench.inject(Flags::SYN, 0, SeqNumber(0), b"")[0].seq;
    let other = fill(&mut bench)[0].seq;
    let segment = Segment {
        source_port: PEER_PORT + 1,
        destination_port: PORT,
        seq: SeqNumber(2),
        ack: other + 1,
        flags: Flags::ACK,
        window: 1000,
        urgent: 0,
        options: Options::default(),
        text: b"",
    };
    let mut bytes = Vec::new();
    segment.emit(PEER, HOST, &mut bytes);
    bench
        .stack
        .handle_segment(bench.now, PEER, HOST, Ecn::NotEct, &bytes);
    assert_eq!(bench.drain(), []);
    assert_eq!(bench.inject(Flags::ACK, 1, iss + 1, b"text"), []);
    assert_eq!(
        bench.inject(Flags::SYN, 9, SeqNumber(0), b""),
        [],
        "nor a SYN"
    );
    bench.stack.accept(listener).unwrap();
    bench.inject(Flags::ACK, 1, iss + 1, b"text");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(bench.stack.status(socket).unwrap().readable, 4);
}

/// A copy of the SYN comes when there is room again: its half-open connection has another ISN
/// than the cookie, and must not be the end of the connection that the peer has.
#[test]
fn a_cookie_replaces_the_half_open_connection_of_a_copy_of_its_syn() {
    let (mut bench, listener, iss) = cookie_sent(Some(1460));
    bench.wait(Duration::from_millis(1));
    reset_filler(&mut bench);
    let copy = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1460));
    assert_eq!((copy[0].flags, bench.stack.usage().half_open), (SYN_ACK, 1));
    assert_ne!(copy[0].seq, iss);
    bench.transitions.clear();
    assert_eq!(bench.inject(Flags::ACK, 1, iss + 1, b""), [], "no RST");
    assert_eq!(
        bench.transitions,
        [
            (State::SynReceived, State::Closed),
            (State::Listen, State::Established)
        ]
    );
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(bench.stack.status(socket).unwrap().vars.unwrap().iss, iss);
    assert_eq!(bench.stack.usage().half_open, 0);
}

/// Ends the half-open connection of `fill`.
fn reset_filler(bench: &mut Bench) {
    let segment = Segment {
        source_port: PEER_PORT + 1,
        destination_port: PORT,
        seq: SeqNumber(2),
        ack: SeqNumber(0),
        flags: RST,
        window: 0,
        urgent: 0,
        options: Options::default(),
        text: b"",
    };
    let mut bytes = Vec::new();
    segment.emit(PEER, HOST, &mut bytes);
    bench
        .stack
        .handle_segment(bench.now, PEER, HOST, Ecn::NotEct, &bytes);
    bench.drain();
    assert_eq!(bench.stack.usage().half_open, 0);
}

#[test]
fn with_cookies_always_a_flood_leaves_nothing_at_all() {
    let (mut bench, listener) = Bench::listening(with(SynCookies::Always));
    for n in 0..20_000 {
        assert_eq!(bench.inject(Flags::SYN, n, SeqNumber(0), b"").len(), 1);
    }
    let usage = bench.stack.usage();
    assert_eq!((usage.connections, usage.timer_entries), (0, 0));
    let iss = bench.inject(Flags::SYN, 0, SeqNumber(0), b"")[0].seq;
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    assert!(bench.stack.accept(listener).is_ok());
}

#[test]
fn cookies_are_off_unless_asked_for() {
    let (mut bench, _) = Bench::listening(with(SynCookies::Off));
    fill(&mut bench);
    assert_eq!(bench.inject(Flags::SYN, 0, SeqNumber(0), b""), []);
}

/// A listener that waits 10 s for text, and a half-open connection that the peer has acknowledged.
fn deferred(config: Config) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, listener) = Bench::listening(config);
    let option = SocketOption::DeferAccept(Some(Duration::from_secs(10)));
    bench.stack.set_option(listener, option).unwrap();
    let iss = bench.inject(Flags::SYN, 0, SeqNumber(0), b"")[0].seq;
    assert_eq!(bench.inject(Flags::ACK, 1, iss + 1, b""), []);
    assert_eq!(bench.only_state(), Some(State::SynReceived));
    assert_eq!(bench.ready, []);
    (bench, listener, iss)
}

#[test]
fn a_deferred_connection_is_offered_when_text_comes() {
    let (mut bench, listener, iss) = deferred(config());
    assert_eq!(bench.stack.accept(listener), Err(AcceptError::WouldBlock));
    bench.inject(Flags::ACK, 1, iss + 1, b"GET");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(bench.stack.status(socket).unwrap().readable, 3);
}

#[test]
fn a_fin_counts_as_text_does() {
    let (mut bench, listener, iss) = deferred(config());
    bench.inject(Flags::ACK | Flags::FIN, 1, iss + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(bench.state(socket), State::CloseWait);
}

#[test]
fn it_is_deferred_for_so_long_and_no_longer() {
    let (mut bench, listener, iss) = deferred(config());
    // The SYN-ACK asks again after 1, 3 and 7 s; the peer answers each time.
    let again = bench.wait(Duration::from_secs(8));
    assert!(again.len() == 3 && again.iter().all(|sent| sent.flags == SYN_ACK));
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    assert!(bench.stack.accept(listener).is_err());
    assert_eq!(bench.wait(Duration::from_secs(8)).len(), 1, "after 15 s");
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    assert!(bench.stack.accept(listener).is_ok());
}

#[test]
fn r2_of_the_syn_ack_ends_a_deferred_connection_all_the_same() {
    let (mut bench, _, _) = deferred(Config {
        r2_syn_ack: GiveUp::Retransmissions(1),
        ..config()
    });
    bench.wait(Duration::from_secs(3));
    assert_eq!(bench.only_state(), None);
}

#[test]
fn a_cookie_is_not_deferred() {
    let (mut bench, listener) = Bench::listening(with(SynCookies::Always));
    let option = SocketOption::DeferAccept(Some(Duration::from_secs(10)));
    bench.stack.set_option(listener, option).unwrap();
    let iss = bench.inject(Flags::SYN, 0, SeqNumber(0), b"")[0].seq;
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    assert!(bench.stack.accept(listener).is_ok());
}
