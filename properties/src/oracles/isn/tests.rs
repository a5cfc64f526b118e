use super::InitialNumbers;
use crate::label::Incarnation;
use crate::staging::{A, B, Stage, seg};
use timewait_stack::event::{Call, Cause as Why};
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, State};

fn stage() -> Stage {
    Stage::new(vec![Box::<InitialNumbers>::default()])
}

/// The client opens with this ISS and gives up at once.
fn open(stage: &mut Stage, iss: u32) -> Incarnation {
    let client = stage.connect(A, iss);
    stage.send(client, seg(Flags::SYN).seq(iss));
    stage.goes(client, State::Closed, Why::User(Call::Close));
    client
}

#[test]
fn a_tuple_follows_the_clock_within_a_tick() {
    // A millisecond is 250 ticks. One open has come to it.
    for (iss, fine) in [
        (1248, false),
        (1249, true),
        (1250, true),
        (1251, true),
        (1252, true),
        (1253, false),
        (1000, false),
    ] {
        let mut stage = stage();
        open(&mut stage, 1000);
        stage.pass_ms(1);
        open(&mut stage, iss);
        assert_eq!(
            stage.findings().is_empty(),
            fine,
            "{iss}: {:?}",
            stage.findings()
        );
    }
}

#[test]
fn the_clock_goes_round() {
    let mut stage = stage();
    open(&mut stage, u32::MAX - 100);
    stage.pass_ms(1);
    open(&mut stage, 149);
    stage.assert_silent();
    // 2^32 ticks and a millisecond.
    stage.pass(timewait_sim::Duration::from_micros(4 << 32));
    stage.pass_ms(1);
    open(&mut stage, 399);
    stage.assert_silent();
    stage.pass_ms(1);
    open(&mut stage, 400);
    stage.assert_violation("ahead of the clock");
}

/// A listener at A: the two ends are the other way round for B.
#[test]
fn another_tuple_has_another_clock() {
    let mut stage = stage();
    open(&mut stage, 1000);
    let listener = stage.listen(A);
    let client = stage.connect(B, 77);
    let syn = stage.send(client, seg(Flags::SYN).seq(77));
    let child = stage.child(listener, &syn, 999_999);
    stage.send(child, seg(Flags::SYN | Flags::ACK).seq(999_999).ack(78));
    stage.assert_violation("ahead of the clock"); // The child of A has the tuple of the first.
    let mut stage = self::stage();
    open(&mut stage, 1000);
    let client = stage.connect(B, 77);
    stage.send(client, seg(Flags::SYN).seq(77));
    stage.assert_silent();
}

#[test]
fn a_syn_that_is_sent_again_is_no_open() {
    let mut stage = stage();
    let client = stage.connect(A, 1000);
    for _ in 0..3 {
        stage.send(client, seg(Flags::SYN).seq(1000));
        stage.pass_ms(1000);
    }
    stage.assert_silent();
}

/// A connection of a server with ISS 5000 and SND.NXT 5002 is in TIME-WAIT for a second, and a new
/// one comes out of it.
fn reopened(iss: u32) -> Stage {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 1000, 5000);
    stage.close_in_turn(server, client);
    stage.pass_ms(1000);
    let next = stage.connect(A, 252_750);
    let syn = stage.send(next, seg(Flags::SYN).seq(252_750));
    let new = stage.reopen(server, &syn, iss);
    stage.send(new, seg(Flags::SYN | Flags::ACK).seq(iss).ack(252_751));
    stage
}

#[test]
fn out_of_time_wait_the_number_is_the_clocks_or_more() {
    let findings = |iss| reopened(iss).findings();
    // The server opened after 1 ms, the second one comes after 1,007: 251,500 ticks.
    let clock = 5000 + 251_500;
    assert_eq!(findings(clock), [""; 0]);
    assert_eq!(findings(clock + 1_000_000), [""; 0]);
    assert!(findings(clock - 1000)[0].contains("behind the clock"));
    assert!(findings(5001)[0].contains("not beyond its SND.NXT 5002"));
}

/// Who sent faster than the clock ticks.
#[test]
fn out_of_time_wait_the_number_is_beyond_the_old_one() {
    for (iss, fine) in [(900_001, true), (900_000, false), (256_500, false)] {
        let mut stage = stage();
        let listener = stage.listen(B);
        let (client, server) = stage.handshake(listener, 1000, 5000);
        stage.vars(server).snd_nxt = SeqNumber(899_999);
        stage.by_user();
        stage.snapshot(server);
        stage.close_in_turn(server, client);
        stage.pass_ms(1000);
        let next = stage.connect(A, 252_750);
        let syn = stage.send(next, seg(Flags::SYN).seq(252_750));
        let new = stage.reopen(server, &syn, iss);
        stage.send(new, seg(Flags::SYN | Flags::ACK).seq(iss).ack(252_751));
        match fine {
            true => stage.assert_silent(),
            false => stage.assert_violation("not beyond its SND.NXT 900000"),
        }
    }
}

#[test]
fn after_a_number_beyond_the_clock_the_clock_goes_on() {
    let mut stage = reopened(5_000_000);
    stage.assert_silent();
    // 1.999 s after the first open of the server, its clock is 499,750 ticks on.
    let listener = stage.listen(B);
    stage.pass_ms(993);
    let client = stage.connect(A, 501_000);
    let syn = stage.send(client, seg(Flags::SYN).seq(501_000));
    let child = stage.child(listener, &syn, 504_750);
    stage.send(
        child,
        seg(Flags::SYN | Flags::ACK).seq(504_750).ack(501_001),
    );
    stage.assert_silent();
}
