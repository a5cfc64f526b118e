//! Ladders of hand-written observations: what a reader sees, line by line.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use timewait_sim::{
    Burst, Cause, Copies, Damage, DropReason, Fate, Finding, HopId, Instant, NodeId, Observation,
    Oracle, Outcome, Outgoing, Packet, PacketId, Passage, Payload, Release,
};
use timewait_stack::event::{
    Cause as Why, ConnectionId, Drop, Event, SegmentArrival, Timer, Verdict,
};
use timewait_stack::wire::{Flags, Options, Segment};
use timewait_stack::{SeqNumber, State, Vars};

use super::{Filter, Ladder};
use crate::event::{BoxEvent, HostEvent, UserEvent};
use crate::label::{Incarnation, class, class_of, flow_of};

const MS: u64 = 1_000_000;

/// Tells a ladder what happens, in few words. Host n has the address 10.0.0.n+1 and port 40n+7.
struct Script {
    ladder: Ladder,
    oracle: Box<dyn Oracle<HostEvent>>,
    now: Instant,
    sent: u64,
}

impl Script {
    fn new() -> Self {
        Self::of(Ladder::new())
    }

    fn of(ladder: Ladder) -> Self {
        let oracle = ladder.oracle();
        Self {
            ladder,
            oracle,
            now: Instant::ZERO,
            sent: 0,
        }
    }

    fn at(&mut self, millis: u64) {
        self.now = Instant::from_nanos(millis * MS);
    }

    fn tell(&mut self, seen: &Observation<'_, HostEvent>) {
        let mut findings: Vec<Finding> = Vec::new();
        self.oracle.observe(self.now, seen, &mut findings);
        assert_eq!(findings, []);
    }

    fn event(&mut self, host: u32, event: HostEvent) {
        self.tell(&Observation::Node {
            node: NodeId(host),
            cause: Cause::User,
            event: &event,
        });
    }

    fn opened(&mut self, host: u32, connection: u64, remote: u32) {
        self.event(
            host,
            HostEvent::Stack(Event::Opened {
                connection: ConnectionId(connection),
                socket: None,
                local: address(host),
                remote: Some(address(remote)),
            }),
        );
    }

    fn enters(&mut self, host: u32, connection: u64, to: State) {
        let transition = Event::Transition {
            connection: ConnectionId(connection),
            from: State::Closed,
            to,
            cause: Why::Segment,
        };
        self.event(host, HostEvent::Stack(transition));
    }

    /// Host `from` sends; the answer is the datagram.
    fn sends(&mut self, from: u32, connection: u64, to: u32, segment: &Segment<'_>) -> Packet {
        let (source, destination) = (address(from), address(to));
        let mut octets = Vec::new();
        segment.emit(source.ip(), destination.ip(), &mut octets);
        let of = Incarnation {
            host: NodeId(from),
            boot: 0,
            connection: ConnectionId(connection),
        };
        let packet = Packet {
            id: PacketId {
                origin: NodeId(from),
                ordinal: self.sent,
            },
            born: self.now,
            fragment: None,
            sent: Outgoing {
                src: source.ip(),
                dst: destination.ip(),
                hop_limit: 64,
                ecn: 0,
                diffserv: 0,
                dont_fragment: true,
                protocol: 6,
                payload: Payload::new(octets),
                tag: of.tag(),
                flow: flow_of(source, destination),
                class: class_of(segment.flags, segment.text.len()),
            },
            parts: Vec::new(),
        };
        self.sent += 1;
        self.tell(&Observation::Sent {
            cause: Cause::User,
            packet: &packet,
        });
        packet
    }

    fn fate(&mut self, hop: u32, packet: &Packet, fate: Fate) {
        let at = Passage {
            hop: HopId(hop),
            tag: packet.tag,
            ordinal: 0,
        };
        self.tell(&Observation::Fate { at, packet, fate });
    }

    fn arrives(&mut self, host: u32, packet: &Packet) {
        let node = NodeId(host);
        self.tell(&Observation::Delivered {
            node,
            packet,
            damaged: false,
            held_by: None,
        });
    }

    fn judged(&mut self, host: u32, verdict: Verdict) {
        let arrival = SegmentArrival {
            connection: None,
            verdict,
            before: Vars::default(),
            after: Vars::default(),
        };
        self.event(host, HostEvent::Stack(Event::Segment(Box::new(arrival))));
    }

