//! What a world shows to its judges, and what they may answer.

use core::fmt;

use crate::fates::{Fate, HopId, Passage};
use crate::packet::{NodeId, Packet, PacketId};
use crate::time::Instant;

/// Why a node did something: stamped on each of its events and datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// This datagram had arrived.
    Packet(PacketId),
    /// Its timeout had come.
    Timer,
    /// A user called, through `World::with`.
    User,
    /// The run began.
    Start,
}

/// Why the network dropped a datagram on its own account, not by a fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// The queue in front of the link was full.
    QueueFull,
    /// Older than the lifetime the network allows.
    TooOld,
    /// The hop limit ran out.
    HopLimit,
    /// No way leads to the destination.
    NoRoute,
    /// Larger than the link carries, and not to be fragmented.
    TooBig,
    /// The hop was cut.
    Cut,
    /// The queue was not full, but is managed.
    Early,
    /// A part of a datagram of which another part never came.
    Incomplete,
    /// A part of a datagram that overlaps or repeats another one.
    Overlap,
}

/// Something that happened, borrowed: to observe costs no allocation.
#[derive(Debug)]
pub enum Observation<'a, E> {
    /// A node sent a datagram.
    Sent {
        /// Why.
        cause: Cause,
        /// The datagram, named and born now.
        packet: &'a Packet,
    },
    /// A datagram entered a hop with this fate. Default fates are shown too.
    Fate {
        /// Where and as its how-manieth.
        at: Passage,
        /// The datagram.
        packet: &'a Packet,
        /// Its fate.
        fate: Fate,
    },
    /// The network dropped a datagram on its own account.
    Dropped {
        /// Where: the hop it could not enter, or `None` at its origin or destination.
        hop: Option<HopId>,
        /// The datagram.
        packet: &'a Packet,
        /// Why.
        reason: DropReason,
    },
    /// A queue marked a datagram (RFC 3168 §5).
    Marked {
        /// The hop that it waits for.
        hop: HopId,
        /// The datagram, with the mark.
        packet: &'a Packet,
    },
    /// A datagram was cut into parts, which enter the hop one by one.
    Fragmented {
        /// The hop.
        hop: HopId,
        /// The datagram, whole.
        packet: &'a Packet,
        /// How many parts.
        parts: u32,
    },
    /// A hop went down.
    Cut {
        /// The hop.
        hop: HopId,
    },
    /// A hop came up again.
    Restored {
        /// The hop.
        hop: HopId,
    },
    /// A router let go of a datagram that it had kept.
    Released {
        /// The hop it enters now.
        hop: HopId,
        /// The router.
        router: NodeId,
        /// The datagram.
        packet: &'a Packet,
    },
    /// A node on the way sends a datagram on, changed or not.
    Passed {
        /// The node.
        node: NodeId,
        /// The datagram, as it goes on.
        packet: &'a Packet,
    },
    /// A datagram is handed to a node; the node's events follow.
    Delivered {
        /// The node.
        node: NodeId,
        /// The datagram, as it arrives.
        packet: &'a Packet,
        /// Whether a burst damaged it on the way.
        damaged: bool,
        /// Who kept it last, if a router did.
        held_by: Option<NodeId>,
    },
    /// A node stands still from now on.
    Paused {
        /// The node.
        node: NodeId,
    },
    /// A node goes on that stood still; what it has missed follows.
    Resumed {
        /// The node.
        node: NodeId,
    },
    /// A node reports an event.
    Node {
        /// The node.
        node: NodeId,
        /// Why it happened.
        cause: Cause,
        /// What happened.
        event: &'a E,
    },
}

impl<'a, E> Observation<'a, E> {
    /// The datagram that it is about. `None`: it is about a node or a hop.
    pub fn packet(&self) -> Option<&'a Packet> {
        match *self {
            Self::Sent { packet, .. }
            | Self::Fate { packet, .. }
            | Self::Dropped { packet, .. }
            | Self::Marked { packet, .. }
            | Self::Fragmented { packet, .. }
            | Self::Released { packet, .. }
            | Self::Passed { packet, .. }
            | Self::Delivered { packet, .. } => Some(packet),
            Self::Cut { .. }
            | Self::Restored { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::Node { .. } => None,
        }
    }
}

/// What an oracle found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The oracle.
    pub oracle: &'static str,
    /// When.
    pub at: Instant,
    /// How bad it is.
    pub kind: FindingKind,
    /// What happened, in one sentence or a few.
    pub message: String,
}

impl Finding {
    /// What `oracle` says must not have happened.
    pub fn violation(oracle: &'static str, at: Instant, message: String) -> Self {
        Self {
            oracle,
            at,
            kind: FindingKind::Violation,
            message,
        }
    }
}

/// The three kinds of finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// Something that must not happen: fails the run.
    Violation,
    /// Something bad, but this assumption about network, hosts or users was broken, so nothing
    /// was promised.
    Hazard(&'static str),
    /// Not enough was seen.
    Unknown,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FindingKind::Violation => write!(f, "violation of {}", self.oracle),
            FindingKind::Hazard(assumption) => {
                write!(f, "hazard ({assumption}) in {}", self.oracle)
            }
            FindingKind::Unknown => write!(f, "unknown to {}", self.oracle),
        }?;
        let ns = self.at.as_nanos();
        write!(
            f,
            " at {}.{:09} s: {}",
            ns / 1_000_000_000,
            ns % 1_000_000_000,
            self.message
        )
    }
}

/// A judge of a run.
pub trait Oracle<E> {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Sees one observation. What it finds goes into `findings`.
    fn observe(&mut self, now: Instant, seen: &Observation<'_, E>, findings: &mut Vec<Finding>);
    /// The run is over.
    fn finish(&mut self, now: Instant, findings: &mut Vec<Finding>) {
        let _ = (now, findings);
    }
}
