mod cookies;
mod legal;

use super::OldDuplicates;
use crate::event::UserEvent;
use crate::facts::{Circumstances, Facts};
use crate::label::Incarnation;
use crate::staging::{
    A, B, MSL, Seg, Stage, acked_all, circumstances, established, seg, took_fin, took_text,
};
use timewait_sim::{Duration, Packet, Part};
use timewait_stack::event::{Call, Cause as Why, Timer};
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, State};

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);

/// A connection between a client on A and a server on B, of which 100 octets at SEQ 1001 with ACK
/// 5001 were copied on their way to the server; and the next connection between the same ends.
struct Churn {
    stage: Stage,
    listener: Incarnation,
    client: Incarnation,
    server: Incarnation,
    copy: Packet,
}

impl Churn {
    /// The first connection, still open.
    fn new() -> Self {
        Self::under(circumstances())
    }

    fn under(circumstances: Circumstances) -> Self {
        let mut stage = Stage::under(circumstances, vec![Box::<OldDuplicates>::default()]);
        let listener = stage.listen(B);
        let (client, server) = stage.handshake(listener, 1000, 5000);
        let copy = stage.send_text(client, 100);
        stage.pass_ms(1);
        stage.take(server, &copy, |v| took_text(v, 100));
        let ack = stage.send_ack(server);
        stage.take(client, &ack, acked_all);
        stage.held_by(7);
        Self {
            stage,
            listener,
            client,
            server,
            copy,
        }
    }

    /// The client closes first and keeps a TIME-WAIT that is much too short.
    fn cut_short() -> Self {
        let mut churn = Self::new();
        churn.stage.close_in_turn(churn.client, churn.server);
        churn.end_time_wait();
        churn
    }

    fn end_time_wait(&mut self) {
        self.stage.by_timer();
        self.stage
            .goes(self.client, State::Closed, Why::Timer(Timer::TimeWait));
    }

    /// The next server gets the copy, for which its window is open, and holds it.
    fn accept_copy(&mut self) -> Incarnation {
        self.stage.pass_ms(10);
        let (_, server) = self.stage.handshake(self.listener, 900, 6000);
        let copy = self.copy.clone();
        self.stage.take(server, &copy, |v| v.out_of_order = 100);
        server
    }
}

/// The tests that need no connection before.
fn stage() -> Stage {
    Stage::new(vec![Box::<OldDuplicates>::default()])
}

fn syn(iss: u32) -> Seg {
    seg(Flags::SYN).seq(iss)
}

fn facts(stage: &Stage) -> &Facts {
    stage.facts()
}

