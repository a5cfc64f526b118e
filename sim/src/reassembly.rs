//! Fragments on their way to being datagrams again (RFC 791 §3.2, RFC 815).
//!
//! No two parts overlap, so a datagram is whole when the octets of its parts add up to its end: no
//! list of holes is needed. What overlaps is no accident but an attack, and the datagram is given up
//! with all that still comes of it (as RFC 5722 wants it of IPv6); the same part once more is a copy
//! that the network made, and left alone.

use core::net::IpAddr;
use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use indexmap::IndexMap;

/// What parts of one datagram have in common (RFC 791 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) identification: u16,
}

/// The fragments that wait at one host.
#[derive(Default)]
pub(crate) struct Reassembly {
    /// The oldest first.
    partial: IndexMap<Key, Partial, FixedState>,
    octets: u64,
    next_serial: u32,
}

struct Partial {
    serial: u32,
    /// By their offsets.
    parts: BTreeMap<u32, Part>,
    /// Where the datagram ends, once its last part is there.
    end: Option<u32>,
    octets: u32,
    /// Parts overlapped: nothing will come of it.
    spoilt: bool,
}

#[derive(Clone, Copy)]
struct Part {
    flight: u32,
    octets: u32,
}

/// A fragment that comes. Offset and length in octets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) flight: u32,
    pub(crate) offset: u32,
    pub(crate) octets: u32,
    pub(crate) more: bool,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gathered {
    /// It waits; `first`: it is the first of its datagram that came, which has this number.
    Waits { first: Option<u32> },
    /// The datagram is whole: its parts in order.
    Whole(Vec<u32>),
    /// These overlap or repeat others.
    Refused(Vec<u32>),
}

impl Reassembly {
    /// Takes in a fragment.
    pub(crate) fn add(&mut self, key: Key, arrival: &Arrival) -> Gathered {
        let serial = self.next_serial;
        let partial = self
            .partial
            .entry(key)
            .or_insert_with(|| Partial::new(serial));
        let first = (partial.serial == serial).then_some(serial);
        if first.is_some() {
            self.next_serial = self.next_serial.wrapping_add(1);
        }
        if partial.spoilt || partial.repeats(arrival) {
            return Gathered::Refused(vec![arrival.flight]);
        }
        if partial.overlaps(arrival) {
            let mut flights = partial.spoil();
            self.octets -= u64::from(core::mem::take(&mut partial.octets));
            flights.push(arrival.flight);
            return Gathered::Refused(flights);
        }
        partial.insert(arrival);
        self.octets += u64::from(arrival.octets);
        if !partial.is_whole() {
            return Gathered::Waits { first };
        }
        let whole = self.partial.shift_remove(&key);
        Gathered::Whole(self.flights_of(whole))
    }

    /// Whether the datagram of this number still waits.
    pub(crate) fn has(&self, serial: u32) -> bool {
        self.partial
            .values()
            .any(|partial| partial.serial == serial)
    }

    /// The time of the datagram of this number is over: its parts in order, if it waits, and whether
    /// the first one is there.
    pub(crate) fn expire(&mut self, serial: u32) -> (Vec<u32>, bool) {
        let mut waiting = self.partial.iter();
        let its = waiting.find(|(_, partial)| partial.serial == serial);
        let key = its.map(|(key, _)| *key);
        let gone = key.and_then(|key| self.partial.shift_remove(&key));
        let begun = gone
            .as_ref()
            .is_some_and(|partial| partial.parts.contains_key(&0));
        (self.flights_of(gone), begun)
    }

    /// If too much waits, the parts of the oldest datagram.
    pub(crate) fn make_room(&mut self) -> Vec<u32> {
        if self.octets <= OCTETS_MAX && self.partial.len() <= DATAGRAMS_MAX {
            return Vec::new();
        }
        let oldest = self.partial.shift_remove_index(0);
        self.flights_of(oldest.map(|(_, partial)| partial))
    }

    fn flights_of(&mut self, gone: Option<Partial>) -> Vec<u32> {
        gone.map_or_else(Vec::new, |partial| {
            self.octets -= u64::from(partial.octets);
            partial.parts.values().map(|part| part.flight).collect()
        })
    }
}

impl Partial {
    fn new(serial: u32) -> Self {
        Self {
            serial,
            parts: BTreeMap::new(),
            end: None,
            octets: 0,
            spoilt: false,
        }
    }

    fn repeats(&self, arrival: &Arrival) -> bool {
        let same = self.parts.get(&arrival.offset);
        let is_last = self.end == Some(arrival.offset + arrival.octets);
        same.is_some_and(|part| part.octets == arrival.octets && arrival.more != is_last)
    }

    fn overlaps(&self, arrival: &Arrival) -> bool {
        let Arrival {
            offset,
            octets,
            more,
            ..
        } = *arrival;
        let end = offset + octets;
        let before = self.parts.range(..=offset).next_back();
        let into_last = before.is_some_and(|(at, part)| at + part.octets > offset);
        let after = self.parts.range(offset..).next();
        let into_next = after.is_some_and(|(at, _)| *at < end);
        let beyond = self
            .end
            .is_some_and(|last| end > last || !more && end != last);
        let inside = !more && self.parts.keys().next_back().is_some_and(|at| *at >= end);
        into_last || into_next || beyond || inside
    }

