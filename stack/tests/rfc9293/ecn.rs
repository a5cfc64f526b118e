//! Explicit congestion notification (RFC 3168 §6.1), SHLD-8.

use timewait_stack::config::EcnUse;
use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{Config, Duration, Ecn, SeqNumber, SocketId};

use crate::peer::{Bench, HOST, PEER, PEER_PORT, PORT, Sent, config, peer_seq};
use crate::router::Error;

const SETUP: Flags = Flags::ECE.union(Flags::CWR);
const ECE_ACK: Flags = Flags::ECE.union(Flags::ACK);

fn with_ecn() -> Config {
    Config {
        ecn: EcnUse::Offer,
        ..config()
    }
}

/// A segment of the peer, `offset` after its ISN, in a datagram with this codepoint.
fn inject(
    bench: &mut Bench,
    ecn: Ecn,
    flags: Flags,
    offset: u32,
    ack: SeqNumber,
    text: &[u8],
) -> Vec<Sent> {
    let segment = Segment {
        source_port: PEER_PORT,
        destination_port: PORT,
        seq: peer_seq(offset),
        ack,
        flags,
        window: 65_535,
        urgent: 0,
        options: Options {
            mss: flags.contains(Flags::SYN).then_some(1000),
            ..Options::default()
        },
        text,
    };
    let mut bytes = Vec::new();
    segment.emit(PEER, HOST, &mut bytes);
    bench
        .stack
        .handle_segment(bench.now, PEER, HOST, ecn, &bytes);
    bench.drain()
}

fn send(bench: &mut Bench, socket: SocketId, octets: usize) -> Vec<Sent> {
    let taken = bench.stack.send(bench.now, socket, &vec![b'x'; octets]);
    assert_eq!(taken, Ok(octets));
    bench.drain()
}

/// A passive connection whose peer sent an ECN-setup SYN.
fn established(config: Config) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, listener) = Bench::listening(config);
    let syn = Flags::SYN | SETUP;
    let iss = inject(&mut bench, Ecn::NotEct, syn, 0, SeqNumber(0), b"")[0].seq;
    inject(&mut bench, Ecn::NotEct, Flags::ACK, 1, iss + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    (bench, socket, iss)
}

/// An active open that got this SYN-ACK; returns its SYN.
fn opened(config: Config, answer: Flags) -> (Bench, SocketId, Sent) {
    let (mut bench, socket, syn) = Bench::connecting(config);
    let syn_ack = Flags::SYN | Flags::ACK | answer;
    inject(&mut bench, Ecn::NotEct, syn_ack, 0, syn.seq + 1, b"");
    (bench, socket, syn)
}

/// cwnd and ssthresh.
fn windows(bench: &Bench, socket: SocketId) -> (u32, u32) {
    let vars = bench.stack.status(socket).unwrap().vars.unwrap();
    (vars.cwnd, vars.ssthresh)
}

#[test]
fn syns_negotiate_with_two_flags_and_one() {
    let (bench, socket, syn) = opened(with_ecn(), Flags::ECE);
    assert_eq!(syn.flags, Flags::SYN | SETUP, "R3168-01");
    assert_eq!(syn.transmit.ecn, Ecn::NotEct, "R3168-02");
    assert!(
        bench.stack.status(socket).unwrap().vars.unwrap().ecn,
        "SHLD-8"
    );
    let (mut bench, _) = Bench::listening(with_ecn());
    let syn = Flags::SYN | SETUP;
    let syn_ack = inject(&mut bench, Ecn::NotEct, syn, 0, SeqNumber(0), b"");
    assert_eq!(syn_ack[0].flags, Flags::SYN | ECE_ACK, "R3168-01");
    assert_eq!(syn_ack[0].transmit.ecn, Ecn::NotEct, "R3168-02");
}

