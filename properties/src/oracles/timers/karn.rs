//! Karn's rule (RFC 6298 §3, MUST-18): no round trip is measured on octets ever sent twice.
//!
//! Where both ends agreed on timestamps TSecr tells which transmission is answered, and a sample may
//! be of any (RFC 7323 §4): then it must be the time since the segment left that TSecr echoes.

use std::collections::VecDeque;
use timewait_sim::{Duration, Instant};
use timewait_stack::SeqNumber;

use crate::facts::{Life, SegmentHeader};

/// Whether the segment at hand tells the round trip by its echo, and if so, what is wrong with the
/// sample.
pub(super) fn wrong_echo(
    life: &Life,
    segment: &SegmentHeader,
    rtt: Duration,
    tick: Duration,
    now: Instant,
) -> Option<Option<String>> {
    let (_, echo) = segment.timestamps?;
    if !life.shadow.agreed_with(segment) {
        return None;
    }
    let took = life.shadow.since_echoed(echo, now).unwrap_or_default();
    let wrong = rtt > took + tick * 2 || rtt + tick * 2 < took;
    Some(wrong.then(|| {
        format!("the segment that TSecr {echo} echoes left {took:?} ago, the sample says {rtt:?}")
    }))
}

/// What is outstanding of one connection, as its datagrams say.
#[derive(Debug, Default)]
pub(super) struct Karn {
    /// In sequence order, without gaps or overlaps.
    outstanding: VecDeque<Sent>,
}

/// The sequence space of one first transmission.
#[derive(Clone, Copy, Debug)]
struct Sent {
    start: SeqNumber,
    end: SeqNumber,
    at: Instant,
    again: bool,
}

impl Karn {
    /// The connection sent `start..end`, SYN and FIN included, perhaps not for the first time.
    pub(super) fn sent(&mut self, start: SeqNumber, end: SeqNumber, now: Instant) {
        let highest = self.outstanding.back().map_or(start, |last| last.end);
        for old in self.outstanding.iter_mut().rev() {
            if old.end.at_or_before(start) {
                break;
            }
            old.again |= old.start.before(end);
        }
        if end.after(highest) {
            // A retransmission that carries new octets too is one segment: none of it counts.
            let again = start.before(highest);
            self.outstanding.push_back(Sent {
                start: start.max(highest),
                end,
                at: now,
                again,
            });
        }
    }

    /// Everything before `una` is acknowledged.
    pub(super) fn acknowledged(&mut self, una: SeqNumber) {
        while self
            .outstanding
            .front()
            .is_some_and(|oldest| oldest.end.at_or_before(una))
        {
            self.outstanding.pop_front();
        }
    }

    /// When the oldest outstanding octet was first sent.
    pub(super) fn oldest_at(&self) -> Option<Instant> {
        self.outstanding.front().map(|oldest| oldest.at)
    }

    /// What is wrong with a sample of the segment that starts at `seq`.
    pub(super) fn wrong_sample(
        &self,
        seq: SeqNumber,
        rtt: Duration,
        tick: Duration,
        now: Instant,
    ) -> Option<String> {
        let timed = self
            .outstanding
            .iter()
            .find(|sent| seq.within(sent.start, sent.end - sent.start));
        let Some(timed) = timed else {
            return Some(format!(
                "a round trip is measured on octet {seq}, which is not outstanding"
            ));
        };
        if timed.again {
            return Some(format!(
                "a round trip is measured on octet {seq}, which was sent twice"
            ));
        }
        let took = now.saturating_since(timed.at);
        (rtt > took + tick || rtt + tick < took)
            .then(|| format!("octet {seq} took {took:?}, the sample says {rtt:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Karn;
    use timewait_sim::{Duration, Instant};
    use timewait_stack::SeqNumber;

    const TICK: Duration = Duration::from_millis(1);

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    /// Sent in order: (first, after the last, when in ms).
    fn karn(sent: &[(u32, u32, u64)]) -> Karn {
        let mut karn = Karn::default();
        for &(start, end, ms) in sent {
            karn.sent(SeqNumber(start), SeqNumber(end), at(ms));
        }
        karn
    }

    fn wrong(karn: &Karn, seq: u32, rtt_ms: u64, now_ms: u64) -> bool {
        let rtt = Duration::from_millis(rtt_ms);
        karn.wrong_sample(SeqNumber(seq), rtt, TICK, at(now_ms))
            .is_some()
    }

    #[test]
    fn octets_sent_once_may_be_timed() {
        let karn = karn(&[(100, 200, 0), (200, 300, 5)]);
        assert!(!wrong(&karn, 100, 50, 50));
        assert!(!wrong(&karn, 200, 45, 50));
    }

    #[test]
    fn octets_sent_twice_may_not() {
        let karn = karn(&[(100, 200, 0), (200, 300, 5), (100, 200, 1000)]);
        assert!(wrong(&karn, 100, 1050, 1050));
        assert!(wrong(&karn, 100, 50, 1050));
        assert!(!wrong(&karn, 200, 1045, 1050));
    }

    #[test]
    fn new_octets_on_a_retransmission_may_not() {
        let karn = karn(&[(100, 150, 0), (100, 200, 1000)]);
        assert!(wrong(&karn, 150, 50, 1050));
    }

    #[test]
    fn part_of_a_segment_sent_again_spoils_it_all() {
        let karn = karn(&[(100, 200, 0), (150, 160, 10)]);
        assert!(wrong(&karn, 100, 50, 50));
    }

    #[test]
    fn a_sample_says_how_long_it_took() {
        let karn = karn(&[(100, 200, 0)]);
        assert!(wrong(&karn, 100, 30, 50) && wrong(&karn, 100, 70, 50));
    }

    #[test]
    fn acknowledged_octets_are_not_timed_again() {
        let mut karn = karn(&[(u32::MAX - 4, 5, 0), (5, 10, 1)]);
        karn.acknowledged(SeqNumber(5));
        assert!(wrong(&karn, u32::MAX - 4, 50, 50) && !wrong(&karn, 5, 49, 50));
        assert_eq!(karn.oldest_at(), Some(at(1)));
    }
}
