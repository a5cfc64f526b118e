//! Standard output and error. A reader that has gone away is no error.

use std::io::{self, Write};

/// Writes to standard output.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    // The reader may have gone, as `head` does: nobody is left to tell.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes one line to standard error.
pub(super) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
