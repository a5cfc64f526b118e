//! Closing: RFC 9293 §3.6, §3.10.4, §3.10.5, and the closing states of §3.10.7.4.

use timewait_stack::error::{RecvError, SendError};
use timewait_stack::event::Ready;
use timewait_stack::wire::Flags;
use timewait_stack::{Config, Duration, Errno, How, SeqNumber, SocketId, State};

use crate::peer::{Bench, config, peer_seq};

const FIN_ACK: Flags = Flags::FIN.union(Flags::ACK);
const MSL: Duration = Duration::from_secs(120);

/// An active close that has reached TIME-WAIT. The next sequence numbers: ours, the peer's.
fn in_time_wait() -> (Bench, SeqNumber, i64) {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.stack.close(bench.now, socket).unwrap();
    assert_eq!(bench.drain()[0].flags, FIN_ACK);
    assert_eq!(bench.inject(FIN_ACK, 1, iss + 2, b"").len(), 1);
    assert_eq!(bench.only_state(), Some(State::TimeWait));
    (bench, iss + 2, 2)
}

#[test]
fn the_active_closer_passes_the_states_of_figure_12() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.stack.shutdown(bench.now, socket, How::Write).unwrap();
    let fin = bench.drain();
    assert_eq!((fin[0].flags, fin[0].seq), (FIN_ACK, iss + 1));
    bench.inject(Flags::ACK, 1, iss + 2, b"");
    assert_eq!(bench.state(socket), State::FinWait2);
    let sent = bench.inject(FIN_ACK, 1, iss + 2, b"");
    assert_eq!(
        (sent[0].flags, sent[0].seq, sent[0].ack),
        (Flags::ACK, iss + 2, peer_seq(2))
    );
    assert_eq!(bench.state(socket), State::TimeWait);
    assert_eq!(bench.stack.recv(bench.now, socket, &mut [0; 9]), Ok(0));
}

#[test]
fn the_passive_closer_reaches_closed_without_time_wait() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.inject(FIN_ACK, 1, iss + 1, b"bye");
    assert_eq!(bench.state(socket), State::CloseWait);
    let mut text = [0; 9];
    assert_eq!(bench.stack.recv(bench.now, socket, &mut text), Ok(3));
    assert_eq!(bench.stack.recv(bench.now, socket, &mut text), Ok(0));
    bench.stack.close(bench.now, socket).unwrap();
    assert_eq!(bench.drain()[0].flags, FIN_ACK);
    assert_eq!(bench.only_state(), Some(State::LastAck));
    bench.inject(Flags::ACK, 5, iss + 2, b"");
    assert_eq!(bench.only_state(), None);
}

#[test]
fn crossing_fins_pass_closing() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.stack.close(bench.now, socket).unwrap();
    bench.drain();
    let sent = bench.inject(FIN_ACK, 1, iss + 1, b"");
    assert_eq!((sent.len(), sent[0].ack), (1, peer_seq(2)));
    assert_eq!(bench.only_state(), Some(State::Closing));
    assert_eq!(bench.inject(Flags::ACK, 2, iss + 2, b""), []);
    assert_eq!(bench.only_state(), Some(State::TimeWait));
}

#[test]
fn time_wait_lasts_two_msl() {
    let (mut bench, ..) = in_time_wait();
    bench.wait(2 * MSL - Duration::from_nanos(1));
    assert_eq!(bench.only_state(), Some(State::TimeWait), "MUST-13");
    bench.wait(Duration::from_nanos(1));
    assert_eq!(bench.only_state(), None);
}

#[test]
fn the_peers_fin_restarts_time_wait_and_is_acknowledged() {
    let (mut bench, nxt, _) = in_time_wait();
    bench.wait(MSL);
    let sent = bench.inject(FIN_ACK, 1, nxt, b"");
    assert_eq!(
        (sent.len(), sent[0].seq, sent[0].ack),
        (1, nxt, peer_seq(2))
    );
    bench.wait(2 * MSL - Duration::from_secs(1));
    assert_eq!(bench.only_state(), Some(State::TimeWait));
}

#[test]
fn a_reset_does_not_end_time_wait() {
    let (mut bench, ..) = in_time_wait();
    assert_eq!(bench.inject(Flags::RST, 2, SeqNumber(0), b""), []);
    assert_eq!(bench.only_state(), Some(State::TimeWait), "R1337-01");
}

