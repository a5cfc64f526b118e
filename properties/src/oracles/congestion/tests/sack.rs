//! What is judged where SACK is in use, and with CUBIC.

use super::{INITIAL, SMSS, acked, acked_with, assert_fine, connected_by, narrow, text};
use crate::label::Incarnation;
use crate::oracles::congestion::envelope::{Envelope, Loss};
use crate::oracles::congestion::profile::Profile;
use crate::staging::Stage;
use crate::staging::directed::violation_of;
use timewait_sim::Instant;
use timewait_stack::config::CongestionControl;
use timewait_stack::event::{CaState, SackVars, Timer};
use timewait_stack::{Config, Protection, SeqNumber, Vars};

type Ends = (Incarnation, Incarnation);

/// A loss from 1000 on, with ten segments in flight, up to 2000.
fn ten_lost() -> Loss {
    Loss {
        una: SeqNumber(1000),
        flight: 10 * SMSS,
        sent_to: Some(SeqNumber(2000)),
        smss: SMSS,
    }
}

/// SACK is in use, cwnd is six segments, and segments 2 to 7 are out.
fn six_out() -> (Stage, Ends) {
    six_out_by(CongestionControl::NewReno)
}

fn six_out_by(algorithm: CongestionControl) -> (Stage, Ends) {
    let (mut stage, client, server) = connected_by(
        |config| config.congestion_control = algorithm,
        INITIAL,
        false,
    );
    stage.vars(client).sack = Some(SackVars::default());
    let ends = (client, server);
    for (from, to) in [(0, 4), (4, 8)] {
        for n in from..to {
            goes(&mut stage, client, n);
        }
        for n in 1..=(if from == 0 { 2 } else { 0 }) {
            acked(&mut stage, ends, n, |v| {
                board(v, 0, 0);
                v.cwnd += SMSS;
            });
        }
    }
    stage.assert_silent();
    (stage, ends)
}

/// Segment `n` goes, new or again, and enters the pipe.
fn goes(stage: &mut Stage, client: Incarnation, n: u32) {
    stage.send(client, text(n));
    let v = stage.vars(client);
    let end = SeqNumber(1001 + (n + 1) * SMSS);
    let again = !end.after(v.snd_nxt);
    v.snd_nxt = v.snd_nxt.max(end);
    let sack = v.sack.get_or_insert_default();
    sack.pipe += SMSS;
    sack.resent += if again { SMSS } else { 0 };
    stage.snapshot(client);
}

/// So many segments are reported, and so many lost.
fn board(v: &mut Vars, sacked: u32, lost: u32) {
    let outstanding = v.snd_nxt - v.snd_una;
    let sack = v.sack.get_or_insert_default();
    (sack.sacked, sack.lost) = (sacked * SMSS, lost * SMSS);
    sack.pipe = outstanding + sack.resent - sack.sacked - sack.lost;
}

/// Segment 2 is lost: with the report of the third one beyond it, recovery begins like this.
fn recovery(cwnd: u32, ssthresh: u32) -> (Stage, Ends) {
    recovery_of(six_out(), cwnd, ssthresh)
}

fn recovery_of(out: (Stage, Ends), cwnd: u32, ssthresh: u32) -> (Stage, Ends) {
    let (mut stage, ends) = out;
    for reported in 1..3 {
        acked(&mut stage, ends, 2, |v| board(v, reported, 0));
    }
    stage.assert_silent();
    acked(&mut stage, ends, 2, |v| {
        board(v, 3, 1);
        (v.recovering, v.ca_state, v.can_undo) = (true, CaState::Recovery, true);
        (v.cwnd, v.ssthresh, v.recover) = (cwnd, ssthresh, v.snd_nxt);
    });
    (stage, ends)
}

#[test]
fn r6675_05_what_goes_leaves_the_pipe_within_cwnd() {
    let (mut stage, ends) = six_out();
    // What is reported has left the network.
    acked(&mut stage, ends, 2, |v| board(v, 1, 0));
    goes(&mut stage, ends.0, 8);
    stage.assert_silent();
    goes(&mut stage, ends.0, 9);
    stage.assert_violation("pipe is 700 after sending, 600 at most");
}

