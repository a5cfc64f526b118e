//! One direction of a link: propagation, rate, and the queue in front of it.

mod aqm;
mod codel;
mod fifo;
mod red;

use core::time::Duration;
use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use indexmap::IndexMap;

pub use aqm::{Aqm, CodelConfig, RedConfig};
pub(crate) use codel::Waiting;

use crate::packet::NodeId;
use crate::router::Slot;
use crate::time::{Instant, nanos};
use codel::Codel;
use fifo::{Fifo, Sent};

/// One link; both directions alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// Propagation delay.
    pub delay: Duration,
    /// Octets per second, at least 1, of IP datagrams with their headers; `None`: infinitely fast.
    pub rate: Option<u64>,
    /// Octets that may wait for a rated link, beside the datagram being sent; what does not fit
    /// is dropped.
    pub queue_bytes_max: u64,
    /// What the queue of a rated link does before it is full. What is not ECN-capable is never
    /// marked, and what finds the queue full is dropped, ECN-capable or not.
    pub aqm: Aqm,
    /// The largest datagram it carries, in octets with the IP header; `None`: any. A larger one
    /// is dropped if it must not be fragmented (IPv6: always so), and goes in parts otherwise. At
    /// least 68 (RFC 791 §3.2).
    pub mtu: Option<u16>,
}

impl LinkConfig {
    /// An infinitely fast link.
    pub const fn with_delay(delay: Duration) -> Self {
        Self {
            delay,
            rate: None,
            queue_bytes_max: 0,
            aqm: Aqm::None,
            mtu: None,
        }
    }
}

/// One direction of one link.
pub(crate) struct Hop {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    /// Whether a router is at the near end.
    pub(crate) leaves_router: bool,
    /// The largest datagram it carries.
    pub(crate) mtu: Option<u16>,
    delay_ns: u64,
    line: Line,
    ordinals: Ordinals,
    /// When the last of those that entered before comes out.
    latest: Instant,
    /// What the router at the near end keeps until this hop comes up again, in the order in which it
    /// came.
    kept: BTreeMap<u64, Slot>,
    /// The number of what it keeps next.
    next_kept: u64,
}

/// How datagrams get on a link.
enum Line {
    /// At once.
    Free,
    /// One after the other.
    Fifo(Box<Fifo>),
    /// One after the other, out of a queue that holds them.
    Managed(Box<Managed>),
}

/// A link behind a queue that holds its datagrams.
struct Managed {
    octets_per_second: u64,
    bytes_max: u64,
    codel: Codel,
    /// One is being sent.
    busy: bool,
}

/// A datagram that comes to a hop.
pub(crate) struct Entering {
    pub(crate) flight: u32,
    /// Delay above that of the link.
    pub(crate) extra: Duration,
    /// It can be marked.
    pub(crate) capable: bool,
}

/// What becomes of it.
pub(crate) enum Entry {
    /// It is on its way.
    Goes(Way),
    /// It waits; `idle`: for nobody, the link is free.
    Waits { idle: bool },
    /// The queue is full.
    Full,
    /// The queue is not full, but it is dropped.
    Early,
}

/// What leaves a queue that holds its datagrams.
pub(crate) struct Departure {
    /// These are dropped.
    pub(crate) dropped: Vec<u32>,
    /// This one goes, that way.
    pub(crate) sent: Option<(Waiting, Way)>,
    /// When the link is free again, if one goes.
    pub(crate) free: Instant,
}

/// What a datagram on a hop has to expect.
pub(crate) struct Way {
    /// When it comes out at the other end.
    pub(crate) arrival: Instant,
    /// Whether one that entered before comes out after it.
    pub(crate) overtakes: bool,
    /// Whether it is to be marked.
    pub(crate) congested: bool,
}

impl Hop {
    pub(crate) fn new(from: NodeId, to: NodeId, leaves_router: bool, config: LinkConfig) -> Self {
        let line = match (config.rate, config.aqm) {
            (None, _) => Line::Free,
            (Some(rate), aqm) => {
                assert!(rate > 0, "a link needs a rate above zero");
                Line::new(rate, aqm, config)
            }
        };
        Self {
            from,
            to,
            leaves_router,
            mtu: config.mtu,
            delay_ns: nanos(config.delay),
            line,
            ordinals: Ordinals::default(),
            latest: Instant::ZERO,
            kept: BTreeMap::new(),
            next_kept: 0,
        }
    }

