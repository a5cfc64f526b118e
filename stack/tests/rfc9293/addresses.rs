//! Which addresses a connection has and which it may not have: RFC 9293 §3.9.1.1, §3.9.2.3,
//! RFC 1122 §3.2.1.3.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use timewait_stack::error::ConnectError;
use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{Config, Ecn, Instant, SeqNumber, Stack};

const FIRST: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
const DIRECTED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 255);
const SIX: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
const PEER_SIX: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2));
const NOW: Instant = Instant::ZERO;

/// A host with two networks and IPv6.
fn multihomed() -> Stack {
    let config = Config {
        broadcasts: vec![DIRECTED],
        ..Config::new(vec![FIRST, SECOND, SIX], [7; 32])
    };
    Stack::new(config)
}

fn listening(stack: &mut Stack) {
    for any in [
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    ] {
        let socket = stack.socket();
        stack.bind(socket, SocketAddr::new(any, 80)).unwrap();
        stack.listen(socket, 4).unwrap();
    }
}

/// A segment from `from` to `to`; whence and whither the answers go, with their flags.
fn inject(
    stack: &mut Stack,
    from: IpAddr,
    to: IpAddr,
    flags: Flags,
    ack: SeqNumber,
) -> Vec<(IpAddr, IpAddr, Flags, SeqNumber)> {
    let segment = Segment {
        source_port: 5000,
        destination_port: 80,
        seq: SeqNumber(if flags.contains(Flags::SYN) { 9 } else { 10 }),
        ack,
        flags,
        window: 1000,
        urgent: 0,
        options: Options::default(),
        text: b"",
    };
    let mut bytes = Vec::new();
    segment.emit(from, to, &mut bytes);
    stack.handle_segment(NOW, from, to, Ecn::NotEct, &bytes);
    drain(stack)
}

fn drain(stack: &mut Stack) -> Vec<(IpAddr, IpAddr, Flags, SeqNumber)> {
    let mut sent = Vec::new();
    let mut buf = Vec::new();
    while let Some(transmit) = stack.poll_transmit(NOW, &mut buf) {
        assert!(Segment::verify_checksum(transmit.from, transmit.to, &buf));
        let segment = Segment::parse(&buf).unwrap();
        sent.push((transmit.from, transmit.to, segment.flags, segment.seq));
        buf.clear();
    }
    sent
}

/// All that names no host in IPv4 and IPv6.
fn no_hosts() -> Vec<IpAddr> {
    let mapped = |v4: Ipv4Addr| IpAddr::V6(v4.to_ipv6_mapped());
    vec![
        IpAddr::V4(Ipv4Addr::BROADCAST),
        IpAddr::V4(DIRECTED),
        IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)),
        IpAddr::V4(Ipv4Addr::new(239, 255, 255, 255)),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V4(Ipv4Addr::new(0, 0, 0, 7)),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1)),
        IpAddr::V6(Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 0, 0x101)),
        mapped(Ipv4Addr::BROADCAST),
        mapped(Ipv4Addr::new(224, 0, 0, 1)),
        mapped(DIRECTED),
    ]
}

fn local_of_family(other: IpAddr) -> IpAddr {
    if other.is_ipv4() { FIRST } else { SIX }
}

#[test]
fn a_segment_from_an_address_that_no_host_has_is_ignored() {
    let loopback = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    for from in no_hosts().into_iter().chain(loopback) {
        let mut stack = multihomed();
        listening(&mut stack);
        for flags in [Flags::SYN, Flags::ACK, Flags::FIN, Flags::PSH] {
            let sent = inject(&mut stack, from, local_of_family(from), flags, SeqNumber(0));
            assert_eq!(sent, [], "MUST-63: {from}");
        }
        assert_eq!(stack.usage().connections, 0, "MUST-63: {from}");
    }
}

#[test]
fn loopback_talks_to_loopback() {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut stack = Stack::new(Config::new(vec![here], [7; 32]));
    listening(&mut stack);
    let sent = inject(&mut stack, here, here, Flags::SYN, SeqNumber(0));
    assert_eq!(sent.len(), 1);
}

