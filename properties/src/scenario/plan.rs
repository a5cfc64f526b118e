//! What the links of a scenario are, and what its users do, as data.

use core::time::Duration;

use timewait_sim::Aqm;

use crate::choose::Choose;

/// One link; both directions alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkPlan {
    /// One end.
    pub a: LinkEnd,
    /// The other.
    pub b: LinkEnd,
    /// Propagation delay.
    pub delay: Duration,
    /// Octets per second; `None`: infinitely fast.
    pub rate: Option<u64>,
    /// Octets that may wait for a rated link.
    pub queue_bytes_max: u64,
    /// What its queue does before it is full.
    pub aqm: Aqm,
    /// The largest datagram it carries, in octets with the IP header; `None`: any.
    pub mtu: Option<u16>,
}

/// A route that somebody has entered at a router, for one host: over a link that is not on the shortest
/// way, perhaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutePlan {
    /// The router, by its number.
    pub router: u16,
    /// The host that it leads to; none if it has no such number.
    pub host: u16,
    /// The link, which ends at the router, by its number.
    pub link: u32,
}

/// How routers report what they drop, by ICMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpPlan {
    /// The least time between two reports of one router.
    pub interval: Duration,
    /// Octets of the segment that are quoted, at least 8.
    pub quote_octets: u16,
}

impl IcmpPlan {
    /// As terse as RFC 792 or as talkative as RFC 1812 §4.3.2.3, and with a limit or without.
    pub(crate) fn draw(choose: &mut dyn Choose) -> Self {
        Self {
            interval: Duration::from_millis(*choose.pick(&[0, 0, 10, 500])),
            quote_octets: *choose.pick(&[8, 548]),
        }
    }
}

/// What a link ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// A host, by its number.
    Host(u16),
    /// A router, by its number.
    Router(u16),
    /// An attacker, by its number.
    Attacker(u16),
}

/// One user of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPlan {
    /// When it starts.
    pub start: Duration,
    /// What it does.
    pub role: Role,
}

/// What a user does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It serves.
    Serve(Serve),
    /// It calls.
    Call(Call),
    /// It is one end of a churn.
    Churn(Churn),
}

impl Role {
    /// How it behaves on a connection, if it does so always alike.
    pub fn talk(&self) -> Option<&Talk> {
        match self {
            Self::Serve(serve) => Some(&serve.talk),
            Self::Call(call) => Some(&call.talk),
            Self::Churn(_) => None,
        }
    }
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serve {
    /// The port it listens on.
    pub port: u16,
    /// Connections that may wait to be accepted.
    pub backlog: u16,
    /// Time between two calls of `accept` that return a connection.
    pub accept_pause: Duration,
    /// TCP_DEFER_ACCEPT: connections without text wait so long for it.
    pub defer_accept: Option<Duration>,
    /// It stops listening after accepting so many.
    pub clients: u16,
    /// It stops listening this long after its start.
    pub patience: Duration,
    /// How it behaves to each client.
    pub talk: Talk,
}

/// A client with one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its own port; 0: an ephemeral one.
    pub from: u16,
    /// The host it calls.
    pub host: u16,
    /// The port there.
    pub port: u16,
    /// How it behaves.
    pub talk: Talk,
}

/// How a user behaves on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Talk {
    /// What it sends.
    pub write: Write,
    /// Of what it sends, so many octets and their multiples end urgent data; 0: none is urgent.
    pub urgent_every: u32,
    /// How it reads.
    pub read: Read,
    /// The buffers of its sockets, set before `connect` or `listen`; `None`: as the host has them.
    pub buffers: Option<Buffers>,
    /// Other buffers, set once it has received so many octets.
    pub resized: Option<(u64, Buffers)>,
    /// How it ends.
    pub ending: Ending,
    /// It closes after this time, come what may.
    pub patience: Duration,
}

/// SO_RCVBUF and SO_SNDBUF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffers {
    /// Octets that may wait to be read.
    pub receive: u32,
    /// Octets that may wait to be acknowledged.
    pub send: u32,
}

impl Buffers {
    /// The larger one of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            receive: self.receive.max(other.receive),
            send: self.send.max(other.send),
        }
    }
}

/// What a user sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// So many octets, as fast as they are taken.
    Octets(u64),
    /// For every `request` octets received, `response` octets: 1 and 1 is an echo.
    Respond {
        /// Octets of a request, at least 1.
        request: u32,
        /// Octets of the answer.
        response: u32,
    },
    /// Requests, each sent after the answer to the one before.
    Request {
        /// How many.
        count: u32,
        /// Octets of each, at least 1.
        request: u32,
        /// Octets of each answer, at least 1.
        response: u32,
        /// Time between an answer and the next request.
        pause: Duration,
    },
}

/// How a user reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Everything at once.
    Eager,
    /// A few octets at a time.
    Slow {
        /// At most so many, at least 1.
        octets: u32,
        /// Time between two reads, more than 0.
        every: Duration,
    },
    /// Eagerly, with one stop.
    Stall {
        /// Octets read before it.
        after: u64,
        /// How long it lasts.
        pause: Duration,
    },
    /// Not at all.
    Never,
}

/// How a user ends its side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Waits for the peer's end of file, answers what is to be answered, and closes.
    Passive,
    /// Shuts its sending side once everything is sent, reads to the end of file, and closes.
    Shut,
    /// Closes as soon as everything is sent.
    Close,
    /// Aborts as soon as it has received so many octets.
    Abort(u64),
    /// Closes this long after calling `connect` or `accept`, in whatever state.
    After(Duration),
}

/// One of the two ends of a churn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The first.
    A,
    /// The second.
    B,
}

impl End {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// One end of a churn: one 4-tuple, one incarnation after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Churn {
    /// Which end this is.
    pub end: End,
    /// Its port.
    pub port: u16,
    /// The host of the other end.
    pub host: u16,
    /// The other end's port.
    pub peer_port: u16,
    /// An end that waited so long for the other goes on by itself.
    pub patience: Duration,
    /// The incarnations, the same list at both ends.
    pub rounds: Vec<Round>,
}

/// One incarnation of a churn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// Time between the end of the last one and this.
    pub gap: Duration,
    /// Who connects.
    pub opener: End,
    /// Who closes first.
    pub closer: End,
    /// Octets from A to B.
    pub a_to_b: u32,
    /// Octets from B to A.
    pub b_to_a: u32,
    /// How it ends.
    pub ending: RoundEnding,
}

/// How an incarnation of a churn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundEnding {
    /// The closer shuts its sending side, both read to the end of file and close.
    Orderly,
    /// The closer aborts this long after its connection was established: no TIME-WAIT (E3).
    Abort(Duration),
    /// The opener closes in SYN-SENT, this long after `connect`.
    InSynSent(Duration),
}
