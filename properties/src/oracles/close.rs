//! `close` \[I\]: every close ends in CLOSED (RFC 9293 §3.6, §3.8.3, §3.9.1, §3.10.4, §3.10.5).
//!
//! A `close` is both directions shut by the local user, or ABORT.
//!
//! - (a) Both ends closed: CLOSED within G + Q + 2MSL of the last close, or of healing.
//! - (b) Without an error, if both had read everything and the network gave the last
//!   acknowledgment a chance (`orderly`).
//! - (c) A silent peer and something outstanding: CLOSED within D (`silence`).
//! - (d) ABORT, and close in LISTEN or SYN-SENT: at once.
//!
//! Not promised, named and counted: FIN-WAIT-2 with a peer that stays, an idle connection, a
//! half-close, a window that its owner keeps shut. Any other survivor is a violation.
//!
//! All bounds count from when the last pause of a host is over, and are stretched by the drift of its
//! clock. What a box on the way has let go of is excused ([`Taint::Box`](crate::facts::Taint::Box)).

mod orderly;
mod silence;

use std::collections::BTreeMap;
use timewait_sim::{Duration, Finding, Instant, Observation};
use timewait_stack::{Event, State};

use crate::event::{HostEvent, UserEvent};
use crate::facts::{Ending, Facts, Life};
use crate::label::Incarnation;
use crate::oracle::{Judge, Notes};
use crate::oracles::bounds::{self, Bounds};
use crate::oracles::report::Report;

/// The oracle `close`.
#[derive(Debug, Default)]
pub struct Close {
    ends: BTreeMap<Incarnation, Watch>,
    orderly: orderly::LastAcks,
    at_once: Vec<(Incarnation, Instant)>,
    notes: Notes,
}

/// What is remembered of one incarnation.
#[derive(Debug, Default)]
struct Watch {
    silence: silence::Silence,
    /// Octets on their way when both ends had closed and the network was healed.
    backlog: u64,
    /// SYNs that reopened its TIME-WAIT record.
    reopened: u32,
}

