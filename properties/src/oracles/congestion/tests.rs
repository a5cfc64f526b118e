mod sack;

use super::Congestion;
use crate::label::Incarnation;
use crate::scenario::{Read, Scenario};
use crate::staging::directed::{transfer, violation_of};
use crate::staging::{A, B, Seg, Stage, WINDOW, circumstances, established, seg};
use timewait_stack::event::{CaState, SegmentArrival, Timer, Verdict};
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Event, Protection, SeqNumber, Vars};

const SMSS: u32 = 100;
/// Of RFC 5681 for segments of this size.
const INITIAL: u32 = 4 * SMSS;

/// A client whose ISS is 1000; the handshake ends with this cwnd.
fn connected_with(cwnd: u32, syn_lost: bool) -> (Stage, Incarnation, Incarnation) {
    connected_by(|_| (), cwnd, syn_lost)
}

/// As [`connected_with`], and the hosts have these settings.
fn connected_by(
    set: impl FnMut(&mut Config),
    cwnd: u32,
    syn_lost: bool,
) -> (Stage, Incarnation, Incarnation) {
    let mut around = circumstances();
    around.hosts.values_mut().for_each(set);
    let stage = Stage::under(around, vec![Box::<Congestion>::default()]);
    handshake(stage, [Flags::empty(); 2], cwnd, syn_lost)
}

/// The SYN and the SYN-ACK with these flags beside their own.
fn handshake(
    mut stage: Stage,
    setup: [Flags; 2],
    cwnd: u32,
    syn_lost: bool,
) -> (Stage, Incarnation, Incarnation) {
    let listener = stage.listen(B);
    let client = stage.connect(A, 1000);
    let syn = seg(Flags::SYN | setup[0]).seq(1000);
    let mut sent = stage.send(client, syn.clone());
    if syn_lost {
        stage.timer(client, Timer::Retransmit, 1);
        sent = stage.send(client, syn);
    }
    let server = stage.child(listener, &sent, 5000);
    let syn_ack = seg(Flags::SYN | Flags::ACK | setup[1]).seq(5000).ack(1001);
    let syn_ack = stage.send(server, syn_ack);
    stage.pass_ms(1);
    stage.take(client, &syn_ack, |v| {
        established(v, 1001, 5000);
        v.smss = SMSS as u16;
        v.rto = core::time::Duration::from_secs(1);
        (v.cwnd, v.ssthresh) = (cwnd, 1 << 30);
    });
    (stage, client, server)
}

fn connected() -> (Stage, Incarnation, Incarnation) {
    let it = connected_with(INITIAL, false);
    it.0.assert_silent();
    it
}

/// Segment number `n` of the client's stream, from 0.
fn text(n: u32) -> Seg {
    let seq = 1001 + n * SMSS;
    seg(Flags::ACK)
        .seq(seq)
        .ack(5001)
        .text(vec![0; SMSS as usize])
}

/// The client sends segments `from..to`.
fn sends(stage: &mut Stage, client: Incarnation, from: u32, to: u32) {
    for n in from..to {
        stage.send(client, text(n));
        let v = stage.vars(client);
        v.snd_nxt = v.snd_nxt.max(SeqNumber(1001 + (n + 1) * SMSS));
    }
    stage.snapshot(client);
}

/// The server acknowledges the first `n` segments; `change` is what follows.
fn acked(
    stage: &mut Stage,
    ends: (Incarnation, Incarnation),
    n: u32,
    change: impl FnOnce(&mut Vars),
) {
    acked_by(seg(Flags::ACK), stage, ends, n, change);
}

/// As [`acked`], by a segment with these options.
fn acked_with(
    options: &[u8],
    stage: &mut Stage,
    ends: (Incarnation, Incarnation),
    n: u32,
    change: impl FnOnce(&mut Vars),
) {
    acked_by(seg(Flags::ACK).options(options), stage, ends, n, change);
}

fn acked_by(
    segment: Seg,
    stage: &mut Stage,
    ends: (Incarnation, Incarnation),
    n: u32,
    change: impl FnOnce(&mut Vars),
) {
    let ack = SeqNumber(1001 + n * SMSS);
    let sent = stage.send(ends.1, segment.seq(5001).ack(ack.0));
    stage.pass_ms(1);
    stage.deliver(&sent);
    let before = stage.vars(ends.0).clone();
    let mut after = before.clone();
    after.snd_una = ack;
    change(&mut after);
    *stage.vars(ends.0) = after.clone();
    let arrival = SegmentArrival {
        connection: Some(ends.0.connection),
        verdict: Verdict::Accepted,
        before,
        after,
    };
    stage.event(A, Event::Segment(Box::new(arrival)));
}

