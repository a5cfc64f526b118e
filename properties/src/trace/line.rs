//! What one observation says in a trace.

use std::collections::BTreeMap;

use timewait_sim::{HopId, Instant, NodeId, Observation, Packet, PacketId};
use timewait_stack::event::{Cause, Vars};
use timewait_stack::wire::Segment;
use timewait_stack::{ConnectionId, Event};

use super::{Part, said};
use crate::event::HostEvent;
use crate::facts::{SegmentHeader, TCP, connection_of};
use crate::label::{Incarnation, class};
use crate::ladder::words;

/// One line, without its time.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) part: Part,
    /// Who has to do with it: where it happens, or who sent the datagram.
    pub(super) hosts: [Option<NodeId>; 2],
    pub(super) of: Option<Incarnation>,
    text: String,
}

impl Line {
    pub(super) fn at(&self, now: Instant) -> String {
        let nanos = now.as_nanos();
        let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        format!("{seconds}.{nanos:09} {} {}", self.part.name(), self.text)
    }

    fn of_packet(part: Part, at: Option<NodeId>, packet: &Packet, text: String) -> Self {
        Self {
            part,
            hosts: [Some(packet.id.origin), at],
            of: Some(Incarnation::from_tag(packet.tag)),
            text,
        }
    }
}

/// The lines of one observation: mostly one, or none where nothing is worth one.
pub(super) fn lines(seen: &Observation<'_, HostEvent>, boots: &BTreeMap<NodeId, u8>) -> Vec<Line> {
    match *seen {
        Observation::Sent { packet, .. } => vec![sent(packet)],
        Observation::Fate { at, packet, fate } => words::fate(&fate)
            .iter()
            .map(|what| network(Some(at.hop), packet, what))
            .collect(),
        Observation::Dropped {
            hop,
            packet,
            reason,
        } => {
            let what = format!("dropped: {}", words::drop_reason(reason));
            vec![network(hop, packet, &what)]
        }
        Observation::Fragmented { hop, packet, parts } => {
            vec![network(
                Some(hop),
                packet,
                &format!("cut into {parts} parts"),
            )]
        }
        Observation::Cut { hop } => vec![of_hop(hop, "is down")],
        Observation::Restored { hop } => vec![of_hop(hop, "is up again")],
        Observation::Marked { hop, packet } => vec![network(Some(hop), packet, "marked")],
        Observation::Released {
            hop,
            router,
            packet,
        } => vec![network(
            Some(hop),
            packet,
            &format!("released by r{}", router.0),
        )],
        Observation::Delivered {
            node,
            packet,
            damaged,
            held_by,
        } => {
            let damaged = if damaged { " damaged" } else { "" };
            let held = held_by.map_or(String::new(), |router| format!(" from r{}", router.0));
            let text = format!("h{} gets {}{held}{damaged}", node.0, name(packet.id));
            vec![Line::of_packet(Part::Segment, Some(node), packet, text)]
        }
        Observation::Passed { node, packet } => {
            let text = format!(
                "b{} passes on {} {}",
                node.0,
                name(packet.id),
                content(packet)
            );
            vec![Line::of_packet(Part::Network, Some(node), packet, text)]
        }
        Observation::Paused { node } => vec![at_host(node, "stands still")],
        Observation::Resumed { node } => vec![at_host(node, "goes on")],
        Observation::Node { node, event, .. } => {
            let boot = boots.get(&node).copied().unwrap_or(0);
            happened(node, boot, event).into_iter().collect()
        }
    }
}

/// Something that becomes of a hop.
fn of_hop(hop: HopId, what: &str) -> Line {
    Line {
        part: Part::Network,
        hosts: [None, None],
        of: None,
        text: format!("hop {} {what}", hop.0),
    }
}

/// Something that a host does as a whole.
fn at_host(host: NodeId, what: &str) -> Line {
    Line {
        part: Part::User,
        hosts: [Some(host), None],
        of: None,
        text: format!("h{} {what}", host.0),
    }
}

fn sent(packet: &Packet) -> Line {
    let of = Incarnation::from_tag(packet.tag);
    let reply = if packet.class & class::ECHO == 0 {
        ""
    } else {
        " (reply)"
    };
    let what = content(packet);
    let to = packet.dst;
    let text = format!("{of} sends {} to {to}{reply} {what}", name(packet.id));
    Line::of_packet(Part::Segment, None, packet, text)
}

