//! What a churner does with one socket.

use core::net::SocketAddr;

use timewait_stack::error::RecvError;
use timewait_stack::{SocketId, SocketOption};

use crate::host::Calls;

/// What reading everything that is there came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// There may be more later.
    More,
    /// The peer has closed its side.
    EndOfFile,
    /// The connection is gone.
    Failure,
}

/// A socket on this port, which others may use too; `None` if it can't be had.
pub(super) fn bind(calls: &mut Calls<'_>, port: u16) -> Option<SocketId> {
    let address = calls.local_address()?;
    let socket = calls.socket();
    let reuse = calls.set_option(socket, SocketOption::ReuseAddress(true));
    if reuse.is_ok() && calls.bind(socket, SocketAddr::new(address, port)).is_ok() {
        return Some(socket);
    }
    let _ = calls.close(socket);
    None
}

/// A socket that connects from this port; `None` if that failed at once.
pub(super) fn connect(calls: &mut Calls<'_>, port: u16, to: SocketAddr) -> Option<SocketId> {
    let socket = bind(calls, port)?;
    if calls.connect(socket, to).is_ok() {
        return Some(socket);
    }
    let _ = calls.close(socket);
    None
}

/// Reads until nothing is left.
pub(super) fn read_all(calls: &mut Calls<'_>, socket: SocketId) -> Heard {
    let mut octets = [0; 8192];
    loop {
        match calls.recv(socket, &mut octets) {
            Ok(0) => return Heard::EndOfFile,
            Ok(_) => {}
            Err(RecvError::WouldBlock) => return Heard::More,
            Err(_) => return Heard::Failure,
        }
    }
}
