//! What happens when a timer of a connection runs out (RFC 9293 §3.10.8, RFC 6298 §5).

use super::{Connection, Due};
use crate::config::GiveUp;
use crate::context::Context;
use crate::error::Errno;
use crate::event::{Cause, Ready, Timer};
use crate::protection::Protection;
use crate::recovery::Frto;
use crate::state::State;
use crate::time::{Duration, Instant, nanos};

impl Connection {
    /// When any timer of this connection next runs out.
    pub(crate) fn next_timeout(&self) -> Instant {
        self.timers
            .earliest()
            .min(self.keepalive_at())
            .min(self.user_timeout_at())
    }

    /// Does what is due at `cx.now`; nothing if nothing is.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        let due = |at: Instant| at <= cx.now;
        if due(self.timers.delayed_ack) {
            self.timers.delayed_ack = Instant::MAX;
            self.due |= Due::ACK;
            cx.events.timer(self.id, Timer::DelayedAck, 1);
        }
        if due(self.timers.override_) {
            self.timers.override_ = Instant::MAX;
            self.due |= Due::OVERRIDE;
            cx.events.timer(self.id, Timer::Override, 1);
        }
        if due(self.timers.hold) {
            self.timers.hold = Instant::MAX;
            cx.events.timer(self.id, Timer::Hold, 1);
        }
        if due(self.user_timeout_at()) {
            self.on_user_timeout(cx);
        } else if due(self.timers.retransmit) {
            self.on_retransmit(cx);
        } else if due(self.timers.probe) {
            self.on_probe(cx);
        } else if due(self.timers.reorder) {
            self.on_reorder(cx);
        } else if due(self.timers.persist) {
            self.on_persist(cx);
        } else if due(self.timers.fin_wait_2) {
            cx.events.timer(self.id, Timer::FinWait2, 1);
            self.close_with(None, Cause::Timer(Timer::FinWait2), cx);
        } else if due(self.keepalive_at()) {
            self.on_keepalive(cx);
        }
    }

    /// RFC 6298 §5.4 to §5.7 (R6298-10). At R1 the user hears of it, for a SYN, too (SHLD-9, SHLD-10, MUST-20,
    /// MUST-22).
    fn on_retransmit(&mut self, cx: &mut Context<'_>) {
        self.timers.retransmit = Instant::MAX;
        if self.gives_up(self.timers.retransmissions, cx) {
            self.time_out(Timer::Retransmit, cx);
            return;
        }
        self.timers.retransmissions += 1;
        cx.events
            .timer(self.id, Timer::Retransmit, self.timers.retransmissions);
        if self.timers.retransmissions == u32::from(cx.config.r1) && self.options.error_reports {
            self.tell(Ready::Trouble, cx);
        }
        if cx.protects(Protection::Backoff) {
            self.rtt.back_off(&cx.config.rto);
        }
        if cx.protects(Protection::Karn) {
            self.send.out.timed = None;
        }
        // An echo tells which transmission is acknowledged: the next one may end the back-off.
        self.send.sampled_to = self.send.una;
        if self.send.syn_acked {
            self.path_mtu_timeout(cx);
            let (flight, smss) = (self.send.outstanding(), u32::from(self.send.smss));
            let first = self.timers.retransmissions == 1;
            let asks = first && cx.config.frto && !self.congestion.repairing();
            self.congestion
                .on_timeout(cx.config, flight, self.send.nxt, smss, first);
            self.send.out.frto = Frto::Off;
            if self.memory.sack {
                self.time_out_with_sack(asks, cx);
            } else {
                self.time_out_plain(asks);
            }
        } else if !self.passive || cx.protects(Protection::SynAckRetransmission) {
            self.due |= Due::SYN;
        } else {
            self.arm_retransmit(cx);
        }
    }

    /// R2 (RFC 9293 §3.8.3, MUST-20; for SYNs MUST-22, MUST-23).
    fn gives_up(&self, sent_again: u32, cx: &Context<'_>) -> bool {
        let r2 = match (self.send.syn_acked, self.passive) {
            (true, _) => self.options.r2,
            (false, true) => cx.config.r2_syn_ack,
            (false, false) => cx.config.r2_syn,
        };
        let reached = match r2 {
            GiveUp::Retransmissions(most) => sent_again >= u32::from(most),
            GiveUp::Elapsed(limit) => cx.now - self.timers.progress_at >= limit,
            GiveUp::Never => false,
        };
        reached && cx.protects(Protection::GiveUp)
    }

    /// Nobody answers any more.
    pub(super) fn time_out(&mut self, timer: Timer, cx: &mut Context<'_>) {
        cx.events
            .timer(self.id, timer, self.timers.retransmissions + 1);
        if self.state == State::SynReceived {
            self.fail_handshake(Errno::ETIMEDOUT, Cause::Timer(timer), cx);
        } else {
            self.close_with(Some(Errno::ETIMEDOUT), Cause::Timer(timer), cx);
        }
    }

    /// A zero window is probed (RFC 9293 §3.8.6.1, MUST-36). Only silence ends it (MUST-37).
    fn on_persist(&mut self, cx: &mut Context<'_>) {
        self.timers.persist = Instant::MAX;
        if self.timers.probes == 0 {
            self.timers.progress_at = cx.now;
        } else if self.gives_up(self.timers.probes, cx) {
            self.time_out(Timer::Persist, cx);
            return;
        }
        self.timers.probes += 1;
        self.timers.persist_shift += 1;
        cx.events.timer(self.id, Timer::Persist, self.timers.probes);
        self.due |= Due::PROBE;
    }

    /// The interval of zero-window probes: the RTO, then twice as long each time (SHLD-29,
    /// SHLD-30).
    pub(crate) fn persist_interval(&self, cx: &Context<'_>) -> Duration {
        let shift = if cx.protects(Protection::PersistBackoff) {
            self.timers.persist_shift.min(16)
        } else {
            0
        };
        let interval = nanos(self.rtt.rto()).saturating_mul(1 << shift);
        Duration::from_nanos(interval).min(cx.config.persist_max)
    }

    /// Keepalive (RFC 9293 §3.8.4, MAY-5): counted from the last word of the peer, and only while
    /// nothing is outstanding (MUST-26).
    pub(crate) fn keepalive_at(&self) -> Instant {
        let Some(keepalive) = self.options.keepalive else {
            return Instant::MAX;
        };
        let idle = self.send.outstanding() == 0 && !self.send.has_unsent();
        let asks = matches!(
            self.state,
            State::Established | State::CloseWait | State::FinWait2
        );
        if !asks || !idle {
            return Instant::MAX;
        }
        self.times.heard_at
            + self.keepalive_idle(keepalive.idle)
            + keepalive
                .interval
                .saturating_mul(self.timers.keepalive_probes)
    }

    fn on_keepalive(&mut self, cx: &mut Context<'_>) {
        let Some(keepalive) = self.options.keepalive else {
            return;
        };
        let probes = if cx.protects(Protection::KeepaliveMissCount) {
            u32::from(keepalive.probes.max(2))
        } else {
            1
        };
        if self.timers.keepalive_probes >= probes {
            self.time_out(Timer::Keepalive, cx);
            return;
        }
        // A probe that comes late, to a host that stood still, must not let the next ones and the end
        // follow at once: each has its interval to be answered in (MUST-29).
        self.times.heard_at += cx.now.saturating_since(self.keepalive_at());
        self.timers.keepalive_probes += 1;
        cx.events
            .timer(self.id, Timer::Keepalive, self.timers.keepalive_probes);
        self.due |= Due::KEEPALIVE;
    }

    /// Starts the retransmission timer with the RTO in force (RFC 6298 §5.1, §5.3;
    /// R6298-07, R6298-09).
    pub(crate) fn arm_retransmit(&mut self, cx: &Context<'_>) {
        self.timers.retransmit = cx.now + self.rtt.rto();
    }
}
