//! What oracles are told of a scenario before it runs.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use timewait_sim::{Instant, NodeId};
use timewait_stack::Config;

use super::run::{self, ScenarioWorld};

use crate::clock::Clock;
use crate::facts::Circumstances;
use crate::scenario::{
    Buffers, FaultPlan, HostPlan, LinkEnd, LinkPlan, Pause, Role, Scenario, Talk,
};

/// The circumstances of this scenario, in its world.
pub(super) fn of(scenario: &Scenario, world: &mut ScenarioWorld) -> Circumstances {
    let hosts = (0..)
        .map(NodeId)
        .zip(scenario.hosts.iter().map(|host| host.config.clone()));
    let ways = ways(scenario, world);
    let delays = delays(scenario, &ways);
    Circumstances {
        hosts: hosts.collect(),
        buffers: buffers(scenario),
        attackers: run::attackers(scenario).map(NodeId).collect(),
        boxes: run::boxes(scenario).map(NodeId).collect(),
        translates: scenario.boxes.iter().any(|plan| plan.nat().is_some()),
        reboots: reboots(scenario).collect(),
        clocks: clocks(scenario),
        pauses: pauses(scenario),
        lifetime: scenario.lifetime,
        heal_at: Some(heal_at(scenario)),
        delay_min: delays
            .iter()
            .map(|delay| delay.least)
            .min()
            .unwrap_or_default(),
        delay_max: delays
            .iter()
            .map(|delay| delay.most)
            .max()
            .unwrap_or_default(),
        path_mtus: path_mtus(&ways),
        cut_up: cut_up(scenario).collect(),
        routers_report: scenario.icmp.is_some(),
        queues_hold_all: queues_hold_all(scenario),
    }
}

/// The settings of every boot but the first of each host.
fn reboots(scenario: &Scenario) -> impl Iterator<Item = ((NodeId, u8), Config)> {
    let boot = |nth: usize, host: u16| {
        let before = scenario.crashes[..nth].iter();
        before.filter(|crash| crash.host == host).count() as u8 + 1
    };
    let numbered = scenario.crashes.iter().enumerate();
    numbered.map(move |(nth, crash)| {
        let name = (NodeId(u32::from(crash.host)), boot(nth, crash.host));
        (name, crash.config.clone())
    })
}

/// The clocks that do not show true time.
fn clocks(scenario: &Scenario) -> BTreeMap<NodeId, Clock> {
    let hosts = (0..).map(NodeId).zip(&scenario.hosts);
    let clocks = hosts.map(|(node, plan)| (node, plan.clock));
    clocks.filter(|(_, clock)| *clock != Clock::TRUE).collect()
}

/// When each host stands still, in the order of time.
fn pauses(scenario: &Scenario) -> BTreeMap<NodeId, Vec<(Instant, Instant)>> {
    let mut pauses: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for pause in &scenario.pauses {
        let of_host = pauses.entry(NodeId(u32::from(pause.host))).or_default();
        of_host.push((Instant::ZERO + pause.at, Instant::ZERO + pause.ends_at()));
    }
    pauses
        .values_mut()
        .for_each(|of_host| of_host.sort_unstable());
    pauses
}

/// When no new faults are made any more (at once, if there are none at all), all links are up, nobody
/// attacks, all hosts are up and awake, and none keeps its quiet time.
fn heal_at(scenario: &Scenario) -> Instant {
    let network = match &scenario.faults {
        FaultPlan::Listed(fates) if fates.is_empty() => Duration::ZERO,
        _ => scenario.heal_at,
    };
    let quiet = |config: &Config| config.quiet_time.unwrap_or_default();
    let first = scenario.hosts.iter().map(|host| quiet(&host.config));
    let later = scenario.crashes.iter();
    let later = later.map(|crash| crash.boots_at() + quiet(&crash.config));
    let awake = scenario.pauses.iter().map(Pause::ends_at).max();
    let world = network
        .max(scenario.cuts_end())
        .max(scenario.rules_end())
        .max(scenario.attacks_end())
        .max(awake.unwrap_or_default());
    Instant::ZERO + first.chain(later).fold(world, Duration::max)
}

