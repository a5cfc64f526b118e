use super::{Acked, Congestion};
use crate::config::{Config, CongestionControl, InitialWindow};
use crate::event::CaState;
use crate::seq::SeqNumber;
use crate::time::Instant;
use alloc::vec;

const SMSS: u32 = 1000;
const ISS: SeqNumber = SeqNumber(0);

fn config() -> Config {
    Config::new(vec![], [0; 32])
}

fn open() -> Congestion {
    Congestion::new(&config(), SMSS, ISS, false)
}

fn acked(octets: u32, flight: u32) -> Acked {
    Acked {
        octets,
        flight,
        now: Instant::ZERO,
        srtt: None,
        smss: SMSS,
        congested: false,
    }
}

#[test]
fn the_initial_window_is_that_of_the_settings() {
    let ten = Config {
        initial_window: InitialWindow::Rfc6928,
        ..config()
    };
    assert_eq!(open().cwnd, 4 * SMSS, "R5681-01");
    assert_eq!(Congestion::new(&ten, SMSS, ISS, false).cwnd, 10 * SMSS);
}

#[test]
fn a_lost_syn_starts_with_one_segment() {
    assert_eq!(Congestion::new(&config(), SMSS, ISS, true).cwnd, SMSS);
}

#[test]
fn slow_start_adds_at_most_one_segment_per_ack() {
    let mut congestion = open();
    congestion.on_ack(ISS + 2 * SMSS, &acked(2 * SMSS, 2 * SMSS));
    congestion.on_ack(ISS + 2010, &acked(10, 10));
    assert_eq!(congestion.cwnd, 4 * SMSS + SMSS + 10, "R5681-02");
}

#[test]
fn byte_counting_adds_two_segments_per_ack_and_after_a_timeout_one() {
    let config = Config {
        slow_start_limit: 2,
        ..config()
    };
    let mut congestion = Congestion::new(&config, SMSS, ISS, false);
    congestion.on_ack(ISS + 3 * SMSS, &acked(3 * SMSS, 4 * SMSS));
    assert_eq!(congestion.cwnd, 6 * SMSS, "RFC 3465 §2.2");
    congestion.on_timeout(&config, 10 * SMSS, ISS + 20 * SMSS, SMSS, true);
    congestion.on_ack(ISS + 6 * SMSS, &acked(3 * SMSS, 10 * SMSS));
    assert_eq!(congestion.cwnd, 2 * SMSS, "RFC 3465 §2.3");
}

#[test]
fn congestion_avoidance_adds_one_segment_per_window() {
    let mut congestion = Congestion {
        ssthresh: 4 * SMSS,
        ..open()
    };
    for n in 1..=3 {
        congestion.on_ack(ISS + n * SMSS, &acked(SMSS, 4 * SMSS));
        assert_eq!(congestion.cwnd, 4 * SMSS);
    }
    congestion.on_ack(ISS + 4 * SMSS, &acked(SMSS, 4 * SMSS));
    assert_eq!(congestion.cwnd, 5 * SMSS, "R5681-03, R5681-04");
}

#[test]
fn the_third_duplicate_retransmits_and_halves() {
    let mut congestion = Congestion {
        cwnd: 10 * SMSS,
        ..open()
    };
    let (una, nxt) = (ISS + 1, ISS + 1 + 12 * SMSS);
    let answers = [(); 4].map(|()| congestion.on_duplicate(&config(), una, nxt, SMSS));
    assert_eq!(answers, [false, false, true, false], "R5681-07");
    assert_eq!(
        (congestion.ssthresh, congestion.cwnd),
        (5 * SMSS, 9 * SMSS),
        "R5681-09"
    );
}

