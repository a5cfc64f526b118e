//! What no scenario may say, though it could be written: whoever is named must exist, and numbers
//! must lie in their ranges. The first wrong one is told.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use timewait_sim::{Copies, Fate, HopId, Outcome, Release};
use timewait_stack::Config;

use super::error::Wrong;
use crate::clock::Clock;
use crate::scenario::{
    AppPlan, Attack, BoxPlan, FaultPlan, Method, Read, Role, Scenario, Talk, Target, Write,
};

mod boxes;
mod network;
mod outages;

type Checked = Result<(), Wrong>;

/// No run is longer, and no time in it: what comes later could not be told from "never".
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);
/// More than this no one needs, and a world could not number.
const MACHINES_MAX: usize = 10_000;

/// What is wrong with a scenario, if anything is.
pub(super) fn check(scenario: &Scenario) -> Checked {
    whole(scenario)?;
    addresses(scenario)?;
    for (nth, host) in scenario.hosts.iter().enumerate() {
        let key = format!("hosts[{nth}]");
        settings(&host.config, &format!("{key}.settings"))?;
        clock(&host.clock, &format!("{key}.clock"))?;
        apps(&host.apps, scenario, &key)?;
    }
    for (nth, plan) in scenario.attackers.iter().enumerate() {
        for (attack, each) in plan.attacks.iter().enumerate() {
            attacks(
                each,
                scenario,
                &format!("attackers[{nth}].attacks[{attack}]"),
            )?;
        }
    }
    network::check(scenario)?;
    outages::check(scenario)?;
    boxes::check(scenario)?;
    faults(scenario)
}

/// `key` is wrong if `right` is not.
fn demand(right: bool, key: &str, message: impl Into<String>) -> Checked {
    if right {
        Ok(())
    } else {
        Err(Wrong::new(key, message))
    }
}

fn whole(scenario: &Scenario) -> Checked {
    let machines = scenario.hosts.len()
        + usize::from(scenario.routers)
        + scenario.attackers.len()
        + scenario.boxes.len();
    demand(
        !scenario.hosts.is_empty(),
        "hosts",
        "a scenario needs a host",
    )?;
    demand(
        machines <= MACHINES_MAX,
        "hosts",
        format!("{machines} machines are too many: {MACHINES_MAX} at most"),
    )?;
    for (key, time) in [("limit", scenario.limit), ("heal_at", scenario.heal_at)] {
        bounded(time, key)?;
    }
    demand(
        scenario.lifetime.is_none_or(|lifetime| !lifetime.is_zero()),
        "lifetime",
        "nothing could ever arrive",
    )
}

fn bounded(time: Duration, key: &str) -> Checked {
    demand(time <= LONGEST, key, "no time may be longer than 100 years")
}

/// Every machine has addresses, and no two the same.
fn addresses(scenario: &Scenario) -> Checked {
    let mut owners: BTreeMap<IpAddr, String> = BTreeMap::new();
    let mut take = |address: IpAddr, key: String| match owners.insert(address, key.clone()) {
        None => Ok(()),
        Some(other) => Err(Wrong::new(
            key,
            format!("{address} is that of {other}, too"),
        )),
    };
    for (nth, host) in scenario.hosts.iter().enumerate() {
        let key = format!("hosts[{nth}].addresses");
        demand(
            !host.config.addresses.is_empty(),
            &key,
            "a host needs an address",
        )?;
        for (at, address) in host.config.addresses.iter().enumerate() {
            let unicast = !address.is_unspecified() && !address.is_multicast();
            let key = format!("{key}[{at}]");
            demand(unicast, &key, format!("{address} is no address of a host"))?;
            take(*address, key)?;
        }
    }
    for (nth, plan) in scenario.attackers.iter().enumerate() {
        take(plan.address, format!("attackers[{nth}].address"))?;
    }
    for (nth, nat) in scenario.boxes.iter().map(BoxPlan::nat).enumerate() {
        if let Some(nat) = nat {
            take(nat.address, format!("boxes[{nth}].work.nat.address"))?;
        }
    }
    Ok(())
}

