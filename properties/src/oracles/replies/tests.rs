use super::ReplyTable;
use crate::label::Incarnation;
use crate::staging::{A, B, Seg, Stage, acked_all, established, seg, took_text};
use timewait_sim::Packet;
use timewait_stack::event::{Call, Cause as Why};
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, State, Vars};

fn stage() -> Stage {
    Stage::new(vec![Box::<ReplyTable>::default()])
}

/// A client with ISS 1000 and a server with ISS 5000, established.
fn connected() -> (Stage, Incarnation, Incarnation) {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 1000, 5000);
    (stage, client, server)
}

/// The server closed first and waits in TIME-WAIT; the client is done.
fn waiting() -> (Stage, Incarnation, Incarnation) {
    let (mut stage, client, server) = connected();
    stage.close_in_turn(server, client);
    stage.by_user(); // What comes next answers nothing.
    (stage, client, server)
}

fn ack(seq: u32, ack: u32) -> Seg {
    seg(Flags::ACK).seq(seq).ack(ack)
}

/// The segment comes to nobody at B.
fn to_nobody(stage: &mut Stage, segment: &Packet) {
    stage.deliver(segment);
    stage.arrival(None, B, Vars::default(), Vars::default());
}

/// Time goes on, and whoever still owes something is late.
fn end(mut stage: Stage) -> Stage {
    stage.pass_ms(10_000);
    stage.finish();
    stage
}

#[test]
fn a_whole_connection_is_fine() {
    let (stage, ..) = waiting();
    end(stage).assert_silent();
}

#[test]
fn nobody_answers_an_ack_by_a_reset_made_for_it() {
    for (seq, flags, fine) in [
        (7, Flags::RST, true),
        (8, Flags::RST, false),
        (7, Flags::RST | Flags::ACK, false),
    ] {
        let mut stage = stage();
        let client = stage.connect(A, 1000);
        let lost = stage.send(client, ack(1001, 7).text(vec![0; 5]));
        to_nobody(&mut stage, &lost);
        stage.echo(&lost, seg(flags).seq(seq));
        let stage = end(stage);
        match fine {
            true => stage.assert_silent(),
            false => stage.assert_violation("allowed is RSTa"),
        }
    }
}

#[test]
fn nobody_answers_a_syn_by_a_reset_that_acknowledges_it() {
    for (number, fine) in [(1001, true), (1000, false)] {
        let mut stage = stage();
        let client = stage.connect(A, 1000);
        let syn = stage.send(client, seg(Flags::SYN).seq(1000));
        to_nobody(&mut stage, &syn);
        stage.echo(&syn, seg(Flags::RST | Flags::ACK).ack(number));
        assert_eq!(end(stage).findings().is_empty(), fine, "{number}");
    }
}

#[test]
fn nobody_must_not_keep_silent() {
    let mut stage = stage();
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    to_nobody(&mut stage, &syn);
    end(stage).assert_violation("RST0 is due at once and missing");
}

#[test]
fn a_reset_draws_no_reset() {
    let mut stage = stage();
    let client = stage.connect(A, 1000);
    let reset = stage.send(client, seg(Flags::RST).seq(1000));
    to_nobody(&mut stage, &reset);
    end(stage).assert_silent();
    let mut stage = self::stage();
    let client = stage.connect(A, 1000);
    let reset = stage.send(client, seg(Flags::RST).seq(1000));
    to_nobody(&mut stage, &reset);
    stage.echo(&reset, seg(Flags::RST | Flags::ACK).ack(1000));
    end(stage).assert_violation("allowed is -");
}

#[test]
fn what_is_damaged_draws_nothing() {
    for answered in [false, true] {
        let (mut stage, client, server) = connected();
        let mut text = stage.send(client, ack(1001, 5001).text(vec![1; 3]));
        let mut octets = text.payload.octets().to_vec();
        octets[21] ^= 4;
        text.sent.payload = timewait_sim::Payload::new(octets);
        stage.deliver_damaged(&text, true);
        stage.judged(server, |_| {});
        if answered {
            stage.send_ack(server);
        }
        let stage = end(stage);
        match answered {
            false => stage.assert_silent(),
            true => stage.assert_violation("(damaged, or not for us)"),
        }
    }
}

