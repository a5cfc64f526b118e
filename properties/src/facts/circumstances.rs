//! What the scenario knows about a run before it starts: the ground on which oracles judge.

use std::collections::{BTreeMap, BTreeSet};
use timewait_sim::{Duration, Instant, NodeId};
use timewait_stack::Config;

use crate::clock::Clock;
use crate::scenario::Buffers;

/// The circumstances of a run, given by its scenario.
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
    /// The nodes that are boxes on the way.
    pub boxes: BTreeSet<NodeId>,
    /// One of them translates addresses (E8).
    pub translates: bool,
    /// The clocks of hosts that do not show true time.
    pub clocks: BTreeMap<NodeId, Clock>,
    /// When hosts stand still, of each in the order of time: from when and until when.
    pub pauses: BTreeMap<NodeId, Vec<(Instant, Instant)>>,
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

    /// Whether the memory of a host may be short: nothing says then when a window opens.
    pub fn is_short_of_memory(&self, host: NodeId) -> bool {
        let max = self.config(host).map(|config| config.memory_max);
        max.flatten().is_some()
    }

    /// The clock of a host.
    pub fn clock(&self, host: NodeId) -> Clock {
        self.clocks.get(&host).copied().unwrap_or(Clock::TRUE)
    }

    /// The first moment at or after `at` at which the host does not stand still.
    pub fn awake(&self, host: NodeId, at: Instant) -> Instant {
        let pauses = self.pauses.get(&host).into_iter().flatten();
        let asleep = |at: Instant, (from, until): &(Instant, Instant)| match *from <= at {
            true => at.max(*until),
            false => at,
        };
        let before = |(from, until): &&(Instant, Instant)| *from <= at && at < *until;
        pauses.filter(before).fold(at, asleep)
    }

    /// The latest moment at which something is over that takes `time` on the clock of the host, from
    /// `since` on, if each pause in between makes it so much later.
    pub fn over_by(&self, host: NodeId, since: Instant, time: Duration) -> Instant {
        let mut end = since + self.clock(host).at_most(time);
        for &(from, until) in self.pauses.get(&host).into_iter().flatten() {
            if from <= end && until > since {
                end += until.saturating_since(from.max(since));
            }
        }
        end
    }

    /// The smaller maximum segment lifetime of two hosts, in true time; of one, if only one is known.
    pub fn msl(&self, a: NodeId, b: NodeId) -> Option<Duration> {
        let of = |host| {
            let msl = self.config(host)?.msl;
            Some(self.clock(host).at_least(msl))
        };
        [of(a), of(b)].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use timewait_sim::{Duration, Instant, NodeId};

    use super::Circumstances;
    use crate::clock::Clock;

    const HOST: NodeId = NodeId(3);

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn circumstances(drift_ppm: i32) -> Circumstances {
        let clock = Clock {
            offset: Duration::ZERO,
            drift_ppm,
        };
        Circumstances {
            clocks: [(HOST, clock)].into(),
            pauses: [(HOST, vec![(at(10), at(20)), (at(30), at(31))])].into(),
            ..Circumstances::default()
        }
    }

    #[test]
    fn a_host_is_awake_but_in_its_pauses() {
        let awake = |seconds| circumstances(0).awake(HOST, at(seconds));
        let moments = [0, 9, 10, 15, 20, 25, 30, 31].map(awake);
        assert_eq!(moments, [0, 9, 20, 20, 20, 25, 31, 31].map(at));
        assert_eq!(circumstances(0).awake(NodeId(4), at(15)), at(15));
    }

    #[test]
    fn every_pause_on_the_way_makes_what_takes_time_as_much_later() {
        let over_by =
            |since, time| circumstances(0).over_by(HOST, at(since), Duration::from_secs(time));
        assert_eq!(over_by(0, 5), at(5));
        assert_eq!(over_by(0, 10), at(20));
        assert_eq!(over_by(0, 15), at(25));
        assert_eq!(over_by(0, 20), at(31), "and into the next one");
        assert_eq!(over_by(12, 1), at(21), "begun in a pause");
        assert_eq!(over_by(40, 1), at(41));
        let slow = circumstances(-500).over_by(HOST, at(40), Duration::from_secs(1999));
        assert!(slow >= at(2040) && slow <= at(2041), "{slow:?}");
    }

    #[test]
    fn the_lifetime_of_segments_is_judged_in_true_time() {
        let mut circumstances = circumstances(500);
        let mut config = timewait_stack::Config::new(Vec::new(), [0; 32]);
        config.msl = Duration::from_secs(30);
        circumstances.hosts.insert(HOST, config);
        let msl = circumstances.msl(HOST, NodeId(9)).expect("known");
        assert!(msl < Duration::from_secs(30) && msl > Duration::from_millis(29_984));
    }
}
