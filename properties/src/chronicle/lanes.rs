//! The nodes and links of a scenario, and an order of the nodes from left to right.

use crate::check::node;
use crate::scenario::{LinkEnd, Scenario};

use super::model::{Link, Node};

/// Every node of the world, by its number there.
pub(super) fn nodes(scenario: &Scenario) -> Vec<Node> {
    let hosts = scenario.hosts.iter().map(|plan| {
        let addresses = plan.config.addresses.iter();
        let addresses = addresses.map(ToString::to_string).collect();
        let profile = plan.profile().map(timewait_stack::Profile::name);
        ("host", addresses, profile)
    });
    let routers = (0..scenario.routers).map(|_| ("router", Vec::new(), None));
    let attackers = scenario.attackers.iter();
    let attackers = attackers.map(|plan| ("attacker", vec![plan.address.to_string()], None));
    let boxes = scenario.boxes.iter();
    let boxes = boxes.map(|plan| {
        let address = plan.nat().map(|nat| nat.address.to_string());
        ("box", address.into_iter().collect(), None)
    });
    let all = hosts.chain(routers).chain(attackers).chain(boxes);
    let number = |(number, (role, addresses, profile)): (usize, (&'static str, _, _))| Node {
        name: format!("{}{number}", &role[..1]),
        role,
        addresses,
        profile,
    };
    all.enumerate().map(number).collect()
}

/// Every link.
pub(super) fn links(scenario: &Scenario) -> Vec<Link> {
    let of = |end: LinkEnd| node(scenario, end).0;
    let links = scenario.links.iter().map(|plan| Link {
        a: of(plan.a),
        b: of(plan.b),
        delay_ns: u64::try_from(plan.delay.as_nanos()).unwrap_or(u64::MAX),
        rate: plan.rate,
        mtu: plan.mtu,
    });
    links.collect()
}

/// The nodes from left to right: a walk over the links from the first node on, at each router first
/// to the nodes at the edge, then on to the next router.
pub(super) fn order(nodes: &[Node], links: &[Link]) -> Vec<u32> {
    let mut order = Vec::new();
    for first in 0..nodes.len() as u32 {
        walk(first, nodes, links, &mut order);
    }
    order
}

fn walk(from: u32, nodes: &[Node], links: &[Link], order: &mut Vec<u32>) {
    if order.contains(&from) {
        return;
    }
    order.push(from);
    let ends = links
        .iter()
        .flat_map(|link| [(link.a, link.b), (link.b, link.a)]);
    let mut next: Vec<u32> = ends
        .filter(|(near, _)| *near == from)
        .map(|(_, far)| far)
        .collect();
    next.sort_by_key(|far| nodes[*far as usize].role == "router");
    for far in next {
        walk(far, nodes, links, order);
    }
}

#[cfg(test)]
mod tests {
    use super::{links, nodes, order};
    use crate::scenario::Scenario;
    use crate::scenarios::Kind;

    #[test]
    fn every_node_has_one_lane_and_neighbours_stand_together() {
        for kind in Kind::ALL {
            for seed in 0..8 {
                let scenario = Scenario::from_seed(*kind, seed);
                let (nodes, links) = (nodes(&scenario), links(&scenario));
                let lanes = order(&nodes, &links);
                let mut sorted = lanes.clone();
                sorted.sort_unstable();
                assert!(sorted.into_iter().eq(0..nodes.len() as u32), "{kind}");
                let place = |node: u32| lanes.iter().position(|its| *its == node);
                if nodes.len() == 3 && scenario.routers == 1 {
                    assert_eq!(place(2), Some(1), "{kind}: a router between two hosts");
                }
            }
        }
    }
}
