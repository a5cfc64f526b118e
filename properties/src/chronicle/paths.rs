//! Where a datagram and its copies go: pairs what is seen at the beginning of a hop with what is
//! seen at its end.
//!
//! Copies bear the name of their original, so that of several on the same way only their order can
//! be told: the one that entered a hop with the least delay comes out of it first.

use timewait_sim::{Fate, HopId, Instant, NodeId, Outcome, Release};

use super::model::{Leg, Link, Node, Tick};
use crate::ladder::words;

/// The legs of one datagram that have not ended yet.
#[derive(Debug)]
pub(super) struct Path {
    born: Tick,
    open: Vec<Open>,
    /// It was cut into parts, which all bear its name.
    in_parts: bool,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
struct Open {
    leg: usize,
    hop: Option<HopId>,
    /// A router keeps it before the hop.
    kept: bool,
    entered: Instant,
    /// When it comes out, but for what all on the same hop have in common.
    due: Instant,
}

/// The nodes at both ends of each hop.
#[derive(Debug)]
pub(super) struct Hops {
    ends: Vec<(u32, u32)>,
    routers: Vec<bool>,
}

/// A moment as a chronicle and as the world count it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) tick: Tick,
    pub(super) at: Instant,
}

impl Hops {
    pub(super) fn of(nodes: &[Node], links: &[Link]) -> Self {
        let ends = links
            .iter()
            .flat_map(|link| [(link.a, link.b), (link.b, link.a)]);
        Self {
            ends: ends.collect(),
            routers: nodes.iter().map(|node| node.role == "router").collect(),
        }
    }

    fn ends(&self, hop: HopId) -> (u32, u32) {
        self.ends[hop.0 as usize]
    }
}

impl Path {
    pub(super) fn new(born: Tick) -> Self {
        Self {
            born,
            open: Vec::new(),
            in_parts: false,
        }
    }

    /// Nothing of the datagram is under way any more.
    pub(super) fn is_over(&self) -> bool {
        self.open.is_empty()
    }

    /// It meets its fate at the near end of a hop.
    pub(super) fn fate(
        &mut self,
        now: Now,
        hops: &Hops,
        legs: &mut Vec<Leg>,
        hop: HopId,
        fate: Fate,
    ) {
        let (near, _) = hops.ends(hop);
        let before = self.come(now, legs, |open, leg| !open.kept && leg.to == near);
        let before = before.map(|leg| legs[leg].clone());
        let copies = fate.copies.iter().map(|outcome| (true, outcome));
        for (copied, outcome) in [(false, fate.original)].into_iter().chain(copies) {
            let mut leg = self.leg(now, hops.ends(hop), before.as_ref());
            leg.copy |= copied;
            self.meet(now, hops, legs, leg, hop, outcome);
        }
    }

    /// It is cut into so many parts at the near end of a hop, and each of them goes on by itself.
    pub(super) fn cut_up(
        &mut self,
        now: Now,
        hops: &Hops,
        legs: &mut [Leg],
        hop: HopId,
        parts: u32,
    ) {
        self.in_parts = true;
        let (near, _) = hops.ends(hop);
        let here = |open: &Open| !open.kept && legs[open.leg].to == near;
        let whole = self.open.iter().copied().filter(here);
        let Some(whole) = whole.min_by_key(|open| open.due) else {
            return;
        };
        legs[whole.leg].came = Some(now.tick);
        self.open.extend((1..parts).map(|_| whole));
    }

    fn meet(
        &mut self,
        now: Now,
        hops: &Hops,
        legs: &mut Vec<Leg>,
        mut leg: Leg,
        hop: HopId,
        outcome: Outcome,
    ) {
        let mut open = Open {
            leg: legs.len(),
            hop: Some(hop),
            kept: false,
            entered: now.at,
            due: now.at,
        };
        match outcome {
            Outcome::Drop => leg.lost = Some("lost".to_owned()),
            Outcome::Hold(release) if hops.routers[leg.from as usize] => {
                leg.to = leg.from;
                leg.kept = Some(words::until(release));
                open.kept = true;
                let (Release::After(longest)
                | Release::Restored { at_most: longest }
                | Release::Seen {
                    at_most: longest, ..
                }) = release;
                open.due = now.at + longest;
            }
            Outcome::Hold(_) => {}
            Outcome::Deliver { extra, damage } => {
                leg.extra_ns = u64::try_from(extra.as_nanos()).unwrap_or(u64::MAX);
                leg.damaged |= damage.is_some();
                open.due = now.at + extra;
            }
        }
        if leg.lost.is_none() {
            self.open.push(open);
        }
        legs.push(leg);
    }

