//! Delay, rate, queue, lifetime and the way, on one link and at one router.

use timewait_sim::{
    Aqm, Copies, Duration, Fate, HopId, Instant, LinkConfig, NodeId, Outcome, Release,
};

use crate::talker::{
    DELAY, count, finish, heard, link, listed, ms, number_in, pair, routed, say, saying, talkers,
    watch,
};

#[test]
fn integers_arrive_in_order_after_the_delay_of_the_link() {
    let mut world = pair(());
    count(&mut world, 0..5);
    finish(&mut world);
    assert_eq!(
        world.node(NodeId(1)).heard,
        [0, 1, 2, 3, 4].map(|number| (ms(10), number))
    );
    assert_eq!((world.stats().sent, world.stats().delivered), (5, 5));
    assert_eq!(world.in_flight(), 0);
}

#[test]
fn an_integer_bounces_once_per_delay() {
    let mut world = pair(());
    for node in [0, 1] {
        world.with(NodeId(node), |talker, _| talker.bounces = true);
    }
    count(&mut world, [9]);
    finish(&mut world);
    assert_eq!(heard(&world), [9, 7, 5, 3, 1]);
    assert_eq!(world.now(), ms(100));
}

#[test]
fn a_rated_link_spaces_datagrams_and_drops_the_tail_of_its_queue() {
    let mut world = talkers(2, ());
    // 26 octets each, with the IP header, at 26 octets per millisecond; two may wait.
    let link = LinkConfig {
        mtu: None,
        delay: DELAY,
        rate: Some(26_000),
        queue_bytes_max: 52,
        aqm: Aqm::None,
    };
    world.connect(NodeId(0), NodeId(1), link);
    let log = watch(&mut world);
    count(&mut world, 0..5);
    finish(&mut world);
    assert_eq!(
        world.node(NodeId(1)).heard,
        [(ms(11), 0), (ms(12), 1), (ms(13), 2)]
    );
    assert_eq!(world.stats().dropped_queue_full, 2);
    let dropped = format!("0: dropped {:?} QueueFull", Some(HopId(0)));
    assert_eq!(
        log.borrow().iter().filter(|line| **line == dropped).count(),
        2
    );
}

#[test]
fn a_datagram_to_oneself_arrives_at_once_and_meets_no_fate() {
    let mut world = talkers(1, ());
    let log = watch(&mut world);
    say(&mut world, 0, saying(0, 0, 7));
    finish(&mut world);
    assert_eq!(world.node(NodeId(0)).heard, [(ms(0), 7)]);
    assert!(log.borrow().iter().all(|line| !line.contains("fate")));
}

#[test]
fn what_has_no_way_is_dropped_where_that_shows() {
    let mut world = talkers(3, ());
    world.connect(NodeId(0), NodeId(1), link());
    let log = watch(&mut world);
    say(&mut world, 0, saying(0, 2, 7)); // Not connected.
    say(&mut world, 0, saying(0, 99, 7)); // Nobody's address.
    finish(&mut world);
    let dropped = log
        .borrow()
        .iter()
        .filter(|line| *line == "0: dropped None NoRoute")
        .count();
    assert_eq!(
        (
            dropped,
            world.stats().dropped_no_route,
            world.stats().delivered
        ),
        (2, 2, 0)
    );
}

#[test]
fn a_router_takes_one_off_the_hop_limit_and_drops_what_has_none_left() {
    let mut world = routed(());
    let log = watch(&mut world);
    for hop_limit in [0, 1, 2] {
        let mut outgoing = saying(0, 1, hop_limit.into());
        outgoing.hop_limit = hop_limit;
        say(&mut world, 0, outgoing);
    }
    finish(&mut world);
    assert_eq!(heard(&world), [2]);
    assert_eq!(world.stats().dropped_hop_limit, 2);
    assert!(
        log.borrow()
            .iter()
            .any(|line| line == "10: dropped None HopLimit")
    );
}

#[test]
fn a_datagram_as_old_as_allowed_arrives_and_an_older_one_is_dropped() {
    for (lifetime, arrives) in [(20, true), (19, false), (5, false)] {
        let mut world = routed(());
        world.set_lifetime(Some(Duration::from_millis(lifetime)));
        count(&mut world, [1]);
        finish(&mut world);
        assert_eq!(heard(&world).len(), usize::from(arrives), "{lifetime} ms");
        assert_eq!(world.stats().dropped_too_old, u64::from(!arrives));
    }
}

