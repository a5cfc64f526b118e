//! `timewait show`: the scenario of one seed as a file.

use timewait::properties::check;
use timewait::properties::scenario::FaultPlan;

use super::arguments::Show;
use super::{Status, output, wrong_input};
use crate::panics::caught;

pub(super) fn show(arguments: &Show) -> Status {
    let (mut scenario, title) = match arguments.asked.scenario() {
        Ok(asked) => asked,
        Err(message) => return wrong_input(&message),
    };
    if arguments.listed {
        scenario.faults = match caught(|| check(&scenario)) {
            Ok(report) => FaultPlan::Listed(report.fates),
            Err(message) => return wrong_input(&format!("its run panics: {message}")),
        };
    }
    output::print(&format!("# {title}\n{}", scenario.to_toml()));
    Status::Held
}
