//! Socket options and the flags of single calls, by their usual names.

use std::net::SocketAddr;

use timewait_stack::config::WindowScale;
use timewait_stack::wire::{Flags, Options};
use timewait_stack::{
    Config, Duration, Errno, RecvFlags, SendFlags, SeqNumber, SocketId, SocketOption, State,
};

use crate::peer::{Bench, PEER, PEER_PORT, Sent, config, peer_seq};

fn send(bench: &mut Bench, socket: SocketId, octets: usize, flags: SendFlags) -> Vec<usize> {
    let taken = bench
        .stack
        .send_with(bench.now, socket, &vec![b'x'; octets], flags);
    assert_eq!(taken, Ok(octets));
    lens(&bench.drain())
}

fn lens(sent: &[Sent]) -> Vec<usize> {
    sent.iter().map(|segment| segment.text.len()).collect()
}

fn set(bench: &mut Bench, socket: SocketId, option: SocketOption) -> Vec<Sent> {
    bench.stack.set_option(socket, option).unwrap();
    bench.drain()
}

#[test]
fn linger_of_zero_makes_close_abort() {
    let (mut bench, socket, iss) = Bench::established(config());
    set(
        &mut bench,
        socket,
        SocketOption::Linger(Some(Duration::ZERO)),
    );
    bench.stack.close(bench.now, socket).unwrap();
    let sent = bench.drain();
    assert_eq!((sent[0].flags, sent[0].seq), (Flags::RST, iss + 1));
    assert_eq!(bench.only_state(), None, "no TIME-WAIT");
}

#[test]
fn any_other_linger_closes_in_peace() {
    for time in [None, Some(Duration::from_secs(5))] {
        let (mut bench, socket, _) = Bench::established(config());
        set(&mut bench, socket, SocketOption::Linger(time));
        bench.stack.close(bench.now, socket).unwrap();
        assert_eq!(bench.drain()[0].flags, Flags::FIN | Flags::ACK);
        assert_eq!(bench.only_state(), Some(State::FinWait1));
    }
}

#[test]
fn a_cork_lets_only_full_segments_go() {
    let (mut bench, socket, _) = Bench::established(config());
    set(&mut bench, socket, SocketOption::Cork(true));
    assert_eq!(send(&mut bench, socket, 100, SendFlags::empty()), []);
    assert_eq!(send(&mut bench, socket, 1400, SendFlags::empty()), [1460]);
    let sent = set(&mut bench, socket, SocketOption::Cork(false));
    assert_eq!(lens(&sent), [], "Nagle holds it now");
    let sent = set(&mut bench, socket, SocketOption::NoDelay(true));
    assert_eq!(lens(&sent), [40]);
}

#[test]
fn a_cork_holds_nothing_for_ever_and_no_fin() {
    let (mut bench, socket, iss) = Bench::established(config());
    set(&mut bench, socket, SocketOption::Cork(true));
    send(&mut bench, socket, 100, SendFlags::empty());
    let sent = bench.wait(Duration::from_secs(1));
    assert_eq!(lens(&sent), [100], "MUST-60");
    bench.inject(Flags::ACK, 1, iss + 101, b"");
    send(&mut bench, socket, 7, SendFlags::empty());
    bench.stack.close(bench.now, socket).unwrap();
    assert_eq!(lens(&bench.drain()), [7]);
}

#[test]
fn more_corks_until_the_next_send_without_it() {
    let (mut bench, socket, _) = Bench::established(config());
    assert_eq!(send(&mut bench, socket, 100, SendFlags::MORE), []);
    assert_eq!(send(&mut bench, socket, 50, SendFlags::MORE), []);
    assert_eq!(send(&mut bench, socket, 1, SendFlags::empty()), [151]);
}

#[test]
fn quick_ack_acknowledges_at_once() {
    let (mut bench, socket, iss) = Bench::established(config());
    assert_eq!(bench.inject(Flags::ACK, 1, iss + 1, b"a"), []);
    let sent = set(&mut bench, socket, SocketOption::QuickAck(true));
    assert_eq!(sent[0].ack, peer_seq(2), "also what has waited already");
    let sent = bench.inject(Flags::ACK, 2, iss + 1, b"b");
    assert_eq!(sent[0].ack, peer_seq(3));
    set(&mut bench, socket, SocketOption::QuickAck(false));
    assert_eq!(bench.inject(Flags::ACK, 3, iss + 1, b"c"), []);
}

#[test]
fn max_segment_bounds_both_directions() {
    let mut bench = Bench::new(config());
    let socket = bench.stack.socket();
    set(&mut bench, socket, SocketOption::MaxSegment(Some(500)));
    let peer = SocketAddr::new(PEER, PEER_PORT);
    bench.stack.connect(bench.now, socket, peer).unwrap();
    assert_eq!(bench.drain()[0].mss, Some(500));
    let (mut bench, listener) = Bench::listening(config());
    set(&mut bench, listener, SocketOption::MaxSegment(Some(500)));
    let syn_ack = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1460));
    assert_eq!(syn_ack[0].mss, Some(500), "children inherit it");
    bench.inject(Flags::ACK, 1, syn_ack[0].seq + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    let sent = send(&mut bench, socket, 1200, SendFlags::empty());
    assert_eq!(sent, [500, 500]);
}

