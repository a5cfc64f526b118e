//! `timers` \[I\]: what waits is woken, in time and not before (RFC 6298; RFC 9293 §3.8.1,
//! §3.8.3, §3.8.4, §3.8.6).
//!
//! - outstanding octets and an open window: the retransmission timer runs and no other, or with SACK
//!   in its place the tail loss probe or the end of the reordering window (RFC 8985 §7.2, §6.2); a
//!   closed window: persist; octets held by silly-window avoidance: override; in TIME-WAIT only 2MSL;
//! - the RTO within its bounds, doubled at each expiry, made small again by a sample alone;
//! - Karn: no sample of octets ever sent twice, unless a timestamp tells which was answered;
//! - probes of a closed window, delayed ACKs and keepalive by their rules;
//! - no timer sleeps through its deadline, expires before it, or expires to no effect; nobody
//!   gives up before R2.
//!
//! Sockets are taken to keep the settings of their stack. Damage that the checksum missed taints
//! both ends (E6): what follows is a hazard. All times are those of the clock of the host. A host that
//! stands still is excepted in `slept`: its timers expire when it goes on.

mod armed;
mod delayed_ack;
mod karn;
mod keepalive;
mod persist;
mod rto;

use std::collections::BTreeMap;
use timewait_sim::{Finding, Instant, Observation};
use timewait_stack::config::{Config, GiveUp};
use timewait_stack::event::{Cause, SegmentArrival, Timer, Vars};
use timewait_stack::wire::Flags;
use timewait_stack::{Event, State};

use crate::event::HostEvent;
use crate::facts::{End, Ending, Facts, Life, SegmentHeader};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;
use crate::oracles::report::Report;
use crate::oracles::user_timeout;

/// The oracle `timers`.
#[derive(Debug, Default)]
pub struct Timers {
    ends: BTreeMap<Incarnation, Watch>,
}

/// What is remembered of one incarnation.
#[derive(Debug, Default)]
struct Watch {
    /// The variables of the last snapshot.
    vars: Option<Box<Vars>>,
    rto: rto::Rto,
    karn: karn::Karn,
    persist: persist::Persist,
    ack: delayed_ack::DelayedAck,
    keepalive: keepalive::Keepalive,
    /// Retransmission expiries since SND.UNA last moved.
    expiries: u32,
    /// Timers that have expired in this batch and sent nothing yet.
    owed: Vec<Timer>,
}

impl Judge for Timers {
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
            Observation::Sent { packet, .. } if packet.class & class::ECHO == 0 => {
                let who = Incarnation::from_tag(packet.tag);
                let ends = (self.ends.get_mut(&who), facts.segment_sent());
                if let (Some(watch), Some(header)) = ends {
                    let clock = facts.circumstances().clock(who.host);
                    watch.sent(&header, clock.shows(now));
                }
            }
            Observation::Node {
                node,
                event: HostEvent::Stack(event),
                ..
            } => {
                let Some(connection) = connection_of(event) else {
                    return;
                };
                let who = facts.name(node, connection);
                let Some(config) = facts.circumstances().config(node) else {
                    return;
                };
                let mut report = Report {
                    oracle: NAME,
                    who,
                    now,
                    facts,
                    findings,
                };
                self.happened(event, config, &mut report);
            }
            _ => {}
        }
    }

    fn finish(&mut self, now: Instant, facts: &Facts, findings: &mut Vec<Finding>) {
        for (&who, watch) in &self.ends {
            let alive = facts.life(who).is_some_and(Life::is_alive);
            if alive {
                watch.slept(&mut Report {
                    oracle: NAME,
                    who,
                    now,
                    facts,
                    findings,
                });
            }
        }
    }
}

