//! Datagrams that go in parts, and come whole or not at all.

use std::net::IpAddr;

use timewait_sim::icmp::RouterErrors;
use timewait_sim::{
    Copies, Duration, Fate, Fates, LinkConfig, NodeId, Outcome, Outgoing, Payload, World,
    WorldConfig,
};

use crate::talker::{Talker, address, finish, link, listed, ms, say, saying, watch};

/// Talker 0, router 2, router 3, talker 1; between the routers (hop 2) a link of 68 octets: parts of
/// 48 octets. Behind them (hop 4) one of 52 octets: parts of 32.
fn narrow<F: Fates>(fates: F) -> World<Talker, F> {
    let mut world = World::new(WorldConfig::default(), fates);
    for index in 0..2 {
        world.add_node(Talker::default(), &[address(index)]);
    }
    let [first, second] = [world.add_router(), world.add_router()];
    let mtu = |octets| LinkConfig {
        mtu: Some(octets),
        ..link()
    };
    world.connect(NodeId(0), first, link());
    world.connect(first, second, mtu(68));
    world.connect(second, NodeId(1), mtu(52));
    world
}

/// A number with so many octets, header included, that may be cut up.
fn long(number: u32, octets: usize) -> Outgoing {
    let short = saying(0, 1, number);
    let mut payload = short.payload.octets().to_vec();
    payload.resize(octets - 20, 0);
    Outgoing {
        payload: Payload::new(payload),
        dont_fragment: false,
        ..short
    }
}

fn late(milliseconds: u64) -> Outcome {
    Outcome::Deliver {
        extra: Duration::from_millis(milliseconds),
        damage: None,
    }
}

#[test]
fn what_may_be_cut_up_comes_whole() {
    let mut world = narrow(());
    let log = watch(&mut world);
    // 130 octets are three parts of up to 48 on the first link, of which each makes two.
    say(&mut world, 0, long(7, 150));
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(30), 7)]);
    let told = |what: &str| {
        log.borrow()
            .iter()
            .filter(|line| line.contains(what))
            .count()
    };
    assert_eq!(told("cut up at 2 into 3"), 1);
    assert_eq!(told("cut up at 4 into 2"), 3);
    let stats = world.stats();
    assert_eq!((stats.sent, stats.delivered, stats.reassembled), (1, 1, 1));
    assert_eq!((stats.fragmented, world.in_flight()), (4, 0));
    let reclaimed = &world.node(NodeId(0)).reclaimed;
    assert!(reclaimed.contains(&130), "its buffer goes back");
}

#[test]
fn what_fits_is_left_alone() {
    let mut world = narrow(());
    say(&mut world, 0, long(7, 52));
    finish(&mut world);
    assert_eq!((world.stats().fragmented, world.stats().delivered), (0, 1));
}

#[test]
fn a_sender_cuts_up_what_its_own_link_does_not_carry() {
    let mut world = World::new(WorldConfig::default(), ());
    for index in 0..2 {
        world.add_node(Talker::default(), &[address(index)]);
    }
    let mtu = Some(68);
    world.connect(NodeId(0), NodeId(1), LinkConfig { mtu, ..link() });
    say(&mut world, 0, long(7, 100));
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).numbers(), [7]);
}

#[test]
fn parts_come_in_any_order_and_their_copies_do_no_harm() {
    let twice = Fate {
        original: late(5),
        copies: Copies::one(late(0)),
    };
    let mut world = narrow(listed(4, [(0, late(9).into()), (1, twice)]));
    say(&mut world, 0, long(7, 150));
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(39), 7)]);
    assert_eq!(world.stats().dropped_overlap, 1);
}

#[test]
fn a_datagram_of_which_a_part_is_lost_is_lost() {
    let mut world = narrow(listed(4, [(1, Outcome::Drop.into())]));
    say(&mut world, 0, long(7, 150));
    say(&mut world, 0, long(8, 150));
    world.run_until(ms(100));
    assert_eq!(world.node(NodeId(1)).numbers(), [8]);
    assert_eq!(world.in_flight(), 5, "the others wait");
    finish(&mut world);
    assert_eq!(
        (world.stats().dropped_incomplete, world.in_flight()),
        (5, 0)
    );
    assert_eq!(world.now(), ms(60_030), "a minute after the first one came");
}