#[test]
fn r8985_07_a_tail_loss_probe_is_one_segment_beyond_cwnd() {
    for (probes, fine) in [(1, true), (2, false)] {
        let (mut stage, (client, _)) = six_out();
        stage.timer(client, Timer::Probe, 1);
        (8..8 + probes).for_each(|n| goes(&mut stage, client, n));
        assert_fine(&stage, fine);
    }
}

#[test]
fn r8985_08_a_probe_that_repaired_a_loss_reduces() {
    for (cwnd, ssthresh, fine) in [(300, 300, true), (301, 300, false), (300, 301, false)] {
        let (mut stage, ends) = six_out();
        acked(&mut stage, ends, 8, |v| {
            board(v, 0, 0);
            (v.ca_state, v.recover) = (CaState::Cwr, v.snd_nxt);
            (v.cwnd, v.ssthresh) = (cwnd, ssthresh);
        });
        assert_fine(&stage, fine);
    }
}

#[test]
fn octets_go_again_in_a_repair_only() {
    let (mut stage, ends) = six_out();
    acked(&mut stage, ends, 2, |v| board(v, 3, 1));
    goes(&mut stage, ends.0, 2);
    stage.assert_violation("nothing is being repaired");
    let (mut stage, (client, _)) = recovery(300, 300);
    goes(&mut stage, client, 2);
    stage.assert_silent();
}

/// 600 octets are out: ssthresh is 300 at most. Of them 200 are in the network, and 100 more may go
/// for the 100 that the ACK delivered (RFC 9937 §6.2).
#[test]
fn r6675_03_a_loss_found_by_reports_halves_and_prr_governs_cwnd() {
    for (cwnd, ssthresh, fine) in [(300, 300, true), (301, 300, false), (300, 301, false)] {
        assert_fine(&recovery(cwnd, ssthresh).0, fine);
    }
}

#[test]
fn r6675_04_the_first_segment_of_a_repair_needs_no_room_and_the_next_one_does() {
    let (mut stage, (client, _)) = recovery(200, 300);
    goes(&mut stage, client, 2);
    stage.assert_silent();
    goes(&mut stage, client, 8);
    stage.assert_violation("pipe is 400 after sending, 200 at most");
}

#[test]
fn r5681_10_at_the_end_of_a_repair_cwnd_is_at_most_ssthresh() {
    for (cwnd, fine) in [(300, true), (301, false)] {
        let (mut stage, ends) = recovery(300, 300);
        goes(&mut stage, ends.0, 2);
        acked(&mut stage, ends, 8, |v| {
            v.sack = Some(SackVars::default());
            (v.recovering, v.ca_state, v.cwnd) = (false, CaState::Open, cwnd);
        });
        assert_fine(&stage, fine);
    }
}

#[test]
fn r5681_14_a_lost_retransmission_reduces_once_more() {
    for (ssthresh, fine) in [(200, true), (300, false)] {
        let (mut stage, ends) = recovery(300, 300);
        goes(&mut stage, ends.0, 2);
        acked(&mut stage, ends, 2, |v| {
            v.sack.get_or_insert_default().resent = 0;
            board(v, 4, 1);
            (v.cwnd, v.ssthresh) = (200, ssthresh);
        });
        stage.assert_silent();
        goes(&mut stage, ends.0, 2);
        assert_fine(&stage, fine);
    }
}

fn dsack_of_segment_1() -> Vec<u8> {
    let edges = [1001 + SMSS, 1001 + 2 * SMSS].map(u32::to_be_bytes);
    [&[1, 1, 5, 10], edges.as_flattened()].concat()
}

