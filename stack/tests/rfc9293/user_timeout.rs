//! The user timeout (RFC 9293 §3.10.8) and its option (RFC 5482).

use std::net::SocketAddr;

use timewait_stack::config::{GiveUp, Keepalive, RtoBounds, UserTimeoutBounds};
use timewait_stack::wire::{Flags, Options, Segment, UserTimeout};
use timewait_stack::{Config, Duration, Errno, SeqNumber, SocketId, SocketOption, State};

use crate::peer::{Bench, PEER, PEER_PORT, PORT, Sent, config, peer_seq};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn set(bench: &mut Bench, socket: SocketId, option: SocketOption) -> Vec<Sent> {
    bench.stack.set_option(socket, option).unwrap();
    bench.drain()
}

fn announcing() -> Config {
    Config {
        announce_user_timeout: true,
        user_timeout: Some(seconds(150)),
        ..config()
    }
}

/// What the peer's option has made of it.
fn adopted(bench: &Bench, socket: SocketId) -> Option<Duration> {
    bench.stack.options(socket).unwrap().adopted_user_timeout
}

/// A segment of the peer with the option.
fn with_option(bench: &mut Bench, flags: Flags, ack: SeqNumber, said: u64) -> Vec<Sent> {
    let syn = flags.contains(Flags::SYN);
    bench.inject_segment(Segment {
        source_port: PEER_PORT,
        destination_port: PORT,
        seq: peer_seq(u32::from(!syn)),
        ack,
        flags,
        window: 65_535,
        urgent: 0,
        options: Options {
            user_timeout: Some(UserTimeout::from_duration(seconds(said))),
            ..Options::default()
        },
        text: b"",
    })
}

/// When the connection ends, in seconds from now, its peer being gone.
fn ends_after(bench: &mut Bench, socket: SocketId) -> u64 {
    let start = bench.now;
    while bench.state(socket) != State::Closed {
        bench.wait(Duration::from_millis(100));
        assert!(bench.now - start < seconds(10_000));
    }
    (bench.now - start).as_secs()
}

#[test]
fn it_ends_what_nobody_acknowledges_to_the_moment() {
    let (mut bench, socket, _) = Bench::established(config());
    set(
        &mut bench,
        socket,
        SocketOption::UserTimeout(Some(seconds(40))),
    );
    bench.stack.send(bench.now, socket, b"anybody?").unwrap();
    bench.drain();
    assert_eq!(ends_after(&mut bench, socket), 40);
    assert_eq!(bench.stack.take_error(socket), Ok(Some(Errno::ETIMEDOUT)));
}

#[test]
fn r2_may_come_first_and_each_acknowledgment_starts_it_anew() {
    let (mut bench, socket, _) = Bench::established(config());
    set(
        &mut bench,
        socket,
        SocketOption::UserTimeout(Some(seconds(300))),
    );
    let r2 = GiveUp::Retransmissions(2);
    set(&mut bench, socket, SocketOption::GiveUp(r2));
    bench.stack.send(bench.now, socket, b"a").unwrap();
    bench.drain();
    assert_eq!(ends_after(&mut bench, socket), 7, "1 + 2 + 4 s");
    let (mut bench, socket, iss) = Bench::established(config());
    set(
        &mut bench,
        socket,
        SocketOption::UserTimeout(Some(seconds(40))),
    );
    bench.stack.send(bench.now, socket, b"ab").unwrap();
    bench.drain();
    bench.wait(seconds(30));
    bench.inject(Flags::ACK, 1, iss + 2, b"");
    assert_eq!(ends_after(&mut bench, socket), 40);
}

#[test]
fn it_ends_an_open_that_nobody_answers() {
    let mut bench = Bench::new(config());
    let socket = bench.stack.socket();
    set(
        &mut bench,
        socket,
        SocketOption::UserTimeout(Some(seconds(20))),
    );
    let peer = SocketAddr::new(PEER, PEER_PORT);
    bench.stack.connect(bench.now, socket, peer).unwrap();
    bench.drain();
    assert_eq!(ends_after(&mut bench, socket), 20);
}