#[test]
fn time_wait_does_not_answer_a_pure_ack_in_order() {
    let (mut bench, nxt, peer) = in_time_wait();
    assert_eq!(bench.inject(Flags::ACK, peer, nxt, b""), []);
}

#[test]
fn time_wait_answers_old_text_and_ends_as_planned() {
    let (mut bench, nxt, _) = in_time_wait();
    bench.wait(MSL);
    let answer = bench.inject(Flags::ACK, -9, nxt, b"old text");
    assert_eq!((answer.len(), answer[0].flags), (1, Flags::ACK), "R1337-02");
    // The peer has no connection any more: a RST at the ACK's acknowledgment answers it.
    let rst = i64::from(answer[0].ack - peer_seq(0));
    assert_eq!(bench.inject(Flags::RST, rst, SeqNumber(0), b""), []);
    bench.wait(MSL - Duration::from_secs(1));
    assert_eq!(bench.only_state(), Some(State::TimeWait), "R1337-02");
    bench.wait(Duration::from_secs(1));
    assert_eq!(bench.only_state(), None);
}

#[test]
fn a_syn_beyond_rcv_nxt_reopens_time_wait_and_an_old_one_does_not() {
    let (mut bench, nxt, peer) = in_time_wait();
    for old in [0, peer] {
        let sent = bench.inject(Flags::SYN, old, SeqNumber(0), b"");
        assert_eq!(sent, [], "R6191-04");
        assert_eq!(bench.only_state(), Some(State::TimeWait));
        bench.wait(Duration::from_secs(1));
    }
    let sent = bench.inject(Flags::SYN, peer + 1, SeqNumber(0), b"");
    assert_eq!(sent[0].flags, Flags::SYN | Flags::ACK);
    assert!(sent[0].seq.after(nxt), "MAY-2: beyond the old SND.NXT");
    assert_eq!(bench.only_state(), Some(State::SynReceived));
    bench.inject(Flags::ACK, peer + 2, sent[0].seq + 1, b"");
    assert_eq!(bench.only_state(), Some(State::Established));
}

#[test]
fn a_syn_that_proves_old_gives_time_wait_back() {
    let (mut bench, nxt, peer) = in_time_wait();
    bench.wait(MSL);
    bench.inject(Flags::SYN, peer + 100, SeqNumber(0), b"");
    bench.inject(Flags::RST, peer + 101, SeqNumber(0), b"");
    assert_eq!(bench.only_state(), Some(State::TimeWait));
    assert_eq!(
        bench.inject(FIN_ACK, 1, nxt, b"").len(),
        1,
        "the old record answers as before"
    );
    bench.wait(2 * MSL);
    assert_eq!(bench.only_state(), None);
}

#[test]
fn a_lost_fin_is_sent_again_and_given_up() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.stack.close(bench.now, socket).unwrap();
    bench.drain();
    let sent = bench.wait(Duration::from_secs(8));
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|s| s.flags == FIN_ACK && s.seq == iss + 1));
    bench.wait(Duration::from_secs(200));
    assert_eq!(bench.only_state(), None, "MUST-20");
}

#[test]
fn unread_octets_at_close_send_a_reset() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.inject(Flags::ACK, 1, iss + 1, b"nobody reads this");
    bench.stack.close(bench.now, socket).unwrap();
    let sent = bench.drain();
    assert_eq!(
        (sent.len(), sent[0].flags, sent[0].seq),
        (1, Flags::RST, iss + 1),
        "SHLD-3"
    );
    assert_eq!(bench.only_state(), None);
}

#[test]
fn text_after_close_draws_a_reset() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.stack.close(bench.now, socket).unwrap();
    let read = bench.stack.recv(bench.now, socket, &mut [0; 9]);
    assert_eq!(read, Err(RecvError::BadSocket), "MAY-1");
    bench.drain();
    let sent = bench.inject(Flags::ACK, 1, iss + 2, b"too late");
    assert_eq!(
        (sent.len(), sent[0].flags, sent[0].seq),
        (1, Flags::RST, iss + 2),
        "SHLD-3, MAY-1"
    );
    assert_eq!(bench.only_state(), None);
}