#[test]
fn whoever_does_not_take_part_gets_no_ecn_capable_segment() {
    for (own, answer) in [
        (with_ecn(), Flags::empty()),
        (with_ecn(), SETUP), // reflected
        (config(), Flags::ECE),
    ] {
        let (mut bench, socket, _) = opened(own, answer);
        assert_eq!(
            send(&mut bench, socket, 10)[0].transmit.ecn,
            Ecn::NotEct,
            "R3168-03"
        );
    }
    let (mut bench, _) = Bench::listening(config());
    let syn = Flags::SYN | SETUP;
    let syn_ack = inject(&mut bench, Ecn::NotEct, syn, 0, SeqNumber(0), b"");
    assert_eq!(syn_ack[0].flags, Flags::SYN | Flags::ACK);
}

#[test]
fn only_new_text_is_ecn_capable() {
    let (mut bench, socket, iss) = established(with_ecn());
    assert_eq!(
        send(&mut bench, socket, 1000)[0].transmit.ecn,
        Ecn::Ect0,
        "R3168-03"
    );
    let again = bench.wait(Duration::from_millis(1100));
    let again = again.iter().find(|sent| sent.seq == iss + 1).unwrap();
    assert_eq!(again.transmit.ecn, Ecn::NotEct, "R3168-07");
    inject(&mut bench, Ecn::NotEct, Flags::ACK, 1, iss + 1001, b"");
    let text = [b'y'; 1000];
    inject(&mut bench, Ecn::Ect0, Flags::ACK, 1, iss + 1001, &text);
    let acks = inject(&mut bench, Ecn::Ect0, Flags::ACK, 1001, iss + 1001, &text);
    assert_eq!(
        (acks.len(), acks[0].transmit.ecn),
        (1, Ecn::NotEct),
        "R3168-08"
    );
}

#[test]
fn window_probes_are_not_ecn_capable() {
    let (mut bench, socket, iss) = established(with_ecn());
    bench.inject_window(Flags::ACK, 1, iss + 1, b"", None, 0);
    assert!(send(&mut bench, socket, 10).is_empty());
    let probes = bench.wait(Duration::from_secs(2));
    assert!(!probes.is_empty() && probes[0].text.len() == 1);
    assert!(
        probes.iter().all(|probe| probe.transmit.ecn == Ecn::NotEct),
        "R3168-09"
    );
}

#[test]
fn a_mark_is_echoed_until_the_sender_has_heard() {
    let (mut bench, _, iss) = established(with_ecn());
    let ack = iss + 1;
    let text = [b'y'; 1000];
    let mut flags = Vec::new();
    for (ecn, control) in [
        (Ecn::Ect0, Flags::ACK),
        (Ecn::Ce, Flags::ACK),
        (Ecn::Ect0, Flags::ACK),
        (Ecn::Ect0, Flags::ACK | Flags::CWR),
        (Ecn::Ce, Flags::ACK | Flags::CWR),
    ] {
        let offset = 1 + 1000 * flags.len() as u32;
        let mut sent = inject(&mut bench, ecn, control, offset, ack, &text);
        sent.extend(bench.wait(Duration::from_millis(300)));
        flags.push(sent[0].flags);
    }
    let plain = Flags::ACK;
    assert_eq!(flags, [plain, ECE_ACK, ECE_ACK, plain, ECE_ACK], "R3168-04");
}

#[test]
fn an_echo_halves_once_for_a_window_and_is_confirmed_once() {
    let (mut bench, socket, iss) = established(with_ecn());
    let first = send(&mut bench, socket, 30_000);
    let flight: usize = first.iter().map(|sent| sent.text.len()).sum();
    assert_eq!(windows(&bench, socket).0 as usize, flight);
    let mut next = inject(&mut bench, Ecn::NotEct, ECE_ACK, 1, iss + 1001, b"");
    let (cwnd, ssthresh) = windows(&bench, socket);
    assert!(
        cwnd == ssthresh && cwnd <= 3000,
        "R3168-05: {cwnd}, {ssthresh}"
    );
    for acked in 2..=4 {
        next.extend(inject(
            &mut bench,
            Ecn::NotEct,
            ECE_ACK,
            1,
            iss + 1 + 1000 * acked,
            b"",
        ));
        assert_eq!(windows(&bench, socket), (cwnd, ssthresh), "R3168-05: once");
    }
    let cwr: Vec<bool> = next
        .iter()
        .map(|sent| sent.flags.contains(Flags::CWR))
        .collect();
    assert!(cwr[0] && !cwr[1..].contains(&true), "R3168-06: {cwr:?}");
    assert!(next[0].seq == iss + 1 + flight as u32 && next[0].transmit.ecn == Ecn::Ect0);
}

