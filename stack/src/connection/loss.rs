//! Loss recovery of one connection, with SACK in use: what an ACK does, what a timer does, and what
//! is sent again (RFC 6675 §5, RFC 8985 §6, §7, RFC 9937 §6). And, with SACK or without, whether a
//! timeout was spurious (RFC 5682).

use super::output::Piece;
use super::send::Fin;
use super::{Connection, Due};
use crate::congestion::Acked;
use crate::context::Context;
use crate::event::{SackVars, Timer};
use crate::protection::Protection;
use crate::recovery::{Answer, Frto, FrtoAck, FrtoVerdict, Moment, Prr, Report, sort_blocks};
use crate::seq::SeqNumber;
use crate::time::Instant;
use crate::wire::{Flags, SackBlock, Segment};

impl Connection {
    /// SEG.ACK is at SND.UNA or moves it, and is valid (RFC 5961 §5).
    pub(crate) fn take_ack_with_sack(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) {
        let (una, nxt, ack) = (self.send.una, self.send.nxt, segment.ack);
        let flight = nxt - una;
        let reported = self.recovery.as_ref().map_or(0, |r| r.board.sacked());
        let (dsack, blocks) = sort_blocks(&segment.options.sack, una, ack, nxt);
        let bare = self.is_duplicate(segment) && segment.options.sack.is_empty();
        if ack.after(una) {
            self.move_una(segment, cx);
        }
        let answer = self
            .memory
            .tlp
            .on_ack(ack, dsack.map(|block| block.right), bare);
        let moment = self.moment(cx.now);
        let report = match self.recovery.as_mut() {
            Some(recovery) => recovery.on_ack(
                ack,
                blocks.as_slice(),
                dsack,
                nxt,
                &moment,
                &mut self.memory,
            ),
            None => Report::default(),
        };
        let acked = Acked {
            octets: ack - una,
            flight,
            now: cx.now,
            srtt: moment.srtt,
            smss: moment.smss,
            congested: self.is_ecn_echo(segment),
        };
        let undone = self.ask_frto(segment, acked.octets > 0, &report);
        self.respond(&acked, undone, flight - reported, &report, cx);
        if answer == Answer::Repaired {
            self.congestion
                .reduce_once(cx.config, flight, nxt, moment.smss);
        }
        if self.send.una == self.send.nxt {
            self.recovery.end();
            self.congestion.confirm();
        }
    }

    /// Congestion control by what an ACK told. `undone`: it proved a timeout spurious. `unreported`:
    /// what was outstanding before it and not reported.
    fn respond(
        &mut self,
        acked: &Acked,
        undone: bool,
        unreported: u32,
        report: &Report,
        cx: &Context<'_>,
    ) {
        let una = self.send.una;
        let mut begun = false;
        if self.congestion.recovering() && una.at_or_after(self.congestion.recover) {
            // R6675-08, R5681-10: about ssthresh is in the network by now.
            let cwnd = if cx.protects(Protection::LossResponse) {
                self.congestion.ssthresh
            } else {
                self.congestion.cwnd
            };
            self.congestion.recovered(cwnd);
            self.memory.rack.on_recovered();
            if !self.pipe_is_whole() {
                // Found lost meanwhile, though sent after what this recovery was about.
                self.begin_recovery(acked.flight, unreported, cx);
                begun = true;
            }
        } else if acked.octets > 0 && !undone && !self.congestion.recovering() {
            let repairing = self.congestion.repairing();
            self.congestion.leave(una);
            self.congestion.grow(acked);
            begun = repairing && !self.congestion.repairing() && !self.pipe_is_whole();
            if begun {
                // The same of what was sent after a timeout.
                self.begin_recovery(acked.flight, unreported, cx);
            }
        }
        if report.all_unneeded && self.pipe_is_whole() {
            self.congestion.undo();
        }
        if report.lost > 0 && !self.congestion.repairing() && !self.pipe_is_whole() {
            self.begin_recovery(acked.flight, unreported, cx);
        } else if report.lost_again && !begun {
            self.reduce_again(acked.flight, cx);
        }
        self.proportion(report.delivered, acked.octets > 0 && report.lost == 0, cx);
        let sacked = self.recovery.as_ref().is_some_and(|r| r.board.sacked() > 0);
        self.congestion.disorder(sacked);
    }

