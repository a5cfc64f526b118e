//! Listeners: passive OPEN (RFC 9293 §3.9.1.1), the SYN queue and the accept queue (RFC 4987).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use timewait_stack::config::GiveUp;
use timewait_stack::error::AcceptError;
use timewait_stack::event::Ready;
use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{Config, Duration, Ecn, SeqNumber, SocketId, SocketOption, State};

use crate::peer::{Bench, HOST, PEER, PEER_PORT, PORT, Sent, config, segment_from};

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);

/// A listener on `PORT` with this backlog.
fn listening(config: Config, backlog: u16) -> (Bench, SocketId) {
    let mut bench = Bench::new(config);
    let socket = bench.stack.socket();
    let local = SocketAddr::new(HOST, PORT);
    bench.stack.bind(socket, local).unwrap();
    bench.stack.listen(socket, backlog).unwrap();
    bench.drain();
    (bench, socket)
}

/// Injects a segment of one of many peers, and returns what the stack says, to whomever.
fn inject_from(
    bench: &mut Bench,
    from: SocketAddr,
    flags: Flags,
    seq: u32,
    ack: SeqNumber,
    text: &[u8],
) -> Vec<Sent> {
    let segment = Segment {
        options: Options {
            mss: Some(1460),
            ..Options::default()
        },
        ..segment_from(from.port(), flags, seq, ack, text)
    };
    let mut bytes = Vec::new();
    segment.emit(from.ip(), HOST, &mut bytes);
    bench
        .stack
        .handle_segment(bench.now, from.ip(), HOST, Ecn::NotEct, &bytes);
    bench.drain()
}

/// Peer number `n`, at an address of its own.
fn peer(n: u32) -> SocketAddr {
    let ip = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n));
    SocketAddr::new(ip, PEER_PORT)
}

fn syn(bench: &mut Bench, n: u32) -> Vec<Sent> {
    inject_from(bench, peer(n), Flags::SYN, 100, SeqNumber(0), b"")
}

fn ack(bench: &mut Bench, n: u32, iss: SeqNumber) -> Vec<Sent> {
    inject_from(bench, peer(n), Flags::ACK, 101, iss + 1, b"")
}

/// Whole handshakes of peers 0 to `count`; their ISSs at this side.
fn handshakes(bench: &mut Bench, count: u32) -> Vec<SeqNumber> {
    let shake = |n| {
        let iss = syn(bench, n)[0].seq;
        assert_eq!(ack(bench, n, iss), []);
        iss
    };
    (0..count).map(shake).collect()
}

#[test]
fn a_passive_open_leaves_connections_on_its_port_alone() {
    let (mut bench, listener) = listening(config(), 8);
    let iss = handshakes(&mut bench, 1)[0];
    let (socket, _) = bench.stack.accept(listener).unwrap();
    bench.stack.close(bench.now, listener).unwrap();
    let before = bench.stack.status(socket).unwrap().vars;
    // MUST-41: the same port is listened on anew.
    let again = bench.stack.socket();
    let reuse = SocketOption::ReuseAddress(true);
    bench.stack.set_option(again, reuse).unwrap();
    let local = SocketAddr::new(HOST, PORT);
    bench.stack.bind(again, local).unwrap();
    bench.stack.listen(again, 8).unwrap();
    assert_eq!(bench.stack.status(socket).unwrap().vars, before);
    inject_from(&mut bench, peer(0), Flags::ACK, 101, iss + 1, b"mine");
    let mut text = [0; 8];
    assert_eq!(bench.stack.recv(bench.now, socket, &mut text), Ok(4));
    assert_eq!(bench.stack.accept(again), Err(AcceptError::WouldBlock));
}

/// MUST-42: in SYN-SENT and in SYN-RECEIVED.
#[test]
fn a_port_can_be_listened_on_while_a_connection_of_it_is_in_the_handshake() {
    for crossed in [false, true] {
        let mut bench = Bench::new(config());
        let local = SocketAddr::new(HOST, PORT);
        let reuse = SocketOption::ReuseAddress(true);
        let [caller, listener] = [(); 2].map(|()| {
            let socket = bench.stack.socket();
            bench.stack.set_option(socket, reuse).unwrap();
            socket
        });
        bench.stack.bind(caller, local).unwrap();
        let remote = SocketAddr::new(PEER, PEER_PORT);
        bench.stack.connect(bench.now, caller, remote).unwrap();
        let iss = bench.drain()[0].seq;
        if crossed {
            bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
        }
        bench.stack.bind(listener, local).unwrap();
        assert_eq!(bench.stack.listen(listener, 8), Ok(()), "{crossed}");
        // The listener serves others, and the connection goes its way.
        handshakes(&mut bench, 1);
        assert!(bench.stack.accept(listener).is_ok());
        bench.inject(SYN_ACK, 0, iss + 1, b"");
        assert_eq!(bench.state(caller), State::Established);
    }
}

#[test]
fn backlog_and_syn_queue_are_bounds_of_their_own() {
    let config = Config {
        syn_queue_max: 3,
        ..config()
    };
    let (mut bench, _) = listening(config, 1);
    for n in 0..5 {
        assert_eq!(syn(&mut bench, n).len(), usize::from(n < 3), "SYN {n}");
    }
    let usage = bench.stack.usage();
    assert_eq!((usage.half_open, usage.waiting), (3, 0));
}

#[test]
fn a_dropped_syn_may_come_again_when_there_is_room() {
    let config = Config {
        syn_queue_max: 1,
        ..config()
    };
    let (mut bench, _) = listening(config, 8);
    let iss = syn(&mut bench, 0)[0].seq;
    assert_eq!(syn(&mut bench, 1), [], "no RST either: it would be refused");
    ack(&mut bench, 0, iss);
    assert_eq!(syn(&mut bench, 1)[0].flags, SYN_ACK);
}

