//! Hosts that are not well: they stand still for a while, their clocks are wrong, and memory is short.
//!
//! The network is as in `swarm`, but smaller. A pause may be short against an RTO or long against an
//! MSL, so that what has waited is too old when its host goes on. Clocks begin anywhere, often just
//! before TSval wraps (RFC 7323 §5.4), and gain or lose up to 500 parts in a million.

use core::time::Duration;

use timewait_stack::Config;

use super::Kind;
use crate::choose::Choose;
use crate::clock::Clock;
use crate::scenario::ground::{Ground, Shape};
use crate::scenario::{HostPlan, Pause, Scenario};
use crate::scenario::{talks, weather};

/// When nothing has ended a conversation, its users do.
const PATIENCE: Duration = Duration::from_secs(300);
const LIMIT: Duration = Duration::from_secs(12 * 3600);
const RTT_MAX: Duration = Duration::from_millis(200);
/// Service `n` listens on this port plus `n`.
const FIRST_PORT: u16 = 1000;
/// From here a client calls again and again.
const CLIENT_PORT: u16 = 5000;

/// A scenario of this kind.
pub(super) fn generate(choose: &mut dyn Choose) -> Scenario {
    let ground = Ground::draw(choose, RTT_MAX);
    let count = *choose.pick(&[2, 2, 3, 4]);
    let shape = match count {
        2 => Shape::Chain(choose.between(1, 3) as u16),
        _ => Shape::Star,
    };
    let (routers, links) = ground.wires(choose, shape, count);
    let mut hosts: Vec<HostPlan> = (0..count).map(|index| ground.host(choose, index)).collect();
    for host in &mut hosts {
        host.clock = clock(choose);
        host.config.memory_max = memory(choose, &host.config);
    }
    for service in 0..choose.between(1, 3) as u16 {
        add_service(choose, &mut hosts, service);
    }
    let faults = weather::families(choose, &ground, 3);
    let hops = weather::spread(choose, &links, faults, 2);
    let pauses = (0..count).flat_map(|host| pauses(choose, &ground, host));
    Scenario {
        // In true time an MSL is over earlier on a clock that is fast (E1).
        lifetime: Some(ground.lifetime * 999 / 1000),
        pauses: pauses.collect(),
        faults: weather::drawn(choose, hops, Vec::new()),
        heal_at: weather::heal_at(choose),
        ..ground.calm(Kind::Ailing, hosts, (routers, links), LIMIT)
    }
}

/// A clock that begins anywhere and runs wrong.
fn clock(choose: &mut dyn Choose) -> Clock {
    let wrap = Duration::from_millis(1 << 32);
    let before = weather::log_duration(choose, Duration::from_millis(1), Duration::from_secs(300));
    let offset = match choose.below(3) {
        0 => Duration::ZERO,
        1 => wrap - before,
        _ => Duration::from_nanos(choose.below(wrap.as_nanos() as u64)),
    };
    let most = Clock::DRIFT_MAX_PPM;
    let drift_ppm = match choose.below(4) {
        0 => 0,
        1 => *choose.pick(&[most, -most]),
        _ => choose.below(2 * most as u64 + 1) as i32 - most,
    };
    Clock { offset, drift_ppm }
}

/// In half of the cases room for a few first windows and little more.
fn memory(choose: &mut dyn Choose, config: &Config) -> Option<u64> {
    let first = u64::from(config.receive_buffer.min(65_535));
    let drawn = choose.chance(1, 2);
    drawn.then(|| first * choose.between(1, 6) + choose.below(first))
}

/// None or a few pauses of a host, one after the other.
fn pauses(choose: &mut dyn Choose, ground: &Ground, host: u16) -> Vec<Pause> {
    let mut at = Duration::ZERO;
    let mut pauses = Vec::new();
    for _ in 0..choose.below(4) {
        at += weather::log_duration(choose, ground.rtt / 2, Duration::from_secs(20));
        let lasts = weather::log_duration(choose, Duration::from_millis(1), ground.lifetime * 2);
        let datagrams_max = *choose.pick(&[1000, 1000, 100, 5, 0]);
        pauses.push(Pause {
            host,
            at,
            lasts,
            datagrams_max,
        });
        at += lasts + Duration::from_nanos(1);
    }
    pauses
}

/// One server and a few clients of it, who may call again and again from one port.
fn add_service(choose: &mut dyn Choose, hosts: &mut [HostPlan], service: u16) {
    let count = hosts.len() as u64;
    let at = choose.below(count);
    let (client, server) = talks::pair(choose, PATIENCE);
    let port = FIRST_PORT + service;
    let from = (at + choose.between(1, count - 1)) % count;
    let own_port = *choose.pick(&[0, CLIENT_PORT + service]);
    let clients = choose.between(1, 4) as u16;
    let mut start = Duration::from_millis(choose.below(5_000));
    for _ in 0..clients {
        let caller = talks::caller(start, own_port, (at as u16, port), client);
        hosts[from as usize].apps.push(caller);
        let most = Duration::from_secs(*choose.pick(&[1, 10, 300]));
        start += weather::log_duration(choose, Duration::from_millis(1), most);
    }
    let server = talks::server(choose, port, clients, PATIENCE * 4, server);
    hosts[at as usize].apps.push(server);
}
