//! The control block of a connection (RFC 9293 §3.3.1), from SYN-SENT or SYN-RECEIVED to the
//! moment it ends or becomes a TIME-WAIT record.
//!
//! SYN-SENT shares this block with the later states: the retransmission of its SYN, its give-up,
//! its user calls and its buffers are theirs. LISTEN, CLOSED and TIME-WAIT have blocks of their
//! own or none.

mod calls;
mod ecn;
mod loss;
mod output;
mod path_mtu;
mod receive;
mod sack;
mod send;
mod timeouts;
mod timers;
mod urgent;
mod user_timeout;

use alloc::sync::Arc;
use bitflags::bitflags;

use crate::config::{Config, WindowScale};
use crate::congestion::Congestion;
use crate::context::{Context, Events, Reply};
use crate::cookie::Kept;
use crate::error::Errno;
use crate::event::{Call, Cause, ConnectionId, Event, Interest, Ready, SocketId, Timers, Vars};
use crate::protection::Protection;
use crate::recovery::{Flight, Frto, Memory};
use crate::resting::Resting;
use crate::rtt::RttEstimator;
use crate::seq::SeqNumber;
use crate::socket_options::SocketOptions;
use crate::state::State;
use crate::table::{FourTuple, OwnTuple};
use crate::time::Instant;
use crate::timestamps::{OPTION_OCTETS, Timestamps};
use crate::window_scale::{SHIFT_MAX, Shift};
use crate::wire::{Flags, HEADER_LEN, Options, Segment};

pub(crate) use ecn::EcnState;
pub(crate) use path_mtu::{PathMtu, TooBig};
pub(crate) use receive::{Incoming, ReceiveSpace, Taken};
pub(crate) use sack::Reports;
pub(crate) use send::{Fin, MSS_FLOOR, SendSpace};
pub(crate) use timers::{TimerTable, Times};

/// Who answers for a connection towards the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A socket that a user holds.
    Socket(SocketId),
    /// A listener: the connection is half-open or waits to be accepted.
    Listener(SocketId),
    /// Nobody: the user has closed.
    Nobody,
}

bitflags! {
    /// What a connection must send at the next opportunity.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Due: u8 {
        /// The SYN or SYN-ACK, first or again.
        const SYN = 1;
        /// An acknowledgment, unless something else carries it: one for all segments handled
        /// before the next output (MUST-58, MUST-59).
        const ACK = 2;
        /// A zero-window probe.
        const PROBE = 4;
        /// A keepalive probe.
        const KEEPALIVE = 8;
        /// What silly-window avoidance holds back.
        const OVERRIDE = 16;
        /// The user timeout option, on the next segment.
        const USER_TIMEOUT = 32;
        /// A tail loss probe.
        const TAIL = 64;
    }
}

/// How a connection stops being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// CLOSED, with what the user is told, if it was not a peaceful end.
    Closed(Option<Errno>),
    /// Its listener takes it back.
    Listen,
    /// A TIME-WAIT record takes its place.
    TimeWait,
    /// The TIME-WAIT record that it replaced comes back.
    Returned,
}

/// A connection in one of the states SYN-SENT to LAST-ACK.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) tuple: OwnTuple,
    pub(crate) owner: Owner,
    pub(crate) state: State,
    /// Came from LISTEN (MUST-11).
    pub(crate) passive: bool,
    /// Shared with those who have the same.
    pub(crate) options: Arc<SocketOptions>,
    /// The Diffserv codepoint of the last segment that was accepted (MAY-9).
    pub(crate) received_diffserv: u8,
    /// Both SYNs had the window scale option (R7323-01).
    pub(crate) scaling: bool,
    /// Both SYNs had the timestamps option (R7323-04).
    pub(crate) timestamps: Option<Timestamps>,
    pub(crate) path: PathMtu,
    /// The last error that ICMP told of and that nothing from the peer has belied since.
    pub(crate) soft_error: Option<Errno>,
    pub(crate) send: SendSpace,
    pub(crate) receive: ReceiveSpace,
    pub(crate) rtt: RttEstimator,
    pub(crate) congestion: Congestion,
    /// What loss recovery remembers between flights.
    pub(crate) memory: Memory,
    /// Loss recovery with SACK, while something is outstanding.
    pub(crate) recovery: Flight,
    pub(crate) ecn: EcnState,
    pub(crate) times: Times,
    pub(crate) timers: Resting<TimerTable>,
    pub(crate) due: Due,
    /// Set when the connection is over; the stack then removes it.
    pub(crate) end: Option<End>,
    /// It stands in the stack's transmit queue.
    pub(crate) queued: bool,
    /// It was busy lately, and keeps its memory for a while.
    pub(crate) warm: bool,
}

