//! The event queue of a world: ordered by instant, and by insertion among equals.
//!
//! A monotone radix queue (Ahuja, Mehlhorn, Orlin, Tarjan 1990). The *base* is the instant popped
//! last; bucket `i` holds what differs from the base in bit `i` and in no higher one, so every
//! event moves to lower buckets only, and pop and push cost about the same whatever is pending.
//! Moving the base to an event of bucket `i` changes no bit above `i`: the higher buckets stay
//! right, all events of one instant are always in one bucket, and their order is kept.
//!
//! Looking never moves the base: after a look at what is due in an hour, something due in a
//! second may still be pushed.

use std::collections::VecDeque;
use std::mem;

/// Events of type `T`, each at an instant in nanoseconds.
pub(crate) struct Queue<T> {
    base: u64,
    /// What is due at the base itself, oldest first.
    due: VecDeque<T>,
    /// Bit `i`: bucket `i` is not empty.
    occupied: u64,
    buckets: [Bucket<T>; 64],
}

struct Bucket<T> {
    /// The earliest instant in it; says nothing while it is empty.
    earliest: u64,
    /// In order of insertion.
    events: Vec<(u64, T)>,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        let buckets = core::array::from_fn(|_| Bucket {
            earliest: 0,
            events: Vec::new(),
        });
        Self {
            base: 0,
            due: VecDeque::new(),
            occupied: 0,
            buckets,
        }
    }

    /// Adds an event. Nothing may be pushed for an instant before the one popped last.
    pub(crate) fn push(&mut self, at: u64, event: T) {
        assert!(at >= self.base, "an event was pushed into the past");
        self.place(at, event);
    }

    /// When the next event is due. Changes nothing.
    pub(crate) fn peek(&self) -> Option<u64> {
        if !self.due.is_empty() {
            return Some(self.base);
        }
        self.lowest().map(|index| self.buckets[index].earliest)
    }

    /// Takes the next event if it is due at or before `until`; if not, changes nothing.
    pub(crate) fn pop_until(&mut self, until: u64) -> Option<(u64, T)> {
        if self.peek()? > until {
            return None;
        }
        if let Some(event) = self.due.pop_front() {
            return Some((self.base, event));
        }
        let index = self.lowest()?;
        self.occupied &= !(1 << index);
        let bucket = &mut self.buckets[index];
        self.base = bucket.earliest;
        if bucket.events.len() == 1 {
            return bucket.events.pop();
        }
        let mut events = mem::take(&mut bucket.events);
        for (at, event) in events.drain(..) {
            self.place(at, event);
        }
        // Its storage is kept for what comes later.
        self.buckets[index].events = events;
        self.due.pop_front().map(|event| (self.base, event))
    }

    /// Lets an empty queue take events from `now` on, which may be before the one popped last.
    pub(crate) fn rewind(&mut self, now: u64) {
        assert!(self.peek().is_none(), "only an empty queue can be rewound");
        self.base = now;
    }

    fn lowest(&self) -> Option<usize> {
        (self.occupied != 0).then(|| self.occupied.trailing_zeros() as usize)
    }

    fn place(&mut self, at: u64, event: T) {
        let differs = at ^ self.base;
        if differs == 0 {
            self.due.push_back(event);
            return;
        }
        let index = differs.ilog2() as usize;
        let bucket = &mut self.buckets[index];
        let bit = 1 << index;
        if self.occupied & bit == 0 || at < bucket.earliest {
            bucket.earliest = at;
        }
        self.occupied |= bit;
        bucket.events.push((at, event));
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn after_a_look_ahead_something_earlier_may_be_pushed_and_comes_first() {
        let mut queue = Queue::new();
        queue.push(1_000_000, "late");
        assert_eq!(queue.peek(), Some(1_000_000));
        queue.push(3, "early");
        assert_eq!(queue.pop_until(u64::MAX), Some((3, "early")));
        assert_eq!(queue.peek(), Some(1_000_000));
        queue.push(4, "next");
        queue.push(4, "next but one");
        let rest: Vec<_> = core::iter::from_fn(|| queue.pop_until(u64::MAX)).collect();
        assert_eq!(
            rest,
            [(4, "next"), (4, "next but one"), (1_000_000, "late")]
        );
    }

    #[test]
    #[should_panic(expected = "into the past")]
    fn the_past_takes_no_events() {
        let mut queue = Queue::new();
        queue.push(10, ());
        queue.pop_until(u64::MAX);
        queue.push(9, ());
    }

    #[test]
    fn an_empty_queue_can_be_rewound() {
        let mut queue = Queue::new();
        queue.push(10, 'a');
        queue.pop_until(u64::MAX);
        queue.rewind(5);
        queue.push(6, 'b');
        assert_eq!(queue.pop_until(u64::MAX), Some((6, 'b')));
    }

    #[derive(Clone, Debug)]
    enum Act {
        /// Push this far beyond the last pop.
        Push(u64),
        Pop,
        /// Pop what is due this far beyond the last pop.
        PopUntil(u64),
        Peek,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            3 => (0_u64..6).prop_map(Act::Push),
            3 => (0_u32..50, any::<u64>()).prop_map(|(bits, n)| Act::Push(n & ((1 << bits) - 1))),
            3 => Just(Act::Pop),
            2 => (0_u64..9).prop_map(Act::PopUntil),
            2 => Just(Act::Peek),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]

        #[test]
        fn it_agrees_with_a_sorted_map(acts in prop::collection::vec(act(), 0..400)) {
            let mut queue = Queue::new();
            let mut sorted = BTreeMap::new();
            let mut now = 0;
            for (number, act) in acts.into_iter().enumerate() {
                match act {
                    Act::Push(ahead) => {
                        queue.push(now + ahead, number);
                        sorted.insert((now + ahead, number), ());
                    }
                    Act::Pop => {
                        let expected = sorted.pop_first().map(|(event, ())| event);
                        prop_assert_eq!(queue.pop_until(u64::MAX), expected);
                        now = expected.map_or(now, |(at, _)| at);
                    }
                    Act::PopUntil(ahead) => {
                        let next = sorted.first_entry().filter(|next| next.key().0 <= now + ahead);
                        let expected = next.map(|next| next.remove_entry().0);
                        prop_assert_eq!(queue.pop_until(now + ahead), expected);
                        now = expected.map_or(now, |(at, _)| at);
                    }
                    Act::Peek => {
                        let expected = sorted.first_key_value().map(|((at, _), ())| *at);
                        prop_assert_eq!(queue.peek(), expected);
                    }
                }
            }
            let rest: Vec<_> = core::iter::from_fn(|| queue.pop_until(u64::MAX)).collect();
            prop_assert_eq!(rest, sorted.into_keys().collect::<Vec<_>>());
        }
    }
}
