//! Whether initial sequence numbers of different tuples say anything about each other (RFC 9293
//! §3.4.1, MUST-9, SHLD-1; RFC 6528 §3).
//!
//! Everything in integers: the numbers are replaced by their ranks, whose mean and variance are
//! known exactly, and sums are compared with their standard deviation by squaring.

use timewait_stack::SeqNumber;

/// So many standard deviations are too many: by chance once in 15,000.
const DEVIATIONS_MAX: i128 = 4;

/// Looks for a pattern in numbers that different tuples got at one instant, in the order of the
/// tuples; at least 100 of them, each tuple as near to the last one as possible.
///
/// # Errors
/// Which pattern there is: numbers or differences that repeat, a trend along the tuples, or a
/// likeness of neighbours. Of unrelated numbers about one list in 5,000 shows one by chance.
pub fn unrelated(numbers: &[SeqNumber]) -> Result<(), &'static str> {
    assert!(numbers.len() >= 100, "too few to say anything");
    if repeats(numbers.iter().map(|number| number.0)) {
        return Err("numbers repeat");
    }
    let next = numbers.iter().zip(&numbers[1..]);
    if repeats(next.map(|(one, next)| *next - *one)) {
        return Err("differences of neighbours repeat");
    }
    let ranks = centred_ranks(numbers);
    let places = centred_places(ranks.len());
    if is_large(product(&ranks, &places), ranks.len()) {
        return Err("the numbers follow the order of the tuples");
    }
    if is_large(product(&ranks[1..], &ranks), ranks.len()) {
        return Err("neighbours are alike");
    }
    Ok(())
}

/// Two of so few numbers out of 2^32 are equal about once in 2^33 / n^2 lists; more are never.
fn repeats(numbers: impl Iterator<Item = u32>) -> bool {
    let mut sorted: Vec<u32> = numbers.collect();
    sorted.sort_unstable();
    sorted.windows(2).filter(|pair| pair[0] == pair[1]).count() > 1
}

/// Twice the rank of each number, less their mean: -(n-1), -(n-3) … n-1 in some order.
fn centred_ranks(numbers: &[SeqNumber]) -> Vec<i128> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by_key(|&index| numbers[index].0);
    let places = centred_places(numbers.len());
    let mut ranks = vec![0; numbers.len()];
    for (place, index) in places.into_iter().zip(order) {
        ranks[index] = place;
    }
    ranks
}

fn centred_places(count: usize) -> Vec<i128> {
    let last = count as i128 - 1;
    (0..count as i128).map(|place| 2 * place - last).collect()
}

fn product(a: &[i128], b: &[i128]) -> i128 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Whether a sum of `count` products of such ranks is further from 0 than chance explains. One
/// such rank has variance (n² − 1) / 3, and products of unrelated ones have its square.
fn is_large(sum: i128, count: usize) -> bool {
    let count = count as i128;
    let variance = (count * count - 1) / 3;
    sum * sum > DEVIATIONS_MAX * DEVIATIONS_MAX * count * variance * variance
}

#[cfg(test)]
mod tests {
    use core::net::{IpAddr, Ipv4Addr, SocketAddr};
    use timewait_stack::wire::Segment;
    use timewait_stack::{Config, Instant, Protection, SeqNumber, Stack};

    use super::unrelated;

    const COUNT: u16 = 1000;

    /// Which part of the tuple counts up.
    #[derive(Clone, Copy, Debug)]
    enum Counting {
        LocalPort,
        RemotePort,
        RemoteAddress,
    }

    /// The numbers that a stack gives to so many tuples at one instant.
    fn numbers(secret: u8, counting: Counting, off: Option<Protection>) -> Vec<SeqNumber> {
        let address = |last| IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + last));
        let mut config = Config::new(vec![address(1)], [secret; 32]);
        config.disabled = off.into_iter().collect();
        let mut stack = Stack::new(config);
        let now = Instant::from_nanos(123_456_789_000);
        let tuple = |nth: u16| {
            let (local, remote) = (SocketAddr::new(address(1), 2000), (address(7), 80));
            match counting {
                Counting::LocalPort => (
                    SocketAddr::new(local.ip(), 2000 + nth),
                    SocketAddr::from(remote),
                ),
                Counting::RemotePort => (local, SocketAddr::new(remote.0, 80 + nth)),
                Counting::RemoteAddress => {
                    (local, SocketAddr::new(address(7 + u32::from(nth)), 80))
                }
            }
        };
        let mut open = |nth| {
            let (local, remote) = tuple(nth);
            let socket = stack.socket();
            let reuse = timewait_stack::SocketOption::ReuseAddress(true);
            stack.set_option(socket, reuse).unwrap();
            stack.bind(socket, local).unwrap();
            stack.connect(now, socket, remote).unwrap();
            let mut octets = Vec::new();
            stack.poll_transmit(now, &mut octets).unwrap();
            Segment::parse(&octets).unwrap().seq
        };
        (0..COUNT).map(&mut open).collect()
    }

    fn each_list(off: Option<Protection>) -> impl Iterator<Item = Vec<SeqNumber>> {
        use Counting::{LocalPort, RemoteAddress, RemotePort};
        let counting = [LocalPort, RemotePort, RemoteAddress];
        (1..=8).flat_map(move |secret| counting.map(|counting| numbers(secret, counting, off)))
    }

    /// MUST-9, SHLD-1: 24 lists, with fixed secrets.
    #[test]
    fn the_numbers_of_different_tuples_are_unrelated() {
        for list in each_list(None) {
            assert_eq!(unrelated(&list), Ok(()));
        }
    }

    #[test]
    fn without_the_hash_they_are_all_alike() {
        for list in each_list(Some(Protection::IsnHash)) {
            assert_eq!(unrelated(&list), Err("numbers repeat"));
        }
    }

    fn list(number: impl Fn(u32) -> u32) -> Vec<SeqNumber> {
        (0..u32::from(COUNT))
            .map(|nth| SeqNumber(number(nth)))
            .collect()
    }

    /// What others did instead of a keyed hash.
    #[test]
    fn patterns_are_found() {
        // BSD of old: the clock, and 64,000 more for each open.
        let steps = list(|nth| 7 + 64_000 * nth);
        assert_eq!(unrelated(&steps), Err("differences of neighbours repeat"));
        let golden = list(|nth| nth.wrapping_mul(0x9e37_79b9));
        assert_eq!(unrelated(&golden), Err("differences of neighbours repeat"));
        // Noise on top of steps, and noise on top of one value.
        let noise = |nth: u32| (crate::label::mix(u64::from(nth)) >> 40) as u32;
        let trend = list(|nth| 4_000_000 * nth + noise(nth));
        assert_eq!(
            unrelated(&trend),
            Err("the numbers follow the order of the tuples")
        );
        let waves = list(|nth| (nth % 50) * 80_000_000 + noise(nth));
        assert_eq!(unrelated(&waves), Err("neighbours are alike"));
        let random = list(|nth| crate::label::mix(u64::from(nth)) as u32);
        assert_eq!(unrelated(&random), Ok(()));
    }
}
