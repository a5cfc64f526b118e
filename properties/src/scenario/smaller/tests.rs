use core::time::Duration;

use timewait_sim::fates::LinkFaults;
use timewait_sim::{Aqm, Copies, Fate, HopId, NodeId, Outcome, Passage};
use timewait_stack::ConnectionId;

use super::pieces;
use crate::label::Incarnation;
use crate::scenario::{Cut, Direction, FaultPlan, LinkEnd, LinkPlan, Role, Scenario};
use crate::scenarios::Kind;

/// Where shrinking ends when the first (or the last) candidate always still fails.
fn end_of_shrinking(mut scenario: Scenario, last: bool) -> Scenario {
    for _ in 0..20_000 {
        let next = match last {
            true => scenario.smaller().last(),
            false => scenario.smaller().next(),
        };
        let Some(next) = next else { return scenario };
        scenario = next;
    }
    panic!("shrinking of a {} does not end", scenario.kind);
}

#[test]
fn shrinking_ends_whatever_fails() {
    for &kind in Kind::ALL {
        for last in [false, true] {
            let end = end_of_shrinking(Scenario::from_seed(kind, 1), last);
            assert_eq!(end.seed, None);
            assert!(end.hosts.iter().all(|host| host.apps.is_empty()), "{end:?}");
        }
    }
}

#[test]
fn no_candidate_equals_its_origin() {
    let scenario = Scenario::from_seed(Kind::Swarm, 5);
    let origin = Scenario {
        seed: None,
        ..scenario.clone()
    };
    assert!(scenario.smaller().count() > 20);
    assert!(scenario.smaller().all(|smaller| smaller != origin));
}

#[test]
fn pieces_are_the_whole_its_halves_and_so_on_to_single_ones() {
    let all: Vec<_> = pieces(3).collect();
    assert_eq!(all, [(0, 3), (0, 2), (2, 1), (0, 1), (1, 1), (2, 1)]);
    assert_eq!(pieces(0).count(), 0);
}

#[test]
fn a_host_leaves_with_its_link_its_callers_and_its_numbers() {
    let seeds = 0..;
    let mut swarms = seeds.map(|seed| Scenario::from_seed(Kind::Swarm, seed));
    let mut scenario = swarms
        .find(|swarm| swarm.hosts.len() > 2)
        .expect("most swarms have");
    let hosts = scenario.hosts.len() as u16;
    let sender = |host| Incarnation {
        host: NodeId(host),
        boot: 0,
        connection: ConnectionId(3),
    };
    let at = |hop, host| Passage {
        hop: HopId(hop),
        tag: sender(host).tag(),
        ordinal: 0,
    };
    let drop = Fate {
        original: Outcome::Drop,
        copies: Copies::NONE,
    };
    scenario.faults = FaultPlan::Listed(vec![(at(0, 0), drop), (at(3, 1), drop)]);
    let smaller = scenario.without_host(0).expect("it has that host");
    assert_eq!(smaller.hosts.len() as u16, hosts - 1);
    assert_eq!(smaller.links.len(), scenario.links.len() - 1);
    assert_eq!(smaller.links[0].a, LinkEnd::Host(0));
    // Host 1 is host 0 now, and link 1 is link 0.
    assert_eq!(smaller.faults, FaultPlan::Listed(vec![(at(1, 0), drop)]));
    for app in smaller.hosts.iter().flat_map(|host| &host.apps) {
        if let Role::Call(call) = &app.role {
            assert!(call.host < hosts - 1);
        }
    }
}

