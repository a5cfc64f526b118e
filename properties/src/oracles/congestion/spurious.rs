//! Which timeouts were spurious, as F-RTO finds out without SACK (RFC 5682 §2.1): what such a one
//! took away may come back.

use timewait_stack::SeqNumber;

/// cwnd and ssthresh before a timeout, in octets, and where the last reduction before it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) cwnd: u32,
    pub(super) ssthresh: u32,
    pub(super) recover: Option<SeqNumber>,
}

/// What the ACKs after a timeout have told so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Spurious {
    /// Nothing is asked.
    #[default]
    Off,
    /// Step 1: what went again ends at `again_end`; everything sent before the timeout at `recover`.
    Resent {
        before: Before,
        recover: SeqNumber,
        again_end: SeqNumber,
    },
    /// Step 2b: two new segments may go in the place of old ones.
    Probing { before: Before, recover: SeqNumber },
}

impl Spurious {
    /// The retransmission timer has expired with `una..recover` outstanding, outside of the recovery
    /// from an earlier timeout.
    pub(super) fn timed_out(before: Before, una: SeqNumber, recover: SeqNumber) -> Self {
        Self::Resent {
            before,
            recover,
            again_end: una,
        }
    }

    /// Octets before `end` go again. In step 3 nothing old may, or the next ACK proves nothing.
    pub(super) fn sent_again(&mut self, end: SeqNumber) {
        match self {
            Self::Resent { again_end, .. } => *again_end = end.max(*again_end),
            Self::Probing { .. } => *self = Self::Off,
            Self::Off => {}
        }
    }

    /// Where the new segments of step 2b begin: they don't wait for older ones.
    pub(super) fn probes_from(&self) -> Option<SeqNumber> {
        match *self {
            Self::Probing { recover, .. } => Some(recover),
            Self::Off | Self::Resent { .. } => None,
        }
    }

    /// A duplicate ACK, or one that moves SND.UNA to `una`. Gives what was before the timeout if it
    /// was spurious.
    pub(super) fn on_ack(&mut self, advances: bool, una: SeqNumber) -> Option<Before> {
        let asked = core::mem::take(self);
        match asked {
            Self::Resent {
                before,
                recover,
                again_end,
            } => {
                if advances && una.before(recover) && una.at_or_after(again_end) {
                    *self = Self::Probing { before, recover };
                }
                None
            }
            Self::Probing { before, .. } => advances.then_some(before),
            Self::Off => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Before, Spurious};
    use timewait_stack::SeqNumber;

    const UNA: SeqNumber = SeqNumber(u32::MAX - 150);
    const BEFORE: Before = Before {
        cwnd: 400,
        ssthresh: 900,
        recover: None,
    };

    /// Four segments of 100 octets were out, the first went again.
    fn resent() -> Spurious {
        let mut asked = Spurious::timed_out(BEFORE, UNA, UNA + 400);
        asked.sent_again(UNA + 100);
        asked
    }

    #[test]
    fn two_acks_that_advance_tell() {
        let mut asked = resent();
        assert_eq!(asked.on_ack(true, UNA + 100), None);
        assert_eq!(asked.probes_from(), Some(UNA + 400));
        assert_eq!(asked.on_ack(true, UNA + 200), Some(BEFORE));
        assert_eq!(asked.on_ack(true, UNA + 300), None);
    }

    #[test]
    fn a_duplicate_a_part_and_everything_tell_nothing() {
        for (advances, octets) in [(false, 0), (true, 99), (true, 400), (true, 500)] {
            let mut asked = resent();
            asked.on_ack(advances, UNA + octets);
            assert_eq!(asked.on_ack(true, UNA + 450), None, "{octets}");
        }
        let mut asked = resent();
        asked.on_ack(true, UNA + 100);
        assert_eq!(asked.on_ack(false, UNA + 100), None);
        assert_eq!(asked.on_ack(true, UNA + 200), None);
    }

    #[test]
    fn what_went_again_proves_nothing() {
        let mut asked = resent();
        asked.on_ack(true, UNA + 100);
        asked.sent_again(UNA + 200);
        assert_eq!(asked.on_ack(true, UNA + 200), None);
    }
}
