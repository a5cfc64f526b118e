//! SO_RCVBUF and SO_SNDBUF: before a connection, in its middle, and inherited from a listener.

use timewait_stack::error::SendError;
use timewait_stack::event::Ready;
use timewait_stack::wire::{Flags, Options};
use timewait_stack::{Config, Duration, SeqNumber, SocketId, SocketOption, State};

use crate::peer::{Bench, Sent, config, peer_seq};

/// A listener with this buffer and a connection of it; the peer scales, by 0.
fn accepted(receive_buffer: u32) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, listener) = Bench::listening(Config {
        delayed_ack: Duration::ZERO,
        ..config()
    });
    set(&mut bench, listener, receive_buffer);
    let options = Options {
        mss: Some(1000),
        window_scale: Some(0),
        ..Options::default()
    };
    let sent = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 65_535, options);
    let iss = sent[0].seq;
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    (bench, socket, iss)
}

fn set(bench: &mut Bench, socket: SocketId, receive_buffer: u32) -> Vec<Sent> {
    let option = SocketOption::ReceiveBuffer(receive_buffer);
    bench.stack.set_option(socket, option).unwrap();
    bench.drain()
}

fn set_send(bench: &mut Bench, socket: SocketId, send_buffer: u32) {
    let option = SocketOption::SendBuffer(send_buffer);
    bench.stack.set_option(socket, option).unwrap();
}

/// Text of the peer, 1000 octets, at this offset of its stream.
fn text(bench: &mut Bench, iss: SeqNumber, offset: u32) -> Vec<Sent> {
    bench.inject(Flags::ACK, 1 + i64::from(offset), iss + 1, &[b'y'; 1000])
}

/// The right edge that a segment offers, counted from the first octet of the peer.
fn edge(sent: &Sent, shift: u8) -> u32 {
    (sent.ack + (u32::from(sent.window) << shift)) - peer_seq(1)
}

fn receive_buffer(bench: &Bench, socket: SocketId) -> u32 {
    bench.stack.options(socket).unwrap().receive_buffer
}

#[test]
fn a_fresh_socket_has_those_of_the_configuration_and_keeps_what_is_set() {
    let mut bench = Bench::new(Config {
        receive_buffer: 5000,
        send_buffer: 6000,
        ..config()
    });
    let socket = bench.stack.socket();
    let options = bench.stack.options(socket).unwrap();
    assert_eq!((options.receive_buffer, options.send_buffer), (5000, 6000));
    for (asked, is) in [(0, 1), (1, 1), (1 << 30, 1 << 30), (u32::MAX, 1 << 30)] {
        set(&mut bench, socket, asked);
        assert_eq!(receive_buffer(&bench, socket), is);
    }
    for (asked, is) in [(0, 1), (7, 7), (u32::MAX, u32::MAX)] {
        set_send(&mut bench, socket, asked);
        assert_eq!(bench.stack.options(socket).unwrap().send_buffer, is);
    }
}

/// RFC 7323 §2.2: the shift stands in the SYN, so the buffer must be known by then.
#[test]
fn before_connect_it_decides_window_and_scale_of_the_syn() {
    for (octets, window, shift) in [(1 << 20, 65_535, 5), (3000, 3000, 0)] {
        let mut bench = Bench::new(config());
        let socket = bench.stack.socket();
        set(&mut bench, socket, octets);
        let syn = bench.connect(socket);
        assert_eq!(
            (syn.window, syn.options.window_scale),
            (window, Some(shift))
        );
    }
}

/// A peer that has taken the shift of the first SYN must not be told another.
#[test]
fn after_connect_the_scale_of_the_syn_stays_and_its_window_too() {
    let (mut bench, socket, syn) = Bench::connecting(config());
    set(&mut bench, socket, 2000);
    let again = bench.wait(Duration::from_secs(1));
    assert_eq!(
        (again[0].window, again[0].options.window_scale),
        (syn.window, syn.options.window_scale)
    );
    let options = Options {
        window_scale: Some(0),
        ..Options::default()
    };
    let syn_ack = Flags::SYN | Flags::ACK;
    let ack = bench.inject_options(syn_ack, 0, syn.seq + 1, b"", 65_535, options);
    assert_eq!(
        edge(&ack[0], 0),
        u32::from(syn.window),
        "SHLD-14: the edge of the SYN stands"
    );
    assert_eq!(receive_buffer(&bench, socket), 2000);
    for offset in 0..70 {
        text(&mut bench, syn.seq, 1000 * offset);
    }
    let mut all = vec![0; 70_000];
    let got = bench.stack.recv(bench.now, socket, &mut all).unwrap();
    assert_eq!(got as u32, u32::from(syn.window));
    bench.drain();
    let vars = bench.vars(socket);
    assert_eq!(vars.rcv_adv - vars.rcv_nxt, 2000, "from now on it is small");
}

