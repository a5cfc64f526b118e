//! What all buffers of a stack may hold together (`Config::memory_max`).
//!
//! Counted is what is held and what is promised: octets to be read, octets to be acknowledged, and the
//! windows that peers were told of, for these may be filled at any time and are never taken back
//! (SHLD-14). So nothing that arrives in a window ever finds no room. Where the bound is met, windows
//! open no further, SEND takes less, and no connection begins.

use alloc::collections::{BTreeMap, VecDeque};

use super::Stack;
use crate::connection::{Connection, Fin};
use crate::event::{Ready, SocketId};
use crate::socket::SocketKind;
use crate::socket_options::SocketOptions;

/// Who holds octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    /// A connection, by its key.
    Connection(u32),
    /// A socket whose connection is over, for what its user has not read.
    Socket(SocketId),
}

/// The account of a stack with a bound; an empty one costs nothing.
#[derive(Debug, Default)]
pub(super) struct Memory {
    held: u64,
    shares: BTreeMap<Holder, u64>,
    /// Connections whose users wait for space that others have.
    waiting: VecDeque<u32>,
}

impl Memory {
    /// Writes a share down, and returns whether it has become smaller.
    fn set(&mut self, holder: Holder, share: u64) -> bool {
        let before = match share {
            0 => self.shares.remove(&holder),
            share => self.shares.insert(holder, share),
        };
        let before = before.unwrap_or(0);
        self.held = self.held + share - before;
        share < before
    }
}

impl Stack {
    /// Octets that may still be held or promised.
    pub(super) fn spare(&self) -> u32 {
        let Some(max) = self.config.memory_max else {
            return u32::MAX;
        };
        u32::try_from(max.saturating_sub(self.memory.held)).unwrap_or(u32::MAX)
    }

    /// Whether a connection with these settings may begin: its first window has room.
    pub(super) fn has_memory(&self, options: &SocketOptions) -> bool {
        self.spare() >= options.receive_buffer.min(FIRST_WINDOW_MAX)
    }

    /// Counts anew what a connection holds and has promised; nothing, if it is gone.
    pub(super) fn account(&mut self, key: u32) {
        if self.config.memory_max.is_none() {
            return;
        }
        let connection = self.connections.get(key as usize);
        let share = connection.map_or(0, Connection::committed);
        if self.memory.set(Holder::Connection(key), share) {
            self.wake_senders();
        }
    }

    /// Counts anew what a socket holds whose connection is over.
    pub(super) fn account_rest(&mut self, socket: SocketId) {
        if self.config.memory_max.is_none() {
            return;
        }
        let share = match self.socket_ref(socket).map(|socket| &socket.kind) {
            Some(SocketKind::Ended(ended)) => ended.receive.buffer.readable().into(),
            _ => 0,
        };
        if self.memory.set(Holder::Socket(socket), share) {
            self.wake_senders();
        }
    }

    /// The user of a connection was given less space than it has a buffer for.
    pub(super) fn waits_for_memory(&mut self, key: u32) {
        if self.config.memory_max.is_some() && !self.memory.waiting.contains(&key) {
            self.memory.waiting.push_back(key);
        }
    }

    /// There is room again: who waits for it hears of it.
    fn wake_senders(&mut self) {
        if self.spare() == 0 {
            return;
        }
        for key in core::mem::take(&mut self.memory.waiting) {
            let Some(connection) = self.connections.get_mut(key as usize) else {
                continue;
            };
            let waits = connection.send.out.want_space && connection.send.fin == Fin::Open;
            if waits && connection.send_room(u32::MAX) > 0 {
                connection.send.out.want_space = false;
                connection.tell_events(Ready::Writable, &mut self.events);
            }
        }
    }
}

/// What a window field without scale can say (RFC 9293 §3.1).
const FIRST_WINDOW_MAX: u32 = 65_535;
