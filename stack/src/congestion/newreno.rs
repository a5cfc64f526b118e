//! Congestion avoidance and the halving of RFC 5681 §3.1, with appropriate byte counting (RFC 3465
//! §2.1): one SMSS for each window acknowledged.

use super::control::{Acked, Control};

/// Octets acknowledged since cwnd last grew.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NewReno {
    acked: u32,
}

impl Control for NewReno {
    /// R5681-04.
    fn avoid(&mut self, cwnd: u32, ack: &Acked) -> u32 {
        self.acked = self.acked.saturating_add(ack.octets);
        if self.acked < cwnd {
            return cwnd;
        }
        self.acked -= cwnd;
        cwnd.saturating_add(ack.smss)
    }

    /// R5681-05, R5681-09.
    fn on_loss(&mut self, _cwnd: u32, flight: u32, smss: u32) -> u32 {
        self.acked = 0;
        (flight / 2).max(2 * smss)
    }

    fn on_timeout(&mut self, cwnd: u32, flight: u32, smss: u32) -> u32 {
        self.on_loss(cwnd, flight, smss)
    }
}

impl NewReno {
    /// Growth begins anew.
    pub(super) fn restart(&mut self) {
        self.acked = 0;
    }
}
