//! What TCP tells IP and hears from it: Diffserv and TTL (RFC 9293 §3.9.1.9, §3.9.2).

use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{Config, SeqNumber, SocketId, SocketOption, State, TrafficClass};

use crate::peer::{Bench, ISN, PEER_PORT, PORT, Sent, config, config6};

/// Expedited forwarding (RFC 3246).
const EF: u8 = 46;

fn fields(sent: &[Sent]) -> Vec<(u8, u8)> {
    sent.iter()
        .map(|segment| (segment.transmit.diffserv, segment.transmit.hop_limit))
        .collect()
}

fn set(bench: &mut Bench, socket: SocketId, option: SocketOption) {
    bench.stack.set_option(socket, option).unwrap();
}

/// A segment without text, in a datagram of this traffic class.
fn inject_class(bench: &mut Bench, offset: u32, ack: SeqNumber, class: TrafficClass) {
    let segment = Segment {
        source_port: PEER_PORT,
        destination_port: PORT,
        seq: SeqNumber(ISN) + offset,
        ack,
        flags: Flags::ACK,
        window: 65_535,
        urgent: 0,
        options: Options::default(),
        text: b"",
    };
    let mut bytes = Vec::new();
    segment.emit(bench.peer, bench.host, &mut bytes);
    let (now, from, to) = (bench.now, bench.peer, bench.host);
    bench.stack.handle_segment(now, from, to, class, &bytes);
    bench.drain();
}

#[test]
fn the_settings_of_the_host_are_on_every_segment() {
    // MUST-48, MUST-49: SYN-ACK, text, FIN, and the RST of a port where nobody listens. Left alone,
    // they stay as they are (SHLD-23).
    for config in [config(), config6()] {
        let (mut bench, listener) = Bench::listening(Config {
            hop_limit: 7,
            diffserv: EF,
            ..config
        });
        let syn_ack = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1000));
        let iss = syn_ack[0].seq;
        bench.inject(Flags::ACK, 1, iss + 1, b"");
        let (socket, _) = bench.stack.accept(listener).unwrap();
        bench.stack.send(bench.now, socket, b"text").unwrap();
        let text = bench.drain();
        bench.stack.close(bench.now, socket).unwrap();
        let fin = bench.drain();
        bench.stack.close(bench.now, listener).unwrap();
        let reset = bench.inject(Flags::SYN, 1 << 20, SeqNumber(0), b"");
        for sent in [&syn_ack, &text, &fin, &reset] {
            assert_eq!(fields(sent), [(EF, 7)]);
        }
    }
}

#[test]
fn a_socket_has_its_own_and_may_change_them_at_any_time() {
    // MUST-48, MUST-49, SHLD-21; SHLD-22: what the user gives is what IP is given.
    let (mut bench, socket, _) = Bench::established(config());
    set(&mut bench, socket, SocketOption::NoDelay(true));
    for (diffserv, hop_limit) in [(63, 255), (0, 1), (EF, 64)] {
        set(&mut bench, socket, SocketOption::Diffserv(diffserv));
        set(&mut bench, socket, SocketOption::HopLimit(hop_limit));
        bench.stack.send(bench.now, socket, b"text").unwrap();
        assert_eq!(fields(&bench.drain()), [(diffserv, hop_limit)]);
    }
    bench.stack.abort(bench.now, socket).unwrap();
    assert_eq!(fields(&bench.drain()), [(EF, 64)], "also on the RST");
}

#[test]
fn children_have_the_settings_of_their_listener() {
    // MUST-48, MUST-49
    let (mut bench, listener) = Bench::listening(config());
    set(&mut bench, listener, SocketOption::Diffserv(EF));
    set(&mut bench, listener, SocketOption::HopLimit(9));
    let syn_ack = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1000));
    assert_eq!(fields(&syn_ack), [(EF, 9)]);
}

#[test]
fn time_wait_answers_with_the_settings_of_its_connection() {
    // MUST-48, MUST-49
    let (mut bench, socket, iss) = Bench::established(config());
    set(&mut bench, socket, SocketOption::Diffserv(EF));
    set(&mut bench, socket, SocketOption::HopLimit(9));
    bench.drain();
    bench.stack.close(bench.now, socket).unwrap();
    bench.drain();
    let last_ack = bench.inject(Flags::FIN | Flags::ACK, 1, iss + 2, b"");
    assert_eq!(bench.only_state(), Some(State::TimeWait));
    let again = bench.inject(Flags::FIN | Flags::ACK, 1, iss + 2, b"");
    assert_eq!([fields(&last_ack), fields(&again)], [[(EF, 9)], [(EF, 9)]]);
}

#[test]
fn the_diffserv_field_that_came_last_can_be_asked_for() {
    // MAY-9: of what was accepted; a segment that is refused says nothing.
    let (mut bench, socket, iss) = Bench::established(config());
    let received = |bench: &Bench| bench.stack.status(socket).unwrap().received_diffserv;
    assert_eq!(received(&bench), Some(0));
    inject_class(
        &mut bench,
        1,
        iss + 1,
        TrafficClass::from_octet(EF << 2 | 1),
    );
    assert_eq!(received(&bench), Some(EF));
    inject_class(
        &mut bench,
        1 << 24,
        iss + 1,
        TrafficClass::from_octet(10 << 2),
    );
    assert_eq!(received(&bench), Some(EF));
    inject_class(&mut bench, 1, iss + 1, TrafficClass::from_octet(10 << 2));
    assert_eq!(received(&bench), Some(10));
}
