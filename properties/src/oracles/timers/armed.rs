//! Which timer runs, from the variables alone (RFC 6298 §5, RFC 9293 §3.8.4, §3.8.6.1,
//! §3.8.6.2.1, §3.10.8).
//!
//! Whatever a connection waits for, something must wake it: an outstanding octet the
//! retransmission timer, a closed window the persist timer, octets that silly-window avoidance
//! holds back the override timer. And nothing must run that waits for nothing.

use timewait_stack::config::Config;
use timewait_stack::event::{CaState, SackVars, Timer, Timers, Vars};
use timewait_stack::{Duration, Instant, State};

use crate::oracles::user_timeout;

/// The one timer among retransmission, persist and override that must run. With SACK another may run
/// in the place of the first (RFC 8985 §8): see `may_run`.
///
/// A SYN or SYN-ACK is outstanding while SND.UNA is still ISS. No window has been offered then
/// that could be closed, so its timer is that of retransmission. What waits because of congestion is
/// woken when that time is over (RFC 3168 §6.1.2).
pub(super) fn sender_timer(vars: &Vars) -> Option<Timer> {
    if matches!(vars.state, State::Closed | State::Listen | State::TimeWait) {
        return None;
    }
    let outstanding = vars.snd_una != vars.snd_nxt;
    let waiting = vars.unsent > 0 || vars.fin_queued && !vars.fin_sent;
    let handshake = vars.snd_una == vars.iss;
    if outstanding && (handshake || vars.snd_wnd > 0) {
        Some(Timer::Retransmit)
    } else if (outstanding || waiting) && vars.snd_wnd == 0 {
        Some(Timer::Persist)
    } else if waiting && vars.timers.hold.is_none() {
        Some(Timer::Override)
    } else {
        None
    }
}

/// Whether `timer` may run for what is outstanding. A probe asks only while nothing is reported
/// and nothing is being repaired (RFC 8985 §7.2), the end of the reordering window is awaited only
/// where something may be lost (§6.2).
fn may_run(timer: Timer, vars: &Vars, config: &Config) -> bool {
    let repairing = matches!(vars.ca_state, CaState::Recovery | CaState::Loss);
    match (timer, vars.sack) {
        (Timer::Retransmit, _) => true,
        (Timer::Probe, Some(sack)) => config.tail_loss_probe && sack.sacked == 0 && !repairing,
        (Timer::Reorder, Some(sack)) => sack.pipe > 0,
        _ => false,
    }
}

/// What is wrong with the set of running timers, one sentence each.
pub(super) fn wrong_set(vars: &Vars, config: &Config) -> Vec<String> {
    let mut wrong = Vec::new();
    let wanted = sender_timer(vars);
    for timer in [Timer::Persist, Timer::Override] {
        let runs = deadline(&vars.timers, timer).is_some();
        match (wanted == Some(timer), runs) {
            (true, false) => wrong.push(format!("the {timer:?} timer does not run, {}", why(vars))),
            (false, true) => wrong.push(format!("the {timer:?} timer runs, {}", why(vars))),
            _ => {}
        }
    }
    let running = |timer: &Timer| deadline(&vars.timers, *timer).is_some();
    let kinds = [Timer::Retransmit, Timer::Probe, Timer::Reorder];
    let running: Vec<Timer> = kinds.into_iter().filter(running).collect();
    match (wanted == Some(Timer::Retransmit), running.as_slice()) {
        (true, [timer]) if may_run(*timer, vars, config) => {}
        (false, []) => {}
        (true, []) => wrong.push(format!("the Retransmit timer does not run, {}", why(vars))),
        (_, timers) => wrong.push(format!("the timers {timers:?} run, {}", why(vars))),
    }
    if vars.timers.fin_wait_2.is_some() != fin_wait_2_wanted(vars, config) {
        wrong.push(format!(
            "the FIN-WAIT-2 timer is {:?}, {}",
            vars.timers.fin_wait_2,
            why(vars)
        ));
    }
    if vars.timers.hold.is_some() && !vars.ecn {
        wrong.push("congestion holds it back that nobody can report".to_owned());
    }
    if let Some(what) = user_timeout::wrong(vars, config, wanted) {
        wrong.push(format!("{what}, {}", why(vars)));
    }
    if vars.state == State::TimeWait {
        if vars.timers.delayed_ack.is_some() || vars.timers.keepalive.is_some() {
            wrong.push("another timer than that of 2MSL runs in TIME-WAIT".to_owned());
        }
    } else if vars.timers.time_wait.is_some() {
        wrong.push(format!("the 2MSL timer runs in {}", vars.state));
    }
    wrong
}