    /// RFC 6675 §5 step 4: the first segment is sent again at once, whatever cwnd says (R6675-02,
    /// R6675-03, R6675-04).
    fn begin_recovery(&mut self, flight: u32, unreported: u32, cx: &Context<'_>) {
        let smss = u32::from(self.send.smss);
        let (una, nxt) = (self.send.una, self.send.nxt);
        self.congestion.leave(una);
        // What limited transmit sent does not count (RFC 5681 §3.2 step 2; R5681-09).
        let flight = flight.min(self.congestion.cwnd);
        self.congestion.enter_recovery(cx.config, flight, nxt, smss);
        self.memory.tlp.forget();
        if let Some(recovery) = self.recovery.as_mut() {
            recovery.prr = Prr::new(unreported);
            recovery.force = true;
            recovery.watch(una, nxt, cx.now);
        }
    }

    /// Something that was sent again in the repair at hand is lost once more (R5681-14).
    fn reduce_again(&mut self, flight: u32, cx: &Context<'_>) {
        if !self.congestion.repairing() {
            return;
        }
        let smss = u32::from(self.send.smss);
        self.congestion.reduce_again(cx.config, flight, smss);
        if let Some(recovery) = self.recovery.as_mut() {
            recovery.reduced_at = cx.now;
        }
    }

    /// RFC 9937 §6.2: cwnd during recovery.
    fn proportion(&mut self, delivered: u32, safe: bool, cx: &Context<'_>) {
        let smss = u32::from(self.send.smss);
        let Some(recovery) = self.recovery.as_mut() else {
            return;
        };
        let begins = recovery.force;
        if !self.congestion.recovering()
            || delivered == 0 && !begins
            || !cx.protects(Protection::LossResponse)
        {
            return;
        }
        let (pipe, ssthresh) = (recovery.board.pipe(), self.congestion.ssthresh);
        self.congestion.cwnd = recovery.prr.on_ack(delivered, safe, pipe, ssthresh, smss);
    }

    /// Was the last timeout spurious (RFC 5682 §2.1, §3.1)? Then what it changed is changed back.
    /// `segment` moves SND.UNA, or is a duplicate ACK; what it does to cwnd comes later.
    pub(crate) fn ask_frto(
        &mut self,
        segment: &Segment<'_>,
        advances: bool,
        told: &Report,
    ) -> bool {
        if self.send.out.frto == Frto::Off {
            return false;
        }
        let smss = u32::from(self.send.smss);
        // Without SACK all that was sent before the timeout counts as lost.
        let pipe = self.recovery.as_ref().map_or(0, |it| it.board.pipe());
        let room = self.congestion.cwnd.saturating_sub(pipe);
        let new = self.send.unsent().min(self.send.usable_window_by(segment));
        let verdict = self.send.out.frto.on_ack(&FrtoAck {
            ack: self.send.una,
            advances,
            original: told.original,
            highest: told.highest,
            sack: self.memory.sack,
            can_send_new: new.min(room) >= smss,
        });
        match verdict {
            FrtoVerdict::Spurious => self.undo_timeout(self.is_ecn_echo(segment)),
            FrtoVerdict::Lost => self.congestion.confirm(),
            FrtoVerdict::Wait | FrtoVerdict::SendNew => {}
        }
        verdict == FrtoVerdict::Spurious
    }