#[test]
fn a_shut_window_that_is_answered_outlasts_it() {
    let (mut bench, socket, iss) = Bench::established(config());
    set(
        &mut bench,
        socket,
        SocketOption::UserTimeout(Some(seconds(100))),
    );
    bench.inject_window(Flags::ACK, 1, iss + 1, b"", None, 0);
    bench.stack.send(bench.now, socket, b"waits").unwrap();
    bench.drain();
    for _ in 0..30 {
        bench.wait(seconds(61));
        bench.inject_window(Flags::ACK, 1, iss + 1, b"", None, 0);
    }
    assert_eq!(bench.state(socket), State::Established, "MUST-37");
    let left = ends_after(&mut bench, socket);
    assert!((100..=161).contains(&left), "silent from now on: {left} s");
}

#[test]
fn the_option_is_on_syns_only_where_asked_for() {
    let (mut bench, _) = Bench::listening(announcing());
    let syn_ack = bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
    assert_eq!(syn_ack[0].user_timeout, Some(150));
    let (mut bench, _) = Bench::listening(config());
    let syn_ack = bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
    assert_eq!(syn_ack[0].user_timeout, None, "RFC 5482 §3: off by default");
}

#[test]
fn a_change_is_told_with_the_next_segment() {
    let (mut bench, socket, _) = Bench::established(announcing());
    let told = SocketOption::UserTimeout(Some(seconds(700)));
    assert_eq!(set(&mut bench, socket, told).len(), 0);
    bench.stack.send(bench.now, socket, b"x").unwrap();
    assert_eq!(bench.drain()[0].user_timeout, Some(700));
    bench.stack.send(bench.now, socket, b"y").unwrap();
    assert!(bench.drain().iter().all(|sent| sent.user_timeout.is_none()));
}

#[test]
fn the_longer_of_both_timeouts_counts_within_bounds() {
    for (said, expected) in [(10, 150), (200, 200), (9_999, 400)] {
        let bounds = UserTimeoutBounds {
            min: seconds(100),
            max: seconds(400),
        };
        let (mut bench, socket, iss) = Bench::established(Config {
            user_timeout_bounds: bounds,
            r2: GiveUp::Never,
            ..announcing()
        });
        with_option(&mut bench, Flags::ACK, iss + 1, said);
        bench.stack.send(bench.now, socket, b"anybody?").unwrap();
        bench.drain();
        assert_eq!(ends_after(&mut bench, socket), expected, "peer: {said} s");
    }
}

/// RFC 5482 §3.1: L_LIMIT must be larger than the RTO, whatever the settings say.
#[test]
fn no_option_makes_it_as_short_as_the_rto() {
    for max in [2, 400] {
        let (mut bench, socket, iss) = Bench::established(Config {
            user_timeout: None,
            user_timeout_bounds: UserTimeoutBounds {
                min: seconds(0),
                max: seconds(max),
            },
            rto: RtoBounds {
                min: seconds(5),
                ..RtoBounds::default()
            },
            ..announcing()
        });
        with_option(&mut bench, Flags::ACK, iss + 1, 1);
        let (rto, adopted) = (bench.vars(socket).rto, adopted(&bench, socket).unwrap());
        assert!(rto >= seconds(5) && adopted > rto, "{rto:?} {adopted:?}");
        assert!(adopted < rto + seconds(1));
    }
}

#[test]
fn whoever_chose_a_timeout_or_takes_no_part_keeps_it() {
    let (mut bench, socket, iss) = Bench::established(Config {
        r2: GiveUp::Never,
        ..announcing()
    });
    set(
        &mut bench,
        socket,
        SocketOption::UserTimeout(Some(seconds(50))),
    );
    with_option(&mut bench, Flags::ACK, iss + 1, 200);
    bench.stack.send(bench.now, socket, b"anybody?").unwrap();
    bench.drain();
    assert_eq!(ends_after(&mut bench, socket), 50);
    let (mut bench, socket, iss) = Bench::established(Config {
        user_timeout: Some(seconds(60)),
        ..config()
    });
    with_option(&mut bench, Flags::ACK, iss + 1, 200);
    bench.stack.send(bench.now, socket, b"anybody?").unwrap();
    bench.drain();
    assert_eq!(ends_after(&mut bench, socket), 60);
}

