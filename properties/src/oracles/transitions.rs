//! `transitions` (inner): a connection goes only where RFC 9293 allows it, for a reason that the
//! RFC gives (figure 5 with its notes, §3.10.1 to §3.10.8; ORACLES.md §1).
//!
//! - Each transition starts where the last one ended: an active open and a listener in CLOSED, a
//!   child in LISTEN, a reopened one in TIME-WAIT.
//! - The pair of states is one of the table below, by one of its causes.
//! - A segment that moved a connection has the control bits for it, and in FIN-WAIT-1, CLOSING and
//!   LAST-ACK the ACK that moved it is that of the FIN (not ISS+1 after a close in SYN-RECEIVED).
//! - LISTEN is never consumed: the child moves. SYN-RECEIVED goes back to LISTEN only if it came
//!   from there, and to TIME-WAIT if and only if it was reopened.

mod table;

use timewait_sim::{Finding, Instant, Observation};
use timewait_stack::config::{HardErrors, SynCookies};
use timewait_stack::event::Cause;
use timewait_stack::wire::Flags;
use timewait_stack::{Event, State, Vars};

use self::table::{Evidence, evidence};
use crate::event::HostEvent;
use crate::facts::{Facts, Life, SegmentHeader, Step};
use crate::oracle::Judge;

const NAME: &str = "transitions";

/// The judge. See the module.
#[derive(Debug, Default)]
pub struct Transitions;

impl Judge for Transitions {
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
        let Observation::Node {
            node,
            event: HostEvent::Stack(event),
            ..
        } = *seen
        else {
            return;
        };
        let Event::Transition {
            connection,
            from,
            to,
            cause,
        } = event
        else {
            return;
        };
        let name = facts.name(node, *connection);
        let step = Step {
            at: now,
            from: *from,
            to: *to,
            cause: *cause,
        };
        let wrong = match facts.life(name) {
            None => Some("it was never opened".into()),
            Some(life) => judge(life, step, facts),
        };
        if let Some(why) = wrong {
            let Step {
                from, to, cause, ..
            } = step;
            let on = facts
                .delivery()
                .map(|delivery| format!(" on {delivery}"))
                .unwrap_or_default();
            let message = format!("{name} went from {from} to {to} ({cause:?}{on}): {why}");
            findings.push(Finding::violation(NAME, now, message));
        }
    }
}

/// Why this step is wrong, if it is. The facts have taken it in already.
fn judge(life: &Life, step: Step, facts: &Facts) -> Option<String> {
    let earlier = life
        .history
        .len()
        .checked_sub(2)
        .map(|index| life.history[index]);
    let was = earlier.map_or_else(|| origin(life, step), |earlier| earlier.to);
    if was != step.from {
        return Some(format!("it was in {was}"));
    }
    if earlier.is_some_and(has_ended) {
        return Some("it had ended".into());
    }
    if step.from == State::Listen && life.is_listener() && step.to != State::Closed {
        return Some("a listener stays in LISTEN (§3.10.7.2)".into());
    }
    reopened(life, step, facts).or_else(|| {
        let segment = facts.delivery().and_then(|delivery| delivery.segment());
        match evidence(step) {
            None => Some("figure 5 has no such transition by this cause".into()),
            Some(Evidence::HardError) => hard_error(life, step, facts),
            Some(evidence) => {
                let config = facts.circumstances().config(life.name.host);
                let cookies = config.is_none_or(|config| config.syn_cookies != SynCookies::Off);
                missing(evidence, life, cookies, segment)
            }
        }
    })
}

/// The incarnation ended with this step.
fn has_ended(step: Step) -> bool {
    let returned = step.from == State::SynReceived;
    step.to == State::Closed || returned && matches!(step.to, State::Listen | State::TimeWait)
}

/// Where a life begins: a listener and an active open in CLOSED, what a SYN makes where the SYN
/// arrived.
fn origin(life: &Life, step: Step) -> State {
    match step.cause {
        Cause::Segment if life.reopened_from.is_some() => State::TimeWait,
        Cause::Segment if !life.is_listener() => State::Listen,
        _ => State::Closed,
    }
}

