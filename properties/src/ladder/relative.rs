//! Sequence numbers relative to the ISN that they count from.
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
pub(super) struct Bases {
    seq: Option<SeqNumber>,
    ack: Option<SeqNumber>,
}

/// A relative number, or an absolute one if nobody knows what it counts from.
pub(super) enum Relative {
    From(u32),
    Before(u32),
    Absolute(SeqNumber),
}

#[derive(Debug, Default)]
pub(super) struct Relatives {
    iss: BTreeMap<Incarnation, SeqNumber>,
    irs: BTreeMap<Incarnation, SeqNumber>,
    /// The ISS that were seen last on a flow, by the host they belong to.
    latest: BTreeMap<(u64, timewait_sim::NodeId), SeqNumber>,
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
        let (iss, irs) = (self.iss.get(&of).copied(), self.irs.get(&of).copied());
        if bits & class::ECHO == 0 {
            Bases { seq: iss, ack: irs }
        } else {
            Bases { seq: irs, ack: iss }
        }
    }

    fn learn(&mut self, of: Incarnation, flow: u64, segment: &Segment<'_>) {
        let syn = segment.flags.contains(Flags::SYN);
        if syn {
            self.iss.insert(of, segment.seq);
            self.latest.insert((flow, of.host), segment.seq);
        }
        if segment.flags.contains(Flags::ACK) && !self.irs.contains_key(&of) {
            let irs = if syn {
                Some(segment.ack.back(1))
            } else {
                self.nearest(of, flow, segment.ack)
            };
            if let Some(irs) = irs {
                self.irs.insert(of, irs);
            }
        }
    }

    /// The latest ISS of a peer on this flow that `ack` can count from.
    fn nearest(&self, of: Incarnation, flow: u64, ack: SeqNumber) -> Option<SeqNumber> {
        self.latest
            .iter()
            .filter(|((its, host), iss)| *its == flow && *host != of.host && ack.after(**iss))
            .map(|(_, iss)| *iss)
            .min_by_key(|iss| ack - *iss)
    }
}

impl Bases {
    pub(super) fn seq(self, number: SeqNumber) -> Relative {
        Relative::new(number, self.seq)
    }

    pub(super) fn ack(self, number: SeqNumber) -> Relative {
        Relative::new(number, self.ack)
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
