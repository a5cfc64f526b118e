//! The user calls of a host, as one user makes them.

use core::net::{IpAddr, SocketAddr};

use timewait_stack::error::{
    AcceptError, BindError, ConnectError, ListenError, RecvError, SendError, ShutdownError,
    SocketError,
};
use timewait_stack::status::Status;
use timewait_stack::{Errno, How, Instant, SendFlags, SocketId, SocketOption};

use super::{AppId, Core};
use crate::app::App;
use crate::content;
use crate::event::UserEvent;
use crate::label::Incarnation;
use crate::scenario::Buffers;

/// The largest piece that [`Calls::send_content`] offers at once.
const PIECE: u64 = 2048;

/// A user at work: the calls of the stack, each written down for the oracles.
///
/// None blocks. What comes later comes as readiness.
#[derive(Debug)]
pub struct Calls<'a> {
    core: &'a mut Core,
    app: Option<AppId>,
}

impl<'a> Calls<'a> {
    pub(super) fn new(core: &'a mut Core, app: Option<AppId>) -> Self {
        Self { core, app }
    }

    /// The host's clock.
    pub fn now(&self) -> Instant {
        self.core.now
    }

    /// The first address of this host.
    pub fn local_address(&self) -> Option<IpAddr> {
        self.core.local_address()
    }

    /// When the quiet time after the boot ends or has ended (RFC 9293 §3.4.3).
    pub fn quiet_until(&self) -> Option<Instant> {
        self.core.stack.quiet_until()
    }

    /// Starts another application, which from now on hears of `socket`.
    pub fn spawn(&mut self, app: Box<dyn App>, socket: SocketId) {
        self.core.spawned.push((app, Some(socket)));
    }

    /// SOCKET.
    pub fn socket(&mut self) -> SocketId {
        let socket = self.core.stack.socket();
        self.core.sockets.insert(socket, self.app);
        socket
    }

    /// SETSOCKOPT.
    pub fn set_option(&mut self, on: SocketId, to: SocketOption) -> Result<(), SocketError> {
        self.core.stack.set_option(on, to)
    }

    /// SO_RCVBUF and SO_SNDBUF. A socket that is gone has none.
    pub fn set_buffers(&mut self, socket: SocketId, buffers: Buffers) {
        let receive = SocketOption::ReceiveBuffer(buffers.receive);
        let send = SocketOption::SendBuffer(buffers.send);
        if self.set_option(socket, receive).is_ok() && self.set_option(socket, send).is_ok() {
            self.core.drain_stack();
            self.core.note_buffers(socket);
        }
    }

    /// BIND.
    pub fn bind(&mut self, socket: SocketId, local: SocketAddr) -> Result<(), BindError> {
        self.core.stack.bind(socket, local)
    }

    /// LISTEN.
    pub fn listen(&mut self, socket: SocketId, backlog: u16) -> Result<(), ListenError> {
        let listening = self.core.stack.listen(socket, backlog);
        self.core.drain_stack();
        listening
    }

    /// ACCEPT. The new socket belongs to this user.
    pub fn accept(&mut self, listener: SocketId) -> Result<(SocketId, SocketAddr), AcceptError> {
        let accepted = self.core.stack.accept(listener);
        self.core.drain_stack();
        let (socket, remote) = accepted?;
        self.core.sockets.insert(socket, self.app);
        if let Some(connection) = self.core.stack.connection(socket) {
            self.core.record(UserEvent::Accepted { connection });
        }
        Ok((socket, remote))
    }

    /// CONNECT.
    pub fn connect(&mut self, socket: SocketId, remote: SocketAddr) -> Result<(), ConnectError> {
        let connecting = self.core.stack.connect(self.core.now, socket, remote);
        self.core.drain_stack();
        match connecting {
            Ok(()) => {
                if let Some(connection) = self.core.stack.connection(socket) {
                    self.core
                        .record(UserEvent::Connecting { connection, remote });
                    if self.core.has_own_buffers(socket) {
                        self.core.note_buffers(socket);
                    }
                }
            }
            Err(error) => {
                let error = error.errno();
                self.core.record(UserEvent::NotConnecting { remote, error });
            }
        }
        connecting
    }

