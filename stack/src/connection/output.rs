//! What a connection sends next: the one place where its segments are built.
//!
//! [`Connection::output`] is called until it returns nothing; then the timers are set to what
//! the state of the send space demands. In order: SYN, retransmission, new text and FIN,
//! zero-window probe, keepalive probe, bare acknowledgment.

use alloc::vec::Vec;

use super::send::{Fin, Timed};
use super::{Connection, Due};
use crate::config::WindowScale;
use crate::context::Context;
use crate::protection::Protection;
use crate::recovery::Tlp;
use crate::seq::SeqNumber;
use crate::stack::{Ecn, Transmit};
use crate::state::State;
use crate::time::{Duration, Instant};
use crate::timestamps;
use crate::window_scale::Shift;
use crate::wire::{Flags, Header, Options, SackBlocks, finish_checksum};

/// Text and FIN of one segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) seq: SeqNumber,
    pub(super) text: u32,
    pub(super) fin: bool,
}

impl Piece {
    pub(super) fn end(self) -> SeqNumber {
        self.seq + self.text + u32::from(self.fin)
    }

    pub(super) fn is_bare_fin(self) -> bool {
        self.fin && self.text == 0
    }
}

impl Connection {
    /// Appends the next segment to `buf`, if there is one to send.
    pub(crate) fn output(&mut self, buf: &mut Vec<u8>, cx: &Context<'_>) -> Option<Transmit> {
        if self.end.is_some() {
            return None;
        }
        if self.due.contains(Due::SYN) {
            return Some(self.emit_syn(buf, cx));
        }
        if self.state.is_synchronized() {
            if let Some(piece) = self.next_retransmission(cx) {
                return Some(self.emit_again(piece, buf, cx));
            }
            if self.due.contains(Due::TAIL)
                && let Some(transmit) = self.emit_tail_probe(buf, cx)
            {
                return Some(transmit);
            }
            if let Some(piece) = self.next_new(false, cx) {
                return Some(self.emit_new(piece, buf, cx));
            }
            if let Some(transmit) = self.emit_probe(buf, cx) {
                return Some(transmit);
            }
        }
        if self.due.contains(Due::ACK) && self.state != State::SynSent {
            let piece = Piece {
                seq: self.send.nxt,
                text: 0,
                fin: false,
            };
            return Some(self.emit(piece, Flags::ACK, buf, cx));
        }
        self.set_timers(cx);
        None
    }

    /// The next piece to send again, inside the peer's window, even a shrunk one (SHLD-16), and
    /// cwnd. The last one is filled up with what was never sent: a refused probe of one octet becomes
    /// a full segment.
    fn next_retransmission(&mut self, cx: &Context<'_>) -> Option<Piece> {
        if self.send.out.frto.holds() {
            return None;
        }
        if self.memory.sack {
            return self.next_lost(self.text_max(), cx);
        }
        let (seq, end) = self.send.out.rexmit?;
        let smss = u32::from(self.send.smss);
        let in_flight = seq - self.send.una;
        let cwnd = if in_flight == 0 {
            smss
        } else {
            self.congestion.cwnd.saturating_sub(in_flight)
        };
        if cwnd == 0 {
            return None;
        }
        let piece = self.piece_again(seq, end, smss.min(cwnd));
        if piece.is_bare_fin() && !cx.protects(Protection::FinRetransmission) {
            self.send.out.rexmit = None;
            return None;
        }
        (piece.end() != seq).then_some(piece)
    }

    /// What goes again of `seq..end` in one segment of at most `text_max` octets of text, inside the
    /// peer's window. The last one is filled up with what was never sent, FIN included.
    pub(super) fn piece_again(&self, seq: SeqNumber, end: SeqNumber, text_max: u32) -> Piece {
        let send = &self.send;
        let last = end == send.nxt;
        let data_end = send.data_end();
        let text_end = if last { data_end } else { end.min(data_end) };
        let left = text_end.saturating_since(seq);
        let window = send.window_again(seq);
        let text = left.min(text_max).min(window);
        let has_fin = matches!(send.fin, Fin::Queued | Fin::Sent);
        let fin = has_fin && last && text == left && window > text;
        Piece { seq, text, fin }
    }