    /// What the timeout took for lost is on its way. Three duplicates from here on mean a loss:
    /// only the first segment was sent again (RFC 5682 §2.1 step 3b). `congested`: the reduction
    /// stands, for the ACK tells of congestion (RFC 4015 §3.4).
    fn undo_timeout(&mut self, congested: bool) {
        self.congestion.undo();
        match self.recovery.as_mut() {
            Some(recovery) => recovery.forgive(),
            None => {
                self.send.out.rexmit = None;
                if !congested {
                    self.congestion.recover = self.send.una.back(1);
                }
            }
        }
    }

    /// Everything outstanding is to be sent again, whatever F-RTO waited for.
    pub(crate) fn resend_all(&mut self) {
        self.send.out.frto = Frto::Off;
        if let Some(recovery) = self.recovery.as_mut() {
            recovery.board.lose_all();
        } else if self.send.outstanding() > 0 {
            self.send.out.rexmit = Some((self.send.una, self.send.nxt));
        }
    }

    /// The retransmission timer ran out (RFC 6675 §5.1, RFC 8985 §6.3).
    pub(super) fn time_out_with_sack(&mut self, asks: bool, cx: &Context<'_>) {
        let moment = self.moment(cx.now);
        let Some(recovery) = self.recovery.as_mut() else {
            return;
        };
        recovery.time_out(&moment, &mut self.memory);
        recovery.watch(self.send.una, self.send.nxt, cx.now);
        if asks && let Some((_, end)) = recovery.board.next_waiting() {
            let end = end.min(self.send.una + moment.smss);
            self.send.out.frto = Frto::start(self.send.nxt, end);
        }
    }

    /// The same without SACK: all goes again, as cwnd lets it.
    pub(super) fn time_out_plain(&mut self, asks: bool) {
        let (una, nxt) = (self.send.una, self.send.nxt);
        self.send.out.rexmit = Some((una, nxt));
        if asks {
            let end = (una + u32::from(self.send.smss)).min(nxt);
            self.send.out.frto = Frto::start(nxt, end);
        }
    }

    /// The reordering window is over (RFC 8985 §6.2 step 5).
    pub(super) fn on_reorder(&mut self, cx: &mut Context<'_>) {
        self.timers.reorder = Instant::MAX;
        cx.events.timer(self.id, Timer::Reorder, 1);
        let moment = self.moment(cx.now);
        let flight = self.send.outstanding();
        let Some(recovery) = self.recovery.as_mut() else {
            return;
        };
        let unreported = flight - recovery.board.sacked();
        let (lost, lost_again) = recovery.detect(&moment, &self.memory);
        if lost > 0 && !self.congestion.repairing() {
            self.begin_recovery(flight, unreported, cx);
            self.proportion(0, false, cx);
        } else if lost_again {
            self.reduce_again(flight, cx);
        }
    }

    /// The tail waits too long (RFC 8985 §7.3).
    pub(super) fn on_probe(&mut self, cx: &mut Context<'_>) {
        self.timers.probe = Instant::MAX;
        cx.events.timer(self.id, Timer::Probe, 1);
        self.memory.tlp.spend();
        self.due |= Due::TAIL;
    }

    /// Whether a probe may be scheduled (RFC 8985 §7.2): nothing is being repaired or reported.
    pub(super) fn may_probe(&self, cx: &Context<'_>) -> bool {
        cx.config.tail_loss_probe
            && self.memory.tlp.may_probe()
            && !self.congestion.repairing()
            && self
                .recovery
                .as_ref()
                .is_some_and(|recovery| recovery.board.sacked() == 0)
    }

    /// The octets that are to be sent again first, inside the peer's window and cwnd (RFC 6675 §5,
    /// step C; R6675-05, R6675-06).
    pub(super) fn next_lost(&mut self, text_max: u32, cx: &Context<'_>) -> Option<Piece> {
        let (seq, end) = self.recovery.as_mut()?.board.next_waiting()?;
        let piece = self.piece_again(seq, end, text_max);
        if piece.is_bare_fin() && !cx.protects(Protection::FinRetransmission) {
            return None;
        }
        let recovery = self.recovery.as_ref()?;
        let room = self.congestion.cwnd.saturating_sub(recovery.board.pipe());
        let goes = recovery.force || room >= piece.text.max(1);
        (goes && piece.end() != seq).then_some(piece)
    }

