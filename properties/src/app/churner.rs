//! One end of a churn: the same 4-tuple, one incarnation after the other.
//!
//! Both ends have the same list of rounds and nothing else in common: each counts by itself, so
//! that a network that loses whatever it likes can't stop them.
//!
//! - Both listen on their port all the time. Whoever is the opener of its own round connects from
//!   that port; if both are, that is a simultaneous open. A connection that is accepted is the
//!   round at hand, whoever opened it.
//! - In a round an end sends what the round says. The closer then shuts its sending side and
//!   reads to the end of file; the other closes after the end of file; or the closer aborts.
//! - A round is over when this end's connection is closed, aborted or failed. A connect that
//!   fails is tried again: at once with EADDRINUSE (an earlier incarnation still lives here,
//!   perhaps in TIME-WAIT), later with a refusal or a timeout.
//! - An end that has waited for `patience` goes on: a listener becomes the opener, a silent
//!   connection is closed. So ends that have come to count differently go on as well.

use core::net::SocketAddr;
use core::time::Duration;

use timewait_stack::event::Ready;
use timewait_stack::{Errno, How, Instant, SocketId};

use super::App;
use crate::host::Calls;
use crate::scenario::{Churn, End, Round, RoundEnding};

mod socket;

use socket::Heard;

/// The first pause before another connect; it doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(1);
/// The longest pause before another connect.
const RETRY_MAX: Duration = Duration::from_secs(4);
/// Connects that may fail in one round before it is skipped: enough to sit out 2MSL of 4 minutes
/// with EADDRINUSE.
const CONNECTS_MAX: u32 = 100;
/// Connects that may be refused or time out in one round before it is skipped.
const FAILURES_MAX: u32 = 8;

/// Connections that may wait for this end to finish its gap.
const BACKLOG: u16 = 4;

/// One end of a churn.
#[derive(Debug)]
pub struct Churner {
    plan: Churn,
    peer: SocketAddr,
    listener: Option<SocketId>,
    /// The round at hand.
    round: usize,
    phase: Phase,
    /// When this phase does something by itself.
    wake: Option<Instant>,
    connects: u32,
    failures: u32,
    /// Octets sent in this round.
    written: u64,
    /// When this round is aborted.
    abort_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between two rounds.
    Gap,
    /// Waits for the other end to connect.
    Waiting,
    /// Waits to connect again.
    Retrying,
    /// Has called `connect`.
    Connecting(SocketId),
    /// Sends and receives.
    Talking(SocketId),
    /// Has shut its sending side and reads on.
    Shut(SocketId),
    /// All rounds are over.
    Done,
}

impl Churner {
    /// An end that has yet to start; `peer` is the address of the other.
    pub fn new(plan: Churn, peer: SocketAddr) -> Self {
        Self {
            plan,
            peer,
            listener: None,
            round: 0,
            phase: Phase::Gap,
            wake: None,
            connects: 0,
            failures: 0,
            written: 0,
            abort_at: None,
        }
    }

    fn current(&self) -> Option<Round> {
        self.plan.rounds.get(self.round).copied()
    }

    /// Octets that this end sends in a round.
    fn share(&self, round: Round) -> u64 {
        u64::from(match self.plan.end {
            End::A => round.a_to_b,
            End::B => round.b_to_a,
        })
    }

    /// After the gap in front of the next round, goes on with it.
    fn begin_gap(&mut self, now: Instant) {
        (self.connects, self.failures) = (0, 0);
        match self.current() {
            Some(round) => {
                self.phase = Phase::Gap;
                self.wake = Some(now + round.gap);
            }
            None => {
                self.phase = Phase::Done;
                self.wake = None;
            }
        }
    }

    fn end_round(&mut self, calls: &mut Calls<'_>) {
        self.round += 1;
        self.begin_gap(calls.now());
        self.stop_if_done(calls);
    }

    fn stop_if_done(&mut self, calls: &mut Calls<'_>) {
        if self.phase == Phase::Done
            && let Some(listener) = self.listener.take()
        {
            let _ = calls.close(listener);
        }
    }

    /// The gap is over: connect, or wait for the other end to do so.
    fn begin_round(&mut self, calls: &mut Calls<'_>) {
        let Some(round) = self.current() else { return };
        if round.opener == self.plan.end {
            return self.connect(calls);
        }
        if matches!(round.ending, RoundEnding::InSynSent(_)) {
            // Nothing of it is ever seen here.
            return self.end_round(calls);
        }
        self.phase = Phase::Waiting;
        self.wake = Some(calls.now() + self.plan.patience);
        self.accept(calls);
    }

    fn connect(&mut self, calls: &mut Calls<'_>) {
        self.connects += 1;
        if self.connects > CONNECTS_MAX {
            return self.end_round(calls);
        }
        match socket::connect(calls, self.plan.port, self.peer) {
            Some(socket) => {
                self.phase = Phase::Connecting(socket);
                self.wake = match self.current().map(|round| round.ending) {
                    Some(RoundEnding::InSynSent(after)) => Some(calls.now() + after),
                    // The stack gives up by itself (R2 of a SYN).
                    _ => None,
                };
            }
            None => self.retry(calls),
        }
    }

