//! Each claim of RFC 9293 §3.10.7 that the reference stands for, by hand.

use timewait_sim::Instant;
use timewait_stack::wire::Flags;
use timewait_stack::{SeqNumber, State, Vars};

use super::{Allowance, Permit, Shadow, allowance};
use crate::facts::SegmentHeader;

const NOW: Instant = Instant::from_nanos(5_000_000_000);
const SYN: Flags = Flags::SYN;
const ACK: Flags = Flags::ACK;
const FIN: Flags = Flags::FIN;
const RST: Flags = Flags::RST;
const SYN_ACK: Flags = SYN.union(ACK);
const FIN_ACK: Flags = FIN.union(ACK);

/// RCV.NXT 1000, window 100; SND.UNA 500, SND.NXT 600, MAX.SND.WND 200; the last window update
/// came with SEQ 1000 and ACK 500.
fn vars(state: State) -> Vars {
    Vars {
        state,
        iss: SeqNumber(400),
        snd_una: SeqNumber(500),
        snd_nxt: SeqNumber(600),
        snd_wnd: 200,
        snd_wl1: SeqNumber(1000),
        snd_wl2: SeqNumber(500),
        max_snd_wnd: 200,
        irs: SeqNumber(900),
        rcv_nxt: SeqNumber(1000),
        rcv_adv: SeqNumber(1100),
        rcv_free: 100,
        ..Vars::default()
    }
}

/// The half-open connection of the same numbers: nothing of it is acknowledged.
fn half_open(passive: bool) -> Vars {
    let iss = SeqNumber(599);
    Vars {
        iss,
        snd_una: iss,
        passive,
        irs: SeqNumber(999),
        ..vars(State::SynReceived)
    }
}

fn segment(flags: Flags, seq: u32, ack: u32, text_len: u32) -> SegmentHeader {
    SegmentHeader {
        source_port: 1,
        destination_port: 2,
        seq: SeqNumber(seq),
        ack: SeqNumber(ack),
        flags,
        window: 150,
        text_start: 20,
        text_len,
        ..SegmentHeader::default()
    }
}

fn of(before: &Vars, segment: SegmentHeader) -> Allowance {
    let shadow = Shadow {
        max_snd_wnd: 200,
        ..Shadow::default()
    };
    allowance(before, &shadow, Some(&segment), NOW)
}

fn refused(before: &Vars, segment: SegmentHeader) -> bool {
    of(before, segment).refusal.is_some()
}

const SYNCHRONIZED: [State; 7] = [
    State::Established,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::Closing,
    State::LastAck,
    State::TimeWait,
];

#[test]
fn nothing_is_taken_from_what_is_no_intact_segment() {
    let allowance = allowance(&vars(State::Established), &Shadow::default(), None, NOW);
    assert!(allowance.refusal.is_some());
}

#[test]
fn listen_takes_only_a_bare_syn() {
    let listen = Vars {
        state: State::Listen,
        ..Vars::default()
    };
    assert!(of(&listen, segment(SYN, 7, 0, 0)).opens);
    for flags in [ACK, SYN_ACK, RST, SYN | RST, FIN, FIN_ACK] {
        assert!(refused(&listen, segment(flags, 7, 9, 0)), "{flags:?}");
    }
}

#[test]
fn syn_sent_takes_a_syn_ack_of_its_syn_and_nothing_else_with_an_ack() {
    let sent = Vars {
        snd_una: SeqNumber(599),
        iss: SeqNumber(599),
        ..vars(State::SynSent)
    };
    let good = of(&sent, segment(SYN_ACK, 7, 600, 0));
    assert_eq!(
        (good.una, good.window, good.rcv_nxt.0),
        (Permit::Must, Permit::Must, SeqNumber(8))
    );
    assert!(good.states.contains(State::Established) && !good.states.contains(State::SynSent));
    for ack in [599, 601, 598] {
        assert!(refused(&sent, segment(SYN_ACK, 7, ack, 0)), "{ack}");
        assert!(refused(&sent, segment(RST | ACK, 7, ack, 0)), "{ack}");
    }
    assert!(of(&sent, segment(RST | ACK, 7, 600, 0)).must_end);
    assert!(refused(&sent, segment(RST, 7, 600, 0)));
    assert!(refused(&sent, segment(ACK, 7, 600, 0)));
}

