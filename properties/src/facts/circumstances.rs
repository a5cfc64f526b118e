//! What the scenario knows about a run before it starts: the ground on which oracles judge.

use std::collections::BTreeMap;
use timewait_sim::{Duration, Instant, NodeId};
use timewait_stack::Config;

/// The circumstances of a run, given by its scenario. The clocks of all stacks show true time.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// What each host's stack was configured with.
    pub hosts: BTreeMap<NodeId, Config>,
    /// The longest total lifetime L of a datagram, enforced by the network; `None`: a rogue
    /// network without bound.
    pub lifetime: Option<Duration>,
    /// After this moment no new faults are made (what routers hold is still released). `None`:
    /// never, so nothing that needs a healed network is demanded.
    pub heal_at: Option<Instant>,
    /// The least one-way delay between any two hosts.
    pub delay_min: Duration,
    /// The largest one-way delay between any two hosts on the healed network, waiting in queues
    /// included.
    pub delay_max: Duration,
    /// The queues of all links hold all windows at once, so that a healed network loses nothing.
    pub queues_hold_all: bool,
}

impl Circumstances {
    /// The configuration of a host, if the scenario told it.
    pub fn config(&self, host: NodeId) -> Option<&Config> {
        self.hosts.get(&host)
    }

    /// The smaller maximum segment lifetime of two hosts; of one, if only one is known.
    pub fn msl(&self, a: NodeId, b: NodeId) -> Option<Duration> {
        let of = |host| self.config(host).map(|config| config.msl);
        [of(a), of(b)].into_iter().flatten().min()
    }
}
