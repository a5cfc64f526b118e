//! What happens to a single datagram, in a file.

use serde::{Deserialize, Serialize};
use timewait_sim::{Burst, Copies, Damage, Fate, Outcome, Release};

use super::names::{Class, Span};

/// What happens to a datagram or to a copy of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum What {
    Deliver {
        #[serde(default)]
        extra: Span,
        damage: Option<Harm>,
    },
    Drop,
    Hold(Until),
}

/// What is wrong with the octets then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Harm {
    Burst {
        start: u32,
        pattern: u16,
    },
    Scramble {
        start: u32,
        octets: u16,
        pattern: u32,
    },
    Swap {
        a: u32,
        b: u32,
    },
    Truncate {
        octets: u32,
    },
}

/// When a router lets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Until {
    After(Span),
    Seen {
        class: Class,
        #[serde(default)]
        packets: u32,
        at_most: Span,
    },
    Restored {
        at_most: Span,
    },
}

/// The copies of a fate.
pub(super) fn whats(fate: &Fate) -> Vec<What> {
    fate.copies.iter().map(What::of).collect()
}

pub(super) fn copies(whats: Vec<What>) -> Copies {
    whats.into_iter().map(What::outcome).collect()
}

impl Default for What {
    fn default() -> Self {
        Self::of(Outcome::default())
    }
}

impl What {
    /// It is carried at base delay.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Deliver { extra, damage } => Self::Deliver {
                extra: Span(extra),
                damage: damage.map(Harm::of),
            },
            Outcome::Drop => Self::Drop,
            Outcome::Hold(release) => Self::Hold(Until::of(release)),
        }
    }

    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Deliver { extra, damage } => Outcome::Deliver {
                extra: extra.0,
                damage: damage.map(Harm::damage),
            },
            Self::Drop => Outcome::Drop,
            Self::Hold(until) => Outcome::Hold(until.release()),
        }
    }
}

impl Harm {
    fn of(damage: Damage) -> Self {
        match damage {
            Damage::Burst(Burst { start, pattern }) => Self::Burst { start, pattern },
            Damage::Scramble {
                start,
                octets,
                pattern,
            } => Self::Scramble {
                start,
                octets,
                pattern,
            },
            Damage::Swap { a, b } => Self::Swap { a, b },
            Damage::Truncate { octets } => Self::Truncate { octets },
        }
    }

    fn damage(self) -> Damage {
        match self {
            Self::Burst { start, pattern } => Damage::Burst(Burst { start, pattern }),
            Self::Scramble {
                start,
                octets,
                pattern,
            } => Damage::Scramble {
                start,
                octets,
                pattern,
            },
            Self::Swap { a, b } => Damage::Swap { a, b },
            Self::Truncate { octets } => Damage::Truncate { octets },
        }
    }
}

impl Until {
    fn of(release: Release) -> Self {
        match release {
            Release::After(time) => Self::After(Span(time)),
            Release::Seen {
                class,
                packets,
                at_most,
            } => Self::Seen {
                class: Class(class),
                packets,
                at_most: Span(at_most),
            },
            Release::Restored { at_most } => Self::Restored {
                at_most: Span(at_most),
            },
        }
    }

    fn release(self) -> Release {
        match self {
            Self::After(time) => Release::After(time.0),
            Self::Seen {
                class,
                packets,
                at_most,
            } => Release::Seen {
                class: class.0,
                packets,
                at_most: at_most.0,
            },
            Self::Restored { at_most } => Release::Restored { at_most: at_most.0 },
        }
    }
}