fn content(packet: &Packet) -> String {
    let octets = packet.payload.octets();
    if packet.protocol != TCP {
        return format!("protocol {}, {} octets", packet.protocol, octets.len());
    }
    match (Segment::parse(octets), SegmentHeader::of(packet)) {
        (Ok(segment), Some(header)) => {
            let Segment {
                window, options, ..
            } = segment;
            format!("{header}<WIN={window}>{}", said::options(&options))
        }
        (Err(error), _) => words::malformed(error),
        (Ok(_), None) => format!("{} octets", octets.len()),
    }
}

fn network(hop: Option<HopId>, packet: &Packet, what: &str) -> Line {
    let place = hop.map_or("-".to_owned(), |hop| format!("hop {}", hop.0));
    let text = format!("{place} {} {what}", name(packet.id));
    Line::of_packet(Part::Network, None, packet, text)
}

fn name(id: PacketId) -> String {
    format!("h{}/{}", id.origin.0, id.ordinal)
}

/// Something at a host.
fn happened(host: NodeId, boot: u8, event: &HostEvent) -> Option<Line> {
    let (part, connection, what) = match event {
        HostEvent::Stack(event) => stack(event)?,
        HostEvent::User(event) => (Part::User, connection_of(event), said::user(event)),
        HostEvent::Box(event) => {
            return Some(Line {
                part: Part::Network,
                hosts: [Some(host), None],
                of: None,
                text: format!("b{} {}", host.0, words::of_box(event)),
            });
        }
        HostEvent::Crashed => (Part::User, None, "crashed".to_owned()),
        HostEvent::Rebooted { boot } => (Part::User, None, format!("boot {boot}")),
    };
    let of = connection.map(|connection| Incarnation {
        host,
        boot,
        connection,
    });
    let who = of.map_or_else(|| format!("h{}", host.0), |of| of.to_string());
    Some(Line {
        part,
        hosts: [Some(host), None],
        of,
        text: format!("{who} {what}"),
    })
}

fn stack(event: &Event) -> Option<(Part, Option<ConnectionId>, String)> {
    Some(match event {
        Event::Ready { socket, ready } => (Part::User, None, format!("{socket:?} {ready:?}")),
        Event::Opened {
            connection,
            local,
            remote,
            ..
        } => {
            let remote = remote.map_or("*".to_owned(), |remote| remote.to_string());
            let opened = format!("opened {local} to {remote}");
            (Part::State, Some(*connection), opened)
        }
        Event::Transition {
            connection,
            from,
            to,
            cause,
        } => {
            let by = match cause {
                Cause::Segment => String::new(),
                cause => format!(" by {cause:?}"),
            };
            (
                Part::State,
                Some(*connection),
                format!("{from} to {to}{by}"),
            )
        }
        Event::Reopened { old, new } => (Part::State, Some(*old), format!("reopened as {new}")),
        Event::ShiftTooLarge { connection, shift } => {
            let what = format!("asked for a shift of {shift}");
            (Part::State, Some(*connection), what)
        }
        Event::Segment(arrival) => {
            let what = words::verdict(arrival.verdict)?;
            (Part::Segment, arrival.connection, what)
        }
        Event::Icmp(arrival) => (Part::Segment, arrival.connection, words::icmp(arrival)),
        Event::Timer {
            connection,
            timer,
            count,
        } => (Part::Timer, Some(*connection), format!("{timer:?} {count}")),
        Event::RttSample {
            connection, rtt, ..
        } => (Part::Timer, Some(*connection), format!("RTT {rtt:?}")),
        Event::Snapshot(snapshot) => (Part::Vars, Some(snapshot.connection), vars(&snapshot.vars)),
    })
}

/// The variables that a reader of RFC 9293 would ask for.
fn vars(vars: &Vars) -> String {
    format!(
        "{} SND.UNA {} SND.NXT {} SND.WND {} RCV.NXT {} RCV.WND {} cwnd {} ssthresh {} RTO {:?} unsent {}",
        vars.state,
        vars.snd_una.0,
        vars.snd_nxt.0,
        vars.snd_wnd,
        vars.rcv_nxt.0,
        vars.rcv_adv.saturating_since(vars.rcv_nxt),
        vars.cwnd,
        vars.ssthresh,
        vars.rto,
        vars.unsent,
    )
}
