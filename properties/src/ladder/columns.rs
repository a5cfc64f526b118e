//! Two hosts in two columns, the lane of the segments between their life lines.
//!
//! A shaft that starts at a life line is a segment that leaves; one whose head touches a life line
//! is a segment that arrives.

use core::fmt::Write as _;

use timewait_sim::NodeId;

use super::entry::{Beside, Entry, What};
use super::recorder::Recorder;
use super::words;

/// The lane is as wide as its longest line needs, within these bounds; longer ones stick out.
const LANE_MIN: usize = 40;
const LANE_MAX: usize = 72;
const TIME_HEAD: &str = "seconds";

pub(super) fn render(
    recorder: &Recorder,
    entries: &[&Entry],
    left: NodeId,
    right: NodeId,
) -> String {
    let names = Names::of(entries);
    let rows: Vec<Row> = entries
        .iter()
        .map(|entry| Row::new(entry, left, names))
        .collect();
    let (left, right) = (title(recorder, left), title(recorder, right));
    let last = entries
        .last()
        .map_or(0, |entry| len(&words::moment(entry.at)));
    let lane = rows.iter().map(Row::lane_width).max().unwrap_or(0);
    let beside = rows.iter().map(|row| len(&row.left)).max().unwrap_or(0);
    let widths = Widths {
        time: last.max(len(TIME_HEAD)),
        // The title ends two columns to the right of what stands beside the life line.
        left: beside.max(len(&left).saturating_sub(2)),
        lane: lane.clamp(LANE_MIN, LANE_MAX),
    };
    let mut out = String::new();
    head(&mut out, widths, &left, &right);
    let mut shown = None;
    for (row, entry) in rows.iter().zip(entries) {
        let time = words::moment(entry.at);
        let time = if shown == Some(entry.at) { "" } else { &time };
        shown = Some(entry.at);
        row.write(&mut out, time, widths);
    }
    out
}

/// `h0 10.0.0.1`.
fn title(recorder: &Recorder, host: NodeId) -> String {
    let addresses = recorder
        .addresses_of(host)
        .map(|address| address.to_string());
    format!("h{} {}", host.0, addresses.collect::<Vec<_>>().join(" "))
}

fn head(out: &mut String, widths: Widths, left: &str, right: &str) {
    let Widths {
        time,
        left: beside,
        lane,
    } = widths;
    let gap = lane.max(2);
    let beside = beside + 2;
    push_line(
        out,
        &format!("{TIME_HEAD:>time$}  {left:>beside$}{:gap$}{right}", ""),
    );
}

#[derive(Clone, Copy)]
struct Widths {
    time: usize,
    left: usize,
    lane: usize,
}

/// Whether connections are told by number: not if each host has only one.
#[derive(Clone, Copy)]
struct Names {
    numbered: bool,
}

impl Names {
    fn of(entries: &[&Entry]) -> Self {
        let mut seen: Vec<crate::Incarnation> = Vec::new();
        for entry in entries {
            if let What::Sent { segment, .. } | What::Arrived { segment, .. } = &entry.what
                && !seen.contains(&segment.of)
            {
                seen.push(segment.of);
                if seen.len() > 2 {
                    return Self { numbered: true };
                }
            }
        }
        Self { numbered: false }
    }

    fn beside(self, beside: Option<&Beside>) -> String {
        match beside {
            Some(Beside {
                connection: Some(connection),
                text,
                ..
            }) if self.numbered => {
                format!("{connection} {text}")
            }
            Some(Beside { text, .. }) => text.clone(),
            None => String::new(),
        }
    }
}

/// One line, cut into its cells.
struct Row {
    left: String,
    right: String,
    lane: Lane,
}

/// What stands between the life lines.
enum Lane {
    Empty,
    /// It leaves the left host, or the right one.
    Leaves {
        rightward: bool,
        text: String,
        note: String,
        lost: bool,
    },
    /// It arrives at the right host, or the left one.
    Arrives {
        rightward: bool,
        text: String,
        note: String,
    },
    Network {
        rightward: bool,
        text: String,
    },
    /// Neither from the one nor from the other.
    Link {
        text: String,
    },
}

