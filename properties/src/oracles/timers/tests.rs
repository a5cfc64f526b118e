//! Runs in which `timers` must speak, and runs in which it must not. The rules themselves are
//! tested next to each; here they meet events.

use timewait_sim::Duration;
use timewait_sim::Instant as World;
use timewait_stack::event::{Cause as Why, Timer};
use timewait_stack::wire::Flags;
use timewait_stack::{Event, Instant, SeqNumber, State};

use super::Timers;
use crate::clock::Clock;
use crate::facts::Circumstances;
use crate::label::Incarnation;
use crate::staging::{A, B, Stage, circumstances, fresh, seg};

/// The moment `ms` milliseconds after the start.
fn at(ms: u64) -> Option<Instant> {
    Some(Instant::from_nanos(ms * 1_000_000))
}

/// A client that has sent its SYN at 0 and waits for one second.
fn opening() -> (Stage, Incarnation) {
    opening_under(circumstances())
}

fn opening_under(circumstances: Circumstances) -> (Stage, Incarnation) {
    let mut stage = Stage::under(circumstances, vec![Box::<Timers>::default()]);
    let client = stage.opened(A);
    *stage.vars(client) = fresh(100);
    stage.goes(
        client,
        State::SynSent,
        Why::User(timewait_stack::event::Call::Connect),
    );
    stage.send(client, seg(Flags::SYN).seq(100));
    let vars = stage.vars(client);
    vars.rto = Duration::from_secs(1);
    vars.timers.retransmit = at(1000);
    stage.snapshot(client);
    (stage, client)
}

fn expires(stage: &mut Stage, client: Incarnation, count: u32, rto: u64, next: u64) {
    stage.timer(client, Timer::Retransmit, count);
    let vars = stage.vars(client);
    vars.rto = Duration::from_millis(rto);
    vars.timers.retransmit = at(next);
}

#[test]
fn a_syn_repeated_by_a_doubled_timeout_is_silent() {
    let (mut stage, client) = opening();
    for (count, after, rto, next) in [(1, 1000, 2000, 3000), (2, 2000, 4000, 7000)] {
        stage.pass_ms(after);
        expires(&mut stage, client, count, rto, next);
        stage.send(client, seg(Flags::SYN).seq(100));
        stage.snapshot(client);
    }
    stage.finish();
    stage.assert_silent();
}

#[test]
fn an_expiry_that_repeats_nothing_is_a_violation() {
    let (mut stage, client) = opening();
    stage.pass_ms(1000);
    expires(&mut stage, client, 1, 2000, 3000);
    stage.send(client, seg(Flags::ACK).seq(101));
    stage.snapshot(client);
    stage.assert_violation("what it is for was not sent");
}

#[test]
fn an_expiry_before_its_time_is_a_violation() {
    let (mut stage, client) = opening();
    stage.pass_ms(900);
    stage.timer(client, Timer::Retransmit, 1);
    stage.assert_violation("the Retransmit timer expires, it was armed for");
}

#[test]
fn a_timer_that_sleeps_through_its_deadline_is_a_violation() {
    let (mut stage, _) = opening();
    stage.pass_ms(1001);
    stage.finish();
    stage.assert_violation("slept 1ms past its deadline");
}

#[test]
fn a_sample_of_a_repeated_syn_is_a_violation() {
    let (mut stage, client) = opening();
    stage.pass_ms(1000);
    expires(&mut stage, client, 1, 2000, 3000);
    stage.send(client, seg(Flags::SYN).seq(100));
    stage.snapshot(client);
    stage.pass_ms(5);
    let (connection, seq) = (client.connection, SeqNumber(100));
    stage.event(
        A,
        Event::RttSample {
            connection,
            seq,
            rtt: Duration::from_millis(1005),
        },
    );
    stage.assert_violation("octet 100, which was sent twice");
}