fn settings(config: &Config, key: &str) -> Checked {
    let within = |right: bool, name: &str, range: &str| {
        demand(right, &format!("{key}.{name}"), format!("it is {range}"))
    };
    within(
        !config.msl.is_zero() && config.msl <= LONGEST,
        "msl",
        "more than 0",
    )?;
    within(config.mtu >= 576, "mtu", "576 to 65535 octets")?;
    within(config.hop_limit >= 1, "hop_limit", "1 to 255")?;
    within(config.diffserv <= 63, "diffserv", "0 to 63")?;
    within(
        config.path_mtu_min >= 68,
        "path_mtu_min",
        "68 octets or more",
    )?;
    within(
        (1..=1 << 30).contains(&config.receive_buffer),
        "receive_buffer",
        "1 to 2^30 octets",
    )?;
    within(config.send_buffer >= 1, "send_buffer", "1 octet or more")?;
    within(
        config.rto.min <= config.rto.max,
        "rto",
        "a range: min is at most max",
    )?;
    within(!config.rto.min.is_zero(), "rto.min", "more than 0")?;
    within(!config.persist_max.is_zero(), "persist_max", "more than 0")?;
    within(
        config.delayed_ack < Duration::from_millis(500),
        "delayed_ack",
        "less than 500ms (RFC 9293 §3.8.6.3)",
    )?;
    within(
        (100..=1000).contains(&config.override_timeout.as_millis()),
        "override_timeout",
        "100ms to 1s (RFC 9293 §3.8.6.2.1)",
    )?;
    within(config.syn_queue_max >= 1, "syn_queue_max", "1 or more")?;
    let (first, last) = config.ephemeral_ports;
    within(
        first >= 1 && first <= last,
        "ephemeral_ports",
        "the first and the last one, from 1 on",
    )?;
    within(
        (1..=2).contains(&config.slow_start_limit),
        "slow_start_limit",
        "1 or 2",
    )?;
    within(
        config.scoreboard_segments_max >= 1,
        "scoreboard_segments_max",
        "1 or more",
    )
}

fn clock(clock: &Clock, key: &str) -> Checked {
    let most = Clock::DRIFT_MAX_PPM;
    demand(
        clock.drift_ppm.abs() <= most,
        &format!("{key}.drift_ppm"),
        format!("{most} parts per million at most, either way"),
    )?;
    bounded(clock.offset, &format!("{key}.offset"))
}

fn apps(apps: &[AppPlan], scenario: &Scenario, key: &str) -> Checked {
    for (nth, app) in apps.iter().enumerate() {
        let key = format!("{key}.apps[{nth}]");
        bounded(app.start, &format!("{key}.start"))?;
        match &app.role {
            Role::Serve(serve) => {
                let key = format!("{key}.role.serve");
                port(serve.port, &format!("{key}.port"))?;
                talk(&serve.talk, &format!("{key}.talk"))?;
            }
            Role::Call(call) => {
                let key = format!("{key}.role.call");
                host(call.host, scenario, &format!("{key}.host"))?;
                port(call.port, &format!("{key}.port"))?;
                talk(&call.talk, &format!("{key}.talk"))?;
            }
            Role::Churn(churn) => {
                let key = format!("{key}.role.churn");
                host(churn.host, scenario, &format!("{key}.host"))?;
                port(churn.port, &format!("{key}.port"))?;
                port(churn.peer_port, &format!("{key}.peer_port"))?;
            }
        }
    }
    Ok(())
}

fn host(number: u16, scenario: &Scenario, key: &str) -> Checked {
    let exists = usize::from(number) < scenario.hosts.len();
    demand(exists, key, format!("there is no host {number}"))
}

fn port(number: u16, key: &str) -> Checked {
    demand(number > 0, key, "a port is 1 to 65535")
}

fn talk(talk: &Talk, key: &str) -> Checked {
    let asks = match talk.write {
        Write::Octets(_) => true,
        Write::Respond { request, .. } => request > 0,
        Write::Request {
            request, response, ..
        } => request > 0 && response > 0,
    };
    demand(
        asks,
        &format!("{key}.write"),
        "a request has an octet or more",
    )?;
    let reads = match talk.read {
        Read::Slow { octets, every } => octets > 0 && !every.is_zero(),
        Read::Eager | Read::Stall { .. } | Read::Never => true,
    };
    let slow = "octets and every are more than 0";
    demand(reads, &format!("{key}.read"), slow)?;
    bounded(talk.patience, &format!("{key}.patience"))
}

