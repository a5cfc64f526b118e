//! The trace hash: one number that tells two runs apart.
//!
//! XXH3-64 over the records below, one after the other, in the order in which things happened.
//! It covers what the network did and nothing of how: not which node was woken when, no event of
//! a node, and not whether an oracle looked. All numbers are little-endian and as wide as said;
//! an address is 16 octets, IPv4 as an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2).
//!
//! Every record begins with its kind (u8) and the time in nanoseconds (u64). Then:
//!
//! | kind | record | fields |
//! |---|---|---|
//! | 1 | sent | *name*, source, destination, hop limit u8, traffic class u8 (Diffserv and ECN), don't fragment u8 (0 or 1), protocol u8, tag u64, flow u64, class u16, *octets* |
//! | 2 | fate, unless it is the default | *name*, hop u32, ordinal u32, *outcome* of the original, number of copies u8 and *outcome* of each |
//! | 3 | dropped | *name*, hop u32 (2^32 - 1: none), reason u8: 1 queue full, 2 too old, 3 hop limit, 4 no route, 5 too big, 6 cut, 7 early, 8 incomplete, 9 overlap |
//! | 4 | released | *name*, hop u32, router u32 |
//! | 5 | delivered | *name*, node u32, hop limit u8, held by u32 (2^32 - 1: nobody), damaged u8 (0 or 1), if damaged *octets* |
//! | 6 | marked | *name*, hop u32 |
//! | 7 | passed | *name*, node u32, and from the source on as for 1, except tag and flow |
//! | 8 | fragmented | *name*, hop u32, parts u32 |
//!
//! *name*: origin u32, ordinal u64. *octets*: their number u32, then themselves; what arrives
//! undamaged is what was last sent or passed under its name. *outcome*: 1 u8 delivered, extra ns u64,
//! *damage*; 2 u8 dropped; 3 u8 held, for ns u64; 4 u8 held until
//! seen, class u16, packets u32, at most ns u64; 5 u8 held until restored, at most ns u64.
//! *damage*: 0 u8 none; 1 u8 burst, start u32, pattern u16; 2 u8 scrambled, start u32, octets u16,
//! pattern u32; 3 u8 swapped, two words u32; 4 u8 truncated, octets u32.

use core::net::IpAddr;

use xxhash_rust::xxh3::Xxh3;

use crate::fates::{Burst, Damage, Fate, HopId, Outcome, Passage, Release};
use crate::oracle::DropReason;
use crate::packet::{NodeId, Packet, PacketId};
use crate::time::{Instant, nanos};

/// The running hash of a run, or nothing if nobody wants one.
pub(crate) struct Trace(Option<Box<Running>>);

struct Running {
    hash: Xxh3,
    /// Records not yet hashed: many small ones are better hashed at once.
    batch: Vec<u8>,
}

/// When a batch is this big, it is hashed.
const BATCH: usize = 4096;

/// Stands for "no hop" and "nobody".
const NONE: u32 = u32::MAX;

impl Trace {
    pub(crate) fn new(wanted: bool) -> Self {
        let running = || {
            Box::new(Running {
                hash: Xxh3::new(),
                batch: Vec::new(),
            })
        };
        Self(wanted.then(running))
    }

    /// The hash so far; 0 if none was wanted.
    pub(crate) fn hash(&self) -> u64 {
        self.0.as_ref().map_or(0, |running| {
            let mut hash = running.hash.clone();
            hash.update(&running.batch);
            hash.digest()
        })
    }

    pub(crate) fn sent(&mut self, now: Instant, packet: &Packet) {
        let Some(running) = &mut self.0 else { return };
        let mut record = running.record(1, now, packet.id);
        record.header(packet);
        record.put(packet.tag.to_le_bytes());
        record.put(packet.flow.to_le_bytes());
        record.put(packet.class.to_le_bytes());
        record.octets(packet.payload.octets());
    }

    pub(crate) fn passed(&mut self, now: Instant, node: NodeId, packet: &Packet) {
        let Some(running) = &mut self.0 else { return };
        let mut record = running.record(7, now, packet.id);
        record.put(node.0.to_le_bytes());
        record.header(packet);
        record.put(packet.class.to_le_bytes());
        record.octets(packet.payload.octets());
    }

