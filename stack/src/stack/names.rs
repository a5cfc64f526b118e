//! Handles of sockets: a place in the slab and the generation that lives there.

use crate::event::SocketId;

pub(super) fn socket_id(key: usize, generation: u32) -> SocketId {
    SocketId(u64::from(generation) << 32 | key as u64)
}

pub(super) fn parts(id: SocketId) -> (usize, u32) {
    (id.0 as u32 as usize, (id.0 >> 32) as u32)
}
