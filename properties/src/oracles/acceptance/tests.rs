use super::Acceptance;
use crate::label::Incarnation;
use crate::staging::{A, B, Seg, Stage, WINDOW, acked_all, seg, took_fin, took_text};
use timewait_stack::event::{Call, Cause as Why, Drop, SegmentArrival, Verdict};
use timewait_stack::wire::Flags;
use timewait_stack::{Event, SeqNumber, State, Vars};

fn connected() -> (Stage, Incarnation, Incarnation) {
    let mut stage = Stage::new(vec![Box::<Acceptance>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 1000, 5000);
    stage.assert_silent();
    (stage, client, server)
}

#[test]
fn a_whole_connection_by_the_book_is_silent() {
    let (mut stage, client, server) = connected();
    let text = stage.send_text(client, 100);
    stage.take(server, &text, |v| took_text(v, 100));
    let ack = stage.send_ack(server);
    stage.take(client, &ack, acked_all);
    stage.ignore(server, &text);
    stage.close_in_turn(client, server);
    stage.assert_silent();
}

/// Both SYNs have these options; `tune` says what the client's first window then counts.
fn connected_with(options: &[u8], tune: fn(&mut Vars)) -> (Stage, Incarnation, Incarnation) {
    let mut stage = Stage::new(vec![Box::<Acceptance>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake_with(listener, 1000, 5000, options, tune);
    (stage, client, server)
}

#[test]
fn a_window_counts_what_both_syns_agreed_on() {
    let scale = [3, 3, 4];
    let (stage, _, _) = connected_with(&scale, |v| v.snd_wnd = WINDOW << 4);
    stage.assert_silent();
    let (stage, _, _) = connected_with(&scale, |_| {});
    stage.assert_violation("SND.WND/WL1/WL2");
    let (stage, _, _) = connected_with(&[], |v| v.snd_wnd = WINDOW << 4);
    stage.assert_violation("SND.WND/WL1/WL2");
    let (stage, _, _) = connected_with(&[3, 3, 15], |v| v.snd_wnd = WINDOW << 14);
    stage.assert_silent();
}

#[test]
fn text_outside_the_window_must_not_be_taken() {
    let (mut stage, client, server) = connected();
    let text = seg(Flags::ACK)
        .seq(1001 + WINDOW)
        .ack(5001)
        .text(vec![1; 10]);
    let beyond = stage.send(client, text);
    stage.take(server, &beyond, |v| v.out_of_order = 10);
    stage.assert_violation("outside the window");
}

#[test]
fn text_out_of_order_may_be_held_or_dropped() {
    for held in [0, 10] {
        let (mut stage, client, server) = connected();
        let first = stage.send_text(client, 10);
        let second = stage.send_text(client, 10);
        stage.take(server, &second, |v| v.out_of_order = held);
        stage.take(server, &first, |v| {
            took_text(v, 10 + held);
            v.out_of_order = 0;
        });
        stage.assert_silent();
    }
}

#[test]
fn rcv_nxt_must_not_jump_over_a_hole() {
    let (mut stage, client, server) = connected();
    let _lost = stage.send_text(client, 10);
    let second = stage.send_text(client, 10);
    stage.take(server, &second, |v| took_text(v, 20));
    stage.assert_violation("RCV.NXT went from 1001 to 1021");
}

#[test]
fn in_order_text_must_be_taken() {
    let (mut stage, client, server) = connected();
    let text = stage.send_text(client, 10);
    stage.ignore(server, &text);
    stage.assert_violation("did not accept all");
}

#[test]
fn a_good_ack_must_be_taken_and_a_bad_one_must_not() {
    let (mut stage, client, server) = connected();
    let _text = stage.send_text(client, 10);
    let ack = stage.send(server, seg(Flags::ACK).seq(5001).ack(1011));
    stage.ignore(client, &ack);
    stage.assert_violation("SND.UNA stays");

    let (mut stage, client, server) = connected();
    let bad = stage.send(server, seg(Flags::ACK).seq(5001).ack(1011));
    stage.take(client, &bad, |v| v.snd_una = SeqNumber(1011));
    stage.assert_violation("never sent");
}

#[test]
fn an_older_segment_must_not_set_the_window() {
    let (mut stage, client, server) = connected();
    let older = stage.send(client, seg(Flags::ACK).seq(1001).ack(5001).window(7));
    let _lost = stage.send_text(client, 10);
    let newer = stage.send(client, seg(Flags::ACK).seq(1011).ack(5001).window(9));
    stage.take(server, &newer, |v| {
        v.snd_wl1 = SeqNumber(1011);
        v.snd_wnd = 9;
    });
    stage.assert_silent();
    stage.ignore(server, &older);
    stage.assert_silent();
    stage.take(server, &older, |v| {
        v.snd_wnd = 7;
        v.snd_wl1 = SeqNumber(1001);
    });
    stage.assert_violation("SND.WND/WL1/WL2");
}

#[test]
fn a_newer_segment_must_set_the_window() {
    let (mut stage, client, server) = connected();
    let newer = stage.send(client, seg(Flags::ACK).seq(1001).ack(5001).window(9));
    stage.ignore(server, &newer);
    stage.assert_violation("SND.WND/WL1/WL2");
}

#[test]
fn a_damaged_segment_must_change_nothing() {
    let (mut stage, client, server) = connected();
    let mut text = stage.send_text(client, 10);
    let mut octets = text.payload.octets().to_vec();
    octets[25] ^= 1;
    text.sent.payload = timewait_sim::Payload::new(octets);
    stage.deliver_damaged(&text, true);
    stage.judged(server, |v| took_text(v, 10));
    stage.assert_violation("damaged");
}

#[test]
fn a_rst_in_the_window_but_not_at_rcv_nxt_must_not_reset() {
    let (mut stage, client, server) = connected();
    let reset = stage.send(client, seg(Flags::RST).seq(1002));
    stage.take(server, &reset, |v| v.state = State::Closed);
    stage.assert_violation("RFC 5961 §3");
}

#[test]
fn a_rst_at_rcv_nxt_must_reset() {
    for (to, fine) in [(State::Closed, true), (State::Established, false)] {
        let (mut stage, client, server) = connected();
        let reset = stage.send(client, seg(Flags::RST).seq(1001));
        stage.take(server, &reset, |v| v.state = to);
        assert_eq!(stage.findings().is_empty(), fine);
    }
}

#[test]
fn a_rst_must_not_end_time_wait() {
    let (mut stage, client, server) = connected();
    stage.close_in_turn(client, server);
    let reset = stage.send(server, seg(Flags::RST).seq(5002));
    stage.take(client, &reset, |v| v.state = State::Closed);
    stage.assert_violation("RFC 1337");
}

#[test]
fn an_old_ack_in_time_wait_must_change_nothing() {
    let (mut stage, client, server) = connected();
    stage.close_in_turn(client, server);
    let ack = stage.send_ack(server);
    stage.take(client, &ack, |v| v.snd_wl1 = SeqNumber(9));
    stage.assert_violation("TIME-WAIT takes nothing");
}

#[test]
fn a_variable_must_not_change_between_segments() {
    let (mut stage, client, _server) = connected();
    stage.by_user();
    stage.vars(client).snd_wnd = 1;
    stage.snapshot(client);
    stage.assert_violation("changed without a segment");
}

#[test]
fn listen_must_not_open_on_an_ack() {
    let mut stage = Stage::new(vec![Box::<Acceptance>::default()]);
    let listener = stage.listen(B);
    let client = stage.connect(A, 1000);
    let ack = stage.send(client, seg(Flags::SYN | Flags::ACK).seq(1000).ack(7));
    stage.child(listener, &ack, 5000);
    stage.assert_violation("an ACK in LISTEN");
}

#[test]
fn a_child_must_begin_from_its_syn() {
    let mut stage = Stage::new(vec![Box::<Acceptance>::default()]);
    let listener = stage.listen(B);
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    stage.deliver(&syn);
    let child = stage.opened(B);
    *stage.vars(child) = Vars {
        irs: SeqNumber(999),
        ..crate::staging::fresh(5000)
    };
    stage.transition(child, State::Listen, State::SynReceived, Why::Segment);
    let before = stage.vars(listener).clone();
    stage.arrival(Some(listener), B, before.clone(), before);
    stage.snapshot(child);
    stage.assert_violation("began with IRS 999");
}

#[test]
fn a_fin_must_not_overtake_its_text() {
    let (mut stage, client, server) = connected();
    let _lost = stage.send_text(client, 10);
    let fin = stage.fin(client, State::FinWait1);
    stage.take(server, &fin, |v| {
        v.state = State::CloseWait;
        took_fin(v);
    });
    stage.assert_violation("the state went from ESTABLISHED to CLOSE-WAIT");
}

#[test]
fn a_fin_that_waited_is_taken_with_the_text_before_it() {
    let (mut stage, client, server) = connected();
    let text = stage.send_text(client, 10);
    let fin = stage.fin(client, State::FinWait1);
    stage.take(server, &fin, |v| v.out_of_order = 1);
    stage.take(server, &text, |v| {
        took_text(v, 10);
        v.state = State::CloseWait;
        v.fin_received = true;
        v.rcv_nxt += 1;
        v.out_of_order = 0;
    });
    stage.assert_silent();
}

#[test]
fn a_full_accept_queue_may_keep_syn_received() {
    let mut stage = Stage::new(vec![Box::<Acceptance>::default()]);
    let listener = stage.listen(B);
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    let child = stage.child(listener, &syn, 5000);
    let ack = stage.send(client, seg(Flags::ACK).seq(1001).ack(5001));
    stage.ignore(child, &ack);
    stage.assert_silent();
    stage.take(child, &ack, |v| v.snd_una = SeqNumber(5001));
    stage.assert_violation("SND.UNA");
}

#[test]
fn a_zero_window_must_keep_text_out_and_may_let_its_ack_in() {
    let (mut stage, client, server) = connected();
    stage.by_user();
    let v = stage.vars(server);
    (v.rcv_adv, v.rcv_free) = (v.rcv_nxt, 0);
    v.snd_nxt += 5;
    stage.snapshot(server);
    let probe = stage.send(client, seg(Flags::ACK).seq(1001).ack(5006).text(vec![0]));
    stage.take(server, &probe, |v| {
        v.snd_una = SeqNumber(5006);
        v.snd_wl2 = SeqNumber(5006);
        v.snd_wl1 = SeqNumber(1001);
    });
    stage.assert_silent();
    stage.take(server, &probe, |v| v.rcv_nxt += 1);
    stage.assert_violation("RCV.NXT");
}

#[test]
fn a_segment_for_nobody_changes_nobody() {
    let (mut stage, client, _server) = connected();
    let text = stage.send_text(client, 1);
    stage.deliver(&text);
    let closed = Vars::default();
    let verdict = Verdict::Dropped(Drop::NoConnection);
    let arrival = SegmentArrival {
        connection: None,
        verdict,
        before: closed.clone(),
        after: closed,
    };
    stage.event(B, Event::Segment(Box::new(arrival)));
    stage.assert_silent();
}

#[test]
fn text_for_a_user_that_is_gone_may_end_in_a_reset() {
    let (mut stage, client, server) = connected();
    let fin = stage.fin(server, State::FinWait1);
    stage.take(client, &fin, |v| {
        v.state = State::CloseWait;
        took_fin(v);
    });
    let text = stage.send_text(client, 10);
    stage.take(server, &text, |v| v.state = State::Closed);
    stage.assert_silent();
    stage.by_user();
    stage.goes(client, State::Closed, Why::User(Call::Abort));
    stage.assert_silent();
}

/// Both ends have agreed on timestamps: the client's clock shows 100, the server's 200.
fn stamped() -> (Stage, Incarnation, Incarnation) {
    let mut stage = Stage::new(vec![Box::<Acceptance>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake_stamped(listener, 1000, 5000);
    stage.assert_silent();
    (stage, client, server)
}

/// Text of the client `offset` octets after its first, at `value` of its clock.
fn text_at(offset: u32, value: u32) -> Seg {
    let text = seg(Flags::ACK).seq(1001 + offset).ack(5001);
    text.text(vec![1; 10]).stamp(value, 200)
}

#[test]
fn text_older_than_ts_recent_must_not_be_taken() {
    let (mut stage, client, server) = stamped();
    let old = stage.send(client, text_at(0, 99));
    stage.ignore(server, &old);
    stage.assert_silent();
    stage.take(server, &old, |v| took_text(v, 10));
    stage.assert_violation("PAWS");
}

#[test]
fn ts_recent_is_taken_from_text_in_order() {
    let (mut stage, client, server) = stamped();
    let text = stage.send(client, text_at(0, 150));
    stage.take(server, &text, |v| {
        took_text(v, 10);
        v.ts_recent = Some(150);
    });
    stage.assert_silent();
    let next = stage.send(client, text_at(10, 160));
    stage.take(server, &next, |v| took_text(v, 10));
    // No ACK was sent between the two.
    stage.assert_silent();
}

#[test]
fn ts_recent_must_not_be_taken_from_text_out_of_order() {
    let (mut stage, client, server) = stamped();
    let text = stage.send(client, text_at(10, 150));
    stage.take(server, &text, |v| v.out_of_order = 10);
    stage.assert_silent();
    stage.take(server, &text, |v| v.ts_recent = Some(150));
    stage.assert_violation("TS.Recent is 150, was 100");
}

#[test]
fn ts_recent_must_be_taken_where_it_is_due() {
    let (mut stage, client, server) = stamped();
    let text = stage.send(client, text_at(0, 150));
    stage.take(server, &text, |v| took_text(v, 10));
    stage.assert_violation("TS.Recent is 100, was 100, SEG.TSval 150");
}

#[test]
fn ts_recent_changes_by_a_segment_only() {
    let (mut stage, _, server) = stamped();
    stage.vars(server).ts_recent = Some(101);
    stage.snapshot(server);
    stage.assert_violation("without a segment");
}

#[test]
fn timestamps_that_only_one_end_offered_are_not_in_use() {
    let (mut stage, client, server) = connected();
    let text = stage.send(client, text_at(0, 150));
    stage.take(server, &text, |v| took_text(v, 10));
    stage.assert_silent();
    let more = stage.send(client, text_at(10, 150));
    stage.take(server, &more, |v| {
        took_text(v, 10);
        v.ts_recent = Some(150);
    });
    stage.assert_violation("TS.Recent is 150, was none");
}

#[test]
fn the_acknowledgment_of_a_cookie_begins_an_incarnation() {
    let mut stage = Stage::new(vec![Box::<Acceptance>::default()]);
    let listener = stage.listen(B);
    let (_, ack) = stage.cookie(listener, 1000, 5000);
    stage.by_cookie(listener, &ack);
    stage.assert_silent();
}

/// Two SYNs with the same cookie: the echo tells which SYN-ACK the client has taken.
#[test]
fn a_cookie_stands_for_the_options_of_its_syn() {
    for (echo, shift, recent, fine) in [
        (200, 3, Some(105), true),
        (264, 0, Some(105), true),
        (200, 3, None, false),
        (200, 3, Some(100), false),
    ] {
        let mut stage = Stage::new(vec![Box::<Acceptance>::default()]);
        let listener = stage.listen(B);
        let client = stage.connect(A, 1000);
        for (scale, value) in [(Some(3), 200), (None, 264)] {
            let options = |stamp: Seg| match scale {
                Some(shift) => stamp.more_options(&[3, 3, shift]),
                None => stamp,
            };
            let syn = seg(Flags::SYN).seq(1000).stamp(100, 0);
            let syn = stage.send(client, options(syn));
            stage.deliver(&syn);
            stage.judged(listener, |_| {});
            let syn_ack = seg(Flags::SYN | Flags::ACK).seq(5000).ack(1001);
            stage.echo(&syn, options(syn_ack.stamp(value, 100)));
        }
        let ack = seg(Flags::ACK).seq(1001).ack(5001).stamp(105, echo);
        let ack = stage.send(client, ack);
        stage.by_cookie_with(listener, &ack, |v| {
            v.ts_recent = recent;
            v.snd_wnd = WINDOW << shift;
            v.max_snd_wnd = v.snd_wnd;
        });
        match fine {
            true => stage.assert_silent(),
            false => stage.assert_violation("began with TS.Recent"),
        }
    }
}

#[test]
fn an_acknowledgment_of_no_cookie_begins_nothing() {
    let mut stage = Stage::new(vec![Box::<Acceptance>::default()]);
    let listener = stage.listen(B);
    let (client, _) = stage.cookie(listener, 1000, 5000);
    let ack = stage.send(client, seg(Flags::ACK).seq(1001).ack(5002));
    stage.by_cookie(listener, &ack);
    stage.assert_violation("which acknowledges no SYN cookie");
}