    /// Keeps what is in `slot` until the hop comes up again. Returns its number.
    pub(crate) fn keep(&mut self, slot: Slot) -> u64 {
        let number = self.next_kept;
        self.next_kept += 1;
        self.kept.insert(number, slot);
        number
    }

    /// The time of what has this number is over. Harmless if it is gone already.
    pub(crate) fn forget(&mut self, number: u64) {
        self.kept.remove(&number);
    }

    /// The hop has come up: what was kept for that, in order.
    pub(crate) fn take_kept(&mut self) -> impl Iterator<Item = Slot> + use<> {
        core::mem::take(&mut self.kept).into_values()
    }

    /// Counts a passage of a datagram with this tag: how many there were before.
    pub(crate) fn count(&mut self, tag: u64) -> u32 {
        self.ordinals.count(tag)
    }

    /// Takes in a datagram of some size in octets.
    pub(crate) fn enter(
        &mut self,
        now: Instant,
        size: impl FnOnce() -> u64,
        entering: &Entering,
    ) -> Entry {
        let Entering {
            flight,
            extra,
            capable,
        } = *entering;
        match &mut self.line {
            Line::Free => Entry::Goes(self.way(now, extra, false)),
            Line::Fifo(fifo) => match fifo.send(now, size(), capable) {
                Sent::At { time, congested } => Entry::Goes(self.way(time, extra, congested)),
                Sent::Full => Entry::Full,
                Sent::Early => Entry::Early,
            },
            Line::Managed(managed) => {
                let size = size();
                if managed.busy && managed.codel.bytes() + size > managed.bytes_max {
                    return Entry::Full;
                }
                managed.codel.push(now, flight, size, extra, capable);
                Entry::Waits {
                    idle: !managed.busy,
                }
            }
        }
    }

    /// The link is free, and its queue holds its datagrams: what leaves it now.
    pub(crate) fn depart(&mut self, now: Instant) -> Departure {
        let Line::Managed(managed) = &mut self.line else {
            unreachable!("other queues need no call");
        };
        let leaves = managed.codel.pop(now);
        managed.busy = leaves.sent.is_some();
        let size = leaves.sent.map_or(0, |sent| sent.size);
        let free = now.plus_nanos(serialization_ns(managed.octets_per_second, size));
        let way = |sent: Waiting| (sent, self.way(free, sent.extra, leaves.marked));
        Departure {
            dropped: leaves.dropped,
            sent: leaves.sent.map(way),
            free,
        }
    }

    /// The way of what is on the link by then.
    fn way(&mut self, sent: Instant, extra: Duration, congested: bool) -> Way {
        let arrival = sent.plus_nanos(self.delay_ns).plus_nanos(nanos(extra));
        let overtakes = arrival < self.latest;
        self.latest = self.latest.max(arrival);
        Way {
            arrival,
            overtakes,
            congested,
        }
    }
}

impl Line {
    fn new(octets_per_second: u64, aqm: Aqm, config: LinkConfig) -> Self {
        let bytes_max = config.queue_bytes_max;
        match aqm {
            Aqm::Codel(codel) => {
                let packet_max = config.mtu.map_or(PACKET_MAX, u64::from);
                Self::Managed(Box::new(Managed {
                    octets_per_second,
                    bytes_max,
                    codel: Codel::new(codel, packet_max),
                    busy: false,
                }))
            }
            _ => Self::Fifo(Box::new(Fifo::new(octets_per_second, bytes_max, aqm))),
        }
    }
}

/// How long `size` octets take, rounded up.
fn serialization_ns(octets_per_second: u64, size: u64) -> u64 {
    let rate = u128::from(octets_per_second);
    let ns = (u128::from(size) * 1_000_000_000).div_ceil(rate);
    u64::try_from(ns).unwrap_or(u64::MAX)
}

/// Octets of the largest datagram, where a link has no MTU.
const PACKET_MAX: u64 = 1500;

