//! The usual networks, one line each.

use crate::fates::{Fates, HopId};
use crate::link::LinkConfig;
use crate::node::Node;
use crate::packet::NodeId;
use crate::rng::Stream;
use crate::world::World;

/// Two hosts at one link: the hop from `a` to `b` and the one back.
pub fn pair<N: Node, F: Fates>(
    world: &mut World<N, F>,
    a: NodeId,
    b: NodeId,
    link: LinkConfig,
) -> (HopId, HopId) {
    world.connect(a, b, link)
}

/// Two hosts with routers in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The routers, the one next to `a` first.
    pub routers: Vec<NodeId>,
    /// The hops from `a` to `b`, in this order.
    pub forward: Vec<HopId>,
    /// The hops from `b` to `a`, in this order.
    pub backward: Vec<HopId>,
}

/// `a`, then so many routers, then `b`, all links alike.
pub fn chain<N: Node, F: Fates>(
    world: &mut World<N, F>,
    a: NodeId,
    b: NodeId,
    routers: u32,
    link: LinkConfig,
) -> Chain {
    let routers: Vec<_> = (0..routers).map(|_| world.add_router()).collect();
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    let mut near = a;
    for far in routers.iter().copied().chain([b]) {
        let (there, back) = world.connect(near, far, link);
        forward.push(there);
        backward.insert(0, back);
        near = far;
    }
    Chain {
        routers,
        forward,
        backward,
    }
}

/// Hosts around one router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Star {
    /// The router.
    pub router: NodeId,
    /// From each host to the router.
    pub up: Vec<HopId>,
    /// From the router to each host.
    pub down: Vec<HopId>,
}

/// All hosts at one router, all links alike.
pub fn star<N: Node, F: Fates>(
    world: &mut World<N, F>,
    hosts: &[NodeId],
    link: LinkConfig,
) -> Star {
    let router = world.add_router();
    let (up, down) = hosts
        .iter()
        .map(|host| world.connect(*host, router, link))
        .unzip();
    Star { router, up, down }
}

/// Two stars with one link between their routers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumbbell {
    /// One side.
    pub left: Star,
    /// The other.
    pub right: Star,
    /// From the left router to the right one, and back.
    pub across: (HopId, HopId),
}

/// Hosts on both sides of a bottleneck.
pub fn dumbbell<N: Node, F: Fates>(
    world: &mut World<N, F>,
    left: &[NodeId],
    right: &[NodeId],
    edge: LinkConfig,
    bottleneck: LinkConfig,
) -> Dumbbell {
    let left = star(world, left, edge);
    let right = star(world, right, edge);
    let across = world.connect(left.router, right.router, bottleneck);
    Dumbbell {
        left,
        right,
        across,
    }
}

/// Routers with links here and there, and hosts at them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The routers.
    pub routers: Vec<NodeId>,
    /// From each host to its router, and back.
    pub edges: Vec<(HopId, HopId)>,
    /// Between routers, and back.
    pub inner: Vec<(HopId, HopId)>,
}

/// A random connected graph of so many routers, at least one, with `more` links than it takes to
/// connect them, as far as there is room; each host at a random one; all links alike.
pub fn random_graph<N: Node, F: Fates>(
    world: &mut World<N, F>,
    hosts: &[NodeId],
    routers: u32,
    more: u32,
    dice: &mut Stream,
    link: LinkConfig,
) -> Graph {
    assert!(routers > 0, "hosts need a router");
    let nodes: Vec<_> = (0..routers).map(|_| world.add_router()).collect();
    let mut below = |bound: u32| dice.below(bound.into()) as u32;
    let pairs = graph_links(routers, more, &mut below);
    let at = |router: u32| nodes[router as usize];
    let inner = pairs
        .into_iter()
        .map(|(a, b)| world.connect(at(a), at(b), link))
        .collect();
    let edges = hosts
        .iter()
        .map(|host| world.connect(*host, at(below(routers)), link))
        .collect();
    Graph {
        routers: nodes,
        edges,
        inner,
    }
}

/// The links of a random connected graph of so many routers, `more` than it takes to connect them as
/// far as there is room, none twice. `below` gives a number below its argument.
pub fn graph_links(routers: u32, more: u32, below: &mut dyn FnMut(u32) -> u32) -> Vec<(u32, u32)> {
    // Each is joined to one before it: a tree.
    let mut links: Vec<_> = (1..routers).map(|router| (below(router), router)).collect();
    for _ in 0..more {
        let all = (0..routers).flat_map(|b| (0..b).map(move |a| (a, b)));
        let free: Vec<_> = all.filter(|pair| !links.contains(pair)).collect();
        if free.is_empty() {
            break;
        }
        links.push(free[below(free.len() as u32) as usize]);
    }
    links
}
