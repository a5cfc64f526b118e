//! A run as text that a human can check by eye: who sent what when, what the network did to it,
//! and how each end changed.
//!
//! Two hosts stand in two columns with a lane between them; more hosts are told line by line.
//! One event per line, virtual time in seconds (blank: the same instant as the line above),
//! sequence numbers relative to the ISN of the incarnation that they belong to, a reason beside
//! every drop. Segments of an incarnation that is no longer the newest of its host on its flow
//! are marked `old`.

use core::cell::RefCell;
use std::rc::Rc;

use timewait_sim::{Finding, Instant, NodeId, Observation, Oracle};

use crate::event::HostEvent;

mod columns;
mod entry;
pub(crate) mod known;
mod plain;
mod recorder;
pub(crate) mod relative;
pub(crate) mod words;

pub use words::span;

use entry::Entry;
use recorder::Recorder;

/// A handle on the recording of one run. Attach [`Ladder::oracle`] to the world, run it, then
/// [`Ladder::render`].
#[derive(Clone, Debug, Default)]
pub struct Ladder(Rc<RefCell<Recorder>>);

/// Which part of a recording to show. The default is all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this flow (`Packet::flow`); lines that belong to no flow stay.
    pub flow: Option<u64>,
    /// Only what happens at or between these hosts; empty: all of them.
    pub hosts: Vec<NodeId>,
    /// Not before this moment.
    pub from: Option<Instant>,
    /// Not after this moment.
    pub until: Option<Instant>,
    /// At most this many lines, the last ones.
    pub last: Option<u32>,
}

impl Ladder {
    /// Records the whole run, about 200 octets per line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records no more than the last `lines` lines up to and including `until`.
    pub fn tail(lines: u32, until: Instant) -> Self {
        Self(Rc::new(RefCell::new(Recorder::bounded(lines, until))))
    }

    /// The observer that records into this handle. It never finds anything.
    pub fn oracle(&self) -> Box<dyn Oracle<HostEvent>> {
        Box::new(Scribe(Rc::clone(&self.0)))
    }

    /// The text: every line ends with a line feed and has no trailing blanks.
    pub fn render(&self, filter: &Filter) -> String {
        let recorder = self.0.borrow();
        let entries: Vec<&Entry> = recorder
            .entries()
            .filter(|entry| filter.admits(&recorder, entry))
            .collect();
        let skip = filter
            .last
            .map_or(0, |last| entries.len().saturating_sub(last as usize));
        let entries = &entries[skip..];
        let hosts = entry::hosts_of(&recorder, entries);
        match hosts[..] {
            [left, right] => columns::render(&recorder, entries, left, right),
            _ => plain::render(&recorder, entries),
        }
    }
}

impl Filter {
    fn admits(&self, recorder: &Recorder, entry: &Entry) -> bool {
        self.flow
            .is_none_or(|flow| entry.flow.is_none_or(|its| its == flow))
            && self.from.is_none_or(|from| entry.at >= from)
            && self.until.is_none_or(|until| entry.at <= until)
            && (self.hosts.is_empty()
                || entry.ends(recorder).all(|host| self.hosts.contains(&host)))
    }
}

struct Scribe(Rc<RefCell<Recorder>>);

impl Oracle<HostEvent> for Scribe {
    fn name(&self) -> &'static str {
        "ladder"
    }

    fn observe(&mut self, now: Instant, seen: &Observation<'_, HostEvent>, _: &mut Vec<Finding>) {
        self.0.borrow_mut().observe(now, seen);
    }
}

#[cfg(test)]
mod tests;
