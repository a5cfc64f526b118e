//! The files that a replay writes: a capture, a drawing, a page, a trace.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use timewait::properties::HostEvent;
use timewait::properties::capture::Capture;
use timewait::properties::chronicle::{Chronicle, Part, Record};
use timewait::properties::trace::{Selection, Trace};
use timewait::sim::{Instant, NodeId, Oracle};
use timewait::{Report, Scenario};

use super::arguments::Replay;
use super::numbers::{counted, grouped};
use super::{drawing, output, page};

/// What is to be written of a run, and where.
pub(super) struct Files<'a> {
    arguments: &'a Replay,
    title: &'a str,
    /// The file is there before the run is, so that a wrong name is told at once.
    capture: Option<(Capture, File, &'a Path)>,
    chronicle: Option<Chronicle>,
    trace: Option<(Trace, &'a Path)>,
}

impl<'a> Files<'a> {
    /// # Errors
    /// A line that says which argument is wrong, and why.
    pub(super) fn of(
        scenario: &Scenario,
        title: &'a str,
        arguments: &'a Replay,
    ) -> Result<Self, String> {
        let draws = arguments.svg.is_some() || arguments.html.is_some();
        let capture = match &arguments.pcap {
            Some(path) => Some(open(scenario, path, arguments)?),
            None => None,
        };
        Ok(Self {
            arguments,
            title,
            capture,
            chronicle: draws.then(|| Chronicle::of(scenario)),
            trace: trace(arguments),
        })
    }

    /// Nothing is to be written.
    pub(super) fn are_none(&self) -> bool {
        self.capture.is_none() && self.chronicle.is_none() && self.trace.is_none()
    }

    /// The observers of the run that is to be written.
    pub(super) fn oracles(&self) -> Vec<Box<dyn Oracle<HostEvent>>> {
        let capture = self.capture.as_ref().map(|(capture, ..)| capture.oracle());
        let chronicle = self.chronicle.as_ref().map(Chronicle::oracle);
        let trace = self.trace.as_ref().map(|(trace, _)| trace.oracle());
        capture.into_iter().chain(chronicle).chain(trace).collect()
    }

    /// Writes what was observed, and says so on standard error.
    ///
    /// # Errors
    /// A line that says which argument is wrong, and why.
    pub(super) fn write(self, report: Option<&Report>) -> Result<(), String> {
        if let Some((capture, file, path)) = &self.capture {
            let written = capture.write(BufWriter::new(file));
            written.map_err(|error| told("--pcap", path, &error))?;
            let packets = grouped(capture.packets());
            output::complain(&format!("{packets} packets in {}", path.display()));
        }
        if let Some((trace, path)) = &self.trace {
            let written = fs::write(path, trace.to_string());
            written.map_err(|error| told("--trace", path, &error))?;
            let lines = counted(trace.lines().len() as u64, "line");
            output::complain(&format!("{lines} in {}", path.display()));
        }
        let title = self.title;
        let draw = |record: &Record| drawing::drawing(record, title);
        let svg = ("--svg", &self.arguments.svg, drawing::DATAGRAMS_MAX);
        self.draw(report, svg, draw)?;
        let draw = |record: &Record| page::page(record, title);
        let html = ("--html", &self.arguments.html, page::DATAGRAMS_MAX);
        self.draw(report, html, draw)
    }

    fn draw(
        &self,
        report: Option<&Report>,
        (option, path, at_most): (&str, &Option<PathBuf>, u64),
        draw: impl Fn(&Record) -> String,
    ) -> Result<(), String> {
        let (Some(chronicle), Some(path)) = (&self.chronicle, path) else {
            return Ok(());
        };
        let record = chronicle.record(report, &part(self.arguments), at_most);
        let record = record.map_err(|error| {
            let error = format!("{error}; narrow them with --from, --until or --between");
            told(option, path, &error)
        })?;
        let written = fs::write(path, draw(&record));
        written.map_err(|error| told(option, path, &error))?;
        let datagrams = counted(record.datagrams.len() as u64, "datagram");
        output::complain(&format!("{datagrams} in {}", path.display()));
        Ok(())
    }
}

fn open<'a>(
    scenario: &Scenario,
    path: &'a Path,
    arguments: &Replay,
) -> Result<(Capture, File, &'a Path), String> {
    let mut capture = Capture::of(scenario);
    if !arguments.interface.is_empty() {
        let only = capture.only(&arguments.interface);
        capture = only.map_err(|error| format!("--interface: {error}"))?;
    }
    let file = File::create(path).map_err(|error| told("--pcap", path, &error))?;
    Ok((capture, file, path))
}

fn trace(arguments: &Replay) -> Option<(Trace, &Path)> {
    let path = arguments.trace.as_deref()?;
    let (a, b) = arguments.between.unzip();
    let trace = Trace::of(Selection {
        parts: arguments.only.clone(),
        hosts: a.into_iter().chain(b).map(NodeId).collect(),
        connections: arguments.of.clone(),
    });
    Some((trace, path))
}

/// `--pcap x.pcapng: permission denied`.
fn told(option: &str, path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{option} {}: {error}", path.display())
}

fn part(arguments: &Replay) -> Part {
    let (a, b) = arguments.between.unzip();
    Part {
        from: arguments.from.map(|from| Instant::ZERO + from),
        until: arguments.until.map(|until| Instant::ZERO + until),
        nodes: a.into_iter().chain(b).map(NodeId).collect(),
        last: None,
    }
}
