//! A part of a record, with everything in it that the rest refers to.

use timewait_sim::Instant;

use super::Part;
use super::model::{Datagram, Leg, Record, Snapshot, Tick};

/// The part, its observations counted anew.
pub(super) fn part(mut record: Record, part: &Part) -> Record {
    let from = part.from.unwrap_or(Instant::ZERO).as_nanos();
    let until = part.until.unwrap_or(Instant::MAX).as_nanos();
    let until = until.min(record.simulated_ns);
    // Ticks never decrease: those up to `until` are the first ones.
    let first = record.ticks.partition_point(|at| *at < from) as Tick;
    let end = record.ticks.partition_point(|at| *at <= until) as Tick;
    let meant = |node: u32| part.nodes.is_empty() || part.nodes.iter().any(|its| its.0 == node);

    record.datagrams.retain(|datagram| {
        datagram.sent < end && ends_at(datagram) >= first && ends(datagram).all(meant)
    });
    let many = record.datagrams.len();
    let skip = part
        .last
        .map_or(0, |last| many.saturating_sub(last as usize));
    record.datagrams.drain(..skip);
    let first = match record.datagrams.first() {
        Some(datagram) if skip > 0 => first.max(datagram.sent),
        _ => first,
    };
    for datagram in &mut record.datagrams {
        stop(datagram, end);
    }
    record.snapshots = snapshots(record.snapshots, first, end);
    record
        .events
        .retain(|event| event.at < end && meant(event.node));
    record.from_ns = record
        .ticks
        .get(first as usize)
        .copied()
        .unwrap_or(from)
        .max(from);
    record.until_ns = until;
    recount(&mut record, first);
    record
}

/// When the last of it came to its end; the end of all time, if something never did.
fn ends_at(datagram: &Datagram) -> Tick {
    let end = |leg: &Leg| match (leg.came, &leg.lost) {
        (Some(came), _) => came,
        (None, Some(_)) => leg.left,
        (None, None) => Tick::MAX,
    };
    let ends = datagram.legs.iter().map(end);
    ends.max().unwrap_or(datagram.sent)
}

/// The machines that a datagram is between: who sent it, and where it was delivered.
fn ends(datagram: &Datagram) -> impl Iterator<Item = u32> {
    let delivered = datagram.legs.iter().filter(|leg| leg.delivered);
    core::iter::once(datagram.origin).chain(delivered.map(|leg| leg.to))
}

/// What happens to a datagram later is not told.
fn stop(datagram: &mut Datagram, end: Tick) {
    datagram.legs.retain(|leg| leg.left < end);
    for leg in &mut datagram.legs {
        if leg.came.is_some_and(|came| came >= end) {
            leg.came = None;
            leg.lost = None;
            leg.delivered = false;
            leg.verdict = None;
            leg.judged_by = None;
        }
    }
}

/// Those between `first` and `end`, and of each connection the last one before.
fn snapshots(all: Vec<Snapshot>, first: Tick, end: Tick) -> Vec<Snapshot> {
    let mut before = std::collections::BTreeMap::new();
    let mut kept = Vec::new();
    for snapshot in all.into_iter().filter(|snapshot| snapshot.at < end) {
        if snapshot.at < first {
            before.insert(snapshot.of, snapshot);
        } else {
            kept.push(snapshot);
        }
    }
    let mut early: Vec<_> = before.into_values().collect();
    early.sort_by_key(|snapshot| snapshot.at);
    early.extend(kept);
    early
}

/// Forgets the observations to which nothing refers any more.
fn recount(record: &mut Record, first: Tick) {
    let mut used = vec![false; record.ticks.len()];
    each_tick(record, |tick| used[*tick as usize] = true);
    let mut numbers = Vec::with_capacity(used.len());
    let mut next: Tick = 0;
    for used in &used {
        numbers.push(next);
        next += Tick::from(*used);
    }
    each_tick(record, |tick| *tick = numbers[*tick as usize]);
    record.first = numbers.get(first as usize).copied().unwrap_or(next);
    let mut used = used.into_iter();
    record.ticks.retain(|_| used.next().unwrap_or(false));
}

fn each_tick(record: &mut Record, mut then: impl FnMut(&mut Tick)) {
    for incarnation in &mut record.incarnations {
        then(&mut incarnation.opened);
    }
    for datagram in &mut record.datagrams {
        then(&mut datagram.sent);
        for leg in &mut datagram.legs {
            then(&mut leg.left);
            leg.came.as_mut().into_iter().for_each(&mut then);
        }
    }
    record
        .events
        .iter_mut()
        .for_each(|event| then(&mut event.at));
    let snapshots = record.snapshots.iter_mut();
    snapshots.for_each(|snapshot| then(&mut snapshot.at));
}
