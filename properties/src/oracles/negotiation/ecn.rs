//! Explicit congestion notification (RFC 3168 §6.1), SHLD-8.

use timewait_stack::config::EcnUse;
use timewait_stack::event::Verdict;
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, Vars};

use crate::facts::{SegmentHeader, takes_ack};

/// The two flags that negotiate.
const SETUP: Flags = Flags::ECE.union(Flags::CWR);
/// The codepoint of congestion experienced.
const CE: u8 = 3;

/// What one incarnation has said and heard of ECN.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ecn {
    /// It has sent an ECN-setup SYN or SYN-ACK.
    offered: bool,
    /// It has sent a plain one.
    plain: bool,
    /// The SYN or SYN-ACK that set IRS was an ECN-setup one.
    peer_offered: bool,
    /// The peer sent a plain SYN, too: from then on nothing is promised (§6.1.1.1).
    peer_plain: bool,
    /// A mark came with text, and no CWR since.
    marked: bool,
    /// ECE came, and no CWR was sent since.
    told: bool,
    /// The sequence number after the last that it sent.
    sent_to: Option<SeqNumber>,
}

impl Ecn {
    /// IRS was set by this SYN or SYN-ACK.
    pub(super) fn synchronized(&mut self, peer: &SegmentHeader) {
        self.peer_offered = peer.is_ecn_setup();
    }

    /// A segment came, in a datagram with this codepoint. ECE goes with the ACK field; a mark and
    /// CWR with the text.
    pub(super) fn arrived(&mut self, segment: &SegmentHeader, codepoint: u8, verdict: Verdict) {
        if segment.has(Flags::SYN) {
            self.peer_plain |= !segment.has(Flags::ACK) && !segment.is_ecn_setup();
            return;
        }
        self.told |= segment.has(Flags::ECE) && takes_ack(verdict);
        if segment.text_len > 0 && verdict == Verdict::Accepted {
            self.marked = self.marked && !segment.has(Flags::CWR) || codepoint == CE;
        }
    }

    /// What is wrong with a segment that it sends, one sentence each.
    pub(super) fn sent(
        &mut self,
        segment: &SegmentHeader,
        codepoint: u8,
        used: EcnUse,
        vars: Option<&Vars>,
    ) -> Vec<String> {
        let wrong = if segment.has(Flags::SYN) {
            self.syn(segment, codepoint, used)
        } else {
            let on = self.offered && self.peer_offered;
            let mut wrong = self.flags(segment, on);
            wrong.extend(self.capable(segment, codepoint, on, vars));
            wrong
        };
        let end = segment.end();
        self.sent_to = Some(self.sent_to.map_or(end, |sent_to| sent_to.max(end)));
        let say = |what: &str| format!("{what}: {segment}");
        wrong.into_iter().map(say).collect()
    }

