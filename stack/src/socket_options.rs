//! What a user may set on one socket, by the names of the BSD API and Linux.
//!
//! A socket starts with the values of [`Config`]; a connection that is accepted, with those that its
//! listener had when the connection began.

use crate::config::{Config, GiveUp, Keepalive};
use crate::connection::MSS_FLOOR;
use crate::time::Duration;
use crate::traffic::DIFFSERV_MAX;
use crate::window_scale::BUFFER_MAX;

/// A setting of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketOption {
    /// TCP_NODELAY: the Nagle algorithm off (MUST-17).
    NoDelay(bool),
    /// SO_KEEPALIVE with its intervals (MUST-24, MUST-27).
    Keepalive(Option<Keepalive>),
    /// SO_REUSEADDR: bind to a port that other sockets with this option, or connections, use.
    ReuseAddress(bool),
    /// R2 for data and FIN (MUST-21).
    GiveUp(GiveUp),
    /// TCP_DEFER_ACCEPT, of a listener: a connection is not offered to `accept` before text or a
    /// FIN has come, for at most so long after its SYN-ACK was first sent. Until then it is
    /// half-open, and R2 of its SYN-ACK may end it. After that the next answer to a SYN-ACK
    /// counts, with text or without. A SYN cookie is not deferred: nobody would ask again.
    DeferAccept(Option<Duration>),
    /// IP_TOS: the Diffserv codepoint of what is sent, 0 to 63 (MUST-48). It may change during a
    /// connection (SHLD-21), though who has no reason leaves it alone (SHLD-23): segments of two
    /// classes overtake each other.
    Diffserv(u8),
    /// IP_TTL, IPV6_UNICAST_HOPS: the TTL or hop limit of what is sent, at least 1 (MUST-49).
    HopLimit(u8),
    /// Hear of soft errors (IP_RECVERR) and of trouble with retransmission (SHLD-20).
    ErrorReports(bool),
    /// SO_LINGER. A time of zero makes `close` abort: a RST, and no TIME-WAIT. With any other time
    /// `close` is as without: no call waits here, the connection goes on to CLOSED by itself.
    Linger(Option<Duration>),
    /// TCP_CORK: what does not fill a segment waits for more, for the FIN, or for the override
    /// timer (MUST-60). Off again, it goes at once.
    Cork(bool),
    /// TCP_QUICKACK: text is acknowledged at once. Unlike that of Linux it stays until switched off.
    QuickAck(bool),
    /// TCP_MAXSEG: segments of either direction carry at most so many octets of text, at least 48;
    /// takes effect with the next `connect` or SYN. `None`: as the link and the peer allow.
    MaxSegment(Option<u16>),
    /// SO_RCVBUF: so many octets may wait for the user to read, 1 to 2^30; less is taken as 1, more as
    /// 2^30. Before `connect`, or on a listener before the SYN, it decides the window scale, too; later
    /// a window grows only as far as that reaches (65,535 units), and four units are the least. A
    /// smaller buffer takes nothing back: the window closes as octets come, without its right edge
    /// moving left (SHLD-14). Unlike that of Linux, it counts octets of text alone, so nothing is
    /// doubled.
    ReceiveBuffer(u32),
    /// SO_SNDBUF: so many octets that the user gave may wait to be acknowledged, at least 1; less is
    /// taken as 1. Octets that a larger buffer has taken stay.
    SendBuffer(u32),
    /// TCP_USER_TIMEOUT: how long what was sent may stay unacknowledged (RFC 9293 §3.10.8). Once
    /// set, no peer's option changes it (RFC 5482 §3.1).
    UserTimeout(Option<Duration>),
    /// Whether the user timeout is told to the peer and taken from it (RFC 5482 §3: ENABLED).
    AnnounceUserTimeout(bool),
}

/// What the user decides of the IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpFields {
    /// The Diffserv codepoint, 0 to 63 (MUST-48).
    pub diffserv: u8,
    /// TTL or hop limit, at least 1 (MUST-49).
    pub hop_limit: u8,
}

impl IpFields {
    pub(crate) fn defaults(config: &Config) -> Self {
        Self {
            diffserv: config.diffserv.min(DIFFSERV_MAX),
            hop_limit: config.hop_limit.max(1),
        }
    }
}

