//! What a user's handle leads to.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::net::{IpAddr, SocketAddr};

use foldhash::quality::FixedState;
use indexmap::IndexSet;

use crate::config::Config;
use crate::connection::Incoming;
use crate::error::Errno;
use crate::event::ConnectionId;
use crate::resting::Resting;
use crate::socket_options::SocketOptions;
use crate::table::FourTuple;
use crate::time::Instant;

/// A user's end of the stack.
#[derive(Debug)]
pub(crate) struct Socket {
    /// Makes handles of former sockets in the same place invalid.
    pub(crate) generation: u32,
    /// What `bind` has registered with the ports.
    pub(crate) bound: Option<Box<SocketAddr>>,
    /// SO_ERROR: why the connection failed, until the user has asked.
    pub(crate) pending_error: Option<Errno>,
    pub(crate) kind: SocketKind,
}

#[derive(Debug)]
pub(crate) enum SocketKind {
    /// Neither listening nor connected; the settings for when it is.
    Fresh(Arc<SocketOptions>),
    Listener(Box<Listener>),
    /// The key of a live connection.
    Connection(u32),
    /// The connection is over, or in TIME-WAIT; what it left for the user to read.
    Ended(Box<Ended>),
}

/// A listening socket. It is never consumed: each SYN starts a child.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) id: ConnectionId,
    /// Its children start with them.
    pub(crate) options: Arc<SocketOptions>,
    /// The most connections that wait for `accept`.
    pub(crate) backlog: u16,
    pub(crate) address: SocketAddr,
    /// Until then the acknowledgment of a cookie may come.
    pub(crate) cookies_until: Instant,
    /// SO_RCVBUF as those cookies told it by window and scale, whatever the user has set since.
    pub(crate) cookie_buffer: u32,
    /// Children in SYN-RECEIVED.
    pub(crate) half_open: IndexSet<u32, FixedState>,
    /// Keys of established children that wait for `accept`, in the order of their SYNs.
    pub(crate) waiting: BTreeMap<ConnectionId, u32>,
}

impl Listener {
    pub(crate) fn new(
        id: ConnectionId,
        options: Arc<SocketOptions>,
        backlog: u16,
        address: SocketAddr,
    ) -> Self {
        Self {
            id,
            options,
            backlog: backlog.max(1),
            address,
            cookies_until: Instant::ZERO,
            cookie_buffer: 0,
            half_open: IndexSet::with_hasher(FixedState::with_seed(0)),
            waiting: BTreeMap::new(),
        }
    }

    /// A child is half-open no longer; whether it was. What a flood has made of the set goes, too.
    pub(crate) fn leaves_half_open(&mut self, key: u32) -> bool {
        let was = self.half_open.swap_remove(&key);
        let spare = self.half_open.capacity() / 8;
        if spare > HALF_OPEN_SPARE && self.half_open.len() < spare {
            self.half_open.shrink_to(2 * self.half_open.len());
        }
        was
    }

    /// As many connections as the backlog wait to be accepted.
    pub(crate) fn accept_full(&self) -> bool {
        self.waiting.len() >= usize::from(self.backlog)
    }

    /// As many half-open connections as there may be.
    pub(crate) fn syn_full(&self, config: &Config) -> bool {
        self.half_open.len() >= usize::from(config.syn_queue_max.max(1))
    }
}

/// For so many half-open connections there may always be room.
const HALF_OPEN_SPARE: usize = 32;

/// What is left for the user of a connection that is over.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) id: ConnectionId,
    pub(crate) options: Arc<SocketOptions>,
    pub(crate) tuple: FourTuple,
    /// Octets received and not yet read.
    pub(crate) receive: Resting<Incoming>,
    /// The peer closed in peace: the end of file follows the octets.
    pub(crate) end_of_file: bool,
    /// The user had shut the sending side.
    pub(crate) send_shut: bool,
    pub(crate) error: Option<Errno>,
    /// The last error that ICMP told of.
    pub(crate) soft_error: Option<Errno>,
}

impl Socket {
    /// What `bind` has registered with the ports.
    pub(crate) fn bound(&self) -> Option<SocketAddr> {
        self.bound.as_deref().copied()
    }

    /// The local address, if bound to one.
    pub(crate) fn bound_ip(&self) -> Option<IpAddr> {
        self.bound()
            .map(|address| address.ip())
            .filter(|ip| !ip.is_unspecified())
    }
}
