//! Attackers and what they do, as data.

use core::net::IpAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use timewait_sim::icmp::Problem;
use timewait_stack::wire::Flags;

use super::text::{self, time};
use super::{Call, Role, Scenario, isn};

/// A machine that sends what no TCP would. It is no host, and nobody judges it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttackerPlan {
    /// Its own address.
    pub address: IpAddr,
    /// What it does, all at the same time.
    pub attacks: Vec<Attack>,
}

/// One stream of datagrams against one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// The end that they are sent to.
    pub to: Target,
    /// When the first of them leaves.
    #[serde(with = "time")]
    pub start: Duration,
    /// Time from one to the next, more than 0.
    #[serde(with = "time")]
    pub every: Duration,
    /// How many.
    pub count: u32,
    /// What they are.
    pub method: Method,
}

/// A port of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The host, by its number.
    pub host: u16,
    /// The port.
    pub port: u16,
}

/// So long it tries to open a connection in its own name.
pub(crate) const KNOCKING_MAX: Duration = Duration::from_secs(5);

/// What an attacker sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Method {
    /// Segments that claim to come from the other end of a connection. It knows the 4-tuple and
    /// sees nothing of what goes on there (RFC 5961 §1.2).
    Forge(Forgery),
    /// ICMP errors about segments that the end under attack is to have sent (RFC 5927).
    Report(Lie),
    /// SYNs, each from another address that nobody has (RFC 4987 §2).
    Flood,
    /// A connection in its own name: the first octet, the third, the fifth… of its stream, and
    /// never one in between.
    Islands {
        /// Its own port.
        port: u16,
    },
}

/// Segments that somebody else is to have sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forgery {
    /// The end from which they claim to come.
    pub from: Target,
    /// The control bits of each.
    #[serde(with = "text::flags")]
    pub flags: Flags,
    /// Octets of text in each.
    pub text: u16,
    /// SEG.WND.
    pub window: u16,
    /// SEG.SEQ.
    pub seq: Sweep,
    /// SEG.ACK.
    pub ack: Sweep,
}

/// ICMP errors about segments that were perhaps never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lie {
    /// The end that the segments are to have been sent to.
    pub about: Target,
    /// What is to have happened to them.
    #[serde(with = "text::ProblemText")]
    pub problem: Problem,
    /// SEG.SEQ of what is quoted.
    pub seq: Sweep,
}

/// Numbers that are tried one after the other, modulo 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// The first.
    pub start: u32,
    /// From one to the next.
    pub step: u32,
}

impl Sweep {
    /// The number tried as the `n`-th, from 0.
    pub const fn at(self, n: u32) -> u32 {
        self.start.wrapping_add(self.step.wrapping_mul(n))
    }
}

impl Method {
    /// The other end of the connection under attack, if it is one between two others.
    pub(crate) fn peer(mut self) -> Option<Target> {
        self.peer_mut().copied()
    }

    /// The same, to be changed.
    pub(crate) fn peer_mut(&mut self) -> Option<&mut Target> {
        match self {
            Self::Forge(forgery) => Some(&mut forgery.from),
            Self::Report(lie) => Some(&mut lie.about),
            Self::Flood | Self::Islands { .. } => None,
        }
    }
}

impl Attack {
    /// Leaves the first half of its datagrams out: the others come when they came before.
    pub(super) fn start_later(&mut self) {
        let skipped = self.count / 2;
        self.count -= skipped;
        self.start += self.every.saturating_mul(skipped);
        let sweeps = match &mut self.method {
            Method::Forge(forgery) => vec![&mut forgery.seq, &mut forgery.ack],
            Method::Report(lie) => vec![&mut lie.seq],
            Method::Flood | Method::Islands { .. } => Vec::new(),
        };
        for sweep in sweeps {
            sweep.start = sweep.at(skipped);
        }
    }

    /// By then the last datagram has left.
    pub fn end(&self) -> Duration {
        let knocking = match self.method {
            Method::Islands { .. } => KNOCKING_MAX,
            Method::Forge(_) | Method::Report(_) | Method::Flood => Duration::ZERO,
        };
        self.start + self.every.saturating_mul(self.count) + knocking
    }
}

/// Makes the sweeps of all forgeries begin where they were drawn: so far from the ISS of the end
/// that they claim to come from, and from that of the end they are sent to. No attacker knows
/// these; but most of a sweep through 2^32 numbers is one refusal after the other, and this is the
/// part that matters.
pub(super) fn aim(scenario: &mut Scenario) {
    let mut attackers = core::mem::take(&mut scenario.attackers);
    for attack in attackers.iter_mut().flat_map(|plan| &mut plan.attacks) {
        let peer = attack.method.peer();
        let known = peer.and_then(|peer| numbers(scenario, peer, attack.to));
        let Some((theirs, ours)) = known else {
            continue;
        };
        let from = |sweep: &mut Sweep, iss| sweep.start = sweep.start.wrapping_add(iss);
        match &mut attack.method {
            Method::Forge(forgery) => {
                from(&mut forgery.seq, theirs);
                from(&mut forgery.ack, ours);
            }
            Method::Report(lie) => from(&mut lie.seq, ours),
            Method::Flood | Method::Islands { .. } => {}
        }
    }
    scenario.attackers = attackers;
}

/// The ISS of either end, if one of them calls the other.
fn numbers(scenario: &Scenario, from: Target, to: Target) -> Option<(u32, u32)> {
    let way: Duration = scenario.links.iter().map(|link| link.delay).sum();
    let called = call(scenario, from, to).map(|start| (start, start + way));
    let calls = || call(scenario, to, from).map(|start| (start + way, start));
    let (from_start, to_start) = called.or_else(calls)?;
    let ends = (scenario.end(from)?, scenario.end(to)?);
    Some((
        isn::at(scenario, from.host, ends.0, ends.1, from_start)?,
        isn::at(scenario, to.host, ends.1, ends.0, to_start)?,
    ))
}

/// When `from` calls `to`, if it does.
fn call(scenario: &Scenario, from: Target, to: Target) -> Option<Duration> {
    let apps = &scenario.hosts.get(usize::from(from.host))?.apps;
    apps.iter().find_map(|app| match app.role {
        Role::Call(Call {
            from: own,
            host,
            port,
            ..
        }) if own == from.port && (host, port) == (to.host, to.port) => Some(app.start),
        _ => None,
    })
}