#[test]
fn a_rst_echoes_the_timestamp_of_what_it_answers_or_has_none() {
    let reset = seg(Flags::RST | Flags::ACK).ack(1001);
    let answered = |reset| {
        let mut stage = stage();
        let client = stage.connect(A, 1000);
        let syn = stage.send(client, seg(Flags::SYN).seq(1000).stamp(100, 0));
        to_nobody(&mut stage, &syn);
        stage.echo(&syn, reset);
        end(stage)
    };
    answered(reset.clone()).assert_silent();
    answered(reset.clone().stamp(0, 100)).assert_silent();
    answered(reset.clone().stamp(0, 0)).assert_violation("allowed is RST0");
    answered(reset.stamp(7, 100)).assert_violation("allowed is RST0");
}

#[test]
fn an_answer_goes_back_to_where_the_segment_came_from() {
    let mut stage = stage();
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    to_nobody(&mut stage, &syn);
    stage.echo_to(&syn, 99, seg(Flags::RST | Flags::ACK).ack(1001));
    end(stage).assert_violation("goes to somebody else");
}

#[test]
fn an_answer_needs_a_question() {
    let mut stage = stage();
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    stage.by_timer();
    stage.echo(&syn, seg(Flags::RST | Flags::ACK).ack(1001));
    end(stage).assert_violation("answers nothing");
}

#[test]
fn a_listener_answers_a_syn_or_is_full() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    stage.ignore(listener, &syn);
    stage.assert_silent();
    let child = stage.child(listener, &syn, 5000);
    stage.send(child, seg(Flags::SYN | Flags::ACK).seq(5000).ack(1001));
    end(stage).assert_silent();
}

#[test]
fn a_child_must_answer_its_syn_and_acknowledge_it() {
    for answer in [None, Some(1000), Some(1002)] {
        let mut stage = stage();
        let listener = stage.listen(B);
        let client = stage.connect(A, 1000);
        let syn = stage.send(client, seg(Flags::SYN).seq(1000));
        let child = stage.child(listener, &syn, 5000);
        if let Some(number) = answer {
            let syn_ack = seg(Flags::SYN | Flags::ACK).seq(5000).ack(number);
            stage.send(child, syn_ack);
        }
        end(stage).assert_violation("SYN-ACK");
    }
}

/// SYN-SENT with ISS 1000 receives this; `change` is what it does.
fn in_syn_sent(segment: Seg, change: impl FnOnce(&mut Vars)) -> (Stage, Incarnation, Packet) {
    let mut stage = stage();
    let listener = stage.listen(B);
    let client = stage.connect(A, 1000);
    let segment = stage.send(listener, segment);
    stage.take(client, &segment, change);
    (stage, client, segment)
}

#[test]
fn syn_sent_resets_whoever_acknowledges_something_else() {
    let (mut stage, _, wrong) = in_syn_sent(ack(7, 900), |_| {});
    stage.echo(&wrong, seg(Flags::RST).seq(900));
    end(stage).assert_silent();
    let (stage, ..) = in_syn_sent(ack(7, 900), |_| {});
    end(stage).assert_violation("RSTa is due at once and missing");
}

#[test]
fn syn_sent_answers_a_syn_ack_at_once() {
    let syn_ack = || seg(Flags::SYN | Flags::ACK).seq(5000).ack(1001);
    let open = |v: &mut Vars| established(v, 1001, 5000);
    let (mut stage, client, _) = in_syn_sent(syn_ack(), open);
    stage.send_ack(client);
    end(stage).assert_silent();
    let (mut stage, client, _) = in_syn_sent(syn_ack(), open);
    stage.send(client, ack(1001, 5001).text(vec![0; 3]));
    end(stage).assert_silent();
    let (stage, ..) = in_syn_sent(syn_ack(), open);
    end(stage).assert_violation("ACK is due at once and missing");
    let (mut stage, client, _) = in_syn_sent(syn_ack(), open);
    stage.send(client, ack(1001, 5000));
    end(stage).assert_violation("RCV.NXT is 5001");
}

#[test]
fn a_user_who_aborts_in_the_same_breath_leaves_nothing_due() {
    let open = |v: &mut Vars| established(v, 1001, 5000);
    let syn_ack = seg(Flags::SYN | Flags::ACK).seq(5000).ack(1001);
    let (mut stage, client, _) = in_syn_sent(syn_ack, open);
    stage.goes(client, State::Closed, Why::User(Call::Abort));
    stage.send(client, seg(Flags::RST).seq(1001));
    end(stage).assert_silent();
}

