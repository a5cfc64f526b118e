//! Which timeouts were spurious, as F-RTO finds out without SACK (RFC 5682 §2.1): what such a one
//! took away may come back.

use timewait_stack::SeqNumber;

use super::envelope::Cut;

/// What the ACKs after a timeout have told so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Spurious {
    /// Nothing is asked.
    #[default]
    Off,
    /// Step 1: what went again ends at `again_end`; everything sent before the timeout at `recover`.
    Resent {
        before: Cut,
        recover: SeqNumber,
        again_end: SeqNumber,
    },
    /// Step 2b: two new segments may go in the place of old ones.
    Probing { before: Cut, recover: SeqNumber },
}

impl Spurious {
    /// The retransmission timer has expired with `una..recover` outstanding, outside of the recovery
    /// from an earlier timeout.
    pub(super) fn timed_out(before: Cut, una: SeqNumber, recover: SeqNumber) -> Self {
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
    pub(super) fn on_ack(&mut self, advances: bool, una: SeqNumber) -> Option<Cut> {
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
    use super::Spurious;
    use crate::oracles::congestion::envelope::Envelope;
    use crate::oracles::congestion::envelope::Loss;
    use crate::oracles::congestion::profile::Profile;
    use timewait_sim::Instant;
    use timewait_stack::event::Vars;
    use timewait_stack::{Config, SeqNumber};

    const UNA: SeqNumber = SeqNumber(u32::MAX - 150);
    /// Four segments of 100 octets were out, the first went again.
    fn resent() -> Spurious {
        let profile = Profile::of(&Config::new(vec![], [7; 32]));
        let before = Envelope::new(profile, 400).before_timeout(UNA);
        let before = before.expect("nothing is being repaired");
        let mut asked = Spurious::timed_out(before, UNA, UNA + 400);
        asked.sent_again(UNA + 100);
        asked
    }

    #[test]
    fn what_was_acknowledged_before_a_spurious_timeout_still_counts() {
        let vars = |una: u32, cwnd| Vars {
            snd_una: SeqNumber(una),
            snd_nxt: SeqNumber(una + 4000),
            cwnd,
            ssthresh: 4000,
            smss: 1000,
            ..Vars::default()
        };
        let profile = Profile::of(&Config::new(vec![], [7; 32]));
        let mut envelope = Envelope::new(profile, 4000);
        envelope.hold(&vars(0, 4000));
        let acked = |envelope: &mut Envelope, from: Vars, to: Vars| {
            envelope.acked(&from, &to, Instant::ZERO, false);
        };
        // Three quarters of a window: it does not grow yet.
        acked(&mut envelope, vars(0, 4000), vars(3000, 4000));
        envelope.hold(&vars(3000, 4000));
        let una = SeqNumber(3000);
        let before = envelope.before_timeout(una).expect("no repair");
        let loss = Loss {
            una,
            flight: 4000,
            sent_to: Some(una + 4000),
            smss: 1000,
        };
        envelope.timed_out(&loss, true);
        envelope.hold(&vars(3000, 1000));
        // The second ACK shows that the timeout was spurious, and ends the repair as well.
        let cut = envelope.take_cut();
        acked(&mut envelope, vars(3000, 1000), vars(7000, 2000));
        envelope.undo(before, Some(cut), false);
        assert_eq!(envelope.hold(&vars(7000, 4000)), [""; 0]);
        acked(&mut envelope, vars(7000, 4000), vars(8000, 5000));
        assert_eq!(envelope.hold(&vars(8000, 5000)), [""; 0]);
    }

    #[test]
    fn two_acks_that_advance_tell() {
        let mut asked = resent();
        assert!(asked.on_ack(true, UNA + 100).is_none());
        assert_eq!(asked.probes_from(), Some(UNA + 400));
        assert!(asked.on_ack(true, UNA + 200).is_some());
        assert!(asked.on_ack(true, UNA + 300).is_none());
    }

    #[test]
    fn a_duplicate_a_part_and_everything_tell_nothing() {
        for (advances, octets) in [(false, 0), (true, 99), (true, 400), (true, 500)] {
            let mut asked = resent();
            asked.on_ack(advances, UNA + octets);
            assert!(asked.on_ack(true, UNA + 450).is_none(), "{octets}");
        }
        let mut asked = resent();
        asked.on_ack(true, UNA + 100);
        assert!(asked.on_ack(false, UNA + 100).is_none());
        assert!(asked.on_ack(true, UNA + 200).is_none());
    }

    #[test]
    fn what_went_again_proves_nothing() {
        let mut asked = resent();
        asked.on_ack(true, UNA + 100);
        asked.sent_again(UNA + 200);
        assert!(asked.on_ack(true, UNA + 200).is_none());
    }
}
