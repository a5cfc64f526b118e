//! ICMP errors (RFC 9293 §3.9.2.2, RFC 1122 §4.2.3.9; RFC 5461, RFC 5927).

use timewait_stack::config::HardErrors;
use timewait_stack::error::{RecvError, SendError};
use timewait_stack::event::{IcmpDrop, IcmpVerdict, Ready};
use timewait_stack::wire::{Flags, IcmpParseError};
use timewait_stack::{Config, Duration, Errno, SeqNumber, SocketId, SocketOption, State};

use crate::peer::{Bench, PEER_PORT, PORT, Sent, config, config6};
use crate::router::{Cause, Error, message};

const NONE: [u8; 4] = [0; 4];

/// A connection in ESTABLISHED with one segment of text out.
fn sending(config: Config) -> (Bench, SocketId, Sent) {
    let (mut bench, socket, _) = Bench::established(config);
    bench.stack.send(bench.now, socket, b"text").unwrap();
    let sent = bench.drain().remove(0);
    bench.ready.clear();
    (bench, socket, sent)
}

/// A connection in SYN-SENT with its SYN.
fn connecting(config: Config) -> (Bench, SocketId, Sent) {
    let mut bench = Bench::new(config);
    let socket = bench.stack.socket();
    bench.stack.bind(socket, (bench.host, PORT).into()).unwrap();
    bench
        .stack
        .connect(bench.now, socket, (bench.peer, PEER_PORT).into())
        .unwrap();
    let syn = bench.drain().remove(0);
    (bench, socket, syn)
}

fn profile(hard_errors: HardErrors, config: Config) -> Config {
    Config {
        hard_errors,
        ..config
    }
}

fn v4() -> Config {
    config()
}

/// Soft errors by family, each with its error number.
fn soft_errors(v4: bool) -> Vec<(Error, Errno)> {
    use Errno::{EHOSTUNREACH, ENETUNREACH, EPROTO};
    let (unreachable, exceeded, problem) = if v4 { (3, 11, 12) } else { (1, 3, 4) };
    let codes: &[(u8, Errno)] = if v4 {
        &[(0, ENETUNREACH), (1, EHOSTUNREACH), (5, EHOSTUNREACH)]
    } else {
        &[(0, ENETUNREACH), (3, EHOSTUNREACH)]
    };
    let mut errors: Vec<_> = codes
        .iter()
        .map(|(code, errno)| (Error(unreachable, *code, NONE), *errno))
        .collect();
    for code in [0, 1] {
        errors.push((Error(exceeded, code, NONE), EHOSTUNREACH));
    }
    for code in [0, 1, 2] {
        errors.push((Error(problem, code, NONE), EPROTO));
    }
    errors
}

#[test]
fn soft_errors_inform_and_abort_nothing() {
    // MUST-54, MUST-56, MUST-47, SHLD-25: in every profile, in both families.
    for base in [config(), config6()] {
        let is_v4 = base.addresses[0].is_ipv4();
        let abort = profile(HardErrors::Abort, base);
        for (error, errno) in soft_errors(is_v4) {
            for opening in [true, false] {
                let (mut bench, socket, sent) = if opening {
                    connecting(abort.clone())
                } else {
                    sending(abort.clone())
                };
                let state = bench.state(socket);
                let (verdict, replies) = bench.error(error, &sent);
                assert_eq!((verdict, replies), (IcmpVerdict::SoftError(errno), vec![]));
                assert_eq!(bench.ready, [(socket, Ready::SoftError(errno))]);
                assert_eq!(bench.state(socket), state);
                let status = bench.stack.status(socket).unwrap();
                assert_eq!((status.soft_error, status.error), (Some(errno), None));
            }
        }
    }
}

#[test]
fn a_soft_error_is_forgotten_when_the_peer_is_heard() {
    // SHLD-25: it tells why a connection fares ill, as long as it does.
    let (mut bench, socket, sent) = sending(v4());
    bench.error(Error(3, 1, NONE), &sent);
    bench.inject(Flags::ACK, 1, sent.seq + 4, b"");
    assert_eq!(bench.stack.status(socket).unwrap().soft_error, None);
}

#[test]
fn a_connection_that_times_out_shows_the_last_soft_error() {
    // SHLD-25, MUST-56: R2 ends it, not the error.
    let (mut bench, socket, syn) = connecting(v4());
    bench.error(Error(3, 1, NONE), &syn);
    bench.wait(Duration::from_secs(400));
    let status = bench.stack.status(socket).unwrap();
    assert_eq!(
        (status.error, status.soft_error),
        (Some(Errno::ETIMEDOUT), Some(Errno::EHOSTUNREACH))
    );
}