#[test]
fn a_later_window_is_reduced_again() {
    let (mut bench, socket, iss) = established(with_ecn());
    send(&mut bench, socket, 30_000);
    inject(&mut bench, Ecn::NotEct, ECE_ACK, 1, iss + 1001, b"");
    let (_, before) = windows(&bench, socket);
    inject(&mut bench, Ecn::NotEct, Flags::ACK, 1, iss + 4001, b"");
    for acked in 5..=6 {
        let ack = iss + 1 + 1000 * acked;
        inject(&mut bench, Ecn::NotEct, ECE_ACK, 1, ack, b"");
    }
    let (_, after) = windows(&bench, socket);
    assert!(after <= before, "{before} {after}");
    let vars = bench.stack.status(socket).unwrap().vars.unwrap();
    assert!(vars.recover.after(iss + 4001), "a reduction of its own");
}

/// RFC 3168 §6.1.2: congestion is answered once for a window. That a router had smaller segments sent
/// meanwhile was no answer to congestion (RFC 8201 §5.4).
#[test]
fn smaller_segments_are_no_answer_to_an_echo() {
    let (mut bench, socket, iss) = established(with_ecn());
    let sent = send(&mut bench, socket, 30_000);
    bench.error(Error::too_big(true, 800), &sent[0]);
    let (before, _) = windows(&bench, socket);
    let next = inject(&mut bench, Ecn::NotEct, ECE_ACK, 1, iss + 1, b"");
    let (cwnd, ssthresh) = windows(&bench, socket);
    assert!(
        cwnd < before && ssthresh <= sent.len() as u32 * 1000,
        "R3168-05: {before}, {cwnd}, {ssthresh}"
    );
    assert!(next.iter().all(|sent| !sent.flags.contains(Flags::CWR)));
    // One that follows within the same window is no news.
    inject(&mut bench, Ecn::NotEct, ECE_ACK, 1, iss + 1001, b"");
    assert_eq!(windows(&bench, socket).1, ssthresh, "R3168-05: once");
}

#[test]
fn an_echo_without_negotiation_means_nothing() {
    let (mut bench, socket, iss) = established(config());
    send(&mut bench, socket, 30_000);
    let before = windows(&bench, socket);
    inject(&mut bench, Ecn::NotEct, ECE_ACK, 1, iss + 1001, b"");
    assert!(windows(&bench, socket).0 >= before.0);
}

#[test]
fn a_syn_that_nobody_answers_goes_again_without_ecn() {
    let (mut bench, socket, first) = Bench::connecting(with_ecn());
    let again = bench.wait(Duration::from_millis(1100)).remove(0);
    assert_eq!(first.flags, Flags::SYN | SETUP);
    assert_eq!(again.flags, Flags::SYN, "R3168-10");
    // The answer to the first one comes late: marks are echoed, nothing is sent as ECN-capable.
    let syn_ack = Flags::SYN | ECE_ACK;
    inject(&mut bench, Ecn::NotEct, syn_ack, 0, first.seq + 1, b"");
    assert_eq!(
        send(&mut bench, socket, 10)[0].transmit.ecn,
        Ecn::NotEct,
        "RFC 3168 §6.1.1"
    );
    let mut acks = inject(&mut bench, Ecn::Ce, Flags::ACK, 1, first.seq + 1, b"y");
    acks.extend(bench.wait(Duration::from_millis(300)));
    assert!(acks[0].flags.contains(Flags::ECE));
}

