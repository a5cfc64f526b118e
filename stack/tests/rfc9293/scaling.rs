//! Window scaling: RFC 7323 §2.

use timewait_stack::config::WindowScale;
use timewait_stack::wire::{Flags, Options};
use timewait_stack::{Config, Duration, SeqNumber, SocketId, State};

use crate::peer::{Bench, ISN, Sent, config, peer_seq};

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);

fn scale(shift: u8) -> Options {
    Options {
        mss: Some(1460),
        window_scale: Some(shift),
        ..Options::default()
    }
}

fn buffer(receive_buffer: u32, shift: u8) -> Config {
    Config {
        receive_buffer,
        window_scale: WindowScale::Fixed(shift),
        delayed_ack: Duration::ZERO,
        ..config()
    }
}

/// A passive connection whose peer scales by `shift` and offers `window` units.
fn scaled(config: Config, shift: u8, window: u16) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, listener) = Bench::listening(config);
    let syn_ack = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, scale(shift));
    let iss = syn_ack[0].seq;
    ack(&mut bench, 1, iss + 1, window);
    let (socket, _) = bench.stack.accept(listener).unwrap();
    (bench, socket, iss)
}

fn ack(bench: &mut Bench, offset: i64, ack: SeqNumber, window: u16) -> Vec<Sent> {
    bench.inject_window(Flags::ACK, offset, ack, b"", None, window)
}

fn send(bench: &mut Bench, socket: SocketId, octets: usize) -> usize {
    bench
        .stack
        .send(bench.now, socket, &vec![b'x'; octets])
        .unwrap();
    text(&bench.drain())
}

fn text(sent: &[Sent]) -> usize {
    sent.iter().map(|segment| segment.text.len()).sum()
}

#[test]
fn a_syn_offers_the_shift_that_its_buffer_needs() {
    let shift = |config| Bench::connecting(config).2.options.window_scale;
    assert_eq!(
        shift(config()),
        Some(0),
        "R7323-01: 65,535 octets need none"
    );
    let large = Config {
        receive_buffer: 1 << 20,
        ..config()
    };
    assert_eq!(shift(large), Some(5));
    let off = Config {
        window_scale: WindowScale::Off,
        ..config()
    };
    assert_eq!(shift(off), None);
}

#[test]
fn a_syn_ack_answers_only_what_was_offered() {
    let answer = |options| {
        let (mut bench, _) = Bench::listening(buffer(1 << 20, 7));
        bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, options)[0].options
    };
    assert_eq!(answer(scale(3)).window_scale, Some(7), "R7323-01");
    assert_eq!(answer(Options::default()).window_scale, None, "R7323-01");
}

#[test]
fn no_window_is_scaled_unless_both_syns_say_so() {
    let (mut bench, socket, syn) = Bench::connecting(buffer(1 << 20, 7));
    assert_eq!(syn.options.window_scale, Some(7));
    let plain = bench.inject_with(SYN_ACK, 0, syn.seq + 1, b"", Some(1460));
    assert_eq!(plain[0].window, 65_535, "R7323-01: ours");
    ack(&mut bench, 1, syn.seq + 1, 100);
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.snd_wnd, vars.snd_shift, vars.rcv_shift),
        (100, 0, 0),
        "R7323-01: the peer's"
    );
}

#[test]
fn the_window_of_a_syn_is_never_scaled() {
    let (mut bench, socket, syn) = Bench::connecting(buffer(1 << 20, 7));
    assert_eq!(syn.window, 65_535, "R7323-03: ours, of a buffer of 1 MiB");
    let options = scale(9);
    let first = bench.inject_options(SYN_ACK, 0, syn.seq + 1, b"", 1000, options);
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.snd_wnd, vars.snd_shift),
        (1000, 9),
        "R7323-03: the peer's"
    );
    assert_eq!(u32::from(first[0].window) << 7, 1 << 20, "R7323-13");
    let (mut bench, _) = Bench::listening(buffer(1 << 20, 7));
    let syn_ack = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, options);
    assert_eq!(syn_ack[0].window, 65_535, "R7323-03");
}

