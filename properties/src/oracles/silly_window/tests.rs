use super::SillyWindow;
use crate::event::UserEvent;
use crate::facts::Circumstances;
use crate::label::Incarnation;
use crate::scenario::{Read, Scenario};
use crate::staging::directed::{transfer, violation_of};
use crate::staging::{B, Seg, Stage, WINDOW, acked_all, circumstances, seg, took_text};
use core::time::Duration;
use timewait_stack::Protection;
use timewait_stack::event::Timer;
use timewait_stack::wire::Flags;

/// A client whose Eff.snd.MSS is 100.
fn connected_under(circumstances: Circumstances) -> (Stage, Incarnation, Incarnation) {
    let mut stage = Stage::under(circumstances, vec![Box::<SillyWindow>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 1000, 5000);
    for of in [client, server] {
        stage.vars(of).smss = 100;
        stage.snapshot(of);
    }
    stage.assert_silent();
    (stage, client, server)
}

fn connected() -> (Stage, Incarnation, Incarnation) {
    connected_under(circumstances())
}

fn without_nagle() -> Circumstances {
    let mut circumstances = circumstances();
    let hosts = circumstances.hosts.values_mut();
    hosts.for_each(|config| config.nagle = false);
    circumstances
}

/// The user of the client has given so many octets in all.
fn given(stage: &mut Stage, client: Incarnation, octets: u32) {
    stage.by_user();
    stage.user(
        client.host,
        UserEvent::Sent {
            connection: client.connection,
            offset: 0,
            octets,
        },
    );
}

/// Text of the client from this offset of its stream on.
fn text(offset: u32, octets: usize) -> Seg {
    seg(Flags::ACK)
        .seq(1001 + offset)
        .ack(5001)
        .text(vec![7; octets])
}

fn pushed(offset: u32, octets: usize) -> Seg {
    let mut text = text(offset, octets);
    text.flags |= Flags::PSH;
    text
}

fn window(stage: &mut Stage, of: Incarnation, octets: u32) {
    stage.vars(of).snd_wnd = octets;
    stage.snapshot(of);
}

#[test]
fn full_sized_segments_and_an_idle_rest_are_silent() {
    let (mut stage, client, server) = connected();
    given(&mut stage, client, 250);
    stage.send(client, text(0, 100));
    let second = stage.send(client, text(100, 100));
    stage.vars(client).snd_nxt += 200;
    stage.take(server, &second, |v| took_text(v, 200));
    let ack = stage.send_ack(server);
    stage.take(client, &ack, acked_all);
    stage.send(client, pushed(200, 50));
    stage.assert_silent();
}

#[test]
fn must_38_nagle_holds_the_rest_while_something_is_outstanding() {
    let (mut stage, client, _) = connected();
    given(&mut stage, client, 150);
    stage.send(client, text(0, 100));
    stage.assert_silent();
    stage.send(client, pushed(100, 50));
    stage.assert_violation("Nagle holds");
}

#[test]
fn without_nagle_and_with_a_fin_the_rest_goes() {
    let (mut stage, client, _) = connected_under(without_nagle());
    given(&mut stage, client, 150);
    stage.send(client, text(0, 100));
    stage.send(client, pushed(100, 50));
    stage.assert_silent();
    let (mut stage, client, _) = connected();
    given(&mut stage, client, 150);
    stage.send(client, text(0, 100));
    let mut last = pushed(100, 50);
    last.flags |= Flags::FIN;
    stage.send(client, last);
    stage.assert_silent();
}

#[test]
fn must_38_a_small_window_is_not_filled() {
    let (mut stage, client, _) = connected_under(without_nagle());
    given(&mut stage, client, 500);
    window(&mut stage, client, 40);
    stage.send(client, text(0, 40));
    stage.assert_violation("neither all that waits nor half");
}

#[test]
fn half_of_the_largest_window_and_an_override_are_reasons() {
    let (mut stage, client, _) = connected();
    given(&mut stage, client, 500);
    window(&mut stage, client, 40);
    stage.timer(client, Timer::Override, 1);
    stage.send(client, text(0, 40));
    stage.assert_silent();
    window(&mut stage, client, 80);
    stage.send(client, text(40, 40));
    stage.assert_violation("neither all");

    let mut circumstances = without_nagle();
    let hosts = circumstances.hosts.values_mut();
    hosts.for_each(|config| config.receive_buffer = 80);
    let (mut stage, client, _) = connected_under(circumstances);
    stage.vars(client).smss = 8000;
    given(&mut stage, client, 7000);
    window(&mut stage, client, 5000);
    stage.send(client, text(0, 5000));
    stage.assert_silent();
    assert_eq!(WINDOW, 10_000, "the largest window");
}

#[test]
fn must_38_never_less_than_it_could_be() {
    let (mut stage, client, _) = connected();
    given(&mut stage, client, 500);
    stage.send(client, text(0, 99));
    stage.assert_violation("less than it could have");
}

#[test]
fn a_probe_and_what_fills_up_a_retransmission_are_free() {
    let (mut stage, client, _) = connected();
    given(&mut stage, client, 500);
    window(&mut stage, client, 0);
    stage.timer(client, Timer::Persist, 1);
    stage.send(client, text(0, 1));
    stage.assert_silent();
    window(&mut stage, client, 60);
    stage.send(client, text(0, 60));
    stage.assert_silent();
    window(&mut stage, client, 90);
    stage.send(client, text(60, 1));
    stage.assert_violation("MUST-38");
}

#[test]
fn must_61_the_last_octet_that_waits_is_pushed() {
    let (mut stage, client, _) = connected();
    given(&mut stage, client, 100);
    stage.send(client, text(0, 100));
    stage.assert_violation("MUST-61");
}

#[test]
fn must_39_the_edge_moves_by_a_segment_or_half_the_buffer() {
    for (buffer, moved, fine) in [(10_000, 100, true), (10_000, 99, false), (60, 30, true)] {
        let (mut stage, _, server) = connected_under(circumstances());
        stage.vars(server).receive_buffer = buffer;
        stage.snapshot(server);
        let edge = |window| seg(Flags::ACK).seq(5001).ack(1001).window(window);
        stage.send(server, edge(1000));
        stage.send(server, edge(1000 + moved));
        assert_eq!(stage.findings().is_empty(), fine, "{:?}", stage.findings());
    }
}

#[test]
fn must_39_a_scaled_edge_that_moves_by_rounding_has_not_moved() {
    for (moved, fine) in [(0, true), (15, true), (16, false), (84, false), (85, true)] {
        let mut stage = Stage::new(vec![Box::<SillyWindow>::default()]);
        let listener = stage.listen(B);
        let scale = [3, 3, 4];
        let (_, server) = stage.handshake_with(listener, 1000, 5000, &scale, |v| v.smss = 100);
        let edge = |ack, window| seg(Flags::ACK).seq(5001).ack(ack).window(window);
        stage.send(server, edge(1001, 1000));
        stage.send(server, edge(1001 + moved, 1000));
        let findings = stage.findings();
        assert_eq!(findings.is_empty(), fine, "{moved} {findings:?}");
    }
}

#[test]
fn a_fixed_edge_and_what_follows_a_fin_are_silent() {
    let (mut stage, client, server) = connected();
    let edge = |ack, window| seg(Flags::ACK).seq(5001).ack(ack).window(window);
    stage.send(server, edge(1001, 1000));
    stage.send(server, edge(1101, 900));
    stage.send(server, edge(2001, 0));
    stage.assert_silent();
    stage.close_in_turn(client, server);
    stage.assert_silent();
}

/// 39: a reader that takes 50 octets every 10 ms, and a sender without Nagle, which would mask it.
fn trickle() -> Scenario {
    let read = Read::Slow {
        octets: 50,
        every: Duration::from_millis(10),
    };
    let mut scenario = transfer(20_000, read);
    for host in &mut scenario.hosts {
        host.config.nagle = false;
        host.config.receive_buffer = 3000;
    }
    scenario
}

#[test]
fn a_slow_reader_makes_no_silly_windows() {
    assert_eq!(violation_of("silly-window", &trickle()), None);
}

#[test]
fn either_side_without_its_protection_is_noticed() {
    for (protection, rule) in [
        (Protection::SillyWindowSender, "MUST-38"),
        (Protection::SillyWindowReceiver, "MUST-39"),
    ] {
        let found = violation_of("silly-window", &trickle().without(protection));
        assert!(
            found.as_ref().is_some_and(|found| found.contains(rule)),
            "{found:?}"
        );
    }
}
