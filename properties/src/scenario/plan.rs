//! What the links of a scenario are, and what its users do, as data.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use timewait_sim::Aqm;

use super::text::{self, time, time_if_any};
use crate::choose::Choose;

/// One link; both directions alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkPlan {
    /// One end.
    pub a: LinkEnd,
    /// The other.
    pub b: LinkEnd,
    /// Propagation delay.
    #[serde(with = "time")]
    pub delay: Duration,
    /// Octets per second; `None`: infinitely fast.
    pub rate: Option<u64>,
    /// Octets that may wait for a rated link.
    #[serde(default = "text::queue")]
    pub queue_bytes_max: u64,
    /// What its queue does before it is full.
    #[serde(
        default,
        with = "text::AqmText",
        skip_serializing_if = "text::is_default"
    )]
    pub aqm: Aqm,
    /// The largest datagram it carries, in octets with the IP header; `None`: any.
    pub mtu: Option<u16>,
}

/// A route that somebody has entered at a router, for one host: over a link that is not on the shortest
/// way, perhaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutePlan {
    /// The router, by its number.
    pub router: u16,
    /// The host that it leads to; none if it has no such number.
    pub host: u16,
    /// The link, which ends at the router, by its number.
    pub link: u32,
}

/// How routers report what they drop, by ICMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IcmpPlan {
    /// The least time between two reports of one router.
    #[serde(with = "time")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum LinkEnd {
    /// A host, by its number.
    Host(u16),
    /// A router, by its number.
    Router(u16),
    /// An attacker, by its number.
    Attacker(u16),
    /// A box on the way, by its number.
    Box(u16),
}

/// `h0`, `r2`, `a1`, `b0`.
impl fmt::Display for LinkEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(number) => write!(f, "h{number}"),
            Self::Router(number) => write!(f, "r{number}"),
            Self::Attacker(number) => write!(f, "a{number}"),
            Self::Box(number) => write!(f, "b{number}"),
        }
    }
}

impl From<LinkEnd> for String {
    fn from(end: LinkEnd) -> Self {
        end.to_string()
    }
}

impl TryFrom<String> for LinkEnd {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl FromStr for LinkEnd {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let end = |prefix, end: fn(u16) -> Self| {
            let number: &str = name.strip_prefix(prefix)?;
            let digits = number.bytes().all(|octet| octet.is_ascii_digit());
            digits.then(|| number.parse().ok()).flatten().map(end)
        };
        end('h', Self::Host)
            .or_else(|| end('r', Self::Router))
            .or_else(|| end('a', Self::Attacker))
            .or_else(|| end('b', Self::Box))
            .ok_or_else(|| {
                format!("`{name}` is no machine: it takes h0, r0, a0 or b0, or another number")
            })
    }
}

/// One user of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppPlan {
    /// When it starts.
    #[serde(default, with = "time")]
    pub start: Duration,
    /// What it does.
    pub role: Role,
}

/// What a user does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    /// The port it listens on.
    pub port: u16,
    /// Connections that may wait to be accepted.
    #[serde(default = "text::backlog")]
    pub backlog: u16,
    /// Time between two calls of `accept` that return a connection.
    #[serde(default, with = "time")]
    pub accept_pause: Duration,
    /// TCP_DEFER_ACCEPT: connections without text wait so long for it.
    #[serde(default, with = "time_if_any")]
    pub defer_accept: Option<Duration>,
    /// It stops listening after accepting so many.
    #[serde(default = "text::clients")]
    pub clients: u16,
    /// It stops listening this long after its start.
    #[serde(default = "text::patience", with = "time")]
    pub patience: Duration,
    /// How it behaves to each client.
    pub talk: Talk,
}

/// A client with one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Its own port; 0: an ephemeral one.
    #[serde(default)]
    pub from: u16,
    /// The host it calls.
    pub host: u16,
    /// The port there.
    pub port: u16,
    /// How it behaves.
    pub talk: Talk,
}

/// How a user behaves on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Talk {
    /// What it sends.
    pub write: Write,
    /// Of what it sends, so many octets and their multiples end urgent data; 0: none is urgent.
    #[serde(default)]
    pub urgent_every: u32,
    /// How it reads.
    #[serde(default)]
    pub read: Read,
    /// The buffers of its sockets, set before `connect` or `listen`; `None`: as the host has them.
    pub buffers: Option<Buffers>,
    /// Other buffers, set once it has received so many octets.
    pub resized: Option<(u64, Buffers)>,
    /// How it ends.
    pub ending: Ending,
    /// It closes after this time, come what may.
    #[serde(default = "text::patience", with = "time")]
    pub patience: Duration,
}

/// SO_RCVBUF and SO_SNDBUF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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
        #[serde(with = "time")]
        pause: Duration,
    },
}

/// How a user reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Read {
    /// Everything at once.
    #[default]
    Eager,
    /// A few octets at a time.
    Slow {
        /// At most so many, at least 1.
        octets: u32,
        /// Time between two reads, more than 0.
        #[serde(with = "time")]
        every: Duration,
    },
    /// Eagerly, with one stop.
    Stall {
        /// Octets read before it.
        after: u64,
        /// How long it lasts.
        #[serde(with = "time")]
        pause: Duration,
    },
    /// Not at all.
    Never,
}

/// How a user ends its side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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
    #[serde(with = "time")]
    After(Duration),
}

/// One of the two ends of a churn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    #[serde(default = "text::patience", with = "time")]
    pub patience: Duration,
    /// The incarnations, the same list at both ends.
    pub rounds: Vec<Round>,
}

/// One incarnation of a churn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Time between the end of the last one and this.
    #[serde(with = "time")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RoundEnding {
    /// The closer shuts its sending side, both read to the end of file and close.
    Orderly,
    /// The closer aborts this long after its connection was established: no TIME-WAIT (E3).
    #[serde(with = "time")]
    Abort(Duration),
    /// The opener closes in SYN-SENT, this long after `connect`.
    #[serde(with = "time")]
    InSynSent(Duration),
}
