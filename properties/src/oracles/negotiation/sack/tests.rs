use timewait_sim::Packet;
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, Vars};

use crate::label::Incarnation;
use crate::oracles::negotiation::Negotiation;
use crate::staging::{B, Seg, Stage, circumstances, seg};

const PERMITTED: [u8; 2] = [4, 2];
/// RCV.NXT of the server after the handshake.
const NXT: u32 = 1001;

/// A client and a server whose SYNs have these options.
fn connected(options: &[u8]) -> (Stage, Incarnation, Incarnation) {
    let mut circumstances = circumstances();
    // An MSS option is not due where the MSS is the default.
    let hosts = circumstances.hosts.values_mut();
    hosts.for_each(|config| config.mtu = 576);
    let mut stage = Stage::under(circumstances, vec![Box::<Negotiation>::default()]);
    let listener = stage.listen(B);
    let ends = stage.handshake_with(listener, 1000, 5000, options, |_| {});
    stage.assert_silent();
    (stage, ends.0, ends.1)
}

/// An ACK of the server that says `ack` and reports these blocks, as offsets from [`NXT`].
fn report(ack: u32, blocks: &[(u32, u32)]) -> Seg {
    let mut option = vec![5, 2 + 8 * blocks.len() as u8];
    for (left, right) in blocks {
        option.extend((NXT.wrapping_add(*left)).to_be_bytes());
        option.extend((NXT.wrapping_add(*right)).to_be_bytes());
    }
    let plain = seg(Flags::ACK).seq(5001).ack(NXT + ack);
    if blocks.is_empty() {
        plain
    } else {
        plain.options(&option)
    }
}

/// Text of the client from one offset to another.
fn text(stage: &mut Stage, client: Incarnation, from: u32, to: u32) -> Packet {
    let text = vec![0; (to - from) as usize];
    let packet = stage.send(client, seg(Flags::ACK).seq(NXT + from).ack(5001).text(text));
    stage.pass_ms(1);
    packet
}

/// So many octets wait in so many blocks.
fn waits(octets: u32, blocks: u16) -> impl FnOnce(&mut Vars) {
    move |v| (v.out_of_order, v.out_of_order_blocks) = (octets, blocks)
}

/// A server that holds 100 to 200 and 300 to 400, and has said so each time.
fn holding() -> (Stage, Incarnation, Incarnation) {
    let (mut stage, client, server) = connected(&PERMITTED);
    let first = text(&mut stage, client, 100, 200);
    stage.take(server, &first, waits(100, 1));
    stage.send(server, report(0, &[(100, 200)]));
    let second = text(&mut stage, client, 300, 400);
    stage.take(server, &second, waits(200, 2));
    stage.send(server, report(0, &[(300, 400), (100, 200)]));
    stage.assert_silent();
    (stage, client, server)
}

/// What is found if a server that [`holding`] describes reports this without a segment to answer.
fn reported(blocks: &[(u32, u32)]) -> String {
    let (mut stage, _, server) = holding();
    stage.by_timer();
    stage.send(server, report(0, blocks));
    stage.findings().concat()
}

#[test]
fn r6675_11_blocks_need_the_permission_of_both_syns() {
    let (mut stage, client, server) = connected(&[]);
    let packet = text(&mut stage, client, 100, 200);
    stage.take(server, &packet, waits(100, 1));
    stage.send(server, report(0, &[]));
    stage.assert_silent();
    stage.send(server, report(0, &[(100, 200)]));
    stage.assert_violation("not both SYNs permit it");
    let (mut stage, _, server) = connected(&PERMITTED);
    stage.send(server, report(0, &[]).options(&PERMITTED));
    stage.assert_violation("permitted without SYN");
}

#[test]
fn every_ack_reports_what_waits() {
    assert_eq!(reported(&[(100, 200), (300, 400)]), "");
    assert!(reported(&[]).contains("says nothing of it"));
    let (mut stage, _, server) = holding();
    let mut reset = report(0, &[]);
    reset.flags |= Flags::RST;
    stage.send(server, reset);
    stage.assert_silent();
}

#[test]
fn a_block_is_what_was_received_contiguous_and_isolated() {
    for (blocks, why) in [
        (&[(150, 250)][..], "not received"),
        (&[(100, 400)], "not received"),
        (&[(110, 200)], "not isolated"),
        (&[(300, 399)], "not isolated"),
        (&[(300, 300)], "empty"),
        (&[(200, 100)], "empty"),
        (&[(0, 100)], "empty or acknowledged"),
        (&[(100, 200), (300, 400), (100, 200)], "twice"),
    ] {
        assert!(reported(blocks).contains(why), "{blocks:?}");
    }
    let (mut stage, _, server) = holding();
    stage.vars(server).out_of_order = 150;
    stage.snapshot(server);
    stage.by_timer();
    stage.send(server, report(0, &[(110, 200)]));
    stage.assert_silent();
}

#[test]
fn a_block_ends_inside_the_window() {
    let (mut stage, client, server) = holding();
    let packet = text(&mut stage, client, 500, 600);
    stage.take(server, &packet, |v| {
        waits(300, 3)(v);
        v.rcv_adv = SeqNumber(NXT + 550);
    });
    stage.send(server, report(0, &[(500, 600)]));
    stage.assert_violation("beyond the window");
}

