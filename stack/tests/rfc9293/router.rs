//! A router played by hand: it answers what the stack sends with ICMP errors.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use timewait_stack::event::IcmpVerdict;
use timewait_stack::{Event, SeqNumber};

use crate::peer::{Bench, PEER_PORT, PORT, Sent};

const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
const ROUTER6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1));

/// What an error quotes of the datagram that caused it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cause {
    pub(crate) from: IpAddr,
    pub(crate) to: IpAddr,
    pub(crate) ports: (u16, u16),
    pub(crate) seq: SeqNumber,
    /// Octets of the datagram, IP header included.
    pub(crate) length: u16,
    pub(crate) protocol: u8,
}

/// The octets of an ICMP error: type, code, what follows the checksum, and the cause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Error(pub(crate) u8, pub(crate) u8, pub(crate) [u8; 4]);

impl Error {
    pub(crate) fn too_big(v4: bool, mtu: u32) -> Self {
        let octets = mtu.to_be_bytes();
        if v4 {
            Self(3, 4, [0, 0, octets[2], octets[3]])
        } else {
            Self(2, 0, octets)
        }
    }
}

impl Cause {
    /// The datagram that carried `sent`.
    pub(crate) fn of(sent: &Sent) -> Self {
        let headers = if sent.transmit.from.is_ipv4() { 40 } else { 60 };
        Self {
            from: sent.transmit.from,
            to: sent.transmit.to,
            ports: (PORT, PEER_PORT),
            seq: sent.seq,
            length: headers + sent.text.len() as u16,
            protocol: 6,
        }
    }

    fn quote(&self) -> Vec<u8> {
        let length = self.length.to_be_bytes();
        let mut octets = match (self.from, self.to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let mut header = vec![0x45, 0, length[0], length[1], 0, 0, 0x40, 0, 60];
                header.extend([self.protocol, 0, 0]);
                header.extend(from.octets());
                header.extend(to.octets());
                header
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let [high, low] = (self.length - 40).to_be_bytes();
                let mut header = vec![0x60, 0, 0, 0, high, low, self.protocol, 60];
                header.extend(from.octets());
                header.extend(to.octets());
                header
            }
            other => panic!("{other:?}"),
        };
        octets.extend(self.ports.0.to_be_bytes());
        octets.extend(self.ports.1.to_be_bytes());
        octets.extend(self.seq.0.to_be_bytes());
        octets
    }
}

/// The message with its checksum (RFC 792; RFC 4443 §2.3).
pub(crate) fn message(from: IpAddr, to: IpAddr, error: Error, cause: &Cause) -> Vec<u8> {
    let Error(kind, code, rest) = error;
    let mut octets = vec![kind, code, 0, 0];
    octets.extend(rest);
    octets.extend(cause.quote());
    let mut summed = octets.clone();
    if let (IpAddr::V6(from), IpAddr::V6(to)) = (from, to) {
        summed.extend(from.octets());
        summed.extend(to.octets());
        summed.extend((octets.len() as u32).to_be_bytes());
        summed.extend([0, 0, 0, 58]);
    }
    let words = summed.chunks(2).map(|pair| {
        u32::from(u16::from_be_bytes([
            pair[0],
            pair.get(1).copied().unwrap_or(0),
        ]))
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    octets[2..4].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    octets
}

impl Bench {
    /// A router answers `sent` with this error. Returns the verdict and what the stack sends.
    pub(crate) fn error(&mut self, error: Error, sent: &Sent) -> (IcmpVerdict, Vec<Sent>) {
        self.error_about(error, &Cause::of(sent))
    }

    /// The same about any datagram.
    pub(crate) fn error_about(&mut self, error: Error, cause: &Cause) -> (IcmpVerdict, Vec<Sent>) {
        let router = if self.host.is_ipv4() { ROUTER } else { ROUTER6 };
        let octets = message(router, self.host, error, cause);
        self.icmp(router, &octets)
    }

    /// These octets arrive as ICMP.
    pub(crate) fn icmp(&mut self, from: IpAddr, octets: &[u8]) -> (IcmpVerdict, Vec<Sent>) {
        self.stack.handle_icmp(self.now, from, self.host, octets);
        let mut verdict = None;
        while let Some(event) = self.stack.poll_event() {
            match event {
                Event::Icmp(arrival) => verdict = Some(arrival.verdict),
                Event::Transition { from, to, .. } => self.transitions.push((from, to)),
                Event::Ready { socket, ready } => self.ready.push((socket, ready)),
                _ => {}
            }
        }
        let sent = self.drain();
        (verdict.expect("every message is judged"), sent)
    }
}
