//! What is known of a connection besides its variables: what it sent and was sent, not what its
//! stack made of it.

use timewait_stack::SeqNumber;
use timewait_stack::wire::Flags;

use super::Held;
use crate::facts::SegmentHeader;

/// What the checks need to know beyond the variables. Kept from datagrams alone.
#[derive(Clone, Debug, Default)]
pub struct Shadow {
    /// The octets that were offered out of order.
    pub held: Held,
    /// The largest window in any segment that it received (MAX.SND.WND of RFC 5961 §5).
    pub max_snd_wnd: u32,
    /// What its own SYN or SYN-ACK offered.
    pub(super) own_syn: Option<SynOptions>,
    /// What the SYN or SYN-ACK offered that set IRS: of another attempt nothing counts.
    pub(super) peer_syn: Option<SynOptions>,
}

/// What a SYN offers for the whole connection (RFC 7323).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SynOptions {
    window_scale: Option<u8>,
}

impl SynOptions {
    fn of(syn: &SegmentHeader) -> Self {
        Self {
            window_scale: syn.window_scale,
        }
    }
}

/// The largest shift: a larger one is read as this (RFC 7323 §2.3).
const SHIFT_MAX: u8 = 14;

impl Shadow {
    /// The connection itself sends a segment.
    pub fn sent(&mut self, segment: &SegmentHeader) {
        if segment.has(Flags::SYN) {
            self.own_syn = Some(SynOptions::of(segment));
        }
    }

    /// A SYN or SYN-ACK sets IRS.
    pub fn synchronized_by(&mut self, syn: &SegmentHeader) {
        self.peer_syn = Some(SynOptions::of(syn));
    }

    /// A segment offers a window.
    pub fn offered_window(&mut self, segment: &SegmentHeader) {
        self.max_snd_wnd = self.max_snd_wnd.max(self.window(segment));
    }

    /// SEG.WND of a segment that the connection receives, in octets: scaled if both SYNs said so,
    /// never in a SYN (RFC 7323 §2.2, §2.3).
    pub fn window(&self, segment: &SegmentHeader) -> u32 {
        scaled(segment, self.shifts().map_or(0, |shifts| shifts.0))
    }

    /// The right edge that a segment tells which the connection sends, and by how much it may lie
    /// behind an earlier one: less than a unit by rounding (RFC 7323 §2.4); and a SYN-ACK that is sent
    /// again after a scaled segment can tell no more than 65,535 octets (§2.2).
    pub fn edge(&self, segment: &SegmentHeader) -> (SeqNumber, u32) {
        let shift = self.shifts().map_or(0, |shifts| shifts.1);
        let lost = match (segment.has(Flags::SYN), segment.window) {
            (false, _) => (1 << shift) - 1,
            (true, u16::MAX) if shift > 0 => u32::MAX,
            (true, _) => 0,
        };
        (segment.ack + scaled(segment, shift), lost)
    }

    /// Snd.Wind.Shift and Rcv.Wind.Shift, if both SYNs told one.
    fn shifts(&self) -> Option<(u8, u8)> {
        let theirs = self.peer_syn?.window_scale?;
        let own = self.own_syn?.window_scale?;
        Some((theirs.min(SHIFT_MAX), own.min(SHIFT_MAX)))
    }
}

fn scaled(segment: &SegmentHeader, shift: u8) -> u32 {
    let field = u32::from(segment.window);
    if segment.has(Flags::SYN) {
        field
    } else {
        field << shift
    }
}
