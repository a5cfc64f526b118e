//! What a world has done, and which faults have landed.

/// What a world has done so far. Faults count when they happen to a datagram, not when they are
/// decided: a hold at a host, say, is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events performed.
    pub events: u64,
    /// Datagrams sent by nodes.
    pub sent: u64,
    /// Datagrams and copies handed to nodes.
    pub delivered: u64,
    /// Lost by a fate.
    pub lost: u64,
    /// Copies made that went on at once.
    pub duplicated: u64,
    /// Delayed by a fate.
    pub delayed: u64,
    /// Came out of a hop before something that had entered it earlier.
    pub reordered: u64,
    /// Damaged by a burst.
    pub corrupted: u64,
    /// Datagrams kept by a router.
    pub held_originals: u64,
    /// Copies kept by a router.
    pub held_copies: u64,
    /// Let go by a router, whether original or copy.
    pub released: u64,
    /// Handed to a node after a router had kept them.
    pub delivered_after_hold: u64,
    /// Sent on by nodes that stand on the way.
    pub passed: u64,
    /// Marked by a queue: congestion experienced.
    pub marked: u64,
    /// Dropped before a full queue.
    pub dropped_queue_full: u64,
    /// Dropped for their age.
    pub dropped_too_old: u64,
    /// Dropped by a router for their hop limit.
    pub dropped_hop_limit: u64,
    /// Dropped because no way led to their destination.
    pub dropped_no_route: u64,
    /// Dropped before a link that carries less.
    pub dropped_too_big: u64,
    /// Dropped by a queue that was not full (RFC 7567).
    pub dropped_early: u64,
    /// Cut into parts.
    pub fragmented: u64,
    /// Put together again.
    pub reassembled: u64,
    /// Parts dropped because others never came.
    pub dropped_incomplete: u64,
    /// Parts dropped because they overlap or repeat others.
    pub dropped_overlap: u64,
    /// Dropped before a hop that was cut.
    pub dropped_cut: u64,
    /// Errors that routers have reported.
    pub errors_reported: u64,
}
