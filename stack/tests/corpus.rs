//! The committed fuzz corpora, replayed on stable: each file through the body of its target.
//!
//! A file named `ok-…` must parse, and its checksum, made by another program, must verify; one named
//! `bad-…` must not parse. Others (what a fuzzer found) need only hold what the body asks.

use std::fs;
use std::path::{Path, PathBuf};

use timewait_stack::wire::{IcmpMessage, Segment};

#[path = "../../fuzz/src/segment_parse_body.rs"]
mod body;
#[path = "../../fuzz/src/icmp_parse_body.rs"]
mod icmp_body;

/// The files of one corpus, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry of the corpus").path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path
            .file_name()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        (name, fs::read(&path).expect("a readable file"))
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn the_corpus_of_the_parser_holds() {
    let files = corpus("segment_parse");
    let (mut ok, mut bad) = (0, 0);
    for (name, bytes) in &files {
        body::segment_parse(bytes);
        let parsed = Segment::parse(bytes);
        if name.starts_with("ok-") {
            assert!(parsed.is_ok(), "{name}: {parsed:?}");
            let (from, to) = if name.contains("ipv6") {
                body::V6
            } else {
                body::V4
            };
            assert!(Segment::verify_checksum(from, to, bytes), "{name}");
            ok += 1;
        }
        if name.starts_with("bad-") {
            assert!(parsed.is_err(), "{name}: {parsed:?}");
            bad += 1;
        }
    }
    assert!(
        ok >= 10 && bad >= 10,
        "a corpus that shrank to {ok} good and {bad} bad files"
    );
}

#[test]
fn the_corpus_of_the_icmp_parser_holds() {
    let (mut ok, mut bad) = (0, 0);
    for (name, bytes) in &corpus("icmp_parse") {
        icmp_body::icmp_parse(bytes);
        let v4 = !name.contains("ipv6") || name.ends_with("ipv4");
        let parsed = IcmpMessage::parse(v4, bytes);
        if name.starts_with("ok-") {
            assert!(parsed.is_ok(), "{name}: {parsed:?}");
            let (from, to) = if v4 { icmp_body::V4 } else { icmp_body::V6 };
            assert!(IcmpMessage::verify_checksum(from, to, bytes), "{name}");
            ok += 1;
        } else {
            assert!(parsed.is_err(), "{name}: {parsed:?}");
            bad += 1;
        }
    }
    assert!(ok >= 10 && bad >= 10, "{ok} good and {bad} bad files");
}