#[test]
fn a_bare_syn_in_syn_sent_is_a_simultaneous_open() {
    let sent = Vars {
        snd_una: SeqNumber(599),
        iss: SeqNumber(599),
        ..vars(State::SynSent)
    };
    let crossed = of(&sent, segment(SYN, 7, 0, 0));
    assert!(crossed.states.contains(State::SynReceived));
    assert_eq!((crossed.una, crossed.rcv_nxt.1), (Permit::No, SeqNumber(8)));
}

/// Table 6, each row at its edges.
#[test]
fn the_window_is_half_open_at_both_ends_of_a_segment() {
    let open = vars(State::Established);
    for (seq, len, acceptable) in [
        (1000, 0, true),
        (1099, 0, true),
        (1100, 0, false),
        (998, 0, false),
        (990, 10, false),
        (991, 10, true),
        (1099, 10, true),
        (1100, 10, false),
        (900, 400, false),
    ] {
        assert_eq!(
            !refused(&open, segment(ACK, seq, 500, len)),
            acceptable,
            "{seq}+{len}"
        );
    }
}

#[test]
fn a_larger_free_buffer_may_be_used_as_the_window() {
    let roomy = Vars {
        rcv_free: 200,
        ..vars(State::Established)
    };
    let allowance = of(&roomy, segment(ACK, 1000, 500, 180));
    assert_eq!(allowance.rcv_nxt, (SeqNumber(1100), SeqNumber(1180)));
    assert!(!refused(&roomy, segment(ACK, 1150, 500, 1)));
    assert!(refused(&roomy, segment(ACK, 1200, 500, 1)));
}

#[test]
fn a_zero_window_lets_ack_and_rst_pass_and_no_text() {
    let shut = Vars {
        rcv_adv: SeqNumber(1000),
        rcv_free: 0,
        ..vars(State::Established)
    };
    let probe = of(&shut, segment(ACK, 1000, 550, 1));
    assert_eq!((probe.una, probe.octets), (Permit::May, None));
    assert_eq!(of(&shut, segment(ACK, 1000, 550, 0)).una, Permit::Must);
    assert_eq!(of(&shut, segment(ACK, 1001, 550, 0)).una, Permit::May);
    assert!(refused(&shut, segment(ACK, 1002, 550, 0)));
    assert!(of(&shut, segment(RST, 1000, 0, 0)).must_end);
    let fin = of(&shut, segment(FIN_ACK, 1000, 500, 0));
    assert!(!fin.states.contains(State::CloseWait));
}

#[test]
fn a_rst_counts_exactly_at_rcv_nxt_and_never_in_time_wait() {
    for state in SYNCHRONIZED {
        for seq in [999, 1000, 1001, 1099, 1100] {
            let exact = seq == 1000 && state != State::TimeWait;
            let allowance = of(&vars(state), segment(RST, seq, 0, 0));
            assert_eq!(allowance.must_end, exact, "{state} {seq}");
            assert_eq!(allowance.refusal.is_none(), exact, "{state} {seq}");
        }
    }
}

#[test]
fn only_a_passive_syn_received_goes_back_to_listen() {
    for passive in [true, false] {
        let reset = of(&half_open(passive), segment(RST, 1000, 0, 0));
        assert!(reset.must_end && reset.states.contains(State::Closed));
        assert_eq!(reset.states.contains(State::Listen), passive);
        let again = of(&half_open(passive), segment(SYN, 1050, 0, 0));
        assert_eq!(again.states.contains(State::Listen), passive);
    }
    assert!(
        refused(&half_open(true), segment(SYN, 999, 0, 0)),
        "its own SYN again"
    );
    assert!(
        refused(&half_open(true), segment(SYN, 1100, 0, 0)),
        "beyond the window"
    );
}

#[test]
fn a_syn_changes_nothing_in_a_synchronized_state() {
    for state in SYNCHRONIZED
        .into_iter()
        .filter(|state| *state != State::TimeWait)
    {
        for seq in [1000, 1050, 5000] {
            assert!(
                refused(&vars(state), segment(SYN, seq, 0, 0)),
                "{state} {seq}"
            );
            assert!(
                refused(&vars(state), segment(SYN_ACK, seq, 550, 0)),
                "{state} {seq}"
            );
        }
    }
}

#[test]
fn the_ack_of_a_syn_ack_at_irs_may_be_taken() {
    let crossed = half_open(false);
    let allowance = of(&crossed, segment(SYN_ACK, 999, 600, 0));
    assert!(allowance.states.contains(State::Established));
    assert_eq!(allowance.una, Permit::May);
    assert!(refused(&crossed, segment(SYN_ACK, 999, 599, 0)));
}

