use super::Transitions;
use crate::event::UserEvent;
use crate::label::Incarnation;
use crate::staging::{A, B, Stage, acked_all, circumstances, established, seg, took_fin};
use timewait_stack::config::SynCookies;
use timewait_stack::event::{Call, Cause, Timer};
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, State};

fn connected() -> (Stage, Incarnation, Incarnation) {
    let mut stage = Stage::new(vec![Box::<Transitions>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 1000, 5000);
    (stage, client, server)
}

/// A child in SYN-RECEIVED, and the client that made it.
fn half_open() -> (Stage, Incarnation, Incarnation) {
    let mut stage = Stage::new(vec![Box::<Transitions>::default()]);
    let listener = stage.listen(B);
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    let child = stage.child(listener, &syn, 5000);
    (stage, client, child)
}

/// The server closed first, and the client's next SYN has reopened its TIME-WAIT.
fn reopened() -> (Stage, Incarnation, Incarnation) {
    let (mut stage, client, server) = connected();
    stage.close_in_turn(server, client);
    let next = stage.connect(A, 2000);
    let syn = stage.send(next, seg(Flags::SYN).seq(2000));
    let new = stage.reopen(server, &syn, 6000);
    (stage, next, new)
}

#[test]
fn orderly_closes_from_either_side_are_silent() {
    let (mut stage, client, server) = connected();
    stage.close_in_turn(client, server);
    stage.by_timer();
    stage.goes(client, State::Closed, Cause::Timer(Timer::TimeWait));
    stage.assert_silent();
    let (mut stage, client, server) = connected();
    stage.close_in_turn(server, client);
    stage.assert_silent();
}

#[test]
fn a_simultaneous_close_is_silent() {
    let (mut stage, client, server) = connected();
    let (from_client, from_server) = (
        stage.fin(client, State::FinWait1),
        stage.fin(server, State::FinWait1),
    );
    for (f, fin) in [(client, &from_server), (server, &from_client)] {
        stage.take(f, fin, |v| {
            v.state = State::Closing;
            took_fin(v);
        });
    }
    for (f, g) in [(client, server), (server, client)] {
        let ack = stage.send_ack(g);
        stage.take(f, &ack, |v| {
            v.state = State::TimeWait;
            acked_all(v);
        });
    }
    stage.assert_silent();
}

#[test]
fn a_step_that_figure_5_does_not_have_is_a_violation() {
    for (to, cause) in [
        (State::FinWait2, Cause::User(Call::Close)),
        (State::LastAck, Cause::User(Call::Close)),
        (State::CloseWait, Cause::User(Call::Close)),
        (State::SynSent, Cause::User(Call::Connect)),
        (State::Closed, Cause::Timer(Timer::DelayedAck)),
    ] {
        let (mut stage, client, _) = connected();
        stage.by_user();
        stage.goes(client, to, cause);
        stage.assert_violation("figure 5");
    }
}

#[test]
fn a_step_must_start_where_the_last_one_ended() {
    let (mut stage, client, _) = connected();
    stage.transition(client, State::FinWait1, State::FinWait2, Cause::Segment);
    stage.assert_violation("it was in ESTABLISHED");
}

#[test]
fn nothing_happens_after_closed() {
    let (mut stage, client, _) = connected();
    stage.by_user();
    stage.goes(client, State::Closed, Cause::User(Call::Abort));
    stage.assert_silent();
    stage.goes(client, State::SynSent, Cause::User(Call::Connect));
    stage.assert_violation("it had ended");
}

#[test]
fn listen_is_never_consumed() {
    let mut stage = Stage::new(vec![Box::<Transitions>::default()]);
    let listener = stage.listen(B);
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    stage.deliver(&syn);
    stage.goes(listener, State::SynReceived, Cause::Segment);
    stage.assert_violation("a listener stays");
}

#[test]
fn established_without_a_rst_is_not_closed_by_a_segment() {
    let (mut stage, client, server) = connected();
    let ack = stage.send_ack(client);
    stage.take(server, &ack, |v| v.state = State::Closed);
    stage.assert_violation("that takes a RST");
    let (mut stage, client, server) = connected();
    let reset = stage.send(client, seg(Flags::RST).seq(1001));
    stage.take(server, &reset, |v| v.state = State::Closed);
    stage.assert_silent();
}

#[test]
fn time_wait_is_not_skipped() {
    let (mut stage, client, server) = connected();
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
    stage.take(client, &fin, |v| v.state = State::Closed);
    stage.assert_violation("that takes a RST");
}

#[test]
fn a_rst_does_not_end_time_wait() {
    let (mut stage, client, server) = connected();
    stage.close_in_turn(client, server);
    let reset = stage.send(server, seg(Flags::RST).seq(5002));
    stage.take(client, &reset, |v| v.state = State::Closed);
    stage.assert_violation("figure 5");
}

#[test]
fn only_the_ack_of_the_fin_leads_to_fin_wait_2() {
    let (mut stage, client, server) = connected();
    stage.fin(client, State::FinWait1);
    let early = stage.send(server, seg(Flags::ACK).seq(5001).ack(1001));
    stage.take(client, &early, |v| v.state = State::FinWait2);
    stage.assert_violation("an ACK of the FIN");
}

/// A close in SYN-RECEIVED: the ACK of ISS+1 is not that of the FIN.
#[test]
fn the_ack_of_the_syn_is_not_that_of_the_fin() {
    let (mut stage, client, child) = half_open();
    stage.fin(child, State::FinWait1);
    let ack = stage.send(client, seg(Flags::ACK).seq(1001).ack(5001));
    stage.take(child, &ack, |v| v.snd_una = SeqNumber(5001));
    stage.assert_silent();
    stage.take(child, &ack, |v| v.state = State::FinWait2);
    stage.assert_violation("an ACK of the FIN");
}

#[test]
fn a_passive_half_open_connection_returns_to_listen() {
    let (mut stage, client, child) = half_open();
    let reset = stage.send(client, seg(Flags::RST).seq(1001));
    stage.take(child, &reset, |v| v.state = State::Listen);
    stage.assert_silent();
    let (mut stage, client, child) = half_open();
    let ack = stage.send(client, seg(Flags::ACK).seq(1001).ack(5001));
    stage.take(child, &ack, |v| v.state = State::Listen);
    stage.assert_violation("a RST or a SYN");
}

#[test]
fn an_active_half_open_connection_does_not_return_to_listen() {
    let mut stage = Stage::new(vec![Box::<Transitions>::default()]);
    let (a, b) = (stage.connect(A, 100), stage.connect(B, 300));
    let syn = stage.send(b, seg(Flags::SYN).seq(300));
    stage.take(a, &syn, |v| {
        v.state = State::SynReceived;
        v.irs = SeqNumber(300);
        v.rcv_nxt = SeqNumber(301);
    });
    let reset = stage.send(b, seg(Flags::RST).seq(301));
    stage.take(a, &reset, |v| v.state = State::Listen);
    stage.assert_violation("passive open");
}

#[test]
fn what_was_reopened_is_proved_or_returns_to_time_wait() {
    let (mut stage, next, new) = reopened();
    let ack = stage.send(next, seg(Flags::ACK).seq(2001).ack(6001));
    stage.take(new, &ack, |v| established(v, 6001, 2000));
    stage.assert_silent();
    for (to, fine) in [
        (State::TimeWait, true),
        (State::Listen, false),
        (State::Closed, false),
    ] {
        let (mut stage, next, new) = reopened();
        let reset = stage.send(next, seg(Flags::RST).seq(2001));
        stage.take(new, &reset, |v| v.state = to);
        assert_eq!(
            stage.findings().is_empty(),
            fine,
            "{to}: {:#?}",
            stage.findings()
        );
    }
}

#[test]
fn only_what_was_reopened_returns_to_time_wait() {
    let (mut stage, client, child) = half_open();
    let reset = stage.send(client, seg(Flags::RST).seq(1001));
    stage.take(child, &reset, |v| v.state = State::TimeWait);
    stage.assert_violation("never in TIME-WAIT");
}

#[test]
fn last_ack_may_come_when_the_text_before_the_fin_has_left() {
    for closed in [true, false] {
        let (mut stage, client, server) = connected();
        let fin = stage.fin(client, State::FinWait1);
        stage.take(server, &fin, |v| {
            v.state = State::CloseWait;
            took_fin(v);
        });
        if closed {
            stage.by_user();
            stage.user(
                B,
                UserEvent::Closed {
                    connection: server.connection,
                    unread: 0,
                },
            );
        }
        let ack = stage.send_ack(client);
        stage.take(server, &ack, |v| v.state = State::LastAck);
        assert_eq!(
            stage.findings().is_empty(),
            closed,
            "{:#?}",
            stage.findings()
        );
    }
}

#[test]
fn timers_that_give_up_end_a_connection() {
    for timer in [Timer::Retransmit, Timer::Persist, Timer::Keepalive] {
        let (mut stage, client, _) = connected();
        stage.by_timer();
        stage.goes(client, State::Closed, Cause::Timer(timer));
        stage.assert_silent();
    }
}

/// A router's error about what `f` has sent is delivered to its host.
fn error_about(stage: &mut Stage, cause: &timewait_sim::Packet) {
    let octets = timewait_sim::icmp::error(
        [198, 18, 0, 9].into(),
        cause,
        timewait_sim::icmp::Problem::NoRoute,
        8,
    );
    let mut error = cause.clone();
    error.id.origin = timewait_sim::NodeId(9);
    (error.sent.src, error.sent.dst) = ([198, 18, 0, 9].into(), cause.src);
    error.sent.protocol = 1;
    error.sent.class = crate::label::class::ICMP;
    error.sent.payload = timewait_sim::Payload::new(octets);
    stage.deliver(&error);
}

#[test]
fn a_hard_error_ends_an_open_and_nothing_else() {
    // SHLD-26, as the profile has it (RFC 5461 §2.1).
    let mut stage = Stage::new(vec![Box::<Transitions>::default()]);
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    error_about(&mut stage, &syn);
    stage.goes(client, State::Closed, Cause::Icmp);
    stage.assert_silent();

    let (mut stage, client, _) = connected();
    let text = stage.send_text(client, 10);
    error_about(&mut stage, &text);
    stage.goes(client, State::Closed, Cause::Icmp);
    stage.assert_violation("that takes a hard error of ICMP");
}

#[test]
fn a_hard_error_that_nobody_sent_is_a_violation() {
    let mut stage = Stage::new(vec![Box::<Transitions>::default()]);
    let client = stage.connect(A, 1000);
    stage.send(client, seg(Flags::SYN).seq(1000));
    stage.by_timer();
    stage.goes(client, State::Closed, Cause::Icmp);
    stage.assert_violation("that takes a hard error of ICMP");
}

/// A stage whose listeners send SYN cookies, or not.
fn with_cookies(syn_cookies: SynCookies) -> Stage {
    let mut circumstances = circumstances();
    if let Some(config) = circumstances.hosts.get_mut(&B) {
        config.syn_cookies = syn_cookies;
    }
    Stage::under(circumstances, vec![Box::<Transitions>::default()])
}

#[test]
fn a_cookie_leads_from_listen_to_established_where_there_are_cookies() {
    for (cookies, complaints) in [(SynCookies::WhenFull, 0), (SynCookies::Off, 1)] {
        let mut stage = with_cookies(cookies);
        let listener = stage.listen(B);
        let (_, ack) = stage.cookie(listener, 1000, 5000);
        stage.by_cookie(listener, &ack);
        assert_eq!(stage.findings().len(), complaints, "{cookies:?}");
    }
}

#[test]
fn a_syn_makes_no_established_connection() {
    let mut stage = with_cookies(SynCookies::Always);
    let listener = stage.listen(B);
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    stage.by_cookie(listener, &syn);
    stage.assert_violation("that takes SYN cookies, and an ACK");
}

#[test]
fn a_cookie_may_take_the_place_of_a_half_open_connection() {
    for (cookies, complaints) in [(SynCookies::WhenFull, 0), (SynCookies::Off, 1)] {
        let mut stage = with_cookies(cookies);
        let listener = stage.listen(B);
        let client = stage.connect(A, 1000);
        let syn = stage.send(client, seg(Flags::SYN).seq(1000));
        let child = stage.child(listener, &syn, 7000);
        let ack = stage.send(client, seg(Flags::ACK).seq(1001).ack(5001));
        stage.deliver(&ack);
        stage.goes(child, State::Closed, Cause::Replaced);
        assert_eq!(stage.findings().len(), complaints, "{cookies:?}");
    }
}
