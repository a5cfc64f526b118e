//! Scenario files: a scenario as TOML that a person can write.
//!
//! A file says everything about a run. What it leaves out has a fixed value, so that a file means the
//! same run for ever: its `version` is that of this format, and not that of what a seed means.
//!
//! In reading order: `document` is a whole file, `settings` those of a host, `faults` and `fates`
//! what the network does, `off` what may be `"off"`, `names` how hops, labels and rates are said,
//! `error` what is wrong with a file and where, `valid` what no file may say.

mod document;
mod error;
mod fates;
mod faults;
mod names;
mod off;
mod settings;
mod valid;

pub use error::FileError;

use document::Document;

use crate::scenario::Scenario;

/// The version of the format. Files of a later one are refused.
pub const FORMAT: u32 = 1;

impl Scenario {
    /// The scenario that a file describes.
    ///
    /// # Errors
    /// What is wrong with it first: line, column and key.
    pub fn from_toml(text: &str) -> Result<Self, FileError> {
        let document = parse(text)?;
        let scenario = document
            .scenario()
            .map_err(|wrong| FileError::at(text, wrong))?;
        valid::check(&scenario).map_err(|wrong| FileError::at(text, wrong))?;
        Ok(scenario)
    }

    /// A file that describes this scenario: what [`Scenario::from_toml`] makes of it is the same,
    /// but for the seed it came from.
    pub fn to_toml(&self) -> String {
        toml::to_string(&Document::of(self)).expect("a scenario has nothing that TOML can't say")
    }
}

fn parse(text: &str) -> Result<Document, FileError> {
    let file = toml::Deserializer::parse(text).map_err(|error| FileError::syntax(text, &error))?;
    serde_path_to_error::deserialize(file).map_err(|error| FileError::value(text, &error))
}

#[cfg(test)]
mod tests;
