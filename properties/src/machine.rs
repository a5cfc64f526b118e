//! The machines of a scenario's world: hosts, and boxes that are no hosts.

use timewait_sim::{Instant, Node, Outgoing, Packet, Payload, Transit};

use crate::event::HostEvent;
use crate::host::Host;
use crate::middlebox::{Attacker, Middlebox};

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
    /// A box on the way.
    Middlebox(Middlebox),
}

impl Machine {
    /// The host, if it is one.
    pub const fn host(&self) -> Option<&Host> {
        match self {
            Self::Host(host) => Some(host),
            Self::Attacker(_) | Self::Middlebox(_) => None,
        }
    }

    /// The host, if it is one.
    pub const fn host_mut(&mut self) -> Option<&mut Host> {
        match self {
            Self::Host(host) => Some(host),
            Self::Attacker(_) | Self::Middlebox(_) => None,
        }
    }
}

impl Node for Machine {
    type Event = HostEvent;

    fn handle_packet(&mut self, now: Instant, packet: &Packet) {
        match self {
            Self::Host(host) => host.handle_packet(now, packet),
            Self::Attacker(attacker) => attacker.handle_packet(now, packet),
            Self::Middlebox(middlebox) => middlebox.handle_packet(now, packet),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Host(host) => host.handle_timeout(now),
            Self::Attacker(attacker) => attacker.handle_timeout(now),
            Self::Middlebox(middlebox) => middlebox.handle_timeout(now),
        }
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing> {
        match self {
            Self::Host(host) => host.poll_transmit(now),
            Self::Attacker(attacker) => attacker.poll_transmit(now),
            Self::Middlebox(middlebox) => middlebox.poll_transmit(now),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Host(host) => host.poll_timeout(),
            Self::Attacker(attacker) => attacker.poll_timeout(),
            Self::Middlebox(middlebox) => middlebox.poll_timeout(),
        }
    }

    fn poll_event(&mut self) -> Option<HostEvent> {
        match self {
            Self::Host(host) => host.poll_event(),
            Self::Attacker(attacker) => attacker.poll_event(),
            Self::Middlebox(middlebox) => middlebox.poll_event(),
        }
    }

    fn handle_transit(&mut self, now: Instant, transit: Transit) {
        if let Self::Middlebox(middlebox) = self {
            middlebox.handle_transit(now, transit);
        }
    }

    fn poll_transit(&mut self, now: Instant) -> Option<Transit> {
        match self {
            Self::Middlebox(middlebox) => middlebox.poll_transit(now),
            Self::Host(_) | Self::Attacker(_) => None,
        }
    }

    fn start(&mut self, now: Instant) {
        match self {
            Self::Host(host) => host.start(now),
            Self::Attacker(attacker) => attacker.start(now),
            Self::Middlebox(middlebox) => middlebox.start(now),
        }
    }

    fn reclaim(&mut self, payload: Payload) {
        match self {
            Self::Host(host) => host.reclaim(payload),
            Self::Attacker(attacker) => attacker.reclaim(payload),
            Self::Middlebox(middlebox) => middlebox.reclaim(payload),
        }
    }
}
