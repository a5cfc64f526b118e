//! What a congestion control algorithm decides: how cwnd grows above ssthresh, and what a loss
//! leaves. Slow start, recovery and everything that counts segments is the same for all.

use alloc::boxed::Box;

use super::cubic::Cubic;
use super::newreno::NewReno;
use crate::config::CongestionControl;
use crate::time::{Duration, Instant};

/// An ACK that moved SND.UNA outside of recovery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acked {
    /// Octets it acknowledged.
    pub(crate) octets: u32,
    /// Octets that were outstanding before it.
    pub(crate) flight: u32,
    pub(crate) now: Instant,
    pub(crate) srtt: Option<Duration>,
    pub(crate) smss: u32,
    /// It reports congestion (ECE): nothing grows by it.
    pub(crate) congested: bool,
}

/// A congestion control algorithm. All windows in octets.
pub(super) trait Control {
    /// The cwnd after an ACK in congestion avoidance, never less than `cwnd`.
    fn avoid(&mut self, cwnd: u32, ack: &Acked) -> u32;

    /// Something was lost with `flight` octets outstanding: the new ssthresh, 2 SMSS at least.
    fn on_loss(&mut self, cwnd: u32, flight: u32, smss: u32) -> u32;

    /// As [`Control::on_loss`], when the retransmission timer told of it.
    fn on_timeout(&mut self, cwnd: u32, flight: u32, smss: u32) -> u32;
}

/// The algorithm of a connection (MAY-18).
#[derive(Clone, Debug)]
pub(super) enum Algorithm {
    NewReno(NewReno),
    /// `None`: as it begins. Most connections never leave slow start.
    Cubic(Option<Box<Cubic>>),
}

impl Algorithm {
    pub(super) fn new(choice: CongestionControl) -> Self {
        match choice {
            CongestionControl::NewReno => Self::NewReno(NewReno::default()),
            CongestionControl::Cubic => Self::Cubic(None),
        }
    }

    pub(super) fn control(&mut self) -> &mut dyn Control {
        match self {
            Self::NewReno(newreno) => newreno,
            Self::Cubic(cubic) => &mut **cubic.get_or_insert_default(),
        }
    }

    /// Segments grow from `before` octets to `after`. NewReno counts octets.
    pub(super) fn resize(&mut self, before: u16, after: u16) {
        if let Self::Cubic(Some(cubic)) = self {
            cubic.resize(before, after);
        }
    }

    /// Nothing was sent for longer than an RTO, or recovery is over: growth begins anew.
    pub(super) fn restart(&mut self) {
        match self {
            Self::NewReno(newreno) => newreno.restart(),
            Self::Cubic(Some(cubic)) => cubic.restart(),
            Self::Cubic(None) => {}
        }
    }
}