#[test]
fn a_segment_to_a_broadcast_or_multicast_address_is_dropped_in_silence() {
    for to in no_hosts() {
        let mut stack = multihomed();
        listening(&mut stack);
        let from = if to.is_ipv4() { PEER } else { PEER_SIX };
        for flags in [Flags::SYN, Flags::ACK] {
            let sent = inject(&mut stack, from, to, flags, SeqNumber(0));
            assert_eq!(sent, [], "MUST-57: {to}");
        }
        assert_eq!(stack.usage().connections, 0, "MUST-57: {to}");
    }
}

#[test]
fn connect_to_a_broadcast_or_multicast_address_is_refused() {
    for to in no_hosts() {
        let mut stack = multihomed();
        let socket = stack.socket();
        let answer = stack.connect(NOW, socket, SocketAddr::new(to, 80));
        assert_eq!(answer, Err(ConnectError::BadRemote), "MUST-46: {to}");
        assert_eq!(drain(&mut stack), []);
    }
}

#[test]
fn an_active_open_without_an_address_gets_one_before_its_syn() {
    for (peer, expected) in [(PEER, FIRST), (PEER_SIX, SIX)] {
        let mut stack = multihomed();
        let socket = stack.socket();
        stack
            .connect(NOW, socket, SocketAddr::new(peer, 80))
            .unwrap();
        let local = stack.status(socket).unwrap().local.unwrap();
        assert_eq!(local.ip(), expected, "MUST-44");
        let sent = drain(&mut stack);
        assert_eq!((sent[0].0, sent[0].2), (expected, Flags::SYN), "MUST-44");
    }
}

#[test]
fn an_active_open_uses_the_address_that_it_was_given() {
    let mut stack = multihomed();
    let socket = stack.socket();
    stack.bind(socket, SocketAddr::new(SECOND, 0)).unwrap();
    stack
        .connect(NOW, socket, SocketAddr::new(PEER, 80))
        .unwrap();
    assert_eq!(drain(&mut stack)[0].0, SECOND, "MUST-43");
}

#[test]
fn a_listener_may_be_bound_to_one_of_several_addresses() {
    let mut stack = multihomed();
    let socket = stack.socket();
    stack.bind(socket, SocketAddr::new(SECOND, 80)).unwrap();
    stack.listen(socket, 4).unwrap();
    let refused = inject(&mut stack, PEER, FIRST, Flags::SYN, SeqNumber(0));
    assert_eq!(refused[0].2, Flags::RST | Flags::ACK, "MUST-43");
    let taken = inject(&mut stack, PEER, SECOND, Flags::SYN, SeqNumber(0));
    assert_eq!(taken[0].2, Flags::SYN | Flags::ACK, "MUST-43");
}

#[test]
fn a_connection_keeps_the_address_that_its_syn_was_sent_to() {
    let mut stack = multihomed();
    listening(&mut stack);
    let sent = inject(&mut stack, PEER, SECOND, Flags::SYN, SeqNumber(0));
    let iss = sent[0].3;
    let mut all = sent;
    all.extend(inject(&mut stack, PEER, SECOND, Flags::ACK, iss + 1));
    // An ACK of something never sent is answered, the FIN is, too.
    all.extend(inject(&mut stack, PEER, SECOND, Flags::ACK, iss + 9));
    let fin = Flags::FIN | Flags::ACK;
    all.extend(inject(&mut stack, PEER, SECOND, fin, iss + 1));
    assert_eq!(all.len(), 3);
    assert!(
        all.iter().all(|sent| (sent.0, sent.1) == (SECOND, PEER)),
        "MUST-45: {all:?}"
    );
    let other = inject(&mut stack, PEER, FIRST, Flags::ACK, iss + 1);
    assert_eq!(
        other[0].2,
        Flags::RST,
        "MUST-45: no segment of this connection"
    );
}
