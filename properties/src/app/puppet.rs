//! A user who does what a test says.

use core::cell::RefCell;
use core::net::SocketAddr;
use std::rc::Rc;

use timewait_stack::error::{BindError, ConnectError, ListenError};
use timewait_stack::event::Ready;
use timewait_stack::{Errno, How, Instant, SocketId};

use super::App;
use crate::host::Calls;

/// What a test wants of a puppet, and what the puppet has seen. Shared by both.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    /// Octets still to be sent.
    pub to_send: u64,
    /// Then it shuts its sending side.
    pub shut: bool,
    /// Then it closes.
    pub close: bool,
    /// It aborts at once.
    pub abort: bool,
    /// It reads nothing for now.
    pub deaf: bool,
    /// It has a connection.
    pub connected: bool,
    /// Octets received.
    pub received: u64,
    /// The peer has closed its side.
    pub end_of_file: bool,
    /// Why the connection failed, if it did.
    pub error: Option<Errno>,
    /// Its socket, while it has one.
    pub socket: Option<SocketId>,
}

/// A user with one connection that hangs on strings.
#[derive(Debug)]
pub struct Puppet {
    strings: Rc<RefCell<Strings>>,
    own: SocketAddr,
    /// Whom it calls; `None`: it listens.
    peer: Option<SocketAddr>,
    listener: Option<SocketId>,
    has_shut: bool,
    done: bool,
}

impl Puppet {
    /// A puppet at `own` that calls `peer`, or waits for one call.
    pub fn new(strings: Rc<RefCell<Strings>>, own: SocketAddr, peer: Option<SocketAddr>) -> Self {
        Self {
            strings,
            own,
            peer,
            listener: None,
            has_shut: false,
            done: false,
        }
    }

    fn begin(&mut self, calls: &mut Calls<'_>) -> Result<(), Errno> {
        let socket = calls.socket();
        match self.peer {
            Some(peer) => {
                self.strings.borrow_mut().socket = Some(socket);
                calls.connect(socket, peer).map_err(ConnectError::errno)
            }
            None => {
                self.listener = Some(socket);
                calls.bind(socket, self.own).map_err(BindError::errno)?;
                calls.listen(socket, 1).map_err(ListenError::errno)
            }
        }
    }

    fn accept(&mut self, calls: &mut Calls<'_>, listener: SocketId) {
        if let Ok((socket, _)) = calls.accept(listener) {
            let _ = calls.close(listener);
            self.listener = None;
            let mut strings = self.strings.borrow_mut();
            strings.socket = Some(socket);
            strings.connected = true;
        }
    }

    /// Does what the strings say and what is possible.
    fn obey(&mut self, calls: &mut Calls<'_>) {
        let strings = self.strings.clone();
        let mut strings = strings.borrow_mut();
        // Before there is a connection, orders wait for it.
        let Some(socket) = strings.socket else { return };
        if strings.abort {
            let _ = calls.abort(socket);
            return self.let_go(&mut strings);
        }
        if strings.connected && !strings.deaf {
            read(calls, socket, &mut strings);
        }
        if strings.connected && strings.to_send > 0 {
            strings.to_send -= calls.send_content(socket, strings.to_send).unwrap_or(0);
        }
        if strings.to_send == 0 && strings.shut && strings.connected && !self.has_shut {
            self.has_shut = calls.shutdown(socket, How::Write).is_ok();
        }
        if strings.error.is_some() || strings.to_send == 0 && strings.close {
            let _ = calls.close(socket);
            self.let_go(&mut strings);
        }
    }

    fn let_go(&mut self, strings: &mut Strings) {
        strings.socket = None;
        self.done = true;
    }
}

fn read(calls: &mut Calls<'_>, socket: SocketId, strings: &mut Strings) {
    let mut octets = [0; 4096];
    while let Ok(count) = calls.recv(socket, &mut octets) {
        strings.received += count as u64;
        if count == 0 {
            strings.end_of_file = true;
            return;
        }
    }
}

impl App for Puppet {
    fn start(&mut self, calls: &mut Calls<'_>) {
        if let Err(error) = self.begin(calls) {
            self.strings.borrow_mut().error = Some(error);
        }
        self.obey(calls);
    }

    fn ready(&mut self, calls: &mut Calls<'_>, socket: SocketId, ready: Ready) {
        match ready {
            Ready::Acceptable => self.accept(calls, socket),
            Ready::Connected => self.strings.borrow_mut().connected = true,
            Ready::Failed(error) => self.strings.borrow_mut().error = Some(error),
            Ready::Readable
            | Ready::Writable
            | Ready::Urgent
            | Ready::Trouble
            | Ready::SoftError(_) => {}
        }
        self.obey(calls);
    }

    fn timeout(&mut self, calls: &mut Calls<'_>) {
        self.obey(calls);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn done(&self) -> bool {
        self.done
    }
}
