//! Machines that take part in TCP without being one of its ends.
//!
//! They know TCP, so they are here and not in `sim`. Nobody judges them: what they send is known
//! by the name of the machine in its labels, and an oracle that meets it knows who it was.
//!
//! An [`Attacker`] is somewhere else in the network; a [`Middlebox`] stands on the way. It reads
//! octets and no labels: these go with what it passes on, whatever it does to it.

mod attacker;
mod firewall;
mod flows;
mod nat;
mod option_filter;
mod resegmenter;
mod rewrite;

pub use attacker::Attacker;

use core::net::{IpAddr, SocketAddr};
use std::collections::VecDeque;

use timewait_sim::{Instant, Node, Outgoing, Packet, Payload, Transit, icmp};
use timewait_stack::SeqNumber;
use timewait_stack::wire::{Flags, Options, Segment};

use crate::event::{BoxEvent, HostEvent};
use crate::label::{Incarnation, class, class_of};
use crate::scenario::boxes::{Answer, Bad, BoxPlan, OptionsPlan, Work};
use firewall::Firewall;
use flows::Standing;
use nat::Nat;
use resegmenter::Resegmenter;
use rewrite::Side;

/// A box on the way.
#[derive(Debug)]
pub struct Middlebox {
    bad: Bad,
    work: Working,
    out: Out,
}

#[derive(Debug)]
enum Working {
    Nat(Nat),
    Firewall(Firewall),
    Options(OptionsPlan),
    Segments(Resegmenter),
}

/// A segment in the hands of a box.
#[derive(Debug)]
struct Passing {
    transit: Transit,
    from: SocketAddr,
    to: SocketAddr,
    /// Its control bits; just ACK, if it is not sound.
    flags: Flags,
    /// It parses, and its checksum is right.
    sound: bool,
}

impl Passing {
    /// `None`: it is cut off before its ports.
    fn read(transit: Transit) -> Option<Self> {
        let packet = transit.packet();
        let octets = packet.payload.octets();
        let (source, destination) = rewrite::ports(octets)?;
        let intact = Segment::verify_checksum(packet.src, packet.dst, octets);
        let segment = Segment::parse(octets).ok().filter(|_| intact);
        Some(Self {
            from: SocketAddr::new(packet.src, source),
            to: SocketAddr::new(packet.dst, destination),
            flags: segment.as_ref().map_or(Flags::ACK, |segment| segment.flags),
            sound: segment.is_some(),
            transit,
        })
    }

    /// Gives it another end.
    fn replace(&mut self, side: Side, new: SocketAddr) {
        let old = match side {
            Side::Source => &mut self.from,
            Side::Destination => &mut self.to,
        };
        let sent = self.transit.sent_mut();
        let mut octets = sent.payload.octets().to_vec();
        rewrite::translate(&mut octets, side, *old, new);
        sent.payload = Payload::new(octets);
        match side {
            Side::Source => sent.src = new.ip(),
            Side::Destination => sent.dst = new.ip(),
        }
        *old = new;
    }
}

/// What comes out of a box.
#[derive(Debug, Default)]
struct Out {
    onward: VecDeque<Transit>,
    answers: VecDeque<Outgoing>,
    events: VecDeque<BoxEvent>,
}

impl Middlebox {
    /// A box that does what `plan` says; `inside` are the addresses behind it, if it is a NAT.
    pub fn new(plan: &BoxPlan, inside: Vec<IpAddr>) -> Self {
        let work = match &plan.work {
            Work::Nat(nat) => Working::Nat(Nat::new(nat.clone(), inside)),
            Work::Firewall(state) => Working::Firewall(Firewall::new(*state)),
            Work::Options(options) => Working::Options(*options),
            Work::Segments(segments) => Working::Segments(Resegmenter::new(*segments)),
        };
        Self {
            bad: plan.bad,
            work,
            out: Out::default(),
        }
    }

