//! The connections that a box has seen begin, and how far each has come (RFC 5382 §5, RFC 7857 §2).
//!
//! Nothing runs on a timer: what has been silent for too long counts as forgotten, and is cleared
//! away when room is needed.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use timewait_sim::Instant;
use timewait_stack::wire::Flags;

use crate::scenario::boxes::StatePlan;

/// The two ends of a connection, in an order that the box keeps to.
pub(super) type Ends = (SocketAddr, SocketAddr);

/// Which end a segment comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// The first of the two.
    First,
    /// The second.
    Second,
}

/// What a box makes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It belongs to a connection that is known.
    Known,
    /// It begins one.
    New,
    /// It belongs to none.
    Unknown,
    /// It would begin one, and there is no room.
    Full,
}

/// All that a box remembers.
#[derive(Debug)]
pub(super) struct Flows {
    plan: StatePlan,
    table: BTreeMap<Ends, Flow>,
}

#[derive(Clone, Copy, Debug)]
struct Flow {
    phase: Phase,
    opener: From,
    /// The other end has answered the SYN by its own.
    answered: bool,
    /// FINs seen from the first and from the second end.
    fins: [bool; 2],
    /// Silent up to then, it is forgotten.
    expires: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Established,
    Closing,
}

impl Flows {
    pub(super) const fn new(plan: StatePlan) -> Self {
        Self {
            plan,
            table: BTreeMap::new(),
        }
    }

    /// Takes in a segment with these flags; `may_open` says whether its SYN may begin a connection.
    pub(super) fn take(
        &mut self,
        now: Instant,
        ends: Ends,
        from: From,
        flags: Flags,
        may_open: bool,
    ) -> Standing {
        let opens = flags & (Flags::SYN | Flags::ACK | Flags::RST) == Flags::SYN;
        let known = self.table.get_mut(&ends).filter(|flow| flow.expires > now);
        if let Some(flow) = known {
            flow.pass(from, flags, opens);
            flow.expires = now + flow.phase.patience(&self.plan);
            return Standing::Known;
        }
        if !opens || !may_open {
            return Standing::Unknown;
        }
        self.begin(now, ends, from)
    }

    fn begin(&mut self, now: Instant, ends: Ends, opener: From) -> Standing {
        self.table.remove(&ends);
        if self.count() >= self.plan.flows_max {
            self.table.retain(|_, flow| flow.expires > now);
        }
        if self.count() >= self.plan.flows_max {
            return Standing::Full;
        }
        let flow = Flow::new(opener, now + self.plan.opening);
        self.table.insert(ends, flow);
        Standing::New
    }

    /// Connections remembered, those that are to be forgotten included.
    pub(super) fn count(&self) -> u32 {
        self.table.len() as u32
    }

    /// Whether any connection of this first end is not forgotten, to a second end that `other` picks.
    pub(super) fn has(
        &self,
        now: Instant,
        first: SocketAddr,
        other: impl Fn(&SocketAddr) -> bool,
    ) -> bool {
        let least = SocketAddr::new(core::net::Ipv4Addr::UNSPECIFIED.into(), 0);
        let own = self.table.range((first, least)..);
        own.take_while(|((its, _), _)| *its == first)
            .any(|((_, second), flow)| flow.expires > now && other(second))
    }
}

impl Flow {
    const fn new(opener: From, expires: Instant) -> Self {
        Self {
            phase: Phase::Opening,
            opener,
            answered: false,
            fins: [false; 2],
            expires,
        }
    }

    /// A segment passes.
    fn pass(&mut self, from: From, flags: Flags, opens: bool) {
        if flags.contains(Flags::RST) {
            self.phase = Phase::Closing;
            return;
        }
        if opens && self.phase == Phase::Closing {
            *self = Self::new(from, self.expires);
            return;
        }
        let answers = from != self.opener && flags.contains(Flags::SYN);
        self.answered |= answers;
        let acknowledges = from == self.opener && flags.contains(Flags::ACK);
        if self.phase == Phase::Opening && self.answered && acknowledges {
            self.phase = Phase::Established;
        }
        self.fins[usize::from(from == From::Second)] |= flags.contains(Flags::FIN);
        if self.fins == [true; 2] {
            self.phase = Phase::Closing;
        }
    }
}

