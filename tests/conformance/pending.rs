//! What is not there yet, and what it waits for. An id that has a place and a test must go: the list
//! shrinks by itself.

/// Ids and what they wait for.
pub(crate) const PENDING: &[(&str, &str)] = &[];
