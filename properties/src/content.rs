//! What senders send: octets that say where they belong.
//!
//! The octet at an offset is a keyed function of the sending incarnation and the offset, so equal
//! octets can't hide a swap between incarnations, directions or places.

use crate::label::{Incarnation, mix};

/// Fills `into` with the octets that `sender` sends from stream offset `offset` on.
pub fn fill(sender: Incarnation, offset: u64, into: &mut [u8]) {
    let key = mix(sender.tag() ^ 0x7469_6d65_7761_6974);
    let word = |index: u64| mix(key ^ index).to_le_bytes();
    // Up to where a word begins, then whole words, then what is left.
    let skip = (offset % 8) as usize;
    let (head, rest) = into.split_at_mut(into.len().min((8 - skip) % 8));
    head.copy_from_slice(&word(offset / 8)[skip..][..head.len()]);
    let mut index = offset.div_ceil(8);
    let mut words = rest.chunks_exact_mut(8);
    for whole in &mut words {
        whole.copy_from_slice(&word(index));
        index += 1;
    }
    let tail = words.into_remainder();
    tail.copy_from_slice(&word(index)[..tail.len()]);
}

/// The index of the first octet of `octets` that `sender` did not send at `offset`, if any.
pub fn first_difference(sender: Incarnation, offset: u64, octets: &[u8]) -> Option<usize> {
    let mut expected = [0; 512];
    for (index, chunk) in octets.chunks(expected.len()).enumerate() {
        let start = index * expected.len();
        let expected = &mut expected[..chunk.len()];
        fill(sender, offset + start as u64, expected);
        if expected != chunk {
            let within = expected.iter().zip(chunk).position(|(a, b)| a != b);
            return within.map(|within| start + within);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{fill, first_difference};
    use crate::label::Incarnation;
    use timewait_sim::NodeId;
    use timewait_stack::ConnectionId;

    fn sender(connection: u64) -> Incarnation {
        Incarnation {
            host: NodeId(1),
            boot: 0,
            connection: ConnectionId(connection),
        }
    }

    #[test]
    fn pieces_fit_together() {
        let mut whole = [0; 1000];
        fill(sender(1), 0, &mut whole);
        for (start, end) in [(0, 1), (1, 9), (7, 700), (513, 1000)] {
            let mut piece = vec![0; end - start];
            fill(sender(1), start as u64, &mut piece);
            assert_eq!(piece, whole[start..end]);
        }
        assert_eq!(first_difference(sender(1), 0, &whole), None);
    }

    #[test]
    fn a_swap_is_seen_at_its_place() {
        let mut octets = [0; 1000];
        fill(sender(1), 0, &mut octets);
        octets[700] ^= 1;
        assert_eq!(first_difference(sender(1), 0, &octets), Some(700));
        fill(sender(2), 0, &mut octets);
        assert!(first_difference(sender(1), 0, &octets).is_some());
    }
}
