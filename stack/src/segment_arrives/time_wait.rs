//! TIME-WAIT (RFC 9293 §3.10.7.4 and §3.6.1, RFC 1337).
//!
//! Three places where the text can't be read to the letter. Table 6 would drop the peer's
//! retransmitted FIN, which lies left of the window, before the eighth check restarts the clock:
//! the restart is meant. The fifth check would acknowledge anything that arrives: two ends in
//! TIME-WAIT would never stop, so an in-order pure ACK is not answered. And a SYN is compared
//! with RCV.NXT before Table 6 (MAY-2), or it could never reopen the connection.

use super::synchronized::acceptable;
use crate::context::Context;
use crate::event::{Drop, Verdict};
use crate::protection::Protection;
use crate::time_wait::{TimeWait, duration};
use crate::timestamps;
use crate::wire::{Flags, Segment};

/// What a segment does to a TIME-WAIT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeWaitAnswer {
    /// Nothing changes, apart from the end of 2MSL.
    Stays(Verdict),
    /// The peer's FIN again: 2MSL starts anew.
    Restarts,
    /// A SYN that may start a new incarnation, if somebody listens.
    MayReopen,
    /// A RST ends it: only with RFC 1337 switched off.
    Ends,
}

impl TimeWait {
    /// The checks in the RFC's order. `reopen`: there is somebody to take a fresh SYN.
    pub(crate) fn segment_arrives(
        &mut self,
        segment: &Segment<'_>,
        reopen: bool,
        cx: &mut Context<'_>,
    ) -> TimeWaitAnswer {
        let flags = segment.flags;
        let dropped = |reason| TimeWaitAnswer::Stays(Verdict::Dropped(reason));
        if flags & (Flags::SYN | Flags::ACK | Flags::RST) == Flags::SYN {
            if !self.is_fresh_syn(segment, cx) {
                return dropped(Drop::OldSyn);
            }
            return if reopen {
                TimeWaitAnswer::MayReopen
            } else {
                dropped(Drop::Ignored) // Nobody listens, or has room for it.
            };
        }
        if let Err(reason) = self.check_timestamps(segment, cx) {
            return dropped(reason);
        }
        if self.is_peers_fin(segment) {
            self.take_timestamp(segment, cx);
            return self.peers_fin_again(cx);
        }
        let reset = flags.contains(Flags::RST);
        let len = if reset { 0 } else { segment.len() };
        if !acceptable(segment.seq, len, self.rcv_nxt, self.window()) {
            if !reset {
                self.challenge(cx);
            }
            return dropped(Drop::OutsideWindow);
        }
        if reset {
            return self.reset(segment, cx);
        }
        if flags.contains(Flags::SYN) {
            self.challenge(cx);
            return dropped(Drop::SynChallenged);
        }
        if !flags.contains(Flags::ACK) {
            return dropped(Drop::NoAck);
        }
        let (ack, oldest) = (segment.ack, self.snd_nxt.back(self.max_snd_wnd));
        if ack.after(self.snd_nxt) || ack.before(oldest) {
            self.challenge(cx);
            return dropped(Drop::BadAck);
        }
        if segment.seq == self.rcv_nxt {
            self.take_timestamp(segment, cx);
        }
        dropped(Drop::Ignored)
    }

    /// Whether a SYN proves to be newer than everything the old incarnation sent (RFC 6191 §2,
    /// SHLD-4): by its timestamp (R6191-01); by its ISN (RFC 9293 §3.6.1, MAY-2) where the tick is
    /// the same (R6191-02), where it has none (R6191-05) or where TS.Recent is too old to tell. If
    /// the old incarnation had no timestamps, those of the SYN are proof enough, for old segments
    /// have none (R6191-03). Any other is dropped in silence (R6191-04).
    fn is_fresh_syn(&self, syn: &Segment<'_>, cx: &Context<'_>) -> bool {
        let beyond = syn.seq.after(self.rcv_nxt);
        let value = syn.options.timestamps.filter(|_| cx.config.timestamps);
        let fresh = match (value, self.valid_ts_recent(cx)) {
            (Some((value, _)), Some(recent)) => {
                let same_tick = value == recent;
                let ticked = !same_tick && !timestamps::before(value, recent);
                ticked || same_tick && (beyond || !cx.protects(Protection::TsClockTicks))
            }
            (Some(_), None) if !self.has_timestamps() => true,
            _ => beyond,
        };
        fresh || !cx.protects(Protection::TimeWaitReopenCheck)
    }

    /// PAWS also here: a FIN that it stops does not restart 2MSL (RFC 7323 §5.3, R7323-09).
    fn check_timestamps(
        &mut self,
        segment: &Segment<'_>,
        cx: &mut Context<'_>,
    ) -> Result<(), Drop> {
        if !self.has_timestamps() || segment.flags.contains(Flags::RST) {
            return Ok(());
        }
        let Some((value, _)) = segment.options.timestamps else {
            let lax = !cx.config.require_timestamps;
            return lax.then_some(()).ok_or(Drop::NoTimestamp);
        };
        if timestamps::paws_refuses(cx.config, value, self.valid_ts_recent(cx)) {
            self.challenge(cx);
            return Err(Drop::OldTimestamp);
        }
        Ok(())
    }

    fn is_peers_fin(&self, segment: &Segment<'_>) -> bool {
        let flags = segment.flags & (Flags::FIN | Flags::SYN | Flags::RST | Flags::ACK);
        flags == Flags::FIN | Flags::ACK && segment.seq + segment.len() == self.rcv_nxt
    }

    fn peers_fin_again(&mut self, cx: &mut Context<'_>) -> TimeWaitAnswer {
        if cx.protects(Protection::TimeWaitReAck) {
            self.acknowledge(cx);
        }
        if !cx.protects(Protection::TimeWaitRestart) {
            return TimeWaitAnswer::Stays(Verdict::Accepted);
        }
        self.expires = cx.now + duration(cx.config);
        TimeWaitAnswer::Restarts
    }

    /// RFC 1337 §3, fix F1: a RST ends nothing (R1337-01), least of all one that answers what old
    /// text drew (R1337-02).
    fn reset(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) -> TimeWaitAnswer {
        if cx.protects(Protection::Rfc1337) {
            return TimeWaitAnswer::Stays(Verdict::Dropped(Drop::RstIgnored));
        }
        if segment.seq != self.rcv_nxt && cx.protects(Protection::Rfc5961Rst) {
            self.challenge(cx);
            return TimeWaitAnswer::Stays(Verdict::Dropped(Drop::RstChallenged));
        }
        TimeWaitAnswer::Ends
    }
}
