//! A log of every fate that is not the default.

use super::{Fate, Fates, Passage};
use crate::packet::Packet;

/// Wraps other fates and logs what they decide. Replayed by [`Listed`](super::Listed), the log
/// gives the same run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorder<F> {
    inner: F,
    log: Vec<(Passage, Fate)>,
}

impl<F> Recorder<F> {
    /// Records what `inner` decides.
    pub fn new(inner: F) -> Self {
        Self {
            inner,
            log: Vec::new(),
        }
    }

    /// The wrapped fates.
    pub fn inner_mut(&mut self) -> &mut F {
        &mut self.inner
    }

    /// What was not the default, in the order in which it was decided.
    pub fn log(&self) -> &[(Passage, Fate)] {
        &self.log
    }

    /// The log alone.
    pub fn into_log(self) -> Vec<(Passage, Fate)> {
        self.log
    }
}

impl<F: Fates> Fates for Recorder<F> {
    fn fate(&mut self, at: Passage, packet: &Packet) -> Fate {
        let fate = self.inner.fate(at, packet);
        if !fate.is_default() {
            self.log.push((at, fate));
        }
        fate
    }
}
