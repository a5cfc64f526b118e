//! Segments and quotes of segments changed in place, their checksums made right by the difference
//! alone (RFC 1624): what was wrong before stays wrong.

use core::net::{IpAddr, SocketAddr};

/// Where the checksum stands in a segment.
const TCP_SUM_AT: usize = 16;

/// An end of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Destination,
}

/// The ports of a segment: source and destination. `None`: it is cut off before them.
pub(super) fn ports(segment: &[u8]) -> Option<(u16, u16)> {
    let &[a, b, c, d] = segment.first_chunk()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

/// Gives a segment, or what is quoted of it, another end on one side, of the same family.
pub(super) fn translate(segment: &mut [u8], side: Side, old: SocketAddr, new: SocketAddr) {
    let at = match side {
        Side::Source => 0,
        Side::Destination => 2,
    };
    if let Some(port) = segment.get_mut(at..at + 2) {
        port.copy_from_slice(&new.port().to_be_bytes());
    }
    let words = |end: SocketAddr| [address(end.ip()), end.port().to_be_bytes().to_vec()].concat();
    adjust(segment, TCP_SUM_AT, &words(old), &words(new));
}

/// The octets of an address.
pub(super) fn address(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// Changes the checksum at `at`, if there is one, by what makes `new` out of `old` in what it covers:
/// HC' = ~(~HC + ~m + m') (RFC 1624 §3), each taken in words of 16 bits.
pub(super) fn adjust(octets: &mut [u8], at: usize, old: &[u8], new: &[u8]) {
    let Some(field) = octets.get_mut(at..at + 2) else {
        return;
    };
    let before = u16::from_be_bytes([field[0], field[1]]);
    let minus = words(old).map(|word| u64::from(!word));
    let plus = words(new).map(u64::from);
    let mut sum = u64::from(!before) + minus.chain(plus).sum::<u64>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    field.copy_from_slice(&(!(sum as u16)).to_be_bytes());
}

fn words(octets: &[u8]) -> impl Iterator<Item = u16> {
    octets.chunks(2).map(|pair| match *pair {
        [high, low] => u16::from_be_bytes([high, low]),
        _ => u16::from(pair[0]) << 8,
    })
}

#[cfg(test)]
mod tests {
    use core::net::SocketAddr;

    use timewait_stack::SeqNumber;
    use timewait_stack::wire::{Flags, Options, Segment};

    use super::{Side, ports, translate};

    fn end(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn segment(from: SocketAddr, to: SocketAddr) -> Vec<u8> {
        let segment = Segment {
            source_port: from.port(),
            destination_port: to.port(),
            seq: SeqNumber(7),
            ack: SeqNumber(9),
            flags: Flags::ACK,
            window: 1000,
            urgent: 0,
            options: Options::default(),
            text: b"text!",
        };
        let mut octets = Vec::new();
        segment.emit(from.ip(), to.ip(), &mut octets);
        octets
    }

    #[test]
    fn a_translated_segment_is_the_one_that_its_new_ends_would_send() {
        let pairs = [
            ("10.0.0.1:1000", "192.0.2.7:65535", "10.0.0.2:80"),
            ("[fd00::1]:1000", "[2001:db8::ffff]:2", "[fd00::2]:80"),
        ];
        for (inside, outside, peer) in pairs.map(|(a, b, c)| (end(a), end(b), end(c))) {
            let mut octets = segment(inside, peer);
            translate(&mut octets, Side::Source, inside, outside);
            assert_eq!(octets, segment(outside, peer));
            let mut octets = segment(peer, outside);
            translate(&mut octets, Side::Destination, outside, inside);
            assert_eq!(octets, segment(peer, inside));
        }
    }

    #[test]
    fn damage_stays_visible() {
        let [inside, outside, peer] = ["10.0.0.1:1000", "192.0.2.7:65535", "10.0.0.2:80"].map(end);
        for bit in 32..segment(inside, peer).len() * 8 {
            let mut octets = segment(inside, peer);
            octets[bit / 8] ^= 1 << (bit % 8);
            translate(&mut octets, Side::Source, inside, outside);
            assert!(
                !Segment::verify_checksum(outside.ip(), peer.ip(), &octets),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn what_is_cut_off_is_left_alone() {
        let [inside, outside] = ["10.0.0.1:1000", "192.0.2.7:65535"].map(end);
        assert_eq!(ports(&[1, 2, 3]), None);
        let mut octets = [0, 80, 3, 232, 0, 0, 0, 1];
        translate(&mut octets, Side::Destination, inside, outside);
        assert_eq!(octets, [0, 80, 255, 255, 0, 0, 0, 1]);
        translate(&mut [], Side::Source, inside, outside);
    }
}