#[test]
fn the_lifetime_is_enforced_at_the_hop_and_at_the_destination() {
    for (lifetime, place) in [
        (5, "10: dropped Some(HopId(2)) TooOld"),
        (15, "20: dropped None TooOld"),
    ] {
        let mut world = routed(());
        world.set_lifetime(Some(Duration::from_millis(lifetime)));
        let log = watch(&mut world);
        count(&mut world, [1]);
        finish(&mut world);
        assert_eq!(log.borrow().last().map(String::as_str), Some(place));
    }
}

#[test]
fn a_changed_lifetime_counts_for_what_is_on_the_way() {
    let mut world = pair(());
    count(&mut world, [1]);
    world.set_lifetime(Some(Duration::from_millis(9)));
    finish(&mut world);
    assert_eq!(world.stats().dropped_too_old, 1);
}

#[test]
fn big_payloads_travel_whole_and_their_buffers_go_back() {
    let mut world = pair(());
    let octets: Vec<u8> = (0..1_500).map(|n| n as u8).collect();
    let mut outgoing = saying(0, 1, 0);
    outgoing.payload = timewait_sim::Payload::new(octets.clone());
    assert_eq!(number_in(&octets), None);
    say(&mut world, 0, outgoing);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).garbled, 1);
    let reclaimed = &world.node(NodeId(0)).reclaimed;
    assert_eq!(*reclaimed, [octets.len()]);
}

/// A link of 26 octets, one integer with its IP header, per millisecond; ten may wait.
fn congested(aqm: Aqm) -> LinkConfig {
    LinkConfig {
        rate: Some(26_000),
        queue_bytes_max: 260,
        aqm,
        ..link()
    }
}

/// More octets that wait are congestion.
fn beyond(bytes: u64) -> Aqm {
    Aqm::Threshold { bytes }
}

/// Sends these ECN fields at once over such a link. Returns them as they arrive, and the marks counted.
fn through(aqm: Aqm, sent: &[u8]) -> (Vec<u8>, u64) {
    let mut world = talkers(2, ());
    world.connect(NodeId(0), NodeId(1), congested(aqm));
    for (number, ecn) in (0..).zip(sent) {
        let mut outgoing = saying(0, 1, number);
        outgoing.ecn = *ecn;
        say(&mut world, 0, outgoing);
    }
    finish(&mut world);
    let receiver = world.node(NodeId(1));
    assert_eq!(
        receiver.numbers(),
        (0..sent.len() as u32).collect::<Vec<_>>()
    );
    (receiver.ecn.clone(), world.stats().marked)
}

#[test]
fn a_long_queue_marks_what_is_ecn_capable() {
    // The first is being sent; two wait unmarked.
    assert_eq!(through(beyond(52), &[2; 5]), (vec![2, 2, 2, 3, 3], 2));
    assert_eq!(through(beyond(0), &[1; 3]), (vec![1, 3, 3], 2));
    assert_eq!(through(Aqm::None, &[2; 5]), (vec![2; 5], 0));
}

#[test]
fn what_is_not_ecn_capable_is_never_marked_and_a_mark_is_no_news() {
    assert_eq!(through(beyond(0), &[0, 0, 3, 0]), (vec![0, 0, 3, 0], 0));
}

#[test]
fn a_full_queue_drops_what_is_ecn_capable_too() {
    let mut world = talkers(2, ());
    world.connect(NodeId(0), NodeId(1), congested(beyond(26)));
    let log = watch(&mut world);
    for number in 0..13 {
        let mut outgoing = saying(0, 1, number);
        outgoing.ecn = 2;
        say(&mut world, 0, outgoing);
    }
    finish(&mut world);
    assert_eq!(heard(&world), (0..11).collect::<Vec<_>>());
    assert_eq!(
        (world.stats().dropped_queue_full, world.stats().marked),
        (2, 9)
    );
    let marks = log
        .borrow()
        .iter()
        .filter(|line| *line == "0: marked 0 3")
        .count();
    assert_eq!(marks, 9);
}

#[test]
fn a_mark_on_a_datagram_is_none_on_its_copy() {
    // The copy goes on at once; the original is kept and then finds the link busy.
    let kept = Fate {
        original: Outcome::Hold(Release::After(Duration::from_millis(3))),
        copies: Copies::one(Outcome::default()),
    };
    let mut world = talkers(2, listed(2, [(0, kept)]));
    let router = world.add_router();
    world.connect(NodeId(0), router, link());
    world.connect(router, NodeId(1), congested(beyond(0)));
    for (number, at_us) in [(0, 0), (1, 2_500)] {
        world.run_until(Instant::from_nanos(at_us * 1_000));
        let mut outgoing = saying(0, 1, number);
        outgoing.ecn = 2;
        say(&mut world, 0, outgoing);
    }
    finish(&mut world);
    assert_eq!(heard(&world), [0, 1, 0]);
    assert_eq!(world.node(NodeId(1)).ecn, [2, 2, 3]);
}