#[test]
fn an_old_duplicate_accepted_after_a_short_time_wait_is_a_violation() {
    let mut churn = Churn::cut_short();
    churn.accept_copy();
    churn.stage.assert_violation("every assumption holds");
    let said = churn.stage.findings().concat();
    for part in [
        "datagram 2 of h0",
        "sent by h0#1",
        "held by router r7",
        "h1#3 in ESTABLISHED",
        "octets held",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let coverage = facts(&churn.stage).coverage();
    assert_eq!(
        (
            coverage.old_delivered,
            coverage.old_in_window,
            coverage.old_accepted
        ),
        (1, 1, 1)
    );
}

#[test]
fn the_same_duplicate_dropped_is_no_finding() {
    let mut churn = Churn::cut_short();
    churn.stage.pass_ms(10);
    let (_, server) = churn.stage.handshake(churn.listener, 900, 6000);
    churn.stage.ignore(server, &churn.copy.clone());
    churn.stage.assert_silent();
    let coverage = facts(&churn.stage).coverage();
    assert_eq!(
        (
            coverage.old_delivered,
            coverage.old_in_window,
            coverage.old_accepted
        ),
        (1, 1, 0)
    );
}

#[test]
fn what_the_reference_refuses_is_a_violation_whatever_assumption_is_broken() {
    let mut churn = Churn::cut_short();
    churn.stage.pass_ms(60_000);
    let (_, server) = churn.stage.handshake(churn.listener, 500_000, 6000);
    let copy = churn.copy.clone();
    churn.stage.take(server, &copy, |v| v.out_of_order = 100);
    churn
        .stage
        .assert_violation("the checks allow no such thing");
}

#[test]
fn a_rogue_network_is_hazard_e1() {
    let mut churn = Churn::cut_short();
    churn.stage.pass_ms(1000);
    churn.accept_copy();
    churn.stage.assert_hazard("E1");
}

#[test]
fn a_crash_is_hazard_e2() {
    let mut churn = Churn::new();
    churn.stage.crash(B);
    churn.stage.boot(B);
    churn.listener = churn.stage.listen(B);
    churn.accept_copy();
    churn.stage.assert_hazard("E2");
}

/// The client's host crashes, boots again and opens at once.
fn reopened_after_a_crash(quiet: Option<Duration>) -> Stage {
    let mut circumstances = circumstances();
    let mut config = circumstances.hosts[&A].clone();
    config.quiet_time = quiet;
    circumstances.reboots.insert((A, 1), config);
    let mut churn = Churn::under(circumstances);
    churn.stage.crash(A);
    churn.stage.boot(A);
    churn.accept_copy();
    churn.stage
}

#[test]
fn who_was_told_to_keep_quiet_after_a_crash_is_not_excused_by_it() {
    reopened_after_a_crash(None).assert_hazard("E2");
    reopened_after_a_crash(Some(MSL / 2)).assert_hazard("E2");
    reopened_after_a_crash(Some(MSL)).assert_violation("every assumption holds");
}

#[test]
fn an_abort_is_hazard_e3() {
    let mut churn = Churn::new();
    churn.stage.by_user();
    churn.stage.user(
        A,
        UserEvent::Aborted {
            connection: churn.client.connection,
        },
    );
    churn
        .stage
        .goes(churn.client, State::Closed, Why::User(Call::Abort));
    churn
        .stage
        .goes(churn.server, State::Closed, Why::User(Call::Abort));
    churn.accept_copy();
    churn.stage.assert_hazard("E3");
}

#[test]
fn a_time_wait_that_never_was_is_no_excuse() {
    let mut churn = Churn::new();
    let Churn {
        stage,
        client,
        server,
        ..
    } = &mut churn;
    let (client, server) = (*client, *server);
    let fin = stage.fin(client, State::FinWait1);
    stage.take(server, &fin, |v| {
        v.state = State::CloseWait;
        took_fin(v);
    });
    let fin = stage.fin(server, State::LastAck);
    stage.take(client, &fin, |v| v.state = State::Closed);
    let ack = stage.send_ack(client);
    stage.take(server, &ack, |v| v.state = State::Closed);
    churn.accept_copy();
    churn.stage.assert_violation("every assumption holds");
}

#[test]
fn an_orphan_in_last_ack_is_hazard_e4() {
    let mut churn = Churn::new();
    let Churn {
        stage,
        client,
        server,
        ..
    } = &mut churn;
    let (client, server) = (*client, *server);
    let fin = stage.fin(client, State::FinWait1);
    stage.take(server, &fin, |v| {
        v.state = State::CloseWait;
        took_fin(v);
    });
    let late = stage.fin(server, State::LastAck);
    stage.take(client, &late, |v| {
        v.state = State::TimeWait;
        took_fin(v);
    });
    stage.pass_ms(2000);
    churn.end_time_wait();
    let Churn {
        stage, listener, ..
    } = &mut churn;
    let again = stage.send(server, seg(Flags::FIN | Flags::ACK).seq(5001).ack(1102));
    let next = stage.connect(A, 1100);
    let syn = stage.send(next, syn(1100));
    stage.by_timer();
    stage.goes(server, State::Closed, Why::Timer(Timer::Retransmit));
    let child = stage.child(*listener, &syn, 4990);
    let syn_ack = stage.send(child, seg(SYN_ACK).seq(4990).ack(1101));
    stage.take(next, &syn_ack, |v| established(v, 1101, 4990));
    stage.vars(next).snd_nxt += 1;
    stage.take(next, &again, |v| v.out_of_order = 1);
    stage.assert_hazard("E4");
}

#[test]
fn a_rst_that_answers_something_old_is_hazard_e9() {
    let mut churn = Churn::cut_short();
    let Churn {
        stage,
        listener,
        client,
        ..
    } = &mut churn;
    stage.pass_ms(10);
    let old = stage.send(*client, seg(Flags::ACK).seq(1001).ack(6101));
    let (client, server) = stage.handshake(*listener, 900, 6000);
    // The new server answers an old ACK of what it never sent; the answer fits the client.
    stage.deliver(&old);
    stage.judged(server, |_| {});
    let reset = stage.echo(&old, seg(Flags::RST).seq(6001));
    stage.take(client, &reset, |v| v.state = State::Closed);
    stage.assert_hazard("E9");
}

#[test]
fn an_ack_born_late_in_time_wait_is_hazard_e9() {
    let mut churn = Churn::new();
    churn.stage.close_in_turn(churn.client, churn.server);
    churn.stage.pass_ms(1900);
    let late = churn.stage.send_ack(churn.client);
    churn.stage.pass_ms(100);
    churn.end_time_wait();
    let (_, server) = churn.stage.handshake(churn.listener, 900, 4990);
    churn.stage.vars(server).snd_nxt += 100;
    churn
        .stage
        .take(server, &late, |v| v.snd_una = SeqNumber(5002));
    churn.stage.assert_hazard("E9");
}

#[test]
fn two_incarnations_in_one_tick_are_hazard_e11() {
    let mut churn = Churn::cut_short();
    let opened = facts(&churn.stage).life(churn.server).unwrap().opened_at;
    churn.stage.turn_back_to(opened);
    let listener = churn.listener;
    let syn = {
        let client = churn.stage.connect(A, 900);
        churn.stage.send(client, syn(900))
    };
    let server = churn.stage.child(listener, &syn, 6000);
    let client = Incarnation::from_tag(syn.tag);
    let syn_ack = churn.stage.send(server, seg(SYN_ACK).seq(6000).ack(901));
    churn
        .stage
        .take(client, &syn_ack, |v| established(v, 901, 6000));
    let ack = churn.stage.send_ack(client);
    churn
        .stage
        .take(server, &ack, |v| established(v, 6001, 900));
    let copy = churn.copy.clone();
    churn.stage.take(server, &copy, |v| v.out_of_order = 100);
    churn.stage.assert_hazard("E11");
}

/// A SYN with TSval 101 reopens the server's TIME-WAIT. The next server accepts 100 octets of the
/// old client with the same TSval, sent so many milliseconds before that SYN.
fn accepted_with_the_tsval_of_the_syn(ms_before: u64) -> Stage {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake_stamped(listener, 1000, 5000);
    stage.close_in_turn(server, client);
    let text = seg(Flags::ACK).seq(1001).ack(5001).stamp(101, 200);
    let copy = stage.send(client, text.text(vec![0; 100]));
    stage.pass_ms(ms_before);
    let second = stage.connect(A, 900);
    let syn_2 = stage.send(second, syn(900).stamp(101, 0));
    let reopened = stage.reopen(server, &syn_2, 6000);
    let syn_ack = seg(SYN_ACK).seq(6000).ack(901).stamp(201, 101);
    let syn_ack = stage.send(reopened, syn_ack);
    stage.take(second, &syn_ack, |v| {
        established(v, 901, 6000);
        v.ts_recent = Some(201);
    });
    let ack = seg(Flags::ACK).seq(901).ack(6001).stamp(101, 201);
    let ack = stage.send(second, ack);
    stage.take(reopened, &ack, |v| established(v, 6001, 900));
    stage.transition(server, State::TimeWait, State::Closed, Why::Replaced);
    stage.take(reopened, &copy, |v| v.out_of_order = 100);
    stage
}

#[test]
fn a_timestamp_of_the_tick_of_the_syn_is_hazard_e11_and_an_older_one_is_not() {
    accepted_with_the_tsval_of_the_syn(0).assert_hazard("E11");
    accepted_with_the_tsval_of_the_syn(1).assert_violation("every assumption holds");
}

#[test]
fn with_timestamps_too_a_replay_of_the_whole_handshake_is_a_violation() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake_stamped(listener, 1000, 5000);
    let text = seg(Flags::ACK).seq(1001).ack(5001).stamp(101, 200);
    let copy = stage.send(client, text.text(vec![0; 100]));
    stage.close_in_turn(client, server);
    stage.pass_ms(500);
    let old_syn = stage.send(client, syn(1000).stamp(100, 0));
    let child = stage.child(listener, &old_syn, 5000);
    let syn_ack = seg(SYN_ACK).seq(5000).ack(1001).stamp(700, 100);
    stage.send(child, syn_ack);
    stage.take(child, &copy, |v| {
        established(v, 5001, 1000);
        took_text(v, 100);
    });
    stage.assert_violation("is established by");
}

