//! The ladder of a run as a drawing (SVG 1.1) that needs nothing else: one life line per node, time
//! running down, datagrams as arrows that slope from their sending to their arrival.
//!
//! Each observation that is drawn has a line of its own, and the longer nothing happened the wider
//! the gap, by its logarithm.

use svg::Document;
use svg::node::element::{Circle, Group, Line, Path, Rectangle, Style, Text, Title};

use timewait::properties::chronicle::{Datagram, Leg, Record, What};
use timewait::properties::ladder::span;

mod rows;

use rows::Rows;

/// More datagrams than this make a drawing that viewers show slowly.
pub(super) const DATAGRAMS_MAX: u64 = 2_000;

/// All in pixels: where the first lane is, what is right of the last, how far apart these two are
/// at least, and how far apart lanes are.
const LEFT: i64 = 220;
const RIGHT: i64 = 200;
const WIDTH_MIN: i64 = 480;
const LANE_MIN: i64 = 230;
/// Where lanes begin, and what is below their end.
const HEAD: i64 = 48;
const FOOT: i64 = 30;
/// How far a lost datagram gets, in parts of a hundred of its way, and how much later it ends.
const LOST_AT: i64 = 35;
const LOST_AFTER: i64 = 9;

const STYLE: &str = include_str!("drawing/drawing.css");

/// The drawing, under this title.
pub(super) fn drawing(record: &Record, title: &str) -> String {
    let sheet = Sheet::of(record);
    let mut document = Document::new()
        .set("viewBox", (0, 0, sheet.width, sheet.height))
        .set("width", sheet.width)
        .set("height", sheet.height)
        .set("role", "img")
        .add(Title::new(title))
        .add(Style::new(STYLE))
        .add(
            Rectangle::new()
                .set("width", "100%")
                .set("height", "100%")
                .set("class", "page"),
        );
    document = document.add(sheet.times()).add(sheet.lanes());
    let mut words = Group::new().set("class", "words");
    let mut strokes = Group::new();
    for datagram in &record.datagrams {
        for (place, leg) in datagram.legs.iter().enumerate() {
            if is_over(leg, record.first) {
                continue;
            }
            strokes = strokes.add(sheet.stroke(datagram, leg));
            if let Some(cross) = sheet.head(datagram, leg) {
                strokes = strokes.add(cross);
            }
            if place == 0 {
                words = words.add(sheet.departure(datagram, leg));
            }
            if let Some(note) = sheet.arrival(datagram, leg) {
                words = words.add(note);
            }
        }
    }
    document = document.add(strokes).add(words).add(sheet.events());
    format!("{document}\n")
}

/// Where everything is.
struct Sheet<'a> {
    record: &'a Record,
    rows: Rows,
    /// The place of each node among the lanes.
    lanes: Vec<i64>,
    /// How far apart they are.
    lane: i64,
    width: i64,
    height: i64,
}

impl<'a> Sheet<'a> {
    fn of(record: &'a Record) -> Self {
        let rows = Rows::of(record, |datagram, leg| {
            note(record, datagram, leg).is_some()
        });
        let mut lanes = vec![0; record.nodes.len()];
        for (lane, node) in (0..).zip(&record.lanes) {
            lanes[*node as usize] = lane;
        }
        let gaps = record.nodes.len().max(2) as i64 - 1;
        let lane = LANE_MIN.max(WIDTH_MIN / gaps);
        Self {
            record,
            lanes,
            lane,
            width: LEFT + gaps * lane + RIGHT,
            height: HEAD + rows.length() + FOOT,
            rows,
        }
    }

    fn x(&self, node: u32) -> i64 {
        LEFT + self.lanes[node as usize] * self.lane
    }

    fn y(&self, tick: u32) -> i64 {
        HEAD + self.rows.at(tick)
    }

