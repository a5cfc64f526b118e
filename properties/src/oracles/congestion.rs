//! `congestion` \[I+W\]: nobody sends more than the network is known to carry (RFC 5681, 6582,
//! 3042, 3465).
//!
//! - Each time new text leaves, what is in flight is at most cwnd; at most two segments more after
//!   the first two duplicate ACKs (limited transmit). A bare FIN and the octet that probes a zero
//!   window are free.
//! - cwnd itself stays within an envelope that is kept here, from what was sent, acknowledged and
//!   timed out: it begins with the initial window, or with one segment if a SYN
//!   was lost (R5681-01); grows for each ACK of new octets by at most L segments below ssthresh
//!   (R5681-02, RFC 3465 §2.2), by about one segment for each window above it (R5681-04), and by
//!   one for each duplicate in fast recovery; and never for anything else.
//! - A timeout leaves one segment (R5681-06), and half of the flight as ssthresh (R5681-05); so
//!   does the fast retransmit (R5681-09), from which cwnd comes back to ssthresh (R5681-10). Idle
//!   for longer than an RTO, it restarts from the initial window (R5681-11).
//! - So does congestion that the peer reports, with nothing to repair, once for a window of text
//!   (R3168-05).
//! - What a timeout took away comes back only if F-RTO finds it spurious (RFC 5682 §2.1): one ACK of
//!   what went again, one of octets that did not. Between the two, two new segments go.
//! - Octets go again after a timeout or a window that reopened, within cwnd; or, one segment for
//!   each ACK, at the third duplicate (R5681-07) or a partial ACK.
//!
//! The envelope is the widest of RFC 5681, 3465 and 6928. Nothing is judged yet where both SYNs permit
//! SACK (RFC 2018; in flight is then what RFC 6675 calls the pipe), nor on hosts with CUBIC.
//!
//! A flight larger than cwnd after a cut is legal, and so is every window smaller than the
//! envelope: from there it grows anew.

mod echo;
mod envelope;
mod profile;
mod repair;
mod spurious;

use std::collections::BTreeMap;
use timewait_sim::{Duration, Finding, Instant, Observation};
use timewait_stack::config::CongestionControl;
use timewait_stack::event::{CaState, Drop, IcmpVerdict, SegmentArrival, Timer, Vars, Verdict};
use timewait_stack::wire::Flags;
use timewait_stack::{Event, SeqNumber, State};

use super::report::Report;
use crate::event::HostEvent;
use crate::facts::{Facts, SegmentHeader, sets_irs};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;
use echo::EcnAgreement;
use envelope::Envelope;
use repair::{Again, Repair};
use spurious::Spurious;

const NAME: &str = "congestion";

/// The judge. See the module.
#[derive(Debug, Default)]
pub struct Congestion {
    ends: BTreeMap<Incarnation, End>,
}

/// What is remembered of one incarnation.
#[derive(Debug, Default)]
struct End {
    /// Whether its own SYN permits SACK, and whether the one that set IRS does.
    sack: (Option<bool>, Option<bool>),
    ecn: EcnAgreement,
    /// From the end of the handshake on, without SACK.
    envelope: Option<Envelope>,
    /// The retransmission timer of the SYN has expired.
    syn_lost: bool,
    /// The sequence number after the last that it sent.
    sent_to: Option<SeqNumber>,
    /// When it last sent text or a FIN.
    data_sent_at: Option<Instant>,
    /// Duplicate ACKs in a row.
    duplicates: u32,
    /// Octets that went beyond cwnd since SND.UNA last moved.
    beyond: u32,
    /// Expiries of the retransmission timer since SND.UNA last moved.
    expiries: u32,
    repair: Repair,
    spurious: Spurious,
}

impl Judge for Congestion {
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
        let Some(who) = subject(seen, facts) else {
            return;
        };
        let mut report = Report {
            oracle: NAME,
            who,
            now,
            facts,
            findings,
        };
        match *seen {
            Observation::Sent { .. } => self.sent(&mut report),
            Observation::Node {
                event: HostEvent::Stack(event),
                ..
            } => self.happened(event, &mut report),
            _ => {}
        }
    }
}

