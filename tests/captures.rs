//! `replay --pcap` as tshark reads it. Where tshark is not installed these tests say so and stop;
//! CI installs it.

use std::path::Path;
use std::process::Command;

use tempfile::NamedTempFile;
use timewait::prelude::*;
use timewait::properties::capture::Capture;
use timewait::properties::check_with;
use timewait::properties::scenario::{Call, FaultPlan, Read, Role, Serve};
use timewait::sim::Aqm;

/// Whether tshark is there; says so if it is not.
fn has_tshark() -> bool {
    let found = Command::new("tshark").arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: tshark is not installed");
    }
    found
}

/// The packets that `filter` shows, one line each with these fields.
fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Vec<String> {
    let checks = [
        "tcp.check_checksum:TRUE",
        "ip.check_checksum:TRUE",
        "tcp.calculate_timestamps:TRUE",
    ];
    // What users send is noise, whatever protocol belongs to their ports.
    let output = Command::new("tshark")
        .args(["-d", "tcp.port==1-65535,data"])
        .arg("-r")
        .arg(file)
        .args(["-Y", filter, "-T", "fields", "-E", "separator=|"])
        .args(checks.iter().flat_map(|check| ["-o", check]))
        .args(fields.iter().flat_map(|field| ["-e", field]))
        .output()
        .expect("tshark starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).expect("text");
    lines.lines().map(str::to_owned).collect()
}

/// The capture of a run in a file; of one interface, if it has a name.
fn captured(scenario: &Scenario, only: &[&str], file: &Path) {
    let mut capture = Capture::of(scenario);
    if !only.is_empty() {
        capture = capture.only(only).expect("there are such interfaces");
    }
    let report = check_with(scenario, vec![capture.oracle()]);
    assert!(!report.failed(), "{report}");
    let out = std::fs::File::create(file).expect("a file");
    capture.write(out).expect("a disk");
}

#[test]
fn nothing_is_malformed_and_only_what_was_damaged_has_a_bad_checksum() {
    if !has_tshark() {
        return;
    }
    let file = NamedTempFile::new().expect("a file");
    for kind in Kind::ALL {
        let scenario = Scenario::from_seed(*kind, 1);
        if matches!(
            kind,
            Kind::Attack | Kind::Bystander | Kind::Churn | Kind::Rogue
        ) {
            continue; // Hundreds of thousands of packets.
        }
        captured(&scenario, &["h0", "h1"], file.path());
        let malformed = tshark(file.path(), "_ws.malformed", &["frame.number"]);
        assert_eq!(malformed, Vec::<String>::new(), "{kind}");
        let bad = "tcp.checksum.status == Bad || ip.checksum.status == Bad";
        for comment in tshark(file.path(), bad, &["frame.comment"]) {
            assert!(comment.contains("damaged on the way"), "{kind}: {comment}");
        }
    }
}

/// Without loss, reordering and copies, and with readers that keep up, an analyser at one host sees nothing to warn of.
#[test]
fn a_lossless_run_draws_no_warning() {
    if !has_tshark() {
        return;
    }
    let file = NamedTempFile::new().expect("a file");
    for kind in [
        Kind::Handshake,
        Kind::HalfClose,
        Kind::Bulk,
        Kind::SimultaneousOpen,
    ] {
        for seed in 0..3 {
            let mut scenario = Scenario {
                faults: FaultPlan::NONE,
                cuts: Vec::new(),
                rules: Vec::new(),
                ..Scenario::from_seed(kind, seed)
            };
            for link in &mut scenario.links {
                link.aqm = Aqm::None;
            }
            for app in scenario.hosts.iter_mut().flat_map(|host| &mut host.apps) {
                if let Role::Serve(Serve { talk, .. }) | Role::Call(Call { talk, .. }) =
                    &mut app.role
                {
                    // A window that is shut is worth a warning.
                    (talk.read, talk.resized) = (Read::Eager, None);
                }
            }
            captured(&scenario, &["h0"], file.path());
            // Severities of Wireshark: 0x00600000 is a warning, 0x00800000 an error.
            let filter = "_ws.expert.severity >= 0x00600000";
            let fields = ["frame.number", "_ws.col.Info", "_ws.expert.message"];
            let warned = tshark(file.path(), filter, &fields);
            assert_eq!(warned, Vec::<String>::new(), "{kind}, seed {seed}");
        }
    }
}

#[test]
fn packets_bear_their_interface_their_nanoseconds_and_their_story() {
    if !has_tshark() {
        return;
    }
    let file = NamedTempFile::new().expect("a file");
    captured(&Scenario::from_seed(Kind::LastAckLost, 2), &[], file.path());
    let fields = ["frame.interface_name", "frame.time_epoch", "frame.comment"];
    let packets = tshark(file.path(), "tcp", &fields);
    let lost: Vec<_> = packets
        .iter()
        .filter(|line| line.ends_with("|lost"))
        .collect();
    assert!(!lost.is_empty(), "{packets:#?}");
    let nanos = |line: &str| {
        let time = line.split('|').nth(1).expect("a time").to_owned();
        time.split_once('.')
            .is_some_and(|(_, part)| part.len() == 9)
    };
    assert!(packets.iter().all(|line| nanos(line)));
    assert!(
        packets[0].starts_with("h0|") && packets[1].starts_with("h0>"),
        "{}",
        packets[1]
    );
}
