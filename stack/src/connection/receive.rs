//! The receive sequence space (RFC 9293 §3.3.1), its buffer, and the window it offers.

use alloc::boxed::Box;

use super::Reports;
use crate::config::Config;
use crate::context::Context;
use crate::protection::Protection;
use crate::reassembly::Reassembly;
use crate::resting::{Rest, Resting};
use crate::seq::SeqNumber;
use crate::time::Instant;
use crate::window_scale::Shift;

/// Segments smaller than this don't make ACKs more frequent than one per two of this size.
const RMSS_SEEN_FLOOR: u16 = 536;

/// Octets received or expected.
#[derive(Debug)]
pub(crate) struct ReceiveSpace {
    pub(crate) irs: SeqNumber,
    pub(crate) nxt: SeqNumber,
    /// The right edge as advertised, RCV.NXT + RCV.WND: the furthest ever (RFC 7323 §2.4).
    pub(crate) adv: SeqNumber,
    /// The right edge that the last segment told: rounded down, less than a unit behind `adv`.
    told: SeqNumber,
    /// Last.ACK.sent (RFC 7323 §4.3).
    pub(crate) last_ack_sent: SeqNumber,
    /// How our window fields are shifted (Rcv.Wind.Shift). Until it is agreed on, what our SYN tells
    /// of it, whatever becomes of the buffer.
    pub(crate) shift: Shift,
    pub(crate) incoming: Resting<Incoming>,
    /// SO_RCVBUF.
    capacity: u32,
    /// The MSS that our SYN advertises.
    pub(crate) rmss: u16,
    /// Octets of options in each segment of the peer: so much less text has room.
    pub(crate) option_octets: u8,
    /// The largest text that came in one segment.
    largest: u16,
    /// RCV.NXT has passed the peer's FIN.
    pub(crate) fin_taken: bool,
    /// The user has shut this direction: octets are acknowledged and thrown away.
    pub(crate) shut: bool,
}

/// What waits to be read, or for something before it, or to be acknowledged.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) buffer: Reassembly,
    /// RCV.UP: the octet after the urgent data, until the user has read up to it.
    pub(crate) up: Option<SeqNumber>,
    /// Where a FIN of the peer stands that waits for text before it.
    pub(crate) fin_held: Option<SeqNumber>,
    /// In-order octets, and a FIN, taken since the last ACK went out.
    pub(crate) ack_pending: u32,
    /// What is to be reported to the peer by SACK, if anything.
    pub(crate) reports: Option<Box<Reports>>,
}

impl Rest for Incoming {
    const REST: Self = Self {
        buffer: Reassembly::new(),
        up: None,
        fin_held: None,
        ack_pending: 0,
        reports: None,
    };
    const AT_REST: &'static Self = &Self::REST;

    fn is_at_rest(&self, _now: Instant) -> bool {
        self.buffer.is_unused()
            && self.up.is_none()
            && self.fin_held.is_none()
            && self.ack_pending == 0
            && self.reports.is_none()
    }
}

/// What taking text led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// RCV.NXT advanced; `filled`: into octets that had waited out of order.
    InOrder { filled: bool },
    /// It waits out of order, or there was no room to let it wait.
    OutOfOrder,
}

impl ReceiveSpace {
    pub(crate) fn new(config: &Config, capacity: u32, rmss: u16) -> Self {
        Self {
            irs: SeqNumber(0),
            nxt: SeqNumber(0),
            adv: SeqNumber(0),
            told: SeqNumber(0),
            last_ack_sent: SeqNumber(0),
            shift: Shift::offered(config, capacity).unwrap_or(Shift::NONE),
            incoming: Resting::new(),
            capacity,
            rmss,
            option_octets: 0,
            largest: 0,
            fin_taken: false,
            shut: false,
        }
    }

    /// A SYN with this sequence number arrived.
    pub(crate) fn start(&mut self, irs: SeqNumber) {
        self.irs = irs;
        self.nxt = irs + 1;
        self.adv = self.nxt + Shift::NONE.rounded(self.capacity);
        self.told = self.adv;
        self.last_ack_sent = irs;
    }

    /// The window of a SYN that is sent before any arrives.
    pub(crate) fn initial_window(&self) -> u16 {
        Shift::NONE.field(self.capacity)
    }

    /// RCV.WND: up to the furthest edge advertised (RFC 7323 §2.4, R7323-13). It may stay zero as long
    /// as the user does not read (MAY-8).
    pub(crate) fn window(&self) -> u32 {
        self.adv.saturating_since(self.nxt)
    }

    /// What is held, and what may still come into the window that the peer knows of.
    pub(crate) fn committed(&self) -> u64 {
        let buffer = &self.incoming.buffer;
        let promised = if self.fin_taken { 0 } else { self.window() };
        u64::from(buffer.readable()) + u64::from(promised.max(buffer.out_of_order()))
    }

    /// SO_RCVBUF has changed. What was offered stays offered (SHLD-14). Returns what it is now: four
    /// units of the window field at least, or a window that is nearly open would look shut.
    pub(crate) fn set_capacity(&mut self, octets: u32) -> u32 {
        self.capacity = octets.max(4 * (self.shift.lost() + 1));
        self.capacity
    }

    /// Octets of the buffer beyond RCV.NXT.
    pub(crate) fn free(&self) -> u32 {
        self.capacity
            .saturating_sub(self.incoming.buffer.readable())
    }

