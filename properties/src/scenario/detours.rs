//! Routes that somebody has entered, so that datagrams take other ways than the shortest, and other
//! ways there than back.

use super::{LinkEnd, RoutePlan, Scenario};
use crate::choose::Choose;

/// One or two routes that lead to their hosts without a circle: over a neighbour that is no further
/// from the host than the router itself, at most one for each host.
pub(crate) fn draw(choose: &mut dyn Choose, scenario: &Scenario) -> Vec<RoutePlan> {
    let hosts = scenario.hosts.len() as u64;
    let first = choose.below(hosts) as u16;
    let hosts = [
        Some(first),
        choose.chance(1, 2).then(|| (first + 1) % hosts as u16),
    ];
    let detours = hosts.into_iter().flatten().filter_map(|host| {
        let all = detours(scenario, host);
        (!all.is_empty()).then(|| *choose.pick(&all))
    });
    detours.collect()
}

/// Every such route to this host.
fn detours(scenario: &Scenario, host: u16) -> Vec<RoutePlan> {
    let distances = distances(scenario, LinkEnd::Host(host));
    let distance = |end| {
        distances
            .iter()
            .find(|(its, _)| *its == end)
            .map(|(_, far)| *far)
    };
    let both = (0..)
        .zip(&scenario.links)
        .flat_map(|(link, plan)| [(link, plan.a, plan.b), (link, plan.b, plan.a)]);
    let route = |(link, from, to)| match (from, to) {
        (LinkEnd::Router(router), LinkEnd::Router(_)) => {
            (distance(to)? <= distance(from)?).then_some(RoutePlan { router, host, link })
        }
        _ => None,
    };
    both.filter_map(route).collect()
}

/// How many links lie between each machine and this one, nearest first. Hosts forward nothing.
fn distances(scenario: &Scenario, from: LinkEnd) -> Vec<(LinkEnd, u32)> {
    let mut reached = vec![(from, 0)];
    let mut next = 0;
    while let Some(&(near, distance)) = reached.get(next) {
        next += 1;
        if next > 1 && !matches!(near, LinkEnd::Router(_)) {
            continue;
        }
        for link in &scenario.links {
            let far = match (link.a == near, link.b == near) {
                (true, _) => link.b,
                (_, true) => link.a,
                _ => continue,
            };
            if reached.iter().all(|(end, _)| *end != far) {
                reached.push((far, distance + 1));
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::draw;
    use crate::check::{Run, Watch};
    use crate::choose::Seeded;
    use crate::scenario::Scenario;
    use crate::scenarios::Kind;
    use timewait_sim::{HopId, NodeId};

    /// The ways between all hosts.
    fn ways(scenario: &Scenario) -> Vec<Vec<HopId>> {
        let mut run = Run::new(scenario, Watch::NOTHING, Vec::new());
        let hosts = scenario.hosts.len() as u16;
        let pairs = (0..hosts).flat_map(|a| (0..hosts).map(move |b| (a, b)));
        let way = |(from, to)| {
            let address: IpAddr = scenario.address(to).expect("hosts have addresses");
            let way = run.world_mut().way(NodeId(u32::from(from)), address);
            way.expect("every detour ends at its host")
        };
        pairs.map(way).collect()
    }

    #[test]
    fn a_detour_leads_to_its_host_and_some_are_other_ways() {
        let mut others = 0;
        for seed in 0..200 {
            let mut scenario = Scenario::from_seed(Kind::Swarm, seed);
            scenario.routes.clear();
            let shortest = ways(&scenario);
            scenario.routes = draw(&mut Seeded::new(seed, "detours"), &scenario);
            others += u32::from(ways(&scenario) != shortest);
        }
        assert!(others > 10, "{others}");
    }
}
