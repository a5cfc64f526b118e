//! One user's part of one connection: what it sends, how it reads, how it ends.
//!
//! Echo server, bulk sender, sink, request and response, half-closer, aborter and slow reader
//! are all this, with another [`Talk`].

use core::net::SocketAddr;

use timewait_stack::error::ConnectError;
use timewait_stack::event::Ready;
use timewait_stack::{How, Instant, SendFlags, SocketId, SocketOption};

use super::App;
use crate::host::Calls;
use crate::scenario::{Ending, Talk, Write};

mod reader;

use reader::Reader;

/// A user with one connection.
#[derive(Debug)]
pub struct Conversation {
    talk: Talk,
    dial: Option<Dial>,
    socket: Option<SocketId>,
    /// It may send and receive.
    connected: bool,
    written: u64,
    reader: Reader,
    /// Its buffers are as they will be.
    resized: bool,
    /// It has shut its sending side.
    shut: bool,
    /// When the next request goes out, while it pauses.
    next_request: Option<Instant>,
    /// Requests begun.
    requests: u32,
    /// When it calls again, because its host still keeps quiet.
    redial: Option<Instant>,
    /// When it closes in any case.
    deadline: Option<Instant>,
    done: bool,
}

/// Whom a caller calls, and from which port; 0: any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dial {
    /// Its own port.
    pub from: u16,
    /// The other end.
    pub to: SocketAddr,
}

impl Conversation {
    /// A user who calls.
    pub fn caller(dial: Dial, talk: Talk) -> Self {
        Self::new(Some(dial), None, talk)
    }

    /// A user whose connection has been accepted.
    pub fn accepted(socket: SocketId, talk: Talk) -> Self {
        Self::new(None, Some(socket), talk)
    }

    fn new(dial: Option<Dial>, socket: Option<SocketId>, talk: Talk) -> Self {
        Self {
            talk,
            dial,
            socket,
            connected: dial.is_none(),
            written: 0,
            reader: Reader::new(talk.read),
            resized: false,
            shut: false,
            next_request: None,
            requests: 0,
            redial: None,
            deadline: None,
            done: false,
        }
    }

    /// Opens the connection. An error at once ends the conversation, but in the quiet time of its
    /// host (RFC 9293 §3.4.3) it waits.
    fn dial(&mut self, calls: &mut Calls<'_>, dial: Dial) {
        let socket = calls.socket();
        self.socket = Some(socket);
        if let Some(buffers) = self.talk.buffers {
            calls.set_buffers(socket, buffers);
        }
        let bound = match (dial.from, calls.local_address()) {
            (0, _) | (_, None) => true,
            (port, Some(address)) => {
                let reuse = calls.set_option(socket, SocketOption::ReuseAddress(true));
                reuse.is_ok() && calls.bind(socket, SocketAddr::new(address, port)).is_ok()
            }
        };
        match bound.then(|| calls.connect(socket, dial.to)) {
            Some(Ok(())) => {}
            Some(Err(ConnectError::QuietTime)) => {
                let _ = calls.close(socket);
                self.socket = None;
                self.redial = calls.quiet_until();
            }
            Some(Err(_)) | None => self.close(calls),
        }
    }

    /// Does all that can be done now. What it did may allow more (an answer read, the next
    /// request), so it goes round until nothing is left; each round moves octets or ends.
    fn go_on(&mut self, calls: &mut Calls<'_>) {
        let late = |deadline| deadline <= calls.now();
        if self.deadline.is_some_and(late) {
            return self.close(calls);
        }
        let Some(socket) = self.socket else { return };
        while self.connected && !self.done {
            let before = (self.written, self.reader.received());
            self.reader.read(calls, socket);
            self.resize(calls, socket);
            self.write(calls, socket);
            self.maybe_end(calls, socket);
            if before == (self.written, self.reader.received()) {
                break;
            }
        }
    }

    /// Sets other buffers once it is time.
    fn resize(&mut self, calls: &mut Calls<'_>, socket: SocketId) {
        if let Some((octets, buffers)) = self.talk.resized
            && self.reader.received() >= octets
            && !core::mem::replace(&mut self.resized, true)
        {
            calls.set_buffers(socket, buffers);
        }
    }

    fn write(&mut self, calls: &mut Calls<'_>, socket: SocketId) {
        if self.shut {
            return;
        }
        let wanted = self.wanted(calls.now());
        while wanted > self.written {
            let (octets, flags) = self.next_piece(wanted - self.written);
            let taken = calls.send_content_with(socket, octets, flags).unwrap_or(0);
            self.written += taken;
            if taken < octets {
                break;
            }
        }
    }

