//! `silly-window` \[I+W\]: no small segments without need, and no small windows (RFC 9293 §3.7.4,
//! §3.8.6.2, §3.9.1.2).
//!
//! Sender (MUST-38). D octets wait, U octets of the window are free. New text goes
//! 1. as a full-sized segment;
//! 2. or as all of D, if D <= U; with Nagle (SHLD-7) only when nothing is outstanding;
//! 3. or as min(D, U), if that is half of the largest window ever seen; likewise with Nagle;
//! 4. or as min(D, U), when the override timer has expired.
//!
//! It is never less than it could be. The octet that probes a zero window is free (§3.8.6.1), and
//! so is what fills up a segment that goes again: that is not sent for the new octets' sake. A
//! FIN in the segment lifts Nagle's condition: there is no later text to wait for.
//!
//! The segment that takes the last waiting octet has PSH (MUST-61). That nothing waits for ever
//! (MUST-60) is the matter of `timers` and `delivery`.
//!
//! Receiver (MUST-39): the right edge moves by at least min(RCV.BUFF / 2, Eff.snd.MSS), until the
//! peer's FIN is taken; where windows are scaled, as far as can be told of rounded ones. What SYN segments offer is no edge yet.

use std::collections::BTreeMap;
use timewait_sim::{Finding, Instant, Observation};
use timewait_stack::config::Config;
use timewait_stack::event::{Timer, Vars};
use timewait_stack::wire::Flags;
use timewait_stack::{Event, SeqNumber, State};

use super::report::Report;
use crate::event::HostEvent;
use crate::facts::{Facts, Life, SegmentHeader};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;

const NAME: &str = "silly-window";

/// The judge. See the module.
#[derive(Debug, Default)]
pub struct SillyWindow {
    tracks: BTreeMap<Incarnation, Track>,
}

/// What is remembered of one incarnation.
#[derive(Clone, Copy, Debug, Default)]
struct Track {
    /// The sequence number after the last that it sent.
    sent_to: Option<SeqNumber>,
    /// The largest SND.WND it ever had.
    largest_window: u32,
    /// The override timer has expired, and nothing new was sent since.
    overridden: bool,
    /// The same of the persist timer.
    may_probe: bool,
    /// The right edge that it offered.
    edge: Option<SeqNumber>,
}

impl Judge for SillyWindow {
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
        match *seen {
            Observation::Sent { packet, .. } if packet.class & (class::ECHO | class::RST) == 0 => {
                let who = Incarnation::from_tag(packet.tag);
                let mut report = Report {
                    oracle: NAME,
                    who,
                    now,
                    facts,
                    findings,
                };
                self.sent(&mut report);
            }
            Observation::Node {
                node,
                event: HostEvent::Stack(event),
                ..
            } => self.happened(event, |connection| facts.name(node, connection)),
            _ => {}
        }
    }
}

impl SillyWindow {
    fn happened(
        &mut self,
        event: &Event,
        name: impl Fn(timewait_stack::ConnectionId) -> Incarnation,
    ) {
        let mut window = |connection, vars: &Vars| {
            let connected = vars.state != State::Closed && vars.state != State::Listen;
            if connected {
                let track = self.tracks.entry(name(connection)).or_default();
                track.largest_window = track.largest_window.max(vars.snd_wnd);
            }
        };
        match event {
            Event::Snapshot(snapshot) => window(snapshot.connection, &snapshot.vars),
            Event::Segment(arrival) => {
                if let Some(connection) = arrival.connection {
                    window(connection, &arrival.after);
                }
            }
            Event::Timer {
                connection, timer, ..
            } => {
                let track = self.tracks.entry(name(*connection)).or_default();
                track.overridden |= *timer == Timer::Override;
                track.may_probe |= *timer == Timer::Persist;
            }
            Event::Transition {
                connection,
                to: State::Closed | State::Listen | State::TimeWait,
                ..
            } => {
                self.tracks.remove(&name(*connection));
            }
            _ => {}
        }
    }

    fn sent(&mut self, report: &mut Report<'_>) {
        let facts = report.facts;
        let config = report.config();
        let life = facts.life(report.who);
        let (Some(segment), Some(life), Some(config)) = (facts.segment_sent(), life, config) else {
            return;
        };
        let track = self.tracks.entry(report.who).or_default();
        if let Some(vars) = &life.vars {
            track.offers(&segment, life, vars, report);
            track.sends(&segment, life, vars, config, report);
        }
        let end = segment.end();
        track.sent_to = Some(track.sent_to.map_or(end, |sent_to| sent_to.max(end)));
    }
}

