//! From a 4-tuple to whom it belongs.

use super::Stack;
use crate::config::Config;
use crate::connection::Connection;
use crate::pages::Pages;
use crate::table::{Entry, FourTuple, OwnTuple, Table};
use crate::time_waits::TimeWaits;

impl Stack {
    /// The connection or TIME-WAIT record with this tuple.
    pub(super) fn find(&self, tuple: &FourTuple) -> Option<Entry> {
        let (connections, time_waits) = (&self.connections, &self.time_waits);
        find(&self.table, tuple, &self.config, connections, time_waits)
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

/// The same, for those who have borrowed a part of the stack.
pub(super) fn find(
    table: &Table,
    tuple: &FourTuple,
    config: &Config,
    connections: &Pages<Connection>,
    time_waits: &TimeWaits,
) -> Option<Entry> {
    let own = OwnTuple::of(config, tuple)?;
    table.find(tuple, |entry| match entry {
        Entry::Connection(key) => connections[key as usize].tuple == own,
        Entry::TimeWait(key) => time_waits[key].tuple == own,
    })
}

/// Where the tuple of an entry stands.
fn tuples<'a>(
    config: &'a Config,
    connections: &'a Pages<Connection>,
    time_waits: &'a TimeWaits,
) -> impl Fn(Entry) -> FourTuple + 'a {
    move |entry| match entry {
        Entry::Connection(key) => connections[key as usize].tuple.full(config),
        Entry::TimeWait(key) => time_waits[key].tuple(config),
    }
}
