//! What routers say about datagrams that they drop: ICMP (RFC 792) and ICMPv6 (RFC 4443) errors
//! as real octets. This is as far up as `sim` looks: what an error quotes is opaque to it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use crate::packet::{Fragment, NodeId, Outgoing, Packet, Payload};
use crate::time::{Instant, nanos};

/// The protocol numbers of ICMP and ICMPv6.
pub const PROTOCOLS: [u8; 2] = [1, 58];

/// How a router reports what it drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouterErrors {
    /// The least time between two errors, as RFC 1812 §4.3.2.8 has it among others (RFC 4443 §2.4 (f)
    /// would rather have a token bucket); zero: no limit.
    pub interval: Duration,
    /// Octets quoted after the IP header, at least 8 (RFC 792); RFC 1812 §4.3.2.3 and RFC 4443
    /// §2.4 (c) want as many as fit 576 and 1,280.
    pub quote_octets: u16,
    /// The class of its errors, a label for the hosts.
    pub class: u16,
}

/// Why a datagram was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is larger than the next link carries and must not be fragmented.
    TooBig {
        /// The MTU of that link, in octets.
        mtu: u16,
    },
    /// Its hop limit ran out.
    HopLimit,
    /// No way leads to its destination.
    NoRoute,
    /// Its destination has nobody at that port. Routers never say so, hosts and liars do.
    NoPort,
    /// A part of it never came. Its destination says so.
    Incomplete,
}

/// The octets of the error that `from` sends about `about`, without IP header: checksum and all.
///
/// # Panics
/// If `from` and the ends of `about` are of different families.
pub fn error(from: IpAddr, about: &Outgoing, problem: Problem, quote_octets: u16) -> Vec<u8> {
    octets(from, (about, Fragment::WHOLE, 0), problem, quote_octets)
}

/// What is quoted: a datagram, the part of it, and its identification.
type Quoted<'a> = (&'a Outgoing, Fragment, u16);

fn octets(from: IpAddr, quoted: Quoted<'_>, problem: Problem, quote_octets: u16) -> Vec<u8> {
    let about = quoted.0;
    let v4 = about.dst.is_ipv4();
    assert!(
        from.is_ipv4() == v4 && about.src.is_ipv4() == v4,
        "an error stays in its family"
    );
    let (kind, code) = match (v4, problem) {
        (true, Problem::TooBig { .. }) => (3, 4),
        (true, Problem::NoRoute) => (3, 0),
        (true, Problem::NoPort) => (3, 3),
        (true, Problem::HopLimit) => (11, 0),
        (true, Problem::Incomplete) => (11, 1),
        (false, Problem::TooBig { .. }) => (2, 0),
        (false, Problem::NoRoute) => (1, 0),
        (false, Problem::NoPort) => (1, 4),
        (false, Problem::HopLimit) => (3, 0),
        (false, Problem::Incomplete) => (3, 1),
    };
    let mtu = match problem {
        Problem::TooBig { mtu } => u32::from(mtu),
        Problem::HopLimit | Problem::NoRoute | Problem::NoPort | Problem::Incomplete => 0,
    };
    let mut octets = vec![kind, code, 0, 0];
    octets.extend(mtu.to_be_bytes());
    quote(quoted, quote_octets, &mut octets);
    let sum = match (from, about.src) {
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let length = (octets.len() as u32).to_be_bytes();
            sum(&from.octets()) + sum(&to.octets()) + sum(&length) + 58
        }
        _ => 0,
    };
    let sum = checksum(sum + self::sum(&octets));
    octets[2..4].copy_from_slice(&sum);
    octets
}

/// The datagram that says so, with the labels of what it is about.
pub(crate) fn report(
    from: IpAddr,
    about: &Packet,
    problem: Problem,
    errors: RouterErrors,
) -> Outgoing {
    let fragment = about.fragment.unwrap_or(Fragment::WHOLE);
    let quoted = (&about.sent, fragment, about.identification());
    let octets = octets(from, quoted, problem, errors.quote_octets);
    Outgoing {
        src: from,
        dst: about.src,
        hop_limit: HOP_LIMIT,
        ecn: 0,
        // RFC 1812 §4.3.2.5: internetwork control (CS6).
        diffserv: 48,
        dont_fragment: false,
        protocol: PROTOCOLS[usize::from(about.dst.is_ipv6())],
        payload: Payload::from_slice(&octets),
        tag: about.tag,
        flow: about.flow,
        class: errors.class,
    }
}

/// The IP header that the datagram has here, and the beginning of what follows it.
fn quote(quoted: Quoted<'_>, quote_octets: u16, into: &mut Vec<u8>) {
    let (about, fragment, identification) = quoted;
    let payload = about.payload.octets();
    let traffic_class = about.diffserv << 2 | about.ecn;
    // IPv4 counts its header, IPv6 does not.
    match (about.src, about.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let start = into.len();
            into.extend([0x45, traffic_class]);
            into.extend((about.size() as u16).to_be_bytes());
            let dont_fragment = u16::from(about.dont_fragment) << 14;
            let more = u16::from(fragment.more) << 13;
            into.extend(identification.to_be_bytes());
            into.extend((dont_fragment | more | (fragment.offset / 8)).to_be_bytes());
            into.extend([about.hop_limit, about.protocol, 0, 0]);
            into.extend(src.octets());
            into.extend(dst.octets());
            let sum = checksum(sum(&into[start..]));
            into[start + 10..start + 12].copy_from_slice(&sum);
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            into.extend([0x60 | traffic_class >> 4, traffic_class << 4, 0, 0]);
            into.extend((payload.len() as u16).to_be_bytes());
            into.extend([about.protocol, about.hop_limit]);
            into.extend(src.octets());
            into.extend(dst.octets());
        }
        _ => {}
    }
    let quoted = payload.len().min(usize::from(quote_octets.max(8)));
    into.extend_from_slice(&payload[..quoted]);
}

