//! The path MTU of one connection: found by ICMP (RFC 1191, RFC 8201), guarded as RFC 5927 §7.2
//! proposes, and guessed where routers keep silent (RFC 2923 §2.1).
//!
//! It is kept per connection and not per destination, which both RFCs allow: so there is no table
//! to bound or to poison, and what is forged about one connection touches no other.

use super::Connection;
use crate::config::{BlackHole, Config};
use crate::context::Context;
use crate::recovery::Frto;
use crate::resting::{Rest, Resting};
use crate::seq::SeqNumber;
use crate::time::Instant;
use crate::timestamps::OPTION_OCTETS;
use crate::wire::HEADER_LEN;

/// What is known of the path.
#[derive(Debug)]
pub(crate) struct PathMtu {
    /// The largest datagram to send, IP header included.
    mtu: u16,
    /// The largest that has arrived (`maxsizeacked` of RFC 5927 §7.2).
    proven: u16,
    /// Routers may fragment: a link carries less than the floor.
    fragment: bool,
    open: Resting<OpenQuestions>,
}

/// What is not known yet of the path.
#[derive(Debug)]
struct OpenQuestions {
    /// A claim that contradicts what is proven, until silence confirms it.
    claim: Option<Claim>,
    /// When the path MTU was last lowered below what the own link carries.
    lowered_at: Option<Instant>,
    /// What it was before black-hole detection lowered it, during one spell of silence.
    before_silence: Option<u16>,
}

impl Rest for OpenQuestions {
    const REST: Self = Self {
        claim: None,
        lowered_at: None,
        before_silence: None,
    };
    const AT_REST: &'static Self = &Self::REST;

    fn is_at_rest(&self, _now: Instant) -> bool {
        self.claim.is_none() && self.lowered_at.is_none() && self.before_silence.is_none()
    }
}

/// A message that says: smaller than what has already arrived.
#[derive(Clone, Copy, Debug)]
struct Claim {
    mtu: u16,
    /// It says even less than the floor.
    below_floor: bool,
    /// The segment that it quotes.
    seq: SeqNumber,
}

/// What became of a report that a datagram was too big.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooBig {
    /// The path MTU is now this.
    Taken(u16),
    /// It waits for confirmation.
    Waits,
    /// It asks for nothing that is not done already, or for nonsense.
    Useless,
}

impl PathMtu {
    /// A path of which only the own link is known.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            mtu: config.mtu,
            proven: 0,
            fragment: false,
            open: Resting::new(),
        }
    }

    /// The largest datagram to send, IP header included.
    pub(crate) fn mtu(&self) -> u16 {
        self.mtu
    }

    /// Whether the IPv4 header says that no router may fragment (RFC 1191 §2, §3).
    pub(crate) fn dont_fragment(&self) -> bool {
        !self.fragment
    }

    /// Everything before `una` is acknowledged, and with it perhaps a datagram of the size that it
    /// was to prove.
    #[inline]
    pub(crate) fn acknowledged(&mut self, una: SeqNumber, proving: &mut Option<(SeqNumber, u16)>) {
        if let Some((end, size)) = *proving
            && end.at_or_before(una)
        {
            self.proven = size;
            *proving = None;
        }
        if self.open.claim.is_some_and(|claim| claim.seq.before(una)) {
            self.open.claim = None; // It has arrived, so it was not too big.
        }
    }

    /// Gives back the memory of questions that are answered.
    pub(crate) fn settle(&mut self, now: Instant) {
        self.open.settle(now);
    }

    fn lower(&mut self, mtu: u16, now: Instant) {
        self.mtu = mtu;
        self.open.lowered_at = Some(now);
        self.open.claim = None;
        if self.proven > mtu {
            self.proven = 0; // The path is another one.
        }
    }
}

impl Connection {
    /// A router says that the datagram with `seq`, `length` octets long, was too big for a link
    /// that carries `mtu`; 0: it does not say how much. `careful`: RFC 5927 §7.2 is followed.
    pub(crate) fn too_big(
        &mut self,
        mtu: u32,
        length: u32,
        seq: SeqNumber,
        careful: bool,
        cx: &Context<'_>,
    ) -> TooBig {
        let reported = match mtu {
            0 if self.is_v4() => plateau_below(length),
            mtu => mtu,
        };
        let floor = floor(cx.config, self.is_v4());
        if reported < u32::from(floor) && !self.is_v4() {
            return TooBig::Useless; // RFC 8201 §4: no link of IPv6 carries so little.
        }
        let below_floor = reported < u32::from(floor);
        let mtu = u16::try_from(reported).unwrap_or(u16::MAX).max(floor);
        let nothing_new = mtu >= self.path.mtu && (!below_floor || self.path.fragment);
        let not_sent = reported >= u32::from(self.largest_sent());
        if nothing_new || careful && not_sent {
            return TooBig::Useless; // It never grows by a message (RFC 1191 §3, RFC 8201 §4).
        }
        if careful && mtu < self.path.proven {
            self.path.open.claim = Some(Claim {
                mtu,
                below_floor,
                seq,
            });
            return TooBig::Waits;
        }
        self.path.fragment |= below_floor;
        self.lower_path_mtu(mtu, cx);
        self.resend_from(seq);
        TooBig::Taken(mtu)
    }

    /// A retransmission timeout: the claim about an octet that still nobody acknowledges is
    /// believed (RFC 5927 §7.2, MAXSEGRTO = 1), or a black hole is suspected.
    pub(crate) fn path_mtu_timeout(&mut self, cx: &Context<'_>) {
        if let Some(claim) = self.path.open.claim {
            self.path.fragment |= claim.below_floor;
            self.lower_path_mtu(claim.mtu, cx);
        } else if let Some(detection) = cx.config.black_hole {
            self.suspect_black_hole(detection, cx);
        }
    }

