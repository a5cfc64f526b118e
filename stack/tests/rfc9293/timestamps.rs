//! Timestamps: RFC 7323 §3 (the option), §4 (RTTM) and §5 (PAWS).

use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{Config, Duration, Instant, SeqNumber, SocketId, State};

use crate::peer::{Bench, PEER_PORT, PORT, Sent, config, peer_seq};

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
/// TSval of the peer's SYN, close to the wrap.
const FIRST: u32 = u32::MAX - 5;
const DAY: u64 = 24 * 3600;

/// TSval and TSecr of a peer whose clock stands so far from that of its SYN.
fn stamp(ticks: i32, echo: u32) -> Options {
    Options {
        timestamps: Some((FIRST.wrapping_add_signed(ticks), echo)),
        ..Options::default()
    }
}

fn of_syn(echo: u32) -> Options {
    Options {
        mss: Some(1460),
        ..stamp(0, echo)
    }
}

/// TSval and TSecr of what the stack sent.
fn times(sent: &Sent) -> (u32, u32) {
    sent.options.timestamps.expect("a timestamp")
}

/// A passive connection with timestamps.
struct Pair {
    bench: Bench,
    socket: SocketId,
    iss: SeqNumber,
    /// TSval of our SYN-ACK.
    first: u32,
}

fn established(config: Config) -> Pair {
    let (mut bench, listener) = Bench::listening(config);
    let syn_ack = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 65_535, of_syn(0));
    let (iss, (first, _)) = (syn_ack[0].seq, times(&syn_ack[0]));
    bench.inject_options(Flags::ACK, 1, iss + 1, b"", 65_535, stamp(0, first));
    let (socket, _) = bench.stack.accept(listener).unwrap();
    Pair {
        bench,
        socket,
        iss,
        first,
    }
}

impl Pair {
    /// The peer sends text, or nothing, `offset` after its ISN, at this time of its clock.
    fn inject(&mut self, offset: i64, text: &[u8], ticks: i32) -> Vec<Sent> {
        self.acks(offset, 0, text, stamp(ticks, self.first))
    }

    fn acks(&mut self, offset: i64, octets: u32, text: &[u8], options: Options) -> Vec<Sent> {
        let ack = self.iss + 1 + octets;
        self.bench
            .inject_options(Flags::ACK, offset, ack, text, 65_535, options)
    }

    fn send(&mut self, octets: usize) -> Vec<Sent> {
        let (bench, socket) = (&mut self.bench, self.socket);
        bench
            .stack
            .send(bench.now, socket, &vec![b'x'; octets])
            .unwrap();
        bench.drain()
    }

    fn pass(&mut self, time: Duration) {
        self.bench.wait(time);
    }

    /// TS.Recent as ticks after the peer's SYN.
    fn recent(&self) -> u32 {
        let recent = self.bench.vars(self.socket).ts_recent.expect("timestamps");
        recent.wrapping_sub(FIRST)
    }

    fn taken(&self) -> u32 {
        self.bench.vars(self.socket).rcv_nxt - peer_seq(1)
    }
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_syn_offers_timestamps_and_echoes_nothing() {
    let (_, _, syn) = Bench::connecting(config());
    assert_eq!(times(&syn).1, 0, "R7323-07");
    let off = Config {
        timestamps: false,
        ..config()
    };
    assert_eq!(
        Bench::connecting(off).2.options.timestamps,
        None,
        "R7323-04"
    );
}

#[test]
fn a_syn_ack_answers_only_what_was_offered() {
    let answer = |config, options| {
        let (mut bench, _) = Bench::listening(config);
        bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, options)[0].options
    };
    let off = Config {
        timestamps: false,
        ..config()
    };
    let (_, echo) = answer(config(), of_syn(99)).timestamps.unwrap();
    assert_eq!(echo, FIRST, "R7323-04");
    assert_eq!(
        answer(config(), Options::default()).timestamps,
        None,
        "R7323-04"
    );
    assert_eq!(answer(off, of_syn(0)).timestamps, None, "R7323-04");
}

