use core::net::SocketAddr;
use core::time::Duration;

use timewait_sim::icmp::{self, Problem};
use timewait_sim::{Outgoing, Packet, Payload};
use timewait_stack::wire::{Flags, IcmpMessage, Segment};

use crate::event::BoxEvent;
use crate::label::class;
use crate::middlebox::Middlebox;
use crate::middlebox::tests::{Came, end, packet, parsed, pass, seconds, seg};
use crate::scenario::boxes::{Answer, Bad, BoxPlan, Filter, NatPlan, StatePlan, Work};

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);

/// A NAT with two hosts inside.
fn nat_with(filter: Filter, state: StatePlan) -> Middlebox {
    let plan = NatPlan {
        address: [192, 0, 2, 1].into(),
        inside: vec![0, 1],
        filter,
        state,
    };
    let plan = BoxPlan {
        work: Work::Nat(plan),
        bad: Bad::Drop,
    };
    Middlebox::new(&plan, vec![[10, 0, 0, 1].into(), [10, 0, 0, 2].into()])
}

fn nat() -> Middlebox {
    nat_with(Filter::EndpointIndependent, StatePlan::RFC5382)
}

fn sends(nat: &mut Middlebox, at: u64, from: SocketAddr, to: SocketAddr, flags: Flags) -> Came {
    pass(nat, seconds(at), packet(from, to, &seg(flags)))
}

/// The ends of the one datagram that goes on.
fn ends(came: &Came) -> (SocketAddr, SocketAddr) {
    let [packet] = &came.onward[..] else {
        panic!("{came:?}")
    };
    let segment = parsed(packet);
    (
        SocketAddr::new(packet.src, segment.source_port),
        SocketAddr::new(packet.dst, segment.destination_port),
    )
}

fn a() -> SocketAddr {
    end("10.0.0.1:1000")
}

fn server() -> SocketAddr {
    end("198.51.100.7:80")
}

fn outside() -> SocketAddr {
    end("192.0.2.1:1000")
}

#[test]
fn one_end_inside_has_one_port_whatever_it_talks_to() {
    let mut nat = nat();
    let came = sends(&mut nat, 0, a(), server(), Flags::SYN);
    assert_eq!(
        ends(&came),
        (outside(), server()),
        "the same port, if it is free"
    );
    let mapped = BoxEvent::Mapped {
        inside: a(),
        outside: outside(),
    };
    assert_eq!(came.events, [mapped]);
    let other = end("203.0.113.9:443");
    let came = sends(&mut nat, 1, a(), other, Flags::SYN);
    assert_eq!(ends(&came), (outside(), other), "RFC 5382 REQ-1");
    assert!(came.events.is_empty());
    let back = sends(&mut nat, 2, server(), outside(), SYN_ACK);
    assert_eq!(ends(&back), (server(), a()));
}

#[test]
fn two_ends_with_one_port_get_two() {
    let mut nat = nat();
    sends(&mut nat, 0, a(), server(), Flags::SYN);
    let second = end("10.0.0.2:1000");
    let came = sends(&mut nat, 0, second, server(), Flags::SYN);
    let (shown, _) = ends(&came);
    assert_eq!(shown, end("192.0.2.1:1024"), "none below 1024 unasked");
    let back = sends(&mut nat, 1, server(), shown, SYN_ACK);
    assert_eq!(ends(&back).1, second);
}

#[test]
fn a_port_is_given_on_only_when_its_connections_are_forgotten() {
    let mut nat = nat();
    let patience = StatePlan::RFC5382.opening.as_secs();
    sends(&mut nat, 0, a(), server(), Flags::SYN);
    let second = end("10.0.0.2:1000");
    let came = sends(&mut nat, patience - 1, second, server(), Flags::SYN);
    assert_ne!(ends(&came).0, outside());
    let third = end("10.0.0.2:1001");
    sends(&mut nat, patience, third, server(), Flags::SYN);
    let again = sends(&mut nat, patience + 1, a(), server(), Flags::SYN);
    assert_eq!(ends(&again).0, outside());
    assert_eq!(again.events.len(), 1, "mapped anew");
}

#[test]
fn an_established_connection_is_kept_for_more_than_two_hours() {
    let mut nat = nat();
    for (from, to, flags) in [
        (a(), server(), Flags::SYN),
        (server(), outside(), SYN_ACK),
        (a(), server(), Flags::ACK),
    ] {
        sends(&mut nat, 0, from, to, flags);
    }
    let hours = 2 * 3600 + 4 * 60;
    let came = sends(&mut nat, hours - 1, server(), outside(), Flags::ACK);
    assert_eq!(ends(&came), (server(), a()), "RFC 5382 REQ-5");
    let late = sends(&mut nat, 2 * hours, server(), outside(), Flags::ACK);
    assert!(late.onward.is_empty());
    assert!(matches!(late.events[..], [BoxEvent::Refused { .. }]));
}

