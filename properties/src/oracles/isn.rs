//! `isn` \[I\]: initial sequence numbers follow the clock of their tuple (RFC 9293 §3.4.1, MUST-8,
//! §3.6.1, MAY-2; RFC 6528 §3).
//!
//! - Same boot, host and tuple: ISS₂ − ISS₁ is what the 4 us clock has ticked in between, within one
//!   tick, and one more for each open of that host in between, as some stacks count them.
//! - Out of TIME-WAIT it is that or more, and beyond everything the old incarnation sent: SND.NXT.
//!
//! Nothing else is promised: an incarnation that sends more than 250 kB/s outruns the clock, and
//! then only TIME-WAIT keeps the next one from its numbers. Exempt are a reboot, which may start
//! another clock with another secret, and the number in a SYN cookie, which nobody owns.
//!
//! Whether the numbers of *different* tuples say anything about each other (MUST-9, SHLD-1) no
//! single pair of them shows: that is for [`unrelated`], a statistic for tests.

mod statistic;

use core::net::SocketAddr;
use std::collections::BTreeMap;
use timewait_sim::{Duration, Finding, Instant, NodeId, Observation, Packet};
use timewait_stack::{Event, SeqNumber};

use crate::event::HostEvent;
use crate::facts::{Facts, Life};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;
use crate::oracles::report::Report;

pub use self::statistic::unrelated;

const NAME: &str = "isn";
/// RFC 9293 §3.4.1: the clock ticks "roughly every 4 microseconds"; RFC 6528 §3 says 4.
const TICK: Duration = Duration::from_micros(4);

/// The oracle `isn`.
#[derive(Debug, Default)]
pub struct InitialNumbers {
    /// Of each tuple of each boot of each host, the last number that the clock gave.
    clocks: BTreeMap<Tuple, Reading>,
    /// Opens of each host so far.
    opens: BTreeMap<NodeId, u32>,
    /// Incarnations that have not sent their SYN yet, and the opens of their host up to them.
    unnumbered: BTreeMap<Incarnation, u32>,
}

/// Host, boot, local and remote end.
type Tuple = (NodeId, u8, SocketAddr, SocketAddr);

/// What the clock of a tuple showed.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    iss: SeqNumber,
    /// Opens of the host up to then.
    opens: u32,
}

impl Judge for InitialNumbers {
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
            Observation::Node {
                node,
                event:
                    HostEvent::Stack(Event::Opened {
                        connection, remote, ..
                    }),
                ..
            } if remote.is_some() => {
                let opens = self.opens.entry(node).or_default();
                *opens += 1;
                self.unnumbered
                    .insert(facts.name(node, *connection), *opens);
            }
            Observation::Sent { packet, .. } if is_first_kind(packet) => {
                let who = Incarnation::from_tag(packet.tag);
                let wrong = self
                    .unnumbered
                    .remove(&who)
                    .and_then(|opens| self.numbered(who, opens, facts));
                if let Some(wrong) = wrong {
                    let mut report = Report {
                        oracle: NAME,
                        who,
                        now,
                        facts,
                        findings,
                    };
                    report.violation_unless_damaged(wrong);
                }
            }
            _ => {}
        }
    }
}

/// A SYN that carries the number of whoever sends it; a cookie has none.
fn is_first_kind(packet: &Packet) -> bool {
    packet.class & (class::OPEN | class::SYN_ACK) != 0 && packet.class & class::ECHO == 0
}

impl InitialNumbers {
    /// `who` has shown its ISS. Returns what is wrong with it.
    fn numbered(&mut self, who: Incarnation, opens: u32, facts: &Facts) -> Option<String> {
        let life = facts.life(who)?;
        let iss = facts.segment_sent()?.seq;
        let tuple = (who.host, who.boot, life.local, life.remote?);
        let reading = Reading {
            at: facts.circumstances().clock(who.host).shows(life.opened_at),
            iss,
            opens,
        };
        if let Some(old) = life.reopened_from.and_then(|old| facts.life(old)) {
            let before = self.clocks.get(&tuple);
            return not_beyond(iss, old)
                .or_else(|| before.and_then(|before| reading.not_reached(before)));
        }
        let before = self.clocks.insert(tuple, reading)?;
        reading.off(&before)
    }
}

impl Reading {
    /// By how much the number is ahead of what the clock has ticked since `before`.
    fn ahead(&self, before: &Self) -> i32 {
        let passed = self.at.saturating_since(before.at);
        let ticks = (passed.as_nanos() / TICK.as_nanos()) as u32;
        (self.iss.0.wrapping_sub(before.iss.0).wrapping_sub(ticks)) as i32
    }

    /// It is not what the clock gives.
    fn off(&self, before: &Self) -> Option<String> {
        let ahead = self.ahead(before);
        let opens = self.opens - before.opens;
        let most = i64::from(opens) + 1;
        (i64::from(ahead) < -1 || i64::from(ahead) > most).then(|| {
            format!(
                "its ISS {} is {ahead} ahead of the clock, which gave {} {:?} and {opens} opens ago",
                self.iss,
                before.iss,
                self.at.saturating_since(before.at)
            )
        })
    }

    /// It is less than what the clock gives: a reopened one may have more. The sign means
    /// something while the clock has not gone round half.
    fn not_reached(&self, before: &Self) -> Option<String> {
        let passed = self.at.saturating_since(before.at);
        let half_round = TICK * (1 << 31);
        let behind = self.ahead(before) < -1 && passed < half_round;
        behind.then(|| {
            format!(
                "reopened with ISS {}, behind the clock, which gave {} {passed:?} ago",
                self.iss, before.iss
            )
        })
    }
}

/// The number of a reopened one is not beyond what the `old` one used.
fn not_beyond(iss: SeqNumber, old: &Life) -> Option<String> {
    let highest = old.vars.as_ref()?.snd_nxt;
    (!iss.after(highest)).then(|| {
        format!(
            "it reopened {} with ISS {iss}, not beyond its SND.NXT {highest}",
            old.name
        )
    })
}

#[cfg(test)]
mod tests;
