//! What a stack tells: readiness to its users, and everything else to those who asked.

use alloc::boxed::Box;
use bitflags::bitflags;
use core::fmt;
use core::net::SocketAddr;

use crate::error::Errno;
use crate::seq::SeqNumber;
use crate::state::State;
use crate::time::{Duration, Instant};
use crate::wire::{IcmpMessage, IcmpParseError, ParseError};

/// A user's handle, like a file descriptor. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// One endpoint incarnation: a listener, or a connection from its SYN to CLOSED. Never reused;
/// a TIME-WAIT record keeps it, a connection that reopens from TIME-WAIT gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

bitflags! {
    /// Which events are produced. Readiness always is.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Interest: u8 {
        /// [`Event::Opened`], [`Event::Transition`], [`Event::Reopened`].
        const TRANSITIONS = 1;
        /// [`Event::Segment`], [`Event::Icmp`] and [`Event::ShiftTooLarge`].
        const SEGMENTS = 2;
        /// [`Event::Timer`] and [`Event::RttSample`].
        const TIMERS = 4;
        /// [`Event::Snapshot`].
        const SNAPSHOTS = 8;
    }
}

/// Something that happened inside a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A socket became ready for something.
    Ready {
        /// The socket.
        socket: SocketId,
        /// For what.
        ready: Ready,
    },
    /// A new endpoint incarnation exists; its first transition follows.
    Opened {
        /// Its name from now on.
        connection: ConnectionId,
        /// The socket that owns it, if a user has one.
        socket: Option<SocketId>,
        /// Its own address.
        local: SocketAddr,
        /// The peer's address; `None` for a listener.
        remote: Option<SocketAddr>,
    },
    /// A change of state.
    Transition {
        /// Whose.
        connection: ConnectionId,
        /// The state left.
        from: State,
        /// The state entered.
        to: State,
        /// Why.
        cause: Cause,
    },
    /// A SYN reopened a TIME-WAIT record. The old incarnation ends when `new` is established,
    /// and goes on if `new` is returned to TIME-WAIT.
    Reopened {
        /// The incarnation in TIME-WAIT.
        old: ConnectionId,
        /// The one that the SYN started.
        new: ConnectionId,
    },
    /// A SYN asked for a window shift beyond 14, which is read as 14 (RFC 7323 §2.3, R7323-02).
    ShiftTooLarge {
        /// Whose peer.
        connection: ConnectionId,
        /// What it asked for.
        shift: u8,
    },
    /// A segment arrived and was judged.
    Segment(Box<SegmentArrival>),
    /// An ICMP message arrived and was judged.
    Icmp(Box<IcmpArrival>),
    /// A timer expired and did something.
    Timer {
        /// Whose.
        connection: ConnectionId,
        /// Which.
        timer: Timer,
        /// Consecutive expiries without an answer, this one included.
        count: u32,
    },
    /// A round trip was measured.
    RttSample {
        /// Whose.
        connection: ConnectionId,
        /// The first octet of the segment that was timed; where timestamps tell the time (RFC 7323
        /// §4), SND.UNA before the acknowledgment.
        seq: SeqNumber,
        /// The measured time.
        rtt: Duration,
    },
    /// The variables of a connection that was touched, after all that it had to send was sent.
    Snapshot(Box<Snapshot>),
}

/// For what a socket is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// `connect` has succeeded.
    Connected,
    /// `accept` will return a connection.
    Acceptable,
    /// `recv` will return octets or the end of file.
    Readable,
    /// `send` will take octets again.
    Writable,
    /// Urgent data is pending, or its end has moved on (RFC 9293 §3.8.5, MUST-32);
    /// [`Status::urgent`](crate::status::Status::urgent) says how much.
    Urgent,
    /// Retransmission has passed R1: delivery is in trouble (RFC 9293 §3.8.3, SHLD-9).
    Trouble,
    /// ICMP told of an error that may pass; the connection goes on (MUST-47, SHLD-25).
    SoftError(Errno),
    /// The connection ended in an error (RST, R2, refusal…).
    Failed(Errno),
}