/// Whom an observation is about, if it bears on congestion control.
fn subject(seen: &Observation<'_, HostEvent>, facts: &Facts) -> Option<Incarnation> {
    match *seen {
        Observation::Sent { packet, .. } => {
            let counts = packet.class & (class::ECHO | class::RST) == 0;
            counts.then(|| Incarnation::from_tag(packet.tag))
        }
        Observation::Node {
            node,
            event: HostEvent::Stack(event),
            ..
        } => {
            let connection = match event {
                Event::Segment(arrival) => arrival.connection?,
                Event::Snapshot(snapshot) => snapshot.connection,
                Event::Icmp(arrival) => arrival.connection?,
                Event::Timer { connection, .. } | Event::Transition { connection, .. } => {
                    *connection
                }
                _ => return None,
            };
            Some(facts.name(node, connection))
        }
        _ => None,
    }
}

/// The growth of CUBIC depends on its own clock and curve, which are not kept here yet.
fn is_newreno(report: &Report<'_>) -> bool {
    let config = report.config();
    config.is_none_or(|config| config.congestion_control == CongestionControl::NewReno)
}

/// What SMSS may be once a larger path MTU is tried, if it was lowered: the last segment before the
/// restart does not show it.
fn raised(vars: &Vars, report: &Report<'_>) -> u32 {
    let config = report.config();
    let mtu = config.map_or(0, |config| config.mtu);
    u32::from(if vars.path_mtu < mtu { mtu } else { 0 })
}

/// The states in which text and FIN may be outstanding.
fn transfers(state: State) -> bool {
    state.is_synchronized() && state != State::TimeWait
}

impl Congestion {
    fn happened(&mut self, event: &Event, report: &mut Report<'_>) {
        match event {
            Event::Segment(arrival) => {
                let end = self.ends.entry(report.who).or_default();
                end.arrived(arrival, report);
            }
            Event::Snapshot(snapshot) => {
                if let Some(end) = self.ends.get_mut(&report.who) {
                    end.holds(&snapshot.vars, report);
                }
            }
            // What was too big for the path is lost, and congestion had no part in it (RFC 1191
            // §6.4, RFC 8201 §5.4).
            Event::Icmp(arrival) if matches!(arrival.verdict, IcmpVerdict::PathMtu(_)) => {
                if let Some(end) = self.ends.get_mut(&report.who) {
                    end.repair.may_send_all_again(end.sent_to);
                }
            }
            Event::Timer { timer, .. } => {
                let end = self.ends.entry(report.who).or_default();
                end.expired(*timer, report);
            }
            Event::Transition { from, to, .. } if sets_irs(*from, *to) => {
                let segment = report
                    .facts
                    .delivery()
                    .and_then(|delivery| delivery.segment());
                let end = self.ends.entry(report.who).or_default();
                end.sack.1 = segment.map(|syn| syn.sack_permitted);
                if let Some(syn) = segment {
                    end.ecn.came(syn);
                }
            }
            Event::Transition { to, .. } if !transfers(*to) && to.is_synchronized() => {
                self.ends.remove(&report.who);
            }
            Event::Transition {
                to: State::Closed | State::Listen,
                ..
            } => {
                self.ends.remove(&report.who);
            }
            _ => {}
        }
    }

    fn sent(&mut self, report: &mut Report<'_>) {
        let Some(segment) = report.facts.segment_sent() else {
            return;
        };
        let end = self.ends.entry(report.who).or_default();
        end.sent(&segment, report);
    }
}

impl End {
    /// The variables are within the envelope; it follows them down.
    fn holds(&mut self, vars: &Vars, report: &mut Report<'_>) {
        if let Some(envelope) = self.envelope.as_mut().filter(|_| transfers(vars.state)) {
            report.violations_unless_damaged(envelope.hold(vars));
        }
    }

