//! Runs in which `delivery` must speak, and runs in which it must not.
//!
//! With the settings of the stage, G is 1 + 60 + 26 * 0.502 = 74.05 s for ten octets.

use timewait_sim::{Duration, Instant};
use timewait_stack::event::{Call, Cause as Why, Timer};
use timewait_stack::wire::Flags;
use timewait_stack::{Errno, State};

use super::Delivery;
use crate::event::UserEvent;
use crate::facts::Circumstances;
use crate::label::Incarnation;
use crate::staging::{
    A, B, Stage, acked_all, circumstances, established, seg, took_fin, took_text,
};

fn stage() -> Stage {
    let circumstances = Circumstances {
        heal_at: Some(Instant::ZERO),
        ..circumstances()
    };
    Stage::under(circumstances, vec![Box::<Delivery>::default()])
}

/// A client on A and a server on B, connected and accepted.
fn connect(stage: &mut Stage) -> (Incarnation, Incarnation) {
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    stage.user(
        A,
        UserEvent::Connected {
            connection: client.connection,
        },
    );
    stage.user(
        B,
        UserEvent::Accepted {
            connection: server.connection,
        },
    );
    (client, server)
}

fn seconds(stage: &mut Stage, seconds: u64) {
    stage.pass(Duration::from_secs(seconds));
}

/// The user of `reader` reads all it can.
fn read(stage: &mut Stage, reader: Incarnation, offset: u64) {
    let octets = vec![0; stage.vars(reader).unread as usize];
    let connection = reader.connection;
    stage.user(
        reader.host,
        UserEvent::Received {
            connection,
            offset,
            octets,
        },
    );
    stage.vars(reader).unread = 0;
    stage.snapshot(reader);
}

fn shuts_reading(stage: &mut Stage, f: Incarnation) {
    let connection = f.connection;
    stage.user(
        f.host,
        UserEvent::Shutdown {
            connection,
            read: true,
            write: false,
        },
    );
}

fn give_up(stage: &mut Stage, f: Incarnation) {
    stage.by_timer();
    stage.goes(f, State::Closed, Why::Timer(Timer::Retransmit));
}

#[track_caller]
fn assert_exempt(stage: &mut Stage, name: &str) {
    stage.finish();
    stage.assert_silent();
    let notes = &stage.facts().coverage().notes;
    assert!(notes.contains_key(name), "{notes:?}");
}

#[test]
fn octets_that_arrive_are_silent() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let text = stage.send_text(client, 10);
    seconds(&mut stage, 70);
    stage.take(server, &text, |v| took_text(v, 10));
    read(&mut stage, server, 0);
    seconds(&mut stage, 1000);
    stage.finish();
    stage.assert_silent();
    assert!(stage.facts().coverage().notes.is_empty());
}

#[test]
fn octets_that_never_arrive_are_a_violation() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    stage.send_text(client, 10);
    seconds(&mut stage, 75);
    stage.finish();
    stage.assert_violation(&format!("have not reached {server}"));
}

#[test]
fn octets_that_arrive_too_late_are_a_violation() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let text = stage.send_text(client, 10);
    seconds(&mut stage, 75);
    stage.take(server, &text, |v| took_text(v, 10));
    stage.assert_violation("octets or a FIN have not reached");
}

#[test]
fn a_fin_that_never_arrives_is_a_violation() {
    let mut stage = stage();
    let (client, _) = connect(&mut stage);
    stage.fin(client, State::FinWait1);
    seconds(&mut stage, 75);
    stage.finish();
    stage.assert_violation("octets or a FIN have not reached");
}

#[test]
fn the_time_counts_from_healing() {
    let circumstances = Circumstances {
        heal_at: Some(Instant::from_nanos(500_000_000_000)),
        ..circumstances()
    };
    let mut stage = Stage::under(circumstances, vec![Box::<Delivery>::default()]);
    let (client, _) = connect(&mut stage);
    stage.send_text(client, 10);
    seconds(&mut stage, 570);
    assert_exempt(&mut stage, "delivery: the run ended before the bound");
}

#[test]
fn a_reader_that_is_behind_stops_the_clock() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let first = stage.send_text(client, 10);
    stage.take(server, &first, |v| took_text(v, 10));
    stage.send_text(client, 10);
    seconds(&mut stage, 1000);
    read(&mut stage, server, 0);
    stage.assert_silent();
    seconds(&mut stage, 75);
    stage.finish();
    stage.assert_violation("octets or a FIN have not reached");
}