/// Why a connection changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A user call.
    User(Call),
    /// A segment.
    Segment,
    /// An ICMP error.
    Icmp,
    /// A timer that ran out.
    Timer(Timer),
    /// A SYN replaced a TIME-WAIT record, or a full table pushed it out.
    Replaced,
}

/// The user calls that change states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the calls")]
pub enum Call {
    Listen,
    Connect,
    Shutdown,
    Close,
    Abort,
}

/// The timers of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// RFC 6298; also for SYN, SYN-ACK and FIN.
    Retransmit,
    /// The tail loss probe (RFC 8985 §7); runs in the place of [`Timer::Retransmit`].
    Probe,
    /// The end of the reordering window (RFC 8985 §6.2); runs in the place of the other two.
    Reorder,
    /// Zero-window probes.
    Persist,
    /// The delayed ACK.
    DelayedAck,
    /// Ends sender side silly-window avoidance.
    Override,
    /// Ends the time in which nothing new goes, since the peer reported congestion while cwnd was one
    /// segment (RFC 3168 §6.1.2).
    Hold,
    /// Keepalive probes.
    Keepalive,
    /// Ends an orphan's FIN-WAIT-2.
    FinWait2,
    /// The user timeout (RFC 9293 §3.10.8).
    User,
    /// 2MSL.
    TimeWait,
}

/// A segment, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentArrival {
    /// The connection or listener it was handed to; `None`: there is none (CLOSED), the bytes are
    /// no segment, or nobody was asked (quiet time).
    pub connection: Option<ConnectionId>,
    /// What became of it.
    pub verdict: Verdict,
    /// The variables before.
    pub before: Vars,
    /// The variables after; the state is CLOSED if the connection is gone.
    pub after: Vars,
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All checks passed; what was new in it was taken.
    Accepted,
    /// The bytes are no segment.
    Malformed(ParseError),
    /// It was dropped, for this reason.
    Dropped(Drop),
}

/// Why a segment was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Drop {
    /// No connection and no listener (RFC 9293 §3.10.7.1).
    NoConnection,
    /// The checksum does not verify (MUST-3).
    BadChecksum,
    /// To an address that is not ours, or from or to one that no connection may have.
    BadAddress,
    /// The host keeps quiet after its boot (§3.4.3).
    QuietTime,
    /// It lacks the timestamps that both ends agreed on (RFC 7323 §3.2).
    NoTimestamp,
    /// Its timestamp is older than TS.Recent (PAWS, RFC 7323 §5.3).
    OldTimestamp,
    /// LISTEN: a RST, an ACK, or no SYN (§3.10.7.2).
    NotForListen,
    /// LISTEN: the SYN queue or the accept queue is full.
    QueueFull,
    /// LISTEN: nothing of it is kept, it is answered by a SYN cookie (RFC 4987 §3.6).
    CookieSent,
    /// SYN-SENT: the acknowledgment is not of our SYN (§3.10.7.3).
    BadSynAck,
    /// Table 6: outside the window (§3.10.7.4, first check).
    OutsideWindow,
    /// Behind a zero window: its text, if any, was refused, but its acknowledgment and window
    /// were taken (§3.10.7.4, §A.2).
    ZeroWindow,
    /// A RST in the window but not at RCV.NXT: challenged (second check).
    RstChallenged,
    /// A RST in TIME-WAIT (RFC 1337).
    RstIgnored,
    /// A SYN in TIME-WAIT that does not prove to be new (RFC 6191 §2).
    OldSyn,
    /// A SYN in a synchronized state: challenged (fourth check).
    SynChallenged,
    /// Neither ACK, SYN nor RST (fifth check).
    NoAck,
    /// An acknowledgment of something never sent, or too old (fifth check).
    BadAck,
    /// Text for a user who has closed: answered with a RST (§3.6.1, SHLD-3).
    ReaderGone,
    /// SYN-RECEIVED: it does not start at RCV.NXT.
    NotAtRcvNxt,
    /// SYN-RECEIVED: the listener waits for text (TCP_DEFER_ACCEPT).
    Deferred,
    /// Nothing in it was of use in this state.
    Ignored,
}

