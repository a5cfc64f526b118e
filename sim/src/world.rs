//! The world: nodes, links, routers, one clock, one event queue.
//!
//! Time jumps from event to event. There are five kinds: a datagram comes out of a hop, a queue that
//! holds its datagrams may send the next one, a node's timeout is due, a router has kept something
//! long enough, a host has waited long enough for the rest of a datagram. What follows from one of
//! them is in `world/forward.rs`, `hold.rs` and `fragments.rs` for datagrams and in `world/settle.rs`
//! for nodes.
//!
//! At one instant datagrams come first, in the order in which they were sent on; then the timeouts,
//! node by node ([`Ringing`]). When an alarm was queued counts for nothing: that depends on how often
//! its node has changed its mind, and what one connection of a node does would be felt by another.

mod flights;
mod forward;
mod fragments;
mod hold;
mod judges;
mod pause;
mod report;
mod settle;
mod transit;

use core::net::IpAddr;
use core::time::Duration;

use foldhash::fast::FixedState;
use indexmap::IndexMap;
use slab::Slab;

use crate::cuts::{Cut, Cuts};
use crate::fates::{Fates, HopId};
use crate::icmp::{Reporter, RouterErrors};
use crate::link::{Hop, LinkConfig};
use crate::node::Node;
use crate::oracle::{Finding, Observation, Oracle};
use crate::packet::NodeId;
use crate::queue::Queue;
use crate::reassembly::Reassembly;
use crate::route::Routes;
use crate::route::prefix::Prefix;
use crate::router::{Router, Slot};
use crate::stats::Stats;
use crate::time::{Instant, nanos};
use crate::trace::Trace;
use flights::Flights;
use forward::Way;
use hold::Held;
use judges::Judges;
use pause::Pause;
use settle::{Alarm, Ringing};

/// Settings of a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorldConfig {
    /// A datagram older than this is dropped wherever it is; `None`: a rogue network.
    pub lifetime: Option<Duration>,
    /// Compute the trace hash.
    pub hash: bool,
}

/// A simulated network with its machines.
pub struct World<N: Node, F: Fates> {
    now: Instant,
    queue: Queue<Happening>,
    ringing: Ringing,
    machines: Vec<Machine<N>>,
    /// How many machines have been started.
    started: usize,
    addresses: IndexMap<IpAddr, NodeId, FixedState>,
    hops: Vec<Hop>,
    routes: Routes,
    /// Counts changes of the network, to tell old ways from new ones.
    network: u32,
    fates: F,
    /// How hosts report what they drop, if they do.
    host_errors: Option<RouterErrors>,
    /// `u64::MAX` stands for no bound.
    lifetime_ns: u64,
    flights: Flights,
    held: Slab<Held>,
    cuts: Cuts,
    /// Always empty between uses: keeps its storage.
    freed: Vec<Slot>,
    judges: Judges<N::Event>,
    trace: Trace,
    stats: Stats,
    /// Events performed at this instant.
    at_once: u32,
    /// A bound was hit: nothing happens any more.
    halted: bool,
}

/// A host or a router.
enum Machine<N> {
    Host(Host<N>),
    Router(Router),
}

struct Host<N> {
    node: N,
    /// How many datagrams it has sent.
    sent: u64,
    alarm: Alarm,
    reassembly: Reassembly,
    /// Where its last datagram went: most follow one to the same address.
    last_way: Option<Way>,
    /// It stands on the way of others.
    on_the_way: bool,
    /// It stands still.
    paused: Option<Box<Pause>>,
}

impl<N> Host<N> {
    fn new(node: N) -> Self {
        Self {
            node,
            sent: 0,
            alarm: Alarm::default(),
            reassembly: Reassembly::default(),
            last_way: None,
            on_the_way: false,
            paused: None,
        }
    }
}

/// What the queue holds.
#[derive(Clone, Copy)]
enum Happening {
    /// This datagram comes out of its hop.
    Arrival(u32),
    /// The timeout of this node may be due.
    Alarm(u32),
    /// This has been kept as long as it may be.
    Expiry(Slot),
    /// The link of this hop is free, and its queue holds its datagrams.
    Departure(HopId),
    /// A datagram has waited at this node for its parts as long as it may.
    Reassembly { node: u32, serial: u32 },
}

