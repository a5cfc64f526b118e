//! Path MTU discovery (RFC 1191, RFC 8201), its protection (RFC 5927 §7.2), and black holes
//! (RFC 2923 §2.1).

use timewait_stack::config::BlackHole;
use timewait_stack::event::{IcmpDrop, IcmpVerdict};
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Duration, SeqNumber, SocketId, Vars};

use crate::peer::{Bench, Sent, config, config6};
use crate::router::{Cause, Error};

const NOTHING_NEW: IcmpVerdict = IcmpVerdict::Ignored(IcmpDrop::NothingNew);

/// An established connection over a link of 1,500 octets whose peer takes as much.
fn established(config: Config) -> (Bench, SocketId, SeqNumber) {
    let config = Config {
        nagle: false,
        ..config
    };
    let (mut bench, listener) = Bench::listening(config);
    let iss = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(9000))[0].seq;
    bench.inject(Flags::ACK, 1, iss + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    (bench, socket, iss)
}

fn send(bench: &mut Bench, socket: SocketId, octets: usize) -> Vec<Sent> {
    assert_eq!(
        bench.stack.send(bench.now, socket, &vec![b'x'; octets]),
        Ok(octets)
    );
    bench.drain()
}

fn lens(sent: &[Sent]) -> Vec<usize> {
    sent.iter().map(|segment| segment.text.len()).collect()
}

/// Each segment as offset of its first octet and length.
fn pieces(sent: &[Sent], first: SeqNumber) -> Vec<(u32, usize)> {
    sent.iter()
        .map(|segment| (segment.seq - first, segment.text.len()))
        .collect()
}

fn vars(bench: &Bench, socket: SocketId) -> Vars {
    bench.stack.status(socket).unwrap().vars.unwrap()
}

fn too_big(bench: &mut Bench, mtu: u32, sent: &Sent) -> (IcmpVerdict, Vec<Sent>) {
    let v4 = bench.host.is_ipv4();
    bench.error(Error::too_big(v4, mtu), sent)
}

/// The peer acknowledges everything.
fn acknowledge(bench: &mut Bench, socket: SocketId) -> Vec<Sent> {
    let nxt = vars(bench, socket).snd_nxt;
    bench.inject(Flags::ACK, 1, nxt, b"")
}

