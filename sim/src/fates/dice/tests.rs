//! Each family alone and all together, without a world.

use core::net::{IpAddr, Ipv4Addr};

use super::{Delay, Dice, LinkFaults, LossBursts, NthMatch};
use crate::fates::{Copies, Damage, Fate, Fates, HopId, Outcome, Passage, Release};
use crate::packet::{NodeId, Outgoing, Packet, PacketId, Payload};
use crate::rng::PPM;
use crate::time::{Duration, Instant};

const HOP: HopId = HopId(3);

const ALL: LinkFaults = LinkFaults {
    loss: PPM / 10,
    loss_bursts: Some(LossBursts {
        begin: PPM / 100,
        end: PPM / 5,
        loss: PPM / 2,
    }),
    duplicate: PPM / 20,
    duplicates_max: 4,
    duplicate_max: Duration::from_millis(3),
    reorder: PPM / 15,
    reorder_max: Duration::from_millis(20),
    jitter: Delay::Uniform {
        max: Duration::from_micros(50),
    },
    corrupt: PPM / 25,
    burst_bits_max: 15,
    wide: PPM / 40,
    swap: PPM / 2,
    truncate: PPM / 40,
    hold_original: PPM / 30,
    hold_copy: PPM / 12,
    hold_any_of: 0,
    hold_max: Duration::from_secs(2),
    seen: PPM / 2,
    seen_class: 1,
    seen_packets_max: 20,
    restored: PPM / 2,
};

fn packet(class: u16) -> Packet {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Packet {
        id: PacketId {
            origin: NodeId(0),
            ordinal: 0,
        },
        born: Instant::ZERO,
        fragment: None,
        sent: Outgoing {
            src: address,
            dst: address,
            hop_limit: 1,
            ecn: 0,
            diffserv: 0,
            dont_fragment: true,
            protocol: 253,
            payload: Payload::default(),
            tag: 0,
            flow: 0,
            class,
        },
        parts: Vec::new(),
    }
}

fn throw(dice: &mut Dice, hop: HopId, class: u16) -> Fate {
    dice.fate(
        Passage {
            hop,
            tag: 0,
            ordinal: 0,
        },
        &packet(class),
    )
}

fn throws(faults: LinkFaults, count: usize) -> Vec<Fate> {
    let mut dice = Dice::everywhere(1, faults);
    (0..count).map(|_| throw(&mut dice, HOP, 0)).collect()
}

/// How many of these, in parts per thousand.
fn permille(fates: &[Fate], is: impl Fn(&Fate) -> bool) -> usize {
    fates.iter().filter(|fate| is(fate)).count() * 1000 / fates.len()
}

fn is_lost(fate: &Fate) -> bool {
    fate.original == Outcome::Drop
}

fn is_held(fate: &Fate) -> bool {
    matches!(fate.original, Outcome::Hold(_))
}

fn has_held_copy(fate: &Fate) -> bool {
    fate.copies
        .iter()
        .any(|copy| matches!(copy, Outcome::Hold(_)))
}

#[test]
fn copies_are_as_many_as_may_be_and_each_comes_when_it_will() {
    let faults = LinkFaults {
        duplicate: PPM,
        duplicates_max: 3,
        duplicate_max: Duration::from_millis(3),
        ..LinkFaults::NONE
    };
    let fates = throws(faults, 3_000);
    for count in 1..=3 {
        let so_many = permille(&fates, |fate| fate.copies.iter().count() == count);
        assert!((300..367).contains(&so_many), "{count}: {so_many}");
    }
    let alike = |fate: &Fate| {
        let mut copies = fate.copies.iter();
        copies.next() == copies.next()
    };
    assert!(!fates.iter().any(alike));
}

#[test]
fn without_faults_every_fate_is_the_default() {
    assert!(throws(LinkFaults::NONE, 100).iter().all(Fate::is_default));
}

