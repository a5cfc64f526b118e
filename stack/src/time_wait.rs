//! TIME-WAIT (RFC 9293 §3.6.1): what is left of a connection that closed first, for 2MSL.
//!
//! It answers the peer's FIN should our last ACK be lost, and keeps old duplicates out of the
//! next incarnation. It is a record of its own, smaller than a connection: no buffers, no
//! congestion state, one timer.

use crate::challenge::ChallengeLimit;
use crate::config::Config;
use crate::connection::Connection;
use crate::context::{Context, Reply};
use crate::event::{ConnectionId, Timers, Vars};
use crate::protection::Protection;
use crate::seq::SeqNumber;
use crate::socket_options::IpFields;
use crate::state::State;
use crate::table::FourTuple;
use crate::time::{Duration, Instant};
use crate::timestamps;
use crate::window_scale::Shift;
use crate::wire::{Flags, Segment};

/// A connection in TIME-WAIT.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeWait {
    pub(crate) id: ConnectionId,
    pub(crate) tuple: FourTuple,
    iss: SeqNumber,
    irs: SeqNumber,
    /// SND.NXT, and SND.UNA: everything is acknowledged.
    pub(crate) snd_nxt: SeqNumber,
    pub(crate) rcv_nxt: SeqNumber,
    /// RCV.WND as a window field says it, and how that is shifted.
    rcv_wnd: u16,
    rcv_shift: Shift,
    pub(crate) max_snd_wnd: u32,
    /// The end of 2MSL.
    pub(crate) expires: Instant,
    pub(crate) challenge: ChallengeLimit,
    ip: IpFields,
    /// Both ends agreed on timestamps.
    timestamps: bool,
    /// TS.Recent, and when it was taken in whole seconds: RFC 6191 and PAWS need no more.
    ts_recent: u32,
    ts_recent_at: u32,
}

impl TimeWait {
    /// The record of a connection that has just entered TIME-WAIT.
    pub(crate) fn new(connection: &Connection, now: Instant, config: &Config) -> Self {
        let (send, receive) = (&connection.send, &connection.receive);
        Self {
            id: connection.id,
            tuple: connection.tuple,
            iss: send.iss,
            irs: receive.irs,
            snd_nxt: send.nxt,
            rcv_nxt: receive.nxt,
            rcv_wnd: receive.shift.field(receive.window()),
            rcv_shift: receive.shift,
            max_snd_wnd: send.max_wnd,
            expires: now + duration(config),
            challenge: connection.challenge,
            ip: connection.options.ip,
            timestamps: connection.timestamps.is_some(),
            ts_recent: connection.timestamps.map_or(0, |agreed| agreed.recent()),
            ts_recent_at: connection
                .timestamps
                .map_or(0, |agreed| seconds(agreed.recent_at())),
        }
    }

    /// RCV.WND, in octets.
    pub(crate) fn window(&self) -> u32 {
        self.rcv_shift.octets(self.rcv_wnd)
    }

    /// `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`.
    pub(crate) fn acknowledge(&self, cx: &mut Context<'_>) {
        cx.replies.push_back(Reply {
            tuple: self.tuple,
            seq: self.snd_nxt,
            ack: self.rcv_nxt,
            flags: Flags::ACK,
            window: self.rcv_wnd,
            timestamps: self.timestamps.then(|| {
                let value = timestamps::value(cx.config, cx.now, &self.tuple);
                (value, self.ts_recent)
            }),
            mss: None,
            connection: Some(self.id),
            ip: Some(self.ip),
            reset_reply: false,
        });
    }

    /// Both ends agreed on timestamps.
    pub(crate) fn has_timestamps(&self) -> bool {
        self.timestamps
    }

    /// TS.Recent, if it is not too old to be compared with (RFC 7323 §5.5, R7323-11).
    pub(crate) fn valid_ts_recent(&self, now: Instant) -> Option<u32> {
        let since = Instant::ZERO + Duration::from_secs(self.ts_recent_at.into());
        (self.timestamps && timestamps::is_valid(since, now)).then_some(self.ts_recent)
    }

    /// TS.Recent becomes TSval of `segment`, which was seen, unless that is older: RFC 6191 asks
    /// for the last timestamp seen.
    pub(crate) fn take_timestamp(&mut self, segment: &Segment<'_>, now: Instant) {
        let Some((value, _)) = segment.options.timestamps.filter(|_| self.timestamps) else {
            return;
        };
        let older = |recent| timestamps::before(value, recent);
        if !self.valid_ts_recent(now).is_some_and(older) {
            (self.ts_recent, self.ts_recent_at) = (value, seconds(now));
        }
    }

    /// The same, in answer to something invalid, if the limit allows.
    pub(crate) fn challenge(&mut self, cx: &mut Context<'_>) {
        if cx.may_challenge(&mut self.challenge) {
            self.acknowledge(cx);
        }
    }

    /// The variables of this moment.
    pub(crate) fn vars(&self) -> Vars {
        Vars {
            state: State::TimeWait,
            iss: self.iss,
            snd_una: self.snd_nxt,
            snd_nxt: self.snd_nxt,
            max_snd_wnd: self.max_snd_wnd,
            fin_queued: true,
            fin_sent: true,
            irs: self.irs,
            rcv_nxt: self.rcv_nxt,
            rcv_shift: self.rcv_shift.count(),
            rcv_adv: self.rcv_nxt + self.window(),
            fin_received: true,
            ts_recent: self.timestamps.then_some(self.ts_recent),
            last_ack_sent: self.rcv_nxt,
            timers: Timers {
                time_wait: Some(self.expires),
                ..Timers::default()
            },
            orphan: true,
            ..Vars::default()
        }
    }
}

/// Whole seconds on the stack's clock, for 136 years.
fn seconds(at: Instant) -> u32 {
    (at.as_nanos() / 1_000_000_000) as u32
}

/// 2MSL (MUST-13): no old duplicate outlives it (R1337-03).
pub(crate) fn duration(config: &Config) -> Duration {
    if config.protects(Protection::TimeWait) {
        config.msl.saturating_mul(2)
    } else {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::TimeWait;

    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<TimeWait>() <= 96, "{}", size_of::<TimeWait>());
    }
}
