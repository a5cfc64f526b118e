//! The timestamps option (RFC 7323 §3 and §4).

use timewait_stack::Config;
use timewait_stack::wire::Flags;

use super::Syns;
use crate::facts::SegmentHeader;
use crate::reference::older;

/// What one incarnation has said by its clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The last TSval.
    value: Option<u32>,
}

impl Clock {
    /// What is wrong with the option of a segment, or with its absence; `recent` is TS.Recent as
    /// the datagrams tell it. One sentence each.
    pub(super) fn sent(
        &mut self,
        segment: &SegmentHeader,
        syns: &Syns,
        recent: Option<u32>,
        config: &Config,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some((value, echo)) = segment.timestamps {
            wrong.extend(unwanted(segment, syns, config));
            wrong.extend(echoes(segment, echo, recent));
            if self.value.is_some_and(|last| older(value, last)) {
                wrong.push("RFC 7323 §4.1: TSval goes back");
            }
            self.value = Some(value);
        } else if missing(segment, syns) {
            wrong.push("R7323-05: both SYNs had timestamps, it has none");
        }
        let say = |what: &str| format!("{what}: {segment}");
        wrong.into_iter().map(say).collect()
    }
}

/// §3.2: each segment has the option once both SYNs had it, but a RST need not.
fn missing(segment: &SegmentHeader, syns: &Syns) -> bool {
    let exempt = segment.flags.intersects(Flags::SYN | Flags::RST);
    !exempt && syns.both(|syn| syn.timestamps.is_some()) == Some(true)
}

/// §3.2: it is offered by SYNs, answered in SYN-ACKs, and used only if both had it.
fn unwanted(segment: &SegmentHeader, syns: &Syns, config: &Config) -> Option<&'static str> {
    let asked = syns.peer.is_none_or(|syn| syn.timestamps.is_some());
    if !config.timestamps {
        Some("timestamps of a host that does not use them")
    } else if segment.has(Flags::SYN | Flags::ACK) && !asked {
        Some("R7323-04: a SYN-ACK with timestamps, the SYN had none")
    } else if !segment.has(Flags::SYN) && syns.both(|syn| syn.timestamps.is_some()) == Some(false) {
        Some("R7323-04: timestamps without agreement")
    } else {
        None
    }
}

/// §3.2 and §4.3: TSecr is TS.Recent where there is an ACK, and zero where there is none.
fn echoes(segment: &SegmentHeader, echo: u32, recent: Option<u32>) -> Option<&'static str> {
    if !segment.has(Flags::ACK) {
        (echo != 0).then_some("R7323-07: an echo in a segment without ACK")
    } else if recent.is_some_and(|recent| recent != echo) {
        Some("RFC 7323 §4.3: TSecr is not TS.Recent")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use crate::facts::SegmentHeader;
    use crate::oracles::negotiation::Syns;
    use timewait_stack::Config;
    use timewait_stack::wire::Flags;

    const ACK: Flags = Flags::ACK;
    const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);

    fn segment(flags: Flags, timestamps: Option<(u32, u32)>) -> SegmentHeader {
        SegmentHeader {
            flags,
            timestamps,
            ..SegmentHeader::default()
        }
    }

    /// Whether the own SYN-ACK and the peer's SYN had the option.
    fn syns(own: bool, peer: bool) -> Syns {
        Syns {
            own: Some(segment(SYN_ACK, own.then_some((1, 2)))),
            peer: Some(segment(Flags::SYN, peer.then_some((2, 0)))),
        }
    }

    /// What is found where TS.Recent is 7.
    fn found(clock: &mut Clock, segment: &SegmentHeader, syns: &Syns) -> String {
        let config = Config::new(Vec::new(), [0; 32]);
        clock.sent(segment, syns, Some(7), &config).concat()
    }

    fn once(flags: Flags, timestamps: Option<(u32, u32)>, syns: &Syns) -> String {
        found(&mut Clock::default(), &segment(flags, timestamps), syns)
    }

    #[test]
    fn r7323_05_by_agreement_every_segment_but_a_rst_has_them() {
        let both = syns(true, true);
        assert_eq!(once(ACK, Some((5, 7)), &both), "");
        assert!(once(ACK, None, &both).contains("R7323-05"));
        assert!(once(ACK | Flags::FIN, None, &both).contains("R7323-05"));
        assert_eq!(once(ACK | Flags::RST, None, &both), "");
        assert_eq!(once(ACK, None, &Syns::default()), "", "a cookie");
    }

    #[test]
    fn r7323_04_without_agreement_no_segment_has_them() {
        for one in [syns(true, false), syns(false, true), syns(false, false)] {
            assert_eq!(once(ACK, None, &one), "");
            assert!(once(ACK, Some((5, 7)), &one).contains("R7323-04"));
            assert!(once(ACK | Flags::RST, Some((5, 7)), &one).contains("R7323-04"));
        }
        let offered = syns(false, true);
        assert_eq!(once(SYN_ACK, Some((5, 7)), &offered), "");
        let plain = syns(false, false);
        assert!(once(SYN_ACK, Some((5, 7)), &plain).contains("the SYN had none"));
        assert_eq!(once(Flags::SYN, Some((5, 0)), &Syns::default()), "");
        let off = Config {
            timestamps: false,
            ..Config::new(Vec::new(), [0; 32])
        };
        let syn = segment(Flags::SYN, Some((5, 0)));
        let wrong = Clock::default().sent(&syn, &Syns::default(), None, &off);
        assert!(wrong.concat().contains("does not use them"));
    }

    #[test]
    fn r7323_07_tsecr_is_ts_recent_or_zero_without_ack() {
        let both = syns(true, true);
        assert!(once(ACK, Some((5, 6)), &both).contains("TS.Recent"));
        assert!(once(Flags::SYN, Some((5, 7)), &Syns::default()).contains("R7323-07"));
        assert_eq!(once(Flags::RST, Some((5, 0)), &both), "");
    }

    #[test]
    fn tsval_never_goes_back() {
        let both = syns(true, true);
        let mut clock = Clock::default();
        let mut at = |value| found(&mut clock, &segment(ACK, Some((value, 7))), &both);
        assert!(at(u32::MAX).is_empty() && at(u32::MAX).is_empty() && at(3).is_empty());
        assert!(at(2).contains("§4.1"));
    }
}
