//! The congestion that a peer reports counts like a loss (RFC 3168 §6.1.2, R3168-05).

use timewait_stack::SeqNumber;
use timewait_stack::event::Verdict;
use timewait_stack::wire::Flags;

use crate::facts::{SegmentHeader, takes_ack};

/// Whether both ends agreed on ECN, as the SYNs tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EcnAgreement {
    /// Every SYN or SYN-ACK of its own so far was an ECN-setup one; `None`: there was none.
    own: Option<bool>,
    /// So was every one of the peer.
    theirs: Option<bool>,
}

impl EcnAgreement {
    /// It sends a SYN or SYN-ACK. A plain one takes the offer back (RFC 3168 §6.1.1).
    pub(super) fn sent(&mut self, syn: &SegmentHeader) {
        let before = self.own.unwrap_or(true);
        self.own = Some(before && syn.is_ecn_setup());
    }

    /// A SYN or SYN-ACK of the peer came.
    pub(super) fn came(&mut self, syn: &SegmentHeader) {
        let before = self.theirs.unwrap_or(true);
        self.theirs = Some(before && syn.is_ecn_setup());
    }

    /// Whether a segment that was judged so reports congestion to who had this SND.UNA. An ACK from
    /// before it may be ignored (RFC 9293 §3.10.7.4): a later one has told more, and ECE stands on
    /// every one until CWR is heard.
    pub(super) fn reports(
        &self,
        segment: &SegmentHeader,
        verdict: Verdict,
        snd_una: SeqNumber,
    ) -> bool {
        let agreed = self.own == Some(true) && self.theirs == Some(true);
        let echo = segment.flags & (Flags::ECE | Flags::SYN) == Flags::ECE;
        agreed && echo && takes_ack(verdict) && segment.ack.at_or_after(snd_una)
    }
}

#[cfg(test)]
mod tests {
    use super::EcnAgreement;
    use crate::check::check;
    use crate::facts::SegmentHeader;
    use crate::oracles::congestion::envelope::{Envelope, Loss};
    use crate::oracles::congestion::profile::Profile;
    use crate::scenario::{Read, Scenario};
    use crate::staging::directed::{transfer, violation_of};
    use timewait_sim::Aqm;
    use timewait_stack::config::EcnUse;
    use timewait_stack::event::{Drop, Verdict};
    use timewait_stack::wire::Flags;
    use timewait_stack::{Config, Protection, SeqNumber, Vars};

    const SETUP: Flags = Flags::SYN.union(Flags::ECE).union(Flags::CWR);
    const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
    const ECHO: Flags = Flags::ACK.union(Flags::ECE);

    fn header(flags: Flags) -> SegmentHeader {
        SegmentHeader {
            flags,
            ..SegmentHeader::default()
        }
    }

    /// Whether an accepted ACK with these flags is a report to who sent and received such SYNs.
    fn reports(sent: &[Flags], came: &[Flags], flags: Flags) -> bool {
        let mut agreement = EcnAgreement::default();
        sent.iter().for_each(|syn| agreement.sent(&header(*syn)));
        came.iter().for_each(|syn| agreement.came(&header(*syn)));
        agreement.reports(&header(flags), Verdict::Accepted, SeqNumber(0))
    }

    #[test]
    fn ece_reports_congestion_only_by_agreement() {
        let answer = SYN_ACK | Flags::ECE;
        assert!(reports(&[SETUP], &[answer], ECHO));
        assert!(reports(&[answer], &[SETUP], ECHO));
        assert!(!reports(&[SETUP], &[answer], Flags::ACK));
        assert!(!reports(&[SETUP], &[answer], answer), "the SYN-ACK itself");
        assert!(!reports(&[SETUP], &[SYN_ACK], ECHO));
        assert!(
            !reports(&[SETUP, Flags::SYN], &[answer], ECHO),
            "taken back"
        );
        assert!(!reports(&[answer], &[SETUP, Flags::SYN], ECHO));
        assert!(!reports(&[], &[SETUP], ECHO), "a cookie");
        let mut agreement = EcnAgreement::default();
        agreement.sent(&header(SETUP));
        agreement.came(&header(answer));
        let refused = Verdict::Dropped(Drop::OutsideWindow);
        let acks = |ack| SegmentHeader {
            ack: SeqNumber(ack),
            ..header(ECHO)
        };
        let una = SeqNumber(7);
        assert!(!agreement.reports(&acks(7), refused, una));
        let behind = Verdict::Dropped(Drop::ZeroWindow);
        assert!(agreement.reports(&acks(7), behind, una), "RFC 9293 §A.2");
        assert!(!agreement.reports(&acks(6), Verdict::Accepted, una), "old");
    }

