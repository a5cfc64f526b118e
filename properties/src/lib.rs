//! What must hold when real TCP meets a bad network: provenance, facts and oracles.
#![forbid(unsafe_code)]

pub mod content;
pub mod event;
pub mod facts;
pub mod label;
pub mod oracle;
pub mod oracles;
pub mod reference;
#[cfg(test)]
mod staging;

pub use event::{HostEvent, UserEvent};
pub use label::Incarnation;
