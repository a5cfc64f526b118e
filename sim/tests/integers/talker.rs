//! The machine of these tests: it says integers when told to, and remembers what it hears.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use timewait_sim::fates::Listed;
use timewait_sim::{
    Duration, Fate, Fates, Finding, HopId, Instant, LinkConfig, Node, NodeId, Observation, Oracle,
    Outgoing, Packet, Passage, Payload, World, WorldConfig,
};

/// The delay of the links in these tests.
pub(crate) const DELAY: Duration = Duration::from_millis(10);
/// A bit of class.
pub(crate) const OPEN: u16 = 0b01;
/// Another.
pub(crate) const TEXT: u16 = 0b10;

/// The moment this many milliseconds after the start.
pub(crate) fn ms(milliseconds: u64) -> Instant {
    Instant::from_nanos(milliseconds * 1_000_000)
}

/// The address of the `index`-th talker.
pub(crate) fn address(index: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + index))
}

pub(crate) fn link() -> LinkConfig {
    LinkConfig::with_delay(DELAY)
}

/// A datagram that carries an integer and its checksum. Its flow is the pair of its ends, its tag
/// tells the direction; tests change what they need.
pub(crate) fn saying(from: u32, to: u32, number: u32) -> Outgoing {
    let octets = number.to_be_bytes();
    let sum = !ones_complement_sum(&octets);
    Outgoing {
        src: address(from),
        dst: address(to),
        hop_limit: 64,
        ecn: 0,
        diffserv: 0,
        dont_fragment: true,
        protocol: 253,
        payload: Payload::from_slice(&[&octets[..], &sum.to_be_bytes()].concat()),
        tag: from.into(),
        flow: (from.min(to) << 16 | from.max(to)).into(),
        class: TEXT,
    }
}

/// RFC 1071.
fn ones_complement_sum(octets: &[u8]) -> u16 {
    let words = octets
        .chunks(2)
        .map(|two| u32::from(two[0]) << 8 | two.get(1).copied().map_or(0, u32::from));
    let sum = words.sum::<u32>();
    let sum = (sum & 0xffff) + (sum >> 16);
    (sum + (sum >> 16)) as u16
}

/// The integer in a datagram, unless damage shows.
pub(crate) fn number_in(octets: &[u8]) -> Option<u32> {
    let (number, _) = octets.split_first_chunk()?;
    (ones_complement_sum(octets) == 0xffff).then_some(u32::from_be_bytes(*number))
}

#[derive(Default)]
pub(crate) struct Talker {
    /// What it says next.
    pub(crate) outbox: VecDeque<Outgoing>,
    /// What it has heard and when.
    pub(crate) heard: Vec<(Instant, u32)>,
    /// The ECN fields of what it has heard.
    pub(crate) ecn: Vec<u8>,
    /// What routers reported.
    pub(crate) reports: Vec<Packet>,
    /// How many datagrams came in which damage showed.
    pub(crate) garbled: u32,
    /// When it wants to be woken.
    pub(crate) alarm: Option<Instant>,
    /// When it has been woken.
    pub(crate) woken: Vec<Instant>,
    pub(crate) started: Vec<Instant>,
    /// Answers every integer above zero with the one below it.
    pub(crate) bounces: bool,
    /// What it says each time it is woken.
    pub(crate) yawn: Option<Outgoing>,
    /// Puts its alarm off by a millisecond when it hears something.
    pub(crate) snoozes: bool,
    /// Wakes up again this much later, ever after.
    pub(crate) period: Option<Duration>,
    /// The lengths of the payloads that came back.
    pub(crate) reclaimed: Vec<usize>,
    events: VecDeque<u32>,
}

impl Talker {
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.heard.iter().map(|(_, number)| *number).collect()
    }
}

impl Node for Talker {
    type Event = u32;

    fn handle_packet(&mut self, now: Instant, packet: &Packet) {
        if timewait_sim::icmp::PROTOCOLS.contains(&packet.protocol) {
            self.reports.push(packet.clone());
            return;
        }
        let Some(number) = number_in(packet.payload.octets()) else {
            self.garbled += 1;
            return;
        };
        self.heard.push((now, number));
        if self.snoozes {
            self.alarm = Some(now + Duration::from_millis(1));
        }
        self.ecn.push(packet.ecn);
        self.events.push_back(number);
        if self.bounces && number > 0 {
            let index = |address: IpAddr| match address {
                IpAddr::V4(v4) => v4.to_bits() - 0x0a00_0000,
                IpAddr::V6(_) => panic!("these tests use IPv4"),
            };
            self.outbox
                .push_back(saying(index(packet.dst), index(packet.src), number - 1));
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.woken.push(now);
        self.outbox.extend(self.yawn.clone());
        self.alarm = self.period.map(|period| now + period);
    }

    fn poll_transmit(&mut self, _now: Instant) -> Option<Outgoing> {
        self.outbox.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.alarm
    }

    fn poll_event(&mut self) -> Option<u32> {
        self.events.pop_front()
    }

    fn start(&mut self, now: Instant) {
        self.started.push(now);
    }

    fn reclaim(&mut self, payload: Payload) {
        self.reclaimed.push(payload.octets().len());
    }
}

/// What an oracle saw, one line each.
pub(crate) type Log = Rc<RefCell<Vec<String>>>;

struct Scribe(Log);

impl Oracle<u32> for Scribe {
    fn name(&self) -> &'static str {
        "scribe"
    }

