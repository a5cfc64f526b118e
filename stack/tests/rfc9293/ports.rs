//! Local ports: ephemeral ones (RFC 6056), and SO_REUSEADDR beside TIME-WAIT.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use timewait_stack::error::{BindError, ConnectError};
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Duration, Errno, SeqNumber, SocketId, SocketOption, State};

use crate::peer::{Bench, HOST, PEER, PEER_PORT, PORT, config};

/// A host with these ephemeral ports.
fn ports(first: u16, last: u16) -> Config {
    Config {
        ephemeral_ports: (first, last),
        ..config()
    }
}

/// The remote end number `n`.
fn remote(n: u32) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n)), 443)
}

/// Connects from an ephemeral port; the socket and its port.
fn connect(bench: &mut Bench, to: SocketAddr) -> Result<(SocketId, u16), ConnectError> {
    let socket = bench.stack.socket();
    bench.stack.connect(bench.now, socket, to)?;
    bench.drain();
    let local = bench.stack.status(socket).unwrap().local.unwrap();
    Ok((socket, local.port()))
}

/// The port that a host which has just booted uses first for this remote end.
fn first_port(config: Config, to: SocketAddr) -> u16 {
    connect(&mut Bench::new(config), to).unwrap().1
}

/// A strict or sharing socket bound to `port`.
fn bound(bench: &mut Bench, port: u16, reuse: bool) -> Result<SocketId, BindError> {
    let socket = bench.stack.socket();
    let option = SocketOption::ReuseAddress(reuse);
    bench.stack.set_option(socket, option).unwrap();
    bench.stack.bind(socket, SocketAddr::new(HOST, port))?;
    Ok(socket)
}

/// A connection from `PORT` to the peer that has closed first and waits in TIME-WAIT.
fn in_time_wait() -> Bench {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.stack.close(bench.now, socket).unwrap();
    bench.drain();
    bench.inject(Flags::FIN | Flags::ACK, 1, iss + 2, b"");
    let listener = bench.listener.take().unwrap();
    bench.stack.close(bench.now, listener).unwrap();
    bench.drain();
    assert_eq!(bench.only_state(), Some(State::TimeWait));
    bench
}

#[test]
fn no_port_comes_again_before_all_have_been_used() {
    let mut bench = Bench::new(ports(40_000, 40_099));
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        let (socket, port) = connect(&mut bench, remote(1)).unwrap();
        assert!(
            (40_000..=40_099).contains(&port) && seen.insert(port),
            "{port}"
        );
        // Free at once, and yet the others come first (RFC 6056 §2.3).
        bench.stack.abort(bench.now, socket).unwrap();
    }
}

#[test]
fn remote_ends_have_unrelated_first_ports() {
    let first = |n| i32::from(first_port(config(), remote(n)));
    let firsts: Vec<i32> = (0..200).map(first).collect();
    let steps: BTreeSet<i32> = firsts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.len() > 190, "{} different steps of 199", steps.len());
    // Spread over the range: each quarter of 16,384 ports holds about 50, sigma 6.
    for quarter in 0..4 {
        let low = 49_152 + quarter * 4096;
        let inside = firsts
            .iter()
            .filter(|&&port| (low..low + 4096).contains(&port));
        assert!((25..=75).contains(&inside.count()), "quarter {quarter}");
    }
    // Another port of the same host is another remote end.
    let other_port = SocketAddr::new(remote(7).ip(), 444);
    assert_ne!(
        first_port(config(), other_port),
        first_port(config(), remote(7))
    );
}

#[test]
fn who_does_not_know_the_secret_can_not_tell_the_ports() {
    let with = |secret| Config {
        secret: [secret; 32],
        ..config()
    };
    let same =
        (0..100).filter(|&n| first_port(with(1), remote(n)) == first_port(with(2), remote(n)));
    assert!(same.count() <= 1);
}

/// What algorithm 4 adds to algorithm 3 (RFC 6056 §3.3.4): a host that connects to us again
/// and again does not tell how often it connected to others in between.
#[test]
fn connections_to_others_do_not_show_in_the_ports() {
    let mut moved = 0;
    for n in 1..100 {
        let mut bench = Bench::new(config());
        let (_, before) = connect(&mut bench, remote(0)).unwrap();
        for _ in 0..5 {
            connect(&mut bench, remote(n)).unwrap();
        }
        let (_, after) = connect(&mut bench, remote(0)).unwrap();
        let next = if before == 65_535 { 49_152 } else { before + 1 };
        moved += u32::from(after != next);
    }
    // Some share a counter: 1 of 64.
    assert!(moved <= 8, "{moved} of 99");
}