    /// The next piece never sent before that window, cwnd, Nagle (RFC 9293 §3.7.4, SHLD-7, MUST-17)
    /// and silly-window avoidance (§3.8.6.2.1, MUST-38) let go. It is as large as it may be, whatever
    /// SENDs it came in (SHLD-27, SHLD-28, MAY-16), and stays inside the window (SHLD-15). A tail
    /// loss `probe` goes beyond cwnd (RFC 8985 §7.3).
    fn next_new(&mut self, probe: bool, cx: &Context<'_>) -> Option<Piece> {
        let waits = match self.recovery.as_ref() {
            Some(recovery) => recovery.board.waiting() > 0,
            None => self.send.out.rexmit.is_some(),
        };
        let holds = self.timers.hold != Instant::MAX; // R3168-11.
        if waits && !self.send.out.frto.holds() || !self.send.has_unsent() || holds {
            return None;
        }
        self.raise_path_mtu(cx);
        let full = self.text_max();
        let smss = u32::from(self.send.smss);
        let idle = self.send.outstanding() == 0;
        if idle && cx.now - self.times.data_sent_at > self.rtt.rto() {
            self.congestion.on_idle(cx.config, smss);
        }
        let send = &self.send;
        let unsent = send.unsent();
        let window = match send.usable_window() {
            _ if !cx.protects(Protection::SendWindow) => u32::MAX,
            usable => usable,
        };
        let text = unsent.min(window).min(full);
        // A FIN needs window like an octet.
        let fin = send.fin == Fin::Queued && text == unsent && window > text;
        let piece = Piece {
            seq: send.nxt,
            text,
            fin,
        };
        if text == 0 {
            return fin.then_some(piece);
        }
        let cwnd = match self.recovery.as_ref() {
            _ if probe => u32::MAX,
            Some(recovery) => self.congestion.cwnd.saturating_sub(recovery.board.pipe()),
            None => {
                // New segments in the place of old ones (RFC 5682 §2.1 step 2b).
                let from = self.send.out.frto.probes_from().unwrap_or(send.una);
                let allowance = self.congestion.allowance(smss);
                allowance.saturating_sub(send.nxt - from)
            }
        };
        let nagle_allows = idle || !self.options.nagle || fin;
        let corked = (self.options.cork || send.out.more) && !fin;
        let worthwhile = text == full
            || text == unsent && nagle_allows && !corked
            || 2 * text >= send.max_wnd && (idle || !self.options.nagle)
            || self.due.contains(Due::OVERRIDE)
            || !cx.protects(Protection::SillyWindowSender);
        (worthwhile && text <= cwnd).then_some(piece)
    }

    fn emit_syn(&mut self, buf: &mut Vec<u8>, cx: &Context<'_>) -> Transmit {
        self.due.remove(Due::SYN);
        let iss = self.send.iss;
        let first = !self.send.syn_sent;
        self.send.syn_sent = true;
        if first {
            self.send.out.timed = Some(Timed {
                seq: iss,
                end: iss + 1,
                sent_at: cx.now,
            });
            self.timers.progress(cx.now);
        } else if cx.protects(Protection::Karn) {
            self.send.out.timed = None;
        }
        let setup = self.ecn_setup_flags(first, cx);
        let flags = if self.state == State::SynSent {
            Flags::SYN | setup
        } else {
            Flags::SYN | Flags::ACK | setup
        };
        self.emit(
            Piece {
                seq: iss,
                text: 0,
                fin: false,
            },
            flags,
            buf,
            cx,
        )
    }

    fn emit_again(&mut self, piece: Piece, buf: &mut Vec<u8>, cx: &Context<'_>) -> Transmit {
        if cx.protects(Protection::Karn) {
            self.send.out.timed = None;
        }
        let rest = self
            .send
            .out
            .rexmit
            .take()
            .map(|(_, end)| (piece.end(), end));
        self.send.out.rexmit = rest.filter(|(start, end)| start.before(*end));
        self.track_again(piece, cx);
        self.advance(piece);
        self.emit_piece(piece, false, buf, cx)
    }

