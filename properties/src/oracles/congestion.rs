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
//!   (R3168-05); nothing grows by an ACK that reports it (R3168-12). Where cwnd is one segment already,
//!   nothing new goes for as long as the RTO (R3168-11).
//! - What a timeout took away comes back only if F-RTO finds it spurious (RFC 5682 §2.1): one ACK of
//!   what went again, one of octets that did not. Between the two, two new segments go.
//! - Octets go again after a timeout or a window that reopened, within cwnd; or, one segment for
//!   each ACK, at the third duplicate (R5681-07) or a partial ACK.
//!
//! Where SACK is in use, what is in flight is the pipe (RFC 6675 §4): whatever goes, new or again,
//! leaves it within cwnd, but for the first retransmission of a repair (R6675-04, R6675-05) and one
//! tail loss probe (R8985-07). Octets go again in a repair only; and once more in the same repair
//! only with one more reduction (R5681-14). In recovery cwnd is what RFC 9937 §6.2 makes of it. A
//! reduction that proves unfounded may be undone, once, and by evidence only: a D-SACK (RFC 2883)
//! or F-RTO (RFC 5682). What is lost and what was reported, the scoreboard says; it must be
//! consistent.
//!
//! All of it by the profile of the host: initial window by RFC 5681 or 6928, L of 1 or 2, NewReno
//! or CUBIC, whose W_est and curve are kept here as well (RFC 9438 §4; `avoidance.rs`).
//!
//! A flight larger than cwnd after a cut is legal, and so is every window smaller than the
//! envelope: from there it grows anew.

mod avoidance;
mod batch;
mod echo;
mod envelope;
mod profile;
mod prr;
mod repair;
mod resent;
mod spurious;

use std::collections::BTreeMap;
use timewait_sim::{Duration, Finding, Instant, Observation};
use timewait_stack::event::{CaState, Drop, IcmpVerdict, SegmentArrival, Timer, Vars, Verdict};
use timewait_stack::wire::Flags;
use timewait_stack::{Event, SeqNumber, State};

