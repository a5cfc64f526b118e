//! The maximum segment size (RFC 9293 §3.7.1).

use core::net::IpAddr;
use timewait_stack::wire::Flags;

use crate::facts::SegmentHeader;

/// What is wrong with the MSS option of a segment, or with its absence.
pub(super) fn option(segment: &SegmentHeader, address: IpAddr, mtu: u16) -> Option<String> {
    let most = room(address, mtu);
    let syn = segment.has(Flags::SYN);
    match segment.mss {
        Some(_) if !syn => Some(format!("MUST-65: an MSS option without SYN: {segment}")),
        Some(mss) if mss > most => Some(format!(
            "MUST-67: it offers an MSS of {mss}, the link carries {most}: {segment}"
        )),
        None if syn && most != default(address) => {
            Some(format!("SHLD-5: a SYN without MSS option: {segment}"))
        }
        _ => None,
    }
}

/// What is wrong with the size of a segment, its options included: they take the place of text.
pub(super) fn size(
    segment: &SegmentHeader,
    peer: &SegmentHeader,
    address: IpAddr,
    mtu: u16,
) -> Option<String> {
    let most = u32::from(peer.mss.unwrap_or(default(address)).min(room(address, mtu)));
    let size = segment.text_len + segment.option_octets();
    (segment.text_len > 0 && size > most).then(|| {
        format!("MUST-16: {size} octets of text and options, at most {most} are allowed: {segment}")
    })
}

/// The largest segment without options that the link carries, less its header.
fn room(address: IpAddr, mtu: u16) -> u16 {
    let headers = if address.is_ipv4() { 20 } else { 40 } + 20;
    mtu.saturating_sub(headers)
}

/// MUST-15.
const fn default(address: IpAddr) -> u16 {
    if address.is_ipv4() { 536 } else { 1220 }
}
