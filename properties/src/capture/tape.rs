//! What was seen where, and what is to be said about it.

use std::collections::BTreeMap;

use timewait_sim::{DropReason, HopId, Instant, NodeId, Observation, Packet, PacketId};
use timewait_stack::Event;
use timewait_stack::event::Cause;

use super::interfaces::{Interfaces, UnknownInterface};
use super::ip;
use crate::event::HostEvent;
use crate::label::Incarnation;
use crate::ladder::{span, words};
use crate::scenario::Scenario;

/// Whether a machine sends a datagram or gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
}

/// One datagram at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) at: Instant,
    pub(super) interface: u32,
    /// On the interface of a machine.
    pub(super) direction: Option<Direction>,
    /// The datagram, from its IP header on.
    pub(super) octets: Vec<u8>,
    pub(super) comments: Vec<String>,
}

/// Everything that was seen so far.
#[derive(Debug)]
pub(super) struct Tape {
    interfaces: Interfaces,
    frames: Vec<Frame>,
    /// The last frame on the interface of each machine.
    newest: BTreeMap<NodeId, usize>,
    /// The last frame of each datagram.
    last_seen: BTreeMap<PacketId, usize>,
    /// What happened at a machine when no datagram was there to say it beside.
    untold: BTreeMap<NodeId, Vec<(Instant, String)>>,
}

impl Tape {
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self {
            interfaces: Interfaces::of(scenario),
            frames: Vec::new(),
            newest: BTreeMap::new(),
            last_seen: BTreeMap::new(),
            untold: BTreeMap::new(),
        }
    }

    /// Takes in only what is seen at the interfaces with these names.
    pub(super) fn keep(&mut self, names: &[impl AsRef<str>]) -> Result<(), UnknownInterface> {
        self.interfaces.keep(names)
    }

    pub(super) fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    pub(super) fn frames(&self) -> &[Frame] {
        &self.frames
    }

    pub(super) fn observe(&mut self, now: Instant, seen: &Observation<'_, HostEvent>) {
        match seen {
            Observation::Sent { packet, .. } => {
                self.at_machine(now, packet.id.origin, Direction::Out, packet);
            }
            Observation::Fate { at, packet, fate } => {
                let interface = self.interfaces.of_hop(at.hop);
                self.push(now, interface, None, packet, words::fate(fate));
            }
            Observation::Dropped {
                hop,
                packet,
                reason,
            } => self.dropped(now, *hop, packet, *reason),
            Observation::Marked { hop, packet } => {
                let interface = self.interfaces.of_hop(*hop);
                self.remark(now, interface, packet, "marked: congestion");
            }
            Observation::Released {
                hop,
                router,
                packet,
            } => {
                let released = format!("released by r{}, {} old", router.0, age(now, packet));
                let comments = vec![released, sender(packet)];
                let interface = self.interfaces.of_hop(*hop);
                self.push(now, interface, None, packet, comments);
            }
            Observation::Passed { node, packet } => {
                self.at_machine(now, *node, Direction::Out, packet);
            }
            Observation::Delivered {
                node,
                packet,
                damaged,
                held_by,
            } => {
                self.at_machine(now, *node, Direction::In, packet);
                if *damaged {
                    self.say(now, *node, "damaged on the way".to_owned());
                }
                if let Some(router) = held_by {
                    let kept = format!("kept by r{}, {} old", router.0, age(now, packet));
                    self.say(now, *node, kept);
                }
            }
            Observation::Paused { node } => self.say(now, *node, "stands still".to_owned()),
            Observation::Resumed { node } => self.say(now, *node, "goes on".to_owned()),
            Observation::Fragmented { hop, packet, parts } => {
                let interface = self.interfaces.of_hop(*hop);
                let comments = vec![format!("cut into {parts} parts"), sender(packet)];
                self.push(now, interface, None, packet, comments);
            }
            // What was lost by it says so.
            Observation::Cut { .. } | Observation::Restored { .. } => {}
            Observation::Node { node, event, .. } => {
                if let Some(text) = of_event(*node, event) {
                    self.say(now, *node, text);
                }
            }
        }
    }

    /// A machine sends or gets a datagram. Routers have no interface of their own.
    fn at_machine(&mut self, now: Instant, node: NodeId, direction: Direction, packet: &Packet) {
        let Some(interface) = self.interfaces.of_node(node) else {
            return;
        };
        let comments = vec![sender(packet)];
        let Some(frame) = self.push(now, interface, Some(direction), packet, comments) else {
            return;
        };
        let untold = self.untold.remove(&node).into_iter().flatten();
        let late = untold.map(|(at, text)| told_late(now, at, text));
        self.frames[frame].comments.extend(late);
        self.newest.insert(node, frame);
    }

    /// Adds to what is said about a datagram that has just been seen there.
    fn remark(&mut self, now: Instant, interface: u32, packet: &Packet, text: &str) -> bool {
        let last = self.last_seen.get(&packet.id).copied();
        let frame = last.map(|last| &mut self.frames[last]);
        let here = frame.filter(|its| (its.at, its.interface) == (now, interface));
        here.is_some_and(|frame| {
            frame.comments.push(text.to_owned());
            true
        })
    }

    fn dropped(&mut self, now: Instant, hop: Option<HopId>, packet: &Packet, reason: DropReason) {
        let text = format!("lost: {}", words::drop_reason(reason));
        match hop.map(|hop| self.interfaces.of_hop(hop)) {
            Some(interface) => {
                if !self.remark(now, interface, packet, &text) {
                    let comments = vec![text, sender(packet)];
                    self.push(now, interface, None, packet, comments);
                }
            }
            // At a router or at its destination: the place where it was last seen tells.
            None => {
                if let Some(last) = self.last_seen.get(&packet.id) {
                    let frame = &mut self.frames[*last];
                    frame.comments.push(told_late(frame.at, now, text));
                }
            }
        }
    }

    /// Something happened at a machine: beside the datagram that has just arrived there, or else
    /// beside the next one.
    fn say(&mut self, now: Instant, node: NodeId, text: String) {
        let newest = self.newest.get(&node).map(|frame| &mut self.frames[*frame]);
        match newest.filter(|frame| frame.at == now && frame.direction == Some(Direction::In)) {
            Some(frame) => frame.comments.push(text),
            None => self.untold.entry(node).or_default().push((now, text)),
        }
    }

    /// The run is over: what is still untold stands beside the last datagram of its machine.
    pub(super) fn finish(&mut self) {
        for (node, untold) in core::mem::take(&mut self.untold) {
            let Some(frame) = self.newest.get(&node) else {
                continue;
            };
            let frame = &mut self.frames[*frame];
            let late = untold.into_iter();
            frame
                .comments
                .extend(late.map(|(at, text)| told_late(frame.at, at, text)));
        }
    }

    /// A datagram is seen at an interface; at that of a link, where it enters it. `None`: that one
    /// is not captured, or IP has no such datagram.
    fn push(
        &mut self,
        at: Instant,
        interface: u32,
        direction: Option<Direction>,
        packet: &Packet,
        comments: Vec<String>,
    ) -> Option<usize> {
        if !self.interfaces.has(interface) {
            return None;
        }
        let octets = ip::datagram(packet)?;
        let frame = self.frames.len();
        self.last_seen.insert(packet.id, frame);
        self.frames.push(Frame {
            at,
            interface,
            direction,
            octets,
            comments,
        });
        Some(frame)
    }
}