#[test]
fn the_first_two_duplicates_let_one_new_segment_go_each() {
    let mut congestion = open();
    let cwnd = congestion.cwnd;
    for allowance in [cwnd + SMSS, cwnd + 2 * SMSS] {
        congestion.on_duplicate(&config(), ISS + 1, ISS + 5000, SMSS);
        assert_eq!(
            (congestion.allowance(SMSS), congestion.cwnd),
            (allowance, cwnd),
            "R5681-08"
        );
    }
}

#[test]
fn a_partial_ack_retransmits_and_a_full_one_deflates() {
    let mut congestion = Congestion {
        cwnd: 10 * SMSS,
        ..open()
    };
    let (una, nxt) = (ISS + 1, ISS + 1 + 12 * SMSS);
    for _ in 0..3 {
        congestion.on_duplicate(&config(), una, nxt, SMSS);
    }
    assert!(congestion.on_ack(una + SMSS, &acked(SMSS, 12 * SMSS)) && congestion.recovering());
    assert!(!congestion.on_ack(nxt, &acked(11 * SMSS, 11 * SMSS)) && !congestion.recovering());
    assert_eq!(congestion.cwnd, 2 * SMSS, "R5681-10");
}

#[test]
fn a_timeout_leaves_one_segment_and_cuts_the_threshold_once() {
    let mut congestion = Congestion {
        cwnd: 20 * SMSS,
        ..open()
    };
    congestion.on_timeout(&config(), 16 * SMSS, ISS + 16 * SMSS, SMSS, true);
    assert_eq!(
        (congestion.cwnd, congestion.ssthresh),
        (SMSS, 8 * SMSS),
        "R5681-05, R5681-06"
    );
    congestion.on_timeout(&config(), SMSS, ISS + 16 * SMSS, SMSS, false);
    assert_eq!(congestion.ssthresh, 8 * SMSS);
}

#[test]
fn duplicates_of_what_a_timeout_resent_are_no_new_loss() {
    let mut congestion = open();
    congestion.on_timeout(&config(), 4 * SMSS, ISS + 4 * SMSS, SMSS, true);
    let una = ISS + 2 * SMSS;
    for _ in 0..5 {
        assert!(!congestion.on_duplicate(&config(), una, ISS + 4 * SMSS, SMSS));
    }
}

#[test]
fn undo_brings_back_what_was_before_for_either_algorithm() {
    for congestion_control in [CongestionControl::NewReno, CongestionControl::Cubic] {
        let config = Config {
            congestion_control,
            ..config()
        };
        let mut congestion = Congestion::new(&config, SMSS, ISS, false);
        (congestion.cwnd, congestion.ssthresh) = (20 * SMSS, 15 * SMSS);
        congestion.on_timeout(&config, 20 * SMSS, ISS + 20 * SMSS, SMSS, true);
        assert!(congestion.can_undo());
        congestion.undo();
        assert_eq!(
            (congestion.cwnd, congestion.ssthresh),
            (20 * SMSS, 15 * SMSS)
        );
        assert_eq!(
            (congestion.state, congestion.can_undo()),
            (CaState::Open, false)
        );
    }
}

#[test]
fn a_timeout_in_the_middle_of_recovery_is_not_undone() {
    let mut congestion = open();
    congestion.enter_recovery(&config(), 4 * SMSS, ISS + 4 * SMSS, SMSS);
    congestion.on_timeout(&config(), 4 * SMSS, ISS + 4 * SMSS, SMSS, true);
    assert!(!congestion.can_undo());
}

#[test]
fn one_window_is_reduced_once() {
    let mut congestion = Congestion {
        cwnd: 20 * SMSS,
        ..open()
    };
    congestion.reduce_once(&config(), 20 * SMSS, ISS + 20 * SMSS, SMSS);
    assert_eq!(
        (congestion.cwnd, congestion.ssthresh),
        (10 * SMSS, 10 * SMSS)
    );
    congestion.enter_recovery(&config(), 20 * SMSS, ISS + 20 * SMSS, SMSS);
    assert_eq!(congestion.ssthresh, 10 * SMSS, "R5681-14");
}

