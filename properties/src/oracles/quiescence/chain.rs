//! Which datagram answers which.

use std::collections::{BTreeMap, VecDeque};
use timewait_sim::PacketId;

/// (a): a longer chain of replies without acceptance is a loop.
pub(super) const REPLIES_MAX: u32 = 8;
/// (b): so often may no state be seen along a chain.
pub(super) const SEEN_MAX: u32 = 3;
/// States of a chain that are remembered: three rounds of the longest cycle that (a) allows.
const STATES_KEPT: usize = 24;
/// Chains that are remembered. One whose datagram is delivered later than that counts as new.
const CHAINS_KEPT: usize = 4096;

/// The chains of replies whose last datagram is on its way.
#[derive(Debug, Default)]
pub(super) struct Chains {
    by_packet: BTreeMap<PacketId, Chain>,
    order: VecDeque<PacketId>,
}

/// A chain of replies up to one datagram.
#[derive(Clone, Debug, Default)]
struct Chain {
    /// Replies to what was not accepted, without a break.
    replies: u32,
    /// What the ends looked like when each reply was sent, since something went on.
    states: VecDeque<u64>,
    /// The number of timer and user events of the flow when the states were seen.
    epoch: u64,
    /// It began with a keepalive probe.
    keepalive: bool,
}

/// A datagram that is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) id: PacketId,
    /// The datagram that it answers.
    pub(super) cause: Option<PacketId>,
    /// What it answers was accepted.
    pub(super) accepted: bool,
    /// What it answers came so late that the limit of RFC 5961 §7 allows an answer again.
    pub(super) late: bool,
    /// What both ends look like.
    pub(super) look: Look,
    /// The number of timer and user events of the flow.
    pub(super) epoch: u64,
    /// It is a keepalive probe.
    pub(super) keepalive: bool,
}

/// What both ends look like after the datagram that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// They went on, and never looked like this before.
    New,
    /// Something changed that may change back.
    Perhaps(u64),
    /// Nothing changed.
    Same,
}

/// What is known of the chain that ends with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) replies: u32,
    /// How often its state was seen, this time included.
    pub(super) seen: u32,
    pub(super) keepalive: bool,
}

impl Chains {
    /// A datagram is sent: how long is its chain, and how often was its state seen in it?
    pub(super) fn sent(&mut self, sent: Sent) -> Verdict {
        let before = sent.cause.and_then(|cause| self.by_packet.get(&cause));
        let mut chain = before.cloned().unwrap_or_default();
        chain.keepalive |= sent.keepalive;
        chain.replies = match sent.cause {
            Some(_) if !sent.accepted && sent.late => 1,
            Some(_) if !sent.accepted => chain.replies + 1,
            _ => 0,
        };
        if sent.look == Look::New || chain.epoch != sent.epoch {
            chain.states.clear();
        }
        chain.epoch = sent.epoch;
        let mut seen = 1;
        if let (Look::Perhaps(state), Some(_)) = (sent.look, sent.cause) {
            seen += chain
                .states
                .iter()
                .map(|&known| u32::from(known == state))
                .sum::<u32>();
            chain.states.push_back(state);
            if chain.states.len() > STATES_KEPT {
                chain.states.pop_front();
            }
        }
        let verdict = Verdict {
            replies: chain.replies,
            seen,
            keepalive: chain.keepalive,
        };
        if chain.replies > 0 || chain.keepalive || !chain.states.is_empty() {
            self.keep(sent.id, chain);
        }
        verdict
    }

    fn keep(&mut self, id: PacketId, chain: Chain) {
        self.by_packet.insert(id, chain);
        self.order.push_back(id);
        if self.order.len() > CHAINS_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_packet.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Chains, Look, Sent, Verdict};
    use timewait_sim::{NodeId, PacketId};

    fn id(ordinal: u64) -> PacketId {
        PacketId {
            origin: NodeId(0),
            ordinal,
        }
    }

    /// Reply number `n`, to the one before it.
    fn reply(n: u64) -> Sent {
        Sent {
            id: id(n),
            cause: n.checked_sub(1).map(id),
            accepted: false,
            late: false,
            keepalive: false,
            look: Look::Perhaps(n),
            epoch: 0,
        }
    }

    fn last(sent: impl IntoIterator<Item = Sent>) -> Verdict {
        let mut chains = Chains::default();
        let verdicts = sent.into_iter().map(|sent| chains.sent(sent));
        verdicts.last().unwrap()
    }

    #[test]
    fn replies_add_up_until_one_is_accepted() {
        assert_eq!(last((0..=9).map(reply)).replies, 9);
        let accepted = |n| Sent {
            accepted: n == 7,
            ..reply(n)
        };
        assert_eq!(last((0..=9).map(accepted)).replies, 2);
        let late = |n| Sent {
            late: n == 7,
            ..reply(n)
        };
        assert_eq!(last((0..=9).map(late)).replies, 3);
    }

    #[test]
    fn many_answers_to_one_datagram_are_many_short_chains() {
        let copies = (1..=50).map(|n| Sent {
            cause: Some(id(0)),
            look: Look::Perhaps(7),
            ..reply(n)
        });
        assert_eq!(
            last(copies),
            Verdict {
                replies: 1,
                seen: 1,
                keepalive: false
            }
        );
    }

    #[test]
    fn a_state_is_counted_along_its_chain() {
        let cycle = |n| Sent {
            look: Look::Perhaps(n % 2),
            accepted: true,
            ..reply(n)
        };
        assert_eq!(last((0..=4).map(cycle)).seen, 2);
        assert_eq!(last((0..=6).map(cycle)).seen, 3);
    }

    #[test]
    fn what_changes_nothing_is_no_cycle() {
        let same = |n| Sent {
            look: Look::Same,
            ..reply(n)
        };
        assert_eq!(last((0..=6).map(same)).seen, 1);
    }

    #[test]
    fn progress_and_timers_end_the_count() {
        let progress = |n| Sent {
            look: Look::New,
            accepted: true,
            ..reply(n)
        };
        assert_eq!(last((0..=6).map(progress)).seen, 1);
        let timer = |n| Sent {
            look: Look::Perhaps(0),
            accepted: true,
            epoch: n,
            ..reply(n)
        };
        assert_eq!(last((0..=6).map(timer)).seen, 1);
    }

    #[test]
    fn what_a_probe_draws_belongs_to_keepalive() {
        let probe = |n| Sent {
            keepalive: n == 0,
            ..reply(n)
        };
        assert!(last((0..=3).map(probe)).keepalive);
    }
}
