//! What is known of a connection besides its variables: what it sent and was sent, not what its
//! stack made of it.

use timewait_sim::{Duration, Instant};
use timewait_stack::SeqNumber;
use timewait_stack::wire::Flags;

use super::{Held, Permit};
use crate::facts::SegmentHeader;

/// What the checks need to know beyond the variables. Kept from datagrams alone.
#[derive(Clone, Debug, Default)]
pub struct Shadow {
    /// The octets that were offered out of order.
    pub held: Held,
    /// The largest window in any segment that it received and did not have to
    /// refuse (MAX.SND.WND of RFC 5961 §5).
    pub max_snd_wnd: u32,
    /// What its own SYN or SYN-ACK offered.
    pub(super) own_syn: Option<SynOptions>,
    /// What the SYN or SYN-ACK offered that set IRS: of another attempt nothing counts.
    pub(super) peer_syn: Option<SynOptions>,
    /// Its host uses timestamps.
    pub(super) host_stamps: bool,
    /// TS.Recent and when it was taken (RFC 7323 §4.3); means something where both SYNs had it.
    pub(super) recent: Option<(u32, Instant)>,
    /// Last.ACK.sent.
    pub(super) last_ack_sent: Option<SeqNumber>,
    /// The last TSval that it sent, and when.
    pub(super) last_stamp: Option<(u32, Instant)>,
}

/// What a SYN offers for the whole connection (RFC 7323).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SynOptions {
    window_scale: Option<u8>,
    timestamps: bool,
}

impl SynOptions {
    fn of(syn: &SegmentHeader) -> Self {
        Self {
            window_scale: syn.window_scale,
            timestamps: syn.timestamps.is_some(),
        }
    }
}

/// What the timestamps option of a segment says to PAWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paws {
    /// It is not older than TS.Recent, or nobody asks.
    Passes,
    /// It is older.
    Old,
    /// There is none, though both ends agreed on it.
    Missing,
}

/// What a segment may make of TS.Recent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// SEG.TSval.
    pub value: u32,
    /// Whether TS.Recent becomes that.
    pub permit: Permit,
}

/// `a < b` on a clock that wraps.
pub(crate) fn older(a: u32, b: u32) -> bool {
    a != b && b.wrapping_sub(a) < 1 << 31
}

/// RFC 7323 §5.5.
const VALID_FOR: Duration = Duration::from_secs(24 * 24 * 3600);

/// The largest shift: a larger one is read as this (RFC 7323 §2.3).
pub(crate) const SHIFT_MAX: u8 = 14;

impl Shadow {
    /// Of a connection on a host that uses timestamps, or not.
    pub fn new(host_stamps: bool) -> Self {
        Self {
            host_stamps,
            ..Self::default()
        }
    }

    /// The connection itself sends a segment.
    pub fn sent(&mut self, segment: &SegmentHeader, now: Instant) {
        if segment.has(Flags::SYN) {
            self.own_syn = Some(SynOptions::of(segment));
        }
        if segment.has(Flags::ACK) {
            self.last_ack_sent = Some(segment.ack);
        }
        if let Some((value, _)) = segment.timestamps {
            self.last_stamp = Some((value, now));
        }
    }

    /// A SYN or SYN-ACK sets IRS.
    pub fn synchronized_by(&mut self, syn: &SegmentHeader, now: Instant) {
        self.peer_syn = Some(SynOptions::of(syn));
        self.recent = syn.timestamps.map(|(value, _)| (value, now));
    }

    /// A cookie came back with this segment. It stands for the SYN that nobody remembers, whose
    /// timestamp it would have replaced (RFC 7323 §4.3).
    pub fn acknowledged_cookie(&mut self, ack: &SegmentHeader, now: Instant) {
        self.recent = ack.timestamps.map(|(value, _)| (value, now));
    }

    /// A segment was taken, and TS.Recent is now what the stack shows, as far as that is allowed.
    pub fn stamped(&mut self, stamp: &Stamp, shown: Option<u32>, now: Instant) {
        if stamp.permit != Permit::No && shown == Some(stamp.value) && self.timestamps() {
            self.recent = Some((stamp.value, now));
        }
    }

    /// A segment offers a window.
    pub fn offered_window(&mut self, segment: &SegmentHeader) {
        self.max_snd_wnd = self.max_snd_wnd.max(self.window(segment));
    }

    /// SEG.WND of a segment that the connection receives, in octets: scaled if both SYNs said so,
    /// never in a SYN (RFC 7323 §2.2, §2.3).
    pub fn window(&self, segment: &SegmentHeader) -> u32 {
        scaled(segment, self.shifts().map_or(0, |shifts| shifts.0))
    }

    /// The right edge that a segment tells which the connection sends, and by how much it may lie
    /// behind an earlier one: less than a unit by rounding (RFC 7323 §2.4); and a SYN-ACK that is sent
    /// again after a scaled segment can tell no more than 65,535 octets (§2.2).
    pub fn edge(&self, segment: &SegmentHeader) -> (SeqNumber, u32) {
        let shift = self.shifts().map_or(0, |shifts| shifts.1);
        let lost = match (segment.has(Flags::SYN), segment.window) {
            (false, _) => (1 << shift) - 1,
            (true, u16::MAX) if shift > 0 => u32::MAX,
            (true, _) => 0,
        };
        (segment.ack + scaled(segment, shift), lost)
    }