    /// §6.1.1: an ECN-setup SYN has both flags, an ECN-setup SYN-ACK only ECE, and answers one.
    fn syn(&mut self, segment: &SegmentHeader, codepoint: u8, used: EcnUse) -> Vec<&'static str> {
        let said = segment.flags & SETUP;
        let setup = segment.is_ecn_setup();
        let allowed = if segment.has(Flags::ACK) {
            self.peer_offered && used >= EcnUse::Accept
        } else {
            used == EcnUse::Offer
        };
        self.offered |= setup;
        self.plain |= !setup;
        let mut wrong = Vec::new();
        if !said.is_empty() && (!setup || !allowed) {
            wrong.push("R3168-01: ECN flags that may not stand on it");
        }
        if codepoint != 0 {
            wrong.push("R3168-02: a SYN in an ECN-capable datagram");
        }
        wrong
    }

    /// §6.1.2 and §6.1.3: ECE while a mark waits to be heard, CWR once after ECE.
    fn flags(&mut self, segment: &SegmentHeader, on: bool) -> Vec<&'static str> {
        let (ece, cwr) = (segment.has(Flags::ECE), segment.has(Flags::CWR));
        let mut wrong = Vec::new();
        if !on && (ece || cwr) {
            wrong.push("R3168-03: ECN flags without agreement");
        }
        if on && !self.peer_plain && segment.has(Flags::ACK) && ece != self.marked {
            wrong.push("R3168-04: ECE goes from a mark until CWR, no longer and no shorter");
        }
        if cwr && !self.told {
            wrong.push("R3168-06: CWR, but no ECE came since the last");
        }
        if cwr {
            self.told = false;
        }
        wrong
    }

    /// §6.1.1, §6.1.4 to §6.1.6: only new text that the window has room for is ECN-capable.
    fn capable(
        &self,
        segment: &SegmentHeader,
        codepoint: u8,
        on: bool,
        vars: Option<&Vars>,
    ) -> Option<&'static str> {
        let new = self
            .sent_to
            .is_none_or(|sent_to| segment.seq.at_or_after(sent_to));
        match codepoint {
            0 => None,
            CE => Some("RFC 3168 §5: a host marks congestion"),
            _ if !on || self.plain => Some("R3168-03: ECN-capable without agreement"),
            _ if segment.text_len == 0 => Some("R3168-08: an ECN-capable segment without text"),
            _ if !new => Some("R3168-07: an ECN-capable retransmission"),
            _ if vars.is_some_and(|vars| vars.snd_wnd == 0) => {
                Some("R3168-09: an ECN-capable probe of a shut window")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CE, Ecn, SETUP};
    use crate::facts::SegmentHeader;
    use timewait_stack::config::EcnUse;
    use timewait_stack::event::{Drop, Verdict};
    use timewait_stack::wire::Flags;
    use timewait_stack::{SeqNumber, Vars};

    const ACK: Flags = Flags::ACK;
    const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
    const ECT: u8 = 2;
    const OUTSIDE: Verdict = Verdict::Dropped(Drop::OutsideWindow);

    fn segment(flags: Flags, seq: u32, text_len: u32) -> SegmentHeader {
        SegmentHeader {
            flags,
            seq: SeqNumber(seq),
            text_len,
            ..SegmentHeader::default()
        }
    }

    /// A client that has agreed on ECN; its SYN was number 0.
    fn agreed() -> Ecn {
        let mut ecn = Ecn::default();
        let syn = segment(Flags::SYN | SETUP, 0, 0);
        assert!(ecn.sent(&syn, 0, EcnUse::Offer, None).is_empty());
        ecn.synchronized(&segment(SYN_ACK | Flags::ECE, 0, 0));
        ecn
    }

    fn found(ecn: &mut Ecn, segment: &SegmentHeader, codepoint: u8) -> String {
        ecn.sent(segment, codepoint, EcnUse::Offer, None).concat()
    }

    #[test]
    fn flags_on_syns_are_those_of_an_offer_or_of_an_answer() {
        let syn = |flags, used| {
            let mut ecn = Ecn::default();
            !ecn.sent(&segment(flags, 0, 0), 0, used, None).is_empty()
        };
        assert!(!syn(Flags::SYN | SETUP, EcnUse::Offer) && !syn(Flags::SYN, EcnUse::Offer));
        assert!(syn(Flags::SYN | SETUP, EcnUse::Accept), "not offered");
        assert!(syn(Flags::SYN | Flags::ECE, EcnUse::Offer), "half an offer");
        assert!(syn(SYN_ACK | Flags::ECE, EcnUse::Accept), "nobody asked");
        let mut ecn = Ecn::default();
        ecn.synchronized(&segment(Flags::SYN | SETUP, 0, 0));
        assert_eq!(found(&mut ecn, &segment(SYN_ACK | Flags::ECE, 0, 0), 0), "");
        let reflected = segment(SYN_ACK | SETUP, 0, 0);
        assert!(found(&mut ecn, &reflected, 0).contains("R3168-01"));
        assert!(found(&mut ecn, &segment(SYN_ACK, 0, 0), ECT).contains("R3168-02"));
    }

    #[test]
    fn only_new_text_by_agreement_is_capable() {
        let text = segment(ACK, 1, 100);
        let mut ecn = agreed();
        assert_eq!(found(&mut ecn, &text, ECT), "");
        assert!(found(&mut ecn, &text, ECT).contains("R3168-07"));
        assert!(found(&mut ecn, &segment(ACK, 101, 0), ECT).contains("R3168-08"));
        assert!(found(&mut agreed(), &text, CE).contains("§5"));
        assert!(found(&mut Ecn::default(), &text, ECT).contains("R3168-03"));
        let shut = Vars::default();
        let probe = agreed().sent(&text, ECT, EcnUse::Offer, Some(&shut));
        assert!(probe.concat().contains("R3168-09"));
        let mut plain = agreed();
        found(&mut plain, &segment(Flags::SYN, 0, 0), 0);
        assert!(found(&mut plain, &text, ECT).contains("R3168-03"));
    }

    #[test]
    fn a_mark_is_echoed_until_cwr_comes() {
        let echo = |ecn: &mut Ecn, ece: bool| {
            let flags = if ece { ACK | Flags::ECE } else { ACK };
            found(ecn, &segment(flags, 1, 0), 0)
        };
        let mut ecn = agreed();
        assert_eq!(echo(&mut ecn, false), "");
        assert!(echo(&mut ecn, true).contains("R3168-04"));
        ecn.arrived(&segment(ACK, 1, 10), CE, OUTSIDE);
        assert_eq!(echo(&mut ecn, false), "", "it was not taken");
        ecn.arrived(&segment(ACK, 1, 10), CE, Verdict::Accepted);
        assert!(echo(&mut ecn, false).contains("R3168-04"));
        assert_eq!(echo(&mut ecn, true), "");
        ecn.arrived(&segment(ACK | Flags::CWR, 11, 10), ECT, Verdict::Accepted);
        assert_eq!(echo(&mut ecn, false), "");
        assert!(echo(&mut Ecn::default(), true).contains("R3168-03"));
    }

    #[test]
    fn cwr_answers_ece_once() {
        let mut ecn = agreed();
        let cwr = |seq| segment(ACK | Flags::CWR, seq, 10);
        assert!(found(&mut ecn, &cwr(1), ECT).contains("R3168-06"));
        ecn.arrived(&segment(ACK | Flags::ECE, 1, 0), 0, Verdict::Accepted);
        assert_eq!(found(&mut ecn, &cwr(11), ECT), "");
        assert!(found(&mut ecn, &cwr(21), ECT).contains("R3168-06"));
    }

    /// RFC 9293 §3.10.7.4: behind a zero window valid ACKs count, so their ECE does, too.
    #[test]
    fn behind_a_zero_window_ece_counts_and_a_mark_does_not() {
        let mut ecn = agreed();
        let cwr = |seq| segment(ACK | Flags::CWR, seq, 10);
        let behind = Verdict::Dropped(Drop::ZeroWindow);
        ecn.arrived(&segment(ACK | Flags::ECE, 1, 0), 0, OUTSIDE);
        assert!(found(&mut ecn, &cwr(1), ECT).contains("R3168-06"));
        ecn.arrived(&segment(ACK | Flags::ECE, 1, 0), 0, behind);
        assert_eq!(found(&mut ecn, &cwr(11), ECT), "");
        ecn.arrived(&segment(ACK, 1, 10), CE, behind);
        assert_eq!(found(&mut ecn, &segment(ACK, 21, 0), 0), "", "refused");
    }
}
