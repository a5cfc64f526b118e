//! CLOSED (RFC 9293 §3.10.7.1): there is no connection.

use crate::context::{Context, Reply};
use crate::event::{Drop, Verdict};
use crate::protection::Protection;
use crate::table::FourTuple;
use crate::wire::{Flags, Segment};

/// Whatever is no RST is answered with one.
pub(crate) fn segment_arrives(
    tuple: FourTuple,
    segment: &Segment<'_>,
    cx: &mut Context<'_>,
) -> Verdict {
    if !segment.flags.contains(Flags::RST) && cx.protects(Protection::RstFromClosed) {
        let reset = Reply::reset(tuple, segment, None, cx.config);
        cx.replies.push_back(reset);
    }
    Verdict::Dropped(Drop::NoConnection)
}
