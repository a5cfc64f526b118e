//! Traces that are reviewed as snapshots: small, because each keeps one part of a run.

use timewait::prelude::*;
use timewait::properties::check_with;

/// This part of the run of a scenario in the gallery.
fn trace(gallery: &str, part: Part) -> String {
    let path = format!("{}/scenarios/{gallery}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a file");
    let scenario = Scenario::from_toml(&text).expect("a scenario");
    let trace = Trace::of(Selection {
        parts: vec![part],
        ..Selection::default()
    });
    check_with(&scenario, vec![trace.oracle()]);
    trace.to_string()
}

#[test]
fn crossing_syns_lead_through_syn_received_on_both_sides() {
    insta::assert_snapshot!(trace("crossing-syns", Part::State));
}

#[test]
fn the_segments_of_a_lost_fin() {
    insta::assert_snapshot!(trace("lost-fin", Part::Segment));
}

#[test]
fn what_the_network_does_in_a_last_ack_lost() {
    insta::assert_snapshot!(trace("last-ack-lost", Part::Network));
}
