//! RACK-TLP (RFC 8985): losses told by time, and the probe of a tail.

use timewait_stack::config::InitialWindow;
use timewait_stack::event::CaState;
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Duration, SeqNumber, SocketId};

use crate::peer::{Bench, Sent, config};
use crate::sack::{ack, permitted, send, starts};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Data may go, and SRTT is 100 ms. So many octets are acknowledged.
fn measured(config: Config) -> (Bench, SocketId, SeqNumber, u32) {
    let (mut bench, socket, iss) = permitted(config);
    send(&mut bench, socket, 1000);
    bench.wait(MS(100));
    ack(&mut bench, iss, 1000, &[]);
    assert_eq!(bench.vars(socket).srtt, Some(MS(100)));
    (bench, socket, iss, 1000)
}

/// Waits for something to be sent, and for how long.
fn next(bench: &mut Bench, limit: u64) -> (u64, Vec<Sent>) {
    for waited in 1..=limit {
        let sent = bench.wait(MS(1));
        if !sent.is_empty() {
            return (waited, sent);
        }
    }
    (limit, vec![])
}

#[test]
fn a_tail_is_probed_after_two_round_trips_with_its_last_segment() {
    let (mut bench, socket, iss, una) = measured(config());
    send(&mut bench, socket, 3000);
    let (waited, sent) = next(&mut bench, 900);
    assert_eq!(waited, 200, "R8985-06");
    assert_eq!(starts(iss, &sent), [una + 2000], "R8985-07");
    assert!(bench.vars(socket).timers.retransmit.is_some());
    assert_eq!(next(&mut bench, 999).1, [], "R8985-07: one probe");
    let (_, sent) = next(&mut bench, 10);
    assert_eq!(starts(iss, &sent), [una], "then the timeout");
}

/// RFC 9293 §3.8.6: old data right of SND.UNA+SND.WND may go again.
#[test]
fn a_tail_right_of_a_shrunk_window_is_probed_too() {
    let (mut bench, socket, iss, una) = measured(config());
    send(&mut bench, socket, 3000);
    bench.inject_window(Flags::ACK, 1, iss + 1 + una, b"", None, 1000);
    assert_eq!(bench.vars(socket).snd_wnd, 1000);
    let (_, sent) = next(&mut bench, 900);
    assert_eq!(starts(iss, &sent), [una + 2000], "MAY-7");
}

#[test]
fn a_single_segment_is_given_time_for_a_delayed_ack() {
    let (mut bench, socket, _, _) = measured(config());
    send(&mut bench, socket, 1000);
    assert_eq!(next(&mut bench, 900).0, 400, "R8985-06: 2 SRTT and 200 ms");
}

#[test]
fn a_probe_never_waits_longer_than_the_timeout() {
    let (mut bench, socket, _, _) = measured(Config {
        delayed_ack: MS(490),
        rto: timewait_stack::config::RtoBounds {
            min: MS(10),
            ..Default::default()
        },
        ..config()
    });
    let rto = bench.vars(socket).rto;
    send(&mut bench, socket, 1000);
    assert!(rto < MS(690));
    assert_eq!(
        MS(next(&mut bench, 900).0 - 1),
        rto.max(MS(1)) - MS(1),
        "R8985-06"
    );
}

#[test]
fn a_probe_sends_something_new_if_there_is_any() {
    let (mut bench, socket, iss, una) = measured(config());
    let cwnd = bench.vars(socket).cwnd;
    let sent = send(&mut bench, socket, 10_000);
    assert_eq!(sent.len() as u32, cwnd / 1000);
    let (waited, sent) = next(&mut bench, 900);
    assert_eq!(
        (waited, starts(iss, &sent)),
        (200, vec![una + cwnd]),
        "R8985-07: beyond cwnd"
    );
}

#[test]
fn a_new_segment_puts_the_probe_off() {
    let (mut bench, socket, _, _) = measured(config());
    send(&mut bench, socket, 1000);
    bench.wait(MS(150));
    send(&mut bench, socket, 1000);
    assert_eq!(next(&mut bench, 900).0, 200, "R8985-06");
}

#[test]
fn without_a_round_trip_measured_since_there_is_no_second_probe() {
    let (mut bench, socket, iss, una) = measured(config());
    send(&mut bench, socket, 3000);
    next(&mut bench, 900);
    // What answers a retransmission is no sample.
    ack(&mut bench, iss, una + 3000, &[]);
    send(&mut bench, socket, 3000);
    assert_eq!(next(&mut bench, 999).1, [], "RFC 8985 §7.3");
}

#[test]
fn a_probe_that_repaired_a_loss_reduces_cwnd() {
    let (mut bench, socket, iss, una) = measured(config());
    let cwnd = bench.vars(socket).cwnd;
    send(&mut bench, socket, 3000);
    next(&mut bench, 900);
    ack(&mut bench, iss, una + 3000, &[]);
    assert!(bench.vars(socket).cwnd >= cwnd, "it is not known yet");
    send(&mut bench, socket, 1000);
    bench.wait(MS(100));
    ack(&mut bench, iss, una + 4000, &[]);
    assert!(bench.vars(socket).cwnd < cwnd, "R8985-08");
}

