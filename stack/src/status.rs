//! What a user may ask at any moment: one socket's status, and a netstat listing of all.

mod tcp_info;

use core::fmt;
use core::net::SocketAddr;

use crate::config::Config;
use crate::connection::Connection;
use crate::error::Errno;
use crate::event::{ConnectionId, Vars};
use crate::socket::Listener;
use crate::state::State;
use crate::time_wait::TimeWait;

pub use tcp_info::TcpInfo;

/// The status of one socket (RFC 9293 §3.9.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The incarnation behind it, if it ever had one.
    pub connection: Option<ConnectionId>,
    /// Its state; CLOSED before the first call and after the end.
    pub state: State,
    /// The local address, once bound.
    pub local: Option<SocketAddr>,
    /// The peer's address, once connected.
    pub remote: Option<SocketAddr>,
    /// Octets that `recv` would return now.
    pub readable: u32,
    /// Octets that `send` would take now.
    pub writable: u32,
    /// Octets up to the end of the urgent data, read ones excluded, those still to come included
    /// (RFC 9293 §3.8.5, MUST-33); 0: none is pending.
    pub urgent: u32,
    /// The Diffserv codepoint of the last segment that a live connection accepted (MAY-9).
    pub received_diffserv: Option<u8>,
    /// Why the connection ended, if not in peace.
    pub error: Option<Errno>,
    /// The last error that ICMP told of and that the peer has not belied since (SHLD-25): why a
    /// connection fares ill, or timed out.
    pub soft_error: Option<Errno>,
    /// The variables of a live connection.
    pub vars: Option<Vars>,
}

/// One line of a netstat listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetstatRow {
    /// Whose line.
    pub connection: ConnectionId,
    /// Octets not yet read by the user (for a listener: connections not yet accepted).
    pub receive_queue: u32,
    /// Octets not yet acknowledged by the peer (for a listener: its backlog).
    pub send_queue: u32,
    /// The local address.
    pub local: SocketAddr,
    /// The peer's address; `None` for a listener.
    pub remote: Option<SocketAddr>,
    /// The state.
    pub state: State,
}

impl NetstatRow {
    pub(crate) fn of_listener(listener: &Listener) -> Self {
        Self {
            connection: listener.id,
            receive_queue: listener.waiting.len() as u32,
            send_queue: u32::from(listener.backlog),
            local: listener.address,
            remote: None,
            state: State::Listen,
        }
    }

    pub(crate) fn of_connection(connection: &Connection, config: &Config) -> Self {
        let tuple = connection.tuple.full(config);
        Self {
            connection: connection.id,
            receive_queue: connection.receive.incoming.buffer.readable(),
            send_queue: connection.send.out.buffer.len(),
            local: tuple.local.socket_addr(),
            remote: Some(tuple.remote.socket_addr()),
            state: connection.state,
        }
    }

    pub(crate) fn of_time_wait(record: &TimeWait, config: &Config) -> Self {
        let tuple = record.tuple(config);
        Self {
            connection: record.id,
            receive_queue: 0,
            send_queue: 0,
            local: tuple.local.socket_addr(),
            remote: Some(tuple.remote.socket_addr()),
            state: State::TimeWait,
        }
    }
}

impl fmt::Display for NetstatRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tcp {:>7} {:>7}  {:<40} ",
            self.receive_queue, self.send_queue, self.local
        )?;
        match self.remote {
            Some(remote) => write!(f, "{remote:<40}")?,
            None => write!(f, "{:<40}", "*")?,
        }
        write!(f, " {}", self.state)
    }
}

/// How much of everything a stack holds at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Sockets that users hold.
    pub sockets: u32,
    /// Listeners.
    pub listeners: u32,
    /// Connections from SYN-SENT and SYN-RECEIVED up to LAST-ACK.
    pub connections: u32,
    /// Of these, half-open ones in SYN-RECEIVED that came from a listener.
    pub half_open: u32,
    /// Of these, those that wait to be accepted.
    pub waiting: u32,
    /// TIME-WAIT records.
    pub time_waits: u32,
    /// Entries in timer queues, stale ones included.
    pub timer_entries: u32,
    /// Local ports in use.
    pub ports: u32,
    /// Octets in send and receive buffers.
    pub buffered: u64,
}
