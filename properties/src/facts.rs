//! What can be known of a run from outside: kept once, for all judges (ORACLES.md §0).
//!
//! Provenance comes from the labels of datagrams, never from a stack's opinion of itself. Events
//! of stacks say which incarnation handled a datagram and what changed.

mod accepted;
mod arrivals;
mod circumstances;
mod cookies;
mod coverage;
mod delivery;
pub mod header;
mod life;
mod translations;

pub use accepted::{accepted, accepted_but_for_its_stamp, takes_ack};
pub use circumstances::Circumstances;
pub use coverage::{CLASS_NAMES, Coverage, Grid};
pub(crate) use delivery::TCP;
pub use delivery::{Delivery, Outcome, Seconds};
pub use header::SegmentHeader;
pub use life::{End, Ending, Life, Step, Taint, User};
pub(crate) use translations::Translations;

use core::hash::{BuildHasherDefault, Hasher};
use indexmap::IndexMap;
use std::collections::BTreeMap;
use timewait_sim::{Cause, DropReason, Duration, Instant, NodeId, Observation, Packet, PacketId};
use timewait_stack::event::{Cause as Why, IcmpArrival, IcmpVerdict};
use timewait_stack::wire::Flags;
use timewait_stack::{ConnectionId, Event, State};

use crate::event::{BoxEvent, HostEvent, UserEvent};
use crate::label::{Incarnation, class, mix};
use crate::reference::Shadow;

/// The facts of a run up to now.
#[derive(Debug, Default)]
pub struct Facts {
    circumstances: Circumstances,
    hosts: BTreeMap<NodeId, Host>,
    lives: IndexMap<u64, Life, BuildHasherDefault<TagHasher>>,
    delivery: Option<Delivery>,
    /// The segment of the datagram last sent.
    sent: Option<SegmentHeader>,
    /// Of each echo in the network: whether it answers a segment that was old.
    echoes: BTreeMap<PacketId, bool>,
    cookies: cookies::Cookies,
    translations: Translations,
    coverage: Coverage,
    drops_after_heal: u32,
    damage_passed: bool,
}

/// What is known of a host.
#[derive(Clone, Copy, Debug, Default)]
struct Host {
    boot: u8,
    crashed_at: Option<Instant>,
    booted_at: Instant,
    time_waits: u32,
}

impl Facts {
    /// Nothing has happened yet.
    pub fn new(circumstances: Circumstances) -> Self {
        Self {
            circumstances,
            ..Self::default()
        }
    }

    /// What the scenario told.
    pub fn circumstances(&self) -> &Circumstances {
        &self.circumstances
    }

