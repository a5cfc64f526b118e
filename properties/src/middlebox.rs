//! Machines that take part in TCP without being one of its ends.
//!
//! They know TCP, so they are here and not in `sim`. Nobody judges them: what they send is known
//! by the name of the machine in its labels, and an oracle that meets it knows who it was.

mod attacker;

pub use attacker::Attacker;
