//! What is known of one endpoint incarnation (ORACLES.md §0).

use core::net::SocketAddr;
use timewait_sim::Instant;
use timewait_stack::event::{Call, Cause, SegmentArrival, Timer};
use timewait_stack::wire::Flags;
use timewait_stack::{Errno, State, Vars};

use super::delivery::Delivery;
use super::header::SegmentHeader;
use crate::event::UserEvent;
use crate::label::Incarnation;
use crate::reference::{Allowance, Shadow};
use crate::scenario::Buffers;

/// The life of one endpoint incarnation, or of a listener.
#[derive(Clone, Debug)]
pub struct Life {
    /// Its name.
    pub name: Incarnation,
    /// Its own address.
    pub local: SocketAddr,
    /// The peer's address; `None` for a listener.
    pub remote: Option<SocketAddr>,
    /// When it began.
    pub opened_at: Instant,
    /// The flow that both ends belong to; `None` for a listener.
    pub flow: Option<u64>,
    /// Its state now; CLOSED before its first transition and after its end.
    pub state: State,
    /// Every transition.
    pub history: Vec<Step>,
    /// Who sent the SYN or SYN-ACK that set IRS.
    pub parent: Option<Incarnation>,
    /// The TIME-WAIT record from which it was reopened.
    pub reopened_from: Option<Incarnation>,
    /// The unproved incarnation that has reopened it, while that one lives or if it replaced it.
    pub reopened_by: Option<Incarnation>,
    /// The variables as last seen.
    pub vars: Option<Box<Vars>>,
    /// What it was offered, for the reference.
    pub shadow: Shadow,
    /// When it took its peer's FIN, or a copy of it, the last time.
    pub fin_taken_at: Option<Instant>,
    /// When it entered TIME-WAIT.
    pub time_wait_at: Option<Instant>,
    /// When and how it ended.
    pub end: Option<End>,
    /// What its user did and saw.
    pub user: User,
    /// What has spoilt it.
    pub taint: Option<Taint>,
}

/// Something accepted that makes all later promises void. Whether it was right to accept it is
/// the question of `incarnation` and `acceptance`, who see it happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taint {
    /// A segment of another incarnation.
    Old,
    /// A damaged segment whose checksum verifies (E6).
    Damage,
    /// A segment of an attacker, or what answers one (E7).
    Attack,
    /// A box on the way has dropped what belongs to it, for the box had forgotten it or had no room.
    Box,
}

impl Taint {
    /// The name of the hazard that follows from it.
    pub const fn hazard(self) -> &'static str {
        match self {
            Self::Old => "after an old duplicate",
            Self::Damage => "E6",
            Self::Attack => "E7",
            Self::Box => "a box let go",
        }
    }
}

/// One transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Instant,
    /// The state left.
    pub from: State,
    /// The state entered.
    pub to: State,
    /// Why.
    pub cause: Cause,
}

/// The end of an incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Instant,
    /// How.
    pub ending: Ending,
}

/// How an incarnation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// LAST-ACK was acknowledged, or TIME-WAIT ran out.
    Orderly,
    /// A new incarnation, now proved, took the place of this TIME-WAIT record.
    Replaced,
    /// A RST came.
    Reset,
    /// It sent a RST: ABORT, CLOSE with unread data, or data for a user that is gone (SHLD-3).
    Aborted,
    /// A hard error of ICMP ended it (SHLD-26).
    Unreachable,
    /// A timer gave up: R2, keepalive, an orphan's FIN-WAIT-2.
    GaveUp(Timer),
    /// Its user closed it in LISTEN or SYN-SENT.
    ClosedEarly,
    /// SYN-RECEIVED failed back to LISTEN.
    ReturnedToListen,
    /// SYN-RECEIVED failed back to TIME-WAIT: the record it had reopened goes on.
    ReturnedToTimeWait,
    /// A full table pushed its TIME-WAIT record out.
    PushedOut,
    /// Its host crashed.
    Crashed,
}

/// What the user of an incarnation did and saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// `connect` or `accept` gave it to the user.
    pub opened_at: Option<Instant>,
    /// The user learned that its `connect` succeeded.
    pub connected_at: Option<Instant>,
    /// Its buffers, if the user has set them.
    pub buffers: Option<Buffers>,
    /// The sending side was shut, by `shutdown` or `close`.
    pub write_shut_at: Option<Instant>,
    /// The receiving side was shut, by `shutdown` or `close`.
    pub read_shut_at: Option<Instant>,
    /// `close`.
    pub closed_at: Option<Instant>,
    /// Octets that were unread at `close`.
    pub unread_at_close: u32,
    /// `abort`.
    pub aborted_at: Option<Instant>,
    /// Octets that `send` has taken.
    pub octets_sent: u64,
    /// Octets that `recv` has returned.
    pub octets_received: u64,
    /// `recv` has returned the end of file.
    pub end_of_file_at: Option<Instant>,
    /// The error that the user was told, and when.
    pub failed: Option<(Instant, Errno)>,
}

