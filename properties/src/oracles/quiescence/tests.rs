//! Runs in which `quiescence` must speak, and runs in which it must not.
//!
//! With the settings of the stage, G + 2MSL is 1 + 60 + 25 * 0.502 + 2 = 75.55 s.

use timewait_sim::{Duration, Instant};
use timewait_stack::event::{Call, Cause as Why, Timer};
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, State};

use super::Quiescence;
use crate::event::UserEvent;
use crate::facts::Circumstances;
use crate::label::Incarnation;
use crate::staging::{A, B, Stage, circumstances, seg, took_text};

fn connected() -> (Stage, Incarnation, Incarnation) {
    let circumstances = Circumstances {
        heal_at: Some(Instant::ZERO),
        ..circumstances()
    };
    let mut stage = Stage::under(circumstances, vec![Box::<Quiescence>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    (stage, client, server)
}

/// Each answers the other's acknowledgment by one of its own, which takes `ms` to get there.
fn ack_war(stage: &mut Stage, client: Incarnation, server: Incarnation, replies: u32, ms: u64) {
    stage.by_timer();
    let mut ack = stage.send_ack(client);
    for reply in 0..replies {
        stage.pass_ms(ms);
        let to = if reply % 2 == 0 { server } else { client };
        stage.ignore(to, &ack);
        ack = stage.send_ack(to);
    }
}

#[test]
fn a_loop_of_replies_that_nobody_accepts_is_a_violation() {
    let (mut stage, client, server) = connected();
    ack_war(&mut stage, client, server, 8, 1);
    let long_enough = stage.findings();
    assert!(
        !long_enough.iter().any(|found| found.contains("a chain")),
        "{long_enough:?}"
    );
    ack_war(&mut stage, client, server, 9, 1);
    assert!(
        stage
            .findings()
            .iter()
            .any(|found| found.contains("a chain of 9 replies"))
    );
}

/// RFC 5961 §7 lets each of them answer once in half a second.
#[test]
fn replies_that_the_network_keeps_for_so_long_are_no_loop() {
    for (ms, loops) in [(499, true), (500, false)] {
        let (mut stage, client, server) = connected();
        ack_war(&mut stage, client, server, 9, ms);
        let found = stage.findings();
        let chains = found.iter().any(|found| found.contains("a chain of 9"));
        assert_eq!(chains, loops, "{found:?}");
    }
}

/// An old acknowledgment of a cookie has made one that the client, in TIME-WAIT, knows nothing of.
#[test]
fn a_loop_with_one_that_an_old_segment_made_is_a_hazard() {
    let mut stage = Stage::new(vec![Box::<Quiescence>::default()]);
    let listener = stage.listen(B);
    let (client, ack) = stage.cookie(listener, 1000, 5000);
    let server = stage.by_cookie(listener, &ack);
    stage.close_in_turn(client, server);
    let ghost = stage.by_cookie(listener, &ack);
    ack_war(&mut stage, client, ghost, 9, 1);
    stage.assert_hazard("after an old duplicate");
}

/// RFC 3042: the first two duplicate ACKs release new octets and change only a count. If the
/// octets draw further duplicates, the chain goes on, but not for ever: they are new each time.
#[test]
fn duplicate_acks_that_release_new_octets_are_no_loop() {
    let (mut stage, client, server) = connected();
    stage.by_timer();
    let mut ack = stage.send_ack(server);
    for n in 0..6 {
        stage.pass_ms(1);
        stage.ignore(client, &ack);
        let seq = stage.vars(client).snd_nxt.0 + n * 10;
        let text = stage.send(client, seg(Flags::ACK).seq(seq).text(vec![0; 10]));
        stage.pass_ms(1);
        stage.ignore(server, &text);
        ack = stage.send_ack(server);
    }
    stage.assert_silent();
}

#[test]
fn a_cycle_of_states_is_a_violation_though_each_reply_is_accepted() {
    let (mut stage, client, server) = connected();
    stage.by_timer();
    let mut ack = stage.send_ack(client);
    for round in 0..16 {
        stage.pass_ms(1);
        let to = if round % 2 == 0 { server } else { client };
        // The window swings to and fro.
        stage.take(to, &ack, |v| v.snd_wnd = 3000 - v.snd_wnd % 3000 + 1000);
        let window = stage.vars(to).snd_wnd;
        assert!(window > 0);
        ack = stage.send_ack(to);
    }
    stage.assert_violation("both ends are in one state for the 3th time");
}

#[test]
fn equal_answers_to_copies_of_one_datagram_are_silent() {
    let (mut stage, client, server) = connected();
    let old = stage.send_ack(client);
    for _ in 0..50 {
        stage.pass_ms(1);
        stage.ignore(server, &old);
        let answer = stage.send_ack(server);
        stage.ignore(client, &answer);
    }
    stage.assert_silent();
}

#[test]
fn a_transfer_that_goes_on_is_silent() {
    let (mut stage, client, server) = connected();
    stage.by_timer();
    let mut packet = stage.send_ack(client);
    for round in 0..100 {
        stage.pass_ms(1);
        let to = if round % 2 == 0 { server } else { client };
        stage.take(to, &packet, |v| took_text(v, 1));
        stage.vars(to).snd_nxt += 1;
        packet = stage.send_ack(to);
    }
    stage.assert_silent();
}

#[test]
fn a_timer_in_between_makes_it_no_cycle() {
    let (mut stage, client, server) = connected();
    for count in 1..50 {
        // A SYN repeated by its timer, the challenge ACK, the RST against TIME-WAIT.
        stage.timer(client, Timer::Retransmit, count);
        let syn = stage.send(client, seg(Flags::SYN).seq(100));
        stage.ignore(server, &syn);
        let ack = stage.send_ack(server);
        stage.ignore(client, &ack);
        let rst = stage.echo(&ack, seg(Flags::RST).seq(301));
        stage.ignore(server, &rst);
    }
    stage.assert_silent();
}

#[test]
fn an_ack_war_after_an_old_duplicate_is_a_hazard() {
    let (mut stage, client, server) = connected();
    let old = stage.send_ack(client);
    for f in [client, server] {
        stage.by_user();
        stage.goes(f, State::Closed, Why::User(Call::Abort));
    }
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 5000, 6000);
    stage.take(server, &old, |v| v.snd_wl1 = SeqNumber(101));
    ack_war(&mut stage, client, server, 10, 1);
    stage.assert_hazard("after an old duplicate");
}

#[test]
fn idle_ends_that_talk_are_a_violation() {
    for (after, complaints) in [(75, 0), (76, 1)] {
        let (mut stage, client, _) = connected();
        stage.pass(Duration::from_secs(after));
        stage.by_timer();
        stage.send_ack(client);
        assert_eq!(stage.findings().len(), complaints, "after {after} s");
    }
}

#[test]
fn keepalive_and_its_answer_may_break_the_silence() {
    let (mut stage, client, server) = connected();
    for count in 1..5 {
        stage.pass(Duration::from_secs(7200));
        stage.timer(client, Timer::Keepalive, count);
        let probe = stage.send(client, seg(Flags::ACK).seq(100).ack(301));
        stage.ignore(server, &probe);
        let answer = stage.send_ack(server);
        stage.ignore(client, &answer);
    }
    stage.assert_silent();
}

#[test]
fn a_timer_that_is_not_keepalives_may_not() {
    let (mut stage, client, _) = connected();
    stage.pass(Duration::from_secs(7200));
    stage.timer(client, Timer::Keepalive, 1);
    stage.send(client, seg(Flags::ACK).seq(100).ack(301));
    stage.pass(Duration::from_secs(7200));
    stage.timer(client, Timer::Override, 1);
    stage.send_ack(client);
    stage.assert_violation("long been idle");
}

#[test]
fn users_and_unfinished_business_are_not_idle() {
    let (mut stage, client, server) = connected();
    stage.send_text(client, 10);
    for count in 1..5 {
        stage.pass(Duration::from_secs(60));
        stage.timer(client, Timer::Retransmit, count);
        stage.send_ack(client);
    }
    stage.pass(Duration::from_secs(1000));
    stage.by_user();
    let connection = server.connection;
    stage.user(
        B,
        UserEvent::Shutdown {
            connection,
            read: true,
            write: false,
        },
    );
    stage.send_ack(server);
    stage.assert_silent();
}

#[test]
fn a_new_connection_between_two_ends_long_silent_is_silent() {
    let (mut stage, client, server) = connected();
    stage.close_in_turn(client, server);
    stage.by_timer();
    stage.goes(client, State::Closed, Why::Timer(Timer::TimeWait));
    stage.pass(Duration::from_secs(1000));
    let listener = stage.listen(B);
    stage.handshake(listener, 5000, 6000);
    stage.pass(Duration::from_secs(1000));
    stage.connect(A, 7000);
    stage.assert_silent();
}

#[test]
fn nothing_is_promised_before_healing() {
    let mut stage = Stage::new(vec![Box::<Quiescence>::default()]);
    let listener = stage.listen(B);
    let (client, _) = stage.handshake(listener, 100, 300);
    stage.pass(Duration::from_secs(100_000));
    stage.by_timer();
    stage.send_ack(client);
    stage.assert_silent();
}