#[test]
fn without_agreement_nothing_is_stamped_and_stamps_mean_nothing() {
    let (mut bench, socket, syn) = Bench::connecting(config());
    let plain = bench.inject_with(SYN_ACK, 0, syn.seq + 1, b"", Some(1460));
    assert_eq!(plain[0].options.timestamps, None, "R7323-04");
    for ticks in [100, 50] {
        let offset = if ticks == 100 { 1 } else { 3 };
        bench.inject_options(
            Flags::ACK,
            offset,
            syn.seq + 1,
            b"ab",
            1000,
            stamp(ticks, 0),
        );
    }
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.ts_recent, vars.rcv_nxt),
        (None, peer_seq(5)),
        "R7323-04: not even PAWS"
    );
}

#[test]
fn every_segment_is_stamped_once_agreed() {
    let mut pair = established(config());
    pair.bench.wait(millis(7));
    let text = pair.send(2896);
    assert_eq!(text.len(), 2);
    let answer = pair.inject(500, b"out of order", 3);
    pair.bench.stack.close(pair.bench.now, pair.socket).unwrap();
    let fin = pair.acks(1, 2896, b"", stamp(3, pair.first));
    for sent in text.iter().chain(&answer).chain(&fin) {
        assert_eq!(
            times(sent).0,
            pair.first.wrapping_add(7),
            "R7323-05, R7323-12"
        );
    }
    assert!(fin[0].flags.contains(Flags::FIN));
}

#[test]
fn timestamps_take_room_from_the_text_and_not_from_the_mss_option() {
    let mut pair = established(config());
    let text = pair.send(3000);
    assert_eq!(text[0].text.len(), 1460 - 12, "MUST-16");
    assert_eq!(pair.bench.vars(pair.socket).rmss, 1460, "SHLD-6");
    let (_, _, syn) = Bench::connecting(config());
    assert_eq!(syn.mss, Some(1460), "SHLD-6");
}

#[test]
fn two_full_segments_are_acknowledged_though_they_carry_options() {
    let mut pair = established(Config {
        mtu: 576,
        ..config()
    });
    assert_eq!(pair.inject(1, &[1; 524], 0), []);
    assert_eq!(pair.inject(525, &[1; 524], 0).len(), 1, "SHLD-19");
}

#[test]
fn a_reset_echoes_the_timestamp_of_what_it_answers() {
    let echo = Some((0, FIRST.wrapping_add(7)));
    let ask = |config: Config, syn: Option<Options>, port: Option<u16>| {
        let (mut bench, _) = Bench::listening(config);
        let syn_ack = syn
            .map(|options| bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, options));
        let wrong = syn_ack.map_or(SeqNumber(1), |sent| sent[0].seq + 77);
        let reset = bench.inject_segment(Segment {
            source_port: PEER_PORT,
            destination_port: port.unwrap_or(PORT),
            seq: peer_seq(1),
            ack: wrong,
            flags: Flags::ACK,
            window: 1000,
            urgent: 0,
            options: stamp(7, 1),
            text: b"",
        });
        assert_eq!((reset.len(), reset[0].flags), (1, Flags::RST));
        reset[0].options.timestamps
    };
    assert_eq!(ask(config(), None, None), echo, "R7323-14: LISTEN");
    assert_eq!(ask(config(), None, Some(99)), echo, "R7323-14: CLOSED");
    assert_eq!(ask(config(), Some(of_syn(0)), None), echo, "R7323-14");
    let ignored = ask(config(), Some(Options::default()), None);
    assert_eq!(ignored, None, "R7323-04: they had not agreed");
    let unable = Config {
        timestamps: false,
        ..config()
    };
    assert_eq!(ask(unable, None, None), None);
}

#[test]
fn a_reset_is_stamped_and_echoes_only_with_an_ack() {
    let mut pair = established(config());
    let (bench, socket) = (&mut pair.bench, pair.socket);
    bench.stack.abort(bench.now, socket).unwrap();
    let reset = bench.drain();
    assert_eq!(
        (reset[0].flags, times(&reset[0]).1),
        (Flags::RST, 0),
        "R7323-07"
    );
}

