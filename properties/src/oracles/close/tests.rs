//! Runs in which `close` must speak, and runs in which it must not.
//!
//! With the settings of the stage (RTO and probes at most 60 s, MSL 1 s, window 10,000) the
//! bound of (a) is 1 + 60 + 25 * 0.502 + 60 + 2 s = 135.55 s after the last close, and D is 160 s
//! for data, 220 s for probes and 240 s for the handshake.

use timewait_sim::{Duration, Instant};
use timewait_stack::config::{GiveUp, Keepalive};
use timewait_stack::event::{Call, Cause as Why, SackVars, Timer};
use timewait_stack::wire::Flags;
use timewait_stack::{Config, State};

use super::Close;
use crate::event::UserEvent;
use crate::facts::Circumstances;
use crate::label::Incarnation;
use crate::staging::{A, B, Stage, acked_all, circumstances, seg, took_fin, took_text};

fn healed() -> Circumstances {
    Circumstances {
        heal_at: Some(Instant::ZERO),
        ..circumstances()
    }
}

/// A stage whose network is whole and whose hosts are set up like this.
fn stage_with(set: impl Fn(&mut Config)) -> Stage {
    let mut circumstances = healed();
    circumstances.hosts.values_mut().for_each(set);
    Stage::under(circumstances, vec![Box::<Close>::default()])
}

fn stage() -> Stage {
    stage_with(|_| {})
}

/// A client on A and a server on B, connected.
fn connect(stage: &mut Stage) -> (Incarnation, Incarnation) {
    let listener = stage.listen(B);
    stage.handshake(listener, 100, 300)
}

fn seconds(stage: &mut Stage, seconds: u64) {
    stage.pass(Duration::from_secs(seconds));
}

/// The run is over, nothing was found, and this exemption was counted.
#[track_caller]
fn assert_exempt(stage: &mut Stage, name: &str) {
    stage.finish();
    stage.assert_silent();
    let notes = &stage.facts().coverage().notes;
    assert!(notes.contains_key(name), "{notes:?}");
}

/// The client's FIN is taken and acknowledged, the server's user closes too, its FIN is taken,
/// and the last ACK is returned: sent, not delivered.
fn up_to_the_last_ack(
    stage: &mut Stage,
    client: Incarnation,
    server: Incarnation,
) -> timewait_sim::Packet {
    let fin = stage.fin(client, State::FinWait1);
    stage.take(server, &fin, |v| {
        v.state = State::CloseWait;
        took_fin(v);
    });
    let ack = stage.send_ack(server);
    stage.take(client, &ack, |v| {
        v.state = State::FinWait2;
        acked_all(v);
    });
    let fin = stage.fin(server, State::LastAck);
    stage.take(client, &fin, |v| {
        v.state = State::TimeWait;
        took_fin(v);
    });
    stage.send_ack(client)
}

fn retransmitted_fin(stage: &mut Stage, server: Incarnation) -> timewait_sim::Packet {
    let (seq, ack) = (
        stage.vars(server).snd_nxt.back(1).0,
        stage.vars(server).rcv_nxt.0,
    );
    stage.timer(server, Timer::Retransmit, 1);
    stage.send(server, seg(Flags::FIN | Flags::ACK).seq(seq).ack(ack))
}

fn give_up(stage: &mut Stage, f: Incarnation) {
    stage.by_timer();
    stage.goes(f, State::Closed, Why::Timer(Timer::Retransmit));
}

#[test]
fn an_orderly_close_in_time_is_silent() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    stage.close_in_turn(client, server);
    seconds(&mut stage, 2);
    stage.goes(client, State::Closed, Why::Timer(Timer::TimeWait));
    seconds(&mut stage, 1000);
    stage.finish();
    stage.assert_silent();
    assert!(stage.facts().coverage().notes.is_empty());
}

#[test]
fn whoever_lives_past_the_bound_is_a_violation() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    up_to_the_last_ack(&mut stage, client, server);
    stage.goes(client, State::Closed, Why::Timer(Timer::TimeWait));
    seconds(&mut stage, 130);
    // Something is heard again and again, so (c) promises nothing.
    stage.by_timer();
    let rst = stage.send(client, seg(Flags::RST).seq(5));
    stage.ignore(server, &rst);
    seconds(&mut stage, 10);
    stage.finish();
    stage.assert_violation("still in LAST-ACK, both ends have closed");
}

