//! What a stack is told at its birth. Every choice that looks random is data here.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use crate::protection::{Disabled, Protection};
use crate::time::Duration;
use crate::wire::OptionOrder;

/// The settings of one [`Stack`](crate::Stack). Those that a socket may change are its defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The local addresses, at most 65,536. The first of a family is the source of a connection that
    /// names none (RFC 9293 §3.9.1.1, MUST-44).
    pub addresses: Vec<IpAddr>,
    /// The directed broadcast addresses of the local networks (RFC 1122 §3.2.1.3): no host has
    /// one, so nothing is sent to one or taken from one (MUST-46, MUST-63).
    pub broadcasts: Vec<Ipv4Addr>,
    /// The key of every hash that an outsider must not compute: ISN, ports, tables (RFC 6528).
    pub secret: [u8; 32],
    /// What the 4 us ISN clock shows at [`Instant::ZERO`](crate::Instant::ZERO), in ticks.
    pub isn_epoch: u32,
    /// The maximum segment lifetime; TIME-WAIT lasts twice this. RFC 9293 §3.4.2: 2 minutes.
    pub msl: Duration,
    /// How long a stack keeps quiet after its boot: it sends nothing, takes no segment and opens
    /// nothing. At least the MSL where the memory of sequence numbers was lost (RFC 9293 §3.4.2,
    /// §3.4.3); `None`: it was not, or the host takes the risk. Counts from the first call that
    /// hands in the time.
    pub quiet_time: Option<Duration>,
    /// The largest IP datagram the local link carries, header included, 576 to 65,535 octets; where
    /// that varies, the smallest such (SHLD-6). The MSS advertised follows from it.
    pub mtu: u16,
    /// The TTL (IPv4) or hop limit (IPv6) of what is sent, at least 1 (MUST-49). RFC 1700: 64.
    pub hop_limit: u8,
    /// The Diffserv codepoint of what is sent, 0 to 63 (RFC 2474; MUST-48).
    pub diffserv: u8,
    /// The least path MTU of IPv4 that an ICMP message may bring about, at least 68 (RFC 1191 §3).
    /// Below it routers are allowed to fragment instead. 552, as in Linux. (IPv6: 1280, RFC 8201.)
    pub path_mtu_min: u16,
    /// After this time a larger path MTU is tried, at least 5 minutes (RFC 1191 §3, RFC 8201 §4).
    pub path_mtu_raise_after: Duration,
    /// What to do where routers drop what is too big and say nothing; `None`: nothing.
    pub black_hole: Option<BlackHole>,
    /// What ICMP's hard errors do (SHLD-26).
    pub hard_errors: HardErrors,
    /// Tell users of soft errors and of trouble with retransmission (MUST-47, SHLD-20).
    pub error_reports: bool,
    /// SO_RCVBUF of a fresh socket: octets that wait for the user to read, 1 to 2^30. The window
    /// offered is never larger, and beyond 65,535 only where both ends scale windows (RFC 7323 §2).
    pub receive_buffer: u32,
    /// Window scaling (RFC 7323 §2).
    pub window_scale: WindowScale,
    /// Timestamps are offered and agreed to (RFC 7323 §3), with PAWS and RTTM.
    pub timestamps: bool,
    /// A segment without the timestamps that both ends agreed on is dropped, as RFC 7323 §3.2 has
    /// it; `false`: it is taken as it is, as common stacks do. Never a RST.
    pub require_timestamps: bool,
    /// SO_SNDBUF of a fresh socket: octets accepted from the user and not yet acknowledged, at
    /// least 1.
    pub send_buffer: u32,
    /// Bounds and starting value of the retransmission timeout.
    pub rto: RtoBounds,
    /// The interval of zero-window probes never exceeds this (SHLD-30).
    pub persist_max: Duration,
    /// How long an ACK may wait for company, below 500 ms; zero: not at all (MUST-40).
    pub delayed_ack: Duration,
    /// How long silly-window avoidance may hold data back when nothing is outstanding, 0.1 to
    /// 1 s (RFC 9293 §3.8.6.2.1).
    pub override_timeout: Duration,
    /// Retransmissions after which the user is advised of trouble, at least 3 (SHLD-10).
    pub r1: u8,
    /// When data and FIN that nobody acknowledges end the connection (MUST-20, SHLD-11).
    pub r2: GiveUp,
    /// The same for the SYN of an active open, at least 3 minutes (MUST-23).
    pub r2_syn: GiveUp,
    /// The same for the SYN-ACK of a passive open. As long as for a SYN by the book; shorter, it
    /// makes room in the SYN queue sooner (RFC 4987 §3.3). Linux: 5 retransmissions.
    pub r2_syn_ack: GiveUp,
    /// The most half-open connections of one listener, at least 1 (RFC 4987 §2.2). With those
    /// that wait for `accept` there are never more than this and the backlog together. A half-open
    /// connection has no buffers yet: it is one control block, one entry in the table of
    /// connections and one in the queue of timers, less than 700 octets.
    pub syn_queue_max: u16,
    /// How long what was sent may stay unacknowledged, whatever R2 says (RFC 9293 §3.10.8).
    /// `None`: R2 alone decides.
    pub user_timeout: Option<Duration>,
    /// Whether user timeouts are told to the peer and taken from it: ENABLED of RFC 5482 §3, off
    /// by default there.
    pub announce_user_timeout: bool,
    /// What a peer can make of our user timeout (RFC 5482 §3.1).
    pub user_timeout_bounds: UserTimeoutBounds,
    /// Whether a SYN may be answered without a half-open connection (RFC 4987 §3.6).
    pub syn_cookies: SynCookies,
    /// Keepalive, off unless asked for (MUST-25).
    pub keepalive: Option<Keepalive>,
    /// How long FIN-WAIT-2 may last when the user has closed and can't read any more. `None`:
    /// for ever, as RFC 9293 has it.
    pub fin_wait_2: Option<Duration>,
    /// The Nagle algorithm (RFC 9293 §3.7.4, SHLD-7).
    pub nagle: bool,
    /// TCP_CORK: what does not fill a segment waits.
    pub cork: bool,
    /// TCP_QUICKACK: text is acknowledged at once.
    pub quick_ack: bool,
    /// TCP_MAXSEG: a bound on the MSS of both directions, at least 48 octets.
    pub max_segment: Option<u16>,
    /// SO_LINGER with a time of zero: `close` aborts.
    pub abort_on_close: bool,
    /// The least time between two answers of one connection to invalid segments without text
    /// (RFC 5961 §7; see `challenge.rs`).
    pub challenge_interval: Duration,
    /// First and last ephemeral port.
    pub ephemeral_ports: (u16, u16),
    /// The most TIME-WAIT records kept; the oldest gives way.
    pub time_wait_max: u32,
    /// The most octets that all buffers together may hold, the windows that peers were told of
    /// included; `None`: no bound but that of each socket. Where it is met, windows open no further
    /// (they never shrink, SHLD-14), `send` takes less, SYNs are dropped, and `connect` fails.
    pub memory_max: Option<u64>,
    /// The most separate blocks of one connection that wait out of order.
    pub reassembly_blocks_max: u16,
    /// Selective acknowledgment (RFC 2018), where the peer wants it, too; with it RACK (RFC 8985)
    /// and proportional rate reduction (RFC 9937).
    pub sack: bool,
    /// Explicit congestion notification (RFC 3168, SHLD-8).
    pub ecn: EcnUse,
    /// The order of the options on the wire.
    pub option_order: OptionOrder,
    /// The tail loss probe (RFC 8985 §7); needs SACK.
    pub tail_loss_probe: bool,
    /// The detection of spurious timeouts (RFC 5682).
    pub frto: bool,
    /// How cwnd grows above ssthresh, and what a loss leaves of it.
    pub congestion_control: CongestionControl,
    /// How much may be sent before the first ACK, and after idleness.
    pub initial_window: InitialWindow,
    /// The most segments by which one ACK lets cwnd grow in slow start, 1 or 2: 1 by RFC 5681
    /// §3.1, L = 2 by RFC 3465 §2.2.
    pub slow_start_limit: u8,
    /// The most segments of one flight that are kept apart; beyond, new ones are joined. A SACK may
    /// cut them into twice as many. At least 1.
    pub scoreboard_segments_max: u16,
    /// Protections switched off. Ignored without the feature `counterfactuals`.
    pub disabled: Disabled,
}

