//! The oracles of a world and what they have found.

use crate::oracle::{Finding, FindingKind, Observation, Oracle};
use crate::time::Instant;

pub(super) struct Judges<E> {
    oracles: Vec<Box<dyn Oracle<E>>>,
    pub(super) findings: Vec<Finding>,
}

impl<E> Judges<E> {
    pub(super) fn new() -> Self {
        Self {
            oracles: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, oracle: Box<dyn Oracle<E>>) {
        self.oracles.push(oracle);
    }

    /// Shows something to all; it is put together only if somebody looks.
    #[inline]
    pub(super) fn see<'a>(&mut self, now: Instant, seen: impl FnOnce() -> Observation<'a, E>)
    where
        E: 'a,
    {
        if !self.oracles.is_empty() {
            self.show(now, &seen());
        }
    }

    #[inline(never)]
    fn show(&mut self, now: Instant, seen: &Observation<'_, E>) {
        for oracle in &mut self.oracles {
            oracle.observe(now, seen, &mut self.findings);
        }
    }

    pub(super) fn finish(&mut self, now: Instant) {
        for oracle in &mut self.oracles {
            oracle.finish(now, &mut self.findings);
        }
    }

    pub(super) fn violation(&mut self, rule: &'static str, now: Instant, message: String) {
        let kind = FindingKind::Violation;
        self.findings.push(Finding {
            oracle: rule,
            at: now,
            kind,
            message,
        });
    }
}
