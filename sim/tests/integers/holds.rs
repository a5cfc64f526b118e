//! Routers that keep datagrams and let go of them late.

use timewait_sim::fates::Listed;
use timewait_sim::topology::chain;
use timewait_sim::{
    Copies, Duration, Fate, Fates, HopId, NodeId, Outcome, Passage, Release, World,
};

use crate::talker::{
    OPEN, Talker, count, finish, heard, link, listed, ms, pair, routed, say, saying, talkers, watch,
};

fn for_ms(milliseconds: u64) -> Outcome {
    Outcome::Hold(Release::After(Duration::from_millis(milliseconds)))
}

fn until_open(packets: u32, at_most_ms: u64) -> Outcome {
    let at_most = Duration::from_millis(at_most_ms);
    Outcome::Hold(Release::Seen {
        class: OPEN,
        packets,
        at_most,
    })
}

fn copied(copy: Outcome) -> Fate {
    Fate {
        original: Outcome::default(),
        copies: Copies::one(copy),
    }
}

/// Talker 0 says it as another incarnation, opening.
fn reopen<F: Fates>(world: &mut World<Talker, F>) {
    let mut outgoing = saying(0, 1, 100);
    outgoing.tag = 55;
    outgoing.class = OPEN;
    say(world, 0, outgoing);
}

#[test]
fn a_router_keeps_a_datagram_for_a_while() {
    let mut world = routed(listed(2, [(0, for_ms(500).into())]));
    let log = watch(&mut world);
    count(&mut world, 0..2);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(20), 1), (ms(520), 0)]);
    assert_eq!(
        (world.stats().held_originals, world.stats().released),
        (1, 1)
    );
    assert_eq!(world.stats().delivered_after_hold, 1);
    let log = log.borrow();
    assert!(log.contains(&"510: released 2 2".to_owned()), "{log:?}");
    assert!(log.contains(&"520: delivered to 1 damaged false held by Some(NodeId(2))".to_owned()));
}

#[test]
fn a_router_keeps_a_copy_while_the_original_goes_on() {
    let mut world = routed(listed(2, [(0, copied(for_ms(500)))]));
    count(&mut world, [7]);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(20), 7), (ms(520), 7)]);
    assert_eq!(
        (world.stats().held_copies, world.stats().duplicated),
        (1, 0)
    );
}

#[test]
fn a_host_keeps_nothing() {
    let mut world = pair(listed(0, [(0, for_ms(500).into())]));
    count(&mut world, 0..2);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(10), 0), (ms(10), 1)]);
    assert_eq!(world.stats().held_originals, 0);
}

#[test]
fn what_waits_for_a_class_comes_right_after_another_incarnation_shows_it() {
    let mut world = routed(listed(2, [(0, copied(until_open(0, 60_000)))]));
    count(&mut world, 0..3);
    world.run_until(ms(5_000));
    assert_eq!(heard(&world), [0, 1, 2]);
    reopen(&mut world);
    finish(&mut world);
    assert_eq!(heard(&world), [0, 1, 2, 100, 0]);
    assert_eq!(world.now(), ms(5_020), "the end of the wait leaves no mark");
}

#[test]
fn its_own_incarnation_sets_nothing_free() {
    let mut world = routed(listed(2, [(0, until_open(0, 1_000).into())]));
    count(&mut world, [0]);
    let mut outgoing = saying(0, 1, 1);
    outgoing.class = OPEN;
    say(&mut world, 0, outgoing);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(20), 1), (ms(1_020), 0)]);
}

#[test]
fn datagrams_of_the_flow_in_both_directions_go_first() {
    let mut world = routed(listed(2, [(0, until_open(2, 60_000).into())]));
    count(&mut world, [0]);
    world.run_until(ms(1_000));
    reopen(&mut world);
    world.run_until(ms(2_000));
    say(&mut world, 1, saying(1, 0, 50));
    world.run_until(ms(3_000));
    assert_eq!(heard(&world), [100]);
    count(&mut world, [1]);
    world.run_until(ms(4_000));
    assert_eq!(heard(&world), [100, 1, 0]);
}

