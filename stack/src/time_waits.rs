//! The TIME-WAIT records of a stack, in the order of their ends.
//!
//! All last equally long, so a list serves for a queue of timers: a record goes to its end when it
//! comes, and again when its 2MSL starts anew. The links stand in the records: eight octets, no
//! slack, nothing stale. A record that a refused reopening brings back keeps its old end and stands
//! in no list: an alarm ends it.

use core::ops::{Index, IndexMut};

use crate::pages::Pages;
use crate::time::Instant;
use crate::time_wait::TimeWait;

/// No record.
const NONE: u32 = u32::MAX;

/// The neighbours of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Links {
    earlier: u32,
    later: u32,
}

impl Links {
    /// Those of a record that stands in no list.
    pub(crate) const UNLISTED: Self = Self {
        earlier: NONE,
        later: NONE,
    };
}

/// The records, by keys.
#[derive(Debug)]
pub(crate) struct TimeWaits {
    records: Pages<TimeWait>,
    earliest: u32,
    latest: u32,
    listed: u32,
}

impl TimeWaits {
    pub(crate) const fn new() -> Self {
        Self {
            records: Pages::new(),
            earliest: NONE,
            latest: NONE,
            listed: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Records in the list.
    pub(crate) fn listed(&self) -> u32 {
        self.listed
    }

    pub(crate) fn get(&self, key: u32) -> Option<&TimeWait> {
        self.records.get(key as usize)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TimeWait> {
        self.records.iter().map(|(_, record)| record)
    }

    /// The listed record that ends first, and when.
    pub(crate) fn earliest(&self) -> Option<(Instant, u32)> {
        let record = self.get(self.earliest)?;
        Some((record.expires, self.earliest))
    }

    /// Puts in a record that stands in no list.
    pub(crate) fn insert(&mut self, mut record: TimeWait) -> u32 {
        record.links = Links::UNLISTED;
        self.records.insert(record) as u32
    }

    /// 2MSL of a record starts now: no other ends later.
    pub(crate) fn list_last(&mut self, key: u32) {
        self.unlist(key);
        let earlier = self.latest;
        self.records[key as usize].links.earlier = earlier;
        match self.records.get_mut(earlier as usize) {
            Some(record) => record.links.later = key,
            None => self.earliest = key,
        }
        self.latest = key;
        self.listed += 1;
    }

    pub(crate) fn remove(&mut self, key: u32) -> TimeWait {
        self.unlist(key);
        self.records.remove(key as usize)
    }

    /// Takes a record out of the list, if it stands there.
    fn unlist(&mut self, key: u32) {
        let Links { earlier, later } = self.records[key as usize].links;
        if earlier == NONE && self.earliest != key {
            return;
        }
        match self.records.get_mut(earlier as usize) {
            Some(record) => record.links.later = later,
            None => self.earliest = later,
        }
        match self.records.get_mut(later as usize) {
            Some(record) => record.links.earlier = earlier,
            None => self.latest = earlier,
        }
        self.records[key as usize].links = Links::UNLISTED;
        self.listed -= 1;
    }
}

impl Index<u32> for TimeWaits {
    type Output = TimeWait;

    fn index(&self, key: u32) -> &TimeWait {
        &self.records[key as usize]
    }
}

impl IndexMut<u32> for TimeWaits {
    fn index_mut(&mut self, key: u32) -> &mut TimeWait {
        &mut self.records[key as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::TimeWaits;
    use crate::time::Instant;
    use crate::time_wait::TimeWait;
    use alloc::vec::Vec;

    fn listed(ends: &[u64]) -> (TimeWaits, Vec<u32>) {
        let mut records = TimeWaits::new();
        let list = |&end: &u64| {
            let key = records.insert(TimeWait::ending(Instant::from_nanos(end)));
            records.list_last(key);
            key
        };
        let keys = ends.iter().map(list).collect();
        (records, keys)
    }

    /// The ends in order, taking one record after the other.
    fn ends(mut records: TimeWaits) -> Vec<u64> {
        let mut ends = Vec::new();
        while let Some((at, key)) = records.earliest() {
            ends.push(at.as_nanos());
            records.remove(key);
        }
        assert_eq!((records.listed(), records.len()), (0, 0));
        ends
    }

    #[test]
    fn records_end_in_the_order_in_which_they_came() {
        assert_eq!(ends(listed(&[3, 5, 5, 9]).0), [3, 5, 5, 9]);
    }

    #[test]
    fn one_taken_out_leaves_the_others_in_order() {
        for out in 0..4 {
            let (mut records, keys) = listed(&[1, 2, 3, 4]);
            records.remove(keys[out]);
            assert_eq!(records.listed(), 3);
            let mut left = Vec::from([1, 2, 3, 4]);
            left.remove(out);
            assert_eq!(ends(records), left);
        }
    }

    #[test]
    fn one_that_starts_anew_ends_last() {
        for again in 0..3 {
            let (mut records, keys) = listed(&[1, 2, 3]);
            records[keys[again]].expires = Instant::from_nanos(7);
            records.list_last(keys[again]);
            let mut order = Vec::from([1, 2, 3]);
            order.remove(again);
            order.push(7);
            assert_eq!(ends(records), order);
        }
    }

    #[test]
    fn a_record_in_no_list_comes_and_goes() {
        let (mut records, _) = listed(&[1, 2]);
        let back = records.insert(TimeWait::ending(Instant::from_nanos(1)));
        assert_eq!((records.listed(), records.len()), (2, 3));
        records.remove(back);
        assert_eq!(ends(records), [1, 2]);
    }
}