/// How many datagrams of each tag have entered. The count of the tag that came last is kept
/// outside the map, which then knows an old one: most datagrams follow one of their own tag.
#[derive(Default)]
struct Ordinals {
    map: IndexMap<u64, u32, FixedState>,
    last_tag: u64,
    last_index: usize,
    last_count: u32,
}

impl Ordinals {
    fn count(&mut self, tag: u64) -> u32 {
        if tag != self.last_tag || self.map.is_empty() {
            self.turn_to(tag);
        }
        let before = self.last_count;
        self.last_count = before.wrapping_add(1);
        before
    }

    fn turn_to(&mut self, tag: u64) {
        if let Some((_, count)) = self.map.get_index_mut(self.last_index) {
            *count = self.last_count;
        }
        let entry = self.map.entry(tag);
        self.last_tag = tag;
        self.last_index = entry.index();
        self.last_count = *entry.or_insert(0);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::{Aqm, Entering, Entry, Hop, LinkConfig, Way};
    use crate::packet::NodeId;
    use crate::time::Instant;

    fn hop(rate: Option<u64>, queue_bytes_max: u64) -> Hop {
        let config = LinkConfig {
            delay: Duration::from_nanos(100),
            rate,
            queue_bytes_max,
            aqm: Aqm::None,
            mtu: None,
        };
        Hop::new(NodeId(0), NodeId(1), false, config)
    }

    fn later(extra: u64) -> Entering {
        Entering {
            flight: 0,
            extra: Duration::from_nanos(extra),
            capable: false,
        }
    }

    fn enter(hop: &mut Hop, now: u64, size: u64) -> Option<u64> {
        match hop.enter(Instant::from_nanos(now), || size, &later(0)) {
            Entry::Goes(way) => Some(way.arrival.as_nanos()),
            _ => None,
        }
    }

    #[test]
    fn an_infinitely_fast_link_only_delays() {
        let mut hop = hop(None, 0);
        assert_eq!(enter(&mut hop, 7, 1_000_000), Some(107));
        assert_eq!(enter(&mut hop, 7, 1_000_000), Some(107));
    }

    #[test]
    fn serialization_takes_size_over_rate_rounded_up() {
        // 3 octets per second: 1 octet takes 333,333,333.3 ns.
        assert_eq!(enter(&mut hop(Some(3), 0), 0, 1), Some(333_333_334 + 100));
        assert_eq!(
            enter(&mut hop(Some(1_000_000_000), 0), 5, 40),
            Some(5 + 40 + 100)
        );
    }

    #[test]
    fn datagrams_wait_for_each_other_and_the_queue_drops_its_tail() {
        // One octet per nanosecond; room for 50 octets to wait.
        let mut hop = hop(Some(1_000_000_000), 50);
        assert_eq!(
            enter(&mut hop, 0, 1_000),
            Some(1_100),
            "an idle link needs no queue"
        );
        assert_eq!(enter(&mut hop, 1, 30), Some(1_130));
        assert_eq!(enter(&mut hop, 2, 21), None);
        assert_eq!(enter(&mut hop, 3, 20), Some(1_150));
        assert_eq!(enter(&mut hop, 4, 1), None);
        // At 1,000 the first waiting one begins to be sent and makes room.
        assert_eq!(enter(&mut hop, 999, 30), None);
        assert_eq!(enter(&mut hop, 1_000, 30), Some(1_180));
        assert_eq!(enter(&mut hop, 5_000, 1_000), Some(6_100));
    }

    #[test]
    fn what_comes_out_before_its_forerunner_overtakes() {
        let mut hop = hop(None, 0);
        let mut enter = |now, extra| match hop.enter(Instant::from_nanos(now), || 1, &later(extra))
        {
            Entry::Goes(Way { overtakes, .. }) => Some(overtakes),
            _ => None,
        };
        assert_eq!(enter(0, 10), Some(false));
        assert_eq!(enter(5, 0), Some(true));
        assert_eq!(
            enter(10, 0),
            Some(false),
            "not if they come out at the same instant"
        );
    }

    #[test]
    fn passages_count_by_tag() {
        let mut hop = hop(None, 0);
        let counts = [0, 5, 5, 9, 5, 9, 0, 0, 5].map(|tag| hop.count(tag));
        assert_eq!(counts, [0, 0, 1, 0, 2, 1, 1, 2, 3]);
    }
}
