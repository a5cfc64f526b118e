//! Connections one after the other: connect, an echo of 1 KiB, close. TIME-WAIT piles up behind.

mod measure;

use std::time::Duration;
use timewait::properties::scenario::Write;

const CONNECTIONS: u16 = 10_000;
const OCTETS: u32 = 1_024;

/// Longer than one connection lasts, which is four round trips of 2 ms.
const INTERVAL: Duration = Duration::from_millis(20);

fn main() {
    let clients = |callee| {
        (0..u32::from(CONNECTIONS))
            .map(|n| measure::call(INTERVAL * n, callee, measure::round_trips(1, OCTETS)))
            .collect()
    };
    let scenario = measure::pairs(1, clients, || {
        vec![measure::serve(
            CONNECTIONS,
            Write::Respond {
                request: OCTETS,
                response: OCTETS,
            },
        )]
    });
    measure::measure("churn", u64::from(CONNECTIONS), "connections", || {
        // Handshake 3, echo 2, close 4.
        measure::run(&scenario, u64::from(CONNECTIONS) * 7);
    });
}
