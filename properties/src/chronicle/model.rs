//! A run as plain data, for whoever draws it: integers and words, nothing that has to be computed
//! from the wire again.
//!
//! Moments are *ticks*, the numbers of observations in the order in which they were made;
//! [`Record::ticks`] says when each was. So what happened at one instant keeps its order.

use serde::Serialize;

/// Raised when a field is removed or changes its meaning.
pub const VERSION: u32 = 1;

/// The number of an observation in [`Record::ticks`].
pub type Tick = u32;

/// A run, or the part of it that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Record {
    /// [`VERSION`].
    pub version: u32,
    /// The kind of scenario.
    pub kind: &'static str,
    /// The line to paste that replays the run, if a seed means it.
    pub replay: Option<String>,
    /// How long the run lasted, in nanoseconds of simulated time.
    pub simulated_ns: u64,
    /// From then on the network does nothing to datagrams any more, in nanoseconds.
    pub heal_ns: u64,
    /// Datagrams in the whole run; `datagrams` may hold fewer.
    pub datagrams_all: u64,
    /// The part of the run that is shown begins then, in nanoseconds.
    pub from_ns: u64,
    /// And ends then.
    pub until_ns: u64,
    /// Hosts, routers, attackers, boxes; `Leg::from` and the like are places in this list.
    pub nodes: Vec<Node>,
    /// The nodes from left to right, so that neighbours on a link stand near each other.
    pub lanes: Vec<u32>,
    /// The links, in the order of the scenario.
    pub links: Vec<Link>,
    /// When each observation was made, in nanoseconds, never decreasing.
    pub ticks: Vec<u64>,
    /// The first observation of this part. Those before are here because what was under way then, or
    /// how a connection came to its state, refers to them.
    pub first: Tick,
    /// Listeners and connections, in the order in which they were first seen.
    pub incarnations: Vec<Incarnation>,
    /// In the order in which they were sent.
    pub datagrams: Vec<Datagram>,
    /// What happened at nodes, in order.
    pub events: Vec<Event>,
    /// The variables of connections after each change, in order.
    pub snapshots: Vec<Snapshot>,
    /// What oracles found, in order.
    pub findings: Vec<Finding>,
    /// Hazards of the whole run, by the assumption that was broken.
    pub hazards: Vec<(&'static str, u64)>,
    /// What oracles noted in the whole run, by name.
    pub notes: Vec<(&'static str, u64)>,
}

/// A machine of the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// `h0`, `r2`, `a3`, `b4`.
    pub name: String,
    /// `host`, `router`, `attacker` or `box`.
    pub role: &'static str,
    /// Its addresses; routers have none.
    pub addresses: Vec<String>,
    /// The profile that its stack runs over, if it is one by name.
    pub profile: Option<&'static str>,
}

/// A link; both directions alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The node at one end.
    pub a: u32,
    /// The node at the other.
    pub b: u32,
    /// Propagation delay in nanoseconds.
    pub delay_ns: u64,
    /// Octets per second, if it is limited.
    pub rate: Option<u64>,
    /// The largest datagram in octets, if it is limited.
    pub mtu: Option<u16>,
}

/// A listener, a connection, or whoever else put a label on a datagram.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incarnation {
    /// `h0#3`.
    pub name: String,
    /// Where it lives.
    pub node: u32,
    /// Its own address and port; `None`: no host has opened it.
    pub local: Option<String>,
    /// Its peer's; `None` for a listener.
    pub remote: Option<String>,
    /// The 4-tuple, by its number among those of the run.
    pub flow: Option<u32>,
    /// How many incarnations of its node were opened on the 4-tuple before.
    pub generation: u32,
    /// When it was opened or first seen.
    pub opened: Tick,
    /// Initial send sequence number, once it is known.
    pub iss: Option<u32>,
    /// Initial receive sequence number, once it is known.
    pub irs: Option<u32>,
}

/// A datagram: what it says, and its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Datagram {
    /// The node that sent it.
    pub origin: u32,
    /// Its number among the datagrams of that node, from 0.
    pub ordinal: u64,
    /// When it was sent: its age counts from here.
    pub sent: Tick,
    /// The incarnation that its label names.
    pub of: u32,
    /// It answers a segment of that incarnation and belongs to none itself.
    pub echo: bool,
    /// That incarnation was not the newest of its host on the 4-tuple any more.
    pub old: bool,
    /// All that it carries was sent before.
    pub again: bool,
    /// In the words of a ladder, with relative sequence numbers.
    pub text: String,
    /// The IP header.
    pub ip: Ip,
    /// The TCP header; `None`: it is no segment.
    pub tcp: Option<Tcp>,
    /// Where it and its copies went, in the order in which they set out.
    pub legs: Vec<Leg>,
}

