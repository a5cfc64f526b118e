//! Spurious retransmission timeouts (RFC 5682): found, and undone.

use timewait_stack::config::EcnUse;
use timewait_stack::event::CaState;
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Duration, SeqNumber, SocketId};

use crate::peer::{Bench, Sent, config};
use crate::sack::{ack, permitted, permitted_by, send, starts};

/// Four of ten segments are out, the path stalls, the timer runs out, the first goes again.
fn timed_out(config: Config) -> (Bench, SocketId, SeqNumber) {
    timed_out_after(config, Flags::SYN)
}

fn timed_out_after(config: Config, syn: Flags) -> (Bench, SocketId, SeqNumber) {
    let config = Config {
        sack: true,
        tail_loss_probe: false,
        black_hole: None,
        ..config
    };
    times_out(permitted_by(config, syn))
}

/// Four segments, and nobody answers.
fn times_out(opened: (Bench, SocketId, SeqNumber)) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, socket, iss) = opened;
    assert_eq!(send(&mut bench, socket, 10_000).len(), 4);
    let sent = bench.wait(Duration::from_millis(1050));
    assert_eq!(starts(iss, &sent), [0], "RFC 5682 §2.1 step 1");
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.ca_state, vars.cwnd, vars.ssthresh),
        (CaState::Loss, 1000, 2000)
    );
    (bench, socket, iss)
}

#[test]
fn late_acks_let_new_segments_go_and_undo_the_timeout() {
    let (mut bench, socket, iss) = timed_out(config());
    let sent = ack(&mut bench, iss, 1000, &[]);
    assert_eq!(starts(iss, &sent), [4000, 5000], "step 2b: new ones");
    assert!(bench.vars(socket).frto);
    let sent = ack(&mut bench, iss, 2000, &[]);
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.ca_state, vars.frto),
        (CaState::Open, false),
        "step 3b"
    );
    assert!(
        vars.cwnd >= 4000 && vars.ssthresh > 10_000,
        "RFC 9438 §4.9: {}",
        vars.cwnd
    );
    assert!(
        starts(iss, &sent).iter().all(|start| *start >= 6000),
        "nothing goes again"
    );
    assert_eq!(vars.sack.unwrap().lost, 0);
}

#[test]
fn nothing_is_undone_when_an_ack_tells_of_congestion() {
    let with_ecn = Config {
        ecn: EcnUse::Offer,
        ..config()
    };
    let syn = Flags::SYN | Flags::ECE | Flags::CWR;
    let ways = [timed_out_after, timed_out_plain_after];
    let echoes = [
        (Flags::ECE, 0..=3000, 2000),
        (Flags::PSH, 4000..=9000, u32::MAX),
    ];
    for (timed_out, (echo, cwnd, ssthresh)) in ways
        .into_iter()
        .flat_map(|way| echoes.clone().map(|it| (way, it)))
    {
        let (mut bench, socket, iss) = timed_out(with_ecn.clone(), syn);
        for octets in [1000, 2000] {
            bench.inject(Flags::ACK | echo, 1, iss + 1 + octets, b"");
        }
        let vars = bench.vars(socket);
        assert!(cwnd.contains(&vars.cwnd), "RFC 4015 §3.4: {vars:?}");
        assert!(vars.ssthresh <= ssthresh, "RFC 4015 §3.4: {vars:?}");
    }
}

#[test]
fn a_report_of_octets_sent_before_the_timeout_is_as_good() {
    let (mut bench, socket, iss) = timed_out(config());
    ack(&mut bench, iss, 1000, &[]);
    ack(&mut bench, iss, 1000, &[(2000, 3000)]);
    let vars = bench.vars(socket);
    assert_eq!(vars.ca_state, CaState::Disorder, "RFC 5682 §3.1 step 3b");
    assert!(vars.cwnd >= 4000 && vars.ssthresh > 10_000);
}

#[test]
fn a_report_of_the_new_segments_means_that_the_old_ones_are_lost() {
    let (mut bench, socket, iss) = timed_out(config());
    ack(&mut bench, iss, 1000, &[]);
    let sent = ack(&mut bench, iss, 1000, &[(4000, 5000)]);
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.ca_state, vars.can_undo),
        (CaState::Loss, false),
        "step 3a"
    );
    assert_eq!(starts(iss, &sent), [1000], "they go again");
}

#[test]
fn an_ack_of_everything_says_nothing() {
    let (mut bench, socket, iss) = timed_out(config());
    ack(&mut bench, iss, 4000, &[]);
    let vars = bench.vars(socket);
    assert_eq!((vars.frto, vars.ssthresh), (false, 2000), "step 2a");
}

