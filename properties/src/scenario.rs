//! A scenario: one complete run as plain data, expanded from a seed before anything happens.
//!
//! Whatever is in here is a fixed-width integer, a duration or an address, never a `usize` or a
//! float, so that the same scenario means the same run everywhere.

use core::net::IpAddr;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use timewait_stack::{Config, Disabled, Profile, Protection};

use crate::choose::{Choose, Seeded};
use crate::clock::Clock;
use crate::scenarios::Kind;

pub mod attack;
pub mod boxes;
pub mod cuts;
pub(crate) mod detours;
pub mod faults;
pub(crate) mod ground;
pub(crate) mod isn;
pub mod plan;
pub mod rules;
mod smaller;
pub(crate) mod talks;
pub(crate) mod text;
pub(crate) mod weather;

pub use attack::{Attack, AttackerPlan, Forgery, Lie, Method, Sweep, Target};
pub use boxes::BoxPlan;
pub use cuts::{Cut, Direction};
pub use faults::FaultPlan;
pub use rules::RulePlan;
use text::time;

pub use plan::{
    AppPlan, Buffers, Call, Churn, End, Ending, IcmpPlan, LinkEnd, LinkPlan, Read, Role, Round,
    RoundEnding, RoutePlan, Serve, Talk, Write,
};

/// The version of what a seed means: a seed is promised the same scenario within one version.
pub const VERSION: u32 = 3;

/// One run, complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The kind it belongs to.
    pub kind: Kind,
    /// The seed it was expanded from; `None`: it was not, or has been changed since.
    pub seed: Option<u64>,
    /// The hosts; host `n` is node `n` of the world.
    pub hosts: Vec<HostPlan>,
    /// How many routers there are; router `n` is node `hosts + n` of the world.
    pub routers: u16,
    /// Who means harm; attacker `n` is node `hosts + routers + n` of the world.
    pub attackers: Vec<AttackerPlan>,
    /// Boxes on the way; box `n` is node `hosts + routers + attackers + n` of the world.
    pub boxes: Vec<BoxPlan>,
    /// The links; link `n` is hop `2n` from `a` to `b` and hop `2n + 1` back.
    pub links: Vec<LinkPlan>,
    /// Routes that override the shortest ways.
    pub routes: Vec<RoutePlan>,
    /// How routers report what they drop; `None`: not at all.
    pub icmp: Option<IcmpPlan>,
    /// The network drops a datagram older than this, at most the MSL of any host (E1). `None`:
    /// it never does, a rogue network.
    pub lifetime: Option<Duration>,
    /// What the network does to datagrams.
    pub faults: FaultPlan,
    /// Which hosts crash, in the order of time; a host is up again before it crashes once more.
    pub crashes: Vec<Crash>,
    /// Which hosts stand still for a while; the pauses of one host do not overlap.
    pub pauses: Vec<Pause>,
    /// Which links are down for a while; all are up again by `heal_at`.
    pub cuts: Vec<Cut>,
    /// Faults that are in force for a while.
    pub rules: Vec<RulePlan>,
    /// From then on the network does nothing any more to datagrams that enter a hop.
    pub heal_at: Duration,
    /// The run is stopped then, finished or not.
    pub limit: Duration,
}

/// A host stands still, like a machine whose lid is closed: nothing reaches its stack, and its timers
/// are late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The host.
    pub host: u16,
    /// From when on.
    #[serde(with = "time")]
    pub at: Duration,
    /// For how long.
    #[serde(with = "time")]
    pub lasts: Duration,
    /// So many datagrams wait for it at most; the others are lost.
    #[serde(default = "text::waiting")]
    pub datagrams_max: u32,
}

impl Pause {
    /// When the host goes on.
    pub fn ends_at(&self) -> Duration {
        self.at + self.lasts
    }
}

