//! How an oracle reports what it found about one incarnation.

use core::fmt::Display;
use timewait_sim::{Finding, FindingKind, Instant};
use timewait_stack::Config;

use crate::facts::{Facts, Taint};
use crate::label::Incarnation;

/// Where findings about one incarnation go.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) oracle: &'static str,
    pub(super) who: Incarnation,
    pub(super) now: Instant,
    pub(super) facts: &'a Facts,
    pub(super) findings: &'a mut Vec<Finding>,
}

impl<'a> Report<'a> {
    /// The configuration of its host, if the scenario told.
    pub(super) fn config(&self) -> Option<&'a Config> {
        self.facts.circumstances().config(self.who.host)
    }

    /// The time that the clock of its host shows.
    pub(super) fn shown(&self) -> Instant {
        self.facts
            .circumstances()
            .clock(self.who.host)
            .shows(self.now)
    }

    /// Something that must not happen. If an old or a damaged segment has spoilt the incarnation
    /// or its pair before, it is no more than a hazard: `incarnation` and `acceptance` have said
    /// whether *that* was a violation.
    pub(super) fn violation(&mut self, message: impl Display) {
        self.add(self.facts.taint_of(self.who), message);
    }

    /// The same about what `who` and this other one do to each other.
    pub(super) fn violation_between(&mut self, other: Option<Incarnation>, message: impl Display) {
        let spoilt = |name| self.facts.taint_of(name);
        self.add(spoilt(self.who).or_else(|| other.and_then(spoilt)), message);
    }

    /// The same for an oracle whose demands old segments do not weaken.
    pub(super) fn violation_unless_damaged(&mut self, message: impl Display) {
        let taint = self.facts.taint_of(self.who);
        self.add(taint.filter(|taint| *taint == Taint::Damage), message);
    }

    /// Several of these.
    pub(super) fn violations_unless_damaged(&mut self, messages: impl IntoIterator<Item = String>) {
        for message in messages {
            self.violation_unless_damaged(message);
        }
    }

    fn add(&mut self, taint: Option<Taint>, message: impl Display) {
        let kind = taint.map_or(FindingKind::Violation, |taint| {
            FindingKind::Hazard(taint.hazard())
        });
        let (oracle, at) = (self.oracle, self.now);
        let message = format!("{}: {message}", self.who);
        self.findings.push(Finding {
            oracle,
            at,
            kind,
            message,
        });
    }
}