impl Connection {
    /// An active open: SYN-SENT, its SYN due.
    pub(crate) fn active(
        id: ConnectionId,
        tuple: FourTuple,
        owner: Owner,
        options: Arc<SocketOptions>,
        iss: SeqNumber,
        cx: &Context<'_>,
    ) -> Self {
        let mss = own_mss(cx.config, &tuple, &options);
        let receive = ReceiveSpace::new(cx.config, options.receive_buffer, mss);
        let mut timers = Resting::<TimerTable>::new();
        timers.progress_at = cx.now;
        Self {
            id,
            tuple: OwnTuple::new(cx.config, &tuple),
            owner,
            state: State::SynSent,
            passive: false,
            options,
            received_diffserv: 0,
            scaling: false,
            timestamps: None,
            path: PathMtu::new(cx.config),
            soft_error: None,
            send: SendSpace::new(iss, mss),
            receive,
            rtt: RttEstimator::new(&cx.config.rto),
            congestion: Congestion::new(cx.config, 0, iss, false),
            memory: Memory::default(),
            recovery: Flight::default(),
            ecn: EcnState::default(),
            times: Times::new(cx.now),
            timers,
            due: Due::SYN,
            end: None,
            queued: false,
            warm: false,
        }
    }

    /// A passive open: SYN-RECEIVED for this SYN, its SYN-ACK due (RFC 9293 §3.10.7.2).
    pub(crate) fn passive(
        id: ConnectionId,
        tuple: FourTuple,
        owner: Owner,
        options: Arc<SocketOptions>,
        iss: SeqNumber,
        syn: &Segment<'_>,
        cx: &mut Context<'_>,
    ) -> Self {
        let mut connection = Self::active(id, tuple, owner, options, iss, cx);
        connection.passive = true;
        connection.state = State::SynReceived;
        connection.take_syn(syn, cx);
        connection
    }

    /// A passive open whose SYN nobody has kept: `segment` acknowledges our SYN-ACK with a cookie
    /// that holds what the SYN said (RFC 4987 §3.6). It comes out of LISTEN into ESTABLISHED. `told`:
    /// the receive buffer of which window and scale of the SYN-ACK told.
    pub(crate) fn open_by_cookie(
        &mut self,
        segment: &Segment<'_>,
        kept: Kept,
        told: u32,
        cx: &mut Context<'_>,
    ) {
        self.passive = true;
        self.state = State::Listen;
        self.receive = ReceiveSpace::new(cx.config, told, self.receive.rmss);
        self.receive.start(segment.seq.back(1));
        self.receive.last_ack_sent = self.receive.nxt;
        self.send.syn_sent = true;
        self.send.set_peer_mss(cx.config, Some(kept.mss), kept.mss);
        self.agree_on_scaling(kept.offer.and_then(|offer| offer.window_scale), cx);
        if let Some(offer) = kept.offer {
            // The SYN had an older one, which this segment would have replaced (RFC 7323 §4.3).
            self.agree_on_timestamps(segment, cx);
            self.memory.sack = cx.config.sack && offer.sack;
        }
        self.send.acknowledge(segment.ack);
        self.send.take_window(segment);
        self.establish(cx);
    }