/// A profile's FIN-WAIT-2 timer runs for those whose user has gone, and for nobody else.
fn fin_wait_2_wanted(vars: &Vars, config: &Config) -> bool {
    config.fin_wait_2.is_some() && vars.state == State::FinWait2 && vars.orphan
}

fn why(vars: &Vars) -> String {
    format!(
        "with {} outstanding, {} unsent, FIN {}, window {}, in {}",
        vars.snd_nxt - vars.snd_una,
        vars.unsent,
        match (vars.fin_queued, vars.fin_sent) {
            (false, _) => "not queued",
            (true, false) => "queued",
            (true, true) => "sent",
        },
        vars.snd_wnd,
        vars.state,
    )
}

/// What is wrong with the deadlines, one sentence each: none lies in the past or further ahead
/// than its rule allows.
pub(super) fn wrong_deadlines(vars: &Vars, config: &Config, now: Instant) -> Vec<String> {
    let tick = config.rto.granularity;
    let furthest = [
        (Timer::Retransmit, Some(vars.rto + tick)),
        (Timer::Probe, Some(probe_wait_max(vars, config) + tick)),
        (
            Timer::Reorder,
            vars.sack.map(|sack| reorder_wait_max(vars, sack) + tick),
        ),
        (Timer::Persist, Some(config.persist_max + tick)),
        (Timer::Override, Some(OVERRIDE_MAX)),
        (Timer::Hold, Some(vars.rto + tick)),
        (
            Timer::Keepalive,
            config.keepalive.map(|keepalive| {
                let idle = user_timeout::keepalive_idle(config, keepalive.idle);
                idle.max(keepalive.interval) + tick
            }),
        ),
        (
            Timer::FinWait2,
            config.fin_wait_2.map(|longest| longest + tick),
        ),
        (Timer::User, user_timeout::longest(config)),
    ];
    let mut wrong = Vec::new();
    for (timer, longest) in furthest {
        let Some(at) = deadline(&vars.timers, timer) else {
            continue;
        };
        if at < now {
            wrong.push(format!("the {timer:?} timer is armed for the past"));
        }
        if longest.is_some_and(|longest| at > now + longest) {
            let ahead = at.saturating_since(now);
            wrong.push(format!(
                "the {timer:?} timer is armed {ahead:?} ahead, {longest:?} at most"
            ));
        }
    }
    wrong
}

/// The longest that a probe may wait (RFC 8985 §7.2): two round trips and a delayed ACK, or a second
/// before any sample, and never longer than the retransmission timeout.
fn probe_wait_max(vars: &Vars, config: &Config) -> Duration {
    let wait = match vars.srtt {
        Some(srtt) => srtt * 2 + config.delayed_ack,
        None => Duration::from_secs(1),
    };
    wait.min(vars.rto)
}

/// The longest that a segment may be under suspicion (RFC 8985 §6.2 step 5): it was sent by now, and
/// is lost a round trip and the reordering window later, which is SRTT at most.
fn reorder_wait_max(vars: &Vars, sack: SackVars) -> Duration {
    sack.rack_rtt + vars.srtt.unwrap_or(vars.rto)
}

/// When a timer runs out, if it is armed.
pub(super) fn deadline(timers: &Timers, timer: Timer) -> Option<Instant> {
    match timer {
        Timer::Retransmit => timers.retransmit,
        Timer::Probe => timers.probe,
        Timer::Reorder => timers.reorder,
        Timer::Persist => timers.persist,
        Timer::DelayedAck => timers.delayed_ack,
        Timer::Override => timers.override_,
        Timer::Hold => timers.hold,
        Timer::Keepalive => timers.keepalive,
        Timer::FinWait2 => timers.fin_wait_2,
        Timer::User => timers.user,
        Timer::TimeWait => timers.time_wait,
    }
}

/// The timers whose deadlines are judged here. That of 2MSL is the oracle `time-wait`'s: it
/// stands still while a SYN that reopened its record is put to the proof.
pub(super) const JUDGED: [Timer; 10] = [
    Timer::Retransmit,
    Timer::Probe,
    Timer::Reorder,
    Timer::Persist,
    Timer::DelayedAck,
    Timer::Override,
    Timer::Hold,
    Timer::Keepalive,
    Timer::FinWait2,
    Timer::User,
];

