//! Acknowledgments in time (RFC 9293 §3.8.6.3, MUST-40, SHLD-19, MUST-59; RFC 5681 §4.2).
//!
//! Less than 500 ms after the oldest octet in order; by the end of the batch once two full-sized
//! segments wait ("two segments" of any size would be another rule: SHLD-19 says full-sized); at
//! once for text out of order and for text that fills a gap.

use timewait_stack::event::{SegmentArrival, Vars, Verdict};
use timewait_stack::{Duration, Instant, SeqNumber, State};

use crate::facts::SegmentHeader;

/// What one connection has taken and acknowledged.
#[derive(Debug, Default)]
pub(super) struct DelayedAck {
    /// The highest RCV.NXT that a datagram of the connection has acknowledged.
    acknowledged: Option<SeqNumber>,
    /// When the oldest octet in order came that waits for its acknowledgment.
    waiting_since: Option<Instant>,
    /// Out of order or into a gap: the acknowledgment is due in this batch.
    due_at_once: bool,
}

impl DelayedAck {
    /// The connection sent a segment with ACK.
    pub(super) fn sent(&mut self, ack: SeqNumber) {
        self.acknowledged = Some(self.acknowledged.map_or(ack, |before| before.max(ack)));
        self.waiting_since = None;
        self.due_at_once = false;
    }

    /// A segment was judged.
    pub(super) fn arrived(
        &mut self,
        arrival: &SegmentArrival,
        header: Option<&SegmentHeader>,
        now: Instant,
    ) {
        let (before, after) = (&arrival.before, &arrival.after);
        let new = after.state != State::SynSent && before.rcv_nxt != after.rcv_nxt;
        if new {
            self.waiting_since.get_or_insert(now);
        }
        let text = header.is_some_and(|header| {
            header.text_len > 0
                && header.text_seq().after(before.rcv_nxt)
                && before.state.may_receive()
        });
        let out_of_order = arrival.verdict == Verdict::Accepted && text;
        let fills = new && before.out_of_order > 0;
        self.due_at_once |= out_of_order || fills;
    }

    /// What is wrong at the end of a batch.
    pub(super) fn snapshot(&mut self, vars: &Vars, now: Instant) -> Option<String> {
        let at_once = core::mem::take(&mut self.due_at_once);
        if matches!(vars.state, State::Closed | State::Listen | State::SynSent) {
            return None;
        }
        if at_once {
            return Some(
                "text out of order, or that filled a gap, was not acknowledged at once".to_owned(),
            );
        }
        let since = self.waiting_since?;
        let waiting = vars.rcv_nxt - self.acknowledged.unwrap_or(vars.irs);
        let latest = since + BOUND;
        if now >= latest {
            return Some(format!(
                "{waiting} octets in order wait for their ACK since {:?}",
                now.saturating_since(since)
            ));
        }
        if waiting >= 2 * u32::from(vars.rmss) {
            return Some(format!(
                "{waiting} octets wait for their ACK, RMSS is {}",
                vars.rmss
            ));
        }
        match vars.timers.delayed_ack {
            None => Some(format!(
                "{waiting} octets wait for their ACK and the timer does not run"
            )),
            Some(at) if at >= latest => {
                let wait = at.saturating_since(since);
                Some(format!(
                    "{waiting} octets are to wait {wait:?} for their ACK"
                ))
            }
            Some(_) => None,
        }
    }
}