/// `datagram 12 of node 0, of h0#3`.
fn sender(packet: &Packet) -> String {
    let PacketId { origin, ordinal } = packet.id;
    let of = Incarnation::from_tag(packet.tag);
    format!("datagram {ordinal} of node {}, of {of}", origin.0)
}

/// How long it has been on its way.
fn age(now: Instant, packet: &Packet) -> String {
    span(now.saturating_since(packet.born))
}

fn told_late(told: Instant, at: Instant, text: String) -> String {
    if told == at {
        text
    } else {
        format!("at {} s: {text}", words::moment(at))
    }
}

/// What an event is worth saying beside a datagram.
fn of_event(node: NodeId, event: &HostEvent) -> Option<String> {
    let text = match event {
        HostEvent::Stack(Event::Transition {
            connection,
            from,
            to,
            cause,
        }) => format!("{connection} {from} to {to}{}", by(*cause)),
        HostEvent::Stack(Event::Segment(arrival)) => words::verdict(arrival.verdict)?,
        HostEvent::Stack(Event::Icmp(arrival)) => words::icmp(arrival),
        HostEvent::Stack(Event::Timer {
            connection,
            timer,
            count,
        }) => format!("{connection} {}", words::timer(*timer, *count)),
        HostEvent::Stack(Event::Ready { ready, .. }) => words::ready(*ready)?,
        HostEvent::Stack(_) => return None,
        HostEvent::User(event) => words::user(event)?,
        HostEvent::Box(event) => return Some(format!("b{}: {}", node.0, words::of_box(event))),
        HostEvent::Crashed => "crashed".to_owned(),
        HostEvent::Rebooted { .. } => "rebooted".to_owned(),
    };
    Some(format!("h{}: {text}", node.0))
}

fn by(cause: Cause) -> String {
    match cause {
        // The datagram beside it shows which.
        Cause::Segment => String::new(),
        other => format!(" ({})", words::cause(other)),
    }
}
