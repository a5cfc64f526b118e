//! Options: RFC 9293 §3.1, §3.2, §3.7.1.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use timewait_stack::wire::{Flags, Segment, finish_checksum};
use timewait_stack::{Config, Ecn, Instant, SeqNumber, SocketId, Stack, State};

use crate::peer::{Bench, HOST, ISN, PEER, PEER_PORT, PORT, Sent, config};

/// A segment of the peer, `offset` after its ISN, with these octets where the options go: written
/// octet by octet, for no emitter would write them so.
fn inject(
    bench: &mut Bench,
    flags: Flags,
    offset: u32,
    ack: SeqNumber,
    options: &[u8],
    text: &[u8],
) -> Vec<Sent> {
    assert_eq!(options.len() % 4, 0, "whole words");
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&PEER_PORT.to_be_bytes());
    bytes.extend_from_slice(&PORT.to_be_bytes());
    bytes.extend_from_slice(&ISN.wrapping_add(offset).to_be_bytes());
    bytes.extend_from_slice(&ack.0.to_be_bytes());
    let words = 5 + options.len() as u8 / 4;
    bytes.extend_from_slice(&[words << 4, flags.bits(), 0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend_from_slice(options);
    bytes.extend_from_slice(text);
    finish_checksum(PEER, HOST, &mut bytes);
    bench
        .stack
        .handle_segment(bench.now, PEER, HOST, Ecn::NotEct, &bytes);
    bench.drain()
}

fn readable(bench: &Bench, socket: SocketId) -> u32 {
    bench.stack.status(socket).unwrap().readable
}

/// How long the first segment of much text is to a peer whose SYN had these options.
fn segment_for(options: &[u8]) -> usize {
    let (mut bench, listener) = Bench::listening(config());
    let iss = inject(&mut bench, Flags::SYN, 0, SeqNumber(0), options, b"")[0].seq;
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    bench.stack.send(bench.now, socket, &[0; 9000]).unwrap();
    bench.drain()[0].text.len()
}

#[test]
fn an_illegal_option_length_is_survived() {
    let (mut bench, socket, iss) = Bench::established(config());
    let illegal: [[u8; 4]; 6] = [
        [2, 0, 5, 180],  // a length of zero
        [254, 1, 0, 0],  // shorter than kind and length
        [254, 5, 0, 0],  // beyond the header
        [2, 255, 0, 0],  // far beyond it
        [1, 1, 1, 254],  // no length at all
        [254, 0, 0, 42], // zero, of a kind nobody knows
    ];
    for options in illegal {
        let sent = inject(&mut bench, Flags::ACK, 1, iss + 1, &options, b"abc");
        assert_eq!(sent, [], "{options:?}");
        assert_eq!(readable(&bench, socket), 0, "MUST-7: {options:?}");
    }
    assert_eq!(bench.state(socket), State::Established, "MUST-7");
    bench.inject(Flags::ACK, 1, iss + 1, b"abc");
    assert_eq!(readable(&bench, socket), 3, "MUST-7: it goes on");
}

#[test]
fn unknown_options_are_ignored_in_whatever_segment_they_come() {
    let unknown = [254, 6, 1, 2, 3, 4, 1, 0];
    let (mut bench, listener) = Bench::listening(config());
    let sent = inject(&mut bench, Flags::SYN, 0, SeqNumber(0), &unknown, b"");
    assert_eq!(sent[0].flags, Flags::SYN | Flags::ACK, "MUST-5, MUST-6");
    let iss = sent[0].seq;
    inject(&mut bench, Flags::ACK, 1, iss + 1, &unknown, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(bench.state(socket), State::Established);
    inject(&mut bench, Flags::ACK, 1, iss + 1, &unknown, b"abc");
    assert_eq!(readable(&bench, socket), 3, "MUST-5, MUST-6, MUST-68");
    let fin = Flags::FIN | Flags::ACK;
    inject(&mut bench, fin, 4, iss + 1, &unknown, b"");
    assert_eq!(bench.state(socket), State::CloseWait, "MUST-5, MUST-6");
    inject(&mut bench, Flags::RST, 5, SeqNumber(0), &unknown, b"");
    assert_eq!(bench.state(socket), State::Closed, "MUST-5, MUST-6");
}

/// MUST-4: all three kinds of RFC 9293 itself. MUST-14: the MSS received is the one obeyed.
#[test]
fn the_mss_counts_wherever_it_is_aligned_and_whatever_is_around_it() {
    const NOP: u8 = 1;
    for options in [
        &[2, 4, 2, 88][..],
        &[NOP, 2, 4, 2, 88, NOP, NOP, NOP],
        &[NOP, NOP, 2, 4, 2, 88, 0, 0],
        &[254, 3, 9, 2, 4, 2, 88, 0],
    ] {
        assert_eq!(segment_for(options), 600, "MUST-64: {options:?}");
    }
    assert_eq!(
        segment_for(&[0, 2, 4, 2, 88, 0, 0, 0]),
        536,
        "MUST-4: it ended"
    );
}

/// MUST-15, for IPv6: there the default is 1220.
#[test]
fn without_an_mss_option_ipv6_segments_have_1220_octets() {
    let [host, peer] = [1, 2].map(|n| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n)));
    let mut stack = Stack::new(Config::new(vec![host], [7; 32]));
    let socket = stack.socket();
    stack.bind(socket, SocketAddr::new(host, PORT)).unwrap();
    let to = SocketAddr::new(peer, PEER_PORT);
    stack.connect(Instant::ZERO, socket, to).unwrap();
    let mut buf = Vec::new();
    stack.poll_transmit(Instant::ZERO, &mut buf).unwrap();
    let syn_ack = Segment {
        source_port: PEER_PORT,
        destination_port: PORT,
        seq: SeqNumber(9),
        ack: Segment::parse(&buf).unwrap().seq + 1,
        flags: Flags::SYN | Flags::ACK,
        window: 65_535,
        urgent: 0,
        options: timewait_stack::wire::Options::default(),
        text: b"",
    };
    let mut bytes = Vec::new();
    syn_ack.emit(peer, host, &mut bytes);
    stack.handle_segment(Instant::ZERO, peer, host, Ecn::NotEct, &bytes);
    stack.send(Instant::ZERO, socket, &[0; 9000]).unwrap();
    buf.clear();
    stack.poll_transmit(Instant::ZERO, &mut buf).unwrap();
    assert_eq!(Segment::parse(&buf).unwrap().text.len(), 1220);
}

