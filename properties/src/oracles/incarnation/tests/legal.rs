//! What a correct stack does with old datagrams, in silence or as a hazard of its own.

use super::{Churn, SYN_ACK, facts, stage, syn};
use crate::oracles::incarnation::CROSSED_SYN;
use crate::staging::{A, B, Stage, established, seg};
use timewait_stack::event::{Call, Cause as Why};
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, State};

/// The first child is made by an old SYN, or is a true one; then another old SYN comes into its
/// window.
fn second_old_syn(first_is_old: bool) -> Stage {
    let mut stage = stage();
    let listener = stage.listen(B);
    let dead = stage.connect(A, 1100);
    let held = stage.send(dead, syn(1100));
    let first = stage.connect(A, 1000);
    let packet = stage.send(first, syn(1000));
    stage.by_user();
    stage.goes(dead, State::Closed, Why::User(Call::Close));
    if first_is_old {
        stage.goes(first, State::Closed, Why::User(Call::Close));
    }
    let child = stage.child(listener, &packet, 5000);
    stage.take(child, &held, |v| v.state = State::Listen);
    stage
}

#[test]
fn an_old_syn_in_listen_is_legal_and_what_follows_from_an_old_ack_is_not() {
    let mut churn = Churn::new();
    let Churn {
        stage,
        listener,
        client,
        server,
        copy,
    } = &mut churn;
    stage.close_in_turn(*client, *server);
    stage.pass_ms(500);
    let old_syn = stage.send(*client, syn(1000));
    let child = stage.child(*listener, &old_syn, 90_000);
    stage.assert_silent();
    stage.take(child, copy, |v| established(v, 90_001, 1000));
    stage.assert_violation("the checks allow no such thing");
}

#[test]
fn an_old_syn_reopens_time_wait_and_is_returned_in_silence() {
    let mut churn = Churn::new();
    let Churn {
        stage,
        client,
        server,
        ..
    } = &mut churn;
    stage.close_in_turn(*server, *client);
    // A SYN of an open that was closed at once: beyond RCV.NXT, and old.
    let dead = stage.connect(A, 9000);
    let held = stage.send(dead, syn(9000));
    stage.by_user();
    stage.goes(dead, State::Closed, Why::User(Call::Close));
    let new = stage.reopen(*server, &held, 7000);
    let syn_ack = stage.send(new, seg(SYN_ACK).seq(7000).ack(9001));
    stage.deliver(&syn_ack);
    let reset = stage.echo(&syn_ack, seg(Flags::RST).seq(9001));
    stage.take(new, &reset, |v| v.state = State::TimeWait);
    stage.assert_silent();
    assert!(facts(stage).life(*server).unwrap().is_alive());
}

#[test]
fn an_old_syn_may_end_what_an_old_syn_began_and_nothing_else() {
    second_old_syn(true).assert_silent();
    second_old_syn(false).assert_hazard("E3");
}

#[test]
fn a_half_open_connection_learns_of_its_end_in_silence() {
    let mut churn = Churn::new();
    let Churn {
        stage,
        client,
        server,
        ..
    } = &mut churn;
    stage.by_user();
    stage.goes(*server, State::Closed, Why::User(Call::Abort));
    let text = stage.send_text(*client, 10);
    stage.deliver(&text);
    let reset = stage.echo(&text, seg(Flags::RST).seq(5001));
    stage.take(*client, &reset, |v| v.state = State::Closed);
    stage.assert_silent();
}

#[test]
fn a_simultaneous_open_is_silent() {
    let mut stage = stage();
    let (a, b) = (stage.connect(A, 100), stage.connect(B, 300));
    let (syn_a, syn_b) = (stage.send(a, syn(100)), stage.send(b, syn(300)));
    stage.pass_ms(1);
    for (f, syn, irs) in [(b, syn_a, 100), (a, syn_b, 300)] {
        stage.take(f, &syn, |v| {
            v.state = State::SynReceived;
            v.irs = SeqNumber(irs);
            v.rcv_nxt = SeqNumber(irs + 1);
            v.rcv_adv = v.rcv_nxt + 10_000;
        });
    }
    let from_a = stage.send(a, seg(SYN_ACK).seq(100).ack(301));
    let from_b = stage.send(b, seg(SYN_ACK).seq(300).ack(101));
    stage.take(a, &from_b, |v| established(v, 101, 300));
    stage.take(b, &from_a, |v| established(v, 301, 100));
    stage.assert_silent();
    assert!(facts(&stage).paired(a, b));
}

#[test]
fn an_old_syn_that_crosses_a_new_one_is_a_hazard_only_when_the_true_peer_answers() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let dead = stage.connect(B, 290);
    let old_syn = stage.send(dead, syn(290));
    stage.by_user();
    stage.goes(dead, State::Closed, Why::User(Call::Close));
    let client = stage.connect(A, 100);
    let new_syn = stage.send(client, syn(100));
    let child = stage.child(listener, &new_syn, 300);
    stage.take(client, &old_syn, |v| {
        v.state = State::SynReceived;
        v.irs = SeqNumber(290);
        v.rcv_nxt = SeqNumber(291);
        v.rcv_adv = v.rcv_nxt + 10_000;
    });
    stage.assert_silent();
    let ack = stage.send(child, seg(Flags::ACK).seq(301).ack(101));
    stage.take(client, &ack, |v| {
        v.state = State::Established;
        v.snd_una = SeqNumber(101);
        v.snd_wl1 = SeqNumber(301);
        v.snd_wl2 = SeqNumber(101);
        v.snd_wnd = 10_000;
    });
    stage.assert_hazard(CROSSED_SYN);
}

#[test]
fn a_late_copy_of_a_syn_makes_a_second_child_for_which_the_parent_is_old() {
    let mut churn = Churn::new();
    let Churn {
        stage,
        listener,
        client,
        server,
        copy,
    } = &mut churn;
    // The server's end is done by FIN; the client waits in TIME-WAIT and is alive.
    stage.close_in_turn(*client, *server);
    stage.pass_ms(100);
    let again = stage.send(*client, syn(1000));
    let second = stage.child(*listener, &again, 77_000);
    assert!(!facts(stage).is_current(*client, second, State::SynReceived));
    stage.ignore(second, copy);
    stage.assert_silent();
}

#[test]
fn a_self_connect_is_paired_with_itself() {
    let mut stage = stage();
    let f = stage.connect(A, 100);
    let out = stage.send(f, syn(100));
    stage.deliver_to(A, &out);
    stage.judged(f, |v| {
        v.state = State::SynReceived;
        v.irs = SeqNumber(100);
        v.rcv_nxt = SeqNumber(101);
        v.rcv_adv = v.rcv_nxt + 10_000;
    });
    assert!(facts(&stage).paired(f, f));
    let back = stage.send(f, seg(SYN_ACK).seq(100).ack(101));
    stage.deliver_to(A, &back);
    stage.judged(f, |v| established(v, 101, 100));
    stage.assert_silent();
}
