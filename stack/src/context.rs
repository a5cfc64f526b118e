//! What code deep in a connection may touch of its stack: settings, events, replies.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::challenge::ChallengeLimit;
use crate::config::Config;
use crate::event::{Cause, ConnectionId, Event, Interest, Ready, SocketId, Timer};
use crate::protection::Protection;
use crate::seq::SeqNumber;
use crate::socket_options::IpFields;
use crate::stack::Ecn;
use crate::state::State;
use crate::table::FourTuple;
use crate::time::Instant;
use crate::wire::{Flags, Options, Segment};

/// An empty queue keeps so many places, whatever a burst has made of it.
const QUEUE_SPARE: usize = 64;

/// Gives back what a burst has made of a queue that is empty now.
#[inline]
pub(crate) fn shrink_empty<T>(queue: &mut VecDeque<T>) {
    if queue.capacity() > 2 * QUEUE_SPARE {
        queue.shrink_to(QUEUE_SPARE);
    }
}

/// Events that nobody has polled yet, and which of them anybody wants.
#[derive(Debug, Default)]
pub(crate) struct Events {
    queue: VecDeque<Event>,
    interest: Interest,
}

impl Events {
    pub(crate) fn set_interest(&mut self, interest: Interest) {
        self.interest = interest;
    }

    pub(crate) fn wants(&self, interest: Interest) -> bool {
        self.interest.contains(interest)
    }

    pub(crate) fn poll(&mut self) -> Option<Event> {
        let event = self.queue.pop_front();
        if event.is_none() {
            shrink_empty(&mut self.queue);
        }
        event
    }

    pub(crate) fn ready(&mut self, socket: SocketId, ready: Ready) {
        self.queue.push_back(Event::Ready { socket, ready });
    }

    /// Produces an event if somebody wants its kind.
    pub(crate) fn push(&mut self, interest: Interest, event: impl FnOnce() -> Event) {
        if self.wants(interest) {
            self.queue.push_back(event());
        }
    }

    pub(crate) fn transition(
        &mut self,
        connection: ConnectionId,
        from: State,
        to: State,
        cause: Cause,
    ) {
        self.push(Interest::TRANSITIONS, || Event::Transition {
            connection,
            from,
            to,
            cause,
        });
    }

    pub(crate) fn timer(&mut self, connection: ConnectionId, timer: Timer, count: u32) {
        self.push(Interest::TIMERS, || Event::Timer {
            connection,
            timer,
            count,
        });
    }

    pub(crate) fn segment(&mut self, arrival: impl FnOnce() -> crate::event::SegmentArrival) {
        self.push(Interest::SEGMENTS, || Event::Segment(Box::new(arrival())));
    }
}

/// A segment without text that needs no connection to be built: RSTs, ACKs from TIME-WAIT, and
/// SYN-ACKs with a cookie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    pub(crate) tuple: FourTuple,
    pub(crate) seq: SeqNumber,
    pub(crate) ack: SeqNumber,
    pub(crate) flags: Flags,
    pub(crate) window: u16,
    pub(crate) options: Options,
    /// Who sends it; `None`: nobody (CLOSED, LISTEN).
    pub(crate) connection: Option<ConnectionId>,
    /// What the user of its connection decided of the IP header; `None`: nobody did.
    pub(crate) ip: Option<IpFields>,
    /// It is a RST that answers a segment, not one that a user's call sends.
    pub(crate) reset_reply: bool,
}

impl Reply {
    /// The RST that makes itself acceptable to whoever sent `segment` (RFC 9293 §3.10.7.1).
    /// None answers a RST. It echoes the timestamp of the segment and has none of its own
    /// (RFC 7323 §5.2, R7323-14).
    pub(crate) fn reset(
        tuple: FourTuple,
        segment: &Segment<'_>,
        connection: Option<ConnectionId>,
        config: &Config,
    ) -> Self {
        let stamp = segment.options.timestamps.filter(|_| config.timestamps);
        let (seq, ack, flags) = if segment.flags.contains(Flags::ACK) {
            (segment.ack, SeqNumber(0), Flags::RST)
        } else {
            (
                SeqNumber(0),
                segment.seq + segment.len(),
                Flags::RST | Flags::ACK,
            )
        };
        Self {
            tuple,
            seq,
            ack,
            flags,
            window: 0,
            options: Options {
                timestamps: stamp.map(|(value, _)| (0, value)),
                ..Options::default()
            },
            connection,
            ip: None,
            reset_reply: true,
        }
    }

    /// The RST of ABORT (RFC 9293 §3.10.5).
    pub(crate) fn abort(tuple: FourTuple, seq: SeqNumber, connection: ConnectionId) -> Self {
        Self {
            tuple,
            seq,
            ack: SeqNumber(0),
            flags: Flags::RST,
            window: 0,
            options: Options::default(),
            connection: Some(connection),
            ip: None,
            reset_reply: false,
        }
    }
}

/// The surroundings of one piece of work.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    /// The ECN field of the datagram being handled.
    pub(crate) ecn: Ecn,
    pub(crate) config: &'a Config,
    /// Octets by which buffers and windows may still grow.
    pub(crate) spare: u32,
    pub(crate) events: &'a mut Events,
    pub(crate) replies: &'a mut VecDeque<Reply>,
    /// One limit for all connections: only with that of each switched off.
    pub(crate) common_limit: &'a mut ChallengeLimit,
}

impl Context<'_> {
    /// Whether a connection whose own limit is `own` may answer something invalid now. No
    /// connection shares it with another, or it would tell one of the other's traffic (Cao et
    /// al., CVE-2016-5696).
    pub(crate) fn may_challenge(&mut self, own: &mut ChallengeLimit) -> bool {
        let limit = if self.protects(Protection::PerConnectionLimiter) {
            own
        } else {
            &mut *self.common_limit
        };
        limit.allow(self.now, self.config)
    }

    pub(crate) fn protects(&self, protection: Protection) -> bool {
        self.config.protects(protection)
    }
}
