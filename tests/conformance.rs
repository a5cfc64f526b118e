//! The ledger: every numbered requirement, where it is implemented, and the tests that hold it.
//!
//! [`docs/requirements.tsv`](../docs/requirements.tsv) lists the requirements of RFC 9293 by the ids
//! of its appendix B, and rules of its companions by ids of our own (`R5961-03`). Sources cite them;
//! the *marks* are gathered here and written to `docs/CONFORMANCE.md`:
//!
//! - a mark in code that is no test says where a requirement is implemented;
//! - a mark in a `#[test]` function, its doc comment or its body, names a test that would fail
//!   without it;
//! - a mark in an oracle or in the reference names a judge. A judge implements nothing, and the
//!   tests of a judge test the judge.
//!
//! Marks in helpers of tests and in the docs of a test file count for nothing.
//! `TIMEWAIT_BLESS=1 cargo test conformance` writes the page anew.

mod ledger;
mod page;
mod scan;
mod source;
mod spelling;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ledger::{Requirement, Scope};
use scan::{Findings, Role};

const PAGE: &str = "docs/CONFORMANCE.md";

#[test]
fn conformance_page_is_what_the_sources_say() {
    let page = page::render(&requirements(), findings());
    let path = root().join(PAGE);
    if bless() {
        fs::write(&path, &page).expect("a page that can be written");
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    if let Some((stored, fresh)) = first_difference(&stored, &page) {
        panic!(
            "{PAGE} is stale: it says {stored:?}, the sources say {fresh:?}.\n\
             `TIMEWAIT_BLESS=1 cargo test conformance` writes it anew."
        );
    }
}

#[test]
fn conformance_marks_name_requirements_that_exist() {
    let requirements = requirements();
    for mark in &findings().marks {
        assert!(
            requirements.iter().any(|known| known.id == mark.id),
            "{} cites {}, which docs/requirements.tsv doesn't know",
            mark.place,
            mark.id
        );
    }
}

/// One spelling, so that a search for an id finds all of its places.
#[test]
fn conformance_marks_are_spelled_out() {
    let misspelled = &findings().misspelled;
    assert!(
        misspelled.is_empty(),
        "every id is written in full, like MUST-25, MUST-26:\n{}",
        misspelled.join("\n")
    );
}

#[test]
fn conformance_has_a_place_and_a_test_for_every_requirement() {
    let (requirements, findings) = (requirements(), findings());
    let missing: Vec<String> = requirements
        .iter()
        .filter(|requirement| requirement.scope == Scope::In)
        .filter_map(|requirement| {
            let lacks = lacks(findings, &requirement.id)?;
            Some(format!("{} has no {lacks}", requirement.id))
        })
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn conformance_excuses_nothing_that_has_marks() {
    let (requirements, findings) = (requirements(), findings());
    for requirement in requirements.iter().filter(|known| known.scope != Scope::In) {
        let mark = findings
            .of(&requirement.id)
            .find(|mark| mark.role != Role::Judge);
        assert!(
            mark.is_none(),
            "{} is excused and has a mark: {mark:?}",
            requirement.id
        );
    }
}

#[test]
fn conformance_ledger_is_complete() {
    let requirements = requirements();
    let numbered = |prefix: &str| {
        let with_prefix = requirements.iter().filter(|known| {
            let number = known.id.strip_prefix(prefix);
            number.is_some_and(|number| number.starts_with('-'))
        });
        with_prefix.count()
    };
    let counts = ["MUST", "SHLD", "MAY", "REC"].map(numbered);
    assert_eq!(counts, [69, 31, 18, 1], "RFC 9293, appendix B");
    for (at, requirement) in requirements.iter().enumerate() {
        let twice = requirements[..at]
            .iter()
            .any(|other| other.id == requirement.id);
        assert!(!twice, "{} stands twice", requirement.id);
    }
}

/// What a requirement has none of: a place, or a test.
fn lacks(findings: &Findings, id: &str) -> Option<&'static str> {
    let has = |role| findings.of(id).any(|mark| mark.role == role);
    match (has(Role::Place), has(Role::Test)) {
        (true, true) => None,
        (false, true) => Some("place where it is implemented"),
        (true, false) => Some("test"),
        (false, false) => Some("place and no test"),
    }
}

fn requirements() -> Vec<Requirement> {
    let path = root().join("docs/requirements.tsv");
    ledger::parse(&fs::read_to_string(path).expect("the ledger"))
}

/// The sources are read once for all tests of a process.
fn findings() -> &'static Findings {
    static FINDINGS: OnceLock<Findings> = OnceLock::new();
    FINDINGS.get_or_init(|| scan::scan(&root()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn bless() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "whether to write the page is a choice of whoever runs the test"
    )]
    std::env::var("TIMEWAIT_BLESS").is_ok_and(|value| value == "1")
}

fn first_difference(stored: &str, fresh: &str) -> Option<(String, String)> {
    let (mut stored, mut fresh) = (stored.lines(), fresh.lines());
    loop {
        match (stored.next(), fresh.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => return Some((a.unwrap_or("").to_owned(), b.unwrap_or("").to_owned())),
        }
    }
}
