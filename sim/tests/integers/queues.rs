//! Queues that are managed: CoDel (RFC 8289) and RED (Floyd and Jacobson 1993).

use timewait_sim::{
    Aqm, CodelConfig, Duration, Instant, LinkConfig, NodeId, RedConfig, Stats, World,
};

use crate::talker::{Talker, finish, heard, link, ms, say, saying, talkers, watch};

const CODEL: Aqm = Aqm::Codel(CodelConfig {
    target: Duration::from_millis(5),
    interval: Duration::from_millis(100),
});

/// 26 octets, one integer with its IP header, per millisecond; 200 may wait.
fn managed(aqm: Aqm) -> World<Talker, ()> {
    let mut world = talkers(2, ());
    let link = LinkConfig {
        rate: Some(26_000),
        queue_bytes_max: 200 * 26,
        aqm,
        mtu: Some(100),
        ..link()
    };
    world.connect(NodeId(0), NodeId(1), link);
    world
}

/// So many integers, with this ECN field, one each `every_us`.
fn stream(world: &mut World<Talker, ()>, count: u32, every_us: u64, ecn: u8) -> Stats {
    for number in 0..count {
        world.run_until(Instant::from_nanos(u64::from(number) * every_us * 1_000));
        let mut outgoing = saying(0, 1, number);
        outgoing.ecn = ecn;
        say(world, 0, outgoing);
    }
    finish(world);
    world.stats()
}

#[test]
fn under_a_light_load_all_queues_do_the_same() {
    let arrivals = |aqm| {
        let mut world = managed(aqm);
        let stats = stream(&mut world, 100, 1_000, 0);
        assert_eq!(stats.delivered, 100);
        world.node(NodeId(1)).heard.clone()
    };
    let red = Aqm::Red(RedConfig {
        bytes_min: 100,
        bytes_max: 300,
        probability_max: 100_000,
        weight: 9,
    });
    assert_eq!(arrivals(Aqm::None)[99], (ms(110), 99));
    assert_eq!(arrivals(CODEL), arrivals(Aqm::None));
    assert_eq!(arrivals(red), arrivals(Aqm::None));
}

#[test]
fn codel_drops_from_a_queue_that_stands_and_keeps_the_order() {
    let mut world = managed(CODEL);
    let log = watch(&mut world);
    // A tenth more than the link carries.
    let stats = stream(&mut world, 2_000, 909, 0);
    assert!(stats.dropped_early > 20, "{stats:?}");
    assert_eq!(stats.delivered + stats.dropped_early, 2_000);
    assert_eq!(stats.dropped_queue_full, 0, "it never comes to that");
    assert!(heard(&world).is_sorted());
    let dropped = format!("dropped {:?} Early", Some(timewait_sim::HopId(0)));
    let told = log
        .borrow()
        .iter()
        .filter(|line| line.ends_with(&dropped))
        .count();
    assert_eq!(told as u64, stats.dropped_early);
    assert_eq!(world.in_flight(), 0);
}

#[test]
fn codel_marks_instead_of_dropping() {
    let stats = stream(&mut managed(CODEL), 2_000, 909, 1);
    assert!(stats.marked > 20, "{stats:?}");
    assert_eq!((stats.dropped_early, stats.delivered), (0, 2_000));
}

#[test]
fn a_full_queue_under_codel_drops_its_tail() {
    let stats = stream(&mut managed(CODEL), 300, 0, 0);
    // One is being sent and 200 wait.
    assert_eq!(stats.dropped_queue_full, 99);
}

#[test]
fn red_tells_early_and_drops_everything_above_its_upper_threshold() {
    let red = |probability_max| {
        Aqm::Red(RedConfig {
            bytes_min: 10 * 26,
            bytes_max: 60 * 26,
            probability_max,
            weight: 4,
        })
    };
    // It need not go as far as the upper threshold.
    let stats = stream(&mut managed(red(400_000)), 2_000, 909, 0);
    assert!(stats.dropped_early > 100 && stats.dropped_queue_full == 0);
    let marks = stream(&mut managed(red(400_000)), 2_000, 909, 2);
    assert!(marks.marked > 100, "{marks:?}");
    assert!(marks.dropped_early > 0, "marks stop no talker, so it does");
    let never = stream(&mut managed(red(0)), 2_000, 909, 2);
    assert_eq!(never.marked, 0);
    assert!(never.dropped_early > 0);
}