#[test]
fn crossed_syns_are_answered_by_syn_acks() {
    for (number, fine) in [(5001, true), (5000, false)] {
        let crossed = |v: &mut Vars| {
            v.state = State::SynReceived;
            (v.irs, v.rcv_nxt) = (SeqNumber(5000), SeqNumber(5001));
        };
        let (mut stage, client, _) = in_syn_sent(seg(Flags::SYN).seq(5000), crossed);
        let answer = seg(Flags::SYN | Flags::ACK).seq(1000).ack(number);
        stage.send(client, answer);
        assert_eq!(end(stage).findings().is_empty(), fine);
    }
}

/// A child in SYN-RECEIVED, its ISS 5000, its IRS 1000.
fn half_open() -> (Stage, Incarnation, Incarnation) {
    let mut stage = stage();
    let listener = stage.listen(B);
    let client = stage.connect(A, 1000);
    let syn = stage.send(client, seg(Flags::SYN).seq(1000));
    let child = stage.child(listener, &syn, 5000);
    stage.send(child, seg(Flags::SYN | Flags::ACK).seq(5000).ack(1001));
    (stage, client, child)
}

#[test]
fn syn_received_resets_an_ack_that_is_not_of_its_syn() {
    let (mut stage, client, child) = half_open();
    let wrong = stage.send(client, ack(1001, 4999));
    stage.ignore(child, &wrong);
    stage.echo(&wrong, seg(Flags::RST).seq(4999));
    end(stage).assert_silent();
    let (mut stage, client, child) = half_open();
    let wrong = stage.send(client, ack(1001, 4999));
    stage.ignore(child, &wrong);
    stage.send(child, ack(5001, 1001));
    end(stage).assert_violation("allowed is RSTa");
}

#[test]
fn its_own_syn_again_draws_the_syn_ack_again() {
    for (seq, fine) in [(5000, true), (5001, false)] {
        let (mut stage, client, child) = half_open();
        let again = stage.send(client, seg(Flags::SYN).seq(1000));
        stage.ignore(child, &again);
        stage.send(child, seg(Flags::SYN | Flags::ACK).seq(seq).ack(1001));
        assert_eq!(end(stage).findings().is_empty(), fine);
    }
}

#[test]
fn a_good_ack_draws_no_ack() {
    let (mut stage, client, server) = connected();
    let pure = stage.send_ack(client);
    stage.ignore(server, &pure);
    stage.send_ack(server);
    end(stage).assert_violation("allowed is -");
}

#[test]
fn a_window_that_opens_may_be_told() {
    let (mut stage, client, server) = connected();
    let pure = stage.send_ack(client);
    stage.ignore(server, &pure);
    stage.vars(server).rcv_adv += 5000;
    stage.send_ack(server);
    stage.snapshot(server);
    end(stage).assert_silent();
}

#[test]
fn what_waits_for_its_ack_may_get_it_whenever_something_comes() {
    let (mut stage, client, server) = connected();
    let text = stage.send_text(client, 10);
    stage.take(server, &text, |v| took_text(v, 10));
    let pure = stage.send_ack(client);
    stage.ignore(server, &pure);
    stage.send_ack(server);
    end(stage).assert_silent();
}

#[test]
fn text_in_order_is_acknowledged_within_half_a_second() {
    for (ms, fine) in [(0, true), (499, true), (500, false), (700, false)] {
        let (mut stage, client, server) = connected();
        let text = stage.send_text(client, 10);
        stage.take(server, &text, |v| took_text(v, 10));
        stage.pass_ms(ms);
        stage.by_timer();
        stage.send_ack(server);
        let stage = end(stage);
        match fine {
            true => stage.assert_silent(),
            false => stage.assert_violation("has not acknowledged what it took in order"),
        }
    }
}

#[test]
fn whoever_is_gone_owes_nothing() {
    let (mut stage, client, server) = connected();
    let text = stage.send_text(client, 10);
    stage.take(server, &text, |v| took_text(v, 10));
    stage.by_user();
    stage.goes(server, State::Closed, Why::User(Call::Abort));
    end(stage).assert_silent();
}

#[test]
fn an_older_ack_does_not_settle_what_is_owed() {
    let (mut stage, client, server) = connected();
    let text = stage.send_text(client, 10);
    stage.take(server, &text, |v| took_text(v, 10));
    stage.by_timer();
    stage.send(server, ack(5001, 1001));
    end(stage).assert_violation("has not acknowledged");
}

#[test]
fn text_out_of_order_is_acknowledged_at_once() {
    for answered in [true, false] {
        let (mut stage, client, server) = connected();
        let _lost = stage.send_text(client, 10);
        let text = stage.send_text(client, 10);
        stage.take(server, &text, |v| v.out_of_order = 10);
        if answered {
            stage.send_ack(server);
        }
        let stage = end(stage);
        match answered {
            true => stage.assert_silent(),
            false => stage.assert_violation("(text or FIN out of order): ACK is due"),
        }
    }
}

