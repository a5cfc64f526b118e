//! The same seed gives the same run, and nothing else moves it.

use timewait_sim::fates::{Delay, Dice, LinkFaults, Listed, LossBursts, Recorder};
use timewait_sim::rng::PPM;
use timewait_sim::topology::dumbbell;
use timewait_sim::{Aqm, Duration, Fates, LinkConfig, NodeId, Stats, World};

use crate::talker::{
    OPEN, TEXT, Talker, count, finish, link, ms, pair, say, saying, talkers, watch,
};

const FAULTS: LinkFaults = LinkFaults {
    loss: PPM / 20,
    loss_bursts: Some(LossBursts {
        begin: PPM / 100,
        end: PPM / 5,
        loss: PPM / 2,
    }),
    duplicate: PPM / 20,
    duplicates_max: 3,
    duplicate_max: Duration::from_millis(30),
    reorder: PPM / 10,
    reorder_max: Duration::from_millis(30),
    jitter: Delay::Uniform {
        max: Duration::from_micros(300),
    },
    corrupt: PPM / 50,
    burst_bits_max: 15,
    wide: PPM / 100,
    swap: 0,
    truncate: PPM / 100,
    hold_original: PPM / 50,
    hold_copy: PPM / 10,
    hold_any_of: 0,
    hold_max: Duration::from_secs(2),
    seen: PPM / 2,
    seen_class: OPEN,
    seen_packets_max: 5,
    restored: 0,
};

/// Integers bounce across a bad dumbbell, in several incarnations.
fn run<F: Fates>(fates: F) -> World<Talker, F> {
    let mut world = build(fates);
    drive(&mut world);
    world
}

fn build<F: Fates>(fates: F) -> World<Talker, F> {
    let mut world = talkers(6, fates);
    world.set_lifetime(Some(Duration::from_secs(1)));
    let hosts: Vec<_> = (0..6).map(NodeId).collect();
    let middle = LinkConfig {
        rate: Some(20_000),
        queue_bytes_max: 60,
        aqm: Aqm::Threshold { bytes: 30 },
        ..link()
    };
    dumbbell(&mut world, &hosts[..3], &hosts[3..], link(), middle);
    world
}

fn drive<F: Fates>(world: &mut World<Talker, F>) {
    for node in 0..6 {
        world.with(NodeId(node), |talker, _| talker.bounces = true);
    }
    for round in 0..20_u32 {
        for from in 0..3 {
            let mut outgoing = saying(from, from + 3, 6);
            outgoing.tag = u64::from(round * 10 + from);
            outgoing.ecn = 2;
            outgoing.class = if round % 3 == 0 { OPEN } else { TEXT };
            say(world, from, outgoing);
        }
        world.run_until(ms(u64::from(round) * 70));
    }
    finish(world);
}

fn results<F: Fates>(world: &World<Talker, F>) -> (u64, Stats) {
    (world.hash(), world.stats())
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let first = run(Dice::everywhere(1, FAULTS));
    assert_eq!(results(&first), results(&run(Dice::everywhere(1, FAULTS))));
    assert_ne!(first.hash(), run(Dice::everywhere(2, FAULTS)).hash());
}

#[test]
fn the_trace_hash_is_pinned() {
    assert_eq!(
        run(Dice::everywhere(1, FAULTS)).hash(),
        6_404_244_250_196_762_497
    );
}

#[test]
fn every_kind_of_fault_landed_in_the_runs_compared_here() {
    let stats = run(Dice::everywhere(1, FAULTS)).stats();
    let Stats {
        lost,
        duplicated,
        delayed,
        reordered,
        corrupted,
        held_originals,
        held_copies,
        released,
        delivered_after_hold,
        marked,
        dropped_queue_full,
        dropped_too_old,
        ..
    } = stats;
    let landed = [
        lost,
        duplicated,
        delayed,
        reordered,
        corrupted,
        held_originals,
        held_copies,
        released,
        delivered_after_hold,
        marked,
        dropped_queue_full,
        dropped_too_old,
    ];
    assert!(landed.iter().all(|count| *count > 0), "{stats:?}");
}

#[test]
fn a_recorded_run_replays_from_its_list() {
    let recorded = run(Recorder::new(Dice::everywhere(1, FAULTS)));
    let expected = results(&recorded);
    let log = recorded.into_fates().into_log();
    assert_eq!(expected, results(&run(Listed::new(log.clone()))));
    assert_ne!(
        expected.0,
        run(Listed::new(log[1..].iter().copied())).hash()
    );
}

#[test]
fn nobody_moves_a_run_by_looking() {
    let plain = run(Dice::everywhere(1, FAULTS));
    let mut watched = build(Dice::everywhere(1, FAULTS));
    let log = watch(&mut watched);
    drive(&mut watched);
    assert!(log.borrow().len() > 1_000);
    assert_eq!(results(&plain), results(&watched));
}

#[test]
fn waking_nodes_leaves_no_trace() {
    let plain = run(Dice::everywhere(1, FAULTS));
    let mut woken = build(Dice::everywhere(1, FAULTS));
    for node in 0..6 {
        woken.with(NodeId(node), |talker, _| {
            talker.alarm = Some(ms(u64::from(node) * 5 + 10));
        });
    }
    drive(&mut woken);
    assert_eq!(woken.node(NodeId(5)).woken.len(), 1);
    assert_eq!(plain.hash(), woken.hash());
}

#[test]
fn a_family_that_is_off_moves_no_other_dice() {
    // Without answers the same datagrams enter the hop, whatever happens on it.
    let lost = |faults: LinkFaults| {
        let mut world = pair(Recorder::new(Dice::everywhere(1, faults)));
        count(&mut world, 0..2_000);
        let log = world.into_fates().into_log();
        let is_lost = |fate: &timewait_sim::Fate| fate.original == timewait_sim::Outcome::Drop;
        log.iter()
            .filter(|(_, fate)| is_lost(fate))
            .map(|(at, _)| at.ordinal)
            .collect::<Vec<_>>()
    };
    let alone = LinkFaults {
        loss: FAULTS.loss,
        ..LinkFaults::NONE
    };
    let with_others = LinkFaults {
        loss_bursts: None,
        ..FAULTS
    };
    assert!(lost(alone).len() > 50);
    assert_eq!(lost(alone), lost(with_others));
}
