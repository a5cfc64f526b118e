//! RACK (RFC 8985 §5, §6): a segment is lost when one sent later has arrived and the time for a
//! reordered one is over.

use super::scoreboard::{Marks, Sent};
use crate::seq::SeqNumber;
use crate::time::{Duration, Instant, nanos};

/// Recoveries without a D-SACK after which the reordering window shrinks again (§6.2 step 4).
const PERSIST: u8 = 16;

/// The degree of reordering of a path of which nothing is known, in segments: what DupThresh forgives
/// (RFC 6675 §2), and the most that is counted; both as Linux has them.
const REORDERING: u16 = 3;
const REORDERING_MAX: u32 = 300;

/// What is known of the newest segment that has arrived. Lives as long as a flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rack {
    /// When it was sent and where it ends: RACK.xmit_ts, RACK.end_seq.
    newest: Option<(Instant, SeqNumber)>,
    rtt: Duration,
    /// The highest octet that has arrived (RACK.fack).
    fack: SeqNumber,
    /// The reordering window has grown; not again before this is acknowledged.
    dsack_round: Option<SeqNumber>,
}

/// What RACK remembers of a connection from one flight to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RackMemory {
    /// The least round trip, in nanoseconds; `u64::MAX` before the first.
    min_rtt: u64,
    pub(crate) reordering_seen: bool,
    /// By how many segments one was overtaken at most. Nothing follows from it: it is for the user.
    reordering: u16,
    /// The reordering window in quarters of the least round trip.
    steps: u8,
    /// Recoveries for which it stays that wide.
    persist: u8,
}

impl Default for RackMemory {
    fn default() -> Self {
        Self {
            min_rtt: u64::MAX,
            reordering_seen: false,
            reordering: REORDERING,
            steps: 1,
            persist: 0,
        }
    }
}

impl RackMemory {
    /// The least round trip so far, if there was one (RFC 8985 §6.2 step 1).
    pub(crate) fn min_rtt(&self) -> Option<Duration> {
        (self.min_rtt != u64::MAX).then_some(Duration::from_nanos(self.min_rtt))
    }

    /// By how many segments one was overtaken at most, 3 to 300.
    pub(crate) fn reordering(&self) -> u16 {
        self.reordering
    }
}

/// What one ACK delivered, cumulatively and by its SACK blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Delivery {
    /// Octets that no ACK before has told of.
    pub(crate) octets: u32,
    /// The first octet of them that was sent only once, and the last of any.
    pub(crate) original: Option<SeqNumber>,
    pub(crate) highest: Option<SeqNumber>,
    newest: Option<(Instant, SeqNumber, Duration)>,
    rtt_min: Option<Duration>,
    /// By how many octets it was overtaken at most, if it was.
    overtaken: u32,
}

impl Rack {
    pub(crate) fn new(una: SeqNumber) -> Self {
        Self {
            newest: None,
            rtt: Duration::ZERO,
            fack: una,
            dsack_round: None,
        }
    }

    /// The round trip of the newest segment that has arrived.
    pub(crate) fn rtt(&self) -> Duration {
        self.rtt
    }

    /// Whether something has arrived that was sent after `record` (§6.2, RACK_sent_after).
    pub(crate) fn newer_than(&self, record: &Sent) -> bool {
        self.newest
            .is_some_and(|(at, end)| later((at, end), (record.at, record.end)))
    }

    /// How old a segment is for which a retransmission timeout needs no proof (§6.3).
    pub(crate) fn overdue(&self, window: Duration) -> Option<Duration> {
        self.newest.map(|_| self.rtt + window)
    }

    /// Nothing is known any more of what has arrived.
    pub(crate) fn forget(&mut self) {
        self.newest = None;
    }

    /// Counts a segment in that has arrived, as the scoreboard had it.
    pub(crate) fn deliver(
        &self,
        delivery: &mut Delivery,
        record: &Sent,
        now: Instant,
        memory: &RackMemory,
    ) {
        delivery.highest = Some(
            delivery
                .highest
                .map_or(record.end, |end| end.max(record.end)),
        );
        if record.is(Marks::SACKED) {
            return;
        }
        delivery.octets += record.len();
        let rtt = now - record.at;
        if record.is(Marks::EVER_RESENT) {
            // An answer sooner than any round trip is one to an earlier transmission (R8985-05). The
            // other sign of RFC 8985 §6.2 step 2, an older TSecr, is not looked at.
            if nanos(rtt) < memory.min_rtt {
                return;
            }
        } else {
            delivery.original.get_or_insert(record.start);
            delivery.rtt_min = Some(delivery.rtt_min.map_or(rtt, |least| least.min(rtt)));
            // It comes after one sent later: out of order.
            let overtaken = self.fack.saturating_since(record.end);
            delivery.overtaken = delivery.overtaken.max(overtaken);
        }
        let candidate = (record.at, record.end);
        if delivery
            .newest
            .is_none_or(|(at, end, _)| later(candidate, (at, end)))
        {
            delivery.newest = Some((record.at, record.end, rtt));
        }
    }

    /// Takes in what an ACK delivered (§6.2 steps 1 to 3).
    pub(crate) fn advance(&mut self, delivery: &Delivery, memory: &mut RackMemory, smss: u32) {
        if let Some(rtt) = delivery.rtt_min {
            memory.min_rtt = memory.min_rtt.min(nanos(rtt));
        }
        if let Some((at, end, rtt)) = delivery.newest {
            self.rtt = rtt;
            if self.newest.is_none_or(|newest| later((at, end), newest)) {
                self.newest = Some((at, end));
            }
        }
        memory.reordering_seen |= delivery.overtaken > 0;
        let segments = delivery.overtaken.div_ceil(smss).min(REORDERING_MAX);
        memory.reordering = memory.reordering.max(segments as u16);
        if let Some(end) = delivery.highest {
            self.fack = self.fack.max(end);
        }
    }

    /// An ACK brought a D-SACK: perhaps a retransmission was for nothing. The window grows, once
    /// in a round trip (§6.2 step 4; R8985-04).
    pub(crate) fn on_duplicate(&mut self, una: SeqNumber, nxt: SeqNumber, memory: &mut RackMemory) {
        if self.dsack_round.is_none_or(|round| una.at_or_after(round)) {
            self.dsack_round = Some(nxt);
            memory.steps = memory.steps.saturating_add(1);
            memory.persist = PERSIST;
        }
    }
}

impl RackMemory {
    /// A recovery is over: after enough of them the window is that of the beginning again.
    pub(crate) fn on_recovered(&mut self) {
        self.persist = self.persist.saturating_sub(1);
        if self.persist == 0 {
            self.steps = 1;
        }
    }

    /// RACK.reo_wnd (§6.2 step 4). Without reordering seen it is zero once the peer reports
    /// enough, or while a loss is repaired (`eager`); never more than SRTT (R8985-03).
    pub(crate) fn window(&self, eager: bool, srtt: Option<Duration>) -> Duration {
        if eager && !self.reordering_seen || self.min_rtt == u64::MAX {
            return Duration::ZERO;
        }
        let window = self.min_rtt / 4 * u64::from(self.steps);
        Duration::from_nanos(window).min(srtt.unwrap_or(Duration::MAX))
    }
}

/// Sent later; of two sent at the same moment, the one that ends later.
fn later((a_at, a_end): (Instant, SeqNumber), (b_at, b_end): (Instant, SeqNumber)) -> bool {
    a_at > b_at || a_at == b_at && a_end.after(b_end)
}

#[cfg(test)]
mod tests;