#[test]
fn without_new_octets_the_old_ones_go_again() {
    let (mut bench, socket, iss) = permitted(Config {
        tail_loss_probe: false,
        ..config()
    });
    send(&mut bench, socket, 4000);
    bench.wait(Duration::from_millis(1050));
    let sent = ack(&mut bench, iss, 1000, &[]);
    assert_eq!(
        starts(iss, &sent),
        [1000, 2000],
        "step 2b: nothing new to send"
    );
    assert!(!bench.vars(socket).frto);
}

#[test]
fn without_the_setting_the_timeout_stands() {
    let (mut bench, socket, iss) = timed_out(Config {
        frto: false,
        ..config()
    });
    assert_eq!(starts(iss, &ack(&mut bench, iss, 1000, &[])), [1000, 2000]);
    ack(&mut bench, iss, 2000, &[]);
    assert_eq!(bench.vars(socket).ssthresh, 2000);
}

#[test]
fn a_second_timeout_is_not_asked_about() {
    let (mut bench, socket, iss) = timed_out(config());
    bench.wait(Duration::from_millis(2050));
    assert!(!bench.vars(socket).frto);
    let sent = bench.inject(Flags::ACK, 1, iss + 1001, b"");
    assert_eq!(starts(iss, &sent), [1000, 2000]);
}

#[test]
fn an_ack_that_ends_where_the_timeout_began_is_proof_as_well() {
    let (mut bench, socket, iss) = timed_out(config());
    ack(&mut bench, iss, 1000, &[]);
    ack(&mut bench, iss, 4000, &[]);
    let vars = bench.vars(socket);
    assert!(
        vars.cwnd >= 4000 && vars.ssthresh > 10_000,
        "RFC 5682 §3.1 step 3b: nothing above recover"
    );
}

/// The ACK itself may leave no room for new segments: with none on the way, nothing would come
/// until the next timeout (RFC 5682 §2.1 step 2b).
#[test]
fn a_window_without_room_for_new_octets_lets_the_old_ones_go_again() {
    for sack in [true, false] {
        let (mut bench, socket, iss) = if sack {
            timed_out(config())
        } else {
            timed_out_plain(config())
        };
        let sent = bench.inject_window(Flags::ACK, 1, iss + 1001, b"", None, 3000);
        assert_eq!(starts(iss, &sent), [1000, 2000], "SACK: {sack}");
        assert!(!bench.vars(socket).frto);
    }
}

/// Without SACK: four of ten segments are out, the timer runs out, the first goes again.
fn timed_out_plain(config: Config) -> (Bench, SocketId, SeqNumber) {
    timed_out_plain_after(config, Flags::SYN)
}

fn timed_out_plain_after(config: Config, syn: Flags) -> (Bench, SocketId, SeqNumber) {
    times_out(plain_by(config, syn))
}

/// A passive connection whose peer does not permit SACK.
fn plain(config: Config) -> (Bench, SocketId, SeqNumber) {
    plain_by(config, Flags::SYN)
}

fn plain_by(config: Config, syn: Flags) -> (Bench, SocketId, SeqNumber) {
    let (mut bench, listener) = Bench::listening(Config {
        black_hole: None,
        ..config
    });
    let syn = bench.inject_with(syn, 0, SeqNumber(0), b"", Some(1000));
    bench.wait(Duration::from_millis(100));
    bench.inject(Flags::ACK, 1, syn[0].seq + 1, b"");
    let (socket, _) = bench.stack.accept(listener).unwrap();
    assert!(bench.vars(socket).sack.is_none());
    (bench, socket, syn[0].seq)
}

/// Everything before this octet is acknowledged.
fn plain_ack(bench: &mut Bench, iss: SeqNumber, octets: u32) -> Vec<Sent> {
    bench.inject(Flags::ACK, 1, iss + 1 + octets, b"")
}

fn stands(bench: &Bench, socket: SocketId) -> bool {
    let vars = bench.vars(socket);
    !vars.frto && !vars.can_undo && vars.ssthresh == 2000
}

#[test]
fn without_sack_two_acks_that_advance_undo_the_timeout() {
    let (mut bench, socket, iss) = timed_out_plain(config());
    let sent = plain_ack(&mut bench, iss, 1000);
    assert_eq!(starts(iss, &sent), [4000, 5000], "step 2b: two new ones");
    assert!(bench.vars(socket).frto);
    let sent = plain_ack(&mut bench, iss, 2000);
    let vars = bench.vars(socket);
    assert_eq!(
        (vars.ca_state, vars.frto),
        (CaState::Open, false),
        "step 3b"
    );
    assert!(vars.cwnd >= 4000 && vars.ssthresh > 10_000, "RFC 4015 §3.2");
    let again = starts(iss, &sent).iter().any(|start| *start < 6000);
    assert!(!again, "nothing goes again");
}

