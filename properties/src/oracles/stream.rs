//! `stream` \[I+W\]: the reliable, ordered octet stream (RFC 9293 §2.2, §3.10.3, MUST-12).
//!
//! - What `recv` returns is a prefix of what `send` of the *paired* end took, octet by octet.
//!   Content is a function of sender and offset, so equal octets can't hide a swap.
//! - End of file comes after exactly the octets before the peer's FIN, once the FIN was taken;
//!   after a RST comes an error. A user that has shut its own reading side reads it too.
//! - \[W\] Whatever a connection sends under one sequence number, first or again, is the octet
//!   its user gave it there, and its FIN has one place. The garbage octet that a keepalive probe
//!   may carry at SND.NXT-1 is excepted (MAY-6).
//!
//! Octets lost on the way to a user that reads and does not abort are `delivery`'s matter. Urgent
//! octets are read in line (RFC 6093 §6), so none is missing here.

use std::collections::BTreeMap;
use timewait_sim::{Cause, Finding, Instant, Observation, Packet};
use timewait_stack::SeqNumber;
use timewait_stack::wire::Flags;

use crate::content::first_difference;
use crate::event::{HostEvent, UserEvent};
use crate::facts::{Facts, Life, SegmentHeader, connection_of};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;
use crate::oracles::report::Report;

/// The oracle `stream`.
#[derive(Debug, Default)]
pub struct Stream {
    writers: BTreeMap<Incarnation, Writer>,
}

/// What an incarnation has sent so far.
#[derive(Clone, Copy, Debug)]
struct Writer {
    iss: SeqNumber,
    /// The offset after the last octet of text sent.
    sent_to: u64,
    /// The offset at which its FIN stands.
    fin_at: Option<u64>,
}

