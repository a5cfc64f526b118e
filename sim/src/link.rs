//! One direction of a link: propagation, rate, and the queue in front of it.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use foldhash::fast::FixedState;
use indexmap::IndexMap;

use crate::packet::NodeId;
use crate::router::Slot;
use crate::time::{Instant, nanos};

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
    /// Where the queue marks congestion (RFC 3168 §5): an ECN-capable datagram with which more
    /// than so many octets would wait is marked. `None`: none is. What is not ECN-capable is never
    /// marked, and what finds the queue full is dropped, ECN-capable or not.
    pub queue_bytes_mark: Option<u64>,
    /// The largest datagram it carries, in octets with the IP header; `None`: any. A larger one
    /// is dropped if it must not be fragmented (IPv6: always so). There are no fragments yet:
    /// one that may be fragmented passes whole.
    pub mtu: Option<u16>,
}

impl LinkConfig {
    /// An infinitely fast link.
    pub const fn with_delay(delay: Duration) -> Self {
        Self {
            delay,
            rate: None,
            queue_bytes_max: 0,
            queue_bytes_mark: None,
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
    transmitter: Option<Box<Transmitter>>,
    ordinals: Ordinals,
    /// When the last of those that entered before comes out.
    latest: Instant,
    /// What the router at the near end keeps until this hop comes up again, in the order in which it
    /// came.
    kept: BTreeMap<u64, Slot>,
    /// The number of what it keeps next.
    next_kept: u64,
}

/// What a datagram that enters a hop has to expect.
pub(crate) struct Way {
    /// When it comes out at the other end.
    pub(crate) arrival: Instant,
    /// Whether one that entered before comes out after it.
    pub(crate) overtakes: bool,
    /// Whether the queue has grown so long that it marks congestion.
    pub(crate) congested: bool,
}

impl Hop {
    pub(crate) fn new(from: NodeId, to: NodeId, leaves_router: bool, config: LinkConfig) -> Self {
        let transmitter = |rate| Box::new(Transmitter::new(rate, config));
        Self {
            from,
            to,
            leaves_router,
            mtu: config.mtu,
            delay_ns: nanos(config.delay),
            transmitter: config.rate.map(transmitter),
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

    /// Takes in a datagram of some size in octets; `None`: the queue is full.
    pub(crate) fn enter(
        &mut self,
        now: Instant,
        size: impl FnOnce() -> u64,
        extra: Duration,
    ) -> Option<Way> {
        let (sent, congested) = match &mut self.transmitter {
            None => (now, false),
            Some(transmitter) => (transmitter.send(now, size())?, transmitter.is_congested()),
        };
        let arrival = sent.plus_nanos(self.delay_ns).plus_nanos(nanos(extra));
        let overtakes = arrival < self.latest;
        self.latest = self.latest.max(arrival);
        Some(Way {
            arrival,
            overtakes,
            congested,
        })
    }
}

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

/// Puts one datagram after the other on a link of finite rate.
struct Transmitter {
    octets_per_second: u64,
    queue_bytes_max: u64,
    queue_bytes_mark: u64,
    /// When everything accepted so far is on the link.
    free: Instant,
    /// When each waiting datagram begins to be sent, and its size.
    waiting: VecDeque<(Instant, u64)>,
    waiting_bytes: u64,
}

impl Transmitter {
    fn new(octets_per_second: u64, config: LinkConfig) -> Self {
        assert!(octets_per_second > 0, "a link needs a rate above zero");
        Self {
            octets_per_second,
            queue_bytes_max: config.queue_bytes_max,
            queue_bytes_mark: config.queue_bytes_mark.unwrap_or(u64::MAX),
            free: Instant::ZERO,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// When a datagram accepted now has left, or `None` if there is no room for it to wait.
    fn send(&mut self, now: Instant, size: u64) -> Option<Instant> {
        while let Some((begins, gone)) = self.waiting.front().copied()
            && begins <= now
        {
            self.waiting.pop_front();
            self.waiting_bytes -= gone;
        }
        let begins = self.free.max(now);
        if begins > now {
            if self.waiting_bytes + size > self.queue_bytes_max {
                return None;
            }
            self.waiting.push_back((begins, size));
            self.waiting_bytes += size;
        }
        self.free = begins.plus_nanos(self.serialization_ns(size));
        Some(self.free)
    }

    /// Whether what came last waits in a queue that marks congestion.
    fn is_congested(&self) -> bool {
        self.waiting_bytes > self.queue_bytes_mark
    }

    /// How long `size` octets take, rounded up.
    fn serialization_ns(&self, size: u64) -> u64 {
        let rate = u128::from(self.octets_per_second);
        let ns = (u128::from(size) * 1_000_000_000).div_ceil(rate);
        u64::try_from(ns).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::{Hop, LinkConfig, Way};
    use crate::packet::NodeId;
    use crate::time::Instant;

    fn hop(rate: Option<u64>, queue_bytes_max: u64) -> Hop {
        let config = LinkConfig {
            delay: Duration::from_nanos(100),
            rate,
            queue_bytes_max,
            queue_bytes_mark: None,
            mtu: None,
        };
        Hop::new(NodeId(0), NodeId(1), false, config)
    }

    fn enter(hop: &mut Hop, now: u64, size: u64) -> Option<u64> {
        hop.enter(Instant::from_nanos(now), || size, Duration::ZERO)
            .map(|way| way.arrival.as_nanos())
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
        let mut enter = |now, extra| {
            let way = hop.enter(Instant::from_nanos(now), || 1, Duration::from_nanos(extra));
            way.map(|Way { overtakes, .. }| overtakes)
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
