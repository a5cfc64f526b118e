//! Sending: segments, Nagle, retransmission, congestion (RFC 9293 §3.7, §3.8; RFC 5681, 6298).

use timewait_stack::config::{GiveUp, Keepalive};
use timewait_stack::event::Ready;
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Duration, Errno, SeqNumber, SocketId, SocketOption, State};

use crate::peer::{Bench, Sent, config};

/// An established connection whose peer announced this MSS.
fn with_mss(mss: Option<u16>) -> (Bench, SocketId, SeqNumber) {
    with(config(), mss)
}

fn with(config: Config, mss: Option<u16>) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, listener) = Bench::listening(config);
    let iss = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", mss)[0].seq;
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    (bench, socket, iss)
}

fn send(bench: &mut Bench, socket: SocketId, octets: usize) -> Vec<Sent> {
    assert_eq!(
        bench.stack.send(bench.now, socket, &vec![b'x'; octets]),
        Ok(octets)
    );
    bench.drain()
}

fn lens(sent: &[Sent]) -> Vec<usize> {
    sent.iter().map(|segment| segment.text.len()).collect()
}

#[test]
fn segments_fit_the_peers_mss() {
    for (option, expected) in [(Some(1000), 1000), (Some(9000), 1460), (None, 536)] {
        let (mut bench, socket, _) = with_mss(option);
        assert_eq!(
            send(&mut bench, socket, 9000)[0].text.len(),
            expected,
            "MUST-15, MUST-16"
        );
    }
}

/// MUST-19.
#[test]
fn slow_start_begins_with_the_initial_window_and_adds_a_segment_per_ack() {
    let (mut bench, socket, iss) = with_mss(Some(1000));
    assert_eq!(lens(&send(&mut bench, socket, 20_000)), [1000; 4]);
    assert_eq!(
        lens(&bench.inject(Flags::ACK, 1, iss + 1001, b"")),
        [1000; 2]
    );
    assert_eq!(
        lens(&bench.inject(Flags::ACK, 1, iss + 3001, b"")),
        [1000; 3]
    );
}

/// R5681-11: acknowledgments that are sent meanwhile do not end the idleness (RFC 5681 §4.1).
#[test]
fn after_an_idle_rto_it_restarts_from_the_initial_window() {
    for (pause, segments) in [(600, 8), (900, 4)] {
        let (mut bench, socket, iss) = with_mss(Some(1000));
        send(&mut bench, socket, 4000);
        for n in 1..=4 {
            bench.inject(Flags::ACK, 1, iss + 1 + 1000 * n, b"");
        }
        bench.wait(Duration::from_millis(pause));
        bench.inject(Flags::ACK, 1, iss + 4001, b"x");
        let answered = bench.wait(Duration::from_millis(300));
        assert_eq!(lens(&answered), [0], "the delayed ACK");
        assert_eq!(
            lens(&send(&mut bench, socket, 20_000)),
            vec![1000; segments]
        );
    }
}

#[test]
fn nagle_holds_small_segments_while_something_is_out() {
    let (mut bench, socket, iss) = with_mss(Some(1000));
    assert_eq!(lens(&send(&mut bench, socket, 10)), [10]);
    assert_eq!(lens(&send(&mut bench, socket, 10)), [], "SHLD-7");
    assert_eq!(
        lens(&send(&mut bench, socket, 1985)),
        [1000],
        "full segments go"
    );
    let sent = bench.inject(Flags::ACK, 1, iss + 1011, b"");
    assert_eq!(lens(&sent), [995]);
    assert!(sent[0].flags.contains(Flags::PSH), "MUST-61");
}

#[test]
fn nodelay_sends_at_once() {
    let (mut bench, socket, _) = with_mss(Some(1000));
    bench
        .stack
        .set_option(socket, SocketOption::NoDelay(true))
        .unwrap();
    bench.drain();
    for _ in 0..3 {
        assert_eq!(lens(&send(&mut bench, socket, 10)), [10], "MUST-17");
    }
}

