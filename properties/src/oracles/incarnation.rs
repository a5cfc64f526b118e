//! `incarnation` (inner): no old duplicate is accepted by a later one (ORACLES.md §1; RFC 9293
//! §3.4.1, §3.5, §3.6.1; RFC 1337). For every datagram that is old where it arrives:
//!
//! - (a) accepted though the reference refuses it: a violation, whatever else is wrong.
//! - (b) accepted, and the reference agrees: a violation if all assumptions hold, else a hazard
//!   named after the first that is broken (see `assumptions.rs`).
//! - (c) An end leaves SYN-SENT or SYN-RECEIVED for ESTABLISHED, or has its SYN acknowledged, only
//!   by a segment of the end it is paired with; judged like (a) and (b). A SYN cookie is nobody's,
//!   so whoever sent the SYN it answers may take it; who comes out of LISTEN by one must do so by a
//!   segment of its pair.
//! - (d) Octets and the end of file that a user gets, and octets newly acknowledged, come from the
//!   pair. Acknowledgment is acceptance, so (b) sees it; octets that came in with something old
//!   are recognised by their content when the user gets them.
//!
//! Silent, because correct stacks do it: an old SYN taken by LISTEN or TIME-WAIT, to be disproved
//! by the handshake (RFC 9293 figures 8 and 11, §3.6.1), or by another old SYN; an old bare SYN
//! taken in SYN-SENT for a simultaneous open. If the true peer then establishes that connection, it is `crossed SYN`.

mod assumptions;
mod suspects;

use timewait_sim::{Finding, FindingKind, Instant, Observation};
use timewait_stack::event::SegmentArrival;
use timewait_stack::wire::Flags;
use timewait_stack::{Event, State, Vars};

use self::suspects::Suspects;
use super::describe::standing;
use crate::event::HostEvent;
use crate::facts::{Delivery, Facts, Life, Outcome, Seconds};
use crate::label::Incarnation;
use crate::oracle::Judge;
use crate::reference::{Breach, changes};

const NAME: &str = "incarnation";

/// The hazard of an old SYN that crossed a new one.
const CROSSED_SYN: &str = "crossed SYN";

/// The judge. See the module.
#[derive(Debug, Default)]
pub struct OldDuplicates {
    suspects: Suspects,
}

impl Judge for OldDuplicates {
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
        match event {
            HostEvent::Stack(Event::Segment(arrival)) => {
                if let Some(finding) = self.arrived(now, arrival, facts) {
                    findings.push(finding);
                }
            }
            HostEvent::User(event) => self.suspects.user(now, node, event, facts, findings),
            _ => {}
        }
    }
}

impl OldDuplicates {
    fn arrived(
        &mut self,
        now: Instant,
        arrival: &SegmentArrival,
        facts: &Facts,
    ) -> Option<Finding> {
        let delivery = facts.delivery()?;
        let (f, _) = delivery.received_by?;
        let outcome = delivery.outcome.as_ref()?;
        let (before, after) = (&arrival.before, &arrival.after);
        let established =
            proves(before, after) && !facts.paired(delivery.tag, f) && !is_own_cookie(delivery);
        let legal = crosses(before, after) || ends_a_ghost(facts, f, before, after);
        let accepted = delivery.old && outcome.accepted && !legal;
        let rebuilt = delivery.old && is_rebuilt(facts, delivery);
        if !established && !accepted && !rebuilt {
            return None;
        }
        let kind = if established && is_true_peer(facts, delivery, f) {
            FindingKind::Hazard(CROSSED_SYN)
        } else {
            verdict(facts, delivery, outcome, f)
        };
        if accepted {
            self.suspects.add(f, delivery, kind.clone());
        }
        let what = if established || rebuilt {
            "is established by"
        } else {
            "accepted"
        };
        let receiver = standing(delivery.received_by, before);
        let message = format!(
            "{receiver} {what} an old datagram: {delivery}; {}; changed: {}{}",
            histories(facts, delivery.tag, f),
            changes(before, after),
            reason(outcome, &kind),
        );
        Some(Finding {
            oracle: NAME,
            at: now,
            kind,
            message,
        })
    }
}