#[test]
fn a_child_inherits_what_its_listener_had_at_the_syn() {
    let (bench, socket, _) = accepted(1 << 20);
    assert_eq!(receive_buffer(&bench, socket), 1 << 20);
    assert_eq!(bench.vars(socket).rcv_shift, 5);
    let (mut bench, listener) = Bench::listening(config());
    let syn_ack = bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
    set(&mut bench, listener, 7000);
    bench.inject(Flags::ACK, 1, syn_ack[0].seq + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(receive_buffer(&bench, socket), 65_535);
    assert_eq!(receive_buffer(&bench, listener), 7000);
}

#[test]
fn a_larger_buffer_opens_the_window_at_once() {
    let (mut bench, socket, iss) = accepted(4000);
    for offset in 0..4 {
        text(&mut bench, iss, 1000 * offset);
    }
    assert_eq!(bench.vars(socket).rcv_adv, bench.vars(socket).rcv_nxt);
    let sent = set(&mut bench, socket, 10_000);
    assert_eq!((sent.len(), edge(&sent[0], 0)), (1, 10_000));
    // More than 65,535 units can't be told any more.
    let sent = set(&mut bench, socket, 1 << 20);
    assert_eq!(edge(&sent[0], 0), 4000 + 65_535);
    assert_eq!(receive_buffer(&bench, socket), 1 << 20);
}

/// SHLD-14: the right edge stays where it is until the octets up to it have come.
#[test]
fn a_smaller_buffer_takes_nothing_back() {
    let (mut bench, socket, iss) = accepted(10_000);
    assert_eq!(set(&mut bench, socket, 3000), []);
    for offset in 0..10 {
        let ack = text(&mut bench, iss, 1000 * offset);
        assert_eq!(edge(&ack[0], 0), 10_000, "SHLD-14");
    }
    assert_eq!(bench.vars(socket).unread, 10_000, "all of it was promised");
    assert_eq!(edge(&text(&mut bench, iss, 10_000)[0], 0), 10_000);
    let mut some = [0; 7000];
    bench.stack.recv(bench.now, socket, &mut some).unwrap();
    assert_eq!(bench.drain(), [], "3000 still fill it");
    bench.stack.recv(bench.now, socket, &mut some).unwrap();
    assert_eq!(edge(&bench.drain()[0], 0), 13_000);
}

/// RFC 7323 §2.4: a window of less than a unit looks shut.
#[test]
fn four_units_of_the_scale_in_force_are_the_least() {
    let (mut bench, socket, _) = accepted(1 << 20);
    set(&mut bench, socket, 1);
    assert_eq!(receive_buffer(&bench, socket), 4 << 5);
    let (mut bench, socket, _) = accepted(1000);
    set(&mut bench, socket, 1);
    assert_eq!(receive_buffer(&bench, socket), 4);
}

#[test]
fn the_send_buffer_bounds_what_send_takes() {
    let (mut bench, socket, iss) = Bench::established(config());
    let no_delay = SocketOption::NoDelay(true);
    bench.stack.set_option(socket, no_delay).unwrap();
    set_send(&mut bench, socket, 1000);
    let send = |bench: &mut Bench, octets: usize| {
        let taken = bench.stack.send(bench.now, socket, &vec![b'x'; octets]);
        bench.drain();
        taken
    };
    assert_eq!(send(&mut bench, 3000), Ok(1000));
    assert_eq!(send(&mut bench, 1), Err(SendError::WouldBlock));
    set_send(&mut bench, socket, 1500);
    bench.drain();
    assert_eq!(bench.ready.last(), Some(&(socket, Ready::Writable)));
    assert_eq!(send(&mut bench, 3000), Ok(500));
    // A smaller one keeps what was taken, and has no room until that is acknowledged.
    set_send(&mut bench, socket, 600);
    bench.inject(Flags::ACK, 1, iss + 1 + 900, b"");
    assert_eq!(send(&mut bench, 1), Err(SendError::WouldBlock));
    bench.inject(Flags::ACK, 1, iss + 1 + 1500, b"");
    assert_eq!(send(&mut bench, 3000), Ok(600));
    assert_eq!(bench.state(socket), State::Established);
}