#[test]
fn smaller_segments_reduce_nothing() {
    let mut congestion = open();
    congestion.resize(1000, 500, ISS + 4000);
    assert_eq!((congestion.recover, congestion.reduced), (ISS + 4000, ISS));
    congestion.reduce_once(&config(), 4000, ISS + 4000, SMSS);
    congestion.resize(500, 400, ISS + 6000);
    congestion.leave(ISS + 4000);
    assert_eq!(congestion.state, CaState::Open, "R3168-05: over");
}

#[test]
fn a_reduction_that_was_undone_answers_no_congestion() {
    let mut congestion = open();
    congestion.on_timeout(&config(), 4000, ISS + 4000, SMSS, true);
    assert_eq!(congestion.reduced, ISS + 4000);
    congestion.undo();
    assert_eq!(congestion.reduced, ISS);
    congestion.on_timeout(&config(), 4000, ISS + 4000, SMSS, true);
    congestion.confirm();
    congestion.undo();
    assert_eq!(congestion.reduced, ISS + 4000, "it stands");
}

#[test]
fn a_lost_retransmission_reduces_once_more_down_to_two_segments() {
    for algorithm in [CongestionControl::NewReno, CongestionControl::Cubic] {
        let config = Config {
            congestion_control: algorithm,
            ..config()
        };
        let mut congestion = Congestion::new(&config, SMSS, ISS, false);
        congestion.cwnd = 20 * SMSS;
        congestion.enter_recovery(&config, 20 * SMSS, ISS + 20 * SMSS, SMSS);
        let mut before = congestion.ssthresh;
        for _ in 0..9 {
            congestion.reduce_again(&config, 20 * SMSS, SMSS);
            let least = before == 2 * SMSS;
            assert!(congestion.ssthresh < before || least, "R5681-14");
            assert!(congestion.cwnd <= congestion.ssthresh && !congestion.can_undo());
            before = congestion.ssthresh;
        }
        assert_eq!(before, 2 * SMSS);
        assert_eq!(congestion.recover, ISS + 20 * SMSS, "the repair goes on");
    }
}

#[test]
fn a_repair_that_proves_needless_afterwards_leaves_the_next_reduction_alone() {
    let mut congestion = open();
    congestion.enter_recovery(&config(), 4 * SMSS, ISS + 4 * SMSS, SMSS);
    congestion.recovered(2 * SMSS);
    congestion.reduce_once(&config(), 4 * SMSS, ISS + 8 * SMSS, SMSS);
    congestion.undo();
    assert_eq!(congestion.state, CaState::Cwr, "R3168-05");
    congestion.leave(ISS + 8 * SMSS);
    assert_eq!(congestion.state, CaState::Open);
}

/// A second repair after a reduction that stands gives nothing back, but it must not leave what PRR let
/// cwnd be: less than a segment, and nothing would ever go again.
#[test]
fn a_repair_that_was_needless_ends_with_ssthresh() {
    let mut congestion = open();
    congestion.enter_recovery(&config(), 10 * SMSS, SeqNumber(5000), SMSS);
    congestion.confirm();
    let ssthresh = congestion.ssthresh;
    congestion.cwnd = 34;
    congestion.undo();
    assert_eq!(
        (congestion.cwnd, congestion.state),
        (ssthresh, CaState::Open)
    );
}

/// RFC 9937 §6.2: what a router says of the path is no ACK, so cwnd does not grow by it in a repair.
#[test]
fn smaller_segments_let_cwnd_grow_to_one_but_in_a_repair() {
    for (repairs, cwnd) in [(false, 800), (true, 240)] {
        let mut congestion = open();
        if repairs {
            congestion.enter_recovery(&config(), 10 * SMSS, ISS, SMSS);
        }
        congestion.cwnd = 300;
        congestion.resize(1000, 800, ISS);
        assert_eq!(congestion.cwnd, cwnd);
    }
}
