//! A host: the one file that joins `sim` and `stack`.
//!
//! It turns datagrams into segments and back, labels what it sends, converts the clock, and brings its users what the stack has for them. Everything a user does
//! goes through [`Calls`], which writes down for the oracles what was called and what came back.

use std::collections::VecDeque;

use timewait_sim::{Instant, Node, NodeId, Outgoing, Packet, Payload};
use timewait_stack::event::Ready;
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Event, Interest, SocketId, Stack, TrafficClass, Transmit};

use core::net::{IpAddr, SocketAddr};

use crate::app::App;
use crate::clock::Clock;
use crate::event::{HostEvent, UserEvent};
use crate::label::{self, Incarnation, class};

mod apps;
mod calls;
mod sockets;

pub use calls::Calls;

use apps::{AppId, Apps};
use sockets::Sockets;

/// TCP's protocol number.
const TCP: u8 = 6;
/// Buffers kept for later.
const BUFFERS_MAX: usize = 64;
/// Up to so many octets a datagram gets by without a buffer of its own.
const SMALL: usize = 60;

/// A machine with one stack and its users.
#[derive(Debug)]
pub struct Host {
    core: Core,
    apps: Apps,
}

/// All of a host but its applications: what a user call touches.
#[derive(Debug)]
pub(crate) struct Core {
    id: NodeId,
    boot: u8,
    clock: Clock,
    now: timewait_stack::Instant,
    stack: Stack,
    sockets: Sockets,
    ready: VecDeque<(SocketId, Ready)>,
    events: VecDeque<HostEvent>,
    user_events: bool,
    /// It has crashed and not booted again: it hears, says and does nothing.
    off: bool,
    /// The tag of the segment handled last: what a stateless reply answers.
    answered: u64,
    /// Applications that a user call has started.
    spawned: Vec<(Box<dyn App>, Option<SocketId>)>,
    /// Its IP clears DF.
    may_be_cut_up: bool,
    scratch: Vec<u8>,
    /// Buffers of datagrams that have left the network, to be filled again.
    buffers: Vec<Vec<u8>>,
}

impl Host {
    /// A host that is or will be node `id` of its world, with these settings.
    pub fn new(id: NodeId, config: Config) -> Self {
        let core = Core {
            id,
            boot: 0,
            clock: Clock::TRUE,
            now: timewait_stack::Instant::ZERO,
            stack: Stack::new(config),
            sockets: Sockets::default(),
            ready: VecDeque::new(),
            events: VecDeque::new(),
            user_events: false,
            off: false,
            answered: 0,
            spawned: Vec::new(),
            may_be_cut_up: false,
            scratch: Vec::new(),
            buffers: Vec::new(),
        };
        Self {
            core,
            apps: Apps::default(),
        }
    }