    /// Seconds at the left, wherever time has gone on.
    fn times(&self) -> Group {
        let mut group = Group::new().set("class", "times");
        let mut told = None;
        for (tick, ns) in (0..).zip(&self.record.ticks) {
            if !self.rows.is_drawn(tick) || told == Some(*ns) {
                continue;
            }
            told = Some(*ns);
            let micros = ns / 1_000;
            let seconds = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            group = group.add(word(&seconds, 78, self.y(tick) + 4, "end"));
        }
        group
    }

    fn lanes(&self) -> Group {
        let mut group = Group::new().set("class", "head");
        for (number, node) in (0..).zip(&self.record.nodes) {
            let x = self.x(number);
            let line = Line::new()
                .set("x1", x)
                .set("x2", x)
                .set("y1", HEAD - 8)
                .set("y2", self.height - FOOT / 2)
                .set("class", format!("life {}", node.role));
            let address = node.addresses.first().map_or(node.role, String::as_str);
            group = group
                .add(line)
                .add(word(&node.name, x, 18, "middle").set("class", "name"))
                .add(word(address, x, 33, "middle"));
        }
        group
    }

    /// The ends of a leg on the sheet.
    fn ends(&self, leg: &Leg) -> [i64; 4] {
        let (x0, y0) = (self.x(leg.from), self.y(leg.left));
        let end = self.height - FOOT;
        if leg.kept.is_some() {
            return [
                x0 + 7,
                y0,
                x0 + 7,
                leg.came.map_or(end, |came| self.y(came)),
            ];
        }
        let x1 = self.x(leg.to);
        match (leg.came, &leg.lost) {
            (Some(came), _) => [x0, y0, x1, self.y(came)],
            (None, Some(_)) => [x0, y0, x0 + (x1 - x0) * LOST_AT / 100, y0 + LOST_AFTER],
            (None, None) => [x0, y0, x1, end],
        }
    }

    fn stroke(&self, datagram: &Datagram, leg: &Leg) -> Path {
        let [x0, y0, x1, y1] = self.ends(leg);
        let mut classes = format!("stroke {}", self.colour(datagram));
        for (is, class) in [
            (leg.copy, " copy"),
            (leg.kept.is_some(), " kept"),
            (leg.old || datagram.old, " old"),
        ] {
            classes.push_str(if is { class } else { "" });
        }
        Path::new()
            .set("class", classes)
            .set("d", format!("M{x0} {y0}L{x1} {y1}"))
            .add(Title::new(format!(
                "datagram {} of {}: {}",
                datagram.ordinal, self.record.nodes[datagram.origin as usize].name, datagram.text
            )))
    }

    /// A head where it was delivered, a cross where it was lost, nothing where it only passes.
    fn head(&self, datagram: &Datagram, leg: &Leg) -> Option<Path> {
        let [x0, y0, x1, y1] = self.ends(leg);
        let path = Path::new();
        if leg.lost.is_some() {
            let cross = format!("M{} {}l8 8m0 -8l-8 8", x1 - 4, y1 - 4);
            return Some(path.set("class", "cross").set("d", cross));
        }
        if !leg.delivered {
            return None;
        }
        // Turned by a transformation, so that no angle has to be computed here.
        let (dx, dy) = (x1 - x0, y1 - y0);
        let turn = f64::atan2(dy as f64, dx as f64).to_degrees();
        let head = path
            .set("class", format!("tip {}", self.colour(datagram)))
            .set(
                "transform",
                format!("translate({x1} {y1}) rotate({turn:.1})"),
            )
            .set("d", "M-8 -3.5L0 0L-8 3.5");
        Some(head)
    }

    /// What is sent, beside the lane that it leaves.
    fn departure(&self, datagram: &Datagram, leg: &Leg) -> Text {
        let rightward = self.x(leg.to) >= self.x(leg.from);
        let (aside, anchor) = if rightward {
            (10, "start")
        } else {
            (-10, "end")
        };
        let who = match datagram.echo {
            true => "reply",
            false => local_name(&self.record.incarnations[datagram.of as usize].name),
        };
        let again = if datagram.again { " resent" } else { "" };
        let text = format!("{who} {}{again}", datagram.text);
        word(
            &text,
            self.x(leg.from) + aside,
            self.y(leg.left) - 3,
            anchor,
        )
        .set("class", self.colour(datagram))
    }

