//! Writes down what is observed.

use std::collections::BTreeMap;

use timewait_sim::{FindingKind, Instant, NodeId, Observation, Packet, PacketId};
use timewait_stack::event::{CaState, ConnectionId, Event};
use timewait_stack::{State, Vars};

use super::model::{self, Datagram, Leg, Record, Snapshot, Tick, What};
use super::names::Names;
use super::paths::{Hops, Now, Path};
use super::{datagram, lanes};
use crate::check::Report;
use crate::event::{BoxEvent, HostEvent};
use crate::facts::connection_of;
use crate::label::Incarnation;
use crate::ladder::known::Known;
use crate::ladder::words;
use crate::scenario::Scenario;

/// Everything that was seen so far.
#[derive(Debug)]
pub(super) struct Scribe {
    /// What does not change, and what has been written.
    record: Record,
    hops: Hops,
    known: Known,
    names: Names,
    /// The place in the record and the open legs of each datagram that is under way.
    under_way: BTreeMap<PacketId, (usize, Path)>,
    /// The leg by which a datagram has just come to a node: the place of both.
    handled: Option<(NodeId, usize, usize)>,
    /// The last snapshot of each connection.
    last_shown: BTreeMap<u32, Snapshot>,
}

impl Scribe {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let (nodes, links) = (lanes::nodes(scenario), lanes::links(scenario));
        let hops = Hops::of(&nodes, &links);
        let record = Record {
            version: model::VERSION,
            kind: scenario.kind.name(),
            heal_ns: nanos(scenario.heal_at),
            lanes: lanes::order(&nodes, &links),
            nodes,
            links,
            ..Record::default()
        };
        Self {
            record,
            hops,
            known: Known::default(),
            names: Names::default(),
            under_way: BTreeMap::new(),
            handled: None,
            last_shown: BTreeMap::new(),
        }
    }

    /// All that was written, and what the run showed in the end.
    pub(super) fn record(&self, report: Option<&Report>) -> Record {
        let mut record = self.record.clone();
        record.incarnations = self.names.all().to_vec();
        record.datagrams_all = record.datagrams.len() as u64;
        record.simulated_ns = record.ticks.last().copied().unwrap_or(0);
        let Some(report) = report else {
            return record;
        };
        record.replay = report.replay_line();
        record.simulated_ns = nanos(report.simulated);
        record.findings = report.findings.iter().map(found).collect();
        let counts =
            |map: &BTreeMap<_, _>| map.iter().map(|(name, count)| (*name, *count)).collect();
        record.hazards = counts(&report.coverage.hazards);
        record.notes = counts(&report.coverage.notes);
        record
    }

    pub(super) fn observe(&mut self, now: Instant, seen: &Observation<'_, HostEvent>) {
        let tick = self.record.ticks.len() as Tick;
        self.record.ticks.push(now.as_nanos());
        let now = Now { tick, at: now };
        match seen {
            Observation::Sent { packet, .. } => self.sent(now, packet),
            Observation::Fate { at, packet, fate } => {
                self.on_way(packet, |path, legs, hops| {
                    path.fate(now, hops, legs, at.hop, *fate);
                });
            }
            Observation::Dropped {
                hop,
                packet,
                reason,
            } => self.on_way(packet, |path, legs, hops| {
                let (origin, reason) = (packet.id.origin.0, words::drop_reason(*reason));
                path.dropped(now, hops, legs, origin, *hop, reason);
            }),
            Observation::Marked { hop, packet } => {
                self.on_way(packet, |path, legs, _| path.marked(now, legs, *hop));
            }
            Observation::Released { hop, packet, .. } => {
                self.on_way(packet, |path, legs, hops| {
                    path.released(now, hops, legs, *hop);
                });
            }
            Observation::Delivered {
                node,
                packet,
                damaged,
                held_by,
            } => {
                let (old, of) = (self.known.is_old(packet), packet.id);
                let mut came = 0;
                self.on_way(packet, |path, legs, _| {
                    came = path.delivered(now, legs, *node, *damaged, *held_by);
                    legs[came].old = old;
                });
                self.handled = self.place(of).map(|place| (*node, place, came));
                self.forget(of);
            }
            Observation::Fragmented { hop, packet, parts } => {
                self.on_way(packet, |path, legs, hops| {
                    path.cut_up(now, hops, legs, *hop, *parts);
                });
            }
            // Links are no nodes; what was lost by a cut says so.
            Observation::Passed { .. } | Observation::Cut { .. } | Observation::Restored { .. } => {
            }
            Observation::Paused { node } => self.note(now.tick, *node, "stands still"),
            Observation::Resumed { node } => self.note(now.tick, *node, "goes on"),
            Observation::Node { node, event, .. } => self.happened(now.tick, *node, event),
        }
    }

    fn sent(&mut self, now: Now, packet: &Packet) {
        let of = self
            .names
            .number(Incarnation::from_tag(packet.tag), now.tick);
        let mut datagram = datagram::sent(&mut self.known, packet, of, now.tick);
        // Whoever is no host sends again what it likes.
        datagram.again &= self.record.nodes[datagram.origin as usize].role == "host";
        let place = self.record.datagrams.len();
        self.record.datagrams.push(datagram);
        self.under_way
            .insert(packet.id, (place, Path::new(now.tick)));
    }

    /// Something happens to a datagram on its way.
    fn on_way(&mut self, packet: &Packet, then: impl FnOnce(&mut Path, &mut Vec<Leg>, &Hops)) {
        if let Some((place, path)) = self.under_way.get_mut(&packet.id) {
            let Datagram { legs, .. } = &mut self.record.datagrams[*place];
            then(path, legs, &self.hops);
        }
    }

    fn place(&self, id: PacketId) -> Option<usize> {
        self.under_way.get(&id).map(|(place, _)| *place)
    }

    /// Looks no longer for what has come to its end with all its copies.
    fn forget(&mut self, id: PacketId) {
        if self
            .under_way
            .get(&id)
            .is_some_and(|(_, path)| path.is_over())
        {
            self.under_way.remove(&id);
        }
    }

    fn happened(&mut self, now: Tick, node: NodeId, event: &HostEvent) {
        match event {
            HostEvent::Stack(event) => self.stack_event(now, node, event),
            HostEvent::User(event) => {
                if let Some(text) = words::user(event) {
                    let of = connection_of(event).map(|its| self.number(now, node, its));
                    let caused = if words::is_call(event) {
                        self.caused(now, node, of)
                    } else {
                        0
                    };
                    self.tell(now, node, of, text, What::User);
                    self.put_before(caused);
                }
            }
            HostEvent::Box(event) => {
                if let BoxEvent::Mapped { inside, outside } = event {
                    self.known.translates(*inside, *outside);
                }
                self.note(now, node, &words::of_box(event));
            }
            HostEvent::Crashed => self.tell(now, node, None, "crashed".to_owned(), What::Crash),
            HostEvent::Rebooted { boot } => {
                self.known.rebooted(node, *boot);
                self.tell(now, node, None, "rebooted".to_owned(), What::Boot);
            }
        }
    }

    fn note(&mut self, now: Tick, node: NodeId, text: &str) {
        self.tell(now, node, None, text.to_owned(), What::Note);
    }

    fn stack_event(&mut self, now: Tick, node: NodeId, event: &Event) {
        match event {
            Event::Opened {
                connection,
                local,
                remote,
                ..
            } => {
                if let Some(remote) = remote {
                    self.known.opened(node, *connection, *local, *remote);
                }
                let of = self.known.incarnation(node, *connection);
                self.names.opened(of, *local, *remote, now);
            }
            Event::Transition {
                connection,
                from,
                to,
                cause,
            } => {
                self.known
                    .entered(self.known.incarnation(node, *connection), *to);
                let of = self.number(now, node, *connection);
                let listens = self.names.all()[of as usize].remote.is_none();
                let ends = listens && *to == State::Closed;
                let (from, to, cause) = (from.name(), to.name(), words::cause(*cause));
                let what = What::State { from, to, cause };
                let text = if ends { "LISTEN ends" } else { to };
                self.tell(now, node, Some(of), text.to_owned(), what);
            }
            Event::Segment(arrival) => {
                let verdict = words::verdict(arrival.verdict);
                self.judged(now, node, arrival.connection, verdict);
                self.show_of(now, node, arrival.connection, &arrival.after);
            }
            Event::Icmp(arrival) => {
                let verdict = Some(words::icmp(arrival));
                self.judged(now, node, arrival.connection, verdict);
                self.show_of(now, node, arrival.connection, &arrival.after);
            }
            Event::Timer {
                connection,
                timer,
                count,
            } => {
                let of = self.number(now, node, *connection);
                let text = words::timer(*timer, *count);
                self.tell(now, node, Some(of), text, What::Timer);
            }
            Event::Ready { ready, .. } => {
                if let Some(text) = words::ready(*ready) {
                    self.tell(now, node, None, text, What::Note);
                }
            }
            Event::Snapshot(shown) => self.show_of(now, node, Some(shown.connection), &shown.vars),
            Event::Reopened { .. } | Event::RttSample { .. } | Event::ShiftTooLarge { .. } => {}
        }
    }

    fn number(&mut self, now: Tick, node: NodeId, connection: ConnectionId) -> u32 {
        let of = self.known.incarnation(node, connection);
        self.names.number(of, now)
    }

    fn tell(&mut self, at: Tick, node: NodeId, of: Option<u32>, text: String, what: What) {
        self.record.events.push(model::Event {
            at,
            node: node.0,
            of,
            text,
            what,
        });
    }

    /// How many of the last events a user's call at this moment has caused.
    fn caused(&self, now: Tick, node: NodeId, of: Option<u32>) -> usize {
        let ticks = &self.record.ticks;
        let caused = |event: &&model::Event| {
            let by_call = matches!(event.what, What::State { cause, .. } if cause == words::CALL);
            let here = (event.node, event.of) == (node.0, of);
            by_call && here && ticks[event.at as usize] == ticks[now as usize]
        };
        self.record.events.iter().rev().take_while(caused).count()
    }

    /// Tells the last event before so many others: a call is reported once it has returned, and is
    /// told before what it caused.
    fn put_before(&mut self, others: usize) {
        let events = &mut self.record.events;
        let moved = events.len() - 1 - others;
        let moved = &mut events[moved..];
        let ticks: Vec<Tick> = moved.iter().map(|event| event.at).collect();
        moved.rotate_right(1);
        for (event, tick) in moved.iter_mut().zip(ticks) {
            event.at = tick;
        }
    }

    /// What became of the datagram that has just come.
    fn judged(
        &mut self,
        now: Tick,
        node: NodeId,
        connection: Option<ConnectionId>,
        verdict: Option<String>,
    ) {
        let by = connection.map(|connection| self.number(now, node, connection));
        if let Some((_, datagram, leg)) = self.handled.take_if(|(at, ..)| *at == node) {
            let leg = &mut self.record.datagrams[datagram].legs[leg];
            leg.judged_by = by;
            leg.verdict = verdict;
        }
    }

    /// Writes down the variables of a connection, if they have changed.
    fn show_of(&mut self, at: Tick, node: NodeId, of: Option<ConnectionId>, vars: &Vars) {
        let Some(connection) = of else {
            return;
        };
        let of = self.number(at, node, connection);
        self.names.shown(of, vars);
        let shown = snapshot(at, of, vars);
        let last = self.last_shown.get(&of);
        if last.is_some_and(|last| Snapshot { at, ..last.clone() } == shown) {
            return;
        }
        self.last_shown.insert(of, shown.clone());
        self.record.snapshots.push(shown);
    }
}

