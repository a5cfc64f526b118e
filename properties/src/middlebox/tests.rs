//! What all boxes have in common, and what a firewall does.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use timewait_sim::{
    Instant, Node, NodeId, Outgoing, Packet, PacketId, Payload, Transit, icmp::PROTOCOLS,
};
use timewait_stack::SeqNumber;
use timewait_stack::wire::{Flags, Options, Segment};

use super::Middlebox;
use crate::event::{BoxEvent, HostEvent};
use crate::label::{Incarnation, class, class_of, flow_of};
use crate::scenario::boxes::{
    Answer, Bad, BoxPlan, Filter, Join, NatPlan, OptionsPlan, SegmentsPlan, StatePlan, Strip, Work,
};

/// What came out of a box.
#[derive(Debug, Default)]
pub(super) struct Came {
    pub(super) onward: Vec<Packet>,
    pub(super) answers: Vec<Outgoing>,
    pub(super) events: Vec<BoxEvent>,
}

/// The bare segment with these flags.
pub(super) fn seg(flags: Flags) -> Segment<'static> {
    Segment {
        source_port: 0,
        destination_port: 0,
        seq: SeqNumber(100),
        ack: SeqNumber(500),
        flags,
        window: 1000,
        urgent: 0,
        options: Options::default(),
        text: &[],
    }
}

/// A datagram from one end to another.
pub(super) fn packet(from: SocketAddr, to: SocketAddr, segment: &Segment<'_>) -> Packet {
    let segment = Segment {
        source_port: from.port(),
        destination_port: to.port(),
        ..segment.clone()
    };
    let mut octets = Vec::new();
    segment.emit(from.ip(), to.ip(), &mut octets);
    Packet {
        id: PacketId {
            origin: NodeId(0),
            ordinal: 0,
        },
        born: Instant::ZERO,
        sent: Outgoing {
            src: from.ip(),
            dst: to.ip(),
            hop_limit: 60,
            ecn: 0,
            diffserv: 0,
            dont_fragment: true,
            protocol: 6,
            payload: Payload::new(octets),
            tag: 77,
            flow: flow_of(from, to),
            class: class_of(segment.flags, segment.text.len()),
        },
        fragment: None,
        parts: Vec::new(),
    }
}

/// Hands a datagram to a box.
pub(super) fn pass(middlebox: &mut Middlebox, at: Instant, packet: Packet) -> Came {
    middlebox.handle_transit(at, Transit::new(packet));
    drain(middlebox, at)
}

/// Everything that a box has to say.
pub(super) fn drain(middlebox: &mut Middlebox, at: Instant) -> Came {
    let mut came = Came::default();
    while let Some(HostEvent::Box(event)) = middlebox.poll_event() {
        came.events.push(event);
    }
    while let Some(transit) = middlebox.poll_transit(at) {
        came.onward.push(transit.packet().clone());
    }
    came.answers
        .extend(core::iter::from_fn(|| middlebox.poll_transmit(at)));
    came
}

/// The segment in a datagram, whose checksum is right.
pub(super) fn parsed(sent: &Outgoing) -> Segment<'_> {
    let octets = sent.payload.octets();
    assert!(Segment::verify_checksum(sent.src, sent.dst, octets));
    Segment::parse(octets).expect("a segment")
}

pub(super) fn end(text: &str) -> SocketAddr {
    text.parse().expect("an end")
}

