//! What a world asks of the machines in it.

use crate::packet::{Outgoing, Packet, Payload, Transit};
use crate::time::Instant;

/// A machine in a world: it takes datagrams and time, and everything leaves it by
/// [`Node::poll_transmit`].
pub trait Node {
    /// What happens inside, for the oracles.
    type Event;
    /// A datagram for one of the node's addresses arrives.
    fn handle_packet(&mut self, now: Instant, packet: &Packet);
    /// The moment of [`Node::poll_timeout`] has come, or an earlier one: harmless when nothing is due.
    fn handle_timeout(&mut self, now: Instant);
    /// The next datagram to send, if there is one.
    fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing>;
    /// When the node next wants [`Node::handle_timeout`]; may be early, never late.
    fn poll_timeout(&self) -> Option<Instant>;
    /// The next event, in the order in which things happened.
    fn poll_event(&mut self) -> Option<Self::Event>;
    /// A datagram passes this node, which stands on the way ([`World::add_transit`]), whether it is
    /// for the node itself or for somebody else. What is to go on comes out of
    /// [`Node::poll_transit`].
    ///
    /// [`World::add_transit`]: crate::World::add_transit
    fn handle_transit(&mut self, now: Instant, transit: Transit) {
        let _ = (now, transit);
    }
    /// The next datagram that goes on, as it was or changed. Only nodes on the way are asked.
    fn poll_transit(&mut self, now: Instant) -> Option<Transit> {
        let _ = now;
        None
    }
    /// The run begins: called once, before anything else.
    fn start(&mut self, now: Instant) {
        let _ = now;
    }
    /// A payload with a buffer that this node had sent has left the network. The buffer may be
    /// used again ([`Payload::into_buffer`]), which saves an allocation; nothing else may depend
    /// on it.
    fn reclaim(&mut self, payload: Payload) {
        drop(payload);
    }
}

impl<N: Node + ?Sized> Node for Box<N> {
    type Event = N::Event;
    fn handle_packet(&mut self, now: Instant, packet: &Packet) {
        (**self).handle_packet(now, packet);
    }
    fn handle_timeout(&mut self, now: Instant) {
        (**self).handle_timeout(now);
    }
    fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing> {
        (**self).poll_transmit(now)
    }
    fn poll_timeout(&self) -> Option<Instant> {
        (**self).poll_timeout()
    }
    fn poll_event(&mut self) -> Option<Self::Event> {
        (**self).poll_event()
    }
    fn handle_transit(&mut self, now: Instant, transit: Transit) {
        (**self).handle_transit(now, transit);
    }
    fn poll_transit(&mut self, now: Instant) -> Option<Transit> {
        (**self).poll_transit(now)
    }
    fn start(&mut self, now: Instant) {
        (**self).start(now);
    }
    fn reclaim(&mut self, payload: Payload) {
        (**self).reclaim(payload);
    }
}
