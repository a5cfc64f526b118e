//! The user calls on a connection: send, recv, shutdown, close, abort (RFC 9293 §3.10.2 to
//! §3.10.5). None blocks.

use super::{How, Stack, names};
use crate::call_flags::{RecvFlags, SendFlags};
use crate::connection::{Due, Fin};
use crate::error::{Errno, RecvError, SendError, ShutdownError, SocketError};
use crate::event::{Call, Cause, SocketId};
use crate::socket::{Ended, Listener, SocketKind};
use crate::state::State;
use crate::time::Instant;

impl Stack {
    /// Queues octets for the peer; returns how many were taken, at least one unless `octets` is
    /// empty. Before ESTABLISHED they wait for it.
    pub fn send(
        &mut self,
        now: Instant,
        socket: SocketId,
        octets: &[u8],
    ) -> Result<usize, SendError> {
        self.send_with(now, socket, octets, SendFlags::empty())
    }

    /// [`Stack::send`] with flags for these octets. What time it is decides nothing before they leave.
    pub fn send_with(
        &mut self,
        _now: Instant,
        socket: SocketId,
        octets: &[u8],
        flags: SendFlags,
    ) -> Result<usize, SendError> {
        let key = match &self.socket_ref(socket).ok_or(SendError::BadSocket)?.kind {
            SocketKind::Fresh(_) | SocketKind::Listener(_) => return Err(SendError::NotConnected),
            SocketKind::Ended(ended) => return Err(send_error(ended)),
            &SocketKind::Connection(key) => key,
        };
        let spare = self.spare();
        let connection = &mut self.connections[key as usize];
        if !connection.state.may_send() || connection.send.fin != Fin::Open {
            return Err(SendError::Shutdown);
        }
        if octets.is_empty() {
            return Ok(0);
        }
        let room = connection.send_room(u32::MAX);
        let taken = connection.send_octets(octets, spare);
        if room > spare && connection.send.out.want_space {
            self.waits_for_memory(key);
        }
        let connection = &mut self.connections[key as usize];
        match taken {
            0 => Err(SendError::WouldBlock),
            taken => {
                connection.send.out.more = flags.contains(SendFlags::MORE);
                if flags.contains(SendFlags::URGENT) {
                    connection.mark_urgent();
                }
                self.enqueue(key);
                self.account(key);
                Ok(taken)
            }
        }
    }

    /// Takes octets that have arrived in order, as many as fit. `Ok(0)` is the end of file: the
    /// peer has closed (or the user has shut the receiving side, or `into` is empty).
    pub fn recv(
        &mut self,
        now: Instant,
        socket: SocketId,
        into: &mut [u8],
    ) -> Result<usize, RecvError> {
        self.recv_with(now, socket, into, RecvFlags::empty())
    }

    /// [`Stack::recv`] with flags for this call.
    pub fn recv_with(
        &mut self,
        now: Instant,
        socket: SocketId,
        into: &mut [u8],
        flags: RecvFlags,
    ) -> Result<usize, RecvError> {
        let peeks = flags.contains(RecvFlags::PEEK);
        let key = match &mut self.socket_mut(socket).ok_or(RecvError::BadSocket)?.kind {
            SocketKind::Fresh(_) | SocketKind::Listener(_) => return Err(RecvError::NotConnected),
            SocketKind::Ended(ended) => {
                let result = receive_rest(ended, into, peeks);
                self.account_rest(socket);
                return result;
            }
            &mut SocketKind::Connection(key) => key,
        };
        let (connections, cx) = self.split(now);
        let connection = &mut connections[key as usize];
        if connection.receive.incoming.buffer.readable() == 0 {
            let over = connection.receive.fin_taken || connection.receive.shut;
            return if over {
                Ok(0)
            } else {
                Err(RecvError::WouldBlock)
            };
        }
        if peeks {
            return Ok(connection.peek_octets(into));
        }
        let octets = connection.receive_octets(into, &cx);
        let (due, cold) = (connection.due.contains(Due::ACK), !connection.warm);
        if due {
            self.enqueue(key);
        }
        self.account(key);
        if cold {
            self.keep_warm(now, key);
        }
        Ok(octets)
    }

