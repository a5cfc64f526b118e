//! What a router keeps, and when it lets go.
//!
//! Datagrams that wait for a class are sorted by flow, class and tag; those that have seen it, by
//! flow and by how many datagrams of the flow they still let pass. So a datagram that passes
//! touches only what it sets free and, per awaited class, one entry: never all that is kept.

use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::fast::FixedState;
use indexmap::IndexMap;

use crate::icmp::Reporter;
use crate::route::prefix::Table;

/// Where a world stores something that is kept.
pub(crate) type Slot = u32;

/// The datagrams that one router keeps until its flow has seen something.
#[derive(Default)]
pub(crate) struct Router {
    flows: IndexMap<u64, Flow, FixedState>,
    /// Numbers what is kept, in the order in which it came.
    serial: u64,
    /// Routes that somebody has entered.
    pub(crate) routes: Table,
    /// If it reports what it drops.
    pub(crate) reporter: Option<Reporter>,
}

#[derive(Default)]
struct Flow {
    /// How many datagrams have passed since something is kept.
    passed: u64,
    waiting: BTreeSet<Waiting>,
    armed: BTreeSet<Armed>,
    /// By serial number, after how many each is due.
    due: BTreeMap<u64, u64>,
}

/// Waits for a datagram of a class and of another tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiting {
    class: u16,
    tag: u64,
    serial: u64,
    packets: u32,
    slot: Slot,
}

/// Waits until so many datagrams of its flow have passed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Armed {
    due: u64,
    serial: u64,
    slot: Slot,
}

/// The labels of a datagram.
#[derive(Clone, Copy)]
pub(crate) struct Labels {
    pub(crate) tag: u64,
    pub(crate) flow: u64,
    pub(crate) class: u16,
}

impl Router {
    /// Keeps what is in `slot`, with the labels `of`, until its flow has seen the class `until`
    /// under another tag and then let `packets` more datagrams pass.
    pub(crate) fn keep(&mut self, slot: Slot, of: Labels, until: u16, packets: u32) -> Ticket {
        let serial = self.serial;
        self.serial += 1;
        let waiting = Waiting {
            class: until,
            tag: of.tag,
            serial,
            packets,
            slot,
        };
        self.flows
            .entry(of.flow)
            .or_default()
            .waiting
            .insert(waiting);
        Ticket {
            flow: of.flow,
            waiting,
        }
    }

    /// A datagram passes. Adds to `free` the slots of what goes after it, in order.
    pub(crate) fn passes(&mut self, labels: Labels, free: &mut Vec<Slot>) {
        if self.flows.is_empty() {
            return;
        }
        let Some(flow) = self.flows.get_mut(&labels.flow) else {
            return;
        };
        flow.passed += 1;
        flow.arm(labels);
        while let Some(armed) = flow.armed.first().copied().filter(|a| a.due <= flow.passed) {
            flow.disarm(armed);
            free.push(armed.slot);
        }
        self.tidy(labels.flow);
    }

    /// Gives up waiting: the time is over. Harmless if it is free already.
    pub(crate) fn forget(&mut self, ticket: &Ticket) {
        let Some(flow) = self.flows.get_mut(&ticket.flow) else {
            return;
        };
        if !flow.waiting.remove(&ticket.waiting) {
            let Waiting { serial, slot, .. } = ticket.waiting;
            if let Some(due) = flow.due.get(&serial).copied() {
                flow.disarm(Armed { due, serial, slot });
            }
        }
        self.tidy(ticket.flow);
    }

    /// Forgets a flow of which nothing is kept any more.
    fn tidy(&mut self, flow: u64) {
        let empty = |flow: &Flow| flow.waiting.is_empty() && flow.armed.is_empty();
        if self.flows.get(&flow).is_some_and(empty) {
            self.flows.swap_remove(&flow);
        }
    }
}

/// The way back to something that is kept.
pub(crate) struct Ticket {
    flow: u64,
    waiting: Waiting,
}

impl Flow {
    /// Arms everything that waits for a class which this datagram has, except of its own tag.
    fn arm(&mut self, labels: Labels) {
        let mut from = Bound::Unbounded;
        while let Some(class) = self
            .waiting
            .range((from, Bound::Unbounded))
            .next()
            .map(|w| w.class)
        {
            if labels.class & class == class {
                self.arm_class(class, labels.tag);
            }
            from = Bound::Excluded(Waiting::last(class, u64::MAX));
        }
    }