#[test]
fn the_syn_ack_that_is_sent_again_is_the_same() {
    let (mut bench, _) = Bench::listening(buffer(1 << 20, 7));
    let first = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, scale(9));
    let again = bench.wait(Duration::from_millis(1500));
    assert_eq!(again, first, "R7323-01, R7323-03");
}

#[test]
fn a_shift_above_14_is_read_as_14_and_told() {
    let (mut bench, listener) = Bench::listening(config());
    let syn_ack = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, scale(200));
    assert_eq!(bench.shifts_too_large, [200], "R7323-02: logged");
    ack(&mut bench, 1, syn_ack[0].seq + 1, 3);
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert_eq!(bench.vars(socket).snd_wnd, 3 << 14, "R7323-02");
}

#[test]
fn the_option_counts_in_a_syn_only() {
    let (mut bench, socket, iss) = scaled(config(), 2, 500);
    bench.inject_options(Flags::ACK, 1, iss + 1, b"", 500, scale(9));
    let vars = bench.vars(socket);
    assert_eq!((vars.snd_wnd, vars.snd_shift), (2000, 2), "R7323-01");
}

#[test]
fn text_fills_a_scaled_window() {
    let (mut bench, socket, iss) = scaled(config(), 4, 65_535);
    let mut sent = send(&mut bench, socket, 65_000) as u32;
    while bench.vars(socket).snd_una != iss + 65_001 {
        sent += text(&ack(&mut bench, 1, iss + 1 + sent, 65_535)) as u32;
    }
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.snd_wnd, vars.max_snd_wnd),
        (65_535 << 4, 65_535 << 4),
        "R7323-13"
    );
}

#[test]
fn new_text_ends_at_the_scaled_edge() {
    let (mut bench, socket, _) = scaled(config(), 7, 20);
    assert_eq!(
        send(&mut bench, socket, 10_000),
        1460,
        "R7323-13: 1100 of 2560 would be silly"
    );
}

#[test]
fn the_edge_moves_back_by_less_than_a_unit_and_what_was_offered_is_taken() {
    let (mut bench, socket, iss) = scaled(buffer(65_536, 12), 0, 1000);
    let unit = 1 << 12;
    let mut edge = peer_seq(1 + 65_535);
    let (mut offset, mut read) = (1, [0; 700]);
    for step in 0..500_usize {
        let sent = bench.inject(Flags::ACK, offset, iss + 1, &[7; 999]);
        offset += 999;
        let some = step % 700;
        let _ = bench.stack.recv(bench.now, socket, &mut read[..some]);
        for segment in sent.into_iter().chain(bench.drain()) {
            let told = segment.ack + (u32::from(segment.window) << 12);
            assert!(
                edge.saturating_since(told) < unit,
                "R7323-13: rounding, no more"
            );
            let moved = told.saturating_since(edge);
            assert!(moved == 0 || moved >= 1460, "MUST-39: {moved}");
            edge = edge.max(told);
        }
        if edge - peer_seq(offset as u32) < 999 {
            break;
        }
    }
    let vars = bench.vars(socket);
    let left = edge - vars.rcv_nxt;
    assert!(left > 0 && left < 999 && vars.rcv_adv == edge, "{left}");
    // The last window told was zero or rounded, yet every octet once offered is still taken.
    bench.inject(Flags::ACK, offset, iss + 1, &vec![7; left as usize]);
    assert_eq!(bench.vars(socket).rcv_nxt, edge, "R7323-13: §2.4 (1)");
}

#[test]
fn a_window_rounded_to_zero_opens_again_when_the_user_reads() {
    let (mut bench, socket, iss) = scaled(buffer(16_384, 12), 0, 1000);
    let mut windows = vec![];
    for step in 0..15 {
        windows.extend(bench.inject(Flags::ACK, 1 + 1000 * step, iss + 1, &[7; 1000]));
    }
    assert_eq!(
        windows.last().map(|s| s.window),
        Some(0),
        "less than a unit is left"
    );
    bench.stack.recv(bench.now, socket, &mut [0; 5000]).unwrap();
    let update = bench.drain();
    assert_eq!(
        update.iter().map(|s| s.window).collect::<Vec<_>>(),
        [1],
        "R7323-13"
    );
}