    /// The same with a clock of its own, before anything happens.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.core.clock = clock;
        self
    }

    /// Adds a user that starts at `start`, and returns its number among the users of this host.
    pub fn add_app(&mut self, start: Instant, app: Box<dyn App>) -> u32 {
        self.apps.add(self.core.shows(start), app)
    }

    /// Adds a user that starts at once.
    pub fn start_app(&mut self, now: Instant, app: Box<dyn App>) -> u32 {
        self.core.now = self.core.shows(now);
        let id = self.apps.add(self.core.now, app);
        self.apps.run_due(&mut self.core);
        id
    }

    /// Calls [`App::timeout`] of a user now, if it is not done.
    pub fn wake_app(&mut self, now: Instant, app: u32) {
        self.core.now = self.core.shows(now);
        self.apps
            .call(&mut self.core, app, |app, calls| app.timeout(calls));
    }

    /// Which events of the stack it reports, and whether it reports what users do.
    pub fn set_interest(&mut self, interest: Interest, user_events: bool) {
        self.core.stack.set_interest(interest);
        self.core.user_events = user_events;
    }

    /// Whether its IP lets others cut its IPv4 datagrams into parts (RFC 791 §2.3), whatever its TCP
    /// says; at first it does not.
    pub fn set_may_be_cut_up(&mut self, may: bool) {
        self.core.may_be_cut_up = may;
    }

    /// A user at the keyboard: calls that belong to no application.
    pub fn calls(&mut self, now: Instant) -> Calls<'_> {
        self.core.now = self.core.shows(now);
        Calls::new(&mut self.core, None)
    }

    /// Crashes: no sockets, no users, and no stack until [`Host::reboot`]. Incarnations are gone
    /// without a word, and what arrives meets nobody.
    pub fn crash(&mut self, now: Instant) {
        self.core.now = self.core.shows(now);
        self.core.off = true;
        self.core.stack = Stack::new(self.core.stack.config().clone());
        self.core.sockets = Sockets::default();
        self.core.ready.clear();
        self.core.spawned.clear();
        self.core.events.push_back(HostEvent::Crashed);
        self.apps = Apps::default();
    }

    /// Boots again, after a crash if there was none yet: another stack, no sockets, no users.
    pub fn reboot(&mut self, now: Instant, config: Config, interest: Interest) {
        if !self.core.off {
            self.crash(now);
        }
        self.core.now = self.core.shows(now);
        self.core.off = false;
        self.core.stack = Stack::new(config);
        self.core.stack.set_interest(interest);
        // A stack counts its quiet time from the first time it is told (RFC 9293 §3.4.3).
        self.core.stack.handle_timeout(self.core.now);
        self.core.boot += 1;
        self.core.events.push_back(HostEvent::Rebooted {
            boot: self.core.boot,
        });
    }

    /// Its name in the world.
    pub fn id(&self) -> NodeId {
        self.core.id
    }

    /// Its stack, to look at: netstat, usage, the status of a socket.
    pub fn stack(&self) -> &Stack {
        &self.core.stack
    }

    /// How many of its users are not done yet.
    pub fn busy_apps(&self) -> u32 {
        self.apps.busy()
    }

    /// Calls applications until they have seen everything that is ready for them.
    fn dispatch_one(&mut self) -> bool {
        let Some((socket, ready)) = self.core.ready.pop_front() else {
            return false;
        };
        self.core.note_ready(socket, ready);
        if let Some(app) = self.core.sockets.owner(socket) {
            self.apps.call(&mut self.core, app, |app, calls| {
                app.ready(calls, socket, ready);
            });
        }
        true
    }
}

impl Node for Host {
    type Event = HostEvent;

    fn start(&mut self, now: Instant) {
        self.core.now = self.core.shows(now);
        self.apps.run_due(&mut self.core);
    }