impl Judge for Stream {
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
            Observation::Sent { cause, packet } if packet.class & class::ECHO == 0 => {
                let who = Incarnation::from_tag(packet.tag);
                let mut report = Report {
                    oracle: NAME,
                    who,
                    now,
                    facts,
                    findings,
                };
                self.sent(cause, packet, &mut report);
            }
            Observation::Node {
                node,
                event: HostEvent::User(event),
                ..
            } => {
                let Some(connection) = connection_of(event) else {
                    return;
                };
                let who = facts.name(node, connection);
                let mut report = Report {
                    oracle: NAME,
                    who,
                    now,
                    facts,
                    findings,
                };
                match event {
                    UserEvent::Received { offset, octets, .. } => {
                        received(*offset, octets, &mut report);
                    }
                    UserEvent::EndOfFile { offset, .. } => self.end_of_file(*offset, &mut report),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

impl Stream {
    fn sent(&mut self, cause: Cause, packet: &Packet, report: &mut Report<'_>) {
        let octets = packet.payload.octets();
        let Some(header) = report.facts.segment_sent() else {
            return;
        };
        if !self.writers.contains_key(&report.who)
            && let Some(iss) = first_number(&header, report)
        {
            let fresh = Writer {
                iss,
                sent_to: 0,
                fin_at: None,
            };
            self.writers.insert(report.who, fresh);
        }
        let Some(writer) = self.writers.get_mut(&report.who) else {
            return;
        };
        let text = &octets[usize::from(header.text_start)..];
        let Some(offset) = writer.offset_of(header.text_seq()) else {
            if !text.is_empty() && !is_keepalive(cause, -1, text, writer) {
                report.violation(format!("{header} carries text before its first octet"));
            }
            return;
        };
        if !text.is_empty()
            && let Some(wrong) = writer.wrong_text(cause, offset, text, report)
        {
            report.violation(format!("{header}: {wrong}"));
        }
        if header.has(Flags::FIN)
            && let Some(wrong) = writer.wrong_fin(offset + text.len() as u64, report)
        {
            report.violation(format!("{header}: {wrong}"));
        }
    }

    fn end_of_file(&self, offset: u64, report: &mut Report<'_>) {
        let Some(life) = report.facts.life(report.who) else {
            return;
        };
        if life.user.read_shut_at.is_some() {
            return;
        }
        if life.fin_taken_at.is_none() {
            let end = life.end.map(|end| end.ending);
            report.violation(format!(
                "end of file after {offset} octets, but no FIN was taken (ended: {end:?})"
            ));
            return;
        }
        let Some(pair) = report.facts.pair_of(report.who) else {
            report.violation("end of file, but nobody is at the other end");
            return;
        };
        let fin_at = self.writers.get(&pair).and_then(|writer| writer.fin_at);
        if fin_at != Some(offset) {
            let place = fin_at.map_or("nowhere".to_owned(), |at| format!("after {at}"));
            report.violation(format!(
                "end of file after {offset} octets, the FIN of {pair} stands {place}"
            ));
        }
    }
}

/// The ISS of who sends its first segment: its SYN, unless a SYN cookie has been that.
fn first_number(segment: &SegmentHeader, report: &Report<'_>) -> Option<SeqNumber> {
    if segment.has(Flags::SYN) {
        return Some(segment.seq);
    }
    let life = report.facts.life(report.who);
    let vars = life.filter(|life| life.is_by_cookie())?.vars.as_ref()?;
    Some(vars.iss)
}

impl Writer {
    /// The stream offset of a sequence number, by its distance from what was sent last; `None`
    /// before the first octet.
    fn offset_of(&self, seq: SeqNumber) -> Option<u64> {
        let next = self.iss + 1 + self.sent_to as u32;
        if seq.at_or_after(next) {
            Some(self.sent_to + u64::from(seq - next))
        } else {
            self.sent_to.checked_sub(u64::from(next - seq))
        }
    }

    fn wrong_text(
        &mut self,
        cause: Cause,
        offset: u64,
        text: &[u8],
        report: &Report<'_>,
    ) -> Option<String> {
        let end = offset + text.len() as u64;
        let difference = first_difference(report.who, offset, text);
        if difference.is_some() && is_keepalive(cause, offset as i64, text, self) {
            return None;
        }
        if let Some(index) = difference {
            let at = offset + index as u64;
            return Some(format!("octet {at} is not the one its user gave"));
        }
        let given = report
            .facts
            .life(report.who)
            .map_or(0, |life| life.user.octets_sent);
        if end > given {
            return Some(format!("octets up to {end}, its user gave {given}"));
        }
        if self.fin_at.is_some_and(|fin_at| end > fin_at) {
            return Some(format!(
                "octets up to {end} after a FIN at {:?}",
                self.fin_at
            ));
        }
        self.sent_to = self.sent_to.max(end);
        None
    }

    fn wrong_fin(&mut self, at: u64, report: &Report<'_>) -> Option<String> {
        if let Some(before) = self.fin_at.filter(|&before| before != at) {
            return Some(format!("a FIN at {at}, another one stood at {before}"));
        }
        self.fin_at = Some(at);
        let user = report.facts.life(report.who)?.user;
        if user.write_shut_at.is_none() {
            return Some("a FIN, but its user has not closed".to_owned());
        }
        let given = user.octets_sent;
        (at != given).then(|| format!("a FIN after {at} octets, its user gave {given}"))
    }
}

/// MAY-6: one octet at SND.NXT-1, an octet or the FIN, acknowledged long ago; it may be anything.
fn is_keepalive(cause: Cause, offset: i64, text: &[u8], writer: &Writer) -> bool {
    let sent_to = writer.sent_to + u64::from(writer.fin_at.is_some());
    cause == Cause::Timer && text.len() == 1 && offset + 1 == sent_to as i64
}

fn received(offset: u64, octets: &[u8], report: &mut Report<'_>) {
    let Some(life) = report.facts.life(report.who) else {
        return;
    };
    let end = offset + octets.len() as u64;
    if end != life.user.octets_received {
        let received = life.user.octets_received;
        report.violation(format!("octets {offset}..{end} make {received} received"));
    }
    if life.user.end_of_file_at.is_some() && life.user.read_shut_at.is_none() {
        report.violation(format!("octets {offset}..{end} after the end of file"));
    }
    let Some(pair) = report.facts.pair_of(report.who) else {
        report.violation(format!(
            "octets {offset}..{end}, but nobody is at the other end"
        ));
        return;
    };
    if let Some(index) = first_difference(pair, offset, octets) {
        let origin = origin(offset, octets, index, report.facts);
        let at = offset + index as u64;
        report.violation(format!(
            "octet {at} is not the one that {pair} sent there{origin}"
        ));
        return;
    }
    let given = report
        .facts
        .life(pair)
        .map_or(0, |life| life.user.octets_sent);
    if end > given {
        report.violation(format!(
            "octets up to {end}, the user of {pair} gave {given}"
        ));
    }
}

/// Whose octets they are at this place, if anybody's: for the message.
fn origin(offset: u64, octets: &[u8], index: usize, facts: &Facts) -> String {
    let rest = &octets[index..];
    let sample = &rest[..rest.len().min(16)];
    let at = offset + index as u64;
    let sent_it = |life: &&Life| first_difference(life.name, at, sample).is_none();
    facts
        .lives()
        .find(sent_it)
        .map_or(String::new(), |life| format!(", but {} did", life.name))
}

const NAME: &str = "stream";

#[cfg(test)]
mod tests;