#[test]
fn a_plain_syn_takes_back_what_the_first_offered() {
    let (mut bench, _) = Bench::listening(with_ecn());
    let none = SeqNumber(0);
    inject(&mut bench, Ecn::NotEct, Flags::SYN | SETUP, 0, none, b"");
    let again = inject(&mut bench, Ecn::NotEct, Flags::SYN, 0, none, b"");
    assert_eq!(again[0].flags, Flags::SYN | Flags::ACK, "RFC 3168 §6.1.1.1");
}

#[test]
fn ecn_may_be_accepted_without_being_offered() {
    let accepts = Config {
        ecn: EcnUse::Accept,
        ..config()
    };
    let (_, _, syn) = opened(accepts.clone(), Flags::empty());
    assert_eq!(syn.flags, Flags::SYN);
    let (bench, socket, _) = established(accepts);
    assert!(bench.stack.status(socket).unwrap().vars.unwrap().ecn);
}

/// The SYN-ACK went twice, so one segment is what the transfer begins with (RFC 5681 §3.1), whatever
/// waits.
fn with_one_segment(octets: usize) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, listener) = Bench::listening(with_ecn());
    let syn = Flags::SYN | SETUP;
    let iss = inject(&mut bench, Ecn::NotEct, syn, 0, SeqNumber(0), b"")[0].seq;
    assert_eq!(bench.wait(Duration::from_millis(1100)).len(), 1);
    inject(&mut bench, Ecn::NotEct, Flags::ACK, 1, iss + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(send(&mut bench, socket, octets).len(), 1);
    (bench, socket, iss)
}

/// R3168-11: less than a segment in a round trip is a segment in a retransmission timeout.
#[test]
fn with_a_window_of_one_segment_an_echo_lets_nothing_go_for_an_rto() {
    let (mut bench, socket, iss) = with_one_segment(10_000);
    for acked in 1..3 {
        let ack = iss + 1 + 1000 * acked;
        assert_eq!(inject(&mut bench, Ecn::NotEct, ECE_ACK, 1, ack, b""), []);
        assert_eq!(windows(&bench, socket).0, 1000, "R3168-12");
        let rto = bench.vars(socket).rto;
        let moment = Duration::from_nanos(1);
        assert_eq!(bench.wait(rto - moment), [], "R3168-11");
        let sent = bench.wait(moment);
        assert_eq!((sent.len(), sent[0].seq), (1, ack), "R3168-11");
        assert!(sent[0].flags.contains(Flags::CWR), "R3168-06");
    }
    let ack = iss + 3001;
    let sent = inject(&mut bench, Ecn::NotEct, Flags::ACK, 1, ack, b"");
    assert!(!sent.is_empty(), "congestion is over");
}

/// What is queued meanwhile, a FIN included, waits as well.
#[test]
fn who_is_held_back_by_an_echo_holds_back_its_fin() {
    let (mut bench, socket, iss) = with_one_segment(1000);
    inject(&mut bench, Ecn::NotEct, ECE_ACK, 1, iss + 1001, b"");
    bench.stack.close(bench.now, socket).unwrap();
    assert_eq!(bench.drain(), []);
    let sent = bench.wait(Duration::from_secs(3));
    assert!(sent[0].flags.contains(Flags::FIN), "{sent:?}");
}

/// R3168-12: after a timeout cwnd is one segment, and an ACK of what went again lets it grow unless
/// it reports congestion.
#[test]
fn an_echo_makes_nothing_grow() {
    for (flags, cwnd) in [(Flags::ACK, 2000), (ECE_ACK, 1000)] {
        let (mut bench, socket, iss) = established(with_ecn());
        send(&mut bench, socket, 4000);
        bench.wait(Duration::from_millis(1100));
        assert_eq!(windows(&bench, socket).0, 1000);
        inject(&mut bench, Ecn::NotEct, flags, 1, iss + 1001, b"");
        assert_eq!(windows(&bench, socket).0, cwnd);
    }
}
