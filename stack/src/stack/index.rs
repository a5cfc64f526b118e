//! From a 4-tuple to whom it belongs.

use super::Stack;
use crate::config::Config;
use crate::connection::Connection;
use crate::pages::Pages;
use crate::table::{Entry, FourTuple};
use crate::time_waits::TimeWaits;

impl Stack {
    /// The connection or TIME-WAIT record with this tuple.
    pub(super) fn find(&self, tuple: &FourTuple) -> Option<Entry> {
        let tuples = tuples(&self.config, &self.connections, &self.time_waits);
        self.table.find(tuple, tuples)
    }

    /// A new connection or record is to be found from now on; no other has its tuple.
    pub(super) fn index(&mut self, tuple: &FourTuple, entry: Entry) {
        let tuples = tuples(&self.config, &self.connections, &self.time_waits);
        self.table.insert(tuple, entry, tuples);
    }

    /// What was `entry` is found no longer.
    pub(super) fn forget(&mut self, tuple: &FourTuple, entry: Entry) {
        let tuples = tuples(&self.config, &self.connections, &self.time_waits);
        self.table.remove(tuple, entry, tuples);
    }
}

/// Where the tuple of an entry stands.
pub(super) fn tuples<'a>(
    config: &'a Config,
    connections: &'a Pages<Connection>,
    time_waits: &'a TimeWaits,
) -> impl Fn(Entry) -> FourTuple + 'a {
    move |entry| match entry {
        Entry::Connection(key) => connections[key as usize].tuple.full(config),
        Entry::TimeWait(key) => time_waits[key].tuple(config),
    }
}
