//! Decoding one header with every option of a SYN, and summing one full-sized segment: operations
//! per second of CPU time, the best of several rounds.
//!
//! `etherparse` stands beside us as the mark: both read all fields and all options.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cpu_time::ProcessTime;
use etherparse::{TcpHeaderSlice, TcpOptionElement};
use timewait::stack::wire::Segment;

/// 40 octets: MSS, SACK-permitted, timestamps, no-operation, window scale.
const SYN: [u8; 40] = [
    0x12, 0x34, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02, 0xff, 0xff,
    0xaa, 0xbb, 0x00, 0x00, 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 0, 2, 1, 3, 3, 7,
];

const ROUNDS: u32 = 9;
const OPERATIONS: u32 = 2_000_000;

fn main() {
    report("decode a 40-octet header, ours", || {
        Segment::parse(black_box(&SYN))
    });
    report("decode a 40-octet header, etherparse", || {
        theirs(black_box(&SYN))
    });
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let segment = [0x5a; 1_448];
    report("sum 1,448 octets", || {
        Segment::verify_checksum(address, address, black_box(&segment))
    });
}

/// What [`Segment`] holds, read with `etherparse`.
#[derive(Default)]
#[expect(dead_code, reason = "handed to the black box")]
struct Theirs<'a> {
    ports: (u16, u16),
    numbers: (u32, u32),
    flags: [bool; 8],
    window: u16,
    urgent: u16,
    mss: Option<u16>,
    window_scale: Option<u8>,
    sack_permitted: bool,
    timestamps: Option<(u32, u32)>,
    text: &'a [u8],
}

fn theirs(bytes: &[u8]) -> Option<Theirs<'_>> {
    let h = TcpHeaderSlice::from_slice(bytes).ok()?;
    let mut decoded = Theirs {
        ports: (h.source_port(), h.destination_port()),
        numbers: (h.sequence_number(), h.acknowledgment_number()),
        flags: [
            h.fin(),
            h.syn(),
            h.rst(),
            h.psh(),
            h.ack(),
            h.urg(),
            h.ece(),
            h.cwr(),
        ],
        window: h.window_size(),
        urgent: h.urgent_pointer(),
        text: &bytes[h.slice().len()..],
        ..Theirs::default()
    };
    for option in h.options_iterator() {
        match option.ok()? {
            TcpOptionElement::MaximumSegmentSize(mss) => decoded.mss = Some(mss),
            TcpOptionElement::WindowScale(shift) => decoded.window_scale = Some(shift),
            TcpOptionElement::SelectiveAcknowledgementPermitted => decoded.sack_permitted = true,
            TcpOptionElement::Timestamp(value, echo) => decoded.timestamps = Some((value, echo)),
            TcpOptionElement::Noop | TcpOptionElement::SelectiveAcknowledgement(..) => {}
        }
    }
    Some(decoded)
}

/// Times `operation` and prints one line.
fn report<R>(name: &str, operation: impl Fn() -> R) {
    let best = (0..ROUNDS)
        .map(|_| round(&operation))
        .min()
        .unwrap_or_default();
    let per_second = u128::from(OPERATIONS) * 1_000_000_000 / best.as_nanos().max(1);
    let tenths = best.as_nanos() * 10 / u128::from(OPERATIONS);
    println!(
        "{name:<40} {per_second:>12} /s {:>5}.{} ns",
        tenths / 10,
        tenths % 10
    );
}

fn round<R>(operation: impl Fn() -> R) -> Duration {
    let start = ProcessTime::now();
    for _ in 0..OPERATIONS {
        // By reference: the result is written out, but not copied once more.
        black_box(&operation());
    }
    start.elapsed()
}