    fn arm_class(&mut self, class: u16, tag: u64) {
        let before = (
            Bound::Included(Waiting::first(class, 0)),
            Bound::Excluded(Waiting::first(class, tag)),
        );
        let after = (
            Bound::Excluded(Waiting::last(class, tag)),
            Bound::Included(Waiting::last(class, u64::MAX)),
        );
        for range in [before, after] {
            while let Some(waiting) = self.waiting.range(range).next().copied() {
                self.waiting.remove(&waiting);
                let Waiting {
                    packets,
                    serial,
                    slot,
                    ..
                } = waiting;
                let due = self.passed + u64::from(packets);
                self.armed.insert(Armed { due, serial, slot });
                self.due.insert(serial, due);
            }
        }
    }

    fn disarm(&mut self, armed: Armed) {
        self.armed.remove(&armed);
        self.due.remove(&armed.serial);
    }
}

impl Waiting {
    fn first(class: u16, tag: u64) -> Self {
        Self {
            class,
            tag,
            serial: 0,
            packets: 0,
            slot: 0,
        }
    }

    fn last(class: u16, tag: u64) -> Self {
        Self {
            class,
            tag,
            serial: u64::MAX,
            packets: u32::MAX,
            slot: Slot::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Labels, Router};

    const FLOW: u64 = 77;
    const OPEN: u16 = 0b01;
    const TEXT: u16 = 0b10;

    fn labels(tag: u64, class: u16) -> Labels {
        Labels {
            tag,
            flow: FLOW,
            class,
        }
    }

    fn passes(router: &mut Router, tag: u64, class: u16) -> Vec<u32> {
        let mut free = Vec::new();
        router.passes(labels(tag, class), &mut free);
        free
    }

    #[test]
    fn what_waits_for_a_class_goes_when_another_tag_shows_it() {
        let mut router = Router::default();
        router.keep(1, labels(10, TEXT), OPEN, 0);
        assert_eq!(
            passes(&mut router, 10, OPEN),
            [],
            "its own tag does not count"
        );
        assert_eq!(passes(&mut router, 11, TEXT), [], "nor another class");
        assert_eq!(passes(&mut router, 11, OPEN | TEXT), [1]);
        assert_eq!(passes(&mut router, 12, OPEN), [], "it goes once");
    }

    #[test]
    fn other_flows_do_not_count() {
        let mut router = Router::default();
        router.keep(1, labels(10, TEXT), OPEN, 0);
        let mut free = Vec::new();
        router.passes(
            Labels {
                tag: 11,
                flow: FLOW + 1,
                class: OPEN,
            },
            &mut free,
        );
        assert_eq!(free, []);
    }

    #[test]
    fn so_many_further_datagrams_go_first() {
        let mut router = Router::default();
        router.keep(1, labels(10, TEXT), OPEN, 2);
        router.keep(2, labels(10, TEXT), OPEN, 0);
        router.keep(3, labels(10, TEXT), OPEN, 2);
        assert_eq!(
            passes(&mut router, 11, TEXT),
            [],
            "none counts before the class is seen"
        );
        assert_eq!(passes(&mut router, 11, OPEN), [2]);
        assert_eq!(passes(&mut router, 11, TEXT), []);
        assert_eq!(
            passes(&mut router, 10, TEXT),
            [1, 3],
            "in the order in which they came"
        );
    }

    #[test]
    fn classes_and_tags_wait_independently() {
        let mut router = Router::default();
        router.keep(1, labels(0, TEXT), OPEN, 0);
        router.keep(2, labels(u64::MAX, TEXT), OPEN, 0);
        router.keep(3, labels(0, TEXT), TEXT, 0);
        router.keep(4, labels(0, TEXT), 0, 0);
        assert_eq!(passes(&mut router, 0, OPEN), [2]);
        assert_eq!(passes(&mut router, u64::MAX, 0), [4]);
        assert_eq!(passes(&mut router, 5, OPEN | TEXT), [1, 3]);
        assert!(router.flows.is_empty());
    }

    #[test]
    fn what_is_forgotten_never_goes() {
        let mut router = Router::default();
        let waiting = router.keep(1, labels(10, TEXT), OPEN, 0);
        let armed = router.keep(2, labels(10, TEXT), TEXT, 5);
        assert_eq!(passes(&mut router, 11, TEXT), []);
        router.forget(&waiting);
        router.forget(&armed);
        assert!(router.flows.is_empty(), "nothing is left behind");
        router.forget(&armed);
        for _ in 0..10 {
            assert_eq!(passes(&mut router, 11, OPEN | TEXT), []);
        }
    }
}
