//! Runs in which `stream` must speak, and runs in which it must not.

use timewait_sim::Packet;
use timewait_stack::event::{Cause as Why, Timer};
use timewait_stack::wire::Flags;
use timewait_stack::{Errno, State};

use super::Stream;
use crate::content::fill;
use crate::event::UserEvent;
use crate::label::Incarnation;
use crate::staging::{A, B, Stage, acked_all, seg, took_fin, took_text};

/// A stage with a client on A and a server on B, connected.
fn connected() -> (Stage, Incarnation, Incarnation) {
    let mut stage = Stage::new(vec![Box::<Stream>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    (stage, client, server)
}

/// The octets that `sender` sends from `offset` on.
fn octets(sender: Incarnation, offset: u64, count: usize) -> Vec<u8> {
    let mut octets = vec![0; count];
    fill(sender, offset, &mut octets);
    octets
}

fn read(stage: &mut Stage, reader: Incarnation, offset: u64, octets: Vec<u8>) {
    let connection = reader.connection;
    stage.user(
        reader.host,
        UserEvent::Received {
            connection,
            offset,
            octets,
        },
    );
}

fn end_of_file(stage: &mut Stage, reader: Incarnation, offset: u64) {
    stage.user(
        reader.host,
        UserEvent::EndOfFile {
            connection: reader.connection,
            offset,
        },
    );
}

/// The client sends ten octets; the server takes them.
fn ten_octets(stage: &mut Stage, client: Incarnation, server: Incarnation) {
    let text = stage.send_text(client, 10);
    stage.take(server, &text, |v| took_text(v, 10));
}

fn takes_fin(stage: &mut Stage, server: Incarnation, fin: &Packet) {
    stage.take(server, fin, |v| {
        v.state = State::CloseWait;
        took_fin(v);
    });
}

#[test]
fn a_prefix_and_then_the_end_of_file_are_silent() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    read(&mut stage, server, 0, octets(client, 0, 4));
    read(&mut stage, server, 4, octets(client, 4, 6));
    let fin = stage.fin(client, State::FinWait1);
    takes_fin(&mut stage, server, &fin);
    end_of_file(&mut stage, server, 10);
    end_of_file(&mut stage, server, 10);
    stage.assert_silent();
}

#[test]
fn octets_at_a_wrong_place_are_a_violation() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    read(&mut stage, server, 0, octets(client, 1, 9));
    stage.assert_violation("octet 0 is not the one that h0#1 sent there");
}

#[test]
fn octets_of_another_incarnation_are_named() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    read(&mut stage, server, 0, octets(server, 0, 10));
    stage.assert_violation("but h1#2 did");
}

#[test]
fn octets_that_nobody_sent_are_a_violation() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    read(&mut stage, server, 0, octets(client, 0, 11));
    stage.assert_violation("octets up to 11, the user of h0#1 gave 10");
}

#[test]
fn octets_received_twice_are_a_violation() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    read(&mut stage, server, 0, octets(client, 0, 10));
    read(&mut stage, server, 0, octets(client, 0, 10));
    stage.assert_violation("make 20 received");
}

#[test]
fn an_end_of_file_before_the_last_octet_is_a_violation() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    let fin = stage.fin(client, State::FinWait1);
    takes_fin(&mut stage, server, &fin);
    read(&mut stage, server, 0, octets(client, 0, 9));
    end_of_file(&mut stage, server, 9);
    stage.assert_violation("the FIN of h0#1 stands after 10");
}

#[test]
fn an_end_of_file_after_a_reset_is_a_violation() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    read(&mut stage, server, 0, octets(client, 0, 10));
    // The FIN was sent and is lost; a RST arrives.
    stage.fin(client, State::FinWait1);
    let rst = stage.send(client, seg(Flags::RST).seq(111));
    stage.take(server, &rst, |v| v.state = State::Closed);
    end_of_file(&mut stage, server, 10);
    stage.assert_violation("no FIN was taken (ended: Some(Reset))");
}

#[test]
fn an_error_after_a_reset_is_silent_though_octets_are_lost() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    let rst = stage.send(client, seg(Flags::RST).seq(111));
    stage.take(server, &rst, |v| v.state = State::Closed);
    let (connection, error) = (server.connection, Errno::ECONNRESET);
    stage.user(B, UserEvent::Failed { connection, error });
    stage.finish();
    stage.assert_silent();
}

#[test]
fn whoever_shuts_its_own_reading_side_reads_end_of_file() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    let connection = server.connection;
    stage.user(
        B,
        UserEvent::Shutdown {
            connection,
            read: true,
            write: false,
        },
    );
    end_of_file(&mut stage, server, 0);
    stage.assert_silent();
}

#[test]
fn octets_after_the_end_of_file_are_a_violation() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    let fin = stage.fin(client, State::FinWait1);
    takes_fin(&mut stage, server, &fin);
    end_of_file(&mut stage, server, 0);
    read(&mut stage, server, 0, octets(client, 0, 10));
    stage.assert_violation("after the end of file");
}

