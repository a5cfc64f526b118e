use core::net::SocketAddr;
use core::time::Duration;

use timewait_sim::icmp::{PROTOCOLS, Problem};
use timewait_sim::{Instant, Node, NodeId, Outgoing, Packet, PacketId};
use timewait_stack::SeqNumber;
use timewait_stack::wire::{Flags, IcmpKind, IcmpMessage, Segment};

use super::{Attacker, bare, wrap};
use crate::label::Incarnation;
use crate::scenario::{Attack, Forgery, Lie, Method, Sweep, Target};

const ME: NodeId = NodeId(7);

fn ends() -> (SocketAddr, SocketAddr) {
    let end = |text: &str| text.parse().expect("an address");
    (end("10.0.0.1:1000"), end("10.0.0.2:80"))
}

fn attack(count: u32, method: Method) -> Attacker {
    let attack = Attack {
        to: Target { host: 1, port: 80 },
        start: Duration::from_millis(10),
        every: Duration::from_millis(2),
        count,
        method,
    };
    let (from, to) = ends();
    let mut attacker = Attacker::new(ME);
    attacker.add(attack, from, to);
    attacker
}

/// Everything that the attacker sends by itself, with its times in milliseconds.
fn run(attacker: &mut Attacker) -> Vec<(u64, Outgoing)> {
    let mut sent = Vec::new();
    while let Some(now) = attacker.poll_timeout() {
        attacker.handle_timeout(now);
        let outgoing = attacker.poll_transmit(now).expect("it is due");
        sent.push((now.as_nanos() / 1_000_000, outgoing));
        assert!(sent.len() < 100, "it does not end");
    }
    sent
}

fn parsed(outgoing: &Outgoing) -> Segment<'_> {
    let octets = outgoing.payload.octets();
    assert!(Segment::verify_checksum(outgoing.src, outgoing.dst, octets));
    Segment::parse(octets).expect("a segment")
}

#[test]
fn a_lie_quotes_what_its_victim_may_have_sent() {
    let (peer, victim) = ends();
    let lie = Lie {
        about: Target {
            host: 0,
            port: 1000,
        },
        problem: Problem::NoPort,
        seq: Sweep {
            start: u32::MAX,
            step: 7,
        },
    };
    let sent = run(&mut attack(2, Method::Report(lie)));
    assert_eq!(sent.len(), 2);
    for ((_, outgoing), seq) in sent.iter().zip([u32::MAX, 6]) {
        let octets = outgoing.payload.octets();
        assert_eq!((outgoing.src, outgoing.dst), (peer.ip(), victim.ip()));
        assert!(PROTOCOLS.contains(&outgoing.protocol));
        assert!(IcmpMessage::verify_checksum(
            outgoing.src,
            outgoing.dst,
            octets
        ));
        let message = IcmpMessage::parse(true, octets).expect("an error about a segment");
        let quote = message.quote;
        assert_eq!(message.kind, IcmpKind::Unreachable { code: 3 });
        assert_eq!(
            (SocketAddr::new(quote.from, quote.source_port), quote.seq),
            (victim, SeqNumber(seq))
        );
        assert_eq!(SocketAddr::new(quote.to, quote.destination_port), peer);
    }
}

#[test]
fn a_forgery_sweeps_under_a_false_address_and_its_own_tag() {
    let (from, to) = ends();
    let forgery = Forgery {
        from: Target {
            host: 0,
            port: 1000,
        },
        flags: Flags::RST | Flags::ACK,
        text: 0,
        window: 5,
        seq: Sweep {
            start: u32::MAX,
            step: 3,
        },
        ack: Sweep { start: 9, step: 0 },
    };
    let sent = run(&mut attack(3, Method::Forge(forgery)));
    let times: Vec<u64> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [10, 12, 14]);
    let numbers: Vec<_> = sent.iter().map(|(_, sent)| parsed(sent).seq.0).collect();
    assert_eq!(numbers, [u32::MAX, 2, 5]);
    for (_, outgoing) in &sent {
        assert_eq!((outgoing.src, outgoing.dst), (from.ip(), to.ip()));
        assert_eq!(Incarnation::from_tag(outgoing.tag).host, ME);
        let segment = parsed(outgoing);
        assert_eq!((segment.source_port, segment.destination_port), (1000, 80));
        assert_eq!((segment.flags, segment.ack), (forgery.flags, SeqNumber(9)));
    }
}

#[test]
fn a_flood_comes_from_ever_new_addresses() {
    let sent = run(&mut attack(20, Method::Flood));
    let mut sources: Vec<_> = sent.iter().map(|(_, sent)| sent.src).collect();
    sources.sort_unstable();
    sources.dedup();
    assert_eq!(sources.len(), 20);
    assert!(
        sent.iter()
            .all(|(_, sent)| parsed(sent).flags == Flags::SYN)
    );
}

#[test]
fn islands_leave_every_second_octet_out() {
    let mut attacker = attack(4, Method::Islands { port: 1000 });
    let syn_at = attacker.poll_timeout().expect("a SYN");
    let syn = attacker.poll_transmit(syn_at).expect("a SYN");
    let (from, to) = ends();
    let syn_ack = Segment {
        source_port: to.port(),
        destination_port: from.port(),
        seq: SeqNumber(700),
        ack: parsed(&syn).seq + 1,
        ..bare(Flags::SYN | Flags::ACK)
    };
    let someone = Incarnation::from_tag(1);
    let id = PacketId {
        origin: NodeId(1),
        ordinal: 0,
    };
    let packet = Packet {
        id,
        born: Instant::ZERO,
        fragment: None,
        sent: wrap(&syn_ack, to, from, someone),
        parts: Vec::new(),
    };
    attacker.handle_packet(syn_at, &packet);
    let sent = run(&mut attacker);
    let first = parsed(&syn).seq + 1;
    let offsets: Vec<_> = sent
        .iter()
        .map(|(_, sent)| parsed(sent).seq - first)
        .collect();
    assert_eq!(offsets, [0, 2, 4, 6]);
    for (_, outgoing) in &sent {
        let segment = parsed(outgoing);
        assert_eq!((segment.ack, segment.text.len()), (SeqNumber(701), 1));
    }
}

#[test]
fn nobody_answers_a_knock_for_ever() {
    let sent = run(&mut attack(4, Method::Islands { port: 1000 }));
    assert!(
        sent.iter()
            .all(|(_, sent)| parsed(sent).flags == Flags::SYN)
    );
    assert_eq!(sent.len(), 5);
}
