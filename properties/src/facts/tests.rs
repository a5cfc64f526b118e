use super::{Ending, Taint};
use crate::event::{BoxEvent, UserEvent};
use crate::staging::{A, B, Stage, acked_all, seg, took_text};
use timewait_sim::{Duration, Instant};
use timewait_stack::State;
use timewait_stack::event::{Call, Cause as Why, Timer};
use timewait_stack::wire::Flags;

fn stage() -> Stage {
    Stage::new(vec![])
}

#[test]
fn one_parent_may_have_several_children_and_is_paired_with_one() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, first) = stage.handshake(listener, 100, 300);
    let again = stage.send(client, seg(Flags::SYN).seq(100));
    let second = stage.child(listener, &again, 900);
    let facts = stage.facts();
    assert_eq!(
        (facts.parent_of(second), facts.pair_of(second)),
        (Some(client), None)
    );
    assert_eq!(facts.pair_of(client), Some(first));
    assert!(
        !facts.is_current(client, second, State::SynReceived),
        "it has a pair"
    );
}

#[test]
fn a_syn_is_current_while_its_sender_lives() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let client = stage.connect(A, 100);
    assert!(stage.facts().is_current(client, listener, State::Listen));
    stage.goes(client, State::Closed, Why::User(Call::Close));
    assert!(!stage.facts().is_current(client, listener, State::Listen));
    assert_eq!(
        stage.facts().life(client).unwrap().end.unwrap().ending,
        Ending::ClosedEarly
    );
}

#[test]
fn what_answers_a_syn_is_current_even_if_its_sender_has_died() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let client = stage.connect(A, 100);
    let syn = stage.send(client, seg(Flags::SYN).seq(100));
    let child = stage.child(listener, &syn, 300);
    stage.by_user();
    stage.goes(child, State::Closed, Why::User(Call::Abort));
    assert!(stage.facts().is_current(child, client, State::SynSent));
}

#[test]
fn an_echo_is_as_old_as_what_it_answers() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    let dead = stage.connect(A, 700);
    let old = stage.send(dead, seg(Flags::ACK).seq(101).ack(999));
    let fresh = stage.send_ack(client);

    let mut is_old = |answered, tag| {
        stage.ignore(server, answered);
        let echo = stage.echo(answered, seg(Flags::RST).seq(999));
        stage.deliver(&echo);
        let delivery = stage.facts().delivery().unwrap();
        stage.facts().is_old(delivery, tag, State::Established)
    };
    assert!(
        is_old(&old, dead),
        "it answers what was old where it arrived"
    );
    assert!(is_old(&fresh, dead), "it answers somebody else");
    assert!(!is_old(&fresh, client));
}

#[test]
fn a_rst_from_nobody_is_not_old_for_the_one_it_answers() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    stage.by_user();
    stage.goes(server, State::Closed, Why::User(Call::Abort));
    let text = stage.send_text(client, 1);
    stage.ignore(listener, &text);
    let reset = stage.echo(&text, seg(Flags::RST).seq(301));
    stage.deliver(&reset);
    let delivery = stage.facts().delivery().unwrap();
    assert!(!stage.facts().is_old(delivery, client, State::Established));
}

#[test]
fn the_datagram_at_hand_is_known_until_something_else_happens() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    let text = stage.send_text(client, 10);
    stage.pass_ms(5);
    stage.held_by(4);
    stage.take(server, &text, |v| took_text(v, 10));
    let delivery = stage.facts().delivery().unwrap();
    assert_eq!(delivery.received_by, Some((server, State::Established)));
    assert_eq!(
        (delivery.tag, delivery.age()),
        (client, Duration::from_millis(5))
    );
    assert!(delivery.intact && !delivery.old && delivery.outcome.as_ref().unwrap().accepted);
    stage.by_user();
    stage.snapshot(client);
    assert!(stage.facts().delivery().is_none());
}

#[test]
fn time_wait_is_due_until_2msl_after_the_last_fin() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    assert_eq!(stage.facts().time_wait_until(client), None);
    stage.close_in_turn(client, server);
    let first = stage.facts().time_wait_until(client).unwrap();
    assert_eq!(stage.facts().time_waits(A), 1);
    stage.pass_ms(300);
    let again = stage.send(server, seg(Flags::FIN | Flags::ACK).seq(301).ack(102));
    stage.ignore(client, &again);
    let later = stage.facts().time_wait_until(client).unwrap();
    assert_eq!(later.saturating_since(first), Duration::from_millis(301));
    stage.by_timer();
    stage.goes(client, State::Closed, Why::Timer(Timer::TimeWait));
    assert_eq!(stage.facts().time_waits(A), 0);
    assert_eq!(
        stage.facts().life(client).unwrap().end.unwrap().ending,
        Ending::Orderly
    );
}

#[test]
fn a_crash_ends_every_life_and_names_start_anew() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (_, server) = stage.handshake(listener, 100, 300);
    stage.crash(B);
    for gone in [listener, server] {
        let end = stage.facts().life(gone).unwrap().end.unwrap();
        assert_eq!(end.ending, Ending::Crashed);
    }
    assert_eq!(stage.facts().name(B, server.connection).boot, 0);
    stage.pass_ms(7);
    stage.boot(B);
    assert_eq!(stage.facts().name(B, server.connection).boot, 1);
    let ms = |at: Instant| at.as_nanos() / 1_000_000;
    assert_eq!(stage.facts().rebooted_at(B).map(ms), Some(10));
    assert_eq!(stage.facts().rebooted_at(A), None);
}

#[test]
fn a_users_deeds_are_counted() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    let text = stage.send_text(client, 10);
    stage.take(server, &text, |v| took_text(v, 10));
    let ack = stage.send_ack(server);
    stage.take(client, &ack, acked_all);
    let connection = server.connection;
    stage.user(
        B,
        UserEvent::Received {
            connection,
            offset: 0,
            octets: vec![0; 4],
        },
    );
    stage.user(
        B,
        UserEvent::Shutdown {
            connection,
            read: false,
            write: true,
        },
    );
    let sent = stage.facts().life(client).unwrap().user.octets_sent;
    let user = stage.facts().life(server).unwrap().user;
    assert_eq!((sent, user.octets_received), (10, 4));
    assert!(user.write_shut_at.is_some() && user.read_shut_at.is_none());
    assert_eq!(stage.facts().life(server).unwrap().both_shut_at(), None);
    stage.user(
        B,
        UserEvent::Closed {
            connection,
            unread: 6,
        },
    );
    assert!(stage.facts().life(server).unwrap().both_shut_at().is_some());
}

#[test]
fn of_whom_a_box_has_let_go_nothing_is_promised() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    let (from, to) = (crate::staging::end(A), crate::staging::end(B));
    assert_eq!(stage.facts().taint_of(server), None);
    stage.at_box(BoxEvent::Refused {
        tag: client,
        from,
        to,
        full: false,
    });
    for name in [client, server] {
        assert_eq!(stage.facts().taint_of(name), Some(Taint::Box));
    }
}

#[test]
fn both_ends_belong_to_one_flow_whatever_a_nat_shows() {
    let mut stage = stage();
    let listener = stage.listen(B);
    stage.translate(A, "10.0.0.9:4000".parse().expect("an end"));
    let (client, server) = stage.handshake(listener, 100, 300);
    let facts = stage.facts();
    assert!(facts.flow_of(client).is_some());
    assert_eq!(facts.flow_of(client), facts.flow_of(server));
    let direct = crate::label::flow_of(crate::staging::end(A), crate::staging::end(B));
    assert_ne!(facts.flow_of(client), Some(direct));
}
