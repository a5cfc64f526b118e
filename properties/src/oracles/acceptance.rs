//! `acceptance` (inner): of every segment, whoever sent it, just that part is accepted that the
//! reference allows (RFC 9293 §3.10.7, RFC 5961, RFC 1337; ORACLES.md §1).
//!
//! - Nothing is accepted from a segment that the checks refuse or whose checksum is wrong.
//! - SND.UNA, SND.WND/WL1/WL2, RCV.NXT and RCV.UP become what §3.10.7.4 makes of them: not more and not
//!   less, and only by segments. Where the text leaves a choice, every choice passes: text out of
//!   order may be held or dropped (SHLD-31), a good ACK may have to wait for room in the accept
//!   queue, the ACK of a probe beside the window may be taken (§A.2).
//! - A new incarnation begins only by a SYN that LISTEN or TIME-WAIT may take, and starts from it; or
//!   by the acknowledgment of a SYN cookie that this host has sent (RFC 4987 §3.6).
//!
//! - TS.Recent is that of RFC 7323 §4.3, by our own count of what was sent and received; PAWS (§5.3)
//!   refuses what is older, and RFC 6191 says which SYN reopens TIME-WAIT.

use std::collections::BTreeMap;
use timewait_sim::{Finding, FindingKind, Instant, Observation};
use timewait_stack::event::SegmentArrival;
use timewait_stack::{Event, SeqNumber, State, Vars};

use super::describe::standing;
use crate::event::HostEvent;
use crate::facts::{Delivery, Facts, Life};
use crate::label::Incarnation;
use crate::oracle::Judge;
use crate::reference::Breach;

const NAME: &str = "acceptance";

/// The judge. See the module.
#[derive(Debug, Default)]
pub struct Acceptance {
    shadows: BTreeMap<Incarnation, Shadow>,
}

/// The variables that only a segment may change, as they were when last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shadow {
    iss: SeqNumber,
    irs: SeqNumber,
    snd_una: SeqNumber,
    snd_wnd: u32,
    snd_wl1: SeqNumber,
    snd_wl2: SeqNumber,
    rcv_nxt: SeqNumber,
    ts_recent: Option<u32>,
}

impl Shadow {
    fn of(vars: &Vars) -> Self {
        Self {
            iss: vars.iss,
            irs: vars.irs,
            snd_una: vars.snd_una,
            snd_wnd: vars.snd_wnd,
            snd_wl1: vars.snd_wl1,
            snd_wl2: vars.snd_wl2,
            rcv_nxt: vars.rcv_nxt,
            ts_recent: vars.ts_recent,
        }
    }
}

impl Judge for Acceptance {
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
        let mut report = |message| {
            let kind = FindingKind::Violation;
            findings.push(Finding {
                oracle: NAME,
                at: now,
                kind,
                message,
            });
        };
        match event {
            Event::Segment(arrival) => {
                if let Some(connection) = arrival.connection {
                    let name = facts.name(node, connection);
                    self.arrived(name, arrival, facts, &mut report);
                }
                if let Some(delivery) = facts.delivery() {
                    opened(delivery, arrival, facts, &mut report);
                    judge(delivery, arrival, &mut report);
                }
            }
            Event::Snapshot(snapshot) => {
                let name = facts.name(node, snapshot.connection);
                self.snapshot(name, &snapshot.vars, facts, &mut report);
            }
            Event::Transition {
                connection,
                to: State::Closed | State::TimeWait,
                ..
            } => {
                self.shadows.remove(&facts.name(node, *connection));
            }
            _ => {}
        }
    }
}

impl Acceptance {
    fn arrived(
        &mut self,
        name: Incarnation,
        arrival: &SegmentArrival,
        facts: &Facts,
        report: &mut dyn FnMut(String),
    ) {
        self.unchanged(name, &arrival.before, report);
        if is_tracked(name, arrival.after.state, facts) {
            self.shadows.insert(name, Shadow::of(&arrival.after));
        } else {
            self.shadows.remove(&name);
        }
    }

