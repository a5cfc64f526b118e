//! Boxes on the way.

use super::{Checked, bounded, demand, host};
use crate::scenario::Scenario;
use crate::scenario::boxes::{NatPlan, SegmentsPlan, StatePlan, Work};

pub(super) fn check(scenario: &Scenario) -> Checked {
    for (nth, plan) in scenario.boxes.iter().enumerate() {
        let key = format!("boxes[{nth}].work");
        match &plan.work {
            Work::Nat(plan) => nat(plan, scenario, &format!("{key}.nat"))?,
            Work::Firewall(plan) => state(plan, &format!("{key}.firewall"))?,
            Work::Options(_) => {}
            Work::Segments(plan) => segments(plan, &format!("{key}.segments"))?,
        }
    }
    Ok(())
}

fn nat(plan: &NatPlan, scenario: &Scenario, key: &str) -> Checked {
    for (nth, inside) in plan.inside.iter().enumerate() {
        host(*inside, scenario, &format!("{key}.inside[{nth}]"))?;
    }
    state(&plan.state, &format!("{key}.state"))
}

fn state(plan: &StatePlan, key: &str) -> Checked {
    demand(
        plan.flows_max > 0,
        &format!("{key}.flows_max"),
        "it knows one connection at least",
    )?;
    for (name, time) in [
        ("opening", plan.opening),
        ("established", plan.established),
        ("closing", plan.closing),
    ] {
        bounded(time, &format!("{key}.{name}"))?;
    }
    Ok(())
}

fn segments(plan: &SegmentsPlan, key: &str) -> Checked {
    demand(
        plan.split != Some(0),
        &format!("{key}.split"),
        "a piece has an octet at least",
    )?;
    plan.join.map_or(Ok(()), |join| {
        bounded(join.wait, &format!("{key}.join.wait"))
    })
}
