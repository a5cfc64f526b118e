//! How much later, by chance: in integers, so that the same dice give the same delay everywhere.

use core::time::Duration;

use crate::rng::Stream;
use crate::time::nanos;

/// A distribution of delays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delay {
    /// None; draws nothing.
    #[default]
    None,
    /// Always the same; draws nothing.
    Constant(Duration),
    /// From zero to `max`, each nanosecond as likely as the others.
    Uniform {
        /// The longest.
        max: Duration,
    },
    /// Around a mean, up to four deviations away; never less than zero.
    Normal {
        /// The mean, as far as nothing is cut off at zero.
        mean: Duration,
        /// The standard deviation.
        deviation: Duration,
    },
    /// Mostly short and now and then very long: Pareto (1896) with index 1, less the least value.
    /// Half of the delays are longer than `scale`, a tenth more than nine times as long, and so on.
    HeavyTail {
        /// The median.
        scale: Duration,
        /// What would be longer is so long.
        max: Duration,
    },
}

impl Delay {
    /// The longest that is ever drawn.
    pub fn max(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Constant(delay) => delay,
            Self::Uniform { max } | Self::HeavyTail { max, .. } => max,
            Self::Normal { mean, deviation } => {
                mean.saturating_add(deviation.saturating_mul(DEVIATIONS_MAX))
            }
        }
    }

    /// One delay.
    pub(super) fn draw(self, stream: &mut Stream) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Constant(delay) => delay,
            Self::Uniform { max } => stream.duration(Duration::ZERO, max),
            Self::Normal { mean, deviation } => normal(mean, deviation, stream.next_u64()),
            Self::HeavyTail { scale, max } => {
                // X / U is Pareto with index 1 if U is uniform between 0 and 1.
                let dice = u128::from(stream.next_u64() >> 32) + 1;
                let scale = u128::from(nanos(scale));
                let delay = (scale << 32) / dice - scale;
                let delay = u64::try_from(delay).unwrap_or(u64::MAX);
                Duration::from_nanos(delay).min(max)
            }
        }
    }
}

/// The lowest bit of the dice is the sign, the highest ones choose a piece of the table, and those in
/// between a point of it.
fn normal(mean: Duration, deviation: Duration, dice: u64) -> Duration {
    let piece = (dice >> 58) as usize;
    let within = u128::from(dice >> 26 & 0xffff_ffff);
    let [low, high] = [HALF_NORMAL[piece], HALF_NORMAL[piece + 1]].map(u128::from);
    let quantile = (low << 32) + (high - low) * within;
    let away = (quantile * u128::from(nanos(deviation))) >> 48;
    let away = Duration::from_nanos(u64::try_from(away).unwrap_or(u64::MAX));
    match dice & 1 {
        0 => mean.saturating_sub(away),
        _ => mean.saturating_add(away),
    }
}

/// Beyond so many deviations nothing is drawn.
const DEVIATIONS_MAX: u32 = 4;

/// The quantiles of the absolute value of a standard normal variable at 0/64, 1/64 … 63/64, in parts
/// of 65,536, and the end.
const HALF_NORMAL: [u32; 65] = [
    0, 1_283, 2_567, 3_852, 5_139, 6_427, 7_718, 9_012, 10_310, 11_611, 12_917, 14_228, 15_545,
    16_869, 18_199, 19_536, 20_882, 22_237, 23_601, 24_976, 26_362, 27_759, 29_170, 30_594, 32_032,
    33_487, 34_958, 36_446, 37_954, 39_482, 41_032, 42_605, 44_203, 45_828, 47_482, 49_166, 50_884,
    52_637, 54_428, 56_262, 58_140, 60_067, 62_048, 64_087, 66_191, 68_364, 70_616, 72_954, 75_389,
    77_933, 80_600, 83_408, 86_377, 89_536, 92_917, 96_565, 100_540, 104_924, 109_834, 115_453,
    122_076, 130_248, 141_156, 158_437, 262_144,
];

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::Delay;
    use crate::rng::Key;

    const US: Duration = Duration::from_micros(1);

    /// Ten thousand delays, the shortest first.
    fn drawn(delay: Delay) -> Vec<Duration> {
        let mut stream = Key::new(9).stream(1, 1);
        let mut drawn: Vec<_> = (0..10_000).map(|_| delay.draw(&mut stream)).collect();
        drawn.sort_unstable();
        assert!(drawn[9_999] <= delay.max());
        drawn
    }

    fn about(is: Duration, wanted: Duration) -> bool {
        is.abs_diff(wanted) <= wanted / 20
    }

    #[test]
    fn what_is_constant_draws_nothing() {
        let mut stream = Key::new(9).stream(1, 1);
        let next = stream.clone().next_u64();
        assert_eq!(Delay::None.draw(&mut stream), Duration::ZERO);
        assert_eq!(Delay::Constant(US).draw(&mut stream), US);
        assert_eq!(stream.next_u64(), next);
    }

    #[test]
    fn uniform_delays_are_spread_evenly() {
        let drawn = drawn(Delay::Uniform { max: US * 100 });
        assert!(about(drawn[2_500], US * 25) && about(drawn[7_500], US * 75));
    }

    #[test]
    fn normal_delays_have_the_quantiles_of_the_table() {
        let (mean, deviation) = (US * 1000, US * 100);
        let drawn = drawn(Delay::Normal { mean, deviation });
        assert!(about(drawn[5_000], mean));
        // 84.13% lie below one deviation above the mean, 97.72% below two.
        assert!(about(drawn[8_413] - mean, deviation));
        assert!(about(drawn[9_772] - mean, deviation * 2));
        assert!(about(mean - drawn[1_587], deviation));
        let cut_off = Delay::Normal {
            mean: US,
            deviation,
        };
        assert_eq!(self::drawn(cut_off)[0], Duration::ZERO);
    }

    #[test]
    fn a_heavy_tail_has_its_median_and_goes_on_and_on() {
        let max = US * 5_000;
        let drawn = drawn(Delay::HeavyTail { scale: US, max });
        assert!(about(drawn[5_000], US));
        assert!(about(drawn[9_000], US * 9));
        assert!(drawn[9_990] > US * 500);
        assert_eq!(drawn[9_999], max);
    }
}
