//! A churn with rounds less. Whoever comes after them has another number, and listed fates name
//! datagrams by it.

use timewait_sim::NodeId;

use super::{Step, pieces};
use crate::label::Incarnation;
use crate::scenario::{Churn, FaultPlan, Role, Scenario};

/// So many incarnations a round may begin at one host: a listener and a connection.
const BEGUN_MAX: u32 = 2;

impl Scenario {
    /// Pieces of all churns, each with every guess of how many incarnations went with it, if that
    /// matters.
    pub(super) fn rounds_to_drop(&self) -> Vec<Step> {
        let listed = matches!(&self.faults, FaultPlan::Listed(fates) if !fates.is_empty());
        let guesses = if listed { BEGUN_MAX } else { 0 };
        let drop = |(first, count)| {
            (0..=guesses).flat_map(move |here| {
                (0..=guesses).map(move |there| Step::DropRounds {
                    first,
                    count,
                    begun: [here * count, there * count],
                })
            })
        };
        pieces(self.rounds()).flat_map(drop).collect()
    }

    pub(super) fn drop_rounds(&mut self, first: u32, count: u32, begun: [u32; 2]) {
        for churn in self.churns_mut() {
            let end = (first + count).min(churn.rounds.len() as u32);
            churn.rounds.drain(first as usize..end as usize);
        }
        if let FaultPlan::Listed(fates) = &mut self.faults {
            fates.retain_mut(|(at, _)| comes_earlier(&mut at.tag, begun));
        }
    }

    pub(crate) fn churns_mut(&mut self) -> impl Iterator<Item = &mut Churn> {
        let apps = self.hosts.iter_mut().flat_map(|host| &mut host.apps);
        apps.filter_map(|app| match &mut app.role {
            Role::Churn(churn) => Some(churn),
            Role::Serve(_) | Role::Call(_) => None,
        })
    }

    /// The rounds of the longest churn.
    pub(super) fn rounds(&self) -> u32 {
        let apps = self.hosts.iter().flat_map(|host| &host.apps);
        let rounds = apps.map(|app| match &app.role {
            Role::Churn(churn) => churn.rounds.len() as u32,
            Role::Serve(_) | Role::Call(_) => 0,
        });
        rounds.max().unwrap_or(0)
    }
}

/// The label of a sender before whom so many incarnations are gone at its host; `false`: it is gone,
/// too.
fn comes_earlier(tag: &mut u64, begun: [u32; 2]) -> bool {
    let mut sender = Incarnation::from_tag(*tag);
    let NodeId(host) = sender.host;
    let gone = begun.get(host as usize).copied().unwrap_or(0);
    match sender.connection.0.checked_sub(gone.into()) {
        Some(number) if number > 0 || gone == 0 => {
            sender.connection.0 = number;
            *tag = sender.tag();
            true
        }
        _ => false,
    }
}
