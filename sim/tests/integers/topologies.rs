//! Integers over the usual networks.

use timewait_sim::rng::Key;
use timewait_sim::topology::{chain, dumbbell, pair, random_graph, star};
use timewait_sim::{Aqm, Duration, HopId, LinkConfig, NodeId, Prefix, World};

use crate::talker::{Talker, address, finish, link, ms, say, saying, talkers};

#[test]
fn a_pair_is_one_link() {
    let mut world = talkers(2, ());
    let (there, back) = pair(&mut world, NodeId(0), NodeId(1), link());
    assert_eq!(world.ends(there), (NodeId(0), NodeId(1)));
    assert_eq!(world.ends(back), (NodeId(1), NodeId(0)));
}

#[test]
fn a_chain_takes_one_delay_per_link() {
    for routers in 0..5 {
        let mut world = talkers(2, ());
        let chain = chain(&mut world, NodeId(0), NodeId(1), routers, link());
        assert!(chain.routers.iter().all(|router| world.is_router(*router)));
        say(&mut world, 0, saying(0, 1, 7));
        say(&mut world, 1, saying(1, 0, 8));
        finish(&mut world);
        let then = ms(10 * u64::from(routers + 1));
        assert_eq!(world.node(NodeId(1)).heard, [(then, 7)]);
        assert_eq!(world.node(NodeId(0)).heard, [(then, 8)]);
        let ends: Vec<_> = chain.forward.iter().map(|hop| world.ends(*hop)).collect();
        let mut back: Vec<_> = chain.backward.iter().map(|hop| world.ends(*hop)).collect();
        back.reverse();
        assert_eq!(
            ends,
            back.into_iter().map(|(a, b)| (b, a)).collect::<Vec<_>>()
        );
    }
}

#[test]
fn in_a_star_everybody_reaches_everybody() {
    let mut world = talkers(5, ());
    let hosts: Vec<_> = (0..5).map(NodeId).collect();
    star(&mut world, &hosts, link());
    for from in 0..5 {
        for to in (0..5).filter(|to| *to != from) {
            say(&mut world, from, saying(from, to, from));
        }
    }
    finish(&mut world);
    for host in hosts {
        let expected: Vec<_> = (0..5).filter(|from| *from != host.0).collect();
        assert_eq!(world.node(host).numbers(), expected);
    }
    assert_eq!(world.now(), ms(20));
}

#[test]
fn both_sides_of_a_dumbbell_meet_at_the_bottleneck() {
    let mut world = talkers(4, ());
    let hosts: Vec<_> = (0..4).map(NodeId).collect();
    // A datagram of 26 octets takes 1 ms in the middle.
    let middle = LinkConfig {
        mtu: None,
        delay: Duration::from_millis(30),
        rate: Some(26_000),
        queue_bytes_max: 10_000,
        aqm: Aqm::None,
    };
    let dumbbell = dumbbell(&mut world, &hosts[..2], &hosts[2..], link(), middle);
    assert_eq!(
        world.ends(dumbbell.across.0),
        (dumbbell.left.router, dumbbell.right.router)
    );
    for from in [0, 1] {
        say(&mut world, from, saying(from, from + 2, from));
    }
    finish(&mut world);
    assert_eq!(world.node(NodeId(2)).heard, [(ms(51), 0)]);
    assert_eq!(world.node(NodeId(3)).heard, [(ms(52), 1)]);
}

#[test]
fn in_a_random_graph_everybody_reaches_everybody() {
    for seed in 0..50 {
        let mut world = talkers(4, ());
        let hosts: Vec<_> = (0..4).map(NodeId).collect();
        let mut dice = Key::new(seed).stream(0x1_0000, 0);
        let routers = 1 + (seed % 6) as u32;
        let graph = random_graph(&mut world, &hosts, routers, 3, &mut dice, link());
        assert_eq!(graph.routers.len() as u32, routers);
        let room = (routers * (routers - 1) / 2) as usize;
        assert_eq!(graph.inner.len(), room.min(routers as usize - 1 + 3));
        for (from, to) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
            say(&mut world, from, saying(from, to, from));
        }
        finish(&mut world);
        assert_eq!(world.stats().delivered, 4, "{graph:?}");
    }
}

/// Talkers 0 and 1 at routers 2 and 5, with a way over 3 and one over 4 between these.
fn diamond() -> World<Talker, ()> {
    let mut world = talkers(2, ());
    let routers: Vec<_> = (0..4).map(|_| world.add_router()).collect();
    let ends = [(0, 2), (2, 3), (2, 4), (3, 5), (4, 5), (5, 1)];
    for (a, b) in ends {
        world.connect(NodeId(a), NodeId(b), link());
    }
    assert_eq!(routers, [2, 3, 4, 5].map(NodeId));
    world
}

fn hops(numbers: &[u32]) -> Option<Vec<HopId>> {
    Some(numbers.iter().map(|number| HopId(*number)).collect())
}

#[test]
fn an_entered_route_overrides_the_shortest_way_and_the_longest_prefix_wins() {
    let mut world = diamond();
    let way = |world: &mut World<Talker, ()>| world.way(NodeId(0), address(1));
    assert_eq!(way(&mut world), hops(&[0, 2, 6, 10]));
    world.add_route(NodeId(2), Prefix::new(address(0), 24), HopId(4));
    assert_eq!(way(&mut world), hops(&[0, 4, 8, 10]));
    world.add_route(NodeId(2), Prefix::host(address(1)), HopId(2));
    assert_eq!(way(&mut world), hops(&[0, 2, 6, 10]));
    let back = world.way(NodeId(1), address(0));
    assert_eq!(
        back, None,
        "the shorter prefix leads away from talker 0, too"
    );
    say(&mut world, 0, saying(0, 1, 7));
    finish(&mut world);
    assert_eq!(world.node(NodeId(1)).heard, [(ms(40), 7)]);
}

#[test]
fn a_route_that_leads_in_a_circle_ends_with_the_hop_limit() {
    let mut world = diamond();
    world.add_route(NodeId(3), Prefix::host(address(1)), HopId(3));
    assert_eq!(world.way(NodeId(0), address(1)), None);
    say(&mut world, 0, saying(0, 1, 7));
    finish(&mut world);
    assert_eq!(world.stats().dropped_hop_limit, 1);
    assert_eq!(world.now(), ms(640), "64 hops");
}

#[test]
fn a_default_route_takes_what_nobody_has() {
    let mut world = diamond();
    world.add_route(NodeId(2), Prefix::new(address(0), 0), HopId(4));
    say(&mut world, 0, saying(0, 99, 7));
    finish(&mut world);
    assert_eq!((world.stats().dropped_no_route, world.now()), (1, ms(20)));
}

#[test]
#[should_panic(expected = "does not leave")]
fn a_route_begins_at_its_router() {
    diamond().add_route(NodeId(2), Prefix::host(address(1)), HopId(3));
}
