//! Memory of connections at rest goes back, but not at once: one that talks is at rest between any
//! two words. The last few that were busy keep what they have; whoever drops out of their number
//! gives back what it does not need now.

use super::Stack;
use crate::time::Instant;

/// So many connections keep their memory.
const WARM: usize = 64;

impl Stack {
    /// This connection was busy, and had cooled down before.
    pub(super) fn keep_warm(&mut self, now: Instant, key: u32) {
        self.connections[key as usize].warm = true;
        self.warm.push_back(key);
        if self.warm.len() <= WARM {
            return;
        }
        // Perhaps it is gone, and another has its key: then that one settles a bit early.
        let oldest = self.warm.pop_front();
        let oldest = oldest.and_then(|key| self.connections.get_mut(key as usize));
        if let Some(connection) = oldest {
            connection.warm = false;
            connection.settle(now);
        }
    }
}
