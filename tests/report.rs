//! `run --report`: the pages of a campaign.

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;

use crate::browser::devtools::Browser;
use crate::command::timewait;

/// A folder of this test that goes when the test is over.
struct TempFolder(TempDir);

impl TempFolder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Every file by its name, with what is in it.
    fn files(&self) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.0.path()).expect("a folder");
        let file = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().expect("a name");
            (name, fs::read_to_string(entry.path()).expect("text"))
        };
        entries.map(|entry| file(entry.expect("a file"))).collect()
    }

    /// Runs a campaign with its report in here. Returns its exit status.
    fn run(&self, arguments: &str) -> Option<i32> {
        let path = self.0.path().display();
        timewait(&format!("run {arguments} --report {path}"))
            .status
            .code()
    }
}

const FAILS: &str = "close --disable time-wait --seeds 24";

#[test]
fn a_sound_campaign_has_one_page_with_its_counts() {
    let folder = TempFolder::new();
    assert_eq!(folder.run("handshake close --seeds 8"), Some(0));
    let files = folder.files();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["index.html"]);
    let index = &files["index.html"];
    for word in [
        "All held.",
        "8 seeds",
        "handshake",
        " of 88 cells",
        "SYN-RECEIVED",
    ] {
        assert!(index.contains(word), "{word}");
    }
    assert!(!index.contains("{{"));
}

#[test]
fn each_failing_seed_has_its_page_and_no_more_than_eight_do() {
    let folder = TempFolder::new();
    assert_eq!(folder.run(FAILS), Some(1));
    let files = folder.files();
    assert_eq!(files.len(), 1 + 8, "{:?}", files.keys());
    let index = &files["index.html"];
    for name in files.keys().filter(|name| *name != "index.html") {
        assert!(index.contains(&format!("<a href=\"{name}\">")), "{name}");
    }
    let links = index.matches("<a href=").count();
    assert_eq!(links, files.len() - 1, "and no link leads nowhere");

    // An earlier report gives way.
    assert_eq!(folder.run("close --seeds 1"), Some(0));
    assert_eq!(folder.files().len(), 1);
}

#[test]
fn the_same_campaign_has_the_same_pages_whatever_the_jobs() {
    let (one, two) = (TempFolder::new(), TempFolder::new());
    one.run(&format!("{FAILS} --jobs 1"));
    two.run(&format!("{FAILS} --jobs 2"));
    assert!(one.files() == two.files());
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let folder = TempFolder::new();
    fs::create_dir_all(folder.0.path()).expect("a folder");
    let other = folder.0.path().join("index.html");
    fs::write(&other, "<p>mine</p>").expect("a file");
    let output = timewait(&format!(
        "run close --seeds 1 --report {}",
        folder.0.path().display()
    ));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("--report") && said.contains("'index.html'"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(fs::read_to_string(&other).expect("it"), "<p>mine</p>");
}

#[test]
fn a_click_leads_from_the_campaign_to_a_violation() {
    let folder = TempFolder::new();
    folder.run(FAILS);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    browser.open(&folder.0.path().join("index.html"));
    assert!(browser.count("svg.bars rect") > 6);
    browser.click(".failures a");
    browser.wait_for("#ladder path.stroke");
    assert!(browser.text("#about").contains("violation"));
    browser.has_no_complaint();
}
