//! Nodes that stand still: what waits for them, what is lost, and what is late.

use timewait_sim::{Duration, NodeId, World, WorldConfig};

use crate::talker::{DELAY, Talker, address, finish, link, ms, pair, saying};

const BOB: NodeId = NodeId(1);

/// Ann says these numbers at these milliseconds.
fn says(world: &mut World<Talker, ()>, numbers: &[(u64, u32)]) {
    for (at, number) in numbers {
        world.run_until(ms(*at));
        world.with(NodeId(0), |ann, _| {
            ann.outbox.push_back(saying(0, 1, *number));
        });
    }
}

#[test]
fn datagrams_wait_for_who_stands_still_and_come_in_their_order() {
    let mut world = pair(());
    world.pause(BOB, 10);
    says(&mut world, &[(0, 1), (1, 2), (30, 3)]);
    world.run_until(ms(50));
    assert!(world.node(BOB).heard.is_empty());
    assert_eq!(world.in_flight(), 3);
    world.resume(BOB);
    assert_eq!(
        world.node(BOB).heard,
        [(ms(50), 1), (ms(50), 2), (ms(50), 3)]
    );
    says(&mut world, &[(60, 4)]);
    finish(&mut world);
    assert_eq!(world.node(BOB).heard.last(), Some(&(ms(70), 4)));
}

#[test]
fn the_queue_before_who_stands_still_has_a_bound() {
    let mut world = pair(());
    world.pause(BOB, 2);
    says(&mut world, &[(0, 1), (1, 2), (2, 3)]);
    world.run_until(ms(50));
    world.resume(BOB);
    assert_eq!(world.node(BOB).numbers(), [1, 2]);
    assert_eq!(world.stats().dropped_queue_full, 1);
}

#[test]
fn what_waits_grows_older() {
    let config = WorldConfig {
        lifetime: Some(Duration::from_millis(40)),
        ..WorldConfig::default()
    };
    let mut world = World::new(config, ());
    let [ann, bob] = [0, 1].map(|host| world.add_node(Talker::default(), &[address(host)]));
    world.connect(ann, bob, link());
    world.pause(bob, 10);
    says(&mut world, &[(0, 1), (20, 2)]);
    world.run_until(ms(50));
    world.resume(bob);
    assert_eq!(world.node(bob).numbers(), [2]);
    assert_eq!(world.stats().dropped_too_old, 1);
}

#[test]
fn a_timeout_comes_late_and_before_what_has_waited() {
    let mut world = pair(());
    world.with(BOB, |bob, _| {
        bob.alarm = Some(ms(20));
        bob.yawn = Some(saying(1, 0, 9));
    });
    world.pause(BOB, 10);
    says(&mut world, &[(0, 1)]);
    world.run_until(ms(45));
    assert!(world.node(BOB).woken.is_empty());
    world.resume(BOB);
    assert_eq!(world.node(BOB).woken, [ms(45)]);
    finish(&mut world);
    assert_eq!(world.node(NodeId(0)).heard, [(ms(45) + DELAY, 9)]);
}

#[test]
fn a_timeout_after_the_pause_comes_in_time() {
    let mut world = pair(());
    world.with(BOB, |bob, _| bob.alarm = Some(ms(60)));
    world.pause(BOB, 10);
    world.run_until(ms(50));
    world.resume(BOB);
    finish(&mut world);
    assert_eq!(world.node(BOB).woken, [ms(60)]);
}

#[test]
fn who_goes_on_with_nothing_has_lost_what_waited() {
    let mut world = pair(());
    world.pause(BOB, 10);
    says(&mut world, &[(0, 1)]);
    world.run_until(ms(50));
    world.resume_empty(BOB);
    world.resume(BOB);
    assert!(world.node(BOB).heard.is_empty());
    assert_eq!(
        (world.in_flight(), world.stats().dropped_queue_full),
        (0, 1)
    );
}
