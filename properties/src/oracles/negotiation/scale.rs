//! The window scale option (RFC 7323 §2).

use timewait_stack::Config;
use timewait_stack::config::WindowScale;
use timewait_stack::wire::Flags;

use super::Syns;
use crate::facts::SegmentHeader;
use crate::reference::SHIFT_MAX;

/// SO_RCVBUF, in octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer {
    /// As it is; `None`: not known.
    pub(super) now: Option<u32>,
    /// The most that any connection of the host has: a smaller one takes nothing back (SHLD-14).
    pub(super) largest: u32,
}

/// What is wrong with the option of a segment and with its window, one sentence each.
pub(super) fn wrong(
    segment: &SegmentHeader,
    syns: &Syns,
    buffer: Buffer,
    config: &Config,
) -> impl Iterator<Item = String> {
    let wrong = if segment.has(Flags::SYN) {
        let scaled = buffer.now.and_then(|octets| scaled_syn(segment, octets));
        [option(segment, syns, config), scaled]
    } else {
        [stray(segment), beyond_buffer(segment, syns, buffer.largest)]
    };
    let say = move |what: &str| format!("{what}: {segment}");
    wrong.into_iter().flatten().map(say)
}

fn option(segment: &SegmentHeader, syns: &Syns, config: &Config) -> Option<&'static str> {
    let shift = segment.window_scale?;
    if shift > SHIFT_MAX {
        Some("RFC 7323 §2.3: a shift of more than 14")
    } else if config.window_scale == WindowScale::Off {
        Some("a window scale option of a host that does not scale windows")
    } else if segment.has(Flags::ACK) && syns.peer.is_some_and(|syn| syn.window_scale.is_none()) {
        Some("R7323-01: a SYN-ACK with a window scale option, the SYN had none")
    } else {
        None
    }
}

/// In a SYN the field is what is left of the buffer once scaled, and not the buffer.
fn scaled_syn(segment: &SegmentHeader, buffer: u32) -> Option<&'static str> {
    let shift = u32::from(segment.window_scale?.min(SHIFT_MAX));
    let field = u32::from(segment.window);
    let whole = buffer.min(u16::MAX.into());
    (field < whole && field == buffer >> shift).then_some("R7323-03: the window of a SYN is scaled")
}

fn stray(segment: &SegmentHeader) -> Option<&'static str> {
    segment.window_scale?;
    Some("R7323-01: a window scale option without SYN")
}

/// What the peer makes of the window field is never more than the buffer holds.
fn beyond_buffer(segment: &SegmentHeader, syns: &Syns, buffer: u32) -> Option<&'static str> {
    let (own, peer) = (syns.own?, syns.peer?);
    let both = own.window_scale.filter(|_| peer.window_scale.is_some());
    let shift = both.unwrap_or(0).min(SHIFT_MAX);
    let offered = u64::from(segment.window) << shift;
    let means = segment.has(Flags::ACK) && !segment.has(Flags::RST);
    (means && offered > u64::from(buffer))
        .then_some("R7323-13: as the peer reads it, the window is larger than the buffer")
}

#[cfg(test)]
mod tests {
    use super::{Buffer, wrong};
    use crate::facts::SegmentHeader;
    use crate::oracles::negotiation::Syns;
    use timewait_stack::Config;
    use timewait_stack::config::WindowScale;
    use timewait_stack::wire::Flags;

    const SYN: Flags = Flags::SYN;
    const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
    /// Takes a shift of 4.
    const BUFFER: u32 = 1 << 20;

    fn config() -> Config {
        Config::new(Vec::new(), [0; 32])
    }

    /// One that was never changed.
    const PLAIN: Buffer = Buffer {
        now: Some(BUFFER),
        largest: BUFFER,
    };

    fn segment(flags: Flags, window: u16, window_scale: Option<u8>) -> SegmentHeader {
        SegmentHeader {
            flags,
            window,
            window_scale,
            ..SegmentHeader::default()
        }
    }

    fn syns(own: Option<u8>, peer: Option<u8>) -> Syns {
        Syns {
            own: Some(segment(SYN_ACK, u16::MAX, own)),
            peer: Some(segment(SYN, u16::MAX, peer)),
        }
    }

    fn found(segment: &SegmentHeader, syns: &Syns) -> String {
        wrong(segment, syns, PLAIN, &config()).collect()
    }

    #[test]
    fn r7323_01_the_option_stands_on_syns_and_answers_one() {
        let offer = segment(SYN, u16::MAX, Some(4));
        assert_eq!(found(&offer, &Syns::default()), "");
        let answer = segment(SYN_ACK, u16::MAX, Some(4));
        assert_eq!(found(&answer, &syns(None, Some(0))), "");
        assert!(found(&answer, &syns(None, None)).contains("the SYN had none"));
        let stray = segment(Flags::ACK, 10, Some(4));
        assert!(found(&stray, &syns(Some(4), Some(4))).contains("without SYN"));
        let off = Config {
            window_scale: WindowScale::Off,
            ..config()
        };
        assert_eq!(wrong(&offer, &Syns::default(), PLAIN, &off).count(), 1);
    }

    #[test]
    fn r7323_02_no_shift_is_larger_than_14() {
        let syn = |shift| found(&segment(SYN, u16::MAX, Some(shift)), &Syns::default());
        assert_eq!(syn(14), "");
        assert!(syn(15).contains("§2.3"));
    }

    #[test]
    fn r7323_03_the_window_of_a_syn_is_not_scaled() {
        let syn = |window, shift| found(&segment(SYN, window, shift), &Syns::default());
        assert!(syn(u16::MAX, Some(5)).is_empty() && syn(u16::MAX, None).is_empty());
        assert!(syn((BUFFER >> 5) as u16, Some(5)).contains("R7323-03"));
        assert_eq!(syn(20_000, Some(5)), "", "less than the buffer is allowed");
    }

    /// What a larger buffer has offered stays offered (SHLD-14).
    #[test]
    fn a_buffer_made_smaller_excuses_the_window_and_one_that_is_not_known_the_syn() {
        let said = |segment, buffer| {
            let both = syns(Some(5), Some(0));
            wrong(&segment, &both, buffer, &config()).count()
        };
        let smaller = Buffer {
            now: Some(2000),
            ..PLAIN
        };
        let whole = segment(Flags::ACK, (BUFFER >> 5) as u16, None);
        assert_eq!(said(whole, smaller), 0);
        let syn = segment(SYN_ACK, (BUFFER >> 5) as u16, Some(5));
        assert_eq!(said(syn, PLAIN), 1);
        assert_eq!(said(syn, Buffer { now: None, ..PLAIN }), 0);
    }

    #[test]
    fn r7323_13_windows_are_scaled_where_both_syns_said_so() {
        let ack = |window| segment(Flags::ACK, window, None);
        let both = syns(Some(5), Some(0));
        assert_eq!(found(&ack((BUFFER >> 5) as u16), &both), "");
        assert!(found(&ack((BUFFER >> 5) as u16 + 1), &both).contains("R7323-13"));
        assert!(
            found(&ack(u16::MAX), &both).contains("R7323-13"),
            "not scaled"
        );
        for one in [syns(Some(5), None), syns(None, Some(5))] {
            assert_eq!(found(&ack(u16::MAX), &one), "");
        }
        assert_eq!(found(&ack(u16::MAX), &Syns::default()), "", "a cookie");
    }
}
