//! What was sent again since the last reduction. To send it once more means that a retransmission
//! is lost, which is one more indication of congestion (RFC 5681 §4.3; R5681-14).

use timewait_stack::SeqNumber;

use super::profile::Profile;

/// Octets that were sent again, and the ssthresh in force then.
#[derive(Clone, Copy, Debug)]
struct Range {
    start: SeqNumber,
    end: SeqNumber,
    ssthresh: u32,
}

/// The retransmissions of one repair.
#[derive(Clone, Debug, Default)]
pub(super) struct Resent {
    /// Those of the batch at hand: what they were sent under shows when it is over.
    batch: Vec<(SeqNumber, SeqNumber)>,
    ranges: Vec<Range>,
}

impl Resent {
    pub(super) fn add(&mut self, start: SeqNumber, end: SeqNumber) {
        self.batch.push((start, end));
    }

    /// A reduction that answers all before it, or one that is undone.
    pub(super) fn forget(&mut self) {
        self.ranges.clear();
    }

    /// The batch is over with this ssthresh in force; what is wrong with it.
    pub(super) fn settle(
        &mut self,
        una: SeqNumber,
        ssthresh: u32,
        smss: u32,
        profile: &Profile,
    ) -> Option<String> {
        let mut wrong = None;
        self.ranges.retain(|range| range.end.after(una));
        for (start, end) in core::mem::take(&mut self.batch) {
            let again = |range: &&Range| range.start.before(end) && start.before(range.end);
            let least = self.ranges.iter().filter(again).map(|it| it.ssthresh).min();
            if let Some(before) = least {
                let most = profile.threshold(before, smss);
                if ssthresh > most {
                    wrong = Some(format!(
                        "a retransmission of {start}..{end} was lost, and ssthresh is {ssthresh}: \
                         at most {most} is allowed"
                    ));
                }
            }
            self.ranges
                .retain(|range| !(range.start.at_or_after(start) && range.end.at_or_before(end)));
            let now = Range {
                start,
                end,
                ssthresh,
            };
            self.ranges.push(now);
        }
        wrong
    }
}
