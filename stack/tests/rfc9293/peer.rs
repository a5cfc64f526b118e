//! A peer played by hand: it injects segments at exact instants and looks at what comes out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{
    Config, Duration, Ecn, Event, Instant, Interest, SeqNumber, SocketId, Stack, State, Transmit,
    Vars,
};

/// The stack under test and its address.
pub(crate) const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// The peer played by hand.
pub(crate) const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
/// The same two in IPv6.
pub(crate) const HOST6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
pub(crate) const PEER6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2));
/// The port the stack uses.
pub(crate) const PORT: u16 = 80;
/// The port the peer uses.
pub(crate) const PEER_PORT: u16 = 5000;
/// The peer's ISN, close to the wrap.
pub(crate) const ISN: u32 = u32::MAX - 50;

/// A segment that the stack sent, with its text owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) seq: SeqNumber,
    pub(crate) ack: SeqNumber,
    pub(crate) flags: Flags,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    pub(crate) mss: Option<u16>,
    /// The user timeout option, in seconds.
    pub(crate) user_timeout: Option<u64>,
    pub(crate) options: Options,
    pub(crate) text: Vec<u8>,
    /// What the stack said for the IP header.
    pub(crate) transmit: Transmit,
}

pub(crate) struct Bench {
    /// The addresses of the stack and of the peer.
    pub(crate) host: IpAddr,
    pub(crate) peer: IpAddr,
    pub(crate) stack: Stack,
    pub(crate) now: Instant,
    /// The listener, if there is one.
    pub(crate) listener: Option<SocketId>,
    /// States as told by transitions, of all connections.
    pub(crate) transitions: Vec<(State, State)>,
    pub(crate) ready: Vec<(SocketId, timewait_stack::event::Ready)>,
    /// Window shifts that were reported as too large.
    pub(crate) shifts_too_large: Vec<u8>,
}

/// A segment without options from this port of the peer.
pub(crate) fn segment_from(
    port: u16,
    flags: Flags,
    seq: u32,
    ack: SeqNumber,
    text: &[u8],
) -> Segment<'_> {
    Segment {
        source_port: port,
        destination_port: PORT,
        seq: SeqNumber(seq),
        ack,
        flags,
        window: 65_535,
        urgent: 0,
        options: Options::default(),
        text,
    }
}

pub(crate) fn config() -> Config {
    Config::new(vec![HOST], [7; 32])
}

/// The same host in IPv6.
pub(crate) fn config6() -> Config {
    Config::new(vec![HOST6], [7; 32])
}

impl Bench {
    pub(crate) fn new(config: Config) -> Self {
        let host = config.addresses[0];
        let mut stack = Stack::new(config);
        stack.set_interest(Interest::all());
        Self {
            host,
            peer: if host.is_ipv4() { PEER } else { PEER6 },
            stack,
            now: Instant::ZERO,
            listener: None,
            transitions: vec![],
            ready: vec![],
            shifts_too_large: vec![],
        }
    }

    /// A listener on `PORT`.
    pub(crate) fn listening(config: Config) -> (Self, SocketId) {
        let mut bench = Self::new(config);
        let socket = bench.stack.socket();
        bench
            .stack
            .bind(socket, SocketAddr::new(bench.host, PORT))
            .unwrap();
        bench.stack.listen(socket, 8).unwrap();
        bench.listener = Some(socket);
        bench.drain();
        (bench, socket)
    }

