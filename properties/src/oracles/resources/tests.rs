//! Samples at which `resources` must speak, and samples at which it must not.

use timewait_stack::event::{Call, Cause as Why, SackVars, Timer};
use timewait_stack::status::{NetstatRow, Usage};
use timewait_stack::wire::Flags;
use timewait_stack::{State, Vars};

use super::Resources;
use crate::event::UserEvent;
use crate::label::Incarnation;
use crate::staging::{A, B, Stage, WINDOW, circumstances, end, seg};

fn stage() -> Stage {
    Stage::new(vec![Box::<Resources>::default()])
}

/// What B holds with its one listener and so many connections.
fn with_connections(connections: u32) -> Usage {
    Usage {
        sockets: 1,
        listeners: 1,
        ports: 1,
        connections,
        ..Usage::default()
    }
}

/// The same, of which so many wait to be accepted.
fn waiting(connections: u32, waiting: u32) -> Usage {
    Usage {
        waiting,
        ..with_connections(connections)
    }
}

fn listener_row(listener: Incarnation, waiting: u32, backlog: u32) -> NetstatRow {
    NetstatRow {
        connection: listener.connection,
        receive_queue: waiting,
        send_queue: backlog,
        local: end(B),
        remote: None,
        state: State::Listen,
    }
}

/// A SYN from A that makes a child of the listener.
fn half_open(stage: &mut Stage, listener: Incarnation, iss: u32) -> Incarnation {
    let client = stage.connect(A, iss);
    let syn = stage.send(client, seg(Flags::SYN).seq(iss));
    stage.child(listener, &syn, iss + 1000)
}

#[test]
fn a_host_that_holds_what_lives_is_silent() {
    let mut stage = stage();
    let listener = stage.listen(B);
    stage.sample(B, &with_connections(0), &[listener_row(listener, 0, 5)]);
    let (client, server) = stage.handshake(listener, 100, 300);
    stage.sample(B, &waiting(1, 1), &[]);
    stage.close_in_turn(server, client);
    let waits = Usage {
        time_waits: 1,
        timer_entries: 1,
        ..with_connections(0)
    };
    stage.sample(B, &waits, &[]);
    stage.by_timer();
    stage.goes(server, State::Closed, Why::Timer(Timer::TimeWait));
    stage.sample(B, &with_connections(0), &[]);
    stage.assert_silent();
}

#[test]
fn a_connection_that_outlives_its_end_is_a_violation() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    stage.close_in_turn(client, server);
    stage.sample(B, &with_connections(1), &[]);
    stage.assert_violation("h1: holds 1 connections, 0 live");
}

#[test]
fn a_connection_that_vanishes_without_an_end_is_a_violation() {
    let mut stage = stage();
    let listener = stage.listen(B);
    stage.handshake(listener, 100, 300);
    stage.sample(B, &with_connections(0), &[]);
    stage.assert_violation("h1: holds 0 connections, 1 live");
}

#[test]
fn a_record_that_is_put_to_the_proof_waits_inside_the_new_connection() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    let syn = stage.send(client, seg(Flags::SYN).seq(9000));
    stage.close_in_turn(server, client);
    let new = stage.reopen(server, &syn, 5000);
    stage.sample(B, &with_connections(1), &[]);
    stage.by_timer();
    stage.goes(new, State::TimeWait, Why::Timer(Timer::Retransmit));
    let back = Usage {
        time_waits: 1,
        ..with_connections(0)
    };
    stage.sample(B, &back, &[]);
    stage.assert_silent();
}

#[test]
fn what_is_left_after_everything_has_ended_is_a_violation() {
    let leaks = [
        Usage {
            sockets: 2,
            ..with_connections(0)
        },
        Usage {
            ports: 2,
            ..with_connections(0)
        },
        Usage {
            timer_entries: 1,
            ..with_connections(0)
        },
        Usage {
            buffered: 1,
            ..with_connections(0)
        },
    ];
    for leak in leaks {
        let mut stage = stage();
        let listener = stage.listen(B);
        let (client, server) = stage.handshake(listener, 100, 300);
        stage.user(
            B,
            UserEvent::Accepted {
                connection: server.connection,
            },
        );
        stage.close_in_turn(client, server);
        stage.sample(B, &leak, &[]);
        stage.assert_violation("after everything has ended");
    }
}