    fn arrived(&mut self, arrival: &SegmentArrival, report: &mut Report<'_>) {
        let (before, after) = (&arrival.before, &arrival.after);
        let delivery = report.facts.delivery();
        let segment = delivery.and_then(|delivery| delivery.segment());
        if let Some(syn) = segment.filter(|segment| segment.has(Flags::SYN)) {
            self.ecn.came(syn);
        }
        if !transfers(after.state) {
            return;
        }
        if !transfers(before.state) {
            let smss = u32::from(after.smss);
            let initial = if self.syn_lost {
                smss
            } else {
                profile::initial_window(smss)
            };
            // Of an end that never sent a SYN (a cookie) too little is known.
            let plain = matches!(self.sack, (Some(own), Some(theirs)) if !(own && theirs));
            let plain = plain && is_newreno(report);
            self.envelope = plain.then(|| Envelope::new(initial));
            return self.holds(after, report);
        }
        self.holds(before, report);
        let acked = after.snd_una - before.snd_una;
        let duplicate = acked == 0 && self.is_duplicate(arrival, report);
        if acked > 0 {
            (self.duplicates, self.expiries) = (0, 0);
        }
        self.duplicates += u32::from(duplicate);
        let heard = acked > 0 || duplicate;
        let spurious = heard.then(|| self.spurious.on_ack(acked > 0, after.snd_una));
        let undone = before.ca_state == CaState::Loss && after.ca_state != CaState::Loss;
        if undone && spurious.flatten().is_some() {
            self.repair.found_needless();
        }
        if before.snd_wnd == 0 && after.snd_wnd > 0 {
            self.repair.may_send_all_again(self.sent_to);
        }
        let Some(envelope) = &mut self.envelope else {
            return;
        };
        if after.recovering && !before.recovering {
            let flight = self.sent_to.unwrap_or(before.snd_nxt) - before.snd_una;
            let flight = flight.saturating_sub(self.beyond);
            envelope.lost(flight, self.sent_to, after);
        } else if acked > 0 {
            envelope.acked(acked, before, after);
        } else if duplicate {
            envelope.duplicate(after);
        }
        let congested = segment
            .is_some_and(|segment| self.ecn.reports(segment, arrival.verdict, before.snd_una));
        if let Some(before) = spurious.flatten() {
            envelope.undo(before, undone, congested);
        }
        if acked > 0 {
            self.beyond = 0;
        }
        if congested {
            envelope.reported(self.sent_to, after);
        }
        self.holds(after, report);
    }

    /// RFC 5681 §2: what the duplicate ACK is that counts. One beside a zero window does, too
    /// (RFC 9293 §A.2).
    fn is_duplicate(&self, arrival: &SegmentArrival, report: &Report<'_>) -> bool {
        let before = &arrival.before;
        let delivery = report.facts.delivery();
        let Some(life) = report.facts.life(report.who) else {
            return false;
        };
        let segment = delivery.and_then(|delivery| delivery.segment());
        let taken = [Verdict::Accepted, Verdict::Dropped(Drop::ZeroWindow)];
        segment.is_some_and(|segment| {
            taken.contains(&arrival.verdict)
                && segment.seg_len() == 0
                && segment.ack == before.snd_una
                && before.snd_una != before.snd_nxt
                && life.shadow.window(segment) == before.snd_wnd
                && before.snd_wnd > 0
        })
    }

    fn expired(&mut self, timer: Timer, report: &Report<'_>) {
        match timer {
            Timer::Persist => self.repair.may_probe(),
            Timer::Retransmit => {
                let life = report.facts.life(report.who);
                let vars = life.and_then(|life| life.vars.as_ref());
                let (Some(envelope), Some(vars), Some(sent_to)) =
                    (&mut self.envelope, vars, self.sent_to)
                else {
                    self.syn_lost = true;
                    return;
                };
                let flight = sent_to - vars.snd_una;
                self.spurious = match envelope.before_timeout(vars.snd_una) {
                    Some(before) => Spurious::timed_out(before, vars.snd_una, sent_to),
                    None => Spurious::Off,
                };
                envelope.timed_out(flight, sent_to, self.expiries == 0, vars);
                self.repair.timed_out(sent_to);
                self.expiries += 1;
                self.duplicates = 0;
            }
            _ => {}
        }
    }

