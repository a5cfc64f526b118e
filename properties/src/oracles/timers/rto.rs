//! The retransmission timeout (RFC 6298, MUST-18, MUST-19): its bounds, its doubling, and that
//! only a sample makes it small again.

use timewait_stack::config::Config;
use timewait_stack::event::{Timer, Vars};
use timewait_stack::{Duration, Instant, SeqNumber, State};

/// What is remembered of one connection's RTO between two snapshots.
#[derive(Debug, Default)]
pub(super) struct Rto {
    last: Option<Last>,
    /// Retransmission expiries since the last snapshot.
    expired: bool,
    /// Persist expiries since the last snapshot: some stacks back the one RTO off for both.
    probed: bool,
    /// Samples since the last snapshot.
    sampled: bool,
    /// An expiry while the SYN was outstanding (§5.7).
    syn_expired: bool,
    /// Any retransmission expiry so far.
    ever_expired: bool,
}

#[derive(Debug)]
struct Last {
    /// The SYN was not acknowledged.
    handshake: bool,
    una: SeqNumber,
    recovering: bool,
    rto: Duration,
    armed: bool,
}

impl Rto {
    pub(super) fn expired(&mut self, timer: Timer) {
        match timer {
            Timer::Retransmit => {
                self.expired = true;
                self.ever_expired = true;
                let handshake = self.last.as_ref().is_some_and(|last| last.handshake);
                self.syn_expired |= handshake;
            }
            Timer::Persist => self.probed = true,
            _ => {}
        }
    }

    pub(super) fn sampled(&mut self) {
        self.sampled = true;
    }

    /// Judges the variables at the end of a batch and remembers them.
    pub(super) fn snapshot(&mut self, vars: &Vars, config: &Config, now: Instant) -> Vec<String> {
        let mut wrong = Vec::new();
        if !matches!(vars.state, State::Closed | State::Listen | State::TimeWait) {
            wrong.extend(self.wrong_value(vars, config));
            wrong.extend(self.wrong_change(vars, config));
            wrong.extend(self.wrong_start(vars, config, now));
        }
        self.last = Some(Last {
            handshake: vars.snd_una == vars.iss,
            una: vars.snd_una,
            recovering: vars.recovering,
            rto: vars.rto,
            armed: vars.timers.retransmit.is_some(),
        });
        (self.expired, self.probed, self.sampled) = (false, false, false);
        wrong
    }

    /// §2.1, §2.4, §2.5, §5.7: where the RTO may lie.
    fn wrong_value(&self, vars: &Vars, config: &Config) -> Option<String> {
        let bounds = &config.rto;
        let handshake = vars.snd_una == vars.iss;
        let (least, most) = match vars.srtt {
            Some(srtt) => (srtt.clamp(bounds.min, bounds.max), bounds.max),
            None if !handshake && self.syn_expired => (
                bounds.after_syn_loss.min(bounds.max),
                bounds.max.max(bounds.after_syn_loss),
            ),
            None if !self.ever_expired => (bounds.initial, bounds.initial),
            None => (bounds.initial, bounds.max.max(bounds.initial)),
        };
        (vars.rto < least || vars.rto > most).then(|| {
            format!(
                "RTO is {:?}, SRTT {:?}: not in {least:?}..={most:?}",
                vars.rto, vars.srtt
            )
        })
    }

    /// §5.5 and §3 (Karn): it doubles at an expiry, and otherwise changes by a sample, or when
    /// data transmission begins after a lost SYN.
    fn wrong_change(&self, vars: &Vars, config: &Config) -> Option<String> {
        let last = self.last.as_ref()?;
        let before = last.rto;
        if self.sampled {
            return None;
        }
        let restarted = self.syn_expired
            && last.handshake
            && vars.snd_una != vars.iss
            && vars.srtt.is_none()
            && vars.rto == config.rto.after_syn_loss;
        if restarted || self.probed && vars.rto >= before {
            return None;
        }
        let wanted = if self.expired {
            (before * 2).min(config.rto.max.max(before))
        } else {
            before
        };
        let tick = config.rto.granularity;
        let close = vars.rto + tick >= wanted && vars.rto <= wanted + tick;
        (!close).then(|| {
            let what = if self.expired {
                "an expiry"
            } else {
                "no expiry, no sample"
            };
            format!(
                "RTO went from {before:?} to {:?} by {what}, not to {wanted:?}",
                vars.rto
            )
        })
    }

