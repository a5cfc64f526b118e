//! The machines of a scenario's world: hosts, and boxes that are no hosts.

use timewait_sim::{Instant, Node, Outgoing, Packet, Payload};

use crate::event::HostEvent;
use crate::host::Host;
use crate::middlebox::Attacker;

/// A machine that sends and receives datagrams.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all machines are hosts, and they are on the hot path"
)]
pub enum Machine {
    /// A host with a stack and its users.
    Host(Host),
    /// Somebody who means harm.
    Attacker(Attacker),
}

impl Machine {
    /// The host, if it is one.
    pub const fn host(&self) -> Option<&Host> {
        match self {
            Self::Host(host) => Some(host),
            Self::Attacker(_) => None,
        }
    }

    /// The host, if it is one.
    pub const fn host_mut(&mut self) -> Option<&mut Host> {
        match self {
            Self::Host(host) => Some(host),
            Self::Attacker(_) => None,
        }
    }
}

impl Node for Machine {
    type Event = HostEvent;

    fn handle_packet(&mut self, now: Instant, packet: &Packet) {
        match self {
            Self::Host(host) => host.handle_packet(now, packet),
            Self::Attacker(attacker) => attacker.handle_packet(now, packet),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Host(host) => host.handle_timeout(now),
            Self::Attacker(attacker) => attacker.handle_timeout(now),
        }
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing> {
        match self {
            Self::Host(host) => host.poll_transmit(now),
            Self::Attacker(attacker) => attacker.poll_transmit(now),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Host(host) => host.poll_timeout(),
            Self::Attacker(attacker) => attacker.poll_timeout(),
        }
    }

    fn poll_event(&mut self) -> Option<HostEvent> {
        match self {
            Self::Host(host) => host.poll_event(),
            Self::Attacker(attacker) => attacker.poll_event(),
        }
    }

    fn start(&mut self, now: Instant) {
        match self {
            Self::Host(host) => host.start(now),
            Self::Attacker(attacker) => attacker.start(now),
        }
    }

    fn reclaim(&mut self, payload: Payload) {
        match self {
            Self::Host(host) => host.reclaim(payload),
            Self::Attacker(attacker) => attacker.reclaim(payload),
        }
    }
}