/// So many events at one instant are a livelock.
const AT_ONCE_MAX: u32 = 1_000_000;

impl<N: Node, F: Fates> World<N, F> {
    /// An empty world.
    pub fn new(config: WorldConfig, fates: F) -> Self {
        Self {
            now: Instant::ZERO,
            queue: Queue::new(),
            ringing: Ringing::default(),
            machines: Vec::new(),
            started: 0,
            addresses: IndexMap::default(),
            hops: Vec::new(),
            routes: Routes::default(),
            network: 0,
            fates,
            host_errors: None,
            lifetime_ns: config.lifetime.map_or(u64::MAX, nanos),
            flights: Flights::default(),
            held: Slab::new(),
            cuts: Cuts::default(),
            freed: Vec::new(),
            judges: Judges::new(),
            trace: Trace::new(config.hash),
            stats: Stats::default(),
            at_once: 0,
            halted: false,
        }
    }

    /// Adds a host with these addresses.
    ///
    /// # Panics
    /// If another host has one of the addresses.
    pub fn add_node(&mut self, node: N, addresses: &[IpAddr]) -> NodeId {
        self.add_machine(Host::new(node), addresses)
    }

    /// Adds a node that stands on the way, with these addresses of its own: it is handed every
    /// datagram that comes to it, for itself or for others ([`Node::handle_transit`]), and takes one
    /// off the hop limit as a router does. What is larger than the next link carries it drops in
    /// silence.
    ///
    /// # Panics
    /// If another host has one of the addresses.
    pub fn add_transit(&mut self, node: N, addresses: &[IpAddr]) -> NodeId {
        let host = Host {
            on_the_way: true,
            ..Host::new(node)
        };
        self.add_machine(host, addresses)
    }

    fn add_machine(&mut self, host: Host<N>, addresses: &[IpAddr]) -> NodeId {
        let forwards = host.on_the_way;
        let id = self.add(Machine::Host(host), forwards);
        for address in addresses {
            let before = self.addresses.insert(*address, id);
            assert!(before.is_none(), "{address} is given to two hosts");
        }
        id
    }

    /// Adds a router that drops in silence what it can't forward.
    pub fn add_router(&mut self) -> NodeId {
        self.add(Machine::Router(Router::default()), true)
    }

    /// Adds a router that reports what it drops.
    pub fn add_reporting_router(&mut self, errors: RouterErrors) -> NodeId {
        let mut router = Router::default();
        router.reporter = Some(Reporter::new(errors));
        self.add(Machine::Router(router), true)
    }

    /// From now on hosts report datagrams of which they got the first part and never the rest; their
    /// `interval` does not matter.
    pub fn set_host_errors(&mut self, errors: Option<RouterErrors>) {
        self.host_errors = errors;
    }

    fn add(&mut self, machine: Machine<N>, forwards: bool) -> NodeId {
        let id = NodeId(self.machines.len() as u32);
        self.machines.push(machine);
        self.routes.add(forwards);
        self.network += 1;
        id
    }

    /// Links two machines and returns the hop from `a` to `b` and the one back.
    ///
    /// # Panics
    /// If there is no such machine, or the rate is zero.
    pub fn connect(&mut self, a: NodeId, b: NodeId, link: LinkConfig) -> (HopId, HopId) {
        assert!(
            a != b && a.0.max(b.0) < self.machines.len() as u32,
            "a link needs two machines"
        );
        let forward = HopId(self.hops.len() as u32);
        let backward = HopId(forward.0 + 1);
        self.hops.push(Hop::new(a, b, self.is_router(a), link));
        self.hops.push(Hop::new(b, a, self.is_router(b), link));
        self.network += 1;
        self.routes.connect(a, forward);
        self.routes.connect(b, backward);
        (forward, backward)
    }

    /// Enters a route: `router` sends what is for these addresses over `hop`, whatever the shortest way
    /// is. Of several that fit, the one with the longest prefix counts.
    ///
    /// # Panics
    /// If it is no router, or the hop does not leave it.
    pub fn add_route(&mut self, router: NodeId, prefix: Prefix, hop: HopId) {
        let leaves = self.hops.get(hop.0 as usize).map(|hop| hop.from);
        let Machine::Router(its) = &mut self.machines[router.0 as usize] else {
            panic!("{router:?} is no router");
        };
        assert!(leaves == Some(router), "{hop:?} does not leave {router:?}");
        its.routes.enter(prefix, hop);
        self.network += 1;
    }

