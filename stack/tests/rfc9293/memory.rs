//! `Config::memory_max`: what all buffers of a stack hold and have promised together.

use timewait_stack::error::{ConnectError, SendError};
use timewait_stack::event::Ready;
use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{Config, Duration, SeqNumber, SocketId};

use crate::peer::{Bench, PEER_PORT, Sent, config, segment_from};

fn limited(memory_max: u64) -> Config {
    Config {
        memory_max: Some(memory_max),
        delayed_ack: Duration::ZERO,
        nagle: false,
        ..config()
    }
}

/// A SYN from this port.
fn syn(bench: &mut Bench, port: u16) -> Vec<Sent> {
    bench.inject_segment(segment_from(port, Flags::SYN, 0, SeqNumber(0), b""))
}

/// A connection from this port; returns its socket and the stack's ISS.
fn accepted(bench: &mut Bench, listener: SocketId, port: u16) -> (SocketId, SeqNumber) {
    let iss = syn(bench, port)[0].seq;
    bench.inject_segment(segment_from(port, Flags::ACK, 1, iss + 1, b""));
    (bench.stack.accept(listener).unwrap().0, iss)
}

fn buffered(bench: &Bench) -> u64 {
    bench.stack.usage().buffered
}

#[test]
fn an_open_needs_room_for_its_first_window() {
    let mut bench = Bench::new(limited(100_000));
    let [first, second] = [(); 2].map(|()| bench.stack.socket());
    bench.connect(first);
    let remote = core::net::SocketAddr::new(bench.peer, PEER_PORT + 1);
    let refused = bench.stack.connect(bench.now, second, remote);
    assert_eq!(refused, Err(ConnectError::NoMemory));
    bench.stack.abort(bench.now, first).unwrap();
    assert_eq!(bench.stack.connect(bench.now, second, remote), Ok(()));
}

#[test]
fn a_syn_without_room_is_dropped_and_may_come_again() {
    let (mut bench, _) = Bench::listening(limited(100_000));
    let syn_ack = syn(&mut bench, PEER_PORT);
    assert_eq!(syn_ack.len(), 1);
    assert_eq!(syn(&mut bench, PEER_PORT + 1), []);
    bench.inject_segment(segment_from(PEER_PORT, Flags::RST, 1, SeqNumber(0), b""));
    assert_eq!(syn(&mut bench, PEER_PORT + 1).len(), 1);
}

#[test]
fn no_cookie_is_promised_what_there_is_no_room_for() {
    let (mut bench, listener) = Bench::listening(Config {
        syn_cookies: timewait_stack::config::SynCookies::Always,
        ..limited(100_000)
    });
    let cookies = [0, 1].map(|n| syn(&mut bench, PEER_PORT + n)[0].seq);
    for (n, iss) in (0..).zip(cookies) {
        bench.inject_segment(segment_from(PEER_PORT + n, Flags::ACK, 1, iss + 1, b""));
    }
    assert!(bench.stack.accept(listener).is_ok());
    assert!(bench.stack.accept(listener).is_err(), "told, but not kept");
    assert_eq!(syn(&mut bench, PEER_PORT + 2), []);
}

#[test]
fn a_window_opens_as_far_as_memory_goes_and_never_shrinks() {
    let (mut bench, listener) = Bench::listening(Config {
        receive_buffer: 400_000,
        ..limited(100_000)
    });
    let options = Options {
        window_scale: Some(0),
        mss: Some(1000),
        ..Options::default()
    };
    let opens = Segment {
        options,
        ..segment_from(PEER_PORT, Flags::SYN, 0, SeqNumber(0), b"")
    };
    let syn_ack = bench.inject_segment(opens);
    let (iss, shift) = (syn_ack[0].seq, syn_ack[0].options.window_scale.unwrap());
    assert_eq!(syn_ack[0].window, 65_535);
    bench.inject_segment(segment_from(PEER_PORT, Flags::ACK, 1, iss + 1, b""));
    let (socket, _) = bench.stack.accept(listener).unwrap();
    let (mut furthest, mut sent) = (65_535, 0);
    while sent < furthest {
        let text = vec![b'y'; 1000.min(furthest - sent) as usize];
        let acks = bench.inject_segment(segment_from(
            PEER_PORT,
            Flags::ACK,
            1 + sent,
            iss + 1,
            &text,
        ));
        sent += text.len() as u32;
        for ack in acks {
            let edge = ack.ack.0 - 1 + (u32::from(ack.window) << shift);
            assert!(edge + (1 << shift) > furthest, "SHLD-14");
            furthest = furthest.max(edge);
        }
    }
    let unit = 1 << shift;
    assert!(
        furthest <= 100_000 && furthest + 2 * 1000 + unit > 100_000,
        "{furthest}"
    );
    assert_eq!(buffered(&bench), u64::from(sent));
    // What the user reads makes room, and the peer hears of it.
    let mut all = vec![0; 50_000];
    assert_eq!(bench.stack.recv(bench.now, socket, &mut all), Ok(50_000));
    let update = bench.drain();
    let edge = update[0].ack.0 - 1 + (u32::from(update[0].window) << shift);
    assert!(edge > 148_000 && edge <= 150_000, "{edge}");
}

#[test]
fn send_takes_what_memory_is_left_and_says_when_there_is_more() {
    let (mut bench, listener) = Bench::listening(limited(2 * 65_535 + 1000));
    let (first, iss) = accepted(&mut bench, listener, PEER_PORT);
    let (second, _) = accepted(&mut bench, listener, PEER_PORT + 1);
    let octets = [7; 1500];
    assert_eq!(bench.stack.send(bench.now, first, &octets), Ok(1000));
    let none = bench.stack.send(bench.now, second, &octets);
    assert_eq!(none, Err(SendError::WouldBlock));
    let sent = bench.drain();
    assert!(
        bench
            .ready
            .iter()
            .all(|(_, ready)| *ready != Ready::Writable)
    );
    let end = sent.iter().map(|sent| sent.text.len() as u32).sum::<u32>();
    bench.inject_segment(segment_from(PEER_PORT, Flags::ACK, 1, iss + 1 + end, b""));
    for socket in [first, second] {
        assert!(bench.ready.contains(&(socket, Ready::Writable)));
    }
    assert_eq!(bench.stack.send(bench.now, second, &octets), Ok(1000));
}

#[test]
fn what_an_ended_connection_leaves_unread_counts_until_it_is_read() {
    let (mut bench, listener) = Bench::listening(limited(65_535 + 10_000));
    let (socket, iss) = accepted(&mut bench, listener, PEER_PORT);
    let flags = Flags::ACK | Flags::FIN;
    bench.inject_segment(segment_from(PEER_PORT, flags, 1, iss + 1, &[b'y'; 20_000]));
    bench
        .stack
        .shutdown(bench.now, socket, timewait_stack::How::Write)
        .unwrap();
    bench.drain();
    bench.inject_segment(segment_from(PEER_PORT, Flags::ACK, 20_002, iss + 2, b""));
    assert_eq!(bench.stack.usage().connections, 0, "CLOSED");
    assert_eq!(syn(&mut bench, PEER_PORT + 1), []);
    let mut all = vec![0; 20_000];
    assert_eq!(bench.stack.recv(bench.now, socket, &mut all), Ok(20_000));
    assert_eq!(syn(&mut bench, PEER_PORT + 1).len(), 1);
}
