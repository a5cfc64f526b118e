//! What a segment and its IP header tell each other beyond addresses: the traffic class octet
//! (IPv4 TOS, IPv6 Traffic Class), split into the Diffserv field (RFC 2474 §3) and ECN (RFC 3168
//! §5).

use crate::stack::Ecn;

/// The largest value of the six bits of a Diffserv field.
pub(crate) const DIFFSERV_MAX: u8 = 63;

/// The traffic class octet of an IP header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficClass {
    /// The Diffserv codepoint, 0 to 63.
    pub diffserv: u8,
    /// The ECN field.
    pub ecn: Ecn,
}

impl TrafficClass {
    /// The class in this octet.
    pub const fn from_octet(octet: u8) -> Self {
        let ecn = match octet & 3 {
            0 => Ecn::NotEct,
            1 => Ecn::Ect1,
            2 => Ecn::Ect0,
            _ => Ecn::Ce,
        };
        Self {
            diffserv: octet >> 2,
            ecn,
        }
    }

    /// As the octet of an IP header.
    pub const fn octet(self) -> u8 {
        self.diffserv << 2 | self.ecn as u8
    }
}

impl From<Ecn> for TrafficClass {
    fn from(ecn: Ecn) -> Self {
        Self { diffserv: 0, ecn }
    }
}

#[cfg(test)]
mod tests {
    use super::TrafficClass;

    #[test]
    fn every_octet_is_a_class_and_comes_back() {
        for octet in 0..=u8::MAX {
            let class = TrafficClass::from_octet(octet);
            assert_eq!((class.octet(), class.diffserv), (octet, octet >> 2));
        }
    }
}