#[test]
fn a_port_may_serve_many_remote_ends_but_each_only_once() {
    let mut bench = Bench::new(ports(40_000, 40_000));
    assert_eq!(connect(&mut bench, remote(1)).unwrap().1, 40_000);
    assert_eq!(connect(&mut bench, remote(2)).unwrap().1, 40_000);
    let full = connect(&mut bench, remote(1)).unwrap_err();
    assert_eq!(full, ConnectError::NoPort);
    assert_eq!(full.errno(), Errno::EADDRNOTAVAIL);
}

#[test]
fn bound_ports_are_never_chosen() {
    let mut bench = Bench::new(ports(40_000, 40_009));
    for port in (40_000..=40_009).filter(|&port| port != 40_004) {
        bound(&mut bench, port, true).unwrap();
    }
    for n in 0..20 {
        assert_eq!(connect(&mut bench, remote(n)).unwrap().1, 40_004);
    }
}

#[test]
fn bind_to_port_0_takes_one_that_nothing_uses() {
    let mut bench = Bench::new(ports(40_000, 40_002));
    let (_, used) = connect(&mut bench, remote(1)).unwrap();
    let mut taken = BTreeSet::from([used]);
    for _ in 0..2 {
        let socket = bound(&mut bench, 0, true).unwrap();
        let local = bench.stack.status(socket).unwrap().local.unwrap();
        assert!(taken.insert(local.port()));
    }
    assert_eq!(bound(&mut bench, 0, true), Err(BindError::NoPort));
}

#[test]
fn a_tuple_in_time_wait_is_not_used_again() {
    let mut bench = in_time_wait();
    let to = SocketAddr::new(PEER, PEER_PORT);
    let again = bound(&mut bench, PORT, true).unwrap();
    let now = bench.now;
    assert_eq!(
        bench.stack.connect(now, again, to),
        Err(ConnectError::InUse)
    );
    bench.wait(Duration::from_secs(240));
    assert_eq!(bench.stack.connect(bench.now, again, to), Ok(()));
}

#[test]
fn an_ephemeral_port_in_time_wait_is_passed_over() {
    let mut bench = Bench::new(ports(PORT, PORT));
    let to = SocketAddr::new(PEER, PEER_PORT);
    let (socket, _) = connect(&mut bench, to).unwrap();
    let iss = bench.stack.status(socket).unwrap().vars.unwrap().iss;
    bench.inject(Flags::SYN | Flags::ACK, 0, iss + 1, b"");
    bench.stack.close(bench.now, socket).unwrap();
    bench.drain();
    bench.inject(Flags::FIN | Flags::ACK, 1, iss + 2, b"");
    assert_eq!(bench.only_state(), Some(State::TimeWait));
    assert_eq!(connect(&mut bench, to), Err(ConnectError::NoPort));
    assert_eq!(connect(&mut bench, remote(1)).unwrap().1, PORT);
    bench.wait(Duration::from_secs(240));
    assert_eq!(connect(&mut bench, to).unwrap().1, PORT);
}

#[test]
fn time_wait_keeps_its_port_from_all_who_do_not_share_it() {
    let mut bench = in_time_wait();
    assert_eq!(bound(&mut bench, PORT, false), Err(BindError::InUse));
    // Who shares may listen again, and connect elsewhere.
    let listener = bound(&mut bench, PORT, true).unwrap();
    assert_eq!(bench.stack.listen(listener, 8), Ok(()));
    assert!(!bench.inject(Flags::SYN, 9, SeqNumber(0), b"").is_empty());
    let mut bench = in_time_wait();
    let caller = bound(&mut bench, PORT, true).unwrap();
    assert_eq!(bench.stack.connect(bench.now, caller, remote(1)), Ok(()));
    bench.wait(Duration::from_secs(240));
    assert!(bound(&mut bench, PORT, false).is_err(), "bound already");
}
