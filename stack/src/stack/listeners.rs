//! What listeners do with segments: a child for a SYN, or a cookie, or nothing (RFC 4987).

use alloc::sync::Arc;

use super::Stack;
use crate::config::SynCookies;
use crate::connection::{Connection, Owner, default_mss, own_mss};
use crate::context::Reply;
use crate::cookie::{self, Kept, Offer};
use crate::event::{Cause, Drop, Interest, SocketId, Vars, Verdict};
use crate::protection::Protection;
use crate::segment_arrives::listen;
use crate::socket::{Listener, SocketKind};
use crate::state::State;
use crate::table::FourTuple;
use crate::time::Instant;
use crate::timestamps;
use crate::traffic::TrafficClass;
use crate::window_scale::Shift;
use crate::wire::{Flags, Options, Segment};

/// What becomes of a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// A half-open connection.
    Child,
    /// An answer that nobody remembers.
    Cookie,
    /// Nothing: it comes again.
    None,
}

impl Stack {
    pub(super) fn hand_to_listener(
        &mut self,
        now: Instant,
        listener: SocketId,
        tuple: FourTuple,
        class: TrafficClass,
        segment: &Segment<'_>,
    ) {
        let Some(id) = self.listener_mut(listener).map(|listener| listener.id) else {
            return;
        };
        let mut verdict = Verdict::Accepted;
        if let Some(kept) = self.cookie_in(now, listener, &tuple, segment) {
            if self.open_by_cookie(now, listener, tuple, class, segment, kept) {
                return;
            }
            verdict = Verdict::Dropped(Drop::QueueFull);
        } else if let Err(reason) = listen::check(tuple, segment, &mut self.context(now)) {
            verdict = Verdict::Dropped(reason);
        } else {
            match self.room(listener) {
                Room::Child => self.start_child(now, listener, tuple, segment, None),
                Room::Cookie => {
                    self.send_cookie(now, listener, tuple, segment);
                    verdict = Verdict::Dropped(Drop::CookieSent);
                }
                Room::None => verdict = Verdict::Dropped(Drop::QueueFull),
            }
        }
        let listening = || Vars {
            state: State::Listen,
            ..Vars::default()
        };
        let vars = self.events.wants(Interest::SEGMENTS).then(listening);
        self.report(Some(id), verdict, vars.clone(), vars);
    }

    /// Whether a listener may take one more half-open connection.
    pub(super) fn has_room(&self, listener: SocketId) -> bool {
        self.listener_ref(listener).is_some_and(|listener| {
            let full =
                listener.syn_full(&self.config) && self.config.protects(Protection::SynQueueBound);
            !full && !listener.accept_full() && self.has_memory(&listener.options)
        })
    }

    /// Without room in the accept queue a SYN is not answered at all: its sender would take
    /// itself for connected.
    fn room(&self, listener: SocketId) -> Room {
        match self.config.syn_cookies {
            _ if self.accept_full(listener) || !self.has_memory_for(listener) => Room::None,
            SynCookies::Always => Room::Cookie,
            _ if self.has_room(listener) => Room::Child,
            SynCookies::WhenFull => Room::Cookie,
            SynCookies::Off => Room::None,
        }
    }

    /// Whether the first window of one more connection has room.
    fn has_memory_for(&self, listener: SocketId) -> bool {
        let options = self.listener_ref(listener).map(|it| &it.options);
        options.is_some_and(|options| self.has_memory(options))
    }

    /// Without room for one more connection that waits to be accepted, or no listener at all.
    fn accept_full(&self, listener: SocketId) -> bool {
        self.listener_ref(listener)
            .is_none_or(Listener::accept_full)
    }

