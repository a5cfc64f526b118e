//! The urgent mechanism (RFC 9293 §3.8.5, RFC 6093).
//!
//! Urgent octets are ordinary octets of the stream, delivered in line (RFC 6093 §6); the pointer
//! says where they end. Out-of-line delivery of a single octet, which the BSD API has as default,
//! is deliberately missing: it takes an octet out of the stream, and two urgent octets lose one.

use super::{Connection, Due};
use crate::context::Context;
use crate::event::Ready;
use crate::seq::SeqNumber;
use crate::state::State;
use crate::wire::{Flags, Segment};

impl Connection {
    /// What `send` has just queued last is urgent: SND.UP is the octet that follows (MUST-62).
    /// Each such call moves it on, so urgent data may be of any length (MUST-31).
    pub(crate) fn mark_urgent(&mut self) {
        self.send.out.up = Some(self.send.data_end());
        if self.state.is_synchronized() {
            // Should the window, cwnd or Nagle hold the octets back, the pointer goes ahead.
            self.due |= Due::ACK;
        }
    }

    /// The urgent field of a segment that starts at `seq`; `None`: no urgent data at or beyond it.
    ///
    /// An end further away than the field can say is announced as far as it can: the pointer then
    /// advances from segment to segment (MUST-31).
    pub(crate) fn urgent_field(&self, seq: SeqNumber) -> Option<u16> {
        let up = self.send.out.up.filter(|up| up.after(seq))?;
        Some((up - seq).min(u32::from(u16::MAX)) as u16)
    }

    /// Sixth check: the URG bit (RFC 9293 §3.10.7.4), also behind a zero window (MUST-66). The
    /// user hears each time the pointer moves ahead of what it has consumed (MUST-32).
    pub(crate) fn take_urgent(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) {
        let receives = matches!(
            self.state,
            State::Established | State::FinWait1 | State::FinWait2
        );
        if !receives || !segment.flags.contains(Flags::URG) {
            return;
        }
        let up = segment.seq + u32::from(segment.urgent);
        let known = self.receive.incoming.up.unwrap_or(up.back(1));
        if up.after(known) && up.after(self.receive.consumed()) {
            self.receive.incoming.up = Some(up);
            self.tell(Ready::Urgent, cx);
        }
    }
}
