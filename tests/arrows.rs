//! Who may import whom: the load-bearing walls of the workspace (docs/ARCHITECTURE.md).

use std::fs;
use std::path::{Path, PathBuf};

/// A crate's folder, and which of ours it may depend on.
const ARROWS: [(&str, &[&str]); 5] = [
    ("stack", &[]),
    ("sim", &[]),
    ("properties", &["sim", "stack"]),
    (".", &["properties", "sim", "stack"]),
    ("fuzz", &["properties", "stack"]),
];

#[test]
fn manifests_have_only_the_arrows_that_they_may_have() {
    for (folder, allowed) in ARROWS {
        let Some(manifest) = read(&root().join(folder).join("Cargo.toml")) else {
            continue;
        };
        for ours in our_dependencies(&manifest) {
            assert!(
                allowed.contains(&ours.as_str()),
                "{folder} must not depend on {ours}"
            );
        }
    }
}

#[test]
fn no_source_names_a_crate_across_an_arrow() {
    for (folder, allowed) in ARROWS {
        let sources = sources(&root().join(folder).join("src"));
        for ours in ["stack", "sim", "properties"] {
            if folder == ours || allowed.contains(&ours) {
                continue;
            }
            let name = format!("timewait_{ours}");
            for (path, text) in &sources {
                assert!(!text.contains(&name), "{} names {name}", path.display());
            }
        }
    }
}

#[test]
fn libraries_know_nothing_of_the_command_line() {
    for folder in ["stack", "sim", "properties"] {
        let manifest = read(&root().join(folder).join("Cargo.toml")).expect("a manifest");
        for foreign in ["clap", "indicatif", "comfy-table", "serde_json", "svg"] {
            assert!(!manifest.contains(foreign), "{folder} depends on {foreign}");
        }
    }
}

#[test]
fn threads_live_in_one_file() {
    for folder in [".", "stack", "sim", "properties"] {
        for (path, text) in sources(&root().join(folder).join("src")) {
            let threads = ["spawn", "scope", "Builder", "sleep"]
                .iter()
                .any(|call| text.contains(&format!("thread::{call}")));
            assert!(
                !threads || path.ends_with("src/parallel.rs"),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_in_every_library() {
    for folder in [".", "stack", "sim", "properties"] {
        let library = read(&root().join(folder).join("src/lib.rs")).expect("a library");
        assert!(library.contains("#![forbid(unsafe_code)]"), "{folder}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The crates of ours that the tables of dependencies name, `stack` for `timewait-stack`.
fn our_dependencies(manifest: &str) -> Vec<String> {
    let mut within = false;
    let mut ours = Vec::new();
    for line in manifest.lines() {
        if let Some(table) = line.strip_prefix('[') {
            within = table.contains("dependencies") && !table.starts_with("workspace");
        } else if within && let Some(rest) = line.strip_prefix("timewait-") {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
            ours.push(rest[..end].to_owned());
        }
    }
    ours
}

/// Every Rust file below a folder with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && let Some(text) = read(&path)
            {
                found.push((path, text));
            }
        }
    }
    found
}

#[test]
fn the_tests_above_read_something() {
    let manifest = read(&root().join("properties/Cargo.toml")).expect("a manifest");
    assert!(our_dependencies(&manifest).contains(&"sim".to_owned()));
    assert!(sources(&root().join("stack/src")).len() > 10);
}
