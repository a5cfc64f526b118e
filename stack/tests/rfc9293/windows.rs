//! Windows: RFC 9293 §3.8.6, §A.2.

use timewait_stack::config::Keepalive;
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Duration, SeqNumber, SocketId, State};

use crate::peer::{Bench, Sent, config, peer_seq};

/// The peer acknowledges `octets` of text and offers `window`.
fn offer(bench: &mut Bench, iss: SeqNumber, octets: u32, window: u16) -> Vec<Sent> {
    bench.inject_window(Flags::ACK, 1, iss + 1 + octets, b"", None, window)
}

fn send(bench: &mut Bench, socket: SocketId, octets: usize) -> Vec<Sent> {
    assert_eq!(
        bench.stack.send(bench.now, socket, &vec![b'x'; octets]),
        Ok(octets)
    );
    bench.drain()
}

fn text(sent: &[Sent]) -> usize {
    sent.iter().map(|segment| segment.text.len()).sum()
}

#[test]
fn a_window_with_the_top_bit_set_is_large() {
    let (mut bench, socket, iss) = Bench::established(config());
    offer(&mut bench, iss, 0, 0x8000);
    assert!(text(&send(&mut bench, socket, 10_000)) > 4000, "MUST-1");
}

#[test]
fn new_text_stays_inside_the_window() {
    let (mut bench, socket, iss) = Bench::established(config());
    offer(&mut bench, iss, 0, 2000);
    assert_eq!(
        text(&send(&mut bench, socket, 10_000)),
        1460,
        "MUST-38: 540 octets would be silly"
    );
    assert_eq!(text(&offer(&mut bench, iss, 1460, 1460)), 1460);
}

#[test]
fn a_zero_window_is_probed_after_an_rto_and_ever_more_slowly() {
    let (mut bench, socket, iss) = Bench::established(config());
    offer(&mut bench, iss, 0, 0);
    assert_eq!(send(&mut bench, socket, 100), []);
    let mut at = vec![];
    let start = bench.now;
    for _ in 0..64 {
        for probe in bench.wait(Duration::from_millis(500)) {
            assert_eq!((probe.seq, probe.text.len()), (iss + 1, 1), "MUST-36");
            at.push((bench.now - start).as_secs());
            assert_eq!(offer(&mut bench, iss, 0, 0), []);
        }
    }
    assert_eq!(at, [1, 3, 7, 15, 31], "SHLD-29, SHLD-30");
}

#[test]
fn a_peer_that_answers_may_keep_its_window_shut_for_ever() {
    let (mut bench, socket, iss) = Bench::established(config());
    offer(&mut bench, iss, 0, 0);
    send(&mut bench, socket, 100);
    for _ in 0..200 {
        if !bench.wait(Duration::from_secs(60)).is_empty() {
            offer(&mut bench, iss, 0, 0);
        }
    }
    assert_eq!(bench.state(socket), State::Established, "MUST-37");
    assert_eq!(text(&offer(&mut bench, iss, 0, 5000)), 100);
}

#[test]
fn a_silent_peer_behind_a_zero_window_is_given_up() {
    let (mut bench, socket, iss) = Bench::established(config());
    offer(&mut bench, iss, 0, 0);
    bench.wait(Duration::from_secs(5000));
    send(&mut bench, socket, 100);
    bench.wait(Duration::from_secs(90));
    assert_eq!(
        bench.state(socket),
        State::Established,
        "idle time does not count"
    );
    bench.wait(Duration::from_secs(120));
    assert_eq!(bench.state(socket), State::Closed);
}

#[test]
fn a_window_shrunk_to_zero_is_probed_with_what_is_out() {
    let (mut bench, socket, iss) = Bench::established(config());
    send(&mut bench, socket, 3000);
    offer(&mut bench, iss, 1000, 0);
    let probes = bench.wait(Duration::from_secs(2));
    assert_eq!(
        (probes.len(), probes[0].seq, probes[0].text.len()),
        (1, iss + 1001, 1),
        "MUST-35"
    );
    let again = offer(&mut bench, iss, 1000, 5000);
    assert_eq!((again[0].seq, text(&again)), (iss + 1001, 2000));
}

#[test]
fn a_shrunk_window_stops_new_text_and_keeps_the_connection() {
    let (mut bench, socket, iss) = Bench::established(config());
    assert_eq!(text(&send(&mut bench, socket, 4000)), 2920);
    offer(&mut bench, iss, 0, 1000);
    assert_eq!(send(&mut bench, socket, 1000), [], "SHLD-15");
    let again = bench.wait(Duration::from_millis(1000));
    assert_eq!((again[0].seq, text(&again)), (iss + 1, 1000), "SHLD-16");
    assert_eq!(bench.state(socket), State::Established, "MUST-34");
}

#[test]
fn text_right_of_a_shrunk_window_does_not_time_the_connection_out() {
    let (mut bench, socket, iss) = Bench::established(config());
    assert_eq!(text(&send(&mut bench, socket, 4000)), 2920);
    // Of the 2920 octets out the peer takes 1000, and then no more.
    offer(&mut bench, iss, 1000, 0);
    for _ in 0..30 {
        for probe in bench.wait(Duration::from_secs(60)) {
            assert_eq!((probe.seq, probe.text.len()), (iss + 1001, 1), "MUST-35");
            offer(&mut bench, iss, 1000, 0);
        }
    }
    assert_eq!(bench.state(socket), State::Established, "SHLD-17");
    let rest = offer(&mut bench, iss, 1000, 65_000);
    assert_eq!((rest[0].seq, text(&rest)), (iss + 1001, 2920));
}

