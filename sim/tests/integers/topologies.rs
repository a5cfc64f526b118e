//! Integers over the usual networks.

use timewait_sim::topology::{chain, dumbbell, pair, star};
use timewait_sim::{Aqm, Duration, LinkConfig, NodeId};

use crate::talker::{finish, link, ms, say, saying, talkers};

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
