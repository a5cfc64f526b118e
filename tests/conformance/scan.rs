//! All marks in all sources.

use std::fs;
use std::path::{Path, PathBuf};

use super::source::{Kind, Outline};
use super::spelling;

/// Where marks are looked for. This scanner, which writes ids that are none, is left out.
const FOLDERS: [&str; 6] = [
    "stack/src",
    "stack/tests",
    "sim/src",
    "properties/src",
    "properties/tests",
    "tests",
];
const LEFT_OUT: &str = "tests/conformance";

/// The oracles and the reference: they judge and implement nothing.
const JUDGES: [&str; 2] = ["properties/src/oracles", "properties/src/reference"];

/// What a mark means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Where the requirement is implemented.
    Place,
    /// A test that would fail without it.
    Test,
    /// An oracle that demands it.
    Judge,
}

/// A citation of a requirement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) id: String,
    pub(crate) role: Role,
    /// `stack/src/isn.rs::iss`; for the docs of a file, the file.
    pub(crate) place: String,
}

/// What the sources say.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Sorted, each once.
    pub(crate) marks: Vec<Mark>,
    /// `file:line: text` of ids that are not written in full.
    pub(crate) misspelled: Vec<String>,
}

impl Findings {
    /// The marks of one requirement.
    pub(crate) fn of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Mark> {
        self.marks.iter().filter(move |mark| mark.id == id)
    }
}

/// Reads all sources below the root of the workspace.
///
/// # Panics
///
/// If a file can't be read or is no Rust.
pub(crate) fn scan(root: &Path) -> Findings {
    let files: Vec<File> = FOLDERS
        .iter()
        .flat_map(|folder| sources(root, Path::new(folder)))
        .filter(|path| !path.starts_with(LEFT_OUT) && !path.starts_with("tests/conformance.rs"))
        .map(|path| File::read(root, path))
        .collect();
    let test_files: Vec<PathBuf> = files.iter().flat_map(File::test_files).collect();
    let mut findings = Findings::default();
    for file in &files {
        file.gather(&test_files, &mut findings);
    }
    findings.marks.sort();
    findings.marks.dedup();
    findings
}

struct File {
    path: PathBuf,
    text: String,
    outline: Outline,
}

impl File {
    fn read(root: &Path, path: PathBuf) -> Self {
        let text = fs::read_to_string(root.join(&path)).expect("a source");
        let outline =
            Outline::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self {
            path,
            text,
            outline,
        }
    }

    /// The files, without their extension, that only tests include.
    fn test_files(&self) -> Vec<PathBuf> {
        let stem = self.path.file_stem().and_then(|stem| stem.to_str());
        let folder = match stem {
            Some("lib" | "main") => self.path.with_file_name(""),
            _ => self.path.with_extension(""),
        };
        let modules = self.outline.test_modules.iter();
        modules.map(|module| folder.join(module)).collect()
    }

    fn gather(&self, test_files: &[PathBuf], findings: &mut Findings) {
        let bare = self.path.with_extension("");
        let among_tests = self
            .path
            .components()
            .any(|part| part.as_os_str() == "tests")
            || test_files.iter().any(|file| bare.starts_with(file));
        let judge = JUDGES.iter().any(|judge| bare.starts_with(judge));
        for id in spelling::ids(&self.text) {
            let (line, column, text) = self.place(id.at);
            let owner = self
                .outline
                .owner((line, column), text.trim_start().starts_with("//!"));
            let role = match owner.kind {
                _ if judge => Role::Judge,
                Kind::Test => Role::Test,
                Kind::Helper => continue,
                Kind::Code if among_tests => continue,
                Kind::Code => Role::Place,
            };
            findings.marks.push(Mark {
                id: id.text.to_owned(),
                role,
                place: self.name(role, &owner.name),
            });
        }
        for at in spelling::misspelled(&self.text) {
            let (line, _, text) = self.place(at);
            let misspelled = format!("{}:{line}: {}", self.path.display(), text.trim());
            findings.misspelled.push(misspelled);
        }
    }

    fn name(&self, role: Role, item: &str) -> String {
        let path = self.path.display();
        let item = item.trim_end_matches("::");
        match role {
            // Which oracle says enough.
            Role::Judge => path.to_string(),
            _ if item.is_empty() => path.to_string(),
            _ => format!("{path}::{item}"),
        }
    }

    /// The line (from 1), the column (from 0, in characters) and the text of the line.
    fn place(&self, at: usize) -> (usize, usize, &str) {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = self.text[start..at].chars().count();
        let text = self.text[start..].lines().next().unwrap_or("");
        (line, column, text)
    }
}

/// Every Rust file below a folder, relative to the root, in order.
fn sources(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root.join(folder)).expect("a folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    let mut found = Vec::new();
    for name in names {
        let path = folder.join(name);
        if root.join(&path).is_dir() {
            found.extend(sources(root, &path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
