//! TCP without input or output: so far segments as bytes, and the buffers.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[allow(dead_code, reason = "connections come next")]
mod reassembly;
#[allow(dead_code, reason = "connections come next")]
mod ring;
mod seq;
pub mod wire;

pub use seq::SeqNumber;