impl Timers {
    fn happened(&mut self, event: &Event, config: &Config, report: &mut Report<'_>) {
        let watch = match event {
            Event::Opened {
                remote: Some(_), ..
            } => {
                self.ends.insert(report.who, Watch::default());
                return;
            }
            _ => match self.ends.get_mut(&report.who) {
                Some(watch) => watch,
                None => return,
            },
        };
        match event {
            Event::Segment(arrival) => watch.arrived(arrival, report),
            Event::Timer { timer, .. } => watch.expired(*timer, config, report),
            Event::RttSample { seq, rtt, .. } => {
                watch.rto.sampled();
                let (tick, now) = (config.rto.granularity, report.shown());
                let segment = report.facts.delivery().and_then(|p| p.segment());
                let echoed = report.facts.life(report.who).zip(segment);
                let by_echo = echoed
                    .and_then(|(life, segment)| karn::wrong_echo(life, segment, *rtt, tick, now));
                let by_count = || watch.karn.wrong_sample(*seq, *rtt, tick, now);
                report.violations_unless_damaged(by_echo.unwrap_or_else(by_count));
            }
            Event::Snapshot(snapshot) => watch.snapshot(&snapshot.vars, config, report),
            Event::Transition { to, .. } => {
                let end = report.facts.life(report.who).and_then(|life| life.end);
                if let Some(end) = end {
                    watch.gave_up(end, event, config, report);
                    self.ends.remove(&report.who);
                } else if *to == State::TimeWait {
                    // The record has no other timer than that of 2MSL.
                    watch.vars = None;
                }
            }
            _ => {}
        }
    }
}

impl Watch {
    /// A segment is sent; `now` is by the clock of its host.
    fn sent(&mut self, header: &SegmentHeader, now: Instant) {
        let una = self.vars.as_ref().map_or(header.seq, |vars| vars.snd_una);
        self.owed.retain(|timer| match timer {
            // RFC 6298 §5.4: the earliest octet that is not acknowledged.
            Timer::Retransmit => !una.within(header.seq, header.seg_len()),
            Timer::Override => header.text_len == 0,
            // RFC 8985 §7.3: something new, or the last segment again.
            Timer::Probe => header.seg_len() == 0,
            _ => false,
        });
        if header.seg_len() > 0 {
            self.karn.sent(header.seq, header.end(), now);
        }
        if header.has(Flags::ACK) {
            self.ack.sent(header.ack);
        }
        self.keepalive.sent(on_stack(now));
    }

    fn arrived(&mut self, arrival: &SegmentArrival, report: &Report<'_>) {
        let now = on_stack(report.shown());
        let header = report
            .facts
            .delivery()
            .and_then(|delivery| delivery.segment());
        self.ack.arrived(arrival, header, now);
        if header.is_some_and(|header| keepalive::is_heard(arrival, header)) {
            self.keepalive.heard(now);
        }
    }

    fn expired(&mut self, timer: Timer, config: &Config, report: &mut Report<'_>) {
        self.rto.expired(timer);
        match timer {
            Timer::Retransmit => self.expiries += 1,
            Timer::Persist => self.persist.expired(),
            _ => {}
        }
        // The end of the reordering window may show that nothing is lost after all.
        let owes_nothing = [
            Timer::DelayedAck,
            Timer::FinWait2,
            Timer::User,
            Timer::TimeWait,
            Timer::Reorder,
            Timer::Hold,
        ];
        if !owes_nothing.contains(&timer) {
            self.owed.push(timer);
        }
        let Some(vars) = &self.vars else { return };
        let deadline = armed::deadline(&vars.timers, timer);
        if timer != Timer::TimeWait && deadline.is_none_or(|at| on_stack(report.shown()) < at) {
            report.violation_unless_damaged(format!(
                "the {timer:?} timer expires, it was armed for {deadline:?}"
            ));
        }
        if timer == Timer::Keepalive {
            report.violations_unless_damaged(self.keepalive.expired(
                vars,
                config,
                on_stack(report.shown()),
            ));
        }
    }

    fn snapshot(&mut self, vars: &Vars, config: &Config, report: &mut Report<'_>) {
        let now = on_stack(report.shown());
        self.slept(report);
        for timer in self.owed.drain(..) {
            let what = format!("the {timer:?} timer has expired, and what it is for was not sent");
            report.violation_unless_damaged(what);
        }
        report.violations_unless_damaged(armed::wrong_set(vars, config));
        report.violations_unless_damaged(armed::wrong_deadlines(vars, config, now));
        report.violations_unless_damaged(self.override_too_soon(vars, now));
        report.violations_unless_damaged(self.rto.snapshot(vars, config, now));
        report.violations_unless_damaged(self.persist.snapshot(vars, config, now));
        report.violations_unless_damaged(self.ack.snapshot(vars, now));
        report.violations_unless_damaged(self.keepalive.snapshot(vars, config));
        self.karn.acknowledged(vars.snd_una);
        if self
            .vars
            .as_ref()
            .is_none_or(|last| last.snd_una != vars.snd_una)
        {
            self.expiries = 0;
        }
        match &mut self.vars {
            Some(last) => (**last).clone_from(vars),
            None => self.vars = Some(Box::new(vars.clone())),
        }
    }