    /// SEND.
    pub fn send(&mut self, socket: SocketId, octets: &[u8]) -> Result<usize, SendError> {
        self.send_with(socket, octets, SendFlags::empty())
    }

    /// SEND with flags.
    pub fn send_with(
        &mut self,
        socket: SocketId,
        octets: &[u8],
        flags: SendFlags,
    ) -> Result<usize, SendError> {
        let sent = self
            .core
            .stack
            .send_with(self.core.now, socket, octets, flags);
        self.core.drain_stack();
        match sent {
            Ok(count) => self.core.note_sent(socket, count as u32),
            Err(SendError::Refused | SendError::Reset | SendError::TimedOut) => {
                let error = sent.err().map(SendError::errno);
                error
                    .into_iter()
                    .for_each(|error| self.core.note_failure(socket, error));
            }
            Err(_) => {}
        }
        sent
    }

    /// SEND of the next `octets` octets that this incarnation has to send, as `content` has
    /// them. Returns how many were taken, which is fewer if the buffer was full; an error only
    /// if it was none.
    pub fn send_content(&mut self, socket: SocketId, octets: u64) -> Result<u64, SendError> {
        self.send_content_with(socket, octets, SendFlags::empty())
    }

    /// [`Calls::send_content`] with flags.
    pub fn send_content_with(
        &mut self,
        socket: SocketId,
        octets: u64,
        flags: SendFlags,
    ) -> Result<u64, SendError> {
        let Some(sender) = self.incarnation(socket) else {
            return Err(SendError::NotConnected);
        };
        let mut piece = core::mem::take(&mut self.core.scratch);
        let mut done = 0;
        let mut result = Ok(0);
        while done < octets {
            piece.resize((octets - done).min(PIECE) as usize, 0);
            content::fill(sender, self.sent(socket), &mut piece);
            result = self
                .send_with(socket, &piece, flags)
                .map(|taken| taken as u64);
            let taken = result.unwrap_or(0);
            done += taken;
            if taken < piece.len() as u64 {
                break;
            }
        }
        self.core.scratch = piece;
        if done > 0 { Ok(done) } else { result }
    }

    /// RECEIVE. 0 is the end of file.
    pub fn recv(&mut self, socket: SocketId, into: &mut [u8]) -> Result<usize, RecvError> {
        let received = self.core.stack.recv(self.core.now, socket, into);
        self.core.drain_stack();
        match received {
            Ok(0) if into.is_empty() => {}
            Ok(0) => self.core.note_end_of_file(socket),
            Ok(count) => self.core.note_received(socket, &into[..count]),
            Err(RecvError::Refused | RecvError::Reset | RecvError::TimedOut) => {
                let error = received.err().map(RecvError::errno);
                error
                    .into_iter()
                    .for_each(|error| self.core.note_failure(socket, error));
            }
            Err(_) => {}
        }
        received
    }

    /// SHUTDOWN.
    pub fn shutdown(&mut self, socket: SocketId, how: How) -> Result<(), ShutdownError> {
        let connection = self.core.stack.connection(socket);
        let shut = self.core.stack.shutdown(self.core.now, socket, how);
        self.core.drain_stack();
        if let (Ok(()), Some(connection)) = (shut, connection) {
            let (read, write) = (how != How::Write, how != How::Read);
            self.core.record(UserEvent::Shutdown {
                connection,
                read,
                write,
            });
        }
        shut
    }

    /// CLOSE. The handle is gone; the connection goes on to CLOSED by itself.
    pub fn close(&mut self, socket: SocketId) -> Result<(), SocketError> {
        let connection = self.core.stack.connection(socket);
        let unread = match self.core.user_events {
            true => self
                .core
                .stack
                .status(socket)
                .map_or(0, |status| status.readable),
            false => 0,
        };
        let options = self.core.stack.options(socket);
        let aborts = options.is_ok_and(|options| options.abort_on_close);
        let closed = self.core.stack.close(self.core.now, socket);
        self.core.drain_stack();
        self.core.sockets.remove(socket);
        if let (Ok(()), Some(connection)) = (closed, connection) {
            self.core.record(match aborts {
                true => UserEvent::Aborted { connection },
                false => UserEvent::Closed { connection, unread },
            });
        }
        closed
    }

