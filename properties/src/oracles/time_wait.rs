//! `time-wait` (inner): TIME-WAIT lasts as long as it must and no longer (RFC 9293 §3.6.1, MUST-13,
//! MAY-2, §3.10.7.4, §3.10.8; RFC 1337; ORACLES.md §1).
//!
//! - It ends by its timer, not before 2MSL after its entry and after each copy of the peer's FIN,
//!   and not later than 2MSL, and a tick, after the last segment that it answered. (Table 6, read
//!   literally, would drop that copy before the eighth check restarts the clock: the restart is
//!   meant.)
//! - Sooner only by ABORT, by a full table, or when it was reopened and the new incarnation is
//!   proved. Never by a RST.
//! - It is reopened only by a SYN that RFC 6191 §2 takes for new: by a timestamp later than the last
//!   seen, by the first timestamp at all, or, where these tell nothing, by an ISN beyond RCV.NXT; and
//!   with an ISS beyond the old SND.NXT. If that SYN is not proved, TIME-WAIT goes on, and the first
//!   rule holds as if nothing had happened.
//! - A copy of the FIN that PAWS stops (RFC 7323 §5.3) restarts nothing.

use std::collections::BTreeMap;
use timewait_sim::{Duration, Finding, Instant, Observation, Packet};
use timewait_stack::event::{Call, Cause, Timer};
use timewait_stack::{Event, State};

use crate::event::HostEvent;
use crate::facts::{Facts, Life, Seconds};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;

const NAME: &str = "time-wait";

/// The judge. See the module.
#[derive(Debug, Default)]
pub struct TimeWait {
    /// When each one in TIME-WAIT last answered a segment or got its TIME-WAIT back.
    touched: BTreeMap<Incarnation, Instant>,
    /// Reopened ones that have not sent their SYN-ACK yet.
    unnumbered: Vec<Incarnation>,
}

impl Judge for TimeWait {
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
        let wrong = match *seen {
            Observation::Sent { packet, .. } => self.sent(now, packet, facts),
            Observation::Node {
                node,
                event: HostEvent::Stack(event),
                ..
            } => match event {
                Event::Reopened { old, new } => {
                    self.reopened(now, facts.name(node, *old), facts.name(node, *new), facts)
                }
                Event::Transition {
                    connection,
                    from,
                    to,
                    cause,
                } => {
                    let name = facts.name(node, *connection);
                    self.moved(now, name, (*from, *to), *cause, facts)
                }
                _ => None,
            },
            _ => None,
        };
        findings.extend(wrong.map(|message| Finding::violation(NAME, now, message)));
    }

    fn finish(&mut self, now: Instant, facts: &Facts, findings: &mut Vec<Finding>) {
        for (&name, &touched) in &self.touched {
            let Some(life) = facts.life(name) else {
                continue;
            };
            let waits = life.state == State::TimeWait && life.reopened_by.is_none();
            let late = latest(facts, life, touched).filter(|latest| waits && now > *latest);
            findings.extend(late.map(|latest| {
                let latest = Seconds(latest);
                Finding::violation(
                    NAME,
                    now,
                    format!("{name} is still in TIME-WAIT, due to end by {latest}"),
                )
            }));
        }
    }
}

impl TimeWait {
    /// A segment leaves one in TIME-WAIT, or is the SYN-ACK of a reopened one.
    fn sent(&mut self, now: Instant, packet: &Packet, facts: &Facts) -> Option<String> {
        if self.touched.is_empty() || packet.class & class::ECHO != 0 {
            return None;
        }
        let sender = Incarnation::from_tag(packet.tag);
        if let Some(touched) = self.touched.get_mut(&sender) {
            *touched = now;
        }
        let index = self.unnumbered.iter().position(|new| *new == sender)?;
        self.unnumbered.swap_remove(index);
        let iss = facts.segment_sent()?.seq;
        let old = facts.life(facts.life(sender)?.reopened_from?)?;
        let highest = old.vars.as_ref()?.snd_nxt;
        (!iss.after(highest)).then(|| {
            format!(
                "{sender} reopened {} with ISS {iss}, not beyond its SND.NXT {highest}",
                old.name
            )
        })
    }

