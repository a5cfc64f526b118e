//! The quiet time after a boot: RFC 9293 §3.4.2, §3.4.3.

use std::net::SocketAddr;

use timewait_stack::error::ConnectError;
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Duration, Errno, Instant, SeqNumber, State};

use crate::peer::{Bench, HOST, PEER, PEER_PORT, PORT, config, peer_seq};

const MSL: Duration = Duration::from_secs(120);
/// The stack's clock shows this when its host boots.
const BOOT: Instant = Instant::from_nanos(7_000_000_000);

/// A host that has just booted, with a listener on `PORT`.
fn booted(config: Config) -> Bench {
    let mut bench = Bench::new(config);
    bench.now = BOOT;
    let socket = bench.stack.socket();
    let local = SocketAddr::new(HOST, PORT);
    bench.stack.bind(socket, local).unwrap();
    bench.stack.listen(socket, 8).unwrap();
    assert_eq!(bench.drain(), []);
    bench
}

fn quiet() -> Config {
    Config {
        msl: MSL,
        quiet_time: Some(MSL),
        ..config()
    }
}

fn connect(bench: &mut Bench) -> Result<(), ConnectError> {
    let socket = bench.stack.socket();
    let remote = SocketAddr::new(PEER, PEER_PORT);
    bench.stack.connect(bench.now, socket, remote)
}

#[test]
fn nothing_leaves_for_an_msl_after_the_boot() {
    let mut bench = booted(quiet());
    for at in [Duration::ZERO, MSL / 2, MSL - Duration::from_nanos(1)] {
        bench.now = BOOT + at;
        // Neither a SYN to a listener nor what a half-open peer still sends is answered.
        assert_eq!(bench.inject(Flags::SYN, 0, SeqNumber(0), b""), []);
        assert_eq!(bench.inject(Flags::ACK, 1, SeqNumber(99), b"old"), []);
        assert_eq!(bench.wait(Duration::ZERO), []);
    }
    assert_eq!(bench.only_state(), None, "no half-open connection either");
    assert_eq!(bench.transitions, [(State::Closed, State::Listen)]);
}

#[test]
fn after_it_the_next_try_is_answered() {
    let mut bench = booted(quiet());
    bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
    bench.now = BOOT + MSL;
    let sent = bench.inject(Flags::SYN, 0, SeqNumber(0), b"");
    assert_eq!(
        (sent.len(), sent[0].flags, sent[0].ack),
        (1, Flags::SYN | Flags::ACK, peer_seq(1))
    );
}

#[test]
fn a_half_open_peer_is_reset_after_it() {
    let mut bench = booted(quiet());
    assert_eq!(bench.inject(Flags::ACK, 1, SeqNumber(99), b"old"), []);
    bench.now = BOOT + MSL;
    let sent = bench.inject(Flags::ACK, 1, SeqNumber(99), b"old");
    assert_eq!((sent[0].flags, sent[0].seq), (Flags::RST, SeqNumber(99)));
}

#[test]
fn an_active_open_fails_and_says_until_when() {
    let mut bench = booted(quiet());
    assert_eq!(connect(&mut bench), Err(ConnectError::QuietTime));
    assert_eq!(ConnectError::QuietTime.errno(), Errno::EAGAIN);
    assert_eq!(bench.stack.usage().connections, 0);
    let until = bench.stack.quiet_until().unwrap();
    assert_eq!(until, BOOT + MSL);
    bench.now = until;
    assert_eq!(connect(&mut bench), Ok(()));
    assert_eq!(bench.drain()[0].flags, Flags::SYN);
}

#[test]
fn it_counts_from_the_first_call_that_tells_the_time() {
    type Call = fn(&mut Bench);
    let calls: [Call; 4] = [
        |bench| bench.stack.handle_timeout(bench.now),
        |bench| assert!(bench.drain().is_empty()),
        |bench| assert!(bench.inject(Flags::SYN, 0, SeqNumber(0), b"").is_empty()),
        |bench| assert!(connect(bench).is_err()),
    ];
    for call in calls {
        let mut bench = Bench::new(quiet());
        assert_eq!(bench.stack.quiet_until(), None);
        bench.now = BOOT;
        call(&mut bench);
        bench.now = BOOT + MSL / 2;
        bench.wait(Duration::ZERO);
        assert_eq!(bench.stack.quiet_until(), Some(BOOT + MSL));
    }
}

#[test]
fn a_host_that_remembers_or_takes_the_risk_need_not_wait() {
    let mut bench = booted(config());
    assert_eq!(bench.inject(Flags::SYN, 0, SeqNumber(0), b"").len(), 1);
    assert_eq!(connect(&mut bench), Ok(()));
}

#[cfg(feature = "counterfactuals")]
#[test]
fn it_can_be_switched_off() {
    use timewait_stack::{Disabled, Protection};
    let disabled = Disabled::NONE.with(Protection::QuietTime);
    let mut bench = booted(Config {
        disabled,
        ..quiet()
    });
    assert_eq!(bench.inject(Flags::SYN, 0, SeqNumber(0), b"").len(), 1);
}