    /// The way that a datagram of `from` to this address takes; `None`: it never gets there.
    pub fn way(&mut self, from: NodeId, to: IpAddr) -> Option<Vec<HopId>> {
        let destination = *self.addresses.get(&to)?;
        let mut way = Vec::new();
        let mut at = from;
        while at != destination {
            let hop = self.next_hop(at, to, Some(destination))?;
            way.push(hop);
            at = self.hops[hop.0 as usize].to;
            if way.len() > self.machines.len() {
                return None; // Round and round.
            }
        }
        Some(way)
    }

    /// Adds a judge, who sees what happens from now on.
    pub fn add_oracle(&mut self, oracle: Box<dyn Oracle<N::Event>>) {
        self.judges.add(oracle);
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Performs the next event. `false`: nothing will ever happen again by itself.
    pub fn step(&mut self) -> bool {
        self.start();
        self.advance(Instant::MAX)
    }

    /// Performs the next event that is due at or before `until`. `false`: there is none; the
    /// clock stays where it is.
    pub fn step_until(&mut self, until: Instant) -> bool {
        self.start();
        self.advance(until)
    }

    /// Steps until nothing is due at or before `until`, then moves the clock there.
    pub fn run_until(&mut self, until: Instant) {
        self.start();
        while self.advance(until) {}
        if until > self.now {
            self.set_now(until);
        }
    }

    /// A user acts on a node; what follows from it at once is done when this returns.
    ///
    /// # Panics
    /// If `node` is a router or not of this world.
    pub fn with<R>(&mut self, node: NodeId, f: impl FnOnce(&mut N, Instant) -> R) -> R {
        self.start();
        let now = self.now;
        let result = f(&mut self.host_mut(node).node, now);
        self.settle(node, crate::oracle::Cause::User);
        result
    }

    /// A node, to look at.
    ///
    /// # Panics
    /// If `node` is a router or not of this world.
    pub fn node(&self, node: NodeId) -> &N {
        match &self.machines[node.0 as usize] {
            Machine::Host(host) => &host.node,
            Machine::Router(_) => panic!("{node:?} is a router"),
        }
    }

    /// Whether it is a router.
    pub fn is_router(&self, node: NodeId) -> bool {
        matches!(self.machines[node.0 as usize], Machine::Router(_))
    }

    /// The machines at the near and at the far end of a hop.
    pub fn ends(&self, hop: HopId) -> (NodeId, NodeId) {
        let Hop { from, to, .. } = &self.hops[hop.0 as usize];
        (*from, *to)
    }

    /// All hops.
    pub fn hops(&self) -> impl Iterator<Item = HopId> + use<N, F> {
        (0..self.hops.len() as u32).map(HopId)
    }

    /// The hops of all links at a machine, those that lead there and those that lead away: to cut
    /// them isolates it.
    pub fn hops_at(&self, node: NodeId) -> impl Iterator<Item = HopId> + '_ {
        self.hops().filter(move |hop| {
            let (from, to) = self.ends(*hop);
            from == node || to == node
        })
    }

    /// Cuts these hops for as long as the guard lives: what would enter them is dropped, and what
    /// is on them arrives. Dice and counts go on as if nothing were cut.
    ///
    /// # Panics
    /// If there is no such hop.
    pub fn cut(&mut self, hops: impl IntoIterator<Item = HopId>) -> Cut {
        self.start();
        let hops: Vec<_> = hops.into_iter().collect();
        let unknown = hops.iter().find(|hop| hop.0 as usize >= self.hops.len());
        assert!(unknown.is_none(), "there is no hop {unknown:?} to cut");
        let (cut, were_up) = self.cuts.cut(hops);
        for hop in were_up {
            self.judges.see(self.now, || Observation::Cut { hop });
        }
        cut
    }

    /// What decides.
    pub fn fates_mut(&mut self) -> &mut F {
        &mut self.fates
    }

    /// What has decided.
    pub fn into_fates(self) -> F {
        self.fates
    }

