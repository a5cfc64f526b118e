//! SYN cookies (RFC 4987 §3.6): what is legal, and what is a hazard (E10).

use super::{SYN_ACK, stage, syn};
use crate::staging::{A, B, established, seg};
use timewait_stack::State;
use timewait_stack::event::{Cause as Why, Timer};

#[test]
fn a_handshake_with_a_cookie_pairs_both_ends_and_is_silent() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, ack) = stage.cookie(listener, 1000, 5000);
    let server = stage.by_cookie(listener, &ack);
    assert!(stage.facts().paired(client, server));
    stage.close_in_turn(client, server);
    stage.assert_silent();
}

#[test]
fn a_copy_of_the_acknowledgment_rebuilds_a_dead_connection() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let (client, ack) = stage.cookie(listener, 1000, 5000);
    let server = stage.by_cookie(listener, &ack);
    stage.close_in_turn(client, server);
    stage.by_timer();
    stage.goes(client, State::Closed, Why::Timer(Timer::TimeWait));
    let ghost = stage.by_cookie(listener, &ack);
    assert!(!stage.facts().paired(client, ghost));
    stage.assert_hazard("E10");
}

#[test]
fn a_cookie_for_another_syn_must_not_be_taken() {
    let mut stage = stage();
    let listener = stage.listen(B);
    let first = stage.connect(A, 1000);
    let old = stage.send(first, syn(1000));
    stage.deliver(&old);
    stage.judged(listener, |_| {});
    let cookie = stage.echo(&old, seg(SYN_ACK).seq(5000).ack(1001));
    let second = stage.connect(A, 3000);
    stage.send(second, syn(3000));
    stage.take(second, &cookie, |v| established(v, 3001, 5000));
    stage.assert_violation("is established by an old datagram");
}
