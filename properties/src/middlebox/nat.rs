//! A NAT as TCP wants it (RFC 5382): endpoint-independent mapping, the same port where it is free,
//! hairpinning (REQ-8), and ICMP errors translated with what they quote (REQ-9, RFC 5508).
//!
//! A port stays with its end inside as long as any connection of that end is remembered.

use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;

use timewait_sim::{Instant, Transit};
use timewait_stack::wire::IcmpMessage;

use super::flows::{Flows, From, Standing};
use super::rewrite::{Side, address, adjust, translate};
use super::{Out, Passing};
use crate::event::BoxEvent;
use crate::scenario::boxes::{Filter, NatPlan};

/// A NAT at work.
#[derive(Debug)]
pub(super) struct Nat {
    plan: NatPlan,
    /// The addresses inside.
    inside: Vec<IpAddr>,
    flows: Flows,
    /// The port of each end inside.
    ports: BTreeMap<SocketAddr, u16>,
    /// Whose each port is.
    owners: BTreeMap<u16, SocketAddr>,
}

impl Nat {
    pub(super) fn new(plan: NatPlan, inside: Vec<IpAddr>) -> Self {
        Self {
            flows: Flows::new(plan.state),
            plan,
            inside,
            ports: BTreeMap::new(),
            owners: BTreeMap::new(),
        }
    }

    /// A segment passes. What somebody outside sends to an address inside has no way there.
    pub(super) fn segment(&mut self, now: Instant, mut passing: Passing, out: &mut Out) {
        let own = self.plan.address;
        if self.inside.contains(&passing.from.ip()) {
            let port = match self.leave(now, &passing, out) {
                Ok(port) => port,
                Err(standing) => return out.refuse(&passing, standing, self.plan.state.answer),
            };
            passing.replace(Side::Source, SocketAddr::new(own, port));
            if passing.to.ip() != own {
                return out.onward(passing.transit);
            }
        }
        if passing.to.ip() == own {
            self.enter(now, passing, out);
        }
    }

    /// From an end inside: gives the port that it shows outside.
    fn leave(&mut self, now: Instant, passing: &Passing, out: &mut Out) -> Result<u16, Standing> {
        let ends = (passing.from, passing.to);
        let standing = self
            .flows
            .take(now, ends, From::First, passing.flags, passing.sound);
        match standing {
            Standing::Known => {}
            Standing::New => self.map(now, passing.from, out),
            Standing::Unknown | Standing::Full => return Err(standing),
        }
        self.ports.get(&passing.from).copied().ok_or(Standing::Full)
    }

    /// To a port of the NAT.
    fn enter(&mut self, now: Instant, mut passing: Passing, out: &mut Out) {
        let answer = self.plan.state.answer;
        let Some(inside) = self.owner(now, passing.to.port()) else {
            return out.refuse(&passing, Standing::Unknown, answer);
        };
        let (flags, from) = (passing.flags, passing.from);
        let welcome = match self.plan.filter {
            Filter::EndpointIndependent => true,
            Filter::AddressDependent => self.flows.has(now, inside, |it| it.ip() == from.ip()),
        };
        let may_open = passing.sound && welcome;
        match self
            .flows
            .take(now, (inside, from), From::Second, flags, may_open)
        {
            Standing::Known | Standing::New => {
                passing.replace(Side::Destination, inside);
                out.onward(passing.transit);
            }
            standing => out.refuse(&passing, standing, answer),
        }
    }

    /// The end inside that a port belongs to.
    fn owner(&self, now: Instant, port: u16) -> Option<SocketAddr> {
        let inside = *self.owners.get(&port)?;
        self.flows.has(now, inside, |_| true).then_some(inside)
    }

    /// Sees to it that an end inside has a port, if there is one left.
    fn map(&mut self, now: Instant, inside: SocketAddr, out: &mut Out) {
        if self.ports.contains_key(&inside) {
            return;
        }
        let flows = &self.flows;
        self.owners
            .retain(|_, inside| flows.has(now, *inside, |_| true));
        let owners = &self.owners;
        self.ports
            .retain(|inside, port| owners.get(port) == Some(inside));
        let upward = inside.port().max(PORT_MIN)..=u16::MAX;
        let mut free = core::iter::once(inside.port())
            .chain(upward)
            .chain(PORT_MIN..=u16::MAX)
            .filter(|port| *port != 0 && !owners.contains_key(port));
        if let Some(port) = free.next() {
            self.owners.insert(port, inside);
            self.ports.insert(inside, port);
            let outside = SocketAddr::new(self.plan.address, port);
            out.events.push_back(BoxEvent::Mapped { inside, outside });
        }
    }

    /// An error of ICMP passes: it is for whoever sent what it quotes.
    pub(super) fn error(&self, now: Instant, mut transit: Transit, out: &mut Out) {
        let packet = transit.packet();
        let v4 = packet.dst.is_ipv4();
        let Ok(message) = IcmpMessage::parse(v4, packet.payload.octets()) else {
            return;
        };
        let quote = message.quote;
        let source = SocketAddr::new(quote.from, quote.source_port);
        let destination = SocketAddr::new(quote.to, quote.destination_port);
        if packet.dst == self.plan.address && quote.from == self.plan.address {
            let Some(inside) = self.owner(now, quote.source_port) else {
                return;
            };
            requote(&mut transit, Side::Source, source, inside);
            let sent = transit.sent_mut();
            sent.dst = inside.ip();
            readdress(sent, self.plan.address, inside.ip());
        } else if let Some(&port) = self.ports.get(&destination) {
            let mapped = SocketAddr::new(self.plan.address, port);
            requote(&mut transit, Side::Destination, destination, mapped);
        } else {
            return;
        }
        out.events.push_back(BoxEvent::ErrorTranslated);
        out.onward(transit);
    }
}

/// Gives what an error quotes another end, and makes all three checksums right: that of the quoted
/// segment, if it is there, that of the quoted IPv4 header, and that of the error.
fn requote(transit: &mut Transit, side: Side, old: SocketAddr, new: SocketAddr) {
    let sent = transit.sent_mut();
    let before = sent.payload.octets().to_vec();
    let mut octets = before.clone();
    let quote = &mut octets[ICMP_HEADER..];
    let width = address(old.ip()).len();
    let (header, first) = match old.is_ipv4() {
        true => (usize::from(quote[0] & 15) * 4, 12),
        false => (40, 8),
    };
    let at = match side {
        Side::Source => first,
        Side::Destination => first + width,
    };
    quote[at..at + width].copy_from_slice(&address(new.ip()));
    if old.is_ipv4() {
        adjust(quote, 10, &address(old.ip()), &address(new.ip()));
    }
    translate(&mut quote[header..], side, old, new);
    let after = octets.clone();
    adjust(&mut octets, ICMP_SUM_AT, &before, &after);
    sent.payload = timewait_sim::Payload::new(octets);
}

/// The checksum of ICMPv6 covers the address that the error goes to.
fn readdress(sent: &mut timewait_sim::Outgoing, old: IpAddr, new: IpAddr) {
    if old.is_ipv6() {
        let mut octets = sent.payload.octets().to_vec();
        adjust(&mut octets, ICMP_SUM_AT, &address(old), &address(new));
        sent.payload = timewait_sim::Payload::new(octets);
    }
}

/// Ports below are given only to who has the same inside.
const PORT_MIN: u16 = 1024;
/// Octets of an ICMP header, before what is quoted.
const ICMP_HEADER: usize = 8;
/// Where the checksum stands in it.
const ICMP_SUM_AT: usize = 2;

#[cfg(test)]
mod tests;
