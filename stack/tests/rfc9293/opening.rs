//! Opening: RFC 9293 §3.5, §3.10.7.1 to §3.10.7.3.

use std::net::SocketAddr;

use timewait_stack::event::Ready;
use timewait_stack::wire::Flags;
use timewait_stack::{Duration, Errno, SeqNumber, State};

use crate::peer::{Bench, PEER, PEER_PORT, config, peer_seq};

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
const RST_ACK: Flags = Flags::RST.union(Flags::ACK);

fn connecting() -> (Bench, timewait_stack::SocketId, SeqNumber) {
    let (bench, socket, syn) = Bench::connecting(config());
    assert_eq!((syn.flags, syn.mss), (Flags::SYN, Some(1460)));
    (bench, socket, syn.seq)
}

#[test]
fn a_syn_is_answered_and_its_ack_establishes() {
    let (mut bench, listener) = Bench::listening(config());
    let sent = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1000));
    assert_eq!(
        (sent.len(), sent[0].flags, sent[0].ack),
        (1, SYN_ACK, peer_seq(1))
    );
    assert_eq!(sent[0].mss, Some(1460), "MUST-14, MUST-67");
    assert_eq!(bench.inject(Flags::ACK, 1, sent[0].seq + 1, b""), []);
    assert_eq!(bench.ready, [(listener, Ready::Acceptable)]);
    let (socket, from) = bench.stack.accept(listener).unwrap();
    assert_eq!(
        (bench.state(socket), from),
        (State::Established, SocketAddr::new(PEER, PEER_PORT))
    );
}

#[test]
fn an_active_open_is_established_by_syn_ack_and_acknowledges_it() {
    let (mut bench, socket, iss) = connecting();
    let sent = bench.inject_with(SYN_ACK, 0, iss + 1, b"", Some(1460));
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].flags, sent[0].seq, sent[0].ack),
        (Flags::ACK, iss + 1, peer_seq(1))
    );
    assert_eq!(
        (bench.state(socket), bench.ready[0].1),
        (State::Established, Ready::Connected)
    );
}

#[test]
fn crossing_syns_lead_to_one_connection() {
    let (mut bench, socket, iss) = connecting();
    let sent = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", None);
    assert_eq!(
        (sent[0].flags, sent[0].seq, sent[0].ack),
        (SYN_ACK, iss, peer_seq(1))
    );
    assert_eq!(bench.state(socket), State::SynReceived);
    bench.inject_with(SYN_ACK, 0, iss + 1, b"", None);
    assert_eq!(bench.state(socket), State::Established, "MUST-10");
}

#[test]
fn syn_sent_answers_a_wrong_ack_with_a_reset_at_it() {
    let (mut bench, socket, iss) = connecting();
    for ack in [iss, iss + 2] {
        let sent = bench.inject(SYN_ACK, 0, ack, b"");
        assert_eq!(
            (sent.len(), sent[0].flags, sent[0].seq),
            (1, Flags::RST, ack)
        );
        assert_eq!(bench.inject(RST_ACK, 0, ack, b""), []);
    }
    assert_eq!(bench.state(socket), State::SynSent);
}

#[test]
fn syn_sent_is_refused_only_by_a_reset_that_acknowledges_its_syn() {
    let (mut bench, socket, iss) = connecting();
    bench.inject(Flags::RST, 0, SeqNumber(0), b"");
    assert_eq!(bench.state(socket), State::SynSent);
    bench.inject(RST_ACK, 0, iss + 1, b"");
    assert_eq!(bench.ready, [(socket, Ready::Failed(Errno::ECONNREFUSED))]);
}

#[test]
fn closed_makes_its_reset_acceptable() {
    let mut bench = Bench::new(config());
    let sent = bench.inject(Flags::SYN, 0, SeqNumber(9), b"abc");
    assert_eq!(
        (sent[0].flags, sent[0].seq, sent[0].ack),
        (RST_ACK, SeqNumber(0), peer_seq(4))
    );
    let sent = bench.inject(Flags::ACK, 0, SeqNumber(9), b"");
    assert_eq!((sent[0].flags, sent[0].seq), (Flags::RST, SeqNumber(9)));
    assert_eq!(bench.inject(Flags::RST, 0, SeqNumber(9), b""), []);
}

#[test]
fn listen_ignores_resets_and_resets_acks() {
    let (mut bench, _) = Bench::listening(config());
    assert_eq!(bench.inject(Flags::RST, 0, SeqNumber(3), b""), []);
    let sent = bench.inject(SYN_ACK, 0, SeqNumber(3), b"");
    assert_eq!((sent[0].flags, sent[0].seq), (Flags::RST, SeqNumber(3)));
    assert_eq!(bench.only_state(), None);
}

#[test]
fn syn_received_needs_an_ack_of_its_own_syn() {
    let (mut bench, _) = Bench::listening(config());
    let iss = bench.inject(Flags::SYN, 0, SeqNumber(0), b"")[0].seq;
    for wrong in [iss, iss + 2] {
        let sent = bench.inject(Flags::ACK, 1, wrong, b"");
        assert_eq!(
            (sent.len(), sent[0].flags, sent[0].seq),
            (1, Flags::RST, wrong)
        );
        assert_eq!(bench.only_state(), Some(State::SynReceived));
    }
}

