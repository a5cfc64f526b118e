//! A box that cuts segments in pieces, or puts together what follows each other, as the offload
//! engines of network cards do (RFC 9293 §3.7.1 leaves the cut to the sender alone, and every
//! receiver has to bear any).

use core::net::SocketAddr;
use std::collections::BTreeMap;

use timewait_sim::{Instant, Payload, Transit};
use timewait_stack::wire::{Flags, HEADER_LEN, Segment, finish_checksum};

use super::{Out, Passing};
use crate::event::BoxEvent;
use crate::label::{class, class_of};
use crate::scenario::boxes::{Join, SegmentsPlan};

/// A box that changes where segments begin and end.
#[derive(Debug)]
pub(super) struct Resegmenter {
    plan: SegmentsPlan,
    /// The segment of each direction that waits for the next one.
    waiting: BTreeMap<(SocketAddr, SocketAddr), Waiting>,
}

#[derive(Debug)]
struct Waiting {
    transit: Transit,
    until: Instant,
}

impl Resegmenter {
    pub(super) const fn new(plan: SegmentsPlan) -> Self {
        Self {
            plan,
            waiting: BTreeMap::new(),
        }
    }

    /// A sound segment passes. Nothing overtakes what waits before it in its direction.
    pub(super) fn segment(&mut self, now: Instant, passing: Passing, out: &mut Out) {
        let Passing {
            transit, from, to, ..
        } = passing;
        let Some(join) = self.plan.join else {
            return self.cut(transit, out);
        };
        let before = self.waiting.remove(&(from, to));
        let whole = match before {
            None => transit,
            Some(Waiting {
                transit: mut first, ..
            }) => {
                if append(&mut first, &transit, &join) {
                    out.events.push_back(BoxEvent::Joined);
                    first
                } else {
                    self.cut(first, out);
                    transit
                }
            }
        };
        if may_wait(&whole, &join) && self.waiting.len() < WAITING_MAX {
            let until = now + join.wait;
            let waiting = Waiting {
                transit: whole,
                until,
            };
            self.waiting.insert((from, to), waiting);
        } else {
            self.cut(whole, out);
        }
    }

    /// What has waited long enough goes on alone.
    pub(super) fn timeout(&mut self, now: Instant, out: &mut Out) {
        let due = |waiting: &Waiting| waiting.until <= now;
        while let Some((ends, _)) = self.waiting.iter().find(|(_, waiting)| due(waiting)) {
            let ends = *ends;
            if let Some(Waiting { transit, .. }) = self.waiting.remove(&ends) {
                self.cut(transit, out);
            }
        }
    }

    /// When the next one has waited long enough.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.until).min()
    }

    /// Sends a segment on, in pieces if it is too long. A SYN or RST is never cut.
    fn cut(&self, transit: Transit, out: &mut Out) {
        let octets = transit.packet().payload.octets();
        let text_at = text_at(octets);
        let flags = Flags::from_bits_retain(octets[13]);
        let most = self.plan.split.map(|most| usize::from(most.max(1)));
        let len = octets.len() - text_at;
        let Some(most) = most.filter(|most| len > *most) else {
            return out.onward(transit);
        };
        if flags.intersects(Flags::SYN | Flags::RST) {
            return out.onward(transit);
        }
        for start in (0..len).step_by(most) {
            let text = start..len.min(start + most);
            out.onward(piece(&transit, text_at, text, len));
        }
        out.events.push_back(BoxEvent::Cut);
    }
}

