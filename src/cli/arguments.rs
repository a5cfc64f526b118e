//! The arguments, as clap parses them.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use timewait::Protection;
use timewait::properties::Incarnation;
use timewait::properties::trace::Part;

use super::subject::Name;
use super::values::{self, SeedRange, Shard};

/// Real TCP in virtual time, from a seed.
#[derive(Debug, Parser)]
#[command(name = "timewait", version)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a campaign: many seeds, each a network full of TCP
    Run(Run),
    /// Tell one seed: who sent what when, and what became of it
    Replay(Replay),
    /// Make a failing scenario small: file, test and ladder
    Shrink(Shrink),
    /// Switch each protection off: who misses it, how soon
    Counterfactuals(Counterfactuals),
    /// Print where two traces or two scenario files differ
    Diff(Diff),
    /// Print the scenario file of a seed, to start from
    Show(Show),
    /// List the scenarios, the protections, and the oracles
    List,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Counterfactuals {
    /// Only these protections [default: all]
    #[arg(value_name = "PROTECTION", value_parser = values::protection)]
    pub(super) protections: Vec<Protection>,
    /// Searches, each among other seeds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(super) searches: u64,
    /// Protections at once [default: all cores]
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    pub(super) jobs: Option<NonZeroU32>,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Diff {
    /// A trace, or a scenario file (.toml) that is run
    #[arg(value_name = "A")]
    pub(super) a: PathBuf,
    /// Another one
    #[arg(value_name = "B")]
    pub(super) b: PathBuf,
    /// Lines around the difference
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) context: u32,
}

/// The one run that is meant.
#[derive(Clone, Debug, Args)]
pub(super) struct Asked {
    /// The scenario, or a scenario file
    #[arg(value_name = "SCENARIO|FILE", value_parser = Name::parse)]
    pub(super) subject: Name,
    /// The seed, decimal or 0x...; of a file its dice
    #[arg(long, value_name = "S", value_parser = values::seed)]
    pub(super) seed: Option<u64>,
    /// Switch a protection of TCP off; may be repeated
    #[arg(long, value_name = "PROTECTION", value_parser = values::protection)]
    pub(super) disable: Vec<Protection>,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Shrink {
    #[command(flatten)]
    pub(super) asked: Asked,
    /// The oracle that must object [default: the first]
    #[arg(long, value_name = "NAME")]
    pub(super) oracle: Option<String>,
    /// Runs to try at most
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = values::count)]
    pub(super) runs: u64,
    /// Write the scenario file here, not in the test
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    pub(super) asked: Asked,
    /// List the faults that its dice bring in a run
    #[arg(long)]
    pub(super) listed: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Run {
    /// Scenarios or scenario files to run [default: all]
    #[arg(value_name = "SCENARIO|FILE", value_parser = Name::parse)]
    pub(super) subjects: Vec<Name>,
    /// Seeds, dealt out in turn, from 0 [default: 600]
    #[arg(long, value_name = "N", value_parser = values::count, conflicts_with = "seed_range")]
    pub(super) seeds: Option<u64>,
    /// These seeds of every scenario, but not B
    #[arg(long, value_name = "A..B", value_parser = values::seed_range)]
    pub(super) seed_range: Option<SeedRange>,
    /// Only the I-th of N equal parts, I from 1
    #[arg(long, value_name = "I/N", value_parser = values::shard)]
    pub(super) shard: Option<Shard>,
    /// Seeds that run at once [default: all cores]
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    pub(super) jobs: Option<NonZeroU32>,
    /// Start no new seeds after this time, such as 5m
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(super) time: Option<Duration>,
    /// Switch a protection of TCP off; may be repeated
    #[arg(long, value_name = "PROTECTION", value_parser = values::protection)]
    pub(super) disable: Vec<Protection>,
    /// Print one JSON document instead of tables
    #[arg(long)]
    pub(super) json: bool,
    /// Write pages for a browser, and go on to 8 failures
    #[arg(long, value_name = "DIR")]
    pub(super) report: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    pub(super) asked: Asked,
    /// Only what happens at these hosts, such as 0,2
    #[arg(long, value_name = "A,B", value_parser = values::pair)]
    pub(super) between: Option<(u32, u32)>,
    /// Only the last N lines
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    pub(super) last: Option<NonZeroU32>,
    /// Only what happens from then on, such as 1.5s
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(super) from: Option<Duration>,
    /// Only what happens up to then
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(super) until: Option<Duration>,
    /// Draw the ladder into a file, as SVG
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// Write a page for a browser, with the whole run
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Write a capture for Wireshark (pcapng)
    #[arg(long, value_name = "FILE")]
    pub(super) pcap: Option<PathBuf>,
    /// Only what is seen at h0, "h0>r2"; may be repeated
    #[arg(long, value_name = "NAME", requires = "pcap")]
    pub(super) interface: Vec<String>,
    /// Write every event as a line of text, for diff
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// Of segment, network, state, timer, vars, user
    #[arg(long, value_name = "PART,..", value_parser = values::part, value_delimiter = ',', requires = "trace")]
    pub(super) only: Vec<Part>,
    /// Only what h0#2 does; may be repeated
    #[arg(long, value_name = "NAME", value_parser = values::incarnation, requires = "trace")]
    pub(super) of: Vec<Incarnation>,
    /// Print the ladder, too, where a file is written
    #[arg(long)]
    pub(super) ladder: bool,
    /// The sockets at this time instead, such as 1.5s
    #[arg(long, value_name = "TIME", value_parser = values::duration, conflicts_with_all = ["between", "last", "from", "until", "svg", "html", "pcap", "trace", "ladder"])]
    pub(super) netstat: Option<Duration>,
}
