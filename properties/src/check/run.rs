//! One run of one scenario: the one place that builds its world.

use timewait_sim::fates::Recorder;
use timewait_sim::fates::Rule;
use timewait_sim::icmp::RouterErrors;
use timewait_sim::{Cut, Finding, Instant, LinkConfig, NodeId, Oracle, Prefix, World, WorldConfig};
use timewait_stack::Interest;

use core::cell::RefCell;
use core::net::SocketAddr;
use core::ops::Range;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::bystander::Witness;
use super::timeline::{Turn, timeline};
use super::{Report, circumstances};
use crate::app::{App, Churner, Conversation, Dial, Server};
use crate::event::HostEvent;
use crate::facts::Coverage;
use crate::host::Host;
use crate::label::class;
use crate::machine::Machine;
use crate::middlebox::{Attacker, Middlebox};
use crate::oracle::{Panel, Sample};
use crate::scenario::faults::PlannedFates;
use crate::scenario::{AppPlan, Forgery, IcmpPlan, Lie, LinkEnd, Method, Role, Scenario};
use crate::scenarios::Kind;

/// What is watched in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Hosts report everything, and the default oracles judge it.
    pub oracles: bool,
    /// The trace hash is computed.
    pub hash: bool,
}

impl Watch {
    /// Everything.
    pub const ALL: Self = Self {
        oracles: true,
        hash: true,
    };
    /// Nothing: as fast as it goes.
    pub const NOTHING: Self = Self {
        oracles: false,
        hash: false,
    };
}

/// The world of a scenario.
pub type ScenarioWorld = World<Machine, Recorder<PlannedFates>>;

/// A scenario that is being run.
pub struct Run {
    scenario: Scenario,
    /// What is done to the world from outside, the next thing first.
    timeline: VecDeque<(Instant, Turn)>,
    /// The cuts that are in force, by their number.
    cuts: BTreeMap<usize, Cut>,
    /// The rules that are in force, by their number.
    rules: BTreeMap<usize, Rule>,
    reports: bool,
    world: ScenarioWorld,
    panel: Option<Rc<RefCell<Panel>>>,
    /// Who watches what must not feel the attack.
    bystanders: Option<Witness>,
}

impl Run {
    /// The scenario's world before anything has happened, with these oracles beside those that
    /// are watched with.
    pub fn new(scenario: &Scenario, watch: Watch, extra: Vec<Box<dyn Oracle<HostEvent>>>) -> Self {
        let config = WorldConfig {
            lifetime: scenario.lifetime,
            hash: watch.hash,
        };
        let mut world = World::new(config, Recorder::new(scenario.faults.fates()));
        let reports = watch.oracles || !extra.is_empty();
        for index in 0..scenario.hosts.len() as u16 {
            add_host(&mut world, scenario, index, reports);
        }
        for _ in 0..scenario.routers {
            match scenario.icmp {
                Some(icmp) => world.add_reporting_router(errors(icmp)),
                None => world.add_router(),
            };
        }
        world.set_host_errors(scenario.icmp.map(errors));
        add_attackers(&mut world, scenario);
        add_boxes(&mut world, scenario);
        add_links(&mut world, scenario);
        let panel = watch
            .oracles
            .then(|| Panel::standard(circumstances::of(scenario, &mut world)).shared());
        if let Some(panel) = &panel {
            world.add_oracle(Box::new(panel.clone()));
        }
        for oracle in extra {
            world.add_oracle(oracle);
        }
        let compares = watch.oracles && scenario.kind == Kind::Bystander;
        let bystanders = compares.then(|| Witness::new(scenario));
        if let Some(witness) = &bystanders {
            world.add_oracle(witness.oracle());
        }
        Self {
            scenario: scenario.clone(),
            timeline: timeline(scenario),
            cuts: BTreeMap::new(),
            rules: BTreeMap::new(),
            reports,
            world,
            panel,
            bystanders,
        }
    }

    /// What the oracles were told before it began.
    #[cfg(test)]
    pub(super) fn circumstances(&self) -> crate::facts::Circumstances {
        let panel = self.panel.as_ref().expect("it is watched");
        panel.borrow().facts().circumstances().clone()
    }

    /// The world, to look at.
    pub fn world(&self) -> &ScenarioWorld {
        &self.world
    }

    /// The world, to add oracles or to act on its hosts.
    pub fn world_mut(&mut self) -> &mut ScenarioWorld {
        &mut self.world
    }

