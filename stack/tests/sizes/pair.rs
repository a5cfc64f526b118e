//! Two stacks and a wire that loses nothing.

use std::net::{IpAddr, SocketAddr};

use timewait_stack::{Config, Duration, Ecn, Instant, Profile, SocketId, SocketOption, Stack};

use crate::weighed::Weighed;

/// Connections for each port of the server: there are only so many ports at the client.
pub(crate) const PER_PORT: usize = 10_000;

/// A client and a server.
pub(crate) struct Pair {
    pub(crate) client: Weighed,
    pub(crate) server: Weighed,
    pub(crate) now: Instant,
    server_ip: IpAddr,
    client_ip: IpAddr,
    listeners: Vec<SocketId>,
    buf: Vec<u8>,
}

impl Pair {
    /// A server that listens on as many ports as so many `connections` need.
    pub(crate) fn new(profile: Profile, v6: bool, connections: usize) -> Self {
        let ip = |last| match v6 {
            false => IpAddr::from([192, 0, 2, last]),
            true => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(last)]),
        };
        let config = |last| Config {
            syn_queue_max: u16::MAX,
            ..profile.config(vec![ip(last)], [last; 32])
        };
        let mut pair = Self {
            client: Weighed::new(config(1)),
            server: Weighed::new(config(2)),
            now: Instant::ZERO,
            server_ip: ip(2),
            client_ip: ip(1),
            listeners: Vec::new(),
            buf: Vec::with_capacity(1 << 16),
        };
        for n in 0..connections.div_ceil(PER_PORT) {
            let address = pair.address(n);
            let listener = pair.server.with(|stack| {
                let listener = stack.socket();
                stack.bind(listener, address).expect("a free port");
                stack.listen(listener, u16::MAX).expect("it is bound");
                listener
            });
            pair.listeners.push(listener);
        }
        pair
    }

    /// Where the listener number `n` is.
    fn address(&self, n: usize) -> SocketAddr {
        SocketAddr::new(self.server_ip, 1000 + n as u16)
    }

    /// Listeners hand `option` on to what they accept.
    pub(crate) fn listen_with(&mut self, option: SocketOption) {
        for &listener in &self.listeners {
            self.server
                .with(|stack| stack.set_option(listener, option))
                .expect("it listens");
        }
    }

    /// Starts connection number `n`.
    pub(crate) fn connect(&mut self, n: usize, option: Option<SocketOption>) -> SocketId {
        let (now, to) = (self.now, self.address(n / PER_PORT));
        self.client.with(|stack| {
            let socket = stack.socket();
            if let Some(option) = option {
                stack.set_option(socket, option).expect("it exists");
            }
            stack.connect(now, socket, to).expect("there are ports");
            socket
        })
    }

    /// Takes what connection number `n` has become at the server.
    pub(crate) fn accept(&mut self, n: usize) -> SocketId {
        let listener = self.listeners[n / PER_PORT];
        let accepted = self.server.with(|stack| stack.accept(listener));
        accepted.expect("it is established").0
    }

    /// Carries segments until nobody has one left, and throws events away.
    pub(crate) fn exchange(&mut self) {
        while self.carry(true) | self.carry(false) {}
    }

    fn carry(&mut self, to_server: bool) -> bool {
        let (now, buf) = (self.now, &mut self.buf);
        let (from, to) = match to_server {
            true => (&mut self.client, &mut self.server),
            false => (&mut self.server, &mut self.client),
        };
        let mut carried = false;
        loop {
            while from.with(Stack::poll_event).is_some() {}
            buf.clear();
            let Some(transmit) = from.with(|stack| stack.poll_transmit(now, buf)) else {
                return carried;
            };
            let (source, destination) = (transmit.from, transmit.to);
            to.with(|stack| stack.handle_segment(now, source, destination, Ecn::NotEct, buf));
            while to.with(Stack::poll_event).is_some() {}
            carried = true;
        }
    }

    /// Hands the client's SYNs to the server, and loses its answers.
    pub(crate) fn half_open(&mut self) {
        self.carry(true);
        let (now, buf) = (self.now, &mut self.buf);
        while let Some(transmit) = self.server.with(|stack| {
            buf.clear();
            stack.poll_transmit(now, buf)
        }) {
            assert_eq!(transmit.to, self.client_ip);
        }
    }

    /// Lets so much time pass, timers included.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let timers = [&self.client, &self.server].map(|end| end.stack().poll_timeout());
            match timers.into_iter().flatten().min() {
                Some(at) if at <= until => self.now = self.now.max(at),
                _ => break,
            }
            let now = self.now;
            self.client.with(|stack| stack.handle_timeout(now));
            self.server.with(|stack| stack.handle_timeout(now));
            self.exchange();
        }
        self.now = until;
    }

    /// `octets` from the client to the server, which reads them, and as many back.
    pub(crate) fn echo(&mut self, client: SocketId, server: SocketId, octets: &mut [u8]) {
        let now = self.now;
        let (ours, theirs) = (&*octets, octets.len());
        let sent = self.client.with(|stack| stack.send(now, client, ours));
        assert_eq!(sent, Ok(theirs));
        self.exchange();
        let read = self.server.with(|stack| stack.recv(now, server, octets));
        assert_eq!(read, Ok(theirs));
        let sent = self.server.with(|stack| stack.send(now, server, octets));
        assert_eq!(sent, Ok(theirs));
        self.exchange();
        let read = self.client.with(|stack| stack.recv(now, client, octets));
        assert_eq!(read, Ok(theirs));
        self.exchange();
    }

    /// The client closes first.
    pub(crate) fn close(&mut self, client: SocketId, server: SocketId) {
        let now = self.now;
        let closed = self.client.with(|stack| stack.close(now, client));
        self.exchange();
        assert_eq!(
            (closed, self.server.with(|stack| stack.close(now, server))),
            (Ok(()), Ok(()))
        );
        self.exchange();
    }
}