#[test]
fn syn_received_demands_an_ack_of_its_syn() {
    for (ack, good) in [(599, false), (600, true), (601, false), (500, false)] {
        let allowance = of(&half_open(true), segment(ACK, 1000, ack, 0));
        assert_eq!(allowance.states.contains(State::Established), good, "{ack}");
        assert!(
            allowance.states.contains(State::SynReceived),
            "the accept queue may be full"
        );
    }
}

#[test]
fn time_wait_opens_only_to_a_bare_syn_beyond_rcv_nxt() {
    let waiting = vars(State::TimeWait);
    for (flags, seq, opens) in [
        (SYN, 1001, true),
        (SYN, 500_000, true),
        (SYN, 1000, false),
        (SYN, 999, false),
        (SYN_ACK, 1001, false),
        (SYN | RST, 1001, false),
        (ACK, 1001, false),
    ] {
        assert_eq!(
            of(&waiting, segment(flags, seq, 600, 0)).opens,
            opens,
            "{flags:?} {seq}"
        );
    }
    assert!(refused(&waiting, segment(ACK, 1000, 600, 10)));
}

#[test]
fn an_ack_must_lie_between_una_minus_the_largest_window_and_nxt() {
    let open = vars(State::Established);
    for (ack, good) in [
        (299, false),
        (300, true),
        (500, true),
        (600, true),
        (601, false),
    ] {
        assert_eq!(!refused(&open, segment(ACK, 1000, ack, 5)), good, "{ack}");
    }
    assert!(
        refused(&open, segment(Flags::PSH, 1000, 500, 5)),
        "no ACK bit"
    );
}

#[test]
fn una_moves_only_forward_and_only_by_the_segment() {
    let open = vars(State::Established);
    let to = |una, ack| {
        let after = Vars {
            snd_una: SeqNumber(una),
            snd_wl2: SeqNumber(ack),
            snd_wnd: 150,
            ..open.clone()
        };
        let segment = segment(ACK, 1000, ack, 0);
        of(&open, segment).breach(&open, &after, Some(&segment))
    };
    assert_eq!(to(550, 550), None);
    assert!(to(500, 550).is_some(), "neglected");
    assert!(to(540, 550).is_some(), "half taken");
    assert!(to(600, 550).is_some(), "too far");
}

#[test]
fn the_window_moves_by_wl1_and_wl2() {
    let open = Vars {
        snd_wl1: SeqNumber(1050),
        snd_wl2: SeqNumber(520),
        ..vars(State::Established)
    };
    let window = |seq, ack| of(&open, segment(ACK, seq, ack, 0)).window;
    assert_eq!(window(1000, 550), Permit::No, "older segment");
    assert_eq!(window(1050, 519), Permit::No, "same segment, older ACK");
    assert_eq!(
        window(1050, 520),
        Permit::May,
        "out of order, so it may wait"
    );
    let level = vars(State::Established);
    assert_eq!(of(&level, segment(ACK, 1000, 500, 0)).window, Permit::Must);
    assert_eq!(
        of(&level, segment(ACK, 1000, 499, 0)).window,
        Permit::No,
        "ACK < SND.UNA"
    );
}

#[test]
fn a_window_taken_from_an_old_segment_is_a_breach() {
    let open = Vars {
        snd_wl1: SeqNumber(1050),
        ..vars(State::Established)
    };
    let segment = segment(ACK, 1000, 500, 0);
    let after = Vars {
        snd_wnd: 150,
        snd_wl1: SeqNumber(1000),
        ..open.clone()
    };
    assert!(
        of(&open, segment)
            .breach(&open, &after, Some(&segment))
            .is_some()
    );
    assert_eq!(
        of(&open, segment).breach(&open, &open, Some(&segment)),
        None
    );
}

#[test]
fn text_is_trimmed_to_what_is_new_and_fits() {
    let open = vars(State::Established);
    let old_and_new = of(&open, segment(ACK, 950, 500, 100));
    assert_eq!(old_and_new.octets, Some((SeqNumber(1000), SeqNumber(1050))));
    assert_eq!(old_and_new.rcv_nxt, (SeqNumber(1050), SeqNumber(1050)));
    let too_long = of(&open, segment(ACK, 1000, 500, 150));
    assert_eq!(too_long.rcv_nxt, (SeqNumber(1100), SeqNumber(1100)));
}

