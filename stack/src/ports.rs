//! Local ports: who has bound them, who listens, and who is connected.

mod counts;

use alloc::vec::Vec;
use core::net::IpAddr;

use indexmap::IndexMap;

use crate::event::SocketId;
use counts::Counts;

/// A socket bound to a port.
#[derive(Clone, Copy, Debug)]
struct Binding {
    socket: SocketId,
    /// Unspecified: every local address of the family.
    address: IpAddr,
    reuse: bool,
    listening: bool,
}

/// Whether two bindings would catch the same segments.
fn overlap(a: IpAddr, b: IpAddr) -> bool {
    a.is_ipv4() == b.is_ipv4() && (a == b || a.is_unspecified() || b.is_unspecified())
}

/// The local ports in use.
#[derive(Debug)]
pub(crate) struct Ports {
    /// The ports that sockets have bound.
    bound: IndexMap<u16, Vec<Binding>, foldhash::quality::FixedState>,
    /// The ports of connections and TIME-WAIT records.
    connections: Counts,
}

impl Ports {
    pub(crate) fn new() -> Self {
        Self {
            bound: IndexMap::with_hasher(foldhash::quality::FixedState::with_seed(0)),
            connections: Counts::default(),
        }
    }

    /// Ports in use.
    pub(crate) fn len(&self) -> u32 {
        let both = |port: &&u16| self.connections.has(**port);
        let both = self.bound.keys().filter(both).count();
        self.bound.len() as u32 + self.connections.ports() - both as u32
    }

    /// Binds unless another socket or a connection has the port and not all of them share it.
    pub(crate) fn bind(
        &mut self,
        socket: SocketId,
        address: IpAddr,
        port: u16,
        reuse: bool,
    ) -> bool {
        let taken = self
            .bindings(port)
            .iter()
            .any(|other| overlap(other.address, address) && !(other.reuse && reuse));
        let free = !taken && (reuse || !self.connections.has(port));
        if free {
            self.bound.entry(port).or_default().push(Binding {
                socket,
                address,
                reuse,
                listening: false,
            });
        }
        free
    }

    /// Whether nothing at all uses the port.
    pub(crate) fn is_unused(&self, port: u16) -> bool {
        self.is_unbound(port) && !self.connections.has(port)
    }

    /// Whether no socket has bound the port; connections may use it.
    pub(crate) fn is_unbound(&self, port: u16) -> bool {
        !self.bound.contains_key(&port)
    }

    /// Marks a binding as a listener unless another listens on the same addresses.
    pub(crate) fn listen(&mut self, socket: SocketId, port: u16) -> bool {
        let Some(bindings) = self.bound.get_mut(&port) else {
            return false;
        };
        let Some(own) = bindings.iter().position(|other| other.socket == socket) else {
            return false;
        };
        let address = bindings[own].address;
        let rival = |other: &Binding| {
            other.listening && other.socket != socket && overlap(other.address, address)
        };
        if bindings.iter().any(rival) {
            return false;
        }
        bindings[own].listening = true;
        true
    }

    /// The socket that listens for segments to this address and port; the most specific wins.
    pub(crate) fn listener(&self, address: IpAddr, port: u16) -> Option<SocketId> {
        let catches = |binding: &&Binding| binding.listening && overlap(binding.address, address);
        let bindings = || self.bindings(port).iter().filter(catches);
        let specific = bindings().find(|binding| binding.address == address);
        specific
            .or_else(|| bindings().next())
            .map(|binding| binding.socket)
    }

    pub(crate) fn unbind(&mut self, socket: SocketId, port: u16) {
        if let Some(bindings) = self.bound.get_mut(&port) {
            bindings.retain(|binding| binding.socket != socket);
            if bindings.is_empty() {
                self.bound.swap_remove(&port);
            }
        }
    }

    pub(crate) fn add_connection(&mut self, port: u16) {
        self.connections.add(port);
    }

    pub(crate) fn remove_connection(&mut self, port: u16) {
        self.connections.remove(port);
    }

    fn bindings(&self, port: u16) -> &[Binding] {
        self.bound.get(&port).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::Ports;
    use crate::event::SocketId;
    use core::net::{IpAddr, Ipv4Addr};

    const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const TWO: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn overlapping_addresses_conflict_unless_all_share() {
        let mut ports = Ports::new();
        assert!(ports.bind(SocketId(1), ONE, 80, false));
        assert!(!ports.bind(SocketId(2), ONE, 80, false));
        assert!(!ports.bind(SocketId(2), ANY, 80, true));
        assert!(ports.bind(SocketId(2), TWO, 80, false));
        ports.unbind(SocketId(1), 80);
        assert!(ports.bind(SocketId(3), ONE, 80, true) && ports.bind(SocketId(4), ONE, 80, true));
    }

    #[test]
    fn one_listener_per_address_and_the_specific_one_wins() {
        let mut ports = Ports::new();
        for (id, address) in [(1, ANY), (2, ONE), (3, ONE)] {
            assert!(ports.bind(SocketId(id), address, 80, true));
        }
        assert!(ports.listen(SocketId(2), 80));
        assert!(!ports.listen(SocketId(3), 80) && !ports.listen(SocketId(1), 80));
        assert_eq!(ports.listener(ONE, 80), Some(SocketId(2)));
        assert_eq!(ports.listener(TWO, 80), None);
    }

    #[test]
    fn a_connection_keeps_its_port_from_strict_bindings() {
        let mut ports = Ports::new();
        ports.add_connection(80);
        assert!(!ports.bind(SocketId(1), ANY, 80, false) && ports.bind(SocketId(2), ANY, 80, true));
        ports.remove_connection(80);
        ports.unbind(SocketId(2), 80);
        assert!(ports.is_unused(80));
    }
}
