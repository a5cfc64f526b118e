//! With SACK: what one batch sent, held against the pipe when it is over (RFC 6675 §5, RFC 8985 §7).

use timewait_stack::Vars;
use timewait_stack::event::SackVars;

use crate::facts::SegmentHeader;

/// What a connection has sent since the last snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Batch {
    /// A repair begins: its first segment goes whatever cwnd says. Outlives the batch.
    pub(super) forced: bool,
    /// The tail loss probe is due: one segment.
    pub(super) tail: bool,
    /// The reordering timer has expired with so many octets outstanding: perhaps a repair begins.
    pub(super) reorder: Option<u32>,
    /// What was in the network before, as the last ACK left it; `None`: a timer ran out since.
    pub(super) pipe: Option<u32>,
    /// Octets of sequence space that went, new or again.
    pub(super) octets: u32,
    /// Something went that needs room in cwnd.
    sent: bool,
    /// Octets that need none.
    free: u32,
    /// Something went again that only a repair explains.
    again: bool,
}

impl Batch {
    /// Text that is new.
    pub(super) fn sends(&mut self, segment: &SegmentHeader) {
        self.sent |= !self.is_free(segment, false);
    }

    /// Octets go again; `refused`: for another reason than loss. Whether a repair is the reason.
    pub(super) fn sends_again(&mut self, segment: &SegmentHeader, refused: bool) -> bool {
        let probes = self.tail;
        self.sent |= !self.is_free(segment, true);
        let repairs = !probes && !refused;
        self.again |= repairs;
        repairs
    }

    fn is_free(&mut self, segment: &SegmentHeader, again: bool) -> bool {
        let probes = core::mem::take(&mut self.tail);
        let forced = again && core::mem::take(&mut self.forced);
        if probes || forced {
            self.free += segment.text_len;
        }
        probes || forced
    }

    /// What is wrong when all has been sent.
    pub(super) fn wrong(&self, sack: &SackVars, vars: &Vars, repairing: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        // A FIN needs no room.
        let fin = u32::from(vars.fin_sent);
        let most = vars.cwnd.saturating_add(self.free).saturating_add(fin);
        // A record of two segments that finds no room to be cut counts as sent with the first.
        let counted = self.pipe.map_or(u32::MAX, |pipe| pipe + self.octets);
        let pipe = sack.pipe.min(counted);
        if self.sent && pipe > most {
            wrong.push(format!(
                "pipe is {pipe} after sending, {most} at most is allowed"
            ));
        }
        if self.again && !repairing {
            wrong.push("octets went again, though nothing is being repaired".to_owned());
        }
        let outstanding = vars.snd_nxt - vars.snd_una;
        let network = u64::from(outstanding) + u64::from(sack.resent);
        if u64::from(sack.pipe) + u64::from(sack.sacked) + u64::from(sack.lost) != network {
            wrong.push(format!(
                "{outstanding} octets are outstanding, the scoreboard is {sack:?}"
            ));
        }
        wrong
    }

    /// The next batch.
    pub(super) fn next(&self, vars: &Vars) -> Self {
        Self {
            forced: self.forced && vars.snd_una != vars.snd_nxt,
            ..Self::default()
        }
    }
}
