//! What a host reports: the events of its stack, and what its users did and saw.

use core::net::SocketAddr;
use timewait_stack::{ConnectionId, Errno, Event};

use crate::label::Incarnation;

/// An event of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// From the stack.
    Stack(Event),
    /// From a box on the way.
    Box(BoxEvent),
    /// From a user.
    User(UserEvent),
    /// The host crashed: its incarnations and users are gone without a word.
    Crashed,
    /// It booted again, with an empty stack.
    Rebooted {
        /// How often it has booted before.
        boot: u8,
    },
}

/// What a box on the way did that is worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxEvent {
    /// A NAT has given an end inside a port.
    Mapped {
        /// The end inside.
        inside: SocketAddr,
        /// What the world outside sees of it.
        outside: SocketAddr,
    },
    /// A segment was dropped, for it belongs to no connection that the box knows.
    Refused {
        /// Who sent it, or whom it answers.
        tag: Incarnation,
        /// Where it came from.
        from: SocketAddr,
        /// Where it went.
        to: SocketAddr,
        /// It would have begun one, but there was no room.
        full: bool,
    },
    /// What is no sound segment was dropped.
    BadDropped,
    /// The options of a segment were changed.
    OptionsChanged,
    /// A segment was cut in pieces.
    Cut,
    /// A segment was put to the end of another one.
    Joined,
    /// An ICMP error was translated, with what it quotes.
    ErrorTranslated,
}

impl BoxEvent {
    /// Its name in a count.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mapped { inside, outside } if inside.port() != outside.port() => {
                "box: mapped to another port"
            }
            Self::Mapped { .. } => "box: mapped",
            Self::Refused { full: true, .. } => "box: no room",
            Self::Refused { full: false, .. } => "box: refused",
            Self::BadDropped => "box: dropped as bad",
            Self::OptionsChanged => "box: options changed",
            Self::Cut => "box: cut",
            Self::Joined => "box: joined",
            Self::ErrorTranslated => "box: ICMP translated",
        }
    }
}

/// What a user called and what it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserEvent {
    /// `connect` has started an active open.
    Connecting {
        /// The new incarnation.
        connection: ConnectionId,
        /// To whom.
        remote: SocketAddr,
    },
    /// `connect` has failed at once, with this error.
    NotConnecting {
        /// To whom.
        remote: SocketAddr,
        /// Why.
        error: Errno,
    },
    /// The user learned that its `connect` succeeded.
    Connected {
        /// The incarnation.
        connection: ConnectionId,
    },
    /// `accept` has returned this incarnation.
    Accepted {
        /// The incarnation.
        connection: ConnectionId,
    },
    /// `send` has taken octets `offset..offset + octets` of the stream.
    Sent {
        /// The incarnation.
        connection: ConnectionId,
        /// Stream offset of the first.
        offset: u64,
        /// How many.
        octets: u32,
    },
    /// `recv` has returned these octets of the stream.
    Received {
        /// The incarnation.
        connection: ConnectionId,
        /// Stream offset of the first.
        offset: u64,
        /// The octets.
        octets: Vec<u8>,
    },
    /// `recv` has returned 0, the end of file.
    EndOfFile {
        /// The incarnation.
        connection: ConnectionId,
        /// Octets received before.
        offset: u64,
    },
    /// A call or an event told the user that its connection has failed.
    Failed {
        /// The incarnation.
        connection: ConnectionId,
        /// Why.
        error: Errno,
    },
    /// SO_RCVBUF and SO_SNDBUF are this from now on.
    Buffers {
        /// The incarnation.
        connection: ConnectionId,
        /// Octets that may wait to be read.
        receive: u32,
        /// Octets that may wait to be acknowledged.
        send: u32,
    },
    /// `shutdown`: of the receiving side, of the sending side, or both.
    Shutdown {
        /// The incarnation.
        connection: ConnectionId,
        /// Nothing more is received.
        read: bool,
        /// Nothing more is sent.
        write: bool,
    },
    /// `close`: the user is gone.
    Closed {
        /// The incarnation.
        connection: ConnectionId,
        /// Octets that had arrived in order and were not read (then a RST follows, SHLD-3).
        unread: u32,
    },
    /// `abort`, or a `close` that aborts (SO_LINGER with a time of zero).
    Aborted {
        /// The incarnation.
        connection: ConnectionId,
    },
}