    /// Performs all events up to this moment. On the way the network heals, links go down and up,
    /// rules come into force and are lifted, and hosts crash, boot, stand still and go on, when it is
    /// time.
    pub fn run_until(&mut self, until: Instant) {
        while let Some(&(at, turn)) = self.timeline.front().filter(|(at, _)| *at <= until) {
            self.timeline.pop_front();
            match turn {
                Turn::Cut(nth) => {
                    self.world.run_until(at);
                    let hops = self.scenario.cuts[nth].hops();
                    self.cuts.insert(nth, self.world.cut(hops));
                }
                Turn::Restore(nth) => {
                    self.world.run_until(at);
                    self.cuts.remove(&nth);
                }
                Turn::Rule(nth) => {
                    self.world.run_until(at);
                    let rule = &self.scenario.rules[nth];
                    let rules = self.world.fates_mut().inner_mut().rules();
                    self.rules.insert(nth, rules.add(rule.which(), rule.fate));
                }
                Turn::Lift(nth) => {
                    self.world.run_until(at);
                    self.rules.remove(&nth);
                }
                Turn::Heal => {
                    while self.world.step_until(at) {}
                    self.world.fates_mut().inner_mut().heal();
                }
                Turn::Crash(nth) => {
                    self.world.run_until(at);
                    self.crash(nth);
                }
                Turn::Pause(nth) => {
                    self.world.run_until(at);
                    let pause = self.scenario.pauses[nth];
                    let node = NodeId(u32::from(pause.host));
                    self.world.pause(node, pause.datagrams_max);
                }
                Turn::Resume(nth) => {
                    self.world.run_until(at);
                    let host = self.scenario.pauses[nth].host;
                    self.world.resume(NodeId(u32::from(host)));
                }
                Turn::Boot(nth) => {
                    self.world.run_until(at);
                    self.boot(nth);
                }
            }
        }
        while self.world.step_until(until) {}
    }

    fn crash(&mut self, nth: usize) {
        let host = self.scenario.crashes[nth].host;
        // A crash ends a pause, and takes what has waited with it.
        self.world.resume_empty(NodeId(u32::from(host)));
        self.with_host(host, Host::crash);
    }

    fn boot(&mut self, nth: usize) {
        let crash = &self.scenario.crashes[nth];
        let (host, config) = (crash.host, crash.config.clone());
        let user = |app: &AppPlan| (app.start, user(&self.scenario, &app.role));
        let users: Vec<_> = crash.apps.iter().map(user).collect();
        let interest = match self.reports {
            true => Interest::all(),
            false => Interest::empty(),
        };
        self.with_host(host, |host, now| {
            host.reboot(now, config, interest);
            for (start, user) in users {
                host.add_app(now + start, user);
            }
        });
    }

    fn with_host(&mut self, host: u16, turn: impl FnOnce(&mut Host, Instant)) {
        self.world.with(NodeId(u32::from(host)), |machine, now| {
            let host = machine.host_mut();
            turn(host.expect("the first nodes are the hosts"), now);
        });
    }

    fn limit(&self) -> Instant {
        Instant::ZERO + self.scenario.limit
    }

    fn hosts(&self) -> Range<u32> {
        0..self.scenario.hosts.len() as u32
    }

    /// Runs until nothing is left to happen or the scenario's limit.
    pub fn run(&mut self) {
        self.run_until(self.limit());
    }

    /// Nothing will ever happen again by itself.
    pub fn is_quiet(&self) -> bool {
        use timewait_sim::Node as _;
        let others = attackers(&self.scenario).chain(boxes(&self.scenario));
        let mut nodes = self.hosts().chain(others).map(NodeId);
        // What becomes of links and rules disturbs nobody who has nothing to do.
        let of_links = |turn: &Turn| {
            matches!(
                turn,
                Turn::Heal | Turn::Cut(_) | Turn::Restore(_) | Turn::Rule(_) | Turn::Lift(_)
            )
        };
        let comes_back = self.timeline.iter().any(|(_, turn)| !of_links(turn));
        !comes_back
            && self.world.in_flight() == 0
            && nodes.all(|node| self.world.node(node).poll_timeout().is_none())
    }

    /// Tells the oracles that the run is over, and says what it showed.
    pub fn finish(mut self) -> Report {
        let simulated = self.world.now().saturating_since(Instant::ZERO);
        let quiet = self.is_quiet();
        if quiet {
            // Nothing will ever happen again: whoever is stuck must not profit from an early end.
            self.world.run_until(self.limit().max(self.world.now()));
        }
        self.world.finish();
        let mut findings = self.world.findings().to_vec();
        let left_over = self.sample_hosts(&mut findings);
        let panel = self.panel.as_ref().map(|panel| panel.borrow());
        let mut coverage = panel.map_or_else(Coverage::default, |panel| panel.coverage().clone());
        if let Some(witness) = &self.bystanders
            && let Some(felt) = witness.compare(&self.scenario)
        {
            *coverage.violations.entry(felt.oracle).or_default() += 1;
            findings.push(felt);
        }
        Report {
            kind: self.scenario.kind,
            seed: self.scenario.seed,
            disabled: self.scenario.disabled(),
            findings,
            hash: self.world.hash(),
            simulated,
            stats: self.world.stats(),
            coverage,
            quiet,
            left_over,
            fates: self.world.into_fates().into_log(),
        }
    }

    /// Shows the judges what each host holds at the end. Returns how many listeners,
    /// connections and TIME-WAIT records are left.
    fn sample_hosts(&self, findings: &mut Vec<Finding>) -> u64 {
        let now = self.world.now();
        let mut left_over = 0;
        for node in self.hosts().map(NodeId) {
            let Some(host) = self.world.node(node).host() else {
                continue;
            };
            let stack = host.stack();
            let (usage, netstat) = (stack.usage(), stack.netstat());
            left_over += netstat.len() as u64;
            if let Some(panel) = &self.panel {
                let (usage, netstat) = (&usage, &netstat[..]);
                panel.borrow_mut().sample(
                    now,
                    &Sample {
                        node,
                        usage,
                        netstat,
                    },
                    findings,
                );
            }
        }
        left_over
    }
}

