//! An off-path attacker (RFC 5961 §1.2, RFC 4987 §2): it knows addresses and ports and sees
//! nothing. What it sends carries its own name as tag, so nobody takes it for what it claims to be.

mod islands;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use timewait_sim::{Instant, Node, NodeId, Outgoing, Packet, Payload, icmp};
use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{ConnectionId, SeqNumber};

use crate::content;
use crate::event::HostEvent;
use crate::label::{self, Incarnation, class, mix};
use crate::scenario::{Attack, Forgery, Lie, Method};
use islands::Islands;

const TCP: u8 = 6;
const HOP_LIMIT: u8 = 64;
/// Octets of a segment that its errors quote: the least (RFC 792).
const QUOTED: u16 = 8;

/// A machine that sends what it was told to send, and answers nothing.
#[derive(Debug)]
pub struct Attacker {
    id: NodeId,
    attacks: Vec<Running>,
}

/// One attack with its ends resolved.
#[derive(Debug)]
struct Running {
    attack: Attack,
    /// Whom it is aimed at.
    to: SocketAddr,
    /// Whose address a forged segment bears; its own otherwise.
    from: SocketAddr,
    /// Datagrams sent.
    sent: u32,
    /// When the next one is due; `None`: when something has come, or never again.
    next: Option<Instant>,
    islands: Option<Islands>,
}

impl Attacker {
    /// An attacker that is or will be node `id` of its world.
    pub const fn new(id: NodeId) -> Self {
        Self {
            id,
            attacks: Vec::new(),
        }
    }

    /// Adds an attack on `to`. Its segments claim to come from `from`.
    pub fn add(&mut self, attack: Attack, from: SocketAddr, to: SocketAddr) {
        let start = Instant::ZERO + attack.start;
        self.attacks.push(Running {
            attack,
            to,
            from,
            sent: 0,
            next: (attack.count > 0).then_some(start),
            islands: matches!(attack.method, Method::Islands { .. }).then(Islands::default),
        });
    }
}

impl Node for Attacker {
    type Event = HostEvent;

    /// Only who opened a connection in its own name listens at all.
    fn handle_packet(&mut self, now: Instant, packet: &Packet) {
        let Ok(segment) = Segment::parse(packet.payload.octets()) else {
            return;
        };
        for running in &mut self.attacks {
            let ours = running.from == SocketAddr::new(packet.dst, segment.destination_port)
                && running.to == SocketAddr::new(packet.src, segment.source_port);
            if let Some(islands) = running.islands.as_mut().filter(|_| ours)
                && islands.answered(&segment)
            {
                running.next = Some(now);
            }
        }
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing> {
        let is_due = |running: &Running| running.next.is_some_and(|next| next <= now);
        let (serial, running) = (0..)
            .zip(&mut self.attacks)
            .find(|(_, running)| is_due(running))?;
        let name = Incarnation {
            host: self.id,
            boot: 0,
            connection: ConnectionId(serial),
        };
        Some(running.send(name))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.attacks.iter().filter_map(|running| running.next).min()
    }

    fn poll_event(&mut self) -> Option<HostEvent> {
        None
    }
}

impl Running {
    fn send(&mut self, name: Incarnation) -> Outgoing {
        let n = self.sent;
        if let Method::Report(lie) = self.attack.method {
            self.count();
            return report(&lie, n, self.to, self.from, name);
        }
        let mut text = Vec::new();
        let mut from = self.from;
        let segment = match (&self.attack.method, &mut self.islands) {
            (Method::Forge(forgery), _) => {
                text.resize(usize::from(forgery.text), 0);
                content::fill(name, 0, &mut text);
                forged(forgery, n)
            }
            (Method::Islands { .. }, Some(islands)) => {
                let segment = islands.next();
                text.resize(usize::from(islands.is_open()), 0);
                segment
            }
            _ => {
                from = nobody(self.to, n);
                Segment {
                    seq: SeqNumber(mix(u64::from(n)) as u32),
                    ..bare(Flags::SYN)
                }
            }
        };
        let segment = Segment {
            source_port: from.port(),
            destination_port: self.to.port(),
            text: &text,
            ..segment
        };
        self.count();
        wrap(&segment, from, self.to, name)
    }

    /// One more has been sent. A SYN in its own name is repeated until it is answered.
    fn count(&mut self) {
        let waits = self
            .islands
            .as_ref()
            .is_some_and(|islands| !islands.is_open());
        self.sent += u32::from(!waits);
        let pause = if waits {
            islands::SYN_AGAIN
        } else {
            self.attack.every
        };
        let more = if waits {
            self.islands.as_ref().is_some_and(Islands::may_knock)
        } else {
            self.sent < self.attack.count
        };
        self.next = self.next.filter(|_| more).map(|at| at + pause);
    }
}

fn forged<'a>(forgery: &Forgery, n: u32) -> Segment<'a> {
    Segment {
        seq: SeqNumber(forgery.seq.at(n)),
        ack: SeqNumber(forgery.ack.at(n)),
        window: forgery.window,
        ..bare(forgery.flags)
    }
}

/// An error about a segment from `to` to `about`, in the name of the latter's host.
fn report(lie: &Lie, n: u32, to: SocketAddr, about: SocketAddr, name: Incarnation) -> Outgoing {
    let segment = Segment {
        source_port: to.port(),
        destination_port: about.port(),
        seq: SeqNumber(lie.seq.at(n)),
        ..bare(Flags::ACK)
    };
    let quoted = wrap(&segment, to, about, name);
    let octets = icmp::error(about.ip(), &quoted, lie.problem, QUOTED);
    Outgoing {
        src: about.ip(),
        dst: to.ip(),
        protocol: icmp::PROTOCOLS[usize::from(to.is_ipv6())],
        payload: Payload::new(octets),
        class: class::ICMP,
        ..quoted
    }
}

/// A segment with these flags and nothing else.
fn bare<'a>(flags: Flags) -> Segment<'a> {
    Segment {
        source_port: 0,
        destination_port: 0,
        seq: SeqNumber(0),
        ack: SeqNumber(0),
        flags,
        window: u16::MAX,
        urgent: 0,
        options: Options::default(),
        text: &[],
    }
}

/// The `n`-th end that nobody has: in RFC 2544's test network, or RFC 3849's documentation prefix.
fn nobody(victim: SocketAddr, n: u32) -> SocketAddr {
    let ip = match victim.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(0xc612_0001 + n % (1 << 17))),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) + 1 + u128::from(n))),
    };
    SocketAddr::new(ip, 1024 + (mix(u64::from(n)) % 60_000) as u16)
}

fn wrap(segment: &Segment<'_>, from: SocketAddr, to: SocketAddr, name: Incarnation) -> Outgoing {
    let mut octets = Vec::new();
    segment.emit(from.ip(), to.ip(), &mut octets);
    Outgoing {
        src: from.ip(),
        dst: to.ip(),
        hop_limit: HOP_LIMIT,
        diffserv: 0,
        ecn: 0,
        dont_fragment: true,
        protocol: TCP,
        payload: Payload::new(octets),
        tag: name.tag(),
        flow: label::flow_of(from, to),
        class: label::class_of(segment.flags, segment.text.len()),
    }
}

#[cfg(test)]
mod tests;
