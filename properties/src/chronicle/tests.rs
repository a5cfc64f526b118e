use timewait_sim::{Instant, NodeId};

use super::{Chronicle, Datagram, Leg, Part, Record, Tick, TooMany, What};
use crate::check::{Report, check_with};
use crate::scenario::Scenario;
use crate::scenarios::Kind;

fn told(kind: Kind, seed: u64) -> (Chronicle, Report) {
    let scenario = Scenario::from_seed(kind, seed);
    let chronicle = Chronicle::of(&scenario);
    let report = check_with(&scenario, vec![chronicle.oracle()]);
    (chronicle, report)
}

fn cut(chronicle: &Chronicle, report: &Report, part: &Part) -> Record {
    let record = chronicle.record(Some(report), part, u64::MAX);
    record.expect("there is room")
}

fn legs(record: &Record) -> impl Iterator<Item = &Leg> {
    record.datagrams.iter().flat_map(|datagram| &datagram.legs)
}

/// How many legs end for this reason.
fn lost(record: &Record, reason: &str) -> u64 {
    let lost = legs(record).filter(|leg| leg.lost.as_deref() == Some(reason));
    lost.count() as u64
}

/// One seed of each kind, but for those with very many datagrams.
fn every_kind() -> impl Iterator<Item = (Kind, u64)> {
    let kinds = Kind::ALL.iter().copied();
    kinds.flat_map(|kind| (0..3).map(move |seed| (kind, seed)))
}

#[test]
fn what_the_network_did_is_told_to_the_last_datagram() {
    for (kind, seed) in every_kind() {
        let (chronicle, report) = told(kind, seed);
        let record = cut(&chronicle, &report, &Part::default());
        let stats = report.stats;
        let count = |meant: fn(&Leg) -> bool| legs(&record).filter(|leg| meant(leg)).count() as u64;
        let is = format!("{kind}, seed {seed}");
        assert_eq!(record.datagrams.len() as u64, stats.sent, "{is}");
        assert_eq!(count(|leg| leg.delivered), stats.delivered, "{is}");
        let kept = stats.held_originals + stats.held_copies;
        assert_eq!(count(|leg| leg.kept.is_some()), kept, "{is}");
        assert_eq!(count(|leg| leg.marked), stats.marked, "{is}");
        let after_hold = count(|leg| leg.delivered && leg.released_by.is_some());
        assert_eq!(after_hold, stats.delivered_after_hold, "{is}");
        for (reason, dropped) in [
            ("the queue is full", stats.dropped_queue_full),
            ("too old", stats.dropped_too_old),
            ("the hop limit ran out", stats.dropped_hop_limit),
            ("no route", stats.dropped_no_route),
            ("too big for the link", stats.dropped_too_big),
        ] {
            assert_eq!(lost(&record, reason), dropped, "{is}: {reason}");
        }
    }
}

/// The delay of the link, and what the fate adds to it; more only where a queue may be.
#[test]
fn every_leg_takes_as_long_as_its_link_and_its_fate_say() {
    for (kind, seed) in every_kind() {
        let (chronicle, report) = told(kind, seed);
        let record = cut(&chronicle, &report, &Part::default());
        for leg in legs(&record).filter(|leg| leg.kept.is_none() && leg.from != leg.to) {
            let Some(came) = leg.came else { continue };
            let between = |a, b| (a, b) == (leg.from, leg.to) || (b, a) == (leg.from, leg.to);
            let link = record.links.iter().find(|link| between(link.a, link.b));
            let link = link.expect("a leg goes over a link");
            let took = record.ticks[came as usize] - record.ticks[leg.left as usize];
            let least = link.delay_ns + leg.extra_ns;
            let fits = if link.rate.is_none() {
                took == least
            } else {
                took >= least
            };
            assert!(fits, "{kind}, seed {seed}: {took} ns, not {least}: {leg:?}");
        }
    }
}

#[test]
fn a_datagram_goes_on_where_it_came() {
    let (chronicle, report) = told(Kind::Churn, 0);
    let record = cut(&chronicle, &report, &Part::default());
    for datagram in &record.datagrams {
        let mut at = vec![(datagram.origin, datagram.sent)];
        for leg in &datagram.legs {
            assert!(
                at.contains(&(leg.from, leg.left)),
                "{leg:?} of {datagram:?}"
            );
            at.extend(leg.came.map(|came| (leg.to, came)));
        }
    }
}

/// Everything that a part refers to is in it, in order.
fn is_whole(record: &Record) {
    assert!(record.ticks.is_sorted());
    let there = |tick: Tick| assert!((tick as usize) < record.ticks.len());
    for Datagram { sent, of, legs, .. } in &record.datagrams {
        there(*sent);
        assert!((*of as usize) < record.incarnations.len());
        for leg in legs {
            there(leg.left);
            leg.came.into_iter().for_each(there);
            assert!(leg.came.is_none_or(|came| came >= leg.left));
        }
    }
    record.events.iter().for_each(|event| there(event.at));
    assert!(record.events.is_sorted_by_key(|event| event.at));
    let snapshots = &record.snapshots;
    snapshots.iter().for_each(|snapshot| there(snapshot.at));
    assert!(snapshots.is_sorted_by_key(|snapshot| snapshot.at));
}