/// MUST-40: the delay is less than this.
const BOUND: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::DelayedAck;
    use crate::facts::SegmentHeader;
    use timewait_stack::event::{SegmentArrival, Vars, Verdict};
    use timewait_stack::wire::Flags;
    use timewait_stack::{ConnectionId, Instant, SeqNumber, State};

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    /// ESTABLISHED with RCV.NXT = `nxt`, IRS = 0, RMSS = 1000, the timer armed for `timer` ms.
    fn vars(nxt: u32, out_of_order: u32, timer: Option<u64>) -> Vars {
        let mut vars = Vars {
            state: State::Established,
            rcv_nxt: SeqNumber(nxt),
            out_of_order,
            rmss: 1000,
            ..Vars::default()
        };
        vars.timers.delayed_ack = timer.map(at);
        vars
    }

    fn text(seq: u32) -> SegmentHeader {
        SegmentHeader {
            source_port: 1,
            destination_port: 2,
            seq: SeqNumber(seq),
            ack: SeqNumber(0),
            flags: Flags::ACK,
            window: 1000,
            text_start: 20,
            text_len: 100,
            ..SegmentHeader::default()
        }
    }

    fn arrive(ack: &mut DelayedAck, seq: u32, before: Vars, after: Vars, ms: u64) {
        let connection = Some(ConnectionId(1));
        let arrival = SegmentArrival {
            connection,
            verdict: Verdict::Accepted,
            before,
            after,
        };
        ack.arrived(&arrival, Some(&text(seq)), at(ms));
    }

    /// A connection that has acknowledged octet 1.
    fn started() -> DelayedAck {
        let mut ack = DelayedAck::default();
        ack.sent(SeqNumber(1));
        ack
    }

    #[test]
    fn a_lone_segment_may_wait_with_the_timer_running() {
        let mut ack = started();
        arrive(&mut ack, 1, vars(1, 0, None), vars(101, 0, None), 10);
        assert_eq!(ack.snapshot(&vars(101, 0, Some(210)), at(10)), None);
        assert!(ack.snapshot(&vars(101, 0, None), at(10)).is_some());
        assert!(ack.snapshot(&vars(101, 0, Some(510)), at(10)).is_some());
    }

    #[test]
    fn the_delay_counts_from_the_oldest_octet() {
        let mut ack = started();
        arrive(&mut ack, 1, vars(1, 0, None), vars(101, 0, None), 10);
        arrive(&mut ack, 101, vars(101, 0, None), vars(201, 0, None), 200);
        assert!(ack.snapshot(&vars(201, 0, Some(600)), at(200)).is_some());
        assert!(ack.snapshot(&vars(201, 0, Some(520)), at(515)).is_some());
        ack.sent(SeqNumber(201));
        assert_eq!(ack.snapshot(&vars(201, 0, None), at(700)), None);
    }

    #[test]
    fn two_full_sized_segments_do_not_wait() {
        let mut ack = started();
        arrive(&mut ack, 1, vars(1, 0, None), vars(2000, 0, None), 10);
        assert_eq!(ack.snapshot(&vars(2000, 0, Some(200)), at(10)), None);
        assert!(ack.snapshot(&vars(2001, 0, Some(200)), at(10)).is_some());
    }

    #[test]
    fn text_out_of_order_does_not_wait() {
        let mut ack = started();
        arrive(&mut ack, 501, vars(1, 0, None), vars(1, 100, None), 10);
        assert!(ack.snapshot(&vars(1, 100, None), at(10)).is_some());
        arrive(&mut ack, 501, vars(1, 100, None), vars(1, 100, None), 11);
        ack.sent(SeqNumber(1));
        assert_eq!(ack.snapshot(&vars(1, 100, None), at(11)), None);
    }

    #[test]
    fn text_that_fills_a_gap_does_not_wait() {
        let mut ack = started();
        arrive(&mut ack, 1, vars(1, 100, None), vars(201, 0, None), 10);
        assert!(ack.snapshot(&vars(201, 0, Some(100)), at(10)).is_some());
    }

    #[test]
    fn nobody_acknowledges_for_a_connection_that_has_ended() {
        let mut ack = started();
        arrive(&mut ack, 1, vars(1, 0, None), vars(101, 0, None), 10);
        let gone = Vars {
            state: State::Closed,
            ..vars(101, 0, None)
        };
        assert_eq!(ack.snapshot(&gone, at(900)), None);
    }
}