    fn emit_new(&mut self, piece: Piece, buf: &mut Vec<u8>, cx: &Context<'_>) -> Transmit {
        if self.send.outstanding() == 0 {
            self.timers.progress(cx.now);
        }
        if self.send.out.timed.is_none() {
            let timed = Timed {
                seq: piece.seq,
                end: piece.end(),
                sent_at: cx.now,
            };
            self.send.out.timed = Some(timed);
        }
        self.due.remove(Due::OVERRIDE);
        self.timers.probe = Instant::MAX; // It is the tail now.
        self.track(piece, cx);
        self.advance(piece);
        let ecn = self.codepoint(piece.text > 0);
        let transmit = self.emit_piece(piece, true, buf, cx);
        Transmit { ecn, ..transmit }
    }

    /// The probe of a tail whose ACKs stay away: something new if there is, else the last segment
    /// again (RFC 8985 §7.3; R8985-07).
    fn emit_tail_probe(&mut self, buf: &mut Vec<u8>, cx: &Context<'_>) -> Option<Transmit> {
        self.due.remove(Due::TAIL);
        if let Some(piece) = self.next_new(true, cx) {
            self.memory.tlp.on_sent(piece.end(), false);
            return Some(self.emit_new(piece, buf, cx));
        }
        let piece = self.last_again(self.text_max())?;
        self.memory.tlp.on_sent(piece.end(), true);
        Some(self.emit_again(piece, buf, cx))
    }

    /// A probe of a zero window or of an idle peer, if one is due.
    fn emit_probe(&mut self, buf: &mut Vec<u8>, cx: &Context<'_>) -> Option<Transmit> {
        let due = self.due;
        self.due.remove(Due::PROBE | Due::KEEPALIVE);
        if due.contains(Due::PROBE) && self.send.wnd == 0 {
            let piece = self.probe_piece()?;
            if cx.protects(Protection::Karn) {
                self.send.out.timed = None;
            }
            if piece.end().after(self.send.nxt) {
                self.track(piece, cx);
            }
            self.advance(piece);
            return Some(self.emit_piece(piece, false, buf, cx));
        }
        if due.contains(Due::KEEPALIVE) {
            // One octet left of the window: it must be answered. No text, unless the user has asked
            // for the garbage octet (SHLD-12, MAY-6).
            let garbage = self.options.keepalive.is_some_and(|it| it.garbage);
            let piece = Piece {
                seq: self.send.nxt.back(1),
                text: u32::from(garbage),
                fin: false,
            };
            return Some(self.emit(piece, Flags::ACK, buf, cx));
        }
        None
    }

    /// The octet that probes a zero window: the oldest outstanding one, or the next new one.
    fn probe_piece(&self) -> Option<Piece> {
        let send = &self.send;
        let seq = send.una;
        let text = send.fin == Fin::Acked || seq == send.data_end();
        let fin = text && matches!(send.fin, Fin::Queued | Fin::Sent);
        let piece = Piece {
            seq,
            text: u32::from(!text),
            fin,
        };
        (piece.end() != seq).then_some(piece)
    }

    /// Moves SND.NXT over a piece that goes beyond it.
    fn advance(&mut self, piece: Piece) {
        if piece.end().after(self.send.nxt) {
            self.send.nxt = piece.end();
            if piece.fin {
                self.send.fin = Fin::Sent;
            }
        }
    }

    fn emit_piece(
        &mut self,
        piece: Piece,
        new: bool,
        buf: &mut Vec<u8>,
        cx: &Context<'_>,
    ) -> Transmit {
        let mut flags = Flags::ACK;
        // The last octet that waits is pushed (MUST-61).
        let last = piece.seq + piece.text == self.send.data_end();
        flags.set(Flags::PSH, piece.text > 0 && last);
        flags.set(Flags::FIN, piece.fin);
        if new && piece.text > 0 {
            flags |= self.ecn_of_new_text();
        }
        let runs = self.timers.retransmit.min(self.timers.probe);
        if runs.min(self.timers.reorder) == Instant::MAX && self.send.wnd > 0 {
            self.arm_retransmit(cx);
        }
        self.times.data_sent_at = cx.now;
        self.emit(piece, flags, buf, cx)
    }

