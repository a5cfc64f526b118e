//! A network that breaks its word: no datagram is ever too old for it, and its routers keep copies for
//! several times the MSL (E1), until the 4-tuple is used again.
//!
//! No TCP can tell such a copy from what is new, if its numbers fit: RFC 9293 §3.4.2 takes the MSL for
//! granted. So what happens here is a hazard; a violation is only what a TCP gets wrong by itself.

use core::time::Duration;

use timewait_stack::Config;
use timewait_stack::config::RtoBounds;

use super::{Kind, churn};
use crate::choose::Choose;
use crate::scenario::{FaultPlan, RoundEnding, Scenario};

/// So soon the ISN clock has not gone further than an incarnation sends.
const MSL: Duration = Duration::from_millis(500);

/// A churn in such a network.
pub(super) fn generate(choose: &mut dyn Choose) -> Scenario {
    let mut scenario = churn::generate(choose);
    scenario.kind = Kind::Rogue;
    scenario.lifetime = None;
    // PAWS would tell most of the copies.
    let stamps = choose.chance(1, 4);
    let brief = choose.chance(1, 2);
    for config in scenario.hosts.iter_mut().map(|host| &mut host.config) {
        config.timestamps &= stamps;
        if brief {
            hurry(config);
        }
    }
    let msl = scenario.hosts.iter().map(|host| host.config.msl).max();
    let msl = msl.unwrap_or_default();
    let hold_max = msl * choose.between(3, 8) as u32;
    if let FaultPlan::Drawn { hops, .. } = &mut scenario.faults {
        hops.iter_mut()
            .for_each(|(_, faults)| faults.hold_max = hold_max);
    }
    // What ends in order, and is followed by nothing before its TIME-WAIT is over, leaves only the age
    // of a copy to blame.
    for round in scenario.churns_mut().flat_map(|churn| &mut churn.rounds) {
        round.ending = RoundEnding::Orderly;
        round.gap += msl * 2;
    }
    scenario
}

/// A short MSL, and timers that fit it.
fn hurry(config: &mut Config) {
    let ms = Duration::from_millis;
    config.msl = MSL;
    config.delayed_ack = ms(4);
    config.rto = RtoBounds {
        initial: ms(50),
        after_syn_loss: ms(150),
        min: ms(10),
        ..config.rto
    };
}