impl Config {
    /// Everything by the book, for a host with these addresses and this secret.
    pub fn new(addresses: Vec<IpAddr>, secret: [u8; 32]) -> Self {
        Self {
            addresses,
            broadcasts: Vec::new(),
            secret,
            isn_epoch: 0,
            msl: Duration::from_secs(120),
            quiet_time: None,
            mtu: 1500,
            hop_limit: 64,
            diffserv: 0,
            path_mtu_min: 552,
            path_mtu_raise_after: Duration::from_secs(600),
            black_hole: Some(BlackHole::default()),
            hard_errors: HardErrors::FailOpen,
            error_reports: true,
            receive_buffer: 65_535,
            window_scale: WindowScale::AsNeeded,
            timestamps: true,
            require_timestamps: true,
            send_buffer: 65_536,
            rto: RtoBounds::default(),
            persist_max: Duration::from_secs(60),
            delayed_ack: Duration::from_millis(200),
            override_timeout: Duration::from_millis(500),
            r1: 3,
            r2: GiveUp::Elapsed(Duration::from_secs(100)),
            r2_syn: GiveUp::Elapsed(Duration::from_secs(180)),
            r2_syn_ack: GiveUp::Elapsed(Duration::from_secs(180)),
            syn_queue_max: 256,
            user_timeout: None,
            announce_user_timeout: false,
            user_timeout_bounds: UserTimeoutBounds::default(),
            syn_cookies: SynCookies::Off,
            keepalive: None,
            fin_wait_2: None,
            nagle: true,
            cork: false,
            quick_ack: false,
            max_segment: None,
            abort_on_close: false,
            challenge_interval: Duration::from_millis(500),
            ephemeral_ports: (49_152, 65_535),
            time_wait_max: 1 << 20,
            memory_max: None,
            reassembly_blocks_max: 64,
            sack: true,
            ecn: EcnUse::Never,
            option_order: OptionOrder::default(),
            tail_loss_probe: true,
            frto: true,
            congestion_control: CongestionControl::NewReno,
            initial_window: InitialWindow::Rfc5681,
            slow_start_limit: 1,
            scoreboard_segments_max: 1024,
            disabled: Disabled::NONE,
        }
    }