/// The fields of the IP header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ip {
    /// Source address.
    pub src: String,
    /// Destination address.
    pub dst: String,
    /// As it was sent.
    pub hop_limit: u8,
    /// The ECN field as it was sent, 0 to 3.
    pub ecn: u8,
    /// The Diffserv field, 0 to 63.
    pub diffserv: u8,
    /// May not be fragmented.
    pub dont_fragment: bool,
    /// The protocol number.
    pub protocol: u8,
    /// The whole datagram in octets.
    pub octets: u64,
}

/// The fields of a segment (RFC 9293 §3.1) and what they count from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tcp {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// SEG.SEQ.
    pub seq: u32,
    /// SEG.SEQ less the ISN that it counts from, if that is known.
    pub seq_relative: Option<i64>,
    /// SEG.ACK, if ACK is set.
    pub ack: Option<u32>,
    /// SEG.ACK less the ISN that it counts from, if that is known.
    pub ack_relative: Option<i64>,
    /// `FIN,ACK`.
    pub flags: String,
    /// The window field.
    pub window: u16,
    /// The window in octets.
    pub window_octets: u32,
    /// The urgent field, if URG is set.
    pub urgent: Option<u16>,
    /// Octets of text.
    pub text_octets: u64,
    /// Maximum segment size (kind 2).
    pub mss: Option<u16>,
    /// Window scale (kind 3).
    pub window_scale: Option<u8>,
    /// SACK-permitted (kind 4).
    pub sack_permitted: bool,
    /// TSval and TSecr (kind 8).
    pub timestamps: Option<(u32, u32)>,
    /// The blocks of SACK (kind 5), left and right edge.
    pub sack: Vec<(u32, u32)>,
    /// User timeout (kind 28), in seconds.
    pub user_timeout_s: Option<u64>,
}

/// A datagram or a copy of it between two nodes, or kept at one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leg {
    /// Where it begins.
    pub from: u32,
    /// Where it leads; the same node, if that keeps the datagram.
    pub to: u32,
    /// When it begins.
    pub left: Tick,
    /// When it ends; `None`: never, for it was lost or the run was over.
    pub came: Option<Tick>,
    /// Of a copy that the network made.
    pub copy: bool,
    /// The node keeps it: until when, in words.
    pub kept: Option<String>,
    /// A router kept it before.
    pub released_by: Option<u32>,
    /// Delayed by a fate so many nanoseconds.
    pub extra_ns: u64,
    /// Damaged, on this leg or before.
    pub damaged: bool,
    /// Marked by a queue: congestion experienced.
    pub marked: bool,
    /// Why it goes no further: lost on the leg, or dropped where it came.
    pub lost: Option<String>,
    /// It was handed to the node.
    pub delivered: bool,
    /// The connection or listener that judged it.
    pub judged_by: Option<u32>,
    /// Why it was not taken, or what came of it.
    pub verdict: Option<String>,
    /// It belonged to an older incarnation when it came.
    pub old: bool,
}

/// Something that happened at a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When.
    pub at: Tick,
    /// Where.
    pub node: u32,
    /// To which connection or listener.
    pub of: Option<u32>,
    /// In the words of a ladder.
    pub text: String,
    /// What it was.
    pub what: What,
}

/// What happened at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A change of state.
    State {
        /// The state left.
        from: &'static str,
        /// The state entered.
        to: &'static str,
        /// Why, in a word.
        cause: &'static str,
    },
    /// A timer ran out.
    Timer,
    /// A user called, or learned something.
    User,
    /// The host crashed.
    Crash,
    /// It booted again.
    Boot,
    /// Anything else that is worth telling.
    Note,
}

/// The variables of a connection (RFC 9293 §3.3.1) from this tick on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// From when on.
    pub at: Tick,
    /// Whose.
    pub of: u32,
    /// SND.UNA.
    pub snd_una: u32,
    /// SND.NXT.
    pub snd_nxt: u32,
    /// SND.WND in octets.
    pub snd_wnd: u32,
    /// RCV.NXT.
    pub rcv_nxt: u32,
    /// RCV.WND in octets, as advertised.
    pub rcv_wnd: u32,
    /// Congestion window in octets.
    pub cwnd: u32,
    /// Slow start threshold in octets.
    pub ssthresh: u32,
    /// Octets in order that the user has not read.
    pub unread: u32,
    /// Octets from the user that are not acknowledged.
    pub unacknowledged: u32,
    /// Smoothed round-trip time in microseconds.
    pub srtt_us: Option<u64>,
    /// Retransmission timeout in microseconds.
    pub rto_us: u64,
    /// Where congestion control stands, as Linux calls it.
    pub congestion: &'static str,
}

/// What an oracle found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The oracle.
    pub oracle: &'static str,
    /// When, in nanoseconds.
    pub at_ns: u64,
    /// `violation`, `hazard` or `unknown`.
    pub kind: &'static str,
    /// The assumption that was broken, of a hazard.
    pub assumption: Option<&'static str>,
    /// In a sentence or a few.
    pub message: String,
}
