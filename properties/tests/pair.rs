//! What a user's own tests look like, and that they can fail.

use std::time::Duration;

use timewait_properties::label::class;
use timewait_properties::pair::{CLIENT_TO_SERVER, SERVER_TO_CLIENT, copy_nth, drop_nth, pair};
use timewait_sim::Outcome;
use timewait_sim::fates::Match;
use timewait_stack::{Errno, State};

#[test]
fn lost_fin_is_retransmitted() {
    let mut world = pair(1).faults([drop_nth(CLIENT_TO_SERVER, class::FIN, 1)]);
    world.client().send(5).close();
    world.server().close();
    let report = world.run_until_quiet();
    assert_eq!((report.stats.lost, report.left_over), (1, 0));
    assert!(world.server().seen().end_of_file);
}

#[test]
fn what_is_sent_into_a_cut_goes_again_when_it_is_over() {
    let mut world = pair(12);
    world.client().send(1);
    world.run_for(Duration::from_secs(1));
    let cut = world.cut(CLIENT_TO_SERVER);
    world.client().send(5);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.server().seen().received, 1);
    drop(cut);
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.server().seen().received, 6);
    world.client().close();
    world.server().close();
    assert!(world.run_until_quiet().stats.dropped_cut > 0);
}

#[test]
fn a_rule_of_a_test_holds_for_a_while() {
    let mut world = pair(13);
    let text = Match {
        class: class::DATA,
        ..Match::default()
    };
    world.client().send(1);
    world.run_for(Duration::from_secs(1));
    let rule = world.rules().add(text, Outcome::Drop.into());
    world.client().send(5);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.server().seen().received, 1);
    drop(rule);
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.server().seen().received, 6);
    world.client().close();
    world.server().close();
    assert!(world.run_until_quiet().stats.lost > 0);
}

#[test]
fn lost_syn_ack_is_retransmitted() {
    let mut world = pair(2).faults([drop_nth(SERVER_TO_CLIENT, class::SYN_ACK, 1)]);
    world.client().send(1);
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.server().seen().received, 1);
}

#[test]
fn who_closes_first_waits_and_the_other_does_not() {
    let mut world = pair(3);
    world.client().send(1);
    world.run_for(Duration::from_secs(1));
    world.client().close();
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.client().state(), State::FinWait2);
    assert_eq!(world.server().state(), State::CloseWait);
    world.server().close();
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.client().state(), State::TimeWait);
    assert_eq!(world.server().state(), State::Closed);
    world.run_until_quiet();
}

#[test]
fn an_abort_is_a_reset_at_the_other_end() {
    let mut world = pair(4);
    world.client().send(10);
    world.run_for(Duration::from_secs(1));
    world.server().abort();
    world.run_until_quiet();
    assert_eq!(world.client().seen().error, Some(Errno::ECONNRESET));
}

#[test]
fn a_deaf_reader_closes_the_window_and_loses_nothing() {
    let mut world = pair(5);
    world.server().deaf(true);
    world.client().send(200_000);
    world.run_for(Duration::from_secs(90));
    assert_eq!(world.server().seen().received, 0);
    world.server().deaf(false);
    world.run_for(Duration::from_secs(120));
    assert_eq!(world.server().seen().received, 200_000);
    world.client().close();
    world.server().close();
    world.run_until_quiet();
}

#[test]
fn a_copied_segment_is_delivered_once() {
    let hold = Duration::from_secs(2);
    let mut world = pair(6).faults([copy_nth(CLIENT_TO_SERVER, class::DATA, 1, hold)]);
    world.client().send(3000).shut();
    world.run_for(Duration::from_secs(3));
    assert_eq!(world.server().seen().received, 3000);
    world.server().close();
    world.client().close();
    assert_eq!(world.run_until_quiet().stats.delivered_after_hold, 1);
}

#[test]
#[should_panic(expected = "TIMEWAIT_SEED=0x7 cargo test")]
fn a_world_that_does_not_come_to_rest_says_how_to_see_it_again() {
    let mut world = pair(7).configure(|config| {
        config.keepalive = Some(timewait_stack::config::Keepalive {
            idle: Duration::from_secs(60),
            interval: Duration::from_secs(60),
            probes: 9,
            garbage: false,
        });
    });
    world.client().send(1);
    world.run_until_quiet();
}
