//! A box that takes options out of segments, or turns their order round. What it leaves is aligned
//! by nothing, which every receiver must bear (RFC 9293 §3.1, MUST-64).

use timewait_sim::Payload;
use timewait_stack::wire::{Flags, HEADER_LEN, finish_checksum};

use super::{Out, Passing};
use crate::event::BoxEvent;
use crate::scenario::boxes::{OptionsPlan, Strip};

/// A sound segment passes.
pub(super) fn segment(plan: &OptionsPlan, passing: Passing, out: &mut Out) {
    let mut transit = passing.transit;
    if plan.syns_only && !passing.flags.contains(Flags::SYN) {
        return out.onward(transit);
    }
    let sent = transit.sent_mut();
    if let Some(mut octets) = rewritten(plan, sent.payload.octets()) {
        finish_checksum(sent.src, sent.dst, &mut octets);
        sent.payload = Payload::new(octets);
        out.events.push_back(BoxEvent::OptionsChanged);
    }
    out.onward(transit);
}

/// The segment with other options; `None`: it stays as it is. The checksum is left to the caller.
fn rewritten(plan: &OptionsPlan, octets: &[u8]) -> Option<Vec<u8>> {
    let text_at = usize::from(octets.get(12)? >> 4) * 4;
    let list = octets.get(HEADER_LEN..text_at)?;
    let mut options = parsed(list)?;
    let before = options.len();
    options.retain(|option| !plan.strip.takes(option[0]));
    if options.len() == before && !(plan.reversed && before > 1) {
        return None;
    }
    if plan.reversed {
        options.reverse();
    }
    let mut list_now = options.concat();
    let room = match plan.padded {
        true => list.len(),
        false => list_now.len().next_multiple_of(4),
    };
    list_now.resize(room, NO_OPERATION);
    let mut rewritten = octets[..HEADER_LEN].to_vec();
    rewritten[12] = (((HEADER_LEN + room) / 4) as u8) << 4 | octets[12] & 0x0f;
    rewritten.extend(list_now);
    rewritten.extend_from_slice(&octets[text_at..]);
    Some(rewritten)
}

/// The options of a list, each with its kind and its length; `None`: the list is broken.
fn parsed(mut list: &[u8]) -> Option<Vec<&[u8]>> {
    let mut options = Vec::new();
    loop {
        match *list {
            [] | [END_OF_LIST, ..] => return Some(options),
            [NO_OPERATION, ref rest @ ..] => list = rest,
            [_, length, ..] if length >= 2 => {
                let (option, rest) = list.split_at_checked(usize::from(length))?;
                options.push(option);
                list = rest;
            }
            _ => return None,
        }
    }
}

impl Strip {
    /// Whether it takes options of this kind.
    const fn takes(&self, kind: u8) -> bool {
        match kind {
            2 => self.mss,
            3 => self.window_scale,
            4 => self.sack_permitted,
            5 => false,
            8 => self.timestamps,
            _ => self.unknown,
        }
    }
}

const END_OF_LIST: u8 = 0;
const NO_OPERATION: u8 = 1;

#[cfg(test)]
mod tests {
    use timewait_stack::SeqNumber;
    use timewait_stack::wire::{Flags, Options, Segment, UserTimeout};

    use super::rewritten;
    use crate::scenario::boxes::{OptionsPlan, Strip};

    const PLAN: OptionsPlan = OptionsPlan {
        strip: Strip {
            mss: false,
            window_scale: false,
            sack_permitted: false,
            timestamps: false,
            unknown: false,
        },
        syns_only: false,
        reversed: false,
        padded: false,
    };

    fn all() -> Options {
        Options {
            mss: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some((1, 2)),
            user_timeout: Some(UserTimeout::from_bits(9)),
            ..Options::default()
        }
    }

    fn octets() -> Vec<u8> {
        let segment = Segment {
            source_port: 1,
            destination_port: 2,
            seq: SeqNumber(3),
            ack: SeqNumber(0),
            flags: Flags::SYN,
            window: 5,
            urgent: 0,
            options: all(),
            text: b"text",
        };
        let mut octets = Vec::new();
        segment.emit([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), &mut octets);
        octets
    }

    fn options(plan: &OptionsPlan) -> (Options, usize) {
        let octets = rewritten(plan, &octets()).expect("changed");
        let segment = Segment::parse(&octets).expect("a segment");
        assert_eq!((segment.text, segment.seq), (&b"text"[..], SeqNumber(3)));
        (segment.options, octets.len())
    }

    #[test]
    fn each_option_can_be_taken_out_alone() {
        type Case = (fn(&mut Strip), fn(&mut Options));
        let cases: [Case; 5] = [
            (|strip| strip.mss = true, |left| left.mss = None),
            (
                |strip| strip.window_scale = true,
                |left| left.window_scale = None,
            ),
            (
                |strip| strip.sack_permitted = true,
                |left| left.sack_permitted = false,
            ),
            (
                |strip| strip.timestamps = true,
                |left| left.timestamps = None,
            ),
            (
                |strip| strip.unknown = true,
                |left| left.user_timeout = None,
            ),
        ];
        for (strip, take) in cases {
            for reversed in [false, true] {
                let mut plan = OptionsPlan { reversed, ..PLAN };
                strip(&mut plan.strip);
                let mut left = all();
                take(&mut left);
                assert_eq!(options(&plan).0, left);
            }
        }
    }

    #[test]
    fn what_is_padded_keeps_its_length() {
        let strip = Strip {
            timestamps: true,
            ..PLAN.strip
        };
        let shorter = options(&OptionsPlan { strip, ..PLAN }).1;
        let padded = true;
        let same = options(&OptionsPlan {
            strip,
            padded,
            ..PLAN
        })
        .1;
        assert!(shorter < same);
        assert_eq!(same, octets().len());
    }

    #[test]
    fn who_takes_nothing_changes_nothing() {
        assert_eq!(rewritten(&PLAN, &octets()), None);
        let reversed = true;
        assert_eq!(options(&OptionsPlan { reversed, ..PLAN }).0, all());
    }

    #[test]
    fn any_octets_are_read_to_some_end() {
        let strip = Strip {
            mss: true,
            window_scale: true,
            sack_permitted: true,
            timestamps: true,
            unknown: true,
        };
        let plan = OptionsPlan { strip, ..PLAN };
        let whole = octets();
        for cut in 0..whole.len() {
            let _ = rewritten(&plan, &whole[..cut]);
            let mut broken = whole.clone();
            broken[cut] = 255;
            let _ = rewritten(&plan, &broken);
            broken[cut] = 0;
            let _ = rewritten(&plan, &broken);
        }
    }
}
