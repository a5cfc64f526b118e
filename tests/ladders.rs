//! The ladders of RFC 9293's own figures, and of what TIME-WAIT is for, to be checked by eye.
//!
//! After a change that was meant: `INSTA_UPDATE=always cargo test ladders`, then read the diff.

use std::time::Duration;

use timewait::prelude::*;
use timewait::properties::check_with;
use timewait::properties::label::{Incarnation, class};
use timewait::properties::scenario::{Ending, FaultPlan};
use timewait::sim::{Copies, Fate, HopId, Instant, NodeId, Outcome, Passage, Release};
use timewait::stack::ConnectionId;

use crate::worlds::{call, chain, crash, lose, ms, pair, serve};

/// The ladder of a run in which no oracle finds anything.
fn ladder(scenario: &Scenario, filter: &Filter) -> String {
    let ladder = Ladder::new();
    let report = check_with(scenario, vec![ladder.oracle()]);
    assert!(
        !report.failed(),
        "{report}\n{}",
        ladder.render(&Filter::default())
    );
    ladder.render(filter)
}

fn from(moment: Duration) -> Filter {
    Filter {
        from: Some(Instant::ZERO + moment),
        ..Filter::default()
    }
}

fn until(moment: Duration) -> Filter {
    Filter {
        until: Some(Instant::ZERO + moment),
        ..Filter::default()
    }
}

/// RFC 9293 §3.5, figure 6.
#[test]
fn three_way_handshake() {
    let world = pair(
        vec![call(0, ms(10), 0, Ending::After(ms(200)))],
        vec![serve(1, 0, Ending::Passive)],
    );
    insta::assert_snapshot!(ladder(&world, &until(ms(100))));
}

/// RFC 9293 §3.6, figure 12: the passive end closes later than it acknowledges.
#[test]
fn four_segment_close() {
    let world = pair(
        vec![call(0, ms(10), 0, Ending::After(ms(100)))],
        vec![serve(1, 0, Ending::After(ms(150)))],
    );
    insta::assert_snapshot!(ladder(&world, &from(ms(50))));
}

/// RFC 9293 §3.5, figure 7.
#[test]
fn simultaneous_open() {
    let world = pair(
        vec![call(0, ms(5), 0, Ending::After(ms(200)))],
        vec![call(1, ms(5), 0, Ending::After(ms(300)))],
    );
    insta::assert_snapshot!(ladder(&world, &until(ms(100))));
}

/// RFC 9293 §3.6, figure 13: both FINs are on their way at once.
#[test]
fn simultaneous_close() {
    let world = pair(
        vec![call(0, ms(10), 0, Ending::After(ms(100)))],
        vec![serve(1, 0, Ending::After(ms(70)))],
    );
    insta::assert_snapshot!(ladder(&world, &from(ms(50))));
}

/// RFC 9293 §3.10.7.4: the last ACK is lost, so the FIN comes again and is acknowledged again.
#[test]
fn time_wait_catches_a_retransmitted_fin() {
    let world = pair(
        vec![call(0, ms(10), 0, Ending::After(ms(100)))],
        vec![serve(1, 0, Ending::After(ms(150)))],
    );
    let world = lose(world, 0, class::PURE_ACK, 2);
    insta::assert_snapshot!(ladder(&world, &from(ms(50))));
}

/// What TIME-WAIT is for: the router keeps a copy of the server's text and brings it when the
/// client has closed. TIME-WAIT drops it, ignores the RST that its answer draws (RFC 1337), and
/// the next incarnation of the same 4-tuple never sees it.
/// R1337-03.
#[test]
fn an_old_duplicate_is_outlived_by_time_wait() {
    let mut world = chain(
        vec![
            call(0, ms(10), 0, Ending::After(ms(200))),
            call(0, ms(6000), 0, Ending::After(ms(200))),
        ],
        vec![serve(2, 100, Ending::Passive)],
    );
    let server = Incarnation {
        host: NodeId(1),
        boot: 0,
        connection: ConnectionId(2),
    };
    let text = Passage {
        hop: HopId(1),
        tag: server.tag(),
        ordinal: 1,
    };
    let kept = Outcome::Hold(Release::After(ms(1500)));
    let fate = Fate {
        original: Outcome::default(),
        copies: Copies::one(kept),
    };
    world.faults = FaultPlan::Listed(vec![(text, fate)]);
    insta::assert_snapshot!(ladder(&world, &Filter::default()));
}

/// RFC 9293 §3.5.1, figure 9: the client crashes and opens again; the server, which knows nothing
/// of that, answers the SYN by an ACK, is reset, and takes the next SYN.
#[test]
fn half_open_connection_discovery() {
    let open = || call(0, ms(10), 0, Ending::After(ms(3000)));
    let world = pair(vec![open()], vec![serve(2, 0, Ending::Passive)]);
    let world = crash(world, ms(200), vec![open()]);
    let window = Filter {
        until: Some(Instant::ZERO + ms(2000)),
        ..from(ms(150))
    };
    insta::assert_snapshot!(ladder(&world, &window));
}

/// RFC 9293 §3.5.1, figure 10: the client crashes and is up again; what the server sends finds
/// nobody, and is answered by a RST.
#[test]
fn active_side_causes_half_open_connection_discovery() {
    let world = pair(
        vec![call(0, ms(10), 0, Ending::After(ms(3000)))],
        vec![serve(1, 0, Ending::After(ms(500)))],
    );
    let world = crash(world, ms(200), Vec::new());
    insta::assert_snapshot!(ladder(&world, &from(ms(150))));
}