/// RFC 9293 §3.10.7.4: what goes beyond the window is trimmed off, whatever room the buffer has.
#[test]
fn what_lies_beyond_the_window_is_neither_owed_nor_received() {
    for (blocks, why) in [
        (&[(500, 550)][..], None),
        (&[(500, 600)], Some("not received")),
    ] {
        let (mut stage, client, server) = connected(&PERMITTED);
        let vars = stage.vars(server);
        (vars.rcv_adv, vars.rcv_free) = (SeqNumber(NXT + 550), 1000);
        stage.snapshot(server);
        let packet = text(&mut stage, client, 500, 600);
        stage.take(server, &packet, |v| {
            waits(50, 1)(v);
            v.rcv_adv = SeqNumber(NXT + 1000);
        });
        stage.send(server, report(0, blocks));
        match why {
            None => stage.assert_silent(),
            Some(why) => stage.assert_violation(why),
        }
    }
}

#[test]
fn the_first_block_is_that_of_the_segment_which_is_answered() {
    for (blocks, fine) in [
        (&[(100, 300)][..], true),
        (&[(100, 300), (400, 500)], true),
        (&[(400, 500), (100, 300)], false),
    ] {
        let (mut stage, client, server) = connected(&PERMITTED);
        for (from, to, waiting) in [(400, 500, (100, 1)), (100, 200, (200, 2))] {
            let packet = text(&mut stage, client, from, to);
            stage.take(server, &packet, waits(waiting.0, waiting.1));
        }
        let joins = text(&mut stage, client, 200, 300);
        stage.take(server, &joins, waits(300, 2));
        stage.send(server, report(0, blocks));
        match fine {
            true => stage.assert_silent(),
            false => stage.assert_violation("not that of the latest segment"),
        }
    }
    assert_eq!(
        reported(&[(100, 200), (300, 400)]),
        "",
        "nothing is answered"
    );
}

#[test]
fn of_text_at_the_edge_the_part_inside_is_reported() {
    for (end, fine) in [(450, true), (449, false)] {
        let (mut stage, client, server) = holding();
        stage.vars(server).rcv_adv = SeqNumber(NXT + 450);
        stage.snapshot(server);
        let packet = text(&mut stage, client, 400, 500);
        stage.take(server, &packet, waits(250, 2));
        stage.send(server, report(0, &[(300, end), (100, 200)]));
        match fine {
            true => stage.assert_silent(),
            false => stage.assert_violation("not that of the latest segment"),
        }
    }
}

#[test]
fn what_moved_rcv_nxt_needs_no_block() {
    let (mut stage, client, server) = holding();
    let fills = text(&mut stage, client, 0, 100);
    stage.take(server, &fills, |v| {
        waits(100, 1)(v);
        v.rcv_nxt = SeqNumber(NXT + 200);
    });
    stage.send(server, report(200, &[(300, 400)]));
    stage.assert_silent();
    stage.by_timer();
    stage.send(server, report(200, &[(150, 200)]));
    stage.assert_violation("came twice, which it did not");
}

/// RFC 2883 §4.1.1 and §4.1.3: before the acknowledgment, and in a block that waits.
#[test]
fn what_came_twice_is_told_once_exactly() {
    let told = |from, to, told: &[&[(u32, u32)]]| {
        let (mut stage, client, server) = holding();
        let again = text(&mut stage, client, from, to);
        stage.take(server, &again, |_| {});
        for blocks in told {
            stage.send(server, report(0, blocks));
        }
        stage.findings().concat()
    };
    let held = (300, 400);
    assert_eq!(told(320, 380, &[&[(320, 380), held]]), "");
    assert!(told(320, 380, &[&[(320, 381), held]]).contains("RFC 2883"));
    assert!(told(320, 380, &[&[(320, 380), held], &[(320, 380), held]]).contains("RFC 2883"));
    assert_eq!(
        told(320, 380, &[&[held, (100, 200)]]),
        "",
        "need not be told"
    );
    let before = 0_u32.wrapping_sub(1);
    assert!(told(320, 380, &[&[(before, 0), held]]).contains("RFC 2883"));
    let (mut stage, client, server) = connected(&PERMITTED);
    let first = text(&mut stage, client, 0, 100);
    stage.take(server, &first, |v| v.rcv_nxt = SeqNumber(NXT + 100));
    stage.deliver(&first);
    stage.judged(server, |_| {});
    stage.send(server, report(100, &[(0, 100)]));
    stage.assert_silent();
}

#[test]
fn what_came_twice_is_told_though_something_was_refused_since() {
    let (mut stage, client, server) = connected(&PERMITTED);
    let first = text(&mut stage, client, 0, 100);
    stage.take(server, &first, |v| v.rcv_nxt = SeqNumber(NXT + 100));
    // Half of it is new, so its ACK may wait.
    let half = text(&mut stage, client, 50, 150);
    stage.take(server, &half, |v| v.rcv_nxt = SeqNumber(NXT + 150));
    let refused = text(&mut stage, client, 20, 120);
    stage.ignore(server, &refused);
    stage.by_timer();
    stage.send(server, report(150, &[(50, 100)]));
    stage.assert_silent();
    stage.send(server, report(150, &[(20, 120)]));
    stage.assert_silent();
    stage.send(server, report(150, &[(20, 120)]));
    stage.assert_violation("RFC 2883");
}
