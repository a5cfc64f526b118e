//! The words of a ladder: segments, fates, reasons, timers and times.

use core::fmt::Write as _;
use core::time::Duration;

use timewait_sim::{Damage, DropReason, Fate, Instant, Outcome, Packet, Release};
use timewait_stack::event::{
    Cause, Drop, IcmpArrival, IcmpDrop, IcmpVerdict, Ready, Timer, Verdict,
};
use timewait_stack::wire::{Flags, ParseError, Segment};

use super::relative::Bases;
use crate::event::{BoxEvent, UserEvent};
use crate::label::class;

/// How much of a segment to tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// As it leaves: everything.
    Full,
    /// On its way and as it arrives: enough to know it again.
    Brief,
}

/// `PSH,ACK seq 1 len 64 ack 1 win 65535`.
pub(super) fn segment(segment: &Segment<'_>, bases: Bases, detail: Detail) -> String {
    let mut text = flags(segment.flags);
    let _ = write!(text, " seq {}", bases.seq(segment.seq));
    if !segment.text.is_empty() {
        let _ = write!(text, " len {}", segment.text.len());
    }
    // On arrival the acknowledgment of a segment with text tells nothing that its departure did not.
    let brief = detail == Detail::Brief && !segment.text.is_empty();
    if segment.flags.contains(Flags::ACK) && !brief {
        let _ = write!(text, " ack {}", bases.ack(segment.ack));
    }
    if segment.flags.contains(Flags::URG) {
        let _ = write!(text, " up {}", segment.urgent);
    }
    if detail == Detail::Full && !segment.flags.contains(Flags::RST) {
        let _ = write!(text, " win {}", bases.window(segment));
        if let Some(mss) = segment.options.mss {
            let _ = write!(text, " mss {mss}");
        }
        if let Some(shift) = segment.options.window_scale.filter(|&shift| shift > 0) {
            let _ = write!(text, " scale {shift}");
        }
        if segment.flags.contains(Flags::SYN) && segment.options.timestamps.is_some() {
            text.push_str(" ts");
        }
    }
    text
}

/// `SYN,ACK`; what opens or ends a connection comes first.
fn flags(flags: Flags) -> String {
    const NAMES: [(Flags, &str); 8] = [
        (Flags::SYN, "SYN"),
        (Flags::FIN, "FIN"),
        (Flags::RST, "RST"),
        (Flags::PSH, "PSH"),
        (Flags::URG, "URG"),
        (Flags::ECE, "ECE"),
        (Flags::CWR, "CWR"),
        (Flags::ACK, "ACK"),
    ];
    let set: Vec<&str> = NAMES
        .iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .map(|(_, name)| *name)
        .collect();
    if set.is_empty() {
        "no flags".to_owned()
    } else {
        set.join(",")
    }
}

/// `octets 552 to 1099 of datagram 3`: what a part of a datagram holds.
pub(crate) fn part(packet: &Packet) -> String {
    let from = packet.fragment.map_or(0, |part| usize::from(part.offset));
    let to = from + packet.payload.octets().len().saturating_sub(1);
    format!("octets {from} to {to} of datagram {}", packet.id.ordinal)
}

/// What the fate did to the datagram itself, and what became of its copies.
pub(crate) fn fate(fate: &Fate) -> Vec<String> {
    let copies = fate.copies.iter().map(|copy| match outcome(copy) {
        Some(what) => format!("a copy {what}"),
        None => "copied".to_owned(),
    });
    outcome(fate.original).into_iter().chain(copies).collect()
}

/// `None`: it is carried at base delay.
fn outcome(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Drop => Some("lost".to_owned()),
        Outcome::Hold(release) => Some(format!("held {}", until(release))),
        Outcome::Deliver { extra, damage } => {
            let late = (!extra.is_zero()).then(|| format!("{} late", span(extra)));
            let damage = damage.map(|damage| damaged(damage).to_owned());
            let words: Vec<_> = damage.into_iter().chain(late).collect();
            (!words.is_empty()).then(|| words.join(", "))
        }
    }
}

fn damaged(damage: Damage) -> &'static str {
    match damage {
        Damage::Burst(_) => "damaged",
        Damage::Scramble { .. } => "scrambled",
        Damage::Swap { .. } => "words swapped",
        Damage::Truncate { .. } => "cut short",
    }
}

