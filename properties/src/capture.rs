//! A run as a capture that Wireshark opens: every datagram at every place where it was seen, and
//! beside it, as packet comments, what no capture of a real network can say: why it was lost, who
//! kept it, what its arrival changed.
//!
//! Each host has an interface (what it sends and gets), and so has each direction of each link
//! (what enters it). Times are those of the run, in nanoseconds, from 1970 on.

use core::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use timewait_sim::{Finding, Instant, Observation, Oracle};

use crate::event::HostEvent;
use crate::scenario::Scenario;

mod interfaces;
mod ip;
mod pcapng;
mod tape;

pub use interfaces::UnknownInterface;

use tape::Tape;

/// A handle on the capture of one run. Attach [`Capture::oracle`] to the world, run it, then
/// [`Capture::write`].
#[derive(Clone, Debug)]
pub struct Capture(Rc<RefCell<Tape>>);

impl Capture {
    /// Captures a run of this scenario: the whole of it, some hundred octets more than the
    /// datagram each time that one is seen.
    pub fn of(scenario: &Scenario) -> Self {
        Self(Rc::new(RefCell::new(Tape::of(scenario))))
    }

    /// The observer that records into this handle. It never finds anything.
    pub fn oracle(&self) -> Box<dyn Oracle<HostEvent>> {
        Box::new(Tap(self.0.clone()))
    }

    /// Only what was seen at these interfaces, such as `h0` or `h0>r2`. Where a datagram is seen
    /// at one place only, analysers do not take it for a retransmission at the next.
    ///
    /// # Errors
    /// The names that there are, if one is none of them.
    pub fn only(self, names: &[impl AsRef<str>]) -> Result<Self, UnknownInterface> {
        self.0.borrow_mut().keep(names)?;
        Ok(self)
    }

    /// How often a datagram was seen so far: the packets of the capture.
    pub fn packets(&self) -> u64 {
        self.0.borrow().frames().len() as u64
    }

    /// Writes the capture in the format pcapng (draft-ietf-opsawg-pcapng).
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut tape = self.0.borrow_mut();
        tape.finish();
        pcapng::write(&tape, out)
    }
}

struct Tap(Rc<RefCell<Tape>>);

impl Oracle<HostEvent> for Tap {
    fn name(&self) -> &'static str {
        "capture"
    }

    fn observe(&mut self, now: Instant, seen: &Observation<'_, HostEvent>, _: &mut Vec<Finding>) {
        self.0.borrow_mut().observe(now, seen);
    }
}

#[cfg(test)]
mod tests;
