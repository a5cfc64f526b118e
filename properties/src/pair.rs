//! Two hosts and one connection: the smallest world, for tests.
//!
//! ```
//! use timewait_properties::label::class;
//! use timewait_properties::pair::{CLIENT_TO_SERVER, drop_nth, pair};
//!
//! let mut world = pair(1).faults([drop_nth(CLIENT_TO_SERVER, class::FIN, 1)]);
//! world.client().send(5).close();
//! world.server().close();
//! world.run_until_quiet();
//! ```
//!
//! A router stands between the two, so that everything can be dropped, delayed, copied, damaged
//! and held. All oracles watch; if one finds a violation, [`Pair::run_until_quiet`] panics and
//! says how to see the same run again.

use core::cell::RefCell;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::rc::Rc;

use timewait_sim::fates::{LinkFaults, NthMatch, Rules};
use timewait_sim::{Aqm, Cut, Finding, HopId, Instant, NodeId, Release};
use timewait_stack::{Config, Protection, State};

use crate::app::{Puppet, Strings};
use crate::check::{Report, Run, Watch};
use crate::clock::Clock;
use crate::host::Host;
use crate::machine::Machine;
use crate::scenario::{FaultPlan, HostPlan, IcmpPlan, LinkEnd, LinkPlan, Scenario};
use crate::scenarios::Kind;

/// The client.
pub const CLIENT: NodeId = NodeId(0);
/// The server.
pub const SERVER: NodeId = NodeId(1);
/// From the router on to the server.
pub const CLIENT_TO_SERVER: HopId = HopId(2);
/// From the router on to the client.
pub const SERVER_TO_CLIENT: HopId = HopId(1);

/// The port on which the server listens.
const PORT: u16 = 80;
/// A world that is still busy then is not quiet.
const LIMIT: Duration = Duration::from_secs(24 * 3600);

/// The `n`-th datagram, from 1, of this class on this hop is lost.
pub fn drop_nth(hop: HopId, class: u16, n: u32) -> NthMatch {
    NthMatch::lose(hop, class, n)
}

/// The router keeps a copy of the `n`-th datagram of this class on this hop for so long.
pub fn copy_nth(hop: HopId, class: u16, n: u32, hold: Duration) -> NthMatch {
    NthMatch::hold_copy(hop, class, n, Release::After(hold))
}

/// A world of two hosts. The client calls as soon as a user does something or time passes.
pub fn pair(seed: u64) -> Pair {
    let host = |last| {
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
        // The secret of a host comes from the seed, so that its choices do too.
        let mut secret = [last; 32];
        secret[..8].copy_from_slice(&seed.to_le_bytes());
        let config = Config {
            isn_epoch: seed as u32,
            ..Config::new(vec![address], secret)
        };
        HostPlan {
            config,
            clock: Clock::TRUE,
            apps: Vec::new(),
            may_be_cut_up: false,
        }
    };
    let link = |a, b| LinkPlan {
        a,
        b,
        delay: Duration::from_millis(5),
        rate: None,
        queue_bytes_max: 0,
        aqm: Aqm::None,
        mtu: None,
    };
    let router = LinkEnd::Router(0);
    let scenario = Scenario {
        kind: Kind::Handshake,
        seed: None,
        hosts: vec![host(1), host(2)],
        routers: 1,
        attackers: Vec::new(),
        boxes: Vec::new(),
        links: vec![
            link(LinkEnd::Host(0), router),
            link(router, LinkEnd::Host(1)),
        ],
        icmp: None,
        lifetime: Some(Duration::from_secs(120)),
        faults: FaultPlan::Drawn {
            seed,
            hops: Vec::new(),
            nth: Vec::new(),
        },
        crashes: Vec::new(),
        pauses: Vec::new(),
        cuts: Vec::new(),
        rules: Vec::new(),
        routes: Vec::new(),
        heal_at: LIMIT / 2,
        limit: LIMIT,
    };
    Pair {
        seed,
        scenario,
        run: None,
        strings: Default::default(),
    }
}

/// A client and a server.
pub struct Pair {
    seed: u64,
    scenario: Scenario,
    /// Built when it is first needed: what is said before is about the world, then about users.
    run: Option<Run>,
    strings: [Rc<RefCell<Strings>>; 2],
}

/// What the world is like: to be said before anything happens.
impl Pair {
    /// Adds single faults.
    #[must_use]
    pub fn faults(mut self, rules: impl IntoIterator<Item = NthMatch>) -> Self {
        if let FaultPlan::Drawn { nth, .. } = &mut self.scenario.faults {
            nth.extend(rules);
        }
        self
    }

    /// Draws faults from the seed, behind the router in both directions.
    #[must_use]
    pub fn weather(mut self, faults: LinkFaults) -> Self {
        if let FaultPlan::Drawn { hops, .. } = &mut self.scenario.faults {
            hops.extend([CLIENT_TO_SERVER, SERVER_TO_CLIENT].map(|hop| (hop, faults)));
        }
        self
    }

    /// From then on the network does no harm.
    #[must_use]
    pub fn heal_at(mut self, time: Duration) -> Self {
        self.scenario.heal_at = time;
        self
    }

    /// The router reports what it drops, at once and as tersely as may be.
    #[must_use]
    pub fn reporting_router(mut self) -> Self {
        self.scenario.icmp = Some(IcmpPlan {
            interval: Duration::ZERO,
            quote_octets: 8,
        });
        self
    }

    /// Changes the settings of both hosts.
    #[must_use]
    pub fn configure(mut self, change: impl Fn(&mut Config)) -> Self {
        self.scenario
            .hosts
            .iter_mut()
            .for_each(|host| change(&mut host.config));
        self
    }