#[test]
fn datagrams_forbid_fragmentation_from_the_first() {
    // RFC 1191 §2: every datagram, also a SYN.
    let (mut bench, listener) = Bench::listening(config());
    let syn_ack = bench.inject_with(Flags::SYN, 0, SeqNumber(0), b"", Some(1460));
    bench.inject(Flags::ACK, 1, syn_ack[0].seq + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    let text = send(&mut bench, socket, 100);
    assert!(syn_ack[0].transmit.dont_fragment && text[0].transmit.dont_fragment);
}

#[test]
fn what_was_too_big_is_cut_anew_and_sent_again_at_once() {
    // RFC 1191 §3, RFC 8201 §4; MUST-16: segments are no larger than IP takes them.
    for (config, mtu, mss) in [(config(), 1400, 1360), (config6(), 1400, 1340)] {
        let (mut bench, socket, iss) = established(config);
        let sent = send(&mut bench, socket, 4000);
        let full = mss + 100;
        assert_eq!(lens(&sent), [full, full, 4000 - 2 * full]);
        let (verdict, again) = too_big(&mut bench, mtu, &sent[0]);
        assert_eq!(verdict, IcmpVerdict::PathMtu(1400));
        let expected: Vec<_> = [0, mss, 2 * mss].map(|at| (at as u32, mss)).into();
        assert_eq!(pieces(&again, iss + 1)[..2], expected[..2]);
        assert_eq!(vars(&bench, socket).smss, mss as u16);
        // The others of the flight are reported, too: nothing is left to do.
        let (verdict, more) = too_big(&mut bench, mtu, &sent[1]);
        assert_eq!((verdict, more), (NOTHING_NEW, vec![]));
    }
}

#[test]
fn congestion_had_no_part_in_it() {
    // RFC 1191 §6.4, RFC 8201 §5.4: cwnd does not change (the slow start that the former asks for
    // is not done); RFC 5681 §3.1: it stays in proportion to the size.
    let (mut bench, socket, _) = established(config());
    let sent = send(&mut bench, socket, 20_000);
    let before = vars(&bench, socket);
    too_big(&mut bench, 770, &sent[0]);
    let after = vars(&bench, socket);
    assert_eq!(after.smss, 730);
    assert_eq!(after.cwnd, before.cwnd / 2);
    assert_eq!(
        (after.ssthresh, after.rto, after.retransmissions),
        (before.ssthresh, before.rto, 0)
    );
}

#[test]
fn what_comes_after_fits_too() {
    let (mut bench, socket, _) = established(config());
    let sent = send(&mut bench, socket, 1460);
    too_big(&mut bench, 1006, &sent[0]);
    let more = acknowledge(&mut bench, socket);
    assert_eq!(lens(&more), []);
    let more = send(&mut bench, socket, 2000);
    assert_eq!(lens(&more), [966, 966, 68]);
}

#[test]
fn several_narrow_links_are_found_one_after_the_other() {
    let (mut bench, socket, iss) = established(config());
    let mut sent = send(&mut bench, socket, 1460);
    for mtu in [1400, 1006, 576] {
        let (verdict, again) = too_big(&mut bench, mtu, &sent[0]);
        assert_eq!(verdict, IcmpVerdict::PathMtu(mtu as u16));
        assert_eq!(pieces(&again, iss + 1)[0], (0, mtu as usize - 40));
        sent = again;
    }
}

#[test]
fn a_router_that_does_not_say_how_much_gets_the_next_plateau() {
    // RFC 1191 §5, §7
    let (mut bench, socket, _) = established(config());
    let mut sent = send(&mut bench, socket, 1460);
    for mtu in [1492, 1006, 552] {
        let (verdict, again) = too_big(&mut bench, 0, &sent[0]);
        assert_eq!(verdict, IcmpVerdict::PathMtu(mtu));
        sent = again;
    }
    // IPv6 routers always say (RFC 4443 §3.2).
    let (mut bench, socket, _) = established(config6());
    let sent = send(&mut bench, socket, 1440);
    assert_eq!(too_big(&mut bench, 0, &sent[0]).0, NOTHING_NEW);
}

#[test]
fn below_the_floor_routers_may_fragment() {
    // RFC 1191 §3: never below 68; ours is higher, and then DF is left off.
    let (mut bench, socket, _) = established(Config {
        path_mtu_min: 600,
        ..config()
    });
    let sent = send(&mut bench, socket, 1460);
    let (verdict, again) = too_big(&mut bench, 300, &sent[0]);
    assert_eq!(verdict, IcmpVerdict::PathMtu(600));
    assert_eq!(lens(&again)[..2], [560, 560]);
    assert!(again.iter().all(|segment| !segment.transmit.dont_fragment));
    let (mut bench, socket, _) = established(Config {
        path_mtu_min: 0,
        ..config()
    });
    let sent = send(&mut bench, socket, 1460);
    let (verdict, again) = too_big(&mut bench, 20, &sent[0]);
    assert_eq!(verdict, IcmpVerdict::PathMtu(68));
    assert_eq!(again[0].text.len(), 28);
}

#[test]
fn ipv6_never_goes_below_its_least_mtu() {
    // RFC 8201 §4: such a message is discarded.
    let (mut bench, socket, _) = established(config6());
    let sent = send(&mut bench, socket, 1440);
    assert_eq!(too_big(&mut bench, 1279, &sent[0]).0, NOTHING_NEW);
    let (verdict, again) = too_big(&mut bench, 1280, &sent[0]);
    assert_eq!(
        (verdict, lens(&again)[0]),
        (IcmpVerdict::PathMtu(1280), 1220)
    );
}

#[test]
fn no_message_makes_it_larger() {
    // RFC 1191 §3, RFC 8201 §4
    let (mut bench, socket, _) = established(config());
    let sent = send(&mut bench, socket, 1460);
    let again = too_big(&mut bench, 1000, &sent[0]).1;
    for mtu in [1000, 1001, 1500, 9000, 65_535] {
        assert_eq!(too_big(&mut bench, mtu, &again[0]), (NOTHING_NEW, vec![]));
    }
    assert_eq!(vars(&bench, socket).path_mtu, 1000);
}

#[test]
fn a_claim_about_more_than_was_sent_is_none() {
    // RFC 5927 §7.4 drops `claimedmtu > maxsizesent`; we also what is as large: it went through.
    let (mut bench, socket, _) = established(config());
    let sent = send(&mut bench, socket, 500);
    let cause = Cause {
        length: 1500,
        ..Cause::of(&sent[0])
    };
    let (verdict, again) = bench.error_about(Error::too_big(true, 540), &cause);
    assert_eq!((verdict, again), (NOTHING_NEW, vec![]));
}

#[test]
fn what_contradicts_proven_sizes_waits_for_a_timeout() {
    // RFC 5927 §7.2: datagrams of 1,500 octets have arrived, so this may be forged.
    let (mut bench, socket, iss) = established(config());
    send(&mut bench, socket, 1460);
    acknowledge(&mut bench, socket);
    let sent = send(&mut bench, socket, 1460);
    let (verdict, again) = too_big(&mut bench, 576, &sent[0]);
    assert_eq!((verdict, again), (IcmpVerdict::Unconfirmed, vec![]));
    assert_eq!(vars(&bench, socket).smss, 1460);
    let again = bench.wait(Duration::from_secs(1));
    assert_eq!(
        pieces(&again, iss + 1),
        [(1460, 536)],
        "the timeout confirms it"
    );
    assert_eq!(vars(&bench, socket).path_mtu, 576);
}

#[test]
fn a_claim_about_what_then_arrives_is_forgotten() {
    // RFC 5927 §7.2: the acknowledgment shows that it was not too big.
    let (mut bench, socket, _) = established(config());
    send(&mut bench, socket, 1460);
    acknowledge(&mut bench, socket);
    let sent = send(&mut bench, socket, 1460);
    assert_eq!(
        too_big(&mut bench, 576, &sent[0]).0,
        IcmpVerdict::Unconfirmed
    );
    acknowledge(&mut bench, socket);
    send(&mut bench, socket, 1460);
    let again = bench.wait(Duration::from_secs(1));
    assert_eq!(lens(&again), [1460]);
}

#[test]
fn the_size_that_is_proven_itself_is_believed_at_once() {
    // RFC 5927 §7.2: 1,000 octets have arrived, 1,500 not yet.
    let (mut bench, socket, _) = established(config());
    send(&mut bench, socket, 960);
    acknowledge(&mut bench, socket);
    let sent = send(&mut bench, socket, 1460);
    assert_eq!(
        too_big(&mut bench, 999, &sent[0]).0,
        IcmpVerdict::Unconfirmed
    );
    assert_eq!(
        too_big(&mut bench, 1000, &sent[0]).0,
        IcmpVerdict::PathMtu(1000)
    );
}

#[test]
fn the_advertised_mss_is_that_of_the_link_whatever_the_path() {
    // SHLD-6, MUST-67: RFC 9293 §3.7.2 warns of the opposite.
    for (config, mss) in [(config(), 1460), (config6(), 1440)] {
        let (mut bench, socket, _) = established(config);
        let length = usize::from(mss);
        let sent = send(&mut bench, socket, length);
        too_big(&mut bench, 1300, &sent[0]);
        let again = bench.inject_with(Flags::SYN, 1 << 20, SeqNumber(0), b"", Some(1460));
        assert_eq!(again[0].mss, None, "a challenge");
        bench.stack.abort(bench.now, socket).unwrap();
        bench.drain();
        let syn_ack = bench.inject_with(Flags::SYN, 1 << 20, SeqNumber(0), b"", Some(1460));
        assert_eq!(syn_ack[0].mss, Some(mss));
    }
}

#[test]
fn after_ten_minutes_a_larger_size_is_tried() {
    // RFC 1191 §6.3, RFC 8201 §4
    let (mut bench, socket, _) = established(config());
    let sent = send(&mut bench, socket, 1460);
    too_big(&mut bench, 1000, &sent[0]);
    acknowledge(&mut bench, socket);
    bench.wait(Duration::from_secs(590));
    assert_eq!(lens(&send(&mut bench, socket, 1460)), [960, 500]);
    acknowledge(&mut bench, socket);
    bench.wait(Duration::from_secs(10));
    let sent = send(&mut bench, socket, 1460);
    assert_eq!(lens(&sent), [1460]);
    // The path is as narrow as before: what is proven says so, and the answer is taken at once.
    let (verdict, again) = too_big(&mut bench, 1000, &sent[0]);
    assert_eq!(verdict, IcmpVerdict::PathMtu(1000));
    assert_eq!(lens(&again), [960, 500]);
}

#[test]
fn silence_about_full_segments_makes_them_smaller() {
    // RFC 2923 §2.1: after two timeouts in a row, and after two more.
    for (config, sizes) in [
        (config(), [1460, 1460, 1024, 1024, 512]),
        (config6(), [1440, 1440, 1220, 1220, 1440]),
    ] {
        let (mut bench, socket, iss) = established(config);
        let mut sizes_seen = vec![send(&mut bench, socket, 2000)[0].text.len()];
        for seconds in [1, 2, 4, 8] {
            let again = bench.wait(Duration::from_secs(seconds));
            assert_eq!(again[0].seq, iss + 1);
            sizes_seen.push(again[0].text.len());
        }
        assert_eq!(sizes_seen, sizes);
    }
}

#[test]
fn the_size_comes_back_if_it_was_not_that() {
    // The smallest is lost as well, so the path is down, not narrow.
    let (mut bench, socket, _) = established(config());
    send(&mut bench, socket, 1460);
    let mut again = vec![];
    for seconds in [1, 2, 4, 8, 16, 32] {
        again = bench.wait(Duration::from_secs(seconds));
    }
    assert_eq!(lens(&again), [1460]);
    assert_eq!(vars(&bench, socket).path_mtu, 1500);
}

#[test]
fn what_gets_through_a_black_hole_stays() {
    let (mut bench, socket, iss) = established(config());
    send(&mut bench, socket, 3000);
    bench.wait(Duration::from_secs(3));
    let more = bench.inject(Flags::ACK, 1, iss + 1025, b"");
    assert!(lens(&more).iter().all(|len| *len <= 1024), "{more:?}");
    acknowledge(&mut bench, socket);
    assert_eq!(lens(&send(&mut bench, socket, 2000)), [1024, 976]);
}

#[test]
fn small_segments_are_no_sign_of_a_black_hole() {
    let (mut bench, socket, _) = established(config());
    send(&mut bench, socket, 400);
    bench.wait(Duration::from_secs(15));
    assert_eq!(vars(&bench, socket).path_mtu, 1500);
}

#[test]
fn black_hole_detection_is_a_setting() {
    let (mut bench, socket, _) = established(Config {
        black_hole: None,
        ..config()
    });
    send(&mut bench, socket, 1460);
    assert_eq!(lens(&bench.wait(Duration::from_secs(15))), [1460; 4]);
    let (mut bench, socket, _) = established(Config {
        black_hole: Some(BlackHole {
            timeouts: 1,
            mss: [700, 600],
        }),
        ..config()
    });
    send(&mut bench, socket, 1460);
    assert_eq!(lens(&bench.wait(Duration::from_secs(1))), [700]);
    assert_eq!(lens(&bench.wait(Duration::from_secs(2))), [600]);
}
