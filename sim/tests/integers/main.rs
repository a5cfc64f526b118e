//! Integers driven through a world, without any transport: what the network promises.

mod bounds;
mod determinism;
mod exploration;
mod faults;
mod holds;
mod links;
mod nodes;
mod pauses;
mod reports;
mod talker;
mod topologies;
mod transit;
