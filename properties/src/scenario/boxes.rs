//! Boxes that stand on the way of datagrams and know TCP, as data.

use core::net::IpAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::text::time;

/// A box, and what it does with octets that are no sound segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxPlan {
    /// What it does.
    pub work: Work,
    /// What becomes of a segment that does not parse or whose checksum is wrong.
    #[serde(default)]
    pub bad: Bad,
}

/// What becomes of octets that are no sound segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Bad {
    /// They go on as they are; at most the addresses are translated, and the checksum stays wrong.
    #[default]
    Pass,
    /// They are dropped.
    Drop,
}

/// What a box does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Work {
    /// It translates addresses and ports (RFC 5382).
    Nat(NatPlan),
    /// It drops what belongs to no connection that it has seen begin.
    Firewall(StatePlan),
    /// It takes options out, or changes their order.
    Options(OptionsPlan),
    /// It cuts segments in pieces, or puts them together.
    Segments(SegmentsPlan),
}

/// A NAT: what comes from the inside leaves under the address of the NAT, one port of it for each end
/// inside whatever it talks to (endpoint-independent mapping, RFC 5382 REQ-1), the same port if that
/// is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatPlan {
    /// The address that it has outside.
    pub address: IpAddr,
    /// The hosts inside, by their numbers.
    pub inside: Vec<u16>,
    /// Whose SYN from outside may pass to a port that is mapped (RFC 5382 REQ-3).
    pub filter: Filter,
    /// The connections that it knows.
    pub state: StatePlan,
}

/// Who outside may open a connection to a port that is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Filter {
    /// Everybody.
    EndpointIndependent,
    /// Who was sent something from that port before.
    AddressDependent,
}

/// What a box remembers of connections. Only a SYN begins one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatePlan {
    /// How long a connection may be silent before its handshake is over.
    #[serde(with = "time")]
    pub opening: Duration,
    /// And after that. RFC 5382 REQ-5 wants 2 hours and 4 minutes at least.
    #[serde(with = "time")]
    pub established: Duration,
    /// And once both FINs, or a RST, have passed. RFC 5382 REQ-5 wants 4 minutes at least for this
    /// and for `opening`.
    #[serde(with = "time")]
    pub closing: Duration,
    /// So many connections and no more: the SYN of another one is dropped. At least 1.
    pub flows_max: u32,
    /// What is said about a segment of no connection.
    pub answer: Answer,
}

impl StatePlan {
    /// Patient as RFC 5382 REQ-5 asks for, and silent.
    pub const RFC5382: Self = Self {
        opening: Duration::from_secs(4 * 60),
        established: Duration::from_secs(2 * 3600 + 4 * 60),
        closing: Duration::from_secs(4 * 60),
        flows_max: 1 << 16,
        answer: Answer::Silence,
    };
}

/// How a box answers what belongs to no connection that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// Not at all.
    Silence,
    /// By a RST in the name of the other end, as RFC 9293 §3.10.7.1 makes one; a SYN from outside is
    /// never answered (RFC 5382 REQ-4).
    Reset,
}

/// A box that meddles with options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionsPlan {
    /// Which options it takes out.
    pub strip: Strip,
    /// Segments without SYN pass as they are.
    #[serde(default)]
    pub syns_only: bool,
    /// What is left stands in the opposite order.
    #[serde(default)]
    pub reversed: bool,
    /// No-operations fill the place of what was taken out, so that no segment changes its length.
    #[serde(default)]
    pub padded: bool,
}

/// Options, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Strip {
    /// Maximum segment size.
    pub mss: bool,
    /// Window scale.
    pub window_scale: bool,
    /// SACK-permitted. SACK itself stays: nobody sends it who has not seen this.
    pub sack_permitted: bool,
    /// Timestamps.
    pub timestamps: bool,
    /// Every kind that is none of these, nor SACK.
    pub unknown: bool,
}

/// A box that cuts segments or puts them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentsPlan {
    /// No segment that leaves has more octets of text, at least 1; `None`: none is cut.
    pub split: Option<u16>,
    /// Segments that follow each other become one; `None`: none do.
    pub join: Option<Join>,
}

/// How segments are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The most octets of text of one segment.
    pub octets_max: u16,
    /// How long one waits for the next.
    #[serde(with = "time")]
    pub wait: Duration,
}

impl BoxPlan {
    /// How much later than without the box a datagram may arrive.
    pub fn delay(&self) -> Duration {
        match self.work {
            Work::Segments(SegmentsPlan {
                join: Some(join), ..
            }) => join.wait,
            Work::Nat(_) | Work::Firewall(_) | Work::Options(_) | Work::Segments(_) => {
                Duration::ZERO
            }
        }
    }

    /// The NAT, if it is one.
    pub fn nat(&self) -> Option<&NatPlan> {
        match &self.work {
            Work::Nat(nat) => Some(nat),
            Work::Firewall(_) | Work::Options(_) | Work::Segments(_) => None,
        }
    }
}