    fn emit(
        &mut self,
        piece: Piece,
        flags: Flags,
        buf: &mut Vec<u8>,
        cx: &Context<'_>,
    ) -> Transmit {
        let start = buf.len();
        let syn = flags.contains(Flags::SYN);
        let options = self.options_of(flags, cx);
        self.due.remove(Due::USER_TIMEOUT);
        let acknowledges = flags.contains(Flags::ACK);
        let urgent = self.urgent_field(piece.seq).filter(|_| !syn);
        let mut flags = flags;
        flags.set(Flags::URG, urgent.is_some());
        if acknowledges && !syn {
            flags |= self.ecn_echo();
        }
        let header = Header {
            source_port: self.tuple.local_port,
            destination_port: self.tuple.remote.port,
            seq: piece.seq,
            ack: if acknowledges {
                self.receive.nxt
            } else {
                SeqNumber(0)
            },
            flags,
            window: if acknowledges {
                self.receive.offer(cx, syn)
            } else {
                self.receive.initial_window()
            },
            urgent: urgent.unwrap_or(0),
            options,
        };
        header.write_ordered(cx.config.option_order, buf);
        if piece.text > 0 && piece.seq.before(self.send.una) {
            buf.push(0); // The garbage octet of a keepalive probe.
        } else if piece.text > 0 {
            let offset = piece.seq - self.send.data_start();
            self.send.out.buffer.copy_to(offset, piece.text, buf);
            self.note_size(piece.end(), buf.len() - start);
        }
        // The address never changes (MUST-45).
        let tuple = self.tuple.full(cx.config);
        let (from, to) = (tuple.local.ip(), tuple.remote.ip());
        finish_checksum(from, to, &mut buf[start..]);
        if acknowledges {
            self.receive.last_ack_sent = self.receive.nxt;
            self.due.remove(Due::ACK);
            self.receive.incoming.ack_pending = 0;
            self.timers.delayed_ack = Instant::MAX;
            let incoming = &mut *self.receive.incoming;
            if let Some(reports) = &mut incoming.reports
                && !reports.told(&incoming.buffer)
            {
                incoming.reports = None;
            }
        }
        let connection = Some(self.id);
        Transmit {
            from,
            to,
            ecn: Ecn::NotEct,
            diffserv: self.options.ip.diffserv,
            hop_limit: self.options.ip.hop_limit,
            dont_fragment: self.path.dont_fragment(),
            connection,
            reset_reply: false,
        }
    }

    /// The options of a segment. The MSS goes in every SYN, in nothing else (MUST-14, MUST-65, SHLD-5,
    /// MAY-3). A SYN offers, a SYN-ACK answers only what was offered (RFC 7323 §2.2, §3.2,
    /// R7323-01, R7323-04; RFC 2018 §2, R6675-11).
    fn options_of(&self, flags: Flags, cx: &Context<'_>) -> Options {
        let timestamps = self
            .timestamps
            .map(|agreed| agreed.option(cx.now, flags.contains(Flags::ACK)));
        if !flags.contains(Flags::SYN) {
            return self.options_of_data(timestamps);
        }
        let offers = self.state == State::SynSent;
        let agrees = self.scaling || offers && cx.config.window_scale != WindowScale::Off;
        let shift = agrees.then_some(self.receive.shift);
        let tuple = || self.tuple.full(cx.config);
        let offer = || (timestamps::value(cx.config, cx.now, &tuple()), 0);
        Options {
            mss: Some(self.receive.rmss),
            window_scale: shift.map(Shift::count),
            sack_permitted: cx.config.sack && (offers || self.memory.sack),
            timestamps: timestamps.or_else(|| (offers && cx.config.timestamps).then(offer)),
            user_timeout: self.announced_timeout(),
            ..Options::default()
        }
    }

    /// Those of a segment that is no SYN. Once agreed, each has timestamps (R7323-05).
    fn options_of_data(&self, timestamps: Option<(u32, u32)>) -> Options {
        let announces = self.due.contains(Due::USER_TIMEOUT);
        Options {
            timestamps,
            sack: self.sack_blocks(),
            user_timeout: self.announced_timeout().filter(|_| announces),
            ..Options::default()
        }
    }

    /// What the next ACK reports.
    fn sack_blocks(&self) -> SackBlocks {
        match &self.receive.incoming.reports {
            Some(reports) => reports.blocks(self.receive.nxt, &self.receive.incoming.buffer),
            None => SackBlocks::default(),
        }
    }

