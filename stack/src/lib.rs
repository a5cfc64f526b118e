//! A complete TCP as a state machine without input or output (RFC 9293).
//!
//! The stack opens no socket, reads no clock and rolls no dice: segments, time and secrets are
//! handed in, and everything that leaves does so by [`Stack::poll_transmit`]. So the same code
//! runs in a simulator in virtual time and on a real network device.
//!
//! # Reading order
//!
//! - [`stack`](Stack): the socket table. `stack/open_calls.rs`, `use_calls.rs` and `questions.rs`
//!   have the user calls, `segments.rs` finds out for whom a segment is, `poll.rs` lets time pass
//!   and segments leave, `lifecycle.rs` moves connections in and out of the tables.
//! - `segment_arrives/`: RFC 9293 §3.10.7 as the RFC cuts it: `closed`, `listen`, `syn_sent`,
//!   `synchronized`, `text`, `time_wait`. `icmp_arrives`: errors that ICMP tells of.
//! - `connection/`: the control block: `send` and `receive` sequence spaces, `calls`, `output`
//!   (the one place where segments are built), `path_mtu`, `urgent`, `timeouts`,
//!   `timers`.
//! - [`wire`]: segments as bytes. `ring`, `reassembly`: buffers.
//! - `congestion/` (RFC 5681, 6582, 9438), `recovery/` (RFC 2018, 6675, 8985, 9937, 5682), one RFC in
//!   one file; `connection/loss` lets them act on a connection, `connection/sack` reports.
//! - `window_scale` (RFC 7323 §2), `timestamps` (RFC 7323 §3 to §5), `rtt` (RFC 6298), `isn`
//!   (RFC 6528), `challenge` (RFC 5961), `time_wait`, `quiet` (RFC 9293 §3.4.3), `ports`,
//!   `ephemeral` (RFC 6056), `cookie` (RFC 4987), `table`, `keyed`.
//! - What makes many connections cheap: `resting`, `pages`, `shared_options`, `time_waits`.
//! - [`event`]: what the stack tells; [`config`]: what it is told; [`error`]; [`status`].
//!
//! # Deliberately missing, for now
//!
//! ECN in SYN cookies, and the Eifel algorithm; the documentation of the project says what comes
//! when. IP source routes and the security option: obsolete.
//!
//! # The canonical loop
//!
//! ```
//! use std::net::{IpAddr, Ipv4Addr, SocketAddr};
//! use timewait_stack::{Config, Ecn, Instant, Stack, State};
//!
//! /// Carries everything that `from` has to say to `to`.
//! fn carry(now: Instant, from: &mut Stack, to: &mut Stack) -> bool {
//!     let mut segment = Vec::new();
//!     let mut any = false;
//!     while let Some(sent) = from.poll_transmit(now, &mut segment) {
//!         to.handle_segment(now, sent.from, sent.to, Ecn::NotEct, &segment);
//!         segment.clear();
//!         any = true;
//!     }
//!     while from.poll_event().is_some() {}
//!     any
//! }
//!
//! let [a, b] = [1, 2].map(|last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
//! let mut client = Stack::new(Config::new(vec![a], [1; 32]));
//! let mut server = Stack::new(Config::new(vec![b], [2; 32]));
//! let mut now = Instant::ZERO;
//!
//! let listener = server.socket();
//! server.bind(listener, SocketAddr::new(b, 80))?;
//! server.listen(listener, 16)?;
//! let socket = client.socket();
//! client.connect(now, socket, SocketAddr::new(b, 80))?;
//! while carry(now, &mut client, &mut server) | carry(now, &mut server, &mut client) {}
//! assert_eq!(client.status(socket)?.state, State::Established);
//!
//! client.send(now, socket, b"hello")?;
//! while carry(now, &mut client, &mut server) | carry(now, &mut server, &mut client) {}
//! let (accepted, _) = server.accept(listener)?;
//! let mut text = [0; 5];
//! assert_eq!((server.recv(now, accepted, &mut text)?, &text), (5, b"hello"));
//!
//! // The acknowledgment is delayed: time has to pass.
//! now = server.poll_timeout().expect("the delayed ACK");
//! server.handle_timeout(now);
//! carry(now, &mut server, &mut client);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod call_flags;
mod challenge;
pub mod config;
mod congestion;
mod connection;
mod context;
mod cookie;
mod ephemeral;
pub mod error;
pub mod event;
mod icmp_arrives;
mod isn;
mod keyed;
mod pages;
mod ports;
mod profile;
mod protection;
mod quiet;
mod reassembly;
mod recovery;
mod resting;
mod ring;
mod rtt;
mod segment_arrives;
mod seq;
mod shared_options;
mod socket;
mod socket_options;
mod stack;
mod state;
pub mod status;
mod table;
mod time;
mod time_wait;
mod time_waits;
mod timestamps;
mod traffic;
mod window_scale;
pub mod wire;

pub use call_flags::{RecvFlags, SendFlags};
pub use config::Config;
pub use error::Errno;
pub use event::{ConnectionId, Event, Interest, SocketId, Vars};
pub use profile::Profile;
pub use protection::{Disabled, Protection};
pub use seq::SeqNumber;
pub use socket_options::{IpFields, SocketOption, SocketOptions};
pub use stack::{Ecn, How, Stack, Transmit};
pub use state::State;
pub use time::{Duration, Instant};
pub use traffic::TrafficClass;