#[test]
fn each_family_strikes_at_its_rate_and_alone() {
    let none = LinkFaults {
        hold_max: Duration::from_secs(1),
        ..LinkFaults::NONE
    };
    let rate = PPM / 5;
    let only = |faults: LinkFaults, is: fn(&Fate) -> bool| {
        let fates = throws(faults, 20_000);
        assert!((185..215).contains(&permille(&fates, is)));
        assert!(fates.iter().all(|fate| is(fate) || fate.is_default()));
    };
    let later = Duration::from_millis(1);
    only(LinkFaults { loss: rate, ..none }, is_lost);
    only(
        LinkFaults {
            duplicate: rate,
            ..none
        },
        |fate| {
            fate.original == Outcome::default() && fate.copies == Copies::one(Outcome::default())
        },
    );
    only(
        LinkFaults {
            reorder: rate,
            reorder_max: later,
            ..none
        },
        |fate| matches!(fate.original, Outcome::Deliver { extra, damage: None } if !extra.is_zero()),
    );
    only(
        LinkFaults {
            corrupt: rate,
            ..none
        },
        |fate| {
            matches!(
                fate.original,
                Outcome::Deliver {
                    extra: Duration::ZERO,
                    damage: Some(_)
                }
            )
        },
    );
    let damaged = |fate: &Fate| {
        let Outcome::Deliver { extra, damage } = fate.original else {
            return None;
        };
        damage.filter(|_| extra.is_zero())
    };
    let only_damaged = |faults: LinkFaults, is: fn(Damage) -> bool| {
        let fates = throws(faults, 20_000);
        let struck = |fate: &Fate| damaged(fate).is_some_and(is);
        assert!((185..215).contains(&permille(&fates, struck)));
        assert!(fates.iter().all(|fate| struck(fate) || fate.is_default()));
    };
    let wide = LinkFaults { wide: rate, ..none };
    only_damaged(wide, |damage| match damage {
        Damage::Scramble {
            octets, pattern, ..
        } => (1..=Dice::SCRAMBLED_MAX).contains(&octets) && pattern & 0xff != 0,
        _ => false,
    });
    let swap = LinkFaults { swap: PPM, ..wide };
    only_damaged(swap, |damage| matches!(damage, Damage::Swap { .. }));
    let truncate = LinkFaults {
        truncate: rate,
        ..none
    };
    only_damaged(truncate, |damage| matches!(damage, Damage::Truncate { .. }));
    only(
        LinkFaults {
            hold_original: rate,
            ..none
        },
        is_held,
    );
    only(
        LinkFaults {
            hold_copy: rate,
            ..none
        },
        |fate| fate.original == Outcome::default() && has_held_copy(fate),
    );
}

#[test]
fn a_family_that_is_off_moves_no_other_dice() {
    let all = throws(ALL, 5_000);
    let without_loss = throws(
        LinkFaults {
            loss: 0,
            loss_bursts: None,
            ..ALL
        },
        5_000,
    );
    assert!(permille(&all, is_lost) > 50 && permille(&without_loss, is_lost) == 0);
    for (with, without) in all.iter().zip(&without_loss) {
        assert!(is_lost(with) || with == without);
    }

    let without_holds = throws(ALL.without_holds(), 5_000);
    for (with, without) in all.iter().zip(&without_holds) {
        assert!(is_held(with) || with.original == without.original);
        let others = with
            .copies
            .iter()
            .filter(|copy| !matches!(copy, Outcome::Hold(_)));
        // Of five copies the last one finds no place.
        assert!(without.copies.iter().zip(others).all(|(a, b)| a == b));
        assert!(has_held_copy(with) || with.copies == without.copies);
    }

    let stripped = LinkFaults {
        hold_original: ALL.hold_original,
        hold_max: ALL.hold_max,
        seen: ALL.seen,
        seen_class: 1,
        seen_packets_max: 20,
        restored: ALL.restored,
        ..LinkFaults::NONE
    };
    for (with, without) in all.iter().zip(&throws(stripped, 5_000)) {
        assert!(is_lost(with) || is_held(with) == is_held(without));
        assert!(!is_held(with) || with.original == without.original);
    }
}

