//! What is not there yet, and what it waits for. An id that has a place and a test must go: the list
//! shrinks by itself.

/// Ids and what they wait for.
pub(crate) const PENDING: &[(&str, &str)] = &[
    ("SHLD-8", "ECN"),
    ("R3168-01", "ECN"),
    ("R3168-02", "ECN"),
    ("R3168-03", "ECN"),
    ("R3168-04", "ECN"),
    ("R3168-05", "ECN"),
    ("R3168-06", "ECN"),
    ("R3168-07", "ECN"),
    ("R3168-08", "ECN"),
    ("R3168-09", "ECN"),
    ("R3168-10", "ECN"),
];
