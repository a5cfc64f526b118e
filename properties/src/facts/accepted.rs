//! What it means that a segment was accepted (ORACLES.md §0).

use timewait_stack::Vars;
use timewait_stack::event::{Drop, SackVars, Verdict};

/// Whether the ACK field of a segment counted, and what it has to say with it (ECE): behind a zero
/// window it does so without anything else of the segment (RFC 9293 §3.10.7.4, §A.2).
pub fn takes_ack(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Accepted | Verdict::Dropped(Drop::ZeroWindow)
    )
}

/// Whether processing a segment changed something that counts: the state, RCV.NXT, reassembly,
/// RCV.UP, SND.UNA, SND.WND, SND.WL1, SND.WL2, TS.Recent, the congestion window, the scoreboard, the
/// RTT or the persist timer.
///
/// No acceptance are a reply, the challenge limiter, the keepalive clock and a longer 2MSL. The
/// error that a user is told comes with a change of state.
pub fn accepted(before: &Vars, after: &Vars) -> bool {
    before.ts_recent != after.ts_recent || accepted_but_for_its_stamp(before, after)
}

/// The same, whatever became of TS.Recent.
pub fn accepted_but_for_its_stamp(before: &Vars, after: &Vars) -> bool {
    before.state != after.state
        || before.rcv_nxt != after.rcv_nxt
        || (before.fin_received, before.fin_held) != (after.fin_received, after.fin_held)
        || (before.out_of_order, before.out_of_order_blocks)
            != (after.out_of_order, after.out_of_order_blocks)
        || before.rcv_up != after.rcv_up
        || before.snd_una != after.snd_una
        || (before.snd_wnd, before.snd_wl1, before.snd_wl2)
            != (after.snd_wnd, after.snd_wl1, after.snd_wl2)
        || (before.cwnd, before.ssthresh, before.recovering)
            != (after.cwnd, after.ssthresh, after.recovering)
        || (before.srtt, before.rto) != (after.srtt, after.rto)
        || scoreboard(before) != scoreboard(after)
        || before.timers.persist != after.timers.persist
        || after.timers.time_wait < before.timers.time_wait
}

/// What loss recovery believes. How much work that was is no belief.
fn scoreboard(vars: &Vars) -> Option<SackVars> {
    vars.sack.map(|sack| SackVars { work: 0, ..sack })
}

#[cfg(test)]
mod tests {
    use super::{accepted, accepted_but_for_its_stamp};
    use timewait_stack::event::{SackVars, Timers};
    use timewait_stack::{Instant, SeqNumber, Vars};

    #[test]
    fn what_a_segment_changes_is_acceptance_and_what_it_only_touches_is_not() {
        let before = Vars::default();
        let moved = Vars {
            snd_una: SeqNumber(1),
            ..Vars::default()
        };
        assert!(accepted(&before, &moved));
        let held = Vars {
            fin_held: Some(SeqNumber(7)),
            ..Vars::default()
        };
        assert!(accepted(&before, &held), "a bare FIN out of order");
        let stamped = Vars {
            ts_recent: Some(7),
            ..Vars::default()
        };
        assert!(accepted(&before, &stamped));
        assert!(!accepted_but_for_its_stamp(&before, &stamped));
        let reported = |sacked, work| Vars {
            sack: Some(SackVars {
                sacked,
                work,
                ..SackVars::default()
            }),
            ..Vars::default()
        };
        assert!(accepted(&reported(0, 0), &reported(1, 0)), "a SACK block");
        assert!(
            !accepted(&reported(0, 0), &reported(0, 1)),
            "looked at only"
        );
        let counted = Vars {
            ack_pending: 1,
            retransmissions: 1,
            ..Vars::default()
        };
        assert!(!accepted(&before, &counted));
    }

    #[test]
    fn a_shorter_2msl_is_acceptance_and_a_longer_one_is_not() {
        let until = |ns| Vars {
            timers: Timers {
                time_wait: Some(Instant::from_nanos(ns)),
                ..Timers::default()
            },
            ..Vars::default()
        };
        assert!(accepted(&until(2), &until(1)));
        assert!(!accepted(&until(1), &until(2)));
    }
}
