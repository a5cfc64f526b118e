//! The queue of timers. An entry may be stale: a later timer, or the end of whom it is for, makes
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
        if next < connection.times.scheduled {
            connection.times.scheduled = next;
            self.push_alarm(next, Alarm::Connection(key));
        }
    }

    pub(super) fn push_alarm(&mut self, at: Instant, alarm: Alarm) {
        if self.alarms.len() == self.alarms.capacity() {
            // By an eighth: at twice the room half of it would lie idle.
            let more = (self.alarms.len() / 8).max(4);
            self.alarms.reserve_exact(more);
        }
        self.alarms.push(Reverse((at, alarm)));
        self.sweep_timers();
    }

    /// Throws stale entries away once they are the most. At least half of the queue goes then, so
    /// the work is paid by what made it so long. Memory that has become much too much goes, too.
    pub(super) fn sweep_timers(&mut self) {
        let (connections, time_waits) = (&self.connections, &self.time_waits);
        // Records that stand in the list of their ends need no alarm.
        let unlisted = time_waits.len() - time_waits.listed() as usize;
        let most = STALE_MAX + 2 * (connections.len() + unlisted);
        if self.alarms.len() > most {
            self.alarms.retain(|&Reverse((at, alarm))| match alarm {
                Alarm::Connection(key) => connections
                    .get(key as usize)
                    .is_some_and(|connection| connection.times.scheduled == at),
                Alarm::TimeWait(key) => time_waits
                    .get(key)
                    .is_some_and(|record| { record.expires } == at),
            });
        }
        let half = self.alarms.capacity() / 2;
        if half > STALE_MAX && self.alarms.len() < half {
            let len = self.alarms.len();
            self.alarms.shrink_to(len + len / 8);
        }
    }
}
