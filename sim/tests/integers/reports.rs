//! Routers report what they drop: ICMP, quoting the datagram.

use std::net::IpAddr;

use timewait_sim::icmp::RouterErrors;
use timewait_sim::{Duration, LinkConfig, NodeId, Outgoing, Packet, Payload, World, WorldConfig};

use crate::talker::{Talker, address, finish, link, ms, say, saying};

const REPORTS: RouterErrors = RouterErrors {
    interval: Duration::ZERO,
    quote_octets: 8,
    class: 0x80,
};

/// Two hosts, two routers, and a link between these that carries 100 octets.
fn narrow(errors: Option<RouterErrors>) -> World<Talker, ()> {
    let mut world = World::new(WorldConfig::default(), ());
    for index in 0..2 {
        world.add_node(Talker::default(), &[address(index)]);
    }
    for _ in 0..2 {
        match errors {
            Some(errors) => world.add_reporting_router(errors),
            None => world.add_router(),
        };
    }
    world.connect(NodeId(0), NodeId(2), link());
    let mtu = Some(100);
    world.connect(NodeId(2), NodeId(3), LinkConfig { mtu, ..link() });
    world.connect(NodeId(3), NodeId(1), link());
    world
}

/// From 0 to 1, of this size with its IP header.
fn sized(octets: usize) -> Outgoing {
    Outgoing {
        payload: Payload::new(vec![7; octets - 20]),
        ..saying(0, 1, 0)
    }
}

/// Who reported what: address, type and code, MTU.
fn reports(world: &World<Talker, ()>) -> Vec<(IpAddr, [u8; 2], u16)> {
    let reports = world.node(NodeId(0)).reports.iter();
    let read = |report: &Packet| {
        let octets = report.payload.octets();
        let mtu = u16::from_be_bytes([octets[6], octets[7]]);
        (report.src, [octets[0], octets[1]], mtu)
    };
    reports.map(read).collect()
}

fn router(node: u8) -> IpAddr {
    [198, 18, 0, node].into()
}

#[test]
fn what_is_too_big_is_dropped_and_reported() {
    let mut world = narrow(Some(REPORTS));
    say(&mut world, 0, sized(100));
    say(&mut world, 0, sized(101));
    finish(&mut world);
    assert_eq!(reports(&world), [(router(2), [3, 4], 100)]);
    // 8 octets of ICMP, the header, and 8 octets of what follows it.
    assert_eq!(
        world.node(NodeId(0)).reports[0].payload.octets().len(),
        8 + 20 + 8
    );
    assert_eq!(world.node(NodeId(1)).garbled, 1, "the other one arrives");
    let stats = world.stats();
    assert_eq!((stats.dropped_too_big, stats.errors_reported), (1, 1));
    assert_eq!((stats.sent, stats.delivered), (3, 2));
}

#[test]
fn a_silent_router_is_a_black_hole() {
    let mut world = narrow(None);
    say(&mut world, 0, sized(101));
    finish(&mut world);
    let stats = world.stats();
    assert_eq!((stats.dropped_too_big, stats.errors_reported), (1, 0));
    assert_eq!(stats.delivered, 0);
}

#[test]
fn the_report_bears_the_labels_of_its_cause_and_the_class_of_reports() {
    let mut world = narrow(Some(REPORTS));
    let tag = 77;
    say(&mut world, 0, Outgoing { tag, ..sized(101) });
    finish(&mut world);
    let report = &world.node(NodeId(0)).reports[0];
    assert_eq!((report.tag, report.flow), (77, saying(0, 1, 0).flow));
    assert_eq!((report.class, report.protocol), (0x80, 1));
    assert_eq!((report.id.origin, report.id.ordinal), (NodeId(2), 0));
}

#[test]
fn hop_limit_and_missing_way_are_reported_too() {
    let mut world = narrow(Some(REPORTS));
    let hop_limit = 2;
    say(
        &mut world,
        0,
        Outgoing {
            hop_limit,
            ..saying(0, 1, 7)
        },
    );
    say(&mut world, 0, saying(0, 99, 7)); // Nobody's address.
    finish(&mut world);
    let expected = [(router(2), [3, 0], 0), (router(3), [11, 0], 0)];
    assert_eq!(reports(&world), expected);
}

#[test]
fn nothing_is_reported_about_icmp() {
    let mut world = narrow(Some(REPORTS));
    let protocol = 1;
    say(
        &mut world,
        0,
        Outgoing {
            protocol,
            ..sized(101)
        },
    );
    finish(&mut world);
    assert_eq!(world.stats().errors_reported, 0);
}

#[test]
fn each_router_reports_no_more_often_than_its_interval_says() {
    let interval = Duration::from_millis(50);
    let mut world = narrow(Some(RouterErrors {
        interval,
        ..REPORTS
    }));
    for at in [0, 10, 40, 55, 60] {
        world.run_until(ms(at));
        say(&mut world, 0, sized(101));
        say(
            &mut world,
            0,
            Outgoing {
                hop_limit: 2,
                ..saying(0, 1, 7)
            },
        );
    }
    finish(&mut world);
    let by = |from| {
        reports(&world)
            .iter()
            .filter(|report| report.0 == from)
            .count()
    };
    assert_eq!([by(router(2)), by(router(3))], [2, 2]);
    assert_eq!(world.stats().dropped_too_big, 5);
}
