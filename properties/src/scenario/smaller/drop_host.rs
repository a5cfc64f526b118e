//! A scenario with a host less: everything that names hosts or hops by number moves up.

use timewait_sim::{HopId, NodeId};

use crate::label::Incarnation;
use crate::scenario::{FaultPlan, LinkEnd, LinkPlan, Role, Scenario};

impl Scenario {
    /// Without this host, the links that end at it, and everybody who calls it.
    pub(super) fn without_host(&self, gone: u16) -> Option<Self> {
        let host = |n: u16| (n != gone).then(|| n - u16::from(n > gone));
        let mut scenario = self.clone();
        scenario.hosts.remove(usize::from(gone));
        for plan in &mut scenario.hosts {
            plan.apps.retain_mut(|app| {
                let called = match &mut app.role {
                    Role::Serve(_) => return true,
                    Role::Call(call) => &mut call.host,
                    Role::Churn(churn) => &mut churn.host,
                };
                host(*called).map(|moved| *called = moved).is_some()
            });
        }
        let end = |end: LinkEnd| match end {
            LinkEnd::Host(n) => host(n).map(LinkEnd::Host),
            LinkEnd::Router(_) => Some(end),
        };
        let mut kept = Vec::new();
        scenario.links.clear();
        for (number, link) in (0_u32..).zip(&self.links) {
            if let (Some(a), Some(b)) = (end(link.a), end(link.b)) {
                scenario.links.push(LinkPlan { a, b, ..*link });
                kept.push(number);
            }
        }
        let hop = |old: HopId| {
            let link = kept.iter().position(|number| *number == old.0 / 2)?;
            Some(HopId(link as u32 * 2 + old.0 % 2))
        };
        match &mut scenario.faults {
            FaultPlan::Drawn { hops, nth, .. } => {
                hops.retain_mut(|(at, _)| hop(*at).map(|moved| *at = moved).is_some());
                nth.retain_mut(|rule| hop(rule.hop).map(|moved| rule.hop = moved).is_some());
            }
            FaultPlan::Listed(fates) => fates.retain_mut(|(at, _)| {
                let sender = Incarnation::from_tag(at.tag);
                let Some(host) = host(sender.host.0 as u16) else {
                    return false;
                };
                let Some(hop) = hop(at.hop) else { return false };
                let sender = Incarnation {
                    host: NodeId(u32::from(host)),
                    ..sender
                };
                (at.tag, at.hop) = (sender.tag(), hop);
                true
            }),
        }
        Some(scenario)
    }
}
