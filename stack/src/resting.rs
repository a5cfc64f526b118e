//! State that exists only while something happens.
//!
//! Most connections are idle most of the time, and then much of a control block says the same for
//! all of them: no timer runs, nothing is outstanding, nothing waits to be read. Such a part is a
//! [`Resting`]: who looks at one that is at rest sees what all have in common, who changes it gets
//! memory for it, and [`Resting::settle`] gives that back.

use alloc::boxed::Box;
use core::fmt;
use core::ops::{Deref, DerefMut};

use crate::time::Instant;

/// What can be at rest.
pub(crate) trait Rest: Sized + 'static {
    /// What all at rest have in common.
    const REST: Self;

    /// The same, for those who only look: `&Self::REST`. (No default can say so: of `Self` nobody
    /// knows that it has no interior mutability.)
    const AT_REST: &'static Self;

    /// Whether nothing would be lost if this were [`Rest::REST`] from `now` on.
    fn is_at_rest(&self, now: Instant) -> bool;
}

/// A part of a connection that takes memory of its own while it is not at rest.
pub(crate) struct Resting<T>(Option<Box<T>>);

impl<T: Rest> Resting<T> {
    /// At rest.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Gives the memory back if it is at rest.
    pub(crate) fn settle(&mut self, now: Instant) {
        if self.is_at_rest(now) {
            self.0 = None;
        }
    }
}

impl<T: Rest> Deref for Resting<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.0 {
            Some(state) => state,
            None => T::AT_REST,
        }
    }
}

impl<T: Rest> DerefMut for Resting<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_with(|| Box::new(T::REST))
    }
}

impl<T: Rest + fmt::Debug> fmt::Debug for Resting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Rest, Resting};
    use crate::time::Instant;

    impl Rest for u32 {
        const REST: Self = 7;
        const AT_REST: &'static Self = &Self::REST;

        fn is_at_rest(&self, _now: Instant) -> bool {
            *self == 7
        }
    }

    #[test]
    fn memory_is_held_only_while_not_at_rest() {
        let mut state: Resting<u32> = Resting::new();
        assert!(*state == 7 && state.0.is_none(), "a look costs nothing");
        *state = 8;
        state.settle(Instant::ZERO);
        assert!(*state == 8 && state.0.is_some());
        *state = 7;
        state.settle(Instant::ZERO);
        assert!(*state == 7 && state.0.is_none());
    }
}
