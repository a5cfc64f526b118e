//! ACKs that may be late, but not by much (RFC 9293 §3.8.6.3, MUST-40).

use std::collections::BTreeMap;
use timewait_sim::{Duration, Instant};
use timewait_stack::SeqNumber;

use crate::facts::Facts;
use crate::label::Incarnation;

/// The bound has passed, or, where it passed while the host stood still, the moment at which it went on.
fn is_late(now: Instant, who: Incarnation, since: Instant, facts: &Facts) -> bool {
    let due = since + BOUND;
    let awake = facts.circumstances().awake(who.host, due);
    now > awake || now == due && awake == due
}

/// The delay is less than this.
const BOUND: Duration = Duration::from_millis(500);

/// Who still has to acknowledge something.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// Since when, and up to which RCV.NXT.
    waiting: BTreeMap<Incarnation, (Instant, SeqNumber)>,
    /// Nobody is late before this.
    earliest: Option<Instant>,
}

impl Owed {
    /// Something in order was taken; RCV.NXT is now `rcv_nxt`.
    pub(super) fn add(&mut self, who: Incarnation, since: Instant, rcv_nxt: SeqNumber) {
        let waits = self.waiting.entry(who).or_insert((since, rcv_nxt));
        waits.1 = rcv_nxt;
        let late = waits.0 + BOUND;
        self.earliest = Some(self.earliest.map_or(late, |at| at.min(late)));
    }

    /// An ACK has left. Returns whether one was awaited.
    pub(super) fn acknowledged(&mut self, who: Incarnation, ack: SeqNumber) -> bool {
        match self.waiting.get(&who) {
            Some((_, rcv_nxt)) if ack.at_or_after(*rcv_nxt) => {
                self.waiting.remove(&who);
                true
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Who is late by now: at most once each. Whoever has ended owes nothing.
    pub(super) fn late(&mut self, now: Instant, facts: &Facts) -> Vec<(Incarnation, Instant)> {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return Vec::new();
        }
        let mut late = Vec::new();
        self.waiting.retain(|&who, &mut (since, _)| {
            let alive = facts.life(who).is_some_and(crate::facts::Life::is_alive);
            let is_late = is_late(now, who, since, facts);
            if alive && is_late {
                late.push((who, since));
            }
            alive && !is_late
        });
        self.earliest = self.waiting.values().map(|(since, _)| *since + BOUND).min();
        late
    }
}