    /// All lines, after a line feed: so does an expectation that begins on a line of its own.
    fn text(&self) -> String {
        self.after(0)
    }

    /// The lines after the first `skip`, likewise.
    fn after(&self, skip: usize) -> String {
        let whole = self.ladder.render(&Filter::default());
        whole
            .lines()
            .skip(skip)
            .fold("\n".to_owned(), |text, line| text + line + "\n")
    }
}

fn address(host: u32) -> SocketAddr {
    let ip = IpAddr::V4(Ipv4Addr::new(10, 0, 0, host as u8 + 1));
    SocketAddr::new(ip, 40 * host as u16 + 7)
}

fn segment(flags: Flags, seq: u32, ack: u32, text: &[u8]) -> Segment<'_> {
    Segment {
        source_port: 1,
        destination_port: 2,
        seq: SeqNumber(seq),
        ack: SeqNumber(ack),
        flags,
        window: 4096,
        urgent: 0,
        options: Options::default(),
        text,
    }
}

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
const FIN_ACK: Flags = Flags::FIN.union(Flags::ACK);

/// ISN 1000 at host 0, 9000 at host 1; over at 20 ms.
fn handshake(script: &mut Script) -> Packet {
    script.opened(0, 1, 1);
    script.enters(0, 1, State::SynSent);
    let syn = script.sends(0, 1, 1, &segment(Flags::SYN, 1000, 0, b""));
    script.at(10);
    script.arrives(1, &syn);
    script.opened(1, 2, 0);
    script.enters(1, 2, State::SynReceived);
    let syn_ack = script.sends(1, 2, 0, &segment(SYN_ACK, 9000, 1001, b""));
    script.at(20);
    script.arrives(0, &syn_ack);
    script.enters(0, 1, State::Established);
    script.sends(0, 1, 1, &segment(Flags::ACK, 1001, 9001, b""));
    syn
}

#[test]
fn a_handshake_reads_like_the_figure_in_the_rfc() {
    let mut script = Script::new();
    handshake(&mut script);
    assert_eq!(
        script.text(),
        "
 seconds    h0 10.0.0.1                                        h1 10.0.0.2
0.000000     SYN-SENT │── SYN seq 0 win 4096 ──▷               │
0.010000              │                           SYN seq 0 ──▶│ SYN-RECEIVED
                      │     ◁── SYN,ACK seq 0 ack 1 win 4096 ──│
0.020000  ESTABLISHED │◀── SYN,ACK seq 0 ack 1                 │
                      │── ACK seq 1 ack 1 win 4096 ──▷         │
"
    );
}

