//! How the numbers and names of a scenario are said in a file, and what a file may leave out.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use timewait_sim::icmp::Problem;
use timewait_sim::{Aqm, CodelConfig, RedConfig};

/// A time, or nothing.
pub(crate) use jiff::fmt::serde::unsigned_duration::friendly::compact::optional as time_if_any;
/// A time: `1.5s`, `250ms`, `2m`.
pub(crate) use jiff::fmt::serde::unsigned_duration::friendly::compact::required as time;

/// Octets that wait for a rated link: some forty segments.
pub(super) const fn queue() -> u64 {
    65_536
}

/// The backlog of a server.
pub(super) const fn backlog() -> u16 {
    16
}

/// Datagrams that wait for a host that stands still.
pub(super) const fn waiting() -> u32 {
    1000
}

/// A server serves as many as come.
pub(super) const fn clients() -> u16 {
    u16::MAX
}

/// Whoever waits for something gives up after this time.
pub(super) const fn patience() -> Duration {
    Duration::from_secs(600)
}

/// What a router, a host or a liar says of a datagram.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Problem", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum ProblemText {
    TooBig { mtu: u16 },
    HopLimit,
    NoRoute,
    NoPort,
    Incomplete,
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a queue does before it is full.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Aqm", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum AqmText {
    None,
    Threshold {
        bytes: u64,
    },
    #[serde(with = "RedText")]
    Red(RedConfig),
    #[serde(with = "CodelText")]
    Codel(CodelConfig),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RedConfig", deny_unknown_fields)]
struct RedText {
    bytes_min: u64,
    bytes_max: u64,
    probability_max: u32,
    weight: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CodelConfig", deny_unknown_fields)]
struct CodelText {
    #[serde(with = "time")]
    target: Duration,
    #[serde(with = "time")]
    interval: Duration,
}

/// Control bits by name: `["SYN", "ACK"]`.
pub(super) mod flags {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};
    use timewait_stack::wire::Flags;

    pub(in crate::scenario) fn serialize<S: Serializer>(
        flags: &Flags,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(flags.iter_names().map(|(name, _)| name))
    }

    pub(in crate::scenario) fn deserialize<'a, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Flags, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let flag = |name: &String| {
            let unknown = || D::Error::custom(format!("`{name}` is no control bit"));
            Flags::from_name(name).ok_or_else(unknown)
        };
        names.iter().map(flag).collect()
    }
}
