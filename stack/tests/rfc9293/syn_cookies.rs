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

/// What the peer's SYN offers; its clock shows 700.
fn offer(window_scale: Option<u8>, sack_permitted: bool, stamped: bool) -> Options {
    Options {
        mss: Some(1460),
        window_scale,
        sack_permitted,
        timestamps: stamped.then_some((700, 0)),
        ..Options::default()
    }
}

/// A listener that answers such a SYN by a cookie.
fn answered(config: Config, options: Options) -> (Bench, SocketId, Sent) {
    let (mut bench, listener) = Bench::listening(Config {
        syn_cookies: SynCookies::Always,
        delayed_ack: Duration::ZERO,
        ..config
    });
    bench.wait(Duration::from_secs(3));
    let sent = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, options);
    assert_eq!((sent.len(), sent[0].flags), (1, SYN_ACK));
    (bench, listener, sent[0].clone())
}

/// A segment of the peer, which echoes what it was sent last; its clock shows `value`.
fn stamped(bench: &mut Bench, cookie: &Sent, value: u32, echo: u32, text: &[u8]) -> Vec<Sent> {
    let options = Options {
        timestamps: Some((value, echo)),
        ..Options::default()
    };
    bench.inject_options(Flags::ACK, 1, cookie.seq + 1, text, 1000, options)
}

fn stamps(sent: &Sent) -> (u32, u32) {
    sent.options.timestamps.unwrap()
}

#[test]
fn with_timestamps_a_cookie_keeps_window_scale_and_sack() {
    for (shift, sack) in [
        (Some(0), true),
        (Some(7), false),
        (Some(14), true),
        (None, true),
    ] {
        let (mut bench, listener, cookie) = answered(config(), offer(shift, sack, true));
        assert_eq!(cookie.options.window_scale, shift.map(|_| 0), "R7323-01");
        assert_eq!(cookie.options.sack_permitted, sack, "R6675-11");
        let (value, echo) = stamps(&cookie);
        assert_eq!(echo, 700, "RFC 7323 §3.2");
        assert_eq!(bench.stack.usage().connections, 0, "nothing is kept of it");
        assert_eq!(stamped(&mut bench, &cookie, 705, value, b""), []);
        let (socket, _) = bench.stack.accept(listener).unwrap();
        let vars = bench.vars(socket);
        assert_eq!(vars.snd_wnd, 1000 << shift.unwrap_or(0), "R7323-13");
        assert_eq!((vars.sack.is_some(), vars.ts_recent), (sack, Some(705)));
        assert_eq!(vars.smss, 1448, "MUST-16");
    }
}

/// RFC 7323 §2.2 and §3.2: nothing is answered that was not offered.
#[test]
fn without_timestamps_a_cookie_answers_no_other_option() {
    let refuses = Config {
        timestamps: false,
        ..config()
    };
    for (config, stamped) in [(config(), false), (refuses, true)] {
        let (mut bench, listener, cookie) = answered(config, offer(Some(7), true, stamped));
        let options = Options {
            mss: Some(1460),
            ..Options::default()
        };
        assert_eq!(cookie.options, options, "R7323-01, R7323-04, R6675-11");
        bench.inject_window(Flags::ACK, 1, cookie.seq + 1, b"", None, 1000);
        let (socket, _) = bench.stack.accept(listener).unwrap();
        let vars = bench.vars(socket);
        assert_eq!((vars.snd_wnd, vars.ts_recent), (1000, None));
        assert!(vars.sack.is_none());
    }
}

/// RFC 7323 §5.4: the clock may be anything that goes forward.
#[test]
fn the_timestamp_of_a_cookie_is_not_ahead_of_those_that_follow() {
    for wait in 0..130 {
        let (mut bench, listener, cookie) = answered(config(), offer(Some(14), true, true));
        bench.wait(Duration::from_millis(wait));
        let again = bench.inject_options(
            Flags::SYN,
            0,
            SeqNumber(0),
            b"",
            1000,
            offer(Some(14), true, true),
        );
        let (first, second) = (stamps(&cookie).0, stamps(&again[0]).0);
        assert!(second.wrapping_sub(first) <= wait as u32 + 64);
        stamped(&mut bench, &cookie, 705, first, b"");
        let sent = stamped(&mut bench, &cookie, 706, first, b"hello");
        let (value, echo) = stamps(&sent[0]);
        assert!(value.wrapping_sub(second) < 64, "{wait} ms");
        assert_eq!(echo, 706, "R7323-08");
        assert!(bench.stack.accept(listener).is_ok());
    }
}

#[test]
fn after_a_cookie_paws_and_round_trips_go_on_as_ever() {
    let (mut bench, listener, cookie) = answered(config(), offer(Some(2), true, true));
    let value = stamps(&cookie).0;
    stamped(&mut bench, &cookie, 705, value, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(
        bench.vars(socket).srtt,
        None,
        "the cookie's echo is no sample"
    );
    let old = stamped(&mut bench, &cookie, 704, value, b"old");
    assert_eq!(old.len(), 1, "R7323-09: it is answered, not taken");
    assert_eq!(bench.stack.status(socket).unwrap().readable, 0, "R7323-09");
    bench.stack.send(bench.now, socket, b"hello").unwrap();
    let sent = bench.drain();
    bench.now += Duration::from_millis(30);
    let options = Options {
        timestamps: Some((735, stamps(&sent[0]).0)),
        ..Options::default()
    };
    bench.inject_options(Flags::ACK, 1, cookie.seq + 6, b"", 1000, options);
    assert_eq!(bench.vars(socket).srtt, Some(Duration::from_millis(30)));
}

/// Window and scale of the SYN-ACK must hold, whatever the user sets before the answer comes.
#[test]
fn a_cookie_holds_to_the_buffer_that_it_told() {
    let large = Config {
        receive_buffer: 1 << 20,
        ..config()
    };
    let (mut bench, listener, cookie) = answered(large, offer(Some(0), true, true));
    assert_eq!(cookie.options.window_scale, Some(5));
    let small = SocketOption::ReceiveBuffer(3000);
    bench.stack.set_option(listener, small).unwrap();
    let value = stamps(&cookie).0;
    stamped(&mut bench, &cookie, 705, value, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    let vars = bench.vars(socket);
    assert_eq!((vars.rcv_shift, vars.receive_buffer), (5, 3000));
    assert_eq!(vars.rcv_adv - vars.rcv_nxt, 65_535, "SHLD-14");
}
