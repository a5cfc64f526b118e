//! Applications: the users of a host, as state machines that never block.
//!
//! What they send is `content`, so that the oracles know each octet. Each is bounded: it gives
//! up on its own patience, so that every run comes to rest.

use timewait_stack::event::Ready;
use timewait_stack::{Instant, SocketId};

use crate::host::Calls;

mod churner;
mod conversation;
mod puppet;
mod server;

pub use churner::Churner;
pub use conversation::{Conversation, Dial};
pub use puppet::{Puppet, Strings};
pub use server::Server;

/// A user of a host.
pub trait App: core::fmt::Debug {
    /// Its time has come: called once, first.
    fn start(&mut self, calls: &mut Calls<'_>);
    /// A socket of its own has become ready for something.
    fn ready(&mut self, calls: &mut Calls<'_>, socket: SocketId, ready: Ready);
    /// The moment of [`App::poll_timeout`] has come.
    fn timeout(&mut self, calls: &mut Calls<'_>);
    /// When it wants [`App::timeout`], on the host's clock.
    fn poll_timeout(&self) -> Option<Instant>;
    /// It holds no socket any more and is never called again.
    fn done(&self) -> bool;
}

#[cfg(test)]
mod tests;
