//! How connections come into the tables and leave them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::mem;

use super::{Alarm, Stack};
use crate::connection::{Connection, Due, End, Fin, Owner};
use crate::error::Errno;
use crate::event::{Cause, ConnectionId, Event, Interest, Ready, SocketId};
use crate::isn;
use crate::socket::{Ended, SocketKind};
use crate::state::State;
use crate::table::{Entry, FourTuple};
use crate::time::Instant;
use crate::time_wait::TimeWait;
use crate::wire::Segment;

impl Stack {
    /// Announces a new incarnation with its first transition.
    pub(super) fn announce(
        &mut self,
        connection: ConnectionId,
        socket: Option<SocketId>,
        tuple: &FourTuple,
    ) {
        let (local, remote) = (tuple.local.socket_addr(), Some(tuple.remote.socket_addr()));
        self.events.push(Interest::TRANSITIONS, || Event::Opened {
            connection,
            socket,
            local,
            remote,
        });
    }

    /// Enters a new connection everywhere. Its tuple may belong to a TIME-WAIT record, whose
    /// place it takes.
    pub(super) fn insert(&mut self, connection: Connection) -> u32 {
        let tuple = connection.tuple.full(&self.config);
        let reopens = connection.send.out.reopened.is_some();
        let key = self.connections.insert(connection) as u32;
        self.index(&tuple, Entry::Connection(key));
        if !reopens {
            self.ports.add_connection(tuple.local.port);
        }
        self.enqueue(key);
        self.account(key);
        key
    }

    /// A SYN for this listener starts a child, perhaps in the place of a TIME-WAIT record.
    pub(super) fn start_child(
        &mut self,
        now: Instant,
        listener: SocketId,
        tuple: FourTuple,
        syn: &Segment<'_>,
        old: Option<Box<TimeWait>>,
    ) {
        let Some(options) = self.options_of(listener).map(Arc::clone) else {
            return;
        };
        let id = self.new_connection_id();
        let mut iss = isn::initial(&self.config, now, &tuple, id.0);
        let mut from = State::Listen;
        self.announce(id, None, &tuple);
        if let Some(record) = &old {
            iss = isn::past(&self.config, iss, record.snd_nxt, record.max_snd_wnd);
            from = State::TimeWait;
            let event = Event::Reopened {
                old: record.id,
                new: id,
            };
            self.events.push(Interest::TRANSITIONS, || event);
        }
        self.events
            .transition(id, from, State::SynReceived, Cause::Segment);
        let owner = Owner::Listener(listener);
        let mut cx = self.context(now);
        let mut child = Connection::passive(id, tuple, owner, options, iss, syn, &mut cx);
        child.send.out.reopened = old;
        let key = self.insert(child);
        if let Some(listener) = self.listener_mut(listener) {
            listener.half_open.insert(key);
        }
    }

    /// A half-open child is established: it waits to be accepted.
    pub(super) fn promote(&mut self, key: u32) {
        let connection = &self.connections[key as usize];
        let (id, Owner::Listener(owner)) = (connection.id, connection.owner) else {
            return;
        };
        if let Some(listener) = self.listener_mut(owner) {
            listener.leaves_half_open(key);
            listener.waiting.insert(id, key);
            self.events.ready(owner, Ready::Acceptable);
        }
    }

    /// Work on a connection is done: it goes on, or it has come to its end.
    pub(super) fn after(&mut self, now: Instant, key: u32) {
        let Some(connection) = self.connections.get_mut(key as usize) else {
            return;
        };
        if let Some(end) = connection.end {
            self.finish(now, key, end);
        } else {
            self.reschedule(key);
            self.enqueue(key);
            self.account(key);
        }
    }

    /// Queues a connection for transmission.
    pub(super) fn enqueue(&mut self, key: u32) {
        let connection = &mut self.connections[key as usize];
        if !mem::replace(&mut connection.queued, true) {
            self.transmit_queue.push_back(key);
        }
    }