impl Life {
    pub(super) fn new(
        name: Incarnation,
        local: SocketAddr,
        remote: Option<SocketAddr>,
        now: Instant,
    ) -> Self {
        Self {
            name,
            local,
            remote,
            opened_at: now,
            flow: None,
            state: State::Closed,
            history: Vec::new(),
            parent: None,
            reopened_from: None,
            reopened_by: None,
            vars: None,
            shadow: Shadow::default(),
            fin_taken_at: None,
            time_wait_at: None,
            end: None,
            user: User::default(),
            taint: None,
        }
    }

    /// It has begun and not ended.
    pub fn is_alive(&self) -> bool {
        self.end.is_none()
    }

    /// It is a listener, not a connection.
    pub fn is_listener(&self) -> bool {
        self.remote.is_none()
    }

    /// When it ended.
    pub fn ended_at(&self) -> Option<Instant> {
        self.end.map(|end| end.at)
    }

    /// SO_RCVBUF, in octets: as the user has set it, or as its listener has.
    pub fn receive_buffer(&self) -> u32 {
        let of_vars = || self.vars.as_ref().map(|vars| vars.receive_buffer);
        let by_user = self.user.buffers.map(|set| set.receive);
        by_user.or_else(of_vars).unwrap_or(0)
    }

    /// It was in `state` at some time.
    pub fn has_been(&self, state: State) -> bool {
        self.history.iter().any(|step| step.to == state)
    }

    /// Both directions are shut by the local user, or the user has aborted.
    pub fn both_shut_at(&self) -> Option<Instant> {
        let shut = match (self.user.write_shut_at, self.user.read_shut_at) {
            (Some(write), Some(read)) => Some(write.max(read)),
            _ => None,
        };
        [shut, self.user.aborted_at].into_iter().flatten().min()
    }

    /// It came out of LISTEN by a SYN cookie.
    pub fn is_by_cookie(&self) -> bool {
        self.history
            .first()
            .is_some_and(|step| super::is_by_cookie(step.from, step.to))
    }

    /// The SYN-ACK that set IRS was nobody's: a cookie, which has now become `child`. It becomes
    /// another one, if any, only by an old copy of the acknowledgment.
    pub(super) fn paired_by_cookie(&mut self, child: Incarnation) {
        if self.is_alive() && self.state.is_synchronized() {
            self.parent.get_or_insert(child);
        }
    }

    pub(super) fn remember(&mut self, vars: &Vars) {
        match &mut self.vars {
            // A TIME-WAIT record keeps few variables; the others stay as they were.
            Some(last) if vars.state == State::TimeWait => {
                let few = (vars.snd_una, vars.snd_nxt, vars.rcv_nxt, vars.timers);
                (last.snd_una, last.snd_nxt, last.rcv_nxt, last.timers) = few;
                last.ts_recent = vars.ts_recent;
                last.state = vars.state;
            }
            Some(last) => (**last).clone_from(vars),
            None => self.vars = Some(Box::new(vars.clone())),
        }
    }

    /// A segment offers octets; after it, RCV.NXT is as in `after`.
    pub(super) fn offered_octets(&mut self, allowance: &Allowance, after: &Vars) {
        let held = &mut self.shadow.held;
        if let Some((start, end)) = allowance.octets.filter(|(_, end)| end.after(after.rcv_nxt)) {
            held.offer(start, end, allowance.fin_ends[0].is_some());
        }
        if !held.is_empty() {
            held.taken_to(after.rcv_nxt);
        }
    }

    /// It has handled a datagram, now and when its clock showed this.
    pub(super) fn arrived(
        &mut self,
        (now, shown): (Instant, Instant),
        delivery: &Delivery,
        arrival: &SegmentArrival,
        allowance: &Allowance,
    ) {
        let after = &arrival.after;
        if let Some(segment) = delivery.segment() {
            if allowance.refusal.is_none() {
                self.shadow.offered_window(segment);
            }
            let passes = self.shadow.passes(segment, shown);
            if passes && takes_fin_again(segment, &arrival.before) {
                self.fin_taken_at = Some(now);
            }
        }
        self.shadow
            .stamped(&allowance.stamp, after.ts_recent, shown);
        if self.is_alive() && after.state != State::Closed {
            self.offered_octets(allowance, after);
            self.remember(after);
        }
    }

    pub(super) fn step(&mut self, step: Step, header: Option<&SegmentHeader>) {
        self.history.push(step);
        self.state = step.to;
        let took_fin = matches!(step.to, State::CloseWait | State::Closing | State::TimeWait);
        if took_fin && step.from != State::Closing && step.from != State::SynReceived
            || step.from == State::SynReceived && step.to == State::CloseWait
        {
            self.fin_taken_at = Some(step.at);
        }
        if self.skips_time_wait(step, header) {
            self.fin_taken_at.get_or_insert(step.at);
            self.time_wait_at = Some(step.at);
            self.finish(step.at, Ending::Orderly);
        } else if let Some(ending) = ending(step, header, self.reopened_by.is_some()) {
            self.finish(step.at, ending);
        } else if step.to == State::TimeWait {
            self.time_wait_at = Some(step.at);
        }
    }

