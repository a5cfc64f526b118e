//! Hops that are cut: nothing enters them until they are restored. What is on them already
//! arrives.
//!
//! A cut is in force as long as its guard lives. Guards share a count with the world and borrow
//! nothing from it, so that a test may cut, run, look and restore in any order. A hop that was cut
//! several times is up again when the last of its guards is gone.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::fates::HopId;

/// The cuts of a world, shared with their guards.
#[derive(Default)]
pub(crate) struct Cuts(Rc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// How many guards cut each hop that is cut.
    by_hop: RefCell<BTreeMap<HopId, u32>>,
    /// How many hops are cut: most of the time none, and then nobody looks further.
    down: Cell<u32>,
    /// Hops that came up since the world last asked, in that order.
    restored: RefCell<Vec<HopId>>,
}

/// A cut that is in force while this lives; returned by [`World::cut`](crate::World::cut).
#[must_use = "a cut is over as soon as its guard is dropped"]
pub struct Cut {
    shared: Rc<Shared>,
    hops: Vec<HopId>,
}

impl Cuts {
    /// Cuts these hops. Also returns those that were up before.
    pub(crate) fn cut(&self, hops: Vec<HopId>) -> (Cut, Vec<HopId>) {
        let mut by_hop = self.0.by_hop.borrow_mut();
        let mut were_up = Vec::new();
        for hop in &hops {
            let count = by_hop.entry(*hop).or_insert(0);
            *count += 1;
            if *count == 1 {
                were_up.push(*hop);
            }
        }
        self.0.down.set(by_hop.len() as u32);
        let shared = Rc::clone(&self.0);
        (Cut { shared, hops }, were_up)
    }

    /// Whether nothing enters this hop.
    pub(crate) fn is_cut(&self, hop: HopId) -> bool {
        self.0.down.get() > 0 && self.0.by_hop.borrow().contains_key(&hop)
    }

    /// The hops that have come up since the last call, and are up still.
    pub(crate) fn take_restored(&self) -> Vec<HopId> {
        if self.0.restored.borrow().is_empty() {
            return Vec::new();
        }
        let mut hops = self.0.restored.take();
        hops.retain(|hop| !self.is_cut(*hop));
        hops
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        let mut by_hop = self.shared.by_hop.borrow_mut();
        for hop in &self.hops {
            let Some(count) = by_hop.get_mut(hop) else {
                continue;
            };
            *count -= 1;
            if *count == 0 {
                by_hop.remove(hop);
                self.shared.restored.borrow_mut().push(*hop);
            }
        }
        self.shared.down.set(by_hop.len() as u32);
    }
}

impl fmt::Debug for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cut").field(&self.hops).finish()
    }
}
