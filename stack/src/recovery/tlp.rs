//! The tail loss probe (RFC 8985 §7): when the ACKs of a tail stay away, one segment asks for
//! them, long before the retransmission timer would.

use crate::seq::SeqNumber;
use crate::time::{Duration, Instant};

/// Before any sample a probe waits this long (§7.2).
const PTO_WITHOUT_SAMPLE: Duration = Duration::from_secs(1);

/// The probe of a connection. It outlives its flight: what it repaired shows later.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tlp {
    /// A probe is out, whose octets end here (TLP.end_seq).
    pub(crate) end: Option<SeqNumber>,
    /// It was a retransmission.
    again: bool,
    /// A round trip was measured since the last probe (§7.3: else no further one).
    measured: bool,
}

/// What an ACK says of the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing, or that it was not needed.
    Nothing,
    /// It repaired a loss that nobody else has seen.
    Repaired,
}

impl Tlp {
    /// Whether a probe may be scheduled for this tail.
    pub(crate) fn may_probe(&self) -> bool {
        self.end.is_none() && self.measured
    }

    /// The instant of the probe (§7.2; R8985-06): two round trips from now, later by `ack_delay`
    /// if a single segment is out, whose ACK may be delayed; and no later than `rto_at`.
    pub(crate) fn timeout(
        now: Instant,
        srtt: Option<Duration>,
        ack_delay: Option<Duration>,
        rto_at: Instant,
    ) -> Instant {
        let wait = match srtt {
            Some(srtt) => srtt.saturating_mul(2) + ack_delay.unwrap_or_default(),
            None => PTO_WITHOUT_SAMPLE,
        };
        (now + wait).min(rto_at.max(now))
    }

    /// The timer ran out: no further one before a round trip is measured.
    pub(crate) fn spend(&mut self) {
        self.measured = false;
    }

    /// A probe was sent (§7.3).
    pub(crate) fn on_sent(&mut self, end: SeqNumber, again: bool) {
        (self.end, self.again) = (Some(end), again);
    }

    /// A round trip was measured.
    pub(crate) fn on_sample(&mut self) {
        self.measured = true;
    }

    /// Loss recovery begins: the probe has done its work (§7.1).
    pub(crate) fn forget(&mut self) {
        self.end = None;
    }

    /// An ACK of all before `ack`, with the end of its D-SACK if it has one; `bare`: a duplicate
    /// ACK without any SACK option (§7.4.2; R8985-08).
    pub(crate) fn on_ack(
        &mut self,
        ack: SeqNumber,
        dsack_end: Option<SeqNumber>,
        bare: bool,
    ) -> Answer {
        let Some(end) = self.end.filter(|end| ack.at_or_after(*end)) else {
            return Answer::Nothing;
        };
        if !self.again || dsack_end == Some(end) {
            self.end = None;
        } else if ack.after(end) {
            self.end = None;
            return Answer::Repaired;
        } else if bare {
            self.end = None;
        }
        Answer::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Tlp};
    use crate::seq::SeqNumber;
    use crate::time::{Duration, Instant};

    const END: SeqNumber = SeqNumber(u32::MAX);

    fn probing(again: bool) -> Tlp {
        let mut tlp = Tlp::default();
        tlp.on_sent(END, again);
        tlp
    }

    #[test]
    fn one_probe_for_each_sample() {
        let mut tlp = Tlp::default();
        assert!(!tlp.may_probe());
        tlp.on_sample();
        assert!(tlp.may_probe());
        tlp.spend();
        tlp.on_sent(END, false);
        tlp.on_sample();
        assert!(!tlp.may_probe(), "one is out");
        tlp.on_ack(END, None, false);
        assert!(tlp.may_probe());
    }

    #[test]
    fn a_probe_waits_two_round_trips_and_not_past_the_rto() {
        let ms = Duration::from_millis;
        let at = |ms: u64| Instant::from_nanos(ms * 1_000_000);
        for (srtt, delay, rto_at, expected) in [
            (Some(ms(100)), None, 5000, 1200),
            (Some(ms(100)), Some(ms(40)), 5000, 1240),
            (Some(ms(100)), Some(ms(200)), 1300, 1300),
            (None, None, 5000, 2000),
            (Some(ms(100)), None, 900, 1000),
        ] {
            assert_eq!(
                Tlp::timeout(at(1000), srtt, delay, at(rto_at)),
                at(expected),
                "R8985-06"
            );
        }
    }

    #[test]
    fn what_the_ack_of_a_probe_tells() {
        let beyond = END + 1;
        // (sent again, ACK, end of the D-SACK, bare) → (answer, still out)
        for (again, ack, dsack, bare, answer, out) in [
            (false, END, None, false, Answer::Nothing, false),
            (true, END.back(1), None, false, Answer::Nothing, true),
            (true, END, None, false, Answer::Nothing, true),
            (true, END, Some(END), false, Answer::Nothing, false),
            (true, END, None, true, Answer::Nothing, false),
            (true, beyond, None, false, Answer::Repaired, false),
            (true, beyond, Some(END), false, Answer::Nothing, false),
        ] {
            let mut tlp = probing(again);
            assert_eq!(tlp.on_ack(ack, dsack, bare), answer, "R8985-08");
            assert_eq!(tlp.end.is_some(), out);
        }
    }
}