    /// The segment that went last, as a probe of the tail; even if the peer has drawn its window
    /// back meanwhile (MAY-7).
    pub(super) fn last_again(&self, text_max: u32) -> Option<Piece> {
        let last = self.recovery.as_ref()?.board.last()?;
        let send = &self.send;
        let text_end = last.end.min(send.data_end());
        let start = last.start.max(text_end.back(text_max));
        let piece = Piece {
            seq: start,
            text: text_end - start,
            fin: send.fin == Fin::Sent,
        };
        (piece.end() != start).then_some(piece)
    }

    /// `piece` goes out for the first time.
    pub(super) fn track(&mut self, piece: Piece, cx: &Context<'_>) {
        if !self.memory.sack {
            return;
        }
        let recovering = self.congestion.recovering();
        let recovery = self.recovery.goes_on(cx.config, piece.seq);
        recovery.board.push(piece.seq, piece.end(), cx.now);
        if recovering {
            recovery.prr.on_sent(piece.end() - piece.seq);
        }
    }

    /// `piece` goes out again.
    pub(super) fn track_again(&mut self, piece: Piece, cx: &Context<'_>) {
        if let Some(recovery) = self.recovery.as_mut() {
            recovery.sent_again(piece.seq, piece.end(), cx.now);
            recovery.prr.on_sent(piece.end() - piece.seq);
        }
    }

    /// What came twice is told to the sender, if it may matter to it (RFC 2883).
    pub(crate) fn note_duplicate(&mut self, left: SeqNumber, right: SeqNumber) {
        if self.memory.sack && left.before(right) {
            let block = SackBlock { left, right };
            self.receive
                .incoming
                .reports
                .get_or_insert_default()
                .duplicate(Some(block));
        }
    }

    /// A duplicate ACK in the sense of RFC 5681 §2.
    pub(crate) fn is_duplicate(&self, segment: &Segment<'_>) -> bool {
        let bare = segment.text.is_empty() && !segment.flags.contains(Flags::FIN);
        let same_window = self.send.window_of(segment) == self.send.wnd && self.send.wnd > 0;
        bare && same_window && segment.ack == self.send.una && self.send.outstanding() > 0
    }

    /// What of recovery the oracles see.
    pub(super) fn sack_vars(&self) -> Option<SackVars> {
        if !self.memory.sack {
            return None;
        }
        let mut vars = SackVars {
            reordering_seen: self.memory.rack.reordering_seen,
            probe_end: self.memory.tlp.end,
            ..SackVars::default()
        };
        if let Some(recovery) = self.recovery.as_ref() {
            let (board, prr) = (&recovery.board, recovery.prr);
            vars.rack_rtt = recovery.rack_rtt();
            vars.pipe = board.pipe();
            vars.sacked = board.sacked();
            vars.lost = board.lost();
            vars.resent = board.resent();
            vars.prr_delivered = prr.delivered;
            vars.prr_out = prr.out;
            vars.prr_recover_fs = prr.recover_fs;
            vars.segments = board.segments();
            vars.work = board.work();
        }
        Some(vars)
    }

    /// Nothing waits to be sent again: what is outstanding is in the network, or was reported.
    fn pipe_is_whole(&self) -> bool {
        self.recovery
            .as_ref()
            .is_none_or(|recovery| recovery.board.waiting() == 0)
    }

    fn moment(&self, now: Instant) -> Moment {
        Moment {
            now,
            srtt: self.rtt.srtt(),
            smss: u32::from(self.send.smss),
            repairing: self.congestion.repairing(),
        }
    }
}
