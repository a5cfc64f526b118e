//! SYN-RECEIVED and the synchronized states up to LAST-ACK (RFC 9293 §3.10.7.4), with the checks
//! in the RFC's order; before them stands PAWS (`timestamps.rs`). The third, security, has no IP
//! option to look at any more.

use crate::congestion::Acked;
use crate::connection::{Connection, Due, Fin};
use crate::context::Context;
use crate::error::Errno;
use crate::event::{Cause, Drop, Event, Interest, Ready, Verdict};
use crate::protection::Protection;
use crate::recovery::Report;
use crate::seq::SeqNumber;
use crate::state::State;
use crate::time::Instant;
use crate::wire::{Flags, Segment};

/// What the first checks decide.
type Checked = Result<(), Drop>;

impl Connection {
    /// `accept_full`: the listener of a half-open connection has no room for it now.
    pub(crate) fn arrives_in_other_states(
        &mut self,
        segment: &Segment<'_>,
        accept_full: bool,
        cx: &mut Context<'_>,
    ) -> Verdict {
        match self.checks(segment, accept_full, cx) {
            Ok(()) => Verdict::Accepted,
            Err(reason) => Verdict::Dropped(reason),
        }
    }

    fn checks(
        &mut self,
        segment: &Segment<'_>,
        accept_full: bool,
        cx: &mut Context<'_>,
    ) -> Checked {
        self.check_timestamps(segment, cx)?;
        if self.state == State::SynReceived && self.is_own_syn_again(segment) {
            return self.syn_again(segment, accept_full, cx);
        }
        self.check_sequence(segment, cx)?;
        self.hear(cx.now);
        if segment.flags.contains(Flags::RST) {
            return self.check_reset(segment, cx);
        }
        if segment.flags.contains(Flags::SYN) {
            return self.check_syn(segment, cx);
        }
        if !segment.flags.contains(Flags::ACK) {
            return Err(Drop::NoAck);
        }
        if self.state == State::SynReceived {
            self.check_ack_of_syn(segment, accept_full, cx)?;
        } else {
            self.check_ack(segment, cx)?;
        }
        self.take_timestamp(segment, cx);
        if self.end.is_none() {
            self.take_user_timeout(segment.options.user_timeout, cx);
            self.take_urgent(segment, cx);
            self.take_ecn_mark(segment, cx);
            self.take_text_and_fin(segment, cx);
        }
        Ok(())
    }

    /// The SYN that started this connection, with or without ACK.
    fn is_own_syn_again(&self, segment: &Segment<'_>) -> bool {
        let syn = segment.flags.contains(Flags::SYN) && !segment.flags.contains(Flags::RST);
        syn && segment.seq == self.receive.irs
    }

    /// A bare one draws the SYN-ACK again. In a simultaneous open the other side's SYN-ACK also
    /// starts at IRS: its acknowledgment counts (RFC 9293 §3.5 figure 7, §A.2).
    fn syn_again(&mut self, segment: &Segment<'_>, full: bool, cx: &mut Context<'_>) -> Checked {
        if !segment.flags.contains(Flags::ACK) {
            self.take_ecn_setup_again(segment);
            self.due |= Due::SYN;
            return Err(Drop::OutsideWindow);
        }
        if self.passive {
            self.challenge(cx);
            return Err(Drop::OutsideWindow);
        }
        self.due |= Due::ACK;
        self.check_ack_of_syn(segment, full, cx)
    }

    /// First: the sequence number (Table 6). The window is the one last advertised.
    fn check_sequence(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) -> Checked {
        let reset = segment.flags.contains(Flags::RST);
        // A RST counts as one octet wide, whatever text explains it (MUST-66, SHLD-2).
        let len = if reset { 0 } else { segment.len() };
        let (nxt, wnd) = (self.receive.nxt, self.receive.window());
        if acceptable(segment.seq, len, nxt, wnd) || !cx.protects(Protection::SequenceCheck) {
            return Ok(());
        }
        if reset {
            return Err(Drop::OutsideWindow); // In silence (RFC 5961 §3, R5961-01).
        }
        if self.beside_zero_window(segment, cx) {
            self.check_ack(segment, cx)?;
            self.take_urgent(segment, cx);
            if !segment.text.is_empty() || segment.flags.contains(Flags::FIN) {
                self.due |= Due::ACK;
            } else if segment.seq.before(nxt) {
                self.challenge(cx); // A keepalive probe, which waits for its answer (§3.8.4).
            }
            return Err(Drop::ZeroWindow);
        }
        self.answer_unacceptable(segment, cx);
        Err(Drop::OutsideWindow)
    }

