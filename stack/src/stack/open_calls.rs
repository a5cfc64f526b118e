//! The user calls that lead to a connection, as in the BSD API: socket, bind, listen, accept,
//! connect (RFC 9293 §3.9.1.1, §3.10.1). None blocks: what takes time is reported by
//! [`Event::Ready`].

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::net::{IpAddr, SocketAddr};

use super::index::find;
use super::{Stack, names};
use crate::connection::{Connection, Owner};
use crate::error::{AcceptError, BindError, ConnectError, ListenError, SocketError};
use crate::event::{Call, Cause, Event, Interest, Ready, SocketId};
use crate::isn;
use crate::socket::{Listener, Socket, SocketKind};
use crate::socket_options::SocketOption;
use crate::state::State;
use crate::table::{End, FourTuple};
use crate::time::Instant;

impl Stack {
    /// A new socket, neither bound nor connected.
    pub fn socket(&mut self) -> SocketId {
        let options = self.shared.defaults();
        self.new_socket(SocketKind::Fresh(options))
    }

    fn new_socket(&mut self, kind: SocketKind) -> SocketId {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let key = self.sockets.insert(Socket {
            generation,
            bound: None,
            pending_error: None,
            kind,
        });
        names::socket_id(key, generation)
    }

    /// Changes a setting of a socket; of a connected one it takes effect at once. Values out of the
    /// range of an option are taken as its nearest.
    pub fn set_option(
        &mut self,
        socket: SocketId,
        option: SocketOption,
    ) -> Result<(), SocketError> {
        let mut options = **self.options_of(socket).ok_or(SocketError::BadSocket)?;
        options.set(option);
        let options = self.shared.share(options);
        let entry = self.socket_mut(socket).ok_or(SocketError::BadSocket)?;
        match &mut entry.kind {
            SocketKind::Fresh(old) => *old = options,
            SocketKind::Listener(listener) => listener.options = options,
            SocketKind::Ended(ended) => ended.options = options,
            &mut SocketKind::Connection(key) => {
                let spare = self.spare();
                if self.connections[key as usize].set_options(options, &self.config, spare) {
                    self.events.ready(socket, Ready::Writable);
                }
                self.reschedule(key);
                self.enqueue(key);
            }
        }
        Ok(())
    }

    /// Gives the socket a local address (MUST-43). Sockets that share it may listen while another
    /// opens a connection from there (MUST-42). Port 0: an ephemeral one. An unspecified
    /// address: every local one of its family.
    pub fn bind(&mut self, socket: SocketId, local: SocketAddr) -> Result<(), BindError> {
        let entry = self.socket_ref(socket).ok_or(BindError::BadSocket)?;
        let SocketKind::Fresh(options) = &entry.kind else {
            return Err(BindError::Bound);
        };
        if entry.bound.is_some() {
            return Err(BindError::Bound);
        }
        let (ip, reuse) = (local.ip(), options.reuse_address);
        if !ip.is_unspecified() && !self.is_local(ip) {
            return Err(BindError::NotLocal);
        }
        let port = match local.port() {
            0 => self.unused_port(ip).ok_or(BindError::NoPort)?,
            port => port,
        };
        if !self.ports.bind(socket, ip, port, reuse) {
            return Err(BindError::InUse);
        }
        if let Some(entry) = self.socket_mut(socket) {
            entry.bound = Some(Box::new(SocketAddr::new(ip, port)));
        }
        Ok(())
    }

    fn unused_port(&mut self, ip: IpAddr) -> Option<u16> {
        let nobody = End::new(ip, 0);
        let (config, ports) = (&self.config, &self.ports);
        self.ephemeral
            .choose(config, nobody, nobody, |port| ports.is_unused(port))
    }

    /// Listens on the bound address (passive OPEN). Connections that use the port already go on as
    /// they are (MUST-41, MUST-42). `backlog` bounds the connections that wait for `accept`, at
    /// least 1; half-open ones are bounded by
    /// [`Config::syn_queue_max`](crate::Config::syn_queue_max). A SYN that finds either queue full
    /// is dropped, and comes again. The ACK of a SYN-ACK that finds no room to wait is dropped,
    /// too: the connection stays half-open, and its SYN-ACK is sent again.
    pub fn listen(&mut self, socket: SocketId, backlog: u16) -> Result<(), ListenError> {
        let entry = self.socket_mut(socket).ok_or(ListenError::BadSocket)?;
        let options = match &mut entry.kind {
            SocketKind::Fresh(options) => Arc::clone(options),
            SocketKind::Listener(listener) => {
                listener.backlog = backlog.max(1);
                return Ok(());
            }
            _ => return Err(ListenError::Connected),
        };
        let address = entry.bound().ok_or(ListenError::NotBound)?;
        if !self.ports.listen(socket, address.port()) {
            return Err(ListenError::InUse);
        }
        let id = self.new_connection_id();
        if let Some(entry) = self.socket_mut(socket) {
            let listener = Listener::new(id, options, backlog, address);
            entry.kind = SocketKind::Listener(Box::new(listener));
        }
        self.events.push(Interest::TRANSITIONS, || Event::Opened {
            connection: id,
            socket: Some(socket),
            local: address,
            remote: None,
        });
        self.events
            .transition(id, State::Closed, State::Listen, Cause::User(Call::Listen));
        Ok(())
    }

