//! The faults of a world, family by family.

use core::time::Duration;

use timewait_sim::HopId;
use timewait_sim::fates::{Delay, LinkFaults, LossBursts, NthMatch};

use super::ground::Ground;
use super::{FaultPlan, LinkEnd, LinkPlan};
use crate::choose::Choose;
use crate::label::class;

/// How many of a million.
pub(crate) const PERCENT: u64 = 10_000;

/// Whether a hop starts at a host, which keeps nothing.
pub(crate) fn is_leaving_host(links: &[LinkPlan], hop: HopId) -> bool {
    let link = links[(hop.0 / 2) as usize];
    matches!(
        if hop.0.is_multiple_of(2) {
            link.a
        } else {
            link.b
        },
        LinkEnd::Host(_)
    )
}

/// All hops of these links.
pub(crate) fn hops(links: &[LinkPlan]) -> impl Iterator<Item = HopId> + use<> {
    (0..links.len() as u32 * 2).map(HopId)
}

/// The same faults at every hop that `choose` lets have them, `some_of` in 4; hosts hold nothing.
pub(crate) fn spread(
    choose: &mut dyn Choose,
    links: &[LinkPlan],
    faults: LinkFaults,
    some_of: u64,
) -> Vec<(HopId, LinkFaults)> {
    let mut spread = Vec::new();
    for hop in hops(links) {
        if choose.chance(some_of, 4) {
            let holds = !is_leaving_host(links, hop);
            spread.push((
                hop,
                if holds {
                    faults
                } else {
                    faults.without_holds()
                },
            ));
        }
    }
    spread
}

/// Such [`families`], [`spread`]; nothing is drawn for hops if all families are off.
pub(crate) fn somewhere(
    choose: &mut dyn Choose,
    ground: &Ground,
    links: &[LinkPlan],
    on: u64,
    some_of: u64,
) -> Vec<(HopId, LinkFaults)> {
    match families(choose, ground, on) {
        LinkFaults::NONE => Vec::new(),
        faults => spread(choose, links, faults, some_of),
    }
}

/// Faults at these hops, and those of single datagrams.
pub(crate) fn drawn(
    choose: &mut dyn Choose,
    hops: Vec<(HopId, LinkFaults)>,
    nth: Vec<NthMatch>,
) -> FaultPlan {
    FaultPlan::Drawn {
        seed: choose.below(u64::MAX),
        hops,
        nth,
    }
}

/// Until when there is weather: a second to a minute.
pub(crate) fn heal_at(choose: &mut dyn Choose) -> Duration {
    log_duration(choose, Duration::from_secs(1), Duration::from_secs(60))
}

/// Each family off or on, `on` times in 8, with its own weight.
pub(crate) fn families(choose: &mut dyn Choose, ground: &Ground, on: u64) -> LinkFaults {
    let mut faults = LinkFaults::NONE;
    if choose.chance(on, 8) {
        faults.loss = choose.log_between(PERCENT / 10, 10 * PERCENT) as u32;
    }
    if choose.chance(on, 16) {
        faults.loss_bursts = Some(LossBursts {
            begin: choose.log_between(PERCENT / 10, 2 * PERCENT) as u32,
            end: choose.between(10 * PERCENT, 50 * PERCENT) as u32,
            loss: choose.between(50 * PERCENT, 100 * PERCENT) as u32,
        });
    }
    if choose.chance(on, 8) {
        faults.duplicate = choose.log_between(PERCENT / 10, 10 * PERCENT) as u32;
        faults.duplicates_max = *choose.pick(&[1, 1, 2, 4]);
        faults.duplicate_max = log_duration(choose, ground.rtt, ground.lifetime / 4);
    }
    if choose.chance(on, 8) {
        faults.reorder = choose.log_between(PERCENT / 10, 20 * PERCENT) as u32;
        faults.reorder_max = log_duration(choose, ground.rtt / 8, ground.rtt * 4);
    }
    if choose.chance(on, 8) {
        faults.jitter = jitter(choose, ground);
    }
    if choose.chance(on, 8) {
        faults.corrupt = choose.log_between(PERCENT / 10, 2 * PERCENT) as u32;
    }
    if choose.chance(on, 16) {
        faults.truncate = choose.log_between(PERCENT / 10, 2 * PERCENT) as u32;
    }
    if choose.chance(on, 128) {
        faults.wide = choose.log_between(PERCENT / 10, 2 * PERCENT) as u32;
        faults.swap = *choose.pick(&[0, 500_000]);
    }
    if choose.chance(on, 16) {
        faults.hold_original = choose.log_between(PERCENT / 10, 2 * PERCENT) as u32;
    }
    if choose.chance(on, 8) {
        faults.hold_copy = choose.between(PERCENT, 5 * PERCENT) as u32;
    }
    holds(choose, ground, faults)
}

/// Delays that all datagrams have: about the same for all, or now and then far longer.
fn jitter(choose: &mut dyn Choose, ground: &Ground) -> Delay {
    let delay = log_duration(choose, ground.rtt / 64, ground.rtt / 2);
    match choose.below(8) {
        0..4 => Delay::Uniform { max: delay },
        4 => Delay::Constant(delay),
        5 | 6 => Delay::Normal {
            mean: delay,
            deviation: delay / 4,
        },
        _ => Delay::HeavyTail {
            scale: delay / 16,
            max: ground.rtt * 8,
        },
    }
}

/// Until when a router keeps what it keeps, if it keeps anything.
fn holds(choose: &mut dyn Choose, ground: &Ground, faults: LinkFaults) -> LinkFaults {
    if faults.hold_original == 0 && faults.hold_copy == 0 {
        return faults;
    }
    LinkFaults {
        hold_max: log_duration(choose, ground.rtt, ground.lifetime),
        seen: *choose.pick(&[0, 500_000, 900_000]),
        seen_class: class::OPEN,
        seen_packets_max: 20,
        restored: *choose.pick(&[0, 0, 500_000]),
        ..faults
    }
}

/// A duration between these, every octave as likely as the next.
pub(crate) fn log_duration(choose: &mut dyn Choose, low: Duration, high: Duration) -> Duration {
    let low = (low.as_nanos() as u64).max(1);
    let high = (high.as_nanos() as u64).max(low);
    Duration::from_nanos(choose.log_between(low, high))
}