#[test]
fn a_cut_leaves_or_lasts_shorter_and_moves_with_its_link() {
    let seeds = 0..;
    let mut swarms = seeds.map(|seed| Scenario::from_seed(Kind::Swarm, seed));
    let mut scenario = swarms
        .find(|swarm| swarm.hosts.len() > 2)
        .expect("most swarms have");
    let cut = |link, lasts| Cut {
        at: Duration::from_millis(5),
        lasts: Duration::from_millis(lasts),
        link,
        direction: Direction::Both,
    };
    scenario.cuts = vec![cut(0, 40), cut(1, 60)];
    scenario.heal_at = Duration::from_millis(1500);
    let has = |cuts: &[Cut]| scenario.smaller().any(|smaller| smaller.cuts == cuts);
    assert!(has(&[]) && has(&[cut(1, 60)]) && has(&[cut(0, 40), cut(1, 30)]));
    let smaller = scenario.without_host(0).expect("it has that host");
    assert_eq!(
        smaller.cuts,
        [cut(0, 60)],
        "link 0 is gone, link 1 is link 0"
    );

    scenario.cuts = vec![cut(0, 1400)];
    let mut heal = scenario.smaller().map(|smaller| smaller.heal_at);
    assert!(
        heal.all(|heal_at| heal_at >= Duration::from_millis(705)),
        "links are up again before"
    );
}

#[test]
fn a_family_leaves_all_hops_and_the_others_stay() {
    let mut scenario = Scenario::from_seed(Kind::Bulk, 1);
    let faults = LinkFaults {
        loss: 5,
        hold_copy: 7,
        ..LinkFaults::NONE
    };
    let lossless = LinkFaults { loss: 0, ..faults };
    let with = |faults| {
        let hops = vec![(HopId(0), faults), (HopId(1), faults)];
        FaultPlan::Drawn {
            seed: 1,
            hops,
            nth: Vec::new(),
        }
    };
    scenario.faults = with(faults);
    assert!(
        scenario
            .smaller()
            .any(|smaller| smaller.faults == with(lossless))
    );
}

#[test]
fn a_queue_stops_marking_and_keeps_its_length() {
    let mut scenario = Scenario::from_seed(Kind::Bulk, 1);
    let marked = scenario.links[0];
    scenario.links[0].aqm = Aqm::Threshold { bytes: 3000 };
    let unmarked = LinkPlan {
        aqm: Aqm::None,
        ..marked
    };
    let links: Vec<_> = scenario.smaller().map(|smaller| smaller.links[0]).collect();
    assert!(links.contains(&unmarked));
}

#[test]
fn a_box_leaves_a_router_in_its_place_and_the_next_moves_up() {
    let seeds = 0..;
    let mut all = seeds.map(|seed| Scenario::from_seed(Kind::Middlebox, seed));
    let scenario = all
        .find(|scenario| scenario.boxes.len() == 2)
        .expect("some have");
    let smaller = scenario.without_box(0).expect("no attackers");
    assert_eq!(smaller.boxes, scenario.boxes[1..]);
    assert_eq!(smaller.routers, scenario.routers + 1);
    let ends = |scenario: &Scenario, end: LinkEnd| {
        let links = scenario.links.iter();
        links.filter(|link| link.a == end || link.b == end).count()
    };
    assert_eq!(ends(&smaller, LinkEnd::Router(scenario.routers)), 2);
    assert_eq!(ends(&smaller, LinkEnd::Box(0)), 2);
    assert_eq!(ends(&smaller, LinkEnd::Box(1)), 0);
}

#[test]
fn pauses_and_wrong_clocks_go_one_by_one() {
    let seeds = 0..;
    let mut all = seeds.map(|seed| Scenario::from_seed(Kind::Ailing, seed));
    let scenario = all
        .find(|scenario| scenario.pauses.len() > 1)
        .expect("most have");
    let fewer = |smaller: &Scenario| {
        smaller.hosts.len() == scenario.hosts.len()
            && smaller.pauses.len() + 1 == scenario.pauses.len()
    };
    assert_eq!(
        scenario.smaller().filter(fewer).count(),
        scenario.pauses.len()
    );
    let wrong = |scenario: &Scenario| {
        let hosts = scenario.hosts.iter();
        hosts
            .filter(|host| host.clock != crate::Clock::TRUE)
            .count()
    };
    let truer = |smaller: &Scenario| {
        smaller.hosts.len() == scenario.hosts.len() && wrong(smaller) < wrong(&scenario)
    };
    assert_eq!(scenario.smaller().filter(truer).count(), wrong(&scenario));
}