#[test]
fn reports_can_be_switched_off() {
    // SHLD-20: neither soft errors nor trouble are told; the status still knows.
    let (mut bench, socket, sent) = sending(v4());
    let off = SocketOption::ErrorReports(false);
    bench.stack.set_option(socket, off).unwrap();
    bench.error(Error(3, 1, NONE), &sent);
    bench.wait(Duration::from_secs(30));
    assert_eq!(bench.ready, []);
    let status = bench.stack.status(socket).unwrap();
    assert_eq!(status.soft_error, Some(Errno::EHOSTUNREACH));
}

/// Hard errors by family, each with its error number.
fn hard_errors(v4: bool) -> [(Error, Errno); 2] {
    if v4 {
        let protocol = (Error(3, 2, NONE), Errno::ENOPROTOOPT);
        [protocol, (Error(3, 3, NONE), Errno::ECONNREFUSED)]
    } else {
        let prohibited = (Error(1, 1, NONE), Errno::EACCES);
        [prohibited, (Error(1, 4, NONE), Errno::ECONNREFUSED)]
    }
}

#[test]
fn a_hard_error_fails_an_open() {
    // SHLD-26, RFC 5461 §2.1
    for base in [config(), config6()] {
        let is_v4 = base.addresses[0].is_ipv4();
        for (error, errno) in hard_errors(is_v4) {
            let (mut bench, socket, syn) = connecting(base.clone());
            let (verdict, replies) = bench.error(error, &syn);
            assert_eq!((verdict, replies), (IcmpVerdict::Aborted(errno), vec![]));
            assert_eq!(bench.ready, [(socket, Ready::Failed(errno))]);
            assert_eq!(bench.state(socket), State::Closed);
            let told = bench.stack.recv(bench.now, socket, &mut [0]).unwrap_err();
            assert_eq!(told.errno(), errno);
            let told = bench.stack.send(bench.now, socket, b"x").unwrap_err();
            assert_eq!(told.errno(), errno);
        }
    }
    assert_eq!(RecvError::Prohibited.errno(), SendError::Prohibited.errno());
}

#[test]
fn a_hard_error_ends_a_half_open_child() {
    // SHLD-26: the listener goes on.
    let (mut bench, _) = Bench::listening(v4());
    let syn_ack = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1000));
    let (verdict, _) = bench.error(Error(3, 3, NONE), &syn_ack[0]);
    assert_eq!(verdict, IcmpVerdict::Aborted(Errno::ECONNREFUSED));
    assert_eq!(bench.only_state(), None);
    assert_eq!(bench.stack.usage().half_open, 0);
    let again = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1000));
    assert_eq!(again.len(), 1);
}

#[test]
fn an_established_connection_survives_a_hard_error_unless_the_profile_says_so() {
    // SHLD-26 to the letter only with `HardErrors::Abort`; RFC 5461 §2.1: hardly any stack follows it.
    for (hard_errors, survives) in [
        (HardErrors::Inform, true),
        (HardErrors::FailOpen, true),
        (HardErrors::Abort, false),
    ] {
        let (mut bench, socket, sent) = sending(profile(hard_errors, v4()));
        let (verdict, replies) = bench.error(Error(3, 3, NONE), &sent);
        assert_eq!(replies, []);
        let errno = Errno::ECONNREFUSED;
        if survives {
            assert_eq!(verdict, IcmpVerdict::SoftError(errno));
            assert_eq!(bench.state(socket), State::Established);
        } else {
            assert_eq!(verdict, IcmpVerdict::Aborted(errno));
            assert_eq!(bench.ready, [(socket, Ready::Failed(errno))]);
        }
    }
    let (mut bench, socket, syn) = connecting(profile(HardErrors::Inform, v4()));
    bench.error(Error(3, 3, NONE), &syn);
    assert_eq!(bench.state(socket), State::SynSent);
}

#[test]
fn source_quench_is_dropped_in_silence() {
    // MUST-55
    let (mut bench, socket, sent) = sending(v4());
    let before = bench.stack.status(socket).unwrap().vars;
    let (verdict, replies) = bench.error(Error(4, 0, NONE), &sent);
    assert_eq!(verdict, IcmpVerdict::Ignored(IcmpDrop::SourceQuench));
    assert_eq!((replies, &bench.ready[..]), (vec![], &[][..]));
    let status = bench.stack.status(socket).unwrap();
    assert_eq!((status.vars, status.soft_error), (before, None));
}

