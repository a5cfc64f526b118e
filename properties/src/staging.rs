//! Hand-written runs for the tests of oracles: datagrams, deliveries and events, tersely made up.
//!
//! Two hosts, [`A`] (`10.0.0.1`, port 1000) and [`B`] (`10.0.0.2`, port 80), with an MSL of one
//! second. The stage keeps the variables of each incarnation; a test says what a segment changes.

pub(crate) mod directed;
mod play;
mod segment;

pub(crate) use play::{acked_all, established, fresh, took_fin, took_text};
pub(crate) use segment::{Seg, seg};

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::collections::{BTreeMap, BTreeSet};
use timewait_sim::{
    Cause, Duration, Finding, FindingKind, Instant, NodeId, Observation, Oracle, Outgoing, Packet,
    PacketId, Payload,
};
use timewait_stack::event::{Call, Cause as Why, Drop, SegmentArrival, Snapshot, Timer, Verdict};
use timewait_stack::status::{NetstatRow, Usage};
use timewait_stack::{Config, ConnectionId, Event, State, Vars};

use crate::event::{BoxEvent, HostEvent, UserEvent};
use crate::facts::{Circumstances, Facts};
use crate::label::{Incarnation, class, class_of, flow_of};
use crate::oracle::{Judge, Panel, Sample};

/// The first host: mostly the client.
pub(crate) const A: NodeId = NodeId(0);
/// The second host: mostly the server.
pub(crate) const B: NodeId = NodeId(1);
/// Somebody who means harm.
pub(crate) const ATTACKER: NodeId = NodeId(9);
/// A box on the way.
pub(crate) const BOX: NodeId = NodeId(8);
/// The receive buffer, and thereby the window, of both.
pub(crate) const WINDOW: u32 = 10_000;
/// The maximum segment lifetime of both.
pub(crate) const MSL: Duration = Duration::from_secs(1);

/// A run under construction.
pub(crate) struct Stage {
    now: Instant,
    panel: Panel,
    findings: Vec<Finding>,
    vars: BTreeMap<Incarnation, Vars>,
    connections: BTreeMap<NodeId, u64>,
    sent: BTreeMap<NodeId, u64>,
    /// Why the host does what it does now.
    cause: Cause,
    /// Who kept the next datagrams that are delivered.
    held_by: Option<NodeId>,
    /// Where new incarnations are behind a NAT that shows [`end`] of their host.
    inside: BTreeMap<NodeId, SocketAddr>,
}

/// The circumstances of every stage.
pub(crate) fn circumstances() -> Circumstances {
    let config = |host| {
        let config = Config::new(vec![address(host)], [7; 32]);
        Config {
            msl: MSL,
            receive_buffer: WINDOW,
            ..config
        }
    };
    Circumstances {
        hosts: [(A, config(A)), (B, config(B))].into(),
        reboots: BTreeMap::new(),
        buffers: BTreeMap::new(),
        attackers: [ATTACKER].into(),
        boxes: [BOX].into(),
        translates: false,
        clocks: BTreeMap::new(),
        pauses: BTreeMap::new(),
        lifetime: Some(MSL),
        heal_at: None,
        delay_min: Duration::from_millis(1),
        delay_max: Duration::from_millis(1),
        path_mtus: BTreeMap::new(),
        cut_up: BTreeSet::new(),
        routers_report: false,
        queues_hold_all: true,
    }
}

/// The address of a host.
pub(crate) fn address(host: NodeId) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, host.0 as u8 + 1).into()
}

/// The address and port of a host's end.
pub(crate) fn end(host: NodeId) -> SocketAddr {
    SocketAddr::new(address(host), if host == A { 1000 } else { 80 })
}

/// The host at the other side.
pub(crate) fn other(host: NodeId) -> NodeId {
    if host == A { B } else { A }
}

impl Stage {
    /// An empty stage before these judges.
    pub(crate) fn new(judges: Vec<Box<dyn Judge>>) -> Self {
        Self::under(circumstances(), judges)
    }

    /// An empty stage under other circumstances.
    pub(crate) fn under(circumstances: Circumstances, judges: Vec<Box<dyn Judge>>) -> Self {
        Self {
            now: Instant::ZERO,
            panel: Panel::new(circumstances, judges),
            findings: Vec::new(),
            vars: BTreeMap::new(),
            connections: BTreeMap::new(),
            sent: BTreeMap::new(),
            cause: Cause::Start,
            held_by: None,
            inside: BTreeMap::new(),
        }
    }