    /// After so many timeouts in a row, and again after as many, smaller segments are tried; when
    /// no smaller ones are left, it was not their size.
    fn suspect_black_hole(&mut self, detection: BlackHole, cx: &Context<'_>) {
        let timeouts = u32::from(detection.timeouts.max(1));
        let count = self.timers.retransmissions;
        if count == timeouts {
            self.path.open.before_silence = None;
        }
        if !count.is_multiple_of(timeouts) {
            return;
        }
        let stuck = self.send.outstanding().min(u32::from(self.send.smss));
        let smaller = |mss: &u16| u32::from(*mss) < stuck;
        let floor = floor(cx.config, self.is_v4());
        let sizes = detection.mss.iter().copied().filter(smaller);
        let mtu = sizes.map(|mss| (mss + self.headers()).max(floor)).max();
        match mtu.filter(|mtu| *mtu < self.path.mtu) {
            Some(mtu) => {
                self.path.open.before_silence.get_or_insert(self.path.mtu);
                self.lower_path_mtu(mtu, cx);
            }
            None => {
                if let Some(before) = self.path.open.before_silence.take() {
                    self.raise_to(before);
                }
            }
        }
    }

    /// After some minutes a larger path MTU is tried (RFC 1191 §6.3, RFC 8201 §4): the route may
    /// have changed. Asked before something new is sent.
    #[inline]
    pub(crate) fn raise_path_mtu(&mut self, cx: &Context<'_>) {
        let due = |at: &Instant| cx.now - *at >= cx.config.path_mtu_raise_after;
        if self.path.open.lowered_at.filter(due).is_some() {
            self.path.open.lowered_at = None;
            self.path.fragment = false;
            self.raise_to(cx.config.mtu);
        }
    }

    fn raise_to(&mut self, mtu: u16) {
        self.path.mtu = mtu;
        self.resize();
    }

    fn lower_path_mtu(&mut self, mtu: u16, cx: &Context<'_>) {
        self.path.lower(mtu, cx.now);
        self.send.out.proving = None;
        self.resize();
    }

    /// The effective send MSS follows the path MTU (RFC 9293 §3.7.1, MUST-16). Outstanding octets
    /// are cut anew when they are sent again.
    fn resize(&mut self) {
        let before = self.send.smss;
        let fits = self.path.mtu.saturating_sub(self.headers()).max(1);
        let stamp = self.timestamps.map_or(0, |_| OPTION_OCTETS);
        self.send.smss = self.send.mss_max.min(fits).saturating_sub(stamp).max(1);
        self.congestion
            .resize(before, self.send.smss, self.send.nxt);
    }

    /// What was too big is lost for certain: it is sent again at once, and cwnd stays as it is:
    /// congestion had no part in it (RFC 1191 §6.4, RFC 8201 §5.4).
    fn resend_from(&mut self, seq: SeqNumber) {
        if !self.send.syn_acked || self.send.outstanding() == 0 {
            return;
        }
        self.send.out.frto = Frto::Off;
        if let Some(recovery) = self.recovery.as_mut() {
            recovery.board.lose_from(seq);
            recovery.force = true;
            self.timers.retransmit = Instant::MAX;
            return;
        }
        let start = match self.send.out.rexmit {
            Some((start, _)) => start.min(seq),
            None => seq,
        };
        let start = start.max(self.send.una);
        self.send.out.rexmit = Some((start, self.send.nxt));
        self.timers.retransmit = Instant::MAX; // It starts with what is sent again.
    }

    /// A segment of so many octets, header included, is sent; its last one is before `end`.
    #[inline]
    pub(crate) fn note_size(&mut self, end: SeqNumber, segment: usize) {
        let ip = self.headers() - HEADER_LEN as u16;
        let size = (segment as u16).saturating_add(ip);
        if size > self.largest_sent() {
            self.send.out.proving = Some((end, size));
        }
    }

    /// The largest datagram sent since the path MTU last fell (`maxsizesent`).
    fn largest_sent(&self) -> u16 {
        let proving = self.send.out.proving;
        proving.map_or(self.path.proven, |(_, size)| size)
    }

    fn headers(&self) -> u16 {
        let ip = if self.is_v4() { 20 } else { 40 };
        ip + HEADER_LEN as u16
    }

    pub(crate) fn is_v4(&self) -> bool {
        self.tuple.remote.ip().is_ipv4()
    }
}

/// No message lowers the path MTU below this.
fn floor(config: &Config, v4: bool) -> u16 {
    match v4 {
        true => config.path_mtu_min.max(MIN_MTU_V4),
        false => MIN_MTU_V6,
    }
}

/// The largest common MTU below `length`, for routers that do not tell theirs (RFC 1191 §5, §7).
fn plateau_below(length: u32) -> u32 {
    let smaller = |plateau: &&u16| u32::from(**plateau) < length;
    u32::from(PLATEAUS.iter().find(smaller).copied().unwrap_or(MIN_MTU_V4))
}

/// RFC 1191 table 7-1.
const PLATEAUS: [u16; 11] = [
    65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68,
];
/// The least MTU of a link in IPv4 (RFC 791) and in IPv6 (RFC 8200 §5).
const MIN_MTU_V4: u16 = 68;
const MIN_MTU_V6: u16 = 1280;

#[cfg(test)]
mod tests {
    use super::plateau_below;

    #[test]
    fn plateaus_lie_below_what_was_too_big() {
        let found = [65_536, 65_535, 1500, 1492, 576, 69, 68, 20].map(plateau_below);
        assert_eq!(found, [65_535, 32_000, 1492, 1006, 508, 68, 68, 68]);
    }
}
