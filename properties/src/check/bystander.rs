//! Non-interference (ORACLES.md §1, `off-path`): the same run without the attack, and whether
//! connections that nobody attacked noticed any difference.
//!
//! A single run can't show it: the bystander's datagrams are all correct, only not the same.

use core::cell::RefCell;
use core::net::SocketAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use timewait_sim::{Finding, Instant, NodeId, Observation, Oracle, Packet};

use super::{Run, Watch};
use crate::event::HostEvent;
use crate::facts::SegmentHeader;
use crate::label::Incarnation;
use crate::scenario::Scenario;

/// What the connections sent that nobody attacked.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness(Rc<RefCell<Account>>);

#[derive(Debug, Default)]
struct Account {
    /// Ends of connections under attack, and nodes that attack.
    attacked: BTreeSet<SocketAddr>,
    attackers: BTreeSet<NodeId>,
    sent: BTreeMap<u64, Vec<Sent>>,
}

/// When which host sent which segment. (Its octets depend on the names of connections, which an
/// attack may shift.)
type Sent = (Instant, NodeId, SegmentHeader);

impl Witness {
    /// A witness of what happens in this scenario beside its attacks.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let attacks = scenario.attackers.iter().flat_map(|plan| &plan.attacks);
        let ends = attacks.flat_map(|attack| {
            let peer = attack.method.peer().and_then(|peer| scenario.end(peer));
            [peer, scenario.end(attack.to)]
        });
        let account = Account {
            attacked: ends.flatten().collect(),
            attackers: super::run::attackers(scenario).map(NodeId).collect(),
            sent: BTreeMap::new(),
        };
        Self(Rc::new(RefCell::new(account)))
    }

    /// An observer that tells this witness.
    pub(super) fn oracle(&self) -> Box<dyn Oracle<HostEvent>> {
        Box::new(self.clone())
    }

    /// Runs `scenario` once more, without its attacks, and compares.
    pub(super) fn compare(&self, scenario: &Scenario) -> Option<Finding> {
        let mut calm = scenario.clone();
        for plan in &mut calm.attackers {
            plan.attacks.clear();
        }
        let calm_witness = Self::new(scenario);
        let mut run = Run::new(&calm, Watch::NOTHING, vec![calm_witness.oracle()]);
        run.run();
        let (here, there) = (self.0.borrow(), calm_witness.0.borrow());
        let flows: BTreeSet<u64> = here.sent.keys().chain(there.sent.keys()).copied().collect();
        flows.into_iter().find_map(|flow| {
            let of = |account: &Account| account.sent.get(&flow).cloned().unwrap_or_default();
            difference(&of(&here), &of(&there))
        })
    }
}

/// The first difference between a run and the same one without the attack.
fn difference(attacked: &[Sent], calm: &[Sent]) -> Option<Finding> {
    let same = attacked
        .iter()
        .zip(calm)
        .take_while(|(a, b)| a == b)
        .count();
    let (here, there) = (attacked.get(same), calm.get(same));
    let at = here.or(there)?.0;
    let words = |sent: Option<&Sent>| match sent {
        Some((at, node, header)) => format!("h{} sends {header} at {at:?}", node.0),
        None => "nothing is sent any more".to_owned(),
    };
    let message = format!(
        "an attack on another connection is felt: {}; without it {}",
        words(here),
        words(there)
    );
    Some(Finding::violation("off-path", at, message))
}

impl Account {
    fn take(&mut self, now: Instant, packet: &Packet) {
        let Some(header) = SegmentHeader::decode(packet.payload.octets()) else {
            return;
        };
        let ends = [
            SocketAddr::new(packet.src, header.source_port),
            SocketAddr::new(packet.dst, header.destination_port),
        ];
        let provoked = self
            .attackers
            .contains(&Incarnation::from_tag(packet.tag).host);
        if !provoked && !ends.iter().any(|end| self.attacked.contains(end)) {
            let sent = self.sent.entry(packet.flow).or_default();
            sent.push((now, packet.id.origin, header));
        }
    }
}

impl Oracle<HostEvent> for Witness {
    fn name(&self) -> &'static str {
        "witness"
    }

    fn observe(&mut self, now: Instant, seen: &Observation<'_, HostEvent>, _: &mut Vec<Finding>) {
        if let Observation::Sent { packet, .. } = seen {
            self.0.borrow_mut().take(now, packet);
        }
    }
}