    /// Text is a retransmission whose ACK was lost, and must be answered; nothing else needs an
    /// answer each time.
    pub(super) fn answer_unacceptable(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) {
        let has_text = !segment.text.is_empty() || segment.flags.contains(Flags::FIN);
        if has_text && !segment.flags.contains(Flags::SYN) {
            self.due |= Due::ACK;
            self.note_old_text(segment);
        } else {
            self.challenge(cx);
        }
    }

    /// Text that came before, in a segment whose acknowledgment is plausible: the sender hears that
    /// it came twice (RFC 2883 §4).
    fn note_old_text(&mut self, segment: &Segment<'_>) {
        let plausible = !segment.ack.after(self.send.nxt)
            && segment
                .ack
                .at_or_after(self.send.una.back(self.send.max_wnd));
        let end = segment.seq + segment.text.len() as u32;
        if segment.flags.contains(Flags::ACK) && plausible && self.state.is_synchronized() {
            self.note_duplicate(segment.seq, end.min(self.receive.nxt));
        }
    }

    /// Behind a zero window the ACK field still counts (RFC 9293 §3.10.7.4), also in a segment
    /// that starts one octet off: the peer may have sent a probe that we refused (§A.2).
    fn beside_zero_window(&self, segment: &Segment<'_>, cx: &Context<'_>) -> bool {
        let nxt = self.receive.nxt;
        self.receive.window() == 0
            && self.state.is_synchronized()
            && segment.flags & (Flags::ACK | Flags::SYN) == Flags::ACK
            && segment.seq.within(nxt.back(1), 3)
            && (cx.protects(Protection::ZeroWindowAllowance) || segment.seq == nxt)
    }

    /// Second: the RST bit (RFC 5961 §3). At RCV.NXT it counts (R5961-02), elsewhere in the window
    /// it is challenged (R5961-03).
    fn check_reset(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) -> Checked {
        if segment.seq != self.receive.nxt && cx.protects(Protection::Rfc5961Rst) {
            self.challenge(cx);
            return Err(Drop::RstChallenged);
        }
        match self.state {
            State::SynReceived => self.fail_handshake(Errno::ECONNREFUSED, Cause::Segment, cx),
            // Our FIN is sent and the peer's is here: the user has nothing to lose.
            State::Closing | State::LastAck => self.close_with(None, Cause::Segment, cx),
            _ => self.close_with(Some(Errno::ECONNRESET), Cause::Segment, cx),
        }
        Ok(())
    }

    /// Fourth: the SYN bit (RFC 5961 §4, R5961-04).
    fn check_syn(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) -> Checked {
        if self.state == State::SynReceived && self.passive {
            self.fail_handshake(Errno::ECONNREFUSED, Cause::Segment, cx);
            return Ok(());
        }
        if cx.protects(Protection::Rfc5961Syn) {
            self.challenge(cx);
            return Err(Drop::SynChallenged);
        }
        self.reply_reset(segment, cx);
        self.close_with(Some(Errno::ECONNRESET), Cause::Segment, cx);
        Ok(())
    }