    /// A router lets go of it.
    pub(super) fn released(&mut self, now: Now, hops: &Hops, legs: &mut Vec<Leg>, hop: HopId) {
        let kept = self.come(now, legs, |open, _| open.kept && open.hop == Some(hop));
        let before = kept.map(|leg| legs[leg].clone());
        let ends = hops.ends(hop);
        let mut leg = self.leg(now, ends, before.as_ref());
        leg.released_by = Some(ends.0);
        self.set_out(now, legs, leg, hop);
    }

    fn set_out(&mut self, now: Now, legs: &mut Vec<Leg>, leg: Leg, hop: HopId) {
        self.open.push(Open {
            leg: legs.len(),
            hop: Some(hop),
            kept: false,
            entered: now.at,
            due: now.at,
        });
        legs.push(leg);
    }

    /// A queue marks it as it begins a hop.
    pub(super) fn marked(&mut self, now: Now, legs: &mut [Leg], hop: HopId) {
        if let Some(place) = self.just_entered(now, hop) {
            legs[self.open[place].leg].marked = true;
        }
    }

    /// It is handed to a node. Returns the leg that ends there.
    pub(super) fn delivered(
        &mut self,
        now: Now,
        legs: &mut Vec<Leg>,
        node: NodeId,
        damaged: bool,
        held_by: Option<NodeId>,
    ) -> usize {
        let held_by = held_by.map(|router| router.0);
        let here = |open: &Open, leg: &Leg| !open.kept && leg.to == node.0;
        let same = |leg: &Leg| (leg.damaged, leg.released_by) == (damaged, held_by);
        let leg = self
            .come(now, legs, |open, leg| here(open, leg) && same(leg))
            .or_else(|| self.come(now, legs, here));
        // To an address of its own: over no hop.
        let leg = leg.unwrap_or_else(|| {
            let mut leg = self.leg(now, (node.0, node.0), None);
            leg.came = Some(now.tick);
            legs.push(leg);
            legs.len() - 1
        });
        legs[leg].delivered = true;
        while self.in_parts && self.come(now, legs, here).is_some() {}
        leg
    }

    /// The network drops it on its own account: as it enters `hop`, or where it has come.
    pub(super) fn dropped(
        &mut self,
        now: Now,
        hops: &Hops,
        legs: &mut Vec<Leg>,
        origin: u32,
        hop: Option<HopId>,
        reason: &str,
    ) {
        let lost = Some(reason.to_owned());
        let refused = hop.and_then(|hop| self.just_entered(now, hop));
        if let Some(place) = refused {
            let open = self.open.remove(place);
            legs[open.leg].lost = lost;
            return;
        }
        let near = hop.map(|hop| hops.ends(hop).0);
        let here = |open: &Open, leg: &Leg| {
            near.is_none_or(|near| leg.to == near) && (near.is_some() || !open.kept)
        };
        match self.come(now, legs, here) {
            Some(leg) => legs[leg].lost = lost,
            None => {
                let ends = hop.map_or((origin, origin), |hop| hops.ends(hop));
                let mut leg = self.leg(now, ends, None);
                leg.lost = lost;
                legs.push(leg);
            }
        }
    }

    /// The one that has entered this hop just now, a copy before its original: the queue that had no
    /// room for the original has none for the copy.
    fn just_entered(&self, now: Now, hop: HopId) -> Option<usize> {
        self.open
            .iter()
            .rposition(|open| !open.kept && open.hop == Some(hop) && open.entered == now.at)
    }

    /// Ends the leg that is due first among those that are meant, and returns it.
    fn come(
        &mut self,
        now: Now,
        legs: &mut [Leg],
        meant: impl Fn(&Open, &Leg) -> bool,
    ) -> Option<usize> {
        let open = self.open.iter().enumerate();
        let (place, _) = open
            .filter(|(_, open)| meant(open, &legs[open.leg]))
            .min_by_key(|(_, open)| open.due)?;
        let leg = self.open.remove(place).leg;
        legs[leg].came = Some(now.tick);
        Some(leg)
    }

    /// A leg that begins now, or as the datagram was sent; what has happened to it before stays with
    /// it.
    fn leg(&self, now: Now, (from, to): (u32, u32), before: Option<&Leg>) -> Leg {
        Leg {
            from,
            to,
            left: before.map_or(self.born, |_| now.tick),
            came: None,
            copy: before.is_some_and(|leg| leg.copy),
            kept: None,
            released_by: before.and_then(|leg| leg.released_by),
            extra_ns: 0,
            damaged: before.is_some_and(|leg| leg.damaged),
            marked: false,
            lost: None,
            delivered: false,
            judged_by: None,
            verdict: None,
            old: false,
        }
    }
}