#[test]
fn a_reset_is_an_error_and_a_fin_the_end_of_file() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.inject(Flags::ACK, 1, iss + 1, b"abc");
    bench.inject(Flags::RST, 4, SeqNumber(0), b"");
    assert_eq!(
        bench.ready.last(),
        Some(&(socket, Ready::Failed(Errno::ECONNRESET))),
        "MUST-12"
    );
    assert_eq!(
        bench.stack.recv(bench.now, socket, &mut [0; 9]),
        Err(RecvError::Reset)
    );
    assert_eq!(
        bench.stack.send(bench.now, socket, b"x"),
        Err(SendError::Reset)
    );
}

#[test]
fn a_reset_may_explain_itself_in_text() {
    let (mut bench, socket, _) = Bench::established(config());
    bench.inject(Flags::RST, 1, SeqNumber(0), b"go away");
    assert_eq!(bench.state(socket), State::Closed, "SHLD-2");
    assert_eq!(bench.stack.status(socket).unwrap().readable, 0);
    // Longer than the window, it is one octet wide all the same.
    let small = Config {
        receive_buffer: 4,
        ..config()
    };
    let (mut bench, socket, iss) = Bench::established(small);
    bench.inject(Flags::ACK, 1, iss + 1, b"full");
    bench.wait(Duration::from_secs(1));
    bench.inject(Flags::RST, 5, SeqNumber(0), b"go away");
    assert_eq!(bench.state(socket), State::Closed, "SHLD-2, MUST-66");
}

#[test]
fn a_reset_counts_only_at_rcv_nxt() {
    let (mut bench, socket, iss) = Bench::established(config());
    let sent = bench.inject(Flags::RST, 2, SeqNumber(0), b"");
    assert_eq!(
        (sent.len(), sent[0].flags, sent[0].seq),
        (1, Flags::ACK, iss + 1),
        "R5961-03"
    );
    assert_eq!(bench.inject(Flags::RST, -1, SeqNumber(0), b""), []);
    assert_eq!(bench.state(socket), State::Established, "R5961-01");
    bench.inject(Flags::RST, 1, SeqNumber(0), b"");
    assert_eq!(bench.state(socket), State::Closed, "R5961-02");
}

#[test]
fn a_syn_draws_a_challenge_wherever_it_is() {
    for offset in [-1000, 0, 1, 500, 100_000] {
        let (mut bench, socket, iss) = Bench::established(config());
        let sent = bench.inject(Flags::SYN, offset, SeqNumber(0), b"");
        assert_eq!(
            (sent.len(), sent[0].flags, sent[0].seq),
            (1, Flags::ACK, iss + 1),
            "R5961-04"
        );
        assert_eq!(bench.state(socket), State::Established, "R5961-04");
    }
}

#[test]
fn abort_sends_a_reset_and_forgets() {
    let (mut bench, socket, iss) = Bench::established(config());
    bench.stack.abort(bench.now, socket).unwrap();
    let sent = bench.drain();
    assert_eq!(
        (sent.len(), sent[0].flags, sent[0].seq),
        (1, Flags::RST, iss + 1)
    );
    assert_eq!(bench.only_state(), None);
}

#[test]
fn fin_wait_2_of_an_orphan_ends_where_the_profile_says_so() {
    let limited = Config {
        fin_wait_2: Some(Duration::from_secs(60)),
        ..config()
    };
    for (config, left) in [(limited, None), (config(), Some(State::FinWait2))] {
        let (mut bench, socket, iss) = Bench::established(config);
        bench.stack.close(bench.now, socket).unwrap();
        bench.drain();
        bench.inject(Flags::ACK, 1, iss + 2, b"");
        bench.wait(Duration::from_secs(100_000));
        assert_eq!(bench.only_state(), left);
    }
}

#[test]
fn half_close_still_receives() {
    let (mut bench, socket, iss): (Bench, SocketId, SeqNumber) = Bench::established(config());
    bench.stack.shutdown(bench.now, socket, How::Write).unwrap();
    bench.drain();
    bench.inject(Flags::ACK, 1, iss + 2, b"more");
    let mut text = [0; 9];
    assert_eq!(bench.stack.recv(bench.now, socket, &mut text), Ok(4));
    assert_eq!(
        bench.stack.send(bench.now, socket, b"x"),
        Err(SendError::Shutdown)
    );
}