    /// Time goes on.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// The clock is set back, so that two things happen at one moment.
    pub(crate) fn turn_back_to(&mut self, at: Instant) {
        self.now = at;
    }

    /// Time goes on by milliseconds.
    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.pass(Duration::from_millis(ms));
    }

    /// What happens next happens because of a user.
    pub(crate) fn by_user(&mut self) {
        self.cause = Cause::User;
    }

    /// What happens next happens because of a timer.
    pub(crate) fn by_timer(&mut self) {
        self.cause = Cause::Timer;
    }

    /// What is delivered from now on was held by this router.
    pub(crate) fn held_by(&mut self, router: u32) {
        self.held_by = Some(NodeId(router));
    }

    /// What is known by now.
    pub(crate) fn facts(&self) -> &Facts {
        self.panel.facts()
    }

    /// The variables of an incarnation, as the stage has them.
    pub(crate) fn vars(&mut self, of: Incarnation) -> &mut Vars {
        self.vars.entry(of).or_default()
    }

    /// What the judges have found, in words.
    pub(crate) fn findings(&self) -> Vec<String> {
        self.findings.iter().map(ToString::to_string).collect()
    }

    /// Nothing was found.
    #[track_caller]
    pub(crate) fn assert_silent(&self) {
        assert_eq!(self.findings(), [""; 0]);
    }

    /// The only findings are violations, at least one, and one of them says `text`.
    #[track_caller]
    pub(crate) fn assert_violation(&self, text: &str) {
        self.assert_found(&FindingKind::Violation, text);
    }

    /// The only findings are hazards of this name.
    #[track_caller]
    pub(crate) fn assert_hazard(&self, name: &'static str) {
        self.assert_found(&FindingKind::Hazard(name), "");
    }

    #[track_caller]
    fn assert_found(&self, kind: &FindingKind, text: &str) {
        let found = self.findings();
        assert!(
            self.findings.iter().any(|f| f.message.contains(text)),
            "{text}: {found:#?}"
        );
        assert!(self.findings.iter().all(|f| f.kind == *kind), "{found:#?}");
    }

    /// Shows the judges an observation.
    pub(crate) fn observe(&mut self, seen: &Observation<'_, HostEvent>) {
        self.panel.observe(self.now, seen, &mut self.findings);
    }

    /// The run is over.
    pub(crate) fn finish(&mut self) {
        self.panel.finish(self.now, &mut self.findings);
    }

    /// Somebody looks at what a host holds.
    pub(crate) fn sample(&mut self, node: NodeId, usage: &Usage, netstat: &[NetstatRow]) {
        let sample = Sample {
            node,
            usage,
            netstat,
        };
        self.panel.sample(self.now, &sample, &mut self.findings);
    }

    /// An event of a stack, with the cause at hand.
    pub(crate) fn event(&mut self, node: NodeId, event: Event) {
        let (cause, event) = (self.cause, HostEvent::Stack(event));
        self.observe(&Observation::Node {
            node,
            cause,
            event: &event,
        });
    }

    /// An event of a user.
    pub(crate) fn user(&mut self, node: NodeId, event: UserEvent) {
        let (cause, event) = (self.cause, HostEvent::User(event));
        self.observe(&Observation::Node {
            node,
            cause,
            event: &event,
        });
    }

    /// From now on new incarnations of a host have this end, and a NAT shows the old one.
    pub(crate) fn translate(&mut self, host: NodeId, inside: SocketAddr) {
        self.inside.insert(host, inside);
        let outside = end(host);
        self.at_box(BoxEvent::Mapped { inside, outside });
    }

    /// A box on the way does something.
    pub(crate) fn at_box(&mut self, event: BoxEvent) {
        let event = &HostEvent::Box(event);
        let (node, cause) = (BOX, self.cause);
        self.observe(&Observation::Node { node, cause, event });
    }

    /// A host crashes.
    pub(crate) fn crash(&mut self, node: NodeId) {
        self.by_user();
        let event = &HostEvent::Crashed;
        let cause = self.cause;
        self.observe(&Observation::Node { node, cause, event });
    }

    /// It boots again.
    pub(crate) fn boot(&mut self, node: NodeId) {
        self.by_user();
        let boot = self.facts().name(node, ConnectionId(0)).boot + 1;
        let event = &HostEvent::Rebooted { boot };
        let cause = self.cause;
        self.observe(&Observation::Node { node, cause, event });
    }

    /// A new incarnation to the other host.
    pub(crate) fn opened(&mut self, host: NodeId) -> Incarnation {
        self.opened_to(host, Some(end(other(host))))
    }

    fn opened_to(&mut self, host: NodeId, remote: Option<SocketAddr>) -> Incarnation {
        let serial = self.connections.entry(host).or_default();
        *serial += 1;
        let connection = ConnectionId(*serial);
        self.event(
            host,
            Event::Opened {
                connection,
                socket: None,
                local: self.inside.get(&host).copied().unwrap_or(end(host)),
                remote,
            },
        );
        self.facts().name(host, connection)
    }

    /// A transition from the state at hand.
    pub(crate) fn goes(&mut self, f: Incarnation, to: State, cause: Why) {
        let from = self.vars(f).state;
        self.transition(f, from, to, cause);
    }

    /// Any transition.
    pub(crate) fn transition(&mut self, f: Incarnation, from: State, to: State, cause: Why) {
        self.vars(f).state = to;
        self.event(
            f.host,
            Event::Transition {
                connection: f.connection,
                from,
                to,
                cause,
            },
        );
    }

    /// The snapshot at the end of a settle.
    pub(crate) fn snapshot(&mut self, f: Incarnation) {
        let vars = self.vars(f).clone();
        self.event(
            f.host,
            Event::Snapshot(Box::new(Snapshot {
                connection: f.connection,
                vars,
            })),
        );
    }

    /// A timer expires.
    pub(crate) fn timer(&mut self, f: Incarnation, timer: Timer, count: u32) {
        self.by_timer();
        self.event(
            f.host,
            Event::Timer {
                connection: f.connection,
                timer,
                count,
            },
        );
    }

    /// A user listens.
    pub(crate) fn listen(&mut self, host: NodeId) -> Incarnation {
        self.by_user();
        let f = self.opened_to(host, None);
        self.goes(f, State::Listen, Why::User(Call::Listen));
        f
    }

    /// A user connects; the SYN is not sent yet.
    pub(crate) fn connect(&mut self, host: NodeId, iss: u32) -> Incarnation {
        self.by_user();
        let f = self.opened(host);
        *self.vars(f) = fresh(iss);
        self.goes(f, State::SynSent, Why::User(Call::Connect));
        self.user(
            host,
            UserEvent::Connecting {
                connection: f.connection,
                remote: end(other(host)),
            },
        );
        self.snapshot(f);
        f
    }

    /// `f` sends a segment, with the cause at hand.
    pub(crate) fn send(&mut self, f: Incarnation, segment: Seg) -> Packet {
        self.emit(f.host, f.tag(), 0, segment)
    }

    /// A host answers what it is handling by a RST.
    pub(crate) fn echo(&mut self, cause: &Packet, segment: Seg) -> Packet {
        let host = if cause.dst == address(A) { A } else { B };
        self.emit(host, cause.tag, class::ECHO, segment)
    }

    /// The same, but to this port at the other host.
    pub(crate) fn echo_to(&mut self, cause: &Packet, port: u16, segment: Seg) -> Packet {
        let host = if cause.dst == address(A) { A } else { B };
        let to = SocketAddr::new(address(other(host)), port);
        self.emit_to(host, (end(host), to), (cause.tag, class::ECHO), segment)
    }

    /// The attacker sends a segment to `victim` in the name of the other host.
    pub(crate) fn forge(&mut self, victim: NodeId, segment: Seg) -> Packet {
        let name = Incarnation {
            host: ATTACKER,
            boot: 0,
            connection: ConnectionId(0),
        };
        let ends = (end(other(victim)), end(victim));
        self.emit_to(ATTACKER, ends, (name.tag(), 0), segment)
    }

    fn emit(&mut self, host: NodeId, tag: u64, extra: u16, segment: Seg) -> Packet {
        self.emit_to(host, (end(host), end(other(host))), (tag, extra), segment)
    }

    fn emit_to(
        &mut self,
        origin: NodeId,
        (from, to): (SocketAddr, SocketAddr),
        (tag, extra): (u64, u16),
        segment: Seg,
    ) -> Packet {
        let ordinal = self.sent.entry(origin).or_default();
        let id = PacketId {
            origin,
            ordinal: *ordinal,
        };
        *ordinal += 1;
        let sent = Outgoing {
            src: from.ip(),
            dst: to.ip(),
            hop_limit: 64,
            ecn: 0,
            diffserv: 0,
            dont_fragment: true,
            protocol: 6,
            payload: Payload::new(segment.octets(from, to)),
            tag,
            flow: flow_of(from, to),
            class: class_of(segment.flags, segment.text.len()) | extra,
        };
        let packet = Packet {
            id,
            born: self.now,
            fragment: None,
            sent,
            parts: Vec::new(),
        };
        let cause = self.cause;
        self.observe(&Observation::Sent {
            cause,
            packet: &packet,
        });
        packet
    }

    /// The datagram is handed to the host it is for; its events are the next thing to tell.
    pub(crate) fn deliver(&mut self, packet: &Packet) {
        self.deliver_damaged(packet, false);
    }

    /// The same, perhaps after a burst.
    pub(crate) fn deliver_damaged(&mut self, packet: &Packet, damaged: bool) {
        let node = if packet.dst == address(A) { A } else { B };
        self.hand_over(node, packet, damaged);
    }

    /// The datagram is handed to this host, wherever it was sent to.
    pub(crate) fn deliver_to(&mut self, node: NodeId, packet: &Packet) {
        self.hand_over(node, packet, false);
    }

    fn hand_over(&mut self, node: NodeId, packet: &Packet, damaged: bool) {
        self.cause = Cause::Packet(packet.id);
        let held_by = self.held_by;
        self.observe(&Observation::Delivered {
            node,
            packet,
            damaged,
            held_by,
        });
    }

    /// `f` receives the datagram and `change` is what becomes of its variables; transitions and
    /// the snapshot are told too.
    pub(crate) fn take(&mut self, f: Incarnation, packet: &Packet, change: impl FnOnce(&mut Vars)) {
        self.deliver(packet);
        self.judged(f, change);
    }

    /// `f` receives the datagram, and nothing comes of it.
    pub(crate) fn ignore(&mut self, f: Incarnation, packet: &Packet) {
        self.take(f, packet, |_| {});
    }

    /// What [`Stage::take`] tells after the delivery.
    pub(crate) fn judged(&mut self, f: Incarnation, change: impl FnOnce(&mut Vars)) {
        let before = self.vars(f).clone();
        let mut after = before.clone();
        change(&mut after);
        if after.state != before.state {
            let (from, to) = (before.state, after.state);
            self.transition(f, from, to, Why::Segment);
        }
        *self.vars(f) = after.clone();
        self.arrival(Some(f), f.host, before, after);
        self.snapshot(f);
    }

    /// Only the stack's verdict on the segment at hand.
    pub(crate) fn arrival(
        &mut self,
        f: Option<Incarnation>,
        host: NodeId,
        before: Vars,
        after: Vars,
    ) {
        let verdict = if before == after && f.is_some() {
            Verdict::Dropped(Drop::Ignored)
        } else {
            Verdict::Accepted
        };
        let connection = f.map(|f| f.connection);
        let arrival = SegmentArrival {
            connection,
            verdict,
            before,
            after,
        };
        self.event(host, Event::Segment(Box::new(arrival)));
    }
}

#[test]
fn a_staged_run_says_who_is_paired_with_whom() {
    let mut stage = Stage::new(vec![]);
    let listener = stage.listen(B);
    let (client, server) = stage.handshake(listener, 100, 300);
    assert_eq!(stage.facts().pair_of(client), Some(server));
    assert_eq!(stage.facts().pair_of(server), Some(client));
    assert_eq!(stage.facts().coverage().connections, 2);
    stage.close_in_turn(client, server);
    assert_eq!(stage.facts().life(client).unwrap().state, State::TimeWait);
    assert!(!stage.facts().life(server).unwrap().is_alive());
}
