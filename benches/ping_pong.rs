//! One connection, one small request at a time: what a round trip costs.

mod measure;

use std::time::Duration;
use timewait::properties::scenario::Write;

const ROUND_TRIPS: u32 = 100_000;
const OCTETS: u32 = 64;

fn main() {
    let scenario = measure::pairs(
        1,
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
    measure::measure("ping-pong", u64::from(ROUND_TRIPS), "round trips", || {
        measure::run(&scenario, u64::from(2 * ROUND_TRIPS));
    });
}