#[test]
fn who_may_open_from_outside_is_the_filters_matter() {
    let stranger = end("203.0.113.9:4000");
    let friend = end("198.51.100.7:4000");
    for (filter, from, passes) in [
        (Filter::EndpointIndependent, stranger, true),
        (Filter::AddressDependent, stranger, false),
        (Filter::AddressDependent, friend, true),
    ] {
        let state = StatePlan {
            answer: Answer::Reset,
            ..StatePlan::RFC5382
        };
        let mut nat = nat_with(filter, state);
        sends(&mut nat, 0, a(), server(), Flags::SYN);
        let came = sends(&mut nat, 1, from, outside(), Flags::SYN);
        assert_eq!(came.onward.len(), usize::from(passes), "{filter:?}");
        assert!(came.answers.is_empty(), "RFC 5382 REQ-4");
        let unmapped = end("192.0.2.1:2000");
        let came = sends(&mut nat, 1, from, unmapped, Flags::ACK);
        assert_eq!(came.answers.len(), 1);
    }
}

#[test]
fn two_ends_inside_may_talk_by_the_address_outside() {
    let mut nat = nat();
    sends(&mut nat, 0, a(), server(), Flags::SYN);
    let second = end("10.0.0.2:2000");
    let came = sends(&mut nat, 1, second, outside(), Flags::SYN);
    assert_eq!(ends(&came), (end("192.0.2.1:2000"), a()), "RFC 5382 REQ-8");
    let back = sends(&mut nat, 2, a(), end("192.0.2.1:2000"), SYN_ACK);
    assert_eq!(ends(&back), (outside(), second));
}

#[test]
fn what_is_sent_to_an_address_inside_has_no_way_there() {
    let mut nat = nat();
    sends(&mut nat, 0, a(), server(), Flags::SYN);
    assert!(sends(&mut nat, 1, server(), a(), SYN_ACK).onward.is_empty());
}

#[test]
fn a_full_table_drops_what_would_begin_another_connection() {
    let state = StatePlan {
        flows_max: 1,
        ..StatePlan::RFC5382
    };
    let mut nat = nat_with(Filter::EndpointIndependent, state);
    sends(&mut nat, 0, a(), server(), Flags::SYN);
    let came = sends(&mut nat, 1, end("10.0.0.2:7"), server(), Flags::SYN);
    assert!(matches!(
        came.events[..],
        [BoxEvent::Refused { full: true, .. }]
    ));
    let after = Duration::from_secs(1) + state.opening;
    let came = sends(
        &mut nat,
        after.as_secs(),
        end("10.0.0.2:7"),
        server(),
        Flags::SYN,
    );
    assert_eq!(came.onward.len(), 1);
}

/// An error about this datagram, sent by somebody to who sent it.
fn error(about: &Packet, from: &str, quote_octets: u16) -> Packet {
    let from = from.parse().expect("an address");
    let octets = icmp::error(from, about, Problem::TooBig { mtu: 1300 }, quote_octets);
    let sent = Outgoing {
        src: from,
        dst: about.src,
        protocol: icmp::PROTOCOLS[usize::from(about.src.is_ipv6())],
        payload: Payload::new(octets),
        class: class::ICMP,
        ..about.sent.clone()
    };
    Packet {
        sent,
        ..about.clone()
    }
}

#[test]
fn an_error_is_the_one_that_would_have_been_sent_without_the_nat() {
    let v4 = (
        "10.0.0.1:1000",
        "198.51.100.7:80",
        "192.0.2.1:1000",
        "203.0.113.1",
    );
    let v6 = (
        "[fd00::1]:1000",
        "[2001:db8::7]:80",
        "[2001:db8::1]:1000",
        "2001:db8::9",
    );
    for (inside, server, outside, router) in [v4, v6] {
        let [inside, server, outside] = [inside, server, outside].map(end);
        let plan = NatPlan {
            address: outside.ip(),
            inside: vec![0],
            filter: Filter::EndpointIndependent,
            state: StatePlan::RFC5382,
        };
        let work = Work::Nat(plan);
        let bad = Bad::Drop;
        let mut nat = Middlebox::new(&BoxPlan { work, bad }, vec![inside.ip()]);
        sends(&mut nat, 0, inside, server, Flags::SYN);
        for quote_octets in [8, 548] {
            let text = Segment {
                text: b"text",
                ..seg(Flags::ACK)
            };
            // What left was dropped outside: the error goes in.
            let left = packet(outside, server, &text);
            let came = pass(&mut nat, seconds(1), error(&left, router, quote_octets));
            let wanted = error(&packet(inside, server, &text), router, quote_octets);
            compare(&came, &wanted);
            // What came was dropped inside: the error goes out.
            let arrived = packet(server, inside, &text);
            let came = pass(&mut nat, seconds(1), error(&arrived, router, quote_octets));
            let wanted = error(&packet(server, outside, &text), router, quote_octets);
            compare(&came, &wanted);
        }
    }
}

fn compare(came: &Came, wanted: &Packet) {
    let [passed] = &came.onward[..] else {
        panic!("{came:?}")
    };
    assert_eq!((passed.src, passed.dst), (wanted.src, wanted.dst));
    assert_eq!(passed.payload.octets(), wanted.payload.octets());
    let octets = passed.payload.octets();
    assert!(IcmpMessage::verify_checksum(passed.src, passed.dst, octets));
    assert_eq!(came.events, [BoxEvent::ErrorTranslated]);
}

#[test]
fn an_error_about_nobody_goes_nowhere() {
    let mut nat = nat();
    sends(&mut nat, 0, a(), server(), Flags::SYN);
    let left = packet(end("192.0.2.1:5"), server(), &seg(Flags::ACK));
    assert!(
        pass(&mut nat, seconds(1), error(&left, "203.0.113.1", 8))
            .onward
            .is_empty()
    );
}