/// RFC 9293 §3.6.1, MAY-2 (2): only what was reopened returns to TIME-WAIT, and it must, as long
/// as the TIME-WAIT that it goes back to is not over.
fn reopened(life: &Life, step: Step, facts: &Facts) -> Option<String> {
    if step.from != State::SynReceived {
        return None;
    }
    let ends_unproved = matches!(step.to, State::Listen | State::Closed);
    match life.reopened_from {
        None if step.to == State::TimeWait => Some("it was never in TIME-WAIT".into()),
        Some(old) if ends_unproved => {
            let until = facts
                .time_wait_until(old)
                .filter(|until| step.at < *until)?;
            let seconds = crate::facts::Seconds(until);
            Some(format!(
                "its SYN was not proved: back to TIME-WAIT, which lasts until {seconds}"
            ))
        }
        _ => None,
    }
}

/// What is missing for the step, of what its cause must bring along.
fn missing(
    evidence: Evidence,
    life: &Life,
    cookies: bool,
    segment: Option<&SegmentHeader>,
) -> Option<String> {
    let vars = life.vars.as_deref();
    let has = |flags: Flags| segment.is_some_and(|segment| segment.has(flags));
    let reset = has(Flags::RST);
    let lost_text = || {
        let orphan = vars.is_none_or(|vars| vars.orphan) || life.user.closed_at.is_some();
        orphan && segment.is_some_and(|segment| segment.text_len > 0)
    };
    let (fine, what) = match evidence {
        Evidence::None | Evidence::HardError => (true, ""),
        Evidence::Syn => (has(Flags::SYN) && !has(Flags::ACK) && !reset, "a bare SYN"),
        Evidence::SynAck => (has(Flags::SYN | Flags::ACK) && !reset, "a SYN-ACK"),
        Evidence::Ack => (has(Flags::ACK) && !reset, "an ACK"),
        Evidence::FinAcked => (fin_acked(vars, segment), "an ACK of the FIN"),
        Evidence::Cookie => (
            cookies && has(Flags::ACK) && !reset && !has(Flags::SYN),
            "SYN cookies, and an ACK",
        ),
        Evidence::PassiveCookie => (
            cookies && is_passive(life) && has(Flags::ACK) && !reset && !has(Flags::SYN),
            "a passive open, SYN cookies, and an ACK",
        ),
        Evidence::Reset => (reset, "a RST"),
        Evidence::ResetOrSyn => (reset || has(Flags::SYN), "a RST or a SYN"),
        Evidence::ResetOrLostText => (reset || lost_text(), "a RST, or text for a gone user"),
        Evidence::ResetOrFinAcked => (reset || fin_acked(vars, segment), "a RST or ACK of the FIN"),
        Evidence::Closed => (
            life.user.write_shut_at.is_some(),
            "an earlier close by the user",
        ),
        Evidence::Passive => (is_passive(life), "a passive open"),
        Evidence::PassiveResetOrSyn => (
            is_passive(life) && (reset || has(Flags::SYN)),
            "a passive open, and a RST or a SYN",
        ),
    };
    (!fine).then(|| format!("that takes {what}"))
}

/// An ICMP error ends a connection that is opening, or any, as the profile of its host says; in
/// the others' eyes it is no stranger's business (RFC 9293 §3.9.2.2, SHLD-26; RFC 5461 §2.1).
fn hard_error(life: &Life, step: Step, facts: &Facts) -> Option<String> {
    let profile = facts.circumstances().config(life.name.host)?.hard_errors;
    let opening = matches!(step.from, State::SynSent | State::SynReceived);
    let may = profile == HardErrors::Abort || profile == HardErrors::FailOpen && opening;
    let came = facts
        .delivery()
        .is_some_and(|delivery| delivery.header.is_none());
    (!may || !came).then(|| format!("that takes a hard error of ICMP, and {profile:?}"))
}

/// It came from LISTEN, or out of TIME-WAIT (MUST-11).
fn is_passive(life: &Life) -> bool {
    life.history
        .first()
        .is_some_and(|step| step.from != State::Closed)
}

/// The segment acknowledges the FIN, the last thing that was sent. Without variables: unknown, so
/// it may.
fn fin_acked(vars: Option<&Vars>, segment: Option<&SegmentHeader>) -> bool {
    segment.is_some_and(|segment| {
        let last = vars.is_none_or(|vars| vars.fin_sent && segment.ack == vars.snd_nxt);
        segment.has(Flags::ACK) && !segment.has(Flags::RST) && last
    })
}

#[cfg(test)]
mod tests;
