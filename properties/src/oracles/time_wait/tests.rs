use super::TimeWait;
use crate::clock::Clock;
use crate::facts::Circumstances;
use crate::label::Incarnation;
use crate::staging::{A, B, Stage, circumstances, established, seg};
use timewait_stack::State;
use timewait_stack::event::{Call, Cause, Timer};
use timewait_stack::wire::Flags;

/// A connection that the server closed first: it is in TIME-WAIT since 6 ms, the client is done
/// since 7 ms. 2MSL are 2 s.
fn waiting() -> (Stage, Incarnation, Incarnation) {
    waiting_under(circumstances())
}

fn waiting_under(circumstances: Circumstances) -> (Stage, Incarnation, Incarnation) {
    let mut stage = Stage::under(circumstances, vec![Box::<TimeWait>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 1000, 5000);
    stage.close_in_turn(server, client);
    (stage, client, server)
}

fn expires(stage: &mut Stage, f: Incarnation) {
    stage.by_timer();
    stage.goes(f, State::Closed, Cause::Timer(Timer::TimeWait));
}

/// The client's next SYN, with this ISS, reopens the server's TIME-WAIT with the other.
fn reopen(
    stage: &mut Stage,
    server: Incarnation,
    syn: u32,
    iss: u32,
) -> (Incarnation, Incarnation) {
    let next = stage.connect(A, syn);
    let packet = stage.send(next, seg(Flags::SYN).seq(syn));
    let new = stage.reopen(server, &packet, iss);
    stage.send(new, seg(Flags::SYN | Flags::ACK).seq(iss).ack(syn + 1));
    (next, new)
}

#[test]
fn two_msl_after_the_entry_is_right_and_any_other_time_is_not() {
    for (ms, fine) in [(0, false), (1998, false), (1999, true), (2001, false)] {
        let (mut stage, _, server) = waiting();
        stage.pass_ms(ms);
        expires(&mut stage, server);
        assert_eq!(
            stage.findings().is_empty(),
            fine,
            "{ms}: {:?}",
            stage.findings()
        );
    }
}

#[test]
fn the_peers_fin_restarts_the_clock() {
    for (ms, fine) in [(1000, false), (1999, false), (2000, true), (2002, false)] {
        let (mut stage, client, server) = waiting();
        stage.pass_ms(1000);
        let again = stage.send(client, seg(Flags::FIN | Flags::ACK).seq(1001).ack(5002));
        stage.ignore(server, &again);
        stage.send_ack(server);
        stage.pass_ms(ms);
        expires(&mut stage, server);
        assert_eq!(
            stage.findings().is_empty(),
            fine,
            "{ms}: {:?}",
            stage.findings()
        );
    }
}

#[test]
fn plain_old_text_may_restart_the_clock_if_it_is_answered_and_need_not() {
    for (ms, answered, fine) in [(999, true, true), (1999, true, true), (1999, false, false)] {
        let (mut stage, client, server) = waiting();
        stage.pass_ms(1000);
        let old = stage.send(client, seg(Flags::ACK).seq(900).ack(5002).text(vec![0; 10]));
        stage.ignore(server, &old);
        if answered {
            stage.send_ack(server);
        }
        stage.pass_ms(ms);
        expires(&mut stage, server);
        assert_eq!(
            stage.findings().is_empty(),
            fine,
            "{ms}: {:?}",
            stage.findings()
        );
    }
}

#[test]
fn only_abort_ends_it_early() {
    let (mut stage, _, server) = waiting();
    stage.by_user();
    stage.goes(server, State::Closed, Cause::User(Call::Abort));
    stage.assert_silent();
    let (mut stage, client, server) = waiting();
    let reset = stage.send(client, seg(Flags::RST).seq(1002));
    stage.take(server, &reset, |v| v.state = State::Closed);
    stage.assert_violation("which must not end it");
}

#[test]
fn a_record_is_pushed_out_of_a_full_table_only() {
    let (mut stage, _, server) = waiting();
    stage.goes(server, State::Closed, Cause::Replaced);
    stage.assert_violation("a TIME-WAIT table with room");

    let mut full = circumstances();
    full.hosts
        .values_mut()
        .for_each(|config| config.time_wait_max = 1);
    let mut stage = Stage::under(full, vec![Box::<TimeWait>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 1000, 5000);
    stage.close_in_turn(server, client);
    stage.goes(server, State::Closed, Cause::Replaced);
    stage.assert_silent();
}

#[test]
fn one_that_never_ends_is_found_at_the_end() {
    let (mut stage, _, _) = waiting();
    stage.pass_ms(1999);
    stage.finish();
    stage.assert_silent();
    stage.pass_ms(2);
    stage.finish();
    stage.assert_violation("still in TIME-WAIT");
}

#[test]
fn a_syn_reopens_only_beyond_rcv_nxt() {
    for (syn, fine) in [(1000, false), (1002, false), (1003, true)] {
        let (mut stage, _, server) = waiting();
        reopen(&mut stage, server, syn, 6000);
        assert_eq!(
            stage.findings().is_empty(),
            fine,
            "{syn}: {:?}",
            stage.findings()
        );
    }
}

#[test]
fn a_reopened_connection_starts_beyond_the_old_snd_nxt() {
    for (iss, fine) in [(5000, false), (5002, false), (5003, true)] {
        let (mut stage, _, server) = waiting();
        reopen(&mut stage, server, 2000, iss);
        assert_eq!(
            stage.findings().is_empty(),
            fine,
            "{iss}: {:?}",
            stage.findings()
        );
    }
}

#[test]
fn a_proved_connection_replaces_the_record_and_no_other_does() {
    for proved in [true, false] {
        let (mut stage, _, server) = waiting();
        let (next, new) = reopen(&mut stage, server, 2000, 6000);
        if proved {
            let ack = stage.send(next, seg(Flags::ACK).seq(2001).ack(6001));
            stage.deliver(&ack);
            stage.judged(new, |v| established(v, 6001, 2000));
        }
        stage.transition(server, State::TimeWait, State::Closed, Cause::Replaced);
        assert_eq!(
            stage.findings().is_empty(),
            proved,
            "{:?}",
            stage.findings()
        );
    }
}

#[test]
fn what_returns_keeps_its_time() {
    for (ms, fine) in [(1898, false), (1899, true), (2000, true), (2002, false)] {
        let (mut stage, _, server) = waiting();
        let (next, new) = reopen(&mut stage, server, 2000, 6000);
        stage.pass_ms(100);
        let reset = stage.send(next, seg(Flags::RST).seq(2001));
        stage.take(new, &reset, |v| v.state = State::TimeWait);
        stage.pass_ms(ms);
        stage.by_timer();
        stage.transition(
            server,
            State::TimeWait,
            State::Closed,
            Cause::Timer(Timer::TimeWait),
        );
        assert_eq!(
            stage.findings().is_empty(),
            fine,
            "{ms}: {:?}",
            stage.findings()
        );
    }
}

#[test]
fn what_is_not_proved_must_return() {
    for (ms, fine) in [(0, false), (3000, true)] {
        let (mut stage, _, server) = waiting();
        let (next, new) = reopen(&mut stage, server, 2000, 6000);
        stage.pass_ms(ms);
        let reset = stage.send(next, seg(Flags::RST).seq(2001));
        stage.take(new, &reset, |v| v.state = State::Closed);
        assert_eq!(stage.findings().is_empty(), fine, "{:?}", stage.findings());
    }
}

/// By a clock that gains 500 parts in a million 2MSL of 2 s are over after 1.9990005 s of true time.
#[test]
fn two_msl_are_those_of_the_hosts_clock() {
    let clock = Clock {
        offset: timewait_sim::Duration::from_secs(7),
        drift_ppm: 500,
    };
    for (us, fine) in [(1_998_000, false), (1_998_001, true), (2_000_000, false)] {
        let (mut stage, _, server) = waiting_under(Circumstances {
            clocks: [(B, clock)].into(),
            ..circumstances()
        });
        stage.pass(timewait_sim::Duration::from_micros(us));
        expires(&mut stage, server);
        let findings = stage.findings();
        assert_eq!(findings.is_empty(), fine, "{us}: {findings:?}");
    }
}

#[test]
fn time_wait_lasts_until_its_host_goes_on_and_no_longer() {
    let at = |ms: u64| timewait_sim::Instant::from_nanos(ms * 1_000_000);
    for (ms, fine) in [(2993, true), (2995, false)] {
        let (mut stage, _, server) = waiting_under(Circumstances {
            pauses: [(B, vec![(at(1000), at(3000))])].into(),
            ..circumstances()
        });
        stage.pass_ms(ms);
        expires(&mut stage, server);
        let findings = stage.findings();
        assert_eq!(findings.is_empty(), fine, "{ms}: {findings:?}");
    }
}
