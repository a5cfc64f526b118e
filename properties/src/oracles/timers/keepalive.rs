//! Keepalive (RFC 9293 §3.8.4, MUST-24, MUST-25, MUST-26, MUST-27, MUST-28, MUST-29): off unless
//! asked for, only on an idle connection with nothing outstanding, and more than one probe must fail
//! before it kills.

use timewait_stack::config::{Config, Keepalive as Settings};
use timewait_stack::event::{Drop, SegmentArrival, Vars, Verdict};
use timewait_stack::{Instant, State};

use crate::facts::{SegmentHeader, takes_ack};
use crate::oracles::user_timeout;
use crate::reference::table_6;

/// What is remembered of one connection's silence.
#[derive(Debug, Default)]
pub(super) struct Keepalive {
    /// When the peer was last heard.
    heard_at: Option<Instant>,
    /// When the last probe went out after that.
    probed_at: Option<Instant>,
    /// Probes since then.
    probes: u32,
    /// The timer has expired in this batch, and a datagram that it sends is a probe.
    expired: bool,
}

/// §3.8.4 calls a connection idle that has received no segments: one in the window counts, whatever
/// the later checks make of it. One behind a zero window counts if its ACK field does (§A.2).
pub(super) fn is_heard(arrival: &SegmentArrival, segment: &SegmentHeader) -> bool {
    let before = &arrival.before;
    let window = before.rcv_adv.saturating_since(before.rcv_nxt);
    match arrival.verdict {
        Verdict::Dropped(Drop::RstChallenged | Drop::SynChallenged | Drop::NoAck) => true,
        Verdict::Dropped(Drop::BadAck) => table_6(before.rcv_nxt, window, segment),
        verdict => takes_ack(verdict),
    }
}

impl Keepalive {
    /// A segment of the peer came, as [`is_heard`] has it.
    pub(super) fn heard(&mut self, now: Instant) {
        *self = Self {
            heard_at: Some(now),
            ..Self::default()
        };
    }

    /// The timer expired; `vars` are the last ones seen.
    pub(super) fn expired(&mut self, vars: &Vars, config: &Config, now: Instant) -> Option<String> {
        self.expired = true;
        let Some(settings) = &config.keepalive else {
            return Some("keepalive acts without being asked for (MUST-25)".to_owned());
        };
        if vars.snd_una != vars.snd_nxt {
            let outstanding = vars.snd_nxt - vars.snd_una;
            return Some(format!(
                "keepalive acts with {outstanding} octets outstanding (MUST-26)"
            ));
        }
        let (since, least) = match (self.probed_at, self.heard_at) {
            (Some(probed), _) => (probed, settings.interval),
            (None, Some(heard)) => (heard, user_timeout::least_idle(config, settings.idle)),
            (None, None) => return None,
        };
        let idle = now.saturating_since(since);
        (idle + config.rto.granularity < least)
            .then(|| format!("keepalive acts after {idle:?}, {least:?} is asked for (MUST-28)"))
    }

    /// The connection sent a datagram.
    pub(super) fn sent(&mut self, now: Instant) {
        if core::mem::take(&mut self.expired) {
            self.probes += 1;
            self.probed_at = Some(now);
        }
    }

    /// Keepalive gave the connection up.
    pub(super) fn gave_up(&self, config: &Config) -> Option<String> {
        let wanted = u32::from(config.keepalive.as_ref()?.probes);
        (self.probes < wanted).then(|| {
            format!(
                "keepalive gave up after {} probes of {wanted} (MUST-29)",
                self.probes
            )
        })
    }

    /// What is wrong at the end of a batch: idle, asked for, and nobody watches.
    pub(super) fn snapshot(&mut self, vars: &Vars, config: &Config) -> Option<String> {
        self.expired = false;
        let armed = vars.timers.keepalive.is_some();
        match &config.keepalive {
            None => {
                armed.then(|| "keepalive is armed without being asked for (MUST-25)".to_owned())
            }
            Some(Settings { .. }) => (is_idle(vars) && !armed).then(|| {
                format!(
                    "keepalive does not watch an idle connection in {}",
                    vars.state
                )
            }),
        }
    }
}

/// Nothing else will wake this connection: neither outstanding octets nor a closed window, nor
/// the timer that ends an orphan's FIN-WAIT-2.
fn is_idle(vars: &Vars) -> bool {
    matches!(
        vars.state,
        State::Established | State::CloseWait | State::FinWait2
    ) && vars.snd_una == vars.snd_nxt
        && vars.unsent == 0
        && vars.timers.fin_wait_2.is_none()
}