#[test]
fn every_doing_of_the_network_has_its_reason() {
    let mut script = Script::new();
    handshake(&mut script);
    let text = [7; 10];
    let data = segment(Flags::ACK | Flags::PSH, 1001, 9001, &text);
    let carried = Outcome::default();
    script.at(30);
    let lost = script.sends(0, 1, 1, &data);
    script.fate(
        0,
        &lost,
        Fate {
            original: Outcome::Drop,
            copies: Copies::NONE,
        },
    );
    script.at(40);
    let kept = script.sends(0, 1, 1, &data);
    let late = Outcome::Deliver {
        extra: Duration::from_micros(1_500),
        damage: None,
    };
    script.fate(
        0,
        &kept,
        Fate {
            original: carried,
            copies: Copies::one(late),
        },
    );
    let release = Release::Seen {
        class: class::OPEN,
        packets: 3,
        at_most: Duration::from_secs(2),
    };
    script.at(41);
    script.fate(
        2,
        &kept,
        Fate {
            original: carried,
            copies: Copies::one(Outcome::Hold(release)),
        },
    );
    script.at(42);
    let refused = script.sends(1, 2, 0, &segment(Flags::ACK, 9001, 1001, b""));
    let reason = DropReason::QueueFull;
    script.tell(&Observation::Dropped {
        hop: Some(HopId(3)),
        packet: &refused,
        reason,
    });
    script.tell(&Observation::Marked {
        hop: HopId(2),
        packet: &kept,
    });
    let marked = script.sends(0, 1, 1, &segment(Flags::ACK, 1001, 9001, b""));
    script.tell(&Observation::Marked {
        hop: HopId(0),
        packet: &marked,
    });
    let damaged = script.sends(1, 2, 0, &segment(Flags::ACK, 9001, 1001, b""));
    let damage = Some(Damage::Burst(Burst {
        start: 3,
        pattern: 1,
    }));
    let original = Outcome::Deliver {
        extra: Duration::ZERO,
        damage,
    };
    script.fate(
        3,
        &damaged,
        Fate {
            original,
            copies: Copies::NONE,
        },
    );
    script.at(52);
    script.tell(&Observation::Delivered {
        node: NodeId(0),
        packet: &damaged,
        damaged: true,
        held_by: None,
    });
    script.at(60);
    script.tell(&Observation::Released {
        hop: HopId(2),
        router: NodeId(2),
        packet: &kept,
    });
    script.at(70);
    script.tell(&Observation::Cut { hop: HopId(2) });
    script.at(80);
    script.tell(&Observation::Restored { hop: HopId(2) });
    assert_eq!(
        script.after(6),
        "
0.030000              │── PSH,ACK seq 1 len 10 ack 1 win 4096 ──✗ lost                       │
0.040000              │── PSH,ACK seq 1 len 10 ack 1 win 4096 ──▷ resent, a copy 1.5 ms late │
0.041000              │   ┄┄ hop 2: PSH,ACK seq 1 len 10 a copy held till SYN+3 or 2 s ┄▷    │
0.042000              │               lost: the queue is full ✗── ACK seq 1 ack 1 win 4096 ──│
                      │             ┄┄ hop 2: PSH,ACK seq 1 len 10 marked CE ┄▷              │
                      │── ACK seq 1 ack 1 win 4096 ──▷ marked CE                             │
                      │                               damaged ◁── ACK seq 1 ack 1 win 4096 ──│
0.052000              │◀── 20 damaged octets                                                 │
0.060000              │               ┄┄ r2 releases: PSH,ACK seq 1 len 10 ┄▷                │
0.070000              │                          ┄┄ hop 2 is cut ┄┄                          │
0.080000              │                          ┄┄ hop 2 is up ┄┄                           │
"
    );
}

#[test]
fn an_old_duplicate_is_marked_with_its_incarnation_its_age_and_its_keeper() {
    let mut script = Script::new();
    let old = handshake(&mut script);
    script.at(900);
    script.opened(0, 3, 1);
    script.enters(0, 3, State::SynSent);
    script.sends(0, 3, 1, &segment(Flags::SYN, 500_000, 0, b""));
    script.at(910);
    script.tell(&Observation::Delivered {
        node: NodeId(1),
        packet: &old,
        damaged: false,
        held_by: Some(NodeId(2)),
    });
    script.judged(1, Verdict::Dropped(Drop::OutsideWindow));
    assert_eq!(
        script.after(6),
        "
0.900000     #3 SYN-SENT │── #3 SYN seq 0 win 4096 ──▷                                  │
0.910000                 │ (910 ms old from r2, outside the window) old #1 SYN seq 0 ──▶│
"
    );
}

#[test]
fn what_users_and_timers_do_stands_beside_their_host() {
    let mut script = Script::new();
    handshake(&mut script);
    script.at(30);
    script.event(
        0,
        HostEvent::User(UserEvent::Closed {
            connection: ConnectionId(1),
            unread: 0,
        }),
    );
    script.enters(0, 1, State::FinWait1);
    let fin = segment(FIN_ACK, 1001, 9001, b"");
    script.sends(0, 1, 1, &fin);
    script.at(1030);
    let timer = Event::Timer {
        connection: ConnectionId(1),
        timer: Timer::Retransmit,
        count: 1,
    };
    script.event(0, HostEvent::Stack(timer));
    script.sends(0, 1, 1, &fin);
    script.at(1040);
    let eof = UserEvent::EndOfFile {
        connection: ConnectionId(2),
        offset: 0,
    };
    script.event(1, HostEvent::User(eof));
    assert_eq!(
        script.after(6),
        "
0.030000        close │                                           │
           FIN-WAIT-1 │── FIN,ACK seq 1 ack 1 win 4096 ──▷        │
1.030000        RTO 1 │── FIN,ACK seq 1 ack 1 win 4096 ──▷ resent │
1.040000              │                                           │ end of file
"
    );
}