    /// A deadline has passed since the last snapshot, and its timer did nothing.
    fn slept(&self, report: &mut Report<'_>) {
        let Some(vars) = &self.vars else { return };
        let circumstances = report.facts.circumstances();
        let clock = circumstances.clock(report.who.host);
        for timer in armed::JUDGED {
            let Some(at) = armed::deadline(&vars.timers, timer) else {
                continue;
            };
            // A timer that is due while its host stands still expires when that goes on.
            let due = clock.reaches(Instant::from_nanos(at.as_nanos()));
            let latest = circumstances.awake(report.who.host, due);
            let late = report.now.saturating_since(latest);
            if !late.is_zero() {
                report.violation_unless_damaged(format!(
                    "the {timer:?} timer slept {late:?} past its deadline"
                ));
            }
        }
    }

    fn override_too_soon(&self, vars: &Vars, now: timewait_stack::Instant) -> Option<String> {
        let was_armed = self
            .vars
            .as_ref()
            .is_some_and(|last| last.timers.override_.is_some());
        let wait = vars.timers.override_?.saturating_since(now);
        (!was_armed && wait < armed::OVERRIDE_MIN)
            .then(|| format!("the override timer starts with {wait:?}"))
    }

    /// RFC 9293 §3.8.3, MUST-20, MUST-23: not before R2. The count may be that of the oldest
    /// octet, the time that since it was first sent.
    fn gave_up(&self, end: End, event: &Event, config: &Config, report: &mut Report<'_>) {
        let Event::Transition {
            cause: Cause::Timer(timer),
            from,
            ..
        } = event
        else {
            return;
        };
        match (timer, end.ending) {
            (Timer::Keepalive, _) => {
                report.violations_unless_damaged(self.keepalive.gave_up(config));
            }
            (Timer::User, _) => {
                let least = user_timeout::shortest(config);
                let now = report.shown();
                let waited = now.saturating_since(self.karn.oldest_at().unwrap_or(now));
                if least.is_none_or(|least| waited < least) {
                    report.violation_unless_damaged(format!(
                        "the user timeout ends it after {waited:?}: it is {least:?}"
                    ));
                }
            }
            (Timer::Retransmit, Ending::GaveUp(_) | Ending::ReturnedToListen) => {
                let passive = self.vars.as_ref().is_some_and(|vars| vars.passive);
                let r2 = if from.is_synchronized() {
                    config.r2
                } else if passive {
                    config.r2_syn_ack
                } else {
                    config.r2_syn
                };
                let waited = self
                    .karn
                    .oldest_at()
                    .map(|at| report.shown().saturating_since(at));
                let early = match r2 {
                    GiveUp::Retransmissions(least) => self.expiries < u32::from(least),
                    GiveUp::Elapsed(least) => waited.is_some_and(|waited| waited < least),
                    GiveUp::Never => true,
                };
                if early {
                    let count = self.expiries;
                    report.violation_unless_damaged(format!(
                        "gave up after {count} expiries, {waited:?}: R2 is {r2:?}"
                    ));
                }
            }
            _ => {}
        }
    }
}

const NAME: &str = "timers";

/// A time of a host as its stack has it.
fn on_stack(now: Instant) -> timewait_stack::Instant {
    timewait_stack::Instant::from_nanos(now.as_nanos())
}

fn connection_of(event: &Event) -> Option<timewait_stack::ConnectionId> {
    match event {
        Event::Opened { connection, .. }
        | Event::Transition { connection, .. }
        | Event::Timer { connection, .. }
        | Event::RttSample { connection, .. } => Some(*connection),
        Event::Segment(arrival) => arrival.connection,
        Event::Icmp(arrival) => arrival.connection,
        Event::Snapshot(snapshot) => Some(snapshot.connection),
        Event::Reopened { .. } | Event::Ready { .. } | Event::ShiftTooLarge { .. } => None,
    }
}

#[cfg(test)]
mod tests;