    /// Whether `protection` is on. Without the feature `counterfactuals` it always is.
    #[inline]
    pub const fn protects(&self, protection: Protection) -> bool {
        !cfg!(feature = "counterfactuals") || !self.disabled.contains(protection)
    }
}

/// What a host offers in the window scale option of its SYN (RFC 7323 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum WindowScale {
    /// No option: windows of both directions end at 65,535 octets.
    Off,
    /// The least shift by which a window field can say the whole receive buffer.
    AsNeeded,
    /// This shift, at most 14, and less where the unit of `1 << shift` octets would be more than a
    /// quarter of the receive buffer.
    Fixed(u8),
}

/// RFC 6298: where the retransmission timeout starts and between which bounds it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct RtoBounds {
    /// Before the first sample: 1 s (§2.1).
    #[cfg_attr(feature = "serde", serde(with = "crate::time::text"))]
    pub initial: Duration,
    /// After a lost SYN and before the first sample: 3 s (§5.7).
    #[cfg_attr(feature = "serde", serde(with = "crate::time::text"))]
    pub after_syn_loss: Duration,
    /// Never less than this: 1 s (§2.4).
    #[cfg_attr(feature = "serde", serde(with = "crate::time::text"))]
    pub min: Duration,
    /// Never more than this: at least 60 s (§2.5).
    #[cfg_attr(feature = "serde", serde(with = "crate::time::text"))]
    pub max: Duration,
    /// The clock granularity G (§2).
    #[cfg_attr(feature = "serde", serde(with = "crate::time::text"))]
    pub granularity: Duration,
}

impl Default for RtoBounds {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            after_syn_loss: Duration::from_secs(3),
            min: Duration::from_secs(1),
            max: Duration::from_secs(60),
            granularity: Duration::from_millis(1),
        }
    }
}