#[test]
fn a_ridiculous_max_segment_is_raised_to_the_floor() {
    let mut bench = Bench::new(config());
    let socket = bench.stack.socket();
    set(&mut bench, socket, SocketOption::MaxSegment(Some(1)));
    let peer = SocketAddr::new(PEER, PEER_PORT);
    bench.stack.connect(bench.now, socket, peer).unwrap();
    assert_eq!(bench.drain()[0].mss, Some(48));
}

#[test]
fn a_peek_takes_nothing() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.inject(Flags::ACK, 1, iss + 1, b"abc");
    let mut text = [0; 2];
    for _ in 0..2 {
        let peeked = bench
            .stack
            .recv_with(bench.now, socket, &mut text, RecvFlags::PEEK);
        assert_eq!((peeked, &text), (Ok(2), b"ab"));
    }
    assert_eq!(bench.stack.recv(bench.now, socket, &mut text), Ok(2));
    bench.inject(Flags::FIN | Flags::ACK, 4, iss + 1, b"");
    let peek = |bench: &mut Bench, text: &mut [u8]| {
        bench
            .stack
            .recv_with(bench.now, socket, text, RecvFlags::PEEK)
    };
    assert_eq!(peek(&mut bench, &mut text), Ok(1));
    bench.stack.recv(bench.now, socket, &mut text).unwrap();
    assert_eq!(peek(&mut bench, &mut text), Ok(0), "the end of file");
}

#[test]
fn the_error_of_a_connection_is_told_once() {
    let (mut bench, socket, iss) = Bench::established(config());
    assert_eq!(bench.stack.take_error(socket), Ok(None));
    bench.inject(Flags::RST, 1, iss + 1, b"");
    assert_eq!(bench.stack.take_error(socket), Ok(Some(Errno::ECONNRESET)));
    assert_eq!(bench.stack.take_error(socket), Ok(None));
}

#[test]
fn tcp_info_counts_in_segments() {
    let (mut bench, socket, iss) = Bench::established(config());
    let before = bench.stack.tcp_info(socket).unwrap().unwrap();
    assert_eq!(
        (before.unacked, before.snd_mss, before.advmss),
        (0, 1460, 1460)
    );
    assert!(before.snd_cwnd >= 2 && before.rtt.is_zero());
    send(&mut bench, socket, 3000, SendFlags::empty());
    bench.wait(Duration::from_millis(50));
    let during = bench.stack.tcp_info(socket).unwrap().unwrap();
    assert_eq!((during.unacked, during.notsent_bytes), (2, 80));
    bench.inject(Flags::ACK, 1, iss + 2921, b"");
    let after = bench.stack.tcp_info(socket).unwrap().unwrap();
    // The handshake took no time at all: SRTT = 7/8 * 0 + 1/8 * 50, RTTVAR = 3/4 * 0 + 1/4 * 50.
    assert_eq!(after.rtt, Duration::from_micros(6_250));
    assert_eq!(after.rttvar, Duration::from_micros(12_500));
    let fresh = bench.stack.socket();
    assert_eq!(bench.stack.tcp_info(fresh), Ok(None));
}

/// What Linux tells in `tcpi_options`, `tcpi_snd_wscale`, `tcpi_rcv_wscale` and `tcpi_pmtu`.
#[test]
fn tcp_info_knows_what_the_syns_agreed_on() {
    let own = Config {
        receive_buffer: 1 << 20,
        sack: true,
        timestamps: true,
        window_scale: WindowScale::Fixed(7),
        ..config()
    };
    let (bench, socket, _) = Bench::established(own.clone());
    let plain = bench.stack.tcp_info(socket).unwrap().unwrap();
    assert!(!plain.wscale && !plain.timestamps && !plain.sack);
    assert_eq!((plain.snd_wscale, plain.rcv_wscale), (0, 0));
    assert_eq!((plain.pmtu, plain.min_rtt), (own.mtu, None));

    let (mut bench, listener) = Bench::listening(own);
    let options = Options {
        mss: Some(1460),
        window_scale: Some(3),
        sack_permitted: true,
        timestamps: Some((1, 0)),
        ..Options::default()
    };
    let syn_ack = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, options);
    let (iss, (stamp, _)) = (syn_ack[0].seq, syn_ack[0].options.timestamps.unwrap());
    let options = Options {
        timestamps: Some((1, stamp)),
        ..Options::default()
    };
    bench.inject_options(Flags::ACK, 1, iss + 1, b"", 1000, options);
    let (socket, _) = bench.stack.accept(listener).unwrap();
    let agreed = bench.stack.tcp_info(socket).unwrap().unwrap();
    assert!(agreed.wscale && agreed.timestamps && agreed.sack);
    assert_eq!((agreed.snd_wscale, agreed.rcv_wscale), (3, 7));
    assert_eq!(agreed.snd_wnd, 8000);
    send(&mut bench, socket, 100, SendFlags::empty());
    bench.wait(Duration::from_millis(50));
    let options = Options {
        timestamps: Some((51, stamp)),
        ..Options::default()
    };
    bench.inject_options(Flags::ACK, 1, iss + 101, b"", 1000, options);
    let measured = bench.stack.tcp_info(socket).unwrap().unwrap();
    assert_eq!(measured.min_rtt, Some(Duration::from_millis(50)));
}
