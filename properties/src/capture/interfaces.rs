//! The interfaces of a capture: their names, and their numbers in the file.

use core::fmt::{self, Write as _};

use timewait_sim::{Aqm, HopId, NodeId};

use crate::check::node;
use crate::ladder::span;
use crate::scenario::{LinkEnd, LinkPlan, Scenario};

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    /// `h0`, `h0>r2`.
    pub(super) name: String,
    /// What a user of Wireshark wants to know of it.
    pub(super) about: String,
    /// Bits per second, of a link that has a rate.
    pub(super) speed: Option<u64>,
}

/// No interface of the scenario has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownInterface {
    /// The name.
    pub name: String,
    /// Those that there are.
    pub known: Vec<String>,
}

impl fmt::Display for UnknownInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.join(", ");
        write!(
            f,
            "there is no interface '{}'; there are {known}",
            self.name
        )
    }
}

impl core::error::Error for UnknownInterface {}

/// All interfaces of a scenario: hosts, attackers, boxes, and links in both directions.
#[derive(Clone, Debug)]
pub(super) struct Interfaces {
    all: Vec<Interface>,
    /// Which of them are captured; `None`: all.
    kept: Option<Vec<bool>>,
    hosts: u32,
    routers: u32,
    machines: u32,
}

impl Interfaces {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let hosts = (0..scenario.hosts.len() as u16)
            .map(|number| machine(name(scenario, LinkEnd::Host(number)), "a host"));
        let attackers = (0..scenario.attackers.len() as u16)
            .map(|number| machine(name(scenario, LinkEnd::Attacker(number)), "an attacker"));
        let boxes = (0..scenario.boxes.len() as u16)
            .map(|number| machine(name(scenario, LinkEnd::Box(number)), "a box"));
        let mut all: Vec<_> = hosts.chain(attackers).chain(boxes).collect();
        let machines = all.len() as u32;
        for plan in &scenario.links {
            all.push(link(scenario, plan, plan.a, plan.b));
            all.push(link(scenario, plan, plan.b, plan.a));
        }
        Self {
            all,
            kept: None,
            hosts: scenario.hosts.len() as u32,
            routers: scenario.routers.into(),
            machines,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Interface> {
        self.all.iter()
    }

    /// Captures only those with these names.
    pub(super) fn keep(&mut self, names: &[impl AsRef<str>]) -> Result<(), UnknownInterface> {
        let known = |name: &&str| self.all.iter().any(|its| its.name == **name);
        let mut asked = names.iter().map(AsRef::as_ref);
        if let Some(name) = asked.find(|name| !known(name)) {
            return Err(UnknownInterface {
                name: name.to_owned(),
                known: self.all.iter().map(|its| its.name.clone()).collect(),
            });
        }
        let kept = |its: &Interface| names.iter().any(|name| name.as_ref() == its.name);
        self.kept = Some(self.all.iter().map(kept).collect());
        Ok(())
    }

    /// Whether what is seen there is captured.
    pub(super) fn has(&self, interface: u32) -> bool {
        let kept = self.kept.as_ref();
        kept.is_none_or(|kept| kept[interface as usize])
    }

    /// The number of a machine's interface; routers have none.
    pub(super) fn of_node(&self, node: NodeId) -> Option<u32> {
        match node.0.checked_sub(self.hosts) {
            None => Some(node.0),
            Some(beyond) => beyond
                .checked_sub(self.routers)
                .map(|attacker| self.hosts + attacker),
        }
    }

    /// The number of the interface of one direction of a link.
    pub(super) fn of_hop(&self, hop: HopId) -> u32 {
        self.machines + hop.0
    }
}

fn machine(name: String, about: &str) -> Interface {
    Interface {
        name,
        about: about.to_owned(),
        speed: None,
    }
}

fn link(scenario: &Scenario, plan: &LinkPlan, from: LinkEnd, to: LinkEnd) -> Interface {
    let mut about = format!("delay {}", span(plan.delay));
    if let Some(mtu) = plan.mtu {
        let _ = write!(about, ", MTU {mtu}");
    }
    if plan.rate.is_some() {
        let managed = match plan.aqm {
            Aqm::None => "",
            Aqm::Threshold { .. } => ", marks congestion",
            Aqm::Red(_) => ", RED",
            Aqm::Codel(_) => ", CoDel",
        };
        let most = plan.queue_bytes_max;
        let _ = write!(about, ", queue of {most} octets{managed}");
    }
    Interface {
        name: format!("{}>{}", name(scenario, from), name(scenario, to)),
        about,
        speed: plan.rate.map(|octets| octets * 8),
    }
}

/// As ladders name it: attackers are numbered with all other nodes.
fn name(scenario: &Scenario, end: LinkEnd) -> String {
    let letter = match end {
        LinkEnd::Host(_) => 'h',
        LinkEnd::Router(_) => 'r',
        LinkEnd::Attacker(_) => 'a',
        LinkEnd::Box(_) => 'b',
    };
    format!("{letter}{}", node(scenario, end).0)
}
