//! Links that are cut for a while, as data.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use timewait_sim::HopId;

use super::text::time;
use super::{LinkEnd, LinkPlan, Scenario, weather};
use crate::choose::Choose;
use crate::scenarios::Kind;

/// A link is down for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// When it goes down.
    #[serde(with = "time")]
    pub at: Duration,
    /// How long it stays down.
    #[serde(with = "time")]
    pub lasts: Duration,
    /// The link, by its number.
    pub link: u32,
    /// Which directions of it.
    #[serde(default)]
    pub direction: Direction,
}

/// The directions of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Both.
    #[default]
    Both,
    /// From `a` to `b`.
    Forward,
    /// From `b` to `a`.
    Backward,
}

impl Cut {
    /// When the link is up again, unless another cut keeps it down.
    pub fn end(&self) -> Duration {
        self.at + self.lasts
    }

    /// The hops that are down.
    pub fn hops(&self) -> impl Iterator<Item = HopId> + use<> {
        let (forward, backward) = (HopId(self.link * 2), HopId(self.link * 2 + 1));
        let hops = match self.direction {
            Direction::Both => [Some(forward), Some(backward)],
            Direction::Forward => [Some(forward), None],
            Direction::Backward => [None, Some(backward)],
        };
        hops.into_iter().flatten()
    }
}

/// Some worlds have links that are down for a while, as often as fits what happens in them. Those
/// that are about single datagrams, or about what attackers do, have none.
pub(crate) fn add(choose: &mut dyn Choose, scenario: &mut Scenario) {
    let part_of_16 = match scenario.kind {
        Kind::Swarm | Kind::Churn | Kind::Rogue => 4,
        Kind::Bulk | Kind::Close | Kind::HalfClose | Kind::Abort => 2,
        Kind::SimultaneousOpen | Kind::SimultaneousClose => 1,
        Kind::PathMtu | Kind::Reboot => 1,
        Kind::Handshake
        | Kind::Refused
        | Kind::LastAckLost
        | Kind::Attack
        | Kind::Flood
        | Kind::Bystander
        | Kind::Middlebox
        | Kind::Ailing => return,
    };
    if choose.chance(part_of_16, 16) {
        let by = scenario.heal_at.min(WITHIN);
        scenario.cuts = draw(choose, &scenario.links, by);
    }
}

/// Cuts that are over by `heal_at`: one link for a while, one that flaps, or a host that is
/// isolated.
fn draw(choose: &mut dyn Choose, links: &[LinkPlan], heal_at: Duration) -> Vec<Cut> {
    let link = choose.below(links.len() as u64) as u32;
    let direction = *choose.pick(&[Direction::Both, Direction::Forward, Direction::Backward]);
    match choose.below(3) {
        0 => vec![once(choose, heal_at, link, direction)],
        1 => flaps(choose, heal_at, link, direction),
        _ => isolation(choose, heal_at, links),
    }
}

fn once(choose: &mut dyn Choose, heal_at: Duration, link: u32, direction: Direction) -> Cut {
    // Most of what happens happens early.
    let ms = Duration::from_millis(1);
    let at = weather::log_duration(choose, ms, heal_at / 2);
    Cut {
        at,
        lasts: weather::log_duration(choose, ms, heal_at - at),
        link,
        direction,
    }
}

/// Down and up again and again, as long down as up.
fn flaps(choose: &mut dyn Choose, heal_at: Duration, link: u32, direction: Direction) -> Vec<Cut> {
    let count = choose.between(2, FLAPS_MAX) as u32;
    let first = once(choose, heal_at / (2 * count), link, direction);
    let again = |n: u32| Cut {
        at: first.at + first.lasts * (2 * n),
        ..first
    };
    (0..count).map(again).collect()
}

/// Every link of one host is down at once, in both directions.
fn isolation(choose: &mut dyn Choose, heal_at: Duration, links: &[LinkPlan]) -> Vec<Cut> {
    let hosts = links.iter().flat_map(|link| [link.a, link.b]);
    let mut hosts: Vec<_> = hosts
        .filter(|end| matches!(end, LinkEnd::Host(_)))
        .collect();
    hosts.dedup();
    let host = *choose.pick(&hosts);
    let cut = once(choose, heal_at, 0, Direction::Both);
    let its = |link: &LinkPlan| link.a == host || link.b == host;
    let numbered = (0..).zip(links).filter(|(_, link)| its(link));
    numbered.map(|(link, _)| Cut { link, ..cut }).collect()
}

/// Nobody waits for ever: cuts come in the first minute.
const WITHIN: Duration = Duration::from_secs(60);
/// So often does a link flap at most.
const FLAPS_MAX: u64 = 8;

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::{Cut, Direction, draw};
    use crate::choose::Seeded;
    use crate::scenario::Scenario;
    use crate::scenarios::Kind;
    use timewait_sim::HopId;

    #[test]
    fn a_cut_is_about_the_hops_of_its_directions() {
        let hops = |direction| {
            let cut = Cut {
                at: Duration::ZERO,
                lasts: Duration::from_secs(1),
                link: 3,
                direction,
            };
            cut.hops().collect::<Vec<_>>()
        };
        assert_eq!(hops(Direction::Both), [HopId(6), HopId(7)]);
        assert_eq!(hops(Direction::Forward), [HopId(6)]);
        assert_eq!(hops(Direction::Backward), [HopId(7)]);
    }

    #[test]
    fn drawn_cuts_are_over_in_time_and_of_all_kinds() {
        let links = Scenario::from_seed(Kind::Swarm, 1).links;
        let heal_at = Duration::from_secs(10);
        let (mut one, mut many, mut isolated) = (0, 0, 0);
        for seed in 0..200 {
            let cuts = draw(&mut Seeded::new(seed, "cuts"), &links, heal_at);
            assert!(
                cuts.iter()
                    .all(|cut| cut.end() <= heal_at && !cut.lasts.is_zero())
            );
            assert!(cuts.iter().all(|cut| (cut.link as usize) < links.len()));
            let same_time = cuts.iter().all(|cut| cut.at == cuts[0].at);
            match cuts.len() {
                1 => one += 1,
                _ if same_time => isolated += 1,
                _ => many += 1,
            }
        }
        // In this swarm a host has one link, so an isolation is a single cut.
        assert!(one > 90 && many > 40, "{one} {many} {isolated}");
    }
}
