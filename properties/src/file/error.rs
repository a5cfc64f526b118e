//! What is wrong with a scenario file, and where.

use core::fmt;
use core::ops::Range;

use toml::de::{DeTable, DeValue};

/// The first thing that is wrong with a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// The key, such as `hosts[0].settings.mtu`; empty: the file is no TOML.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

/// A value that no scenario may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The way to it.
    pub(super) key: String,
    pub(super) message: String,
}

impl Wrong {
    pub(super) fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
        }
    }
}

impl FileError {
    /// It is no TOML.
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        Self::new(text, error.span(), String::new(), error.message())
    }

    /// A value is none that stands there.
    pub(super) fn value(text: &str, error: &serde_path_to_error::Error<toml::de::Error>) -> Self {
        let key = match error.path().to_string().as_str() {
            "." => String::new(),
            path => path.to_owned(),
        };
        let inner = error.inner();
        Self::new(text, inner.span(), key, inner.message())
    }

    /// A value is one that no scenario may have.
    pub(super) fn at(text: &str, wrong: Wrong) -> Self {
        let span = span_of(text, &wrong.key);
        Self::new(text, span, wrong.key, &wrong.message)
    }

    fn new(text: &str, span: Option<Range<usize>>, key: String, message: &str) -> Self {
        let start = span.map_or(0, |span| span.start).min(text.len());
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
            key,
            message: message.lines().collect::<Vec<_>>().join("; "),
        }
    }
}

/// `3:5: hosts[0].settings.mtu: …`.
impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl core::error::Error for FileError {}

/// Where a value stands, or the nearest one around it that the file has.
fn span_of(text: &str, key: &str) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let mut span = table.span();
    let mut value: &DeValue<'_> = &DeValue::Table(table.into_inner());
    for step in key.split(['.', '[', ']']).filter(|step| !step.is_empty()) {
        let found = match value {
            DeValue::Table(table) => table.get(step),
            DeValue::Array(array) => step.parse().ok().and_then(|n: usize| array.get(n)),
            _ => None,
        };
        let Some(found) = found else { break };
        span = found.span();
        value = found.get_ref();
    }
    Some(span)
}