    /// Both SYNs had the timestamps option (RFC 7323 §3.2).
    pub fn timestamps(&self) -> bool {
        let both = [self.own_syn, self.peer_syn];
        both.into_iter()
            .all(|syn| syn.is_some_and(|syn| syn.timestamps))
    }

    /// Its own SYN or SYN-ACK was sent, and the one that set IRS has come.
    pub fn knows_both_syns(&self) -> bool {
        self.own_syn.is_some() && self.peer_syn.is_some()
    }

    /// The same as of this segment, which may be the SYN-ACK that makes it so.
    pub fn agreed_with(&self, segment: &SegmentHeader) -> bool {
        let first = segment.has(Flags::SYN) && self.first_stamp(segment).permit == Permit::Must;
        self.timestamps() || first
    }

    /// TS.Recent, where both SYNs had the option.
    pub fn ts_recent(&self) -> Option<u32> {
        self.recent
            .map(|(recent, _)| recent)
            .filter(|_| self.timestamps())
    }

    /// TS.Recent, if it may still be compared with: for 24 days (RFC 7323 §5.5).
    fn valid_recent(&self, now: Instant) -> Option<u32> {
        let (recent, since) = self.recent.filter(|_| self.timestamps())?;
        (now.saturating_since(since) <= VALID_FOR).then_some(recent)
    }

    /// What the option of a segment says to PAWS (RFC 7323 §3.2, §5.3). Not asked of a RST.
    pub(super) fn paws(&self, segment: &SegmentHeader, now: Instant) -> Paws {
        match segment.timestamps {
            _ if !self.timestamps() => Paws::Passes,
            None => Paws::Missing,
            Some((value, _)) if self.valid_recent(now).is_some_and(|r| older(value, r)) => {
                Paws::Old
            }
            Some(_) => Paws::Passes,
        }
    }

    /// A copy of the peer's FIN with this option counts: PAWS does not stop it, nor is the option
    /// missing.
    pub fn passes(&self, segment: &SegmentHeader, now: Instant) -> bool {
        self.paws(segment, now) == Paws::Passes
    }

    /// Whether a segment that passes all checks sets TS.Recent (RFC 7323 §4.3).
    pub(super) fn stamp(&self, segment: &SegmentHeader, permit: Permit, now: Instant) -> Stamp {
        let Some((value, _)) = segment.timestamps.filter(|_| self.timestamps()) else {
            return Stamp::default();
        };
        let early = self
            .last_ack_sent
            .is_some_and(|ack| segment.seq.at_or_before(ack));
        let newer = self.paws(segment, now) == Paws::Passes;
        let permit = if early && newer { permit } else { Permit::No };
        Stamp { value, permit }
    }

    /// TS.Recent after a SYN or SYN-ACK that sets IRS, in SYN-SENT.
    pub(super) fn first_stamp(&self, syn: &SegmentHeader) -> Stamp {
        let offered = self.own_syn.is_some_and(|own| own.timestamps);
        match syn.timestamps.filter(|_| offered) {
            Some((value, _)) => Stamp {
                value,
                permit: Permit::Must,
            },
            None => Stamp::default(),
        }
    }

    /// Whether a bare SYN may reopen this connection out of TIME-WAIT (RFC 6191 §2; RFC 9293
    /// §3.6.1, MAY-2).
    pub fn may_reopen(&self, rcv_nxt: SeqNumber, syn: &SegmentHeader, now: Instant) -> bool {
        let beyond = syn.seq.after(rcv_nxt);
        let value = syn.timestamps.filter(|_| self.host_stamps);
        match (value, self.valid_recent(now)) {
            (Some((value, _)), Some(recent)) if value == recent => beyond,
            (Some((value, _)), Some(recent)) => !older(value, recent),
            (Some(_), None) if !self.timestamps() => true,
            _ => beyond,
        }
    }

    /// How long ago the segment was sent that this echo is of, by its 1 ms clock (RFC 7323 §4.1).
    pub fn since_echoed(&self, echo: u32, now: Instant) -> Option<Duration> {
        let (value, at) = self.last_stamp?;
        let ticks = value.wrapping_sub(echo);
        let before = Duration::from_millis(u64::from(ticks));
        Some(now.saturating_since(at) + before)
    }

    /// Snd.Wind.Shift and Rcv.Wind.Shift, if both SYNs told one.
    fn shifts(&self) -> Option<(u8, u8)> {
        let theirs = self.peer_syn?.window_scale?;
        let own = self.own_syn?.window_scale?;
        Some((theirs.min(SHIFT_MAX), own.min(SHIFT_MAX)))
    }
}

fn scaled(segment: &SegmentHeader, shift: u8) -> u32 {
    let field = u32::from(segment.window);
    if segment.has(Flags::SYN) {
        field
    } else {
        field << shift
    }
}
