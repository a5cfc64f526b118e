//! SYN-SENT (RFC 9293 §3.10.7.3).

use crate::connection::{Connection, Due};
use crate::context::Context;
use crate::error::Errno;
use crate::event::{Cause, Drop, Verdict};
use crate::state::State;
use crate::wire::{Flags, Segment};

impl Connection {
    /// The checks of §3.10.7.3 in their order.
    pub(crate) fn arrives_in_syn_sent(
        &mut self,
        segment: &Segment<'_>,
        cx: &mut Context<'_>,
    ) -> Verdict {
        let flags = segment.flags;
        // First, the ACK bit.
        let acknowledged = flags.contains(Flags::ACK);
        let of_our_syn = segment.ack.after(self.send.iss) && !segment.ack.after(self.send.nxt);
        if acknowledged && !of_our_syn {
            if !flags.contains(Flags::RST) {
                self.reply_reset(segment, cx);
            }
            return Verdict::Dropped(Drop::BadSynAck);
        }
        // Second, the RST bit.
        if flags.contains(Flags::RST) {
            if !acknowledged {
                return Verdict::Dropped(Drop::BadSynAck);
            }
            self.close_with(Some(Errno::ECONNREFUSED), Cause::Segment, cx);
            return Verdict::Accepted;
        }
        // Fourth, the SYN bit. (Third was security, which no IP option carries any more.)
        if !flags.contains(Flags::SYN) {
            return Verdict::Dropped(Drop::Ignored);
        }
        self.take_syn(segment, cx);
        if acknowledged {
            self.sample_rtt(segment, segment.ack, cx);
            self.send.acknowledge(segment.ack);
            self.establish(cx);
            self.due |= Due::ACK;
            self.take_urgent(segment, cx);
            self.take_text_and_fin(segment, cx);
        } else {
            // Simultaneous open (§3.5, figure 7, MUST-10). What else the SYN carries comes again.
            self.enter(State::SynReceived, Cause::Segment, cx);
            self.due |= Due::SYN;
        }
        Verdict::Accepted
    }
}