/// How long a datagram is on its way over some link or path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Delay {
    /// With nothing in front of it.
    least: Duration,
    /// Behind full queues.
    most: Duration,
}

/// The way from each host to each other, link by link.
type Ways<'a> = BTreeMap<(NodeId, NodeId), Vec<&'a LinkPlan>>;

fn ways<'a>(scenario: &'a Scenario, world: &mut ScenarioWorld) -> Ways<'a> {
    let hosts = scenario.hosts.len() as u16;
    let mut ways = Ways::new();
    for (from, to) in (0..hosts).flat_map(|from| (0..hosts).map(move |to| (from, to))) {
        let [a, b] = [from, to].map(|host| NodeId(host.into()));
        let address = scenario.address(to).filter(|_| from != to);
        if let Some(hops) = address.and_then(|address| world.way(a, address)) {
            let links = hops.iter().map(|hop| &scenario.links[(hop.0 / 2) as usize]);
            ways.insert((a, b), links.collect());
        }
    }
    ways
}

/// The delay of each way.
fn delays(scenario: &Scenario, ways: &Ways<'_>) -> Vec<Delay> {
    let all = |way: &Vec<&LinkPlan>| {
        way.iter().fold(Delay::default(), |sum, link| {
            let over = delay(scenario, link);
            Delay {
                least: sum.least + over.least,
                most: sum.most + over.most + in_boxes(scenario, link) / 2,
            }
        })
    };
    ways.values().map(all).collect()
}

/// How long a datagram may wait in the boxes at both ends of a link. (A box has two links.)
fn in_boxes(scenario: &Scenario, link: &LinkPlan) -> Duration {
    let at = |end| match end {
        LinkEnd::Box(number) => scenario.boxes[usize::from(number)].delay(),
        LinkEnd::Host(_) | LinkEnd::Router(_) | LinkEnd::Attacker(_) => Duration::ZERO,
    };
    at(link.a) + at(link.b)
}

fn delay(scenario: &Scenario, link: &LinkPlan) -> Delay {
    let Some(rate) = link.rate else {
        return Delay {
            least: link.delay,
            most: link.delay,
        };
    };
    let mtu = scenario
        .hosts
        .iter()
        .map(|host| u64::from(host.config.mtu))
        .max()
        .unwrap_or(0);
    let octets = link.queue_bytes_max + mtu;
    let waiting = Duration::from_nanos(octets.saturating_mul(1_000_000_000).div_ceil(rate.max(1)));
    Delay {
        least: link.delay,
        most: link.delay + waiting,
    }
}

/// What the way from each host to each other carries, where a link of it is limited.
fn path_mtus(ways: &Ways<'_>) -> BTreeMap<(NodeId, NodeId), u16> {
    let narrowest = |way: &Vec<&LinkPlan>| way.iter().filter_map(|link| link.mtu).min();
    let limited = ways
        .iter()
        .filter_map(|(ends, way)| Some((*ends, narrowest(way)?)));
    limited.collect()
}

/// The hosts whose datagrams may be cut up. IPv6 has no such.
fn cut_up(scenario: &Scenario) -> impl Iterator<Item = NodeId> {
    let numbered = (0..).map(NodeId).zip(&scenario.hosts);
    let may = |(node, host): (NodeId, &HostPlan)| {
        let v4 = host.config.addresses.iter().all(IpAddr::is_ipv4);
        (host.may_be_cut_up && v4).then_some(node)
    };
    numbered.filter_map(may)
}