#[test]
fn text_beyond_a_hole_may_wait_and_does_not_move_rcv_nxt() {
    let open = vars(State::Established);
    let allowance = of(&open, segment(ACK, 1010, 500, 20));
    assert_eq!(allowance.octets, Some((SeqNumber(1010), SeqNumber(1030))));
    assert_eq!(allowance.rcv_nxt, (SeqNumber(1000), SeqNumber(1000)));
}

#[test]
fn text_that_fills_a_hole_may_bring_what_waited() {
    let open = vars(State::Established);
    let mut shadow = Shadow {
        max_snd_wnd: 200,
        ..Shadow::default()
    };
    shadow.held.offer(SeqNumber(1010), SeqNumber(1031), true);
    let allowance = allowance(&open, &shadow, Some(&segment(ACK, 1000, 500, 10)), NOW);
    assert_eq!(allowance.rcv_nxt, (SeqNumber(1010), SeqNumber(1031)));
    assert!(
        allowance.states.contains(State::CloseWait),
        "a FIN waited at the end"
    );
}

#[test]
fn after_the_peers_fin_no_text_is_taken() {
    for state in [State::CloseWait, State::Closing, State::LastAck] {
        let allowance = of(&vars(state), segment(ACK, 1000, 550, 10));
        assert_eq!(
            (allowance.octets, allowance.una),
            (None, Permit::Must),
            "{state}"
        );
    }
}

#[test]
fn only_the_ack_of_the_fin_leaves_fin_wait_1() {
    let sent = Vars {
        fin_sent: true,
        fin_queued: true,
        ..vars(State::FinWait1)
    };
    assert!(
        of(&sent, segment(ACK, 1000, 600, 0))
            .states
            .contains(State::FinWait2)
    );
    assert!(
        !of(&sent, segment(ACK, 1000, 599, 0))
            .states
            .contains(State::FinWait2)
    );
    let queued = Vars {
        fin_queued: true,
        ..vars(State::FinWait1)
    };
    assert!(
        !of(&queued, segment(ACK, 1000, 600, 0))
            .states
            .contains(State::FinWait2)
    );
}

#[test]
fn a_fin_leads_where_figure_5_says() {
    for (state, acked, to) in [
        (State::Established, false, State::CloseWait),
        (State::FinWait1, false, State::Closing),
        (State::FinWait1, true, State::TimeWait),
        (State::FinWait2, true, State::TimeWait),
    ] {
        let before = Vars {
            fin_sent: acked || state != State::Established,
            ..vars(state)
        };
        let ack = if acked { 600 } else { 599 };
        let states = of(&before, segment(FIN_ACK, 1000, ack, 0)).states;
        assert!(states.contains(to), "{state} to {to}");
        assert_eq!(
            states.contains(State::TimeWait),
            to == State::TimeWait,
            "{state}"
        );
    }
}

#[test]
fn a_fin_beyond_a_hole_or_beyond_the_window_ends_nothing() {
    let open = vars(State::Established);
    assert!(
        !of(&open, segment(FIN_ACK, 1010, 500, 5))
            .states
            .contains(State::CloseWait)
    );
    assert!(
        !of(&open, segment(FIN_ACK, 1000, 500, 100))
            .states
            .contains(State::CloseWait)
    );
    assert!(
        of(&open, segment(FIN_ACK, 1000, 500, 99))
            .states
            .contains(State::CloseWait)
    );
}

#[test]
fn a_fin_is_held_only_where_one_was_offered() {
    let open = vars(State::Established);
    let held = |at| Vars {
        fin_held: Some(SeqNumber(at)),
        ..open.clone()
    };
    let fin = segment(FIN_ACK, 1010, 500, 5);
    let breach = |after: &Vars| of(&open, fin).breach(&open, after, Some(&fin));
    assert_eq!(breach(&held(1015)), None);
    assert_eq!(breach(&open), None, "it need not be kept");
    assert!(breach(&held(1016)).is_some());
}

#[test]
fn text_beyond_a_held_fin_may_be_cut_there() {
    let open = vars(State::Established);
    let mut shadow = Shadow::default();
    shadow.held.offer(SeqNumber(1010), SeqNumber(1016), true);
    let text = segment(ACK, 1000, 500, 50);
    let allowed = allowance(&open, &shadow, Some(&text), NOW).rcv_nxt;
    assert_eq!(allowed, (SeqNumber(1016), SeqNumber(1050)));
}