impl Track {
    /// The receiver's side: how far the right edge moves.
    fn offers(
        &mut self,
        segment: &SegmentHeader,
        life: &Life,
        vars: &Vars,
        report: &mut Report<'_>,
    ) {
        let offers = segment.has(Flags::ACK) && !segment.has(Flags::SYN);
        if !offers || life.fin_taken_at.is_some() {
            return;
        }
        // A scaled field is rounded down: the edge that is meant lies less than a unit further.
        let (edge, lost) = life.shadow.edge(segment);
        let moved = self.edge.map_or(0, |before| edge.saturating_since(before));
        let least = (life.receive_buffer() / 2).min(u32::from(vars.smss));
        if moved > lost && moved + lost < least {
            report.violation_unless_damaged(format!(
                "MUST-39: its right edge moved by {moved}, less than {least}: {segment}"
            ));
        }
        self.edge = Some(self.edge.map_or(edge, |before| before.max(edge)));
    }

    /// The sender's side: the text in the segment.
    fn sends(
        &mut self,
        segment: &SegmentHeader,
        life: &Life,
        vars: &Vars,
        config: &Config,
        report: &mut Report<'_>,
    ) {
        let Some(sent_to) = self.sent_to.filter(|_| segment.text_len > 0) else {
            return;
        };
        // Sequence numbers are the stream offsets mod 2^32, from ISS + 1 on.
        let given_to = vars.iss + 1 + life.user.octets_sent as u32;
        if segment.text_end() == given_to && !segment.has(Flags::PSH) {
            report.violation_unless_damaged(format!(
                "MUST-61: it sent the last octet that waited without PSH: {segment}"
            ));
        }
        if !segment.text_end().after(sent_to) {
            return;
        }
        let freed = (core::mem::take(&mut self.overridden), self.may_probe);
        let probe = freed.1 && segment.text_len == 1;
        self.may_probe &= !probe;
        if probe || segment.text_seq().before(sent_to) {
            return;
        }
        let stamps = if life.shadow.timestamps() { 12 } else { 0 };
        let nagle = config.nagle && sent_to != vars.snd_una && !segment.has(Flags::FIN);
        let offer = Offer {
            text: segment.text_len,
            // What options take is not there for text (RFC 9293 §3.7.1); Eff.snd.MSS has lost what
            // timestamps take in every segment.
            full: (u32::from(vars.smss) + stamps).saturating_sub(segment.option_octets()),
            waiting: given_to.saturating_since(sent_to),
            usable: (vars.snd_una + vars.snd_wnd).saturating_since(sent_to),
            largest_window: self.largest_window,
            nagle,
            overridden: freed.0,
        };
        if let Err(why) = offer.judge() {
            report.violation_unless_damaged(format!("MUST-38: {why}: {offer:?}, {segment}"));
        }
    }
}

/// New text, and what the sender might have sent instead.
#[derive(Clone, Copy, Debug)]
struct Offer {
    /// The octets that went.
    text: u32,
    /// Eff.snd.MSS.
    full: u32,
    /// D.
    waiting: u32,
    /// U.
    usable: u32,
    /// Max(SND.WND).
    largest_window: u32,
    /// The bracketed condition does not hold: Nagle is on and something is outstanding.
    nagle: bool,
    overridden: bool,
}

impl Offer {
    fn judge(&self) -> Result<(), &'static str> {
        let could = self.waiting.min(self.usable).min(self.full);
        if self.text >= self.full || self.text > could {
            // (1). Whether it is too much is asked by `negotiation` and `sequence`.
            return Ok(());
        }
        if self.text < could {
            return Err("it sent less than it could have");
        }
        let all = self.text == self.waiting;
        let half = u64::from(self.text) * 2 >= u64::from(self.largest_window);
        match (all || half, self.nagle) {
            _ if self.overridden => Ok(()),
            (true, false) => Ok(()),
            (true, true) => Err("Nagle holds a small segment while something is outstanding"),
            (false, _) => Err("a small segment, neither all that waits nor half of the window"),
        }
    }
}

#[cfg(test)]
mod tests;