#[test]
fn a_user_that_has_not_closed_holds_its_socket() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (_, server) = stage.handshake(listener, 100, 300);
    stage.user(
        B,
        UserEvent::Accepted {
            connection: server.connection,
        },
    );
    stage.by_timer();
    stage.goes(server, State::Closed, Why::Timer(Timer::Retransmit));
    stage.sample(
        B,
        &Usage {
            sockets: 2,
            ..with_connections(0)
        },
        &[],
    );
    stage.assert_silent();
}

#[test]
fn more_half_open_connections_than_configured_are_a_violation() {
    for (most, complaints) in [(2, 0), (1, 1)] {
        let mut circumstances = circumstances();
        if let Some(config) = circumstances.hosts.get_mut(&B) {
            config.syn_queue_max = most;
        }
        let mut stage = Stage::under(circumstances, vec![Box::<Resources>::default()]);
        let listener = stage.listen(B);
        let first = half_open(&mut stage, listener, 100);
        half_open(&mut stage, listener, 200);
        // It counts what was at any time, not only what is.
        stage.by_timer();
        stage.goes(first, State::Listen, Why::Timer(Timer::Retransmit));
        let usage = Usage {
            half_open: 1,
            ..with_connections(1)
        };
        // The backlog bounds another queue.
        stage.sample(B, &usage, &[listener_row(listener, 0, 1)]);
        stage.sample(B, &usage, &[listener_row(listener, 0, 1)]);
        assert_eq!(stage.findings().len(), complaints, "{:?}", stage.findings());
    }
}

#[test]
fn an_accept_queue_beyond_the_backlog_is_a_violation() {
    let mut stage = stage();
    let listener = stage.listen(B);
    stage.sample(B, &with_connections(0), &[listener_row(listener, 5, 5)]);
    stage.assert_silent();
    stage.sample(B, &with_connections(0), &[listener_row(listener, 6, 5)]);
    stage.assert_violation("6 connections wait on port 80, 5 may");
}

#[test]
fn an_established_child_waits_until_it_is_accepted() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (_, server) = stage.handshake(listener, 100, 300);
    let accepted = UserEvent::Accepted {
        connection: server.connection,
    };
    stage.sample(B, &waiting(1, 1), &[listener_row(listener, 1, 5)]);
    stage.user(B, accepted);
    stage.sample(B, &waiting(1, 0), &[listener_row(listener, 0, 5)]);
    stage.assert_silent();
    stage.sample(B, &waiting(1, 1), &[listener_row(listener, 1, 5)]);
    stage.assert_violation("holds 1 connections to be accepted, 0 live");
}

#[test]
fn timer_entries_that_pile_up_are_a_violation() {
    let mut stage = stage();
    let listener = stage.listen(B);
    stage.handshake(listener, 100, 300);
    for (entries, silent) in [(132, true), (133, false)] {
        let usage = Usage {
            timer_entries: entries,
            ..waiting(1, 1)
        };
        stage.sample(B, &usage, &[]);
        assert_eq!(stage.findings().is_empty(), silent);
    }
    stage.assert_violation("133 timer entries, 132 at most");
}

#[test]
fn buffers_beyond_the_configuration_are_a_violation() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (_, server) = stage.handshake(listener, 100, 300);
    let vars = stage.vars(server);
    (vars.unread, vars.out_of_order, vars.out_of_order_blocks) = (WINDOW - 1, 1, 64);
    stage.snapshot(server);
    stage.assert_silent();
    stage.vars(server).out_of_order_blocks = 65;
    stage.snapshot(server);
    stage.assert_violation("65 blocks out of order, 64 at most");
    stage.vars(server).unread = WINDOW;
    stage.vars(server).unsent = 70_000;
    stage.snapshot(server);
    stage.assert_violation("octets to be read");
    stage.assert_violation("octets to be sent");
}

