//! A server: listens, and hands each connection to a [`Conversation`] of its own.

use core::net::SocketAddr;

use timewait_stack::event::Ready;
use timewait_stack::{Instant, SocketId, SocketOption};

use super::{App, Conversation};
use crate::host::Calls;
use crate::scenario::Serve;

/// A user who listens.
#[derive(Debug)]
pub struct Server {
    plan: Serve,
    listener: Option<SocketId>,
    accepted: u16,
    /// It accepts nobody before.
    next_accept: Option<Instant>,
    deadline: Option<Instant>,
    done: bool,
}

impl Server {
    /// A server that has yet to start.
    pub fn new(plan: Serve) -> Self {
        Self {
            plan,
            listener: None,
            accepted: 0,
            next_accept: None,
            deadline: None,
            done: false,
        }
    }

    fn accept_all(&mut self, calls: &mut Calls<'_>, listener: SocketId) {
        while self.accepted < self.plan.clients
            && self.next_accept.is_none()
            && let Ok((socket, _)) = calls.accept(listener)
        {
            self.accepted += 1;
            let pause = self.plan.accept_pause;
            self.next_accept = (!pause.is_zero()).then(|| calls.now() + pause);
            calls.spawn(
                Box::new(Conversation::accepted(socket, self.plan.talk)),
                socket,
            );
        }
        if self.accepted == self.plan.clients {
            self.stop(calls);
        }
    }

    fn stop(&mut self, calls: &mut Calls<'_>) {
        if let Some(listener) = self.listener.take() {
            let _ = calls.close(listener);
        }
        self.done = true;
    }
}

impl App for Server {
    /// A port that can't be had is a mistake in the scenario.
    fn start(&mut self, calls: &mut Calls<'_>) {
        let address = calls.local_address().expect("a host has an address");
        let listener = calls.socket();
        let reuse = calls.set_option(listener, SocketOption::ReuseAddress(true));
        let defer = SocketOption::DeferAccept(self.plan.defer_accept);
        let deferred = calls.set_option(listener, defer);
        if let Some(buffers) = self.plan.talk.buffers {
            calls.set_buffers(listener, buffers);
        }
        let bound = calls.bind(listener, SocketAddr::new(address, self.plan.port));
        let listening = calls.listen(listener, self.plan.backlog);
        assert!(
            reuse.is_ok() && deferred.is_ok() && bound.is_ok() && listening.is_ok(),
            "{bound:?}, {listening:?}"
        );
        self.listener = Some(listener);
        self.deadline = Some(calls.now() + self.plan.patience);
        self.accept_all(calls, listener);
    }

    fn ready(&mut self, calls: &mut Calls<'_>, socket: SocketId, ready: Ready) {
        if self.listener == Some(socket) && ready == Ready::Acceptable {
            self.accept_all(calls, socket);
        }
    }

    fn timeout(&mut self, calls: &mut Calls<'_>) {
        if self
            .deadline
            .is_some_and(|deadline| deadline <= calls.now())
        {
            self.stop(calls);
        }
        if let (Some(at), Some(listener)) = (self.next_accept, self.listener)
            && at <= calls.now()
        {
            self.next_accept = None;
            self.accept_all(calls, listener);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline.into_iter().chain(self.next_accept).min()
    }

    fn done(&self) -> bool {
        self.done
    }
}
