//! Timestamps of arriving segments: RFC 7323 §3.2 (the option must be there), §4 (RTTM) and §5
//! (PAWS), before and after the checks of RFC 9293 §3.10.7.4.

use crate::connection::Connection;
use crate::context::Context;
use crate::event::Drop;
use crate::protection::Protection;
use crate::seq::SeqNumber;
use crate::time::Duration;
use crate::timestamps::{Timestamps, paws_refuses};
use crate::wire::{Flags, Segment};

impl Connection {
    /// PAWS (RFC 7323 §5.3, R7323-09): what is older than TS.Recent is not acceptable, and is
    /// answered like all that isn't. A RST is exempt (R7323-10). What lacks the option is dropped
    /// in silence (R7323-06), unless the profile says otherwise.
    pub(super) fn check_timestamps(
        &mut self,
        segment: &Segment<'_>,
        cx: &mut Context<'_>,
    ) -> Result<(), Drop> {
        let Some(agreed) = self.timestamps else {
            return Ok(());
        };
        match segment.options.timestamps {
            _ if segment.flags.contains(Flags::RST) => Ok(()),
            None if cx.config.require_timestamps => Err(Drop::NoTimestamp),
            Some((value, _)) if paws_refuses(cx.config, value, agreed.valid_recent(cx.now)) => {
                self.answer_unacceptable(segment, cx);
                Err(Drop::OldTimestamp)
            }
            _ => Ok(()),
        }
    }

    /// TS.Recent is taken from a segment that starts no later than Last.ACK.sent, so that the echo
    /// tells of the oldest segment that the next ACK answers (RFC 7323 §4.3, R7323-08). Only from
    /// one that has passed all checks: what RFC 5961 §5 discards must not poison PAWS.
    pub(super) fn take_timestamp(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) {
        let early = segment.seq.at_or_before(self.receive.last_ack_sent);
        if let (Some(agreed), Some((value, _))) = (&mut self.timestamps, segment.options.timestamps)
            && (early || !cx.protects(Protection::TsRecent))
        {
            agreed.take(value, cx.now);
        }
    }

    /// RTTM (RFC 7323 §4.1): the echo in an acknowledgment that moves SND.UNA, whether what it
    /// acknowledges was sent once or more often. One sample for each flight: then the gains of
    /// RFC 6298 hold as they are, and appendix G has nothing to correct.
    pub(super) fn echoed(
        &mut self,
        agreed: Timestamps,
        echo: u32,
        ack: SeqNumber,
        cx: &mut Context<'_>,
    ) -> Option<(SeqNumber, Duration)> {
        if !ack.after(self.send.sampled_to) {
            return None;
        }
        let rtt = agreed.elapsed(echo, cx.now, cx.config.rto.max)?;
        self.send.sampled_to = self.send.nxt;
        Some((self.send.una, rtt))
    }
}