    /// Takes IRS, the peer's options (MUST-14) and its window from a SYN.
    pub(crate) fn take_syn(&mut self, syn: &Segment<'_>, cx: &mut Context<'_>) {
        self.receive.start(syn.seq);
        let default = default_mss(&self.tuple.full(cx.config));
        self.send.set_peer_mss(cx.config, syn.options.mss, default);
        self.agree_on_scaling(syn.options.window_scale, cx);
        self.agree_on_timestamps(syn, cx);
        self.memory.sack = cx.config.sack && syn.options.sack_permitted;
        self.send.take_window(syn);
        self.take_ecn_setup(syn, cx);
        self.take_user_timeout(syn.options.user_timeout, cx);
        self.times.heard_at = cx.now;
    }

    /// Windows are scaled from now on if both SYNs say so (RFC 7323 §2.2, R7323-01).
    fn agree_on_scaling(&mut self, theirs: Option<u8>, cx: &mut Context<'_>) {
        let scales = cx.config.window_scale != WindowScale::Off;
        let Some(theirs) = theirs.filter(|_| scales) else {
            self.receive.shift = Shift::NONE;
            return;
        };
        self.scaling = true;
        self.send.shift = Shift::of_option(theirs);
        if theirs > SHIFT_MAX {
            let (connection, shift) = (self.id, theirs);
            let event = Event::ShiftTooLarge { connection, shift };
            cx.events.push(Interest::SEGMENTS, || event);
        }
    }

    /// Timestamps are used from now on if both SYNs have them (RFC 7323 §3.2, R7323-04). They take
    /// room from the text (RFC 9293 §3.7.1, MUST-16); the MSS option knows nothing of them (SHLD-6).
    fn agree_on_timestamps(&mut self, syn: &Segment<'_>, cx: &Context<'_>) {
        let Some((value, _)) = syn.options.timestamps.filter(|_| cx.config.timestamps) else {
            return;
        };
        let tuple = self.tuple.full(cx.config);
        self.timestamps = Some(Timestamps::new(cx.config, &tuple, value, cx.now));
        self.receive.option_octets = OPTION_OCTETS as u8;
        if cx.protects(Protection::Mss) {
            self.send.smss = self.send.smss.saturating_sub(OPTION_OCTETS).max(1);
        }
    }

    /// Changes the state and says so.
    pub(crate) fn enter(&mut self, to: State, cause: Cause, cx: &mut Context<'_>) {
        cx.events.transition(self.id, self.state, to, cause);
        self.state = to;
    }

    /// The connection is over: CLOSED.
    pub(crate) fn close_with(&mut self, error: Option<Errno>, cause: Cause, cx: &mut Context<'_>) {
        self.enter(State::Closed, cause, cx);
        self.end = Some(End::Closed(error));
    }

    /// SYN-RECEIVED failed: back to where it came from. `error` is for the user of an active open.
    pub(crate) fn fail_handshake(&mut self, error: Errno, cause: Cause, cx: &mut Context<'_>) {
        if self.send.out.reopened.is_some() && cx.protects(Protection::TimeWaitReturn) {
            self.enter(State::TimeWait, cause, cx);
            self.end = Some(End::Returned);
        } else if self.passive && cause == Cause::Segment {
            self.enter(State::Listen, cause, cx);
            self.end = Some(End::Listen);
        } else {
            self.close_with(Some(error), cause, cx);
        }
    }