#[test]
fn an_old_segment_does_not_set_the_window() {
    let (mut bench, _, iss) = Bench::established(config());
    bench.inject_window(Flags::ACK, 4, iss + 1, b"new", None, 7000);
    bench.inject_window(Flags::ACK, 1, iss + 1, b"old", None, 3);
    let row = bench
        .stack
        .netstat()
        .into_iter()
        .find(|row| row.remote.is_some())
        .unwrap();
    assert_eq!(row.receive_queue, 6);
    let sent = bench.wait(Duration::from_secs(1));
    assert!(sent.iter().all(|s| s.flags == Flags::ACK));
}

#[test]
fn the_right_edge_never_moves_left_nor_right_by_a_trifle() {
    let small = Config {
        receive_buffer: 2000,
        delayed_ack: Duration::ZERO,
        ..config()
    };
    let (mut bench, socket, iss) = Bench::established(small);
    let mut edge = peer_seq(2001);
    let mut read = [0; 10];
    for step in 0..300_u32 {
        let sent = bench.inject(Flags::ACK, 1 + i64::from(step) * 5, iss + 1, b"abcde");
        bench.stack.recv(bench.now, socket, &mut read[..3]).unwrap();
        for segment in sent.into_iter().chain(bench.drain()) {
            let shown = segment.ack + u32::from(segment.window);
            assert!(shown.at_or_after(edge), "SHLD-14");
            assert!(
                shown == edge || shown - edge >= 1000,
                "MUST-39: half the buffer"
            );
            edge = shown;
        }
    }
}

#[test]
fn reading_reopens_a_shut_window_by_itself() {
    let small = Config {
        receive_buffer: 1000,
        ..config()
    };
    let (mut bench, socket, iss) = Bench::established(small);
    let full = bench.inject(Flags::ACK, 1, iss + 1, &[1; 1000]);
    assert_eq!(full.last().map_or(0, |s| s.window), 0);
    assert_eq!(
        bench
            .wait(Duration::from_secs(1))
            .iter()
            .map(|s| s.window)
            .max()
            .unwrap_or(0),
        0
    );
    bench.stack.recv(bench.now, socket, &mut [0; 1000]).unwrap();
    let update = bench.drain();
    assert_eq!((update.len(), update[0].window), (1, 1000));
}

#[test]
fn behind_a_zero_window_acks_and_resets_still_count() {
    let small = Config {
        receive_buffer: 100,
        ..config()
    };
    let (mut bench, socket, iss) = Bench::established(small);
    bench.inject(Flags::ACK, 1, iss + 1, &[1; 100]);
    bench.wait(Duration::from_secs(1));
    send(&mut bench, socket, 50);
    let answer = bench.inject(Flags::ACK, 101, iss + 51, b"x");
    assert_eq!(
        (answer.len(), answer[0].window),
        (1, 0),
        "a probe is answered"
    );
    assert_eq!(
        bench.stack.status(socket).unwrap().vars.unwrap().snd_una,
        iss + 51,
        "§3.10.7.4"
    );
    bench.inject(Flags::RST, 101, SeqNumber(0), b"");
    assert_eq!(bench.state(socket), State::Closed, "MUST-66");
}

#[test]
fn two_zero_windows_do_not_lock_each_other() {
    let small = Config {
        receive_buffer: 100,
        ..config()
    };
    let (mut bench, socket, iss) = Bench::established(small);
    bench.inject(Flags::ACK, 1, iss + 1, &[1; 100]);
    offer_at(&mut bench, 101, iss, 0, 0);
    send(&mut bench, socket, 500);
    assert_eq!(text(&bench.wait(Duration::from_secs(2))), 1, "our probe");
    // The peer has probed too: its SND.NXT is one beyond what we took. Its window opens.
    let sent = offer_at(&mut bench, 102, iss, 0, 5000);
    assert_eq!(text(&sent), 500, "§A.2");
}

/// RFC 9293 §3.8.4, SHLD-12: a probe has no text and lies left of the window, shut or not.
#[test]
fn behind_a_zero_window_keepalive_probes_are_answered() {
    let small = Config {
        receive_buffer: 100,
        ..config()
    };
    let (mut bench, _, iss) = Bench::established(small);
    bench.inject(Flags::ACK, 1, iss + 1, &[1; 100]);
    bench.wait(Duration::from_secs(1));
    for _ in 0..3 {
        let answer = bench.inject(Flags::ACK, 100, iss + 1, b"");
        assert_eq!((answer.len(), answer[0].ack), (1, peer_seq(101)));
        bench.wait(Duration::from_secs(75));
    }
    // One right of it comes from whoever had a probe of one octet refused: no question.
    assert_eq!(bench.inject(Flags::ACK, 102, iss + 1, b""), []);
}

#[test]
fn a_peer_heard_beside_a_zero_window_is_alive() {
    let keepalive = Some(Keepalive {
        idle: Duration::from_secs(60),
        ..Keepalive::default()
    });
    let small = Config {
        receive_buffer: 100,
        keepalive,
        ..config()
    };
    let (mut bench, socket, iss) = Bench::established(small);
    bench.inject(Flags::ACK, 1, iss + 1, &[1; 100]);
    send(&mut bench, socket, 50);
    bench.wait(Duration::from_millis(900));
    // The peer has sent a probe that we refused: its ACK starts one octet right of our window.
    offer_at(&mut bench, 102, iss, 50, 5000);
    bench.wait(Duration::from_secs(59));
    offer_at(&mut bench, 102, iss, 50, 5001);
    assert_eq!(bench.wait(Duration::from_secs(59)), [], "MUST-26");
}

fn offer_at(bench: &mut Bench, offset: i64, iss: SeqNumber, octets: u32, window: u16) -> Vec<Sent> {
    bench.inject_window(Flags::ACK, offset, iss + 1 + octets, b"", None, window)
}
