//! Options of segments and doings of users in the words of a trace.

use std::fmt::Write as _;

use timewait_stack::wire::Options;

use crate::event::UserEvent;

/// `<MSS=1460><WS=7><SACKOK><TS=17,4><SACK=100-200,300-400>`.
pub(super) fn options(options: &Options) -> String {
    let Options {
        mss,
        window_scale,
        sack_permitted,
        timestamps,
        user_timeout,
        sack,
    } = options;
    let mut text = String::new();
    if let Some(mss) = mss {
        let _ = write!(text, "<MSS={mss}>");
    }
    if let Some(shift) = window_scale {
        let _ = write!(text, "<WS={shift}>");
    }
    if *sack_permitted {
        text.push_str("<SACKOK>");
    }
    if let Some((value, echo)) = timestamps {
        let _ = write!(text, "<TS={value},{echo}>");
    }
    if let Some(timeout) = user_timeout {
        let _ = write!(text, "<UTO={:?}>", timeout.duration());
    }
    let blocks = sack.as_slice().iter();
    let blocks: Vec<String> = blocks
        .map(|block| format!("{}-{}", block.left.0, block.right.0))
        .collect();
    if !blocks.is_empty() {
        let _ = write!(text, "<SACK={}>", blocks.join(","));
    }
    text
}

/// What a user called, and what came of it. Octets are counted, and not shown.
pub(super) fn user(event: &UserEvent) -> String {
    match event {
        UserEvent::Connecting { remote, .. } => format!("connects to {remote}"),
        UserEvent::NotConnecting { remote, error } => {
            format!("cannot connect to {remote}: {error}")
        }
        UserEvent::Connected { .. } => "is connected".to_owned(),
        UserEvent::Accepted { .. } => "is accepted".to_owned(),
        UserEvent::Sent { offset, octets, .. } => format!("sends {octets} from {offset}"),
        UserEvent::Received { offset, octets, .. } => {
            format!("receives {} from {offset}", octets.len())
        }
        UserEvent::EndOfFile { offset, .. } => format!("end of file at {offset}"),
        UserEvent::Failed { error, .. } => format!("fails: {error}"),
        UserEvent::Buffers { receive, send, .. } => format!("sets buffers of {receive}, {send}"),
        UserEvent::Shutdown { read, write, .. } => format!("shutdown read {read} write {write}"),
        UserEvent::Closed { unread, .. } => format!("close, {unread} unread"),
        UserEvent::Aborted { .. } => "abort".to_owned(),
    }
}