fn attacks(attack: &Attack, scenario: &Scenario, key: &str) -> Checked {
    let every = !attack.every.is_zero();
    demand(every, &format!("{key}.every"), "it takes more than 0")?;
    let lasts = attack.every.saturating_mul(attack.count);
    bounded(attack.start.saturating_add(lasts), &format!("{key}.count"))?;
    target(attack.to, scenario, &format!("{key}.to"))?;
    match attack.method {
        Method::Forge(forgery) => {
            target(forgery.from, scenario, &format!("{key}.method.forge.from"))
        }
        Method::Report(lie) => target(lie.about, scenario, &format!("{key}.method.report.about")),
        Method::Flood | Method::Islands { .. } => Ok(()),
    }
}

fn target(target: Target, scenario: &Scenario, key: &str) -> Checked {
    host(target.host, scenario, &format!("{key}.host"))
}

fn faults(scenario: &Scenario) -> Checked {
    let there_are = scenario.links.len() as u32 * 2;
    let hop = |hop: HopId, key: String| {
        let link = hop.0 / 2;
        demand(hop.0 < there_are, &key, format!("there is no link {link}"))
    };
    for (nth, rule) in scenario.rules.iter().enumerate() {
        let key = format!("rules[{nth}]");
        if let Some(at) = rule.hop {
            hop(at, format!("{key}.at"))?;
        }
        demand(
            rule.at.saturating_add(rule.lasts) <= scenario.heal_at,
            &format!("{key}.lasts"),
            "all rules are lifted by heal_at",
        )?;
        outcomes(&rule.fate, &key)?;
    }
    match &scenario.faults {
        FaultPlan::Drawn { hops, nth, .. } => {
            for (at, (id, faults)) in hops.iter().enumerate() {
                let key = format!("faults.hops[{at}]");
                hop(*id, format!("{key}.at"))?;
                let bits = (1..=16).contains(&faults.burst_bits_max);
                demand(
                    bits,
                    &format!("{key}.burst_bits_max"),
                    "a burst has 1 to 16 bits",
                )?;
                let reorder = faults.reorder == 0 || !faults.reorder_max.is_zero();
                demand(
                    reorder,
                    &format!("{key}.reorder_max"),
                    "it takes more than 0",
                )?;
                let copies = (1..=Copies::MAX as u8).contains(&faults.duplicates_max);
                demand(
                    copies,
                    &format!("{key}.duplicates_max"),
                    format!("1 to {} copies", Copies::MAX),
                )?;
                bounded(faults.hold_max, &format!("{key}.hold_max"))?;
                bounded(faults.jitter.max(), &format!("{key}.jitter"))?;
            }
            for (at, rule) in nth.iter().enumerate() {
                let key = format!("faults.single[{at}]");
                hop(rule.hop, format!("{key}.at"))?;
                demand(rule.n > 0, &format!("{key}.n"), "it counts from 1")?;
                outcomes(&rule.fate, &key)?;
            }
        }
        FaultPlan::Listed(fates) => {
            for (at, (passage, fate)) in fates.iter().enumerate() {
                let key = format!("faults.listed[{at}]");
                hop(passage.hop, format!("{key}.at"))?;
                outcomes(fate, &key)?;
            }
        }
    }
    Ok(())
}

fn outcomes(fate: &Fate, key: &str) -> Checked {
    let copies = fate.copies.iter().enumerate();
    let copies = copies.map(|(nth, copy)| (format!("{key}.copies[{nth}]"), copy));
    let original = (format!("{key}.original"), fate.original);
    for (key, outcome) in copies.chain([original]) {
        let time = match outcome {
            Outcome::Drop => continue,
            Outcome::Deliver { extra, .. } => extra,
            Outcome::Hold(Release::After(time)) => time,
            Outcome::Hold(Release::Seen { at_most, .. } | Release::Restored { at_most }) => at_most,
        };
        bounded(time, &key)?;
    }
    Ok(())
}
