//! The oracles, one file each; `ORACLES.md` says what they demand.

pub mod acceptance;
mod bounds;
pub mod close;
pub mod codec;
pub mod congestion;
pub mod delivery;
mod describe;
pub mod incarnation;
pub mod isn;
pub mod negotiation;
pub mod off_path;
pub mod quiescence;
pub mod quiet_time;
pub mod replies;
mod report;
pub mod resources;
pub mod sequence;
pub mod silly_window;
pub mod stream;
pub mod time_wait;
pub mod timers;
pub mod transitions;
mod user_timeout;

use crate::oracle::Judge;

/// All oracles that are on by default.
pub fn standard() -> Vec<Box<dyn Judge>> {
    vec![
        Box::<incarnation::OldDuplicates>::default(),
        Box::<acceptance::Acceptance>::default(),
        Box::<transitions::Transitions>::default(),
        Box::<time_wait::TimeWait>::default(),
        Box::<sequence::Sequence>::default(),
        Box::<close::Close>::default(),
        Box::<delivery::Delivery>::default(),
        Box::<quiescence::Quiescence>::default(),
        Box::<replies::ReplyTable>::default(),
        Box::<resources::Resources>::default(),
        Box::<stream::Stream>::default(),
        Box::<timers::Timers>::default(),
        Box::<congestion::Congestion>::default(),
        Box::<silly_window::SillyWindow>::default(),
        Box::<negotiation::Negotiation>::default(),
        Box::<isn::InitialNumbers>::default(),
        Box::<quiet_time::QuietTime>::default(),
        Box::<codec::Codec>::default(),
        Box::<off_path::OffPath>::default(),
    ]
}