    fn sent(&mut self, segment: &SegmentHeader, report: &mut Report<'_>) {
        let before = self.sent_to.unwrap_or(segment.seq);
        if segment.seg_len() == 0 {
            return;
        }
        if segment.has(Flags::SYN) {
            self.sack.0 = Some(segment.sack_permitted);
            self.ecn.sent(segment);
        }
        let life = report.facts.life(report.who);
        let vars = life.and_then(|life| life.vars.as_ref());
        if let Some(vars) = vars.filter(|_| !segment.has(Flags::SYN)) {
            if segment.seq.before(before) {
                self.sends_again(segment, vars, report);
            }
            if segment.text_end().after(before) {
                self.sends_new(segment, before, vars, report);
            }
            self.data_sent_at = Some(report.now);
        }
        self.sent_to = Some(before.max(segment.end()));
    }

    /// Text in the segment was never sent before.
    fn sends_new(
        &mut self,
        segment: &SegmentHeader,
        sent_to: SeqNumber,
        vars: &Vars,
        report: &mut Report<'_>,
    ) {
        // Before something new is sent a larger path MTU may be tried (RFC 1191 §6.3).
        let smss = u32::from(vars.smss).max(segment.text_len);
        let probes = self.repair.takes_probe(segment);
        let Some(envelope) = self.envelope.as_mut().filter(|_| !probes) else {
            return;
        };
        let nothing_out = sent_to == vars.snd_una && segment.seq == sent_to;
        if nothing_out
            && self
                .data_sent_at
                .is_some_and(|at| idle(at, vars, report.now))
        {
            let largest = smss.max(raised(vars, report));
            envelope.restart(profile::initial_window(largest));
        }
        let from = self.spurious.probes_from().unwrap_or(vars.snd_una);
        let flight = segment.text_end() - from;
        // One segment always fits.
        let cwnd = envelope.cwnd().max(if nothing_out { smss } else { 0 });
        // RFC 3042 §2: one segment for each of the first two duplicates.
        let limited = if envelope.recovering() {
            0
        } else {
            self.duplicates.min(2) * smss
        };
        if flight > cwnd.saturating_add(limited) {
            report.violation_unless_damaged(format!(
                "{flight} octets in flight, cwnd is {cwnd} and limited transmit {limited}: {segment}"
            ));
        }
        self.beyond = self.beyond.max(flight.saturating_sub(cwnd));
    }

    /// The segment begins with octets that were sent before.
    fn sends_again(&mut self, segment: &SegmentHeader, vars: &Vars, report: &mut Report<'_>) {
        let Some(envelope) = &self.envelope else {
            return;
        };
        if self.repair.takes_probe(segment) {
            return;
        }
        self.spurious.sent_again(segment.end());
        let again = Again {
            start: segment.seq,
            end: segment.text_end().max(segment.seq),
            una: vars.snd_una,
            smss: u32::from(vars.smss),
            cwnd: envelope.cwnd(),
            recovering: envelope.recovering(),
        };
        if let Some(why) = self.repair.judge(&again) {
            report.violation_unless_damaged(format!("{why}: {again:?}, {segment}"));
        }
    }
}

/// RFC 5681 §4.1: no text was sent for longer than the retransmission timeout. Acknowledgments
/// alone do not count.
fn idle(data_sent_at: Instant, vars: &Vars, now: Instant) -> bool {
    let rto: Duration = vars.rto;
    now.saturating_since(data_sent_at) > rto
}

#[cfg(test)]
mod tests;