    /// The handshake is complete: ESTABLISHED, and on if the user has closed meanwhile.
    pub(crate) fn establish(&mut self, cx: &mut Context<'_>) {
        let syn_lost = self.timers.retransmissions > 0;
        if syn_lost {
            self.rtt.start_after_syn_loss(&cx.config.rto);
        }
        let smss = u32::from(self.send.smss);
        self.congestion = Congestion::new(cx.config, smss, self.send.iss, syn_lost);
        // The SYN is acknowledged; what follows it starts the timer anew (RFC 6298 §5.2).
        self.timers.retransmit = Instant::MAX;
        self.timers.progress(cx.now);
        self.timers.retransmit = Instant::MAX; // It was the SYN's.
        self.due.remove(Due::SYN);
        self.apply_receive_buffer();
        self.enter(State::Established, Cause::Segment, cx);
        if self.send.fin == Fin::Queued {
            self.enter(State::FinWait1, Cause::User(Call::Shutdown), cx);
        }
        if let Some(old) = self.send.out.reopened.take() {
            cx.events
                .transition(old.id, State::TimeWait, State::Closed, Cause::Replaced);
        }
        if !self.passive {
            self.tell(Ready::Connected, cx);
        }
    }

    /// The peer is there: keepalive waits anew.
    pub(crate) fn hear(&mut self, now: Instant) {
        self.times.heard_at = now;
        if self.timers.keepalive_probes > 0 {
            self.timers.keepalive_probes = 0;
        }
    }

    /// Gives back the memory of all that is at rest.
    pub(crate) fn settle(&mut self, now: Instant) {
        if self.send.outstanding() == 0 && !self.send.has_unsent() {
            self.timers.settle(now);
            self.send.out.settle(now);
            self.recovery.settle();
        }
        self.receive.incoming.settle(now);
        self.path.settle(now);
    }

    /// Octets that it holds, and those for which it has promised room.
    pub(crate) fn committed(&self) -> u64 {
        let receive = match self.state {
            State::SynSent => self.receive.initial_window().into(),
            _ => self.receive.committed(),
        };
        receive + u64::from(self.send.out.buffer.len())
    }

    /// Tells the user, if there is one.
    pub(crate) fn tell(&self, ready: Ready, cx: &mut Context<'_>) {
        self.tell_events(ready, cx.events);
    }

    /// The same where there is nothing but the events.
    pub(crate) fn tell_events(&self, ready: Ready, events: &mut Events) {
        if let Owner::Socket(socket) = self.owner {
            events.ready(socket, ready);
        }
    }

    /// Answers an invalid segment with `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`, if the limit allows.
    pub(crate) fn challenge(&mut self, cx: &mut Context<'_>) {
        if cx.may_challenge(&mut self.timers.challenge) {
            self.due |= Due::ACK;
        }
    }

    /// Answers `segment` with a RST.
    pub(crate) fn reply_reset(&self, segment: &Segment<'_>, cx: &mut Context<'_>) {
        let tuple = self.tuple.full(cx.config);
        let reset = Reply::reset(tuple, segment, Some(self.id), cx.config);
        cx.replies.push_back(self.stamped(reset, cx.now));
    }

    /// A RST with the timestamps that its connection agreed on (RFC 7323 §3.2: it SHOULD have
    /// them, and needs none to be taken), or may still agree on; if it answers one, with its echo.
    pub(crate) fn stamped(&self, reset: Reply, now: Instant) -> Reply {
        let acknowledges = reset.flags.contains(Flags::ACK);
        let agreed = self
            .timestamps
            .map(|agreed| agreed.option(now, acknowledges));
        let echo = reset.options.timestamps;
        let echo = echo.filter(|_| agreed.is_some() || self.state == State::SynSent);
        Reply {
            ip: Some(self.options.ip),
            options: Options {
                timestamps: echo.or(agreed),
                ..reset.options
            },
            ..reset
        }
    }

    /// Nobody will read what arrives.
    pub(crate) fn is_orphan(&self) -> bool {
        self.owner == Owner::Nobody
    }