    /// It is done with its FIN and with the peer's, and goes to CLOSED where TIME-WAIT is due: a
    /// TIME-WAIT that lasted no time. (Text for a user that is gone ends it too, but with a RST.)
    fn skips_time_wait(&self, step: Step, header: Option<&SegmentHeader>) -> bool {
        let Some(header) = header.filter(|header| !header.has(Flags::RST)) else {
            return false;
        };
        let last = match step.from {
            State::FinWait1 | State::FinWait2 => header.has(Flags::FIN) && header.text_len == 0,
            State::Closing => true,
            _ => false,
        };
        last && step.to == State::Closed && step.cause == Cause::Segment
    }

    pub(super) fn finish(&mut self, at: Instant, ending: Ending) {
        self.state = State::Closed;
        self.end.get_or_insert(End { at, ending });
    }

    pub(super) fn user_did(&mut self, now: Instant, event: &UserEvent) {
        let user = &mut self.user;
        match event {
            UserEvent::Connecting { .. } | UserEvent::Accepted { .. } => {
                user.opened_at.get_or_insert(now);
            }
            UserEvent::Connected { .. } => user.connected_at = Some(now),
            UserEvent::Sent { octets, .. } => user.octets_sent += u64::from(*octets),
            UserEvent::Received { octets, .. } => user.octets_received += octets.len() as u64,
            UserEvent::EndOfFile { .. } => {
                user.end_of_file_at.get_or_insert(now);
            }
            UserEvent::Failed { error, .. } => {
                user.failed.get_or_insert((now, *error));
            }
            UserEvent::Shutdown { read, write, .. } => {
                if *read {
                    user.read_shut_at.get_or_insert(now);
                }
                if *write {
                    user.write_shut_at.get_or_insert(now);
                }
            }
            UserEvent::Closed { unread, .. } => {
                user.read_shut_at.get_or_insert(now);
                user.write_shut_at.get_or_insert(now);
                user.closed_at.get_or_insert(now);
                user.unread_at_close = *unread;
            }
            UserEvent::Aborted { .. } => {
                user.aborted_at.get_or_insert(now);
            }
            UserEvent::Buffers { receive, send, .. } => {
                let (receive, send) = (*receive, *send);
                user.buffers = Some(Buffers { receive, send });
            }
            UserEvent::NotConnecting { .. } => {}
        }
    }
}

/// Whether the segment is a copy of the peer's FIN, which was taken before (RFC 9293 §3.10.7.4,
/// eighth check): it ends at RCV.NXT, and its ACK is none that the fifth check refuses. (What PAWS
/// stops is no such copy.)
fn takes_fin_again(segment: &SegmentHeader, before: &Vars) -> bool {
    use State::{CloseWait, Closing, LastAck, TimeWait};
    let control = segment.flags & (Flags::FIN | Flags::ACK | Flags::SYN | Flags::RST);
    control == Flags::FIN | Flags::ACK
        && matches!(before.state, CloseWait | Closing | LastAck | TimeWait)
        && segment.end() == before.rcv_nxt
        && segment.ack.at_or_before(before.snd_nxt)
        && segment
            .ack
            .at_or_after(before.snd_una.back(before.max_snd_wnd))
}

/// How an incarnation ends by this transition, if it does.
fn ending(step: Step, header: Option<&SegmentHeader>, reopened: bool) -> Option<Ending> {
    let reset = header.is_some_and(|header| header.has(Flags::RST));
    match (step.from, step.to, step.cause) {
        (State::SynReceived, State::Listen, _) => Some(Ending::ReturnedToListen),
        (State::SynReceived, State::TimeWait, _) => Some(Ending::ReturnedToTimeWait),
        (from, State::Closed, cause) => Some(match (from, cause) {
            (State::TimeWait, Cause::Timer(Timer::TimeWait)) => Ending::Orderly,
            (State::TimeWait, Cause::Replaced) if reopened => Ending::Replaced,
            (_, Cause::Replaced) => Ending::PushedOut,
            (State::Listen | State::SynSent, Cause::User(call)) if call != Call::Abort => {
                Ending::ClosedEarly
            }
            (_, Cause::User(_)) => Ending::Aborted,
            (_, Cause::Timer(timer)) => Ending::GaveUp(timer),
            (_, Cause::Icmp) => Ending::Unreachable,
            (_, Cause::Segment) if reset => Ending::Reset,
            (State::LastAck, Cause::Segment) => Ending::Orderly,
            (_, Cause::Segment) => Ending::Aborted,
        }),
        _ => None,
    }
}