#[test]
fn whoever_is_closed_after_the_bound_is_a_violation() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    stage.close_in_turn(client, server);
    seconds(&mut stage, 140);
    stage.goes(client, State::Closed, Why::Timer(Timer::TimeWait));
    stage.assert_violation("too late, both ends had closed");
}

#[test]
fn before_the_network_is_healed_nothing_is_promised() {
    let mut stage = Stage::new(vec![Box::<Close>::default()]);
    let (client, server) = connect(&mut stage);
    stage.close_in_turn(client, server);
    seconds(&mut stage, 100_000);
    assert_exempt(&mut stage, "close: never healed");
}

#[test]
fn a_run_that_ends_early_says_nothing() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    stage.close_in_turn(client, server);
    seconds(&mut stage, 100);
    assert_exempt(&mut stage, "close: the run ended before the bound");
}

#[test]
fn each_false_syn_that_reopens_time_wait_buys_time() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let syn = stage.send(server, seg(Flags::SYN).seq(1000));
    stage.close_in_turn(client, server);
    let new = stage.reopen(client, &syn, 5000);
    seconds(&mut stage, 200);
    stage.by_timer();
    stage.goes(new, State::TimeWait, Why::Timer(Timer::Retransmit));
    stage.goes(client, State::Closed, Why::Timer(Timer::TimeWait));
    stage.finish();
    stage.assert_silent();
}

#[test]
fn a_syn_that_nobody_answers_is_given_up() {
    let mut early = stage();
    early.connect(A, 100);
    seconds(&mut early, 239);
    assert_exempt(&mut early, "close: opening");
    let mut late = stage();
    late.connect(A, 100);
    seconds(&mut late, 241);
    late.finish();
    late.assert_violation("in SYN-SENT, not given up by 240.032");
}

#[test]
fn a_handshake_is_not_prolonged_by_what_does_not_complete_it() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let client = stage.connect(A, 100);
    let syn = stage.send(client, seg(Flags::SYN).seq(100));
    let server = stage.child(listener, &syn, 300);
    seconds(&mut stage, 200);
    stage.ignore(server, &syn);
    seconds(&mut stage, 41);
    stage.ignore(server, &syn);
    stage.assert_violation("in SYN-RECEIVED, not given up");
}

#[test]
fn a_peer_that_is_silent_is_given_up() {
    let mut stage = stage();
    let (client, _) = connect(&mut stage);
    stage.send_text(client, 10);
    seconds(&mut stage, 161);
    stage.finish();
    stage.assert_violation("something is outstanding, not given up");
}

#[test]
fn a_peer_that_is_heard_is_not() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    stage.send_text(client, 10);
    for _ in 0..4 {
        seconds(&mut stage, 100);
        let ack = stage.send_ack(server);
        stage.ignore(client, &ack);
    }
    assert_exempt(&mut stage, "close: open");
}

#[test]
fn infinite_r2_promises_nothing() {
    let mut stage = stage_with(|config| config.r2 = GiveUp::Never);
    let (client, _) = connect(&mut stage);
    stage.send_text(client, 10);
    seconds(&mut stage, 100_000);
    assert_exempt(&mut stage, "close: open");
}

#[test]
fn counted_retransmissions_bound_the_silence_exactly() {
    // With SACK a tail loss probe comes before the first RTO, and no later than it (RFC 8985 §7.2).
    for (sack, after, complaints) in [
        (None, 29, 0),
        (None, 31, 1),
        (Some(SackVars::default()), 31, 0),
        (Some(SackVars::default()), 33, 1),
    ] {
        let mut stage = stage_with(|config| config.r2 = GiveUp::Retransmissions(3));
        let (client, _) = connect(&mut stage);
        stage.vars(client).rto = Duration::from_secs(2);
        stage.vars(client).sack = sack;
        stage.send_text(client, 10);
        seconds(&mut stage, after);
        stage.finish();
        assert_eq!(
            stage.findings().len(),
            complaints,
            "2 + 4 + 8 + 16 s against {after} s"
        );
    }
}

#[test]
fn probes_that_nobody_answers_are_given_up() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let shut = stage.send(server, seg(Flags::ACK).seq(301).ack(101).window(0));
    stage.take(client, &shut, |v| {
        v.snd_wnd = 0;
        v.unsent = 10;
    });
    seconds(&mut stage, 221);
    stage.finish();
    stage.assert_violation("the window is shut");
}

