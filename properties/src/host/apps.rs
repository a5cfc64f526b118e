//! The applications of a host and when each wants to be called.

use std::collections::BTreeSet;

use timewait_stack::{Instant, SocketId};

use super::{Calls, Core};
use crate::app::App;

/// The name of an application within its host. Never reused.
pub(super) type AppId = u32;

/// The applications of one host.
#[derive(Debug, Default)]
pub(super) struct Apps {
    /// By id; `None`: it was done, or is being called right now.
    slots: Vec<Option<Slot>>,
    /// When each wants to be called: one entry per waiting application, none stale.
    timers: BTreeSet<(Instant, AppId)>,
    busy: u32,
}

#[derive(Debug)]
struct Slot {
    app: Box<dyn App>,
    started: bool,
    /// Its entry among the timers.
    armed: Option<Instant>,
}

impl Apps {
    /// Adds an application that starts at `start`.
    pub(super) fn add(&mut self, start: Instant, app: Box<dyn App>) -> AppId {
        let id = self.slots.len() as AppId;
        self.timers.insert((start, id));
        self.slots.push(Some(Slot {
            app,
            started: false,
            armed: Some(start),
        }));
        self.busy += 1;
        id
    }

    /// How many are not done.
    pub(super) fn busy(&self) -> u32 {
        self.busy
    }

    /// When the first of them wants to be called.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// Calls all that are due, in the order of their times and then of their ids.
    pub(super) fn run_due(&mut self, core: &mut Core) {
        // One that asks for the same instant again waits for the next timeout, so this ends.
        let mut due = Vec::new();
        while let Some(&(at, id)) = self.timers.first().filter(|&&(at, _)| at <= core.now) {
            self.timers.remove(&(at, id));
            if let Some(slot) = self.slots[id as usize].as_mut() {
                slot.armed = None;
            }
            due.push(id);
        }
        for id in due {
            let started = self.slots[id as usize]
                .as_ref()
                .is_some_and(|slot| slot.started);
            self.call(core, id, |app, calls| {
                if started {
                    app.timeout(calls);
                } else {
                    app.start(calls);
                }
            });
        }
    }

    /// Calls one application, and then starts those that it has spawned.
    pub(super) fn call(
        &mut self,
        core: &mut Core,
        id: AppId,
        call: impl FnOnce(&mut dyn App, &mut Calls<'_>),
    ) {
        self.call_one(core, id, call);
        // What a spawned one spawns in its start is started here too.
        while !core.spawned.is_empty() {
            for (app, socket) in core::mem::take(&mut core.spawned) {
                self.begin(core, app, socket);
            }
        }
    }

    fn begin(&mut self, core: &mut Core, app: Box<dyn App>, socket: Option<SocketId>) {
        let id = self.slots.len() as AppId;
        self.slots.push(Some(Slot {
            app,
            started: false,
            armed: None,
        }));
        self.busy += 1;
        if let Some(held) = socket.and_then(|socket| core.sockets.get_mut(socket)) {
            held.owner = Some(id);
        }
        self.call_one(core, id, |app, calls| app.start(calls));
    }

    fn call_one(
        &mut self,
        core: &mut Core,
        id: AppId,
        call: impl FnOnce(&mut dyn App, &mut Calls<'_>),
    ) {
        let Some(mut slot) = self.slots[id as usize].take() else {
            return;
        };
        slot.started = true;
        call(&mut *slot.app, &mut Calls::new(core, Some(id)));
        let wanted = if slot.app.done() {
            None
        } else {
            slot.app.poll_timeout()
        };
        if wanted != slot.armed {
            slot.armed.map(|at| self.timers.remove(&(at, id)));
            wanted.map(|at| self.timers.insert((at, id)));
            slot.armed = wanted;
        }
        if slot.app.done() {
            self.busy -= 1;
        } else {
            self.slots[id as usize] = Some(slot);
        }
    }
}
