//! A thousand hosts at once: what a round trip costs when its state is cold.

mod measure;

use std::time::Duration;
use timewait::properties::scenario::Write;

const PAIRS: u16 = 500;
const ROUND_TRIPS: u32 = 100;
const OCTETS: u32 = 64;

fn main() {
    let scenario = measure::pairs(
        PAIRS,
        |callee| {
            vec![measure::call(
                Duration::ZERO,
                callee,
                measure::round_trips(ROUND_TRIPS, OCTETS),
            )]
        },
        || {
            vec![measure::serve(
                1,
                Write::Respond {
                    request: OCTETS,
                    response: OCTETS,
                },
            )]
        },
    );
    let total = u64::from(PAIRS) * u64::from(ROUND_TRIPS);
    measure::measure("scale", total, "round trips", || {
        measure::run(&scenario, 2 * total);
    });
}