    /// ABORT. The handle is gone, and the connection too.
    pub fn abort(&mut self, socket: SocketId) -> Result<(), SocketError> {
        let connection = self.core.stack.connection(socket);
        let aborted = self.core.stack.abort(self.core.now, socket);
        self.core.drain_stack();
        self.core.sockets.remove(socket);
        if let (Ok(()), Some(connection)) = (aborted, connection) {
            self.core.record(UserEvent::Aborted { connection });
        }
        aborted
    }

    /// STATUS.
    pub fn status(&self, socket: SocketId) -> Result<Status, SocketError> {
        self.core.stack.status(socket)
    }

    /// Octets that `send` has taken on this socket so far.
    pub fn sent(&self, socket: SocketId) -> u64 {
        self.core.sockets.get(socket).map_or(0, |held| held.sent)
    }

    /// Octets that `recv` has returned on this socket so far.
    pub fn received(&self, socket: SocketId) -> u64 {
        self.core
            .sockets
            .get(socket)
            .map_or(0, |held| held.received)
    }

    /// The incarnation behind a socket, if it ever had one.
    pub fn incarnation(&self, socket: SocketId) -> Option<Incarnation> {
        let connection = self.core.stack.connection(socket)?;
        Some(Incarnation {
            host: self.core.id,
            boot: self.core.boot,
            connection,
        })
    }
}

/// What is written down.
impl Core {
    fn note_sent(&mut self, socket: SocketId, octets: u32) {
        let Some(held) = self.sockets.get_mut(socket) else {
            return;
        };
        let offset = held.sent;
        held.sent += u64::from(octets);
        if let Some(connection) = self.stack.connection(socket).filter(|_| octets > 0) {
            self.record(UserEvent::Sent {
                connection,
                offset,
                octets,
            });
        }
    }

    /// The user has set buffers before `connect`.
    fn has_own_buffers(&self, socket: SocketId) -> bool {
        let config = self.stack.config();
        self.stack.options(socket).is_ok_and(|options| {
            options.receive_buffer != config.receive_buffer
                || options.send_buffer != config.send_buffer
        })
    }

    /// What the user has set and the stack says it has.
    fn note_buffers(&mut self, socket: SocketId) {
        let (connection, options) = (self.stack.connection(socket), self.stack.options(socket));
        if let (Some(connection), Ok(options)) = (connection, options) {
            self.record(UserEvent::Buffers {
                connection,
                receive: options.receive_buffer,
                send: options.send_buffer,
            });
        }
    }

    fn note_received(&mut self, socket: SocketId, octets: &[u8]) {
        let Some(held) = self.sockets.get_mut(socket) else {
            return;
        };
        let offset = held.received;
        held.received += octets.len() as u64;
        if !self.user_events {
            return;
        }
        if let Some(connection) = self.stack.connection(socket) {
            self.record(UserEvent::Received {
                connection,
                offset,
                octets: octets.to_vec(),
            });
        }
    }

    /// Once: a user may ask again and gets the same answer.
    fn note_end_of_file(&mut self, socket: SocketId) {
        let Some(held) = self.sockets.get_mut(socket) else {
            return;
        };
        let offset = held.received;
        if !core::mem::replace(&mut held.end_of_file, true)
            && let Some(connection) = self.stack.connection(socket)
        {
            self.record(UserEvent::EndOfFile { connection, offset });
        }
    }

    /// Once, however the user hears of it.
    pub(super) fn note_failure(&mut self, socket: SocketId, error: Errno) {
        let Some(held) = self.sockets.get_mut(socket) else {
            return;
        };
        if !core::mem::replace(&mut held.failed, true)
            && let Some(connection) = self.stack.connection(socket)
        {
            self.record(UserEvent::Failed { connection, error });
        }
    }
}