/// The sum of 16-bit words (RFC 1071).
fn sum(octets: &[u8]) -> u64 {
    let words = octets.chunks(2).map(|pair| match *pair {
        [high, low] => u64::from(u16::from_be_bytes([high, low])),
        _ => u64::from(pair[0]) << 8,
    });
    words.sum()
}

fn checksum(mut sum: u64) -> [u8; 2] {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

/// The address that router `node` sends from: of the block for benchmarks (RFC 2544, RFC 5180).
pub(crate) fn router_address(node: NodeId, v4: bool) -> IpAddr {
    let [_, _, high, low] = node.0.to_be_bytes();
    if v4 {
        IpAddr::V4(Ipv4Addr::new(198, 18, high, low))
    } else {
        let number = u16::from_be_bytes([high, low]);
        IpAddr::V6(Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, number))
    }
}

/// RFC 1700: the default TTL.
const HOP_LIMIT: u8 = 64;

/// A router that may report.
pub(crate) struct Reporter {
    pub(crate) errors: RouterErrors,
    /// How many errors it has sent.
    sent: u64,
    /// Before this moment it keeps silent.
    silent_until: Instant,
}

impl Reporter {
    pub(crate) fn new(errors: RouterErrors) -> Self {
        Self {
            errors,
            sent: 0,
            silent_until: Instant::ZERO,
        }
    }

    /// The number of an error sent now, if one may be sent.
    pub(crate) fn may_report(&mut self, now: Instant) -> Option<u64> {
        if now < self.silent_until {
            return None;
        }
        self.silent_until = now.plus_nanos(nanos(self.errors.interval));
        self.sent += 1;
        Some(self.sent - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, error};
    use crate::packet::{Outgoing, Payload};

    fn about(v4: bool) -> Outgoing {
        let address = |last: u8| match v4 {
            true => [10, 0, 0, last].into(),
            false => [0xfd00, 0, 0, 0, 0, 0, 0, u16::from(last)].into(),
        };
        Outgoing {
            src: address(1),
            dst: address(2),
            hop_limit: 63,
            ecn: 2,
            diffserv: 46,
            dont_fragment: true,
            protocol: 6,
            payload: Payload::from_slice(&[7; 20]),
            tag: 0,
            flow: 0,
            class: 0,
        }
    }

    #[test]
    fn ipv4_octet_by_octet() {
        let octets = error(
            [198, 18, 0, 9].into(),
            &about(true),
            Problem::TooBig { mtu: 1400 },
            8,
        );
        // Header sum: 45ba + 0028 + 4000 + 3f06 + 0a00 + 0001 + 0a00 + 0002 = d8eb, complement
        // 2714. Message: 0304 + 0578 + that header with its sum (ffff) + 4 * 0707 = 2498 + ffff.
        let expected = [
            3, 4, 0xdb, 0x67, 0, 0, 5, 0x78, 0x45, 0xba, 0, 40, 0, 0, 0x40, 0, 63, 6, 0x27, 0x14,
            10, 0, 0, 1, 10, 0, 0, 2, 7, 7, 7, 7, 7, 7, 7, 7,
        ];
        assert_eq!(octets, expected);
    }

    #[test]
    fn ipv6_octet_by_octet() {
        let router = [0xfd00, 0, 0, 0, 0, 0, 0, 9].into();
        let octets = error(router, &about(false), Problem::HopLimit, 1232);
        assert_eq!(octets[..2], [3, 0]);
        assert_eq!(octets[4..16], [0, 0, 0, 0, 0x6b, 0xa0, 0, 0, 0, 20, 6, 63]);
        assert_eq!(octets[48..], [7; 20]);
        // Pseudo-header (fd00 0009, fd00 0001, length 68, next header 58) and message sum to ffff.
        let words = octets
            .chunks(2)
            .map(|w| u64::from(w[0]) << 8 | u64::from(w[1]));
        let mut total: u64 = words.sum::<u64>() + 2 * 0xfd00 + 9 + 1 + 68 + 58;
        while total > 0xffff {
            total = (total & 0xffff) + (total >> 16);
        }
        assert_eq!(total, 0xffff);
    }

    #[test]
    fn at_least_eight_octets_are_quoted_if_there_are_as_many() {
        let length = |payload: &[u8], quote| {
            let payload = Payload::from_slice(payload);
            let about = Outgoing {
                payload,
                ..about(true)
            };
            error([198, 18, 0, 9].into(), &about, Problem::NoRoute, quote).len() - 28
        };
        assert_eq!([length(&[1; 30], 0), length(&[1; 30], 20)], [8, 20]);
        assert_eq!(length(&[1; 5], 20), 5);
    }
}
