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
#[cfg(test)]
use crate::table::End;
use crate::table::{FourTuple, OwnTuple};
use crate::time::{Duration, Instant};
use crate::time_waits::Links;
use crate::timestamps;
use crate::window_scale::Shift;
use crate::wire::{Flags, Options, Segment};

/// A connection in TIME-WAIT. Many may wait, so no octet is wasted: packed, for the times would
/// else be padded, and with the local address as a number.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(4))]
pub(crate) struct TimeWait {
    pub(crate) id: ConnectionId,
    /// The end of 2MSL.
    pub(crate) expires: Instant,
    challenge: ChallengeLimit,
    pub(crate) tuple: OwnTuple,
    iss: SeqNumber,
    irs: SeqNumber,
    /// SND.NXT, and SND.UNA: everything is acknowledged.
    pub(crate) snd_nxt: SeqNumber,
    pub(crate) rcv_nxt: SeqNumber,
    pub(crate) max_snd_wnd: u32,
    ts_recent: u32,
    timestamps: Agreed,
    /// RCV.WND as a window field says it, and how that is shifted.
    rcv_wnd: u16,
    rcv_shift: Shift,
    ip: IpFields,
    /// Its place among the others.
    pub(crate) links: Links,
}

/// Whether both ends agreed on timestamps, and if TS.Recent can still be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreed {
    No,
    /// TS.Recent was taken more than 24 days before TIME-WAIT began (RFC 7323 §5.5).
    Outdated,
    Yes,
}

impl TimeWait {
    /// The record of a connection that has just entered TIME-WAIT.
    pub(crate) fn new(connection: &Connection, now: Instant, config: &Config) -> Self {
        let (send, receive) = (&connection.send, &connection.receive);
        let timestamps = match connection.timestamps {
            None => Agreed::No,
            Some(agreed) if agreed.valid_recent(now).is_none() => Agreed::Outdated,
            Some(_) => Agreed::Yes,
        };
        Self {
            id: connection.id,
            expires: now + duration(config),
            challenge: connection.timers.challenge,
            tuple: connection.tuple,
            iss: send.iss,
            irs: receive.irs,
            snd_nxt: send.nxt,
            rcv_nxt: receive.nxt,
            max_snd_wnd: send.max_wnd,
            ts_recent: connection.timestamps.map_or(0, |agreed| agreed.recent()),
            timestamps,
            rcv_wnd: receive.shift.field(receive.window()),
            rcv_shift: receive.shift,
            ip: connection.options.ip,
            links: Links::UNLISTED,
        }
    }

    /// The two ends.
    pub(crate) fn tuple(&self, config: &Config) -> FourTuple {
        self.tuple.full(config)
    }

    /// RCV.WND, in octets.
    pub(crate) fn window(&self) -> u32 {
        self.rcv_shift.octets(self.rcv_wnd)
    }

    /// `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`.
    pub(crate) fn acknowledge(&self, cx: &mut Context<'_>) {
        let tuple = self.tuple(cx.config);
        cx.replies.push_back(Reply {
            tuple,
            seq: self.snd_nxt,
            ack: self.rcv_nxt,
            flags: Flags::ACK,
            window: self.rcv_wnd,
            options: Options {
                timestamps: self.has_timestamps().then(|| {
                    let value = timestamps::value(cx.config, cx.now, &tuple);
                    (value, self.ts_recent)
                }),
                ..Options::default()
            },
            connection: Some(self.id),
            ip: Some(self.ip),
            reset_reply: false,
        });
    }

    /// Both ends agreed on timestamps.
    pub(crate) fn has_timestamps(&self) -> bool {
        self.timestamps != Agreed::No
    }

    /// TS.Recent, if it is not too old to be compared with (RFC 7323 §5.5, R7323-11). Its age counts
    /// from when 2MSL last began: a segment of the peer with a timestamp began it.
    pub(crate) fn valid_ts_recent(&self, cx: &Context<'_>) -> Option<u32> {
        let left = self.expires - cx.now;
        let age = duration(cx.config).saturating_sub(left);
        let valid = self.timestamps == Agreed::Yes && age <= timestamps::VALID_FOR;
        valid.then_some(self.ts_recent)
    }

    /// TS.Recent becomes TSval of `segment`, which was seen, unless that is older: RFC 6191 asks
    /// for the last timestamp seen.
    pub(crate) fn take_timestamp(&mut self, segment: &Segment<'_>, cx: &Context<'_>) {
        let agreed = self.has_timestamps();
        let Some((value, _)) = segment.options.timestamps.filter(|_| agreed) else {
            return;
        };
        let older = |recent| timestamps::before(value, recent);
        if !self.valid_ts_recent(cx).is_some_and(older) {
            (self.ts_recent, self.timestamps) = (value, Agreed::Yes);
        }
    }

    /// Answers something invalid in the same way, if the limit allows.
    pub(crate) fn challenge(&mut self, cx: &mut Context<'_>) {
        let mut limit = self.challenge;
        if cx.may_challenge(&mut limit) {
            self.acknowledge(cx);
        }
        self.challenge = limit;
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
            ts_recent: self.has_timestamps().then_some(self.ts_recent),
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

/// 2MSL (MUST-13): no old duplicate outlives it (R1337-03).
pub(crate) fn duration(config: &Config) -> Duration {
    if config.protects(Protection::TimeWait) {
        config.msl.saturating_mul(2)
    } else {
        Duration::ZERO
    }
}

#[cfg(test)]
impl TimeWait {
    /// A record of which only the end matters.
    pub(crate) fn ending(expires: Instant) -> Self {
        let ip = [0; 4].into();
        let (config, end) = (Config::new(alloc::vec![ip], [0; 32]), End::new(ip, 0));
        Self {
            id: ConnectionId(1),
            expires,
            challenge: ChallengeLimit::default(),
            tuple: OwnTuple::new(
                &config,
                &FourTuple {
                    local: end,
                    remote: end,
                },
            ),
            iss: SeqNumber(0),
            irs: SeqNumber(0),
            snd_nxt: SeqNumber(0),
            rcv_nxt: SeqNumber(0),
            max_snd_wnd: 0,
            ts_recent: 0,
            timestamps: Agreed::No,
            rcv_wnd: 0,
            rcv_shift: Shift::NONE,
            ip: IpFields {
                diffserv: 0,
                hop_limit: 1,
            },
            links: Links::UNLISTED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TimeWait;

    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<TimeWait>() <= 84, "{}", size_of::<TimeWait>());
    }
}