/// `for 20 ms`; `till SYN+3 or 1.5 s`: until the third datagram after the next SYN has passed.
pub(crate) fn until(release: Release) -> String {
    match release {
        Release::After(time) => format!("for {}", span(time)),
        Release::Restored { at_most } => format!("till the link is up or {}", span(at_most)),
        Release::Seen {
            class,
            packets,
            at_most,
        } => {
            let then = if packets == 0 {
                String::new()
            } else {
                format!("+{packets}")
            };
            format!("till {}{then} or {}", class_name(class), span(at_most))
        }
    }
}

fn class_name(bits: u16) -> String {
    const NAMES: [(u16, &str); 7] = [
        (class::OPEN, "SYN"),
        (class::SYN_ACK, "SYN,ACK"),
        (class::FIN, "FIN"),
        (class::DATA, "text"),
        (class::RST, "RST"),
        (class::PURE_ACK, "ACK"),
        (class::ECHO, "reply"),
    ];
    let set: Vec<&str> = NAMES
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, name)| *name)
        .collect();
    if set.is_empty() {
        "segment".to_owned()
    } else {
        set.join("&")
    }
}

/// Why the network dropped something on its own account.
pub(crate) fn drop_reason(reason: DropReason) -> &'static str {
    match reason {
        DropReason::QueueFull => "the queue is full",
        DropReason::TooOld => "too old",
        DropReason::HopLimit => "the hop limit ran out",
        DropReason::NoRoute => "no route",
        DropReason::TooBig => "too big for the link",
        DropReason::Cut => "the link is cut",
        DropReason::Early => "dropped early by the queue",
        DropReason::Incomplete => "the rest never came",
        DropReason::Overlap => "parts overlap",
    }
}

/// Why a stack took nothing from a segment; `None` if it did.
pub(crate) fn verdict(verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::Accepted => None,
        Verdict::Malformed(error) => Some(malformed(error)),
        Verdict::Dropped(drop) => Some(dropped(drop).to_owned()),
    }
}

/// Why bytes are no segment.
pub(crate) fn malformed(error: ParseError) -> String {
    format!("no segment: {error}")
}

fn dropped(drop: Drop) -> &'static str {
    match drop {
        Drop::NoConnection => "no connection",
        Drop::BadChecksum => "bad checksum",
        Drop::BadAddress => "bad address",
        Drop::QuietTime => "quiet time",
        Drop::NotForListen => "not for LISTEN",
        Drop::QueueFull => "queue full",
        Drop::CookieSent => "answered by a cookie",
        Drop::BadSynAck => "acknowledges another SYN",
        Drop::NoTimestamp => "no timestamp",
        Drop::OldTimestamp => "older than TS.Recent",
        Drop::OldSyn => "not proved to be new",
        Drop::OutsideWindow => "outside the window",
        Drop::ZeroWindow => "zero window",
        Drop::RstChallenged => "RST challenged",
        Drop::RstIgnored => "RST ignored",
        Drop::SynChallenged => "SYN challenged",
        Drop::NoAck => "no ACK",
        Drop::BadAck => "bad ACK",
        Drop::NotAtRcvNxt => "not at RCV.NXT",
        Drop::Deferred => "accept deferred",
        Drop::ReaderGone => "the reader is gone",
        Drop::Ignored => "ignored",
    }
}

/// What an ICMP message said and what became of it.
pub(crate) fn icmp(arrival: &IcmpArrival) -> String {
    let said = match &arrival.message {
        Some(message) => message.kind.to_string(),
        None => "no error".to_owned(),
    };
    let effect = match arrival.verdict {
        IcmpVerdict::Malformed(_) => "malformed".to_owned(),
        IcmpVerdict::Ignored(reason) => match reason {
            IcmpDrop::BadChecksum => "bad checksum",
            IcmpDrop::BadAddress => "bad address",
            IcmpDrop::QuietTime => "quiet time",
            IcmpDrop::NoConnection => "no connection",
            IcmpDrop::NotOutstanding => "not outstanding",
            IcmpDrop::SourceQuench => "ignored",
            IcmpDrop::NothingNew => "nothing new",
        }
        .to_owned(),
        IcmpVerdict::SoftError(error) | IcmpVerdict::Aborted(error) => error.to_string(),
        IcmpVerdict::PathMtu(mtu) => format!("path MTU {mtu}"),
        IcmpVerdict::Unconfirmed => "waits".to_owned(),
    };
    format!("ICMP {said}: {effect}")
}