/// (a) and (b).
fn verdict(facts: &Facts, p: &Delivery, outcome: &Outcome, f: Incarnation) -> FindingKind {
    if matches!(outcome.breach, Some(Breach::Excess(_))) {
        return FindingKind::Violation;
    }
    let broken = assumptions::first_broken(facts, p, f);
    broken.map_or(FindingKind::Violation, FindingKind::Hazard)
}

/// The segment proves the connection: it takes it out of SYN-SENT or SYN-RECEIVED, or it
/// acknowledges the SYN of one that was closed meanwhile (FIN-WAIT-1 from SYN-RECEIVED).
fn proves(before: &Vars, after: &Vars) -> bool {
    let half_open = matches!(before.state, State::SynSent | State::SynReceived);
    let returned = before.state == State::SynReceived && after.state == State::TimeWait;
    let acknowledged = before.snd_una == before.iss && after.snd_una != before.iss;
    let left = half_open && after.state.is_synchronized() && !returned;
    left || acknowledged && before.state == State::FinWait1 && after.state != State::Closed
}

/// A SYN cookie that answers the SYN of whom it has reached: it pairs with nobody yet, and is as
/// good as the SYN-ACK of a listener that remembers (ORACLES.md §0).
fn is_own_cookie(p: &Delivery) -> bool {
    let syn_ack = p
        .header
        .is_some_and(|header| header.has(Flags::SYN | Flags::ACK));
    p.is_echo() && syn_ack && !p.old
}

/// The segment has made a connection out of a SYN cookie. An old one makes a dead connection anew.
fn is_rebuilt(facts: &Facts, p: &Delivery) -> bool {
    let made = p.opened.and_then(|made| facts.life(made));
    made.is_some_and(Life::is_by_cookie)
}

/// A bare SYN in SYN-SENT: nobody can tell that it is old.
fn crosses(before: &Vars, after: &Vars) -> bool {
    before.state == State::SynSent && after.state == State::SynReceived
}

/// `f` was itself made by an old SYN and never proved: whatever ends it does good.
fn ends_a_ghost(facts: &Facts, f: Incarnation, before: &Vars, after: &Vars) -> bool {
    let real = facts
        .parent_of(f)
        .is_some_and(|parent| facts.is_current(parent, f, State::SynReceived));
    let over = matches!(after.state, State::Closed | State::Listen | State::TimeWait);
    before.state == State::SynReceived && over && !real
}

/// `f` has taken an old SYN for a simultaneous open, and this segment comes from the end that
/// answers the SYN of `f`.
fn is_true_peer(facts: &Facts, p: &Delivery, f: Incarnation) -> bool {
    let was_active = facts
        .life(f)
        .is_some_and(|life| life.has_been(State::SynSent));
    was_active && !p.is_echo() && facts.parent_of(p.tag) == Some(f)
}

/// What became of the sender, of its pair, and of the receiver.
fn histories(facts: &Facts, sender: Incarnation, receiver: Incarnation) -> String {
    let mut told: Vec<Incarnation> = Vec::new();
    for of in [Some(sender), facts.pair_of(sender), Some(receiver)]
        .into_iter()
        .flatten()
    {
        if !told.contains(&of) {
            told.push(of);
        }
    }
    let words: Vec<String> = told.into_iter().map(|of| history(facts, of)).collect();
    words.join("; ")
}

/// What became of an incarnation, as far as it bears on the verdict.
fn history(facts: &Facts, of: Incarnation) -> String {
    let Some(life) = facts.life(of) else {
        return format!("{of} is unknown");
    };
    let pair = life
        .parent
        .map(|pair| format!(" with {pair}"))
        .unwrap_or_default();
    let opened = format!("{of}{pair} began at {}", Seconds(life.opened_at));
    let waited = life
        .time_wait_at
        .map(|at| format!(", entered TIME-WAIT at {}", Seconds(at)))
        .unwrap_or_default();
    format!("{opened}{waited}{}", ended(life))
}

fn ended(life: &Life) -> String {
    match life.end {
        Some(end) => format!(", ended at {} ({:?})", Seconds(end.at), end.ending),
        None => format!(", is in {}", life.state),
    }
}

fn reason(outcome: &Outcome, kind: &FindingKind) -> String {
    match (&outcome.breach, kind) {
        (Some(Breach::Excess(what)), _) => format!("; the checks allow no such thing: {what}"),
        (_, FindingKind::Violation) => "; every assumption holds".into(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