#[test]
fn syn_received_is_left_only_at_rcv_nxt() {
    let (mut bench, _) = Bench::listening(config());
    let iss = bench.inject(Flags::SYN, 0, SeqNumber(0), b"")[0].seq;
    bench.inject(Flags::ACK, 5, iss + 1, b"later");
    assert_eq!(bench.only_state(), Some(State::SynReceived));
}

#[test]
fn a_reset_returns_a_passive_open_to_listen_and_fails_an_active_one() {
    let (mut bench, _) = Bench::listening(config());
    bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
    bench.inject(Flags::RST, 1, SeqNumber(0), b"");
    assert_eq!(
        bench.transitions.last(),
        Some(&(State::SynReceived, State::Listen)),
        "MUST-11"
    );

    let (mut bench, socket, _) = connecting();
    bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
    bench.inject(Flags::RST, 1, SeqNumber(0), b"");
    assert_eq!(bench.ready, [(socket, Ready::Failed(Errno::ECONNREFUSED))]);
}

#[test]
fn a_lost_syn_is_sent_again_for_three_minutes_then_the_open_fails() {
    let (mut bench, socket, iss) = connecting();
    let sent = bench.wait(Duration::from_secs(179));
    assert!(sent.iter().all(|s| s.flags == Flags::SYN && s.seq == iss));
    // 1, 3, 7, 15, 31, 63, 123 s: doubling, at most 60 s apart.
    assert_eq!(sent.len(), 7);
    assert_eq!(bench.state(socket), State::SynSent, "MUST-23");
    assert_eq!(bench.ready, [(socket, Ready::Trouble)], "MUST-22");
    bench.wait(Duration::from_secs(120));
    assert_eq!(
        bench.ready.last(),
        Some(&(socket, Ready::Failed(Errno::ETIMEDOUT)))
    );
}

#[test]
fn a_lost_syn_ack_is_sent_again_and_given_up() {
    let (mut bench, _) = Bench::listening(config());
    bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
    let sent = bench.wait(Duration::from_secs(10));
    assert!(sent.len() == 3 && sent.iter().all(|s| s.flags == SYN_ACK));
    bench.wait(Duration::from_secs(300));
    assert_eq!(bench.only_state(), None);
}

/// MUST-2: `drain` verifies each; here are all kinds of segments that a stack sends.
#[test]
fn every_segment_sent_has_its_checksum() {
    let (mut bench, listener) = Bench::listening(config());
    let mut sent = bench.inject(Flags::ACK, 0, SeqNumber(7), b"stray");
    sent.extend(bench.inject(Flags::SYN, 0, SeqNumber(0), b""));
    let iss = sent[1].seq;
    sent.extend(bench.inject(Flags::ACK, 1, iss + 1, b"text"));
    let (socket, _) = bench.stack.accept(listener).unwrap();
    bench.stack.send(bench.now, socket, b"odd").unwrap();
    sent.extend(bench.drain());
    sent.extend(bench.wait(Duration::from_secs(1)));
    bench.stack.abort(bench.now, socket).unwrap();
    sent.extend(bench.drain());
    let flags: Vec<Flags> = sent.iter().map(|segment| segment.flags).collect();
    let text = Flags::PSH | Flags::ACK;
    assert_eq!(flags, [Flags::RST, SYN_ACK, text, text, Flags::RST]);
}

/// RFC 9293 §3.10.7.2, §3.10.7.3: what comes with a SYN may be queued, and is not; then it must not be
/// acknowledged, and counts when it comes again.
#[test]
fn text_and_fin_on_a_syn_are_not_acknowledged_before_the_handshake_is_over() {
    let (mut bench, listener) = Bench::listening(config());
    let syn_ack = bench.inject(Flags::SYN | Flags::FIN, 0, SeqNumber(0), b"early");
    assert_eq!((syn_ack.len(), syn_ack[0].ack), (1, peer_seq(1)));
    bench.inject(Flags::ACK, 1, syn_ack[0].seq + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(bench.state(socket), State::Established);
    assert_eq!(bench.stack.status(socket).unwrap().readable, 0);
    bench.inject(Flags::ACK | Flags::FIN, 1, syn_ack[0].seq + 1, b"early");
    assert_eq!(bench.stack.status(socket).unwrap().readable, 5);
    assert_eq!(bench.state(socket), State::CloseWait);

    let (mut bench, socket, _) = connecting();
    let crossed = bench.inject(Flags::SYN, 0, SeqNumber(0), b"early");
    assert_eq!((crossed[0].flags, crossed[0].ack), (SYN_ACK, peer_seq(1)));
    assert_eq!(bench.state(socket), State::SynReceived);
}

/// RFC 9293 §3.10.7.3: with a SYN-ACK that ends the handshake it goes on at the sixth step.
#[test]
fn text_on_a_syn_ack_is_taken_at_once() {
    let (mut bench, socket, iss) = connecting();
    bench.inject(SYN_ACK, 0, iss + 1, b"early");
    assert_eq!(bench.stack.status(socket).unwrap().readable, 5);
    let sent = bench.wait(Duration::from_millis(500));
    assert!(sent.iter().all(|ack| ack.ack == peer_seq(6)), "{sent:?}");
}
