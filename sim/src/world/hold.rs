//! What routers keep: until when, and how it goes on.

use core::time::Duration;

use super::{Happening, Machine, World};
use crate::fates::{Fates, HopId, Release};
use crate::node::Node;
use crate::oracle::{DropReason, Observation};
use crate::packet::{NodeId, Outgoing};
use crate::router::{Labels, Slot, Ticket};

/// Something that a router keeps. It stays until it is let go and its time is over, so that its
/// slot is not used again before.
pub(super) struct Held {
    /// The datagram, until it is let go.
    flight: Option<u32>,
    hop: HopId,
    waits_for: WaitsFor,
    /// Whether the queue has an end for it.
    expires: bool,
}

/// What something that is kept waits for, beside the end of its time.
enum WaitsFor {
    Nothing,
    /// A class.
    Class(Ticket),
    /// Its hop to come up again, under this number.
    Restored(u64),
}

impl<N: Node, F: Fates> World<N, F> {
    /// A router keeps a datagram.
    pub(super) fn hold(&mut self, hop: HopId, flight: u32, release: Release) {
        let slot = self.held.vacant_key() as Slot;
        let (waits_for, at_most) = match release {
            Release::After(time) => (WaitsFor::Nothing, time),
            Release::Restored { at_most } => {
                let number = self.hops[hop.0 as usize].keep(slot);
                (WaitsFor::Restored(number), at_most)
            }
            Release::Seen {
                class: until,
                packets,
                at_most,
            } => {
                let Outgoing {
                    tag, flow, class, ..
                } = self.flights[flight].packet.sent;
                let labels = Labels { tag, flow, class };
                let Machine::Router(router) = self.near_end(hop) else {
                    return;
                };
                let ticket = router.keep(slot, labels, until, packets);
                (WaitsFor::Class(ticket), at_most)
            }
        };
        let expires = self.schedule(self.now + at_most, Happening::Expiry(slot));
        self.held.insert(Held {
            flight: Some(flight),
            hop,
            waits_for,
            expires,
        });
    }

    /// Lets go of everything that waits for one of the hops that have come up since the last call.
    pub(super) fn notice_restored(&mut self) {
        for hop in self.cuts.take_restored() {
            self.judges.see(self.now, || Observation::Restored { hop });
            for slot in self.hops[hop.0 as usize].take_kept() {
                self.let_go(slot);
            }
        }
    }

    /// A router lets go of what is kept in this slot before its time is over.
    fn let_go(&mut self, slot: Slot) {
        let held = &mut self.held[slot as usize];
        let (flight, hop) = (held.flight.take(), held.hop);
        if !held.expires {
            self.held.remove(slot as usize);
        }
        if let Some(flight) = flight {
            self.release(hop, flight);
        }
    }

    /// A datagram passes a router, which may let go of others of its flow.
    pub(super) fn notice(&mut self, router: NodeId, labels: Labels) {
        let mut freed = core::mem::take(&mut self.freed);
        if let Machine::Router(router) = &mut self.machines[router.0 as usize] {
            router.passes(labels, &mut freed);
        }
        for slot in freed.drain(..) {
            self.let_go(slot);
        }
        self.freed = freed;
    }

    /// Whether something is still kept; if not, its slot is given back.
    pub(super) fn is_held(&mut self, slot: Slot) -> bool {
        let held = self.held[slot as usize].flight.is_some();
        if !held {
            self.held.remove(slot as usize);
        }
        held
    }

    /// Something has been kept as long as it may be.
    pub(super) fn expire(&mut self, slot: Slot) {
        let Held {
            flight,
            hop,
            waits_for,
            ..
        } = self.held.remove(slot as usize);
        match (waits_for, self.near_end(hop)) {
            (WaitsFor::Class(ticket), Machine::Router(router)) => router.forget(&ticket),
            (WaitsFor::Restored(number), _) => self.hops[hop.0 as usize].forget(number),
            _ => {}
        }
        if let Some(flight) = flight {
            self.release(hop, flight);
        }
    }

    /// A router lets go of a datagram. Its fate at this hop was to be kept: it has no second one.
    fn release(&mut self, hop: HopId, flight: u32) {
        if self.is_too_old(flight) {
            self.drop(flight, Some(hop), DropReason::TooOld);
            return;
        }
        let now = self.now;
        let router = self.hops[hop.0 as usize].from;
        let of = &mut self.flights[flight];
        of.held_by = Some(router);
        self.stats.released += 1;
        self.trace.released(now, hop, router, &of.packet);
        self.judges.see(now, || Observation::Released {
            hop,
            router,
            packet: &of.packet,
        });
        self.carry(hop, flight, Duration::ZERO, None);
    }

    fn near_end(&mut self, hop: HopId) -> &mut Machine<N> {
        let near = self.hops[hop.0 as usize].from;
        &mut self.machines[near.0 as usize]
    }
}
