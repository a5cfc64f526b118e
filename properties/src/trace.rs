//! A run as lines of text, one for each thing that happened, with absolute numbers: to be compared
//! with another run, or kept as a snapshot.
//!
//! A line is a time in seconds, a kind, a place and words:
//!
//! ```text
//! 0.020000000 segment h0#1 sends h0/1 <SEQ=…><ACK=…><CTL=FIN,ACK><WIN=65535>
//! 0.020000000 network 0:a>b h0/1 lost
//! 0.020000000 state h0#1 ESTABLISHED to FIN-WAIT-1
//! ```
//!
//! `h0/1` is the second datagram that h0 has sent. Lines are stable: what is not in [`Part`] is not
//! told. Ladders are for reading, these are for machines and for reviews.

use core::cell::RefCell;
use core::fmt;
use std::collections::BTreeMap;
use std::rc::Rc;

use timewait_sim::{Finding, Instant, NodeId, Observation, Oracle};

use crate::event::HostEvent;
use crate::label::Incarnation;

mod difference;
mod line;
mod said;

pub use difference::{Difference, difference};

/// A handle on the trace of one run. Attach [`Trace::oracle`] to the world, run it, then read
/// [`Trace::lines`].
#[derive(Clone, Debug, Default)]
pub struct Trace(Rc<RefCell<Recorder>>);

/// A part of what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Datagrams as they leave and as they arrive, and what a stack refuses of them.
    Segment,
    /// What the network does to them.
    Network,
    /// Changes of state.
    State,
    /// Timers that expire, and round trips that are measured.
    Timer,
    /// The variables of a connection after each batch of work.
    Vars,
    /// What users call and get, what their host tells them, crashes and boots.
    User,
}

/// What of a run is kept. The default is all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these parts; empty: all.
    pub parts: Vec<Part>,
    /// Only what these hosts do and what is sent by them or to arrive at them; empty: all.
    pub hosts: Vec<NodeId>,
    /// Only of these incarnations; empty: all.
    pub connections: Vec<Incarnation>,
}

#[derive(Debug, Default)]
struct Recorder {
    selection: Selection,
    /// How often a host has booted before, if it has.
    boots: BTreeMap<NodeId, u8>,
    lines: Vec<String>,
}

impl Trace {
    /// Keeps the whole run, some hundred octets for each line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps this of it.
    pub fn of(selection: Selection) -> Self {
        Self(Rc::new(RefCell::new(Recorder {
            selection,
            ..Recorder::default()
        })))
    }

    /// The observer that records into this handle. It never finds anything.
    pub fn oracle(&self) -> Box<dyn Oracle<HostEvent>> {
        Box::new(Scribe(Rc::clone(&self.0)))
    }

    /// The lines so far, without line feeds.
    pub fn lines(&self) -> Vec<String> {
        self.0.borrow().lines.clone()
    }
}

/// Every line with its line feed.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recorder = self.0.borrow();
        recorder
            .lines
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 6] = [
        Self::Segment,
        Self::Network,
        Self::State,
        Self::Timer,
        Self::Vars,
        Self::User,
    ];

    /// Its name, as it stands in a line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Network => "network",
            Self::State => "state",
            Self::Timer => "timer",
            Self::Vars => "vars",
            Self::User => "user",
        }
    }

    /// The part called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

impl Selection {
    fn admits(&self, line: &line::Line) -> bool {
        let any_or = |none: bool, some: bool| none || some;
        any_or(self.parts.is_empty(), self.parts.contains(&line.part))
            && any_or(
                self.hosts.is_empty(),
                line.hosts
                    .iter()
                    .flatten()
                    .any(|host| self.hosts.contains(host)),
            )
            && any_or(
                self.connections.is_empty(),
                line.of.is_some_and(|of| self.connections.contains(&of)),
            )
    }
}

struct Scribe(Rc<RefCell<Recorder>>);

impl Oracle<HostEvent> for Scribe {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn observe(&mut self, now: Instant, seen: &Observation<'_, HostEvent>, _: &mut Vec<Finding>) {
        let mut recorder = self.0.borrow_mut();
        if let Observation::Node {
            node,
            event: HostEvent::Rebooted { boot },
            ..
        } = *seen
        {
            recorder.boots.insert(node, *boot);
        }
        for line in line::lines(seen, &recorder.boots) {
            if recorder.selection.admits(&line) {
                recorder.lines.push(line.at(now));
            }
        }
    }
}

#[cfg(test)]
mod tests;