#[test]
fn a_lost_segment_is_sent_again_with_doubling_timeouts_until_r2() {
    let (mut bench, socket, iss) = with_mss(Some(1000));
    send(&mut bench, socket, 10);
    let start = bench.now;
    let mut times = vec![];
    for _ in 0..400 {
        if bench.state(socket) != State::Established {
            break;
        }
        for segment in bench.wait(Duration::from_millis(500)) {
            assert_eq!((segment.seq, segment.text.len()), (iss + 1, 10));
            times.push((bench.now - start).as_secs());
        }
    }
    assert_eq!(times, [1, 3, 7, 15, 31, 63], "R6298-10, MUST-19");
    assert!(bench.now - start >= Duration::from_secs(100), "SHLD-11");
    assert_eq!(
        bench.ready.last(),
        Some(&(socket, Ready::Failed(Errno::ETIMEDOUT))),
        "MUST-20"
    );
    assert!(bench.ready.contains(&(socket, Ready::Trouble)), "SHLD-9");
}

#[test]
fn trouble_is_told_at_the_third_retransmission() {
    let (mut bench, socket, _) = with_mss(Some(1000));
    bench.ready.clear();
    send(&mut bench, socket, 10);
    bench.wait(Duration::from_millis(6999));
    assert_eq!(bench.ready, [], "SHLD-10: two retransmissions are nothing");
    bench.wait(Duration::from_millis(1));
    assert_eq!(bench.ready, [(socket, Ready::Trouble)], "SHLD-9, MUST-20");
}

#[test]
fn after_a_lost_syn_data_waits_three_seconds() {
    let (mut bench, listener) = Bench::listening(config());
    let iss = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1000))[0].seq;
    assert_eq!(
        bench.wait(Duration::from_millis(1500)).len(),
        1,
        "the SYN-ACK again"
    );
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(lens(&send(&mut bench, socket, 10)), [10]);
    assert_eq!(bench.wait(Duration::from_millis(2999)), [], "R6298-11");
    assert_eq!(lens(&bench.wait(Duration::from_millis(1))), [10]);
}

#[test]
fn the_timer_runs_while_something_is_out_and_an_ack_restarts_it() {
    let (mut bench, socket, iss) = with_mss(Some(1000));
    let ms = Duration::from_millis;
    send(&mut bench, socket, 1000);
    bench.wait(ms(300));
    send(&mut bench, socket, 1000);
    // 1 s after the first segment, not after the second: the timer was running.
    assert_eq!(bench.wait(ms(699)), []);
    assert_eq!(bench.wait(ms(1))[0].seq, iss + 1, "R6298-07");

    let (mut bench, socket, iss) = with_mss(Some(1000));
    send(&mut bench, socket, 2000);
    bench.wait(ms(900));
    bench.inject(Flags::ACK, 1, iss + 1001, b"");
    let rto = bench.stack.status(socket).unwrap().vars.unwrap().rto;
    assert_eq!(bench.wait(rto - ms(1)), [], "R6298-09");
    assert_eq!(bench.wait(ms(1))[0].seq, iss + 1001, "R6298-09");

    bench.inject(Flags::ACK, 1, iss + 2001, b"");
    let timers = bench.stack.status(socket).unwrap().vars.unwrap().timers;
    assert_eq!(timers.retransmit, None, "R6298-08");
    assert_eq!(bench.wait(Duration::from_secs(100)), [], "R6298-08");
}

#[test]
fn the_user_sets_r2() {
    let (mut bench, socket, _) = with_mss(Some(1000));
    let r2 = SocketOption::GiveUp(GiveUp::Retransmissions(2));
    bench.stack.set_option(socket, r2).unwrap();
    send(&mut bench, socket, 10);
    assert_eq!(bench.wait(Duration::from_secs(50)).len(), 2, "MUST-21");
    assert_eq!(bench.state(socket), State::Closed);
}

#[test]
fn a_retransmitted_segment_gives_no_rtt_sample() {
    let (mut bench, socket, iss) = with_mss(Some(1000));
    let rto = |bench: &Bench| bench.stack.status(socket).unwrap().vars.unwrap().rto;
    send(&mut bench, socket, 10);
    bench.wait(Duration::from_millis(1100));
    assert_eq!(rto(&bench), Duration::from_secs(2));
    bench.inject(Flags::ACK, 1, iss + 11, b"");
    assert_eq!(
        rto(&bench),
        Duration::from_secs(2),
        "MUST-18, R6298-06, Karn: the back-off stays"
    );
    send(&mut bench, socket, 10);
    bench.wait(Duration::from_millis(100));
    bench.inject(Flags::ACK, 1, iss + 21, b"");
    assert_eq!(rto(&bench), Duration::from_secs(1));
}