    pub(crate) fn fate(&mut self, now: Instant, at: Passage, packet: &Packet, fate: &Fate) {
        let Some(running) = &mut self.0 else { return };
        if fate.is_default() {
            return;
        }
        let mut record = running.record(2, now, packet.id);
        record.put(at.hop.0.to_le_bytes());
        record.put(at.ordinal.to_le_bytes());
        record.outcome(fate.original);
        record.put([fate.copies.iter().count() as u8]);
        for copy in fate.copies.iter() {
            record.outcome(copy);
        }
    }

    pub(crate) fn dropped(
        &mut self,
        now: Instant,
        hop: Option<HopId>,
        packet: &Packet,
        reason: DropReason,
    ) {
        let Some(running) = &mut self.0 else { return };
        let mut record = running.record(3, now, packet.id);
        record.put(hop.map_or(NONE, |hop| hop.0).to_le_bytes());
        record.put([match reason {
            DropReason::QueueFull => 1,
            DropReason::TooOld => 2,
            DropReason::HopLimit => 3,
            DropReason::NoRoute => 4,
            DropReason::TooBig => 5,
            DropReason::Cut => 6,
            DropReason::Early => 7,
            DropReason::Incomplete => 8,
            DropReason::Overlap => 9,
        }]);
    }

    pub(crate) fn released(&mut self, now: Instant, hop: HopId, router: NodeId, packet: &Packet) {
        let Some(running) = &mut self.0 else { return };
        let mut record = running.record(4, now, packet.id);
        record.put(hop.0.to_le_bytes());
        record.put(router.0.to_le_bytes());
    }

    pub(crate) fn marked(&mut self, now: Instant, hop: HopId, packet: &Packet) {
        let Some(running) = &mut self.0 else { return };
        let mut record = running.record(6, now, packet.id);
        record.put(hop.0.to_le_bytes());
    }

    pub(crate) fn fragmented(&mut self, now: Instant, hop: HopId, packet: &Packet, parts: u32) {
        let Some(running) = &mut self.0 else { return };
        let mut record = running.record(8, now, packet.id);
        record.put(hop.0.to_le_bytes());
        record.put(parts.to_le_bytes());
    }

    pub(crate) fn delivered(
        &mut self,
        now: Instant,
        node: NodeId,
        packet: &Packet,
        damaged: bool,
        held_by: Option<NodeId>,
    ) {
        let Some(running) = &mut self.0 else { return };
        let mut record = running.record(5, now, packet.id);
        record.put(node.0.to_le_bytes());
        record.put([packet.hop_limit]);
        record.put(held_by.map_or(NONE, |router| router.0).to_le_bytes());
        record.put([damaged.into()]);
        if damaged {
            record.octets(packet.payload.octets());
        }
    }
}

impl Running {
    /// Begins a record; the ones before it are complete.
    fn record(&mut self, kind: u8, now: Instant, name: PacketId) -> Record<'_> {
        if self.batch.len() >= BATCH {
            self.hash.update(&self.batch);
            self.batch.clear();
        }
        let mut record = Record(&mut self.batch);
        record.put([kind]);
        record.put(now.as_nanos().to_le_bytes());
        record.put(name.origin.0.to_le_bytes());
        record.put(name.ordinal.to_le_bytes());
        record
    }
}

/// The record being written.
struct Record<'a>(&'a mut Vec<u8>);

impl Record<'_> {
    fn put<const N: usize>(&mut self, octets: [u8; N]) {
        self.0.extend_from_slice(&octets);
    }

    fn address(&mut self, address: IpAddr) {
        self.put(match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        });
    }

    /// The fields of IP.
    fn header(&mut self, packet: &Packet) {
        self.address(packet.src);
        self.address(packet.dst);
        self.put([
            packet.hop_limit,
            packet.diffserv << 2 | packet.ecn,
            packet.dont_fragment.into(),
            packet.protocol,
        ]);
    }

    fn outcome(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Deliver { extra, damage } => {
                self.put([1]);
                self.put(nanos(extra).to_le_bytes());
                self.damage(damage);
            }
            Outcome::Drop => self.put([2]),
            Outcome::Hold(Release::After(time)) => {
                self.put([3]);
                self.put(nanos(time).to_le_bytes());
            }
            Outcome::Hold(Release::Seen {
                class,
                packets,
                at_most,
            }) => {
                self.put([4]);
                self.put(class.to_le_bytes());
                self.put(packets.to_le_bytes());
                self.put(nanos(at_most).to_le_bytes());
            }
            Outcome::Hold(Release::Restored { at_most }) => {
                self.put([5]);
                self.put(nanos(at_most).to_le_bytes());
            }
        }
    }

    fn damage(&mut self, damage: Option<Damage>) {
        match damage {
            None => self.put([0]),
            Some(Damage::Burst(Burst { start, pattern })) => {
                self.put([1]);
                self.put(start.to_le_bytes());
                self.put(pattern.to_le_bytes());
            }
            Some(Damage::Scramble {
                start,
                octets,
                pattern,
            }) => {
                self.put([2]);
                self.put(start.to_le_bytes());
                self.put(octets.to_le_bytes());
                self.put(pattern.to_le_bytes());
            }
            Some(Damage::Swap { a, b }) => {
                self.put([3]);
                self.put(a.to_le_bytes());
                self.put(b.to_le_bytes());
            }
            Some(Damage::Truncate { octets }) => {
                self.put([4]);
                self.put(octets.to_le_bytes());
            }
        }
    }

    fn octets(&mut self, octets: &[u8]) {
        self.put((octets.len() as u32).to_le_bytes());
        self.0.extend_from_slice(octets);
    }
}

