//! A run as data that a page or a drawing can be made of: where each datagram and each of its
//! copies went, what happened at the nodes, and the variables of every connection at any moment.
//!
//! What is *not* in it: the octets of users, and anything that can be computed from the rest.

use core::cell::RefCell;
use core::fmt;
use std::rc::Rc;

use timewait_sim::{Finding, Instant, NodeId, Observation, Oracle};

use crate::check::Report;
use crate::event::HostEvent;
use crate::scenario::Scenario;

mod cut;
mod datagram;
mod lanes;
mod model;
mod names;
mod paths;
mod scribe;

pub use model::{
    Datagram, Event, Finding as Found, Incarnation, Ip, Leg, Link, Node, Record, Snapshot, Tcp,
    Tick, VERSION, What,
};

use scribe::Scribe;

/// A handle on the chronicle of one run. Attach [`Chronicle::oracle`] to the world, run it, then
/// [`Chronicle::record`].
#[derive(Clone, Debug)]
pub struct Chronicle(Rc<RefCell<Scribe>>);

/// Which part of a run to take. The default is all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Datagrams that are under way then or later.
    pub from: Option<Instant>,
    /// What happens up to this moment.
    pub until: Option<Instant>,
    /// Only datagrams between these nodes and what happens at them; empty: all nodes.
    pub nodes: Vec<NodeId>,
    /// Of all these datagrams the last ones, so many.
    pub last: Option<u32>,
}

/// More datagrams than somebody has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Datagrams in the part that was asked for.
    pub datagrams: u64,
    /// How many there may be.
    pub at_most: u64,
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} datagrams are more than the {} that fit",
            self.datagrams, self.at_most
        )
    }
}

impl core::error::Error for TooMany {}

impl Chronicle {
    /// Writes down a run of this scenario: the whole of it, some 600 octets for each datagram.
    pub fn of(scenario: &Scenario) -> Self {
        Self(Rc::new(RefCell::new(Scribe::of(scenario))))
    }

    /// The observer that writes into this handle. It never finds anything.
    pub fn oracle(&self) -> Box<dyn Oracle<HostEvent>> {
        Box::new(Pen(Rc::clone(&self.0)))
    }

    /// What was written down of this part, with what the run showed in the end; `None`: it panicked,
    /// and what is here is what was seen until then.
    ///
    /// # Errors
    /// If the part has more than `at_most` datagrams.
    pub fn record(
        &self,
        report: Option<&Report>,
        part: &Part,
        at_most: u64,
    ) -> Result<Record, TooMany> {
        let whole = self.0.borrow().record(report);
        let record = cut::part(whole, part);
        let datagrams = record.datagrams.len() as u64;
        if datagrams > at_most {
            return Err(TooMany { datagrams, at_most });
        }
        Ok(record)
    }
}

struct Pen(Rc<RefCell<Scribe>>);

impl Oracle<HostEvent> for Pen {
    fn name(&self) -> &'static str {
        "chronicle"
    }

    fn observe(&mut self, now: Instant, seen: &Observation<'_, HostEvent>, _: &mut Vec<Finding>) {
        self.0.borrow_mut().observe(now, seen);
    }
}

#[cfg(test)]
mod tests;