#[test]
fn without_sack_a_duplicate_after_the_new_segments_means_loss() {
    let (mut bench, socket, iss) = timed_out_plain(config());
    plain_ack(&mut bench, iss, 1000);
    let sent = plain_ack(&mut bench, iss, 1000);
    assert_eq!(starts(iss, &sent), [1000, 2000], "step 3a: slow start");
    let vars = bench.vars(socket);
    assert!(stands(&bench, socket) && vars.cwnd <= 3000, "step 3a");
    plain_ack(&mut bench, iss, 2000);
    assert!(stands(&bench, socket), "it stays a loss");
}

#[test]
fn without_sack_a_duplicate_first_leads_to_conventional_recovery() {
    let (mut bench, socket, iss) = timed_out_plain(config());
    assert_eq!(plain_ack(&mut bench, iss, 0), []);
    assert!(stands(&bench, socket), "step 2a");
    assert_eq!(starts(iss, &plain_ack(&mut bench, iss, 1000)), [1000, 2000]);
    plain_ack(&mut bench, iss, 2000);
    assert!(stands(&bench, socket));
}

/// Otherwise a receiver that acknowledges part of a segment could hide losses (RFC 4138 §2.2).
#[test]
fn without_sack_an_ack_of_part_of_the_segment_or_of_everything_says_nothing() {
    for octets in [999, 4000] {
        let (mut bench, socket, iss) = timed_out_plain(config());
        plain_ack(&mut bench, iss, octets);
        assert!(stands(&bench, socket), "step 2a: {octets}");
    }
}

#[test]
fn without_sack_an_ack_beyond_the_timeout_proves_it_spurious_too() {
    let (mut bench, socket, iss) = timed_out_plain(config());
    plain_ack(&mut bench, iss, 1000);
    plain_ack(&mut bench, iss, 5000);
    let vars = bench.vars(socket);
    assert!(vars.cwnd >= 4000 && vars.ssthresh > 10_000, "step 3b");
}

/// Text of the peer and an update of its window are no duplicate ACKs (RFC 5681 §2).
#[test]
fn without_sack_what_is_no_duplicate_is_not_counted() {
    let (mut bench, socket, iss) = timed_out_plain(config());
    bench.inject(Flags::ACK, 1, iss + 1, b"text");
    let sent = bench.inject(Flags::ACK, 5, iss + 1001, b"");
    assert_eq!(starts(iss, &sent), [4000, 5000]);
    bench.inject_window(Flags::ACK, 5, iss + 1001, b"", None, 60_000);
    bench.inject_window(Flags::ACK, 5, iss + 2001, b"", None, 60_000);
    assert_eq!(bench.vars(socket).ca_state, CaState::Open, "step 3b");
}

/// Only the first segment was sent again, so duplicates tell of a loss (RFC 4138 §2.2).
#[test]
fn without_sack_three_duplicates_after_a_spurious_timeout_retransmit_at_once() {
    let (mut bench, socket, iss) = timed_out_plain(config());
    plain_ack(&mut bench, iss, 1000);
    plain_ack(&mut bench, iss, 2000);
    plain_ack(&mut bench, iss, 2000);
    plain_ack(&mut bench, iss, 2000);
    let sent = plain_ack(&mut bench, iss, 2000);
    assert_eq!(starts(iss, &sent)[0], 2000);
    assert_eq!(bench.vars(socket).ca_state, CaState::Recovery);
}

#[test]
fn without_sack_a_timeout_within_the_recovery_is_not_asked_about() {
    let (mut bench, socket, iss) = timed_out_plain(config());
    bench.wait(Duration::from_millis(2050));
    assert!(!bench.vars(socket).frto, "step 1");
    assert_eq!(starts(iss, &plain_ack(&mut bench, iss, 1000)), [1000, 2000]);
}

#[test]
fn without_sack_nothing_new_to_send_means_the_old_segments_go_again() {
    let (mut bench, socket, iss) = plain(config());
    send(&mut bench, socket, 4000);
    bench.wait(Duration::from_millis(1050));
    assert_eq!(starts(iss, &plain_ack(&mut bench, iss, 1000)), [1000, 2000]);
    assert!(!bench.vars(socket).frto, "step 2b");
}

/// A window that shut and opened lets everything go again, whatever was asked.
#[test]
fn without_sack_a_window_that_opens_ends_the_question() {
    let (mut bench, socket, iss) = timed_out_plain(config());
    plain_ack(&mut bench, iss, 1000);
    bench.inject_window(Flags::ACK, 1, iss + 1001, b"", None, 0);
    let sent = plain_ack(&mut bench, iss, 1000);
    assert_eq!(starts(iss, &sent)[0], 1000);
    assert!(!bench.vars(socket).frto);
}