#[test]
fn a_fin_taken_before_its_text_is_a_breach() {
    let open = vars(State::Established);
    let segment = segment(ACK, 1000, 500, 10);
    let after = Vars {
        state: State::CloseWait,
        rcv_nxt: SeqNumber(1011),
        fin_received: true,
        ..open.clone()
    };
    assert!(
        of(&open, segment)
            .breach(&open, &after, Some(&segment))
            .is_some()
    );
}

#[test]
fn text_for_a_user_that_is_gone_may_end_in_a_reset() {
    let orphan = Vars {
        orphan: true,
        fin_sent: true,
        ..vars(State::FinWait2)
    };
    assert!(
        of(&orphan, segment(ACK, 1000, 600, 1))
            .states
            .contains(State::Closed)
    );
    assert!(
        !of(&orphan, segment(ACK, 1000, 600, 0))
            .states
            .contains(State::Closed)
    );
    assert!(
        !of(&orphan, segment(ACK, 900, 600, 50))
            .states
            .contains(State::Closed),
        "old text"
    );
}

#[test]
fn arithmetic_survives_the_wrap() {
    let top = Vars {
        rcv_nxt: SeqNumber(u32::MAX - 4),
        rcv_adv: SeqNumber(95),
        snd_una: SeqNumber(u32::MAX - 9),
        snd_nxt: SeqNumber(90),
        snd_wl1: SeqNumber(u32::MAX - 4),
        snd_wl2: SeqNumber(u32::MAX - 9),
        ..vars(State::Established)
    };
    let allowance = of(&top, segment(ACK, u32::MAX - 8, 50, 20));
    assert_eq!(allowance.una, Permit::Must);
    assert_eq!(
        allowance.octets,
        Some((SeqNumber(u32::MAX - 4), SeqNumber(11)))
    );
    assert_eq!(allowance.rcv_nxt.0, SeqNumber(11));
}

/// The same with URG and this urgent field.
fn urgent(mut segment: SegmentHeader, field: u16) -> SegmentHeader {
    segment.flags |= Flags::URG;
    segment.urgent = field;
    segment
}

#[test]
fn the_urgent_field_counts_where_text_may_still_come() {
    for state in SYNCHRONIZED {
        let permit = of(&vars(state), urgent(segment(ACK, 1000, 600, 5), 9)).urgent;
        let receives = matches!(
            state,
            State::Established | State::FinWait1 | State::FinWait2
        );
        let expected = if receives { Permit::Must } else { Permit::No };
        assert_eq!(permit.0, expected, "{state}");
    }
    let without = of(&vars(State::Established), segment(ACK, 1000, 600, 5));
    assert_eq!(without.urgent.0, Permit::No);
}

#[test]
fn the_urgent_field_counts_behind_a_zero_window() {
    let shut = Vars {
        rcv_adv: SeqNumber(1000),
        rcv_free: 0,
        ..vars(State::Established)
    };
    let refused = urgent(segment(ACK, 1000, 600, 5), 9);
    assert_eq!(of(&shut, refused).urgent, (Permit::May, SeqNumber(1009)));
    let empty = urgent(segment(ACK, 1000, 600, 0), 9);
    assert_eq!(
        of(&shut, empty).urgent,
        (Permit::Must, SeqNumber(1009)),
        "MUST-66"
    );
}

#[test]
fn rcv_up_is_the_later_one_while_it_lies_ahead_of_the_reader() {
    let before = Vars {
        rcv_up: Some(SeqNumber(1020)),
        ..vars(State::Established)
    };
    let to = |field, up: Option<u32>| {
        let segment = urgent(segment(ACK, 1000, 600, 0), field);
        let after = Vars {
            rcv_up: up.map(SeqNumber),
            snd_una: SeqNumber(600),
            snd_wnd: 150,
            snd_wl2: SeqNumber(600),
            ..before.clone()
        };
        of(&before, segment).breach(&before, &after, Some(&segment))
    };
    assert_eq!(to(30, Some(1030)), None);
    assert!(to(30, Some(1020)).is_some(), "it must move");
    assert!(to(10, Some(1010)).is_some(), "it never goes back");
    assert!(to(10, None).is_some(), "it is still pending");
}

