//! Nodes that stand on the way: they are handed what is for others, and send on what they like.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use timewait_sim::{
    Fates, Finding, Instant, Node, NodeId, Observation, Oracle, Outgoing, Packet, PacketId,
    Payload, Transit, World, WorldConfig,
};

use crate::talker::{DELAY, Talker, address, link, ms, number_in, saying};

/// What a gate does with a datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// It goes on with another integer.
    Add(u32),
    /// It goes on twice.
    Split,
    /// It waits for the next one and goes on with the sum of both.
    Join,
    /// It goes no further.
    Swallow,
    /// It is for this other host now.
    Redirect(u32),
}

struct Gate {
    deed: Deed,
    waiting: Option<Transit>,
    outbox: VecDeque<Transit>,
}

/// The machines of these worlds.
enum Machine {
    Talker(Talker),
    Gate(Gate),
}

impl Gate {
    fn take(&mut self, mut transit: Transit) {
        let number = number_in(transit.packet().payload.octets()).expect("undamaged");
        match self.deed {
            Deed::Add(more) => {
                say_instead(&mut transit, number + more);
                self.outbox.push_back(transit);
            }
            Deed::Split => self.outbox.extend([transit.clone(), transit]),
            Deed::Join => match self.waiting.take() {
                None => self.waiting = Some(transit),
                Some(mut first) => {
                    let sum = number + number_in(first.packet().payload.octets()).unwrap_or(0);
                    first.join(&transit);
                    say_instead(&mut first, sum);
                    self.outbox.push_back(first);
                }
            },
            Deed::Swallow => {}
            Deed::Redirect(host) => {
                transit.sent_mut().dst = address(host);
                self.outbox.push_back(transit);
            }
        }
    }
}

fn say_instead(transit: &mut Transit, number: u32) {
    let payload: Payload = saying(0, 0, number).payload;
    transit.sent_mut().payload = payload;
}

impl Node for Machine {
    type Event = u32;

    fn handle_packet(&mut self, now: Instant, packet: &Packet) {
        match self {
            Self::Talker(talker) => talker.handle_packet(now, packet),
            Self::Gate(_) => panic!("nodes on the way get nothing delivered"),
        }
    }

