use super::{FINDINGS_KEPT, Judge, Panel};
use crate::event::HostEvent;
use crate::facts::{Circumstances, Facts};
use crate::staging::{A, Stage};
use timewait_sim::{Finding, FindingKind, Instant, Observation, Oracle};

/// Complains about everything it sees.
struct Complainer(FindingKind);

impl Judge for Complainer {
    fn name(&self) -> &'static str {
        "complainer"
    }

    fn observe(
        &mut self,
        now: Instant,
        _: &Observation<'_, HostEvent>,
        _: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let kind = self.0.clone();
        findings.push(Finding {
            oracle: "complainer",
            at: now,
            kind,
            message: String::new(),
        });
    }
}

#[test]
fn findings_are_counted_all_and_kept_up_to_a_bound() {
    let judges: Vec<Box<dyn Judge>> = vec![
        Box::new(Complainer(FindingKind::Violation)),
        Box::new(Complainer(FindingKind::Hazard("E1"))),
    ];
    let shared = Panel::new(Circumstances::default(), judges).shared();
    let mut in_a_world = shared.clone();
    let mut findings = Vec::new();
    let event = HostEvent::Rebooted { boot: 0 };
    let seen = Observation::Node {
        node: A,
        cause: timewait_sim::Cause::Start,
        event: &event,
    };
    for _ in 0..100 {
        in_a_world.observe(Instant::ZERO, &seen, &mut findings);
    }
    assert_eq!(findings.len() as u64, 2 * FINDINGS_KEPT);
    let panel = shared.borrow();
    assert_eq!(panel.coverage().violations["complainer"], 100);
    assert_eq!(panel.coverage().hazards["E1"], 100);
}

#[test]
fn every_oracle_of_the_standard_panel_has_a_name_of_its_own() {
    let mut names: Vec<_> = crate::oracles::standard()
        .iter()
        .map(|judge| judge.name())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(all >= 11 && names.len() == all, "{names:?}");
}

#[test]
fn judges_of_one_panel_are_silent_about_a_connection_by_the_book() {
    use crate::oracles::{acceptance, incarnation, sequence, time_wait, transitions};
    let mut stage = Stage::new(vec![
        Box::<incarnation::OldDuplicates>::default(),
        Box::<acceptance::Acceptance>::default(),
        Box::<transitions::Transitions>::default(),
        Box::<time_wait::TimeWait>::default(),
        Box::<sequence::Sequence>::default(),
    ]);
    let listener = stage.listen(crate::staging::B);
    let (client, server) = stage.handshake(listener, 100, 300);
    stage.close_in_turn(client, server);
    stage.finish();
    stage.assert_silent();
}
