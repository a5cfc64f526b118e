//! A connection that an attacker opens in its own name, to fill the other end's window with
//! islands of one octet: each is a block of its own to keep (SegmentSmack, CVE-2018-5390).

use core::time::Duration;

use timewait_stack::SeqNumber;
use timewait_stack::wire::{Flags, Segment};

use super::bare;
use crate::scenario::attack::KNOCKING_MAX;

/// How long it waits for an answer to its SYN.
pub(super) const SYN_AGAIN: Duration = Duration::from_secs(1);
/// So many SYNs and no more.
const SYNS_MAX: u32 = (KNOCKING_MAX.as_secs() / SYN_AGAIN.as_secs()) as u32;
const ISS: SeqNumber = SeqNumber(1000);

/// How far the connection has come.
#[derive(Debug, Default)]
pub(super) struct Islands {
    /// SYNs sent.
    syns: u32,
    /// RCV.NXT, once its SYN was answered.
    rcv_nxt: Option<SeqNumber>,
    /// Islands sent.
    sent: u32,
}

impl Islands {
    /// Its SYN was answered.
    pub(super) const fn is_open(&self) -> bool {
        self.rcv_nxt.is_some()
    }

    pub(super) const fn may_knock(&self) -> bool {
        self.syns < SYNS_MAX
    }

    /// Takes an answer; `true` if the connection is open now.
    pub(super) fn answered(&mut self, segment: &Segment<'_>) -> bool {
        let good = segment.flags.contains(Flags::SYN | Flags::ACK) && segment.ack == ISS + 1;
        let opens = good && !self.is_open();
        if opens {
            self.rcv_nxt = Some(segment.seq + 1);
        }
        opens
    }

    /// Its SYN, or the next octet: the first at RCV.NXT, which completes the handshake, then one
    /// island after the other.
    pub(super) fn next<'a>(&mut self) -> Segment<'a> {
        let Some(rcv_nxt) = self.rcv_nxt else {
            self.syns += 1;
            return Segment {
                seq: ISS,
                ..bare(Flags::SYN)
            };
        };
        let at = ISS + 1 + 2 * self.sent;
        self.sent += 1;
        Segment {
            seq: at,
            ack: rcv_nxt,
            ..bare(Flags::ACK)
        }
    }
}