    /// Fifth, in SYN-RECEIVED: only an ACK of our SYN, in a segment that starts at RCV.NXT, leads
    /// on.
    fn check_ack_of_syn(
        &mut self,
        segment: &Segment<'_>,
        full: bool,
        cx: &mut Context<'_>,
    ) -> Checked {
        let syn_again = segment.flags.contains(Flags::SYN);
        let good = segment.ack.after(self.send.una) && !segment.ack.after(self.send.nxt);
        if !good && cx.protects(Protection::SynReceivedAckCheck) {
            self.due.remove(Due::ACK);
            self.reply_reset(segment, cx);
            return Err(Drop::BadAck);
        }
        if segment.seq.after(self.receive.nxt) {
            if segment.len() > 0 {
                self.due |= Due::ACK;
            }
            return Err(Drop::NotAtRcvNxt);
        }
        if full {
            return Err(Drop::QueueFull);
        }
        if self.defers(segment, cx) {
            return Err(Drop::Deferred);
        }
        let ack = if good { segment.ack } else { self.send.nxt };
        self.sample_rtt(segment, ack, cx);
        self.send.acknowledge(ack);
        // The window of a SYN has already been taken, and its octet is no text to come.
        if !syn_again {
            self.send.take_window(segment);
        }
        self.establish(cx);
        Ok(())
    }

    /// The listener wants connections with text only, and may still wait for it
    /// (TCP_DEFER_ACCEPT). The SYN-ACK, sent again, asks the peer anew.
    fn defers(&self, segment: &Segment<'_>, cx: &Context<'_>) -> bool {
        let waits = |most| cx.now < self.timers.progress_at + most;
        self.passive && segment.len() == 0 && self.options.defer_accept.is_some_and(waits)
    }

    /// Fifth, in the synchronized states.
    fn check_ack(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) -> Checked {
        let (una, nxt, ack) = (self.send.una, self.send.nxt, segment.ack);
        let too_old = ack.before(una.back(self.send.max_wnd)); // RFC 5961 §5, MAY-12, R5961-05
        if ack.after(nxt) || too_old && cx.protects(Protection::Rfc5961Ack) {
            self.challenge(cx);
            return Err(Drop::BadAck);
        }
        self.hear(cx.now);
        self.timers.probes = 0;
        self.soft_error = None;
        if ack.before(una) {
            return Ok(());
        }
        if self.is_ecn_echo(segment) {
            self.congestion.confirm(); // RFC 4015 §3.4: nothing is undone then.
        }
        if self.memory.sack {
            self.take_ack_with_sack(segment, cx);
        } else if ack.after(una) {
            self.take_ack(segment, cx);
        } else if self.is_duplicate(segment) {
            self.take_duplicate(segment, cx);
        }
        self.take_ecn_echo(segment, cx);
        let was_shut = self.send.wnd == 0;
        self.send.update_window(cx.config, segment);
        if was_shut && self.send.wnd > 0 {
            self.window_opened(cx);
        }
        self.after_ack(cx);
        Ok(())
    }

    /// SND.UNA moves, without SACK.
    fn take_ack(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) {
        let ack = segment.ack;
        let (una, flight) = (self.send.una, self.send.outstanding());
        self.move_una(segment, cx);
        let acked = Acked {
            octets: ack - una,
            flight,
            now: cx.now,
            srtt: self.rtt.srtt(),
            smss: u32::from(self.send.smss),
            congested: self.is_ecn_echo(segment),
        };
        let undone = self.ask_frto(segment, true, &Report::default());
        if !undone && self.congestion.on_ack(ack, &acked) {
            self.resend_first();
        }
    }

    /// SND.UNA moves, and what depends on it alone.
    pub(crate) fn move_una(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) {
        let ack = segment.ack;
        self.sample_rtt(segment, ack, cx);
        self.send.acknowledge(ack);
        self.path.acknowledged(ack, &mut self.send.out.proving);
        self.timers.progress(cx.now);
        // Restarted if anything is still out.
        (self.timers.retransmit, self.timers.probe) = (Instant::MAX, Instant::MAX);
        if self.send.out.want_space && self.send.fin == Fin::Open {
            self.send.out.want_space = false;
            self.tell(Ready::Writable, cx);
        }
    }

    /// A duplicate ACK, without SACK.
    fn take_duplicate(&mut self, segment: &Segment<'_>, cx: &Context<'_>) {
        self.ask_frto(segment, false, &Report::default());
        let (una, nxt, smss) = (self.send.una, self.send.nxt, u32::from(self.send.smss));
        if self.congestion.on_duplicate(cx.config, una, nxt, smss) {
            self.resend_first();
        }
    }

