//! Everything is drawn: each seed is another network with other hosts, users and faults.

use core::time::Duration;

use super::Kind;
use crate::choose::Choose;
use crate::scenario::ground::{Ground, Shape, narrow};
use crate::scenario::{HostPlan, IcmpPlan, Scenario};
use crate::scenario::{detours, talks, weather};

/// When nothing has ended a conversation, its users do.
const PATIENCE: Duration = Duration::from_secs(300);
const LIMIT: Duration = Duration::from_secs(6 * 3600);
const RTT_MAX: Duration = Duration::from_millis(200);
/// Service `n` listens on this port plus `n`.
const FIRST_PORT: u16 = 1000;

/// A scenario in which everything is drawn.
pub(super) fn generate(choose: &mut dyn Choose) -> Scenario {
    let ground = Ground::draw(choose, RTT_MAX);
    let count = choose.between(2, 8) as u16;
    let shape = shape(choose, count);
    let (routers, mut links) = ground.wires(choose, shape, count);
    let icmp = choose.chance(1, 4).then(|| IcmpPlan::draw(choose));
    if icmp.is_some() {
        narrow(choose, &mut links, ground.mtu_min());
    }
    let mut hosts: Vec<HostPlan> = (0..count).map(|index| ground.host(choose, index)).collect();
    for service in 0..choose.between(1, 2 * u64::from(count)) as u16 {
        add_service(choose, &mut hosts, service);
    }
    for host in &mut hosts {
        host.config.abort_on_close = choose.chance(1, 16);
        host.may_be_cut_up = choose.chance(1, 4);
    }
    let faults = weather::families(choose, &ground, 4);
    let hops = weather::spread(choose, &links, faults, 2);
    let mut scenario = Scenario {
        icmp,
        faults: weather::drawn(choose, hops, Vec::new()),
        heal_at: weather::heal_at(choose),
        ..ground.calm(Kind::Swarm, hosts, (routers, links), LIMIT)
    };
    if choose.chance(1, 2) {
        scenario.routes = detours::draw(choose, &scenario);
    }
    scenario
}

/// How so many hosts are joined.
fn shape(choose: &mut dyn Choose, hosts: u16) -> Shape {
    match (choose.below(4), hosts) {
        (0 | 1, 2) => Shape::Chain(choose.below(4) as u16),
        (0, _) => Shape::Star,
        (1, _) => Shape::Dumbbell,
        (2, _) => Shape::Chain(choose.between(1, 5) as u16),
        _ => Shape::Graph(choose.between(2, 7) as u16),
    }
}

/// One server and up to three clients of it.
fn add_service(choose: &mut dyn Choose, hosts: &mut [HostPlan], service: u16) {
    let count = hosts.len() as u64;
    let at = choose.below(count);
    let (client, server) = talks::pair(choose, PATIENCE);
    let port = FIRST_PORT + service;
    let clients = choose.between(1, 3) as u16;
    for _ in 0..clients {
        let from = (at + choose.between(1, count - 1)) % count;
        let start = Duration::from_millis(choose.below(10_000));
        let caller = talks::caller(start, 0, (at as u16, port), client);
        hosts[from as usize].apps.push(caller);
    }
    let server = talks::server(choose, port, clients, PATIENCE, server);
    hosts[at as usize].apps.push(server);
}
