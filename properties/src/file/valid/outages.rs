//! Crashes and pauses: one after the other, each of a host that there is.

use core::time::Duration;
use std::collections::BTreeMap;

use super::{Checked, apps, bounded, demand, host, settings};
use crate::scenario::Scenario;

/// Until when each host is taken.
type Until = BTreeMap<u16, Duration>;

pub(super) fn check(scenario: &Scenario) -> Checked {
    let (mut off, mut still) = (Until::new(), Until::new());
    for (nth, crash) in scenario.crashes.iter().enumerate() {
        let key = format!("crashes[{nth}]");
        follows(crash.host, crash.at, crash.off, &mut off, &key)?;
        settings(&crash.config, &format!("{key}.settings"))?;
        apps(&crash.apps, scenario, &key)?;
    }
    for (nth, pause) in scenario.pauses.iter().enumerate() {
        let key = format!("pauses[{nth}]");
        host(pause.host, scenario, &format!("{key}.host"))?;
        follows(pause.host, pause.at, pause.lasts, &mut still, &key)?;
    }
    Ok(())
}

/// The host is back from the one before.
fn follows(host: u16, at: Duration, lasts: Duration, until: &mut Until, key: &str) -> Checked {
    let key = format!("{key}.at");
    bounded(at.saturating_add(lasts), &key)?;
    let before = until.insert(host, at + lasts);
    demand(
        before.is_none_or(|back_at| back_at <= at),
        &key,
        format!("host {host} is not back before: they stand in the order of time"),
    )
}
