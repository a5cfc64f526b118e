//! The quiet time after a boot (RFC 9293 §3.4.2, §3.4.3): a host that has forgotten which sequence
//! numbers it used sends nothing until whatever it sent before has left the network.
//!
//! A stack can't know when its host booted, so the time counts from the first call that tells it
//! what time it is. That is never too early, so never too short. Until then nobody is answered,
//! not even with a RST: a peer's retransmission will ask again. An active open fails at once
//! rather than wait, because the sequence number that it starts from may not even be chosen yet.

use crate::config::Config;
use crate::protection::Protection;
use crate::time::Instant;

/// Whether the stack may speak yet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QuietTime {
    until: Option<Instant>,
}

impl QuietTime {
    /// Takes notice of the time: the first time ever is that of the boot.
    pub(crate) fn notice(&mut self, now: Instant, config: &Config) {
        if self.until.is_none() {
            let quiet = config
                .quiet_time
                .filter(|_| config.protects(Protection::QuietTime));
            self.until = Some(now + quiet.unwrap_or_default());
        }
    }

    /// Whether `now` is still in it.
    pub(crate) fn lasts(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// When it ends or has ended, once that is known.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }
}