fn snapshot(at: Tick, of: u32, vars: &Vars) -> Snapshot {
    let micros = |time: core::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Snapshot {
        at,
        of,
        snd_una: vars.snd_una.0,
        snd_nxt: vars.snd_nxt.0,
        snd_wnd: vars.snd_wnd,
        rcv_nxt: vars.rcv_nxt.0,
        rcv_wnd: vars.rcv_adv - vars.rcv_nxt,
        cwnd: vars.cwnd,
        ssthresh: vars.ssthresh,
        unread: vars.unread,
        unacknowledged: unacknowledged(vars),
        srtt_us: vars.srtt.map(micros),
        rto_us: micros(vars.rto),
        congestion: match vars.ca_state {
            CaState::Open => "open",
            CaState::Disorder => "disorder",
            CaState::Cwr => "CWR",
            CaState::Recovery => "recovery",
            CaState::Loss => "loss",
        },
    }
}

/// SYN and FIN take up sequence numbers, but are no octets of the user.
fn unacknowledged(vars: &Vars) -> u32 {
    let outstanding = vars.snd_nxt - vars.snd_una;
    let syn = u32::from(outstanding > 0 && vars.snd_una == vars.iss);
    let fin = u32::from(outstanding > 0 && vars.fin_sent);
    vars.unsent + outstanding.saturating_sub(syn + fin)
}

fn found(finding: &timewait_sim::Finding) -> model::Finding {
    let (kind, assumption) = match finding.kind {
        FindingKind::Violation => ("violation", None),
        FindingKind::Hazard(assumption) => ("hazard", Some(assumption)),
        FindingKind::Unknown => ("unknown", None),
    };
    model::Finding {
        oracle: finding.oracle,
        at_ns: finding.at.as_nanos(),
        kind,
        assumption,
        message: finding.message.clone(),
    }
}

fn nanos(time: core::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
