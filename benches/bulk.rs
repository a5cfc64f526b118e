//! Much data on one connection: what octets cost, serialised and checksummed on both sides.

mod measure;

use std::time::Duration;
use timewait::properties::scenario::Write;

const OCTETS: u64 = 256 << 20;
const SMSS: u64 = 1_460;

fn main() {
    let scenario = measure::pairs(
        1,
        |callee| vec![measure::call(Duration::ZERO, callee, Write::Octets(OCTETS))],
        || vec![measure::serve(1, Write::Octets(0))],
    );
    measure::measure("bulk", OCTETS >> 20, "MiB", || {
        measure::run(&scenario, OCTETS / SMSS);
    });
}
