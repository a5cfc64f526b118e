//! Spurious retransmission timeouts (RFC 5682): found, and undone.

use timewait_stack::event::CaState;
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Duration, SeqNumber, SocketId};

use crate::peer::{Bench, config};
use crate::sack::{ack, permitted, send, starts};

/// Four of ten segments are out, the path stalls, the timer runs out, the first goes again.
fn timed_out(config: Config) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, socket, iss) = permitted(Config {
        tail_loss_probe: false,
        black_hole: None,
        ..config
    });
    assert_eq!(send(&mut bench, socket, 10_000).len(), 4);
    let sent = bench.wait(Duration::from_millis(1050));
    assert_eq!(starts(iss, &sent), [0], "RFC 5682 §2.1 step 1");
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.ca_state, vars.cwnd, vars.ssthresh),
        (CaState::Loss, 1000, 2000)
    );
    (bench, socket, iss)
}

#[test]
fn late_acks_let_new_segments_go_and_undo_the_timeout() {
    let (mut bench, socket, iss) = timed_out(config());
    let sent = ack(&mut bench, iss, 1000, &[]);
    assert_eq!(starts(iss, &sent), [4000, 5000], "step 2b: new ones");
    assert!(bench.vars(socket).frto);
    let sent = ack(&mut bench, iss, 2000, &[]);
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.ca_state, vars.frto),
        (CaState::Open, false),
        "step 3b"
    );
    assert!(
        vars.cwnd >= 4000 && vars.ssthresh > 10_000,
        "RFC 9438 §4.9: {}",
        vars.cwnd
    );
    assert!(
        starts(iss, &sent).iter().all(|start| *start >= 6000),
        "nothing goes again"
    );
    assert_eq!(vars.sack.unwrap().lost, 0);
}

#[test]
fn a_report_of_octets_sent_before_the_timeout_is_as_good() {
    let (mut bench, socket, iss) = timed_out(config());
    ack(&mut bench, iss, 1000, &[]);
    ack(&mut bench, iss, 1000, &[(2000, 3000)]);
    let vars = bench.vars(socket);
    assert_eq!(vars.ca_state, CaState::Disorder, "RFC 5682 §3.1 step 3b");
    assert!(vars.cwnd >= 4000 && vars.ssthresh > 10_000);
}

#[test]
fn a_report_of_the_new_segments_means_that_the_old_ones_are_lost() {
    let (mut bench, socket, iss) = timed_out(config());
    ack(&mut bench, iss, 1000, &[]);
    let sent = ack(&mut bench, iss, 1000, &[(4000, 5000)]);
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.ca_state, vars.can_undo),
        (CaState::Loss, false),
        "step 3a"
    );
    assert_eq!(starts(iss, &sent), [1000], "they go again");
}

#[test]
fn an_ack_of_everything_says_nothing() {
    let (mut bench, socket, iss) = timed_out(config());
    ack(&mut bench, iss, 4000, &[]);
    let vars = bench.vars(socket);
    assert_eq!((vars.frto, vars.ssthresh), (false, 2000), "step 2a");
}

#[test]
fn without_new_octets_the_old_ones_go_again() {
    let (mut bench, socket, iss) = permitted(Config {
        tail_loss_probe: false,
        ..config()
    });
    send(&mut bench, socket, 4000);
    bench.wait(Duration::from_millis(1050));
    let sent = ack(&mut bench, iss, 1000, &[]);
    assert_eq!(
        starts(iss, &sent),
        [1000, 2000],
        "step 2b: nothing new to send"
    );
    assert!(!bench.vars(socket).frto);
}

#[test]
fn without_the_setting_the_timeout_stands() {
    let (mut bench, socket, iss) = timed_out(Config {
        frto: false,
        ..config()
    });
    assert_eq!(starts(iss, &ack(&mut bench, iss, 1000, &[])), [1000, 2000]);
    ack(&mut bench, iss, 2000, &[]);
    assert_eq!(bench.vars(socket).ssthresh, 2000);
}

#[test]
fn a_second_timeout_is_not_asked_about() {
    let (mut bench, socket, iss) = timed_out(config());
    bench.wait(Duration::from_millis(2050));
    assert!(!bench.vars(socket).frto);
    let sent = bench.inject(Flags::ACK, 1, iss + 1001, b"");
    assert_eq!(starts(iss, &sent), [1000, 2000]);
}