    /// Changes how old a datagram may become, also for those on the way.
    pub fn set_lifetime(&mut self, lifetime: Option<Duration>) {
        self.lifetime_ns = lifetime.map_or(u64::MAX, nanos);
    }

    /// What the oracles, and the world itself, have found so far.
    pub fn findings(&self) -> &[Finding] {
        &self.judges.findings
    }

    /// Whether the world has stopped for ever because it hit the bound on what a node may do or
    /// on what may happen at one instant; a finding says so.
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    /// Tells the oracles that the run is over.
    pub fn finish(&mut self) {
        self.judges.finish(self.now);
    }

    /// The trace hash so far; 0 if the settings asked for none.
    pub fn hash(&self) -> u64 {
        self.trace.hash()
    }

    /// What has happened so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Datagrams on the way or kept by routers.
    pub fn in_flight(&self) -> u64 {
        self.flights.count()
    }

    /// Performs the next event that is due at or before `until`, if there is one.
    fn advance(&mut self, until: Instant) -> bool {
        if self.halted {
            return false;
        }
        while let Some((at, happening)) = self.next_happening(until) {
            if self.happens(at, happening) {
                self.count_event(at);
                self.perform(happening);
                return true;
            }
        }
        if self.queue.peek().is_none() {
            // What never came to happen has left no mark on the clock, nor may it on the queue.
            self.queue.rewind(self.now.as_nanos());
        }
        false
    }

    /// Takes what comes next, at or before `until`: alarms after all else that is due when they are.
    fn next_happening(&mut self, until: Instant) -> Option<(Instant, Happening)> {
        loop {
            let rings_at = self.ringing.at();
            if rings_at.is_some_and(|at| self.queue.peek().is_none_or(|next| next > at.as_nanos()))
            {
                let (at, node) = self.ringing.pop_until(until)?;
                return Some((at, Happening::Alarm(node.0)));
            }
            let (at, happening) = self.queue.pop_until(until.as_nanos())?;
            let at = Instant::from_nanos(at);
            match happening {
                Happening::Alarm(node) => self.ring(NodeId(node), at),
                Happening::Arrival(_)
                | Happening::Expiry(_)
                | Happening::Departure(_)
                | Happening::Reassembly { .. } => return Some((at, happening)),
            }
        }
    }

    /// Whether something is still to happen; if not, it is cleared away.
    fn happens(&mut self, at: Instant, happening: Happening) -> bool {
        match happening {
            Happening::Arrival(_) | Happening::Departure(_) => true,
            Happening::Alarm(node) => self.alarm_is_due(NodeId(node), at),
            Happening::Expiry(slot) => self.is_held(slot),
            Happening::Reassembly { node, serial } => self.is_partial(NodeId(node), serial),
        }
    }

    fn perform(&mut self, happening: Happening) {
        match happening {
            Happening::Arrival(flight) => self.arrive(flight),
            Happening::Alarm(node) => self.timeout(NodeId(node)),
            Happening::Expiry(slot) => self.expire(slot),
            Happening::Departure(hop) => self.depart(hop),
            Happening::Reassembly { node, serial } => self.give_up(NodeId(node), serial),
        }
    }

    fn count_event(&mut self, at: Instant) {
        if at > self.now {
            self.set_now(at);
        }
        self.stats.events += 1;
        self.at_once += 1;
        if self.at_once >= AT_ONCE_MAX {
            self.halt(
                "livelock",
                format!("{AT_ONCE_MAX} events happened at this instant"),
            );
        }
    }

    fn set_now(&mut self, now: Instant) {
        self.now = now;
        self.at_once = 0;
    }

    fn halt(&mut self, rule: &'static str, message: String) {
        self.halted = true;
        self.judges.violation(rule, self.now, message);
    }

    /// Puts something into the queue and returns whether it will ever happen: the last moment of
    /// the clock is never.
    fn schedule(&mut self, at: Instant, happening: Happening) -> bool {
        let ever = at < Instant::MAX;
        if ever {
            self.queue.push(at.as_nanos(), happening);
        }
        ever
    }

    fn host_mut(&mut self, node: NodeId) -> &mut Host<N> {
        match &mut self.machines[node.0 as usize] {
            Machine::Host(host) => host,
            Machine::Router(_) => panic!("{node:?} is a router"),
        }
    }
}
