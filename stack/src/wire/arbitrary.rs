//! Generated segments for the property tests.

use alloc::vec::Vec;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{Flags, Header, Options, SackBlock, SackBlocks, UserTimeout};
use crate::seq::SeqNumber;

/// The same cases in every run, and no file beside the sources.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(0x7131),
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

/// Any options, also more than a header can hold.
pub(super) fn options() -> impl Strategy<Value = Options> {
    let timestamps = any::<Option<(u32, u32)>>();
    (
        any::<Option<u16>>(),
        any::<Option<u8>>(),
        any::<bool>(),
        timestamps,
        any::<Option<u16>>(),
        sack(),
    )
        .prop_map(
            |(mss, window_scale, sack_permitted, timestamps, user_timeout, sack)| Options {
                mss,
                window_scale,
                sack_permitted,
                timestamps,
                user_timeout: user_timeout.map(UserTimeout::from_bits),
                sack,
            },
        )
}

fn sack() -> impl Strategy<Value = SackBlocks> {
    vec(any::<(u32, u32)>(), 0..=4).prop_map(|edges| {
        let mut blocks = SackBlocks::default();
        for (left, right) in edges {
            assert!(blocks.push(SackBlock {
                left: SeqNumber(left),
                right: SeqNumber(right)
            }));
        }
        blocks
    })
}

/// Any header with these options.
pub(super) fn header(options: impl Strategy<Value = Options>) -> impl Strategy<Value = Header> {
    (any::<[u16; 4]>(), any::<[u32; 2]>(), any::<u8>(), options).prop_map(
        |([source_port, destination_port, window, urgent], [seq, ack], flags, options)| Header {
            source_port,
            destination_port,
            seq: SeqNumber(seq),
            ack: SeqNumber(ack),
            flags: Flags::from_bits_retain(flags),
            window,
            urgent,
            options,
        },
    )
}

/// Option lists as peers and enemies write them: mostly options of right length and any content,
/// some of wrong length, some octets without sense; cut at 40 octets and padded to words.
pub(super) fn option_octets() -> impl Strategy<Value = Vec<u8>> {
    let known = prop_oneof![
        Just((2, 4)),
        Just((3, 3)),
        Just((4, 2)),
        Just((8, 10)),
        Just((28, 4)),
        sack_length()
    ];
    let proper = (known, any::<[u8; 32]>()).prop_map(|((kind, length), data)| {
        let mut option = Vec::from([kind, length]);
        option.extend_from_slice(&data[..usize::from(length) - 2]);
        option
    });
    let foreign = (any::<u8>(), vec(any::<u8>(), 0..12)).prop_map(|(kind, data)| {
        let mut option = Vec::from([kind, data.len() as u8 + 2]);
        option.extend_from_slice(&data);
        option
    });
    let single = prop_oneof![8 => Just(1), 1 => Just(0), 1 => any::<u8>()].prop_map(|k| [k].into());
    let item = prop_oneof![6 => proper, 2 => foreign, 3 => single];
    vec(item, 0..8).prop_map(|items: Vec<Vec<u8>>| {
        let mut octets = items.concat();
        octets.truncate(40);
        octets.resize(octets.len().next_multiple_of(4), 0);
        octets
    })
}

fn sack_length() -> impl Strategy<Value = (u8, u8)> {
    (1_u8..=4).prop_map(|blocks| (5, 2 + 8 * blocks))
}