#[cfg(test)]
mod tests {
    use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use xxhash_rust::xxh3::xxh3_64;

    use super::Trace;
    use crate::fates::{Copies, Fate, HopId, Outcome, Passage};
    use crate::oracle::DropReason;
    use crate::packet::{NodeId, Outgoing, Packet, PacketId, Payload};
    use crate::time::Instant;

    fn packet() -> Packet {
        Packet {
            id: PacketId {
                origin: NodeId(3),
                ordinal: 4,
            },
            born: Instant::ZERO,
            fragment: None,
            sent: Outgoing {
                src: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
                dst: IpAddr::V6(Ipv6Addr::LOCALHOST),
                hop_limit: 64,
                ecn: 2,
                diffserv: 46,
                dont_fragment: true,
                protocol: 6,
                payload: Payload::from_slice(b"ab"),
                tag: 0x0102,
                flow: 5,
                class: 0x0607,
            },
            parts: Vec::new(),
        }
    }

    #[test]
    fn the_encoding_is_the_documented_one() {
        let mut trace = Trace::new(true);
        trace.sent(Instant::from_nanos(0x0908), &packet());
        trace.dropped(Instant::from_nanos(9), None, &packet(), DropReason::NoRoute);
        trace.delivered(
            Instant::from_nanos(10),
            NodeId(1),
            &packet(),
            true,
            Some(NodeId(2)),
        );
        trace.marked(Instant::from_nanos(11), HopId(7), &packet());
        trace.passed(Instant::from_nanos(12), NodeId(5), &packet());

        let mut octets = vec![
            1, 8, 9, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0,
        ];
        octets.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1]);
        octets.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        octets.extend([
            64, 186, 1, 6, 2, 1, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 7, 6,
        ]);
        octets.extend([2, 0, 0, 0, b'a', b'b']);
        octets.extend([
            3, 9, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0,
        ]);
        octets.extend([0xff, 0xff, 0xff, 0xff, 4]);
        octets.extend([
            5, 10, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0,
        ]);
        octets.extend([1, 0, 0, 0, 64, 2, 0, 0, 0, 1, 2, 0, 0, 0, b'a', b'b']);
        octets.extend([
            6, 11, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0,
        ]);
        octets.extend([
            7, 12, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0,
        ]);
        octets.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1]);
        octets.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        octets.extend([64, 186, 1, 6, 7, 6, 2, 0, 0, 0, b'a', b'b']);
        assert_eq!(trace.hash(), xxh3_64(&octets));
    }

    #[test]
    fn a_default_fate_leaves_no_trace_and_any_other_does() {
        let at = Passage {
            hop: HopId(0),
            tag: 1,
            ordinal: 2,
        };
        let hash = |fate: Fate| {
            let mut trace = Trace::new(true);
            trace.fate(Instant::ZERO, at, &packet(), &fate);
            trace.hash()
        };
        let nothing = Trace::new(true).hash();
        assert_eq!(hash(Fate::default()), nothing);
        let lost = hash(Outcome::Drop.into());
        let copied = hash(Fate {
            original: Outcome::Drop,
            copies: Copies::one(Outcome::Drop),
        });
        assert!(lost != nothing && copied != nothing && lost != copied);
    }

    #[test]
    fn without_a_wish_there_is_no_hash() {
        let mut trace = Trace::new(false);
        trace.sent(Instant::ZERO, &packet());
        assert_eq!(trace.hash(), 0);
    }
}
