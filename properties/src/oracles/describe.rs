//! Words that oracles share.

use timewait_stack::{State, Vars};

use crate::label::Incarnation;

/// Who received a segment, and how it stood: `h1#4 in ESTABLISHED (RCV.NXT 7, window 100, …)`.
pub(super) fn standing(received_by: Option<(Incarnation, State)>, before: &Vars) -> String {
    let Some((name, state)) = received_by else {
        return "CLOSED".into();
    };
    match state {
        State::Closed | State::Listen => format!("{name} in {state}"),
        State::SynSent => format!("{name} in {state} (ISS {})", before.iss),
        _ => format!(
            "{name} in {state} (RCV.NXT {}, window {}, SND.UNA {}, SND.NXT {})",
            before.rcv_nxt,
            before.rcv_adv.saturating_since(before.rcv_nxt),
            before.snd_una,
            before.snd_nxt,
        ),
    }
}
