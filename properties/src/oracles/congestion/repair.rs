//! Which octets may be sent again, and when (RFC 5681 §3.1, §3.2; RFC 6582 §3.2).

use timewait_stack::SeqNumber;

use crate::facts::SegmentHeader;

/// The reasons for which one connection may send octets again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Repair {
    /// A timeout, or a window that had been closed and reopened: all octets before this.
    until: Option<SeqNumber>,
    /// A timeout, and nothing was sent again since: one segment may go, of whatever size. The loss
    /// window is one segment (RFC 5681 §3.1), and a timeout may change what that is (RFC 2923 §2.1).
    loss_window: bool,
    /// In fast recovery: SND.UNA, and how far the segment there was sent again.
    fast: Option<(SeqNumber, SeqNumber)>,
    /// The persist timer has expired, and no probe was sent since.
    probe: bool,
}

/// Octets that are sent again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again {
    pub(super) start: SeqNumber,
    /// After the last octet of text.
    pub(super) end: SeqNumber,
    pub(super) una: SeqNumber,
    pub(super) smss: u32,
    pub(super) cwnd: u32,
    pub(super) recovering: bool,
}

impl Repair {
    /// The retransmission timer has expired.
    pub(super) fn timed_out(&mut self, sent_to: SeqNumber) {
        self.until = Some(sent_to);
        self.loss_window = true;
    }

    /// The timeout was spurious: nothing that was sent before it need go again.
    pub(super) fn found_needless(&mut self) {
        self.until = None;
    }

    /// A closed window opened, and the peer may have refused everything (RFC 9293 §3.8.6.1); or a
    /// router says that segments were too big.
    pub(super) fn may_send_all_again(&mut self, sent_to: Option<SeqNumber>) {
        self.until = sent_to.or(self.until);
    }

    /// The persist timer has expired.
    pub(super) fn may_probe(&mut self) {
        self.probe = true;
    }

    /// Whether the segment is the probe of a zero window that is due.
    pub(super) fn takes_probe(&mut self, segment: &SegmentHeader) -> bool {
        let is = self.probe && segment.seg_len() == 1;
        self.probe &= !is;
        is
    }

    /// Whether these octets may go again within cwnd, without fast recovery.
    pub(super) fn covers(&mut self, start: SeqNumber, una: SeqNumber) -> bool {
        self.until = self.until.filter(|until| una.before(*until));
        self.until.is_some_and(|until| start.before(until))
    }

    /// What speaks against sending these octets again, without SACK.
    pub(super) fn judge(&mut self, again: &Again) -> Option<String> {
        let first = core::mem::take(&mut self.loss_window) && again.start == again.una;
        if self.covers(again.start, again.una) {
            if first {
                return None;
            }
            let most = again.cwnd.max(again.smss);
            let out = again.end - again.una;
            return (out > most).then(|| format!("sent again beyond cwnd, {out} octets of {most}"));
        }
        if !again.recovering {
            return Some("sent again without a timeout or three duplicate ACKs".to_owned());
        }
        let sent_to = match self.fast {
            Some((una, sent_to)) if una == again.una => sent_to,
            _ => again.una,
        };
        self.fast = Some((again.una, again.end));
        let first = again.start.at_or_after(sent_to) && again.end - again.una <= again.smss;
        (!first).then(|| "more than the first segment sent again for one ACK".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{Again, Repair};
    use timewait_stack::SeqNumber;

    const UNA: SeqNumber = SeqNumber(100);

    fn again(octets: u32, cwnd: u32) -> Again {
        Again {
            start: UNA,
            end: UNA + octets,
            una: UNA,
            smss: 1220,
            cwnd,
            recovering: false,
        }
    }

    #[test]
    fn after_a_timeout_one_segment_of_another_size_may_go() {
        let mut repair = Repair::default();
        repair.timed_out(UNA + 3000);
        assert_eq!(repair.judge(&again(1440, 1220)), None);
        assert!(repair.judge(&again(1440, 1220)).is_some(), "only one");
    }

    #[test]
    fn what_was_too_big_for_the_path_goes_again_within_cwnd() {
        let mut repair = Repair::default();
        assert!(repair.judge(&again(576, 4380)).is_some());
        repair.may_send_all_again(Some(UNA + 4380));
        assert_eq!(repair.judge(&again(576, 4380)), None);
        assert!(repair.judge(&again(4400, 4380)).is_some());
    }
}
