//! What an attacker must not bring about, whatever he sends (RFC 5961, RFC 4987).

use timewait_stack::wire::Flags;
use timewait_stack::{Config, Duration, SeqNumber, State};

use crate::peer::{Bench, PEER_PORT, Sent, config, peer_seq, segment_from};

/// A segment from some port of the peer.
fn from_port(bench: &mut Bench, port: u16, flags: Flags, seq: u32, ack: SeqNumber) -> Vec<Sent> {
    bench.inject_segment(segment_from(port, flags, seq, ack, b""))
}

/// Two connections in ESTABLISHED, from two ports of the peer whose ISN is 0.
fn two_connections(config: Config) -> Bench {
    let (mut bench, _) = Bench::listening(config);
    for port in [PEER_PORT, PEER_PORT + 1] {
        let syn_ack = from_port(&mut bench, port, Flags::SYN, 0, SeqNumber(0));
        from_port(&mut bench, port, Flags::ACK, 1, syn_ack[0].seq + 1);
    }
    bench
}

/// RFC 5961 §3.2, R5961-02: there is nothing to tell a guess from the peer's own RST by.
#[test]
fn a_rst_at_rcv_nxt_resets() {
    let (mut bench, socket, _) = Bench::established(config());
    assert_eq!(bench.inject(Flags::RST, 1, SeqNumber(0), b""), []);
    assert_eq!(bench.state(socket), State::Closed);
}

/// RFC 5961 §5.2, R5961-05: the largest window offered here is 65,535.
#[test]
fn text_counts_only_with_an_ack_near_what_was_sent() {
    let oldest = -65_535_i64;
    for (offset, taken) in [
        (oldest, true),
        (oldest - 1, false),
        (1, false),
        (i64::from(i32::MIN), false),
        (0, true),
    ] {
        let (mut bench, socket, iss) = Bench::established(config());
        let ack = SeqNumber((iss + 1).0.wrapping_add(offset as u32));
        let sent = bench.inject(Flags::ACK, 1, ack, b"blind");
        let mut text = [0; 8];
        let got = bench.stack.recv(bench.now, socket, &mut text);
        assert_eq!(got.is_ok(), taken, "an ACK {offset} from SND.UNA");
        if !taken {
            assert_eq!((sent.len(), sent[0].ack.0), (1, peer_seq(1).0));
        }
    }
}

/// RFC 5961 §7 (R5961-06), and why the limit must be one per connection: CVE-2016-5696.
#[test]
fn challenge_acks_are_limited_on_each_connection_alone() {
    let mut bench = two_connections(config());
    let mut rst = |port| from_port(&mut bench, port, Flags::RST, 100, SeqNumber(0)).len();
    assert_eq!([rst(PEER_PORT), rst(PEER_PORT)], [1, 0]);
    assert_eq!([rst(PEER_PORT + 1), rst(PEER_PORT + 1)], [1, 0]);
    bench.wait(config().challenge_interval);
    let again = from_port(&mut bench, PEER_PORT, Flags::RST, 100, SeqNumber(0));
    assert_eq!(again.len(), 1);
}

#[cfg(feature = "counterfactuals")]
#[test]
fn with_a_common_limit_one_connection_silences_another() {
    use timewait_stack::{Disabled, Protection};
    let disabled = Disabled::NONE.with(Protection::PerConnectionLimiter);
    let mut bench = two_connections(Config {
        disabled,
        ..config()
    });
    let mut rst = |port| from_port(&mut bench, port, Flags::RST, 100, SeqNumber(0)).len();
    assert_eq!([rst(PEER_PORT), rst(PEER_PORT + 1)], [1, 0]);
}

/// RFC 4987: what a flood of SYNs costs does not grow with it.
#[test]
fn a_flood_of_syns_takes_no_more_than_the_syn_queue() {
    let (mut bench, _) = Bench::listening(Config {
        syn_queue_max: 8,
        ..config()
    });
    let mut most = (0, 0, 0);
    for n in 0..20_000_u32 {
        let port = 1024 + n as u16 % 60_000;
        from_port(
            &mut bench,
            port,
            Flags::SYN,
            n.wrapping_mul(77),
            SeqNumber(0),
        );
        let usage = bench.stack.usage();
        most.0 = most.0.max(usage.half_open);
        most.1 = most.1.max(usage.connections);
        most.2 = most.2.max(usage.timer_entries);
        bench.now += Duration::from_micros(10);
    }
    // Each connection has one entry in the timer queue.
    assert!(most.0 <= 8 && most.1 <= 8 && most.2 <= 16, "{most:?}");
    assert!(most.0 > 0);
}

/// An MSS option of 1 must not make a segment, with its 40 octets of header, of every octet
/// (CVE-2019-11479).
#[test]
fn a_tiny_mss_does_not_make_tiny_segments() {
    for mss in [0, 1, 8] {
        let (mut bench, listener) = Bench::listening(config());
        let syn_ack = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(mss));
        bench.inject(Flags::ACK, 1, syn_ack[0].seq + 1, b"");
        let (socket, _) = bench.stack.accept(listener).unwrap();
        bench.stack.send(bench.now, socket, &[7; 10_000]).unwrap();
        let sent = bench.drain();
        let octets: usize = sent.iter().map(|sent| sent.text.len()).sum();
        assert!(
            octets >= 48 * sent.len() && !sent.is_empty(),
            "MSS {mss}: {sent:?}"
        );
    }
}
