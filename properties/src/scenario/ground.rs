//! What all scenarios stand on: times that fit together, hosts with settings, wires.
//!
//! Hosts are `rfc`, `linux` or `freebsd` as these systems are (profiles), in half of the worlds; in
//! the other half they have settings from the ranges of ORACLES.md §4 ([`tweak`]). In a conforming
//! world the network's lifetime is at most MSL, and 2MSL at least four times the RTO (E1, E4).

mod tweak;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use timewait_sim::topology::graph_links;
use timewait_sim::{Aqm, CodelConfig, RedConfig};
use timewait_stack::config::{EcnUse, Keepalive};
use timewait_stack::{Config, Profile};

use super::{FaultPlan, HostPlan, LinkEnd, LinkPlan, Scenario};
use crate::choose::Choose;
use crate::clock::Clock;
use crate::scenarios::Kind;
use tweak::Tweak;

/// The times of a world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground {
    /// The round trip between the two hosts furthest apart, on empty links.
    pub(crate) rtt: Duration,
    /// What the network keeps to: at most the MSL of any host.
    pub(crate) lifetime: Duration,
    /// What all hosts have instead of the settings of their profiles, in half of the worlds.
    tweak: Option<Tweak>,
    ipv6: bool,
}

/// How the hosts are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Two hosts, one after the other with this many routers between; further hosts at these in turn.
    Chain(u16),
    /// Every host at one router.
    Star,
    /// Two routers with one link between them, and the hosts at either in turn.
    Dumbbell,
    /// So many routers joined somehow, and each host at some of them.
    Graph(u16),
}

impl Ground {
    /// Times that fit together, with a round trip of at most `rtt_max`.
    pub(crate) fn draw(choose: &mut dyn Choose, rtt_max: Duration) -> Self {
        let rtt = Duration::from_micros(choose.log_between(200, rtt_max.as_micros() as u64));
        let tweak = choose.chance(1, 2).then(|| Tweak::draw(choose, rtt));
        let msl = tweak.map_or_else(msl_of_profiles, |tweak| tweak.msl);
        let lifetime = Duration::from_millis(choose.between(1, 4) * msl.as_millis() as u64 / 4);
        Self {
            rtt,
            lifetime,
            tweak,
            ipv6: choose.chance(1, 3),
        }
    }

    /// The least MTU of a link (RFC 9293 §3.7.1; RFC 8200 §5).
    pub(crate) fn mtu_min(&self) -> u16 {
        if self.ipv6 { 1280 } else { 576 }
    }

    /// Host number `index`, without users: a machine, what its users want of their sockets, and for
    /// the rest a profile, as it is or [tweaked](Tweak).
    pub(crate) fn host(&self, choose: &mut dyn Choose, index: u16) -> HostPlan {
        let address = match self.ipv6 {
            false => IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0001 + u32::from(index))),
            true => IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, index + 1)),
        };
        let mtu = *choose.pick(&[1500, 1500, self.mtu_min(), 9000]);
        let segment = u32::from(mtu) - 40;
        let profile = *choose.pick(&Profile::ALL);
        let config = Config {
            isn_epoch: choose.below(1 << 32) as u32,
            mtu,
            hop_limit: *choose.pick(&[64, 64, 255, 32]),
            diffserv: *choose.pick(&[0, 0, 46, 10]),
            receive_buffer: buffer(choose, segment),
            send_buffer: *choose.pick(&[65_536, 262_144, 16_384, 2 * segment, 1 << 20]),
            syn_queue_max: *choose.pick(&[256, 256, 4, 1]),
            nagle: !choose.chance(1, 3),
            keepalive: choose.chance(1, 6).then(|| Keepalive {
                idle: Duration::from_secs(choose.between(5, 60)),
                interval: Duration::from_secs(choose.between(1, 10)),
                probes: choose.between(3, 9) as u8,
                garbage: false,
            }),
            // No system offers it by default.
            ecn: *choose.pick(&[EcnUse::Offer, EcnUse::Accept, EcnUse::Never]),
            cork: choose.chance(1, 16),
            quick_ack: choose.chance(1, 12),
            max_segment: choose
                .chance(1, 12)
                .then(|| choose.log_between(64, 1460) as u16),
            user_timeout: choose
                .chance(1, 8)
                .then(|| Duration::from_secs(choose.between(20, 300))),
            announce_user_timeout: choose.chance(1, 4),
            ..profile.config(vec![address], choose.secret())
        };
        let config = match &self.tweak {
            Some(tweak) => tweak.apply(choose, config),
            None => config,
        };
        HostPlan {
            config,
            clock: Clock::TRUE,
            apps: Vec::new(),
            may_be_cut_up: false,
        }
    }

    /// Links between `hosts` hosts: how many routers, and the links. The first link starts at
    /// host 0; of a chain the last ends at host 1.
    pub(crate) fn wires(
        &self,
        choose: &mut dyn Choose,
        shape: Shape,
        hosts: u16,
    ) -> (u16, Vec<LinkPlan>) {
        use LinkEnd::{Host, Router};
        let (routers, ends) = match shape {
            Shape::Chain(routers) => {
                let inner = (1..routers).map(|n| (Router(n - 1), Router(n)));
                let others = (2..hosts).map(|host| (Host(host), Router(host % routers.max(1))));
                let ends = match routers {
                    0 => vec![(Host(0), Host(1))],
                    _ => core::iter::once((Host(0), Router(0)))
                        .chain(inner)
                        .chain(others)
                        .chain([(Router(routers - 1), Host(1))])
                        .collect(),
                };
                (routers, ends)
            }
            Shape::Graph(routers) => (routers, graph(choose, routers, hosts)),
            Shape::Star => (1, (0..hosts).map(|host| (Host(host), Router(0))).collect()),
            Shape::Dumbbell => {
                let sides = (0..hosts).map(|host| (Host(host), Router(host % 2)));
                (2, sides.chain([(Router(0), Router(1))]).collect())
            }
        };
        let longest: u32 = match shape {
            Shape::Chain(routers) => u32::from(routers) + 1,
            Shape::Star => 2,
            Shape::Dumbbell => 3,
            // No way is longer than through all routers.
            Shape::Graph(routers) => u32::from(routers) + 1,
        };
        let delay = self.rtt / 2 / longest;
        let links = ends.into_iter().map(|(a, b)| {
            let rate = choose
                .chance(1, 2)
                .then(|| choose.log_between(1 << 20, 1 << 27));
            let queue_bytes_max = queue(choose, rate);
            LinkPlan {
                a,
                b,
                delay,
                rate,
                queue_bytes_max,
                aqm: aqm(choose, rate, queue_bytes_max),
                mtu: None,
            }
        });
        (routers, links.collect())
    }

    /// A scenario of these hosts and wires in which nothing goes wrong.
    pub(crate) fn calm(
        &self,
        kind: Kind,
        hosts: Vec<HostPlan>,
        (routers, links): (u16, Vec<LinkPlan>),
        limit: Duration,
    ) -> Scenario {
        Scenario {
            kind,
            seed: None,
            hosts,
            routers,
            attackers: Vec::new(),
            boxes: Vec::new(),
            links,
            icmp: None,
            lifetime: Some(self.lifetime),
            faults: FaultPlan::NONE,
            crashes: Vec::new(),
            pauses: Vec::new(),
            cuts: Vec::new(),
            rules: Vec::new(),
            routes: Vec::new(),
            heal_at: Duration::ZERO,
            limit,
        }
    }

    /// The link by which the attacker is joined to a router.
    pub(crate) fn attackers_wire(&self, router: u16) -> LinkPlan {
        LinkPlan {
            a: LinkEnd::Attacker(0),
            b: LinkEnd::Router(router),
            delay: self.rtt / 8,
            rate: None,
            queue_bytes_max: 0,
            aqm: Aqm::None,
            mtu: None,
        }
    }
}