#[test]
fn a_window_that_its_owner_keeps_shut_is_waited_for() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    stage.fin(client, State::FinWait1);
    stage.vars(client).unsent = 10;
    for _ in 0..10 {
        seconds(&mut stage, 60);
        let shut = stage.send(server, seg(Flags::ACK).seq(301).ack(101).window(0));
        stage.take(client, &shut, |v| v.snd_wnd = 0);
    }
    assert_exempt(&mut stage, "close: zero window");
}

#[test]
fn keepalive_finds_out_that_nobody_is_there() {
    let keepalive = Keepalive {
        idle: Duration::from_secs(100),
        interval: Duration::from_secs(10),
        probes: 3,
        garbage: false,
    };
    for (after, complaints) in [(129, 0), (131, 2)] {
        let mut stage = stage_with(|config| config.keepalive = Some(keepalive));
        connect(&mut stage);
        seconds(&mut stage, after);
        stage.finish();
        assert_eq!(stage.findings().len(), complaints, "{:?}", stage.findings());
    }
}

#[test]
fn an_idle_connection_may_live_for_ever() {
    let mut stage = stage();
    connect(&mut stage);
    seconds(&mut stage, 100_000);
    assert_exempt(&mut stage, "close: open");
}

/// The client has closed and its FIN is acknowledged: FIN-WAIT-2 and CLOSE-WAIT. Returns the
/// server's end, too.
fn half_closed() -> (Stage, Incarnation) {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let fin = stage.fin(client, State::FinWait1);
    stage.take(server, &fin, |v| {
        v.state = State::CloseWait;
        took_fin(v);
    });
    let ack = stage.send_ack(server);
    stage.take(client, &ack, |v| {
        v.state = State::FinWait2;
        acked_all(v);
    });
    (stage, server)
}

#[test]
fn a_half_close_may_live_for_ever() {
    let (mut stage, _) = half_closed();
    seconds(&mut stage, 100_000);
    stage.finish();
    stage.assert_silent();
    let notes = &stage.facts().coverage().notes;
    assert_eq!(
        (notes["close: FIN-WAIT-2"], notes["close: half-closed"]),
        (1, 1)
    );
}

/// The client closes and its FIN is acknowledged; then the server's user leaves as `to`.
fn left_in_fin_wait_2(to: State) -> Stage {
    let (mut stage, server) = half_closed();
    stage.by_user();
    let connection = server.connection;
    if to == State::Closed {
        stage.user(B, UserEvent::Aborted { connection });
        stage.goes(server, to, Why::User(Call::Abort));
    } else {
        stage.fin(server, to);
    }
    seconds(&mut stage, 100_000);
    stage
}

#[test]
fn a_lost_reset_may_leave_fin_wait_2_for_ever_and_a_lost_fin_may_not() {
    assert_exempt(&mut left_in_fin_wait_2(State::Closed), "close: FIN-WAIT-2");
    let mut stage = left_in_fin_wait_2(State::LastAck);
    stage.finish();
    stage.assert_violation("still in FIN-WAIT-2, both ends have closed");
}

#[test]
fn a_profile_ends_an_orphans_fin_wait_2() {
    let mut stage = stage_with(|config| config.fin_wait_2 = Some(Duration::from_secs(60)));
    let (client, server) = connect(&mut stage);
    stage.fin(client, State::FinWait1);
    let ack = stage.send(server, seg(Flags::ACK).seq(301).ack(102));
    stage.take(client, &ack, |v| {
        v.state = State::FinWait2;
        acked_all(v);
    });
    seconds(&mut stage, 61);
    stage.finish();
    stage.assert_violation("an orphan in FIN-WAIT-2, not given up");
}

#[test]
fn a_fin_that_a_reading_peer_does_not_take_is_a_violation() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    stage.fin(client, State::FinWait1);
    for _ in 0..2 {
        seconds(&mut stage, 100);
        let ack = stage.send_ack(server);
        stage.ignore(client, &ack);
    }
    stage.finish();
    stage.assert_violation("still in FIN-WAIT-1, and nothing excuses it");
}

#[test]
fn abort_is_at_once() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let (a, b) = (client.connection, server.connection);
    stage.by_user();
    stage.user(A, UserEvent::Aborted { connection: a });
    stage.goes(client, State::Closed, Why::User(Call::Abort));
    seconds(&mut stage, 1);
    stage.user(B, UserEvent::Aborted { connection: b });
    stage.assert_silent();
    seconds(&mut stage, 1);
    stage.goes(server, State::Closed, Why::User(Call::Abort));
    stage.assert_violation("h1#2: was to be CLOSED at once");
}