#[test]
fn what_the_peer_made_of_it_outlasts_other_changes() {
    let (mut bench, socket, iss) = Bench::established(announcing());
    with_option(&mut bench, Flags::ACK, iss + 1, 700);
    assert_eq!(adopted(&bench, socket), Some(seconds(700)));
    set(&mut bench, socket, SocketOption::NoDelay(true));
    assert_eq!(adopted(&bench, socket), Some(seconds(700)), "R5482-01");
    let chosen = SocketOption::UserTimeout(Some(seconds(160)));
    set(&mut bench, socket, chosen);
    assert_eq!(adopted(&bench, socket), None, "the user decides");
}

/// R5482-01: of what the peer has said only the last word goes into the formula, so that a timeout
/// that was raised may fall again.
#[test]
fn a_shorter_one_takes_back_a_longer_one_of_before() {
    let (mut bench, socket, iss) = Bench::established(Config {
        r2: GiveUp::Never,
        ..announcing()
    });
    for (said, expected) in [(700, 700), (300, 300), (10, 150)] {
        with_option(&mut bench, Flags::ACK, iss + 1, said);
        assert_eq!(adopted(&bench, socket), Some(seconds(expected)));
    }
    let options = bench.stack.options(socket).unwrap();
    assert_eq!(options.user_timeout, Some(seconds(150)), "ADV_UTO");
    bench.stack.send(bench.now, socket, b"anybody?").unwrap();
    bench.drain();
    assert_eq!(ends_after(&mut bench, socket), 150);
}

/// R5482-02: the option of a SYN counts from the end of the handshake on, and not before.
#[test]
fn what_a_syn_says_does_not_count_in_syn_received() {
    let half_open = |acknowledged: bool| {
        let (mut bench, listener) = Bench::listening(Config {
            r2: GiveUp::Never,
            r2_syn_ack: GiveUp::Never,
            ..announcing()
        });
        let syn_ack = with_option(&mut bench, Flags::SYN, SeqNumber(0), 700);
        if acknowledged {
            bench.inject(Flags::ACK, 1, syn_ack[0].seq + 1, b"");
            let (socket, _) = bench.stack.accept(listener).unwrap();
            bench.stack.send(bench.now, socket, b"anybody?").unwrap();
            bench.drain();
            return ends_after(&mut bench, socket);
        }
        let start = bench.now;
        while bench.stack.usage().half_open > 0 {
            bench.wait(Duration::from_millis(100));
            assert!(bench.now - start < seconds(10_000));
        }
        (bench.now - start).as_secs()
    };
    assert_eq!((half_open(false), half_open(true)), (150, 700));
}

/// R5482-03: keepalive must not end what the timeout, told and adopted, would let live.
#[test]
fn keepalive_waits_for_longer_than_the_timeout_that_was_agreed() {
    for (announces, said, first) in [(true, 700, 700), (true, 10, 150), (false, 700, 20)] {
        let (mut bench, _, iss) = Bench::established(Config {
            announce_user_timeout: announces,
            keepalive: Some(Keepalive {
                idle: seconds(20),
                interval: seconds(5),
                probes: 3,
                garbage: false,
            }),
            ..announcing()
        });
        with_option(&mut bench, Flags::ACK, iss + 1, said);
        let moment = Duration::from_nanos(1);
        assert_eq!(bench.wait(seconds(first) - moment), []);
        assert_eq!(bench.wait(moment).is_empty(), announces, "{first}");
        let late = bench.wait(Duration::from_millis(5));
        assert_eq!(late.len(), usize::from(announces));
    }
}