/// A crash of a host, and its next boot.
#[derive(Clone, Debug, PartialEq)]
pub struct Crash {
    /// The host.
    pub host: u16,
    /// When it crashes.
    pub at: Duration,
    /// How long it is off.
    pub off: Duration,
    /// All settings of its stack from the boot on: as before, but for what it remembers (the key
    /// and the clock of its sequence numbers) and the quiet time that it keeps.
    pub config: Config,
    /// Its users from then on; their starts count from the boot.
    pub apps: Vec<AppPlan>,
}

impl Crash {
    /// When the host is up again.
    pub fn boots_at(&self) -> Duration {
        self.at + self.off
    }
}

/// One host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostPlan {
    /// All settings of its stack; the addresses are those of the host.
    pub config: Config,
    /// What its clock shows.
    pub clock: Clock,
    /// Its users, in the order in which they start when they start together.
    pub apps: Vec<AppPlan>,
    /// Its IP lets others cut its IPv4 datagrams into parts, whatever its TCP says.
    pub may_be_cut_up: bool,
}

impl HostPlan {
    /// The profile whose timing, initial window, order of options and MSL it has; `None`: these were
    /// drawn.
    pub fn profile(&self) -> Option<Profile> {
        let config = &self.config;
        let is = |profile: &Profile| {
            let own = profile.config(Vec::new(), [0; 32]);
            config.msl == own.msl
                && config.rto == own.rto
                && config.delayed_ack == own.delayed_ack
                && config.initial_window == own.initial_window
                && config.option_order == own.option_order
        };
        Profile::ALL.into_iter().find(is)
    }
}

impl Scenario {
    /// The scenario that `seed` means.
    pub fn from_seed(kind: Kind, seed: u64) -> Self {
        let scenario = Self::generate(kind, &mut Seeded::new(seed, kind.name()));
        Self {
            seed: Some(seed),
            ..scenario
        }
    }

    /// A scenario of this kind, from these choices: the only generator.
    pub fn generate(kind: Kind, choose: &mut dyn Choose) -> Self {
        let mut scenario = kind.generate(choose);
        cuts::add(choose, &mut scenario);
        isn::aim(choose, &mut scenario);
        attack::aim(&mut scenario);
        scenario
    }

    /// This scenario with `protection` switched off at every host.
    #[must_use]
    pub fn without(mut self, protection: Protection) -> Self {
        let hosts = self.hosts.iter_mut().map(|host| &mut host.config);
        let boots = self.crashes.iter_mut().map(|crash| &mut crash.config);
        for config in hosts.chain(boots) {
            config.disabled = config.disabled.with(protection);
        }
        self
    }

    /// This scenario with its dice thrown by another seed, if it has dice.
    #[must_use]
    pub fn with_dice(mut self, seed: Option<u64>) -> Self {
        if let (FaultPlan::Drawn { seed: of_dice, .. }, Some(seed)) = (&mut self.faults, seed) {
            *of_dice = seed;
        }
        self
    }

    /// The protections that are switched off at some host.
    pub fn disabled(&self) -> Disabled {
        let each = self
            .hosts
            .iter()
            .flat_map(|host| host.config.disabled.iter());
        each.collect()
    }

    /// When the last cut is over; zero without any.
    pub fn cuts_end(&self) -> Duration {
        self.cuts.iter().map(Cut::end).max().unwrap_or_default()
    }

    /// When the last rule is over; zero without any.
    pub fn rules_end(&self) -> Duration {
        self.rules
            .iter()
            .map(RulePlan::end)
            .max()
            .unwrap_or_default()
    }

    /// When the last attack is over; zero without any.
    pub fn attacks_end(&self) -> Duration {
        let attacks = self.attackers.iter().flat_map(|plan| &plan.attacks);
        attacks.map(Attack::end).max().unwrap_or_default()
    }

    /// An end of a connection by its number and port.
    pub fn end(&self, target: Target) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.address(target.host)?, target.port))
    }

    /// The address by which others call this host.
    pub fn address(&self, host: u16) -> Option<IpAddr> {
        self.hosts
            .get(usize::from(host))?
            .config
            .addresses
            .first()
            .copied()
    }
}

#[cfg(test)]
mod tests;
