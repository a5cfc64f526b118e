//! The bounds of ORACLES.md, `close`: how long a correct TCP may take on a healed network.

use timewait_sim::{Duration, Instant};
use timewait_stack::config::{Config, GiveUp};

use crate::facts::{Facts, Life};
use crate::label::Incarnation;

/// L + Q + N (RTT + 500 ms) with its terms, for the two ends of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// G: within this time after healing whatever can get across has got across.
    pub(super) progress: Duration,
    /// Q: the longest time for which a sender keeps still.
    pub(super) quiet: Duration,
    /// 2MSL of the host that waits longer.
    pub(super) two_msl: Duration,
}

impl Bounds {
    /// The bounds for `of` and its pair, with `backlog` octets neither sent nor acknowledged at
    /// both ends together. `None`: the network never heals, keeps datagrams for ever, or swallows
    /// the large ones and nobody looks for the reason.
    pub(super) fn of(facts: &Facts, of: Incarnation, backlog: u64) -> Option<Self> {
        let circumstances = facts.circumstances();
        circumstances.heal_at?;
        let lifetime = circumstances.lifetime?;
        let pair = facts.pair_of(of).unwrap_or(of);
        let a = circumstances.config(of.host)?;
        let b = circumstances.config(pair.host)?;
        let [clock_a, clock_b] = [of, pair].map(|name| circumstances.clock(name.host));
        let longest_timer = clock_a
            .at_most(longest_timer(a))
            .max(clock_b.at_most(longest_timer(b)));
        let ways = [(of.host, pair.host), (pair.host, of.host)];
        if ways
            .iter()
            .any(|(a, b)| circumstances.is_black_hole(*a, *b))
        {
            return None;
        }
        // To find the path MTU may take timeouts (RFC 2923 §2.1).
        let search: u32 = ways
            .iter()
            .map(|(a, b)| circumstances.search_timeouts(*a, *b))
            .sum();
        // A queue that does not hold all windows loses datagrams, each worth another timeout.
        let losses = if circumstances.queues_hold_all {
            0
        } else {
            facts.drops_after_heal()
        };
        let smss = [of, pair]
            .into_iter()
            .filter_map(|name| facts.life(name))
            .map(smss)
            .min();
        let smss = smss.unwrap_or(SMSS_DEFAULT);
        let buffers = ways.map(|(host, _)| circumstances.largest_buffers(host));
        let windows = buffers.into_iter().flatten();
        let window = windows.map(|buffers| u64::from(buffers.receive)).max()?;
        let segments = backlog.div_ceil(smss) + window.div_ceil(smss) + u64::from(SPARE);
        let segments = u32::try_from(segments).unwrap_or(u32::MAX);
        let step = circumstances.delay_max * 2 + STEP;
        Some(Self {
            progress: lifetime
                .saturating_add(longest_timer)
                .saturating_add(longest_timer.saturating_mul(losses + search))
                .saturating_add(step.saturating_mul(segments)),
            quiet: longest_timer,
            two_msl: clock_a.at_most(a.msl * 2).max(clock_b.at_most(b.msl * 2)),
        })
    }
}

/// `at`, but not before the network was healed; `None` if it never is.
pub(super) fn healed(facts: &Facts, at: Instant) -> Option<Instant> {
    facts.circumstances().heal_at.map(|heal_at| heal_at.max(at))
}

/// Octets that an incarnation has accepted from its user and not seen acknowledged, with SYN and
/// FIN.
pub(super) fn backlog(life: &Life) -> u64 {
    life.vars.as_ref().map_or(0, |vars| {
        let fin_waits = vars.fin_queued && !vars.fin_sent;
        u64::from(vars.snd_nxt - vars.snd_una) + u64::from(vars.unsent) + u64::from(fin_waits)
    })
}

/// D: the longest time from the first transmission to giving up, if there is one. `first` is the
/// timeout at the first transmission, `longest` the largest one.
pub(super) fn give_up_after(r2: GiveUp, first: Duration, longest: Duration) -> Option<Duration> {
    match r2 {
        GiveUp::Retransmissions(count) => {
            let mut timeout = first.min(longest);
            let mut sum = Duration::ZERO;
            for _ in 0..=count {
                sum += timeout;
                timeout = (timeout * 2).min(longest);
            }
            Some(sum)
        }
        GiveUp::Elapsed(time) => Some(time.saturating_add(longest)),
        GiveUp::Never => None,
    }
}

/// D for the SYN of an active open: the handshake bound.
pub(super) fn handshake(config: &Config) -> Option<Duration> {
    give_up_after(config.r2_syn, config.rto.initial, config.rto.max)
}

/// D for the SYN-ACK of a passive open.
pub(super) fn half_open(config: &Config) -> Option<Duration> {
    give_up_after(config.r2_syn_ack, config.rto.initial, config.rto.max)
}

fn longest_timer(config: &Config) -> Duration {
    config.rto.max.max(config.persist_max)
}

fn smss(life: &Life) -> u64 {
    let known = life.vars.as_ref().map(|vars| u64::from(vars.smss));
    known.filter(|&smss| smss > 0).unwrap_or(SMSS_DEFAULT)
}

/// What one segment may take beyond the round trip: a delayed ACK.
const STEP: Duration = Duration::from_millis(500);
/// The segments of N that are counted even if there is nothing to send.
const SPARE: u32 = 6;
/// G is longer than this in any world: who waits no longer need not compute it.
pub(super) const PROGRESS_MIN: Duration = Duration::from_millis(500 * SPARE as u64);
/// The MSS of IPv4 without the option (RFC 9293 §3.7.1, MUST-15).
const SMSS_DEFAULT: u64 = 536;

#[cfg(test)]
mod tests {
    use super::give_up_after;
    use timewait_sim::Duration;
    use timewait_stack::config::GiveUp;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn counted_retransmissions_add_up_their_timeouts() {
        let after = |count| give_up_after(GiveUp::Retransmissions(count), seconds(1), seconds(10));
        assert_eq!(after(0), Some(seconds(1)));
        assert_eq!(after(3), Some(seconds(1 + 2 + 4 + 8)));
        assert_eq!(after(5), Some(seconds(1 + 2 + 4 + 8 + 10 + 10)));
    }

    #[test]
    fn a_time_ends_at_the_expiry_after_it() {
        let after = give_up_after(GiveUp::Elapsed(seconds(100)), seconds(1), seconds(60));
        assert_eq!(after, Some(seconds(160)));
    }

    #[test]
    fn never_is_never() {
        assert_eq!(give_up_after(GiveUp::Never, seconds(1), seconds(60)), None);
    }
}
