//! How a user reads: at once, a few octets at a time, with a stop, or never.

use timewait_stack::error::RecvError;
use timewait_stack::{Instant, SocketId};

use crate::host::Calls;
use crate::scenario::Read;

/// The most that one call reads.
const PIECE: usize = 8192;

/// The reading side of one user.
#[derive(Debug)]
pub(super) struct Reader {
    how: Read,
    received: u64,
    /// There may be something to read.
    readable: bool,
    /// It reads nothing before.
    asleep_until: Option<Instant>,
    /// Its one stop is over or under way.
    stalled: bool,
    end_of_file: bool,
    failed: bool,
}

impl Reader {
    pub(super) fn new(how: Read) -> Self {
        Self {
            how,
            received: 0,
            readable: true,
            asleep_until: None,
            stalled: false,
            end_of_file: false,
            failed: false,
        }
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn end_of_file(&self) -> bool {
        self.end_of_file
    }

    /// `recv` has said that the connection is gone.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    pub(super) fn note_readable(&mut self) {
        self.readable = true;
    }

    /// When it wakes. While nothing is there to read it needs no timer.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.asleep_until
            .filter(|_| self.readable && !self.end_of_file)
    }

    /// Reads what its manner allows now.
    pub(super) fn read(&mut self, calls: &mut Calls<'_>, socket: SocketId) {
        if !self.wants_to_read(calls.now()) {
            return;
        }
        let mut octets = [0; PIECE];
        while self.wants_to_read(calls.now()) {
            let most = self.most();
            match calls.recv(socket, &mut octets[..most]) {
                Ok(0) => self.end_of_file = true,
                Ok(count) => {
                    self.received += count as u64;
                    self.rest(calls.now());
                }
                Err(RecvError::WouldBlock) => self.readable = false,
                Err(_) => self.failed = true,
            }
        }
    }

    fn wants_to_read(&self, now: Instant) -> bool {
        let awake = self.asleep_until.is_none_or(|until| until <= now);
        let over = self.end_of_file || self.failed || self.how == Read::Never;
        self.readable && awake && !over
    }

    /// How much one call may read.
    fn most(&self) -> usize {
        match self.how {
            Read::Slow { octets, .. } => PIECE.min(octets.max(1) as usize),
            Read::Stall { after, .. } if !self.stalled => PIECE
                .min(usize::try_from(after.saturating_sub(self.received)).unwrap_or(PIECE))
                .max(1),
            _ => PIECE,
        }
    }

    /// Something was read: perhaps it sleeps now.
    fn rest(&mut self, now: Instant) {
        match self.how {
            Read::Slow { every, .. } => self.asleep_until = Some(now + every),
            Read::Stall { after, pause } if !self.stalled && self.received >= after => {
                self.stalled = true;
                self.asleep_until = Some(now + pause);
            }
            _ => {}
        }
    }
}
