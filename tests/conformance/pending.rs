//! What is not there yet, and what it waits for. An id that has a place and a test must go: the list
//! shrinks by itself.

/// Ids and what they wait for.
pub(crate) const PENDING: &[(&str, &str)] = &[
    ("MUST-47", "ICMP, soft errors, Diffserv and hop limit"),
    ("MUST-50", "ICMP, soft errors, Diffserv and hop limit"),
    ("MUST-54", "ICMP, soft errors, Diffserv and hop limit"),
    ("MUST-55", "ICMP, soft errors, Diffserv and hop limit"),
    ("MUST-56", "ICMP, soft errors, Diffserv and hop limit"),
    ("SHLD-8", "ECN"),
    ("SHLD-20", "ICMP, soft errors, Diffserv and hop limit"),
    ("SHLD-25", "ICMP, soft errors, Diffserv and hop limit"),
    ("SHLD-26", "ICMP, soft errors, Diffserv and hop limit"),
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