/// What a timer did, in few letters.
pub(crate) fn timer(timer: Timer, count: u32) -> String {
    match timer {
        Timer::Retransmit => format!("RTO {count}"),
        Timer::Probe => "tail probe".to_owned(),
        Timer::Reorder => "reordering over".to_owned(),
        Timer::Persist => format!("probe {count}"),
        Timer::DelayedAck => "delayed ACK".to_owned(),
        Timer::Override => "override".to_owned(),
        Timer::Keepalive => format!("keepalive {count}"),
        Timer::Hold => "hold over".to_owned(),
        Timer::User => "user timeout".to_owned(),
        Timer::FinWait2 => "FIN-WAIT-2 up".to_owned(),
        Timer::TimeWait => "2MSL over".to_owned(),
    }
}

/// What a user's call is called among causes.
pub(crate) const CALL: &str = "a user's call";

/// Why a connection changed its state.
pub(crate) fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::User(_) => CALL,
        Cause::Segment => "a segment",
        Cause::Icmp => "ICMP",
        Cause::Timer(_) => "a timer",
        Cause::Replaced => "replaced",
    }
}

/// What a user did or learned, if it is worth a line of its own. Sending and receiving shows in
/// the segments.
pub(crate) fn user(event: &UserEvent) -> Option<String> {
    Some(match event {
        UserEvent::NotConnecting { error, .. } | UserEvent::Failed { error, .. } => {
            error.to_string()
        }
        UserEvent::EndOfFile { .. } => "end of file".to_owned(),
        UserEvent::Shutdown { read, write, .. } => match (read, write) {
            (true, false) => "shutdown rd",
            (false, true) => "shutdown wr",
            _ => "shutdown",
        }
        .to_owned(),
        UserEvent::Closed { unread: 0, .. } => "close".to_owned(),
        UserEvent::Closed { unread, .. } => format!("close, {unread} unread"),
        UserEvent::Aborted { .. } => "abort".to_owned(),
        UserEvent::Connecting { .. }
        | UserEvent::Buffers { .. }
        | UserEvent::Connected { .. }
        | UserEvent::Accepted { .. }
        | UserEvent::Sent { .. }
        | UserEvent::Received { .. } => return None,
    })
}

/// What a box on the way did.
pub(crate) fn of_box(event: &BoxEvent) -> String {
    match event {
        BoxEvent::Mapped { outside, .. } => format!("from {outside} now"),
        BoxEvent::Refused { full: true, .. } => "refused: no room".to_owned(),
        BoxEvent::Refused { full: false, .. } => "refused: of no connection".to_owned(),
        BoxEvent::BadDropped => "dropped as bad".to_owned(),
        BoxEvent::OptionsChanged => "options changed".to_owned(),
        BoxEvent::Cut => "cut in pieces".to_owned(),
        BoxEvent::Joined => "joined".to_owned(),
        BoxEvent::ErrorTranslated => "ICMP translated".to_owned(),
    }
}

/// Whether the event reports a call that may change the state.
pub(crate) fn is_call(event: &UserEvent) -> bool {
    matches!(
        event,
        UserEvent::Shutdown { .. } | UserEvent::Closed { .. } | UserEvent::Aborted { .. }
    )
}

/// What readiness is worth telling: only trouble, for the rest shows elsewhere.
pub(crate) fn ready(ready: Ready) -> Option<String> {
    match ready {
        Ready::Trouble => Some("R1 passed".to_owned()),
        Ready::SoftError(error) => Some(error.to_string()),
        Ready::Urgent => Some("urgent data".to_owned()),
        Ready::Connected
        | Ready::Acceptable
        | Ready::Readable
        | Ready::Writable
        | Ready::Failed(_) => None,
    }
}

/// A moment in seconds with six decimals, the rest cut off: `0.010000`.
pub(crate) fn moment(at: Instant) -> String {
    let micros = at.as_nanos() / 1_000;
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A duration in the largest unit that leaves a whole part, with up to three decimals:
/// `1.204 s`, `12.5 ms`, `20 us`, `7 ns`.
pub fn span(duration: Duration) -> String {
    const UNITS: [(u128, &str); 4] = [
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let nanos = duration.as_nanos();
    let (unit, name) = UNITS
        .into_iter()
        .find(|(unit, _)| nanos >= *unit)
        .unwrap_or((1, "ns"));
    let thousandths = if unit == 1 {
        0
    } else {
        nanos % unit / (unit / 1_000)
    };
    let mut text = format!("{}", nanos / unit);
    if thousandths > 0 {
        let decimals = format!(".{thousandths:03}");
        text.push_str(decimals.trim_end_matches('0'));
    }
    format!("{text} {name}")
}