#[track_caller]
fn assert_fine(stage: &Stage, fine: bool) {
    assert_eq!(stage.findings().is_empty(), fine, "{:?}", stage.findings());
}

#[test]
fn r5681_01_the_initial_window_is_that_of_the_profile_or_one_segment() {
    for (syn_lost, most) in [(false, INITIAL), (true, SMSS)] {
        for (cwnd, fine) in [(most, true), (most + 1, false)] {
            assert_fine(&connected_with(cwnd, syn_lost).0, fine);
        }
    }
}

#[test]
fn r5681_02_slow_start_grows_by_one_segment_for_each_ack() {
    for (growth, fine) in [(SMSS, true), (SMSS + 1, false)] {
        let (mut stage, client, server) = connected();
        sends(&mut stage, client, 0, 4);
        acked(&mut stage, (client, server), 2, |v| v.cwnd += growth);
        assert_fine(&stage, fine);
    }
}

/// Both agreed on ECN, cwnd is so many segments, and that many are out. The first is acknowledged,
/// and congestion reported; `grown` is how cwnd changes.
fn reported(cwnd: u32, grown: u32) -> (Stage, Incarnation) {
    let stage = Stage::new(vec![Box::<Congestion>::default()]);
    let setup = [Flags::ECE | Flags::CWR, Flags::ECE];
    let (mut stage, client, server) = handshake(stage, setup, cwnd * SMSS, cwnd == 1);
    sends(&mut stage, client, 0, cwnd);
    stage.assert_silent();
    let echo = seg(Flags::ACK | Flags::ECE);
    acked_by(echo, &mut stage, (client, server), 1, |v| {
        v.cwnd = v.cwnd.min(2 * SMSS) + grown;
        v.ssthresh = 2 * SMSS;
    });
    (stage, client)
}

#[test]
fn r3168_11_with_a_window_of_one_segment_a_report_holds_back_what_is_new_for_an_rto() {
    for (ms, fine) in [(999, false), (1000, true)] {
        let (mut stage, client) = reported(1, 0);
        stage.assert_silent();
        stage.pass_ms(ms);
        sends(&mut stage, client, 1, 2);
        assert_fine(&stage, fine);
    }
    let (mut stage, client) = reported(3, 0);
    sends(&mut stage, client, 3, 4);
    stage.assert_violation("in flight, cwnd is 200");
}

#[test]
fn r3168_12_a_report_makes_nothing_grow() {
    assert_fine(&reported(1, 0).0, true);
    assert_fine(&reported(1, 1).0, false);
    assert_fine(&reported(3, 1).0, false);
}

#[test]
fn r5681_04_congestion_avoidance_grows_by_one_segment_for_each_window() {
    for (acks, fine) in [(4, true), (3, false)] {
        let (mut stage, client, server) = connected();
        stage.vars(client).ssthresh = INITIAL;
        sends(&mut stage, client, 0, 4);
        for n in 1..acks {
            acked(&mut stage, (client, server), n, |_| {});
        }
        acked(&mut stage, (client, server), acks, |v| v.cwnd += SMSS);
        assert_fine(&stage, fine);
    }
}

#[test]
fn nothing_but_an_ack_of_new_octets_makes_cwnd_grow() {
    let (mut stage, client, server) = connected();
    sends(&mut stage, client, 0, 4);
    acked(&mut stage, (client, server), 0, |v| v.cwnd += 1);
    stage.assert_violation("cwnd is 401");
    let (mut stage, client, _) = connected();
    stage.vars(client).cwnd += 1;
    stage.snapshot(client);
    stage.assert_violation("cwnd is 401");
}

#[test]
fn no_more_than_cwnd_is_in_flight() {
    let (mut stage, client, _) = connected();
    sends(&mut stage, client, 0, 4);
    stage.assert_silent();
    sends(&mut stage, client, 4, 5);
    stage.assert_violation("500 octets in flight");
}

#[test]
fn r5681_08_two_duplicates_release_a_segment_each() {
    let (mut stage, client, server) = connected();
    sends(&mut stage, client, 0, 4);
    for n in 4..6 {
        acked(&mut stage, (client, server), 0, |_| {});
        sends(&mut stage, client, n, n + 1);
    }
    stage.assert_silent();
    sends(&mut stage, client, 6, 7);
    stage.assert_violation("700 octets in flight");
}

