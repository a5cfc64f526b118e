//! The queues of timers. An entry may be stale: a later timer, or the end of whom it is for, makes
//! it so. But stale ones never outnumber what lives by much, whatever a peer does: else one that
//! opens and resets, or repeats its FIN, would fill the queue with entries that wait for their
//! time to pass.

use core::cmp::Reverse;

use super::{Alarm, Stack};
use crate::time::Instant;

/// So many stale entries are nobody's concern.
const STALE_MAX: usize = 64;

impl Stack {
    /// Keeps the alarm queue's entry no later than the connection's earliest timer.
    pub(super) fn reschedule(&mut self, key: u32) {
        let connection = &mut self.connections[key as usize];
        let next = connection.next_timeout();
        if next < connection.timers.scheduled {
            connection.timers.scheduled = next;
            self.push_alarm(next, Alarm::Connection(key));
        }
    }

    pub(super) fn push_alarm(&mut self, at: Instant, alarm: Alarm) {
        self.alarms.push(Reverse((at, alarm)));
        self.sweep_timers();
    }

    /// Queues a record whose 2MSL starts now: no other ends later.
    pub(super) fn queue_time_wait(&mut self, expires: Instant, key: u32) {
        self.time_wait_queue.push_back((expires, key));
        self.sweep_timers();
    }

    /// Throws stale entries away once they are the most. At least half of a queue goes then, so
    /// the work is paid by what made it so long.
    pub(super) fn sweep_timers(&mut self) {
        let (connections, time_waits) = (&self.connections, &self.time_waits);
        let most = STALE_MAX + 2 * (connections.len() + time_waits.len());
        let waits_for = |at: Instant, key: u32| {
            let record = time_waits.get(key as usize);
            record.is_some_and(|record| record.expires == at)
        };
        if self.alarms.len() > most {
            self.alarms.retain(|&Reverse((at, alarm))| match alarm {
                Alarm::Connection(key) => connections
                    .get(key as usize)
                    .is_some_and(|connection| connection.timers.scheduled == at),
                Alarm::TimeWait(key) => waits_for(at, key),
            });
        }
        if self.time_wait_queue.len() > most {
            self.time_wait_queue.retain(|&(at, key)| waits_for(at, key));
        }
    }
}
