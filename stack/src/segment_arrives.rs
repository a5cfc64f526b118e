//! SEGMENT ARRIVES (RFC 9293 §3.10.7), cut as the RFC cuts it: CLOSED (§3.10.7.1), LISTEN
//! (§3.10.7.2), SYN-SENT (§3.10.7.3), the other states (§3.10.7.4); and TIME-WAIT, which the RFC
//! has among the latter, but whose record is not a connection any more.

pub(crate) mod closed;
pub(crate) mod listen;
mod syn_sent;
mod synchronized;
mod text;
mod time_wait;
mod timestamps;

pub(crate) use time_wait::TimeWaitAnswer;