    /// Shuts one direction or both, and keeps the socket. To shut the sending side is the RFC's
    /// CLOSE: a FIN follows what is queued.
    pub fn shutdown(
        &mut self,
        now: Instant,
        socket: SocketId,
        how: How,
    ) -> Result<(), ShutdownError> {
        let entry = self.socket_ref(socket).ok_or(ShutdownError::BadSocket)?;
        let SocketKind::Connection(key) = entry.kind else {
            return Err(ShutdownError::NotConnected);
        };
        let (connections, mut cx) = self.split(now);
        let connection = &mut connections[key as usize];
        if connection.state == State::SynSent {
            return Err(ShutdownError::NotConnected);
        }
        if how != How::Write {
            connection.shut_receive();
        }
        if how != How::Read {
            connection.shut_send(Call::Shutdown, &mut cx);
        }
        self.after(now, key);
        Ok(())
    }

    /// Gives the handle back. A connection goes on to CLOSED by itself: it sends what is queued
    /// and a FIN, or a RST if octets that arrived were never read (SHLD-3).
    pub fn close(&mut self, now: Instant, socket: SocketId) -> Result<(), SocketError> {
        self.leave(now, socket, Call::Close)
    }

    /// ABORT (RFC 9293 §3.10.5): gives the handle back, sends a RST where the peer may still hold
    /// the connection, and forgets it. Ends TIME-WAIT, too.
    pub fn abort(&mut self, now: Instant, socket: SocketId) -> Result<(), SocketError> {
        self.leave(now, socket, Call::Abort)
    }

    fn leave(&mut self, now: Instant, id: SocketId, call: Call) -> Result<(), SocketError> {
        self.socket_ref(id).ok_or(SocketError::BadSocket)?;
        let socket = self.sockets.remove(names::parts(id).0);
        let bound = socket.bound();
        match socket.kind {
            SocketKind::Fresh(_) => {}
            SocketKind::Listener(listener) => self.close_listener(now, *listener, call),
            SocketKind::Connection(key) => {
                let (connections, mut cx) = self.split(now);
                let connection = &mut connections[key as usize];
                match call {
                    Call::Abort => connection.abort(call, &mut cx),
                    _ => connection.close(&mut cx),
                }
                self.after(now, key);
            }
            SocketKind::Ended(ended) => {
                if let (Call::Abort, Some(key)) = (call, self.time_wait_of(&ended)) {
                    self.end_time_wait(key, Cause::User(call));
                }
                self.account_rest(id);
            }
        }
        if let Some(bound) = bound {
            self.ports.unbind(id, bound.port());
        }
        Ok(())
    }

    /// CLOSE in LISTEN: children that nobody has accepted are aborted.
    fn close_listener(&mut self, now: Instant, listener: Listener, call: Call) {
        for &key in listener.half_open.iter().chain(listener.waiting.values()) {
            let (connections, mut cx) = self.split(now);
            connections[key as usize].abort(call, &mut cx);
            self.after(now, key);
        }
        self.events
            .transition(listener.id, State::Listen, State::Closed, Cause::User(call));
    }
}

fn send_error(ended: &Ended) -> SendError {
    match ended.error {
        Some(Errno::ECONNREFUSED) => SendError::Refused,
        Some(Errno::ETIMEDOUT) => SendError::TimedOut,
        Some(Errno::EACCES) => SendError::Prohibited,
        Some(Errno::ENOPROTOOPT) => SendError::NoProtocol,
        Some(_) => SendError::Reset,
        None if ended.send_shut => SendError::Shutdown,
        None => SendError::Closed,
    }
}

/// What is left to read of a connection that is over, then how it ended.
fn receive_rest(ended: &mut Ended, into: &mut [u8], peeks: bool) -> Result<usize, RecvError> {
    if ended.receive.buffer.readable() > 0 {
        let octets = match peeks {
            true => ended.receive.buffer.peek(into),
            false => ended.receive.buffer.read(into),
        };
        return Ok(octets as usize);
    }
    match ended.error {
        Some(Errno::ECONNREFUSED) => Err(RecvError::Refused),
        Some(Errno::ETIMEDOUT) => Err(RecvError::TimedOut),
        Some(Errno::EACCES) => Err(RecvError::Prohibited),
        Some(Errno::ENOPROTOOPT) => Err(RecvError::NoProtocol),
        Some(_) => Err(RecvError::Reset),
        None if ended.end_of_file => Ok(0),
        None => Err(RecvError::NotConnected),
    }
}