impl Judge for Close {
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
        self.judge_at_once(now, facts, findings);
        match *seen {
            Observation::Delivered { .. } => self.orderly.delivered(),
            Observation::Sent { cause, packet } => self.orderly.sent(cause, packet),
            Observation::Node { node, event, .. } => match event {
                HostEvent::Stack(event) => {
                    let Some(connection) = connection_of(event) else {
                        return;
                    };
                    let who = facts.name(node, connection);
                    self.happened(
                        event,
                        &mut Report {
                            oracle: NAME,
                            who,
                            now,
                            facts,
                            findings,
                        },
                    );
                }
                HostEvent::User(UserEvent::Aborted { connection }) => {
                    self.at_once.push((facts.name(node, *connection), now));
                }
                HostEvent::User(UserEvent::Closed { connection, .. }) => {
                    let who = facts.name(node, *connection);
                    let state = facts.life(who).filter(|life| life.is_alive());
                    let state = state.map(|life| life.state);
                    if matches!(state, Some(State::Listen | State::SynSent)) {
                        self.at_once.push((who, now));
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn finish(&mut self, now: Instant, facts: &Facts, findings: &mut Vec<Finding>) {
        self.judge_at_once(Instant::MAX, facts, findings);
        for (&who, watch) in &mut self.ends {
            let Some(life) = facts.life(who).filter(|life| life.is_alive()) else {
                continue;
            };
            let mut report = Report {
                oracle: NAME,
                who,
                now,
                facts,
                findings,
            };
            watch.silence.check(&mut report);
            if let Some(name) = watch.survivor(life, &mut report) {
                *self.notes.entry(name).or_default() += 1;
            }
        }
    }

    fn notes(&self) -> Notes {
        self.notes.clone()
    }
}

impl Close {
    /// (d): what had to end at once has ended by the time anything else happens.
    fn judge_at_once(&mut self, now: Instant, facts: &Facts, findings: &mut Vec<Finding>) {
        self.at_once.retain(|&(who, at)| {
            if now <= at {
                return true;
            }
            // Whoever sends a RST may keep a TIME-WAIT record (RFC 9293 §3.5.2, fig. 5 note 3).
            let gone = facts.life(who).is_none_or(|life| {
                life.ended_at().is_some_and(|ended| ended <= at)
                    || life.time_wait_at.is_some_and(|since| since <= at)
            });
            if !gone {
                let mut report = Report {
                    oracle: NAME,
                    who,
                    now: at,
                    facts,
                    findings,
                };
                report.violation("was to be CLOSED at once, by ABORT or an early close");
            }
            false
        });
    }

    fn happened(&mut self, event: &Event, report: &mut Report<'_>) {
        if let Event::Opened {
            remote: Some(_), ..
        } = event
        {
            self.ends.insert(report.who, Watch::default());
        }
        if let Event::Segment(arrival) = event {
            self.orderly.arrived(arrival, report);
        }
        let Some(watch) = self.ends.get_mut(&report.who) else {
            return;
        };
        let Some(life) = report.facts.life(report.who) else {
            return;
        };
        match event {
            Event::Segment(arrival) => watch.silence.heard(&arrival.after, report),
            Event::Snapshot(snapshot) => {
                watch.silence.snapshot(&snapshot.vars, report);
                watch.remember_backlog(life, report);
            }
            Event::Reopened { .. } => watch.reopened += 1,
            Event::Transition { .. } if !life.is_alive() => {
                let exempt = watch.ended(life, report);
                let exempt = exempt.or_else(|| self.orderly.ended(life, report));
                if let Some(name) = exempt {
                    *self.notes.entry(name).or_default() += 1;
                }
                self.ends.remove(&report.who);
            }
            _ => {}
        }
    }
}

impl Watch {
    /// The backlog counts at the moment from which the bound runs.
    fn remember_backlog(&mut self, life: &Life, report: &Report<'_>) {
        let base = both_done_at(life, report.facts).and_then(|at| bounds::healed(report.facts, at));
        if base.is_none_or(|base| report.now <= base) {
            self.backlog = bounds::backlog(life);
        }
    }

    /// It has ended: in time?
    fn ended(&mut self, life: &Life, report: &mut Report<'_>) -> Option<&'static str> {
        self.silence.check(report);
        let done = both_done_at(life, report.facts)?;
        let Some(bound) = self.bound(done, report) else {
            return Some("close: never healed");
        };
        if report.now > bound.at && is_left_alone(life, report.facts) {
            return Some("close: FIN-WAIT-2");
        }
        if report.now > bound.at {
            let late = report.now.saturating_since(bound.at);
            report.violation(format!(
                "CLOSED {late:?} too late, both ends had closed ({bound})"
            ));
        }
        None
    }

    /// The run is over and it lives. The name of the exemption, if there is one.
    fn survivor(&self, life: &Life, report: &mut Report<'_>) -> Option<&'static str> {
        let facts = report.facts;
        if let Some(done) = both_done_at(life, facts) {
            let Some(bound) = self.bound(done, report) else {
                return Some("close: never healed");
            };
            if report.now <= bound.at {
                return Some("close: the run ended before the bound");
            }
            if is_shut_out(life, facts) {
                return Some("close: zero window");
            }
            if is_left_alone(life, facts) {
                return Some("close: FIN-WAIT-2");
            }
            report.violation(format!(
                "still in {}, both ends have closed ({bound})",
                life.state
            ));
            return None;
        }
        let exempt = self.exemption(life, report);
        if exempt.is_none() {
            report.violation(format!("still in {}, and nothing excuses it", life.state));
        }
        exempt
    }

    /// Why nothing is promised to a survivor whose user or whose peer's user has not closed.
    fn exemption(&self, life: &Life, report: &Report<'_>) -> Option<&'static str> {
        let facts = report.facts;
        let unpaired = facts.pair_of(life.name).is_none();
        if !life.state.is_synchronized() {
            // Give-up of the handshake is judged by `silence`.
            return Some("close: opening");
        }
        if unpaired {
            return Some("close: unpaired");
        }
        let Some(closed) = life.both_shut_at() else {
            return Some(match life.state {
                State::CloseWait | State::FinWait1 | State::FinWait2 => "close: half-closed",
                _ => "close: open",
            });
        };
        if life.state == State::FinWait2 {
            return Some("close: FIN-WAIT-2");
        }
        if is_shut_out(life, facts) {
            return Some("close: zero window");
        }
        // The peer's user has not closed, yet the peer's stack must take the octets and the FIN.
        match self.bound(closed, report) {
            None => Some("close: never healed"),
            Some(bound) => {
                (report.now <= bound.at).then_some("close: the run ended before the bound")
            }
        }
    }

    /// (a): the time by which one is CLOSED whose both ends had closed at `done`.
    fn bound(&self, done: Instant, report: &Report<'_>) -> Option<Bound> {
        let facts = report.facts;
        let config = report.config()?;
        let from = bounds::healed(facts, done)?;
        let terms = Bounds::of(facts, report.who, self.backlog)?;
        let false_syns = if self.reopened > 0 {
            let clock = facts.circumstances().clock(report.who.host);
            let handshake = clock.at_most(bounds::handshake(config)?);
            (handshake + terms.two_msl).saturating_mul(self.reopened)
        } else {
            Duration::ZERO
        };
        let at = from + terms.progress + terms.quiet + terms.two_msl + false_syns;
        Some(Bound { at, from, terms })
    }
}

/// A bound with what it consists of.
struct Bound {
    at: Instant,
    from: Instant,
    terms: Bounds,
}

impl core::fmt::Display for Bound {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Bounds {
            progress,
            quiet,
            two_msl,
        } = self.terms;
        let from = crate::facts::Seconds(self.from);
        write!(
            f,
            "from {from}: G = {progress:?}, Q = {quiet:?}, 2MSL = {two_msl:?}"
        )
    }
}

/// When both ends had closed. One that has ended has closed, and so has one that never was.
fn both_done_at(life: &Life, facts: &Facts) -> Option<Instant> {
    let mine = life.both_shut_at()?;
    let Some(pair) = facts.pair_of(life.name).and_then(|name| facts.life(name)) else {
        // Without a pair there is only the handshake, which `silence` judges.
        return None;
    };
    let theirs = [pair.both_shut_at(), pair.ended_at()]
        .into_iter()
        .flatten()
        .min()?;
    Some(mine.max(theirs))
}

/// It waits for a window, or for a reader that is behind (MUST-37), or for the memory of its host.
fn is_shut_out(life: &Life, facts: &Facts) -> bool {
    let pair = facts.pair_of(life.name).and_then(|name| facts.life(name));
    if pair.is_some_and(|pair| facts.circumstances().is_short_of_memory(pair.name.host)) {
        return life
            .vars
            .as_ref()
            .is_some_and(|vars| vars.snd_wnd < u32::from(vars.smss));
    }
    let Some(pair) = pair.filter(|pair| pair.is_alive() && pair.user.closed_at.is_none()) else {
        return false;
    };
    let shut = life.vars.as_ref().is_some_and(|vars| {
        let waits = vars.unsent > 0 || vars.snd_una != vars.snd_nxt || !vars.fin_sent;
        vars.snd_wnd == 0 && waits
    });
    shut || pair.vars.as_ref().is_some_and(|vars| vars.unread > 0)
}

/// In FIN-WAIT-2, and the peer is gone without a FIN: it aborted and its RST was lost, or it gave
/// up. Nobody will ever say so; only keepalive or a limit of that state ends it ([`silence`]).
fn is_left_alone(life: &Life, facts: &Facts) -> bool {
    let last = life.vars.as_ref().map(|vars| vars.state);
    let waits = life.state == State::FinWait2 || last == Some(State::FinWait2);
    let pair = facts.pair_of(life.name).and_then(|name| facts.life(name));
    let peers_end = pair.and_then(|pair| pair.end.as_ref());
    let without_fin = |ending| {
        use Ending::{Aborted, Crashed, GaveUp, Reset};
        matches!(ending, Aborted | Crashed | GaveUp(_) | Reset)
    };
    waits && peers_end.is_some_and(|end| without_fin(end.ending))
}

fn connection_of(event: &Event) -> Option<timewait_stack::ConnectionId> {
    match event {
        Event::Opened { connection, .. } | Event::Transition { connection, .. } => {
            Some(*connection)
        }
        Event::Reopened { old, .. } => Some(*old),
        Event::Segment(arrival) => arrival.connection,
        Event::Icmp(arrival) => arrival.connection,
        Event::Snapshot(snapshot) => Some(snapshot.connection),
        Event::Ready { .. }
        | Event::Timer { .. }
        | Event::RttSample { .. }
        | Event::ShiftTooLarge { .. } => None,
    }
}

const NAME: &str = "close";

#[cfg(test)]
mod tests;
