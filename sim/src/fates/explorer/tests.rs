//! The explorer on plain decision lists; on a world of integers it is tried in `tests/`.

use core::net::{IpAddr, Ipv4Addr};
use std::collections::BTreeSet;

use super::Explorer;
use crate::fates::{Fate, Fates, HopId, Outcome, Passage, Release};
use crate::packet::{NodeId, Outgoing, Packet, PacketId, Payload};
use crate::time::{Duration, Instant};

fn packet() -> Packet {
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
            class: 0,
        },
        parts: Vec::new(),
    }
}

fn menu() -> [Fate; 2] {
    let later = Outcome::Hold(Release::After(Duration::from_secs(1)));
    [Outcome::Drop.into(), later.into()]
}

/// Asks for one decision.
fn ask(explorer: &mut Explorer, ordinal: u32) -> Fate {
    explorer.fate(
        Passage {
            hop: HopId(0),
            tag: 0,
            ordinal,
        },
        &packet(),
    )
}

/// The number of lists of `decisions` with at most `faults` faults of `kinds` kinds.
fn closed_formula(decisions: u64, kinds: u64, faults: u64) -> u64 {
    let choose = |n: u64, k: u64| (0..k).fold(1, |product, i| product * (n - i) / (i + 1));
    (0..=faults.min(decisions))
        .map(|k| choose(decisions, k) * kinds.pow(k as u32))
        .sum()
}

#[test]
fn every_list_comes_once_and_their_number_is_the_closed_formula() {
    for decisions in 0..7 {
        for faults_max in 0..5 {
            let mut explorer = Explorer::new(menu(), faults_max);
            let mut lists = BTreeSet::new();
            while explorer.begin_run() {
                let fates: Vec<_> = (0..decisions).map(|n| ask(&mut explorer, n)).collect();
                let faults = fates.iter().filter(|fate| !fate.is_default()).count();
                assert!(faults <= faults_max as usize);
                assert_eq!(explorer.faults().len(), faults);
                assert!(lists.insert(format!("{fates:?}")), "{fates:?} came twice");
            }
            let expected = closed_formula(decisions.into(), 2, faults_max.into());
            assert_eq!(lists.len() as u64, expected);
            assert_eq!(explorer.runs(), expected);
        }
    }
}

#[test]
fn the_first_run_is_without_faults_and_then_the_last_decision_changes_first() {
    let mut explorer = Explorer::new(menu(), 1);
    let mut runs = Vec::new();
    while explorer.begin_run() {
        let run: Vec<_> = (0..2).map(|n| ask(&mut explorer, n)).collect();
        runs.push(run);
    }
    let [drop, hold] = menu();
    let fine = Fate::default();
    let expected = [
        [fine, fine],
        [fine, drop],
        [fine, hold],
        [drop, fine],
        [hold, fine],
    ];
    assert_eq!(runs, expected.map(Vec::from));
}

#[test]
fn a_default_in_the_menu_is_not_explored_twice() {
    let mut explorer = Explorer::new([Fate::default(), Outcome::Drop.into()], 1);
    while explorer.begin_run() {
        ask(&mut explorer, 0);
    }
    assert_eq!(explorer.runs(), 2);
}

#[test]
fn beyond_the_last_decision_nothing_goes_wrong() {
    let mut explorer = Explorer::new(menu(), 9).decisions_max(2);
    while explorer.begin_run() {
        for n in 0..10 {
            let fate = ask(&mut explorer, n);
            assert!(n < 2 || fate.is_default());
        }
    }
    assert_eq!(explorer.runs(), closed_formula(2, 2, 9));
}

#[test]
fn runs_may_differ_in_length() {
    // A fault ends the run, as if a peer had given up.
    let mut explorer = Explorer::new(menu(), 9);
    while explorer.begin_run() {
        let mut asked = 0;
        while asked < 5 && ask(&mut explorer, asked).is_default() {
            asked += 1;
        }
    }
    assert_eq!(explorer.runs(), 1 + 5 * 2);
}

/// The state is how many datagrams were lost, of eight: where they were lost leaves no mark.
fn lossy_states(prune: bool) -> (BTreeSet<(u32, u32)>, u64) {
    let mut explorer = Explorer::new([Outcome::Drop.into()], 4);
    let mut states = BTreeSet::new();
    while explorer.begin_run() {
        let mut lost = 0;
        for n in 0..8 {
            lost += u32::from(!ask(&mut explorer, n).is_default());
            states.insert((n, lost));
            if prune && explorer.seen(u64::from(n) << 32 | u64::from(lost)) {
                break;
            }
        }
    }
    (states, explorer.runs())
}

#[test]
fn pruning_by_digest_reaches_the_same_states_in_fewer_runs() {
    let (all, runs) = lossy_states(false);
    let (pruned, fewer) = lossy_states(true);
    assert_eq!(all, pruned);
    assert_eq!(runs, closed_formula(8, 1, 4));
    assert!(fewer < runs / 4, "{fewer} of {runs}");
}
