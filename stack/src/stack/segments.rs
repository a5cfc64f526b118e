//! Segments come in: checked as bytes, then handed to whom they are for.

use alloc::boxed::Box;
use core::net::IpAddr;

use super::{Ecn, Stack};
use crate::connection::Owner;
use crate::context::Context;
use crate::event::{Cause, ConnectionId, Drop, Interest, SegmentArrival, Vars, Verdict};
use crate::protection::Protection;
use crate::segment_arrives::{TimeWaitAnswer, closed};
use crate::state::State;
use crate::table::{End, Entry, FourTuple};
use crate::time::Instant;
use crate::traffic::TrafficClass;
use crate::wire::Segment;

impl Stack {
    /// Handles a segment that arrived in an IP datagram from `from` to `to`. Nothing is returned:
    /// what there is to answer leaves by [`Stack::poll_transmit`], and a bad segment is an
    /// [`Event::Segment`](crate::Event::Segment) that says why it was dropped. `class` is the
    /// traffic class of the IP header; an [`Ecn`](crate::Ecn) alone will do.
    pub fn handle_segment(
        &mut self,
        now: Instant,
        from: IpAddr,
        to: IpAddr,
        class: impl Into<TrafficClass>,
        bytes: &[u8],
    ) {
        let class = class.into();
        if self.keeps_quiet(now) {
            self.report(None, Verdict::Dropped(Drop::QuietTime), None, None);
            return;
        }
        match self.check_bytes(from, to, bytes) {
            Err(verdict) => self.report(None, verdict, None, None),
            Ok(segment) => {
                let local = End::new(to, segment.destination_port);
                let remote = End::new(from, segment.source_port);
                self.dispatch(now, FourTuple { local, remote }, class, &segment);
            }
        }
    }

    fn check_bytes<'a>(
        &self,
        from: IpAddr,
        to: IpAddr,
        bytes: &'a [u8],
    ) -> Result<Segment<'a>, Verdict> {
        // No broadcast or multicast address is local (MUST-57).
        if !self.is_source(from) || !self.is_local(to) {
            return Err(Verdict::Dropped(Drop::BadAddress));
        }
        if self.config.protects(Protection::Checksum) && !Segment::verify_checksum(from, to, bytes)
        {
            return Err(Verdict::Dropped(Drop::BadChecksum));
        }
        Segment::parse(bytes).map_err(Verdict::Malformed)
    }

    fn dispatch(
        &mut self,
        now: Instant,
        tuple: FourTuple,
        class: TrafficClass,
        segment: &Segment<'_>,
    ) {
        match self.find(&tuple) {
            Some(Entry::Connection(key)) => self.hand_to_connection(now, key, class, segment),
            Some(Entry::TimeWait(key)) => self.hand_to_time_wait(now, key, segment),
            None => match self.ports.listener(tuple.local.ip(), tuple.local.port) {
                Some(listener) => self.hand_to_listener(now, listener, tuple, class, segment),
                None => {
                    let verdict = closed::segment_arrives(tuple, segment, &mut self.context(now));
                    self.report(None, verdict, None, None);
                }
            },
        }
    }

    pub(super) fn hand_to_connection(
        &mut self,
        now: Instant,
        key: u32,
        class: TrafficClass,
        segment: &Segment<'_>,
    ) {
        let connection = &self.connections[key as usize];
        let (id, state, owner, tuple) = (
            connection.id,
            connection.state,
            connection.owner,
            connection.tuple.full(&self.config),
        );
        let before = self
            .events
            .wants(Interest::SEGMENTS)
            .then(|| connection.vars());
        let half_open = match owner {
            Owner::Listener(listener) if state == State::SynReceived => Some(listener),
            _ => None,
        };
        if let Some(listener) = half_open
            && self.replaced_by_cookie(now, listener, key, class, segment)
        {
            return;
        }
        let full = half_open
            .and_then(|listener| self.listener_mut(listener))
            .is_some_and(|listener| listener.accept_full());
        let (connections, mut cx) = self.split(now);
        cx.ecn = class.ecn;
        let connection = &mut connections[key as usize];
        let verdict = match state {
            State::SynSent => connection.arrives_in_syn_sent(segment, &mut cx),
            _ => connection.arrives_in_other_states(segment, full, &mut cx),
        };
        if verdict == Verdict::Accepted {
            connection.received_diffserv = class.diffserv; // MAY-9
        }
        let state = connection.state;
        if half_open.is_some() && state.is_synchronized() && state != State::TimeWait {
            self.promote(key);
        }
        let after = before
            .is_some()
            .then(|| self.connections[key as usize].vars());
        self.after(now, key);
        let record = || self.time_wait_vars(&tuple);
        let after = if state == State::TimeWait {
            after.and_then(|_| record())
        } else {
            after
        };
        self.report(Some(id), verdict, before, after);
    }

    fn hand_to_time_wait(&mut self, now: Instant, key: u32, segment: &Segment<'_>) {
        let record = self.time_waits[key];
        let tuple = record.tuple(&self.config);
        let before = self.events.wants(Interest::SEGMENTS).then(|| record.vars());
        let listener = self.ports.listener(tuple.local.ip(), tuple.local.port);
        let listener = listener.filter(|listener| self.has_room(*listener));
        let spare = self.spare();
        let Self {
            config,
            events,
            replies,
            time_waits,
            common_limit,
            ..
        } = self;
        let mut cx = Context {
            now,
            ecn: Ecn::NotEct,
            config,
            spare,
            events,
            replies,
            common_limit,
        };
        let mutable = &mut time_waits[key];
        let answer = mutable.segment_arrives(segment, listener.is_some(), &mut cx);
        let after = before.is_some().then(|| mutable.vars());
        let mut closed = false;
        let verdict = match answer {
            TimeWaitAnswer::Stays(verdict) => verdict,
            TimeWaitAnswer::Restarts => {
                self.time_waits.list_last(key);
                Verdict::Accepted
            }
            TimeWaitAnswer::Ends => {
                self.end_time_wait(key, Cause::Segment);
                closed = true;
                Verdict::Accepted
            }
            TimeWaitAnswer::MayReopen => {
                self.time_waits.remove(key);
                self.forget(&tuple, Entry::TimeWait(key));
                if let Some(listener) = listener {
                    let old = Some(Box::new(record));
                    self.start_child(now, listener, tuple, segment, old);
                }
                Verdict::Accepted
            }
        };
        self.report(Some(record.id), verdict, before, after.filter(|_| !closed));
    }

    fn time_wait_vars(&self, tuple: &FourTuple) -> Option<Vars> {
        match self.find(tuple) {
            Some(Entry::TimeWait(key)) => Some(self.time_waits[key].vars()),
            _ => None,
        }
    }

    /// Without variables there was no connection.
    pub(super) fn report(
        &mut self,
        connection: Option<ConnectionId>,
        verdict: Verdict,
        before: Option<Vars>,
        after: Option<Vars>,
    ) {
        self.events.segment(|| SegmentArrival {
            connection,
            verdict,
            before: before.unwrap_or_default(),
            after: after.unwrap_or_default(),
        });
    }
}