    /// What the run has reached so far.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    pub(crate) fn coverage_mut(&mut self) -> &mut Coverage {
        &mut self.coverage
    }

    /// The datagram that a host is handling: from its delivery until something else happens.
    pub fn delivery(&self) -> Option<&Delivery> {
        self.delivery.as_ref()
    }

    /// The segment in the datagram that is being sent, if it holds one: read once for all judges.
    pub fn segment_sent(&self) -> Option<SegmentHeader> {
        self.sent
    }

    /// The name of a connection in the present boot of its host.
    pub fn name(&self, host: NodeId, connection: ConnectionId) -> Incarnation {
        let boot = self.hosts.get(&host).map_or(0, |host| host.boot);
        Incarnation {
            host,
            boot,
            connection,
        }
    }

    /// What is known of an incarnation.
    pub fn life(&self, of: Incarnation) -> Option<&Life> {
        self.lives.get(&of.tag())
    }

    /// Every incarnation and listener, in the order in which they began.
    pub fn lives(&self) -> impl Iterator<Item = &Life> {
        self.lives.values()
    }

    /// Lives in TIME-WAIT on a host.
    pub fn time_waits(&self, host: NodeId) -> u32 {
        self.hosts.get(&host).map_or(0, |host| host.time_waits)
    }

    /// A node that is no host and obeys no TCP (E7).
    pub fn is_attacker(&self, node: NodeId) -> bool {
        self.circumstances.attackers.contains(&node)
    }

    /// A box on the way.
    pub fn is_box(&self, node: NodeId) -> bool {
        self.circumstances.boxes.contains(&node)
    }

    /// When a host that lost its memory the last time was back again, if it ever did; if it is not
    /// back yet, when it lost it.
    pub fn rebooted_at(&self, host: NodeId) -> Option<Instant> {
        let host = self.hosts.get(&host)?;
        Some(host.crashed_at?.max(host.booted_at))
    }

    /// When the quiet time ends or has ended that a host was told to keep after its last boot (RFC
    /// 9293 §3.4.3); `None`: it was told none.
    pub fn quiet_until(&self, host: NodeId) -> Option<Instant> {
        let known = self.hosts.get(&host).copied().unwrap_or_default();
        let config = self.circumstances.boot(host, known.boot)?;
        let clock = self.circumstances.clock(host);
        Some(clock.after(known.booted_at, config.quiet_time?))
    }

    /// Datagrams that found a queue full, or were dropped by one that is managed, after the network
    /// was healed.
    pub fn drops_after_heal(&self) -> u32 {
        self.drops_after_heal
    }

    /// Whether a host has got octets that are wrong although their checksum verifies (E6), or an
    /// ICMP error that may be so. From then on nobody knows who takes what for true: ports, numbers
    /// and text may be others, and so may be all that follows from them.
    pub fn damage_passed(&self) -> bool {
        self.damage_passed
    }

    /// What has spoilt an incarnation or its pair, so that nothing is promised to either.
    pub fn taint_of(&self, of: Incarnation) -> Option<Taint> {
        let of_one = |name| self.life(name).and_then(|life| life.taint);
        of_one(of).or_else(|| self.pair_of(of).and_then(of_one))
    }

    /// 2MSL on a host, by its own clock.
    pub fn two_msl(&self, host: NodeId) -> Option<Duration> {
        self.circumstances
            .config(host)
            .map(|config| config.msl.saturating_mul(2))
    }

    /// The flow that an incarnation belongs to: the same at both of its ends, whatever address a NAT
    /// shows to one of them.
    pub fn flow_of(&self, of: Incarnation) -> Option<u64> {
        self.life(of)?.flow
    }

    /// Before this moment `of` may not leave TIME-WAIT by its timer: 2MSL after it last took its
    /// peer's FIN. `None` if it never was in TIME-WAIT.
    pub fn time_wait_until(&self, of: Incarnation) -> Option<Instant> {
        let life = self.life(of)?;
        let since = life.time_wait_at?.max(life.fin_taken_at?);
        let clock = self.circumstances.clock(of.host);
        Some(clock.after(since, self.two_msl(of.host)?))
    }

    /// The parent of `of`: who sent the SYN or SYN-ACK that set its IRS.
    pub fn parent_of(&self, of: Incarnation) -> Option<Incarnation> {
        self.life(of)?.parent
    }

    /// Whether each of the two is the parent of the other. One may be paired with itself.
    pub fn paired(&self, e: Incarnation, f: Incarnation) -> bool {
        self.parent_of(f) == Some(e) && self.parent_of(e) == Some(f)
    }

    /// The one that `f` is paired with.
    pub fn pair_of(&self, f: Incarnation) -> Option<Incarnation> {
        self.parent_of(f).filter(|&e| self.paired(e, f))
    }

    /// Whether what `x` sends is current at `f`, which is in `state`: the two are paired, or they
    /// may yet pair.
    ///
    /// What a child of `f` sends may pair with `f` even if the child has died in the meantime: it
    /// answers a SYN of `f` itself.
    pub fn is_current(&self, x: Incarnation, f: Incarnation, state: State) -> bool {
        let unsynchronized = matches!(state, State::Listen | State::SynSent | State::SynReceived);
        self.paired(x, f) || unsynchronized && self.may_pair(x, f)
    }

    fn may_pair(&self, x: Incarnation, f: Incarnation) -> bool {
        self.life(x).is_some_and(|life| match life.parent {
            Some(parent) => parent == f,
            None => life.is_alive(),
        })
    }

    /// Whether the datagram is old where `f` received it in `state`.
    ///
    /// An echo answers a segment of the incarnation in its tag. It is old for every other one,
    /// and for that one too if the segment it answers was old where it arrived.
    pub fn is_old(&self, delivery: &Delivery, f: Incarnation, state: State) -> bool {
        if delivery.is_echo() {
            delivery.tag != f || self.echoes.get(&delivery.id).copied().unwrap_or(false)
        } else {
            let mut senders = core::iter::once(delivery.tag).chain(delivery.others.iter().copied());
            !senders.all(|sender| self.is_current(sender, f, state))
        }
    }

    /// Whether what is being delivered is a RST that a listener sent before it knew of the connection
    /// between these two: it remembers nothing of its cookie (RFC 4987 §3.6), and answers so what
    /// overtakes the segment that brings it back (RFC 9293 §3.10.7.2).
    pub fn is_reset_before_cookie(&self, e: Incarnation, f: Incarnation) -> bool {
        let mut lives = [e, f].into_iter().filter_map(|name| self.life(name));
        let child = lives.find(|life| life.is_by_cookie());
        child.zip(self.delivery()).is_some_and(|(child, delivery)| {
            let segment = delivery.segment();
            let reset = segment.is_some_and(|segment| segment.has(Flags::RST));
            reset && delivery.is_echo() && delivery.born <= child.opened_at
        })
    }

    /// The SYN and the SYN-ACK behind the SYN cookie that the datagram acknowledges.
    pub(crate) fn handshake_by_cookie(&self, delivery: &Delivery) -> Option<cookies::Handshake> {
        self.cookies.handshake(delivery)
    }

    /// Whether the datagram acknowledges a SYN cookie that was sent to its sender (RFC 4987 §3.6).
    pub fn acknowledges_cookie(&self, delivery: &Delivery) -> bool {
        self.cookies.acknowledged_by(delivery)
    }

    /// Takes in one observation. Judges see it after that.
    pub(crate) fn observe(&mut self, now: Instant, seen: &Observation<'_, HostEvent>) {
        match *seen {
            Observation::Sent { cause, packet } => self.sent(now, cause, packet),
            Observation::Delivered {
                node,
                packet,
                damaged,
                held_by,
            } => {
                let delivery = Delivery::new(now, node, packet, damaged, held_by);
                let forged = self.is_attacker(delivery.tag.host);
                if damaged && (delivery.intact || packet.protocol != TCP) {
                    self.damage_passed = true;
                    self.coverage.note("net: damage that no checksum tells");
                }
                self.delivery = Some(Delivery { forged, ..delivery });
            }
            Observation::Node { node, cause, event } => {
                if !self.is_handling(node, cause) {
                    self.delivery = None;
                }
                self.happened(now, node, event);
            }
            Observation::Cut { .. } => self.coverage.note("net: a hop was cut"),
            Observation::Dropped { reason, .. } => {
                let healed = self
                    .circumstances
                    .heal_at
                    .is_some_and(|heal_at| now >= heal_at);
                if reason == DropReason::Early {
                    self.coverage.note("net: dropped early by a queue");
                }
                let queues = matches!(reason, DropReason::QueueFull | DropReason::Early);
                self.drops_after_heal += u32::from(healed && queues);
            }
            Observation::Fragmented { .. } => self.coverage.note("net: cut into parts"),
            Observation::Marked { .. } => self.coverage.note("ecn: marked by a queue"),
            Observation::Paused { .. } => self.coverage.note("pauses"),
            Observation::Fate { .. }
            | Observation::Restored { .. }
            | Observation::Released { .. }
            | Observation::Passed { .. }
            | Observation::Resumed { .. } => {}
        }
    }

    fn is_handling(&self, node: NodeId, cause: Cause) -> bool {
        let handled = self
            .delivery
            .as_ref()
            .map(|delivery| (delivery.node, delivery.id));
        matches!(cause, Cause::Packet(id) if handled == Some((node, id)))
    }

    /// An echo inherits the age of what it answers, unless that met no incarnation at all: then
    /// it is how a half-open connection learns that its peer is gone (RFC 9293 §3.5.1).
    fn sent(&mut self, now: Instant, cause: Cause, packet: &Packet) {
        self.sent = SegmentHeader::of(packet);
        if let Some(segment) = &self.sent {
            let handled = self.is_handling(packet.id.origin, cause);
            let answered = self.delivery.as_ref().filter(|_| handled);
            let answered = answered.and_then(Delivery::segment);
            self.cookies.sent(packet, segment, answered);
            if segment.has(Flags::CWR) && !segment.has(Flags::SYN) {
                self.coverage.note("ecn: a mark answered");
            }
        }
        if packet.class & class::ECHO == 0 {
            self.offers(now, packet);
        }
        if packet.class & class::ECHO == 0 || !self.is_handling(packet.id.origin, cause) {
            return;
        }
        let answers_old = self.delivery.as_ref().is_some_and(|delivery| {
            let met = delivery
                .received_by
                .is_some_and(|(_, state)| state != State::Listen);
            met && delivery.old
        });
        self.echoes.insert(packet.id, answers_old);
    }

    /// An incarnation sends what its peer may rely on.
    fn offers(&mut self, now: Instant, packet: &Packet) {
        let sender = Incarnation::from_tag(packet.tag);
        if sender.host == packet.id.origin
            && let Some(segment) = self.sent
        {
            let shown = self.circumstances.clock(sender.host).shows(now);
            self.with(sender, |life| life.shadow.sent(&segment, shown));
        }
    }

    fn happened(&mut self, now: Instant, node: NodeId, event: &HostEvent) {
        match event {
            HostEvent::Stack(event) => self.stack_event(now, node, event),
            HostEvent::User(event) => self.user_event(now, node, event),
            HostEvent::Box(event) => self.box_event(event),
            HostEvent::Crashed => self.crashed(now, node),
            HostEvent::Rebooted { boot } => self.rebooted(now, node, *boot),
        }
    }

    fn stack_event(&mut self, now: Instant, node: NodeId, event: &Event) {
        match event {
            Event::Opened {
                connection,
                local,
                remote,
                ..
            } => {
                let name = self.name(node, *connection);
                let config = self.circumstances.config(node);
                let stamps = config.is_some_and(|config| config.timestamps);
                let mut life = Life::new(name, *local, *remote, now);
                life.flow = remote.map(|remote| self.translations.flow(*local, remote));
                life.shadow = Shadow::new(stamps);
                self.lives.insert(name.tag(), life);
                self.coverage.incarnations += u64::from(remote.is_some());
            }
            Event::Reopened { old, new } => {
                let (old, new) = (self.name(node, *old), self.name(node, *new));
                self.with(old, |life| life.reopened_by = Some(new));
                self.with(new, |life| life.reopened_from = Some(old));
            }
            Event::Transition {
                connection,
                from,
                to,
                cause,
            } => {
                let name = self.name(node, *connection);
                self.transition(
                    name,
                    Step {
                        at: now,
                        from: *from,
                        to: *to,
                        cause: *cause,
                    },
                );
            }
            Event::Segment(arrival) => self.segment(now, node, arrival),
            Event::Snapshot(snapshot) => {
                let name = self.name(node, snapshot.connection);
                let before = self.life(name).and_then(|life| life.vars.as_ref());
                if before.is_some_and(|before| snapshot.vars.path_mtu < before.path_mtu) {
                    self.coverage.note("path MTU lowered by silence");
                }
                self.with(name, |life| life.remember(&snapshot.vars));
            }
            Event::Icmp(arrival) => self.icmp(node, arrival),
            Event::Ready { .. }
            | Event::Timer { .. }
            | Event::RttSample { .. }
            | Event::ShiftTooLarge { .. } => {}
        }
    }

    /// An ICMP message was judged.
    fn icmp(&mut self, node: NodeId, arrival: &IcmpArrival) {
        self.coverage.icmp(arrival.before.state);
        self.coverage.note(match arrival.verdict {
            IcmpVerdict::PathMtu(_) => "icmp: path MTU",
            IcmpVerdict::Unconfirmed => "icmp: waits for a timeout",
            IcmpVerdict::SoftError(_) => "icmp: soft error",
            IcmpVerdict::Aborted(_) => "icmp: aborted",
            IcmpVerdict::Malformed(_) | IcmpVerdict::Ignored(_) => "icmp: ignored",
        });
        let Some(connection) = arrival.connection else {
            return;
        };
        let name = self.name(node, connection);
        let forged = self.delivery.as_ref().is_some_and(|it| it.forged);
        let spoilt = forged && is_believed(arrival.verdict);
        self.with(name, |life| {
            if spoilt {
                life.taint = Some(Taint::Attack);
            }
            if life.is_alive() && arrival.after.state != State::Closed {
                life.remember(&arrival.after);
            }
        });
    }

    fn transition(&mut self, name: Incarnation, step: Step) {
        self.coverage.transitioned(step.from, step.to);
        let sender = self
            .delivery
            .as_ref()
            .filter(|delivery| !delivery.is_echo());
        let synchronizes = step.cause == Why::Segment && sets_irs(step.from, step.to);
        let parent = sender.map(|delivery| delivery.tag).filter(|_| synchronizes);
        let header = self.delivery.as_ref().and_then(|delivery| delivery.header);
        if let Some(delivery) = self.delivery.as_mut().filter(|_| opens(step.from, step.to)) {
            delivery.opened = Some(name);
        }
        let by_cookie = is_by_cookie(step.from, step.to);
        let behind = self.delivery.as_ref().filter(|_| by_cookie);
        let handshake = behind.and_then(|delivery| self.cookies.handshake(delivery));
        let shown = self.circumstances.clock(name.host).shows(step.at);
        let Some(life) = self.lives.get_mut(&name.tag()) else {
            return;
        };
        let was_waiting = life.state == State::TimeWait;
        let was_synchronized = life.history.iter().any(|step| step.to.is_synchronized());
        life.step(step, header.as_ref());
        // Judges see the transition before they hear that the segment was accepted.
        let forged = self.delivery.as_ref().is_some_and(|it| it.forged);
        if forged && matches!(step.cause, Why::Segment | Why::Icmp) {
            life.taint = Some(Taint::Attack);
        }
        life.parent = parent.or(life.parent);
        if let Some(header) = header.filter(|_| synchronizes) {
            if let Some(handshake) = handshake {
                life.shadow.sent(&handshake.syn_ack, shown);
                life.shadow.synchronized_by(&handshake.syn, shown);
                life.shadow.acknowledged_cookie(&header, shown);
            } else {
                life.shadow.synchronized_by(&header, shown);
            }
            life.shadow.offered_window(&header);
        }
        let is_waiting = life.state == State::TimeWait;
        let first = life.is_alive() && step.to.is_synchronized() && !was_synchronized;
        let returned = life
            .end
            .is_some_and(|end| end.ending == Ending::ReturnedToTimeWait);
        let old = life.reopened_from.filter(|_| returned);
        self.coverage.connections += u64::from(first);
        if let Some(parent) = parent.filter(|_| by_cookie) {
            self.with(parent, |life| life.paired_by_cookie(name));
        }
        let host = self.hosts.entry(name.host).or_default();
        host.time_waits =
            (host.time_waits + u32::from(is_waiting)).saturating_sub(u32::from(was_waiting));
        if let Some(old) = old {
            self.with(old, |life| life.reopened_by = None);
        }
    }

    fn user_event(&mut self, now: Instant, node: NodeId, event: &UserEvent) {
        let Some(connection) = connection_of(event) else {
            return;
        };
        let name = self.name(node, connection);
        self.with(name, |life| life.user_did(now, event));
    }

    /// A box has done something. Where it has let go of a connection nothing is promised to that
    /// one any more (ORACLES.md §1, `close`).
    fn box_event(&mut self, event: &BoxEvent) {
        self.coverage.note(event.name());
        match *event {
            BoxEvent::Mapped { inside, outside } => self.translations.add(inside, outside),
            BoxEvent::Refused { tag, .. } => {
                let pair = self.pair_of(tag);
                for name in [Some(tag), pair].into_iter().flatten() {
                    self.with(name, |life| {
                        life.taint.get_or_insert(Taint::Box);
                    });
                }
            }
            BoxEvent::BadDropped
            | BoxEvent::OptionsChanged
            | BoxEvent::Cut
            | BoxEvent::Joined
            | BoxEvent::ErrorTranslated => {}
        }
    }

    fn crashed(&mut self, now: Instant, node: NodeId) {
        let gone = self
            .lives
            .values_mut()
            .filter(|life| life.name.host == node && life.is_alive());
        gone.for_each(|life| life.finish(now, Ending::Crashed));
        let host = self.hosts.entry(node).or_default();
        host.crashed_at = Some(now);
        host.time_waits = 0;
        self.coverage.note("crashes");
    }

    fn rebooted(&mut self, now: Instant, node: NodeId, boot: u8) {
        let host = self.hosts.entry(node).or_default();
        host.boot = boot;
        host.booted_at = now;
    }

    fn with(&mut self, name: Incarnation, change: impl FnOnce(&mut Life)) {
        if let Some(life) = self.lives.get_mut(&name.tag()) {
            change(life);
        }
    }
}

