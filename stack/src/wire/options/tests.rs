//! Options octet by octet, and emit against parse.

use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::super::arbitrary::{config, option_octets, options};
use super::super::{ParseError, SackBlock, SackBlocks, UserTimeout};
use super::{OPTIONS_LEN_MAX, OptionOrder, Options};
use crate::seq::SeqNumber;

fn blocks(edges: &[(u32, u32)]) -> SackBlocks {
    let mut blocks = SackBlocks::default();
    for &(left, right) in edges {
        assert!(blocks.push(SackBlock {
            left: SeqNumber(left),
            right: SeqNumber(right)
        }));
    }
    blocks
}

fn parsed(bytes: &[u8]) -> Result<Options, ParseError> {
    let mut options = Options::default();
    options.take_all(bytes).map(|()| options)
}

fn written(options: &Options) -> Vec<u8> {
    let mut bytes = Vec::new();
    options.write(&options.layout(), OptionOrder::Linux, &mut bytes);
    bytes
}

const LINUX_SYN: [u8; 20] = [
    2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 0, 2, 1, 3, 3, 7,
];

fn linux_syn() -> Options {
    Options {
        mss: Some(1_460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some((256, 2)),
        user_timeout: None,
        sack: SackBlocks::default(),
    }
}

/// MUST-4, MUST-14.
#[test]
fn the_options_of_a_common_syn_are_read_and_written() {
    assert_eq!(parsed(&LINUX_SYN), Ok(linux_syn()));
    assert_eq!(written(&linux_syn()), LINUX_SYN);
}

#[test]
fn no_octets_are_no_options() {
    assert_eq!(parsed(&[]), Ok(Options::default()));
    assert_eq!(
        (written(&Options::default()), Options::default().octets()),
        (Vec::new(), 0)
    );
}

/// MUST-64.
#[test]
fn options_begin_at_any_octet() {
    for lead in 0..4 {
        let mut bytes = alloc::vec![1; lead];
        bytes.extend_from_slice(&[2, 4, 5, 0xb4]);
        assert_eq!(
            parsed(&bytes).map(|o| o.mss),
            Ok(Some(1_460)),
            "after {lead} NOPs"
        );
    }
}

/// MUST-6, MUST-68.
#[test]
fn unknown_options_are_skipped_by_their_length() {
    let bytes = [254, 4, 2, 4, 253, 2, 77, 5, 2, 4, 9, 2, 4, 2, 180];
    assert_eq!(
        parsed(&bytes),
        Ok(Options {
            mss: Some(692),
            ..Options::default()
        })
    );
}

/// MUST-4.
#[test]
fn nothing_after_end_of_list_is_read() {
    assert_eq!(parsed(&[0, 2, 4, 1, 1]), Ok(Options::default()));
    assert_eq!(
        parsed(&[1, 0, 2, 0]),
        Ok(Options::default()),
        "not even an illegal length"
    );
}

/// MUST-7.
#[test]
fn a_length_that_hides_the_next_option_is_an_error() {
    for length in [0, 1] {
        let error = ParseError::OptionTooShort {
            kind: 2,
            at: 21,
            length,
        };
        assert_eq!(parsed(&[1, 2, length, 1]), Err(error));
        let error = ParseError::OptionTooShort {
            kind: 99,
            at: 20,
            length,
        };
        assert_eq!(parsed(&[99, length, 0, 0]), Err(error), "unknown kinds too");
    }
    let error = ParseError::OptionOverlong {
        kind: 2,
        at: 22,
        length: 4,
    };
    assert_eq!(parsed(&[1, 1, 2, 4]), Err(error));
    let error = ParseError::OptionOverlong {
        kind: 30,
        at: 20,
        length: 255,
    };
    assert_eq!(parsed(&[30, 255, 0, 0]), Err(error));
    let error = ParseError::OptionWithoutLength { kind: 4, at: 23 };
    assert_eq!(parsed(&[1, 1, 1, 4]), Err(error));
}

#[test]
fn an_option_may_end_where_the_header_ends() {
    assert_eq!(parsed(&[1, 1, 4, 2]).map(|o| o.sack_permitted), Ok(true));
    assert_eq!(parsed(&[1, 1, 1, 1]), Ok(Options::default()));
}

/// MUST-6.
#[test]
fn a_known_option_of_a_wrong_length_is_skipped() {
    for bytes in [
        [2, 3, 9, 0, 0, 0, 0, 0],
        [2, 5, 1, 1, 1, 0, 0, 0],
        [3, 2, 1, 1, 1, 0, 0, 0],
        [3, 4, 7, 7, 1, 0, 0, 0],
        [4, 3, 1, 0, 0, 0, 0, 0],
        [5, 2, 0, 0, 0, 0, 0, 0],
        [5, 8, 1, 1, 1, 1, 1, 1],
        [8, 8, 1, 1, 1, 1, 1, 1],
    ] {
        assert_eq!(parsed(&bytes), Ok(Options::default()), "{bytes:?}");
    }
    let bytes = [2, 6, 9, 9, 9, 9, 3, 3, 7];
    assert_eq!(
        parsed(&bytes),
        Ok(Options {
            window_scale: Some(7),
            ..Options::default()
        })
    );
}

#[test]
fn of_two_of_a_kind_the_last_counts() {
    let bytes = [2, 4, 0, 1, 3, 3, 1, 2, 4, 0, 2, 3, 3, 2, 2, 3, 9];
    let last = Options {
        mss: Some(2),
        window_scale: Some(2),
        ..Options::default()
    };
    assert_eq!(
        parsed(&bytes),
        Ok(last),
        "and one of a wrong length does not"
    );
    let mut bytes = Vec::from([5, 18]);
    bytes.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4]);
    bytes.extend_from_slice(&[5, 10, 0, 0, 0, 5, 0, 0, 0, 6]);
    assert_eq!(parsed(&bytes).map(|o| o.sack), Ok(blocks(&[(5, 6)])));
}

