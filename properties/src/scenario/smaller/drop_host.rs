//! A scenario with a machine less: everything that names machines or hops by number moves up.

use timewait_sim::{HopId, NodeId};

use crate::check::node;
use crate::label::Incarnation;
use crate::scenario::boxes::Work;
use crate::scenario::{FaultPlan, LinkEnd, LinkPlan, Role, Scenario};

impl Scenario {
    /// Without this host, the links that end at it, everybody who calls it, and the attacks on it
    /// and in its name.
    pub(super) fn without_host(&self, gone: u16) -> Option<Self> {
        let host = |n: &mut u16| moves_up(n, gone);
        let mut scenario = self.clone();
        scenario.hosts.remove(usize::from(gone));
        scenario.crashes.retain_mut(|crash| host(&mut crash.host));
        scenario.pauses.retain_mut(|pause| host(&mut pause.host));
        scenario.routes.retain_mut(|route| host(&mut route.host));
        let apps = scenario.hosts.iter_mut().map(|plan| &mut plan.apps);
        let later = scenario.crashes.iter_mut().map(|crash| &mut crash.apps);
        for apps in apps.chain(later) {
            apps.retain_mut(|app| match &mut app.role {
                Role::Serve(_) => true,
                Role::Call(call) => host(&mut call.host),
                Role::Churn(churn) => host(&mut churn.host),
            });
        }
        for plan in &mut scenario.boxes {
            if let Work::Nat(nat) = &mut plan.work {
                nat.inside.retain_mut(host);
            }
        }
        for attacker in &mut scenario.attackers {
            attacker.attacks.retain_mut(|attack| {
                let peer = attack.method.peer_mut();
                peer.is_none_or(|peer| host(&mut peer.host)) && host(&mut attack.to.host)
            });
        }
        scenario.unplug(LinkEnd::Host(gone), node(self, LinkEnd::Host(gone)));
        Some(scenario)
    }

    /// Without this attacker.
    pub(super) fn without_attacker(&self, gone: u16) -> Option<Self> {
        let mut scenario = self.clone();
        scenario.attackers.remove(usize::from(gone));
        let end = LinkEnd::Attacker(gone);
        scenario.unplug(end, node(self, end));
        Some(scenario)
    }

    /// With a router in the place of this box. Only without attackers, whose names would change.
    pub(super) fn without_box(&self, gone: u16) -> Option<Self> {
        if !self.attackers.is_empty() {
            return None;
        }
        let mut scenario = self.clone();
        scenario.boxes.remove(usize::from(gone));
        let router = LinkEnd::Router(scenario.routers);
        scenario.routers += 1;
        for link in &mut scenario.links {
            for end in [&mut link.a, &mut link.b] {
                if !end_moves_up(end, LinkEnd::Box(gone)) {
                    *end = router;
                }
            }
        }
        Some(scenario)
    }

    /// Takes away a machine's links and the faults on them; machines, nodes and hops behind it
    /// move up by one.
    fn unplug(&mut self, machine: LinkEnd, gone: NodeId) {
        let mut kept = Vec::new();
        for (number, link) in (0_u32..).zip(core::mem::take(&mut self.links)) {
            let LinkPlan { mut a, mut b, .. } = link;
            if end_moves_up(&mut a, machine) && end_moves_up(&mut b, machine) {
                self.links.push(LinkPlan { a, b, ..link });
                kept.push(number);
            }
        }
        let hop = |hop: &mut HopId| {
            let link = kept.iter().position(|number| *number == hop.0 / 2);
            link.inspect(|link| *hop = HopId(*link as u32 * 2 + hop.0 % 2))
                .is_some()
        };
        let link = |number: &mut u32| {
            let place = kept.iter().position(|kept| kept == number);
            place.inspect(|place| *number = *place as u32).is_some()
        };
        self.cuts.retain_mut(|cut| link(&mut cut.link));
        self.routes.retain_mut(|route| link(&mut route.link));
        self.rules.retain_mut(|rule| {
            let whose = rule.tag.as_mut();
            let at = rule.hop.as_mut();
            whose.is_none_or(|tag| sender_moves_up(tag, gone)) && at.is_none_or(hop)
        });
        match &mut self.faults {
            FaultPlan::Drawn { hops, nth, .. } => {
                hops.retain_mut(|(at, _)| hop(at));
                nth.retain_mut(|rule| {
                    let whose = rule.tag.as_mut();
                    whose.is_none_or(|tag| sender_moves_up(tag, gone)) && hop(&mut rule.hop)
                });
            }
            FaultPlan::Listed(fates) => {
                fates.retain_mut(|(at, _)| sender_moves_up(&mut at.tag, gone) && hop(&mut at.hop));
            }
        }
    }
}

/// The new label of a sender where machine `gone` is no more; `false`: it was that one.
fn sender_moves_up(tag: &mut u64, gone: NodeId) -> bool {
    let mut sender = Incarnation::from_tag(*tag);
    let stays = sender.host != gone;
    sender.host.0 -= u32::from(sender.host > gone);
    *tag = sender.tag();
    stays
}

/// The new number of a machine where number `gone` is no more; `false`: it was that one.
fn moves_up(n: &mut u16, gone: u16) -> bool {
    let stays = *n != gone;
    *n -= u16::from(*n > gone);
    stays
}

fn end_moves_up(end: &mut LinkEnd, gone: LinkEnd) -> bool {
    match (end, gone) {
        (LinkEnd::Host(n), LinkEnd::Host(gone))
        | (LinkEnd::Router(n), LinkEnd::Router(gone))
        | (LinkEnd::Attacker(n), LinkEnd::Attacker(gone))
        | (LinkEnd::Box(n), LinkEnd::Box(gone)) => moves_up(n, gone),
        _ => true,
    }
}
