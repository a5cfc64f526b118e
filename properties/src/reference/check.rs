//! What a segment did change, held against what it may and must.

use core::fmt::Display;
use timewait_stack::{SeqNumber, State, Vars};

use super::{Allowance, Permit};
use crate::facts::{SegmentHeader, accepted_but_for_its_stamp};

/// How an outcome differs from every allowed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// Something was accepted that must not be.
    Excess(String),
    /// Something was not accepted that must be.
    Neglect(String),
}

impl Allowance {
    /// Compares the variables after the segment with what is allowed. `segment` is the one that
    /// this allowance is for, if it was one at all.
    pub fn breach(
        &self,
        before: &Vars,
        after: &Vars,
        segment: Option<&SegmentHeader>,
    ) -> Option<Breach> {
        if !self.states.contains(after.state) {
            return excess(change("the state", before.state, after.state));
        }
        if has_ended(before, after) {
            return None;
        }
        if self.must_end {
            return neglect("it must end the connection".into());
        }
        if let Some(breach) = self.stamping(after) {
            return Some(breach);
        }
        match segment {
            Some(segment) if self.refusal.is_none() && !self.opens => self
                .receiving(before, after, segment)
                .or_else(|| self.urgent_pointer(before, after))
                .or_else(|| self.sending(before, after, segment))
                .or_else(|| consistent(after)),
            _ if accepted_but_for_its_stamp(before, after) => excess(changes(before, after)),
            _ => None,
        }
    }

    /// TS.Recent is what RFC 7323 §4.3 makes of it, by our own count.
    fn stamping(&self, after: &Vars) -> Option<Breach> {
        let (kept, taken) = (self.ts_recent, Some(self.stamp.value));
        let shown = after.ts_recent;
        let what = || {
            let show = |stamp: Option<u32>| stamp.map_or("none".into(), |stamp| stamp.to_string());
            let (shown, kept) = (show(shown), show(kept));
            format!(
                "TS.Recent is {shown}, was {kept}, SEG.TSval {}",
                self.stamp.value
            )
        };
        match self.stamp.permit {
            Permit::No if shown != kept => excess(what()),
            Permit::May if shown != kept && shown != taken => excess(what()),
            Permit::Must if shown != taken => neglect(what()),
            _ => None,
        }
    }

    fn receiving(&self, before: &Vars, after: &Vars, segment: &SegmentHeader) -> Option<Breach> {
        let (least, most) = self.rcv_nxt;
        if self.synchronize == Permit::Must && after.irs != segment.seq {
            return neglect(format!("IRS is {}, not SEG.SEQ", after.irs));
        }
        if self.synchronize == Permit::No && after.irs != before.irs && is_full(after) {
            return excess(change("IRS", before.irs, after.irs));
        }
        if after.rcv_nxt.before(least) {
            return neglect(format!(
                "RCV.NXT is {} and must reach {least}",
                after.rcv_nxt
            ));
        }
        if after.rcv_nxt.after(most) || waits(before, after) && after.rcv_nxt != before.rcv_nxt {
            let what = change("RCV.NXT", before.rcv_nxt, after.rcv_nxt);
            return excess(format!("{what}, allowed up to {most}"));
        }
        let offered = self.octets.map_or(0, |(start, end)| end - start);
        if after.out_of_order > before.out_of_order.saturating_add(offered) {
            let what = change("octets held", before.out_of_order, after.out_of_order);
            return excess(format!("{what}, offered {offered}"));
        }
        let own_fin = self.fin_ends[0].map(|end| end.back(1));
        if after.fin_held.is_some() && ![before.fin_held, own_fin].contains(&after.fin_held) {
            return excess("a FIN held where none was offered".into());
        }
        let at_fin = self.fin_ends.contains(&Some(after.rcv_nxt));
        match (before.fin_received, after.fin_received) {
            (false, true) if !at_fin => excess("a FIN that is not at RCV.NXT".into()),
            (false, false) if at_fin && after.rcv_nxt != before.rcv_nxt && is_full(after) => {
                neglect("RCV.NXT has passed the FIN, which was not taken".into())
            }
            _ => None,
        }
    }

    /// RCV.UP is the later of what it was and SEG.UP, while that lies ahead of what the user has
    /// read (RFC 9293 §3.10.7.4, sixth check).
    fn urgent_pointer(&self, before: &Vars, after: &Vars) -> Option<Breach> {
        if !is_full(after) {
            return None;
        }
        let (permit, seg_up) = self.urgent;
        let read = after
            .rcv_nxt
            .back(after.unread + u32::from(after.fin_received));
        let pending = |up: SeqNumber| up.after(read).then_some(up);
        let kept = before.rcv_up.and_then(pending);
        let moved = pending(before.rcv_up.map_or(seg_up, |up| up.max(seg_up)));
        let show = |up: Option<SeqNumber>| up.map_or("none".to_owned(), |up| up.to_string());
        let what = || change("RCV.UP", show(before.rcv_up), show(after.rcv_up));
        match permit {
            Permit::Must if after.rcv_up != moved => neglect(what()),
            Permit::May if ![kept, moved].contains(&after.rcv_up) => excess(what()),
            Permit::No if after.rcv_up != kept => excess(what()),
            _ => None,
        }
    }