/// An ICMP message, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpArrival {
    /// The connection that it is about, if there is one.
    pub connection: Option<ConnectionId>,
    /// What it says, if it is an error about a segment.
    pub message: Option<IcmpMessage>,
    /// What became of it.
    pub verdict: IcmpVerdict,
    /// The variables before.
    pub before: Vars,
    /// The variables after; the state is CLOSED if the connection is gone.
    pub after: Vars,
}

/// What became of an ICMP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpVerdict {
    /// The bytes are no ICMP error about a segment.
    Malformed(IcmpParseError),
    /// Nothing came of it, for this reason.
    Ignored(IcmpDrop),
    /// The user may know of this error, and the connection goes on.
    SoftError(Errno),
    /// The connection ended with this error.
    Aborted(Errno),
    /// The path MTU is now this many octets.
    PathMtu(u16),
    /// It claims less than what has arrived already: believed only if a timeout confirms it
    /// (RFC 5927 §7.2).
    Unconfirmed,
}

/// Why nothing came of an ICMP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IcmpDrop {
    /// The checksum does not verify.
    BadChecksum,
    /// To an address that is not ours, or from one that no host may have.
    BadAddress,
    /// In the quiet time after a boot (RFC 9293 §3.4.3).
    QuietTime,
    /// There is no connection that sent what it quotes.
    NoConnection,
    /// It quotes a sequence number that is not outstanding (RFC 5927 §4.1).
    NotOutstanding,
    /// A source quench (MUST-55).
    SourceQuench,
    /// A path MTU that is no smaller, or that no path can have.
    NothingNew,
}

/// A connection's variables, after a batch of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose.
    pub connection: ConnectionId,
    /// The variables.
    pub vars: Vars,
}

/// The variables of RFC 9293 §3.3.1 and of the timers and congestion control, of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vars {
    /// The state.
    pub state: State,
    /// Came from LISTEN (MUST-11).
    pub passive: bool,
    /// Initial send sequence number.
    pub iss: SeqNumber,
    /// The oldest unacknowledged octet.
    pub snd_una: SeqNumber,
    /// The next new octet to send. Never goes back: it is the highest sent, plus one.
    pub snd_nxt: SeqNumber,
    /// The peer's window, an offset from `snd_una`.
    pub snd_wnd: u32,
    /// SEG.SEQ of the last window update.
    pub snd_wl1: SeqNumber,
    /// SEG.ACK of the last window update.
    pub snd_wl2: SeqNumber,
    /// The largest window the peer ever offered (MAX.SND.WND of RFC 5961).
    pub max_snd_wnd: u32,
    /// SND.UP: the octet after the urgent data, until it is acknowledged.
    pub snd_up: Option<SeqNumber>,
    /// The shift of the peer's window fields (Snd.Wind.Shift of RFC 7323 §2.3), 0 to 14.
    pub snd_shift: u8,
    /// The shift of our own (Rcv.Wind.Shift), 0 to 14.
    pub rcv_shift: u8,
    /// Octets accepted from the user and never sent.
    pub unsent: u32,
    /// The user has closed the sending side: a FIN follows the unsent octets, or was sent.
    pub fin_queued: bool,
    /// The FIN was sent at least once.
    pub fin_sent: bool,
    /// Initial receive sequence number.
    pub irs: SeqNumber,
    /// The next octet expected.
    pub rcv_nxt: SeqNumber,
    /// The right edge of the window as advertised, RCV.NXT + RCV.WND: the furthest, should
    /// rounding have moved the last one back (RFC 7323 §2.4).
    pub rcv_adv: SeqNumber,
    /// RCV.UP: the octet after the urgent data, until the user has read up to it.
    pub rcv_up: Option<SeqNumber>,
    /// Octets of receive buffer that are free, whatever was advertised.
    pub rcv_free: u32,
    /// Octets in order that the user has not read.
    pub unread: u32,
    /// SO_RCVBUF.
    pub receive_buffer: u32,
    /// SO_SNDBUF.
    pub send_buffer: u32,
    /// Octets held out of order.
    pub out_of_order: u32,
    /// Separate blocks they form.
    pub out_of_order_blocks: u16,
    /// The peer's FIN has been taken.
    pub fin_received: bool,
    /// Where a FIN of the peer stands that waits for text before it.
    pub fin_held: Option<SeqNumber>,
    /// TS.Recent, where both ends agreed on timestamps (RFC 7323 §4.3).
    pub ts_recent: Option<u32>,
    /// Last.ACK.sent: the acknowledgment that was sent last (RFC 7323 §4.3).
    pub last_ack_sent: SeqNumber,
    /// Congestion window, in octets.
    pub cwnd: u32,
    /// Slow start threshold, in octets.
    pub ssthresh: u32,
    /// In fast recovery.
    pub recovering: bool,
    /// Where congestion control stands.
    pub ca_state: CaState,
    /// The end of what the last reduction of cwnd was about: no second one before it is
    /// acknowledged.
    pub recover: SeqNumber,
    /// The reduction in force is undone if it proves unfounded (RFC 5682, RFC 2883).
    pub can_undo: bool,
    /// F-RTO asks whether the last timeout was spurious (RFC 5682).
    pub frto: bool,
    /// What loss recovery with SACK knows; `None`: SACK is not in use.
    pub sack: Option<SackVars>,
    /// The largest datagram that is sent, IP header included (RFC 1191, RFC 8201).
    pub path_mtu: u16,
    /// Explicit congestion notification is on (RFC 3168).
    pub ecn: bool,
    /// A congestion mark came, and every ACK says so until the peer says CWR.
    pub ecn_echo: bool,
    /// Effective send MSS (RFC 9293 §3.7.1).
    pub smss: u16,
    /// The receive MSS that was advertised.
    pub rmss: u16,
    /// Smoothed round-trip time; `None` before the first sample.
    pub srtt: Option<Duration>,
    /// The retransmission timeout now in force, backed off.
    pub rto: Duration,
    /// Consecutive retransmission expiries without progress.
    pub retransmissions: u32,
    /// In-order octets taken and not yet acknowledged.
    pub ack_pending: u32,
    /// When each timer runs out.
    pub timers: Timers,
    /// The user has closed or aborted: nobody reads any more.
    pub orphan: bool,
}

