//! The user calls and what they answer (RFC 9293 §3.9.1), with the errno an OS would give.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use timewait_stack::error::{
    AcceptError, BindError, ConnectError, ListenError, RecvError, SendError, ShutdownError,
    SocketError,
};
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Errno, How, SeqNumber, SocketOption, State};

use crate::peer::{Bench, HOST, PEER, PEER_PORT, PORT, config};

const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

fn at(port: u16) -> SocketAddr {
    SocketAddr::new(HOST, port)
}

#[test]
fn one_address_belongs_to_one_socket_unless_all_share_it() {
    let mut stack = Bench::new(config()).stack;
    let [a, b, c] = [(); 3].map(|()| stack.socket());
    assert_eq!(stack.bind(a, at(80)), Ok(()));
    assert_eq!(stack.bind(b, at(80)), Err(BindError::InUse));
    assert_eq!(BindError::InUse.errno(), Errno::EADDRINUSE);
    assert_eq!(stack.bind(a, at(81)), Err(BindError::Bound));
    assert_eq!(
        stack.bind(b, SocketAddr::new(PEER, 80)),
        Err(BindError::NotLocal)
    );
    stack.close(timewait_stack::Instant::ZERO, a).unwrap();
    for socket in [b, c] {
        stack
            .set_option(socket, SocketOption::ReuseAddress(true))
            .unwrap();
        assert_eq!(stack.bind(socket, at(80)), Ok(()));
    }
    assert_eq!(stack.listen(b, 1), Ok(()));
    assert_eq!(stack.listen(c, 1), Err(ListenError::InUse), "one listener");
}

#[test]
fn ephemeral_ports_run_out_and_come_back() {
    let few = Config {
        ephemeral_ports: (50_000, 50_002),
        ..config()
    };
    let mut bench = Bench::new(few);
    let peer = SocketAddr::new(PEER, PEER_PORT);
    let mut ports = vec![];
    for _ in 0..3 {
        let socket = bench.stack.socket();
        bench.stack.connect(bench.now, socket, peer).unwrap();
        ports.push(bench.stack.status(socket).unwrap().local.unwrap().port());
    }
    ports.sort_unstable();
    assert_eq!(ports, [50_000, 50_001, 50_002]);
    let (fourth, other) = (bench.stack.socket(), bench.stack.socket());
    assert_eq!(
        bench.stack.connect(bench.now, fourth, peer),
        Err(ConnectError::NoPort)
    );
    let another_peer = SocketAddr::new(PEER, PEER_PORT + 1);
    assert_eq!(bench.stack.connect(bench.now, other, another_peer), Ok(()));
    assert_eq!(bench.stack.bind(fourth, at(0)), Err(BindError::NoPort));
}

#[test]
fn connect_refuses_addresses_that_no_peer_can_have() {
    let mut bench = Bench::new(config());
    let socket = bench.stack.socket();
    let multicast = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1));
    for ip in [
        multicast,
        IpAddr::V4(Ipv4Addr::BROADCAST),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    ] {
        let answer = bench
            .stack
            .connect(bench.now, socket, SocketAddr::new(ip, 80));
        assert_eq!(answer, Err(ConnectError::BadRemote), "MUST-46");
    }
    let answer = bench
        .stack
        .connect(bench.now, socket, SocketAddr::new(V6, 80));
    assert_eq!(answer, Err(ConnectError::NoLocalAddress));
    assert_eq!(bench.drain(), []);
}

#[test]
fn the_tuple_of_a_connection_is_taken_also_in_time_wait() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.stack.close(bench.now, socket).unwrap();
    bench.drain();
    bench.inject(Flags::FIN | Flags::ACK, 1, iss + 2, b"");
    assert_eq!(bench.only_state(), Some(State::TimeWait));
    let listener = bench.listener.unwrap();
    bench.stack.close(bench.now, listener).unwrap();
    let again = bench.stack.socket();
    assert_eq!(
        bench.stack.bind(again, at(PORT)),
        Err(BindError::InUse),
        "not shared"
    );
    bench
        .stack
        .set_option(again, SocketOption::ReuseAddress(true))
        .unwrap();
    assert_eq!(bench.stack.bind(again, at(PORT)), Ok(()));
    let peer = SocketAddr::new(PEER, PEER_PORT);
    assert_eq!(
        bench.stack.connect(bench.now, again, peer),
        Err(ConnectError::InUse)
    );
}

#[test]
fn calls_out_of_place_say_so() {
    let mut bench = Bench::new(config());
    let now = bench.now;
    let socket = bench.stack.socket();
    assert_eq!(bench.stack.listen(socket, 1), Err(ListenError::NotBound));
    assert_eq!(bench.stack.accept(socket), Err(AcceptError::NotListening));
    assert_eq!(
        bench.stack.send(now, socket, b"x"),
        Err(SendError::NotConnected)
    );
    assert_eq!(
        bench.stack.recv(now, socket, &mut [0]),
        Err(RecvError::NotConnected)
    );
    assert_eq!(
        bench.stack.shutdown(now, socket, How::Both),
        Err(ShutdownError::NotConnected)
    );
    bench.stack.bind(socket, at(80)).unwrap();
    bench.stack.listen(socket, 1).unwrap();
    assert_eq!(bench.stack.accept(socket), Err(AcceptError::WouldBlock));
    let peer = SocketAddr::new(PEER, PEER_PORT);
    assert_eq!(
        bench.stack.connect(now, socket, peer),
        Err(ConnectError::Listening)
    );
    bench.stack.close(now, socket).unwrap();
    assert_eq!(bench.stack.close(now, socket), Err(SocketError::BadSocket));
    assert_eq!(bench.stack.status(socket), Err(SocketError::BadSocket));
}

