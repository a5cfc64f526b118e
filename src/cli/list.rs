//! `timewait list`: what there is to run, to switch off, and to be judged by.

use std::fmt::Write as _;

use timewait::{Kind, Protection};

use super::{Status, output};

pub(super) fn list() -> Status {
    let mut text = String::from("Scenarios, for run and replay:\n");
    for kind in Kind::ALL {
        let _ = writeln!(text, "  {kind:<22}  {}", kind.description());
    }
    text.push_str("\nProtections, for --disable:\n");
    for protection in Protection::ALL {
        let _ = writeln!(text, "  {protection:<22}  {}", protection.description());
    }
    text.push_str("\nOracles, always on:\n");
    for judge in timewait::properties::oracles::standard() {
        let _ = writeln!(text, "  {}", judge.name());
    }
    output::print(&text);
    Status::Held
}
