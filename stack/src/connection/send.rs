//! The send sequence space (RFC 9293 §3.3.1) with the octets that wait in it.
//!
//! ```text
//!      iss   una        rexmit        nxt          end of buffer
//!       | SYN |--- outstanding ---------|--- unsent ---| FIN
//! ```

use alloc::boxed::Box;

use crate::config::Config;
use crate::protection::Protection;
use crate::recovery::Frto;
use crate::resting::{Rest, Resting};
use crate::ring::Ring;
use crate::seq::SeqNumber;
use crate::time::Instant;
use crate::time_wait::TimeWait;
use crate::window_scale::Shift;
use crate::wire::{Flags, Segment};

/// No peer's MSS option makes segments smaller than this: else one octet of option could make us
/// send a header per octet. Linux has the same floor.
pub(crate) const MSS_FLOOR: u16 = 48;

/// Where the FIN of this side stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fin {
    /// The user may still send.
    Open,
    /// The user has closed: a FIN follows the last octet.
    Queued,
    /// Sent at least once: it is the octet before SND.NXT.
    Sent,
    /// Acknowledged.
    Acked,
}

/// Octets sent or to be sent.
#[derive(Debug)]
pub(crate) struct SendSpace {
    pub(crate) iss: SeqNumber,
    pub(crate) una: SeqNumber,
    /// The next new octet. Never goes back; what is sent again is `rexmit`'s matter.
    pub(crate) nxt: SeqNumber,
    pub(crate) wnd: u32,
    pub(crate) wl1: SeqNumber,
    pub(crate) wl2: SeqNumber,
    pub(crate) max_wnd: u32,
    /// How the peer's window fields are shifted (Snd.Wind.Shift).
    pub(crate) shift: Shift,
    /// What the peer and the own link allow a segment, whatever the path does.
    pub(crate) mss_max: u16,
    /// The effective send MSS (RFC 9293 §3.7.1): no more than the path carries, either.
    pub(crate) smss: u16,
    pub(crate) out: Resting<Outgoing>,
    pub(crate) fin: Fin,
    /// The SYN was sent at least once.
    pub(crate) syn_sent: bool,
    /// The SYN is acknowledged.
    pub(crate) syn_acked: bool,
    /// Only an acknowledgment beyond this gives the next sample by timestamps: one for each flight.
    pub(crate) sampled_to: SeqNumber,
}

/// What waits to be sent or acknowledged.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// From SND.UNA on (from ISS+1 while the SYN is out): outstanding octets, then unsent ones.
    pub(crate) buffer: Ring,
    /// Octets `start..end` are to be sent again.
    pub(crate) rexmit: Option<(SeqNumber, SeqNumber)>,
    /// The segment being timed.
    pub(crate) timed: Option<Timed>,
    /// When this is acknowledged, a datagram of that size has arrived (RFC 5927 §7.2).
    pub(crate) proving: Option<(SeqNumber, u16)>,
    /// F-RTO's question about the last timeout.
    pub(crate) frto: Frto,
    /// The TIME-WAIT record whose place this connection took, until its own SYN is acknowledged.
    pub(crate) reopened: Option<Box<TimeWait>>,
    /// SND.UP: the octet after the urgent data, until it is acknowledged.
    pub(crate) up: Option<SeqNumber>,
    /// The last `send` said that more follows soon (MSG_MORE).
    pub(crate) more: bool,
    /// A `send` was cut short: the user wants to hear of space.
    pub(crate) want_space: bool,
}

impl Rest for Outgoing {
    const REST: Self = Self {
        buffer: Ring::new(),
        rexmit: None,
        timed: None,
        proving: None,
        frto: Frto::Off,
        reopened: None,
        up: None,
        more: false,
        want_space: false,
    };
    const AT_REST: &'static Self = &Self::REST;

    /// Only of a connection with nothing outstanding. With nothing to send, `more` says nothing:
    /// the next `send` sets it.
    fn is_at_rest(&self, _now: Instant) -> bool {
        self.buffer.is_empty()
            && self.rexmit.is_none()
            && self.timed.is_none()
            && self.proving.is_none()
            && self.frto == Frto::Off
            && self.reopened.is_none()
            && self.up.is_none()
            && !self.want_space
    }
}

/// A segment whose round trip is being measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed {
    /// Its first octet.
    pub(crate) seq: SeqNumber,
    /// The octet after it: an ACK of this or more ends the measurement.
    pub(crate) end: SeqNumber,
    pub(crate) sent_at: Instant,
}

impl SendSpace {
    /// A space whose SYN is about to be sent.
    pub(crate) fn new(iss: SeqNumber, smss: u16) -> Self {
        Self {
            iss,
            una: iss,
            nxt: iss + 1,
            wnd: 0,
            wl1: SeqNumber(0),
            wl2: SeqNumber(0),
            max_wnd: 0,
            shift: Shift::NONE,
            mss_max: smss,
            smss,
            out: Resting::new(),
            fin: Fin::Open,
            syn_sent: false,
            syn_acked: false,
            sampled_to: iss,
        }
    }