    fn listener_ref(&self, id: SocketId) -> Option<&Listener> {
        match &self.socket_ref(id)?.kind {
            SocketKind::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    /// A SYN-ACK that leaves nothing behind but the time until which its answer may come.
    fn send_cookie(
        &mut self,
        now: Instant,
        listener: SocketId,
        tuple: FourTuple,
        syn: &Segment<'_>,
    ) {
        let Some(options) = self.options_of(listener).map(Arc::clone) else {
            return;
        };
        let Some(listener) = self.listener_mut(listener) else {
            return;
        };
        if now >= listener.cookies_until {
            listener.cookie_buffer = options.receive_buffer;
        }
        listener.cookies_until = now + cookie::PERIOD * 2;
        let buffer = listener.cookie_buffer;
        let mss = syn.options.mss.unwrap_or(default_mss(&tuple));
        let config = &self.config;
        let stamped = syn.options.timestamps.filter(|_| config.timestamps);
        let offer = stamped.map(|_| Offer::of(&syn.options));
        let value = timestamps::value(config, now, &tuple);
        let stamps = stamped.zip(offer);
        let scale = Shift::offered(config, buffer).map(Shift::count);
        let scaled = offer.is_some_and(|offer| offer.window_scale.is_some());
        self.replies.push_back(Reply {
            tuple,
            seq: cookie::issue(&self.config, now, &tuple, syn.seq, mss),
            ack: syn.seq + 1,
            flags: Flags::SYN | Flags::ACK,
            window: buffer.min(65_535) as u16,
            options: Options {
                timestamps: stamps.map(|((theirs, _), offer)| (offer.stamp(value), theirs)),
                mss: Some(own_mss(&self.config, &tuple, &options)),
                window_scale: scale.filter(|_| scaled),
                sack_permitted: self.config.sack && offer.is_some_and(|offer| offer.sack),
                ..Options::default()
            },
            connection: None,
            ip: Some(options.ip),
            reset_reply: false,
        });
    }

    /// What is in the cookie that this segment acknowledges. Nobody looks for one unless the
    /// listener has sent some lately, so that others pay nothing.
    fn cookie_in(
        &self,
        now: Instant,
        listener: SocketId,
        tuple: &FourTuple,
        segment: &Segment<'_>,
    ) -> Option<Kept> {
        let acknowledges = segment.flags & (Flags::ACK | Flags::SYN | Flags::RST) == Flags::ACK;
        if !acknowledges || now >= self.listener_ref(listener)?.cookies_until {
            return None;
        }
        let (irs, iss) = (segment.seq.back(1), segment.ack.back(1));
        let mss = cookie::check(&self.config, now, tuple, irs, iss)?;
        let stamps = segment.options.timestamps;
        let stamps = stamps.filter(|_| self.config.timestamps);
        let offer = stamps.map(|(_, echo)| Offer::in_echo(echo));
        Some(Kept { mss, offer })
    }

    /// LISTEN to ESTABLISHED; then the segment is that connection's. `false`: there is no room.
    fn open_by_cookie(
        &mut self,
        now: Instant,
        listener: SocketId,
        tuple: FourTuple,
        class: TrafficClass,
        segment: &Segment<'_>,
        kept: Kept,
    ) -> bool {
        let Some(options) = self.options_of(listener).map(Arc::clone) else {
            return false;
        };
        // The window of a cookie has been told, but nobody has kept room for it.
        if self.accept_full(listener) || !self.has_memory_for(listener) {
            return false;
        }
        let told = self.listener_ref(listener).map(|it| it.cookie_buffer);
        let told = told.unwrap_or(options.receive_buffer);
        let id = self.new_connection_id();
        self.announce(id, None, &tuple);
        let owner = Owner::Listener(listener);
        let mut cx = self.context(now);
        let mut child = Connection::active(id, tuple, owner, options, segment.ack.back(1), &cx);
        child.open_by_cookie(segment, kept, told, &mut cx);
        let key = self.insert(child);
        self.promote(key);
        self.hand_to_connection(now, key, class, segment);
        true
    }

    /// A copy of the SYN has made a half-open connection with another ISN, but it was a cookie
    /// that reached the peer: that is the connection it means, and a RST would end it.
    pub(super) fn replaced_by_cookie(
        &mut self,
        now: Instant,
        listener: SocketId,
        key: u32,
        class: TrafficClass,
        segment: &Segment<'_>,
    ) -> bool {
        let half_open = &self.connections[key as usize];
        let tuple = half_open.tuple.full(&self.config);
        if segment.ack == half_open.send.nxt || half_open.send.out.reopened.is_some() {
            return false;
        }
        let Some(kept) = self.cookie_in(now, listener, &tuple, segment) else {
            return false;
        };
        if self.accept_full(listener) {
            let (id, vars) = (half_open.id, half_open.vars());
            let vars = self.events.wants(Interest::SEGMENTS).then_some(vars);
            let verdict = Verdict::Dropped(Drop::QueueFull);
            self.report(Some(id), verdict, vars.clone(), vars);
            return true;
        }
        let (connections, mut cx) = self.split(now);
        connections[key as usize].close_with(None, Cause::Replaced, &mut cx);
        self.after(now, key);
        self.open_by_cookie(now, listener, tuple, class, segment, kept)
    }
}
