//! The usual networks, one line each.

use crate::fates::{Fates, HopId};
use crate::link::LinkConfig;
use crate::node::Node;
use crate::packet::NodeId;
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
