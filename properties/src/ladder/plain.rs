//! More than two hosts: one line per event, each naming its ends.

use core::fmt::Write as _;
use core::net::IpAddr;

use super::entry::{Beside, Entry, What};
use super::recorder::Recorder;
use super::words;

/// The width of a time, of a pair of ends, and of a state with its connection.
const TIME: usize = 10;
const ENDS: usize = 10;
const BESIDE: usize = 16;

pub(super) fn render(recorder: &Recorder, entries: &[&Entry]) -> String {
    let mut out = String::new();
    for host in super::entry::hosts_of(recorder, entries) {
        let addresses: Vec<String> = recorder
            .addresses_of(host)
            .map(|address| address.to_string())
            .collect();
        let _ = writeln!(out, "{:>TIME$}  h{} {}", "", host.0, addresses.join(" "));
    }
    let mut shown = None;
    for entry in entries {
        let time = words::moment(entry.at);
        let time = if shown == Some(entry.at) { "" } else { &time };
        shown = Some(entry.at);
        let line = format!("{time:>TIME$}  {}", line(recorder, entry));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn line(recorder: &Recorder, entry: &Entry) -> String {
    let (ends, text, note) = match &entry.what {
        What::Sent {
            host,
            to,
            segment,
            note,
            ..
        } => (
            format!("h{} ──▷ {}", host.0, far(recorder, *to)),
            segment.named(true),
            note.as_str(),
        ),
        What::Arrived {
            host,
            from,
            segment,
            note,
        } => (
            format!("h{} ──▶ h{}", from.0, host.0),
            segment.named(true),
            note.as_str(),
        ),
        What::Network {
            from,
            to,
            deed,
            segment,
            note,
        } => {
            let text = format!("{deed}: {}", segment.named(true));
            (
                format!("h{} ┄┄▷ {}", from.0, far(recorder, *to)),
                text,
                note.as_str(),
            )
        }
        What::Link { deed } => (String::new(), format!("┄┄ {deed}"), ""),
        What::Beside { host } => (format!("h{}", host.0), String::new(), ""),
    };
    let beside = match &entry.beside {
        Some(Beside {
            connection: Some(connection),
            text,
            ..
        }) => format!("{connection} {text}"),
        Some(Beside {
            connection: None,
            text,
            ..
        }) => text.clone(),
        None => String::new(),
    };
    let mut line = format!("{ends:<ENDS$}  {beside:<BESIDE$}  {text}");
    if !note.is_empty() {
        let _ = write!(line, " ({note})");
    }
    line
}

/// The host, or the address if it belongs to none that was ever heard of.
fn far(recorder: &Recorder, to: IpAddr) -> String {
    recorder
        .host_of(to)
        .map_or_else(|| to.to_string(), |host| format!("h{}", host.0))
}