#[test]
fn the_third_duplicate_ack_sends_the_first_segment_again() {
    let (mut bench, socket, iss) = with_mss(Some(1000));
    send(&mut bench, socket, 20_000);
    bench.inject(Flags::ACK, 1, iss + 2001, b"");
    let duplicates = [(); 3].map(|()| bench.inject(Flags::ACK, 1, iss + 2001, b""));
    // Limited transmit: one new segment for each of the first two (RFC 3042).
    assert_eq!(lens(&duplicates[0]), [1000]);
    assert_eq!(lens(&duplicates[1]), [1000]);
    assert!(duplicates[0][0].seq.before(duplicates[1][0].seq));
    assert_eq!((duplicates[2][0].seq, duplicates[2].len()), (iss + 2001, 1));
}

#[test]
fn a_partial_ack_sends_the_next_hole_again() {
    let (mut bench, socket, iss) = with_mss(Some(1000));
    send(&mut bench, socket, 4000);
    for _ in 0..3 {
        bench.inject(Flags::ACK, 1, iss + 1, b"");
    }
    let sent = bench.inject(Flags::ACK, 1, iss + 2001, b"");
    assert_eq!(
        (lens(&sent), sent[0].seq),
        (vec![1000], iss + 2001),
        "RFC 6582 §3.2"
    );
}

/// MUST-19; F-RTO would ask first.
#[test]
fn after_a_timeout_one_segment_goes_and_slow_start_follows() {
    let (mut bench, socket, iss) = with(
        Config {
            frto: false,
            ..config()
        },
        Some(1000),
    );
    send(&mut bench, socket, 8000);
    let sent = bench.wait(Duration::from_millis(1000));
    assert_eq!((lens(&sent), sent[0].seq), (vec![1000], iss + 1));
    let sent = bench.inject(Flags::ACK, 1, iss + 1001, b"");
    assert_eq!((lens(&sent), sent[0].seq), (vec![1000; 2], iss + 1001));
}

#[test]
fn an_ack_older_than_any_window_discards_its_segment() {
    let (mut bench, socket, iss) = with_mss(Some(1000));
    // The largest window the peer ever offered is 65,535 octets.
    for (back, text) in [(65_536, 0), (65_535, 5)] {
        let ack = (iss + 1).back(back);
        let sent = bench.inject(Flags::ACK, 1, ack, b"blind");
        let answered = sent
            .iter()
            .any(|s| s.flags == Flags::ACK && s.seq == iss + 1);
        assert_eq!(answered, text == 0, "MAY-12, R5961-05");
        let readable = bench.stack.status(socket).unwrap().readable;
        assert_eq!(readable, text, "MAY-12, R5961-05");
    }
}

#[test]
fn an_ack_of_something_never_sent_is_answered_and_ignored() {
    let (mut bench, socket, iss) = with_mss(Some(1000));
    send(&mut bench, socket, 10);
    let sent = bench.inject(Flags::ACK, 1, iss + 12, b"text");
    assert_eq!(
        (sent.len(), sent[0].flags, sent[0].text.len()),
        (1, Flags::ACK, 0)
    );
    assert_eq!(bench.stack.status(socket).unwrap().readable, 0);
}

/// MAY-5.
#[test]
fn keepalive_asks_only_when_idle_and_forgives_one_miss() {
    let keepalive = Keepalive {
        idle: Duration::from_secs(60),
        interval: Duration::from_secs(10),
        probes: 3,
        garbage: false,
    };
    let (mut bench, socket, iss) = Bench::established(Config {
        keepalive: Some(keepalive),
        ..config()
    });
    assert!(bench.wait(Duration::from_secs(59)).is_empty(), "MUST-26");
    let sent = bench.wait(Duration::from_secs(11));
    assert_eq!(sent.len(), 2, "MUST-29");
    assert!(
        sent.iter().all(|s| s.seq == iss && s.text.is_empty()),
        "SND.NXT-1, SHLD-12"
    );
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    assert!(bench.wait(Duration::from_secs(59)).is_empty());
    assert_eq!(bench.wait(Duration::from_secs(30)).len(), 3);
    bench.wait(Duration::from_secs(10));
    assert_eq!(
        bench.ready.last(),
        Some(&(socket, Ready::Failed(Errno::ETIMEDOUT)))
    );
}

