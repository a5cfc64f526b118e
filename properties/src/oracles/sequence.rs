//! `sequence` (inner): the variables of each incarnation, and what it sends, move as sequence
//! numbers must (RFC 9293 §3.3.1, §3.4, §3.8.6; ORACLES.md §1).
//!
//! - `ISS <= SND.UNA <= SND.NXT`; ISS and IRS never change, SND.UNA, SND.NXT and RCV.NXT never go
//!   back.
//! - RCV.NXT - IRS counts the SYN, the octets that the user has got or may get, and the FIN.
//! - Receiver: the right edge `SEG.ACK + SEG.WND` never recedes (SHLD-14), until the peer's FIN is
//!   taken and there is nothing left to offer. Where windows are scaled it may recede by rounding,
//!   less than a unit from the furthest (RFC 7323 §2.4); the window of a SYN is not scaled.
//! - Sender: new octets and the FIN end at or before the right edge of the peer's window
//!   (SHLD-15), but for one octet for each expiry of the persist timer. A peer may shrink its
//!   window, even below SND.NXT (MUST-34): then nothing new goes; what is sent again is free
//!   (MAY-7).

use std::collections::BTreeMap;
use timewait_sim::{Finding, Instant, Observation};
use timewait_stack::event::{SegmentArrival, Timer};
use timewait_stack::wire::Flags;
use timewait_stack::{Event, SeqNumber, State, Vars};

use super::report::Report;
use crate::event::HostEvent;
use crate::facts::{Facts, Life, SegmentHeader};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;

const NAME: &str = "sequence";

/// The judge. See the module.
#[derive(Debug, Default)]
pub struct Sequence {
    tracks: BTreeMap<Incarnation, Track>,
}

/// What one incarnation has shown so far.
#[derive(Clone, Copy, Debug, Default)]
struct Track {
    numbers: Option<Numbers>,
    /// The sequence number after the last that it sent.
    sent_to: Option<SeqNumber>,
    /// The right edge that it offered.
    edge: Option<SeqNumber>,
    /// The persist timer has expired, and no probe was sent since.
    may_probe: bool,
}

#[derive(Clone, Copy, Debug)]
struct Numbers {
    iss: SeqNumber,
    snd_una: SeqNumber,
    snd_nxt: SeqNumber,
    /// IRS and RCV.NXT, once there are any.
    received: Option<(SeqNumber, SeqNumber)>,
}

impl Numbers {
    fn of(vars: &Vars) -> Self {
        let received = (vars.state != State::SynSent).then_some((vars.irs, vars.rcv_nxt));
        let Vars {
            iss,
            snd_una,
            snd_nxt,
            ..
        } = *vars;
        Self {
            iss,
            snd_una,
            snd_nxt,
            received,
        }
    }
}

impl Judge for Sequence {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(
        &mut self,
        now: Instant,
        seen: &Observation<'_, HostEvent>,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let Some(who) = subject(seen, facts) else {
            return;
        };
        let mut report = Report {
            oracle: NAME,
            who,
            now,
            facts,
            findings,
        };
        match *seen {
            Observation::Sent { .. } => self.sent(&mut report),
            Observation::Node {
                event: HostEvent::Stack(event),
                ..
            } => match event {
                Event::Segment(arrival) => self.arrived(arrival, &mut report),
                Event::Snapshot(snapshot) => self.vars(&snapshot.vars, &mut report),
                Event::Timer {
                    timer: Timer::Persist,
                    ..
                } => {
                    self.tracks.entry(who).or_default().may_probe = true;
                }
                Event::Transition {
                    to: State::Closed | State::Listen,
                    ..
                } => {
                    self.tracks.remove(&who);
                }
                _ => {}
            },
            _ => {}
        }
    }
}

/// Whom an observation is about, if it bears on sequence numbers. An echo is nobody's, and a RST
/// offers and sends nothing.
fn subject(seen: &Observation<'_, HostEvent>, facts: &Facts) -> Option<Incarnation> {
    match *seen {
        Observation::Sent { packet, .. } => {
            let counts = packet.class & (class::ECHO | class::RST) == 0;
            counts.then(|| Incarnation::from_tag(packet.tag))
        }
        Observation::Node {
            node,
            event: HostEvent::Stack(event),
            ..
        } => {
            let connection = match event {
                Event::Segment(arrival) => arrival.connection?,
                Event::Snapshot(snapshot) => snapshot.connection,
                Event::Timer { connection, .. } | Event::Transition { connection, .. } => {
                    *connection
                }
                _ => return None,
            };
            Some(facts.name(node, connection))
        }
        _ => None,
    }
}

impl Sequence {
    fn arrived(&mut self, arrival: &SegmentArrival, report: &mut Report<'_>) {
        let Some(life) = report.facts.life(report.who) else {
            return;
        };
        counted(life, &arrival.before, report);
        self.vars(&arrival.before, report);
        if life.is_alive() {
            self.vars(&arrival.after, report);
        }
    }