#[test]
fn a_time_wait_replaced_by_one_that_was_aborted_is_hazard_e3() {
    let mut churn = Churn::new();
    let Churn {
        stage,
        listener,
        client,
        server,
        copy,
    } = &mut churn;
    // This time the server closes first, and the client reopens its TIME-WAIT.
    stage.close_in_turn(*server, *client);
    stage.pass_ms(1);
    let second = stage.connect(A, 2000);
    let syn_2 = stage.send(second, syn(2000));
    let reopened = stage.reopen(*server, &syn_2, 6000);
    let syn_ack = stage.send(reopened, seg(SYN_ACK).seq(6000).ack(2001));
    stage.take(second, &syn_ack, |v| established(v, 2001, 6000));
    let ack = stage.send_ack(second);
    stage.take(reopened, &ack, |v| established(v, 6001, 2000));
    stage.transition(*server, State::TimeWait, State::Closed, Why::Replaced);
    for (host, end) in [(A, second), (B, reopened)] {
        stage.by_user();
        stage.user(
            host,
            UserEvent::Aborted {
                connection: end.connection,
            },
        );
        stage.goes(end, State::Closed, Why::User(Call::Abort));
    }
    stage.pass_ms(1);
    let (_, third) = stage.handshake(*listener, 900, 6100);
    stage.take(third, copy, |v| v.out_of_order = 100);
    stage.assert_hazard("E3");
}