/// Who brings up explicit congestion notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum EcnUse {
    /// Nobody: it is not used.
    Never,
    /// The peer, if it likes.
    Accept,
    /// We offer it with our SYN, too.
    Offer,
}

/// A congestion control algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum CongestionControl {
    /// RFC 5681: one segment for each window, and half of it at a loss. RFC 9293 demands it as the
    /// least (MUST-19).
    NewReno,
    /// RFC 9438: a cubic curve in time, and seven tenths at a loss.
    Cubic,
}

/// The rule for the initial window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum InitialWindow {
    /// RFC 5681 §3.1: two to four segments.
    Rfc5681,
    /// RFC 6928 §2: ten segments, about 14,600 octets.
    Rfc6928,
}

/// Black-hole detection (RFC 2923 §2.1): silence may mean that full-sized segments are too big
/// for a link whose router does not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct BlackHole {
    /// Timeouts in a row after which a smaller size is tried, at least 1, and again after as
    /// many. Once none is left the first size comes back: it was not that.
    pub timeouts: u8,
    /// The sizes in octets of text, the larger first. In IPv6 none is taken for less than its
    /// least MTU allows, 1220.
    pub mss: [u16; 2],
}

impl Default for BlackHole {
    fn default() -> Self {
        Self {
            timeouts: 2,
            mss: [1024, 512],
        }
    }
}

/// What a hard error of ICMP does: protocol or port unreachable, in IPv6 prohibited, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum HardErrors {
    /// It informs, like a soft one.
    Inform,
    /// It ends an open that is under way, and informs later, as Linux and the BSDs have it
    /// (RFC 5461 §2.1).
    #[default]
    FailOpen,
    /// It ends any connection (RFC 9293 §3.9.2.2, SHLD-26).
    Abort,
}

/// When a listener answers a SYN by a cookie (RFC 4987 §3.6). The SYN-ACK is then never sent again;
/// and where the peer's acknowledgment is lost, and its first text too, what comes after it meets
/// no connection and is answered by a RST.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum SynCookies {
    /// Never: a SYN that finds the SYN queue full is dropped.
    #[default]
    Off,
    /// When the SYN queue is full, as Linux does.
    WhenFull,
    /// Always: there are no half-open connections, except those that reopen from TIME-WAIT.
    Always,
}

/// R2 of RFC 9293 §3.8.3: when retransmission ends and with it the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum GiveUp {
    /// When the timer expires after this many retransmissions of the same octet.
    Retransmissions(u8),
    /// At the first expiry this long after the first transmission.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::text"))]
    Elapsed(Duration),
    /// Never: R2 is infinite (MUST-21 allows it).
    Never,
}

/// Between these a peer's option may move our user timeout (RFC 5482 §3.1), but never to the RTO in
/// force or below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct UserTimeoutBounds {
    /// L_LIMIT: at least 100 s (RFC 9293 §3.8.3, SHLD-11).
    #[cfg_attr(feature = "serde", serde(with = "crate::time::text"))]
    pub min: Duration,
    /// U_LIMIT: what memory and patience allow.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::text"))]
    pub max: Duration,
}

impl Default for UserTimeoutBounds {
    fn default() -> Self {
        Self {
            min: Duration::from_secs(100),
            max: Duration::from_secs(3600),
        }
    }
}

/// RFC 9293 §3.8.4: how an idle connection is asked if anybody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Keepalive {
    /// Idle time before the first probe; by default at least 2 hours (MUST-28).
    #[cfg_attr(feature = "serde", serde(with = "crate::time::text"))]
    pub idle: Duration,
    /// Time between probes.
    #[cfg_attr(feature = "serde", serde(with = "crate::time::text"))]
    pub interval: Duration,
    /// Unanswered probes that end the connection, more than 1 (MUST-29).
    pub probes: u8,
    /// The probe carries one octet, of no meaning, for peers that answer no other (MAY-6).
    pub garbage: bool,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(7200),
            interval: Duration::from_secs(75),
            probes: 9,
            garbage: false,
        }
    }
}