/// An ACK with a D-SACK for segment 1, or without one, undoes the reduction.
fn undone(cwnd: u32, dsack: bool) -> Stage {
    let (mut stage, ends) = recovery(300, 300);
    let option = dsack_of_segment_1();
    let options = if dsack { &option[..] } else { &[] };
    acked_with(options, &mut stage, ends, 2, |v| {
        board(v, 3, 0);
        (v.recovering, v.ca_state, v.can_undo) = (false, CaState::Open, false);
        (v.cwnd, v.ssthresh) = (cwnd, 1 << 30);
    });
    stage
}

#[test]
fn an_unfounded_reduction_is_undone_by_evidence_and_gives_back_what_was() {
    undone(600, true).assert_silent();
    undone(601, true).assert_violation("cwnd is 601, at most 600");
    undone(600, false).assert_violation("undone without evidence");
}

/// A reduction that is undone on the way to ssthresh leaves slow start as it was, and the rule above
/// ssthresh begins where that ends (RFC 9438 §4.8, §4.9.1): by W_est, at 800 octets each ACK of 100
/// then adds 12.5.
#[test]
fn a_reduction_that_is_undone_begins_no_epoch() {
    for (growth, fine) in [(12, true), (30, false)] {
        let (mut stage, ends) = recovery_of(six_out_by(CongestionControl::Cubic), 300, 300);
        acked_with(&dsack_of_segment_1(), &mut stage, ends, 6, |v| {
            board(v, 0, 0);
            (v.recovering, v.ca_state, v.can_undo) = (false, CaState::Open, false);
            (v.cwnd, v.ssthresh) = (600, 800);
        });
        (8..12).for_each(|n| goes(&mut stage, ends.0, n));
        for (n, cwnd) in [(7, 700), (8, 800), (9, 812)] {
            acked(&mut stage, ends, n, |v| {
                board(v, 0, 0);
                v.cwnd = cwnd;
            });
            stage.assert_silent();
        }
        acked(&mut stage, ends, 10, |v| {
            board(v, 0, 0);
            v.cwnd += growth;
        });
        assert_fine(&stage, fine);
    }
}

#[test]
fn a_scoreboard_that_does_not_add_up_is_noticed() {
    let (mut stage, ends) = six_out();
    acked(&mut stage, ends, 2, |v| {
        board(v, 1, 0);
        v.sack.get_or_insert_default().pipe -= SMSS;
    });
    stage.snapshot(ends.0);
    stage.assert_violation("600 octets are outstanding");
}

/// By how much cwnd may grow for an ACK of one segment, at a window of seven from which it was
/// reduced to it from ten.
fn growth(algorithm: CongestionControl, octets: u32) -> bool {
    let mut config = Config::new(vec![], [7; 32]);
    config.congestion_control = algorithm;
    let mut envelope = Envelope::new(Profile::of(&config), 10 * SMSS);
    let vars = |una: u32, cwnd: u32| Vars {
        snd_una: SeqNumber(una),
        snd_nxt: SeqNumber(5000),
        smss: SMSS as u16,
        cwnd,
        ssthresh: 5 * SMSS,
        ..Vars::default()
    };
    envelope.hold(&vars(1000, 10 * SMSS));
    envelope.reduced(&Loss {
        una: SeqNumber(1000),
        flight: 14 * SMSS,
        sent_to: Some(SeqNumber(1000)),
        smss: SMSS,
    });
    envelope.hold(&vars(1000, 7 * SMSS));
    envelope.acked(&vars(1000, 7 * SMSS), &vars(1100, 0), Instant::ZERO, false);
    envelope.hold(&vars(1100, 7 * SMSS + octets)).is_empty()
}