#[test]
fn sack_has_one_to_four_blocks() {
    let edges = [(1, 2), (4, 8), (u32::MAX, 1), (9, 9)];
    for count in 1..=4 {
        let options = Options {
            sack: blocks(&edges[..count]),
            ..Options::default()
        };
        let bytes = written(&options);
        assert_eq!(bytes[..4], [1, 1, 5, 2 + 8 * count as u8]);
        assert_eq!(parsed(&bytes), Ok(options));
    }
    assert!(!blocks(&edges).push(SackBlock::default()));
}

#[test]
fn each_option_alone_is_aligned() {
    let none = Options::default();
    assert_eq!(
        written(&Options {
            mss: Some(536),
            ..none
        }),
        [2, 4, 2, 24]
    );
    assert_eq!(
        written(&Options {
            window_scale: Some(0),
            ..none
        }),
        [1, 3, 3, 0]
    );
    assert_eq!(
        written(&Options {
            sack_permitted: true,
            ..none
        }),
        [1, 1, 4, 2]
    );
    let bytes = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
    assert_eq!(
        written(&Options {
            timestamps: Some((1, 2)),
            ..none
        }),
        bytes
    );
}

#[test]
fn timestamps_leave_room_for_three_blocks() {
    let edges = [(1, 2), (3, 4), (5, 6), (7, 8)];
    let options = Options {
        timestamps: Some((1, 2)),
        sack: blocks(&edges),
        ..Options::default()
    };
    let fitting = Options {
        sack: blocks(&edges[..3]),
        ..options
    };
    assert_eq!((options.octets(), written(&options).len()), (40, 40));
    assert_eq!(parsed(&written(&options)), Ok(fitting));
}

/// MUST-69: the padding is zero.
#[test]
fn alignment_gives_way_to_options() {
    // MSS, timestamps and three blocks are exactly 40 octets, without a single no-operation.
    let options = Options {
        mss: Some(1),
        timestamps: Some((2, 3)),
        sack: blocks(&[(1, 2), (3, 4), (5, 6)]),
        ..Options::default()
    };
    assert_eq!(parsed(&written(&options)), Ok(options));
    // SACK-permitted, window scale and four blocks: 39, and one zero.
    let options = Options {
        window_scale: Some(1),
        sack_permitted: true,
        sack: blocks(&[(1, 2), (3, 4), (5, 6), (7, 8)]),
        ..Options::default()
    };
    let bytes = written(&options);
    assert_eq!((bytes.len(), bytes[39]), (40, 0));
    assert_eq!(parsed(&bytes), Ok(options));
}

#[test]
fn each_system_has_its_order() {
    let layout = linux_syn().layout();
    let mut bytes = Vec::new();
    linux_syn().write(&layout, OptionOrder::FreeBsd, &mut bytes);
    let kinds: Vec<u8> = [0, 4, 5, 8, 10].map(|at| bytes[at]).into();
    assert_eq!(kinds, [2, 1, 3, 4, 8], "mss, nop, wscale, sackOK, TS");
    assert_eq!((bytes.len(), parsed(&bytes)), (20, Ok(linux_syn())));
    let alone = Options {
        window_scale: Some(7),
        ..Options::default()
    };
    bytes.clear();
    alone.write(&alone.layout(), OptionOrder::FreeBsd, &mut bytes);
    assert_eq!(bytes, [1, 3, 3, 7]);
}

#[test]
fn the_user_timeout_stands_before_the_blocks() {
    let options = Options {
        user_timeout: Some(UserTimeout::from_bits(0x8002)),
        sack: blocks(&[(1, 2)]),
        ..Options::default()
    };
    let bytes = written(&options);
    assert_eq!(bytes[..6], [28, 4, 0x80, 2, 1, 1]);
    assert_eq!((bytes.len(), parsed(&bytes)), (16, Ok(options)));
    assert_eq!(options.to_string(), " UTO=120s SACK=1-2");
}

#[test]
fn options_are_shown_in_one_line() {
    let shown = " MSS=1460 SACK-PERMITTED TS=256/2 WS=7";
    assert_eq!(linux_syn().to_string(), shown);
    let options = Options {
        sack: blocks(&[(1, 2), (5, 8)]),
        ..Options::default()
    };
    assert_eq!(options.to_string(), " SACK=1-2,5-8");
    assert_eq!(Options::default().to_string(), "");
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn what_is_written_is_read_but_for_blocks_without_room(options in options()) {
        let bytes = written(&options);
        prop_assert!(bytes.len() <= OPTIONS_LEN_MAX && bytes.len().is_multiple_of(4));
        prop_assert_eq!(bytes.len(), usize::from(options.octets()));
        let read = parsed(&bytes).expect("our own options");
        let kept = read.sack.as_slice();
        prop_assert_eq!(kept, &options.sack.as_slice()[..kept.len()]);
        prop_assert_eq!(Options { sack: options.sack, ..read }, options);
        let one_more = bytes.len() + 8 - usize::from(bytes.last() == Some(&0)) * 3;
        prop_assert!(kept.len() == options.sack.as_slice().len() || one_more > OPTIONS_LEN_MAX);
    }

    #[test]
    fn whatever_was_read_has_room_when_written(bytes in option_octets()) {
        if let Ok(options) = parsed(&bytes) {
            prop_assert_eq!(parsed(&written(&options)), Ok(options));
        }
    }
}
