//! Links, what cuts them, and routes over them.

use timewait_sim::Aqm;

use super::{Checked, bounded, demand, host};
use crate::scenario::{Cut, LinkEnd, LinkPlan, RoutePlan, Scenario};

pub(super) fn check(scenario: &Scenario) -> Checked {
    for (nth, link) in scenario.links.iter().enumerate() {
        links(link, scenario, &format!("links[{nth}]"))?;
    }
    for (nth, cut) in scenario.cuts.iter().enumerate() {
        cuts(cut, scenario, &format!("cuts[{nth}]"))?;
    }
    for (nth, route) in scenario.routes.iter().enumerate() {
        routes(route, scenario, &format!("routes[{nth}]"))?;
    }
    Ok(())
}

fn links(link: &LinkPlan, scenario: &Scenario, key: &str) -> Checked {
    for (name, end) in [("a", link.a), ("b", link.b)] {
        let (number, there_are) = match end {
            LinkEnd::Host(number) => (number, scenario.hosts.len()),
            LinkEnd::Router(number) => (number, usize::from(scenario.routers)),
            LinkEnd::Attacker(number) => (number, scenario.attackers.len()),
            LinkEnd::Box(number) => (number, scenario.boxes.len()),
        };
        let exists = usize::from(number) < there_are;
        demand(
            exists,
            &format!("{key}.{name}"),
            format!("there is no {end}"),
        )?;
    }
    demand(link.a != link.b, &format!("{key}.b"), "a link has two ends")?;
    demand(
        link.rate != Some(0),
        &format!("{key}.rate"),
        "a rate is 1 or more",
    )?;
    let mtu = link.mtu.is_none_or(|mtu| mtu >= 68);
    demand(
        mtu,
        &format!("{key}.mtu"),
        "a link carries 68 octets or more (RFC 791)",
    )?;
    bounded(link.delay, &format!("{key}.delay"))?;
    queue(link.aqm, &format!("{key}.aqm"))
}

fn queue(aqm: Aqm, key: &str) -> Checked {
    match aqm {
        Aqm::None | Aqm::Threshold { .. } => Ok(()),
        Aqm::Red(red) => {
            demand(
                red.bytes_min < red.bytes_max,
                &format!("{key}.red.bytes_min"),
                "it is less than bytes_max",
            )?;
            demand(red.weight <= 16, &format!("{key}.red.weight"), "0 to 16")?;
            demand(
                red.probability_max <= 1_000_000,
                &format!("{key}.red.probability_max"),
                "parts per million",
            )
        }
        Aqm::Codel(codel) => {
            let interval = format!("{key}.codel.interval");
            demand(!codel.interval.is_zero(), &interval, "more than 0")?;
            bounded(codel.interval, &interval)
        }
    }
}

fn cuts(cut: &Cut, scenario: &Scenario, key: &str) -> Checked {
    link(cut.link, scenario, &format!("{key}.link"))?;
    let end = cut.at.saturating_add(cut.lasts);
    demand(
        end <= scenario.heal_at,
        &format!("{key}.lasts"),
        "all links are up again by heal_at",
    )
}

fn routes(route: &RoutePlan, scenario: &Scenario, key: &str) -> Checked {
    demand(
        route.router < scenario.routers,
        &format!("{key}.router"),
        format!("there is no r{}", route.router),
    )?;
    host(route.host, scenario, &format!("{key}.host"))?;
    link(route.link, scenario, &format!("{key}.link"))?;
    let over = &scenario.links[route.link as usize];
    let router = LinkEnd::Router(route.router);
    demand(
        over.a == router || over.b == router,
        &format!("{key}.link"),
        format!("link {} does not end at {router}", route.link),
    )
}

fn link(number: u32, scenario: &Scenario, key: &str) -> Checked {
    let exists = (number as usize) < scenario.links.len();
    demand(exists, key, format!("there is no link {number}"))
}
