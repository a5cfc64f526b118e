//! A deterministic network simulator that runs real TCP in virtual time, from a seed.
//!
//! Many instances of a complete RFC 9293 stack talk over a simulated IP network that loses,
//! reorders, duplicates, damages and caches datagrams. Oracles watch every run. A failing seed is
//! one line to paste, and a ladder that a human can read.
//!
//! ```
//! use timewait::prelude::*;
//!
//! for seed in seeds(0..4) {
//!     let report = check(&Scenario::from_seed(Kind::Close, seed));
//!     assert!(!report.failed(), "{report}");
//! }
//! ```
//!
//! The parts, each a crate that can be used alone:
//! - [`stack`]: TCP as a sans-IO state machine. It reads no clock, opens no socket, rolls no dice.
//! - [`sim`]: the network. It knows datagrams, not TCP.
//! - [`properties`]: hosts, applications, scenarios, and the oracles that say what must hold.
#![forbid(unsafe_code)]

pub use timewait_properties as properties;
pub use timewait_sim as sim;
pub use timewait_stack as stack;

mod seeds;

pub use properties::{Kind, Report, Scenario, check};
pub use seeds::seeds;
pub use stack::Protection;

/// What a test needs.
pub mod prelude {
    pub use crate::properties::ladder::{Filter, Ladder};
    pub use crate::properties::trace::{Part, Selection, Trace};
    pub use crate::{Kind, Protection, Report, Scenario, check, seeds};
}