    /// The variables of this moment.
    pub(crate) fn vars(&self) -> Vars {
        let send = &self.send;
        let receive = &self.receive;
        let data = self.state != State::SynSent && self.state != State::SynReceived;
        Vars {
            state: self.state,
            passive: self.passive,
            iss: send.iss,
            snd_una: send.una,
            snd_nxt: send.nxt,
            snd_wnd: send.wnd,
            snd_wl1: send.wl1,
            snd_wl2: send.wl2,
            max_snd_wnd: send.max_wnd,
            snd_up: send.out.up,
            snd_shift: send.shift.count(),
            rcv_shift: receive.shift.count(),
            unsent: send.unsent(),
            fin_queued: send.fin != Fin::Open,
            fin_sent: send.fin_sent(),
            irs: receive.irs,
            rcv_nxt: receive.nxt,
            rcv_adv: receive.adv,
            rcv_up: receive.incoming.up,
            rcv_free: receive.free(),
            unread: receive.incoming.buffer.readable(),
            receive_buffer: self.options.receive_buffer,
            send_buffer: self.options.send_buffer,
            out_of_order: receive.incoming.buffer.out_of_order(),
            out_of_order_blocks: receive.incoming.buffer.blocks(),
            fin_received: receive.fin_taken,
            fin_held: receive.incoming.fin_held,
            ts_recent: self.timestamps.map(|agreed| agreed.recent()),
            last_ack_sent: receive.last_ack_sent,
            cwnd: if data { self.congestion.cwnd } else { 0 },
            ssthresh: if data { self.congestion.ssthresh } else { 0 },
            recovering: self.congestion.recovering(),
            ca_state: self.congestion.state,
            recover: self.congestion.recover,
            can_undo: self.congestion.can_undo(),
            frto: self.send.out.frto != Frto::Off,
            sack: self.sack_vars(),
            path_mtu: self.path.mtu(),
            ecn: self.ecn.contains(EcnState::ON),
            ecn_echo: self.ecn.contains(EcnState::ECHO),
            smss: send.smss,
            rmss: receive.rmss,
            srtt: self.rtt.srtt(),
            rto: self.rtt.rto(),
            retransmissions: self.timers.retransmissions,
            ack_pending: receive.incoming.ack_pending,
            timers: self.armed(),
            orphan: self.is_orphan(),
        }
    }

    fn armed(&self) -> Timers {
        let shown = |at: Instant| (at != Instant::MAX).then_some(at);
        Timers {
            retransmit: shown(self.timers.retransmit),
            probe: shown(self.timers.probe),
            reorder: shown(self.timers.reorder),
            persist: shown(self.timers.persist),
            delayed_ack: shown(self.timers.delayed_ack),
            override_: shown(self.timers.override_),
            keepalive: shown(self.keepalive_at()),
            fin_wait_2: shown(self.timers.fin_wait_2),
            hold: shown(self.timers.hold),
            user: shown(self.user_timeout_at()),
            time_wait: None,
        }
    }
}

/// What a peer without an MSS option may be sent (MUST-15).
pub(crate) fn default_mss(tuple: &FourTuple) -> u16 {
    if tuple.remote.ip().is_ipv4() {
        536
    } else {
        1220
    }
}

/// The largest text this host can send or receive in one segment towards `tuple.remote`: the MTU
/// less the fixed headers, whatever the path carries (RFC 9293 §3.7.1, MUST-67, SHLD-6).
pub(crate) fn local_mss(config: &Config, tuple: &FourTuple) -> u16 {
    let ip_header = if tuple.remote.ip().is_ipv4() { 20 } else { 40 };
    config
        .mtu
        .saturating_sub(ip_header + HEADER_LEN as u16)
        .max(1)
}

/// The same, or less where the user wants it (TCP_MAXSEG): the MSS that our SYN advertises.
pub(crate) fn own_mss(config: &Config, tuple: &FourTuple, options: &SocketOptions) -> u16 {
    let mss = local_mss(config, tuple);
    options.max_segment.map_or(mss, |most| mss.min(most))
}

#[cfg(test)]
mod tests {
    use super::Connection;

    /// What else there is of an idle one, `tests/sizes.rs` weighs.
    #[test]
    fn a_control_block_stays_small() {
        assert!(
            size_of::<Connection>() <= 328,
            "{}",
            size_of::<Connection>()
        );
    }
}