#[test]
fn a_fin_and_a_probe_need_no_cwnd() {
    let (mut stage, client, _) = connected();
    sends(&mut stage, client, 0, 4);
    stage.send(client, seg(Flags::FIN | Flags::ACK).seq(1401).ack(5001));
    stage.assert_silent();
    let (mut stage, client, _) = connected();
    sends(&mut stage, client, 0, 4);
    stage.timer(client, Timer::Persist, 1);
    stage.send(client, seg(Flags::ACK).seq(1401).text(vec![0]));
    stage.assert_silent();
}

#[test]
fn r5681_05_r5681_06_a_timeout_leaves_one_segment_and_half_of_the_flight() {
    let cases = [
        (SMSS, 300, true),
        (SMSS + 1, 300, false),
        (SMSS, 301, false),
    ];
    for (cwnd, ssthresh, fine) in cases {
        let (mut stage, client, server) = connected();
        sends(&mut stage, client, 0, 4);
        acked(&mut stage, (client, server), 1, |v| v.cwnd += SMSS);
        acked(&mut stage, (client, server), 2, |v| v.cwnd += SMSS);
        sends(&mut stage, client, 4, 8);
        stage.timer(client, Timer::Retransmit, 1);
        let v = stage.vars(client);
        (v.cwnd, v.ssthresh) = (cwnd, ssthresh);
        sends(&mut stage, client, 2, 3);
        assert_fine(&stage, fine);
    }
}

#[test]
fn after_a_timeout_no_more_than_cwnd_goes_again() {
    let (mut stage, client, _) = connected();
    sends(&mut stage, client, 0, 4);
    stage.timer(client, Timer::Retransmit, 1);
    let v = stage.vars(client);
    (v.cwnd, v.ssthresh) = (SMSS, 2 * SMSS);
    sends(&mut stage, client, 0, 1);
    stage.assert_silent();
    sends(&mut stage, client, 1, 2);
    stage.assert_violation("beyond cwnd");
}

/// Four segments are out, the timer expires, the first goes again and is acknowledged; `new`
/// segments follow.
fn probing(new: u32) -> (Stage, Incarnation, Incarnation) {
    timed_out_and_acked(connected(), new)
}

fn timed_out_and_acked(
    ends: (Stage, Incarnation, Incarnation),
    new: u32,
) -> (Stage, Incarnation, Incarnation) {
    let (mut stage, client, server) = ends;
    sends(&mut stage, client, 0, 4);
    stage.timer(client, Timer::Retransmit, 1);
    let v = stage.vars(client);
    (v.cwnd, v.ssthresh, v.ca_state) = (SMSS, 2 * SMSS, CaState::Loss);
    sends(&mut stage, client, 0, 1);
    acked(&mut stage, (client, server), 1, |v| v.cwnd = 2 * SMSS);
    sends(&mut stage, client, 4, 4 + new);
    (stage, client, server)
}

fn undo(v: &mut Vars) {
    (v.cwnd, v.ssthresh, v.ca_state) = (INITIAL, 1 << 30, CaState::Open);
}

#[test]
fn a_timeout_that_f_rto_finds_spurious_may_be_undone() {
    let (mut stage, client, server) = probing(2);
    acked(&mut stage, (client, server), 2, undo);
    stage.assert_silent();
    sends(&mut stage, client, 2, 3);
    stage.assert_violation("without a timeout");
}

#[test]
fn a_host_without_f_rto_undoes_no_timeout() {
    let without = connected_by(|config| config.frto = false, INITIAL, false);
    let (mut stage, client, server) = timed_out_and_acked(without, 0);
    acked(&mut stage, (client, server), 2, undo);
    stage.assert_violation("cwnd is 400, at most 250");
}

/// RFC 5682 §2.1 steps 2a and 3a.
#[test]
fn a_timeout_is_not_undone_without_two_acks_that_advance() {
    for acks in [[1, 1], [0, 2], [4, 4]] {
        let (mut stage, client, server) = connected();
        sends(&mut stage, client, 0, 4);
        stage.timer(client, Timer::Retransmit, 1);
        let v = stage.vars(client);
        (v.cwnd, v.ssthresh, v.ca_state) = (SMSS, 2 * SMSS, CaState::Loss);
        sends(&mut stage, client, 0, 1);
        acked(&mut stage, (client, server), acks[0], |_| {});
        stage.assert_silent();
        acked(&mut stage, (client, server), acks[1], undo);
        stage.assert_violation("at most");
    }
}

