//! What connections weigh: the octets of heap of a whole stack (control blocks, sockets, tables,
//! queues, timers, and the slack of all of them) for each of 100,000 connections.
//!
//! The bounds are promises: 400 octets for an idle established end, whatever it has been through,
//! and 96 for a TIME-WAIT. One test, because the scale weighs the whole process.

#[path = "sizes/pair.rs"]
mod pair;
#[path = "sizes/weighed.rs"]
mod weighed;

use timewait_stack::config::Keepalive;
use timewait_stack::{Duration, Profile, SocketId, SocketOption};

use pair::Pair;
use weighed::Weighed;

const CONNECTIONS: usize = 100_000;

const ESTABLISHED_MAX: f64 = 400.0;
const TIME_WAIT_MAX: f64 = 96.0;
const HALF_OPEN_MAX: f64 = 700.0;
/// Empty queues, and the ports that listen.
const CLOSED_MAX: f64 = 2.0;

/// What the connections of one measurement are, and what they go through.
struct Case {
    name: &'static str,
    profile: Profile,
    v6: bool,
    /// A timer runs at both ends.
    keepalive: bool,
    /// Octets to and fro.
    octets: usize,
    /// All are opened at once, not one after the other.
    at_once: bool,
}

const CASES: [Case; 4] = [
    Case {
        name: "rfc, fresh",
        profile: Profile::Rfc,
        v6: false,
        keepalive: false,
        octets: 0,
        at_once: false,
    },
    Case {
        name: "rfc, keepalive, all at once",
        profile: Profile::Rfc,
        v6: true,
        keepalive: true,
        octets: 0,
        at_once: true,
    },
    Case {
        name: "linux, keepalive, data",
        profile: Profile::Linux,
        v6: true,
        keepalive: true,
        octets: 4000,
        at_once: false,
    },
    Case {
        name: "freebsd, data",
        profile: Profile::FreeBsd,
        v6: false,
        keepalive: false,
        octets: 4000,
        at_once: true,
    },
];

#[test]
fn connections_are_small() {
    println!("octets of heap for each of {CONNECTIONS} connections");
    println!(
        "{:<30} {:>8} {:>8} {:>10} {:>8}",
        "", "client", "server", "TIME-WAIT", "closed"
    );
    let weights = CASES.map(|case| weigh(&case));
    let half_open = half_open();
    println!("{:<30} {:>8} {half_open:>8.1}", "half-open", "");
    assert!(
        half_open <= HALF_OPEN_MAX,
        "{half_open} octets for a half-open end"
    );
    for (case, [client, server, time_wait, closed]) in CASES.iter().zip(weights) {
        let name = case.name;
        assert!(
            client <= ESTABLISHED_MAX,
            "{name}: {client} octets for a client's end"
        );
        assert!(
            server <= ESTABLISHED_MAX,
            "{name}: {server} octets for a server's end"
        );
        assert!(
            time_wait <= TIME_WAIT_MAX,
            "{name}: {time_wait} octets for a TIME-WAIT"
        );
        assert!(
            closed <= CLOSED_MAX,
            "{name}: {closed} octets are left of a closed connection"
        );
    }
}

/// Client's end and server's end at rest, the client's in TIME-WAIT, the server's closed.
fn weigh(case: &Case) -> [f64; 4] {
    let mut pair = Pair::new(case.profile, case.v6, CONNECTIONS);
    let sockets = open(&mut pair, case);
    let mut octets = vec![7; case.octets];
    for &(client, server) in sockets.iter().filter(|_| case.octets > 0) {
        pair.echo(client, server, &mut octets);
    }
    pair.wait(Duration::from_secs(10));
    assert_eq!(pair.client.stack().usage().connections, CONNECTIONS as u32);
    assert_eq!(pair.client.stack().usage().buffered, 0);
    let (client, server) = (each(&pair.client), each(&pair.server));
    for (client, server) in sockets {
        pair.close(client, server);
    }
    pair.wait(Duration::from_secs(10));
    let usage = pair.client.stack().usage();
    assert_eq!(usage.time_waits, CONNECTIONS as u32);
    let (time_wait, closed) = (each(&pair.client), each(&pair.server));
    println!(
        "{:<30} {client:>8.1} {server:>8.1} {time_wait:>10.1} {closed:>8.1}",
        case.name
    );
    [client, server, time_wait, closed]
}

fn open(pair: &mut Pair, case: &Case) -> Vec<(SocketId, SocketId)> {
    let option = SocketOption::Keepalive(Some(Keepalive::default()));
    let option = case.keepalive.then_some(option);
    if let Some(option) = option {
        pair.listen_with(option);
    }
    let mut clients = Vec::new();
    let mut servers = Vec::new();
    for n in 0..CONNECTIONS {
        clients.push(pair.connect(n, option));
        if !case.at_once {
            pair.exchange();
            servers.push(pair.accept(n));
        }
    }
    pair.exchange();
    for n in servers.len()..CONNECTIONS {
        servers.push(pair.accept(n));
    }
    clients.into_iter().zip(servers).collect()
}

/// A server under a flood.
fn half_open() -> f64 {
    let mut pair = Pair::new(Profile::Rfc, true, CONNECTIONS);
    for n in 0..CONNECTIONS {
        pair.connect(n, None);
        pair.half_open();
    }
    assert_eq!(pair.server.stack().usage().half_open, CONNECTIONS as u32);
    each(&pair.server)
}

fn each(stack: &Weighed) -> f64 {
    stack.octets() as f64 / CONNECTIONS as f64
}