#[test]
fn what_rounding_put_beyond_the_edge_is_sent_again_all_the_same() {
    let (mut bench, socket, iss) = scaled(config(), 10, 10);
    assert_eq!(send(&mut bench, socket, 2920), 2920);
    // The peer took 100 octets, its edge stays; in units of 1024 that is one less: 2048 + 100.
    ack(&mut bench, 1, iss + 101, 2);
    let again = bench.wait(Duration::from_millis(1200));
    assert_eq!((again[0].seq, text(&again)), (iss + 101, 1460));
    let rest = ack(&mut bench, 1, iss + 101 + 1460, 1);
    assert_eq!(
        (rest[0].seq, text(&rest)),
        (iss + 1561, 1360),
        "R7323-13: §2.4 (4)"
    );
}

#[test]
fn an_ack_as_old_as_the_scaled_window_is_no_attack() {
    let (mut bench, socket, iss) = scaled(config(), 4, 65_535);
    let mut sent = 0;
    while sent < 200_000 {
        sent += send(&mut bench, socket, 20_000) as u32;
        sent += text(&ack(&mut bench, 1, iss + 1 + sent, 65_535)) as u32;
    }
    ack(&mut bench, 1, iss + 1 + sent, 65_535);
    let old = iss + 1 + sent.saturating_sub(150_000);
    bench.inject(Flags::ACK, 1, old, b"text");
    assert_eq!(
        bench.vars(socket).rcv_nxt,
        peer_seq(5),
        "R5961-05: MAX.SND.WND is scaled, R7323-13"
    );
}

#[test]
fn duplicate_acks_with_a_scaled_window_are_duplicates() {
    let (mut bench, socket, iss) = scaled(config(), 5, 2000);
    send(&mut bench, socket, 20_000);
    ack(&mut bench, 1, iss + 1461, 2000);
    let sent: Vec<Sent> = (0..3)
        .flat_map(|_| ack(&mut bench, 1, iss + 1461, 2000))
        .collect();
    assert!(
        sent.iter().any(|s| s.seq == iss + 1461),
        "fast retransmit; R7323-13"
    );
}

#[test]
fn time_wait_tells_a_scaled_window_and_is_left_by_a_wider_step() {
    let large = Config {
        receive_buffer: 1 << 20,
        ..config()
    };
    let (mut bench, socket, iss) = scaled(large, 14, 4);
    bench.stack.close(bench.now, socket).unwrap();
    bench.drain();
    let last = bench.inject(Flags::FIN | Flags::ACK, 1, iss + 2, b"");
    assert_eq!(bench.only_state(), Some(State::TimeWait));
    assert_eq!(
        u32::from(last[0].window) << 5,
        (1 << 20) - 32,
        "R7323-13: 1 MiB less the FIN"
    );
    let syn_ack = bench.inject_options(Flags::SYN, 5000, SeqNumber(0), b"", 1000, scale(1));
    assert_eq!(syn_ack[0].flags, SYN_ACK);
    assert!(
        syn_ack[0].seq.after(iss + 2 + (4 << 14)),
        "MAY-2: beyond the old windows"
    );
    assert_eq!(ISN.wrapping_add(5001), syn_ack[0].ack.0);
}

#[test]
fn crossed_syns_agree_on_scaling() {
    let (mut bench, socket, syn) = Bench::connecting(buffer(1 << 20, 7));
    let syn_ack = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, scale(3));
    assert_eq!(
        (syn_ack[0].flags, syn_ack[0].options.window_scale),
        (SYN_ACK, Some(7)),
        "R7323-01"
    );
    bench.inject_options(SYN_ACK, 0, syn.seq + 1, b"", 1000, scale(3));
    assert_eq!(bench.vars(socket).snd_wnd, 1000, "R7323-03");
    ack(&mut bench, 1, syn.seq + 1, 1000);
    assert_eq!(bench.vars(socket).snd_wnd, 8000, "R7323-13");
}

#[test]
fn a_shift_of_14_is_not_told() {
    let (bench, ..) = scaled(config(), 14, 1);
    assert_eq!(bench.shifts_too_large, [], "R7323-02");
}