#[test]
fn more_than_two_hosts_are_told_line_by_line() {
    let mut script = Script::new();
    handshake(&mut script);
    script.sends(2, 1, 1, &segment(Flags::SYN, 7, 0, b""));
    assert_eq!(
        script.text(),
        "
            h0 10.0.0.1
            h1 10.0.0.2
            h2 10.0.0.3
  0.000000  h0 ──▷ h1   #1 SYN-SENT       #1 SYN seq 0 win 4096
  0.010000  h0 ──▶ h1   #2 SYN-RECEIVED   #1 SYN seq 0
            h1 ──▷ h0                     #2 SYN,ACK seq 0 ack 1 win 4096
  0.020000  h1 ──▶ h0   #1 ESTABLISHED    #2 SYN,ACK seq 0 ack 1
            h0 ──▷ h1                     #1 ACK seq 1 ack 1 win 4096
            h2 ──▷ h1                     #1 SYN seq 0 win 4096
"
    );
}

#[test]
fn a_tail_holds_the_last_lines_up_to_its_moment() {
    /// The words of these lines: how wide the columns are depends on what else there is.
    fn words(text: &str, lines: core::ops::Range<usize>) -> Vec<&str> {
        let lines = text.lines().skip(lines.start).take(lines.len());
        lines.flat_map(str::split_whitespace).collect()
    }
    let whole = {
        let mut script = Script::new();
        handshake(&mut script);
        script.text()
    };
    let mut script = Script::of(Ladder::tail(2, Instant::from_nanos(10 * MS)));
    handshake(&mut script);
    let tail = script.text();
    assert_eq!(tail.lines().count(), 4, "{tail}");
    assert_eq!(words(&tail, 2..4), words(&whole, 3..5));
}

#[test]
fn filters_leave_out_what_was_not_asked_for() {
    let mut script = Script::new();
    handshake(&mut script);
    script.sends(2, 1, 1, &segment(Flags::SYN, 7, 0, b""));
    let pair = Filter {
        hosts: vec![NodeId(0), NodeId(1)],
        ..Filter::default()
    };
    let text = script.ladder.render(&pair);
    assert!(text.contains('│') && !text.contains("h2"), "{text}");
    let last = Filter {
        last: Some(1),
        from: Some(Instant::from_nanos(1)),
        ..pair
    };
    assert_eq!(script.ladder.render(&last).lines().count(), 2);
}

#[test]
fn spans_are_cut_to_three_decimals_of_a_fitting_unit() {
    use super::span;
    assert_eq!(span(Duration::from_nanos(1_204_999_999)), "1.204 s");
    assert_eq!(span(Duration::from_millis(300)), "300 ms");
    assert_eq!(span(Duration::from_nanos(12_500)), "12.5 us");
    assert_eq!(span(Duration::from_nanos(7)), "7 ns");
    assert_eq!(span(Duration::ZERO), "0 ns");
}

/// A box (node 5) gives host 0 the port 9 of 10.0.0.99.
#[test]
fn what_a_box_does_stands_with_what_it_passes_on_or_refuses() {
    let mut script = Script::new();
    let outside = SocketAddr::new(Ipv4Addr::new(10, 0, 0, 99).into(), 9);
    let ends = |from: SocketAddr, to: SocketAddr| Segment {
        source_port: from.port(),
        destination_port: to.port(),
        ..segment(Flags::SYN, 1000, 0, b"")
    };
    script.opened(0, 1, 1);
    let syn = script.sends(0, 1, 1, &ends(address(0), address(1)));
    let mapped = BoxEvent::Mapped {
        inside: address(0),
        outside,
    };
    script.at(5);
    script.event(5, HostEvent::Box(mapped));
    script.tell(&Observation::Passed {
        node: NodeId(5),
        packet: &syn,
    });
    let refused = BoxEvent::Refused {
        tag: Incarnation::from_tag(syn.tag),
        from: address(0),
        to: address(1),
        full: true,
    };
    script.event(5, HostEvent::Box(refused));
    script.at(7);
    script.tell(&Observation::Paused { node: NodeId(0) });
    script.tell(&Observation::Resumed { node: NodeId(0) });
    assert_eq!(
        script.text(),
        "
            h0 10.0.0.1
  0.000000  h0 ──▷ 10.0.0.2                    #1 SYN seq 0 win 4096
  0.005000  h0 ┄┄▷ 10.0.0.2                    b5: #1 SYN seq 0 (from 10.0.0.99:9 now)
            h0 ┄┄▷ 10.0.0.2                    b5: #1 10.0.0.1:7 to 10.0.0.2:47 (refused: no room)
  0.007000  h0          stands still
            h0          goes on
"
    );
}