    /// What became of it, where it has come.
    fn arrival(&self, datagram: &Datagram, leg: &Leg) -> Option<Text> {
        let note = note(self.record, datagram, leg)?;
        let rightward = self.x(leg.to) >= self.x(leg.from);
        let (aside, anchor) = if rightward {
            (-10, "end")
        } else {
            (10, "start")
        };
        let y = self.y(leg.came.unwrap_or(leg.left)) + 12;
        Some(word(&note, self.x(leg.to) + aside, y, anchor).set("class", "note"))
    }

    /// Changes of state, timers and users beside the lanes.
    fn events(&self) -> Group {
        let mut group = Group::new().set("class", "events");
        let events = self.record.events.iter();
        for event in events.filter(|event| event.at >= self.record.first) {
            let (x, y) = (self.x(event.node), self.y(event.at));
            let what = match event.what {
                What::State { .. } => "state",
                What::Timer => "timer",
                What::User | What::Note => "user",
                What::Crash | What::Boot => "crash",
            };
            let first = self.lanes[event.node as usize] == 0;
            let (aside, anchor) = if first { (-9, "end") } else { (9, "start") };
            let of = event
                .of
                .map(|of| &self.record.incarnations[of as usize].name);
            let of = of.map_or(String::new(), |name| format!("{} ", local_name(name)));
            let dot = Circle::new()
                .set("cx", x)
                .set("cy", y)
                .set("r", 3)
                .set("class", format!("dot {what}"));
            let text = word(&format!("{of}{}", event.text), x + aside, y + 4, anchor);
            group = group.add(dot).add(text.set("class", what));
        }
        group
    }

    /// The incarnations of one 4-tuple differ in colour.
    fn colour(&self, datagram: &Datagram) -> String {
        if self.record.nodes[datagram.origin as usize].role == "attacker" {
            return "foe".to_owned();
        }
        match datagram.tcp {
            Some(_) => {
                let of = &self.record.incarnations[datagram.of as usize];
                format!("g{}", of.generation % 6)
            }
            None => "icmp".to_owned(),
        }
    }
}

/// Whether a leg has ended before this observation.
fn is_over(leg: &Leg, first: u32) -> bool {
    match (leg.came, &leg.lost) {
        (Some(came), _) => came < first,
        (None, lost) => lost.is_some() && leg.left < first,
    }
}

fn word(text: &str, x: i64, y: i64, anchor: &str) -> Text {
    Text::new(text)
        .set("x", x)
        .set("y", y)
        .set("text-anchor", anchor)
}

/// `#3` of `h0#3`: the lane says which host it is.
fn local_name(name: &str) -> &str {
    name.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric())
}

/// What is worth saying where a datagram has come.
fn note(record: &Record, datagram: &Datagram, leg: &Leg) -> Option<String> {
    let came = leg.came.filter(|_| leg.delivered || leg.lost.is_some())?;
    let mut words = Vec::new();
    words.extend(leg.lost.as_ref().map(|reason| format!("dropped: {reason}")));
    words.extend(leg.old.then(|| "old".to_owned()));
    if let Some(router) = leg.released_by {
        let born = record.ticks[datagram.sent as usize];
        let age = std::time::Duration::from_nanos(record.ticks[came as usize] - born);
        let name = &record.nodes[router as usize].name;
        words.push(format!("from {name} after {}", span(age)));
    }
    words.extend(leg.damaged.then(|| "damaged".to_owned()));
    words.extend(leg.verdict.clone());
    (!words.is_empty()).then(|| words.join(", "))
}
