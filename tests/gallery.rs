//! The scenarios of the gallery do what their comments say.

use std::fs;
use std::path::PathBuf;

use timewait::properties::check;
use timewait::{Protection, Report, Scenario};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn scenario(name: &str) -> Scenario {
    let path = folder().join(name).with_extension("toml");
    let text = fs::read_to_string(&path).expect("a file");
    Scenario::from_toml(&text).unwrap_or_else(|error| panic!("{}:{error}", path.display()))
}

fn run(name: &str) -> Report {
    check(&scenario(name))
}

/// The oracles that object with this protection off.
fn objections(name: &str, protection: Protection) -> Vec<&'static str> {
    let report = check(&scenario(name).without(protection));
    report.violations().map(|found| found.oracle).collect()
}

fn note(report: &Report, name: &str) -> u64 {
    report.coverage.notes.get(name).copied().unwrap_or(0)
}

#[test]
fn every_file_of_the_gallery_holds_and_says_what_it_is_about() {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.starts_with("# "), "{}", path.display());
        assert!(
            text.lines().all(|line| line.chars().count() <= 200),
            "{}",
            path.display()
        );
        names.push(
            path.file_stem()
                .expect("a name")
                .to_str()
                .expect("text")
                .to_owned(),
        );
    }
    assert!(names.len() >= 21, "{names:?}");
    for name in names {
        let report = run(&name);
        assert!(!report.failed() && report.quiet, "{name}: {report}");
    }
}

#[test]
fn a_lost_fin_and_a_lost_last_ack_are_sent_again() {
    assert_eq!(run("hello").stats.lost, 0);
    assert_eq!(run("lost-fin").stats.lost, 1);
    assert_eq!(run("last-ack-lost").stats.lost, 2);
    let without = objections("last-ack-lost", Protection::TimeWaitReAck);
    assert!(without.contains(&"replies"), "{without:?}");
}

#[test]
fn without_time_wait_the_old_duplicate_is_accepted() {
    let without = objections("old-duplicate", Protection::TimeWait);
    assert!(without.contains(&"incarnation"), "{without:?}");
}

#[test]
fn without_rfc_5961_the_blind_reset_works() {
    assert!(note(&run("blind-reset"), "off-path: refused") > 200_000);
    let without = objections("blind-reset", Protection::Rfc5961Rst);
    assert!(without.contains(&"incarnation"), "{without:?}");
}

#[test]
fn the_bottleneck_marks_and_the_black_hole_is_found() {
    assert!(note(&run("bottleneck"), "ecn: a mark answered") > 0);
    assert!(note(&run("black-hole"), "path MTU lowered by silence") > 0);
}

#[test]
fn a_half_open_connection_is_aborted_and_a_flooded_listener_takes_its_client_in() {
    let crashed = run("half-open").coverage;
    assert_eq!(crashed.notes.get("crashes"), Some(&1));
    assert_eq!(crashed.notes.get("delivery: aborted"), Some(&1));
    let flooded = run("syn-flood").coverage;
    assert_eq!(flooded.notes.get("delivery: never accepted"), None);
}

/// Beyond the MSL no TCP can tell the old from the new: a hazard, not a violation.
#[test]
fn in_a_rogue_network_an_old_duplicate_is_accepted_and_that_is_a_hazard() {
    let report = run("rogue");
    assert!(report.coverage.old_accepted > 0);
    assert!(
        report
            .coverage
            .hazards
            .keys()
            .any(|name| name.starts_with("E1"))
    );
}

#[test]
fn cut_links_come_back_and_what_a_router_kept_for_one_meets_the_next_incarnation() {
    assert_eq!(note(&run("partition"), "net: a hop was cut"), 6);
    let flapped = run("route-flap").coverage;
    assert!(flapped.old_in_window > 0 && flapped.old_accepted == 0);
}

#[test]
fn rules_are_in_force_for_a_while() {
    let stats = run("blackout").stats;
    assert!(stats.lost > 5 && stats.duplicated > 20, "{stats:?}");
}

#[test]
fn fragments_are_put_together_and_a_managed_queue_drops_early() {
    let stats = run("fragments").stats;
    assert!(stats.fragmented > 30 && stats.reassembled > 30, "{stats:?}");
    assert!(note(&run("bufferbloat"), "net: dropped early by a queue") > 0);
}

#[test]
fn boxes_translate_strip_cut_and_join() {
    let nat = run("nat");
    assert_eq!(note(&nat, "box: mapped"), 1);
    assert_eq!(note(&nat, "box: mapped to another port"), 1);
    assert!(note(&nat, "box: ICMP translated") > 0);
    let meddled = run("meddlers");
    for deed in ["box: options changed", "box: cut", "box: joined"] {
        assert!(note(&meddled, deed) > 0, "{deed}");
    }
}

#[test]
fn what_waits_for_a_host_that_stands_still_grows_old() {
    let report = run("closed-lid");
    assert_eq!(note(&report, "pauses"), 1);
    assert!(report.stats.dropped_too_old > 0, "{:?}", report.stats);
}
