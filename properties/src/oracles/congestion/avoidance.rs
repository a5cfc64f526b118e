//! How far cwnd may rise above ssthresh: RFC 5681 §3.1, or RFC 9438 §4.

use timewait_sim::{Duration, Instant};

/// An ACK of new octets in congestion avoidance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avoided {
    /// cwnd before it, in octets.
    pub(super) cwnd: u32,
    /// Octets that it acknowledges.
    pub(super) acked: u32,
    pub(super) smss: u32,
    pub(super) now: Instant,
    pub(super) srtt: Duration,
}

/// The rule of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Avoidance {
    NewReno(Credit),
    Cubic(Curve),
}

/// What NewReno has acknowledged and not yet grown by (RFC 3465 §2.1).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Credit {
    /// Octets acknowledged times SMSS, less what cwnd grew by times cwnd.
    credit: u64,
    /// The cwnd before the ACK at hand.
    from: Option<u32>,
}

/// The curve of CUBIC. What a host may do is judged, not what it must: that the time in which the
/// window was not used does not count (RFC 9438 §5.8), and that W_max is less where others want
/// room (§4.7), only make it grow less or later.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Curve {
    /// The least and the most that W_max may be, with fast convergence and without (§4.6, §4.7),
    /// in octets. The curve is convex in K, so at any time one of the two is highest.
    aims: [u32; 2],
    /// cwnd_prior, in octets: from here on W_est grows like Reno (§4.3).
    prior: u32,
    /// The timer told of the last loss: the next epoch begins flat (§4.8).
    timed_out: bool,
    epoch: Option<Epoch>,
}

/// Congestion avoidance since it last began.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    /// t_epoch.
    start: Instant,
    /// cwnd_epoch, in octets.
    from: u32,
    /// W_est, in parts of an octet.
    w_est: u64,
}

impl Avoidance {
    pub(super) fn new(cubic: bool) -> Self {
        if cubic {
            Self::Cubic(Curve::default())
        } else {
            Self::NewReno(Credit::default())
        }
    }

    /// The most that cwnd may be after this ACK.
    pub(super) fn most(&mut self, ack: &Avoided) -> u32 {
        match self {
            Self::NewReno(credit) => credit.most(ack),
            Self::Cubic(curve) => curve.most(ack),
        }
    }

    /// cwnd is known to be this.
    pub(super) fn settle(&mut self, cwnd: u32) {
        if let Self::NewReno(credit) = self {
            credit.settle(cwnd);
        }
    }

    /// cwnd was at least `known` and at most `cwnd` when it was reduced; `timed_out`: because the
    /// timer ran out.
    pub(super) fn reduced(&mut self, known: u32, cwnd: u32, timed_out: bool) {
        match self {
            Self::NewReno(credit) => *credit = Credit::default(),
            Self::Cubic(curve) => {
                *curve = Curve {
                    aims: [narrow(u64::from(known) * 17 / 20), cwnd],
                    prior: known,
                    timed_out,
                    epoch: None,
                };
            }
        }
    }

    /// Congestion avoidance begins anew, at whatever cwnd is then.
    pub(super) fn restart(&mut self) {
        match self {
            Self::NewReno(credit) => *credit = Credit::default(),
            Self::Cubic(curve) => curve.epoch = None,
        }
    }

    /// Segments have another size: a smaller one takes the windows with it, in proportion.
    pub(super) fn resize(&mut self, before: u32, after: u32) {
        if let Self::Cubic(curve) = self {
            curve.resize(before, after);
        }
    }
}

impl Credit {
    /// By one segment for each window (R5681-04).
    fn most(&mut self, ack: &Avoided) -> u32 {
        self.credit += u64::from(ack.acked) * u64::from(ack.smss);
        let growth = self.credit / u64::from(ack.cwnd.max(1));
        self.from = Some(ack.cwnd);
        ack.cwnd.saturating_add(narrow(growth).min(ack.smss))
    }

    fn settle(&mut self, cwnd: u32) {
        if let Some(from) = self.from.take() {
            let spent = u64::from(cwnd.saturating_sub(from)) * u64::from(from);
            self.credit = self.credit.saturating_sub(spent);
        }
    }
}

impl Curve {
    /// W_est (§4.3), or towards where the curve will be in one round trip (§4.2, §4.4).
    fn most(&mut self, ack: &Avoided) -> u32 {
        let mut epoch = self.epoch.unwrap_or_else(|| self.begin(ack));
        let cwnd = ack.cwnd.max(1);
        let reached = epoch.w_est + u64::from(resolution(ack.smss)) * PARTS;
        let (alpha, of) = if reached < u64::from(self.prior) * PARTS {
            ALPHA
        } else {
            (1, 1)
        };
        let reno = u64::from(ack.acked) * u64::from(ack.smss) * PARTS * alpha;
        epoch.w_est += reno.div_ceil(of * u64::from(cwnd));
        self.epoch = Some(epoch);
        let later = ack.now.saturating_since(epoch.start) + ack.srtt + CLOCK;
        let ahead = self
            .aims
            .map(|aim| curve(aim, epoch.from, ack.smss, later))
            .into_iter()
            .fold(0, u32::max);
        let target = ahead.clamp(cwnd, cwnd.saturating_add(cwnd / 2));
        let rise = u64::from(target - cwnd) * u64::from(ack.acked);
        let by_curve = cwnd.saturating_add(narrow(rise.div_ceil(u64::from(cwnd))));
        let by_reno = narrow(epoch.w_est.div_ceil(PARTS));
        by_curve.max(by_reno).saturating_add(resolution(ack.smss))
    }