    fn handle_packet(&mut self, now: Instant, packet: &Packet) {
        if self.core.off {
            return;
        }
        self.core.now = self.core.shows(now);
        self.core.answered = packet.tag;
        if timewait_sim::icmp::PROTOCOLS.contains(&packet.protocol) {
            let (now, octets) = (self.core.now, packet.payload.octets());
            let stack = &mut self.core.stack;
            stack.handle_icmp(now, packet.src, packet.dst, octets);
            return;
        }
        if packet.protocol != TCP {
            return;
        }
        let class = TrafficClass::from_octet(packet.diffserv << 2 | packet.ecn);
        let (now, octets) = (self.core.now, packet.payload.octets());
        self.core
            .stack
            .handle_segment(now, packet.src, packet.dst, class, octets);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.core.now = self.core.shows(now);
        self.core.stack.handle_timeout(self.core.now);
        self.core.drain_stack();
        self.apps.run_due(&mut self.core);
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing> {
        self.core.now = self.core.shows(now);
        if self.core.off {
            return None;
        }
        let mut octets = self.core.buffers.pop().unwrap_or_default();
        match self.core.stack.poll_transmit(self.core.now, &mut octets) {
            Some(transmit) => Some(self.core.wrap(transmit, octets)),
            None => {
                self.core.buffers.push(octets);
                None
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let (stack, apps) = (self.core.stack.poll_timeout(), self.apps.next_timeout());
        let next = stack.into_iter().chain(apps).min();
        next.map(|shown| self.core.reaches(shown))
    }

    fn reclaim(&mut self, payload: Payload) {
        if self.core.buffers.len() < BUFFERS_MAX {
            self.core.buffers.extend(payload.into_buffer());
        }
    }

    /// The events of the stack come before what users do about them.
    fn poll_event(&mut self) -> Option<HostEvent> {
        loop {
            self.core.drain_stack();
            if let Some(event) = self.core.events.pop_front() {
                return Some(event);
            }
            if !self.dispatch_one() {
                return None;
            }
        }
    }
}

impl Core {
    /// Sorts what the stack has to say: readiness for the users, the rest for the oracles.
    fn drain_stack(&mut self) {
        while let Some(event) = self.stack.poll_event() {
            match event {
                Event::Ready { socket, ready } => self.ready.push_back((socket, ready)),
                event => self.events.push_back(HostEvent::Stack(event)),
            }
        }
    }

    /// Readiness tells a user that its connect succeeded or that its connection failed.
    fn note_ready(&mut self, socket: SocketId, ready: Ready) {
        match ready {
            Ready::Connected => {
                if let Some(connection) = self.stack.connection(socket) {
                    self.record(UserEvent::Connected { connection });
                }
            }
            Ready::Failed(error) => self.note_failure(socket, error),
            _ => {}
        }
    }

    fn record(&mut self, event: UserEvent) {
        if self.user_events {
            self.events.push_back(HostEvent::User(event));
        }
    }

    /// A segment as a datagram, with its labels.
    fn wrap(&mut self, transmit: Transmit, mut octets: Vec<u8>) -> Outgoing {
        let (source, destination, class) = peek(&octets);
        let payload = if octets.len() <= SMALL {
            let payload = Payload::from_slice(&octets);
            octets.clear();
            self.buffers.push(octets);
            payload
        } else {
            Payload::new(octets)
        };
        let echo = Outgoing {
            src: transmit.from,
            dst: transmit.to,
            hop_limit: transmit.hop_limit,
            ecn: transmit.ecn as u8,
            diffserv: transmit.diffserv,
            dont_fragment: transmit.dont_fragment && !self.may_be_cut_up,
            protocol: TCP,
            payload,
            tag: self.answered,
            flow: label::flow_of(
                SocketAddr::new(transmit.from, source),
                SocketAddr::new(transmit.to, destination),
            ),
            class: class | class::ECHO,
        };
        match transmit.connection {
            Some(connection) if !transmit.reset_reply => {
                let own = Incarnation {
                    host: self.id,
                    boot: self.boot,
                    connection,
                };
                Outgoing {
                    tag: own.tag(),
                    class,
                    ..echo
                }
            }
            _ => echo,
        }
    }

    /// True time as the clock shows it.
    fn shows(&self, true_time: Instant) -> timewait_stack::Instant {
        timewait_stack::Instant::from_nanos(self.clock.shows(true_time).as_nanos())
    }

    /// When the clock will show this.
    fn reaches(&self, shown: timewait_stack::Instant) -> Instant {
        self.clock.reaches(Instant::from_nanos(shown.as_nanos()))
    }

    fn local_address(&self) -> Option<IpAddr> {
        self.stack.config().addresses.first().copied()
    }
}

/// Ports and class of a segment (RFC 9293 §3.1), read from its first 14 octets.
fn peek(octets: &[u8]) -> (u16, u16, u16) {
    let word = |at: usize| u16::from_be_bytes([octets[at], octets[at + 1]]);
    let header = usize::from(octets[12] >> 4) * 4;
    let text = octets.len().saturating_sub(header);
    (
        word(0),
        word(2),
        label::class_of(Flags::from_bits_truncate(octets[13]), text),
    )
}

#[cfg(test)]
mod tests;
