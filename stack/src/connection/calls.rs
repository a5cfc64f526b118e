//! The user calls, as far as they concern one connection (RFC 9293 §3.10.2 to §3.10.6).

use alloc::sync::Arc;

use super::send::Fin;
use super::{Connection, Due, End, Owner};
use crate::config::Config;
use crate::context::{Context, Reply};
use crate::event::{Call, Cause};
use crate::socket_options::SocketOptions;
use crate::state::State;

impl Connection {
    /// The user has changed settings: what waited for a change goes at the next output. Returns
    /// whether the user waits for space to send and has it now.
    pub(crate) fn set_options(
        &mut self,
        options: Arc<SocketOptions>,
        config: &Config,
        spare: u32,
    ) -> bool {
        let told = options.user_timeout != self.options.user_timeout
            || options.announce_user_timeout != self.options.announce_user_timeout;
        let acks_now = options.quick_ack && self.receive.incoming.ack_pending > 0;
        let larger = options.receive_buffer > self.options.receive_buffer;
        self.options = options;
        if self.state != State::SynSent {
            // The window of a SYN that is out stands until it is answered.
            self.apply_receive_buffer();
        }
        let reads = self.state.is_synchronized() && self.state.may_receive();
        let tells = larger && reads && self.receive.window_update_due(config, spare);
        if told {
            self.announce_user_timeout();
        }
        if acks_now || tells {
            self.due |= Due::ACK;
        }
        let waits = self.send.out.want_space && self.send.fin == Fin::Open;
        let has_space = waits && self.send_room(spare) > 0;
        if has_space {
            self.send.out.want_space = false;
        }
        has_space
    }

    /// SO_RCVBUF is what the user has set, or the least that the scale in force allows.
    pub(crate) fn apply_receive_buffer(&mut self) {
        let is = self.receive.set_capacity(self.options.receive_buffer);
        if is != self.options.receive_buffer {
            Arc::make_mut(&mut self.options).receive_buffer = is;
        }
    }

    /// SEND: takes as many octets as the buffer has room for, and the stack memory.
    pub(crate) fn send_octets(&mut self, octets: &[u8], spare: u32) -> usize {
        let room = self.send_room(spare) as usize;
        let taken = &octets[..octets.len().min(room)];
        self.send.out.buffer.push(taken);
        self.send.out.want_space = taken.len() < octets.len();
        taken.len()
    }

    /// Octets that SEND would take now, where the stack has memory for `spare`.
    pub(crate) fn send_room(&self, spare: u32) -> u32 {
        let held = self.send.out.buffer.len();
        self.options.send_buffer.saturating_sub(held).min(spare)
    }

    /// RECEIVE: octets in order. The sender hears of the space when it is worth a segment.
    pub(crate) fn receive_octets(&mut self, into: &mut [u8], cx: &Context<'_>) -> usize {
        let most = self.most_of_one_kind(into);
        let octets = self.receive.incoming.buffer.read(&mut into[..most]);
        self.receive.forget_urgent();
        if self.receive.incoming.buffer.readable() == 0 {
            self.receive.incoming.buffer.release_much();
        }
        // What was read is spare now, though nobody has counted it yet.
        let spare = cx.spare.saturating_add(octets);
        if self.state.may_receive() && self.receive.window_update_due(cx.config, spare) {
            self.due |= Due::ACK;
        }
        octets as usize
    }

    /// What [`Connection::receive_octets`] would return. Everything stays as it is.
    pub(crate) fn peek_octets(&self, into: &mut [u8]) -> usize {
        let most = self.most_of_one_kind(into);
        self.receive.incoming.buffer.peek(&mut into[..most]) as usize
    }

    /// What follows urgent data is not mixed with it in one buffer (RFC 9293 §3.9.1.3).
    fn most_of_one_kind(&self, into: &[u8]) -> usize {
        match self.receive.urgent_left() {
            0 => into.len(),
            left => into.len().min(left as usize),
        }
    }

    /// No more text will be received: what waits and what comes is thrown away.
    pub(crate) fn shut_receive(&mut self) {
        self.receive.shut = true;
        self.receive.incoming.buffer.discard_readable();
        self.receive.forget_urgent();
    }

    /// No more text will be sent: a FIN follows what is queued (CLOSE, RFC 9293 §3.10.4). Before
    /// ESTABLISHED it waits for that state, as the RFC allows.
    pub(crate) fn shut_send(&mut self, call: Call, cx: &mut Context<'_>) {
        if self.send.fin != Fin::Open {
            return;
        }
        self.send.fin = Fin::Queued;
        match self.state {
            State::Established => self.enter(State::FinWait1, Cause::User(call), cx),
            State::CloseWait => self.enter(State::LastAck, Cause::User(call), cx),
            _ => {}
        }
    }

    /// The user gives the connection up to close by itself, and can't read from it any more (MAY-1).
    pub(crate) fn close(&mut self, cx: &mut Context<'_>) {
        self.owner = Owner::Nobody;
        if self.state == State::SynSent {
            self.close_with(None, Cause::User(Call::Close), cx);
            return;
        }
        if self.options.abort_on_close {
            self.abort(Call::Close, cx);
            return;
        }
        if self.receive.incoming.buffer.readable() > 0 {
            // Octets that nobody will read: the peer must not believe them delivered
            // (RFC 9293 §3.6.1, SHLD-3).
            self.abort(Call::Close, cx);
            return;
        }
        self.shut_send(Call::Close, cx);
        if self.state == State::FinWait2 {
            self.start_fin_wait_2(cx);
        }
    }

    /// ABORT (RFC 9293 §3.10.5): a RST where the peer may still hold a connection.
    pub(crate) fn abort(&mut self, call: Call, cx: &mut Context<'_>) {
        self.owner = Owner::Nobody;
        if !matches!(self.state, State::SynSent | State::Closing | State::LastAck) {
            let tuple = self.tuple.full(cx.config);
            let reset = Reply::abort(tuple, self.send.nxt, self.id);
            cx.replies.push_back(self.stamped(reset, cx.now));
        }
        if self.send.out.reopened.is_some() {
            self.enter(State::TimeWait, Cause::User(call), cx);
            self.end = Some(End::Returned);
        } else {
            self.close_with(None, Cause::User(call), cx);
        }
    }

    /// An orphan's FIN-WAIT-2 has an end where the profile says so.
    pub(crate) fn start_fin_wait_2(&mut self, cx: &Context<'_>) {
        if let (true, Some(limit)) = (self.is_orphan(), cx.config.fin_wait_2) {
            self.timers.fin_wait_2 = cx.now + limit;
        }
    }
}