    /// The next established connection of a listener, and its peer's address.
    pub fn accept(&mut self, socket: SocketId) -> Result<(SocketId, SocketAddr), AcceptError> {
        self.socket_ref(socket).ok_or(AcceptError::BadSocket)?;
        let listener = self.listener_mut(socket).ok_or(AcceptError::NotListening)?;
        let (_, key) = listener
            .waiting
            .pop_first()
            .ok_or(AcceptError::WouldBlock)?;
        let accepted = self.new_socket(SocketKind::Connection(key));
        let connection = &mut self.connections[key as usize];
        connection.owner = Owner::Socket(accepted);
        if connection.receive.incoming.buffer.readable() > 0 || connection.receive.fin_taken {
            self.events.ready(accepted, Ready::Readable);
        }
        Ok((accepted, connection.tuple.remote.socket_addr()))
    }

    /// Starts an active OPEN. Its outcome is [`Ready::Connected`] or [`Ready::Failed`].
    pub fn connect(
        &mut self,
        now: Instant,
        socket: SocketId,
        remote: SocketAddr,
    ) -> Result<(), ConnectError> {
        let entry = self.socket_ref(socket).ok_or(ConnectError::BadSocket)?;
        let options = match &entry.kind {
            SocketKind::Fresh(options) => Arc::clone(options),
            SocketKind::Listener(_) => return Err(ConnectError::Listening),
            &SocketKind::Connection(key) if !self.is_past_handshake(key) => {
                return Err(ConnectError::InProgress);
            }
            SocketKind::Connection(_) | SocketKind::Ended(_) => {
                return Err(ConnectError::Connected);
            }
        };
        if !self.is_host(remote.ip()) || remote.port() == 0 {
            return Err(ConnectError::BadRemote);
        }
        if self.keeps_quiet(now) {
            return Err(ConnectError::QuietTime);
        }
        if !self.has_memory(&options) {
            return Err(ConnectError::NoMemory);
        }
        let tuple = self.choose_tuple(socket, remote)?;
        let id = self.new_connection_id();
        let iss = isn::initial(&self.config, now, &tuple, id.0);
        self.announce(id, Some(socket), &tuple);
        let (closed, cause) = (State::Closed, Cause::User(Call::Connect));
        self.events.transition(id, closed, State::SynSent, cause);
        let cx = self.context(now);
        let owner = Owner::Socket(socket);
        let connection = Connection::active(id, tuple, owner, options, iss, &cx);
        let key = self.insert(connection);
        if let Some(entry) = self.socket_mut(socket) {
            entry.kind = SocketKind::Connection(key);
        }
        Ok(())
    }

    fn is_past_handshake(&self, key: u32) -> bool {
        self.connections[key as usize].state.is_synchronized()
    }

    /// The local end for a connection to `remote`: the bound one, or the host's address with an
    /// ephemeral port (MUST-44). No other connection may have the tuple.
    fn choose_tuple(
        &mut self,
        socket: SocketId,
        remote: SocketAddr,
    ) -> Result<FourTuple, ConnectError> {
        let entry = self.socket_ref(socket).ok_or(ConnectError::BadSocket)?;
        let v4 = remote.is_ipv4();
        if entry.bound().is_some_and(|bound| bound.is_ipv4() != v4) {
            return Err(ConnectError::FamilyMismatch);
        }
        let of_family = |address: &&IpAddr| address.is_ipv4() == v4;
        let ip = entry
            .bound_ip()
            .or_else(|| self.config.addresses.iter().find(of_family).copied())
            .ok_or(ConnectError::NoLocalAddress)?;
        let remote = End::new(remote.ip(), remote.port());
        if let Some(bound) = entry.bound() {
            let tuple = FourTuple {
                local: End::new(ip, bound.port()),
                remote,
            };
            return if self.find(&tuple).is_some() {
                Err(ConnectError::InUse)
            } else {
                Ok(tuple)
            };
        }
        let tuple = |port| FourTuple {
            local: End::new(ip, port),
            remote,
        };
        let Self {
            config,
            ports,
            table,
            connections,
            time_waits,
            ephemeral,
            ..
        } = self;
        let find = |tuple| find(table, &tuple, config, connections, time_waits);
        let suitable = |port| ports.is_unbound(port) && find(tuple(port)).is_none();
        ephemeral
            .choose(config, End::new(ip, 0), remote, suitable)
            .map(tuple)
            .ok_or(ConnectError::NoPort)
    }
}