/// MUST-29: nobody has been asked in time that a host spends standing still.
#[test]
fn keepalive_that_comes_late_still_waits_for_each_answer() {
    let keepalive = Keepalive {
        idle: Duration::from_secs(60),
        interval: Duration::from_secs(10),
        probes: 3,
        garbage: false,
    };
    let (mut bench, socket, _) = Bench::established(Config {
        keepalive: Some(keepalive),
        ..config()
    });
    bench.now += Duration::from_secs(1000);
    assert_eq!(bench.wait(Duration::ZERO).len(), 1);
    for _ in 0..2 {
        assert_eq!(bench.wait(Duration::from_secs(9)), []);
        assert_eq!(bench.wait(Duration::from_secs(1)).len(), 1);
    }
    assert_eq!(bench.wait(Duration::from_secs(9)), []);
    assert_eq!(bench.state(socket), State::Established);
    bench.wait(Duration::from_secs(1));
    assert_eq!(
        bench.ready.last(),
        Some(&(socket, Ready::Failed(Errno::ETIMEDOUT)))
    );
}

#[test]
fn keepalive_is_switched_on_and_off_for_one_connection() {
    let (mut bench, socket, _) = Bench::established(config());
    let set = |bench: &mut Bench, keepalive| {
        let option = SocketOption::Keepalive(keepalive);
        bench.stack.set_option(socket, option).unwrap();
        bench.drain();
    };
    set(&mut bench, Some(Keepalive::default()));
    let two_hours = Duration::from_secs(7200);
    assert_eq!(bench.wait(two_hours - Duration::from_nanos(1)), []);
    assert_eq!(bench.wait(Duration::from_nanos(1)).len(), 1, "MUST-28");
    let sooner = Keepalive {
        idle: Duration::from_secs(7300),
        ..Keepalive::default()
    };
    set(&mut bench, Some(sooner));
    // It has been asked once already: an interval after the idle time comes the next.
    assert_eq!(bench.wait(Duration::from_secs(174)), [], "MUST-27");
    assert_eq!(bench.wait(Duration::from_secs(1)).len(), 1, "MUST-27");
    set(&mut bench, None);
    assert_eq!(bench.wait(10 * two_hours), [], "MUST-24");
    assert_eq!(bench.state(socket), State::Established);
}

/// MAY-6: whoever asks for it gets an octet of no meaning in each probe, left of the window.
#[test]
fn a_keepalive_probe_may_carry_a_garbage_octet() {
    let (mut bench, socket, iss) = Bench::established(config());
    let keepalive = Keepalive {
        idle: Duration::from_secs(60),
        garbage: true,
        ..Keepalive::default()
    };
    let option = SocketOption::Keepalive(Some(keepalive));
    bench.stack.set_option(socket, option).unwrap();
    send(&mut bench, socket, 5);
    bench.inject(Flags::ACK, 1, iss + 6, b"");
    let probe = bench.wait(Duration::from_secs(60));
    assert_eq!((probe.len(), probe[0].seq), (1, iss + 5), "SND.NXT-1");
    assert_eq!(probe[0].text.len(), 1);
    bench.inject(Flags::ACK, 1, iss + 6, b"");
    assert_eq!(lens(&send(&mut bench, socket, 7)), [7], "nothing is lost");
}

#[test]
fn without_asking_there_is_no_keepalive() {
    let (mut bench, ..) = Bench::established(config());
    assert!(
        bench.wait(Duration::from_secs(100_000)).is_empty(),
        "MUST-25"
    );
}

#[test]
fn the_last_segment_carries_the_fin() {
    let (mut bench, socket, iss) = with_mss(Some(1000));
    bench.stack.send(bench.now, socket, &[1; 1500]).unwrap();
    bench.stack.close(bench.now, socket).unwrap();
    let sent = bench.drain();
    assert_eq!(lens(&sent), [1000, 500]);
    assert_eq!(sent[1].flags, Flags::FIN | Flags::ACK | Flags::PSH);
    bench.inject(Flags::ACK, 1, iss + 1502, b"");
    assert_eq!(bench.only_state(), Some(State::FinWait2));
}