    fn observe(&mut self, now: Instant, seen: &Observation<'_, u32>, _: &mut Vec<Finding>) {
        let seen = match seen {
            Observation::Sent { cause, packet } => {
                format!(
                    "sent {}/{} {cause:?}",
                    packet.id.origin.0, packet.id.ordinal
                )
            }
            Observation::Fate { at, fate, .. } => {
                let fate = if fate.is_default() {
                    "fine"
                } else {
                    "not fine"
                };
                format!("fate at {} #{} {fate}", at.hop.0, at.ordinal)
            }
            Observation::Dropped { hop, reason, .. } => format!("dropped {hop:?} {reason:?}"),
            Observation::Marked { hop, packet } => format!("marked {} {}", hop.0, packet.ecn),
            Observation::Fragmented { hop, parts, .. } => {
                format!("cut up at {} into {parts}", hop.0)
            }
            Observation::Cut { hop } => format!("cut hop {}", hop.0),
            Observation::Restored { hop } => format!("restored hop {}", hop.0),
            Observation::Released { hop, router, .. } => format!("released {} {}", hop.0, router.0),
            Observation::Passed { node, packet } => {
                format!("passed {} by {}", packet.id.ordinal, node.0)
            }
            Observation::Delivered {
                node,
                damaged,
                held_by,
                ..
            } => {
                format!(
                    "delivered to {} damaged {damaged} held by {held_by:?}",
                    node.0
                )
            }
            Observation::Paused { node } => format!("{} stands still", node.0),
            Observation::Resumed { node } => format!("{} goes on", node.0),
            Observation::Node { node, cause, event } => format!("{} {event} {cause:?}", node.0),
        };
        let milliseconds = now.as_nanos() / 1_000_000;
        self.0.borrow_mut().push(format!("{milliseconds}: {seen}"));
    }
}

/// Lets an oracle write down what it sees.
pub(crate) fn watch<F: Fates>(world: &mut World<Talker, F>) -> Log {
    let log = Log::default();
    world.add_oracle(Box::new(Scribe(log.clone())));
    log
}

/// A world with so many talkers, not yet connected.
pub(crate) fn talkers<F: Fates>(count: u32, fates: F) -> World<Talker, F> {
    let config = WorldConfig {
        lifetime: None,
        hash: true,
    };
    let mut world = World::new(config, fates);
    for index in 0..count {
        world.add_node(Talker::default(), &[address(index)]);
    }
    world
}

/// Two talkers at one link.
pub(crate) fn pair<F: Fates>(fates: F) -> World<Talker, F> {
    let mut world = talkers(2, fates);
    world.connect(NodeId(0), NodeId(1), link());
    world
}

/// Talker 0, router 2, talker 1: the hop from the router to talker 1 is 2, the one back to the
/// router 3.
pub(crate) fn routed<F: Fates>(fates: F) -> World<Talker, F> {
    let mut world = talkers(2, fates);
    let chain = timewait_sim::topology::chain(&mut world, NodeId(0), NodeId(1), 1, link());
    assert_eq!(chain.forward, [HopId(0), HopId(2)]);
    world
}

/// Fates for the datagrams of talker 0 on one hop, by their ordinal.
pub(crate) fn listed<const N: usize>(hop: u32, fates: [(u32, Fate); N]) -> Listed {
    let at = |ordinal| Passage {
        hop: HopId(hop),
        tag: 0,
        ordinal,
    };
    fates
        .into_iter()
        .map(|(ordinal, fate)| (at(ordinal), fate))
        .collect()
}

/// `from` says something now.
pub(crate) fn say<F: Fates>(world: &mut World<Talker, F>, from: u32, outgoing: Outgoing) {
    world.with(NodeId(from), |talker, _| talker.outbox.push_back(outgoing));
}

/// Talker 0 says these integers to talker 1, now.
pub(crate) fn count<F: Fates>(
    world: &mut World<Talker, F>,
    numbers: impl IntoIterator<Item = u32>,
) {
    world.with(NodeId(0), |talker, _| {
        talker
            .outbox
            .extend(numbers.into_iter().map(|number| saying(0, 1, number)));
    });
}

/// Lets everything happen that is to happen.
pub(crate) fn finish<F: Fates>(world: &mut World<Talker, F>) {
    for _ in 0..1_000_000 {
        if !world.step() {
            return;
        }
    }
    panic!("the world never comes to rest");
}

/// What talker 1 has heard.
pub(crate) fn heard<F: Fates>(world: &World<Talker, F>) -> Vec<u32> {
    world.node(NodeId(1)).numbers()
}