/// Whether an error of ICMP has changed anything.
pub(crate) fn is_believed(verdict: IcmpVerdict) -> bool {
    !matches!(verdict, IcmpVerdict::Malformed(_) | IcmpVerdict::Ignored(_))
}

/// Whether a new incarnation begins with this transition, by a SYN or by what a SYN cookie has
/// kept of it.
fn opens(from: State, to: State) -> bool {
    is_by_cookie(from, to)
        || matches!(from, State::Listen | State::TimeWait) && to == State::SynReceived
}

/// Whether an incarnation begins by what a SYN cookie has kept of its SYN (RFC 4987 §3.6).
pub(crate) fn is_by_cookie(from: State, to: State) -> bool {
    from == State::Listen && to == State::Established
}

/// Whether the segment behind this transition set IRS.
pub(crate) fn sets_irs(from: State, to: State) -> bool {
    let entered = matches!(
        to,
        State::SynReceived | State::Established | State::CloseWait
    );
    opens(from, to) || entered && from == State::SynSent
}

/// The connection that a user's event is about, if it came to one.
pub fn connection_of(event: &UserEvent) -> Option<ConnectionId> {
    match *event {
        UserEvent::Connecting { connection, .. }
        | UserEvent::Connected { connection }
        | UserEvent::Accepted { connection }
        | UserEvent::Sent { connection, .. }
        | UserEvent::Received { connection, .. }
        | UserEvent::EndOfFile { connection, .. }
        | UserEvent::Failed { connection, .. }
        | UserEvent::Buffers { connection, .. }
        | UserEvent::Shutdown { connection, .. }
        | UserEvent::Closed { connection, .. }
        | UserEvent::Aborted { connection } => Some(connection),
        UserEvent::NotConnecting { .. } => None,
    }
}

/// Tags are numbers that count up: one round of mixing spreads them.
#[derive(Clone, Copy, Debug, Default)]
struct TagHasher(u64);

impl Hasher for TagHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.0 = mix(self.0 ^ u64::from(octet));
        }
    }

    fn write_u64(&mut self, tag: u64) {
        self.0 = mix(tag);
    }
}

#[cfg(test)]
mod tests;
