//! TIME-WAIT and the next incarnation: RFC 6191, and PAWS in TIME-WAIT.

use timewait_stack::wire::{Flags, Options};
use timewait_stack::{Config, Duration, Instant, SeqNumber, State};

use crate::peer::{Bench, Sent, config, peer_seq};

const FIN_ACK: Flags = Flags::FIN.union(Flags::ACK);
const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
/// TSval of the first incarnation's FIN: the last timestamp seen.
const LAST: u32 = 3;

fn stamped(value: Option<u32>) -> Options {
    Options {
        timestamps: value.map(|value| (value, 0)),
        ..Options::default()
    }
}

/// A passive connection that closed first and is in TIME-WAIT: RCV.NXT is two after the peer's
/// ISN. Returns the ACK of the peer's FIN. `last`: TSval of the peer's segments, if it has any.
fn time_wait(config: Config, last: Option<u32>) -> (Bench, Sent) {
    let (mut bench, listener) = Bench::listening(config);
    let options = stamped(last);
    let syn_ack = bench.inject_options(Flags::SYN, 0, SeqNumber(0), b"", 1000, options);
    let iss = syn_ack[0].seq;
    bench.inject_options(Flags::ACK, 1, iss + 1, b"", 1000, options);
    let (socket, _) = bench.stack.accept(listener).unwrap();
    bench.stack.close(bench.now, socket).unwrap();
    bench.drain();
    let last_ack = bench.inject_options(FIN_ACK, 1, iss + 2, b"", 1000, options);
    assert_eq!(bench.only_state(), Some(State::TimeWait));
    (bench, last_ack[0].clone())
}

/// A SYN `offset` after the old ISN. Whether it is taken; if not, it must be dropped in silence.
fn reopens(bench: &mut Bench, offset: i64, value: Option<u32>) -> bool {
    let sent = bench.inject_options(Flags::SYN, offset, SeqNumber(0), b"", 1000, stamped(value));
    if sent.is_empty() {
        assert_eq!(bench.only_state(), Some(State::TimeWait), "R6191-04");
        return false;
    }
    assert_eq!((sent.len(), sent[0].flags), (1, SYN_ACK));
    assert_eq!(bench.only_state(), Some(State::SynReceived));
    true
}

/// Well below everything the old incarnation sent.
const BELOW: i64 = -100_000;
/// The first number that is new.
const BEYOND: i64 = 3;

#[test]
fn a_newer_timestamp_reopens_whatever_the_isn() {
    for offset in [BELOW, 2, BEYOND] {
        let (mut bench, _) = time_wait(config(), Some(LAST));
        assert!(
            reopens(&mut bench, offset, Some(LAST + 1)),
            "R6191-01, SHLD-4: {offset}"
        );
    }
}

#[test]
fn an_equal_timestamp_reopens_only_with_a_new_isn() {
    let (mut bench, _) = time_wait(config(), Some(LAST));
    for offset in [BELOW, 1, 2] {
        assert!(
            !reopens(&mut bench, offset, Some(LAST)),
            "R6191-02, R6191-04: {offset}"
        );
    }
    assert!(reopens(&mut bench, BEYOND, Some(LAST)), "R6191-02");
}

#[test]
fn an_older_timestamp_never_reopens() {
    let (mut bench, _) = time_wait(config(), Some(LAST));
    assert!(!reopens(&mut bench, BEYOND, Some(LAST - 1)), "R6191-04");
    assert!(
        !reopens(&mut bench, BEYOND, Some(LAST.wrapping_sub(1 << 31))),
        "R6191-04"
    );
}

#[test]
fn timestamps_after_a_connection_without_reopen() {
    let (mut bench, _) = time_wait(config(), None);
    assert!(reopens(&mut bench, BELOW, Some(0)), "R6191-03");
}

#[test]
fn a_syn_without_timestamps_is_judged_by_its_isn() {
    for last in [Some(LAST), None] {
        let (mut bench, _) = time_wait(config(), last);
        for offset in [BELOW, 2] {
            assert!(
                !reopens(&mut bench, offset, None),
                "R6191-05, R6191-04: {offset}"
            );
        }
        assert!(reopens(&mut bench, BEYOND, None), "R6191-05, MAY-2");
    }
}

