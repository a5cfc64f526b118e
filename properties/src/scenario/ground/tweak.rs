//! Hosts that are no system's: settings drawn from the ranges of ORACLES.md §4, whatever the profile
//! says, so that runs reach what defaults never would.

use core::time::Duration;

use timewait_stack::Config;
use timewait_stack::config::{
    CongestionControl, GiveUp, InitialWindow, RtoBounds, SynCookies, WindowScale,
};

use crate::choose::Choose;

/// The timing of all hosts of a world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tweak {
    timing: Timing,
    pub(super) msl: Duration,
    /// Most hosts use timestamps; else none does, for they mask what protects without them.
    timestamps: bool,
}

/// A stack's timing.
#[derive(Clone, Copy, Debug)]
struct Timing {
    rto_min: Duration,
    rto_initial: Duration,
    rto_after_syn_loss: Duration,
    delayed_ack: Duration,
}

/// By the book (RFC 6298), as common systems have it, and fast.
const TIMINGS: [Timing; 3] = [
    Timing {
        rto_min: Duration::from_secs(1),
        rto_initial: Duration::from_secs(1),
        rto_after_syn_loss: Duration::from_secs(3),
        delayed_ack: Duration::from_millis(200),
    },
    Timing {
        rto_min: Duration::from_millis(200),
        rto_initial: Duration::from_secs(1),
        rto_after_syn_loss: Duration::from_secs(3),
        delayed_ack: Duration::from_millis(40),
    },
    Timing {
        rto_min: Duration::from_millis(10),
        rto_initial: Duration::from_millis(50),
        rto_after_syn_loss: Duration::from_millis(150),
        delayed_ack: Duration::from_millis(4),
    },
];

const MSLS: [Duration; 4] = [
    Duration::from_secs(120),
    Duration::from_secs(30),
    Duration::from_secs(2),
    Duration::from_millis(500),
];

/// What hosts offer in their SYNs (RFC 7323 §2.2).
const SCALES: [WindowScale; 7] = [
    WindowScale::AsNeeded,
    WindowScale::AsNeeded,
    WindowScale::Off,
    WindowScale::Fixed(0),
    WindowScale::Fixed(2),
    WindowScale::Fixed(7),
    WindowScale::Fixed(14),
];

impl Tweak {
    /// Times that fit to this round trip.
    pub(super) fn draw(choose: &mut dyn Choose, rtt: Duration) -> Self {
        let timing = *choose.pick(&TIMINGS);
        // RFC 6298: RTO = SRTT + 4 RTTVAR is 3 RTT at the first sample.
        let rto = timing.rto_min.max(rtt * 3 + timing.delayed_ack);
        let fitting: Vec<Duration> = MSLS.into_iter().filter(|msl| *msl * 2 >= rto * 4).collect();
        Self {
            timing,
            msl: *choose.pick(&fitting),
            timestamps: choose.chance(1, 2),
        }
    }

    /// These settings with other values, and what was not drawn as it was.
    pub(super) fn apply(&self, choose: &mut dyn Choose, config: Config) -> Config {
        let Self {
            timing,
            msl,
            timestamps,
        } = *self;
        Config {
            msl,
            window_scale: *choose.pick(&SCALES),
            timestamps: timestamps && !choose.chance(1, 8),
            rto: RtoBounds {
                initial: timing.rto_initial,
                after_syn_loss: timing.rto_after_syn_loss,
                min: timing.rto_min,
                ..RtoBounds::default()
            },
            delayed_ack: *choose.pick(&[timing.delayed_ack, timing.delayed_ack, Duration::ZERO]),
            r2: *choose.pick(&[
                GiveUp::Elapsed(Duration::from_secs(100)),
                GiveUp::Elapsed(Duration::from_secs(300)),
                GiveUp::Retransmissions(12),
            ]),
            r2_syn_ack: *choose.pick(&[
                GiveUp::Elapsed(Duration::from_secs(180)),
                GiveUp::Retransmissions(5),
            ]),
            syn_cookies: *choose.pick(&[
                SynCookies::Off,
                SynCookies::Off,
                SynCookies::WhenFull,
                SynCookies::Always,
            ]),
            fin_wait_2: choose.chance(1, 8).then_some(Duration::from_secs(60)),
            sack: !choose.chance(1, 4),
            tail_loss_probe: !choose.chance(1, 3),
            frto: !choose.chance(1, 3),
            congestion_control: *choose
                .pick(&[CongestionControl::NewReno, CongestionControl::Cubic]),
            initial_window: *choose.pick(&[InitialWindow::Rfc5681, InitialWindow::Rfc6928]),
            slow_start_limit: choose.between(1, 2) as u8,
            // Small enough to be met, or large enough never to be.
            scoreboard_segments_max: *choose.pick(&[1024, 1024, 1024, 8]),
            ..config
        }
    }
}
