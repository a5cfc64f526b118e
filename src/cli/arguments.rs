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
#[command(name = "timewait", version, about, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a campaign: many seeds, each a network full of TCP, watched by oracles
    Run(Run),
    /// Print the ladder of one seed: who sent what when, and what became of it
    Replay(Replay),
    /// Print where two runs begin to differ: traces of replay, or scenario files
    Diff(Diff),
    /// Print the scenario file of one seed: a start for one of your own
    Show(Show),
    /// List the scenarios, the protections, and the oracles
    List,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Diff {
    /// A trace, or a scenario file (.toml) that is run
    #[arg(value_name = "A")]
    pub(super) a: PathBuf,
    /// Another one
    #[arg(value_name = "B")]
    pub(super) b: PathBuf,
    /// Lines before the difference, and of either side from there on
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) context: u32,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Show {
    /// The scenario, or a scenario file
    #[arg(value_name = "SCENARIO|FILE", value_parser = Name::parse)]
    pub(super) subject: Name,
    /// The seed, decimal or 0x hexadecimal; of a file its dice
    #[arg(long, value_name = "S", value_parser = values::seed)]
    pub(super) seed: Option<u64>,
    /// Switch a protection of TCP off; may be repeated
    #[arg(long, value_name = "PROTECTION", value_parser = values::protection)]
    pub(super) disable: Vec<Protection>,
    /// Run it, and list the faults that the dice brought in their place
    #[arg(long)]
    pub(super) listed: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Run {
    /// Scenarios to run, or scenario files [default: all; see timewait list]
    #[arg(value_name = "SCENARIO|FILE", value_parser = Name::parse)]
    pub(super) subjects: Vec<Name>,
    /// Seeds, from 0 on, dealt out in turn [default: 600; files: as they are]
    #[arg(long, value_name = "N", value_parser = values::count, conflicts_with = "seed_range")]
    pub(super) seeds: Option<u64>,
    /// Every scenario with the seeds from A up to, not including, B
    #[arg(long, value_name = "A..B", value_parser = values::seed_range)]
    pub(super) seed_range: Option<SeedRange>,
    /// Only the I-th of N equal parts of the campaign, I from 1
    #[arg(long, value_name = "I/N", value_parser = values::shard)]
    pub(super) shard: Option<Shard>,
    /// Seeds that run at once [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    pub(super) jobs: Option<NonZeroU32>,
    /// Start no new seeds after this time, such as 60s or 5m
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(super) time: Option<Duration>,
    /// Switch a protection of TCP off; may be repeated
    #[arg(long, value_name = "PROTECTION", value_parser = values::protection)]
    pub(super) disable: Vec<Protection>,
    /// Print one JSON document instead of tables
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Replay {
    /// The scenario, or a scenario file
    #[arg(value_name = "SCENARIO|FILE", value_parser = Name::parse)]
    pub(super) subject: Name,
    /// The seed, decimal or 0x hexadecimal; of a file its dice
    #[arg(long, value_name = "S", value_parser = values::seed)]
    pub(super) seed: Option<u64>,
    /// Switch a protection of TCP off; may be repeated
    #[arg(long, value_name = "PROTECTION", value_parser = values::protection)]
    pub(super) disable: Vec<Protection>,
    /// Only what happens at or between these two hosts, such as 0,2
    #[arg(long, value_name = "A,B", value_parser = values::pair)]
    pub(super) between: Option<(u32, u32)>,
    /// Only the last N lines
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    pub(super) last: Option<NonZeroU32>,
    /// Write a capture for Wireshark (pcapng) instead of the ladder
    #[arg(long, value_name = "FILE")]
    pub(super) pcap: Option<PathBuf>,
    /// Only what is seen here, such as h0 or "h0>r2"; may be repeated
    #[arg(long, value_name = "NAME", requires = "pcap")]
    pub(super) interface: Vec<String>,
    /// Write every event as a line of text, for diff, instead of the ladder
    #[arg(long, value_name = "FILE", conflicts_with = "pcap")]
    pub(super) trace: Option<PathBuf>,
    /// Only these parts: segment, network, state, timer, vars, user
    #[arg(long, value_name = "PART,..", value_parser = values::part, value_delimiter = ',', requires = "trace")]
    pub(super) only: Vec<Part>,
    /// Only what this incarnation does, such as h0#2; may be repeated
    #[arg(long, value_name = "NAME", value_parser = values::incarnation, requires = "trace")]
    pub(super) of: Vec<Incarnation>,
    /// Print the ladder, too
    #[arg(long)]
    pub(super) ladder: bool,
    /// The sockets of all hosts at this virtual time instead, such as 1.5s
    #[arg(long, value_name = "TIME", value_parser = values::duration, conflicts_with_all = ["between", "last", "pcap", "trace", "ladder"])]
    pub(super) netstat: Option<Duration>,
}
