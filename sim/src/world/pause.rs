//! A node that stands still for a while, like a process that was stopped: datagrams wait for it in a
//! queue with a bound, and its timers are late.

use super::World;
use crate::fates::Fates;
use crate::node::Node;
use crate::oracle::{DropReason, Observation};
use crate::packet::NodeId;

/// What a node that stands still will find.
#[derive(Debug)]
pub(super) struct Pause {
    datagrams_max: u32,
    /// The flights that wait, the first to arrive first.
    waiting: Vec<u32>,
    /// Its alarm has rung.
    late: bool,
}

impl<N: Node, F: Fates> World<N, F> {
    /// Makes a node stand still until [`World::resume`]: it is handed nothing, woken never, and asked
    /// for nothing, unless by [`World::with`]. Up to `datagrams_max` datagrams wait for it and grow
    /// older; what finds that queue full is dropped. One that stands still already goes on doing so,
    /// with this bound.
    ///
    /// # Panics
    /// If `node` is a router or not of this world.
    pub fn pause(&mut self, node: NodeId, datagrams_max: u32) {
        let paused = &mut self.host_mut(node).paused;
        if let Some(pause) = paused {
            pause.datagrams_max = datagrams_max;
            return;
        }
        *paused = Some(Box::new(Pause {
            datagrams_max,
            waiting: Vec::new(),
            late: false,
        }));
        self.judges.see(self.now, || Observation::Paused { node });
    }

    /// The node goes on, at once: first with what its timers have missed, then with the datagrams
    /// that have waited and are not too old by now. Nothing happens if it does not stand still.
    ///
    /// # Panics
    /// If `node` is a router or not of this world.
    pub fn resume(&mut self, node: NodeId) {
        let Some(pause) = self.host_mut(node).paused.take() else {
            return;
        };
        self.judges.see(self.now, || Observation::Resumed { node });
        if pause.late {
            self.timeout(node);
        }
        for flight in pause.waiting {
            self.deliver(node, flight);
        }
    }

    /// The node goes on, and what has waited for it is lost.
    ///
    /// # Panics
    /// If `node` is a router or not of this world.
    pub fn resume_empty(&mut self, node: NodeId) {
        if let Some(pause) = &mut self.host_mut(node).paused {
            for flight in core::mem::take(&mut pause.waiting) {
                self.drop(flight, None, DropReason::QueueFull);
            }
        }
        self.resume(node);
    }

    /// Whether a datagram has to wait for a node that stands still, or is dropped before it.
    pub(super) fn waits(&mut self, node: NodeId, flight: u32) -> bool {
        let Some(pause) = &mut self.host_mut(node).paused else {
            return false;
        };
        if pause.waiting.len() < pause.datagrams_max as usize {
            pause.waiting.push(flight);
        } else {
            self.drop(flight, None, DropReason::QueueFull);
        }
        true
    }

    /// Whether the timeout of a node has to wait until it goes on.
    pub(super) fn is_late(&mut self, node: NodeId) -> bool {
        let paused = self.host_mut(node).paused.as_mut();
        paused.map(|pause| pause.late = true).is_some()
    }
}