#[test]
fn a_dsack_for_the_probe_says_that_nothing_was_lost() {
    let (mut bench, socket, iss, una) = measured(config());
    let cwnd = bench.vars(socket).cwnd;
    send(&mut bench, socket, 3000);
    next(&mut bench, 900);
    ack(&mut bench, iss, una + 3000, &[]);
    ack(&mut bench, iss, una + 3000, &[(una + 2000, una + 3000)]);
    send(&mut bench, socket, 1000);
    bench.wait(MS(100));
    ack(&mut bench, iss, una + 4000, &[]);
    assert!(bench.vars(socket).cwnd >= cwnd, "R8985-08");
}

#[test]
fn the_report_of_a_probe_repairs_the_tail_before_the_timeout() {
    let (mut bench, socket, iss, una) = measured(config());
    send(&mut bench, socket, 3000);
    next(&mut bench, 900);
    bench.wait(MS(100));
    let sent = ack(&mut bench, iss, una, &[(una + 2000, una + 3000)]);
    assert_eq!(starts(iss, &sent), [una], "the fast retransmit");
    assert_eq!(bench.vars(socket).ca_state, CaState::Recovery);
}

#[test]
fn one_report_waits_for_the_reordering_window() {
    let (mut bench, socket, iss, una) = measured(config());
    send(&mut bench, socket, 3000);
    bench.wait(MS(100));
    assert_eq!(ack(&mut bench, iss, una, &[(una + 2000, una + 3000)]), []);
    let timers = bench.vars(socket).timers;
    assert!(timers.reorder.is_some(), "R8985-09");
    assert!(
        timers.retransmit.is_none() && timers.probe.is_none(),
        "R8985-09"
    );
    let (waited, sent) = next(&mut bench, 900);
    assert_eq!(
        (waited, starts(iss, &sent)[0]),
        (25, una),
        "R8985-02: min_RTT / 4"
    );
    assert_eq!(bench.vars(socket).ca_state, CaState::Recovery);
}

#[test]
fn what_was_only_late_is_not_sent_again() {
    let (mut bench, socket, iss, una) = measured(config());
    send(&mut bench, socket, 3000);
    bench.wait(MS(100));
    ack(&mut bench, iss, una, &[(una + 1000, una + 3000)]);
    bench.wait(MS(20));
    ack(&mut bench, iss, una + 3000, &[]);
    let vars = bench.vars(socket);
    assert!(vars.sack.unwrap().reordering_seen, "R8985-03");
    assert_eq!(
        (next(&mut bench, 900).1, vars.ca_state),
        (vec![], CaState::Open)
    );
}

#[test]
fn tcp_info_tells_the_degree_of_reordering() {
    let (mut bench, socket, iss, una) = measured(Config {
        initial_window: InitialWindow::Rfc6928,
        ..config()
    });
    let degree = |bench: &Bench| bench.stack.tcp_info(socket).unwrap().unwrap().reordering;
    assert_eq!(send(&mut bench, socket, 8000).len(), 8);
    bench.wait(MS(100));
    ack(&mut bench, iss, una, &[(una + 5000, una + 6000)]);
    assert_eq!(degree(&bench), 3, "nothing came late so far");
    ack(&mut bench, iss, una + 1000, &[(una + 5000, una + 6000)]);
    assert_eq!(degree(&bench), 5);
}

#[test]
fn once_reordering_was_seen_three_reports_are_no_proof() {
    let (mut bench, socket, iss, una) = measured(config());
    send(&mut bench, socket, 3000);
    bench.wait(MS(100));
    ack(&mut bench, iss, una, &[(una + 1000, una + 3000)]);
    ack(&mut bench, iss, una + 3000, &[]);
    send(&mut bench, socket, 5000);
    bench.wait(MS(100));
    let una = una + 3000;
    assert_eq!(
        ack(&mut bench, iss, una, &[(una + 1000, una + 5000)]),
        [],
        "R8985-03"
    );
    assert_eq!(starts(iss, &next(&mut bench, 900).1), [una]);
}

#[test]
fn a_lost_retransmission_is_found_by_what_is_sent_after_it() {
    let (mut bench, socket, iss, una) = measured(config());
    send(&mut bench, socket, 4000);
    bench.wait(MS(100));
    let sent = ack(&mut bench, iss, una, &[(una + 1000, una + 4000)]);
    assert_eq!(starts(iss, &sent), [una], "R8985-01");
    bench.wait(MS(1));
    assert_eq!(starts(iss, &send(&mut bench, socket, 1000)), [una + 4000]);
    bench.wait(MS(100));
    let sent = ack(&mut bench, iss, una, &[(una + 1000, una + 5000)]);
    assert_eq!(
        starts(iss, &sent),
        [una],
        "R8985-01: again, without a timeout"
    );
}

#[test]
fn without_the_setting_there_is_no_probe() {
    let (mut bench, socket, iss, una) = measured(Config {
        tail_loss_probe: false,
        ..config()
    });
    send(&mut bench, socket, 3000);
    let (waited, sent) = next(&mut bench, 2000);
    assert_eq!((waited, starts(iss, &sent)), (1000, vec![una]));
}