#[test]
fn a_retransmission_with_other_octets_is_a_violation() {
    let (mut stage, client, _) = connected();
    stage.send_text(client, 10);
    let (seq, ack) = (101, 301);
    let again = |text| seg(Flags::ACK).seq(seq).ack(ack).text(text);
    stage.by_timer();
    stage.send(client, again(octets(client, 0, 10)));
    stage.assert_silent();
    stage.send(client, again(octets(client, 1, 10)));
    stage.assert_violation("octet 0 is not the one its user gave");
}

#[test]
fn text_across_the_wrap_keeps_its_place() {
    let mut stage = Stage::new(vec![Box::<Stream>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, u32::MAX - 5, 300);
    ten_octets(&mut stage, client, server);
    ten_octets(&mut stage, client, server);
    stage.by_timer();
    let first = seg(Flags::ACK)
        .seq(u32::MAX - 4)
        .ack(301)
        .text(octets(client, 0, 10));
    stage.send(client, first);
    read(&mut stage, server, 0, octets(client, 0, 20));
    stage.assert_silent();
}

#[test]
fn the_garbage_octet_of_a_keepalive_probe_is_silent() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    let garbage = || seg(Flags::ACK).seq(110).ack(301).text(vec![0]);
    stage.timer(client, Timer::Keepalive, 1);
    stage.send(client, garbage());
    stage.assert_silent();
    stage.by_user();
    stage.send(client, garbage());
    stage.assert_violation("octet 9 is not the one its user gave");
}

#[test]
fn a_garbage_octet_before_the_first_is_silent() {
    let (mut stage, client, _) = connected();
    stage.timer(client, Timer::Keepalive, 1);
    stage.send(client, seg(Flags::ACK).seq(100).ack(301).text(vec![0]));
    stage.assert_silent();
}

#[test]
fn a_garbage_octet_in_the_place_of_the_fin_is_silent() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    stage.fin(client, State::FinWait1);
    stage.timer(client, Timer::Keepalive, 1);
    stage.send(client, seg(Flags::ACK).seq(111).ack(301).text(vec![0]));
    stage.assert_silent();
}

#[test]
fn a_fin_before_the_last_octet_is_a_violation() {
    let (mut stage, client, _) = connected();
    stage.send_text(client, 10);
    let connection = client.connection;
    stage.user(
        A,
        UserEvent::Sent {
            connection,
            offset: 10,
            octets: 5,
        },
    );
    stage.fin(client, State::FinWait1);
    stage.assert_violation("a FIN after 10 octets, its user gave 15");
}

#[test]
fn a_fin_that_moves_is_a_violation() {
    let (mut stage, client, server) = connected();
    ten_octets(&mut stage, client, server);
    stage.fin(client, State::FinWait1);
    stage.by_timer();
    stage.send(client, seg(Flags::FIN | Flags::ACK).seq(112).ack(301));
    stage.assert_violation("another one stood at 10");
}

#[test]
fn a_fin_that_no_user_asked_for_is_a_violation() {
    let (mut stage, client, _) = connected();
    stage.by_timer();
    stage.send(client, seg(Flags::FIN | Flags::ACK).seq(101).ack(301));
    stage.assert_violation("its user has not closed");
}

#[test]
fn text_after_the_fin_is_a_violation() {
    let (mut stage, client, _) = connected();
    stage.send_text(client, 10);
    stage.fin(client, State::FinWait1);
    let connection = client.connection;
    stage.user(
        A,
        UserEvent::Sent {
            connection,
            offset: 10,
            octets: 5,
        },
    );
    stage.send(
        client,
        seg(Flags::ACK)
            .seq(111)
            .ack(301)
            .text(octets(client, 10, 5)),
    );
    stage.assert_violation("after a FIN at Some(10)");
}

#[test]
fn what_follows_an_old_duplicate_is_a_hazard() {
    let (mut stage, old, old_server) = connected();
    let text = stage.send_text(old, 10);
    stage.transition(
        old,
        State::Established,
        State::Closed,
        Why::User(timewait_stack::event::Call::Abort),
    );
    stage.take(old_server, &text, |v| {
        took_text(v, 10);
        acked_all(v);
    });
    stage.transition(
        old_server,
        State::Established,
        State::Closed,
        Why::User(timewait_stack::event::Call::Abort),
    );
    let listener = stage.listen(B);
    let (new, server) = stage.handshake(listener, 100, 300);
    assert_ne!(old, new);
    stage.take(server, &text, |v| took_text(v, 10));
    read(&mut stage, server, 0, octets(old, 0, 10));
    stage.assert_hazard("after an old duplicate");
}

#[test]
fn what_follows_damage_that_the_checksum_missed_is_a_hazard() {
    let (mut stage, client, server) = connected();
    let text = stage.send_text(client, 10);
    stage.deliver_damaged(&text, true);
    stage.judged(server, |v| took_text(v, 10));
    read(&mut stage, server, 0, octets(client, 7, 10));
    stage.assert_hazard("E6");
}
