//! The seventh and eighth checks of RFC 9293 §3.10.7.4: segment text and FIN.

use crate::connection::{Connection, Due, End, Taken};
use crate::context::Context;
use crate::event::{Cause, Ready};
use crate::protection::Protection;
use crate::seq::SeqNumber;
use crate::state::State;
use crate::wire::{Flags, Segment};

impl Connection {
    /// Takes what of the segment's text and FIN lies in the window, and acknowledges it.
    pub(crate) fn take_text_and_fin(&mut self, segment: &Segment<'_>, cx: &mut Context<'_>) {
        if !self.state.may_receive() {
            return;
        }
        let Some((seq, text, whole)) = self.trim(segment) else {
            return;
        };
        if !text.is_empty() && self.is_orphan() {
            // Text for a user who is gone must not be acknowledged (RFC 9293 §3.6.1, SHLD-3).
            self.reply_reset(segment, cx);
            self.close_with(None, Cause::Segment, cx);
            return;
        }
        let fin = whole && segment.flags.contains(Flags::FIN);
        if fin {
            let end = seq + text.len() as u32;
            if seq == self.receive.nxt {
                // In order it counts more than one that came out of order, perhaps a stray.
                self.receive.incoming.fin_held = Some(end);
            } else {
                self.receive.incoming.fin_held.get_or_insert(end);
            }
        }
        if !text.is_empty() {
            self.note_again(segment, seq, text.len() as u32);
            self.take_text(seq, text, cx);
        }
        if self.receive.take_fin(cx.config) {
            self.due |= Due::ACK;
            self.after_fin(cx);
        } else if fin {
            self.due |= Due::ACK; // A FIN out of order is acknowledged like such text.
        }
    }

    /// Text out of order, and text that fills a gap, is acknowledged at once (RFC 5681 §4.2;
    /// R5681-12, R5681-13).
    fn take_text(&mut self, seq: SeqNumber, text: &[u8], cx: &mut Context<'_>) {
        match self.receive.take_text(seq, text, cx.config) {
            // At once (MAY-13).
            Taken::OutOfOrder => {
                self.due |= Due::ACK;
                if self.memory.sack && !text.is_empty() {
                    self.receive
                        .incoming
                        .reports
                        .get_or_insert_default()
                        .add(seq);
                }
            }
            Taken::InOrder { filled } => {
                let now = filled || self.receive.ack_demanded(cx.config);
                if now
                    || self.options.quick_ack
                    || cx.config.delayed_ack.is_zero() && cx.protects(Protection::DelayedAckBound)
                {
                    self.due |= Due::ACK;
                }
                if !self.receive.shut {
                    self.tell(Ready::Readable, cx);
                }
            }
        }
    }

    /// What of the text came before is told to the sender (RFC 2883 §4): octets before RCV.NXT, or
    /// those that wait out of order.
    fn note_again(&mut self, segment: &Segment<'_>, seq: SeqNumber, len: u32) {
        if let Some(reports) = &mut self.receive.incoming.reports {
            reports.duplicate(None);
        }
        let start = segment.seq + u32::from(segment.flags.contains(Flags::SYN));
        if start.before(seq) {
            self.note_duplicate(start, seq);
            return;
        }
        let nxt = self.receive.nxt;
        let offset = seq - nxt;
        if let Some(range) = self.receive.incoming.buffer.overlap(offset, offset + len) {
            self.note_duplicate(nxt + range.start, nxt + range.end);
        }
    }

    /// The text inside the window, where it starts, and whether its right end is still there.
    fn trim<'a>(&self, segment: &Segment<'a>) -> Option<(SeqNumber, &'a [u8], bool)> {
        let syn = u32::from(segment.flags.contains(Flags::SYN));
        let start = segment.seq + syn;
        let text = segment.text;
        let old = self.receive.nxt.saturating_since(start);
        if old as usize > text.len() {
            return None;
        }
        let (seq, text) = (start + old, &text[old as usize..]);
        let room = self.receive.adv.saturating_since(seq) as usize;
        let fits = text.len().min(room);
        // A FIN takes an octet of the window, too.
        let whole = fits == text.len() && room > fits;
        Some((seq, &text[..fits], whole))
    }

    /// RCV.NXT has passed the peer's FIN: the eighth check by state.
    fn after_fin(&mut self, cx: &mut Context<'_>) {
        self.tell(Ready::Readable, cx);
        match self.state {
            State::Established => self.enter(State::CloseWait, Cause::Segment, cx),
            State::FinWait1 => self.enter(State::Closing, Cause::Segment, cx),
            State::FinWait2 => self.enter_time_wait(cx),
            _ => {}
        }
    }

    /// All is sent, received and acknowledged; only the last ACK may be lost.
    pub(crate) fn enter_time_wait(&mut self, cx: &mut Context<'_>) {
        self.enter(State::TimeWait, Cause::Segment, cx);
        self.end = Some(End::TimeWait);
    }
}