    /// Up to W_max within K; flat after a timeout, or where W_max is not above (§4.8, §4.10).
    fn begin(&mut self, ack: &Avoided) -> Epoch {
        let flat = core::mem::take(&mut self.timed_out);
        for aim in &mut self.aims {
            *aim = if flat { ack.cwnd } else { (*aim).max(ack.cwnd) };
        }
        Epoch {
            start: ack.now,
            from: ack.cwnd,
            w_est: u64::from(ack.cwnd) * PARTS,
        }
    }

    fn resize(&mut self, before: u32, after: u32) {
        if after > before {
            self.epoch = None;
            return;
        }
        let share = |window: u32| {
            let scaled = u64::from(window) * u64::from(after);
            narrow(scaled.div_ceil(u64::from(before.max(1))))
        };
        self.aims = self.aims.map(share);
        self.prior = share(self.prior);
        if let Some(epoch) = &mut self.epoch {
            epoch.from = share(epoch.from);
            epoch.w_est = epoch.w_est * u64::from(after) / u64::from(before.max(1));
        }
    }
}

/// W_cubic(t) = C (t - K)^3 + W_max, K = cbrt((W_max - cwnd_epoch) / C) (§4.2, equations 1 and 2);
/// windows in octets.
fn curve(w_max: u32, from: u32, smss: u32, t: Duration) -> u32 {
    let smss = u128::from(smss.max(1));
    let t = t.as_micros();
    let k = cube_root(u128::from(w_max.saturating_sub(from)) * SECOND_CUBED * C.1 / (C.0 * smss));
    let away = t.abs_diff(k).min(AWAY_MAX);
    let rise = away.pow(3) * C.0 * smss / (C.1 * SECOND_CUBED);
    let rise = u32::try_from(rise).unwrap_or(u32::MAX);
    if t < k {
        w_max.saturating_sub(rise)
    } else {
        w_max.saturating_add(rise)
    }
}

/// The largest number whose cube is at most `cube`.
fn cube_root(cube: u128) -> u128 {
    let (mut low, mut high) = (0_u128, 1 << 40);
    while low + 1 < high {
        let middle = (low + high) / 2;
        if middle.pow(3) <= cube {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// What counting in parts of a segment costs: an octet, and a few of the 1024 parts.
fn resolution(smss: u32) -> u32 {
    1 + smss / 256
}

fn narrow(octets: u64) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}

/// Parts of an octet.
const PARTS: u64 = 1 << 10;
/// C = 0.4 segments per second to the third (§5.1).
const C: (u128, u128) = (2, 5);
/// alpha_cubic = 3 (1 - beta) / (1 + beta), with beta 0.7 (§4.3).
const ALPHA: (u64, u64) = (9, 17);
/// A second is so many microseconds, to the third.
const SECOND_CUBED: u128 = 1_000_000_000_000_000_000;
/// How coarse the clock of a host and the K that it computes may be.
const CLOCK: Duration = Duration::from_millis(2);
/// Nothing grows for so many microseconds; keeps the arithmetic far from overflow.
const AWAY_MAX: u128 = 10_000_000_000;

#[cfg(test)]
mod tests {
    use super::{Avoidance, Avoided, CLOCK, curve};
    use timewait_sim::{Duration, Instant};

    const SMSS: u32 = 1000;

    fn ack(cwnd: u32, acked: u32, at_ms: u64) -> Avoided {
        Avoided {
            cwnd,
            acked,
            smss: SMSS,
            now: Instant::from_nanos(at_ms * 1_000_000),
            srtt: Duration::from_millis(100),
        }
    }

    /// cwnd was ten segments when something was lost.
    fn cubic(timed_out: bool) -> Avoidance {
        let mut cubic = Avoidance::new(true);
        cubic.reduced(10 * SMSS, 10 * SMSS, timed_out);
        cubic
    }

    #[test]
    fn the_curve_is_that_of_equation_1() {
        // W_max 1000 segments, from 700: K = cbrt(300 / 0.4) = 9.086 s.
        let at = |ms| curve(1_000_000, 700_000, SMSS, Duration::from_millis(ms));
        assert_eq!([at(0), at(9086)].map(|w| (w + 5) / 10), [70_000, 100_000]);
        // 0.4 * (5 - 9.086)^3 = -27.28; 0.4 * (12 - 9.086)^3 = 9.9.
        assert_eq!([at(5000), at(12_000)].map(|w| w / 1000), [972, 1009]);
    }

    #[test]
    fn in_the_reno_friendly_region_it_grows_by_9_17ths_of_a_segment_for_each_window() {
        // Near a W_max of ten segments the curve is slower than that.
        let mut cubic = cubic(false);
        let mut cwnd = 7 * SMSS;
        for n in 0..7 {
            cwnd = cubic.most(&ack(cwnd, SMSS, n)).min(7 * SMSS + 530);
        }
        let most = cubic.most(&ack(cwnd, 0, 7));
        assert!((7520..7560).contains(&most), "{most}");
    }

    #[test]
    fn after_a_timeout_it_begins_flat() {
        let steep = cubic(false).most(&ack(2 * SMSS, 2 * SMSS, 0));
        let flat = cubic(true).most(&ack(2 * SMSS, 2 * SMSS, 0));
        assert_eq!((steep > 2530 + 100, flat < 2540), (true, true), "§4.8");
    }

    #[test]
    fn it_never_aims_at_more_than_half_as_much_again() {
        let mut cubic = Avoidance::new(true);
        cubic.reduced(1 << 20, 1 << 20, false);
        cubic.most(&ack(2 * SMSS, 0, 0));
        let most = cubic.most(&ack(2 * SMSS, SMSS, 60_000));
        assert!((2500..2600).contains(&most), "§4.2: {most}");
        assert!(CLOCK < Duration::from_millis(100));
    }
}