#[test]
fn answers_to_invalid_segments_may_be_limited_and_not_stop() {
    for (ms, fine) in [(499, true), (500, false)] {
        let (mut stage, client, server) = connected();
        let old = stage.send(client, ack(900, 5001));
        stage.ignore(server, &old);
        stage.send_ack(server);
        stage.pass_ms(ms);
        stage.ignore(server, &old);
        let stage = end(stage);
        match fine {
            true => stage.assert_silent(),
            false => stage.assert_violation("(SEQ unacceptable): ACK is due"),
        }
        let held = "replies: held back by the limit";
        assert_eq!(stage.facts().coverage().notes.contains_key(held), fine);
    }
}

#[test]
fn the_first_invalid_segment_is_answered() {
    for segment in [
        seg(Flags::SYN).seq(1001),
        seg(Flags::SYN | Flags::ACK).seq(1000).ack(5001),
        seg(Flags::RST).seq(1002),
        ack(1001, 5002),
        ack(900, 5001).text(vec![0; 4]),
        seg(Flags::empty()).seq(900),
    ] {
        let (mut stage, client, server) = connected();
        let invalid = stage.send(client, segment);
        stage.ignore(server, &invalid);
        end(stage).assert_violation("ACK is due at once and missing");
    }
}

#[test]
fn an_answer_begins_at_snd_nxt_and_comes_once() {
    let (mut stage, client, server) = connected();
    let old = stage.send(client, ack(900, 5001));
    stage.ignore(server, &old);
    stage.send(server, ack(5000, 1001));
    end(stage).assert_violation("SND.NXT is 5001");
    let (mut stage, client, server) = connected();
    let old = stage.send(client, ack(900, 5001));
    stage.ignore(server, &old);
    stage.send_ack(server);
    stage.send_ack(server);
    end(stage).assert_violation("one answer is enough");
}

#[test]
fn a_synchronized_connection_does_not_reset_an_invalid_segment() {
    let (mut stage, client, server) = connected();
    let wrong = stage.send(client, ack(1001, 6000));
    stage.ignore(server, &wrong);
    stage.echo(&wrong, seg(Flags::RST).seq(6000));
    end(stage).assert_violation("allowed is ACK*");
}

#[test]
fn a_closed_window_answers_the_keepalive_probe() {
    for (seq, due) in [(1000, true), (1002, false)] {
        let (mut stage, client, server) = connected();
        let v = stage.vars(server);
        (v.rcv_adv, v.rcv_free) = (v.rcv_nxt, 0);
        stage.by_user();
        stage.snapshot(server);
        let probe = stage.send(client, ack(seq, 5001));
        stage.ignore(server, &probe);
        let stage = end(stage);
        match due {
            true => stage.assert_violation("ACK is due at once and missing"),
            false => stage.assert_silent(), // One that follows a refused probe of one octet.
        }
    }
}

/// Its ACK field may be too old, and that is a challenge (RFC 5961 §5), after which another one may
/// have to wait.
#[test]
fn an_answer_beside_a_closed_window_counts_against_the_limit() {
    let (mut stage, client, server) = connected();
    let v = stage.vars(server);
    (v.rcv_adv, v.rcv_free) = (v.rcv_nxt, 0);
    stage.by_user();
    stage.snapshot(server);
    let beside = stage.send(client, ack(1002, 4000));
    stage.ignore(server, &beside);
    stage.send_ack(server);
    stage.pass_ms(10);
    let old = stage.send(client, ack(900, 5001));
    stage.ignore(server, &old);
    end(stage).assert_silent();
}

#[test]
fn text_for_a_user_that_is_gone_is_reset_or_acknowledged() {
    for answer in [Some(Flags::RST), Some(Flags::ACK), None] {
        let (mut stage, client, server) = connected();
        stage.fin(server, State::FinWait1);
        let text = stage.send_text(client, 10);
        stage.take(server, &text, |v| v.state = State::Closed);
        match answer {
            Some(Flags::RST) => {
                stage.echo(&text, seg(Flags::RST).seq(5001));
            }
            Some(_) => {
                stage.send_ack(server);
            }
            None => {}
        }
        let stage = end(stage);
        match answer {
            Some(_) => stage.assert_silent(),
            None => stage.assert_violation("(text for a gone user)"),
        }
    }
}

