//! Integers driven through a world, without any transport: what the network promises.

mod bounds;
mod cuts;
mod determinism;
mod exploration;
mod faults;
mod fragments;
mod holds;
mod links;
mod nodes;
mod pauses;
mod queues;
mod reports;
mod talker;
mod topologies;
mod transit;
