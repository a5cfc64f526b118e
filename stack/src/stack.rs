//! The socket table: everything one TCP endpoint holds, and how the pieces find each other.
//!
//! Connections, TIME-WAIT records and sockets live in slabs; one hash table leads from a 4-tuple
//! to the first two. Every connection has at most one entry that counts in the alarm queue, for
//! its earliest timer: an entry made stale by a later timer is passed over when its time comes.

mod alarms;
mod icmp;
mod index;
mod lifecycle;
mod listeners;
mod memory;
mod names;
mod open_calls;
mod poll;
mod questions;
mod segments;
mod use_calls;
mod warm;

use alloc::collections::{BinaryHeap, VecDeque};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::IpAddr;

use crate::challenge::ChallengeLimit;
use crate::config::Config;
use crate::connection::Connection;
use crate::context::{Context, Events, Reply};
use crate::ephemeral::EphemeralPorts;
use crate::event::{ConnectionId, Event, Interest, SocketId};
use crate::pages::Pages;
use crate::ports::Ports;
use crate::quiet::QuietTime;
use crate::shared_options::SharedOptions;
use crate::socket::{Listener, Socket, SocketKind};
use crate::status::{NetstatRow, Usage};
use crate::table::Table;
use crate::time::Instant;
use crate::time_waits::TimeWaits;
use memory::Memory;

/// The ECN field of an IP header (RFC 3168 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ecn {
    /// Not ECN-capable.
    #[default]
    NotEct = 0,
    /// ECT(1).
    Ect1 = 1,
    /// ECT(0).
    Ect0 = 2,
    /// Congestion experienced.
    Ce = 3,
}

/// Where a segment that [`Stack::poll_transmit`] built is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Source address.
    pub from: IpAddr,
    /// Destination address.
    pub to: IpAddr,
    /// ECN field for the IP header.
    pub ecn: Ecn,
    /// Diffserv codepoint for the IP header, 0 to 63, as the user gave it (MUST-48, SHLD-22).
    pub diffserv: u8,
    /// TTL or hop limit for the IP header (MUST-49).
    pub hop_limit: u8,
    /// Don't-fragment flag for the IPv4 header.
    pub dont_fragment: bool,
    /// Who sends it; `None`: a stateless reply to the segment handled last.
    pub connection: Option<ConnectionId>,
    /// A RST sent in reply to the segment handled last, in whatever state (RFC 9293 §3.10.7).
    pub reset_reply: bool,
}

/// Which directions `shutdown` shuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing more will be received: SHUT_RD.
    Read,
    /// Nothing more will be sent: SHUT_WR.
    Write,
    /// Both: SHUT_RDWR.
    Both,
}

/// Whom an alarm is for: a key of a slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Connection(u32),
    TimeWait(u32),
}

/// A TCP endpoint with all its sockets.
///
/// It does nothing by itself. After each call drain [`Stack::poll_event`] and
/// [`Stack::poll_transmit`] until both are empty, then ask [`Stack::poll_timeout`] when to call
/// [`Stack::handle_timeout`]. `now` must never go back from call to call.
#[derive(Debug)]
pub struct Stack {
    config: Config,
    events: Events,
    replies: VecDeque<Reply>,
    /// See [`Context::common_limit`].
    common_limit: ChallengeLimit,
    sockets: Pages<Socket>,
    connections: Pages<Connection>,
    time_waits: TimeWaits,
    table: Table,
    ports: Ports,
    quiet: QuietTime,
    alarms: BinaryHeap<Reverse<(Instant, Alarm)>>,
    /// Connections that may have something to send.
    transmit_queue: VecDeque<u32>,
    /// Connections that were busy lately, in the order in which they were.
    warm: VecDeque<u32>,
    shared: SharedOptions,
    next_connection: u64,
    next_generation: u32,
    ephemeral: EphemeralPorts,
    memory: Memory,
}

impl Stack {
    /// A stack that has just booted.
    pub fn new(config: Config) -> Self {
        Self {
            table: Table::new(&config.secret),
            shared: SharedOptions::new(&config),
            config,
            events: Events::default(),
            replies: VecDeque::new(),
            common_limit: ChallengeLimit::default(),
            sockets: Pages::new(),
            connections: Pages::new(),
            time_waits: TimeWaits::new(),
            ports: Ports::new(),
            quiet: QuietTime::default(),
            alarms: BinaryHeap::new(),
            transmit_queue: VecDeque::new(),
            warm: VecDeque::new(),
            next_connection: 1,
            next_generation: 1,
            ephemeral: EphemeralPorts::new(),
            memory: Memory::default(),
        }
    }

    /// The settings it was born with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Chooses which events are produced from now on; readiness always is.
    pub fn set_interest(&mut self, interest: Interest) {
        self.events.set_interest(interest);
    }

