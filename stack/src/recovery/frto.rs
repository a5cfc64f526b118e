//! Forward RTO-recovery (RFC 5682): was the timeout spurious? After it only the first segment goes
//! again, and then new ones; if octets arrive that were sent only before the timeout, they were
//! merely late.
//!
//! The variant without SACK (§2.1) and the one with it (§3.1) differ in what a duplicate ACK says.

use crate::seq::SeqNumber;

/// Where the algorithm stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Frto {
    /// No question is open.
    #[default]
    Off,
    /// Step 2: the first segment was sent again, and ends at `again_end`; `recover` is the end of
    /// all that was sent before the timeout.
    Resent {
        recover: SeqNumber,
        again_end: SeqNumber,
    },
    /// Step 3: its ACK came, and new octets were let go instead of old ones.
    Probing { recover: SeqNumber },
}

/// What an ACK is, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrtoAck {
    /// SND.UNA as the ACK has it.
    pub(crate) ack: SeqNumber,
    /// It moved SND.UNA.
    pub(crate) advances: bool,
    /// It tells of octets that were sent only once: where they start. With SACK only.
    pub(crate) original: Option<SeqNumber>,
    /// The highest octet of which it tells for the first time. With SACK only.
    pub(crate) highest: Option<SeqNumber>,
    /// SACK is in use.
    pub(crate) sack: bool,
    /// There is something new to send, and a window for it.
    pub(crate) can_send_new: bool,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrtoVerdict {
    /// Nothing yet.
    Wait,
    /// New octets may go, two segments at most; nothing is to be sent again.
    SendNew,
    /// Something is lost: the conventional recovery goes on.
    Lost,
    /// The timeout was spurious.
    Spurious,
}

impl Frto {
    /// Step 1.
    pub(crate) fn start(recover: SeqNumber, again_end: SeqNumber) -> Self {
        Self::Resent { recover, again_end }
    }

    /// What was sent before the timeout must wait: new octets have the turn.
    pub(crate) fn holds(&self) -> bool {
        self.probes_from().is_some()
    }

    /// Where those new octets begin, while they have the turn.
    pub(crate) fn probes_from(&self) -> Option<SeqNumber> {
        match *self {
            Self::Probing { recover } => Some(recover),
            Self::Off | Self::Resent { .. } => None,
        }
    }

    /// Steps 2 and 3.
    pub(crate) fn on_ack(&mut self, seen: &FrtoAck) -> FrtoVerdict {
        match *self {
            Self::Off => FrtoVerdict::Wait,
            Self::Resent { recover, again_end } => self.second(seen, recover, again_end),
            Self::Probing { recover } => {
                *self = Self::Off;
                let beyond = seen.highest.is_some_and(|end| end.after(recover));
                let original = seen.original.is_some_and(|start| start.before(recover));
                let spurious = if seen.sack {
                    !beyond && original
                } else {
                    seen.advances // What it acknowledges was not sent again (§2.1 step 3b).
                };
                if spurious {
                    FrtoVerdict::Spurious
                } else {
                    FrtoVerdict::Lost
                }
            }
        }
    }

    fn second(&mut self, seen: &FrtoAck, recover: SeqNumber, again_end: SeqNumber) -> FrtoVerdict {
        if !seen.advances && seen.sack {
            return FrtoVerdict::Wait; // §3.1 step 2: it only adds to the scoreboard.
        }
        let partial = seen.ack.before(again_end);
        let all = seen.ack.at_or_after(recover);
        if !seen.advances || all || partial || !seen.can_send_new {
            *self = Self::Off;
            return FrtoVerdict::Lost;
        }
        *self = Self::Probing { recover };
        FrtoVerdict::SendNew
    }
}

#[cfg(test)]
mod tests {
    use super::{Frto, FrtoAck, FrtoVerdict};
    use crate::seq::SeqNumber;

    const UNA: SeqNumber = SeqNumber(u32::MAX - 1500);
    const SMSS: u32 = 1000;

    fn after_the_timeout() -> Frto {
        Frto::start(UNA + 4 * SMSS, UNA + SMSS)
    }

    /// An ACK of the first `segments`, the last of which was sent once.
    fn ack(segments: u32, sack: bool) -> FrtoAck {
        let ack = UNA + segments * SMSS;
        FrtoAck {
            ack,
            advances: segments > 0,
            original: (segments > 1).then(|| ack.back(SMSS)),
            highest: (segments > 0).then_some(ack),
            sack,
            can_send_new: true,
        }
    }

    #[test]
    fn two_acks_that_advance_prove_the_timeout_spurious() {
        for sack in [false, true] {
            let mut frto = after_the_timeout();
            assert_eq!(frto.on_ack(&ack(1, sack)), FrtoVerdict::SendNew);
            assert!(frto.holds());
            assert_eq!(frto.on_ack(&ack(2, sack)), FrtoVerdict::Spurious);
            assert_eq!(frto, Frto::Off);
        }
    }

    #[test]
    fn a_duplicate_in_step_2_proves_loss_without_sack_and_nothing_with_it() {
        let (mut plain, mut sack) = (after_the_timeout(), after_the_timeout());
        assert_eq!(plain.on_ack(&ack(0, false)), FrtoVerdict::Lost);
        assert_eq!(sack.on_ack(&ack(0, true)), FrtoVerdict::Wait);
        assert_eq!(sack, after_the_timeout());
    }

    #[test]
    fn an_ack_of_everything_or_of_part_of_the_segment_says_nothing() {
        for sack in [false, true] {
            assert_eq!(after_the_timeout().on_ack(&ack(4, sack)), FrtoVerdict::Lost);
            let part = FrtoAck {
                ack: UNA + 10,
                ..ack(1, sack)
            };
            assert_eq!(after_the_timeout().on_ack(&part), FrtoVerdict::Lost);
        }
    }

    #[test]
    fn without_new_octets_recovery_is_conventional() {
        let none = FrtoAck {
            can_send_new: false,
            ..ack(1, true)
        };
        assert_eq!(after_the_timeout().on_ack(&none), FrtoVerdict::Lost);
    }

    #[test]
    fn in_step_3_only_octets_sent_before_the_timeout_count() {
        let step_3 = Frto::Probing {
            recover: UNA + 4 * SMSS,
        };
        let beyond = FrtoAck {
            highest: Some(UNA + 5 * SMSS),
            ..ack(2, true)
        };
        assert_eq!({ step_3 }.on_ack(&beyond), FrtoVerdict::Lost);
        let duplicate = FrtoAck {
            original: None,
            highest: None,
            ..ack(0, true)
        };
        assert_eq!({ step_3 }.on_ack(&duplicate), FrtoVerdict::Lost);
        let reported = FrtoAck {
            original: Some(UNA + 2 * SMSS),
            highest: Some(UNA + 3 * SMSS),
            ..ack(0, true)
        };
        assert_eq!({ step_3 }.on_ack(&reported), FrtoVerdict::Spurious);
        assert_eq!({ step_3 }.on_ack(&ack(0, false)), FrtoVerdict::Lost);
        assert_eq!({ step_3 }.on_ack(&ack(5, false)), FrtoVerdict::Spurious);
    }
}