#[test]
fn a_segment_that_lacks_its_timestamp_is_dropped_in_silence() {
    let mut pair = established(config());
    let sent = pair.acks(1, 0, b"text", Options::default());
    assert_eq!((sent, pair.taken()), (vec![], 0), "R7323-06");
    pair.pass(Duration::from_secs(2));
    assert_eq!(pair.taken(), 0);
    let mut lax = established(Config {
        require_timestamps: false,
        ..config()
    });
    lax.acks(1, 0, b"text", Options::default());
    assert_eq!(lax.taken(), 4, "the profile of common stacks");
}

#[test]
fn a_reset_needs_no_timestamp_and_is_taken_with_any() {
    for options in [Options::default(), stamp(-1000, 0)] {
        let mut pair = established(config());
        pair.inject(1, b"abc", 50);
        pair.bench
            .inject_options(Flags::RST, 4, SeqNumber(0), b"", 0, options);
        assert_eq!(pair.bench.state(pair.socket), State::Closed, "R7323-10");
    }
}

#[test]
fn a_segment_with_the_same_or_a_newer_timestamp_is_taken() {
    let mut pair = established(Config {
        delayed_ack: Duration::ZERO,
        ..config()
    });
    pair.inject(1, b"abc", 0);
    pair.inject(4, b"def", 20);
    assert_eq!(
        (pair.taken(), pair.recent()),
        (6, 20),
        "R7323-08: over the wrap"
    );
}

#[test]
fn an_older_segment_is_dropped_and_acknowledged() {
    let mut pair = established(config());
    pair.inject(1, b"abc", 20);
    let answer = pair.inject(4, b"def", 19);
    assert_eq!(pair.taken(), 3, "R7323-09");
    assert_eq!((answer.len(), answer[0].ack), (1, peer_seq(4)), "R7323-09");
    let pure = pair.acks(4, 0, b"", stamp(19, pair.first));
    let again = pair.acks(4, 0, b"", stamp(19, pair.first));
    assert_eq!(
        (pure.len(), again.len()),
        (1, 0),
        "R7323-09, R5961-06: limited"
    );
    pair.inject(4, b"def", 21);
    assert_eq!(pair.taken(), 6);
}

#[test]
fn an_old_syn_and_an_old_fin_are_stopped_too() {
    let mut pair = established(config());
    pair.inject(1, b"abc", 20);
    let ack = pair.iss + 1;
    for flags in [Flags::FIN | Flags::ACK, Flags::SYN] {
        pair.bench.wait(Duration::from_secs(1));
        let answer = pair
            .bench
            .inject_options(flags, 4, ack, b"", 1000, stamp(19, 0));
        assert_eq!(answer.len(), 1, "R7323-09: {flags}");
    }
    assert_eq!(
        pair.bench.state(pair.socket),
        State::Established,
        "R7323-09"
    );
}

#[test]
fn what_starts_beyond_the_last_ack_does_not_set_ts_recent() {
    let mut pair = established(config());
    pair.inject(4, b"def", 30);
    assert_eq!(pair.recent(), 0, "R7323-08: out of order");
    let answer = pair.inject(1, b"abc", 25);
    assert_eq!((pair.taken(), pair.recent()), (6, 25), "R7323-08");
    assert_eq!(
        times(&answer[0]).1,
        FIRST.wrapping_add(25),
        "the echo of what the ACK answers"
    );
}

#[test]
fn a_delayed_ack_echoes_the_first_segment_that_it_answers() {
    let mut pair = established(config());
    assert_eq!(pair.inject(1, b"abc", 10), []);
    assert_eq!(
        pair.inject(4, b"def", 20),
        [],
        "it starts beyond Last.ACK.sent"
    );
    let ack = pair.bench.wait(millis(300));
    assert_eq!(
        (ack.len(), times(&ack[0]).1),
        (1, FIRST.wrapping_add(10)),
        "R7323-08"
    );
    pair.inject(7, b"ghi", 30);
    assert_eq!(pair.recent(), 30);
}

#[test]
fn what_the_checks_refuse_does_not_set_ts_recent() {
    let mut pair = established(config());
    pair.inject(70_000, b"beyond the window", 100);
    pair.acks(
        1,
        5000,
        b"acknowledges what was never sent",
        stamp(100, pair.first),
    );
    pair.bench
        .inject_options(Flags::RST, 50, SeqNumber(0), b"", 0, stamp(100, 0));
    let syn = Flags::SYN;
    pair.bench
        .inject_options(syn, 1, SeqNumber(0), b"", 0, stamp(100, 0));
    assert_eq!(pair.recent(), 0, "R7323-08");
}