#[test]
fn an_opening_that_is_lost_behind_the_router_counts_and_one_that_it_keeps_does_not() {
    let lost = (
        Passage {
            hop: HopId(2),
            tag: 55,
            ordinal: 0,
        },
        Outcome::Drop.into(),
    );
    for (fate, free) in [(lost.1, true), (for_ms(5_000).into(), false)] {
        let held = (Passage { tag: 0, ..lost.0 }, until_open(0, 60_000).into());
        let mut world = routed(Listed::new([held, (lost.0, fate)]));
        count(&mut world, [0]);
        reopen(&mut world);
        world.run_until(ms(1_000));
        assert_eq!(heard(&world).contains(&0), free);
    }
}

#[test]
fn who_waits_in_vain_goes_at_the_end() {
    let mut world = routed(listed(
        2,
        [
            (0, until_open(0, 300).into()),
            (1, until_open(5, 200).into()),
        ],
    ));
    count(&mut world, 0..2);
    world.run_until(ms(100));
    let mut elsewhere = saying(0, 1, 9);
    elsewhere.tag = 55;
    elsewhere.class = OPEN;
    elsewhere.flow = 1_234;
    say(&mut world, 0, elsewhere);
    finish(&mut world);
    assert_eq!(
        world.node(NodeId(1)).heard,
        [(ms(120), 9), (ms(220), 1), (ms(320), 0)]
    );
    assert_eq!(world.in_flight(), 0);
}

#[test]
fn an_armed_one_goes_at_the_end_and_only_once() {
    let mut world = routed(listed(2, [(0, until_open(3, 300).into())]));
    count(&mut world, [0]);
    reopen(&mut world);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(20), 100), (ms(320), 0)]);
    count(&mut world, 1..9);
    finish(&mut world);
    assert_eq!(
        heard(&world).iter().filter(|number| **number == 0).count(),
        1
    );
}

#[test]
fn a_wait_without_end_ends_with_what_it_waits_for() {
    let forever = Outcome::Hold(Release::Seen {
        class: OPEN,
        packets: 0,
        at_most: Duration::MAX,
    });
    let mut world = routed(listed(2, [(0, forever.into())]));
    count(&mut world, [0]);
    finish(&mut world);
    assert_eq!((heard(&world), world.in_flight()), (vec![], 1));
    reopen(&mut world);
    finish(&mut world);
    assert_eq!((heard(&world), world.in_flight()), (vec![100, 0], 0));
}

#[test]
fn what_was_kept_too_long_is_dropped_when_it_is_let_go() {
    let mut world = routed(listed(2, [(0, for_ms(500).into())]));
    world.set_lifetime(Some(Duration::from_millis(400)));
    let log = watch(&mut world);
    count(&mut world, [0]);
    finish(&mut world);
    assert_eq!(heard(&world), []);
    assert_eq!(
        log.borrow().last().map(String::as_str),
        Some("510: dropped Some(HopId(2)) TooOld")
    );
    assert_eq!(
        (world.stats().released, world.stats().dropped_too_old),
        (0, 1)
    );
}

#[test]
fn age_counts_over_all_routers_together() {
    // Two holds of 300 ms each, with 500 ms to live.
    let at = |hop| {
        (
            Passage {
                hop: HopId(hop),
                tag: 0,
                ordinal: 0,
            },
            for_ms(300).into(),
        )
    };
    let mut world = talkers(2, Listed::new([at(2), at(4)]));
    chain(&mut world, NodeId(0), NodeId(1), 2, link());
    world.set_lifetime(Some(Duration::from_millis(500)));
    count(&mut world, [0]);
    finish(&mut world);
    assert_eq!(
        (world.stats().released, world.stats().dropped_too_old),
        (1, 1)
    );
}

#[test]
fn thousands_may_be_kept_and_go_in_the_order_in_which_they_came() {
    let fates = (0..5_000).map(|ordinal| {
        let at = Passage {
            hop: HopId(2),
            tag: 0,
            ordinal,
        };
        (at, until_open(0, 60_000).into())
    });
    let mut world = routed(Listed::new(fates));
    count(&mut world, 0..5_000);
    world.run_until(ms(100));
    reopen(&mut world);
    finish(&mut world);
    let expected: Vec<u32> = [100].into_iter().chain(0..5_000).collect();
    assert_eq!(heard(&world), expected);
}