#[test]
fn hops_and_seeds_have_dice_of_their_own() {
    let mut dice = Dice::everywhere(1, ALL);
    let here: Vec<_> = (0..200).map(|_| throw(&mut dice, HOP, 0)).collect();
    let there: Vec<_> = (0..200).map(|_| throw(&mut dice, HopId(4), 0)).collect();
    assert_eq!(
        here,
        throws(ALL, 200),
        "another hop moves no dice of this one"
    );
    assert_ne!(here, there);
    let mut other = Dice::everywhere(2, ALL);
    assert_ne!(
        here,
        (0..200)
            .map(|_| throw(&mut other, HOP, 0))
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_hop_can_have_faults_of_its_own() {
    let mut dice = Dice::new(1);
    dice.set(
        HOP,
        LinkFaults {
            loss: PPM,
            ..LinkFaults::NONE
        },
    );
    assert_eq!(throw(&mut dice, HOP, 0), Outcome::Drop.into());
    assert!(throw(&mut dice, HopId(0), 0).is_default());
}

#[test]
fn losses_in_bursts_come_one_after_the_other() {
    let bursts = LossBursts {
        begin: PPM / 100,
        end: PPM / 10,
        loss: PPM,
    };
    let fates = throws(
        LinkFaults {
            loss_bursts: Some(bursts),
            ..LinkFaults::NONE
        },
        50_000,
    );
    let lost = permille(&fates, is_lost);
    // In the bad state 1 / (1 + 10) of the time, for 10 datagrams on average.
    assert!((75..108).contains(&lost), "{lost}");
    let begins = fates
        .windows(2)
        .filter(|two| !is_lost(&two[0]) && is_lost(&two[1]))
        .count();
    let length = fates.iter().filter(|fate| is_lost(fate)).count() / begins;
    assert!((8..13).contains(&length), "{length}");
}

#[test]
fn bursts_of_damage_have_at_most_the_bits_that_they_may_have() {
    let widths = |bits: u8| {
        let faults = LinkFaults {
            corrupt: PPM,
            burst_bits_max: bits,
            ..LinkFaults::NONE
        };
        let width = |fate: &Fate| match fate.original {
            Outcome::Deliver {
                damage: Some(Damage::Burst(burst)),
                ..
            } => {
                assert!(burst.pattern & 1 == 1);
                burst.pattern.ilog2() + 1
            }
            other => panic!("{other:?}"),
        };
        let widths: Vec<_> = throws(faults, 2_000).iter().map(width).collect();
        (widths.iter().min().copied(), widths.iter().max().copied())
    };
    assert_eq!(widths(15), (Some(1), Some(15)));
    assert_eq!(widths(16), (Some(1), Some(16)));
    assert_eq!(widths(1), (Some(1), Some(1)));
}

#[test]
fn releases_stay_within_their_bounds_and_all_kinds_come() {
    let (mut timed, mut seen, mut restored) = (0, 0, 0);
    for fate in throws(
        LinkFaults {
            hold_original: PPM,
            ..ALL
        },
        1_000,
    ) {
        match fate.original {
            Outcome::Hold(Release::After(time)) => {
                timed += 1;
                assert!(time <= ALL.hold_max);
            }
            Outcome::Hold(Release::Seen {
                class,
                packets,
                at_most,
            }) => {
                seen += 1;
                assert_eq!((class, at_most), (1, ALL.hold_max));
                assert!(packets <= 20);
            }
            Outcome::Hold(Release::Restored { at_most }) => {
                restored += 1;
                assert_eq!(at_most, ALL.hold_max);
            }
            other => assert_eq!(other, Outcome::Drop),
        }
    }
    assert!(
        timed > 150 && seen > 300 && restored > 150,
        "{timed} {seen} {restored}"
    );
}

#[test]
fn only_the_wanted_classes_are_held() {
    let faults = LinkFaults {
        hold_copy: PPM,
        hold_any_of: 0b0110,
        hold_max: Duration::from_secs(1),
        ..LinkFaults::NONE
    };
    let mut dice = Dice::everywhere(1, faults);
    assert!(throw(&mut dice, HOP, 0b1001).is_default());
    assert!(!throw(&mut dice, HOP, 0b0010).is_default());
    assert!(!throw(&mut dice, HOP, 0b1100).is_default());
}

#[test]
fn a_rule_hits_the_nth_match_on_its_hop_and_nothing_else() {
    let mut dice = Dice::new(1);
    dice.add_rule(NthMatch::lose(HOP, 0b11, 2));
    assert!(throw(&mut dice, HOP, 0b11).is_default(), "the first");
    assert!(throw(&mut dice, HOP, 0b01).is_default(), "not all bits");
    assert!(throw(&mut dice, HopId(0), 0b11).is_default(), "another hop");
    assert_eq!(throw(&mut dice, HOP, 0b111), Outcome::Drop.into());
    assert!(throw(&mut dice, HOP, 0b11).is_default(), "the third");
}

#[test]
fn a_rule_may_be_about_one_sender_alone() {
    let mut dice = Dice::new(1);
    dice.add_rule(NthMatch::lose(HOP, 0, 2).of(7));
    let mut throw = |tag| {
        let mut packet = packet(0);
        packet.sent.tag = tag;
        let ordinal = 0;
        let at = Passage {
            hop: HOP,
            tag,
            ordinal,
        };
        is_lost(&dice.fate(at, &packet))
    };
    let lost = [7, 8, 8, 7, 7].map(&mut throw);
    assert_eq!(lost, [false, false, false, true, false]);
}

#[test]
fn a_rule_has_its_way_without_moving_the_dice() {
    let release = Release::After(Duration::from_secs(9));
    let mut dice = Dice::everywhere(1, ALL);
    dice.add_rule(NthMatch::hold_copy(HOP, 0, 3, release));
    let ruled: Vec<_> = (0..100).map(|_| throw(&mut dice, HOP, 0)).collect();
    let free = throws(ALL, 100);
    assert_eq!(
        ruled[2],
        Fate {
            original: Outcome::default(),
            copies: Copies::one(Outcome::Hold(release))
        }
    );
    assert_eq!((&ruled[..2], &ruled[3..]), (&free[..2], &free[3..]));
}

#[test]
fn quiet_dice_lie_still() {
    let mut dice = Dice::everywhere(1, ALL);
    dice.set_quiet(true);
    assert!((0..100).all(|_| throw(&mut dice, HOP, 0).is_default()));
    dice.set_quiet(false);
    let later: Vec<_> = (0..100).map(|_| throw(&mut dice, HOP, 0)).collect();
    assert_eq!(later, throws(ALL, 100));
}
