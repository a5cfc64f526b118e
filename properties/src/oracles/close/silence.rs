//! (c): a peer that stays silent is given up (RFC 9293 §3.8.3, §3.8.4, §3.8.6.1; MUST-20,
//! MUST-23, SHLD-11).
//!
//! From the last segment heard, or from the moment at which something became outstanding, an
//! incarnation is CLOSED within D. The handshake has its own R2, which no segment prolongs that
//! does not complete it. Infinite R2 promises nothing (MUST-21).

use core::fmt;
use timewait_sim::{Duration, Instant};
use timewait_stack::config::{Config, GiveUp};
use timewait_stack::{State, Vars};

use crate::facts::Seconds;
use crate::oracles::bounds;
use crate::oracles::report::Report;
use crate::oracles::user_timeout;

/// For what one incarnation waits, and how long it may.
#[derive(Debug, Default)]
pub(super) struct Silence {
    waits: Option<Wait>,
    /// The end of the wait: by then it is CLOSED, or the wait is over.
    limit: Option<Instant>,
}

/// What must not last for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// SYN-SENT or SYN-RECEIVED of an active open.
    Handshake(State),
    /// SYN-RECEIVED of a passive open.
    HalfOpen,
    /// Octets or a FIN are outstanding.
    Acknowledgment,
    /// The window is shut and is probed.
    Probes,
    /// Nothing is outstanding and keepalive watches.
    Keepalive,
    /// An orphan in FIN-WAIT-2 whose profile ends that state.
    FinWait2,
}

impl Silence {
    /// A segment for it arrived, and left it with these variables. It prolongs every wait but the
    /// handshake's.
    pub(super) fn heard(&mut self, vars: &Vars, report: &mut Report<'_>) {
        self.check(report);
        let waits = self.waiting(vars, report);
        if waits != self.waits || !matches!(waits, Some(Wait::Handshake(_) | Wait::HalfOpen)) {
            self.wait_for(waits, vars, report);
        }
    }

    /// The variables at the end of a batch.
    pub(super) fn snapshot(&mut self, vars: &Vars, report: &mut Report<'_>) {
        self.check(report);
        let waits = self.waiting(vars, report);
        if waits != self.waits {
            self.wait_for(waits, vars, report);
        }
    }

    fn waiting(&self, vars: &Vars, report: &Report<'_>) -> Option<Wait> {
        let config = report.config()?;
        Wait::of(vars, config)
    }

    fn wait_for(&mut self, waits: Option<Wait>, vars: &Vars, report: &Report<'_>) {
        self.waits = waits;
        match waits {
            Some(wait) => self.begin(wait, vars, report),
            None => self.limit = None,
        }
    }

    /// The limit has not passed; said once.
    pub(super) fn check(&mut self, report: &mut Report<'_>) {
        let passed = self.limit.filter(|&limit| report.now > limit);
        if let (Some(wait), Some(limit)) = (self.waits, passed) {
            self.limit = None;
            report.violation(format!("{wait}, not given up by {}", Seconds(limit)));
        }
    }

    fn begin(&mut self, wait: Wait, vars: &Vars, report: &Report<'_>) {
        let config = report.config();
        let longest = config.and_then(|config| wait.longest(vars, config));
        let circumstances = report.facts.circumstances();
        let over_by = |longest| circumstances.over_by(report.who.host, report.now, longest);
        self.limit = longest.map(over_by);
    }
}

impl Wait {
    fn of(vars: &Vars, config: &Config) -> Option<Self> {
        let outstanding = vars.snd_una != vars.snd_nxt;
        let waiting = vars.unsent > 0 || vars.fin_queued && !vars.fin_sent;
        match vars.state {
            State::Closed | State::Listen | State::TimeWait => None,
            State::SynReceived if vars.passive => Some(Self::HalfOpen),
            State::SynSent | State::SynReceived => Some(Self::Handshake(vars.state)),
            _ if (outstanding || waiting) && vars.snd_wnd == 0 => Some(Self::Probes),
            _ if outstanding => Some(Self::Acknowledgment),
            // Held back for a moment; `timers` sees that the moment ends.
            _ if waiting => None,
            State::FinWait2 if vars.orphan && config.fin_wait_2.is_some() => Some(Self::FinWait2),
            _ if config.keepalive.is_some() => Some(Self::Keepalive),
            _ => None,
        }
    }

    /// D, with one tick of the clock for each expiry.
    fn longest(self, vars: &Vars, config: &Config) -> Option<Duration> {
        let user = user_timeout::longest(config);
        let sooner = |r2: Option<Duration>| [r2, user].into_iter().flatten().min();
        let longest = match self {
            Self::Handshake(_) => sooner(bounds::handshake(config))?,
            Self::HalfOpen => sooner(bounds::half_open(config))?,
            Self::Acknowledgment => {
                let r2 = bounds::give_up_after(config.r2, vars.rto, config.rto.max);
                sooner(r2.map(|r2| r2 + before_the_first(vars, config.r2)))?
            }
            Self::Probes => match config.r2 {
                GiveUp::Retransmissions(count) => config.persist_max * (u32::from(count) + 1),
                // From the first probe on, which comes one interval after the window has shut.
                GiveUp::Elapsed(time) => time.saturating_add(config.persist_max * 2),
                GiveUp::Never => return None,
            },
            Self::Keepalive => {
                let keepalive = config.keepalive.as_ref()?;
                user_timeout::keepalive_idle(config, keepalive.idle)
                    + keepalive.interval * u32::from(keepalive.probes)
            }
            Self::FinWait2 => config.fin_wait_2?,
        };
        Some(longest + config.rto.granularity * TICKS)
    }
}

/// What may run in front of the first RTO, and no longer than that would: the timer of the tail loss
/// probe (RFC 8985 §7.2, §7.3) or that of reordering (§8). An R2 that is a time counts on.
fn before_the_first(vars: &Vars, r2: GiveUp) -> Duration {
    match r2 {
        GiveUp::Retransmissions(_) if vars.sack.is_some() => vars.rto,
        _ => Duration::ZERO,
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(state) => write!(f, "in {state}"),
            Self::HalfOpen => write!(f, "in {}", State::SynReceived),
            Self::Acknowledgment => f.write_str("something is outstanding"),
            Self::Probes => f.write_str("the window is shut and nobody answers"),
            Self::Keepalive => f.write_str("idle, with keepalive"),
            Self::FinWait2 => f.write_str("an orphan in FIN-WAIT-2"),
        }
    }
}

/// More expiries than any R2 has before its timeouts reach their bound.
const TICKS: u32 = 32;
