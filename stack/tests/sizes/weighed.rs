//! A stack on a scale: the heap that its own calls have taken and not given back.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use timewait_stack::{Config, Stack};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A stack and what it weighs. Nothing that a call returns may hold memory of its own: it would
/// be counted as the stack's.
pub(crate) struct Weighed {
    stack: Stack,
    octets: i64,
}

impl Weighed {
    pub(crate) fn new(config: Config) -> Self {
        let before = live();
        let stack = Stack::new(config);
        let octets = live() - before;
        Self { stack, octets }
    }

    /// Lets the stack work, and counts.
    pub(crate) fn with<R>(&mut self, work: impl FnOnce(&mut Stack) -> R) -> R {
        let before = live();
        let result = work(&mut self.stack);
        self.octets += live() - before;
        result
    }

    /// What asks and changes nothing.
    pub(crate) fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The octets of heap that it holds.
    pub(crate) fn octets(&self) -> i64 {
        self.octets
    }
}

/// Octets of heap in use.
fn live() -> i64 {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as i64 - stats.bytes_deallocated as i64
}