    /// The most octets of text that fit into a segment next to its options (RFC 9293 §3.7.1,
    /// MUST-16).
    fn text_max(&self) -> u32 {
        let smss = u32::from(self.send.smss);
        if self.receive.incoming.reports.is_none() && !self.due.contains(Due::USER_TIMEOUT) {
            return smss;
        }
        // SMSS already leaves room for timestamps.
        let stamp = self.timestamps.map(|_| (0, 0));
        let counted = stamp.map_or(0, |_| timestamps::OPTION_OCTETS);
        let more = self.options_of_data(stamp).octets() - counted;
        smss.saturating_sub(u32::from(more)).max(1)
    }

    /// Arms and disarms the timers by what is outstanding, waiting and acknowledged (R6298-07,
    /// R6298-08).
    ///
    /// A window of zero is probed, also one shrunk to zero (MUST-35), and then what lies right of it
    /// can't time out (SHLD-17). Text that nothing else will set going waits for the override timer
    /// at most (MUST-60).
    fn set_timers(&mut self, cx: &Context<'_>) {
        self.set_delayed_ack(cx);
        let never = Instant::MAX;
        let timers = &mut *self.timers;
        let outstanding = self.send.outstanding() > 0;
        let waiting = self.state.is_synchronized() && self.send.has_unsent();
        if self.send.syn_acked && self.send.wnd == 0 && (outstanding || waiting) {
            (timers.retransmit, timers.override_) = (never, never);
            (timers.probe, timers.reorder) = (never, never);
            if timers.persist == never && cx.protects(Protection::Persist) {
                self.timers.persist = cx.now + self.persist_interval(cx);
            }
            return;
        }
        (timers.persist, timers.persist_shift) = (never, 0);
        if outstanding {
            timers.override_ = never;
            self.set_recovery_timer(cx);
            return;
        }
        (timers.retransmit, timers.probe, timers.reorder) = (never, never, never);
        if !waiting || timers.hold != never {
            timers.override_ = never;
        } else if timers.override_ == never {
            timers.override_ = cx.now + cx.config.override_timeout;
        }
    }

    /// Something is outstanding: one timer among retransmission, probe and reordering runs
    /// (RFC 8985 §8; R8985-09). The last replaces the others, the probe that of retransmission.
    fn set_recovery_timer(&mut self, cx: &Context<'_>) {
        let never = Instant::MAX;
        let may_probe = self.may_probe(cx);
        let suspicion = self
            .recovery
            .as_ref()
            .and_then(|recovery| recovery.suspicion);
        let arms = cx.protects(Protection::RtoArming);
        let timers = &mut *self.timers;
        if let Some(at) = suspicion {
            (timers.reorder, timers.probe, timers.retransmit) = (at, never, never);
            return;
        }
        timers.reorder = never;
        if may_probe && (arms || timers.retransmit != never) {
            timers.retransmit = never;
            if timers.probe == never {
                self.timers.probe = self.probe_at(cx);
            }
            return;
        }
        timers.probe = never;
        if timers.retransmit == never && arms {
            self.arm_retransmit(cx);
        }
    }

    /// When the tail is to be probed (RFC 8985 §7.2). The peer is taken to delay its ACKs as we do.
    fn probe_at(&self, cx: &Context<'_>) -> Instant {
        let single = self
            .recovery
            .as_ref()
            .is_some_and(|recovery| recovery.board.is_single());
        let ack_delay = single.then_some(cx.config.delayed_ack);
        let rto_at = self.timers.progress_at + self.rtt.rto();
        Tlp::timeout(cx.now, self.rtt.srtt(), ack_delay, rto_at)
    }

    /// What waits for an acknowledgment has one within the delay (SHLD-18, MUST-40).
    fn set_delayed_ack(&mut self, cx: &Context<'_>) {
        if self.receive.incoming.ack_pending == 0 || self.timers.delayed_ack != Instant::MAX {
            return;
        }
        let delay = if cx.protects(Protection::DelayedAckBound) {
            cx.config.delayed_ack
        } else {
            cx.config.delayed_ack + Duration::from_secs(1)
        };
        self.timers.delayed_ack = cx.now + delay;
    }
}
