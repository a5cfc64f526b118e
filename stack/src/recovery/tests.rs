use super::sort_blocks;
use crate::seq::SeqNumber;
use crate::wire::{SackBlock, SackBlocks};

const UNA: SeqNumber = SeqNumber(u32::MAX - 100);

fn block(left: i32, right: i32) -> SackBlock {
    let seq = |offset: i32| SeqNumber(UNA.0.wrapping_add_signed(offset));
    SackBlock {
        left: seq(left),
        right: seq(right),
    }
}

/// (D-SACK there is one, blocks left) of an ACK that moves SND.UNA by 100 of 1000.
fn sorted(blocks: &[(i32, i32)]) -> (bool, usize) {
    let mut option = SackBlocks::default();
    for &(left, right) in blocks {
        option.push(block(left, right));
    }
    let (duplicate, reports) = sort_blocks(&option, UNA, UNA + 100, UNA + 1000);
    (duplicate.is_some(), reports.as_slice().len())
}

#[test]
fn a_first_block_below_the_ack_or_inside_the_second_is_a_dsack() {
    assert_eq!(sorted(&[(0, 100), (200, 300)]), (true, 1), "RFC 2883 §4");
    assert_eq!(sorted(&[(-500, -400)]), (true, 0), "however old");
    assert_eq!(sorted(&[(220, 240), (200, 300)]), (true, 1));
    assert_eq!(sorted(&[(200, 300), (200, 300)]), (true, 1));
    assert_eq!(sorted(&[(200, 300), (400, 500)]), (false, 2));
}

#[test]
fn blocks_of_what_is_not_outstanding_are_left_out() {
    assert_eq!(
        sorted(&[(200, 300), (0, 50)]),
        (false, 1),
        "acknowledged already"
    );
    assert_eq!(sorted(&[(200, 300), (900, 1001)]), (false, 1), "never sent");
    assert_eq!(
        sorted(&[(300, 200), (400, 400)]),
        (false, 0),
        "reversed, empty"
    );
    assert_eq!(sorted(&[(50, 150)]), (false, 0), "half acknowledged");
}