    /// The largest text that came in one segment.
    pub(crate) fn largest(&self) -> u32 {
        self.largest.into()
    }

    /// Where the peer's FIN stands, once seen.
    fn fin(&self) -> Option<SeqNumber> {
        if self.fin_taken {
            Some(self.nxt.back(1))
        } else {
            self.incoming.fin_held
        }
    }

    /// The first octet that the user has not read.
    pub(crate) fn consumed(&self) -> SeqNumber {
        self.nxt
            .back(self.incoming.buffer.readable() + u32::from(self.fin_taken))
    }

    /// Octets up to the end of the urgent data, those still to come included (MUST-33).
    pub(crate) fn urgent_left(&self) -> u32 {
        self.incoming
            .up
            .map_or(0, |up| up.saturating_since(self.consumed()))
    }

    /// The user has read, or will not read: urgent data that lies behind is not pending any more.
    pub(crate) fn forget_urgent(&mut self) {
        let consumed = self.consumed();
        if self.incoming.up.is_some_and(|up| !up.after(consumed)) {
            self.incoming.up = None;
        }
    }

    /// Moves the advertised edge and returns the window field that says so; that of a SYN is
    /// not scaled (R7323-03).
    pub(crate) fn offer(&mut self, cx: &Context<'_>, syn: bool) -> u16 {
        let edge = self.edge(cx.config, cx.spare);
        let shift = if syn { Shift::NONE } else { self.shift };
        let field = shift.field(edge.saturating_since(self.nxt));
        self.told = self.nxt + shift.octets(field);
        self.adv = if edge.before(self.adv) {
            self.told
        } else {
            self.adv.max(self.told)
        };
        field
    }

    /// The right edge to advertise now: it never moves left (SHLD-14), and right only by a
    /// worthwhile step (RFC 9293 §3.8.6.2.2, MUST-39). What a window field can't say does not
    /// count. By at most `spare` octets it grows: so much memory the stack has.
    fn edge(&self, config: &Config, spare: u32) -> SeqNumber {
        let room = self.free().min(self.window().saturating_add(spare));
        let open = self.nxt + self.shift.rounded(room);
        if !config.protects(Protection::NoShrink) {
            // As a stack would that counts what waits out of order against the window.
            return open.back(self.incoming.buffer.out_of_order());
        }
        let step = (self.capacity / 2).min(u32::from(self.rmss)).max(1);
        let worthwhile = open.saturating_since(self.adv) >= step;
        if worthwhile || !config.protects(Protection::SillyWindowReceiver) {
            return self.adv.max(open);
        }
        self.adv
    }

    /// Whether the user has read so much that the sender should hear of it at once.
    pub(crate) fn window_update_due(&self, config: &Config, spare: u32) -> bool {
        let edge = self.edge(config, spare).saturating_since(self.nxt);
        let moved = (self.nxt + self.shift.rounded(edge)).saturating_since(self.told);
        let rmss = u32::from(self.rmss);
        let plenty = (2 * rmss).min(self.capacity / 2).max(1);
        let left = self.told.saturating_since(self.nxt);
        moved >= plenty || moved > 0 && left < rmss.min(self.capacity / 2).max(1)
    }

    /// Takes text that lies in the window and starts at `seq`, at or after RCV.NXT.
    pub(crate) fn take_text(&mut self, seq: SeqNumber, text: &[u8], config: &Config) -> Taken {
        // No datagram is longer than 65,535 octets.
        self.largest = self.largest.max(text.len().min(65_535) as u16);
        let text = match self.fin() {
            // Nothing follows a FIN.
            Some(fin) => &text[..text.len().min(fin.saturating_since(seq) as usize)],
            None => text,
        };
        let had_blocks = self.incoming.buffer.fills_gap();
        let blocks_max = if config.protects(Protection::ReassemblyBound) {
            config.reassembly_blocks_max
        } else {
            u16::MAX
        };
        match self
            .incoming
            .buffer
            .insert(seq - self.nxt, text, blocks_max)
        {
            Some(advance) if advance > 0 => {
                self.nxt += advance;
                self.incoming.ack_pending += advance;
                if self.shut {
                    self.incoming.buffer.discard_readable();
                    self.forget_urgent();
                }
                Taken::InOrder { filled: had_blocks }
            }
            _ => Taken::OutOfOrder,
        }
    }

    /// Takes the peer's FIN if all text before it has come (RFC 9293 §3.10.7.4, eighth check).
    pub(crate) fn take_fin(&mut self, config: &Config) -> bool {
        let Some(fin) = self.incoming.fin_held else {
            return false;
        };
        if self.fin_taken || fin != self.nxt && config.protects(Protection::FinOrder) {
            return false;
        }
        self.nxt = fin + 1;
        self.adv = self.adv.max(self.nxt);
        self.incoming.ack_pending += 1;
        self.incoming.fin_held = None;
        self.fin_taken = true;
        // What was taken for text beyond it was none of this stream, and will never be read.
        self.incoming.buffer.discard_waiting();
        true
    }

    /// Whether the octets taken demand an ACK now: two full-sized segments' worth (SHLD-19).
    pub(crate) fn ack_demanded(&self, config: &Config) -> bool {
        let room = |mss: u16| u32::from(mss.saturating_sub(self.option_octets.into()));
        let full = self
            .largest()
            .max(room(RMSS_SEEN_FLOOR))
            .min(room(self.rmss));
        self.incoming.ack_pending >= 2 * full && config.protects(Protection::AckEverySecond)
    }
}
