//! Proportional rate reduction (RFC 9937 §6), counted from outside: what was delivered and what was
//! sent in one recovery.

use timewait_stack::Vars;

/// The variables of one recovery, in octets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prr {
    /// prr_delivered.
    delivered: u32,
    /// prr_out.
    out: u32,
    /// RecoverFS.
    recover_fs: u32,
    /// An ACK was answered.
    begun: bool,
}

/// The circumstances of an ACK in recovery.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// What it delivered (DeliveredData).
    pub(super) delivered: u32,
    /// It moved SND.UNA (SafeACK, or not).
    pub(super) advances: bool,
    pub(super) pipe: u32,
    pub(super) ssthresh: u32,
    pub(super) smss: u32,
}

impl Prr {
    /// Recovery begins. What was reported before cannot be delivered in it (§6.1).
    pub(super) fn new(outstanding: u32, reported: u32) -> Self {
        Self {
            recover_fs: outstanding.saturating_sub(reported).max(1),
            ..Self::default()
        }
    }

    pub(super) fn sent(&mut self, octets: u32) {
        self.out = self.out.saturating_add(octets);
    }

    /// The most that cwnd may be after an ACK (§6.2); `None`: it says nothing new of it.
    pub(super) fn most(&mut self, ack: &Share) -> Option<u32> {
        let begun = core::mem::replace(&mut self.begun, true);
        if ack.delivered == 0 && begun {
            return None;
        }
        self.delivered = self.delivered.saturating_add(ack.delivered);
        let count = if ack.pipe > ack.ssthresh {
            let share = u64::from(self.delivered) * u64::from(ack.ssthresh);
            let due = share.div_ceil(u64::from(self.recover_fs.max(1)));
            u32::try_from(due)
                .unwrap_or(u32::MAX)
                .saturating_sub(self.out)
        } else {
            let ahead = self.delivered.saturating_sub(self.out);
            let safe = if ack.advances { ack.smss } else { 0 };
            (ahead.max(ack.delivered) + safe).min(ack.ssthresh - ack.pipe)
        };
        // The first retransmission goes in any case.
        let first = if self.out == 0 { ack.smss } else { 0 };
        Some(ack.pipe.saturating_add(count.max(first)))
    }
}

/// What an ACK delivered: by how much SND.UNA moved, and how much more is reported beyond it.
pub(super) fn delivered(before: &Vars, after: &Vars) -> u32 {
    let sacked = |vars: &Vars| vars.sack.map_or(0, |sack| sack.sacked);
    (after.snd_una - before.snd_una + sacked(after)).saturating_sub(sacked(before))
}

#[cfg(test)]
mod tests {
    use super::{Prr, Share};

    const SMSS: u32 = 1000;

    fn share(delivered: u32, pipe: u32) -> Share {
        Share {
            delivered,
            advances: false,
            pipe,
            ssthresh: 5 * SMSS,
            smss: SMSS,
        }
    }

    #[test]
    fn above_ssthresh_one_goes_for_every_two_delivered() {
        let mut prr = Prr::new(10 * SMSS, 0);
        assert_eq!(prr.most(&share(SMSS, 8 * SMSS)), Some(9 * SMSS), "first");
        prr.sent(SMSS);
        assert_eq!(prr.most(&share(SMSS, 8 * SMSS)), Some(8 * SMSS));
        assert_eq!(prr.most(&share(2 * SMSS, 7 * SMSS)), Some(8 * SMSS));
    }

    #[test]
    fn below_it_as_much_as_was_delivered_and_one_more_if_that_is_safe() {
        let mut prr = Prr::new(10 * SMSS, 2 * SMSS);
        prr.sent(4 * SMSS);
        assert_eq!(prr.most(&share(2 * SMSS, 2 * SMSS)), Some(4 * SMSS));
        let safe = Share {
            advances: true,
            ..share(SMSS, 2 * SMSS)
        };
        assert_eq!(prr.most(&safe), Some(4 * SMSS));
        assert_eq!(prr.most(&share(9 * SMSS, 4 * SMSS)), Some(5 * SMSS));
        assert_eq!(prr.most(&share(0, 4 * SMSS)), None, "says nothing");
    }
}
