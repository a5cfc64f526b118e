//! Nodes that never come to an end are stopped, and that is a violation.

use timewait_sim::{FindingKind, Instant, Node, NodeId, Outgoing, Packet, World, WorldConfig};

use crate::talker::{address, ms, saying};

/// Misbehaves in one way.
#[derive(Clone, Copy, PartialEq)]
enum Endless {
    Talk,
    Events,
    Alarms,
}

impl Node for Endless {
    type Event = ();
    fn handle_packet(&mut self, _now: Instant, _packet: &Packet) {}
    fn handle_timeout(&mut self, _now: Instant) {}
    fn poll_transmit(&mut self, _now: Instant) -> Option<Outgoing> {
        (*self == Self::Talk).then(|| saying(0, 9, 1))
    }
    fn poll_timeout(&self) -> Option<Instant> {
        (*self == Self::Alarms).then_some(Instant::ZERO)
    }
    fn poll_event(&mut self) -> Option<()> {
        (*self == Self::Events).then_some(())
    }
}

/// The rule that stops it.
fn stopped_by(node: Endless) -> &'static str {
    let mut world = World::new(WorldConfig::default(), ());
    world.add_node(node, &[address(0)]);
    world.run_until(ms(1));
    assert!(world.is_halted() && !world.step());
    assert_eq!(world.now(), ms(1));
    world.with(NodeId(0), |_, _| ());
    let [finding] = world.findings() else {
        panic!("{:?}", world.findings())
    };
    assert_eq!(
        (&finding.kind, finding.at),
        (&FindingKind::Violation, ms(0))
    );
    finding.oracle
}

#[test]
fn a_node_that_never_stops_sending_violates_settle() {
    assert_eq!(stopped_by(Endless::Talk), "settle");
}

#[test]
fn a_node_that_never_stops_telling_violates_settle() {
    assert_eq!(stopped_by(Endless::Events), "settle");
}

#[test]
fn a_node_that_is_always_due_is_a_livelock() {
    assert_eq!(stopped_by(Endless::Alarms), "livelock");
}
