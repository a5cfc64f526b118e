//! Routes that somebody has entered: the longest prefix that fits wins (RFC 1812 §5.2.4.3).

use core::net::IpAddr;

use crate::fates::HopId;

/// All addresses that begin with the same bits (RFC 4632 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// The first `length` bits of `address`, at most all 32 or 128; the others do not matter.
    pub fn new(address: IpAddr, length: u8) -> Self {
        let length = length.min(width(address));
        Self { address, length }
    }

    /// Just this address.
    pub fn host(address: IpAddr) -> Self {
        Self::new(address, u8::MAX)
    }

    /// How many bits it fixes.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// Whether an address begins with these bits. One of the other family never does.
    pub fn contains(&self, address: IpAddr) -> bool {
        if address.is_ipv4() != self.address.is_ipv4() {
            return false;
        }
        let differ = bits(address) ^ bits(self.address);
        differ
            .checked_shr(u32::from(width(address) - self.length))
            .is_none_or(|differ| differ == 0)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The entered routes of one router: few, so they are looked through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(Vec<(Prefix, HopId)>);

impl Table {
    /// Enters a route; one for the same prefix is replaced.
    pub(crate) fn enter(&mut self, prefix: Prefix, hop: HopId) {
        let same = |its: &Prefix| its.length == prefix.length && its.contains(prefix.address);
        self.0.retain(|(its, _)| !same(its));
        self.0.push((prefix, hop));
    }

    /// The hop for an address, if any route fits it.
    pub(crate) fn hop(&self, address: IpAddr) -> Option<HopId> {
        let fitting = self.0.iter().filter(|(prefix, _)| prefix.contains(address));
        fitting
            .max_by_key(|(prefix, _)| prefix.length)
            .map(|(_, hop)| *hop)
    }
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::{Prefix, Table};
    use crate::fates::HopId;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_prefix_contains_what_begins_with_its_bits() {
        let prefix = Prefix::new(ip("10.1.128.9"), 17);
        assert!(prefix.contains(ip("10.1.255.255")) && !prefix.contains(ip("10.1.127.255")));
        assert!(Prefix::new(ip("10.0.0.1"), 0).contains(ip("203.0.113.5")));
        assert!(!Prefix::new(ip("10.0.0.1"), 0).contains(ip("fd00::1")));
        let host = Prefix::host(ip("fd00::1"));
        assert!(host.contains(ip("fd00::1")) && !host.contains(ip("fd00::2")));
        assert!(Prefix::new(ip("fd00::"), 0).contains(ip("2001:db8::")));
        assert_eq!(
            (host.length(), Prefix::host(ip("10.0.0.1")).length()),
            (128, 32)
        );
    }

    #[test]
    fn the_longest_prefix_wins_in_whatever_order_they_were_entered() {
        let routes = [("0.0.0.0", 0, 1), ("10.0.0.0", 8, 2), ("10.0.1.0", 24, 3)];
        for turn in 0..3 {
            let mut table = Table::default();
            for (address, length, hop) in routes.iter().cycle().skip(turn).take(3) {
                table.enter(Prefix::new(ip(address), *length), HopId(*hop));
            }
            let hop = |address| table.hop(ip(address));
            assert_eq!(hop("10.0.1.77"), Some(HopId(3)));
            assert_eq!(hop("10.0.2.77"), Some(HopId(2)));
            assert_eq!(hop("192.0.2.1"), Some(HopId(1)));
            assert_eq!(hop("fd00::1"), None);
        }
    }

    #[test]
    fn a_route_is_replaced_by_another_for_the_same_prefix() {
        let mut table = Table::default();
        table.enter(Prefix::new(ip("10.0.1.5"), 24), HopId(3));
        table.enter(Prefix::new(ip("10.0.1.0"), 24), HopId(4));
        assert_eq!(table.hop(ip("10.0.1.5")), Some(HopId(4)));
        assert_eq!(table.0.len(), 1);
    }
}