    fn insert(&mut self, arrival: &Arrival) {
        let Arrival {
            flight,
            offset,
            octets,
            more,
        } = *arrival;
        if !more {
            self.end = Some(offset + octets);
        }
        self.octets += octets;
        self.parts.insert(offset, Part { flight, octets });
    }

    fn is_whole(&self) -> bool {
        self.end == Some(self.octets)
    }

    /// Gives up all parts, and those that will come.
    fn spoil(&mut self) -> Vec<u32> {
        self.spoilt = true;
        let parts = core::mem::take(&mut self.parts);
        parts.values().map(|part| part.flight).collect()
    }
}

/// So many octets may wait at a host; the oldest datagram gives way.
const OCTETS_MAX: u64 = 256 << 10;
/// And parts of so many datagrams.
const DATAGRAMS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::{Arrival, DATAGRAMS_MAX, Gathered, Key, Reassembly};

    fn key(identification: u16) -> Key {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Key {
            src: address,
            dst: address,
            protocol: 6,
            identification,
        }
    }

    fn part(flight: u32, offset: u32, octets: u32, more: bool) -> Arrival {
        Arrival {
            flight,
            offset,
            octets,
            more,
        }
    }

    /// Three parts of a datagram of 20 octets.
    const PARTS: [(u32, u32, u32, bool); 3] = [(7, 0, 8, true), (8, 8, 8, true), (9, 16, 4, false)];

    #[test]
    fn a_datagram_is_whole_in_whatever_order_its_parts_come() {
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let mut table = Reassembly::default();
            let gathered = order.map(|index| {
                let (flight, offset, octets, more) = PARTS[index];
                table.add(key(1), &part(flight, offset, octets, more))
            });
            assert_eq!(gathered[0], Gathered::Waits { first: Some(0) });
            assert_eq!(gathered[1], Gathered::Waits { first: None });
            assert_eq!(gathered[2], Gathered::Whole(vec![7, 8, 9]));
            assert_eq!((table.octets, table.partial.len()), (0, 0));
        }
    }

    #[test]
    fn a_copy_of_a_part_is_refused_and_does_no_harm() {
        let mut table = Reassembly::default();
        table.add(key(1), &part(7, 0, 8, true));
        let again = table.add(key(1), &part(17, 0, 8, true));
        assert_eq!(again, Gathered::Refused(vec![17]));
        let whole = table.add(key(1), &part(9, 8, 4, false));
        assert_eq!(whole, Gathered::Whole(vec![7, 9]));
    }

    #[test]
    fn parts_that_overlap_spoil_their_datagram() {
        let overlapping = [
            part(5, 8, 16, true),
            part(5, 24, 8, true),
            part(5, 0, 24, true),
            part(5, 16, 16, false),
            part(5, 40, 8, true),
            part(5, 32, 4, false),
        ];
        for bad in overlapping {
            let mut table = Reassembly::default();
            table.add(key(1), &part(7, 16, 16, true));
            table.add(key(1), &part(8, 32, 8, false));
            let refused = table.add(key(1), &bad);
            assert_eq!(refused, Gathered::Refused(vec![7, 8, 5]), "{bad:?}");
            let later = table.add(key(1), &part(9, 0, 16, true));
            assert_eq!(later, Gathered::Refused(vec![9]), "nothing comes of it");
            assert_eq!(table.octets, 0);
            assert_eq!(table.expire(0), (vec![], false), "nothing is left of it");
        }
        let mut table = Reassembly::default();
        table.add(key(1), &part(7, 16, 8, true));
        let short = table.add(key(1), &part(8, 0, 8, false));
        assert_eq!(short, Gathered::Refused(vec![7, 8]), "it can't end there");
    }

    #[test]
    fn other_datagrams_are_other_datagrams() {
        let mut table = Reassembly::default();
        table.add(key(1), &part(7, 0, 8, true));
        let other = table.add(key(2), &part(9, 8, 4, false));
        assert_eq!(other, Gathered::Waits { first: Some(1) });
        assert_eq!(table.expire(1), (vec![9], false));
        assert!(table.has(0) && !table.has(1));
        assert_eq!(table.expire(0), (vec![7], true));
        assert_eq!(table.expire(0), (vec![], false));
    }

    #[test]
    fn too_many_make_room_from_the_oldest_on() {
        let mut table = Reassembly::default();
        for number in 0..DATAGRAMS_MAX as u16 {
            table.add(key(number), &part(number.into(), 0, 8, true));
            assert_eq!(table.make_room(), []);
        }
        table.add(key(999), &part(999, 0, 8, true));
        assert_eq!(table.make_room(), [0]);
        assert_eq!(table.make_room(), []);
        for offset in 0..5 {
            table.add(
                key(998),
                &part(1000 + offset, offset * 60_000, 60_000, true),
            );
        }
        let freed: usize = core::iter::from_fn(|| Some(table.make_room()))
            .take_while(|flights| !flights.is_empty())
            .map(|flights| flights.len())
            .sum();
        assert_eq!(freed, 64 + 5, "in the end the large one itself");
        assert_eq!(table.octets, 0);
    }
}
