//! Blind segments that must leave no trace, and lucky ones that may.

use timewait_stack::event::{IcmpArrival, IcmpDrop, IcmpVerdict};
use timewait_stack::wire::{Flags, IcmpKind, IcmpMessage, Quote};
use timewait_stack::{Errno, Event, SeqNumber, State, Vars};

use super::OffPath;
use crate::label::Incarnation;
use crate::staging::{B, Seg, Stage, WINDOW, seg, took_text};

/// A connection, seen from the end that the attacker aims at.
fn connected() -> (Stage, Incarnation, Incarnation) {
    let mut stage = Stage::new(vec![Box::<OffPath>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 1000, 5000);
    stage.assert_silent();
    (stage, client, server)
}

/// An attacker sends this to the server in the client's name, and it does that to the server.
fn attack(segment: Seg, change: impl FnOnce(&mut Vars)) -> Stage {
    let (mut stage, _, server) = connected();
    let forged = stage.forge(B, segment);
    stage.take(server, &forged, change);
    stage
}

fn reset(v: &mut Vars) {
    v.state = State::Closed;
}

#[test]
fn a_rst_in_the_window_ends_nothing() {
    let rst = seg(Flags::RST).seq(1002);
    attack(rst.clone(), |_| {}).assert_silent();
    attack(rst, reset).assert_violation("without a sight of it");
}

#[test]
fn a_rst_at_rcv_nxt_is_a_lucky_guess() {
    attack(seg(Flags::RST).seq(1001), reset).assert_silent();
}

#[test]
fn a_syn_ends_nothing_wherever_it_lies() {
    for seq in [1001, 1500, 900_000] {
        let syn = seg(Flags::SYN).seq(seq);
        attack(syn.clone(), |_| {}).assert_silent();
        attack(syn, reset).assert_violation("without a sight of it");
    }
}

#[test]
fn text_with_an_old_ack_is_not_taken() {
    let text = |ack| seg(Flags::ACK).seq(1001).ack(ack).text(vec![1; 10]);
    let old = 5001_u32.wrapping_sub(WINDOW + 1);
    attack(text(old), |v| took_text(v, 10)).assert_violation("without a sight of it");
    attack(text(5002), |v| took_text(v, 10)).assert_violation("without a sight of it");
    attack(text(old + 1), |v| took_text(v, 10)).assert_silent();
}

#[test]
fn a_segment_without_ack_is_not_taken() {
    let text = seg(Flags::empty()).seq(1001).text(vec![1; 10]);
    attack(text, |v| took_text(v, 10)).assert_violation("without a sight of it");
}

#[test]
fn one_blind_segment_draws_one_answer() {
    let (mut stage, _, server) = connected();
    let forged = stage.forge(B, seg(Flags::RST).seq(1002));
    stage.take(server, &forged, |_| {});
    stage.send_ack(server);
    stage.assert_silent();
    stage.send_ack(server);
    stage.assert_violation("2 answers to one blind segment");
}

/// Two blind segments of a kind, so many milliseconds apart, both answered.
fn answered_twice(segment: &Seg, apart_ms: u64) -> Stage {
    let (mut stage, _, server) = connected();
    for _ in 0..2 {
        let forged = stage.forge(B, segment.clone());
        stage.take(server, &forged, |_| {});
        stage.send_ack(server);
        stage.pass_ms(apart_ms);
    }
    stage
}

#[test]
fn challenges_keep_their_interval() {
    let bad_ack = seg(Flags::ACK).seq(1001).ack(9000).text(vec![1]);
    let outside = seg(Flags::ACK).seq(900_000).ack(5001);
    for segment in [
        seg(Flags::RST).seq(1002),
        seg(Flags::SYN).seq(7),
        bad_ack,
        outside,
    ] {
        answered_twice(&segment, 500).assert_silent();
        answered_twice(&segment, 499).assert_violation("RFC 5961 §7");
    }
}

#[test]
fn text_outside_the_window_is_answered_each_time() {
    let text = seg(Flags::ACK).seq(900_000).ack(5001).text(vec![1]);
    answered_twice(&text, 1).assert_silent();
}

#[test]
fn text_between_the_window_offered_and_the_room_behind_it_may_be_answered_each_time() {
    let (mut stage, _, server) = connected();
    stage.vars(server).rcv_free = WINDOW + 100;
    for _ in 0..2 {
        let text = seg(Flags::ACK).seq(1001 + WINDOW).ack(9000);
        let forged = stage.forge(B, text.text(vec![1]));
        stage.take(server, &forged, |_| {});
        stage.send_ack(server);
    }
    stage.assert_silent();
}

#[test]
fn what_the_peer_sends_is_not_judged() {
    let (mut stage, client, server) = connected();
    let rst = stage.send(client, seg(Flags::RST).seq(1002));
    stage.take(server, &rst, reset);
    stage.assert_silent();
}

#[test]
fn a_syn_in_listen_and_in_syn_sent_may_be_taken() {
    let mut stage = Stage::new(vec![Box::<OffPath>::default()]);
    let listener = stage.listen(B);
    let syn = stage.forge(B, seg(Flags::SYN).seq(77));
    stage.child(listener, &syn, 900);
    let client = stage.connect(crate::staging::A, 400);
    let crossed = stage.forge(crate::staging::A, seg(Flags::SYN).seq(78));
    stage.take(client, &crossed, |v| v.state = State::SynReceived);
    stage.assert_silent();
}

#[test]
fn a_syn_ack_that_acknowledges_nothing_ends_no_syn_sent() {
    let mut stage = Stage::new(vec![Box::<OffPath>::default()]);
    let client = stage.connect(crate::staging::A, 400);
    let forged = stage.forge(crate::staging::A, seg(Flags::RST | Flags::ACK).ack(400));
    stage.take(client, &forged, reset);
    stage.assert_violation("without a sight of it");
}

/// An attacker's error about the server's segment `seq` arrives, and this becomes of it.
fn lied_to(seq: u32, verdict: IcmpVerdict) -> Stage {
    let (mut stage, _, server) = connected();
    let mut forged = stage.forge(B, seg(Flags::ACK));
    forged.sent.protocol = timewait_sim::icmp::PROTOCOLS[0];
    stage.deliver(&forged);
    let vars = Vars {
        snd_una: SeqNumber(5001),
        snd_nxt: SeqNumber(5101),
        ..stage.vars(server).clone()
    };
    let quote = Quote {
        from: forged.dst,
        to: forged.src,
        length: 576,
        source_port: 80,
        destination_port: 1000,
        seq: SeqNumber(seq),
    };
    let kind = IcmpKind::Unreachable { code: 3 };
    let arrival = IcmpArrival {
        connection: Some(server.connection),
        message: Some(IcmpMessage { kind, quote }),
        verdict,
        before: vars.clone(),
        after: vars,
    };
    stage.event(B, Event::Icmp(Box::new(arrival)));
    stage
}

/// RFC 5927 §4.1.
#[test]
fn an_error_about_what_is_not_on_its_way_is_not_believed() {
    let refused = IcmpVerdict::Ignored(IcmpDrop::NotOutstanding);
    for believed in [
        IcmpVerdict::Aborted(Errno::ECONNREFUSED),
        IcmpVerdict::SoftError(Errno::EHOSTUNREACH),
        IcmpVerdict::PathMtu(576),
        IcmpVerdict::Unconfirmed,
    ] {
        for (seq, lucky) in [(5000, false), (5001, true), (5100, true), (5101, false)] {
            lied_to(seq, refused).assert_silent();
            match lucky {
                true => lied_to(seq, believed).assert_silent(),
                false => lied_to(seq, believed).assert_violation("RFC 5927 §4.1"),
            }
        }
    }
}