    /// Variables were seen.
    fn vars(&mut self, vars: &Vars, report: &mut Report<'_>) {
        let alive = report.facts.life(report.who).is_some_and(Life::is_alive);
        if !alive || matches!(vars.state, State::Closed | State::Listen) {
            return;
        }
        let now = Numbers::of(vars);
        let track = self.tracks.entry(report.who).or_default();
        report.violations_unless_damaged(order(&now));
        if let Some(before) = track.numbers {
            report.violations_unless_damaged(backward(&before, &now));
        }
        track.numbers = Some(now);
    }

    fn sent(&mut self, report: &mut Report<'_>) {
        let Some(segment) = report.facts.segment_sent() else {
            return;
        };
        let Some(life) = report.facts.life(report.who) else {
            return;
        };
        let track = self.tracks.entry(report.who).or_default();
        track.offers(&segment, life, report);
        track.sends(&segment, life, report);
    }
}

impl Track {
    /// The receiver's side of a segment sent: the window that it offers.
    fn offers(&mut self, segment: &SegmentHeader, life: &Life, report: &mut Report<'_>) {
        if !segment.has(Flags::ACK) || life.fin_taken_at.is_some() {
            return;
        }
        let (edge, lost) = life.shadow.edge(segment);
        let receded = |before: &SeqNumber| before.saturating_since(edge) > lost;
        if let Some(before) = self.edge.filter(receded) {
            let back = before - edge;
            report.violation_unless_damaged(format!(
                "the right edge of its window receded by {back}, from {before} to {edge}: {segment}"
            ));
        }
        self.edge = Some(self.edge.map_or(edge, |before| before.max(edge)));
    }

    /// The sender's side: the octets in it. A SYN needs no window, nor what comes with it.
    fn sends(&mut self, segment: &SegmentHeader, life: &Life, report: &mut Report<'_>) {
        let end = segment.end();
        let Some(sent_to) = self.sent_to.filter(|_| !segment.has(Flags::SYN)) else {
            self.sent_to = Some(self.sent_to.map_or(end, |sent_to| sent_to.max(end)));
            return;
        };
        if !end.after(sent_to) {
            return;
        }
        self.sent_to = Some(end);
        let Some(vars) = &life.vars else { return };
        let edge = vars.snd_una + vars.snd_wnd;
        if !end.after(edge) {
            return;
        }
        let probe = self.may_probe && end == edge + 1 && segment.seg_len() == 1;
        self.may_probe = self.may_probe && !probe;
        if !probe {
            let over = end - edge.max(sent_to);
            report.violation_unless_damaged(format!(
                "it sent {over} new octets beyond the window, which ends at {edge}: {segment}"
            ));
        }
    }
}

/// `ISS <= SND.UNA <= SND.NXT`.
fn order(now: &Numbers) -> Option<String> {
    let fine = now.iss.at_or_before(now.snd_una) && now.snd_una.at_or_before(now.snd_nxt);
    (!fine).then(|| {
        format!(
            "ISS {}, SND.UNA {}, SND.NXT {} are out of order",
            now.iss, now.snd_una, now.snd_nxt
        )
    })
}

/// What changed that never does, or went back.
fn backward(before: &Numbers, now: &Numbers) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut back = |name: &str, before: SeqNumber, now: SeqNumber, may_grow: bool| {
        if now.before(before) || !may_grow && now != before {
            wrong.push(format!("{name} went from {before} to {now}"));
        }
    };
    back("ISS", before.iss, now.iss, false);
    back("SND.UNA", before.snd_una, now.snd_una, true);
    back("SND.NXT", before.snd_nxt, now.snd_nxt, true);
    if let (Some(before), Some(now)) = (before.received, now.received) {
        back("IRS", before.0, now.0, false);
        back("RCV.NXT", before.1, now.1, true);
    }
    wrong
}

/// RCV.NXT - IRS counts what was taken, as long as a user is there to take it. Between two settles
/// the user's count and the stack's agree.
fn counted(life: &Life, vars: &Vars, report: &mut Report<'_>) {
    let user = &life.user;
    let gone = user.read_shut_at.is_some() || user.aborted_at.is_some() || vars.orphan;
    let without = matches!(
        vars.state,
        State::Closed | State::Listen | State::SynSent | State::TimeWait
    );
    if gone || without {
        return;
    }
    let fin = u32::from(vars.fin_received);
    let taken = (user.octets_received as u32)
        .wrapping_add(vars.unread)
        .wrapping_add(1 + fin);
    let counted = vars.rcv_nxt - vars.irs;
    if counted != taken {
        report.violation_unless_damaged(format!(
            "RCV.NXT - IRS is {counted}; SYN, octets got, octets unread and FIN make {taken}"
        ));
    }
}

#[cfg(test)]
mod tests;