    /// Switches a protection off at both hosts.
    #[must_use]
    pub fn without(self, protection: Protection) -> Self {
        Self {
            scenario: self.scenario.clone().without(protection),
            ..self
        }
    }

    /// The whole world as data.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }
}

/// What happens.
impl Pair {
    /// The user at the client.
    pub fn client(&mut self) -> User<'_> {
        User {
            pair: self,
            index: 0,
        }
    }

    /// The user at the server.
    pub fn server(&mut self) -> User<'_> {
        User {
            pair: self,
            index: 1,
        }
    }

    /// The world that is running.
    pub fn run(&mut self) -> &mut Run {
        let (scenario, strings) = (&self.scenario, &self.strings);
        self.run.get_or_insert_with(|| begin(scenario, strings))
    }

    /// Cuts a hop for as long as the guard lives.
    pub fn cut(&mut self, hop: HopId) -> Cut {
        self.run().world_mut().cut([hop])
    }

    /// The handle by which faults are added, each for as long as its guard lives, before the network
    /// heals.
    pub fn rules(&mut self) -> Rules {
        self.run().world_mut().fates_mut().inner_mut().rules()
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, time: Duration) -> &mut Self {
        let run = self.run();
        let until = run.world().now() + time;
        run.run_until(until);
        run.world_mut().run_until(until);
        self
    }

    /// Runs until nothing is left to happen, and ends the world.
    ///
    /// # Panics
    /// If an oracle finds a violation, or the world does not come to rest in a day.
    pub fn run_until_quiet(&mut self) -> Report {
        let (report, violations) = self.run_to_the_end();
        assert!(
            violations.is_empty() && report.quiet,
            "{}",
            self.complaint(&report, &violations)
        );
        report
    }

    /// Runs until nothing is left to happen, and returns the violations of which this test knows
    /// that there are some.
    ///
    /// # Panics
    /// If there are none.
    pub fn expect_violation(&mut self) -> Vec<Finding> {
        let (report, violations) = self.run_to_the_end();
        assert!(
            !violations.is_empty(),
            "no violation\n{}",
            self.complaint(&report, &[])
        );
        violations
    }

    fn run_to_the_end(&mut self) -> (Report, Vec<Finding>) {
        self.run().run();
        let run = self.run.take().expect("it was just used");
        let report = run.finish();
        let violations = report.violations().cloned().collect();
        (report, violations)
    }

    fn complaint(&self, report: &Report, violations: &[Finding]) -> String {
        let mut text = String::new();
        for violation in violations {
            text += &format!("{violation}\n");
        }
        if !report.quiet {
            text += "the world does not come to rest\n";
        }
        let test = std::thread::current().name().unwrap_or("").to_owned();
        text + &format!("replay: TIMEWAIT_SEED={:#x} cargo test {test}", self.seed)
    }
}

fn host(machine: &mut Machine) -> &mut Host {
    machine.host_mut().expect("both ends are hosts")
}

fn begin(scenario: &Scenario, strings: &[Rc<RefCell<Strings>>; 2]) -> Run {
    let mut run = Run::new(scenario, Watch::ALL, Vec::new());
    let ends = [0, 1].map(|index| {
        let address = scenario.address(index).expect("both hosts have addresses");
        SocketAddr::new(address, if index == 0 { 0 } else { PORT })
    });
    for (node, peer) in [(SERVER, None), (CLIENT, Some(ends[1]))] {
        let index = node.0 as usize;
        let puppet = Puppet::new(strings[index].clone(), ends[index], peer);
        run.world_mut().with(node, |machine, now| {
            host(machine).start_app(now, Box::new(puppet))
        });
    }
    run
}

/// A user of one end. Each order is carried out as soon as it is possible: after all octets are
/// sent, say, for a close.
pub struct User<'a> {
    pair: &'a mut Pair,
    index: u32,
}

impl User<'_> {
    fn order(self, order: impl FnOnce(&mut Strings)) -> Self {
        self.pair.run();
        order(&mut self.pair.strings[self.index as usize].borrow_mut());
        let node = NodeId(self.index);
        self.pair
            .run()
            .world_mut()
            .with(node, |machine, now| host(machine).wake_app(now, PUPPET));
        self
    }

    /// Sends so many octets of [`content`](crate::content).
    pub fn send(self, octets: u64) -> Self {
        self.order(|strings| strings.to_send += octets)
    }

    /// Shuts the sending side.
    pub fn shut(self) -> Self {
        self.order(|strings| strings.shut = true)
    }

    /// Closes.
    pub fn close(self) -> Self {
        self.order(|strings| strings.close = true)
    }

    /// Aborts.
    pub fn abort(self) -> Self {
        self.order(|strings| strings.abort = true)
    }

    /// Stops reading, or reads again.
    pub fn deaf(self, deaf: bool) -> Self {
        self.order(|strings| strings.deaf = deaf)
    }

    /// What this user has seen so far.
    pub fn seen(self) -> Strings {
        self.pair.strings[self.index as usize].borrow().clone()
    }

    /// The state of the only connection or listener of this host; CLOSED if there is none.
    pub fn state(self) -> State {
        let machine = self.pair.run().world().node(NodeId(self.index));
        let host = machine.host().expect("both ends are hosts");
        host.stack()
            .netstat()
            .last()
            .map_or(State::Closed, |row| row.state)
    }

    /// The time.
    pub fn now(self) -> Instant {
        self.pair.run().world().now()
    }
}

/// The puppet is the first and only user of its host.
const PUPPET: u32 = 0;