impl Row {
    fn new(entry: &Entry, left: NodeId, names: Names) -> Self {
        let beside = names.beside(entry.beside.as_ref());
        let (at_left, lane) = match &entry.what {
            What::Beside { host } => (*host == left, Lane::Empty),
            What::Link { deed } => (true, Lane::Link { text: deed.clone() }),
            What::Sent {
                host,
                segment,
                note,
                lost,
                ..
            } => {
                let text = segment.named(names.numbered);
                let rightward = *host == left;
                (
                    rightward,
                    Lane::Leaves {
                        rightward,
                        text,
                        note: note.clone(),
                        lost: *lost,
                    },
                )
            }
            What::Arrived {
                host,
                segment,
                note,
                ..
            } => {
                let text = segment.named(names.numbered);
                let rightward = *host != left;
                (
                    !rightward,
                    Lane::Arrives {
                        rightward,
                        text,
                        note: note.clone(),
                    },
                )
            }
            What::Network {
                from,
                deed,
                segment,
                note,
                ..
            } => {
                let mut text = format!("{deed}: {}", segment.named(names.numbered));
                if !note.is_empty() {
                    let _ = write!(text, " {note}");
                }
                (
                    true,
                    Lane::Network {
                        rightward: *from == left,
                        text,
                    },
                )
            }
        };
        let (left, right) = if at_left {
            (beside, String::new())
        } else {
            (String::new(), beside)
        };
        Self { left, right, lane }
    }

    fn lane_width(&self) -> usize {
        len(&self.lane.draw(0))
    }

    fn write(&self, out: &mut String, moment: &str, widths: Widths) {
        let Widths {
            time,
            left: beside,
            lane,
        } = widths;
        let (left, right, lane) = (&self.left, &self.right, self.lane.draw(lane));
        let line = format!("{moment:>time$}  {left:>beside$} │{lane}│ {right}");
        push_line(out, &line);
    }
}

impl Lane {
    /// The lane filled up to `width`, or as wide as it must be.
    fn draw(&self, width: usize) -> String {
        match self {
            Self::Empty => pad(String::new(), width),
            Self::Leaves {
                rightward: true,
                text,
                note,
                lost,
            } => {
                let head = if *lost { "✗" } else { "▷" };
                pad(spaced(&format!("── {text} ──{head} {note}")), width)
            }
            Self::Leaves {
                rightward: false,
                text,
                note,
                lost,
            } => {
                let head = if *lost { "✗" } else { "◁" };
                pad_left(
                    format!(" {note} {head}── {text} ──").replace("  ", " "),
                    width,
                )
            }
            Self::Arrives {
                rightward,
                text,
                note,
            } => {
                let note = if note.is_empty() {
                    String::new()
                } else {
                    format!("({note}) ")
                };
                if *rightward {
                    pad_left(format!(" {note}{text} ──▶"), width)
                } else {
                    pad(format!("◀── {text} {note}"), width)
                }
            }
            Self::Network { rightward, text } => {
                let text = if *rightward {
                    format!(" ┄┄ {text} ┄▷ ")
                } else {
                    format!(" ◁┄ {text} ┄┄ ")
                };
                centred(&text, width)
            }
            Self::Link { text } => centred(&format!(" ┄┄ {text} ┄┄ "), width),
        }
    }
}

fn centred(text: &str, width: usize) -> String {
    let room = width.saturating_sub(len(text));
    let before = room / 2;
    format!("{:before$}{text}{:after$}", "", "", after = room - before)
}

fn spaced(text: &str) -> String {
    format!("{} ", text.trim_end())
}

fn pad(text: String, width: usize) -> String {
    let room = width.saturating_sub(len(&text));
    text + &" ".repeat(room)
}

fn pad_left(text: String, width: usize) -> String {
    " ".repeat(width.saturating_sub(len(&text))) + &text
}

/// Columns on a terminal: every character used here is one wide.
fn len(text: &str) -> usize {
    text.chars().count()
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}