#[test]
fn a_full_accept_queue_drops_syns_and_keeps_half_open_what_is_acknowledged() {
    let (mut bench, listener) = listening(config(), 1);
    let isses = [syn(&mut bench, 0)[0].seq, syn(&mut bench, 1)[0].seq];
    ack(&mut bench, 0, isses[0]);
    assert_eq!(ack(&mut bench, 1, isses[1]), [], "dropped, not reset");
    assert_eq!(syn(&mut bench, 2), []);
    let usage = bench.stack.usage();
    assert_eq!((usage.half_open, usage.waiting), (1, 1));
    // The SYN-ACK comes again, and finds the peer established.
    let again = bench.wait(Duration::from_secs(1));
    assert_eq!((again[0].flags, again[0].seq), (SYN_ACK, isses[1]));
    bench.stack.accept(listener).unwrap();
    ack(&mut bench, 1, isses[1]);
    assert_eq!(bench.stack.accept(listener).unwrap().1, peer(1));
    assert_eq!(bench.ready.last(), Some(&(listener, Ready::Acceptable)));
}

#[test]
fn text_behind_a_full_accept_queue_is_not_lost() {
    let (mut bench, listener) = listening(config(), 1);
    let isses = [syn(&mut bench, 0)[0].seq, syn(&mut bench, 1)[0].seq];
    ack(&mut bench, 0, isses[0]);
    let early = inject_from(&mut bench, peer(1), Flags::ACK, 101, isses[1] + 1, b"first");
    assert_eq!(early, [], "not acknowledged, so it comes again");
    bench.stack.accept(listener).unwrap();
    inject_from(&mut bench, peer(1), Flags::ACK, 101, isses[1] + 1, b"first");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    let mut text = [0; 8];
    assert_eq!(bench.stack.recv(bench.now, socket, &mut text), Ok(5));
}

#[test]
fn a_syn_ack_is_given_up_by_its_own_r2() {
    let config = Config {
        r2_syn_ack: GiveUp::Retransmissions(2),
        ..config()
    };
    let (mut bench, _) = listening(config, 8);
    syn(&mut bench, 0);
    // RFC 6298: after 1 and 3 s again, and after 7 s the end.
    let sent = bench.wait(Duration::from_millis(6_999));
    assert!(sent.len() == 2 && sent.iter().all(|sent| sent.flags == SYN_ACK));
    assert_eq!(bench.stack.usage().half_open, 1);
    assert_eq!(bench.wait(Duration::from_millis(1)), []);
    assert_eq!(bench.stack.usage().connections, 0);
}

/// RFC 4987 §2: SYNs of many addresses, none of which answers.
#[test]
fn a_flood_of_syns_costs_no_more_than_the_syn_queue() {
    let (mut bench, _) = listening(config(), 8);
    for n in 0..50_000 {
        bench.now += Duration::from_micros(10);
        bench.stack.handle_timeout(bench.now);
        syn(&mut bench, n);
        let usage = bench.stack.usage();
        assert!(usage.connections <= 256 && usage.timer_entries <= 64 + 2 * 256);
        assert_eq!((usage.buffered, usage.waiting, usage.ports), (0, 0, 1));
    }
    assert_eq!(bench.stack.usage().half_open, 256);
    bench.wait(Duration::from_secs(300));
    assert_eq!(bench.stack.usage().connections, 0);
    assert_eq!(syn(&mut bench, 1).len(), 1, "and it serves again");
}

/// Whoever has the address may also reset each connection, so that the queue is never full.
#[test]
fn a_flood_of_syns_and_resets_leaves_no_trace() {
    let (mut bench, _) = listening(config(), 8);
    for n in 0..50_000 {
        assert_eq!(syn(&mut bench, n).len(), 1);
        inject_from(&mut bench, peer(n), Flags::RST, 101, SeqNumber(0), b"");
        let usage = bench.stack.usage();
        assert_eq!((usage.connections, usage.ports), (0, 1));
        assert!(usage.timer_entries <= 64, "{} entries", usage.timer_entries);
    }
}

/// The same in TIME-WAIT: each copy of the FIN restarts 2MSL.
#[test]
fn a_flood_of_fins_leaves_one_time_wait_timer() {
    let (mut bench, listener) = listening(config(), 8);
    let iss = handshakes(&mut bench, 1)[0];
    let (socket, _) = bench.stack.accept(listener).unwrap();
    bench.stack.close(bench.now, socket).unwrap();
    assert_eq!(bench.drain()[0].flags, Flags::FIN | Flags::ACK);
    for _ in 0..50_000 {
        bench.now += Duration::from_micros(10);
        let fin = Flags::FIN | Flags::ACK;
        inject_from(&mut bench, peer(0), fin, 101, iss + 2, b"");
    }
    let usage = bench.stack.usage();
    assert_eq!(usage.time_waits, 1);
    assert!(usage.timer_entries <= 2 * (64 + 2));
    bench.wait(Duration::from_secs(239));
    assert_eq!(bench.stack.usage().time_waits, 1);
    bench.wait(Duration::from_secs(1));
    assert_eq!(bench.stack.usage().time_waits, 0);
}

/// Who does complete handshakes fills the accept queue and then the SYN queue, each to its bound.
#[test]
fn a_flood_of_handshakes_costs_no_more_than_both_queues() {
    let (mut bench, _) = listening(config(), 8);
    for n in 0..2_000 {
        if let [answer] = syn(&mut bench, n)[..].to_vec().as_slice() {
            ack(&mut bench, n, answer.seq);
        }
    }
    let usage = bench.stack.usage();
    assert_eq!(
        (usage.waiting, usage.connections),
        (8, 8),
        "SYNs are dropped"
    );
}
