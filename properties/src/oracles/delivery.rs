//! `delivery` \[I\]: what was accepted gets there (RFC 9293 §3.8, §3.10.3; MUST-36).
//!
//! On a healed network, if neither end aborts and the receiver reads, everything that `send` took
//! is in the receiver's hands within G, and so is the FIN after it; and a `connect` is decided
//! within the handshake bound (`open`).
//!
//! A reader that is behind keeps the bound from running: it starts when nothing is unread. Exempt,
//! by name: aborted, a reader that has gone or was never there, R2 that ran out before healing,
//! an open that met an older connection (retry until 2MSL), text that came to a listener before the
//! segment with its SYN cookie and drew a RST (RFC 9293 §3.10.7.2). Nagle is no exemption: a delayed
//! ACK ends it.

mod open;

use std::collections::BTreeMap;
use timewait_sim::{Finding, Instant, Observation};
use timewait_stack::{Event, State, Vars};

use crate::event::HostEvent;
use crate::facts::{Ending, Facts, Life};
use crate::label::Incarnation;
use crate::oracle::{Judge, Notes};
use crate::oracles::bounds::{self, Bounds};
use crate::oracles::report::Report;

/// The oracle `delivery`.
#[derive(Debug, Default)]
pub struct Delivery {
    /// By the writer.
    streams: BTreeMap<Incarnation, Stream>,
    opens: open::Opens,
    notes: Notes,
}

/// One direction of a connection.
#[derive(Clone, Copy, Debug)]
struct Stream {
    reader: Incarnation,
    /// Something is on its way.
    pending: bool,
    /// What the writer's user has given, FIN included.
    given: u64,
    /// Since then nothing was added, and the reader has not been behind.
    since: Instant,
    /// Octets that the sender may have to send again or for the first time.
    backlog: u64,
    /// The reader has octets that it has not read.
    behind: bool,
    /// It is said already.
    told: bool,
}