    /// The first unacknowledged segment is to be sent again.
    fn resend_first(&mut self) {
        let una = self.send.una;
        let end = (una + u32::from(self.send.smss)).min(self.send.nxt);
        let end = if end == self.send.data_end() {
            self.send.nxt
        } else {
            end
        };
        if una.before(end) && self.send.out.rexmit.is_none() {
            self.send.out.rexmit = Some((una, end));
        }
    }

    /// A zero window opened: what the peer refused meanwhile is sent again at once.
    fn window_opened(&mut self, cx: &Context<'_>) {
        self.timers.progress(cx.now);
        self.resend_all();
    }

    /// The state's own part of the fifth check: is our FIN acknowledged?
    fn after_ack(&mut self, cx: &mut Context<'_>) {
        if self.send.fin != Fin::Acked {
            return;
        }
        match self.state {
            State::FinWait1 => {
                self.enter(State::FinWait2, Cause::Segment, cx);
                self.start_fin_wait_2(cx);
            }
            State::Closing => self.enter_time_wait(cx),
            State::LastAck => self.close_with(None, Cause::Segment, cx),
            _ => {}
        }
    }

    /// Takes an RTT sample if there is one in an acknowledgment that moves SND.UNA to `ack`: by its
    /// echo, or of a segment never sent again (RFC 6298 §3, R6298-06).
    pub(crate) fn sample_rtt(
        &mut self,
        segment: &Segment<'_>,
        ack: SeqNumber,
        cx: &mut Context<'_>,
    ) {
        let timed = self
            .send
            .out
            .timed
            .filter(|timed| timed.end.at_or_before(ack));
        if timed.is_some() {
            self.send.out.timed = None;
        }
        let sample = match (self.timestamps, segment.options.timestamps) {
            (Some(agreed), Some((_, echo))) => self.echoed(agreed, echo, ack, cx),
            _ => timed.map(|timed| (timed.seq, cx.now - timed.sent_at)),
        };
        let Some((seq, rtt)) = sample else { return };
        self.rtt.sample(rtt, &cx.config.rto);
        self.memory.tlp.on_sample();
        let connection = self.id;
        cx.events.push(Interest::TIMERS, || Event::RttSample {
            connection,
            seq,
            rtt,
        });
    }
}

/// Table 6 of RFC 9293 §3.10.7.4.
pub(crate) fn acceptable(seq: SeqNumber, len: u32, rcv_nxt: SeqNumber, rcv_wnd: u32) -> bool {
    match (len, rcv_wnd) {
        (0, 0) => seq == rcv_nxt,
        (0, _) => seq.within(rcv_nxt, rcv_wnd),
        (_, 0) => false,
        _ => seq.within(rcv_nxt, rcv_wnd) || (seq + (len - 1)).within(rcv_nxt, rcv_wnd),
    }
}

#[cfg(test)]
mod tests {
    use super::acceptable;
    use crate::seq::SeqNumber;

    const NXT: SeqNumber = SeqNumber(u32::MAX - 2);

    #[test]
    fn table_6_row_by_row() {
        let rows = [
            // (offset of SEQ from RCV.NXT, LEN, WND, acceptable)
            (0, 0, 0, true),
            (1, 0, 0, false),
            (-1, 0, 0, false),
            (0, 0, 10, true),
            (9, 0, 10, true),
            (10, 0, 10, false),
            (-1, 0, 10, false),
            (0, 1, 0, false),
            (0, 5, 10, true),
            (9, 5, 10, true),
            (10, 5, 10, false),
            (-4, 5, 10, true),
            (-5, 5, 10, false),
            (-20, 50, 10, false), // both ends outside: the RFC's test says no
        ];
        for (offset, len, wnd, expected) in rows {
            let seq = SeqNumber(NXT.0.wrapping_add_signed(offset));
            assert_eq!(
                acceptable(seq, len, NXT, wnd),
                expected,
                "{offset} {len} {wnd}"
            );
        }
    }
}