    /// The peer's MSS option, or the default for its absence (MUST-14, MUST-15, MUST-16).
    pub(crate) fn set_peer_mss(&mut self, config: &Config, option: Option<u16>, default: u16) {
        if config.protects(Protection::Mss) {
            self.mss_max = self.mss_max.min(option.unwrap_or(default).max(MSS_FLOOR));
            self.smss = self.smss.min(self.mss_max);
        }
    }

    /// SEG.WND in octets: that of a SYN is never scaled (R7323-03), every other is (R7323-13).
    pub(crate) fn window_of(&self, segment: &Segment<'_>) -> u32 {
        if segment.flags.contains(Flags::SYN) {
            u32::from(segment.window)
        } else {
            self.shift.octets(segment.window)
        }
    }

    /// Takes the window of `segment` whatever its place (a SYN's, or the first after one). It is
    /// unsigned (MUST-1), and all arithmetic with it has 32 bits (REC-1).
    pub(crate) fn take_window(&mut self, segment: &Segment<'_>) {
        self.wnd = self.window_of(segment);
        self.wl1 = segment.seq;
        self.wl2 = segment.ack;
        self.max_wnd = self.max_wnd.max(self.wnd);
    }

    /// Takes the window unless `segment` is older than the one that set it (RFC 9293 §3.10.7.4).
    pub(crate) fn update_window(&mut self, config: &Config, segment: &Segment<'_>) {
        if self.is_newer(segment) || !config.protects(Protection::WindowUpdateOrder) {
            self.take_window(segment);
        }
    }

    fn is_newer(&self, segment: &Segment<'_>) -> bool {
        self.wl1.before(segment.seq)
            || self.wl1 == segment.seq && self.wl2.at_or_before(segment.ack)
    }

    /// The sequence number of the first octet in the buffer.
    pub(crate) fn data_start(&self) -> SeqNumber {
        if self.syn_acked {
            self.una
        } else {
            self.iss + 1
        }
    }

    /// The sequence number after the last octet in the buffer, where the FIN goes. Meaningless
    /// once the FIN is acknowledged.
    pub(crate) fn data_end(&self) -> SeqNumber {
        self.data_start() + self.out.buffer.len()
    }

    pub(crate) fn fin_sent(&self) -> bool {
        matches!(self.fin, Fin::Sent | Fin::Acked)
    }

    /// Octets of text never sent.
    pub(crate) fn unsent(&self) -> u32 {
        if self.fin_sent() {
            0
        } else {
            self.data_end() - self.nxt
        }
    }

    /// Something never sent waits: text, or the FIN.
    pub(crate) fn has_unsent(&self) -> bool {
        self.fin == Fin::Queued || self.unsent() > 0
    }

    /// Octets sent and not acknowledged, SYN and FIN included.
    pub(crate) fn outstanding(&self) -> u32 {
        self.nxt - self.una
    }

    /// The octets of the peer's window beyond SND.NXT: none if the peer has moved its edge left of
    /// it (MUST-34).
    pub(crate) fn usable_window(&self) -> u32 {
        (self.una + self.wnd).saturating_since(self.nxt)
    }

    /// The same once the window of `segment` is taken, which has moved SND.UNA already.
    pub(crate) fn usable_window_by(&self, segment: &Segment<'_>) -> u32 {
        let wnd = if self.is_newer(segment) {
            self.window_of(segment)
        } else {
            self.wnd
        };
        (self.una + wnd).saturating_since(self.nxt)
    }

    /// The octets of the peer's window from `seq` on, for what is sent again: what was sent before
    /// may lie beyond the edge by what the peer's rounding took from it (RFC 7323 §2.4, R7323-13).
    pub(crate) fn window_again(&self, seq: SeqNumber) -> u32 {
        let edge = self.una + self.wnd;
        let lost = if self.wnd > 0 { self.shift.lost() } else { 0 };
        edge.max((edge + lost).min(self.nxt)).saturating_since(seq)
    }

    /// Moves SND.UNA to `ack`, which the caller has checked, and drops what it acknowledges.
    pub(crate) fn acknowledge(&mut self, ack: SeqNumber) {
        let mut octets = ack - self.una;
        if !self.syn_acked {
            self.syn_acked = true;
            octets -= 1;
        }
        if self.fin == Fin::Sent && ack == self.nxt {
            self.fin = Fin::Acked;
            octets -= 1;
        }
        self.una = ack;
        let out = &mut *self.out;
        out.buffer.discard(octets);
        if out.buffer.is_empty() {
            out.buffer.release_much();
        }
        out.up = out.up.filter(|up| up.after(ack));
        out.rexmit = out.rexmit.and_then(|(start, end)| {
            let start = start.max(ack);
            start.before(end).then_some((start, end))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::SendSpace;
    use crate::seq::SeqNumber;

    /// REC-1: with 16 bits the first two sums would be wrong.
    #[test]
    fn windows_have_32_bits() {
        let mut space = SendSpace::new(SeqNumber(u32::MAX - 9), 1460);
        (space.una, space.wnd) = (space.iss + 1, 1_000_000);
        space.nxt = space.una + 70_000;
        assert_eq!(
            (space.outstanding(), space.usable_window()),
            (70_000, 930_000)
        );
        space.wnd = 69_999;
        assert_eq!(space.usable_window(), 0, "MUST-34: no negative number");
    }
}