#[test]
fn only_what_quotes_an_outstanding_octet_is_believed() {
    // RFC 5927 §4.1: SND.UNA =< SEQ < SND.NXT.
    for (error, opening) in [(Error(3, 3, NONE), true), (Error(3, 1, NONE), false)] {
        let (mut bench, socket, sent) = if opening {
            connecting(v4())
        } else {
            sending(v4())
        };
        let (first, octets) = (sent.seq, if opening { 1 } else { 4 });
        for seq in [first.back(1), first + octets, first + (1 << 31)] {
            let cause = Cause {
                seq,
                ..Cause::of(&sent)
            };
            let (verdict, replies) = bench.error_about(error, &cause);
            assert_eq!(verdict, IcmpVerdict::Ignored(IcmpDrop::NotOutstanding));
            assert_eq!(replies, []);
        }
        assert_eq!(bench.stack.status(socket).unwrap().soft_error, None);
        let last = Cause {
            seq: first + (octets - 1),
            ..Cause::of(&sent)
        };
        let (verdict, _) = bench.error_about(error, &last);
        assert!(!matches!(verdict, IcmpVerdict::Ignored(_)), "{verdict:?}");
    }
}

#[test]
fn errors_about_others_find_nobody() {
    // MUST-54: both addresses, both ports, and the direction lead to the connection.
    let (mut bench, socket, sent) = sending(v4());
    let right = Cause::of(&sent);
    let (from, to) = (right.from, right.to);
    let other = "192.0.2.77".parse().unwrap();
    for wrong in [
        Cause {
            ports: (PORT, PEER_PORT + 1),
            ..right
        },
        Cause {
            ports: (PORT + 1, PEER_PORT),
            ..right
        },
        Cause { to: other, ..right },
        Cause {
            from: other,
            ..right
        },
        Cause {
            from: to,
            to: from,
            ports: (PEER_PORT, PORT),
            ..right
        },
    ] {
        let (verdict, replies) = bench.error_about(Error(3, 1, NONE), &wrong);
        assert_eq!(verdict, IcmpVerdict::Ignored(IcmpDrop::NoConnection));
        assert_eq!(replies, []);
    }
    let udp = Cause {
        protocol: 17,
        ..right
    };
    let (verdict, _) = bench.error_about(Error(3, 1, NONE), &udp);
    let wanted = IcmpVerdict::Malformed(IcmpParseError::QuoteProtocol(17));
    assert_eq!(verdict, wanted);
    assert_eq!(bench.stack.status(socket).unwrap().soft_error, None);
}

#[test]
fn damaged_and_misdirected_messages_are_ignored() {
    let (mut bench, _, sent) = sending(v4());
    let router = "198.51.100.1".parse().unwrap();
    let octets = message(router, bench.host, Error(3, 1, NONE), &Cause::of(&sent));
    for bit in 0..octets.len() * 8 {
        let mut damaged = octets.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let (verdict, _) = bench.icmp(router, &damaged);
        assert_eq!(verdict, IcmpVerdict::Ignored(IcmpDrop::BadChecksum));
    }
    let (verdict, _) = bench.icmp("224.0.0.1".parse().unwrap(), &octets);
    assert_eq!(verdict, IcmpVerdict::Ignored(IcmpDrop::BadAddress));
    let (verdict, _) = bench.icmp(router, &octets);
    assert_eq!(verdict, IcmpVerdict::SoftError(Errno::EHOSTUNREACH));
}

#[test]
fn time_wait_heeds_no_error() {
    // Everything that was sent is acknowledged: RFC 5927 §4.1 leaves nothing to quote.
    let (mut bench, socket, iss) = Bench::established(profile(HardErrors::Abort, v4()));
    bench.stack.close(bench.now, socket).unwrap();
    let fin = bench.drain().remove(0);
    bench.inject(Flags::FIN | Flags::ACK, 1, iss + 2, b"");
    let (verdict, _) = bench.error(Error(3, 3, NONE), &fin);
    assert_eq!(verdict, IcmpVerdict::Ignored(IcmpDrop::NotOutstanding));
    assert_eq!(bench.only_state(), Some(State::TimeWait));
}
