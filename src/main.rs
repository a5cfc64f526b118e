//! The `timewait` command: campaigns over real TCP in virtual time, and their replays.

mod cli;
mod panics;
mod parallel;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
