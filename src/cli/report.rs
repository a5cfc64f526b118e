//! `timewait run --report`: a campaign as pages for a browser. `index.html` says what the tables say
//! and more; each seed that failed has a page of its own. Nothing depends on the wall clock: the same
//! campaign, the same bytes.

use std::fs;
use std::path::{Path, PathBuf};

use timewait::properties::check_with;
use timewait::properties::chronicle::{Chronicle, Part};
use timewait::sim::Instant;
use timewait::stack::Disabled;

use super::failure::Failure;
use super::numbers::counted;
use super::run::Outcome;
use super::{output, page};
use crate::panics::caught;

mod charts;
mod durations;
mod index;

pub(super) use durations::Durations;

/// The page of a failure shows so many datagrams at most: the last ones up to it.
const DATAGRAMS_MAX: u32 = 3_000;

/// By this a page is known to be ours.
const MARK: &str = "<meta name=\"generator\" content=\"timewait\">";

/// A folder that holds a report, or nothing.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder of this name, made if there is none.
    ///
    /// # Errors
    /// A line that says why not: above all, it holds something that is no report.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let told = |error| format!("--report {}: {error}", path.display());
        fs::create_dir_all(path).map_err(|error| told(error.to_string()))?;
        let folder = Self {
            path: path.to_owned(),
        };
        match folder.entries()?.into_iter().find(|entry| !is_ours(entry)) {
            None => Ok(folder),
            Some(other) => {
                let name = other.file_name().unwrap_or_default().to_string_lossy();
                Err(told(format!(
                    "it holds '{name}', which is no part of a report"
                )))
            }
        }
    }

    /// Writes the pages of a campaign in the place of those of an earlier one, and says so on
    /// standard error.
    ///
    /// # Errors
    /// A line that says what could not be written.
    pub(super) fn write(&self, outcome: &Outcome) -> Result<(), String> {
        for old in self.entries()?.iter().filter(|entry| is_ours(entry)) {
            fs::remove_file(old).map_err(|error| self.told(&error))?;
        }
        for failure in &outcome.failures {
            self.put(
                &page_name(failure),
                &failure_page(failure, outcome.disabled),
            )?;
        }
        self.put("index.html", &index::index(outcome))?;
        let pages = counted(1 + outcome.failures.len() as u64, "page");
        output::complain(&format!("{pages} in {}", self.path.display()));
        Ok(())
    }

    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        fs::write(self.path.join(name), text).map_err(|error| self.told(&error))
    }

    fn entries(&self) -> Result<Vec<PathBuf>, String> {
        let entries = fs::read_dir(&self.path).map_err(|error| self.told(&error))?;
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(|error| self.told(&error))?.path());
        }
        paths.sort();
        Ok(paths)
    }

    fn told(&self, error: &std::io::Error) -> String {
        format!("--report {}: {error}", self.path.display())
    }
}

/// A page that a report has written.
fn is_ours(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "html")
        && fs::read_to_string(path).is_ok_and(|text| text.contains(MARK))
}

/// `churn-seed-17.html`.
fn page_name(failure: &Failure) -> String {
    let name = failure.subject.to_string();
    let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    match failure.seed {
        Some(seed) => format!("{name}-seed-{seed}.html"),
        None => format!("{name}.html"),
    }
}

/// What led to a failure.
fn failure_page(failure: &Failure, disabled: Disabled) -> String {
    let scenario = failure.subject.scenario(failure.seed, disabled);
    let chronicle = Chronicle::of(&scenario);
    // It may panic again: what was written down until then is what is wanted.
    let report = caught(|| check_with(&scenario, vec![chronicle.oracle()]));
    let whole = report
        .as_ref()
        .is_ok_and(|report| report.stats.sent <= DATAGRAMS_MAX.into());
    let part = Part {
        until: failure.at.filter(|_| !whole).map(after),
        last: Some(DATAGRAMS_MAX),
        ..Part::default()
    };
    let record = chronicle.record(report.as_ref().ok(), &part, u64::MAX);
    let title = failure.subject.title(failure.seed, disabled);
    record.map_or_else(
        |error| error.to_string(),
        |record| page::page(&record, &title),
    )
}

/// What follows at once is of interest, too.
fn after(at: Instant) -> Instant {
    at + std::time::Duration::from_millis(100)
}

#[cfg(test)]
mod tests {
    use super::MARK;

    #[test]
    fn every_page_bears_the_mark() {
        assert!(include_str!("page/page.html").contains(MARK));
        assert!(include_str!("report/index.html").contains(MARK));
    }
}
