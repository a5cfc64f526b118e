//! What a host remembers of its sockets: whose they are and how far their streams have come.

use std::collections::BTreeMap;

use timewait_stack::SocketId;

use super::AppId;

/// The sockets that users hold.
#[derive(Debug, Default)]
pub(super) struct Sockets(BTreeMap<SocketId, Use>);

/// One socket.
#[derive(Debug, Default)]
pub(super) struct Use {
    /// The application that hears of its readiness.
    pub(super) owner: Option<AppId>,
    /// Octets that `send` has taken.
    pub(super) sent: u64,
    /// Octets that `recv` has returned.
    pub(super) received: u64,
    /// `recv` has returned the end of file.
    pub(super) end_of_file: bool,
    /// The user knows that its connection has failed.
    pub(super) failed: bool,
}

impl Sockets {
    pub(super) fn insert(&mut self, socket: SocketId, owner: Option<AppId>) {
        self.0.insert(
            socket,
            Use {
                owner,
                ..Use::default()
            },
        );
    }

    pub(super) fn remove(&mut self, socket: SocketId) {
        self.0.remove(&socket);
    }

    pub(super) fn owner(&self, socket: SocketId) -> Option<AppId> {
        self.0.get(&socket)?.owner
    }

    pub(super) fn get(&self, socket: SocketId) -> Option<&Use> {
        self.0.get(&socket)
    }

    pub(super) fn get_mut(&mut self, socket: SocketId) -> Option<&mut Use> {
        self.0.get_mut(&socket)
    }
}
