//! What a connection sends next: the one place where its segments are built.
//!
//! [`Connection::output`] is called until it returns nothing; then the timers are set to what
//! the state of the send space demands. In order: SYN, retransmission, new text and FIN,
//! zero-window probe, keepalive probe, bare acknowledgment.

use alloc::vec::Vec;

use super::send::{Fin, Timed};
use super::{Connection, Due};
use crate::context::Context;
use crate::protection::Protection;
use crate::seq::SeqNumber;
use crate::stack::{Ecn, Transmit};
use crate::state::State;
use crate::time::{Duration, Instant};
use crate::timestamps;
use crate::window_scale::Shift;
use crate::wire::{Flags, Header, Options, finish_checksum};

/// Text and FIN of one segment.
#[derive(Clone, Copy, Debug)]
struct Piece {
    seq: SeqNumber,
    text: u32,
    fin: bool,
}

impl Piece {
    fn end(self) -> SeqNumber {
        self.seq + self.text + u32::from(self.fin)
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
            if let Some(piece) = self.next_new(cx) {
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
        let (seq, end) = self.send.rexmit?;
        let send = &self.send;
        let window = send.window_again(seq);
        let in_flight = seq - send.una;
        let cwnd = if in_flight == 0 {
            u32::from(send.smss)
        } else {
            self.congestion.cwnd.saturating_sub(in_flight)
        };
        let all = end == send.nxt;
        let text_end = if all { send.data_end() } else { end };
        let left = text_end.saturating_since(seq);
        let text = left.min(u32::from(send.smss)).min(window).min(cwnd);
        let has_fin = matches!(send.fin, Fin::Queued | Fin::Sent);
        let fin = has_fin && all && text == left && window > text && cwnd > 0;
        if fin && text == 0 && !cx.protects(Protection::FinRetransmission) {
            self.send.rexmit = None;
            return None;
        }
        (text > 0 || fin).then_some(Piece { seq, text, fin })
    }

    /// The next piece never sent before that window, cwnd, Nagle (RFC 9293 §3.7.4, SHLD-7, MUST-17)
    /// and silly-window avoidance (§3.8.6.2.1, MUST-38) let go. It is as large as it may be, whatever
    /// SENDs it came in (SHLD-27, SHLD-28, MAY-16), and stays inside the window (SHLD-15).
    fn next_new(&mut self, cx: &Context<'_>) -> Option<Piece> {
        if self.send.rexmit.is_some() || !self.send.has_unsent() {
            return None;
        }
        let smss = u32::from(self.send.smss);
        let idle = self.send.outstanding() == 0;
        if idle && cx.now - self.timers.sent_at > self.rtt.rto() {
            self.congestion.on_idle(cx.config, smss);
        }
        let send = &self.send;
        let unsent = send.unsent();
        let window = match send.usable_window() {
            _ if !cx.protects(Protection::SendWindow) => u32::MAX,
            usable => usable,
        };
        let text = unsent.min(window).min(smss);
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
        let cwnd = self
            .congestion
            .allowance(smss)
            .saturating_sub(send.outstanding());
        let nagle_allows = idle || !self.options.nagle || fin;
        let corked = (self.options.cork || send.more) && !fin;
        let worthwhile = text == smss
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
            self.send.timed = Some(Timed {
                seq: iss,
                end: iss + 1,
                sent_at: cx.now,
            });
            self.timers.progress(cx.now);
        } else if cx.protects(Protection::Karn) {
            self.send.timed = None;
        }
        let flags = if self.state == State::SynSent {
            Flags::SYN
        } else {
            Flags::SYN | Flags::ACK
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
            self.send.timed = None;
        }
        let rest = self.send.rexmit.take().map(|(_, end)| (piece.end(), end));
        self.send.rexmit = rest.filter(|(start, end)| start.before(*end));
        self.advance(piece);
        self.emit_piece(piece, buf, cx)
    }

    fn emit_new(&mut self, piece: Piece, buf: &mut Vec<u8>, cx: &Context<'_>) -> Transmit {
        if self.send.outstanding() == 0 {
            self.timers.progress(cx.now);
        }
        if self.send.timed.is_none() {
            let timed = Timed {
                seq: piece.seq,
                end: piece.end(),
                sent_at: cx.now,
            };
            self.send.timed = Some(timed);
        }
        self.due.remove(Due::OVERRIDE);
        self.advance(piece);
        self.emit_piece(piece, buf, cx)
    }