#[test]
fn a_host_reports_that_the_rest_never_came_if_it_has_the_first_part() {
    let reports = |lost| {
        let mut world = narrow(listed(4, [(lost, Outcome::Drop.into())]));
        world.set_host_errors(Some(RouterErrors {
            interval: Duration::ZERO,
            quote_octets: 8,
            class: 0x80,
        }));
        let tag = 0;
        say(
            &mut world,
            0,
            Outgoing {
                tag,
                ..long(7, 150)
            },
        );
        finish(&mut world);
        world.node(NodeId(0)).reports.clone()
    };
    assert_eq!(reports(0), [], "the first part is what it would quote");
    let told = reports(1);
    let [report] = &told[..] else {
        panic!("{told:?}");
    };
    let octets = report.payload.octets();
    // RFC 792: time exceeded, in reassembly.
    assert_eq!(octets[..2], [11, 1]);
    assert_eq!(
        (report.src, report.class, report.tag),
        (address(1), 0x80, 0)
    );
    // The quoted header says that more parts follow, and where this one begins.
    assert_eq!(octets[8 + 6..8 + 8], [0x20, 0]);
}

#[test]
fn routers_report_about_no_part_but_the_first() {
    let mut world = World::new(WorldConfig::default(), ());
    for index in 0..2 {
        world.add_node(Talker::default(), &[address(index)]);
    }
    let router = world.add_reporting_router(RouterErrors {
        interval: Duration::ZERO,
        quote_octets: 8,
        class: 0x80,
    });
    let mtu = Some(68);
    world.connect(NodeId(0), router, LinkConfig { mtu, ..link() });
    world.connect(router, NodeId(1), link());
    let hop_limit = 1;
    say(
        &mut world,
        0,
        Outgoing {
            hop_limit,
            ..long(7, 150)
        },
    );
    finish(&mut world);
    assert_eq!(world.stats().dropped_hop_limit, 3);
    assert_eq!(world.node(NodeId(0)).reports.len(), 1);
}

#[test]
fn the_whole_is_as_old_as_its_oldest_part() {
    let mut world = narrow(listed(2, [(0, late(500).into())]));
    world.set_lifetime(Some(Duration::from_millis(400)));
    say(&mut world, 0, long(7, 150));
    finish(&mut world);
    assert_eq!(
        world.node(NodeId(1)).numbers(),
        [],
        "the first part was too old"
    );
    assert!(world.stats().dropped_too_old > 0);
}

#[test]
fn parts_of_different_datagrams_with_one_number_are_damage() {
    // The identification has 16 bits: datagrams 0 and 65,536 share it.
    let mut world = narrow(listed(4, [(0, Outcome::Drop.into())]));
    let log = watch(&mut world);
    say(&mut world, 0, long(7, 80));
    for _ in 1..1 << 16 {
        say(&mut world, 0, long(1, 52)); // In between they fit.
    }
    say(&mut world, 0, long(8, 80));
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).numbers().last(), Some(&8));
    let damaged = log
        .borrow()
        .iter()
        .filter(|line| line.contains("damaged true"))
        .count();
    assert_eq!(
        damaged, 1,
        "the first part of the one, the rest of the other"
    );
    assert_eq!(world.stats().dropped_incomplete, 2);
}

#[test]
fn ipv6_is_never_cut_up() {
    let six = |last: u16| IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, last]);
    let mut world = World::new(WorldConfig::default(), ());
    for index in 0..2_u16 {
        world.add_node(Talker::default(), &[six(index + 1)]);
    }
    let mtu = Some(68);
    world.connect(NodeId(0), NodeId(1), LinkConfig { mtu, ..link() });
    let (src, dst) = (six(1), six(2));
    say(
        &mut world,
        0,
        Outgoing {
            src,
            dst,
            ..long(7, 100)
        },
    );
    finish(&mut world);
    assert_eq!(
        (world.stats().dropped_too_big, world.stats().fragmented),
        (1, 0)
    );
}