#[test]
fn a_host_that_uses_no_timestamps_looks_at_none() {
    let off = Config {
        timestamps: false,
        ..config()
    };
    let (mut bench, _) = time_wait(off, None);
    assert!(
        !reopens(&mut bench, BELOW, Some(LAST + 1)),
        "R6191-05: they would not be in use"
    );
    assert!(reopens(&mut bench, BEYOND, Some(LAST + 1)), "R6191-05");
}

#[test]
fn a_timestamp_of_24_days_ago_proves_nothing() {
    let long = Config {
        msl: Duration::from_secs(30 * 24 * 3600),
        ..config()
    };
    let (mut bench, _) = time_wait(long, Some(LAST));
    bench.now = Instant::ZERO + Duration::from_secs(25 * 24 * 3600);
    assert!(!reopens(&mut bench, BELOW, Some(LAST + 1)), "R7323-11");
    assert!(reopens(&mut bench, BEYOND, Some(LAST - 1)), "R7323-11");
}

#[test]
fn the_clock_of_a_tuple_goes_on_from_one_incarnation_to_the_next() {
    let (mut bench, last_ack) = time_wait(config(), Some(LAST));
    let (before, _) = last_ack.options.timestamps.unwrap();
    bench.wait(Duration::from_millis(40));
    let options = stamped(Some(LAST + 1));
    let syn_ack = bench.inject_options(Flags::SYN, BELOW, SeqNumber(0), b"", 1000, options);
    let after = syn_ack[0].options.timestamps.unwrap();
    assert_eq!(after, (before.wrapping_add(40), LAST + 1), "RFC 6191 §3");
}

#[test]
fn a_reopened_connection_that_fails_gives_back_the_old_timestamps() {
    let (mut bench, _) = time_wait(config(), Some(LAST));
    assert!(reopens(&mut bench, BELOW, Some(LAST + 10)));
    bench.inject_options(
        Flags::RST,
        BELOW + 1,
        SeqNumber(0),
        b"",
        0,
        Options::default(),
    );
    assert_eq!(bench.only_state(), Some(State::TimeWait), "MAY-2");
    assert!(
        reopens(&mut bench, BELOW, Some(LAST + 1)),
        "R6191-01: it was never proved"
    );
}

#[test]
fn the_fin_again_restarts_2msl_and_its_timestamp_is_the_last_seen() {
    let (mut bench, last_ack) = time_wait(config(), Some(LAST));
    bench.wait(Duration::from_secs(200));
    let fin = bench.inject_options(FIN_ACK, 1, last_ack.seq, b"", 1000, stamped(Some(LAST + 7)));
    assert_eq!((fin.len(), fin[0].ack), (1, peer_seq(2)));
    assert_eq!(
        fin[0].options.timestamps.unwrap().1,
        LAST + 7,
        "R7323-05, R7323-08"
    );
    bench.wait(Duration::from_secs(200));
    assert!(!reopens(&mut bench, BELOW, Some(LAST + 6)), "R6191-04");
}

#[test]
fn paws_stops_an_old_fin_from_restarting_2msl() {
    let (mut bench, last_ack) = time_wait(config(), Some(LAST));
    bench.wait(Duration::from_secs(200));
    let fin = |value| stamped(Some(value));
    let answer = bench.inject_options(FIN_ACK, 1, last_ack.seq, b"", 1000, fin(LAST - 1));
    assert_eq!(answer.len(), 1, "R7323-09: acknowledged all the same");
    let again = bench.inject_options(FIN_ACK, 1, last_ack.seq, b"", 1000, fin(LAST - 1));
    assert_eq!(again, [], "R5961-06: but not each time");
    bench.wait(Duration::from_secs(41));
    assert_eq!(bench.only_state(), None, "R7323-09: over after 240 s");
}

#[test]
fn in_time_wait_what_lacks_its_timestamp_is_dropped_in_silence() {
    let (mut bench, last_ack) = time_wait(config(), Some(LAST));
    let plain = Options::default();
    let answer = bench.inject_options(FIN_ACK, 1, last_ack.seq, b"", 1000, plain);
    assert_eq!(answer, [], "R7323-06");
    let lax = Config {
        require_timestamps: false,
        ..config()
    };
    let (mut bench, last_ack) = time_wait(lax, Some(LAST));
    let answer = bench.inject_options(FIN_ACK, 1, last_ack.seq, b"", 1000, plain);
    assert_eq!(answer.len(), 1);
}
