//! A slab in pages: what stands in it never moves once its page is full, there is hardly any slack,
//! and pages that hold nothing go back.
//!
//! The crate `slab` doubles: at its worst it holds twice what it needs, it moves everything when it
//! grows, and it keeps for ever what a flood made of it. Its links are words, too, which round a
//! record of 84 octets up to 88. A page grows by doubling up to [`PAGE`] places; then another is
//! begun. In one page keys are given out as `slab` does: the one that became free last comes first.

use alloc::vec::Vec;
use core::mem;
use core::ops::{Index, IndexMut};

/// The places of a page.
const PAGE: usize = 256;

/// Values by keys, which are given out anew once they are free.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    /// Most stacks need no more than this one.
    first: Page<T>,
    more: Vec<Page<T>>,
    /// Pages with a free place; the last is filled first.
    roomy: Vec<u32>,
    len: usize,
}

#[derive(Debug)]
struct Page<T> {
    places: Vec<Place<T>>,
    used: u16,
    /// The place that became free last; behind the end if there is none.
    free: u16,
}

#[derive(Debug)]
enum Place<T> {
    /// What became free before.
    Free(u16),
    Used(T),
}

impl<T> Page<T> {
    const EMPTY: Self = Self {
        places: Vec::new(),
        used: 0,
        free: 0,
    };

    fn is_full(&self) -> bool {
        usize::from(self.used) == PAGE
    }

    fn insert(&mut self, value: T) -> usize {
        let at = usize::from(self.free);
        self.used += 1;
        match self.places.get_mut(at) {
            Some(place) => {
                if let Place::Free(next) = mem::replace(place, Place::Used(value)) {
                    self.free = next;
                }
            }
            None => {
                self.places.push(Place::Used(value));
                self.free += 1;
            }
        }
        at
    }

    fn remove(&mut self, at: usize) -> Option<T> {
        let place = self.places.get_mut(at)?;
        match mem::replace(place, Place::Free(self.free)) {
            Place::Used(value) => {
                self.free = at as u16;
                self.used -= 1;
                Some(value)
            }
            free @ Place::Free(_) => {
                *place = free;
                None
            }
        }
    }
}

impl<T> Pages<T> {
    pub(crate) const fn new() -> Self {
        Self {
            first: Page::EMPTY,
            more: Vec::new(),
            roomy: Vec::new(),
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, key: usize) -> Option<&T> {
        match self.page(key / PAGE)?.places.get(key % PAGE)? {
            Place::Used(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        match self.page_mut(key / PAGE)?.places.get_mut(key % PAGE)? {
            Place::Used(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    /// Puts `value` in and returns its key.
    pub(crate) fn insert(&mut self, value: T) -> usize {
        let at = match self.roomy.last() {
            Some(&at) => at as usize,
            None => self.begin_page(),
        };
        let page = self.page_mut(at).expect("a page with room");
        let key = page.insert(value);
        if page.is_full() {
            self.roomy.pop();
        }
        self.len += 1;
        at * PAGE + key
    }

    /// Takes out what `key` stands for.
    ///
    /// # Panics
    ///
    /// If it stands for nothing.
    pub(crate) fn remove(&mut self, key: usize) -> T {
        let page = self.page_mut(key / PAGE).expect("a key of something");
        let was_full = page.is_full();
        let value = page.remove(key % PAGE).expect("a key of something");
        let is_empty = page.used == 0;
        self.len -= 1;
        if was_full {
            self.roomy.push((key / PAGE) as u32);
        }
        // The only page with room stays as it is: the next value comes soon.
        if is_empty
            && self.roomy.len() > 1
            && let Some(page) = self.page_mut(key / PAGE)
        {
            *page = Page::EMPTY;
        }
        value
    }

    /// A page with room where there is none.
    fn begin_page(&mut self) -> usize {
        let at = if self.first.is_full() {
            self.more.push(Page::EMPTY);
            self.more.len()
        } else {
            0
        };
        self.roomy.push(at as u32);
        at
    }

    #[inline]
    fn page(&self, at: usize) -> Option<&Page<T>> {
        match at.checked_sub(1) {
            None => Some(&self.first),
            Some(at) => self.more.get(at),
        }
    }

    #[inline]
    fn page_mut(&mut self, at: usize) -> Option<&mut Page<T>> {
        match at.checked_sub(1) {
            None => Some(&mut self.first),
            Some(at) => self.more.get_mut(at),
        }
    }

    /// All values in the order of their keys, with these.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let keys = 0..(1 + self.more.len()) * PAGE;
        keys.filter_map(|key| Some((key, self.get(key)?)))
    }
}

impl<T> Index<usize> for Pages<T> {
    type Output = T;

    #[inline]
    fn index(&self, key: usize) -> &T {
        self.get(key).expect("a key of something")
    }
}

impl<T> IndexMut<usize> for Pages<T> {
    #[inline]
    fn index_mut(&mut self, key: usize) -> &mut T {
        self.get_mut(key).expect("a key of something")
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Pages};
    use crate::time_wait::TimeWait;

    fn filled(count: usize) -> Pages<usize> {
        let mut pages = Pages::new();
        for value in 0..count {
            assert_eq!(pages.insert(value), value, "keys of a fresh one ascend");
        }
        pages
    }

    fn places(pages: &Pages<usize>) -> usize {
        pages.first.places.capacity()
            + pages
                .more
                .iter()
                .map(|page| page.places.capacity())
                .sum::<usize>()
    }

    #[test]
    fn a_key_leads_to_its_value_until_that_is_taken_out() {
        let mut pages = filled(3 * PAGE);
        assert_eq!(pages.remove(PAGE + 7), PAGE + 7);
        assert_eq!((pages.get(PAGE + 7), pages.len()), (None, 3 * PAGE - 1));
        assert_eq!(pages.get(3 * PAGE), None);
        assert_eq!(pages.insert(99), PAGE + 7);
        pages[PAGE + 7] += 1;
        assert_eq!(pages[PAGE + 7], 100);
        assert!(pages.iter().map(|(key, _)| key).eq(0..3 * PAGE));
    }

    #[test]
    fn the_key_that_became_free_last_comes_first() {
        let mut pages = filled(9);
        for key in [2, 7, 4] {
            pages.remove(key);
        }
        assert_eq!([(); 4].map(|()| pages.insert(0)), [4, 7, 2, 9]);
    }

    #[test]
    fn links_do_not_round_a_record_up() {
        assert_eq!(size_of::<super::Place<TimeWait>>(), size_of::<TimeWait>());
    }

    #[test]
    fn there_is_no_more_slack_than_a_page() {
        for count in [1, PAGE, PAGE + 1, 9 * PAGE + 1] {
            assert!(places(&filled(count)) < count + PAGE, "{count}");
        }
        assert!(places(&filled(1)) <= 4);
    }

    #[test]
    fn pages_that_hold_nothing_go_back() {
        let mut pages = filled(10 * PAGE);
        for key in (0..10 * PAGE).filter(|key| key % (5 * PAGE) != 3) {
            pages.remove(key);
        }
        assert_eq!((pages.len(), places(&pages)), (2, 2 * PAGE));
        for key in [3, 5 * PAGE + 3] {
            pages.remove(key);
        }
        assert!(places(&pages) <= PAGE, "one is kept for the next value");
    }
}
