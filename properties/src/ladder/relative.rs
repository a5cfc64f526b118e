//! Sequence numbers relative to the ISN that they count from, and windows in octets.
//!
//! Learned from the wire alone: a SYN shows the ISS of its sender, and a SYN,ACK or the first
//! acknowledgment shows which ISS of the peer it counts from.

use core::fmt;
use std::collections::BTreeMap;

use timewait_stack::SeqNumber;
use timewait_stack::wire::{Flags, Segment};

use crate::label::{Incarnation, class};

/// What the numbers of one segment count from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bases {
    seq: Option<SeqNumber>,
    ack: Option<SeqNumber>,
    /// How its window field is shifted.
    shift: u8,
}

/// A relative number, or an absolute one if nobody knows what it counts from.
pub(crate) enum Relative {
    From(u32),
    Before(u32),
    Absolute(SeqNumber),
}

#[derive(Debug, Default)]
pub(super) struct Relatives {
    /// Of the SYN that an incarnation sent last.
    own: BTreeMap<Incarnation, Start>,
    /// Of the SYN that it answers.
    peers: BTreeMap<Incarnation, Start>,
    /// The SYN that was seen last on a flow, by the host that sent it.
    latest: BTreeMap<(u64, timewait_sim::NodeId), Start>,
}

/// What a SYN says about the segments to come.
#[derive(Clone, Copy, Debug)]
struct Start {
    isn: SeqNumber,
    /// Its window scale option (RFC 7323 §2.2).
    scale: Option<u8>,
}

impl Relatives {
    /// Learns from a segment as it leaves and says what its numbers count from. An echo carries
    /// the label of the segment that it answers, and its numbers are that one's, swapped.
    pub(super) fn sent(
        &mut self,
        of: Incarnation,
        flow: u64,
        bits: u16,
        segment: &Segment<'_>,
    ) -> Bases {
        if bits & class::ECHO == 0 {
            self.learn(of, flow, segment);
        }
        self.bases(of, bits)
    }

    /// What the numbers of a segment with this label count from.
    pub(super) fn bases(&self, of: Incarnation, bits: u16) -> Bases {
        let (own, peers) = (self.own.get(&of), self.peers.get(&of));
        let isn = |start: Option<&Start>| start.map(|start| start.isn);
        let (iss, irs) = (isn(own), isn(peers));
        let scale = |start: Option<&Start>| start.and_then(|start| start.scale);
        let shift = scale(own).filter(|_| scale(peers).is_some());
        let shift = shift.unwrap_or(0).min(14);
        let (seq, ack) = if bits & class::ECHO == 0 {
            (iss, irs)
        } else {
            (irs, iss)
        };
        Bases { seq, ack, shift }
    }

    fn learn(&mut self, of: Incarnation, flow: u64, segment: &Segment<'_>) {
        let syn = segment.flags.contains(Flags::SYN);
        let scale = segment.options.window_scale;
        if syn {
            let isn = segment.seq;
            self.own.insert(of, Start { isn, scale });
            self.latest.insert((flow, of.host), Start { isn, scale });
        }
        if segment.flags.contains(Flags::ACK) && !self.peers.contains_key(&of) {
            let peers = if syn {
                // A SYN-ACK has the option only in answer to the same.
                let isn = segment.ack.back(1);
                Some(Start { isn, scale })
            } else {
                self.nearest(of, flow, segment.ack)
            };
            if let Some(peers) = peers {
                self.peers.insert(of, peers);
            }
        }
    }

    /// The latest SYN of a peer on this flow that `ack` can count from.
    fn nearest(&self, of: Incarnation, flow: u64, ack: SeqNumber) -> Option<Start> {
        self.latest
            .iter()
            .filter(|((its, host), _)| *its == flow && *host != of.host)
            .map(|(_, start)| *start)
            .filter(|start| ack.after(start.isn))
            .min_by_key(|start| ack - start.isn)
    }
}

impl Bases {
    pub(crate) fn seq(self, number: SeqNumber) -> Relative {
        Relative::new(number, self.seq)
    }

    pub(crate) fn ack(self, number: SeqNumber) -> Relative {
        Relative::new(number, self.ack)
    }

    /// The window of a segment in octets; that of a SYN is never scaled (RFC 7323 §2.2).
    pub(crate) fn window(self, segment: &Segment<'_>) -> u32 {
        let field = u32::from(segment.window);
        if segment.flags.contains(Flags::SYN) {
            field
        } else {
            field << self.shift
        }
    }
}

impl Relative {
    fn new(number: SeqNumber, base: Option<SeqNumber>) -> Self {
        match base {
            Some(base) if number.at_or_after(base) => Self::From(number - base),
            Some(base) => Self::Before(base - number),
            None => Self::Absolute(number),
        }
    }
}

impl fmt::Display for Relative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(offset) => write!(f, "{offset}"),
            Self::Before(offset) => write!(f, "-{offset}"),
            Self::Absolute(number) => write!(f, "={number}"),
        }
    }
}