/// SHLD-6: the setting is the smallest MTU, and it alone makes the MSS. The option goes even where
/// the receive MSS is the default one (MAY-3), and is that of the MTU anywhere else (SHLD-5).
#[test]
fn every_syn_tells_the_mss_of_the_mtu_and_nothing_else_does() {
    for (mtu, mss) in [(1500, 1460), (576, 536), (9000, 8960), (65_535, 65_495)] {
        let with_mtu = Config { mtu, ..config() };
        let (mut bench, listener) = Bench::listening(with_mtu);
        let syn_ack = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(65_495));
        assert_eq!(syn_ack[0].mss, Some(mss), "MUST-14, MUST-67");
        let iss = syn_ack[0].seq;
        bench.inject(Flags::ACK, 1, iss + 1, b"");
        let (socket, _) = bench.stack.accept(listener).unwrap();
        bench.stack.send(bench.now, socket, &[0; 60_000]).unwrap();
        let mut sent = bench.drain();
        let longest = sent.iter().map(|segment| segment.text.len()).max();
        assert!(longest <= Some(usize::from(mss)), "MUST-16");
        sent.extend(bench.inject(Flags::ACK, 1, iss + 1, b"text"));
        bench
            .stack
            .shutdown(bench.now, socket, timewait_stack::How::Write)
            .unwrap();
        sent.extend(bench.wait(timewait_stack::Duration::from_secs(3)));
        assert!(sent.len() > 3);
        assert!(sent.iter().all(|segment| segment.mss.is_none()), "MUST-65");
    }
}