    fn segment(&mut self, now: Instant, transit: Transit) {
        let out = &mut self.out;
        let Some(passing) = Passing::read(transit).filter(|it| it.sound || self.bad == Bad::Pass)
        else {
            out.events.push_back(BoxEvent::BadDropped);
            return;
        };
        match &mut self.work {
            // A NAT must translate even what is damaged, and so must know whose it is.
            Working::Nat(nat) => nat.segment(now, passing, out),
            _ if !passing.sound => out.onward(passing.transit),
            Working::Firewall(firewall) => firewall.segment(now, passing, out),
            Working::Options(plan) => option_filter::segment(plan, passing, out),
            Working::Segments(segments) => segments.segment(now, passing, out),
        }
    }
}

impl Out {
    fn onward(&mut self, transit: Transit) {
        self.onward.push_back(transit);
    }

    /// A segment goes no further, for it belongs to nothing that is known.
    fn refuse(&mut self, passing: &Passing, standing: Standing, answer: Answer) {
        if !passing.sound {
            self.events.push_back(BoxEvent::BadDropped);
            return;
        }
        let packet = passing.transit.packet();
        let tag = Incarnation::from_tag(packet.tag);
        self.events.push_back(BoxEvent::Refused {
            tag,
            from: passing.from,
            to: passing.to,
            full: standing == Standing::Full,
        });
        if answer == Answer::Reset {
            self.answers.extend(reset(packet));
        }
    }
}

/// The RST with which a box answers a segment in the name of whom it was for. Never one to a RST,
/// nor to a bare SYN (RFC 5382 REQ-4), nor to what is no segment.
fn reset(packet: &Packet) -> Option<Outgoing> {
    let segment = Segment::parse(packet.payload.octets()).ok()?;
    let opens = !segment.flags.contains(Flags::ACK) && segment.flags.contains(Flags::SYN);
    if segment.flags.contains(Flags::RST) || opens {
        return None;
    }
    // RFC 9293 §3.10.7.1.
    let (seq, ack, flags) = match segment.flags.contains(Flags::ACK) {
        true => (segment.ack, SeqNumber(0), Flags::RST),
        false => (
            SeqNumber(0),
            segment.seq + segment.len(),
            Flags::RST | Flags::ACK,
        ),
    };
    let answer = Segment {
        source_port: segment.destination_port,
        destination_port: segment.source_port,
        seq,
        ack,
        flags,
        window: 0,
        urgent: 0,
        options: Options::default(),
        text: &[],
    };
    let mut octets = Vec::new();
    answer.emit(packet.dst, packet.src, &mut octets);
    Some(Outgoing {
        src: packet.dst,
        dst: packet.src,
        hop_limit: HOP_LIMIT,
        ecn: 0,
        payload: Payload::new(octets),
        class: class_of(flags, 0) | class::ECHO,
        ..packet.sent.clone()
    })
}

/// RFC 1700: the default TTL.
const HOP_LIMIT: u8 = 64;

impl Node for Middlebox {
    type Event = HostEvent;

    fn handle_packet(&mut self, _: Instant, _: &Packet) {}

    fn handle_transit(&mut self, now: Instant, transit: Transit) {
        if !icmp::PROTOCOLS.contains(&transit.packet().protocol) {
            self.segment(now, transit);
            return;
        }
        match &self.work {
            Working::Nat(nat) => nat.error(now, transit, &mut self.out),
            Working::Firewall(_) | Working::Options(_) | Working::Segments(_) => {
                self.out.onward(transit);
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Working::Segments(segments) = &mut self.work {
            segments.timeout(now, &mut self.out);
        }
    }

    fn poll_transit(&mut self, _: Instant) -> Option<Transit> {
        self.out.onward.pop_front()
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Outgoing> {
        self.out.answers.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match &self.work {
            Working::Segments(segments) => segments.next_timeout(),
            Working::Nat(_) | Working::Firewall(_) | Working::Options(_) => None,
        }
    }

    fn poll_event(&mut self) -> Option<HostEvent> {
        self.out.events.pop_front().map(HostEvent::Box)
    }
}

#[cfg(test)]
mod tests;
