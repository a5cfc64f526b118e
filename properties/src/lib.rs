//! Hosts, applications, oracles and scenarios: what must hold when real TCP meets a bad network.
//!
//! In reading order:
//!
//! - [`label`], [`content`], [`event`]: what travels beside the bytes, what the bytes are, what
//!   hosts report
//! - [`host`]: the one file that joins `sim` and `stack`; [`app`]: the users of a host;
//!   [`Machine`]: a host or a box that is none, such as an [`Attacker`]
//! - [`scenario`]: one run as plain data; [`scenarios`]: the named kinds; [`choose`]: where choices
//!   come from; [`strategy`]: the same for proptest
//! - [`facts`], [`reference`](mod@reference), [`oracle`], [`oracles`]: what can be known of a run, and who judges it
//! - [`ladder`], [`chronicle`]: what happened in a run, as text and as data
//! - [`check`](mod@check): runs a scenario and reports; [`pair`]: the smallest world, for tests
//!
//! A seed is expanded to a scenario, and a scenario is run:
//!
//! ```
//! use timewait_properties::{Kind, Scenario, check};
//!
//! let report = check(&Scenario::from_seed(Kind::LastAckLost, 1));
//! assert!(!report.failed(), "{report}");
//! assert_eq!(report.left_over, 0, "every close ends in CLOSED");
//! ```
#![forbid(unsafe_code)]

pub mod app;
pub mod campaign;
#[cfg(feature = "pcap")]
pub mod capture;
pub mod check;
pub mod choose;
pub mod chronicle;
pub mod clock;
pub mod content;
pub mod counterfactuals;
pub mod event;
pub mod facts;
#[cfg(feature = "files")]
pub mod file;
pub mod host;
pub mod label;
pub mod ladder;
mod machine;
mod middlebox;
pub mod oracle;
pub mod oracles;
pub mod pair;
pub mod reference;
pub mod scenario;
pub mod scenarios;
pub mod shrink;
#[cfg(test)]
mod staging;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod trace;

pub use app::App;
pub use check::{Report, Run, Watch, check, check_with, run_bare};
pub use choose::Choose;
pub use clock::Clock;
pub use event::{HostEvent, UserEvent};
pub use host::{Calls, Host};
pub use label::Incarnation;
pub use machine::Machine;
pub use middlebox::{Attacker, Middlebox};
pub use scenario::Scenario;
pub use scenarios::Kind;