    fn retry(&mut self, calls: &mut Calls<'_>) {
        let doubled = RETRY_MIN.saturating_mul(1 << self.connects.min(16));
        self.phase = Phase::Retrying;
        self.wake = Some(calls.now() + doubled.min(RETRY_MAX));
        // Meanwhile the other end may have connected.
        self.accept(calls);
    }

    /// Takes what the other end has opened. While a connection is at hand it must wait: there is
    /// but one 4-tuple, so it can't be another live one.
    fn accept(&mut self, calls: &mut Calls<'_>) {
        let idle = matches!(self.phase, Phase::Gap | Phase::Waiting | Phase::Retrying);
        let (true, Some(listener)) = (idle, self.listener) else {
            return;
        };
        if let Ok((socket, _)) = calls.accept(listener) {
            self.begin_talk(calls, socket);
        }
    }

    /// The connection of this round is there.
    fn begin_talk(&mut self, calls: &mut Calls<'_>, socket: SocketId) {
        self.written = 0;
        self.phase = Phase::Talking(socket);
        let own = |round: &Round| round.closer == self.plan.end;
        self.abort_at = match self.current().filter(own).map(|round| round.ending) {
            Some(RoundEnding::Abort(after)) => Some(calls.now() + after),
            _ => None,
        };
        self.go_on(calls, socket);
    }

    /// Moves octets both ways and ends the round when its time has come.
    fn go_on(&mut self, calls: &mut Calls<'_>, socket: SocketId) {
        let Some(round) = self.current() else { return };
        self.wake = self.abort_at.or(Some(calls.now() + self.plan.patience));
        let heard = socket::read_all(calls, socket);
        if self.phase == Phase::Talking(socket) && self.written < self.share(round) {
            let left = self.share(round) - self.written;
            self.written += calls.send_content(socket, left).unwrap_or(0);
        }
        let sent_all = self.written >= self.share(round);
        let closes_first = round.closer == self.plan.end;
        let over = match heard {
            Heard::Failure => true,
            Heard::EndOfFile => sent_all,
            Heard::More => false,
        };
        if over {
            let _ = calls.close(socket);
            self.end_round(calls);
        } else if sent_all && closes_first && self.phase == Phase::Talking(socket) {
            let _ = calls.shutdown(socket, How::Write);
            self.phase = Phase::Shut(socket);
        }
    }

    fn fail(&mut self, calls: &mut Calls<'_>, socket: SocketId, error: Errno) {
        let opening = self.phase == Phase::Connecting(socket);
        let _ = calls.close(socket);
        self.failures += 1;
        let try_again = opening && self.failures < FAILURES_MAX;
        if try_again
            && matches!(
                error,
                Errno::ECONNREFUSED | Errno::ECONNRESET | Errno::ETIMEDOUT
            )
        {
            self.retry(calls);
        } else {
            self.end_round(calls);
        }
    }

    fn socket(&self) -> Option<SocketId> {
        match self.phase {
            Phase::Connecting(socket) | Phase::Talking(socket) | Phase::Shut(socket) => {
                Some(socket)
            }
            Phase::Gap | Phase::Waiting | Phase::Retrying | Phase::Done => None,
        }
    }
}

impl App for Churner {
    fn start(&mut self, calls: &mut Calls<'_>) {
        let listener = socket::bind(calls, self.plan.port).expect("the port is free");
        calls
            .listen(listener, BACKLOG)
            .expect("nobody else listens");
        self.listener = Some(listener);
        self.begin_gap(calls.now());
        self.stop_if_done(calls);
    }

    fn ready(&mut self, calls: &mut Calls<'_>, socket: SocketId, ready: Ready) {
        if self.listener == Some(socket) {
            // In the gap it can wait.
            if self.phase != Phase::Gap {
                self.accept(calls);
            }
            return;
        }
        if self.socket() != Some(socket) {
            return;
        }
        match ready {
            Ready::Failed(error) => self.fail(calls, socket, error),
            Ready::Connected => self.begin_talk(calls, socket),
            Ready::Readable | Ready::Writable => self.go_on(calls, socket),
            Ready::Acceptable | Ready::Urgent | Ready::Trouble | Ready::SoftError(_) => {}
        }
    }

    fn timeout(&mut self, calls: &mut Calls<'_>) {
        if self.wake.is_none_or(|wake| wake > calls.now()) {
            return;
        }
        self.wake = None;
        match self.phase {
            Phase::Talking(socket) | Phase::Shut(socket) if self.abort_at.is_some() => {
                let _ = calls.abort(socket);
                self.end_round(calls);
            }
            Phase::Gap => self.begin_round(calls),
            Phase::Waiting | Phase::Retrying => self.connect(calls),
            Phase::Connecting(socket) | Phase::Talking(socket) | Phase::Shut(socket) => {
                let _ = calls.close(socket);
                self.end_round(calls);
            }
            Phase::Done => {}
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.wake
    }

    fn done(&self) -> bool {
        self.phase == Phase::Done
    }
}