    fn handle_transit(&mut self, _: Instant, transit: Transit) {
        match self {
            Self::Talker(_) => panic!("a host is not on the way"),
            Self::Gate(gate) => gate.take(transit),
        }
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_transit(&mut self, _: Instant) -> Option<Transit> {
        match self {
            Self::Talker(_) => None,
            Self::Gate(gate) => gate.outbox.pop_front(),
        }
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing> {
        match self {
            Self::Talker(talker) => talker.poll_transmit(now),
            Self::Gate(_) => None,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn poll_event(&mut self) -> Option<u32> {
        None
    }
}

/// Talkers 0, 1 and 2, the first joined to the others by a gate (node 3).
fn gated<F: Fates>(deed: Deed, fates: F, config: WorldConfig) -> World<Machine, F> {
    let mut world = World::new(config, fates);
    for host in 0..3 {
        world.add_node(Machine::Talker(Talker::default()), &[address(host)]);
    }
    let gate = Gate {
        deed,
        waiting: None,
        outbox: VecDeque::new(),
    };
    let gate = world.add_transit(Machine::Gate(gate), &[address(9)]);
    for host in 0..3 {
        world.connect(NodeId(host), gate, link());
    }
    world
}

fn say<F: Fates>(world: &mut World<Machine, F>, datagram: Outgoing) {
    world.with(NodeId(0), |machine, _| {
        let Machine::Talker(talker) = machine else {
            panic!("node 0 talks")
        };
        talker.outbox.push_back(datagram);
    });
}

fn heard<F: Fates>(world: &World<Machine, F>, host: u32) -> Vec<(Instant, u32)> {
    match world.node(NodeId(host)) {
        Machine::Talker(talker) => talker.heard.clone(),
        Machine::Gate(_) => Vec::new(),
    }
}

/// Everything that was delivered.
#[derive(Clone, Default)]
struct Arrivals(Rc<RefCell<Vec<Packet>>>);

impl Oracle<u32> for Arrivals {
    fn name(&self) -> &'static str {
        "arrivals"
    }

    fn observe(&mut self, _: Instant, seen: &Observation<'_, u32>, _: &mut Vec<Finding>) {
        if let Observation::Delivered { packet, .. } = seen {
            self.0.borrow_mut().push((*packet).clone());
        }
    }
}

/// What arrives of the integers 1 and 2, sent to talker 1 a millisecond apart.
fn through(deed: Deed) -> (Vec<Packet>, World<Machine, ()>) {
    let mut world = gated(deed, (), WorldConfig::default());
    let arrivals = Arrivals::default();
    world.add_oracle(Box::new(arrivals.clone()));
    for (number, at) in [(1, 0), (2, 1)] {
        world.run_until(ms(at));
        let tag = u64::from(number);
        say(
            &mut world,
            Outgoing {
                tag,
                ..saying(0, 1, number)
            },
        );
    }
    while world.step() {}
    let arrived = arrivals.0.borrow().clone();
    (arrived, world)
}

fn name(ordinal: u64) -> PacketId {
    PacketId {
        origin: NodeId(0),
        ordinal,
    }
}

#[test]
fn what_is_changed_on_the_way_keeps_name_birth_and_labels() {
    let (arrived, world) = through(Deed::Add(40));
    assert_eq!(heard(&world, 1), [(ms(20), 41), (ms(21), 42)]);
    let known: Vec<_> = arrived.iter().map(|it| (it.id, it.born, it.tag)).collect();
    assert_eq!(known, [(name(0), ms(0), 1), (name(1), ms(1), 2)]);
    assert!(arrived.iter().all(|packet| packet.parts.is_empty()));
    assert!(arrived.iter().all(|packet| packet.hop_limit == 63));
    let stats = world.stats();
    assert_eq!((stats.sent, stats.passed, stats.delivered), (2, 2, 2));
}

#[test]
fn a_datagram_in_two_has_one_name() {
    let (arrived, _) = through(Deed::Split);
    let names: Vec<_> = arrived.iter().map(|packet| packet.id.ordinal).collect();
    assert_eq!(names, [0, 0, 1, 1]);
}

#[test]
fn two_datagrams_in_one_are_as_old_as_the_older_and_remember_both() {
    let (arrived, world) = through(Deed::Join);
    assert_eq!(heard(&world, 1), [(ms(21), 3)]);
    let [packet] = &arrived[..] else {
        panic!("{arrived:?}")
    };
    assert_eq!((packet.id, packet.born), (name(0), ms(0)));
    let parts: Vec<_> = packet
        .parts
        .iter()
        .map(|it| (it.id, it.born, it.tag))
        .collect();
    assert_eq!(parts, [(name(0), ms(0), 1), (name(1), ms(1), 2)]);
}

#[test]
fn a_node_on_the_way_may_swallow_and_redirect() {
    let (arrived, world) = through(Deed::Swallow);
    assert!(arrived.is_empty() && world.in_flight() == 0);
    let (_, world) = through(Deed::Redirect(2));
    assert_eq!(heard(&world, 2), [(ms(20), 1), (ms(21), 2)]);
    assert!(heard(&world, 1).is_empty());
}

#[test]
fn what_is_for_the_node_itself_is_handed_over_too() {
    let mut world = gated(Deed::Redirect(1), (), WorldConfig::default());
    say(&mut world, saying(0, 9, 5));
    while world.step() {}
    assert_eq!(heard(&world, 1), [(ms(20), 5)]);
}

#[test]
fn the_way_over_a_node_counts_as_a_hop_and_age_counts_on() {
    let mut world = gated(Deed::Add(0), (), WorldConfig::default());
    let hop_limit = 1;
    say(
        &mut world,
        Outgoing {
            hop_limit,
            ..saying(0, 1, 5)
        },
    );
    while world.step() {}
    assert_eq!(world.stats().dropped_hop_limit, 1);

    let lifetime = Some(DELAY + DELAY / 2);
    let config = WorldConfig {
        lifetime,
        ..WorldConfig::default()
    };
    let mut world = gated(Deed::Add(0), (), config);
    say(&mut world, saying(0, 1, 5));
    while world.step() {}
    assert_eq!(
        (world.stats().passed, world.stats().dropped_too_old),
        (1, 1)
    );
}

#[test]
fn what_no_host_has_the_address_of_is_dropped_by_the_node() {
    let mut world = gated(Deed::Redirect(77), (), WorldConfig::default());
    say(&mut world, saying(0, 1, 5));
    while world.step() {}
    assert_eq!(world.stats().dropped_no_route, 1);
    let mut world = gated(Deed::Redirect(9), (), WorldConfig::default());
    say(&mut world, saying(0, 1, 5));
    while world.step() {}
    assert_eq!(
        world.stats().dropped_no_route,
        1,
        "nothing goes round in circles"
    );
}