    /// At the end of a settle nothing may have changed since the last segment. The first snapshot
    /// of a passive end shows what it took from the SYN.
    fn snapshot(
        &mut self,
        name: Incarnation,
        vars: &Vars,
        facts: &Facts,
        report: &mut dyn FnMut(String),
    ) {
        if !is_tracked(name, vars.state, facts) {
            return;
        }
        self.unchanged(name, vars, report);
        let new = self.shadows.insert(name, Shadow::of(vars)).is_none();
        let Some(delivery) = facts.delivery().filter(|_| new) else {
            return;
        };
        let opened = delivery.opened == Some(name) && !is_by_cookie(delivery);
        let Some(syn) = delivery.segment().filter(|_| opened) else {
            return;
        };
        if vars.irs != syn.seq || vars.rcv_nxt != syn.seq + 1 || vars.snd_una != vars.iss {
            report(format!(
                "{name} began with IRS {}, RCV.NXT {}, SND.UNA {} and ISS {} on {delivery}",
                vars.irs, vars.rcv_nxt, vars.snd_una, vars.iss,
            ));
        }
        // Its SYN-ACK has been sent: both SYNs are known.
        let shadow = facts.life(name).map(|life| &life.shadow);
        let both = shadow.filter(|shadow| shadow.knows_both_syns());
        if let Some(shadow) = both.filter(|shadow| shadow.ts_recent() != vars.ts_recent) {
            let (shown, ts_recent) = (vars.ts_recent, shadow.ts_recent());
            report(format!(
                "{name} began with TS.Recent {shown:?}, not {ts_recent:?}, on {delivery}"
            ));
        }
    }

    fn unchanged(&self, name: Incarnation, vars: &Vars, report: &mut dyn FnMut(String)) {
        let Some(before) = self.shadows.get(&name) else {
            return;
        };
        let now = Shadow::of(vars);
        if vars.state != State::TimeWait && *before != now {
            report(format!(
                "{name} changed without a segment: {before:?} became {now:?}"
            ));
        }
    }
}

/// The incarnation that the datagram opened has received it: it was there at once, ESTABLISHED.
fn is_by_cookie(delivery: &Delivery) -> bool {
    let (Some(opened), Some((receiver, state))) = (delivery.opened, delivery.received_by) else {
        return false;
    };
    opened == receiver && state == State::Established
}

/// A listener has no variables, and a TIME-WAIT record not all of them.
fn is_tracked(name: Incarnation, state: State, facts: &Facts) -> bool {
    let without = matches!(state, State::Closed | State::Listen | State::TimeWait);
    !without && facts.life(name).is_some_and(Life::is_alive)
}

/// Whether a new incarnation might begin by this segment.
fn opened(
    delivery: &Delivery,
    arrival: &SegmentArrival,
    facts: &Facts,
    report: &mut dyn FnMut(String),
) {
    let (Some(opened), Some(outcome)) = (delivery.opened, &delivery.outcome) else {
        return;
    };
    if is_by_cookie(delivery) {
        by_cookie(opened, delivery, &arrival.before, facts, report);
    } else if !outcome.allowance.opens {
        let receiver = standing(delivery.received_by, &arrival.before);
        let why = outcome.allowance.refusal.unwrap_or("it can open nothing");
        report(format!(
            "{receiver} opened {opened} on {delivery}, but {why}"
        ));
    }
}

/// It acknowledges a cookie, and the incarnation begins with the numbers of that.
fn by_cookie(
    opened: Incarnation,
    delivery: &Delivery,
    vars: &Vars,
    facts: &Facts,
    report: &mut dyn FnMut(String),
) {
    let awaited = facts.acknowledges_cookie(delivery);
    let Some(ack) = delivery.segment().filter(|_| awaited) else {
        report(format!(
            "{opened} began on {delivery}, which acknowledges no SYN cookie"
        ));
        return;
    };
    let ts_recent = facts.life(opened).and_then(|life| life.shadow.ts_recent());
    if vars.ts_recent != ts_recent {
        let shown = vars.ts_recent;
        report(format!(
            "{opened} began with TS.Recent {shown:?}, not {ts_recent:?}, on {delivery}"
        ));
    }
    let right = vars.iss + 1 == ack.ack && vars.irs + 1 == ack.seq;
    let start = vars.snd_una == ack.ack && vars.rcv_nxt == ack.seq;
    if !right || !start {
        report(format!(
            "{opened} began with IRS {}, RCV.NXT {}, SND.UNA {} and ISS {} on {delivery}",
            vars.irs, vars.rcv_nxt, vars.snd_una, vars.iss,
        ));
    }
}

fn judge(delivery: &Delivery, arrival: &SegmentArrival, report: &mut dyn FnMut(String)) {
    let Some(outcome) = &delivery.outcome else {
        return;
    };
    let receiver = standing(delivery.received_by, &arrival.before);
    let refusal = outcome.allowance.refusal;
    match &outcome.breach {
        None => {}
        Some(Breach::Excess(what)) => {
            let why = refusal
                .map(|why| format!("; to be refused, for {why}"))
                .unwrap_or_default();
            report(format!(
                "{receiver} accepted too much of {delivery}: {what}{why}"
            ));
        }
        Some(Breach::Neglect(what)) => {
            report(format!(
                "{receiver} did not accept all of {delivery}: {what}"
            ));
        }
    }
}

#[cfg(test)]
mod tests;
