//! The IP header that a datagram has where it is seen.

use core::net::IpAddr;

use etherparse::{IpDscp, IpEcn, IpFragOffset, IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header};
use timewait_sim::Packet;

/// The datagram as octets, from its IP header on. `None`: its ends are of different families, or
/// it is larger than IP can say.
pub(super) fn datagram(packet: &Packet) -> Option<Vec<u8>> {
    let payload = packet.payload.octets();
    let mut octets = Vec::with_capacity(40 + payload.len());
    match (packet.src, packet.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let length = u16::try_from(payload.len()).ok()?;
            let number = IpNumber(packet.protocol);
            let (src, dst) = (src.octets(), dst.octets());
            let mut header = Ipv4Header::new(length, packet.hop_limit, number, src, dst).ok()?;
            header.dscp = IpDscp::try_new(packet.diffserv).ok()?;
            header.ecn = IpEcn::try_new(packet.ecn).ok()?;
            header.dont_fragment = packet.dont_fragment;
            if let Some(part) = packet.fragment {
                header.more_fragments = part.more;
                header.fragment_offset = IpFragOffset::try_new(part.offset / 8).ok()?;
            }
            // So that a viewer can follow one datagram from hop to hop.
            header.identification = packet.identification();
            header.header_checksum = header.calc_header_checksum();
            octets.extend_from_slice(&header.to_bytes());
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let header = Ipv6Header {
                traffic_class: packet.diffserv << 2 | packet.ecn,
                flow_label: Ipv6FlowLabel::ZERO,
                payload_length: u16::try_from(payload.len()).ok()?,
                next_header: IpNumber(packet.protocol),
                hop_limit: packet.hop_limit,
                source: src.octets(),
                destination: dst.octets(),
            };
            octets.extend_from_slice(&header.to_bytes());
        }
        _ => return None,
    }
    octets.extend_from_slice(payload);
    Some(octets)
}