#[test]
fn a_reset_without_a_user_and_without_a_reason_is_wrong() {
    let (mut stage, client, server) = connected();
    let pure = stage.send_ack(client);
    stage.ignore(server, &pure);
    stage.send(server, seg(Flags::RST).seq(5001));
    end(stage).assert_violation("allowed is -");
}

#[test]
fn the_last_fin_is_acknowledged_on_the_way_to_time_wait() {
    let (mut stage, client, server) = connected();
    let fin = stage.fin(client, State::FinWait1);
    stage.take(server, &fin, |v| {
        v.state = State::CloseWait;
        crate::staging::took_fin(v);
    });
    let acked = stage.send_ack(server);
    stage.take(client, &acked, |v| {
        v.state = State::FinWait2;
        acked_all(v);
    });
    let fin = stage.fin(server, State::LastAck);
    stage.take(client, &fin, |v| {
        v.state = State::TimeWait;
        crate::staging::took_fin(v);
    });
    end(stage).assert_violation("(FIN that ends in TIME-WAIT): ACK is due");
}

#[test]
fn time_wait_acknowledges_each_copy_of_the_fin() {
    let (mut stage, client, server) = waiting();
    let fin = || seg(Flags::FIN | Flags::ACK).seq(1001).ack(5002);
    for answered in [true, true, false] {
        let again = stage.send(client, fin());
        stage.ignore(server, &again);
        stage.assert_silent();
        if answered {
            stage.send_ack(server);
        }
    }
    end(stage).assert_violation("(the peer's FIN again): ACK is due");
}

#[test]
fn time_wait_does_not_answer_an_ack_in_order() {
    let (mut stage, client, server) = waiting();
    let pure = stage.send(client, ack(1002, 5002));
    stage.ignore(server, &pure);
    stage.assert_silent();
    stage.send_ack(server);
    end(stage).assert_violation("allowed is -");
}

#[test]
fn only_a_fresh_syn_draws_a_syn_ack_out_of_time_wait() {
    for (iss, fine) in [(1003, true), (1000, false)] {
        let (mut stage, _, server) = waiting();
        let next = stage.connect(A, iss);
        let syn = stage.send(next, seg(Flags::SYN).seq(iss));
        let new = stage.reopen(server, &syn, 90_000);
        let syn_ack = seg(Flags::SYN | Flags::ACK).seq(90_000).ack(iss + 1);
        stage.send(new, syn_ack);
        let stage = end(stage);
        match fine {
            true => stage.assert_silent(),
            // RFC 6191 may drop it without a word (§2 of ORACLES.md).
            false => stage.assert_violation("allowed is ACK?"),
        }
    }
}

/// RFC 7323 §3.2: who agreed on timestamps SHOULD drop what has none without an answer, also in
/// TIME-WAIT; only a bare SYN may begin something new there (RFC 6191 §2).
#[test]
fn a_syn_ack_without_its_timestamp_draws_nothing_in_time_wait() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, server) = stage.handshake_stamped(listener, 1000, 5000);
    stage.vars(server).state = State::TimeWait;
    stage.snapshot(server);
    stage.by_user();
    let syn_ack = seg(Flags::SYN | Flags::ACK).seq(1001).ack(5001);
    let syn_ack = stage.send(client, syn_ack);
    stage.ignore(server, &syn_ack);
    end(stage).assert_silent();
}

/// E6: the oracle can't tell what the host has read.
#[test]
fn damage_that_verifies_is_not_judged() {
    let (mut stage, client, server) = connected();
    let old = stage.send(client, ack(900, 5001));
    stage.deliver_damaged(&old, true);
    stage.judged(server, |_| {});
    end(stage).assert_silent();
}

/// RFC 9293 §3.4.3.
#[test]
fn in_its_quiet_time_a_host_answers_nothing() {
    for (ms, fine) in [(999, true), (1000, false)] {
        let mut circumstances = crate::staging::circumstances();
        let mut config = circumstances.hosts[&B].clone();
        config.quiet_time = Some(crate::staging::MSL);
        circumstances.reboots.insert((B, 1), config);
        let mut stage = Stage::under(circumstances, vec![Box::<ReplyTable>::default()]);
        stage.crash(B);
        stage.boot(B);
        stage.pass_ms(ms);
        let client = stage.connect(A, 1000);
        let syn = stage.send(client, seg(Flags::SYN).seq(1000));
        to_nobody(&mut stage, &syn);
        assert_eq!(end(stage).findings().is_empty(), fine, "{ms}");
    }
}
