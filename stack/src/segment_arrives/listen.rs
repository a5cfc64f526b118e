//! LISTEN (RFC 9293 §3.10.7.2). The listener itself never changes: a SYN starts a child.

use crate::context::{Context, Reply};
use crate::event::Drop;
use crate::table::FourTuple;
use crate::wire::{Flags, Segment};

/// `Ok`: a SYN that may start a connection. Text and FIN that come with it are not taken: the
/// peer sends them again once the handshake is done.
pub(crate) fn check(
    tuple: FourTuple,
    segment: &Segment<'_>,
    cx: &mut Context<'_>,
) -> Result<(), Drop> {
    if segment.flags.contains(Flags::RST) {
        return Err(Drop::NotForListen);
    }
    if segment.flags.contains(Flags::ACK) {
        let reset = Reply::reset(tuple, segment, None, cx.config);
        cx.replies.push_back(reset);
        return Err(Drop::NotForListen);
    }
    if segment.flags.contains(Flags::SYN) {
        Ok(())
    } else {
        Err(Drop::NotForListen)
    }
}
