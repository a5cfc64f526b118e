//! A `connect` is decided in time, and does not fail where it must succeed (RFC 9293 §3.5,
//! §3.8.3, MUST-23).
//!
//! It succeeds or fails within the handshake bound (twice that, if it came to a simultaneous
//! open). On a network that is healed and empty of old datagrams, a listener that listens all the
//! time and never turns a SYN away accepts it.

use std::collections::BTreeMap;
use timewait_sim::{Finding, Instant};
use timewait_stack::State;
use timewait_stack::event::{Drop, SegmentArrival, Verdict};

use crate::event::UserEvent;
use crate::facts::{Ending, Facts, Life};
use crate::label::{Incarnation, class};
use crate::oracle::Notes;
use crate::oracles::bounds;
use crate::oracles::report::Report;

use super::NAME;

/// The opens whose users wait.
#[derive(Debug, Default)]
pub(super) struct Opens {
    waiting: BTreeMap<Incarnation, Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    since: Instant,
    /// A SYN of it met something else than a listener with room: an older connection, TIME-WAIT,
    /// a full queue.
    turned_away: bool,
}

impl Opens {
    pub(super) fn user(&mut self, event: &UserEvent, report: &mut Report<'_>, notes: &mut Notes) {
        if let UserEvent::Connecting { .. } = event {
            let open = Open {
                since: report.now,
                turned_away: false,
            };
            self.waiting.insert(report.who, open);
            return;
        }
        let decided = matches!(
            event,
            UserEvent::Connected { .. }
                | UserEvent::Failed { .. }
                | UserEvent::Closed { .. }
                | UserEvent::Aborted { .. }
        );
        if !decided {
            return;
        }
        let Some(open) = self.waiting.remove(&report.who) else {
            return;
        };
        open.check(report);
        if let UserEvent::Failed { error, .. } = event {
            match open.excuse(report) {
                Some(name) => *notes.entry(name).or_default() += 1,
                None => report.violation(format!("connect fails by {error}, and somebody listens")),
            }
        }
    }

    /// A segment was judged: is it a SYN that is turned away?
    pub(super) fn arrived(&mut self, arrival: &SegmentArrival, facts: &Facts) {
        let Some(delivery) = facts.delivery() else {
            return;
        };
        if delivery.class & (class::OPEN | class::ECHO) != class::OPEN {
            return;
        }
        let Some(open) = self.waiting.get_mut(&delivery.tag) else {
            return;
        };
        let Some((met, state)) = delivery.received_by else {
            return;
        };
        let own_child = facts.parent_of(met) == Some(delivery.tag);
        let full = arrival.verdict == Verdict::Dropped(Drop::QueueFull);
        open.turned_away |= if state == State::Listen {
            full
        } else {
            !own_child
        };
    }

    pub(super) fn finish(&self, now: Instant, facts: &Facts, findings: &mut Vec<Finding>) {
        for (&who, open) in &self.waiting {
            // Whose host has crashed waits no more.
            let ending = facts.life(who).and_then(|life| life.end);
            if ending.is_some_and(|end| end.ending == Ending::Crashed) {
                continue;
            }
            open.check(&mut Report {
                oracle: NAME,
                who,
                now,
                facts,
                findings,
            });
        }
    }
}

impl Open {
    /// It was, or is, decided in time.
    fn check(&self, report: &mut Report<'_>) {
        let facts = report.facts;
        let config = report.config();
        let Some(bound) = config.and_then(bounds::handshake) else {
            return;
        };
        let crossed = facts
            .life(report.who)
            .is_some_and(|life| life.has_been(State::SynReceived));
        let bound = bound * if crossed { 2 } else { 1 } + TICKS;
        let waited = report.now.saturating_since(self.since);
        let latest = facts
            .circumstances()
            .over_by(report.who.host, self.since, bound);
        if report.now > latest {
            report.violation(format!(
                "connect was not decided for {waited:?}, {bound:?} at most"
            ));
        }
    }

    /// Why it may fail.
    fn excuse(&self, report: &Report<'_>) -> Option<&'static str> {
        let facts = report.facts;
        let circumstances = facts.circumstances();
        let clean = circumstances.heal_at.zip(circumstances.lifetime);
        let clean = clean.is_some_and(|(heal_at, lifetime)| self.since > heal_at + lifetime);
        if !clean || facts.drops_after_heal() > 0 {
            return Some("delivery: open before healing");
        }
        let Some(remote) = facts.life(report.who).and_then(|life| life.remote) else {
            return Some("delivery: unknown open");
        };
        let listens = |life: &&Life| {
            let there = life.local.ip() == remote.ip() || life.local.ip().is_unspecified();
            let hosts = circumstances.config(life.name.host);
            let hosts = hosts.is_some_and(|config| config.addresses.contains(&remote.ip()));
            let all_the_time = life.opened_at < self.since && life.is_alive();
            life.is_listener()
                && life.local.port() == remote.port()
                && there
                && hosts
                && all_the_time
        };
        if facts.lives().find(listens).is_none() {
            return Some("delivery: nobody listens");
        }
        self.turned_away.then_some("delivery: open turned away")
    }
}

/// What the clock's granularity may add.
const TICKS: timewait_sim::Duration = timewait_sim::Duration::from_millis(32);