    /// A passive connection in ESTABLISHED; returns its socket and the stack's ISS.
    pub(crate) fn established(config: Config) -> (Self, SocketId, SeqNumber) {
        let (mut bench, listener) = Self::listening(config);
        let syn_ack = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1460));
        let iss = syn_ack[0].seq;
        bench.inject(Flags::ACK, 1, iss + 1, b"");
        let (socket, _) = bench.stack.accept(listener).unwrap();
        bench.transitions.clear();
        (bench, socket, iss)
    }

    /// An active open from `PORT`; returns its socket and its SYN.
    pub(crate) fn connecting(config: Config) -> (Self, SocketId, Sent) {
        let mut bench = Self::new(config);
        let socket = bench.stack.socket();
        let syn = bench.connect(socket);
        (bench, socket, syn)
    }

    /// Opens this socket from `PORT` to the peer; returns its SYN.
    pub(crate) fn connect(&mut self, socket: SocketId) -> Sent {
        let local = SocketAddr::new(self.host, PORT);
        let remote = SocketAddr::new(self.peer, PEER_PORT);
        self.stack.bind(socket, local).unwrap();
        self.stack.connect(self.now, socket, remote).unwrap();
        let mut sent = self.drain();
        assert_eq!(sent.len(), 1, "a SYN and nothing else");
        sent.remove(0)
    }

    /// Injects a segment whose sequence number lies `offset` after the peer's ISN.
    pub(crate) fn inject(
        &mut self,
        flags: Flags,
        offset: i64,
        ack: SeqNumber,
        text: &[u8],
    ) -> Vec<Sent> {
        self.inject_with(flags, offset, ack, text, None)
    }

    pub(crate) fn inject_with(
        &mut self,
        flags: Flags,
        offset: i64,
        ack: SeqNumber,
        text: &[u8],
        mss: Option<u16>,
    ) -> Vec<Sent> {
        self.inject_window(flags, offset, ack, text, mss, 65_535)
    }

    pub(crate) fn inject_window(
        &mut self,
        flags: Flags,
        offset: i64,
        ack: SeqNumber,
        text: &[u8],
        mss: Option<u16>,
        window: u16,
    ) -> Vec<Sent> {
        let options = Options {
            mss,
            ..Options::default()
        };
        self.inject_options(flags, offset, ack, text, window, options)
    }

    pub(crate) fn inject_options(
        &mut self,
        flags: Flags,
        offset: i64,
        ack: SeqNumber,
        text: &[u8],
        window: u16,
        options: Options,
    ) -> Vec<Sent> {
        self.inject_segment(Segment {
            source_port: PEER_PORT,
            destination_port: PORT,
            seq: SeqNumber(ISN.wrapping_add(offset as u32)),
            ack,
            flags,
            window,
            urgent: 0,
            options,
            text,
        })
    }

    /// Injects this segment as it is.
    pub(crate) fn inject_segment(&mut self, segment: Segment<'_>) -> Vec<Sent> {
        let mut bytes = Vec::new();
        segment.emit(self.peer, self.host, &mut bytes);
        self.stack
            .handle_segment(self.now, self.peer, self.host, Ecn::NotEct, &bytes);
        self.drain()
    }

    /// Moves the clock to the next timeout, at most `limit` ahead, and returns what is sent.
    pub(crate) fn wait(&mut self, limit: Duration) -> Vec<Sent> {
        let end = self.now + limit;
        let mut sent = Vec::new();
        while let Some(at) = self.stack.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.stack.handle_timeout(self.now);
            sent.extend(self.drain());
        }
        self.now = end;
        sent
    }

    /// Everything the stack has to say now.
    pub(crate) fn drain(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        let mut buf = Vec::new();
        loop {
            while let Some(event) = self.stack.poll_event() {
                match event {
                    Event::Transition { from, to, .. } => self.transitions.push((from, to)),
                    Event::ShiftTooLarge { shift, .. } => self.shifts_too_large.push(shift),
                    Event::Ready { socket, ready } => self.ready.push((socket, ready)),
                    _ => {}
                }
            }
            buf.clear();
            let Some(transmit) = self.stack.poll_transmit(self.now, &mut buf) else {
                break;
            };
            assert!(
                Segment::verify_checksum(transmit.from, transmit.to, &buf),
                "MUST-2"
            );
            let segment = Segment::parse(&buf).unwrap();
            sent.push(Sent {
                seq: segment.seq,
                ack: segment.ack,
                flags: segment.flags,
                window: segment.window,
                urgent: segment.urgent,
                mss: segment.options.mss,
                user_timeout: segment
                    .options
                    .user_timeout
                    .map(|timeout| timeout.duration().as_secs()),
                options: segment.options,
                text: segment.text.to_vec(),
                transmit,
            });
        }
        while let Some(event) = self.stack.poll_event() {
            assert!(matches!(event, Event::Snapshot(_)), "late event {event:?}");
        }
        sent
    }

    pub(crate) fn state(&self, socket: SocketId) -> State {
        self.stack.status(socket).unwrap().state
    }

    /// The variables of a live connection.
    pub(crate) fn vars(&self, socket: SocketId) -> Vars {
        self.stack.status(socket).unwrap().vars.unwrap()
    }

    /// The state of the only record that is no listener.
    pub(crate) fn only_state(&self) -> Option<State> {
        let rows = self.stack.netstat();
        let mut rows = rows.iter().filter(|row| row.remote.is_some());
        let state = rows.next().map(|row| row.state);
        assert!(rows.next().is_none());
        state
    }
}

/// The peer's sequence number `offset` after its ISN.
pub(crate) fn peer_seq(offset: u32) -> SeqNumber {
    SeqNumber(ISN) + offset
}
