//! The judges of a run, and the panel that shows them everything.

use core::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use timewait_sim::{Finding, FindingKind, Instant, NodeId, Observation, Oracle};
use timewait_stack::status::{NetstatRow, Usage};

use crate::event::HostEvent;
use crate::facts::{Circumstances, Coverage, Facts, TCP, Taint};

/// One oracle: sees every observation after the facts have taken it in.
pub trait Judge {
    /// Its name, as in ORACLES.md.
    fn name(&self) -> &'static str;
    /// Sees one observation. What it finds goes into `findings`.
    fn observe(
        &mut self,
        now: Instant,
        seen: &Observation<'_, HostEvent>,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    );
    /// The run is over. If it stopped because nothing will ever happen again, `now` is its limit,
    /// not the last event: whoever is stuck must not pass for one who waits.
    fn finish(&mut self, now: Instant, facts: &Facts, findings: &mut Vec<Finding>) {
        let _ = (now, facts, findings);
    }
    /// Sees what a host holds, between two steps of the world.
    fn sample(
        &mut self,
        now: Instant,
        sample: &Sample<'_>,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let _ = (now, sample, facts, findings);
    }
    /// What it exempted or came across, counted by name; asked for once, after `finish`.
    fn notes(&self) -> Notes {
        Notes::new()
    }
}

/// What a host holds at a moment: no event says so, the driver asks its stack.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The host.
    pub node: NodeId,
    /// What its stack holds.
    pub usage: &'a Usage,
    /// Every listener, connection and TIME-WAIT record.
    pub netstat: &'a [NetstatRow],
}

/// How often something happened, by name.
pub type Notes = BTreeMap<&'static str, u64>;

/// Findings of one oracle and kind that are kept in full; further ones are only counted.
pub const FINDINGS_KEPT: u64 = 64;

/// The judges of one run and the facts they share.
pub struct Panel {
    facts: Facts,
    judges: Vec<Box<dyn Judge>>,
    found: Vec<Finding>,
    kept: BTreeMap<(&'static str, FindingKind), u64>,
}

impl Panel {
    /// A panel with these judges.
    pub fn new(circumstances: Circumstances, judges: Vec<Box<dyn Judge>>) -> Self {
        Self {
            facts: Facts::new(circumstances),
            judges,
            found: Vec::new(),
            kept: BTreeMap::new(),
        }
    }

    /// All oracles that are on by default.
    pub fn standard(circumstances: Circumstances) -> Self {
        Self::new(circumstances, crate::oracles::standard())
    }

    /// What is known of the run.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What the run has reached.
    pub fn coverage(&self) -> &Coverage {
        self.facts.coverage()
    }

    /// Shows the judges what a host holds: at the end of a run, and now and then before.
    pub fn sample(&mut self, now: Instant, sample: &Sample<'_>, findings: &mut Vec<Finding>) {
        for judge in &mut self.judges {
            judge.sample(now, sample, &self.facts, &mut self.found);
        }
        self.report(findings);
    }

    /// A panel that a world owns and its caller reads: put one clone into the world.
    pub fn shared(self) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(self))
    }

    /// Counts what was found and hands on what is not too much. After damage that no checksum told,
    /// nothing is a violation any more (E6).
    fn report(&mut self, findings: &mut Vec<Finding>) {
        let excused = self.facts.damage_passed();
        for mut finding in self.found.drain(..) {
            if excused && finding.kind == FindingKind::Violation {
                finding.kind = FindingKind::Hazard(Taint::Damage.hazard());
            }
            let coverage = self.facts.coverage_mut();
            match finding.kind {
                FindingKind::Violation => {
                    *coverage.violations.entry(finding.oracle).or_default() += 1;
                }
                FindingKind::Hazard(name) => *coverage.hazards.entry(name).or_default() += 1,
                FindingKind::Unknown => {}
            }
            let kept = self
                .kept
                .entry((finding.oracle, finding.kind.clone()))
                .or_default();
            *kept += 1;
            if *kept <= FINDINGS_KEPT {
                findings.push(finding);
            }
        }
    }
}

/// Datagrams that carry no segment: judges hear of ICMP by the events of the stacks.
fn is_no_segment(seen: &Observation<'_, HostEvent>) -> bool {
    seen.packet().is_some_and(|packet| packet.protocol != TCP)
}

impl Oracle<HostEvent> for Panel {
    fn name(&self) -> &'static str {
        "panel"
    }

    fn observe(
        &mut self,
        now: Instant,
        seen: &Observation<'_, HostEvent>,
        findings: &mut Vec<Finding>,
    ) {
        self.facts.observe(now, seen);
        if is_no_segment(seen) {
            return;
        }
        if let Observation::Sent { packet, .. } = seen
            && (self.facts.is_attacker(packet.id.origin) || self.facts.is_box(packet.id.origin))
        {
            return; // Nobody judges what these send, only what others make of it.
        }
        for judge in &mut self.judges {
            judge.observe(now, seen, &self.facts, &mut self.found);
        }
        if !self.found.is_empty() {
            self.report(findings);
        }
    }

    fn finish(&mut self, now: Instant, findings: &mut Vec<Finding>) {
        for judge in &mut self.judges {
            judge.finish(now, &self.facts, &mut self.found);
            for (name, count) in judge.notes() {
                *self.facts.coverage_mut().notes.entry(name).or_default() += count;
            }
        }
        self.report(findings);
    }
}

impl Oracle<HostEvent> for Rc<RefCell<Panel>> {
    fn name(&self) -> &'static str {
        "panel"
    }

    fn observe(
        &mut self,
        now: Instant,
        seen: &Observation<'_, HostEvent>,
        findings: &mut Vec<Finding>,
    ) {
        self.borrow_mut().observe(now, seen, findings);
    }

    fn finish(&mut self, now: Instant, findings: &mut Vec<Finding>) {
        self.borrow_mut().finish(now, findings);
    }
}

impl core::fmt::Debug for Panel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names: Vec<_> = self.judges.iter().map(|judge| judge.name()).collect();
        f.debug_struct("Panel")
            .field("judges", &names)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