#[cfg(test)]
mod tests {
    use super::{Keepalive, is_heard};
    use crate::facts::SegmentHeader;
    use timewait_stack::config::{Config, Keepalive as Settings};
    use timewait_stack::event::{Drop, SegmentArrival, Vars, Verdict};
    use timewait_stack::{Duration, Instant, SeqNumber, State};

    fn seconds(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    fn config() -> Config {
        let settings = Settings {
            idle: Duration::from_secs(100),
            interval: Duration::from_secs(10),
            probes: 3,
            garbage: false,
        };
        Config {
            keepalive: Some(settings),
            ..Config::new(Vec::new(), [0; 32])
        }
    }

    fn idle(timer: Option<u64>) -> Vars {
        let mut vars = Vars {
            state: State::Established,
            ..Vars::default()
        };
        vars.timers.keepalive = timer.map(seconds);
        vars
    }

    /// A probe at each of these moments, the peer heard at 0; then keepalive gives up.
    fn probes(at: &[u64]) -> (usize, bool) {
        let (config, mut keepalive) = (config(), Keepalive::default());
        keepalive.heard(seconds(0));
        let mut wrong = 0;
        for &at in at {
            wrong += usize::from(
                keepalive
                    .expired(&idle(None), &config, seconds(at))
                    .is_some(),
            );
            keepalive.sent(seconds(at));
        }
        (wrong, keepalive.gave_up(&config).is_some())
    }

    #[test]
    fn it_probes_after_idle_then_by_interval_and_then_gives_up() {
        assert_eq!(probes(&[100, 110, 120]), (0, false));
    }

    #[test]
    fn a_probe_too_soon_is_wrong() {
        assert_eq!(probes(&[99]).0, 1);
        assert_eq!(probes(&[100, 105]).0, 1);
    }

    #[test]
    fn whatever_comes_into_the_window_is_a_sign_of_life() {
        let heard = |verdict, seq| {
            let before = Vars {
                rcv_nxt: SeqNumber(100),
                rcv_adv: SeqNumber(200),
                ..Vars::default()
            };
            let arrival = SegmentArrival {
                connection: None,
                verdict,
                after: before.clone(),
                before,
            };
            let segment = SegmentHeader {
                seq: SeqNumber(seq),
                ..SegmentHeader::default()
            };
            is_heard(&arrival, &segment)
        };
        assert!(heard(Verdict::Accepted, 100));
        assert!(heard(Verdict::Dropped(Drop::BadAck), 199));
        assert!(heard(Verdict::Dropped(Drop::SynChallenged), 199));
        assert!(!heard(Verdict::Dropped(Drop::BadAck), 99), "beside");
        assert!(!heard(Verdict::Dropped(Drop::OutsideWindow), 99));
        assert!(!heard(Verdict::Dropped(Drop::OldTimestamp), 100));
    }

    #[test]
    fn one_unanswered_probe_does_not_kill() {
        assert_eq!(probes(&[100]), (0, true));
    }

    #[test]
    fn an_answer_starts_anew() {
        let (config, mut keepalive) = (config(), Keepalive::default());
        keepalive.heard(seconds(0));
        for round in [100, 201, 302] {
            assert_eq!(
                keepalive.expired(&idle(None), &config, seconds(round)),
                None
            );
            keepalive.sent(seconds(round));
            keepalive.heard(seconds(round + 1));
        }
        assert!(keepalive.gave_up(&config).is_some());
    }

    #[test]
    fn it_is_off_unless_asked_for() {
        let config = Config::new(Vec::new(), [0; 32]);
        let mut keepalive = Keepalive::default();
        assert!(keepalive.snapshot(&idle(Some(100)), &config).is_some());
        assert!(
            keepalive
                .expired(&idle(None), &config, seconds(9000))
                .is_some()
        );
        assert_eq!(keepalive.snapshot(&idle(None), &config), None);
    }

    #[test]
    fn it_watches_who_is_idle_and_nobody_else() {
        let (config, mut keepalive) = (config(), Keepalive::default());
        assert_eq!(keepalive.snapshot(&idle(Some(100)), &config), None);
        assert!(keepalive.snapshot(&idle(None), &config).is_some());
        let busy = Vars {
            snd_nxt: SeqNumber(1),
            ..idle(None)
        };
        assert_eq!(keepalive.snapshot(&busy, &config), None);
        assert!(keepalive.expired(&busy, &config, seconds(100)).is_some());
    }
}