#[test]
fn a_part_is_whole_and_has_nothing_beyond_its_bounds() {
    let (chronicle, report) = told(Kind::Swarm, 3);
    let whole = cut(&chronicle, &report, &Part::default());
    is_whole(&whole);
    let middle = whole.ticks[whole.ticks.len() / 2];
    let until = Part {
        until: Some(Instant::from_nanos(middle)),
        ..Part::default()
    };
    let early = cut(&chronicle, &report, &until);
    is_whole(&early);
    let last = |record: &Record| {
        record
            .datagrams
            .last()
            .map(|its| record.ticks[its.sent as usize])
    };
    assert!(last(&early) <= Some(middle) && early.datagrams.len() < whole.datagrams.len());
    assert!(
        early
            .events
            .iter()
            .all(|event| early.ticks[event.at as usize] <= middle)
    );

    let ten = Part {
        last: Some(10),
        ..until
    };
    let ten = cut(&chronicle, &report, &ten);
    is_whole(&ten);
    assert_eq!(ten.datagrams.len(), 10);
    assert_eq!(last(&ten), last(&early));

    let late = Part {
        from: Some(Instant::from_nanos(middle)),
        ..Part::default()
    };
    let late = cut(&chronicle, &report, &late);
    is_whole(&late);
    let first = late.first as usize;
    assert!(late.ticks[first] >= middle && late.ticks[first - 1] < middle);
    let born = late.datagrams.iter().map(|datagram| datagram.sent);
    assert!(born.clone().any(|sent| sent >= late.first));
    assert!(born.count() < whole.datagrams.len());

    let two = Part {
        nodes: vec![NodeId(0), NodeId(1)],
        ..Part::default()
    };
    let two = cut(&chronicle, &report, &two);
    is_whole(&two);
    assert!(two.datagrams.iter().all(|datagram| datagram.origin < 2));
    assert!(two.events.iter().all(|event| event.node < 2));
}

#[test]
fn too_many_datagrams_are_refused_with_both_numbers() {
    let (chronicle, report) = told(Kind::Handshake, 0);
    let all = report.stats.sent;
    let refused = chronicle.record(Some(&report), &Part::default(), all - 1);
    let expected = TooMany {
        datagrams: all,
        at_most: all - 1,
    };
    assert_eq!(refused, Err(expected));
    assert!(
        chronicle
            .record(Some(&report), &Part::default(), all)
            .is_ok()
    );
}

#[test]
fn a_run_without_a_report_still_has_its_datagrams() {
    let (chronicle, report) = told(Kind::Handshake, 0);
    let whole = cut(&chronicle, &report, &Part::default());
    let record = chronicle.record(None, &Part::default(), u64::MAX);
    let record = record.expect("there is room");
    assert_eq!(record.datagrams, whole.datagrams);
    assert_eq!((record.replay, record.findings.len()), (None, 0));
}

#[test]
fn incarnations_of_one_tuple_are_numbered_at_each_host() {
    let (chronicle, report) = told(Kind::Churn, 0);
    let record = cut(&chronicle, &report, &Part::default());
    let again = record.incarnations.iter().filter(|its| its.generation > 0);
    assert!(again.count() > 10);
    for its in record
        .incarnations
        .iter()
        .filter(|its| its.remote.is_some())
    {
        let before = record.incarnations.iter().filter(|other| {
            (other.node, other.flow) == (its.node, its.flow) && other.opened < its.opened
        });
        assert_eq!(before.count() as u32, its.generation, "{}", its.name);
    }
}

#[test]
fn the_snapshots_end_where_the_states_do() {
    let (chronicle, report) = told(Kind::LastAckLost, 4);
    let record = cut(&chronicle, &report, &Part::default());
    let states = |node: u32| {
        let events = record.events.iter().filter(move |event| event.node == node);
        events.filter_map(|event| match event.what {
            What::State { to, .. } if event.of.is_some() => Some(to),
            _ => None,
        })
    };
    assert_eq!(states(0).next_back(), Some("CLOSED"));
    assert!(states(1).any(|state| state == "TIME-WAIT"));
    let sender = record
        .snapshots
        .iter()
        .filter(|shown| record.incarnations[shown.of as usize].node == 0);
    let (first, last) = (sender.clone().next(), sender.clone().next_back());
    let (first, last) = (first.expect("one"), last.expect("another"));
    assert_eq!(last.snd_una, last.snd_nxt, "all was acknowledged");
    assert_ne!(first.snd_nxt, last.snd_nxt);
}

#[test]
fn a_call_is_told_before_what_it_causes() {
    let (chronicle, report) = told(Kind::LastAckLost, 4);
    let record = cut(&chronicle, &report, &Part::default());
    let events = record.events.iter().filter(|event| event.node == 0);
    let words: Vec<&str> = events.map(|event| event.text.as_str()).collect();
    let close = words.iter().position(|word| *word == "close");
    let last_ack = words.iter().position(|word| *word == "LAST-ACK");
    assert_eq!(close.map(|place| place + 1), last_ack, "{words:?}");
}

/// Three parts leave the router for each datagram that is too big, and all of them end.
#[test]
#[cfg(feature = "files")]
fn parts_part_at_a_router_and_end_where_they_are_put_together() {
    let text = include_str!("../../../scenarios/fragments.toml");
    let scenario = Scenario::from_toml(text).expect("a scenario");
    let chronicle = Chronicle::of(&scenario);
    let report = check_with(&scenario, vec![chronicle.oracle()]);
    let record = cut(&chronicle, &report, &Part::default());
    let over_the_narrow_link = |datagram: &&Datagram| {
        let narrow = datagram
            .legs
            .iter()
            .filter(|leg| (leg.from, leg.to) == (2, 3));
        narrow.count() == 3
    };
    let whole = record.datagrams.iter().filter(over_the_narrow_link);
    assert!(whole.clone().count() > 30);
    for datagram in whole.filter(|it| it.legs.iter().any(|leg| leg.delivered)) {
        let ends = |leg: &Leg| leg.came.is_some() || leg.lost.is_some();
        assert!(datagram.legs.iter().all(ends), "{datagram:?}");
    }
}