    /// How many of `octets` go into one call, and whether it is urgent.
    fn next_piece(&self, octets: u64) -> (u64, SendFlags) {
        let every = u64::from(self.talk.urgent_every);
        if every == 0 {
            return (octets, SendFlags::empty());
        }
        let until = every - self.written % every;
        if until == 1 {
            (1, SendFlags::URGENT)
        } else {
            (octets.min(until - 1), SendFlags::empty())
        }
    }

    /// Octets that are to have been sent by now.
    fn wanted(&mut self, now: Instant) -> u64 {
        match self.talk.write {
            Write::Octets(octets) => octets,
            Write::Respond { request, response } => {
                self.reader.received() / u64::from(request.max(1)) * u64::from(response)
            }
            Write::Request {
                count,
                request,
                response,
                pause,
            } => {
                let answered = self.reader.received() / u64::from(response.max(1));
                if self.requests < count && answered >= u64::from(self.requests) {
                    let first = self.requests == 0 || pause.is_zero();
                    let due = if first {
                        now
                    } else {
                        *self.next_request.get_or_insert(now + pause)
                    };
                    if due <= now {
                        self.next_request = None;
                        self.requests += 1;
                    }
                }
                u64::from(self.requests) * u64::from(request)
            }
        }
    }

    /// Everything that it will ever send has been taken.
    fn has_written_all(&self) -> bool {
        let end_of_file = self.reader.end_of_file();
        match self.talk.write {
            Write::Octets(octets) => self.written >= octets,
            Write::Respond { request, response } => {
                let requests = self.reader.received() / u64::from(request.max(1));
                end_of_file && self.written >= requests * u64::from(response)
            }
            Write::Request {
                count,
                request,
                response,
                ..
            } => {
                let answered = self.reader.received() / u64::from(response.max(1));
                let all = u64::from(count) * u64::from(request);
                end_of_file || self.written >= all && answered >= u64::from(count)
            }
        }
    }

    fn maybe_end(&mut self, calls: &mut Calls<'_>, socket: SocketId) {
        if self.reader.failed() {
            return self.close(calls);
        }
        let end_of_file = self.reader.end_of_file();
        match self.talk.ending {
            Ending::Passive if end_of_file && self.has_written_all() => self.close(calls),
            Ending::Shut if self.has_written_all() => {
                if !self.shut {
                    self.shut = true;
                    // It can only fail if the connection just did, and then readiness says so.
                    let _ = calls.shutdown(socket, How::Write);
                }
                if end_of_file {
                    self.close(calls);
                }
            }
            Ending::Close if self.has_written_all() => self.close(calls),
            Ending::Abort(octets) if self.reader.received() >= octets => {
                let _ = calls.abort(socket);
                self.finish();
            }
            _ => {}
        }
    }

    fn close(&mut self, calls: &mut Calls<'_>) {
        if let Some(socket) = self.socket {
            let _ = calls.close(socket);
        }
        self.finish();
    }

    fn finish(&mut self) {
        self.socket = None;
        self.done = true;
    }
}

impl App for Conversation {
    fn start(&mut self, calls: &mut Calls<'_>) {
        let patience = match self.talk.ending {
            Ending::After(time) => time.min(self.talk.patience),
            _ => self.talk.patience,
        };
        self.deadline = Some(calls.now() + patience);
        if let Some(dial) = self.dial {
            self.dial(calls, dial);
        }
        self.go_on(calls);
    }

    fn ready(&mut self, calls: &mut Calls<'_>, socket: SocketId, ready: Ready) {
        if self.socket != Some(socket) {
            return;
        }
        match ready {
            Ready::Failed(_) => return self.close(calls),
            Ready::Connected => self.connected = true,
            Ready::Readable => self.reader.note_readable(),
            Ready::Acceptable
            | Ready::Writable
            | Ready::Urgent
            | Ready::Trouble
            | Ready::SoftError(_) => {}
        }
        self.go_on(calls);
    }

    fn timeout(&mut self, calls: &mut Calls<'_>) {
        let due = self.redial.is_some_and(|at| at <= calls.now());
        if let Some(dial) = self.dial.filter(|_| due && !self.done) {
            self.redial = None;
            self.dial(calls, dial);
        }
        self.go_on(calls);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let work = [self.redial, self.next_request, self.reader.poll_timeout()];
        let all = work.into_iter().chain([self.deadline]);
        all.flatten().min()
    }

    fn done(&self) -> bool {
        self.done
    }
}
