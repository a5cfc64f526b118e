use super::Sequence;
use crate::event::UserEvent;
use crate::label::Incarnation;
use crate::staging::{B, Stage, WINDOW, acked_all, seg, took_text};
use timewait_stack::SeqNumber;
use timewait_stack::event::Timer;
use timewait_stack::wire::Flags;

fn connected_at(client_iss: u32, server_iss: u32) -> (Stage, Incarnation, Incarnation) {
    let mut stage = Stage::new(vec![Box::<Sequence>::default()]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, client_iss, server_iss);
    stage.assert_silent();
    (stage, client, server)
}

fn connected() -> (Stage, Incarnation, Incarnation) {
    connected_at(1000, 5000)
}

/// The peer's window, as the sender knows it, becomes this.
fn window(stage: &mut Stage, of: Incarnation, octets: u32) {
    stage.by_user();
    stage.vars(of).snd_wnd = octets;
    stage.snapshot(of);
}

#[test]
fn a_whole_connection_is_silent_wherever_its_numbers_wrap() {
    for iss in [1000, u32::MAX - 50, (1 << 31) - 50] {
        let (mut stage, client, server) = connected_at(iss, iss.wrapping_sub(100));
        let text = stage.send_text(client, 100);
        stage.take(server, &text, |v| took_text(v, 100));
        let ack = stage.send_ack(server);
        stage.take(client, &ack, acked_all);
        stage.close_in_turn(client, server);
        stage.assert_silent();
    }
}

#[test]
fn no_number_goes_back() {
    type Change = fn(&mut timewait_stack::Vars);
    let changes: [(&str, Change); 5] = [
        ("ISS went", |v| v.iss += 1),
        ("SND.UNA went", |v| v.snd_una = v.snd_una.back(1)),
        ("SND.NXT went", |v| v.snd_nxt = v.snd_nxt.back(1)),
        ("IRS went", |v| v.irs += 1),
        ("RCV.NXT went", |v| v.rcv_nxt = v.rcv_nxt.back(1)),
    ];
    for (what, change) in changes {
        let (mut stage, client, _) = connected();
        stage.by_user();
        change(stage.vars(client));
        stage.snapshot(client);
        stage.assert_violation(what);
    }
}

#[test]
fn una_never_passes_nxt() {
    let (mut stage, client, _) = connected();
    stage.by_user();
    stage.vars(client).snd_una += 1;
    stage.snapshot(client);
    stage.assert_violation("out of order");
}

#[test]
fn rcv_nxt_counts_what_was_taken() {
    let (mut stage, client, server) = connected();
    let text = stage.send_text(client, 100);
    stage.take(server, &text, |v| took_text(v, 100));
    let octets = vec![0; 40];
    stage.user(
        B,
        UserEvent::Received {
            connection: server.connection,
            offset: 0,
            octets,
        },
    );
    stage.vars(server).unread -= 40;
    stage.snapshot(server);
    let ack = stage.send_ack(client);
    stage.ignore(server, &ack);
    stage.assert_silent();
    stage.vars(server).unread -= 1;
    stage.ignore(server, &ack);
    stage.assert_violation("make 100");
}

#[test]
fn after_shutdown_of_reading_nothing_is_counted() {
    let (mut stage, client, server) = connected();
    let connection = server.connection;
    stage.user(
        B,
        UserEvent::Shutdown {
            connection,
            read: true,
            write: false,
        },
    );
    stage.vars(server).unread += 7;
    let ack = stage.send_ack(client);
    stage.ignore(server, &ack);
    stage.assert_silent();
}

#[test]
fn the_right_edge_never_recedes() {
    let (mut stage, client, _) = connected();
    let edge = |seq, ack, window| seg(Flags::ACK).seq(seq).ack(ack).window(window);
    stage.send(client, edge(1001, 5101, WINDOW as u16 - 100));
    stage.assert_silent();
    stage.send(client, edge(1001, 5101, WINDOW as u16 - 101));
    stage.assert_violation("receded by 1");
}

/// Both SYNs with a window scale option of 4.
fn scaled() -> (Stage, Incarnation) {
    let mut stage = Stage::new(vec![Box::<Sequence>::default()]);
    let listener = stage.listen(B);
    let scale = [3, 3, 4];
    let (client, _) = stage.handshake_with(listener, 1000, 5000, &scale, |v| {
        (v.snd_wnd, v.max_snd_wnd) = (WINDOW << 4, WINDOW << 4);
    });
    stage.assert_silent();
    (stage, client)
}