#[test]
fn a_reader_that_never_reads_is_exempt() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let first = stage.send_text(client, 10);
    stage.take(server, &first, |v| took_text(v, 10));
    stage.send_text(client, 10);
    seconds(&mut stage, 1000);
    assert_exempt(&mut stage, "delivery: reader behind");
}

#[test]
fn a_reader_that_has_gone_is_exempt() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    stage.send_text(client, 10);
    shuts_reading(&mut stage, server);
    seconds(&mut stage, 1000);
    assert_exempt(&mut stage, "delivery: reader gone");
}

#[test]
fn a_reader_that_was_never_there_is_exempt() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, _) = stage.handshake(listener, 100, 300);
    stage.user(
        A,
        UserEvent::Connected {
            connection: client.connection,
        },
    );
    stage.send_text(client, 10);
    seconds(&mut stage, 1000);
    assert_exempt(&mut stage, "delivery: never accepted");
}

#[test]
fn an_abort_at_either_end_is_exempt() {
    for client_aborts in [true, false] {
        let mut stage = stage();
        let (client, server) = connect(&mut stage);
        stage.send_text(client, 10);
        let f = if client_aborts { client } else { server };
        stage.user(
            f.host,
            UserEvent::Aborted {
                connection: f.connection,
            },
        );
        stage.goes(f, State::Closed, Why::User(Call::Abort));
        assert_exempt(&mut stage, "delivery: aborted");
    }
}

#[test]
fn a_reset_that_nobody_asked_for_is_a_violation() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    stage.send_text(client, 10);
    let rst = stage.send(server, seg(Flags::RST).seq(301));
    stage.take(client, &rst, |v| v.state = State::Closed);
    stage.assert_violation("ended by Some(Reset), and nobody aborted");
}

/// The end of the first is the whole story: its user's `close`, which follows, gives no FIN.
#[test]
fn who_closes_what_is_over_gives_nothing_more() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let rst = stage.send(server, seg(Flags::RST).seq(301));
    stage.take(client, &rst, |v| v.state = State::Closed);
    stage.user(
        A,
        UserEvent::Closed {
            connection: client.connection,
            unread: 0,
        },
    );
    stage.snapshot(server);
    let rst = stage.send(client, seg(Flags::RST).seq(101));
    stage.take(server, &rst, |v| v.state = State::Closed);
    stage.assert_silent();
}

#[test]
fn r2_may_run_out_before_healing_and_not_after() {
    for (after, complaints) in [(74, 0), (80, 1)] {
        let mut stage = stage();
        let (client, _) = connect(&mut stage);
        // Sent so late that the bound of the octets themselves does not speak.
        seconds(&mut stage, after);
        stage.send_text(client, 10);
        give_up(&mut stage, client);
        stage.finish();
        assert_eq!(stage.findings().len(), complaints, "{:?}", stage.findings());
    }
}

#[test]
fn an_end_after_everything_was_taken_is_silent() {
    let mut stage = stage();
    let (client, server) = connect(&mut stage);
    let text = stage.send_text(client, 10);
    stage.take(server, &text, |v| took_text(v, 10));
    read(&mut stage, server, 0);
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
    seconds(&mut stage, 1000);
    stage.finish();
    stage.assert_silent();
}

#[test]
fn a_fin_taken_by_a_time_wait_record_has_arrived() {
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
    let fin = stage.fin(server, State::LastAck);
    stage.deliver(&fin);
    let before = stage.vars(client).clone();
    stage.transition(client, State::FinWait2, State::TimeWait, Why::Segment);
    took_fin(stage.vars(client));
    let after = stage.vars(client).clone();
    // There is no snapshot.
    stage.arrival(Some(client), A, before, after);
    seconds(&mut stage, 1000);
    stage.finish();
    stage.assert_silent();
    assert!(stage.facts().coverage().notes.is_empty());
}

#[test]
fn a_connect_is_decided_within_the_handshake_bound() {
    for (after, complaints) in [(240, 0), (241, 1)] {
        let mut stage = stage();
        stage.connect(A, 100);
        seconds(&mut stage, after);
        stage.finish();
        assert_eq!(stage.findings().len(), complaints, "{after} s");
    }
}