#[test]
fn two_new_segments_ask_whether_a_timeout_was_spurious_and_no_more() {
    probing(2).0.assert_silent();
    probing(3).0.assert_violation("300 octets in flight");
}

/// Six segments are out when three duplicates come; `cwnd` and `ssthresh` follow.
fn third_duplicate(cwnd: u32, ssthresh: u32) -> (Stage, Incarnation, Incarnation) {
    let (mut stage, client, server) = connected();
    sends(&mut stage, client, 0, 4);
    acked(&mut stage, (client, server), 1, |v| v.cwnd += SMSS);
    acked(&mut stage, (client, server), 2, |v| v.cwnd += SMSS);
    sends(&mut stage, client, 4, 8);
    for _ in 0..2 {
        acked(&mut stage, (client, server), 2, |_| {});
    }
    acked(&mut stage, (client, server), 2, |v| {
        (v.recovering, v.cwnd, v.ssthresh) = (true, cwnd, ssthresh);
    });
    (stage, client, server)
}

#[test]
fn r5681_07_r5681_09_the_third_duplicate_halves_and_one_segment_goes_again() {
    let cases = [(600, 300, true), (601, 300, false), (600, 301, false)];
    for (cwnd, ssthresh, fine) in cases {
        let (mut stage, client, _) = third_duplicate(cwnd, ssthresh);
        sends(&mut stage, client, 2, 3);
        assert_fine(&stage, fine);
    }
    let (mut stage, client, _) = third_duplicate(600, 300);
    sends(&mut stage, client, 2, 4);
    stage.assert_violation("more than the first segment");
}

#[test]
fn r5681_10_recovery_inflates_deflates_and_ends_at_ssthresh() {
    for (end, fine) in [(300, true), (301, false)] {
        let (mut stage, client, server) = third_duplicate(600, 300);
        sends(&mut stage, client, 2, 3);
        acked(&mut stage, (client, server), 2, |v| v.cwnd = 700);
        acked(&mut stage, (client, server), 5, |v| v.cwnd = 500);
        sends(&mut stage, client, 5, 6);
        stage.assert_silent();
        acked(&mut stage, (client, server), 8, |v| {
            (v.recovering, v.cwnd) = (false, end);
        });
        assert_fine(&stage, fine);
    }
}

#[test]
fn a_partial_ack_deflates() {
    let (mut stage, client, server) = third_duplicate(600, 300);
    sends(&mut stage, client, 2, 3);
    acked(&mut stage, (client, server), 5, |v| v.cwnd = 401);
    stage.assert_violation("cwnd is 401, at most 400");
}

#[test]
fn octets_go_again_for_a_reason_only() {
    let (mut stage, client, server) = connected();
    sends(&mut stage, client, 0, 4);
    acked(&mut stage, (client, server), 0, |v| v.snd_wnd = 0);
    acked(&mut stage, (client, server), 0, |v| v.snd_wnd = WINDOW);
    sends(&mut stage, client, 0, 2);
    stage.assert_silent();
    let (mut stage, client, _) = connected();
    sends(&mut stage, client, 0, 4);
    sends(&mut stage, client, 0, 1);
    stage.assert_violation("without a timeout");
}

#[test]
fn r5681_11_after_idleness_it_restarts_from_the_initial_window() {
    for (pause, fine) in [(900, true), (1001, false)] {
        let (mut stage, client, server) = connected();
        sends(&mut stage, client, 0, 4);
        acked(&mut stage, (client, server), 4, |v| v.cwnd += SMSS);
        stage.pass_ms(pause);
        // Acknowledgments are no data (RFC 5681 §4.1).
        stage.send_ack(client);
        for n in 4..9 {
            stage.send(client, text(n));
        }
        assert_fine(&stage, fine);
    }
}

/// 42 and 43: a link of 1 MB/s and 10 ms, whose queue is less than what it holds.
fn narrow() -> Scenario {
    let mut scenario = transfer(400_000, Read::Eager);
    scenario.links[1].rate = Some(1 << 20);
    scenario.links[1].queue_bytes_max = 12_000;
    scenario
}

#[test]
fn without_slow_start_or_response_to_loss_it_is_noticed() {
    assert_eq!(violation_of("congestion", &narrow()), None);
    for protection in [Protection::SlowStart, Protection::LossResponse] {
        let found = violation_of("congestion", &narrow().without(protection));
        assert!(found.is_some(), "{protection}");
    }
}
