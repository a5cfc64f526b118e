//! What a world does with the machines in it: start, wake, call, settle, show.

use timewait_sim::{Duration, Instant, NodeId, World};

use crate::talker::{Talker, count, finish, ms, pair, say, saying, talkers, watch};

#[test]
fn every_node_is_started_once_before_anything_happens() {
    let mut world = talkers(2, ());
    count(&mut world, []);
    finish(&mut world);
    let late = world.add_node(Talker::default(), &[]);
    world.run_until(ms(5));
    world.run_until(ms(6));
    for node in [NodeId(0), NodeId(1), late] {
        assert_eq!(world.node(node).started, [ms(0)]);
    }
}

#[test]
fn a_node_is_woken_when_it_wants_and_not_before() {
    let mut world = talkers(1, ());
    let want = |world: &mut World<_, ()>, alarm| {
        world.with(NodeId(0), |talker: &mut Talker, _| talker.alarm = alarm);
    };
    // Later, earlier, later again, not at all, and again.
    for wanted in [
        Some(50),
        Some(80),
        Some(30),
        None,
        Some(20),
        Some(90),
        Some(60),
    ] {
        want(&mut world, wanted.map(ms));
    }
    finish(&mut world);
    assert_eq!(world.node(NodeId(0)).woken, [ms(60)]);
    assert_eq!((world.now(), world.stats().events), (ms(60), 1));
}

#[test]
fn an_alarm_that_is_no_longer_wanted_leaves_no_mark() {
    let mut world = pair(());
    world.with(NodeId(0), |talker, _| talker.alarm = Some(ms(50)));
    world.with(NodeId(0), |talker, _| talker.alarm = None);
    assert!(!world.step());
    assert_eq!((world.now(), world.stats().events), (ms(0), 0));
    // Nor does it keep anything earlier from happening.
    count(&mut world, [7]);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(10), 7)]);
}

/// Two talkers that are both woken at 10 ms, when each hears from the other, too. `first` is the one
/// whose alarm is set first, before or after it speaks.
fn all_at_once(first: u32, before: bool) -> Vec<String> {
    let mut world = pair(());
    let log = watch(&mut world);
    let wake = |world: &mut World<Talker, ()>| {
        for node in [first, 1 - first] {
            world.with(NodeId(node), |talker, _| {
                talker.yawn = Some(saying(node, 1 - node, 0));
                talker.alarm = Some(ms(10));
            });
        }
    };
    if before {
        wake(&mut world);
    }
    say(&mut world, 0, saying(0, 1, 7));
    say(&mut world, 1, saying(1, 0, 7));
    if !before {
        wake(&mut world);
    }
    finish(&mut world);
    let log = log.borrow();
    let mut lines: Vec<_> = log.iter().filter(|line| line.starts_with("10:")).collect();
    lines.retain(|line| line.contains("delivered") || line.contains("sent"));
    lines.into_iter().cloned().collect()
}

#[test]
fn alarms_ring_after_what_arrives_then_and_node_by_node() {
    let expected = [
        "10: delivered to 1 damaged false held by None",
        "10: delivered to 0 damaged false held by None",
        "10: sent 0/1 Timer",
        "10: sent 1/1 Timer",
    ];
    for (first, before) in [(0, false), (0, true), (1, false), (1, true)] {
        assert_eq!(all_at_once(first, before), expected, "{first} {before}");
    }
}

#[test]
fn what_arrives_with_an_alarm_may_put_it_off() {
    let mut world = pair(());
    world.with(NodeId(1), |talker, _| {
        (talker.alarm, talker.snoozes) = (Some(ms(10)), true);
    });
    count(&mut world, [7]);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).woken, [ms(11)]);
}

#[test]
fn what_is_overdue_is_done_at_once() {
    let mut world = talkers(1, ());
    world.run_until(ms(40));
    world.with(NodeId(0), |talker, _| talker.alarm = Some(ms(3)));
    finish(&mut world);
    assert_eq!(world.node(NodeId(0)).woken, [ms(40)]);
}

#[test]
fn never_is_not_an_alarm() {
    let mut world = talkers(1, ());
    world.with(NodeId(0), |talker, _| talker.alarm = Some(Instant::MAX));
    assert!(!world.step());
    assert_eq!(world.now(), ms(0));
}

#[test]
fn alarms_that_move_all_the_time_still_come() {
    let mut world = talkers(1, ());
    world.with(NodeId(0), |talker, _| {
        talker.period = Some(Duration::from_millis(7));
        talker.alarm = Some(ms(7));
    });
    for time in 0..100 {
        world.run_until(ms(time));
        // Put off to after the next, and back.
        world.with(NodeId(0), |talker, _| {
            talker.alarm = talker.alarm.map(|at| at + Duration::from_secs(1));
        });
        world.with(NodeId(0), |talker, _| {
            talker.alarm = talker.alarm.map(|at| ms(at.as_nanos() / 1_000_000 - 1_000));
        });
    }
    world.run_until(ms(100));
    let expected: Vec<_> = (1..=14).map(|n| ms(7 * n)).collect();
    assert_eq!(world.node(NodeId(0)).woken, expected);
}

#[test]
fn the_clock_stops_exactly_where_it_is_told_to() {
    let mut world = pair(());
    count(&mut world, [7]);
    world.run_until(Instant::from_nanos(9_999_999));
    assert_eq!(
        (world.now().as_nanos(), world.stats().delivered),
        (9_999_999, 0)
    );
    world.run_until(ms(10));
    assert_eq!((world.now(), world.stats().delivered), (ms(10), 1));
    world.run_until(ms(3));
    assert_eq!(world.now(), ms(10), "it never goes back");
}

#[test]
fn a_user_may_call_between_events_and_sees_the_time() {
    let mut world = pair(());
    count(&mut world, [1]);
    world.run_until(ms(4));
    let now = world.with(NodeId(0), |talker, now| {
        talker.outbox.push_back(saying(0, 1, 2));
        now
    });
    assert_eq!(now, ms(4));
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(10), 1), (ms(14), 2)]);
}

#[test]
fn oracles_see_everything_in_order_with_its_cause() {
    let mut world = pair(());
    let log = watch(&mut world);
    world.with(NodeId(1), |talker, _| talker.bounces = true);
    count(&mut world, [3]);
    say(&mut world, 0, saying(0, 1, 0));
    finish(&mut world);
    let cause = "Packet(PacketId { origin: NodeId(0), ordinal: 0 })";
    let last = "Packet(PacketId { origin: NodeId(0), ordinal: 1 })";
    let back = "Packet(PacketId { origin: NodeId(1), ordinal: 0 })";
    let expected = [
        "0: sent 0/0 User".to_owned(),
        "0: fate at 0 #0 fine".to_owned(),
        "0: sent 0/1 User".to_owned(),
        "0: fate at 0 #1 fine".to_owned(),
        "10: delivered to 1 damaged false held by None".to_owned(),
        format!("10: 1 3 {cause}"),
        format!("10: sent 1/0 {cause}"),
        "10: fate at 1 #0 fine".to_owned(),
        "10: delivered to 1 damaged false held by None".to_owned(),
        format!("10: 1 0 {last}"),
        "20: delivered to 0 damaged false held by None".to_owned(),
        format!("20: 0 2 {back}"),
    ];
    assert_eq!(*log.borrow(), expected);
}