/// A random connected graph of routers with a few links more than it takes, and each host at one.
fn graph(choose: &mut dyn Choose, routers: u16, hosts: u16) -> Vec<(LinkEnd, LinkEnd)> {
    let more = choose.below(4) as u32;
    let mut below = |bound: u32| choose.below(bound.into()) as u32;
    let inner = graph_links(routers.into(), more, &mut below);
    let router = |number: u32| LinkEnd::Router(number as u16);
    let edges = (0..hosts).map(|host| (LinkEnd::Host(host), router(below(routers.into()))));
    let edges: Vec<_> = edges.collect();
    let inner = inner.into_iter().map(|(a, b)| (router(a), router(b)));
    edges.into_iter().chain(inner).collect()
}

/// The least MSL of all profiles.
fn msl_of_profiles() -> Duration {
    let each = Profile::ALL.map(|profile| profile.config(Vec::new(), [0; 32]).msl);
    each.into_iter().min().expect("there are profiles")
}

/// Octets of a receive buffer: two segments up to 1 MiB.
fn buffer(choose: &mut dyn Choose, segment: u32) -> u32 {
    let common = [65_535, 65_535, 32_768, 2 * segment, 7 * segment / 2];
    let large = [262_144, 1 << 20, 65_536];
    if choose.chance(1, 3) {
        *choose.pick(&large)
    } else {
        *choose.pick(&common)
    }
}

/// At least one link between two routers, if there is any, becomes narrow. A host knows what its
/// own link carries.
pub(crate) fn narrow(choose: &mut dyn Choose, links: &mut [LinkPlan], least: u16) {
    use LinkEnd::Router;
    let inner = |link: &&mut LinkPlan| matches!((link.a, link.b), (Router(_), Router(_)));
    for (n, link) in links.iter_mut().filter(inner).enumerate() {
        if n == 0 || choose.chance(1, 2) {
            link.mtu = Some(choose.between(u64::from(least), 1500) as u16);
        }
    }
}

/// A queue that takes at most a quarter of a second to drain.
fn queue(choose: &mut dyn Choose, rate: Option<u64>) -> u64 {
    let most = rate.map_or(1 << 20, |rate| (rate / 4).min(1 << 20));
    // Never less than a few datagrams, or no window fits.
    (most >> choose.below(4)).max(40_000)
}

/// How a queue is managed, if it is. A threshold or an average counts from one datagram on to half of
/// what the queue holds (RFC 3168 §5).
fn aqm(choose: &mut dyn Choose, rate: Option<u64>, queue_bytes_max: u64) -> Aqm {
    let bytes = |choose: &mut dyn Choose| choose.log_between(1500, queue_bytes_max / 2);
    match choose.below(8) {
        0..4 => Aqm::None,
        4 | 5 => Aqm::Threshold {
            bytes: bytes(choose),
        },
        6 => {
            let bytes_min = bytes(choose);
            Aqm::Red(RedConfig {
                bytes_min,
                bytes_max: bytes_min * choose.between(2, 3),
                probability_max: *choose.pick(&[20_000, 100_000]),
                weight: *choose.pick(&[9, 4]),
            })
        }
        _ => {
            // Of a slow link two datagrams take longer than the 5 ms of RFC 8289 §4.2.
            let datagram = rate.map_or(0, |rate| 1_500_000_000 / rate);
            let least = Duration::from_nanos(datagram * 2);
            let (target, interval) = *choose.pick(&[(5, 100), (1, 20)]);
            Aqm::Codel(CodelConfig {
                target: least.max(Duration::from_millis(target)),
                interval: Duration::from_millis(interval),
            })
        }
    }
}
