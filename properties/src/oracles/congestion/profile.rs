//! What the RFCs let congestion control do at most, whatever the profile of a host.

/// L: by so many segments one ACK may let cwnd grow in slow start (RFC 3465 §2.2; RFC 5681 §3.1
/// has 1).
pub(super) const SLOW_START_LIMIT: u32 = 2;

/// IW, which is also the restart window (RFC 6928 §2; RFC 5681 §3.1 and §4.1 have less).
pub(super) fn initial_window(smss: u32) -> u32 {
    (10 * smss).min((2 * smss).max(14_600))
}

/// The most that ssthresh may be after a loss with this flight: 0.7 of it (RFC 9438 §4.6; RFC 5681
/// §3.1, equation 4, has half).
pub(super) fn threshold(flight: u32, smss: u32) -> u32 {
    let left = u64::from(flight) * 7 / 10;
    u32::try_from(left).unwrap_or(u32::MAX).max(2 * smss)
}

/// How far cwnd may rise for this much acknowledged above ssthresh: the target of one round trip
/// is at most half as large again (RFC 9438 §4.2, §4.4).
pub(super) fn avoidance(acked: u32) -> u32 {
    acked / 2 + 1
}