#[test]
fn after_24_days_of_silence_any_timestamp_counts() {
    let mut pair = established(config());
    pair.bench.now = Instant::ZERO + Duration::from_secs(24 * DAY);
    pair.inject(1, b"abc", -1);
    assert_eq!(pair.taken(), 0, "R7323-09");
    pair.bench.now += Duration::from_secs(1);
    pair.inject(1, b"abc", -1);
    assert_eq!((pair.taken(), pair.recent()), (3, u32::MAX), "R7323-11");
}

#[test]
fn a_round_trip_is_told_by_the_echo() {
    let mut pair = established(config());
    pair.pass(millis(1000));
    let sent = times(&pair.send(100)[0]).0;
    pair.pass(millis(80));
    pair.acks(1, 100, b"", stamp(50, sent.wrapping_add(30)));
    // The handshake gave 0 ms, this gives 50 ms: SRTT = 50/8.
    let srtt = pair.bench.vars(pair.socket).srtt;
    assert_eq!(srtt, Some(Duration::from_micros(6250)), "R7323-07, MUST-18");
}

#[test]
fn what_was_sent_twice_gives_a_sample_all_the_same() {
    let mut pair = established(config());
    pair.send(100);
    let again = pair.bench.wait(millis(1500));
    assert_eq!(again.len(), 1);
    assert_eq!(
        pair.bench.vars(pair.socket).rto,
        Duration::from_secs(2),
        "MUST-19: backed off"
    );
    pair.acks(1, 100, b"", stamp(50, times(&again[0]).0));
    let vars = pair.bench.vars(pair.socket);
    assert_eq!(
        vars.srtt,
        Some(Duration::from_micros(62_500)),
        "500 ms, not 1500"
    );
    assert!(vars.rto < Duration::from_secs(2));
}

#[test]
fn one_flight_gives_one_sample() {
    let mut pair = established(config());
    let sent = times(&pair.send(4000)[0]).0;
    pair.pass(millis(80));
    pair.acks(1, 1448, b"", stamp(50, sent));
    let after_first = pair.bench.vars(pair.socket).srtt;
    pair.acks(1, 2896, b"", stamp(50, sent));
    assert_eq!(pair.bench.vars(pair.socket).srtt, after_first, "appendix G");
}

#[test]
fn an_ack_of_nothing_new_gives_no_sample() {
    let mut pair = established(config());
    let before = pair.bench.vars(pair.socket).srtt;
    let sent = times(&pair.send(100)[0]).0;
    pair.pass(millis(80));
    pair.acks(1, 0, b"text", stamp(50, sent));
    assert_eq!(pair.bench.vars(pair.socket).srtt, before, "RFC 7323 §4.1");
}

#[test]
fn an_echo_of_what_was_never_sent_gives_no_sample() {
    let mut pair = established(config());
    let before = pair.bench.vars(pair.socket).srtt;
    let sent = times(&pair.send(100)[0]).0;
    pair.acks(1, 100, b"", stamp(50, sent.wrapping_add(1)));
    assert_eq!(pair.bench.vars(pair.socket).srtt, before);
}

#[test]
fn the_syn_ack_gives_the_first_sample() {
    let (mut bench, socket, syn) = Bench::connecting(config());
    bench.wait(millis(120));
    let ack = bench.inject_options(SYN_ACK, 0, syn.seq + 1, b"", 1000, of_syn(times(&syn).0));
    assert_eq!(times(&ack[0]).1, FIRST, "R7323-07");
    assert_eq!(bench.vars(socket).srtt, Some(millis(120)));
}

#[test]
fn crossed_syns_agree_on_timestamps() {
    let (mut bench, socket, syn) = Bench::connecting(config());
    let syn_ack = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, of_syn(0));
    assert_eq!(
        (syn_ack[0].flags, times(&syn_ack[0]).1),
        (SYN_ACK, FIRST),
        "R7323-04"
    );
    bench.inject_options(SYN_ACK, 0, syn.seq + 1, b"", 1000, of_syn(times(&syn).0));
    assert_eq!(bench.state(socket), State::Established);
}
