//! What the two ends of a flow look like, and since when they have had nothing to do.

use timewait_sim::Instant;
use timewait_stack::event::SackVars;
use timewait_stack::{SeqNumber, State, Vars};

use crate::facts::{Facts, Life};
use crate::label::{Incarnation, mix};
use crate::oracles::bounds::{self, Bounds};
use crate::oracles::report::Report;

/// The incarnations at both ends of a flow.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Those that lived when the last of them came to be.
    members: Vec<Incarnation>,
    /// Of these, those that have something to do.
    busy: Vec<Incarnation>,
    /// When a user last acted, a state changed, or an end was last busy.
    active_at: Option<Instant>,
    /// Timer and user events so far.
    epoch: u64,
}

impl Flow {
    pub(super) fn opened(&mut self, who: Incarnation, facts: &Facts) {
        let lives = |name: &Incarnation| facts.life(*name).is_some_and(Life::is_alive);
        self.members.retain(lives);
        self.busy.retain(lives);
        self.members.push(who);
    }

    /// What both ends look like at this moment: all variables, but no name and no deadline.
    pub(super) fn digest(&self, facts: &Facts) -> u64 {
        let lives = self.members.iter().filter_map(|&name| facts.life(name));
        let vars = lives
            .filter(|life| life.is_alive())
            .filter_map(|life| life.vars.as_ref());
        let mut states: Vec<u64> = vars.map(|vars| digest(vars)).collect();
        states.sort_unstable();
        states.into_iter().fold(0, |sum, state| mix(sum ^ state))
    }

    /// How often a timer or a user has acted.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) fn timer(&mut self) {
        self.epoch += 1;
    }

    pub(super) fn user(&mut self, now: Instant) {
        self.epoch += 1;
        self.active(now);
    }

    pub(super) fn active(&mut self, now: Instant) {
        self.active_at = Some(now);
    }

    /// An incarnation was touched: is it, or was it until now, at work?
    pub(super) fn busy(&mut self, who: Incarnation, vars: &Vars, now: Instant) {
        let was = self.busy.contains(&who);
        let is = is_busy(vars);
        if is && !was {
            self.busy.push(who);
        } else if was && !is {
            self.busy.retain(|&name| name != who);
        }
        if is || was {
            self.active(now);
        }
    }

    /// (c): nobody has had anything to do for G + 2MSL.
    pub(super) fn is_idle(&self, report: &Report<'_>) -> bool {
        let facts = report.facts;
        let Some(active_at) = self.active_at else {
            return false;
        };
        if report.now.saturating_since(active_at) <= bounds::PROGRESS_MIN {
            return false;
        }
        let works = |&who| facts.life(who).is_some_and(Life::is_alive);
        if self.busy.iter().any(works) {
            return false;
        }
        let from = bounds::healed(facts, active_at);
        let bounds = Bounds::of(facts, report.who, 0);
        from.zip(bounds)
            .is_some_and(|(from, bounds)| report.now > from + bounds.progress + bounds.two_msl)
    }
}

/// Unsent, unacknowledged, behind a closed window, or in a state that will change.
fn is_busy(vars: &Vars) -> bool {
    let idle = matches!(
        vars.state,
        State::Closed | State::Established | State::FinWait2 | State::CloseWait | State::TimeWait
    );
    !idle || vars.snd_una != vars.snd_nxt || vars.unsent > 0 || vars.ack_pending > 0
}

/// All variables of RFC 9293 and of congestion control in one number, and which timers run, but
/// not until when.
fn digest(vars: &Vars) -> u64 {
    let Vars {
        state,
        passive,
        iss,
        snd_una,
        snd_nxt,
        snd_wnd,
        snd_wl1,
        snd_wl2,
        max_snd_wnd,
        snd_up,
        snd_shift,
        rcv_shift,
        // Clocks, not states: with them no state would ever come twice.
        ts_recent: _,
        last_ack_sent,
        unsent,
        fin_queued,
        fin_sent,
        irs,
        rcv_nxt,
        rcv_adv,
        rcv_up,
        rcv_free,
        unread,
        receive_buffer,
        send_buffer,
        out_of_order,
        out_of_order_blocks,
        fin_received,
        fin_held,
        cwnd,
        ssthresh,
        recovering,
        ca_state,
        recover,
        can_undo,
        frto,
        sack,
        path_mtu,
        ecn,
        ecn_echo,
        smss,
        rmss,
        srtt,
        rto,
        retransmissions,
        ack_pending,
        timers,
        orphan,
    } = vars;
    let flags = [
        passive,
        fin_queued,
        fin_sent,
        fin_received,
        recovering,
        can_undo,
        frto,
        ecn,
        ecn_echo,
        orphan,
    ];
    let flags = flags
        .into_iter()
        .fold(0, |bits, &flag| bits << 1 | u64::from(flag));
    let armed = [
        timers.retransmit,
        timers.probe,
        timers.reorder,
        timers.persist,
        timers.delayed_ack,
        timers.override_,
        timers.keepalive,
        timers.fin_wait_2,
        timers.hold,
        timers.time_wait,
    ];
    let armed = armed
        .into_iter()
        .fold(0, |bits, timer| bits << 1 | u64::from(timer.is_some()));
    let numbers = [
        iss,
        snd_una,
        snd_nxt,
        snd_wl1,
        snd_wl2,
        irs,
        rcv_nxt,
        rcv_adv,
        last_ack_sent,
        recover,
    ];
    let sizes = [
        snd_wnd,
        max_snd_wnd,
        unsent,
        rcv_free,
        unread,
        receive_buffer,
        send_buffer,
        out_of_order,
        cwnd,
        ssthresh,
    ];
    let shifts = u16::from(*snd_shift) << 8 | u16::from(*rcv_shift);
    let small = [*out_of_order_blocks, *path_mtu, *smss, *rmss, shifts];
    let times = [
        srtt.unwrap_or_default().as_nanos() as u64,
        rto.as_nanos() as u64,
    ];
    let words = numbers.into_iter().map(|number| u64::from(number.0));
    let words = words.chain(sizes.into_iter().map(|&size| u64::from(size)));
    let words = words.chain(small.into_iter().map(u64::from)).chain(times);
    let rest = [
        *state as u64,
        *ca_state as u64,
        sack.as_ref().map_or(0, scoreboard),
        flags,
        armed,
        u64::from(*retransmissions),
        u64::from(*ack_pending),
        place(*fin_held),
        place(*snd_up),
        place(*rcv_up),
    ];
    words.chain(rest).fold(0, |sum, word| mix(sum ^ word))
}

/// A sequence number that may be missing, as a word.
fn place(at: Option<SeqNumber>) -> u64 {
    at.map_or(0, |at| 1 << 32 | u64::from(at.0))
}

/// What loss recovery believes, in one number. How much work that was is no belief.
fn scoreboard(vars: &SackVars) -> u64 {
    let &SackVars {
        reordering_seen,
        probe_end,
        rack_rtt,
        pipe,
        sacked,
        lost,
        resent,
        prr_delivered,
        prr_out,
        prr_recover_fs,
        segments,
        work: _,
    } = vars;
    let octets = [
        pipe,
        sacked,
        lost,
        resent,
        prr_delivered,
        prr_out,
        prr_recover_fs,
        segments,
        u32::from(reordering_seen),
    ];
    octets.into_iter().fold(
        mix(place(probe_end) ^ mix(rack_rtt.as_nanos() as u64)),
        |sum, octets| mix(sum ^ u64::from(octets)),
    )
}