#[test]
fn an_abort_may_leave_a_time_wait_record() {
    let mut stage = stage();
    let (client, _) = connect(&mut stage);
    stage.by_user();
    stage.user(
        A,
        UserEvent::Aborted {
            connection: client.connection,
        },
    );
    stage.goes(client, State::TimeWait, Why::User(Call::Abort));
    seconds(&mut stage, 1);
    stage.finish();
    stage.assert_silent();
}

#[test]
fn a_close_in_syn_sent_or_listen_is_at_once() {
    for host in [A, B] {
        let mut stage = stage();
        let f = if host == A {
            stage.connect(A, 100)
        } else {
            stage.listen(B)
        };
        stage.by_user();
        stage.user(
            host,
            UserEvent::Closed {
                connection: f.connection,
                unread: 0,
            },
        );
        stage.finish();
        stage.assert_violation("was to be CLOSED at once");
    }
}

#[test]
fn a_fin_that_time_wait_does_not_acknowledge_is_no_excuse() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    up_to_the_last_ack(&mut stage, client, server);
    seconds(&mut stage, 1);
    let fin = retransmitted_fin(&mut stage, server);
    stage.ignore(client, &fin);
    seconds(&mut stage, 100);
    give_up(&mut stage, server);
    stage.assert_violation("was not acknowledged");
}

#[test]
fn an_acknowledged_fin_that_is_not_believed_is_no_excuse() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let last_ack = up_to_the_last_ack(&mut stage, client, server);
    stage.ignore(server, &last_ack);
    seconds(&mut stage, 100);
    give_up(&mut stage, server);
    stage.assert_violation("the acknowledgment of its FIN had arrived");
}

#[test]
fn last_acks_that_the_network_loses_are_an_excuse() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    up_to_the_last_ack(&mut stage, client, server);
    let fin = retransmitted_fin(&mut stage, server);
    stage.ignore(client, &fin);
    stage.send_ack(client);
    seconds(&mut stage, 2);
    stage.by_timer();
    stage.goes(client, State::Closed, Why::Timer(Timer::TimeWait));
    let fin = retransmitted_fin(&mut stage, server);
    stage.deliver(&fin);
    let rst = stage.echo(&fin, seg(Flags::RST).seq(102));
    stage.take(server, &rst, |v| v.state = State::Closed);
    assert_exempt(&mut stage, "close: E4");
}

#[test]
fn a_reset_by_a_peer_that_stays_is_no_excuse() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    up_to_the_last_ack(&mut stage, client, server);
    let rst = stage.send(client, seg(Flags::RST).seq(102));
    stage.take(server, &rst, |v| v.state = State::Closed);
    stage.assert_violation("its peer has not ended");
}

#[test]
fn whoever_did_not_read_everything_may_be_reset() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let text = stage.send_text(client, 10);
    stage.take(server, &text, |v| took_text(v, 10));
    up_to_the_last_ack(&mut stage, client, server);
    let rst = stage.send(client, seg(Flags::RST).seq(102));
    stage.take(server, &rst, |v| v.state = State::Closed);
    stage.assert_silent();
}

/// RFC 4987 §3.6: what overtakes the acknowledgment of a cookie meets a listener that knows nothing.
/// Later it would know.
#[test]
fn a_reset_from_before_the_cookie_came_excuses_the_listener() {
    for early in [true, false] {
        let mut stage = stage();
        let listener = stage.listen(B);
        let (client, ack) = stage.cookie(listener, 100, 300);
        let fin = stage.fin(client, State::FinWait1);
        stage.deliver(&fin);
        stage.judged(listener, |_| {});
        let mut rst = stage.echo(&fin, seg(Flags::RST).seq(301));
        stage.pass_ms(1);
        let server = stage.by_cookie(listener, &ack);
        stage.pass_ms(1);
        if !early {
            stage.deliver(&fin);
            rst = stage.echo(&fin, seg(Flags::RST).seq(301));
        }
        stage.take(server, &fin, |v| {
            v.state = State::CloseWait;
            took_fin(v);
        });
        stage.fin(server, State::LastAck);
        stage.take(client, &rst, |v| v.state = State::Closed);
        match early {
            true => assert_exempt(&mut stage, "close: reset before its cookie came"),
            false => stage.assert_violation("its peer has not ended"),
        }
    }
}
