//! What one line of a ladder says, before it is laid out.

use core::net::IpAddr;

use timewait_sim::{Instant, NodeId, PacketId};
use timewait_stack::ConnectionId;

use super::recorder::Recorder;
use crate::label::Incarnation;

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: Instant,
    /// The flow it belongs to, if to one.
    pub(super) flow: Option<u64>,
    pub(super) what: What,
    /// A change of state or a user's doing, beside the host that `what` happens at.
    pub(super) beside: Option<Beside>,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    /// `host` sends a segment, and the network may lose it at once.
    Sent {
        host: NodeId,
        to: IpAddr,
        id: PacketId,
        segment: SegmentText,
        note: String,
        lost: bool,
    },
    /// A segment arrives at `host`.
    Arrived {
        host: NodeId,
        from: NodeId,
        segment: SegmentText,
        note: String,
    },
    /// The network does something to a segment on its way between these two.
    Network {
        from: NodeId,
        to: IpAddr,
        deed: String,
        segment: SegmentText,
        note: String,
    },
    /// A link goes down or comes up.
    Link { deed: String },
    /// Something happens at `host` alone.
    Beside { host: NodeId },
}

/// A segment in words.
#[derive(Clone, Debug)]
pub(crate) struct SegmentText {
    /// The incarnation that its label names.
    pub(crate) of: Incarnation,
    /// That incarnation is no longer the newest of its host on this flow.
    pub(crate) old: bool,
    /// It answers a segment of that incarnation and belongs to none itself.
    pub(crate) echo: bool,
    pub(crate) text: String,
}

#[derive(Clone, Debug)]
pub(super) struct Beside {
    pub(super) connection: Option<ConnectionId>,
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// Where something beside a host comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The user did or learned something.
    User,
    /// A call of the user caused it: the call is told before it.
    Call,
    /// Anything else: a segment, a timer.
    Stack,
}

impl SegmentText {
    /// The text with the incarnation before it; `numbered`: also if it is the newest.
    pub(super) fn named(&self, numbered: bool) -> String {
        let Self {
            of,
            old,
            echo,
            text,
        } = self;
        match (echo, old) {
            (true, _) if numbered => format!("reply {text}"),
            (false, true) => format!("old {} {text}", of.connection),
            (false, false) if numbered => format!("{} {text}", of.connection),
            _ => text.clone(),
        }
    }
}

impl Entry {
    /// The hosts that the line is about.
    pub(super) fn ends(&self, recorder: &Recorder) -> impl Iterator<Item = NodeId> {
        let (one, other) = match self.what {
            What::Sent { host, to, .. } => (Some(host), recorder.host_of(to)),
            What::Arrived { host, from, .. } => (Some(host), Some(from)),
            What::Network { from, to, .. } => (Some(from), recorder.host_of(to)),
            What::Link { .. } => (None, None),
            What::Beside { host } => (Some(host), None),
        };
        one.into_iter().chain(other)
    }
}

/// Every host that the lines are about, in order.
pub(super) fn hosts_of(recorder: &Recorder, entries: &[&Entry]) -> Vec<NodeId> {
    let mut hosts: Vec<NodeId> = Vec::new();
    for host in entries.iter().flat_map(|entry| entry.ends(recorder)) {
        if let Err(place) = hosts.binary_search(&host) {
            hosts.insert(place, host);
        }
    }
    hosts
}