#[test]
fn a_replay_of_the_whole_handshake_with_the_same_isn_is_a_violation() {
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
    let child = stage.child(*listener, &old_syn, 5000);
    stage.take(child, copy, |v| {
        established(v, 5001, 1000);
        took_text(v, 100);
    });
    stage.assert_violation("is established by");
    let mut octets = vec![0; 100];
    crate::content::fill(*client, 0, &mut octets);
    stage.user(
        B,
        UserEvent::Received {
            connection: child.connection,
            offset: 0,
            octets,
        },
    );
    stage.assert_violation("the user of");
}

#[test]
fn where_the_isn_clock_was_outrun_a_replay_is_a_hazard() {
    let mut churn = Churn::new();
    let Churn {
        stage,
        listener,
        client,
        server,
        copy,
    } = &mut churn;
    stage.vars(*server).snd_nxt += 200_000;
    stage.vars(*server).snd_una += 200_000;
    stage.vars(*client).rcv_nxt += 200_000;
    stage.close_in_turn(*client, *server);
    stage.pass_ms(500);
    let old_syn = stage.send(*client, syn(1000));
    let child = stage.child(*listener, &old_syn, 5000);
    stage.take(child, copy, |v| {
        established(v, 5001, 1000);
        took_text(v, 100);
    });
    stage.assert_hazard("ISN outrun");
}

#[test]
fn octets_of_an_old_incarnation_are_recognised_when_the_user_gets_them() {
    let mut churn = Churn::cut_short();
    let server = churn.accept_copy();
    let before = churn.stage.findings().len();
    let mut octets = vec![0; 200];
    let client = facts(&churn.stage).pair_of(server).unwrap();
    crate::content::fill(client, 0, &mut octets);
    let connection = server.connection;
    churn.stage.user(
        B,
        UserEvent::Received {
            connection,
            offset: 0,
            octets: octets.clone(),
        },
    );
    assert_eq!(
        churn.stage.findings().len(),
        before,
        "the pair's own octets"
    );
    crate::content::fill(churn.client, 0, &mut octets[100..]);
    churn.stage.user(
        B,
        UserEvent::Received {
            connection,
            offset: 0,
            octets,
        },
    );
    churn
        .stage
        .assert_violation("the user of h1#3 got octets from datagram 2 of h0");
}

#[test]
fn an_end_of_file_from_an_old_fin_is_recognised() {
    let mut churn = Churn::new();
    let Churn {
        stage,
        listener,
        client,
        server,
        ..
    } = &mut churn;
    let old_fin = stage.send(*client, seg(Flags::FIN | Flags::ACK).seq(1101).ack(5001));
    stage.close_in_turn(*client, *server);
    stage.by_timer();
    stage.goes(*client, State::Closed, Why::Timer(Timer::TimeWait));
    stage.pass_ms(10);
    let (_, next) = stage.handshake(*listener, 1100, 5500);
    stage.take(next, &old_fin, |v| {
        v.state = State::CloseWait;
        took_fin(v);
    });
    stage.user(
        B,
        UserEvent::EndOfFile {
            connection: next.connection,
            offset: 0,
        },
    );
    stage.assert_violation("got its end of file from");
}

#[test]
fn octets_of_two_incarnations_in_one_segment_are_a_hazard() {
    let mut churn = Churn::cut_short();
    let Packet { id, born, .. } = churn.copy;
    let another = Incarnation {
        connection: timewait_stack::ConnectionId(77),
        ..churn.client
    };
    for tag in [churn.client, another].map(Incarnation::tag) {
        churn.copy.parts.push(Part { id, born, tag });
    }
    churn.accept_copy();
    churn.stage.assert_hazard("E12");
}

#[test]
fn a_port_of_a_nat_that_changes_hands_is_a_hazard() {
    let mut churn = Churn::under(Circumstances {
        translates: true,
        ..circumstances()
    });
    churn.stage.close_in_turn(churn.client, churn.server);
    churn.end_time_wait();
    churn
        .stage
        .translate(A, "10.0.0.9:1000".parse().expect("an end"));
    churn.accept_copy();
    churn.stage.assert_hazard("E8");
}

#[test]
fn behind_a_nat_an_old_duplicate_of_the_same_end_is_a_violation() {
    let mut churn = Churn::under(Circumstances {
        translates: true,
        ..circumstances()
    });
    churn.stage.close_in_turn(churn.client, churn.server);
    churn.end_time_wait();
    churn.accept_copy();
    churn.stage.assert_violation("every assumption holds");
}