impl Phase {
    const fn patience(self, plan: &StatePlan) -> core::time::Duration {
        match self {
            Self::Opening => plan.opening,
            Self::Established => plan.established,
            Self::Closing => plan.closing,
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use timewait_sim::Instant;
    use timewait_stack::wire::Flags;

    use super::{Ends, Flows, From, Standing};
    use crate::scenario::boxes::StatePlan;

    const PLAN: StatePlan = StatePlan {
        opening: Duration::from_secs(10),
        established: Duration::from_secs(100),
        closing: Duration::from_secs(20),
        flows_max: 2,
        ..StatePlan::RFC5382
    };

    fn ends(n: u8) -> Ends {
        let end = |last: u8, port| (core::net::Ipv4Addr::new(10, 0, 0, last), port).into();
        (end(1, 1000), end(n, 80))
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    /// The standing of segments of one connection: when, from whom, flags.
    fn play(segments: &[(u64, From, Flags)]) -> Vec<Standing> {
        let mut flows = Flows::new(PLAN);
        let take = |&(seconds, from, flags): &(u64, From, Flags)| {
            flows.take(at(seconds), ends(2), from, flags, true)
        };
        segments.iter().map(take).collect()
    }

    use From::{First, Second};
    use Standing::{Full, Known, New, Unknown};

    const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
    const FIN: Flags = Flags::FIN.union(Flags::ACK);
    const HANDSHAKE: [(u64, From, Flags); 3] = [
        (0, First, Flags::SYN),
        (1, Second, SYN_ACK),
        (2, First, Flags::ACK),
    ];

    #[test]
    fn only_a_syn_begins_a_connection() {
        for flags in [
            Flags::ACK,
            SYN_ACK,
            Flags::RST,
            FIN,
            Flags::SYN | Flags::RST,
        ] {
            assert_eq!(play(&[(0, First, flags)]), [Unknown], "{flags:?}");
        }
        assert_eq!(play(&HANDSHAKE), [New, Known, Known]);
        let mut flows = Flows::new(PLAN);
        assert_eq!(
            flows.take(at(0), ends(2), Second, Flags::SYN, false),
            Unknown
        );
    }

    #[test]
    fn a_half_open_connection_is_forgotten_earlier_than_an_established_one() {
        let half = [(0, First, Flags::SYN), (10, First, Flags::ACK)];
        assert_eq!(play(&half), [New, Unknown]);
        // An ACK without the SYN of the other end makes nothing of it.
        let alone = [
            (0, First, Flags::SYN),
            (9, First, Flags::ACK),
            (19, First, Flags::ACK),
        ];
        assert_eq!(play(&alone), [New, Known, Unknown]);
        let mut whole = HANDSHAKE.to_vec();
        whole.extend([(101, Second, Flags::ACK), (201, First, Flags::ACK)]);
        assert_eq!(play(&whole), [New, Known, Known, Known, Unknown]);
    }

    #[test]
    fn both_fins_or_a_rst_leave_little_time_and_a_syn_begins_anew() {
        let mut closed = HANDSHAKE.to_vec();
        closed.extend([(3, First, FIN), (60, Second, Flags::ACK), (61, Second, FIN)]);
        closed.extend([(80, First, Flags::ACK), (100, First, Flags::ACK)]);
        assert_eq!(play(&closed)[5..], [Known, Known, Unknown]);
        let mut reset = HANDSHAKE.to_vec();
        reset.extend([(3, First, Flags::RST), (4, First, Flags::SYN)]);
        reset.extend([(5, Second, SYN_ACK), (6, First, Flags::ACK)]);
        reset.extend([(105, First, Flags::ACK)]);
        assert_eq!(play(&reset)[3..], [Known; 5]);
    }

    #[test]
    fn ends_that_open_towards_each_other_become_established() {
        let crossed = [
            (0, First, Flags::SYN),
            (1, Second, Flags::SYN),
            (2, First, SYN_ACK),
            (101, Second, Flags::ACK),
        ];
        assert_eq!(play(&crossed), [New, Known, Known, Known]);
    }

    #[test]
    fn the_table_is_bounded_and_what_is_forgotten_makes_room() {
        let mut flows = Flows::new(PLAN);
        let mut open = |seconds, n| flows.take(at(seconds), ends(n), First, Flags::SYN, true);
        assert_eq!([open(0, 2), open(5, 3), open(9, 4)], [New, New, Full]);
        assert_eq!([open(10, 4), open(11, 5)], [New, Full]);
        assert_eq!(flows.count(), 2);
        assert!(flows.has(at(12), ends(3).0, |other| *other == ends(3).1));
        assert!(!flows.has(at(15), ends(3).0, |other| *other == ends(3).1));
        assert!(flows.has(at(15), ends(3).0, |_| true));
    }
}