#[test]
fn a_full_send_buffer_takes_a_part_then_nothing_then_tells() {
    let small = Config {
        send_buffer: 1000,
        ..config()
    };
    let (mut bench, socket, iss) = Bench::established(small);
    assert_eq!(bench.stack.send(bench.now, socket, &[0; 1500]), Ok(1000));
    assert_eq!(
        bench.stack.send(bench.now, socket, &[0; 1]),
        Err(SendError::WouldBlock)
    );
    bench.drain();
    bench.ready.clear();
    bench.inject(Flags::ACK, 1, iss + 1001, b"");
    assert_eq!(
        bench.ready,
        [(socket, timewait_stack::event::Ready::Writable)]
    );
}

#[test]
fn a_passive_open_disturbs_no_connection() {
    let (mut bench, socket, _) = Bench::established(config());
    let other = bench.stack.socket();
    bench.stack.bind(other, at(PORT + 1)).unwrap();
    bench.stack.listen(other, 1).unwrap();
    assert_eq!(bench.state(socket), State::Established, "MUST-41");
}

#[test]
fn a_port_can_be_listened_on_while_it_is_used_for_an_open() {
    let mut bench = Bench::new(config());
    let [opening, listener] = [(); 2].map(|()| bench.stack.socket());
    let share = SocketOption::ReuseAddress(true);
    for socket in [opening, listener] {
        bench.stack.set_option(socket, share).unwrap();
    }
    bench.stack.bind(opening, at(PORT)).unwrap();
    let peer = SocketAddr::new(PEER, PEER_PORT);
    bench.stack.connect(bench.now, opening, peer).unwrap();
    bench.drain();
    assert_eq!(bench.state(opening), State::SynSent);
    assert_eq!(bench.stack.bind(listener, at(PORT)), Ok(()), "MUST-42");
    assert_eq!(bench.stack.listen(listener, 1), Ok(()), "MUST-42");
    assert_eq!(bench.state(opening), State::SynSent, "MUST-41");
    // The same in SYN-RECEIVED: a simultaneous open.
    bench.stack.close(bench.now, listener).unwrap();
    bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
    assert_eq!(bench.state(opening), State::SynReceived);
    let another = bench.stack.socket();
    bench.stack.set_option(another, share).unwrap();
    assert_eq!(bench.stack.bind(another, at(PORT)), Ok(()), "MUST-42");
    assert_eq!(bench.stack.listen(another, 1), Ok(()), "MUST-42");
    assert_eq!(bench.state(opening), State::SynReceived, "MUST-41");
}

#[test]
fn closing_a_listener_aborts_who_was_never_accepted() {
    let (mut bench, listener) = Bench::listening(config());
    let iss = bench.inject(Flags::SYN, 0, SeqNumber(0), b"")[0].seq;
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    bench.stack.close(bench.now, listener).unwrap();
    let sent = bench.drain();
    assert_eq!(
        (sent.len(), sent[0].flags, sent[0].seq),
        (1, Flags::RST, iss + 1)
    );
    assert_eq!(
        (bench.stack.netstat(), bench.stack.usage().ports),
        (vec![], 0)
    );
}

#[test]
fn netstat_lists_everything_in_order() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.inject(Flags::ACK, 1, iss + 1, b"unread");
    bench
        .stack
        .send(bench.now, socket, b"unacknowledged")
        .unwrap();
    let lines: Vec<String> = bench
        .stack
        .netstat()
        .iter()
        .map(ToString::to_string)
        .collect();
    let words: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        words,
        [
            vec!["tcp", "0", "8", "192.0.2.1:80", "*", "LISTEN"],
            vec![
                "tcp",
                "6",
                "14",
                "192.0.2.1:80",
                "192.0.2.2:5000",
                "ESTABLISHED"
            ],
        ]
    );
}

#[test]
fn ipv6_works_like_ipv4() {
    let mut bench = Bench::new(Config::new(vec![HOST, V6], [7; 32]));
    let socket = bench.stack.socket();
    let peer = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 80);
    bench.stack.connect(bench.now, socket, peer).unwrap();
    let sent = bench.drain();
    assert_eq!(
        sent[0].mss,
        Some(1440),
        "MUST-67: the MTU less both headers"
    );
    assert_eq!(bench.stack.status(socket).unwrap().local.unwrap().ip(), V6);
}

#[test]
fn whoever_is_reset_before_accept_leaves_the_queue() {
    let (mut bench, listener) = Bench::listening(config());
    for _ in 0..20 {
        let iss = bench.inject(Flags::SYN, 0, SeqNumber(0), b"")[0].seq;
        bench.inject(Flags::ACK, 1, iss + 1, b"");
        assert_eq!(bench.stack.netstat()[0].receive_queue, 1);
        bench.inject(Flags::RST, 1, SeqNumber(0), b"");
    }
    assert_eq!(bench.stack.netstat()[0].receive_queue, 0);
    assert_eq!(bench.stack.accept(listener), Err(AcceptError::WouldBlock));
}