/// Until the window that was reduced is acknowledged nothing grows (RFC 3168 §6.1.2).
#[test]
fn within_the_window_of_a_reduction_nothing_grows() {
    let mut envelope = Envelope::new(Profile::of(&Config::new(vec![], [7; 32])), 10 * SMSS);
    let vars = |una: u32, cwnd: u32| Vars {
        snd_una: SeqNumber(una),
        snd_nxt: SeqNumber(5000),
        smss: SMSS as u16,
        cwnd,
        ssthresh: 5 * SMSS,
        ..Vars::default()
    };
    envelope.hold(&vars(1000, 10 * SMSS));
    envelope.reduced(&ten_lost());
    envelope.hold(&vars(1000, 5 * SMSS));
    for (una, grown, allowed) in [(1900, 1, false), (2000, 10, true)] {
        envelope.acked(
            &vars(una - 100, 5 * SMSS),
            &vars(una, 0),
            Instant::ZERO,
            false,
        );
        let wrong = envelope.hold(&vars(una, 5 * SMSS + grown));
        assert_eq!(wrong.is_empty(), allowed, "{una}: {wrong:?}");
        envelope.hold(&vars(una, 5 * SMSS));
    }
}

/// A repair ends where it began, or, if a router has said meanwhile that all of it was too big, with
/// what was sent until then.
#[test]
fn a_repair_lasts_for_what_goes_again_in_smaller_segments() {
    for (smaller, ends) in [(None, 2000), (Some(SeqNumber(3000)), 3000)] {
        let mut envelope = Envelope::new(Profile::of(&Config::new(vec![], [7; 32])), 10 * SMSS);
        let vars = |una: u32| Vars {
            snd_una: SeqNumber(una),
            smss: SMSS as u16,
            sack: Some(SackVars::default()),
            ..Vars::default()
        };
        envelope.prolonged(smaller);
        assert!(!envelope.recovering(), "there is none to last");
        envelope.lost_with_sack(&ten_lost(), 10 * SMSS, 3 * SMSS);
        if smaller.is_some() {
            envelope.prolonged(smaller);
        }
        for una in [1900, 2000, 3000] {
            envelope.acked(&vars(una - 100), &vars(una), Instant::ZERO, false);
            assert_eq!(envelope.recovering(), una < ends, "{una}");
        }
    }
}

/// A repair that proves needless after its reduction was given back once leaves ssthresh, no more.
#[test]
fn a_needless_repair_without_anything_to_give_back_leaves_ssthresh() {
    for (cwnd, allowed) in [(5 * SMSS, true), (5 * SMSS + 1, false)] {
        let mut envelope = Envelope::new(Profile::of(&Config::new(vec![], [7; 32])), 10 * SMSS);
        let vars = |cwnd| Vars {
            smss: SMSS as u16,
            cwnd,
            ssthresh: 5 * SMSS,
            ..Vars::default()
        };
        envelope.lost_with_sack(&ten_lost(), 10 * SMSS, 3 * SMSS);
        envelope.hold(&vars(34));
        envelope.undone(None);
        assert_eq!(envelope.hold(&vars(cwnd)).is_empty(), allowed, "{cwnd}");
    }
}

/// NewReno has a seventh of a segment for it, CUBIC 9/17 of that (RFC 9438 §4.3), in whole octets.
#[test]
fn each_algorithm_has_its_own_width() {
    let allowed = |algorithm| [8, 10, 14, 15].map(|octets| growth(algorithm, octets));
    assert_eq!(
        allowed(CongestionControl::NewReno),
        [true, true, true, false]
    );
    assert_eq!(
        allowed(CongestionControl::Cubic),
        [true, false, false, false]
    );
}

#[test]
fn with_cubic_and_without_sack_slow_start_and_response_to_loss_are_missed() {
    for (algorithm, sack) in [
        (CongestionControl::Cubic, true),
        (CongestionControl::Cubic, false),
        (CongestionControl::NewReno, false),
    ] {
        let mut scenario = narrow();
        for host in &mut scenario.hosts {
            (host.config.congestion_control, host.config.sack) = (algorithm, sack);
        }
        assert_eq!(violation_of("congestion", &scenario), None);
        for protection in [Protection::SlowStart, Protection::LossResponse] {
            let found = violation_of("congestion", &scenario.clone().without(protection));
            assert!(found.is_some(), "{algorithm:?} {sack} {protection}");
        }
    }
}