/// All settings of one socket: what getsockopt would tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// The Nagle algorithm: TCP_NODELAY is off.
    pub nagle: bool,
    /// SO_KEEPALIVE.
    pub keepalive: Option<Keepalive>,
    /// R2 for data and FIN.
    pub r2: GiveUp,
    /// SO_REUSEADDR.
    pub reuse_address: bool,
    /// TCP_DEFER_ACCEPT.
    pub defer_accept: Option<Duration>,
    /// IP_TOS and IP_TTL.
    pub ip: IpFields,
    /// IP_RECVERR: soft errors and trouble are told.
    pub error_reports: bool,
    /// CLOSE is ABORT: SO_LINGER with a time of zero.
    pub abort_on_close: bool,
    /// TCP_CORK.
    pub cork: bool,
    /// TCP_QUICKACK.
    pub quick_ack: bool,
    /// TCP_MAXSEG.
    pub max_segment: Option<u16>,
    /// SO_RCVBUF, in octets, 1 to 2^30.
    pub receive_buffer: u32,
    /// SO_SNDBUF, in octets, at least 1.
    pub send_buffer: u32,
    /// TCP_USER_TIMEOUT: ADV_UTO of RFC 5482 §3, which the peer is told if it is told anything.
    pub user_timeout: Option<Duration>,
    /// What the peer's option has made of it (USER_TIMEOUT of RFC 5482 §3.1): in force from the end
    /// of the handshake on, until the user chooses one.
    pub adopted_user_timeout: Option<Duration>,
    /// The user has chosen it: no peer changes it (CHANGEABLE of RFC 5482 §3 is off).
    pub user_timeout_fixed: bool,
    /// ENABLED of RFC 5482 §3.
    pub announce_user_timeout: bool,
}

impl SocketOptions {
    /// Those of a fresh socket.
    pub(crate) fn defaults(config: &Config) -> Self {
        Self {
            nagle: config.nagle,
            keepalive: config.keepalive,
            r2: config.r2,
            reuse_address: false,
            defer_accept: None,
            ip: IpFields::defaults(config),
            error_reports: config.error_reports,
            abort_on_close: config.abort_on_close,
            cork: config.cork,
            quick_ack: config.quick_ack,
            max_segment: config.max_segment.map(|most| most.max(MSS_FLOOR)),
            receive_buffer: config.receive_buffer.clamp(1, BUFFER_MAX),
            send_buffer: config.send_buffer.max(1),
            user_timeout: config.user_timeout,
            adopted_user_timeout: None,
            user_timeout_fixed: false,
            announce_user_timeout: config.announce_user_timeout,
        }
    }

    /// Changes one.
    pub(crate) fn set(&mut self, option: SocketOption) {
        match option {
            SocketOption::NoDelay(on) => self.nagle = !on,
            SocketOption::Keepalive(keepalive) => self.keepalive = keepalive,
            SocketOption::ReuseAddress(on) => self.reuse_address = on,
            SocketOption::GiveUp(r2) => self.r2 = r2,
            SocketOption::DeferAccept(most) => self.defer_accept = most,
            SocketOption::Diffserv(value) => self.ip.diffserv = value.min(DIFFSERV_MAX),
            SocketOption::HopLimit(value) => self.ip.hop_limit = value.max(1),
            SocketOption::ErrorReports(on) => self.error_reports = on,
            SocketOption::Linger(time) => self.abort_on_close = time == Some(Duration::ZERO),
            SocketOption::Cork(on) => self.cork = on,
            SocketOption::QuickAck(on) => self.quick_ack = on,
            SocketOption::MaxSegment(most) => self.max_segment = most.map(|m| m.max(MSS_FLOOR)),
            SocketOption::ReceiveBuffer(octets) => {
                self.receive_buffer = octets.clamp(1, BUFFER_MAX);
            }
            SocketOption::SendBuffer(octets) => self.send_buffer = octets.max(1),
            SocketOption::UserTimeout(timeout) => {
                self.user_timeout = timeout;
                self.adopted_user_timeout = None;
                self.user_timeout_fixed = true;
            }
            SocketOption::AnnounceUserTimeout(on) => self.announce_user_timeout = on,
        }
    }
}