impl Judge for Delivery {
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
        let Observation::Node { node, event, .. } = *seen else {
            return;
        };
        let event = match event {
            HostEvent::Stack(event) => event,
            HostEvent::Box(_) => return,
            HostEvent::User(event) => {
                let connection = crate::facts::connection_of(event);
                let Some(connection) = connection else { return };
                let who = facts.name(node, connection);
                let mut report = Report {
                    oracle: NAME,
                    who,
                    now,
                    facts,
                    findings,
                };
                self.opens.user(event, &mut report, &mut self.notes);
                return;
            }
            HostEvent::Crashed | HostEvent::Rebooted { .. } => return,
        };
        match event {
            Event::Segment(arrival) => {
                self.opens.arrived(arrival, facts);
                // A TIME-WAIT record may give no snapshot.
                let waits = arrival.after.state == State::TimeWait;
                if let Some(connection) = arrival.connection.filter(|_| waits) {
                    self.look_both_ways(facts.name(node, connection), now, facts, findings);
                }
            }
            Event::Snapshot(snapshot) => {
                let who = facts.name(node, snapshot.connection);
                self.look_both_ways(who, now, facts, findings);
            }
            Event::Transition { connection, .. } => {
                let who = facts.name(node, *connection);
                let life = facts.life(who).filter(|life| !life.is_alive());
                if let (Some(life), Some(pair)) = (life, facts.pair_of(who)) {
                    self.ended(life, pair, now, facts, findings);
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, now: Instant, facts: &Facts, findings: &mut Vec<Finding>) {
        for (&who, stream) in &mut self.streams {
            let mut report = Report {
                oracle: NAME,
                who,
                now,
                facts,
                findings,
            };
            if let Some(name) = stream.judge(&mut report) {
                *self.notes.entry(name).or_default() += 1;
            }
        }
        self.opens.finish(now, facts, findings);
    }

    fn notes(&self) -> Notes {
        self.notes.clone()
    }
}

impl Delivery {
    /// The variables of one end were seen.
    fn look_both_ways(
        &mut self,
        who: Incarnation,
        now: Instant,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let Some(pair) = facts.pair_of(who) else {
            return;
        };
        for (writer, reader) in [(who, pair), (pair, who)] {
            self.look(writer, reader, now, facts, findings);
        }
    }

    /// What is on its way from `writer` to `reader`?
    fn look(
        &mut self,
        writer: Incarnation,
        reader: Incarnation,
        now: Instant,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let (Some(from), Some(to)) = (facts.life(writer), facts.life(reader)) else {
            return;
        };
        let mut report = Report {
            oracle: NAME,
            who: writer,
            now,
            facts,
            findings,
        };
        let stream = self.streams.entry(writer).or_insert(Stream {
            reader,
            pending: false,
            given: 0,
            since: now,
            backlog: 0,
            behind: false,
            told: false,
        });
        if let Some(late) = stream.late(&report) {
            stream.say(&late, &mut report);
        }
        stream.update(from, to, now);
    }

    /// An end is over: nothing more will come across, unless all had been acknowledged.
    fn ended(
        &mut self,
        life: &Life,
        pair: Incarnation,
        now: Instant,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let peaceful = life.end.is_some_and(|end| {
            matches!(
                end.ending,
                Ending::Orderly | Ending::Replaced | Ending::PushedOut
            )
        });
        for who in [life.name, pair] {
            let Some(stream) = self.streams.get_mut(&who).filter(|_| !peaceful) else {
                continue;
            };
            let mut report = Report {
                oracle: NAME,
                who,
                now,
                facts,
                findings,
            };
            if !stream.pending || stream.told {
                continue;
            }
            stream.told = true;
            let exempt = exemption(who, stream.reader, stream.backlog, facts);
            let early = || {
                let reset = facts.is_reset_before_cookie(life.name, pair);
                reset.then_some("delivery: reset before its cookie came")
            };
            match exempt.or_else(early) {
                Some(name) => *self.notes.entry(name).or_default() += 1,
                None => report.violation(format!(
                    "octets or a FIN are lost, {} ended by {:?}, and nobody aborted",
                    life.name,
                    life.end.map(|end| end.ending),
                )),
            }
        }
    }
}

impl Stream {
    /// Looks again at what is on its way. The time starts anew when something was added, and as
    /// long as the reader is behind.
    fn update(&mut self, from: &Life, to: &Life, now: Instant) {
        let given = given(from);
        let missing = to.vars.as_ref().map_or(0, |vars| missing(given, vars));
        let unread = to.vars.as_ref().map_or(0, |vars| vars.unread);
        let was_behind = core::mem::replace(&mut self.behind, unread > 0);
        if given != self.given || was_behind || self.behind {
            self.since = now;
            self.backlog = missing + bounds::backlog(from);
        }
        self.given = given;
        self.pending = missing > 0;
    }

    /// What to say if the bound has passed.
    fn late(&self, report: &Report<'_>) -> Option<String> {
        let young = report.now.saturating_since(self.since) <= bounds::PROGRESS_MIN;
        if !self.pending || self.told || self.behind || young {
            return None;
        }
        let from = bounds::healed(report.facts, self.since)?;
        let bounds = Bounds::of(report.facts, report.who, self.backlog)?;
        (report.now > from + bounds.progress).then(|| {
            let (reader, from) = (self.reader, crate::facts::Seconds(from));
            format!(
                "octets or a FIN have not reached {reader} since {from}, G = {:?}",
                bounds.progress
            )
        })
    }

    fn say(&mut self, message: &str, report: &mut Report<'_>) {
        let exempt = exemption(report.who, self.reader, self.backlog, report.facts);
        if exempt.is_none() {
            self.told = true;
            report.violation(message);
        }
    }

    /// The run is over. The name of the exemption, if there is one.
    fn judge(&mut self, report: &mut Report<'_>) -> Option<&'static str> {
        if !self.pending || self.told {
            return None;
        }
        let exempt = exemption(report.who, self.reader, self.backlog, report.facts);
        if exempt.is_some() {
            return exempt;
        }
        if self.behind {
            return Some("delivery: reader behind");
        }
        match self.late(report) {
            Some(message) => {
                report.violation(message);
                None
            }
            None => Some("delivery: the run ended before the bound"),
        }
    }
}

/// What the user has given to send, its FIN included. Who closes what is over already sends none.
fn given(life: &Life) -> u64 {
    let over = life.ended_at();
    let shut = life.user.write_shut_at;
    let fin = shut.is_some_and(|at| over.is_none_or(|over| at < over));
    life.user.octets_sent + u64::from(fin)
}

/// Octets of those `given`, a FIN included, that the reader's stack has not taken in order.
fn missing(given: u64, reader: &Vars) -> u64 {
    if reader.state == State::SynSent {
        return given;
    }
    let taken = reader.rcv_nxt - (reader.irs + 1);
    // Less than 2^31 octets are on their way, so the low halves tell.
    let missing = (given as u32).wrapping_sub(taken) as i32;
    u64::try_from(missing).unwrap_or(0)
}

/// Why nothing is promised to what `writer` sends to `reader`.
fn exemption(
    writer: Incarnation,
    reader: Incarnation,
    backlog: u64,
    facts: &Facts,
) -> Option<&'static str> {
    let (from, to) = (facts.life(writer)?, facts.life(reader)?);
    let hosts = (writer.host, reader.host);
    if facts.circumstances().is_black_hole(hosts.0, hosts.1)
        || facts.circumstances().is_black_hole(hosts.1, hosts.0)
    {
        return Some("delivery: black hole, and nobody looks for it");
    }
    if facts.circumstances().is_short_of_memory(reader.host) {
        return Some("delivery: the reader's host is short of memory");
    }
    if to.user.opened_at.is_none() {
        return Some("delivery: never accepted");
    }
    if aborted(from) || aborted(to) {
        return Some("delivery: aborted");
    }
    if to.user.read_shut_at.is_some() {
        return Some("delivery: reader gone");
    }
    let gave_up = |life: &Life| {
        let bound = Bounds::of(facts, writer, backlog);
        let healed = facts.circumstances().heal_at;
        life.end.is_some_and(|end| {
            let too_early = match (healed, bound) {
                (Some(healed), Some(bound)) => end.at <= healed + bound.progress,
                _ => true,
            };
            let timeout = matches!(end.ending, Ending::GaveUp(_) | Ending::ReturnedToListen);
            timeout && too_early
        })
    };
    if gave_up(from) || gave_up(to) {
        return Some("delivery: R2 before healing");
    }
    None
}

/// Its user aborted, or its stack did as SHLD-3 asks: unread octets at `close`, or octets for a
/// user that had gone. A crash is no better.
fn aborted(life: &Life) -> bool {
    life.user.aborted_at.is_some()
        || life.user.unread_at_close > 0
        || life
            .end
            .is_some_and(|end| matches!(end.ending, Ending::Aborted | Ending::Crashed))
}

const NAME: &str = "delivery";

#[cfg(test)]
mod tests;