    fn reopened(
        &mut self,
        now: Instant,
        old: Incarnation,
        new: Incarnation,
        facts: &Facts,
    ) -> Option<String> {
        self.unnumbered.push(new);
        let delivery = facts.delivery()?;
        let life = facts.life(old)?;
        let rcv_nxt = life.vars.as_ref()?.rcv_nxt;
        let shown = facts.circumstances().clock(old.host).shows(now);
        let may = |syn| life.shadow.may_reopen(rcv_nxt, syn, shown);
        (!delivery.segment().is_some_and(may)).then(|| {
            let stamps = match (life.shadow.ts_recent(), delivery.header?.timestamps) {
                (Some(recent), Some((value, _))) => format!(", TS.Recent {recent}, TSval {value}"),
                _ => String::new(),
            };
            Some(format!(
                "{old} was reopened, as {new}, not beyond its RCV.NXT {rcv_nxt}{stamps}, by {delivery}"
            ))
        })?
    }

    fn moved(
        &mut self,
        now: Instant,
        name: Incarnation,
        (from, to): (State, State),
        cause: Cause,
        facts: &Facts,
    ) -> Option<String> {
        let life = facts.life(name)?;
        match (from, to) {
            (State::TimeWait, State::Closed) => {
                let touched = self.touched.remove(&name);
                ended(now, life, cause, touched, facts)
            }
            (State::SynReceived, _) => self.proved_or_not(now, life, to, facts),
            (_, State::TimeWait) => {
                self.touched.insert(name, now);
                None
            }
            _ => None,
        }
    }

    /// What was reopened leaves SYN-RECEIVED: if not for a synchronized state, then back to
    /// TIME-WAIT.
    fn proved_or_not(
        &mut self,
        now: Instant,
        life: &Life,
        to: State,
        facts: &Facts,
    ) -> Option<String> {
        let old = life.reopened_from?;
        self.unnumbered.retain(|new| *new != life.name);
        if to == State::TimeWait {
            self.touched.insert(old, now);
            return None;
        }
        if to.is_synchronized() {
            return None;
        }
        self.touched.remove(&old);
        let until = facts.time_wait_until(old).filter(|until| now < *until)?;
        let (name, until) = (life.name, Seconds(until));
        Some(format!(
            "{name} failed and did not return {old} to TIME-WAIT, due until {until}"
        ))
    }
}

/// Why TIME-WAIT may not end like this, if so.
fn ended(
    now: Instant,
    life: &Life,
    cause: Cause,
    touched: Option<Instant>,
    facts: &Facts,
) -> Option<String> {
    let name = life.name;
    match cause {
        Cause::Timer(Timer::TimeWait) => {
            if let Some(until) = facts.time_wait_until(name).filter(|until| now < *until) {
                let until = Seconds(until);
                return Some(format!(
                    "{name} left TIME-WAIT before 2MSL were over at {until}"
                ));
            }
            let late = latest(facts, life, touched?).filter(|latest| now > *latest)?;
            Some(format!(
                "{name} left TIME-WAIT later than 2MSL, due by {}",
                Seconds(late)
            ))
        }
        Cause::Replaced => match life.reopened_by.and_then(|new| facts.life(new)) {
            Some(new) if new.state.is_synchronized() => None,
            Some(new) => Some(format!(
                "{name} gave way to {}, which is not proved",
                new.name
            )),
            None => {
                let limit = facts.circumstances().config(name.host)?.time_wait_max;
                let full = facts.time_waits(name.host).saturating_add(1) >= limit;
                (!full).then(|| format!("{name} was pushed out of a TIME-WAIT table with room"))
            }
        },
        Cause::User(Call::Abort) => None,
        Cause::User(_) | Cause::Segment | Cause::Icmp | Cause::Timer(_) => Some(format!(
            "{name} left TIME-WAIT by {cause:?}, which must not end it"
        )),
    }
}

/// The latest end: 2MSL and a tick after entry, the last FIN, and the last answer.
fn latest(facts: &Facts, life: &Life, touched: Instant) -> Option<Instant> {
    let since = touched.max(life.time_wait_at?).max(life.fin_taken_at?);
    let slack = facts
        .circumstances()
        .config(life.name.host)?
        .rto
        .granularity;
    let host = life.name.host;
    let time = facts.two_msl(host)? + slack.max(Duration::from_nanos(1));
    let circumstances = facts.circumstances();
    let at = circumstances.clock(host).after(since, time);
    Some(circumstances.awake(host, at))
}

#[cfg(test)]
mod tests;