pub(super) fn seconds(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

/// One box of each kind.
fn every(bad: Bad) -> Vec<Middlebox> {
    let all = Strip {
        mss: true,
        window_scale: true,
        sack_permitted: true,
        timestamps: true,
        unknown: true,
    };
    let nat = NatPlan {
        address: [192, 0, 2, 1].into(),
        inside: vec![0],
        filter: Filter::EndpointIndependent,
        state: StatePlan::RFC5382,
    };
    let works = [
        Work::Nat(nat),
        Work::Firewall(StatePlan::RFC5382),
        Work::Options(OptionsPlan {
            strip: all,
            syns_only: false,
            reversed: true,
            padded: false,
        }),
        Work::Segments(SegmentsPlan {
            split: Some(3),
            join: Some(Join {
                octets_max: 10,
                wait: Duration::from_millis(1),
            }),
        }),
    ];
    let inside: IpAddr = [10, 0, 0, 1].into();
    works
        .into_iter()
        .map(|work| Middlebox::new(&BoxPlan { work, bad }, vec![inside]))
        .collect()
}

fn syn() -> Packet {
    packet(end("10.0.0.1:1000"), end("10.0.0.2:80"), &seg(Flags::SYN))
}

#[test]
fn labels_and_birth_go_with_what_passes() {
    for mut middlebox in every(Bad::Drop) {
        let came = pass(&mut middlebox, seconds(1), syn());
        let [passed] = &came.onward[..] else {
            panic!("{came:?}")
        };
        let name = |it: &Packet| (it.id, it.born, it.tag, it.flow, it.class);
        assert_eq!(name(passed), name(&syn()));
        parsed(passed);
    }
}

#[test]
fn what_is_damaged_is_dropped_or_stays_damaged() {
    for bad in [Bad::Drop, Bad::Pass] {
        for mut middlebox in every(bad) {
            assert_eq!(pass(&mut middlebox, seconds(1), syn()).onward.len(), 1);
            let data = Segment {
                text: b"some text",
                ..seg(Flags::ACK)
            };
            let mut damaged = packet(end("10.0.0.1:1000"), end("10.0.0.2:80"), &data);
            let mut octets = damaged.payload.octets().to_vec();
            octets[25] ^= 16;
            damaged.sent.payload = Payload::new(octets);
            let came = pass(&mut middlebox, seconds(2), damaged);
            match (bad, &came.onward[..]) {
                (Bad::Drop, []) => assert_eq!(came.events, [BoxEvent::BadDropped]),
                (Bad::Pass, [it]) => {
                    let sent = &it.sent;
                    let octets = sent.payload.octets();
                    assert!(!Segment::verify_checksum(sent.src, sent.dst, octets));
                    assert_eq!(octets.len(), 29);
                }
                _ => panic!("{bad:?} {came:?}"),
            }
        }
    }
}

#[test]
fn any_octets_pass_any_box_without_a_panic() {
    let whole = packet(
        end("10.0.0.1:1000"),
        end("10.0.0.2:80"),
        &Segment {
            text: b"some text",
            options: Options {
                mss: Some(1460),
                timestamps: Some((1, 2)),
                ..Options::default()
            },
            ..seg(Flags::ACK | Flags::URG | Flags::FIN)
        },
    );
    let octets = whole.payload.octets();
    for mut middlebox in every(Bad::Pass) {
        for protocol in [6, PROTOCOLS[0]] {
            for cut in 0..octets.len() {
                let mut broken = octets.to_vec();
                broken[cut] ^= 0xff;
                for octets in [octets[..cut].to_vec(), broken] {
                    let mut packet = whole.clone();
                    packet.sent.protocol = protocol;
                    packet.sent.payload = Payload::new(octets);
                    pass(&mut middlebox, seconds(1), packet);
                }
            }
        }
    }
}

/// A firewall with this answer.
fn firewall(answer: Answer) -> Middlebox {
    let state = StatePlan {
        answer,
        ..StatePlan::RFC5382
    };
    let plan = BoxPlan {
        work: Work::Firewall(state),
        bad: Bad::Drop,
    };
    Middlebox::new(&plan, Vec::new())
}

#[test]
fn a_firewall_passes_what_it_has_seen_begin_in_both_directions() {
    let mut firewall = firewall(Answer::Silence);
    let (a, b) = (end("10.0.0.1:1000"), end("10.0.0.2:80"));
    assert_eq!(pass(&mut firewall, seconds(1), syn()).onward, [syn()]);
    for (from, to, flags) in [(b, a, Flags::SYN | Flags::ACK), (a, b, Flags::ACK)] {
        let packet = packet(from, to, &seg(flags));
        assert_eq!(
            pass(&mut firewall, seconds(2), packet.clone()).onward,
            [packet]
        );
    }
    let other = packet(end("10.0.0.1:1001"), b, &seg(Flags::ACK));
    let came = pass(&mut firewall, seconds(2), other);
    let tag = Incarnation::from_tag(77);
    let refused = BoxEvent::Refused {
        tag,
        from: end("10.0.0.1:1001"),
        to: b,
        full: false,
    };
    assert_eq!((came.onward.len(), came.answers.len()), (0, 0));
    assert_eq!(came.events, [refused]);
}

#[test]
fn a_reset_of_a_box_is_the_one_that_the_other_end_would_send() {
    let mut firewall = firewall(Answer::Reset);
    let (a, b) = (end("10.0.0.1:1000"), end("10.0.0.2:80"));
    let text = Segment {
        text: b"123",
        ..seg(Flags::ACK)
    };
    let came = pass(&mut firewall, seconds(1), packet(a, b, &text));
    let [reset] = &came.answers[..] else {
        panic!("{came:?}")
    };
    let rst = parsed(reset);
    assert_eq!((rst.flags, rst.seq), (Flags::RST, SeqNumber(500)));
    assert_eq!((reset.src, reset.dst), (b.ip(), a.ip()));
    assert_eq!((rst.source_port, rst.destination_port), (80, 1000));
    assert_eq!((reset.tag, reset.class), (77, class::RST | class::ECHO));

    let fin = Segment {
        text: b"123",
        ..seg(Flags::FIN)
    };
    let came = pass(&mut firewall, seconds(1), packet(a, b, &fin));
    let rst = parsed(&came.answers[0]);
    assert_eq!(rst.flags, Flags::RST | Flags::ACK);
    assert_eq!((rst.seq, rst.ack), (SeqNumber(0), SeqNumber(104)));

    let came = pass(&mut firewall, seconds(1), packet(a, b, &seg(Flags::RST)));
    assert!(came.answers.is_empty(), "never to a RST");
}