fn add_host(world: &mut ScenarioWorld, scenario: &Scenario, index: u16, reports: bool) {
    let plan = &scenario.hosts[usize::from(index)];
    let mut host = Host::new(NodeId(u32::from(index)), plan.config.clone()).with_clock(plan.clock);
    if reports {
        host.set_interest(Interest::all(), true);
    }
    host.set_may_be_cut_up(plan.may_be_cut_up);
    for app in &plan.apps {
        host.add_app(Instant::ZERO + app.start, user(scenario, &app.role));
    }
    world.add_node(Machine::Host(host), &plan.config.addresses);
}

/// The application that plays a role.
fn user(scenario: &Scenario, role: &Role) -> Box<dyn App> {
    let end = |host: u16, port: u16| {
        let address = scenario
            .address(host)
            .expect("a scenario names its own hosts");
        SocketAddr::new(address, port)
    };
    match role {
        Role::Serve(serve) => Box::new(Server::new(serve.clone())),
        Role::Call(call) => {
            let dial = Dial {
                from: call.from,
                to: end(call.host, call.port),
            };
            Box::new(Conversation::caller(dial, call.talk))
        }
        Role::Churn(churn) => Box::new(Churner::new(
            churn.clone(),
            end(churn.host, churn.peer_port),
        )),
    }
}

fn errors(icmp: IcmpPlan) -> RouterErrors {
    RouterErrors {
        interval: icmp.interval,
        quote_octets: icmp.quote_octets,
        class: class::ICMP,
    }
}

fn add_attackers(world: &mut ScenarioWorld, scenario: &Scenario) {
    for (index, plan) in (0..).zip(&scenario.attackers) {
        let mut attacker = Attacker::new(node(scenario, LinkEnd::Attacker(index)));
        for attack in &plan.attacks {
            let from = match attack.method {
                Method::Forge(Forgery { from: peer, .. })
                | Method::Report(Lie { about: peer, .. }) => scenario.end(peer),
                Method::Islands { port } => Some(SocketAddr::new(plan.address, port)),
                Method::Flood => Some(SocketAddr::new(plan.address, 0)),
            };
            let ends = from.zip(scenario.end(attack.to));
            let (from, to) = ends.expect("a scenario names its own hosts");
            attacker.add(*attack, from, to);
        }
        world.add_node(Machine::Attacker(attacker), &[plan.address]);
    }
}

/// The nodes of the world that are attackers.
pub(super) fn attackers(scenario: &Scenario) -> Range<u32> {
    let first = node(scenario, LinkEnd::Attacker(0)).0;
    first..first + scenario.attackers.len() as u32
}

fn add_boxes(world: &mut ScenarioWorld, scenario: &Scenario) {
    for plan in &scenario.boxes {
        let nat = plan.nat();
        let inside = nat.iter().flat_map(|nat| &nat.inside);
        let inside = inside.filter_map(|host| scenario.address(*host)).collect();
        let own: Vec<_> = nat.map(|nat| nat.address).into_iter().collect();
        let middlebox = Middlebox::new(plan, inside);
        world.add_transit(Machine::Middlebox(middlebox), &own);
    }
}

/// The nodes of the world that are boxes on the way.
pub(super) fn boxes(scenario: &Scenario) -> Range<u32> {
    let first = node(scenario, LinkEnd::Box(0)).0;
    first..first + scenario.boxes.len() as u32
}

/// The node of the world that a link ends at.
pub(crate) fn node(scenario: &Scenario, end: LinkEnd) -> NodeId {
    let (hosts, routers) = (scenario.hosts.len() as u32, u32::from(scenario.routers));
    let attackers = scenario.attackers.len() as u32;
    NodeId(match end {
        LinkEnd::Host(host) => u32::from(host),
        LinkEnd::Router(router) => hosts + u32::from(router),
        LinkEnd::Attacker(attacker) => hosts + routers + u32::from(attacker),
        LinkEnd::Box(number) => hosts + routers + attackers + u32::from(number),
    })
}

fn add_links(world: &mut ScenarioWorld, scenario: &Scenario) {
    let mut hops = Vec::new();
    for link in &scenario.links {
        let config = LinkConfig {
            delay: link.delay,
            rate: link.rate,
            queue_bytes_max: link.queue_bytes_max,
            aqm: link.aqm,
            mtu: link.mtu,
        };
        hops.push(world.connect(node(scenario, link.a), node(scenario, link.b), config));
    }
    for route in &scenario.routes {
        let router = node(scenario, LinkEnd::Router(route.router));
        let (forward, backward) = hops[route.link as usize];
        let leaves = world.ends(forward).0 == router;
        if let Some(address) = scenario.address(route.host) {
            let hop = if leaves { forward } else { backward };
            world.add_route(router, Prefix::host(address), hop);
        }
    }
}
