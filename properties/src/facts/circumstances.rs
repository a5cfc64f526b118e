//! What the scenario knows about a run before it starts: the ground on which oracles judge.

use std::collections::{BTreeMap, BTreeSet};
use timewait_sim::{Duration, Instant, NodeId};
use timewait_stack::Config;

use crate::scenario::Buffers;

/// The circumstances of a run, given by its scenario. The clocks of all stacks show true time.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// What each host's stack was configured with.
    pub hosts: BTreeMap<NodeId, Config>,
    /// And with which after a crash, by the number of boots before. All settings of a host that
    /// bound anything are the same in every boot.
    pub reboots: BTreeMap<(NodeId, u8), Config>,
    /// The largest buffers that users set on sockets of each host, where they set any.
    pub buffers: BTreeMap<NodeId, Buffers>,
    /// The nodes that are attackers (E7).
    pub attackers: BTreeSet<NodeId>,
    /// The longest total lifetime L of a datagram, enforced by the network; `None`: a rogue
    /// network without bound.
    pub lifetime: Option<Duration>,
    /// After this moment no new faults are made (what routers hold is still released), all links
    /// are up, nobody attacks, all hosts are up, and none keeps its quiet time. `None`: never, so nothing that
    /// needs a healed network is demanded.
    pub heal_at: Option<Instant>,
    /// The least one-way delay between any two hosts.
    pub delay_min: Duration,
    /// The largest one-way delay between any two hosts on the healed network, waiting in queues
    /// included.
    pub delay_max: Duration,
    /// The largest datagram that every link of the way from one host to another carries, where
    /// any is limited.
    pub path_mtus: BTreeMap<(NodeId, NodeId), u16>,
    /// The hosts whose datagrams go in parts where a link carries less, so that every size gets
    /// across.
    pub cut_up: BTreeSet<NodeId>,
    /// Routers report what they drop, by ICMP.
    pub routers_report: bool,
    /// The queues of all links hold all windows at once, so that a healed network loses nothing.
    pub queues_hold_all: bool,
}

impl Circumstances {
    /// The configuration of a host, if the scenario told it.
    pub fn config(&self, host: NodeId) -> Option<&Config> {
        self.hosts.get(&host)
    }

    /// The configuration of one boot of a host.
    pub fn boot(&self, host: NodeId, boot: u8) -> Option<&Config> {
        match boot {
            0 => self.config(host),
            _ => self.reboots.get(&(host, boot)),
        }
    }

    /// The largest buffers of any connection of a host, whoever has set them.
    pub fn largest_buffers(&self, host: NodeId) -> Option<Buffers> {
        let config = self.config(host)?;
        let configured = Buffers {
            receive: config.receive_buffer,
            send: config.send_buffer,
        };
        let by_users = self.buffers.get(&host);
        Some(by_users.map_or(configured, |set| set.max(configured)))
    }

    /// Whether the way from `a` to `b` carries less than the own link of `a`, so that `a` has to
    /// find out how much.
    pub fn is_narrow(&self, a: NodeId, b: NodeId) -> bool {
        let carries = self.path_mtus.get(&(a, b));
        carries.is_some_and(|mtu| self.config(a).is_some_and(|config| *mtu < config.mtu))
    }

    /// Whether nothing will ever tell `a` so: routers are silent, it does not look for black holes
    /// (RFC 2923 §2.1), and what is too big must not go in parts. Nothing that is too big gets across then.
    pub fn is_black_hole(&self, a: NodeId, b: NodeId) -> bool {
        let looks = self
            .config(a)
            .is_some_and(|config| config.black_hole.is_some());
        let told = self.routers_report || looks || self.cut_up.contains(&a);
        self.is_narrow(a, b) && !told
    }

    /// Timeouts that it takes `a` to find the path MTU to `b` on a healed network, at most: two
    /// sizes of black-hole detection, or reports that a router's limit held back.
    pub fn search_timeouts(&self, a: NodeId, b: NodeId) -> u32 {
        let detection = self.config(a).and_then(|config| config.black_hole);
        match (self.is_narrow(a, b), detection) {
            (false, _) => 0,
            (true, Some(detection)) => 2 * u32::from(detection.timeouts) + 2,
            (true, None) => 2,
        }
    }

    /// The smaller maximum segment lifetime of two hosts; of one, if only one is known.
    pub fn msl(&self, a: NodeId, b: NodeId) -> Option<Duration> {
        let of = |host| self.config(host).map(|config| config.msl);
        [of(a), of(b)].into_iter().flatten().min()
    }
}