    /// §5.1, §5.3, §5.6: the timer starts with the whole RTO, at the first octet, at each ACK of
    /// new data, at each expiry. During fast recovery it is the stack's choice (RFC 6582 appendix A).
    fn wrong_start(&self, vars: &Vars, config: &Config, now: Instant) -> Option<String> {
        let at = vars.timers.retransmit?;
        let started = match &self.last {
            None => true,
            Some(last) => {
                let recovering = last.recovering || vars.recovering;
                !last.armed || self.expired || vars.snd_una != last.una && !recovering
            }
        };
        let early = at + config.rto.granularity < now + vars.rto;
        (started && early).then(|| {
            let left = at.saturating_since(now);
            format!(
                "the retransmission timer starts with {left:?}, not with RTO = {:?}",
                vars.rto
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Rto;
    use timewait_stack::config::Config;
    use timewait_stack::event::{Timer, Vars};
    use timewait_stack::{Duration, Instant, SeqNumber, State};

    const NOW: Instant = Instant::from_nanos(5_000_000_000);

    fn config() -> Config {
        Config::new(Vec::new(), [0; 32])
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn vars(state: State, rto: Duration, srtt: Option<Duration>) -> Vars {
        let acked = u32::from(state.is_synchronized());
        let mut vars = Vars {
            state,
            rto,
            srtt,
            snd_una: SeqNumber(acked),
            snd_nxt: SeqNumber(2),
            ..Vars::default()
        };
        vars.timers.retransmit = Some(NOW + rto);
        vars
    }

    /// What is said about the second snapshot, after the first and these expiries.
    fn second(first: &Vars, expiries: &[Timer], sampled: bool, then: &Vars) -> usize {
        let mut rto = Rto::default();
        assert_eq!(rto.snapshot(first, &config(), NOW), [""; 0]);
        for &timer in expiries {
            rto.expired(timer);
        }
        if sampled {
            rto.sampled();
        }
        rto.snapshot(then, &config(), NOW).len()
    }

    #[test]
    fn an_expiry_doubles_the_timeout() {
        let srtt = Some(seconds(1));
        let before = vars(State::Established, seconds(3), srtt);
        let twice = vars(State::Established, seconds(6), srtt);
        assert_eq!(second(&before, &[Timer::Retransmit], false, &twice), 0);
        assert_eq!(second(&before, &[Timer::Retransmit], false, &before), 1);
    }

    #[test]
    fn doubling_ends_at_the_bound() {
        let srtt = Some(seconds(1));
        let before = vars(State::Established, seconds(40), srtt);
        let bound = vars(State::Established, seconds(60), srtt);
        assert_eq!(second(&before, &[Timer::Retransmit], false, &bound), 0);
        assert_eq!(second(&bound, &[Timer::Retransmit], false, &bound), 0);
    }

    #[test]
    fn only_a_sample_collapses_it() {
        let srtt = Some(seconds(1));
        let before = vars(State::Established, seconds(24), srtt);
        let after = vars(State::Established, seconds(3), srtt);
        assert_eq!(second(&before, &[], true, &after), 0);
        assert_eq!(second(&before, &[], false, &after), 1);
    }

    #[test]
    fn after_a_lost_syn_data_starts_at_three_seconds() {
        let syn = vars(State::SynSent, seconds(1), None);
        let again = vars(State::SynSent, seconds(2), None);
        for (rto, complaints) in [(3, 0), (2, 1)] {
            let mut judge = Rto::default();
            assert_eq!(judge.snapshot(&syn, &config(), NOW), [""; 0]);
            judge.expired(Timer::Retransmit);
            assert_eq!(judge.snapshot(&again, &config(), NOW), [""; 0]);
            let data = vars(State::Established, seconds(rto), None);
            assert_eq!(
                judge.snapshot(&data, &config(), NOW).len(),
                complaints,
                "{rto} s"
            );
        }
    }

    #[test]
    fn before_a_sample_it_is_one_second() {
        let mut rto = Rto::default();
        let wrong = vars(State::SynSent, Duration::from_millis(200), None);
        assert_eq!(rto.snapshot(&wrong, &config(), NOW).len(), 1);
    }

    #[test]
    fn it_is_neither_below_the_smoothed_rtt_nor_outside_its_bounds() {
        for (rto, srtt) in [(2, 3), (61, 3), (0, 0)] {
            let mut judge = Rto::default();
            let vars = vars(State::Established, seconds(rto), Some(seconds(srtt)));
            assert_eq!(
                judge.snapshot(&vars, &config(), NOW).len(),
                1,
                "{rto} {srtt}"
            );
        }
    }

    #[test]
    fn an_ack_of_new_data_restarts_the_whole_timeout() {
        let first = vars(State::Established, seconds(2), Some(seconds(1)));
        let mut acked = Vars {
            snd_una: SeqNumber(2),
            snd_nxt: SeqNumber(3),
            ..first.clone()
        };
        assert_eq!(second(&first, &[], false, &acked), 0);
        acked.timers.retransmit = Some(NOW + seconds(1));
        assert_eq!(second(&first, &[], false, &acked), 1);
        acked.recovering = true;
        assert_eq!(second(&first, &[], false, &acked), 0);
    }
}
