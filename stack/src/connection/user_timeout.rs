//! The user timeout (RFC 9293 §3.10.8) and the option that tells the peer of it (RFC 5482).
//!
//! It bounds how long what was sent may stay unacknowledged, and how long zero-window probes may
//! stay unanswered. A peer that answers probes may keep its window shut for ever (MUST-37).

use alloc::sync::Arc;

use super::{Connection, Due};
use crate::config::UserTimeoutBounds;
use crate::context::Context;
use crate::event::Timer;
use crate::time::{Duration, Instant};
use crate::wire::UserTimeout;

/// By how much keepalive waits longer than the user timeout.
const BEYOND: Duration = Duration::from_millis(1);

impl Connection {
    /// The user timeout in force. What the peer asks for may count only once the handshake is over:
    /// before, whoever can forge an address could make half-open connections stay (RFC 5482 §3.3;
    /// R5482-02).
    fn user_timeout(&self) -> Option<Duration> {
        let adopted = self.options.adopted_user_timeout;
        adopted
            .filter(|_| self.state.is_synchronized())
            .or(self.options.user_timeout)
    }

    /// For how long nothing must come before keepalive asks: where both ends agree on how long they
    /// bear silence, longer than that (RFC 5482 §4.2; R5482-03).
    pub(super) fn keepalive_idle(&self, idle: Duration) -> Duration {
        let agreed = self
            .user_timeout()
            .filter(|_| self.options.announce_user_timeout);
        agreed.map_or(idle, |timeout| idle.max(timeout + BEYOND))
    }

    /// When the user timeout runs out; [`Instant::MAX`]: there is none, or nothing waits.
    pub(crate) fn user_timeout_at(&self) -> Instant {
        let Some(timeout) = self.user_timeout() else {
            return Instant::MAX;
        };
        let unanswered = if self.timers.persist == Instant::MAX {
            self.send.outstanding() > 0 && self.send.syn_sent
        } else {
            self.timers.probes > 0
        };
        if unanswered {
            self.timers.progress_at + timeout
        } else {
            Instant::MAX
        }
    }

    /// The time is over: CLOSED, without a word to the peer, who would not hear it.
    pub(crate) fn on_user_timeout(&mut self, cx: &mut Context<'_>) {
        self.time_out(Timer::User, cx);
    }

    /// What the SYN, or the first segment after a change, says of our timeout.
    pub(crate) fn announced_timeout(&self) -> Option<UserTimeout> {
        let announces = self.options.announce_user_timeout;
        self.options
            .user_timeout
            .filter(|_| announces)
            .map(UserTimeout::from_duration)
    }

    /// The peer says how long it will wait (RFC 5482 §3.1; R5482-01): so long, within our bounds, we
    /// wait as well, unless our user has chosen or does not take part. What it said before counts no
    /// more. The lower bound is always larger than the RTO, or nothing could ever be sent again.
    pub(crate) fn take_user_timeout(&mut self, remote: Option<UserTimeout>, cx: &Context<'_>) {
        let UserTimeoutBounds { min, max } = cx.config.user_timeout_bounds;
        let (Some(remote), true) = (remote, self.options.announce_user_timeout) else {
            return;
        };
        if self.options.user_timeout_fixed {
            return;
        }
        let local = self.options.user_timeout.unwrap_or(Duration::ZERO);
        let min = min.max(self.rtt.rto() + cx.config.rto.granularity);
        let longer = local.max(remote.duration()).max(min);
        let adopted = Some(longer.min(max.max(min)));
        if self.options.adopted_user_timeout != adopted {
            Arc::make_mut(&mut self.options).adopted_user_timeout = adopted;
        }
    }

    /// The user has changed the timeout: the next segment tells the peer.
    pub(crate) fn announce_user_timeout(&mut self) {
        if self.state.is_synchronized() && self.options.announce_user_timeout {
            self.due |= Due::USER_TIMEOUT;
        }
    }
}