#[test]
fn an_open_crossed_by_another_has_twice_the_time() {
    let mut stage = stage();
    let client = stage.connect(A, 100);
    let peer = stage.connect(B, 300);
    let syn = stage.send(peer, seg(Flags::SYN).seq(300));
    seconds(&mut stage, 200);
    stage.take(client, &syn, |v| v.state = State::SynReceived);
    seconds(&mut stage, 200);
    stage.user(
        A,
        UserEvent::Failed {
            connection: client.connection,
            error: Errno::ETIMEDOUT,
        },
    );
    stage.assert_silent();
}

/// A client whose network is clean connects; `meanwhile`; then it is told this error.
fn fails(meanwhile: impl FnOnce(&mut Stage, Incarnation, Incarnation)) -> Stage {
    let mut stage = stage();
    let listener = stage.listen(B);
    seconds(&mut stage, 2);
    let client = stage.connect(A, 100);
    meanwhile(&mut stage, listener, client);
    let (connection, error) = (client.connection, Errno::ECONNREFUSED);
    stage.user(A, UserEvent::Failed { connection, error });
    stage.finish();
    stage
}

#[test]
fn a_connect_that_fails_where_somebody_listens_is_a_violation() {
    fails(|_, _, _| {}).assert_violation("connect fails by ECONNREFUSED, and somebody listens");
}

#[test]
fn a_connect_may_fail_where_the_listener_has_left() {
    let mut stage = fails(|stage, listener, _| {
        stage.goes(listener, State::Closed, Why::User(Call::Close));
    });
    assert_exempt(&mut stage, "delivery: nobody listens");
}

#[test]
fn a_connect_may_fail_that_met_an_older_connection() {
    let mut stage = fails(|stage, listener, client| {
        let (old, server) = stage.handshake(listener, 50, 60);
        stage.close_in_turn(server, old);
        let syn = stage.send(client, seg(Flags::SYN).seq(100));
        stage.ignore(server, &syn);
    });
    assert_exempt(&mut stage, "delivery: open turned away");
}

#[test]
fn a_connect_may_fail_while_old_datagrams_are_about() {
    let mut stage = stage();
    stage.listen(B);
    let client = stage.connect(A, 100);
    let (connection, error) = (client.connection, Errno::ECONNREFUSED);
    stage.user(A, UserEvent::Failed { connection, error });
    assert_exempt(&mut stage, "delivery: open before healing");
}

#[test]
fn a_syn_that_makes_a_child_is_not_turned_away() {
    let mut stage = fails(|stage, listener, client| {
        let syn = stage.send(client, seg(Flags::SYN).seq(100));
        let child = stage.child(listener, &syn, 300);
        stage.judged(child, |v| established(v, 301, 100));
    });
    stage.assert_violation("somebody listens");
    stage.finish();
}

/// What the oracle says after so many seconds about octets on a path that carries less than A's
/// link.
fn narrow(routers_report: bool, looks: bool, waited: u64) -> Stage {
    let mut circumstances = Circumstances {
        heal_at: Some(Instant::ZERO),
        path_mtus: [((A, B), 1000), ((B, A), 1000)].into(),
        routers_report,
        ..circumstances()
    };
    for config in circumstances.hosts.values_mut() {
        config.black_hole = config.black_hole.filter(|_| looks);
    }
    let mut stage = Stage::under(circumstances, vec![Box::<Delivery>::default()]);
    let (client, _) = connect(&mut stage);
    stage.send_text(client, 10);
    seconds(&mut stage, waited);
    stage.finish();
    stage
}

#[test]
fn a_black_hole_excuses_only_who_does_not_look_for_it() {
    narrow(false, true, 74 + 12 * 60 + 1).assert_violation("octets or a FIN have not reached");
    narrow(true, false, 74 + 4 * 60 + 1).assert_violation("octets or a FIN have not reached");
    let stage = narrow(false, false, 100_000);
    stage.assert_silent();
    let notes = &stage.facts().coverage().notes;
    assert!(notes.contains_key("delivery: black hole, and nobody looks for it"));
}

#[test]
fn the_search_for_the_path_mtu_takes_its_timeouts() {
    // Two sizes, two timeouts each and two more, in both directions, of a minute at most.
    narrow(false, true, 74 + 12 * 60).assert_silent();
    narrow(true, false, 74 + 4 * 60).assert_silent();
}