/// The shadow of a connection that agreed on timestamps: TS.Recent is 1000, taken now, and
/// Last.ACK.sent is RCV.NXT.
fn stamped() -> Shadow {
    let syn = SegmentHeader {
        timestamps: Some((1000, 0)),
        ..segment(SYN_ACK, 900, 401, 0)
    };
    let mut shadow = Shadow::new(true);
    shadow.max_snd_wnd = 200;
    shadow.sent(&syn, NOW);
    shadow.synchronized_by(&syn, NOW);
    shadow.sent(&segment(ACK, 500, 1000, 0), NOW);
    shadow
}

fn with_stamp(value: u32, segment: SegmentHeader) -> SegmentHeader {
    SegmentHeader {
        timestamps: Some((value, 0)),
        ..segment
    }
}

fn of_stamped(before: &Vars, segment: SegmentHeader) -> Allowance {
    allowance(before, &stamped(), Some(&segment), NOW)
}

#[test]
fn paws_refuses_what_is_older_in_every_state() {
    for state in SYNCHRONIZED {
        for flags in [ACK, FIN_ACK, SYN | ACK] {
            let old = of_stamped(&vars(state), with_stamp(999, segment(flags, 1000, 550, 10)));
            assert!(
                old.refusal.is_some() && old.stamp.permit == Permit::No,
                "{state} {flags:?}"
            );
        }
    }
    let old = with_stamp(999, segment(ACK, 1000, 550, 10));
    assert!(
        of(&vars(State::Established), old).refusal.is_none(),
        "nobody agreed"
    );
}

#[test]
fn paws_does_not_ask_a_rst() {
    let reset = of_stamped(
        &vars(State::Established),
        with_stamp(999, segment(RST, 1000, 0, 0)),
    );
    assert!(reset.must_end);
}

#[test]
fn ts_recent_follows_what_starts_no_later_than_the_last_ack() {
    let stamp = |seq, value| {
        let text = with_stamp(value, segment(ACK, seq, 550, 10));
        of_stamped(&vars(State::Established), text).stamp
    };
    assert_eq!(
        (stamp(1000, 1001).value, stamp(1000, 1001).permit),
        (1001, Permit::Must)
    );
    assert_eq!(stamp(995, 1000).permit, Permit::Must);
    assert_eq!(stamp(1001, 1001).permit, Permit::No, "out of order");
    assert_eq!(stamp(2000, 1001).permit, Permit::No, "outside the window");
}

#[test]
fn after_24_days_every_timestamp_counts() {
    let text = with_stamp(999, segment(ACK, 1000, 550, 10));
    let after = |days: u64| {
        let now = NOW + timewait_sim::Duration::from_secs(days * 24 * 3600);
        allowance(&vars(State::Established), &stamped(), Some(&text), now)
    };
    assert!(after(24).refusal.is_some());
    assert_eq!(
        (after(25).refusal, after(25).stamp.permit),
        (None, Permit::Must)
    );
}

#[test]
fn what_lacks_its_timestamp_may_be_dropped_or_taken() {
    let plain = of_stamped(&vars(State::Established), segment(ACK, 1000, 550, 10));
    assert_eq!((plain.una, plain.rcv_nxt.0), (Permit::May, SeqNumber(1000)));
    assert_eq!(
        (plain.rcv_nxt.1, plain.stamp.permit),
        (SeqNumber(1010), Permit::No)
    );
}

#[test]
fn rfc_6191_says_which_syn_reopens() {
    let waits = vars(State::TimeWait);
    let opens = |shadow: &Shadow, seq, value: Option<u32>| {
        let timestamps = value.map(|value| (value, 0));
        let syn = SegmentHeader {
            timestamps,
            ..segment(SYN, seq, 0, 0)
        };
        allowance(&waits, shadow, Some(&syn), NOW).opens
    };
    let (agreed, mut without) = (stamped(), Shadow::new(true));
    assert!(opens(&agreed, 10, Some(1001)) && opens(&agreed, 1001, Some(1001)));
    assert!(!opens(&agreed, 10, Some(1000)) && opens(&agreed, 1001, Some(1000)));
    assert!(!opens(&agreed, 1001, Some(999)));
    assert!(!opens(&agreed, 1000, None) && opens(&agreed, 1001, None));
    assert!(opens(&without, 10, Some(0)) && !opens(&without, 10, None));
    without = Shadow::new(false);
    assert!(!opens(&without, 10, Some(0)) && opens(&without, 1001, Some(0)));
}
