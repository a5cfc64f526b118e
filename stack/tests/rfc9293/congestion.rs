//! The algorithms and windows that a stack can be told to use (RFC 5681, 6928, 3465, 9438).

use timewait_stack::config::{CongestionControl, InitialWindow};
use timewait_stack::{Config, Duration, SeqNumber, SocketId};

use crate::peer::{Bench, config};
use crate::sack::{ack, permitted, send};

#[test]
fn rfc_6928_begins_with_ten_segments() {
    for (initial_window, segments) in [(InitialWindow::Rfc5681, 4), (InitialWindow::Rfc6928, 10)] {
        let (mut bench, socket, _) = permitted(Config {
            initial_window,
            ..config()
        });
        assert_eq!(send(&mut bench, socket, 30_000).len(), segments, "R5681-01");
    }
}

#[test]
fn after_idleness_the_restart_window_is_the_initial_one() {
    for (initial_window, window) in [
        (InitialWindow::Rfc5681, 4000),
        (InitialWindow::Rfc6928, 10_000),
    ] {
        let (mut bench, socket, iss) = permitted(Config {
            initial_window,
            ..config()
        });
        grow(&mut bench, socket, iss, 40_000);
        bench.wait(Duration::from_secs(20));
        let sent = send(&mut bench, socket, 60_000);
        assert_eq!(sent.len(), window / 1000, "R5681-11");
    }
}

#[test]
fn one_ack_of_two_segments_adds_one_or_two() {
    for (slow_start_limit, grown) in [(1, 5000), (2, 6000)] {
        let (mut bench, socket, iss) = permitted(Config {
            slow_start_limit,
            ..config()
        });
        send(&mut bench, socket, 4000);
        ack(&mut bench, iss, 2000, &[]);
        assert_eq!(bench.vars(socket).cwnd, grown, "R5681-02, RFC 3465 §2.2");
    }
}

/// Acknowledges round trips of 100 ms until cwnd is `window`.
fn grow(bench: &mut Bench, socket: SocketId, iss: SeqNumber, window: u32) -> u32 {
    let mut acked = bench.vars(socket).snd_una - (iss + 1);
    while bench.vars(socket).cwnd < window {
        let free =
            60_000 - bench.vars(socket).unsent - (bench.vars(socket).snd_nxt - (iss + 1) - acked);
        send(bench, socket, free as usize);
        bench.wait(Duration::from_millis(100));
        let end = bench.vars(socket).snd_nxt - (iss + 1);
        while acked < end {
            acked = (acked + 1000).min(end);
            ack(bench, iss, acked, &[]);
        }
    }
    bench.wait(Duration::from_millis(100));
    let end = bench.vars(socket).snd_nxt - (iss + 1);
    let mut left = end;
    while bench.vars(socket).unsent > 0 || bench.vars(socket).snd_una != bench.vars(socket).snd_nxt
    {
        ack(bench, iss, left, &[]);
        left = bench.vars(socket).snd_nxt - (iss + 1);
    }
    left
}

#[test]
fn a_loss_leaves_half_or_seven_tenths() {
    for (congestion_control, tenths) in [
        (CongestionControl::NewReno, 5),
        (CongestionControl::Cubic, 7),
    ] {
        let (mut bench, socket, iss) = permitted(Config {
            congestion_control,
            ..config()
        });
        let una = grow(&mut bench, socket, iss, 20_000);
        bench.wait(Duration::from_millis(10));
        send(&mut bench, socket, 60_000);
        let vars = bench.vars(socket);
        let flight = (vars.snd_nxt - vars.snd_una).min(vars.cwnd);
        bench.wait(Duration::from_millis(100));
        ack(&mut bench, iss, una, &[(una + 1000, una + 4000)]);
        assert_eq!(
            bench.vars(socket).ssthresh,
            flight * tenths / 10,
            "MAY-18, RFC 9438 §4.6"
        );
    }
}