#[test]
fn a_scaled_edge_recedes_by_rounding_and_no_more() {
    let edge = |ack, window| seg(Flags::ACK).seq(1001).ack(ack).window(window);
    let (mut stage, client) = scaled();
    let window = WINDOW as u16;
    stage.send(client, edge(5001 + 16, window - 1));
    stage.send(client, edge(5001 + 17, window - 2));
    stage.assert_silent();
    stage.send(client, edge(5001 + 16, window - 2));
    stage.assert_violation("receded by 16");
}

#[test]
fn a_syn_ack_sent_again_tells_as_much_of_a_scaled_window_as_it_can() {
    for (field, fine) in [(u16::MAX, true), (u16::MAX - 1, false)] {
        let (mut stage, client) = scaled();
        let syn_ack = seg(Flags::SYN | Flags::ACK).seq(1000).ack(5001);
        stage.send(client, syn_ack.window(field).options(&[3, 3, 4]));
        assert_eq!(stage.findings().is_empty(), fine, "{:?}", stage.findings());
    }
}

#[test]
fn the_window_of_a_syn_is_not_scaled_and_so_its_edge_is_near() {
    let mut stage = Stage::new(vec![Box::<Sequence>::default()]);
    let listener = stage.listen(B);
    // Taken for scaled, the SYN-ACK would offer 16 times as much as the ACK that follows.
    let (client, server) = stage.handshake_with(listener, 1000, 5000, &[3, 3, 4], |_| {});
    let ack = seg(Flags::ACK).seq(5001).ack(1001);
    stage.send(server, ack.window((WINDOW >> 4) as u16));
    stage.assert_silent();
    assert!(stage.facts().life(client).is_some());
}

#[test]
fn a_copy_in_the_network_is_not_a_receding_edge() {
    let (mut stage, client, server) = connected();
    let old = stage.send_ack(client);
    stage.send(client, seg(Flags::ACK).seq(1001).ack(5101));
    stage.ignore(server, &old);
    stage.assert_silent();
}

#[test]
fn new_octets_stay_inside_the_window() {
    for (octets, fine) in [(50, true), (51, false)] {
        let (mut stage, client, _) = connected();
        window(&mut stage, client, 50);
        stage.send_text(client, octets);
        assert_eq!(stage.findings().is_empty(), fine, "{:?}", stage.findings());
    }
}

#[test]
fn a_fin_needs_window_like_an_octet() {
    for (octets, fine) in [(51, true), (50, false)] {
        let (mut stage, client, _) = connected();
        window(&mut stage, client, octets);
        stage.send_text(client, 50);
        stage.fin(client, timewait_stack::State::FinWait1);
        assert_eq!(stage.findings().is_empty(), fine, "{:?}", stage.findings());
    }
}

#[test]
fn one_probe_octet_passes_for_each_expiry() {
    let (mut stage, client, _) = connected();
    window(&mut stage, client, 0);
    stage.timer(client, Timer::Persist, 1);
    let probe = seg(Flags::ACK).seq(1001).ack(5001).text(vec![0]);
    stage.send(client, probe.clone());
    stage.send(client, probe);
    stage.assert_silent();
    stage.send(client, seg(Flags::ACK).seq(1002).ack(5001).text(vec![0]));
    stage.assert_violation("beyond the window");
}

#[test]
fn a_probe_is_one_octet_and_needs_an_expiry() {
    for (expired, octets, fine) in [(true, 1, true), (true, 2, false), (false, 1, false)] {
        let (mut stage, client, _) = connected();
        window(&mut stage, client, 0);
        if expired {
            stage.timer(client, Timer::Persist, 1);
        }
        stage.send_text(client, octets);
        assert_eq!(stage.findings().is_empty(), fine, "{:?}", stage.findings());
    }
}

#[test]
fn a_peer_may_shrink_its_window_under_what_was_sent() {
    let (mut stage, client, _) = connected();
    let text = stage.send_text(client, 100);
    window(&mut stage, client, 10);
    stage.send(
        client,
        seg(Flags::ACK).seq(1001).ack(5001).text(vec![0; 100]),
    );
    assert_eq!(text.payload.octets().len(), 120);
    stage.assert_silent();
    assert_eq!(stage.vars(client).snd_nxt, SeqNumber(1101));
    stage.send_text(client, 1);
    stage.assert_violation("1 new octets");
}