    fn open() -> Envelope {
        Envelope::new(Profile::of(&Config::new(vec![], [7; 32])), 1000)
    }

    #[test]
    fn r3168_05_a_report_reduces_once_for_a_window() {
        let after = |una, cwnd, ssthresh| Vars {
            snd_una: SeqNumber(una),
            snd_nxt: SeqNumber(una + 1000),
            smss: 100,
            cwnd,
            ssthresh,
            ..Vars::default()
        };
        let wrong = |cwnd, ssthresh| {
            let mut envelope = open();
            let vars = after(1000, cwnd, ssthresh);
            envelope.reported(Some(SeqNumber(2000)), &vars);
            !envelope.hold(&vars).is_empty()
        };
        // 1,000 octets are in flight.
        assert!(!wrong(500, 500) && wrong(501, 500) && wrong(500, 501));
        let mut envelope = open();
        envelope.reported(Some(SeqNumber(2000)), &after(1000, 500, 500));
        assert!(envelope.hold(&after(1000, 500, 500)).is_empty());
        let smaller = |una| Vars {
            snd_nxt: SeqNumber(una + 500),
            ..after(una, 500, 500)
        };
        envelope.reported(Some(SeqNumber(2500)), &smaller(2000));
        assert!(envelope.hold(&smaller(2000)).is_empty(), "no news");
        envelope.reported(Some(SeqNumber(2501)), &smaller(2001));
        assert!(!envelope.hold(&smaller(2001)).is_empty());
    }

    /// RFC 4015 §3.4: an ACK that reports congestion undoes nothing. What was undone is no answer to
    /// what a later one reports.
    #[test]
    fn a_report_forbids_to_undo_and_is_news_after_it() {
        let after = |cwnd, ssthresh| Vars {
            snd_una: SeqNumber(1000),
            snd_nxt: SeqNumber(2000),
            smss: 100,
            cwnd,
            ssthresh,
            ..Vars::default()
        };
        let undone = |congested| {
            let mut envelope = open();
            let before = envelope.before_timeout(SeqNumber(1000)).unwrap();
            let loss = Loss {
                una: SeqNumber(1000),
                flight: 1000,
                sent_to: Some(SeqNumber(2000)),
                smss: 100,
            };
            envelope.timed_out(&loss, true);
            let cut = envelope.take_cut();
            envelope.undo(before, Some(cut), congested);
            envelope
        };
        let all = after(1000, u32::MAX);
        assert!(undone(false).hold(&all).is_empty());
        assert!(!undone(true).hold(&all).is_empty());
        let mut envelope = undone(false);
        envelope.reported(Some(SeqNumber(2000)), &all);
        assert!(!envelope.hold(&all).is_empty());
    }

    /// A link of 1 MB/s and 10 ms whose queue marks early and has room for everything.
    fn marking() -> Scenario {
        let mut scenario = transfer(400_000, Read::Eager);
        scenario.links[1].rate = Some(1 << 20);
        scenario.links[1].queue_bytes_max = 1 << 20;
        scenario.links[1].aqm = Aqm::Threshold { bytes: 12_000 };
        for host in &mut scenario.hosts {
            host.config.ecn = EcnUse::Offer;
        }
        scenario
    }

    #[test]
    fn who_ignores_ece_is_noticed() {
        assert_eq!(violation_of("congestion", &marking()), None);
        let report = check(&marking());
        assert!(report.stats.marked > 0 && report.stats.dropped_queue_full == 0);
        assert!(report.coverage.notes.contains_key("ecn: a mark answered"));
        let deaf = marking().without(Protection::LossResponse);
        let found = violation_of("congestion", &deaf);
        assert!(found.is_some_and(|found| found.contains("at most")));
    }

    #[test]
    fn nobody_is_marked_or_answers_without_agreement() {
        let mut scenario = marking();
        scenario.hosts[1].config.ecn = EcnUse::Never;
        let report = check(&scenario);
        assert!(!report.failed() && report.stats.marked == 0, "{report}");
        assert!(!report.coverage.notes.contains_key("ecn: a mark answered"));
    }
}
