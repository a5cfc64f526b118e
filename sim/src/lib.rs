//! A seeded discrete-event IP network that knows datagrams and no transport.
//!
//! Machines ([`Node`]) hand datagrams to a [`World`], which carries them over links and through
//! routers, and everything that can go wrong on the way is decided by one function,
//! [`Fates::fate`]. Oracles ([`Oracle`]) see all of it. The same seed gives the same run, byte for
//! byte.
//!
//! In reading order:
//!
//! - `time`: the clock; `rng`: dice that fall alike everywhere; `queue`: what is to happen
//! - `packet`: a datagram and its labels; `node`: what a machine is asked
//! - `link`, `route`, `router`: delay, rate and queue; the way; what is kept and released late
//! - `reassembly`: datagrams in parts
//! - [`icmp`]: what routers say about what they drop
//! - `cuts`: links that are down for a while
//! - [`fates`]: what goes wrong, drawn, listed, recorded or enumerated
//! - `world`: puts it all together; its `settle` is the only place that takes from a node
//! - [`oracle`]: what judges see; `trace`: the hash of a run; `stats`: what has landed
//! - [`topology`]: the usual networks
//!
//! The canonical run: two nodes bounce an integer until it is zero.
//!
//! ```
//! use std::net::{IpAddr, Ipv4Addr};
//! use timewait_sim::fates::{Delay, Dice, LinkFaults};
//! use timewait_sim::{Duration, Instant, LinkConfig, Node, Outgoing, Packet, Payload, World, WorldConfig};
//!
//! struct Bouncer {
//!     address: IpAddr,
//!     peer: IpAddr,
//!     next: Option<u32>,
//! }
//!
//! impl Node for Bouncer {
//!     type Event = u32;
//!     fn handle_packet(&mut self, _now: Instant, packet: &Packet) {
//!         let number = packet.payload.octets().try_into().map(u32::from_be_bytes);
//!         self.next = number.ok().and_then(|number| number.checked_sub(1));
//!     }
//!     fn handle_timeout(&mut self, _now: Instant) {}
//!     fn poll_transmit(&mut self, _now: Instant) -> Option<Outgoing> {
//!         self.next.take().map(|number| Outgoing {
//!             src: self.address,
//!             dst: self.peer,
//!             hop_limit: 64,
//!             ecn: 0,
//!             diffserv: 0,
//!             dont_fragment: true,
//!             protocol: 253,
//!             payload: Payload::from_slice(&number.to_be_bytes()),
//!             tag: 0,
//!             flow: 0,
//!             class: 0,
//!         })
//!     }
//!     fn poll_timeout(&self) -> Option<Instant> {
//!         None
//!     }
//!     fn poll_event(&mut self) -> Option<u32> {
//!         None
//!     }
//! }
//!
//! let jitter = Delay::Uniform { max: Duration::from_micros(10) };
//! let faults = LinkFaults { jitter, ..LinkFaults::NONE };
//! let mut world = World::new(WorldConfig::default(), Dice::everywhere(42, faults));
//! let [a, b] = [1, 2].map(|last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
//! let ann = world.add_node(Bouncer { address: a, peer: b, next: None }, &[a]);
//! let bob = world.add_node(Bouncer { address: b, peer: a, next: None }, &[b]);
//! world.connect(ann, bob, LinkConfig::with_delay(Duration::from_millis(1)));
//!
//! world.with(ann, |ann, _now| ann.next = Some(9));
//! while world.step() {}
//!
//! assert_eq!(world.stats().delivered, 10);
//! assert!(world.now() >= Instant::from_nanos(10_000_000));
//! ```
#![forbid(unsafe_code)]

mod cuts;
pub mod fates;
pub mod icmp;
mod link;
mod node;
pub mod oracle;
mod packet;
mod queue;
mod reassembly;
pub mod rng;
mod route;
mod router;
mod stats;
mod time;
pub mod topology;
mod trace;
mod world;

pub use cuts::Cut;
pub use fates::{Burst, Copies, Damage, Fate, Fates, HopId, Outcome, Passage, Release};
pub use link::{Aqm, CodelConfig, LinkConfig, RedConfig};
pub use node::Node;
pub use oracle::{Cause, DropReason, Finding, FindingKind, Observation, Oracle};
pub use packet::{Fragment, NodeId, Outgoing, Packet, PacketId, Part, Payload, Transit};
pub use route::prefix::Prefix;
pub use stats::Stats;
pub use time::{Duration, Instant};
pub use world::{World, WorldConfig};
