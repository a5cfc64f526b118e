//! Faults that a test puts into force and takes out again while the world runs.
//!
//! [`Rules`] is a handle on a list that the world's fates share ([`Ruled`]); each rule is in force
//! as long as its guard lives. The guard borrows nothing, so it may be dropped between two steps.

use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};

use super::{Fate, Fates, HopId, Passage};
use crate::packet::Packet;

/// A handle on a list of rules; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Rules(Rc<RefCell<List>>);

#[derive(Debug, Default)]
struct List {
    rules: Vec<(u64, Match, Fate)>,
    /// The number of the next rule.
    next: u64,
}

/// Which datagrams a rule is about. The default: all of them everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Where; `None`: at every hop.
    pub hop: Option<HopId>,
    /// The bits of class that they all have; 0: whatever they have.
    pub class: u16,
    /// Whose; `None`: everybody's.
    pub tag: Option<u64>,
}

impl Match {
    fn fits(&self, at: Passage, packet: &Packet) -> bool {
        self.hop.is_none_or(|hop| hop == at.hop)
            && packet.class & self.class == self.class
            && self.tag.is_none_or(|tag| tag == at.tag)
    }
}

impl Rules {
    /// Every datagram that fits has this fate, whatever the fates behind say, as long as the guard
    /// lives. Of several rules that fit, the one added last has its way.
    pub fn add(&self, which: Match, fate: Fate) -> Rule {
        let mut list = self.0.borrow_mut();
        let number = list.next;
        list.next += 1;
        list.rules.push((number, which, fate));
        Rule {
            list: Rc::downgrade(&self.0),
            number,
        }
    }

    /// What the rules in force have for a datagram.
    pub fn fate(&self, at: Passage, packet: &Packet) -> Option<Fate> {
        let list = self.0.borrow();
        let mut newest_first = list.rules.iter().rev();
        newest_first
            .find(|(_, which, _)| which.fits(at, packet))
            .map(|(_, _, fate)| *fate)
    }
}

/// A rule that is in force while this lives.
#[must_use = "a rule is over as soon as its guard is dropped"]
pub struct Rule {
    list: Weak<RefCell<List>>,
    number: u64,
}

impl Drop for Rule {
    fn drop(&mut self) {
        if let Some(list) = self.list.upgrade() {
            let mut list = list.borrow_mut();
            list.rules.retain(|(number, ..)| *number != self.number);
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.number).finish()
    }
}

/// Other fates under rules. Those are asked for every datagram all the same, so that a rule moves
/// none of their dice.
#[derive(Clone, Debug, Default)]
pub struct Ruled<F> {
    inner: F,
    rules: Rules,
}

impl<F> Ruled<F> {
    /// These fates, so far without rules.
    pub fn new(inner: F) -> Self {
        Self {
            inner,
            rules: Rules::default(),
        }
    }

    /// The handle by which rules are added.
    pub fn rules(&self) -> Rules {
        self.rules.clone()
    }

    /// The fates under the rules.
    pub fn inner_mut(&mut self) -> &mut F {
        &mut self.inner
    }
}

impl<F: Fates> Fates for Ruled<F> {
    fn fate(&mut self, at: Passage, packet: &Packet) -> Fate {
        let otherwise = self.inner.fate(at, packet);
        self.rules.fate(at, packet).unwrap_or(otherwise)
    }
}