fn set(stage: &mut Stage, server: Incarnation, receive: u32) {
    let send = stage.vars(server).send_buffer;
    stage.user(
        B,
        UserEvent::Buffers {
            connection: server.connection,
            receive,
            send,
        },
    );
}

#[test]
fn buffers_that_are_not_as_the_user_has_set_them_are_a_violation() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (_, server) = stage.handshake(listener, 100, 300);
    set(&mut stage, server, 2000);
    stage.vars(server).receive_buffer = 2000;
    stage.snapshot(server);
    stage.assert_silent();
    stage.vars(server).receive_buffer = WINDOW;
    stage.snapshot(server);
    stage.assert_violation("set are (2000, 65536)");
}

#[test]
fn buffers_that_nobody_has_set_are_a_violation() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (_, server) = stage.handshake(listener, 100, 300);
    stage.vars(server).receive_buffer = WINDOW + 1;
    stage.snapshot(server);
    stage.assert_violation("buffers of (10001, 65536) octets");
}

#[test]
fn a_smaller_buffer_may_hold_what_the_larger_one_has_promised() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (_, server) = stage.handshake(listener, 100, 300);
    set(&mut stage, server, 100);
    let vars = stage.vars(server);
    (vars.receive_buffer, vars.unread) = (100, WINDOW);
    stage.snapshot(server);
    stage.assert_silent();
    stage.vars(server).unread = WINDOW + 1;
    stage.snapshot(server);
    stage.assert_violation("octets to be read");
}

/// The larger buffer was seen when a segment came; the user had set another before the snapshot.
#[test]
fn a_buffer_made_smaller_before_the_snapshot_may_hold_what_was_promised() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    let text = stage.send_text(client, 10);
    stage.deliver(&text);
    let before = stage.vars(server).clone();
    let after = Vars {
        receive_buffer: 2 * WINDOW,
        ..before.clone()
    };
    stage.arrival(Some(server), B, before, after);
    set(&mut stage, server, 100);
    let vars = stage.vars(server);
    (vars.receive_buffer, vars.unread) = (100, 2 * WINDOW);
    stage.snapshot(server);
    stage.assert_silent();
}

#[test]
fn a_scoreboard_beyond_its_bound_is_a_violation() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (_, server) = stage.handshake(listener, 100, 300);
    let board = |segments, work| {
        Some(SackVars {
            segments,
            work,
            ..SackVars::default()
        })
    };
    stage.vars(server).sack = board(2048, 12_288);
    stage.snapshot(server);
    stage.assert_silent();
    stage.vars(server).sack = board(2049, 12_288);
    stage.snapshot(server);
    stage.assert_violation("2049 segments on the scoreboard, 2048 at most");
    stage.vars(server).sack = board(2048, 12_289);
    stage.snapshot(server);
    stage.assert_violation("12289 segments looked at for one ACK");
}

#[test]
fn a_time_wait_table_beyond_its_limit_is_a_violation() {
    let mut stage = stage();
    let usage = Usage {
        time_waits: (1 << 20) + 1,
        ..Usage::default()
    };
    stage.sample(B, &usage, &[]);
    stage.assert_violation("TIME-WAIT records, 1048576 at most");
}

#[test]
fn an_aborted_listener_leaves_nothing() {
    let mut stage = stage();
    let listener = stage.listen(B);
    stage.by_user();
    stage.goes(listener, State::Closed, Why::User(Call::Close));
    stage.sample(B, &Usage::default(), &[]);
    stage.assert_silent();
    stage.sample(
        B,
        &Usage {
            ports: 1,
            ..Usage::default()
        },
        &[],
    );
    stage.assert_violation("holds 1 ports after everything has ended");
}