/// The bounds of the override timeout (RFC 9293 §3.8.6.2.1).
pub(super) const OVERRIDE_MIN: Duration = Duration::from_millis(100);
pub(super) const OVERRIDE_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::{sender_timer, wrong_deadlines, wrong_set};
    use timewait_stack::config::Config;
    use timewait_stack::event::{CaState, SackVars, Timer, Timers, Vars};
    use timewait_stack::{Duration, Instant, SeqNumber, State};

    const NOW: Instant = Instant::from_nanos(5_000_000_000);

    fn config() -> Config {
        Config::new(Vec::new(), [0; 32])
    }

    /// ESTABLISHED, the SYN acknowledged, `outstanding` octets on their way.
    fn established(outstanding: u32, unsent: u32, window: u32) -> Vars {
        Vars {
            state: State::Established,
            iss: SeqNumber(100),
            snd_una: SeqNumber(101),
            snd_nxt: SeqNumber(101) + outstanding,
            snd_wnd: window,
            unsent,
            rto: Duration::from_secs(1),
            ..Vars::default()
        }
    }

    fn with(mut vars: Vars, timer: Timer, after: Duration) -> Vars {
        let at = Some(NOW + after);
        match timer {
            Timer::Retransmit => vars.timers.retransmit = at,
            Timer::Probe => vars.timers.probe = at,
            Timer::Reorder => vars.timers.reorder = at,
            Timer::Persist => vars.timers.persist = at,
            Timer::DelayedAck => vars.timers.delayed_ack = at,
            Timer::Override => vars.timers.override_ = at,
            Timer::Hold => vars.timers.hold = at,
            Timer::Keepalive => vars.timers.keepalive = at,
            Timer::FinWait2 => vars.timers.fin_wait_2 = at,
            Timer::User => vars.timers.user = at,
            Timer::TimeWait => vars.timers.time_wait = at,
        }
        vars
    }

    #[test]
    fn each_wait_has_its_timer() {
        for (outstanding, unsent, window, wanted) in [
            (0, 0, 1000, None),
            (0, 0, 0, None),
            (1, 0, 1000, Some(Timer::Retransmit)),
            (1, 5, 1000, Some(Timer::Retransmit)),
            (0, 5, 0, Some(Timer::Persist)),
            (1, 0, 0, Some(Timer::Persist)),
            (0, 5, 1000, Some(Timer::Override)),
        ] {
            let vars = established(outstanding, unsent, window);
            assert_eq!(
                sender_timer(&vars),
                wanted,
                "{outstanding} {unsent} {window}"
            );
        }
    }

    #[test]
    fn a_syn_is_retransmitted_though_no_window_is_known() {
        let vars = Vars {
            state: State::SynReceived,
            iss: SeqNumber(100),
            snd_una: SeqNumber(100),
            snd_nxt: SeqNumber(101),
            ..Vars::default()
        };
        assert_eq!(sender_timer(&vars), Some(Timer::Retransmit));
    }

    #[test]
    fn a_fin_behind_a_closed_window_is_probed_for() {
        let vars = Vars {
            fin_queued: true,
            state: State::FinWait1,
            ..established(0, 0, 0)
        };
        assert_eq!(sender_timer(&vars), Some(Timer::Persist));
    }

    #[test]
    fn a_missing_and_a_superfluous_timer_are_both_named() {
        assert_eq!(wrong_set(&established(1, 0, 1000), &config()).len(), 1);
        let idle = with(
            established(0, 0, 1000),
            Timer::Retransmit,
            Duration::from_secs(1),
        );
        assert_eq!(wrong_set(&idle, &config()).len(), 1);
        let wrong_one = with(
            established(0, 5, 0),
            Timer::Retransmit,
            Duration::from_secs(1),
        );
        assert_eq!(wrong_set(&wrong_one, &config()).len(), 2);
    }

    #[test]
    fn the_right_timer_alone_is_silent() {
        let vars = with(
            established(1, 0, 1000),
            Timer::Retransmit,
            Duration::from_secs(1),
        );
        assert_eq!(wrong_set(&vars, &config()), [""; 0]);
        assert_eq!(wrong_deadlines(&vars, &config(), NOW), [""; 0]);
    }

    #[test]
    fn only_two_msl_runs_in_time_wait() {
        let vars = Vars {
            state: State::TimeWait,
            ..established(0, 0, 1000)
        };
        let vars = with(vars, Timer::TimeWait, Duration::from_secs(240));
        assert_eq!(wrong_set(&vars, &config()), [""; 0]);
        for timer in [
            Timer::Retransmit,
            Timer::DelayedAck,
            Timer::Keepalive,
            Timer::FinWait2,
        ] {
            let vars = with(vars.clone(), timer, Duration::from_millis(1));
            assert_eq!(wrong_set(&vars, &config()).len(), 1, "{timer:?}");
        }
    }

    #[test]
    fn the_2msl_timer_runs_nowhere_else() {
        let vars = with(
            established(0, 0, 1000),
            Timer::TimeWait,
            Duration::from_secs(240),
        );
        assert_eq!(wrong_set(&vars, &config()).len(), 1);
    }

    #[test]
    fn fin_wait_2_ends_for_orphans_of_a_profile_that_says_so() {
        let orphan = Vars {
            state: State::FinWait2,
            orphan: true,
            ..established(0, 0, 1000)
        };
        assert_eq!(wrong_set(&orphan, &config()), [""; 0]);
        let profile = Config {
            fin_wait_2: Some(Duration::from_secs(60)),
            ..config()
        };
        assert_eq!(wrong_set(&orphan, &profile).len(), 1);
        let armed = with(orphan, Timer::FinWait2, Duration::from_secs(60));
        assert_eq!(wrong_set(&armed, &profile), [""; 0]);
        let reader = Vars {
            orphan: false,
            ..armed
        };
        assert_eq!(wrong_set(&reader, &profile).len(), 1);
    }

    /// Octets are outstanding on a connection with SACK, and these timers run.
    fn with_sack(running: &[Timer], sacked: u32, ca_state: CaState) -> Vars {
        let mut vars = Vars {
            srtt: Some(Duration::from_millis(100)),
            ca_state,
            sack: Some(SackVars {
                pipe: 1000 - sacked,
                sacked,
                rack_rtt: Duration::from_millis(100),
                ..SackVars::default()
            }),
            ..established(1000, 0, 1000)
        };
        for &timer in running {
            vars = with(vars, timer, Duration::from_millis(50));
        }
        vars
    }

    #[test]
    fn one_of_three_timers_runs_for_what_is_outstanding() {
        use Timer::{Probe, Reorder, Retransmit};
        let wrong = |running: &[Timer], sacked, ca_state| {
            wrong_set(&with_sack(running, sacked, ca_state), &config()).len()
        };
        for timer in [Retransmit, Probe, Reorder] {
            assert_eq!(wrong(&[timer], 0, CaState::Open), 0, "{timer:?}");
        }
        assert_eq!(wrong(&[Reorder], 500, CaState::Recovery), 0);
        assert_eq!(wrong(&[], 0, CaState::Open), 1);
        assert_eq!(wrong(&[Retransmit, Probe], 0, CaState::Open), 1);
        assert_eq!(wrong(&[Retransmit, Reorder], 500, CaState::Disorder), 1);
        assert_eq!(wrong(&[Probe], 500, CaState::Disorder), 1, "RFC 8985 §7.2");
        assert_eq!(wrong(&[Probe], 0, CaState::Recovery), 1);
        assert_eq!(wrong(&[Probe], 0, CaState::Loss), 1);
    }

    #[test]
    fn without_sack_or_the_setting_nothing_probes() {
        let probing = with_sack(&[Timer::Probe], 0, CaState::Open);
        let off = Config {
            tail_loss_probe: false,
            ..config()
        };
        assert_eq!(wrong_set(&probing, &off).len(), 1);
        let plain = Vars {
            sack: None,
            ..probing
        };
        assert_eq!(wrong_set(&plain, &config()).len(), 1);
        let idle = Vars {
            snd_nxt: plain.snd_una,
            ..plain
        };
        assert_eq!(wrong_set(&idle, &config()).len(), 1);
    }

    #[test]
    fn a_probe_and_a_suspicion_end_within_their_rules() {
        let wrong = |timer, ms| {
            let vars = with_sack(&[], 0, CaState::Open);
            let vars = with(vars, timer, Duration::from_millis(ms));
            wrong_deadlines(&vars, &config(), NOW).len()
        };
        // Two round trips of 100 ms and a delayed ACK of 200 ms (RFC 8985 §7.2), and a tick.
        assert_eq!([wrong(Timer::Probe, 401), wrong(Timer::Probe, 402)], [0, 1]);
        // A round trip and a reordering window of at most SRTT (§6.2).
        assert_eq!(
            [wrong(Timer::Reorder, 201), wrong(Timer::Reorder, 202)],
            [0, 1]
        );
    }

    #[test]
    fn a_deadline_is_neither_past_nor_beyond_its_rule() {
        let vars = established(1, 0, 1000);
        let late = with(vars.clone(), Timer::Retransmit, Duration::from_millis(1002));
        assert_eq!(wrong_deadlines(&late, &config(), NOW).len(), 1);
        let timers = Timers {
            retransmit: Some(Instant::from_nanos(1)),
            ..Timers::default()
        };
        assert_eq!(
            wrong_deadlines(&Vars { timers, ..vars }, &config(), NOW).len(),
            1
        );
    }
}