    /// The next event, in the order in which things happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.poll()
    }

    /// When [`Stack::handle_timeout`] is next wanted: perhaps early, never late.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let alarm = self.alarms.peek().map(|Reverse((at, _))| *at);
        let time_wait = self.time_waits.earliest().map(|(at, _)| at);
        match (alarm, time_wait) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// When the quiet time after the boot ends or has ended (RFC 9293 §3.4.3); `None` before the
    /// first call that hands in the time.
    pub fn quiet_until(&self) -> Option<Instant> {
        self.quiet.until()
    }

    /// Whether the stack must keep quiet. Every call that hands in the time before anything can
    /// be sent asks this first.
    fn keeps_quiet(&mut self, now: Instant) -> bool {
        self.quiet.notice(now, &self.config);
        self.quiet.lasts(now)
    }

    /// Every listener, connection and TIME-WAIT record, in the order of their ids.
    pub fn netstat(&self) -> Vec<NetstatRow> {
        let listeners = self
            .sockets
            .iter()
            .filter_map(|(_, socket)| match &socket.kind {
                SocketKind::Listener(listener) => Some(NetstatRow::of_listener(listener)),
                _ => None,
            });
        let connections = self
            .connections
            .iter()
            .map(|(_, connection)| NetstatRow::of_connection(connection, &self.config));
        let time_waits = self
            .time_waits
            .iter()
            .map(|record| NetstatRow::of_time_wait(record, &self.config));
        let mut rows: Vec<NetstatRow> = listeners.chain(connections).chain(time_waits).collect();
        rows.sort_by_key(|row| row.connection);
        rows
    }

    /// How much of everything is in use.
    pub fn usage(&self) -> Usage {
        let listeners = || {
            self.sockets
                .iter()
                .filter_map(|(_, socket)| match &socket.kind {
                    SocketKind::Listener(listener) => Some(listener),
                    _ => None,
                })
        };
        let buffered = |(_, connection): (usize, &Connection)| {
            let received = &connection.receive.incoming.buffer;
            u64::from(
                connection.send.out.buffer.len() + received.readable() + received.out_of_order(),
            )
        };
        Usage {
            sockets: self.sockets.len() as u32,
            listeners: listeners().count() as u32,
            connections: self.connections.len() as u32,
            half_open: listeners()
                .map(|listener| listener.half_open.len() as u32)
                .sum(),
            waiting: listeners()
                .map(|listener| listener.waiting.len() as u32)
                .sum(),
            time_waits: self.time_waits.len() as u32,
            timer_entries: self.alarms.len() as u32 + self.time_waits.listed(),
            ports: self.ports.len(),
            buffered: self.connections.iter().map(buffered).sum(),
        }
    }

    /// The surroundings for work on one connection, and the connections.
    fn split(&mut self, now: Instant) -> (&mut Pages<Connection>, Context<'_>) {
        let spare = self.spare();
        let Self {
            config,
            events,
            replies,
            connections,
            common_limit,
            ..
        } = self;
        (
            connections,
            Context {
                now,
                ecn: Ecn::NotEct,
                config,
                spare,
                events,
                replies,
                common_limit,
            },
        )
    }

    /// The surroundings alone.
    fn context(&mut self, now: Instant) -> Context<'_> {
        self.split(now).1
    }

    fn socket_ref(&self, id: SocketId) -> Option<&Socket> {
        let (key, generation) = names::parts(id);
        self.sockets
            .get(key)
            .filter(|socket| socket.generation == generation)
    }

    fn socket_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
        let (key, generation) = names::parts(id);
        self.sockets
            .get_mut(key)
            .filter(|socket| socket.generation == generation)
    }

    fn listener_mut(&mut self, id: SocketId) -> Option<&mut Listener> {
        match &mut self.socket_mut(id)?.kind {
            SocketKind::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    fn new_connection_id(&mut self) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        id
    }

    fn is_local(&self, address: IpAddr) -> bool {
        self.config.addresses.contains(&address)
    }

    /// Whether a host may have this address: no broadcast to a local network either (MUST-46).
    fn is_host(&self, address: IpAddr) -> bool {
        let directed = match address.to_canonical() {
            IpAddr::V4(v4) => self.config.broadcasts.contains(&v4),
            IpAddr::V6(_) => false,
        };
        is_unicast(address) && !directed
    }

    /// Whether a segment may come from this address. A loopback address never leaves its host
    /// (RFC 1122 §3.2.1.3; MUST-63).
    fn is_source(&self, address: IpAddr) -> bool {
        let loopback = address.to_canonical().is_loopback();
        self.is_host(address) && (!loopback || self.is_local(address))
    }
}

/// An address that names one host (MUST-46, MUST-63).
fn is_unicast(address: IpAddr) -> bool {
    match address.to_canonical() {
        // RFC 1122 §3.2.1.3: a network number of zero means "this network", and names no host.
        IpAddr::V4(v4) => v4.octets()[0] != 0 && !v4.is_broadcast() && !v4.is_multicast(),
        IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_multicast(),
    }
}
