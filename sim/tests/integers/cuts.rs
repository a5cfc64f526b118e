//! Links that are down for a while, and rules that are in force for a while.

use timewait_sim::fates::{Match, Ruled};
use timewait_sim::{Duration, HopId, NodeId, Outcome, Release};

use crate::talker::{
    OPEN, TEXT, count, finish, heard, listed, ms, pair, routed, say, saying, watch,
};

#[test]
fn nothing_enters_a_hop_that_is_cut_and_what_is_on_it_arrives() {
    let mut world = pair(());
    let log = watch(&mut world);
    count(&mut world, [1]);
    world.run_until(ms(5));
    let cut = world.cut([HopId(0)]);
    count(&mut world, [2]);
    world.run_until(ms(20));
    drop(cut);
    count(&mut world, [3]);
    finish(&mut world);
    assert_eq!(heard(&world), [1, 3]);
    assert_eq!((world.stats().dropped_cut, world.stats().lost), (1, 0));
    let told: Vec<_> = log
        .borrow()
        .iter()
        .filter(|line| line.contains(" hop "))
        .cloned()
        .collect();
    assert_eq!(told, ["5: cut hop 0", "20: restored hop 0"]);
    let dropped = format!("5: dropped {:?} Cut", Some(HopId(0)));
    assert!(log.borrow().contains(&dropped));
}

#[test]
fn a_cut_in_one_direction_leaves_the_other_alone() {
    let mut world = pair(());
    let _cut = world.cut([HopId(1)]);
    say(&mut world, 0, saying(0, 1, 7));
    say(&mut world, 1, saying(1, 0, 8));
    finish(&mut world);
    assert_eq!(heard(&world), [7]);
    assert_eq!(world.node(NodeId(0)).numbers(), []);
}

#[test]
fn a_hop_is_up_when_the_last_of_its_cuts_is_over() {
    let mut world = pair(());
    let log = watch(&mut world);
    let (first, second) = (world.cut([HopId(0)]), world.cut([HopId(0), HopId(1)]));
    drop(first);
    count(&mut world, [1]);
    finish(&mut world);
    assert_eq!(heard(&world), [], "the second one still cuts");
    drop(second);
    count(&mut world, [2]);
    finish(&mut world);
    assert_eq!(heard(&world), [2]);
    let told = |what: &str| {
        log.borrow()
            .iter()
            .filter(|line| line.contains(what))
            .count()
    };
    assert_eq!((told("cut hop 0"), told("restored hop 0")), (1, 1));
}

#[test]
fn a_machine_is_isolated_by_cutting_all_its_hops() {
    let mut world = routed(());
    let hops: Vec<_> = world.hops_at(NodeId(2)).collect();
    assert_eq!(hops, [0, 1, 2, 3].map(HopId), "the router is in the middle");
    let hops: Vec<_> = world.hops_at(NodeId(1)).collect();
    let _cut = world.cut(hops);
    say(&mut world, 0, saying(0, 1, 7));
    say(&mut world, 1, saying(1, 0, 8));
    finish(&mut world);
    assert_eq!(world.stats().dropped_cut, 2);
    assert_eq!(world.stats().delivered, 0);
}

#[test]
#[should_panic(expected = "there is no hop")]
fn a_hop_that_does_not_exist_is_not_cut() {
    let _cut = pair(()).cut([HopId(2)]);
}

fn kept(at_most: u64) -> Outcome {
    Outcome::Hold(Release::Restored {
        at_most: Duration::from_millis(at_most),
    })
}

#[test]
fn what_is_kept_for_a_hop_comes_all_at_once_when_it_is_restored() {
    let fates = listed(2, [(0, kept(1000).into()), (2, kept(1000).into())]);
    let mut world = routed(fates);
    let log = watch(&mut world);
    let cut = world.cut([HopId(2)]);
    count(&mut world, 0..4);
    world.run_until(ms(100));
    assert_eq!(heard(&world), [], "two are kept, two were dropped");
    assert_eq!(world.in_flight(), 2);
    drop(cut);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(110), 0), (ms(110), 2)]);
    assert_eq!(world.stats().dropped_cut, 2);
    assert_eq!(world.stats().released, 2);
    let released = "100: released 2 2".to_owned();
    assert_eq!(
        log.borrow()
            .iter()
            .filter(|line| **line == released)
            .count(),
        2
    );
}

#[test]
fn what_waits_for_a_hop_that_is_never_cut_goes_when_its_time_is_over() {
    let mut world = routed(listed(2, [(0, kept(50).into())]));
    count(&mut world, 0..2);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(20), 1), (ms(70), 0)]);
    // A later cut finds nothing to let go.
    drop(world.cut([HopId(2)]));
    finish(&mut world);
    assert_eq!(world.stats().released, 1);
}

#[test]
fn what_is_let_go_into_a_hop_that_is_cut_is_dropped() {
    let fates = listed(
        2,
        [(
            0,
            Outcome::Hold(Release::After(Duration::from_millis(30))).into(),
        )],
    );
    let mut world = routed(fates);
    count(&mut world, [1]);
    world.run_until(ms(20));
    let _cut = world.cut([HopId(2)]);
    finish(&mut world);
    assert_eq!((world.stats().dropped_cut, world.in_flight()), (1, 0));
}

#[test]
fn a_cut_moves_no_dice() {
    use timewait_sim::fates::{Dice, LinkFaults, Recorder};
    let faults = LinkFaults {
        loss: 300_000,
        reorder: 300_000,
        reorder_max: Duration::from_millis(3),
        ..LinkFaults::NONE
    };
    let fates = |cuts: bool| {
        let mut world = pair(Recorder::new(Dice::everywhere(5, faults)));
        let cut = cuts.then(|| world.cut([HopId(0)]));
        count(&mut world, 0..50);
        finish(&mut world);
        drop(cut);
        count(&mut world, 50..100);
        finish(&mut world);
        world.into_fates().into_log()
    };
    let with = fates(true);
    assert!(!with.is_empty());
    assert_eq!(with, fates(false));
}

#[test]
fn a_rule_is_in_force_while_its_guard_lives() {
    let mut world = pair(Ruled::new(()));
    let rules = world.fates_mut().rules();
    let text = Match {
        class: TEXT,
        ..Match::default()
    };
    let rule = rules.add(text, Outcome::Drop.into());
    let mut open = saying(0, 1, 1);
    open.class = OPEN;
    say(&mut world, 0, open);
    count(&mut world, [2]);
    drop(rule);
    count(&mut world, [3]);
    finish(&mut world);
    assert_eq!(heard(&world), [1, 3]);
    assert_eq!(world.stats().lost, 1);
}

#[test]
fn the_newest_rule_that_fits_has_its_way() {
    let mut world = routed(Ruled::new(()));
    let rules = world.fates_mut().rules();
    let _all = rules.add(Match::default(), Outcome::Drop.into());
    let there = Match {
        hop: Some(HopId(0)),
        tag: Some(0),
        ..Match::default()
    };
    let carried = rules.add(there, Outcome::default().into());
    count(&mut world, [1]);
    finish(&mut world);
    assert_eq!(
        world.stats().lost,
        1,
        "the other hop still loses everything"
    );
    drop(carried);
    count(&mut world, [2]);
    assert_eq!((world.stats().lost, world.in_flight()), (2, 0));
}