/// Where congestion control stands, by the names that Linux has for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaState {
    /// Nothing unusual.
    #[default]
    Open,
    /// Duplicate ACKs or SACK blocks came, too few to mean a loss.
    Disorder,
    /// cwnd was reduced for a loss that needs no repair any more.
    Cwr,
    /// Fast recovery.
    Recovery,
    /// After a retransmission timeout.
    Loss,
}

/// The variables of loss recovery with SACK (RFC 6675, RFC 8985, RFC 9937), in octets where they
/// count something. All but the first two are zero while nothing is outstanding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SackVars {
    /// Segments were seen to arrive out of order (RFC 8985 §6.2).
    pub reordering_seen: bool,
    /// A tail loss probe is out, and this is the end of its octets (TLP.end_seq).
    pub probe_end: Option<SeqNumber>,
    /// The round trip of the segment that was last found delivered (RACK.rtt).
    pub rack_rtt: Duration,
    /// In the network, as far as known (RFC 6675 §4).
    pub pipe: u32,
    /// Reported by the peer.
    pub sacked: u32,
    /// Taken for lost.
    pub lost: u32,
    /// Sent again, and still in the network.
    pub resent: u32,
    /// Delivered since recovery began (prr_delivered of RFC 9937).
    pub prr_delivered: u32,
    /// Sent since recovery began (prr_out).
    pub prr_out: u32,
    /// What was outstanding when it began (RecoverFS).
    pub prr_recover_fs: u32,
    /// Segments that are kept apart.
    pub segments: u32,
    /// How many of them the last ACK made recovery look at.
    pub work: u32,
}

/// When each timer of a connection runs out; `None`: it is not armed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after `Timer`")]
pub struct Timers {
    pub retransmit: Option<Instant>,
    pub probe: Option<Instant>,
    pub reorder: Option<Instant>,
    pub persist: Option<Instant>,
    pub delayed_ack: Option<Instant>,
    pub override_: Option<Instant>,
    pub keepalive: Option<Instant>,
    pub fin_wait_2: Option<Instant>,
    /// [`Timer::Hold`].
    pub hold: Option<Instant>,
    pub user: Option<Instant>,
    pub time_wait: Option<Instant>,
}
