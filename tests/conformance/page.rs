//! `docs/CONFORMANCE.md`.

use std::fmt::Write as _;

use super::ledger::{Requirement, Scope};
use super::scan::{Findings, Role};

/// The whole page. It has no line numbers: those go stale with every edit.
pub(crate) fn render(requirements: &[Requirement], findings: &Findings) -> String {
    let mut page = String::from(HEAD);
    summary(&mut page, requirements);
    let mut group = "";
    for requirement in requirements {
        let rfc = rfc(requirement);
        if rfc != group {
            group = rfc;
            let _ = write!(page, "\n## {rfc}\n");
        }
        entry(&mut page, requirement, findings);
    }
    page
}

const HEAD: &str = "\
# Conformance

Every numbered requirement of RFC 9293 (appendix B), and rules of its companions under ids of our
own: where it is implemented, and the tests that would fail without it. *Judged by* names the oracles
that demand it in every run of a campaign.

This page is generated from the marks in the sources, and a test holds it to them
(`TIMEWAIT_BLESS=1 cargo test conformance` writes it anew). What is asked is told in our words; the
RFC rules. *Not offered* is a permission (MAY) that is not made use of.
";

/// Of how many requirements each source has so many in each standing.
fn summary(page: &mut String, requirements: &[Requirement]) {
    page.push_str(
        "\n| | requirements | implemented and tested | not offered | out of scope |\n\
         |---|---|---|---|---|\n",
    );
    let mut groups: Vec<(String, [u32; 3])> = Vec::new();
    for requirement in requirements {
        let name = match (rfc(requirement), requirement.id.split_once('-')) {
            ("RFC 9293", Some((word, _))) => format!("RFC 9293 {word}"),
            (other, _) => other.to_owned(),
        };
        if groups.last().is_none_or(|(last, _)| *last != name) {
            groups.push((name, [0; 3]));
        }
        if let Some((_, counts)) = groups.last_mut() {
            counts[standing(requirement) as usize] += 1;
        }
    }
    for (name, counts) in groups {
        let all: u32 = counts.iter().sum();
        let _ = write!(page, "| {name} | {all} |");
        for count in counts {
            let _ = match count {
                0 => write!(page, " · |"),
                _ => write!(page, " {count} |"),
            };
        }
        page.push('\n');
    }
}

#[derive(Clone, Copy)]
enum Standing {
    Done,
    NotOffered,
    Out,
}

fn standing(requirement: &Requirement) -> Standing {
    match &requirement.scope {
        Scope::Out(_) => Standing::Out,
        Scope::NotOffered(_) => Standing::NotOffered,
        Scope::In => Standing::Done,
    }
}

fn entry(page: &mut String, requirement: &Requirement, findings: &Findings) {
    let Requirement {
        id,
        level,
        text,
        section,
        scope,
    } = requirement;
    let _ = write!(page, "\n### {id}\n\n{level}, {section}: {text}.\n\n");
    match scope {
        Scope::Out(reason) => {
            let _ = writeln!(page, "- out of scope: {reason}");
        }
        Scope::NotOffered(reason) => {
            let _ = writeln!(page, "- not offered: {reason}");
        }
        Scope::In => {}
    }
    for (role, words) in [
        (Role::Place, "where"),
        (Role::Test, "test"),
        (Role::Judge, "judged by"),
    ] {
        for mark in findings.of(id).filter(|mark| mark.role == role) {
            let _ = writeln!(page, "- {words}: `{}`", mark.place);
        }
    }
}

/// `RFC 9293` of `RFC 9293 §3.1`.
fn rfc(requirement: &Requirement) -> &str {
    requirement
        .section
        .split_once(" §")
        .map_or("", |(rfc, _)| rfc)
}