    fn sending(&self, before: &Vars, after: &Vars, segment: &SegmentHeader) -> Option<Breach> {
        if !is_full(after) {
            return None;
        }
        if after.snd_una != before.snd_una {
            if self.una == Permit::No || after.snd_una != segment.ack || waits(before, after) {
                return excess(change("SND.UNA", before.snd_una, after.snd_una));
            }
        } else if self.una == Permit::Must {
            return neglect(format!("SND.UNA stays at {}", before.snd_una));
        }
        self.window_update(before, after, segment)
    }

    fn window_update(
        &self,
        before: &Vars,
        after: &Vars,
        segment: &SegmentHeader,
    ) -> Option<Breach> {
        if self.synchronize == Permit::Must && self.una == Permit::No {
            return None;
        }
        let of = |v: &Vars| (v.snd_wnd, v.snd_wl1, v.snd_wl2);
        let set = after.snd_wnd == self.snd_wnd
            && after.snd_wl2 == segment.ack
            && self.wl1.contains(&after.snd_wl1);
        let show = |v: &Vars| format!("{}/{}/{}", v.snd_wnd, v.snd_wl1, v.snd_wl2);
        let what = || change("SND.WND/WL1/WL2", show(before), show(after));
        match self.window {
            Permit::Must if !set => neglect(what()),
            Permit::May if !set && of(before) != of(after) => excess(what()),
            Permit::No if of(before) != of(after) => excess(what()),
            _ => None,
        }
    }
}

/// The incarnation is gone, or a reopened one was returned to TIME-WAIT.
fn has_ended(before: &Vars, after: &Vars) -> bool {
    let returned = before.state == State::SynReceived && after.state == State::TimeWait;
    before.state != after.state && matches!(after.state, State::Closed | State::Listen) || returned
}

/// It is still in SYN-RECEIVED: whatever else the segment brings waits.
fn waits(before: &Vars, after: &Vars) -> bool {
    before.state == State::SynReceived && after.state == State::SynReceived
}

/// A TIME-WAIT record keeps only some of the variables.
fn is_full(after: &Vars) -> bool {
    after.state != State::TimeWait
}

/// The state and the variables say the same of both FINs.
fn consistent(after: &Vars) -> Option<Breach> {
    use State::{Closing, Established, FinWait1, FinWait2, LastAck};
    let acked = after.fin_sent && after.snd_una == after.snd_nxt;
    match after.state {
        FinWait1 | Closing | LastAck if acked => neglect(format!(
            "its FIN is acknowledged, yet it stays in {}",
            after.state
        )),
        Established | FinWait1 | FinWait2 if after.fin_received => neglect(format!(
            "the peer's FIN is taken, yet it stays in {}",
            after.state
        )),
        _ => None,
    }
}

/// What differs, in words. Of what has ended, only the state tells anything.
pub(crate) fn changes(before: &Vars, after: &Vars) -> String {
    if has_ended(before, after) {
        return change("the state", before.state, after.state);
    }
    let mut all = String::new();
    let mut note = |name: &str, before: &dyn Display, after: &dyn Display| {
        let (before, after) = (before.to_string(), after.to_string());
        if before != after {
            all.push_str(if all.is_empty() { "" } else { ", " });
            all.push_str(&change(name, before, after));
        }
    };
    note("the state", &before.state, &after.state);
    note("IRS", &before.irs, &after.irs);
    note("RCV.NXT", &before.rcv_nxt, &after.rcv_nxt);
    note("octets held", &before.out_of_order, &after.out_of_order);
    let fin = |vars: &Vars| vars.fin_held.map_or("none".to_owned(), |at| at.to_string());
    note("the FIN held", &fin(before), &fin(after));
    let up = |vars: &Vars| vars.rcv_up.map_or("none".to_owned(), |at| at.to_string());
    note("RCV.UP", &up(before), &up(after));
    note("SND.UNA", &before.snd_una, &after.snd_una);
    note("SND.WND", &before.snd_wnd, &after.snd_wnd);
    note("SND.WL1", &before.snd_wl1, &after.snd_wl1);
    note("SND.WL2", &before.snd_wl2, &after.snd_wl2);
    let stamp = |vars: &Vars| {
        vars.ts_recent
            .map_or("none".to_owned(), |at| at.to_string())
    };
    note("TS.Recent", &stamp(before), &stamp(after));
    note("MAX.SND.WND", &before.max_snd_wnd, &after.max_snd_wnd);
    note("cwnd", &before.cwnd, &after.cwnd);
    note("ssthresh", &before.ssthresh, &after.ssthresh);
    if all.is_empty() {
        "a timer or an estimate".into()
    } else {
        all
    }
}

fn change(name: &str, before: impl Display, after: impl Display) -> String {
    format!("{name} went from {before} to {after}")
}

fn excess(what: String) -> Option<Breach> {
    Some(Breach::Excess(what))
}

fn neglect(what: String) -> Option<Breach> {
    Some(Breach::Neglect(what))
}