/// Octets `text` of the text of a segment that has `len`, as a segment of their own. All have its
/// options; only the last has PSH and FIN, only the first CWR (RFC 3168 §6.1.2: it answers once), and
/// the urgent pointer counts from where each begins (RFC 9293 §3.8.5).
fn piece(whole: &Transit, text_at: usize, text: core::ops::Range<usize>, len: usize) -> Transit {
    let octets = whole.packet().payload.octets();
    let mut piece = octets[..text_at].to_vec();
    piece.extend_from_slice(&octets[text_at + text.start..text_at + text.end]);
    let word = |at: usize| u16::from_be_bytes([octets[at], octets[at + 1]]);
    let seq = u32::from_be_bytes([octets[4], octets[5], octets[6], octets[7]]);
    piece[4..8].copy_from_slice(&seq.wrapping_add(text.start as u32).to_be_bytes());
    let mut flags = Flags::from_bits_retain(octets[13]);
    if text.end < len {
        flags -= Flags::PSH | Flags::FIN;
    }
    if text.start > 0 {
        flags -= Flags::CWR;
    }
    if flags.contains(Flags::URG) {
        match usize::from(word(18)).checked_sub(text.start) {
            Some(urgent) => piece[18..20].copy_from_slice(&(urgent as u16).to_be_bytes()),
            None => {
                flags -= Flags::URG;
                piece[18..20].fill(0);
            }
        }
    }
    piece[13] = flags.bits();
    finish(whole.clone(), piece, flags, text.len())
}

/// Appends the text of `next` to `first` if it follows it and nothing speaks against it: the same
/// options, the same IP header, none but the plain flags, and room.
fn append(first: &mut Transit, next: &Transit, join: &Join) -> bool {
    let (a, b) = (first.packet(), next.packet());
    let headers_agree =
        (a.ecn, a.diffserv, a.dont_fragment) == (b.ecn, b.diffserv, b.dont_fragment);
    let (a, b) = (a.payload.octets(), b.payload.octets());
    let (text_a, text_b) = (text_at(a), text_at(b));
    let (Ok(one), Ok(two)) = (Segment::parse(a), Segment::parse(b)) else {
        return false;
    };
    let length = one.text.len() + two.text.len();
    let follows = two.seq == one.seq + one.text.len() as u32 && !two.text.is_empty();
    let agree = headers_agree && a[HEADER_LEN..text_a] == b[HEADER_LEN..text_b];
    if !follows || !agree || !is_plain(two.flags) || length > usize::from(join.octets_max) {
        return false;
    }
    let mut octets = a.to_vec();
    octets.extend_from_slice(two.text);
    let flags = one.flags | two.flags;
    octets[13] = flags.bits();
    if two.ack.at_or_after(one.ack) {
        octets[8..12].copy_from_slice(&b[8..12]);
        octets[14..16].copy_from_slice(&b[14..16]);
    }
    first.join(next);
    *first = finish(first.clone(), octets, flags, length);
    true
}

/// Another segment may follow it: it has text and plain flags, nobody presses, and there is room.
fn may_wait(transit: &Transit, join: &Join) -> bool {
    let octets = transit.packet().payload.octets();
    let flags = Flags::from_bits_retain(octets[13]);
    let text = octets.len() - text_at(octets);
    let urges = flags.intersects(Flags::PSH | Flags::FIN);
    text > 0 && is_plain(flags) && !urges && text < usize::from(join.octets_max)
}

/// ACK, and at most PSH and FIN.
fn is_plain(flags: Flags) -> bool {
    flags - (Flags::PSH | Flags::FIN) == Flags::ACK
}

/// The datagram with these octets, their checksum and their class.
fn finish(mut transit: Transit, mut octets: Vec<u8>, flags: Flags, text: usize) -> Transit {
    let sent = transit.sent_mut();
    finish_checksum(sent.src, sent.dst, &mut octets);
    sent.payload = Payload::new(octets);
    sent.class = class_of(flags, text) | sent.class & class::ECHO;
    transit
}

/// Where the text of a sound segment begins.
fn text_at(octets: &[u8]) -> usize {
    usize::from(octets[12] >> 4) * 4
}

/// So many directions may have a segment waiting.
const WAITING_MAX: usize = 64;

#[cfg(test)]
mod tests;