    fn finish(&mut self, now: Instant, key: u32, end: End) {
        let mut connection = self.connections.remove(key as usize);
        if let Owner::Listener(listener) = connection.owner {
            self.leave_listener(listener, key, connection.id);
        }
        match end {
            End::TimeWait => self.keep_in_time_wait(now, key, &connection),
            End::Returned => {
                if let Some(record) = connection.send.out.reopened.take() {
                    self.return_to_time_wait(key, *record);
                }
            }
            End::Listen | End::Closed(_) => {
                let tuple = connection.tuple.full(&self.config);
                self.forget(&tuple, Entry::Connection(key));
                self.ports.remove_connection(tuple.local.port);
                if let Some(old) = &connection.send.out.reopened {
                    // Only with the return to TIME-WAIT switched off.
                    let (from, to) = (State::TimeWait, State::Closed);
                    self.events.transition(old.id, from, to, Cause::Replaced);
                }
            }
        }
        let error = if let End::Closed(error) = end {
            error
        } else {
            None
        };
        self.leave_to_user(now, connection, error);
        self.account(key);
        self.sweep_timers();
    }

    fn leave_listener(&mut self, listener: SocketId, key: u32, id: ConnectionId) {
        if let Some(listener) = self.listener_mut(listener)
            && !listener.leaves_half_open(key)
        {
            listener.waiting.remove(&id);
        }
    }

    /// What the user may still read, and what it is told.
    fn leave_to_user(&mut self, now: Instant, connection: Connection, error: Option<Errno>) {
        let Owner::Socket(id) = connection.owner else {
            return;
        };
        let mut receive = connection.receive.incoming;
        if error.is_some() {
            receive.buffer.clear(); // RFC 9293 §3.10.7.4, second check: all queues are flushed.
        }
        receive.buffer.release();
        receive.settle(now);
        let ended = Ended {
            id: connection.id,
            options: connection.options,
            tuple: connection.tuple.full(&self.config),
            receive,
            end_of_file: connection.receive.fin_taken || connection.receive.shut,
            send_shut: connection.send.fin != Fin::Open,
            error,
            soft_error: connection.soft_error,
        };
        if let Some(socket) = self.socket_mut(id) {
            socket.kind = SocketKind::Ended(Box::new(ended));
            socket.pending_error = error;
        }
        self.account_rest(id);
        if let Some(error) = error {
            self.events.ready(id, Ready::Failed(error));
        }
    }

    fn keep_in_time_wait(&mut self, now: Instant, key: u32, connection: &Connection) {
        let record = TimeWait::new(connection, now, &self.config);
        if connection.due.contains(Due::ACK) {
            record.acknowledge(&mut self.context(now));
        }
        let key = self.insert_time_wait(key, record);
        self.time_waits.list_last(key);
        while self.time_waits.len() > self.config.time_wait_max.max(1) as usize
            && let Some((_, oldest)) = self.time_waits.earliest()
        {
            self.end_time_wait(oldest, Cause::Replaced);
        }
    }

    /// The SYN that reopened this record has proved to be old. Its end stays where it was.
    fn return_to_time_wait(&mut self, key: u32, record: TimeWait) {
        let key = self.insert_time_wait(key, record);
        self.push_alarm(record.expires, Alarm::TimeWait(key));
    }

    /// A record takes the place of the connection that was `key`.
    fn insert_time_wait(&mut self, key: u32, record: TimeWait) -> u32 {
        let old = Entry::Connection(key);
        let key = self.time_waits.insert(record);
        let tuple = record.tuple(&self.config);
        self.table.replace(&tuple, old, Entry::TimeWait(key));
        key
    }

    /// TIME-WAIT is over: CLOSED.
    pub(super) fn end_time_wait(&mut self, key: u32, cause: Cause) {
        let record = self.time_waits.remove(key);
        let tuple = record.tuple(&self.config);
        self.forget(&tuple, Entry::TimeWait(key));
        self.ports.remove_connection(tuple.local.port);
        self.events
            .transition(record.id, State::TimeWait, State::Closed, cause);
        self.sweep_timers();
    }
}