use super::report::Report;
use crate::event::HostEvent;
use crate::facts::{Facts, SegmentHeader, sets_irs};
use crate::label::{Incarnation, class};
use crate::oracle::Judge;
use batch::Batch;
use echo::EcnAgreement;
use envelope::{Cut, Envelope, Loss};
use profile::Profile;
use repair::{Again, Repair};
use resent::Resent;
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
    ecn: EcnAgreement,
    /// From the end of the handshake on.
    envelope: Option<Envelope>,
    /// The retransmission timer of the SYN has expired.
    syn_lost: bool,
    /// The sequence number after the last that it sent.
    sent_to: Option<SeqNumber>,
    /// When it last sent text or a FIN.
    data_sent_at: Option<Instant>,
    /// Duplicate ACKs in a row.
    duplicates: u32,
    /// Nothing new goes before.
    held_until: Option<Instant>,
    /// Octets that went beyond cwnd since SND.UNA last moved.
    beyond: u32,
    /// Expiries of the retransmission timer since SND.UNA last moved.
    expiries: u32,
    repair: Repair,
    spurious: Spurious,
    batch: Batch,
    resent: Resent,
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
                    end.settled(&snapshot.vars, report);
                }
            }
            // What was too big for the path is lost, and congestion had no part in it (RFC 1191
            // §6.4, RFC 8201 §5.4).
            Event::Icmp(arrival) if matches!(arrival.verdict, IcmpVerdict::PathMtu(_)) => {
                if let Some(end) = self.ends.get_mut(&report.who) {
                    end.repair.may_send_all_again(end.sent_to);
                    if arrival.after.smss < arrival.before.smss {
                        end.cut_smaller();
                    }
                    (end.batch.forced, end.batch.pipe) = (true, None);
                }
            }
            Event::Timer { timer, .. } => {
                let end = self.ends.entry(report.who).or_default();
                end.expired(*timer, report);
            }
            Event::Transition { from, to, .. } if sets_irs(*from, *to) => {
                let delivery = report.facts.delivery();
                let segment = delivery.and_then(|delivery| delivery.segment());
                let end = self.ends.entry(report.who).or_default();
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

    /// What is out goes again in smaller segments: a repair at hand lasts until that is acknowledged, for
    /// what of it is found lost on the way tells of no congestion.
    fn cut_smaller(&mut self) {
        if let Some(envelope) = &mut self.envelope {
            envelope.prolonged(self.sent_to);
        }
    }

    /// The batch is over.
    fn settled(&mut self, vars: &Vars, report: &mut Report<'_>) {
        self.notices(vars);
        self.holds(vars, report);
        let Some(envelope) = self.envelope.as_ref().filter(|_| transfers(vars.state)) else {
            return;
        };
        if let Some(sack) = &vars.sack {
            let wrong = self.batch.wrong(sack, vars, envelope.repairing());
            report.violations_unless_damaged(wrong);
            let smss = u32::from(vars.smss);
            let profile = envelope.profile();
            let wrong = self
                .resent
                .settle(vars.snd_una, vars.ssthresh, smss, profile);
            report.violations_unless_damaged(wrong);
        }
        self.batch = self.batch.next(vars);
    }

    /// A repair began that no ACK has told of: the reordering timer did (RFC 8985 §6.2 step 5).
    fn notices(&mut self, vars: &Vars) {
        let Some(outstanding) = self.batch.reorder.take() else {
            return;
        };
        let Some(envelope) = &mut self.envelope else {
            return;
        };
        if !vars.recovering || envelope.recovering() {
            envelope.lowered(vars);
        } else {
            let loss = Loss {
                una: vars.snd_una,
                flight: outstanding.min(envelope.cwnd()),
                sent_to: Some(vars.recover),
                smss: u32::from(vars.smss),
            };
            envelope.lost_by_timer(&loss, outstanding, vars, self.batch.octets);
            self.resent.forget();
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
            self.begins(after, report);
            return self.holds(after, report);
        }
        self.notices(before);
        self.holds(before, report);
        let acked = after.snd_una - before.snd_una;
        let duplicate = acked == 0 && self.is_duplicate(arrival, report);
        if acked > 0 {
            (self.duplicates, self.expiries) = (0, 0);
        }
        self.duplicates += u32::from(duplicate);
        let heard = acked > 0 || duplicate;
        let spurious = heard
            .then(|| self.spurious.on_ack(acked > 0, after.snd_una))
            .flatten();
        let undone = before.ca_state == CaState::Loss && after.ca_state != CaState::Loss;
        let needless = undone && spurious.is_some();
        if needless {
            self.repair.found_needless();
        }
        if before.snd_wnd == 0 && after.snd_wnd > 0 {
            self.repair.may_send_all_again(self.sent_to);
        }
        let congested = segment
            .is_some_and(|segment| self.ecn.reports(segment, arrival.verdict, before.snd_una));
        if let Some(envelope) = self.envelope.as_mut().filter(|_| congested) {
            envelope.confirmed(); // RFC 4015 §3.4.
        }
        let cut = self.takes_back(before, after, report);
        // The ACK that shows a timeout to be spurious may end the repair, too: then it is forgotten.
        let envelope = self.envelope.as_mut().filter(|_| needless);
        let given_back = envelope.map(Envelope::take_cut);
        if let Some(envelope) = &mut self.envelope {
            if acked > 0 {
                envelope.acked(before, after, report.shown(), congested);
            }
            if let Some(cut) = cut {
                envelope.undone(cut);
            }
        }
        self.answers(duplicate, before, after);
        if let Some(envelope) = &mut self.envelope {
            if let Some(before) = spurious {
                envelope.undo(before, given_back, congested);
            }
            if congested && envelope.reported(self.sent_to, after) {
                self.held_until = Some(report.shown() + after.rto);
            }
        }
        if acked > 0 {
            self.beyond = 0;
        }
        self.batch.pipe = after.sack.map(|sack| sack.pipe);
        self.holds(after, report);
    }

    /// The handshake is over.
    fn begins(&mut self, vars: &Vars, report: &Report<'_>) {
        let Some(config) = report.config() else {
            return;
        };
        let profile = Profile::of(config);
        let smss = u32::from(vars.smss);
        let initial = if self.syn_lost {
            smss
        } else {
            profile.initial_window(smss)
        };
        self.envelope = Some(Envelope::new(profile, initial));
    }

    /// With SACK: an undone reduction needs evidence. Gives what it brings back once the ACK has
    /// let cwnd grow as the reduction allows, or not at all.
    fn takes_back(
        &mut self,
        before: &Vars,
        after: &Vars,
        report: &mut Report<'_>,
    ) -> Option<Option<Cut>> {
        let envelope = self.envelope.as_mut().filter(|_| undoes(before, after))?;
        if !before.frto && !brings_dsack(report) {
            report.violation_unless_damaged("a reduction is undone without evidence");
        }
        self.resent.forget();
        // One more reduction in the same repair, even one that lowers ssthresh no further, takes the
        // record away: nothing comes back then, and the rule above ssthresh is that of the last one.
        let cut = envelope.take_cut();
        Some(cut.filter(|_| before.can_undo))
    }

    /// What congestion control answers to an ACK, beside growth.
    fn answers(&mut self, duplicate: bool, before: &Vars, after: &Vars) {
        let Some(envelope) = &mut self.envelope else {
            return;
        };
        let flight = self.sent_to.unwrap_or(before.snd_nxt) - before.snd_una;
        let loss = |flight| Loss {
            una: after.snd_una,
            flight,
            sent_to: self.sent_to,
            smss: u32::from(after.smss),
        };
        let marked = |vars: &Vars| vars.ca_state == CaState::Cwr;
        if marked(after) && !marked(before) {
            envelope.reduced(&loss(flight));
        }
        if !after.recovering || envelope.recovering() {
            envelope.lowered(after);
            if duplicate {
                envelope.duplicate(after);
            }
        } else if let Some(sack) = &before.sack {
            envelope.lost_with_sack(&loss(flight.min(envelope.cwnd())), flight, sack.sacked);
            self.batch.forced = true;
            self.resent.forget();
        } else {
            // What limited transmit sent does not count (RFC 5681 §3.2 step 2).
            envelope.lost(&loss(flight.saturating_sub(self.beyond)));
        }
        envelope.proportion(before, after);
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
        self.batch.pipe = None;
        match timer {
            Timer::Persist => self.repair.may_probe(),
            Timer::Probe => self.batch.tail = true,
            Timer::Reorder => self.suspects(report),
            Timer::Retransmit => {
                let life = report.facts.life(report.who);
                let vars = life.and_then(|life| life.vars.as_ref());
                let (Some(envelope), Some(vars), Some(sent_to)) =
                    (&mut self.envelope, vars, self.sent_to)
                else {
                    self.syn_lost = true;
                    return;
                };
                let loss = Loss {
                    una: vars.snd_una,
                    flight: sent_to - vars.snd_una,
                    sent_to: Some(sent_to),
                    smss: u32::from(vars.smss),
                };
                let asks = report.config().is_some_and(|config| config.frto) && vars.sack.is_none();
                let before = envelope.before_timeout(vars.snd_una).filter(|_| asks);
                self.spurious = before.map_or(Spurious::Off, |before| {
                    Spurious::timed_out(before, vars.snd_una, sent_to)
                });
                envelope.timed_out(&loss, self.expiries == 0);
                if vars.sack.is_none() {
                    self.repair.timed_out(sent_to);
                }
                self.batch.forced = true;
                self.resent.forget();
                self.expiries += 1;
                self.duplicates = 0;
            }
            _ => {}
        }
    }

    /// The reordering timer has expired: perhaps a repair begins, the variables will tell.
    fn suspects(&mut self, report: &Report<'_>) {
        let life = report.facts.life(report.who);
        if let Some(vars) = life.and_then(|life| life.vars.as_ref()) {
            self.batch.forced = true;
            self.batch.reorder = Some(vars.snd_nxt - vars.snd_una);
        }
    }

    fn sent(&mut self, segment: &SegmentHeader, report: &mut Report<'_>) {
        let before = self.sent_to.unwrap_or(segment.seq);
        if segment.seg_len() == 0 {
            return;
        }
        if segment.has(Flags::SYN) {
            self.ecn.sent(segment);
        }
        let life = report.facts.life(report.who);
        let vars = life.and_then(|life| life.vars.as_ref());
        if let Some(vars) = vars.filter(|_| !segment.has(Flags::SYN)) {
            self.data_sent_at = self.goes(segment, before, vars, report);
        }
        self.sent_to = Some(before.max(segment.end()));
    }

    /// Text or a FIN goes, and cwnd has to do with it unless it probes a zero window.
    fn goes(
        &mut self,
        segment: &SegmentHeader,
        sent_to: SeqNumber,
        vars: &Vars,
        report: &mut Report<'_>,
    ) -> Option<Instant> {
        if self.repair.takes_probe(segment) {
            return Some(report.shown());
        }
        if segment.seq.before(sent_to) {
            self.sends_again(segment, vars, report);
        }
        if segment.text_end().after(sent_to) {
            self.sends_new(segment, sent_to, vars, report);
        }
        self.batch.octets += segment.seg_len();
        if let Some(envelope) = &mut self.envelope {
            envelope.sent(segment.seg_len());
        }
        Some(report.shown())
    }

    /// Text in the segment was never sent before.
    fn sends_new(
        &mut self,
        segment: &SegmentHeader,
        sent_to: SeqNumber,
        vars: &Vars,
        report: &mut Report<'_>,
    ) {
        if self.held_until.is_some_and(|until| report.shown() < until) {
            report.violation_unless_damaged(format!(
                "with a cwnd of one segment congestion was reported, and {segment} goes before an RTO \
                 has passed"
            ));
        }
        // Before something new is sent a larger path MTU may be tried (RFC 1191 §6.3).
        let smss = u32::from(vars.smss).max(segment.text_len);
        let Some(envelope) = &mut self.envelope else {
            return;
        };
        let nothing_out = sent_to == vars.snd_una && segment.seq == sent_to;
        if nothing_out
            && self
                .data_sent_at
                .is_some_and(|at| idle(at, vars, report.shown()))
        {
            let largest = smss.max(raised(vars, report));
            envelope.restart(envelope.profile().initial_window(largest));
        }
        if vars.sack.is_some() {
            return self.batch.sends(segment);
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
        if vars.sack.is_some() {
            let refused = self.repair.covers(segment.seq, vars.snd_una);
            if self.batch.sends_again(segment, refused) {
                self.resent.add(segment.seq, segment.end());
            }
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

/// The segment that is being delivered tells of something that came twice.
fn brings_dsack(report: &Report<'_>) -> bool {
    let delivery = report.facts.delivery();
    let segment = delivery.and_then(|delivery| delivery.segment());
    segment.is_some_and(SegmentHeader::has_dsack)
}

/// With SACK: a repair ends before all that it was about is acknowledged, so it was unfounded.
fn undoes(before: &Vars, after: &Vars) -> bool {
    let repairs = |vars: &Vars| matches!(vars.ca_state, CaState::Recovery | CaState::Loss);
    let open = after.snd_una.before(before.recover);
    // The last ACK that F-RTO waits for may acknowledge just that; then it shows by what it does.
    let rises = after.ssthresh > before.ssthresh
        || after.cwnd > before.cwnd.saturating_add(2 * u32::from(after.smss));
    let asked = before.frto && rises && after.snd_una == before.recover;
    after.sack.is_some() && repairs(before) && !repairs(after) && (open || asked)
}

/// RFC 5681 §4.1: no text was sent for longer than the retransmission timeout. Acknowledgments
/// alone do not count.
fn idle(data_sent_at: Instant, vars: &Vars, now: Instant) -> bool {
    let rto: Duration = vars.rto;
    now.saturating_since(data_sent_at) > rto
}

#[cfg(test)]
mod tests;
