//! What may be asked of a socket at any moment (RFC 9293 §3.9.1.6).

use alloc::sync::Arc;

use super::Stack;
use crate::connection::{Connection, Fin};
use crate::error::{Errno, SocketError};
use crate::event::{ConnectionId, SocketId};
use crate::socket::{Ended, SocketKind};
use crate::socket_options::SocketOptions;
use crate::state::State;
use crate::status::{Status, TcpInfo};
use crate::table::Entry;

impl Stack {
    /// The incarnation behind a socket, if it ever had one; also after that one's end.
    pub fn connection(&self, socket: SocketId) -> Option<ConnectionId> {
        match &self.socket_ref(socket)?.kind {
            SocketKind::Fresh(_) => None,
            SocketKind::Listener(listener) => Some(listener.id),
            &SocketKind::Connection(key) => Some(self.connections[key as usize].id),
            SocketKind::Ended(ended) => Some(ended.id),
        }
    }

    /// STATUS (RFC 9293 §3.9.1.6).
    pub fn status(&self, socket: SocketId) -> Result<Status, SocketError> {
        let entry = self.socket_ref(socket).ok_or(SocketError::BadSocket)?;
        let mut status = Status {
            connection: self.connection(socket),
            state: State::Closed,
            local: entry.bound(),
            remote: None,
            readable: 0,
            writable: 0,
            urgent: 0,
            received_diffserv: None,
            error: None,
            soft_error: None,
            vars: None,
        };
        match &entry.kind {
            SocketKind::Fresh(_) => {}
            SocketKind::Listener(_) => status.state = State::Listen,
            &SocketKind::Connection(key) => {
                let connection = &self.connections[key as usize];
                status.state = connection.state;
                let tuple = connection.tuple.full(&self.config);
                status.local = Some(tuple.local.socket_addr());
                status.remote = Some(tuple.remote.socket_addr());
                status.readable = connection.receive.incoming.buffer.readable();
                status.writable = self.writable(connection);
                status.urgent = connection.receive.urgent_left();
                status.received_diffserv = Some(connection.received_diffserv);
                status.soft_error = connection.soft_error;
                status.vars = Some(connection.vars());
            }
            SocketKind::Ended(ended) => {
                if self.time_wait_of(ended).is_some() {
                    status.state = State::TimeWait;
                }
                status.local = Some(ended.tuple.local.socket_addr());
                status.remote = Some(ended.tuple.remote.socket_addr());
                status.readable = ended.receive.buffer.readable();
                status.error = ended.error;
                status.soft_error = ended.soft_error;
            }
        }
        Ok(status)
    }

    /// All settings of a socket. Those of a connection that has ended are the last it had.
    pub fn options(&self, socket: SocketId) -> Result<SocketOptions, SocketError> {
        let options = self.options_of(socket).ok_or(SocketError::BadSocket)?;
        Ok(**options)
    }

    /// The settings of a socket, which stand where they are used.
    pub(super) fn options_of(&self, socket: SocketId) -> Option<&Arc<SocketOptions>> {
        Some(match &self.socket_ref(socket)?.kind {
            SocketKind::Fresh(options) => options,
            SocketKind::Listener(listener) => &listener.options,
            &SocketKind::Connection(key) => &self.connections[key as usize].options,
            SocketKind::Ended(ended) => &ended.options,
        })
    }

    /// TCP_INFO of a live connection; `None`: there is none behind this socket.
    pub fn tcp_info(&self, socket: SocketId) -> Result<Option<TcpInfo>, SocketError> {
        let entry = self.socket_ref(socket).ok_or(SocketError::BadSocket)?;
        Ok(match entry.kind {
            SocketKind::Connection(key) => Some((&self.connections[key as usize]).into()),
            _ => None,
        })
    }

    /// SO_ERROR: why the connection failed, once; then `None` until something new happens. What the
    /// other calls answer does not change by it.
    pub fn take_error(&mut self, socket: SocketId) -> Result<Option<Errno>, SocketError> {
        let entry = self.socket_mut(socket).ok_or(SocketError::BadSocket)?;
        Ok(entry.pending_error.take())
    }

    fn writable(&self, connection: &Connection) -> u32 {
        let open = connection.send.fin == Fin::Open;
        if open {
            connection.send_room(self.spare())
        } else {
            0
        }
    }

    /// The key of the TIME-WAIT record that this connection has become, if it still waits.
    pub(super) fn time_wait_of(&self, ended: &Ended) -> Option<u32> {
        match self.find(&ended.tuple) {
            Some(Entry::TimeWait(key)) if { self.time_waits[key].id } == ended.id => Some(key),
            _ => None,
        }
    }
}