#[test]
fn giving_up_before_r2_is_a_violation() {
    for (ms, complaints) in [(179_999, 1), (180_000, 0)] {
        let (mut stage, client) = opening();
        stage.pass_ms(ms);
        stage.by_timer();
        stage.goes(client, State::Closed, Why::Timer(Timer::Retransmit));
        assert_eq!(stage.findings().len(), complaints, "{:?}", stage.findings());
    }
}

/// ESTABLISHED with ten octets outstanding and no timer.
fn forgets_its_timer(v: &mut timewait_stack::Vars) {
    v.state = State::Established;
    (v.snd_una, v.snd_nxt, v.snd_wnd) = (SeqNumber(101), SeqNumber(111), 1000);
    v.timers.retransmit = None;
}

#[test]
fn outstanding_text_without_a_timer_is_a_violation() {
    let (mut stage, client) = opening();
    forgets_its_timer(stage.vars(client));
    stage.snapshot(client);
    stage.assert_violation("the Retransmit timer does not run, with 10 outstanding");
}

#[test]
fn what_follows_damage_that_the_checksum_missed_is_a_hazard() {
    let (mut stage, client) = opening();
    let server = stage.opened(B);
    let syn_ack = seg(Flags::SYN | Flags::ACK).seq(300).ack(101);
    let syn_ack = stage.send(server, syn_ack);
    stage.deliver_damaged(&syn_ack, true);
    stage.judged(client, forgets_its_timer);
    stage.assert_hazard("E6");
}

/// The moment `ns` nanoseconds after the start, in true time.
fn true_time(ns: u64) -> World {
    World::from_nanos(ns)
}

#[test]
fn who_stands_still_is_late_until_it_goes_on_and_no_longer() {
    let pause = (true_time(900_000_000), true_time(5_000_000_000));
    for (late_ms, fine) in [(5000, true), (5001, false)] {
        let (mut stage, client) = opening_under(Circumstances {
            pauses: [(A, vec![pause])].into(),
            ..circumstances()
        });
        stage.pass_ms(late_ms);
        expires(&mut stage, client, 1, 2000, late_ms + 2000);
        stage.send(client, seg(Flags::SYN).seq(100));
        stage.snapshot(client);
        match fine {
            true => stage.assert_silent(),
            false => stage.assert_violation("slept 1ms past its deadline"),
        }
    }
}

#[test]
fn a_pause_of_another_host_or_at_another_time_excuses_nothing() {
    let pause = (true_time(1_000_000_001), true_time(5_000_000_000));
    let early = (true_time(900_000_000), true_time(1_000_000_000));
    for pauses in [
        (B, vec![(early.0, pause.1)]),
        (A, vec![pause]),
        (A, vec![early]),
    ] {
        let (mut stage, client) = opening_under(Circumstances {
            pauses: [pauses].into(),
            ..circumstances()
        });
        stage.pass_ms(5000);
        expires(&mut stage, client, 1, 2000, 7000);
        stage.send(client, seg(Flags::SYN).seq(100));
        stage.snapshot(client);
        stage.assert_violation("slept 4s past its deadline");
    }
}

#[test]
fn a_host_is_judged_by_its_own_clock() {
    // 1 s of it is over after 1 / 1.0005 s, which is 999,500,249.9 ns.
    let fast = Clock {
        offset: Duration::ZERO,
        drift_ppm: 500,
    };
    let due = 999_500_250;
    for (at, wrong) in [(due - 1, "was armed for"), (due, ""), (due + 1, "slept")] {
        let (mut stage, client) = opening_under(Circumstances {
            clocks: [(A, fast)].into(),
            ..circumstances()
        });
        stage.pass(Duration::from_nanos(at));
        stage.timer(client, Timer::Retransmit, 1);
        let shown = fast.shows(true_time(at)).as_nanos();
        let vars = stage.vars(client);
        vars.rto = Duration::from_secs(2);
        vars.timers.retransmit = Some(Instant::from_nanos(shown + 2_000_000_000));
        stage.send(client, seg(Flags::SYN).seq(100));
        stage.snapshot(client);
        match wrong {
            "" => stage.assert_silent(),
            wrong => stage.assert_violation(wrong),
        }
    }
}
