//! Tiny worlds, built, run and dropped: what one seed costs before anything happens in it.

mod measure;

use std::time::Duration;
use timewait::properties::scenario::Write;

const WORLDS: u64 = 20_000;
const ROUND_TRIPS: u32 = 10;
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
    measure::measure("seeds", WORLDS, "worlds", || {
        for _ in 0..WORLDS {
            measure::run(&scenario, u64::from(2 * ROUND_TRIPS));
        }
    });
}
