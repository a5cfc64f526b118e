//! What each fault does to integers, one listed fate at a time.

use timewait_sim::fates::{Dice, LinkFaults, Listed, NthMatch};
use timewait_sim::rng::PPM;
use timewait_sim::{Burst, Copies, Damage, Duration, Fate, HopId, NodeId, Outcome, Passage};

use crate::talker::{TEXT, count, finish, heard, listed, ms, pair, routed, watch};

fn later(milliseconds: u64) -> Outcome {
    Outcome::Deliver {
        extra: Duration::from_millis(milliseconds),
        damage: None,
    }
}

#[test]
fn a_lost_integer_never_arrives() {
    let mut world = pair(listed(0, [(1, Outcome::Drop.into())]));
    count(&mut world, 0..3);
    finish(&mut world);
    assert_eq!(heard(&world), [0, 2]);
    assert_eq!(world.stats().lost, 1);
}

#[test]
fn a_duplicate_arrives_beside_its_original() {
    let fate = Fate {
        original: Outcome::default(),
        copies: Copies::one(later(5)),
    };
    let mut world = pair(listed(0, [(0, fate)]));
    count(&mut world, [7]);
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(10), 7), (ms(15), 7)]);
    assert_eq!((world.stats().duplicated, world.stats().delivered), (1, 2));
}

#[test]
fn a_copy_may_outlive_its_original() {
    let fate = Fate {
        original: Outcome::Drop,
        copies: Copies::one(later(0)),
    };
    let mut world = pair(listed(0, [(0, fate)]));
    count(&mut world, [7]);
    finish(&mut world);
    assert_eq!(heard(&world), [7]);
}

#[test]
fn what_is_delayed_is_overtaken() {
    let mut world = pair(listed(0, [(0, later(5).into())]));
    count(&mut world, 0..3);
    finish(&mut world);
    assert_eq!(
        world.node(NodeId(1)).heard,
        [(ms(10), 1), (ms(10), 2), (ms(15), 0)]
    );
    assert_eq!((world.stats().delayed, world.stats().reordered), (1, 2));
}

#[test]
fn damage_changes_the_octets_and_oracles_are_told() {
    let damage = Some(Damage::Burst(Burst {
        start: 3,
        pattern: 0b101,
    }));
    let fate = Outcome::Deliver {
        extra: Duration::ZERO,
        damage,
    };
    let mut world = pair(listed(0, [(0, fate.into())]));
    let log = watch(&mut world);
    count(&mut world, [7]);
    finish(&mut world);
    assert_eq!(
        (world.node(NodeId(1)).garbled, world.stats().corrupted),
        (1, 1)
    );
    assert!(
        log.borrow()
            .iter()
            .any(|line| line == "10: delivered to 1 damaged true held by None")
    );
}

#[test]
fn what_is_damaged_already_is_damaged_no_further() {
    let damage = Some(Damage::Burst(Burst {
        start: 3,
        pattern: 0b101,
    }));
    let fate: Fate = Outcome::Deliver {
        extra: Duration::ZERO,
        damage,
    }
    .into();
    let at = |hop| {
        (
            Passage {
                hop: HopId(hop),
                tag: 0,
                ordinal: 0,
            },
            fate,
        )
    };
    let mut world = routed(Listed::new([at(0), at(2)]));
    count(&mut world, [7]);
    finish(&mut world);
    // The same burst twice would have made it whole again.
    assert_eq!(
        (world.node(NodeId(1)).garbled, world.stats().corrupted),
        (1, 1)
    );
}

#[test]
fn no_burst_of_at_most_15_bits_escapes_the_ones_complement_sum() {
    let faults = LinkFaults {
        corrupt: PPM,
        burst_bits_max: 15,
        ..LinkFaults::NONE
    };
    let mut world = pair(Dice::everywhere(1, faults));
    count(&mut world, 0..10_000);
    finish(&mut world);
    assert_eq!(world.stats().corrupted, 10_000);
    assert_eq!(
        (world.node(NodeId(1)).garbled, heard(&world)),
        (10_000, vec![])
    );
}

#[test]
fn the_nth_of_a_class_can_be_singled_out() {
    let mut dice = Dice::new(1);
    dice.add_rule(NthMatch::lose(HopId(0), TEXT, 3));
    let mut world = pair(dice);
    count(&mut world, 0..5);
    finish(&mut world);
    assert_eq!(heard(&world), [0, 1, 3, 4]);
}

#[test]
fn a_healed_network_makes_no_new_faults() {
    let mut world = pair(Dice::everywhere(
        1,
        LinkFaults {
            loss: PPM,
            ..LinkFaults::NONE
        },
    ));
    count(&mut world, 0..5);
    world.fates_mut().set_quiet(true);
    count(&mut world, 5..10);
    finish(&mut world);
    assert_eq!(heard(&world), [5, 6, 7, 8, 9]);
}

#[test]
fn drawn_faults_land_and_are_counted() {
    let faults = LinkFaults {
        loss: PPM / 10,
        duplicate: PPM / 10,
        reorder: PPM / 10,
        reorder_max: Duration::from_millis(9),
        corrupt: PPM / 10,
        ..LinkFaults::NONE
    };
    let mut world = pair(Dice::everywhere(7, faults));
    count(&mut world, 0..10_000);
    finish(&mut world);
    let stats = world.stats();
    for landed in [stats.lost, stats.duplicated, stats.delayed, stats.corrupted] {
        assert!((700..1_200).contains(&landed), "{stats:?}");
    }
    assert_eq!(stats.delivered, stats.sent - stats.lost + stats.duplicated);
    assert_eq!(
        stats.delivered,
        heard(&world).len() as u64 + stats.corrupted
    );
}

#[test]
fn all_copies_arrive_and_are_made_before_the_original_is_damaged() {
    let fate = Fate {
        original: Outcome::Deliver {
            extra: Duration::ZERO,
            damage: Some(Damage::Scramble {
                start: 0,
                octets: 2,
                pattern: 0x101,
            }),
        },
        copies: [later(1), later(2), later(3), later(4)]
            .into_iter()
            .collect(),
    };
    let mut world = pair(listed(0, [(0, fate)]));
    count(&mut world, [7]);
    finish(&mut world);
    let copies = [11, 12, 13, 14].map(|at| (ms(at), 7));
    assert_eq!(world.node(NodeId(1)).heard, copies);
    assert_eq!(world.node(NodeId(1)).garbled, 1);
    assert_eq!((world.stats().duplicated, world.stats().corrupted), (4, 1));
}

#[test]
fn words_that_changed_places_pass_the_checksum_and_a_missing_end_does_not() {
    let damaged = |damage| {
        let fate = Outcome::Deliver {
            extra: Duration::ZERO,
            damage: Some(damage),
        };
        let mut world = pair(listed(0, [(0, fate.into())]));
        count(&mut world, [7]);
        finish(&mut world);
        assert_eq!(world.stats().corrupted, 1);
        (heard(&world), world.node(NodeId(1)).garbled)
    };
    assert_eq!(damaged(Damage::Swap { a: 0, b: 1 }), (vec![7 << 16], 0));
    assert_eq!(damaged(Damage::Truncate { octets: 4 }), (vec![], 1));
}