    /// A probe of a zero window or of an idle peer, if one is due.
    fn emit_probe(&mut self, buf: &mut Vec<u8>, cx: &Context<'_>) -> Option<Transmit> {
        let due = self.due;
        self.due.remove(Due::PROBE | Due::KEEPALIVE);
        if due.contains(Due::PROBE) && self.send.wnd == 0 {
            let piece = self.probe_piece()?;
            if cx.protects(Protection::Karn) {
                self.send.timed = None;
            }
            self.advance(piece);
            return Some(self.emit_piece(piece, buf, cx));
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

    fn emit_piece(&mut self, piece: Piece, buf: &mut Vec<u8>, cx: &Context<'_>) -> Transmit {
        let mut flags = Flags::ACK;
        // The last octet that waits is pushed (MUST-61).
        let last = piece.seq + piece.text == self.send.data_end();
        flags.set(Flags::PSH, piece.text > 0 && last);
        flags.set(Flags::FIN, piece.fin);
        if self.timers.retransmit == Instant::MAX && self.send.wnd > 0 {
            self.arm_retransmit(cx);
        }
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
        let announces = syn || self.due.contains(Due::USER_TIMEOUT);
        let user_timeout = self.announced_timeout().filter(|_| announces);
        self.due.remove(Due::USER_TIMEOUT);
        let acknowledges = flags.contains(Flags::ACK);
        let urgent = self.urgent_field(piece.seq).filter(|_| !syn);
        let mut flags = flags;
        flags.set(Flags::URG, urgent.is_some());
        let header = Header {
            source_port: self.tuple.local.port,
            destination_port: self.tuple.remote.port,
            seq: piece.seq,
            ack: if acknowledges {
                self.receive.nxt
            } else {
                SeqNumber(0)
            },
            flags,
            window: if acknowledges {
                self.receive.offer(cx.config, syn)
            } else {
                self.receive.initial_window()
            },
            urgent: urgent.unwrap_or(0),
            options: Options {
                user_timeout,
                ..self.options_of(flags, cx)
            },
        };
        header.write(buf);
        if piece.text > 0 && piece.seq.before(self.send.una) {
            buf.push(0); // The garbage octet of a keepalive probe.
        } else if piece.text > 0 {
            let offset = piece.seq - self.send.data_start();
            self.send.buffer.copy_to(offset, piece.text, buf);
        }
        // The address never changes (MUST-45).
        let (from, to) = (self.tuple.local.ip(), self.tuple.remote.ip());
        finish_checksum(from, to, &mut buf[start..]);
        self.timers.sent_at = cx.now;
        if acknowledges {
            self.receive.last_ack_sent = self.receive.nxt;
            self.due.remove(Due::ACK);
            self.receive.ack_pending = 0;
            self.timers.delayed_ack = Instant::MAX;
        }
        let connection = Some(self.id);
        Transmit {
            from,
            to,
            ecn: Ecn::NotEct,
            diffserv: self.options.ip.diffserv,
            hop_limit: self.options.ip.hop_limit,
            dont_fragment: true,
            connection,
            reset_reply: false,
        }
    }

    /// The options of a segment. The MSS goes in every SYN, in nothing else (MUST-14, MUST-65, SHLD-5,
    /// MAY-3). A SYN offers, a SYN-ACK answers only what was offered
    /// (RFC 7323 §2.2, §3.2, R7323-01, R7323-04); once agreed, each segment has timestamps
    /// (R7323-05).
    fn options_of(&self, flags: Flags, cx: &Context<'_>) -> Options {
        let timestamps = self
            .timestamps
            .map(|agreed| agreed.option(cx.now, flags.contains(Flags::ACK)));
        if !flags.contains(Flags::SYN) {
            return Options {
                timestamps,
                ..Options::default()
            };
        }
        let offers = self.state == State::SynSent;
        let shift = Shift::offered(cx.config).filter(|_| offers || self.scaling);
        let offer = || (timestamps::value(cx.config, cx.now, &self.tuple), 0);
        Options {
            mss: Some(self.receive.rmss),
            window_scale: shift.map(Shift::count),
            timestamps: timestamps.or_else(|| (offers && cx.config.timestamps).then(offer)),
            ..Options::default()
        }
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
        let timers = &mut self.timers;
        let outstanding = self.send.outstanding() > 0;
        let waiting = self.state.is_synchronized() && self.send.has_unsent();
        if self.send.syn_acked && self.send.wnd == 0 && (outstanding || waiting) {
            (timers.retransmit, timers.override_) = (never, never);
            if timers.persist == never && cx.protects(Protection::Persist) {
                self.timers.persist = cx.now + self.persist_interval(cx);
            }
            return;
        }
        (timers.persist, timers.persist_shift) = (never, 0);
        if outstanding {
            timers.override_ = never;
            if timers.retransmit == never && cx.protects(Protection::RtoArming) {
                self.arm_retransmit(cx);
            }
            return;
        }
        timers.retransmit = never;
        if !waiting {
            timers.override_ = never;
        } else if timers.override_ == never {
            timers.override_ = cx.now + cx.config.override_timeout;
        }
    }

    /// What waits for an acknowledgment has one within the delay (SHLD-18, MUST-40).
    fn set_delayed_ack(&mut self, cx: &Context<'_>) {
        if self.receive.ack_pending == 0 || self.timers.delayed_ack != Instant::MAX {
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