/// The largest buffers that users of each host set.
fn buffers(scenario: &Scenario) -> BTreeMap<NodeId, Buffers> {
    let mut largest = BTreeMap::new();
    for (node, host) in (0..).map(NodeId).zip(&scenario.hosts) {
        let talks = host.apps.iter().filter_map(|app| app.role.talk());
        let later = |talk: &Talk| talk.resized.map(|(_, buffers)| buffers);
        for set in talks.flat_map(|talk| [talk.buffers, later(talk)]).flatten() {
            let most = largest.entry(node).or_insert(set);
            *most = most.max(set);
        }
    }
    largest
}

/// Whether every queue holds what all connections may have outstanding at once, and drops none of it. A window of
/// small segments is more than twice as large with its headers, so three windows are counted for
/// each direction of a connection.
fn queues_hold_all(scenario: &Scenario) -> bool {
    let by_users = buffers(scenario).into_values().map(|set| set.receive);
    let hosts = scenario.hosts.iter().map(|host| host.config.receive_buffer);
    let window = hosts.chain(by_users).max().map(u64::from);
    let apps = scenario.hosts.iter().flat_map(|host| &host.apps);
    let connections: u64 = apps
        .map(|app| match &app.role {
            Role::Serve(serve) => u64::from(serve.clients),
            Role::Call(_) | Role::Churn(_) => 1,
        })
        .sum();
    let most = 3 * connections * window.unwrap_or(0);
    let mut rated = scenario.links.iter().filter(|link| link.rate.is_some());
    rated.all(|link| link.queue_bytes_max >= most && !link.aqm.drops_early())
}

#[cfg(test)]
mod tests {
    use crate::check::{Run, Watch};
    use crate::facts::Circumstances;
    use crate::scenario::Scenario;
    use core::time::Duration;

    use timewait_sim::{Instant, NodeId};

    use crate::pair::pair;
    use crate::scenario::FaultPlan;

    fn of(scenario: &Scenario) -> Circumstances {
        Run::new(scenario, Watch::ALL, Vec::new()).circumstances()
    }

    #[test]
    fn delays_add_up_along_the_way_and_queues_lengthen_them() {
        let mut scenario = pair(1).scenario().clone();
        let calm = of(&scenario);
        assert_eq!(calm.delay_min, Duration::from_millis(10));
        assert_eq!(calm.delay_max, Duration::from_millis(10));
        scenario.links[1].rate = Some(1_000_000);
        scenario.links[1].queue_bytes_max = 98_500;
        let slow = of(&scenario);
        assert_eq!(slow.delay_min, Duration::from_millis(10));
        assert_eq!(slow.delay_max, Duration::from_millis(110));
    }

    #[test]
    fn a_path_carries_what_its_narrowest_link_does() {
        let mut scenario = pair(1).scenario().clone();
        assert!(of(&scenario).path_mtus.is_empty());
        scenario.links[1].mtu = Some(700);
        scenario.links[0].mtu = Some(900);
        let narrow = of(&scenario);
        let (a, b) = (NodeId(0), NodeId(1));
        assert!(
            narrow
                .path_mtus
                .iter()
                .eq([(&(a, b), &700), (&(b, a), &700)])
        );
        assert!(narrow.is_narrow(a, b) && !narrow.is_black_hole(a, b));
        scenario.hosts[0].config.black_hole = None;
        let silent = of(&scenario);
        assert!(silent.is_black_hole(a, b) && !silent.is_black_hole(b, a));
        scenario.hosts[0].may_be_cut_up = true;
        assert!(!of(&scenario).is_black_hole(a, b));
    }

    #[test]
    fn a_network_without_faults_is_healed_from_the_start() {
        let mut scenario = pair(1).scenario().clone();
        scenario.heal_at = Duration::from_secs(3);
        assert_eq!(
            of(&scenario).heal_at,
            Some(Instant::from_nanos(3_000_000_000))
        );
        scenario.faults = FaultPlan::NONE;
        assert_eq!(of(&scenario).heal_at, Some(Instant::ZERO));
    }
}
