//! What becomes of a segment: taken in once, held against the reference, and counted.

use timewait_sim::{Instant, NodeId};
use timewait_stack::event::SegmentArrival;
use timewait_stack::{State, Vars};

use super::{Delivery, Facts, Life, Outcome, SegmentHeader, Taint, accepted};
use crate::reference::{self, Shadow};

impl Facts {
    pub(super) fn segment(&mut self, now: Instant, node: NodeId, arrival: &SegmentArrival) {
        let Some(mut delivery) = self.delivery.take() else {
            return;
        };
        let (before, after) = (&arrival.before, &arrival.after);
        self.coverage.segment(delivery.class, before.state);
        let name = arrival
            .connection
            .map(|connection| self.name(node, connection));
        let life = name.and_then(|name| self.lives.get_mut(&name.tag()));
        let unknown = Shadow::default();
        let shadow = life.as_ref().map_or(&unknown, |life| &life.shadow);
        let shown = self.circumstances.clock(node).shows(now);
        let allowance = reference::allowance(before, shadow, delivery.segment(), shown);
        if let Some(life) = life {
            life.arrived((now, shown), &delivery, arrival, &allowance);
        }
        if let Some(name) = name {
            delivery.received_by = Some((name, before.state));
            delivery.old = self.is_old(&delivery, name, before.state);
        }
        delivery.outcome = Some(Outcome {
            breach: allowance.breach(before, after, delivery.segment()),
            accepted: accepted(before, after),
            allowance,
        });
        if let Some(taint) = taint(&delivery) {
            self.taint(&delivery, taint);
        }
        if let Some(opened) = delivery.opened {
            self.with(opened, |life| life.taint = taint_at_birth(&delivery, life));
        }
        self.count_old(&delivery, before);
        self.delivery = Some(delivery);
    }

    /// What was accepted and should not have been spoils the receiver; damage that the checksum
    /// missed, the sender too.
    fn taint(&mut self, delivery: &Delivery, taint: Taint) {
        let receiver = delivery.received_by.map(|(name, _)| name);
        let sender = Some(delivery.tag).filter(|_| taint == Taint::Damage);
        for name in [receiver, sender].into_iter().flatten() {
            self.with(name, |life| life.taint = Some(taint));
        }
    }

    fn count_old(&mut self, delivery: &Delivery, before: &Vars) {
        let (Some((name, state)), Some(segment)) = (delivery.received_by, delivery.segment())
        else {
            return;
        };
        let later = self
            .life(name)
            .is_some_and(|life| life.opened_at >= delivery.born);
        if !delivery.old || !later || state == State::Listen || delivery.forged {
            return;
        }
        let accepted = delivery
            .outcome
            .as_ref()
            .is_some_and(|outcome| outcome.accepted);
        let coverage = &mut self.coverage;
        coverage.old_delivered += 1;
        if state.is_synchronized() || state == State::SynReceived {
            coverage.old_in_window += u64::from(touches_window(segment, before));
        }
        coverage.old_accepted += u64::from(accepted && state.is_synchronized());
    }
}

/// What the segment spoils where it was accepted.
fn taint(delivery: &Delivery) -> Option<Taint> {
    if !delivery.outcome.as_ref()?.accepted {
        None
    } else if delivery.damaged && delivery.intact {
        Some(Taint::Damage)
    } else if delivery.forged {
        Some(Taint::Attack)
    } else {
        delivery.old.then_some(Taint::Old)
    }
}

/// What the segment spoils in the one that it opened. Not so a SYN that is only old: what comes next
/// tells the two apart. An old acknowledgment of a cookie is all there is of a handshake.
fn taint_at_birth(delivery: &Delivery, life: &Life) -> Option<Taint> {
    let old = delivery.old && life.is_by_cookie();
    let forged = delivery.forged.then_some(Taint::Attack);
    forged.or(life.taint).or(old.then_some(Taint::Old))
}

/// Whether any of the segment's sequence numbers (its own, if it has no length) lies in the
/// receive window.
fn touches_window(segment: &SegmentHeader, before: &Vars) -> bool {
    let window = before.rcv_adv.saturating_since(before.rcv_nxt);
    let (first, last) = (
        segment.seq,
        segment.seq + segment.seg_len().saturating_sub(1),
    );
    first.within(before.rcv_nxt, window)
        || last.within(before.rcv_nxt, window)
        || window > 0 && before.rcv_nxt.within(first, segment.seg_len())
}
