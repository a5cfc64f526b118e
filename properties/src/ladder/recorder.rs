//! Turns observations into lines.

use core::net::IpAddr;
use std::collections::{BTreeMap, VecDeque};

use timewait_sim::icmp;
use timewait_sim::{DropReason, Fate, HopId, Instant, NodeId, Observation, Outcome, Packet};
use timewait_stack::State;
use timewait_stack::event::{Cause, ConnectionId, Event, SegmentArrival};

use super::entry::{Beside, Entry, Origin, SegmentText, What};
use super::known::Known;
use super::words::{self, Detail};
use crate::event::{BoxEvent, HostEvent, UserEvent};
use crate::facts::connection_of;
use crate::label::Incarnation;

/// The lines so far and what is needed to name things in the next one.
#[derive(Debug)]
pub(super) struct Recorder {
    entries: VecDeque<Entry>,
    lines_max: u32,
    until: Instant,
    known: Known,
    addresses: BTreeMap<IpAddr, NodeId>,
    /// What the box has done that passes something on next.
    deeds: String,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::bounded(u32::MAX, Instant::MAX)
    }
}

impl Recorder {
    pub(super) fn bounded(lines_max: u32, until: Instant) -> Self {
        Self {
            entries: VecDeque::new(),
            lines_max,
            until,
            known: Known::default(),
            addresses: BTreeMap::new(),
            deeds: String::new(),
        }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The host with this address, if it was seen to use it.
    pub(super) fn host_of(&self, address: IpAddr) -> Option<NodeId> {
        self.addresses.get(&address).copied()
    }

    /// The addresses that a host was seen to use.
    pub(super) fn addresses_of(&self, host: NodeId) -> impl Iterator<Item = IpAddr> {
        self.addresses
            .iter()
            .filter(move |(_, its)| **its == host)
            .map(|(address, _)| *address)
    }

    pub(super) fn observe(&mut self, now: Instant, seen: &Observation<'_, HostEvent>) {
        if now > self.until || is_icmp(seen) {
            return;
        }
        match seen {
            Observation::Sent { packet, .. } => self.sent(now, packet),
            Observation::Fate { at, packet, fate } => self.fate(now, at.hop, packet, fate),
            Observation::Dropped {
                hop,
                packet,
                reason,
            } => {
                self.dropped(now, *hop, packet, *reason);
            }
            Observation::Marked { hop, packet } => self.remark(now, *hop, packet, "marked CE"),
            Observation::Fragmented { hop, packet, parts } => {
                self.remark(now, *hop, packet, &format!("in {parts} parts"));
            }
            Observation::Cut { hop } => self.link(now, format!("hop {} is cut", hop.0)),
            Observation::Restored { hop } => self.link(now, format!("hop {} is up", hop.0)),
            Observation::Released { router, packet, .. } => {
                let deed = format!("r{} releases", router.0);
                self.network(now, packet, deed, String::new());
            }
            Observation::Passed { node, packet } => self.passed(now, *node, packet),
            Observation::Delivered {
                node,
                packet,
                damaged,
                held_by,
            } => {
                self.delivered(now, *node, packet, *damaged, *held_by);
            }
            Observation::Paused { node } => {
                self.beside(now, *node, None, "stands still".to_owned(), Origin::Stack);
            }
            Observation::Resumed { node } => {
                self.beside(now, *node, None, "goes on".to_owned(), Origin::Stack);
            }
            Observation::Node { node, event, .. } => self.event(now, *node, event),
        }
    }

    fn sent(&mut self, now: Instant, packet: &Packet) {
        let host = packet.id.origin;
        self.addresses.entry(packet.src).or_insert(host);
        let of = Incarnation::from_tag(packet.tag);
        let again = self.known.sent(packet);
        let segment = self.known.text(packet, Detail::Full);
        let note = if again {
            "resent".to_owned()
        } else {
            String::new()
        };
        let what = What::Sent {
            host,
            to: packet.dst,
            id: packet.id,
            segment,
            note,
            lost: false,
        };
        if let Some(last) = self.entries.back_mut()
            && last.at == now
            && matches!(last.what, What::Beside { host: its } if its == host)
            && last.beside.as_ref().is_some_and(|beside| {
                beside.connection == Some(of.connection) && beside.origin != Origin::User
            })
        {
            last.what = what;
            last.flow = Some(self.known.flow_of(packet));
            return;
        }
        self.push(Entry {
            at: now,
            flow: Some(self.known.flow_of(packet)),
            what,
            beside: None,
        });
    }

    /// What a fate did. A mere delay beyond the first hop has no line: it shows in the arrival.
    fn fate(&mut self, now: Instant, hop: HopId, packet: &Packet, fate: &Fate) {
        let note = words::fate(fate).join(", ");
        let lost = fate.original == Outcome::Drop;
        if note.is_empty() || self.note_on_sent(now, packet, &note, lost) {
            return;
        }
        let only_late = matches!(fate.original, Outcome::Deliver { damage: None, .. });
        if !only_late || !fate.copies.is_empty() {
            self.network(now, packet, format!("hop {}", hop.0), note);
        }
    }

    fn dropped(&mut self, now: Instant, hop: Option<HopId>, packet: &Packet, reason: DropReason) {
        let note = format!("lost: {}", words::drop_reason(reason));
        if !self.note_on_sent(now, packet, &note, true) {
            let deed = hop.map_or("the network".to_owned(), |hop| format!("hop {}", hop.0));
            self.network(now, packet, deed, note);
        }
    }

    fn remark(&mut self, now: Instant, hop: HopId, packet: &Packet, note: &str) {
        if !self.note_on_sent(now, packet, note, false) {
            self.network(now, packet, format!("hop {}", hop.0), note.to_owned());
        }
    }

    /// Adds to the line of the segment that has just left, if that is this one and not a part of it.
    fn note_on_sent(&mut self, now: Instant, packet: &Packet, text: &str, gone: bool) -> bool {
        if let Some(last) = self.entries.back_mut()
            && let What::Sent { id, note, lost, .. } = &mut last.what
            && (*id, last.at) == (packet.id, now)
            && packet.fragment.is_none()
        {
            add(note, text);
            *lost |= gone;
            return true;
        }
        false
    }

    fn network(&mut self, now: Instant, packet: &Packet, deed: String, note: String) {
        let segment = self.known.text(packet, Detail::Brief);
        let what = What::Network {
            from: packet.id.origin,
            to: packet.dst,
            deed,
            segment,
            note,
        };
        self.push(Entry {
            at: now,
            flow: Some(self.known.flow_of(packet)),
            what,
            beside: None,
        });
    }

    fn link(&mut self, now: Instant, deed: String) {
        self.push(Entry {
            at: now,
            flow: None,
            what: What::Link { deed },
            beside: None,
        });
    }

    fn delivered(
        &mut self,
        now: Instant,
        host: NodeId,
        packet: &Packet,
        damaged: bool,
        held_by: Option<NodeId>,
    ) {
        self.addresses.entry(packet.dst).or_insert(host);
        let mut segment = self.known.text(packet, Detail::Brief);
        if damaged {
            segment.text = format!("{} damaged octets", packet.payload.octets().len());
        }
        let mut note = String::new();
        if let Some(router) = held_by {
            let age = words::span(now.saturating_since(packet.born));
            add(&mut note, &format!("{age} old from r{}", router.0));
        }
        let what = What::Arrived {
            host,
            from: packet.id.origin,
            segment,
            note,
        };
        self.push(Entry {
            at: now,
            flow: Some(self.known.flow_of(packet)),
            what,
            beside: None,
        });
    }

    fn event(&mut self, now: Instant, host: NodeId, event: &HostEvent) {
        match event {
            HostEvent::Stack(event) => self.stack_event(now, host, event),
            HostEvent::User(event) => self.user_event(now, host, event),
            HostEvent::Box(event) => self.box_event(now, host, event),
            HostEvent::Crashed => {
                self.beside(now, host, None, "crashed".to_owned(), Origin::Stack);
            }
            HostEvent::Rebooted { boot } => {
                self.known.rebooted(host, *boot);
                self.beside(now, host, None, "rebooted".to_owned(), Origin::Stack);
            }
        }
    }

    /// What a box does to a segment stands with the segment that it passes on.
    fn box_event(&mut self, now: Instant, at: NodeId, event: &BoxEvent) {
        let words = words::of_box(event);
        if let BoxEvent::Mapped { inside, outside } = event {
            self.known.translates(*inside, *outside);
        }
        let (tag, from, to) = match event {
            BoxEvent::Refused { tag, from, to, .. } => (tag, from, to),
            // Nothing follows: what was damaged has its line already.
            BoxEvent::BadDropped | BoxEvent::ErrorTranslated => return,
            BoxEvent::Mapped { .. }
            | BoxEvent::OptionsChanged
            | BoxEvent::Cut
            | BoxEvent::Joined => {
                add(&mut self.deeds, &words);
                return;
            }
        };
        let segment = SegmentText {
            of: *tag,
            old: false,
            echo: false,
            text: format!("{from} to {to}"),
        };
        let what = What::Network {
            from: tag.host,
            to: to.ip(),
            deed: format!("b{}", at.0),
            segment,
            note: words,
        };
        self.push(Entry {
            at: now,
            flow: None,
            what,
            beside: None,
        });
    }

    fn passed(&mut self, now: Instant, at: NodeId, packet: &Packet) {
        let deeds = core::mem::take(&mut self.deeds);
        if !deeds.is_empty() {
            self.network(now, packet, format!("b{}", at.0), deeds);
        }
    }

    /// A call is reported once it has returned; it is told before what it caused.
    fn user_event(&mut self, now: Instant, host: NodeId, event: &UserEvent) {
        let connection = connection_of(event);
        let listens = connection.is_some_and(|connection| self.flow(host, connection).is_none());
        let Some(text) = words::user(event).filter(|_| !listens) else {
            return;
        };
        let caused = |entry: &&Entry| {
            let by_call =
                |beside: &Beside| beside.origin == Origin::Call && beside.connection == connection;
            let here = matches!(entry.what, What::Beside { host: its } if its == host);
            here && entry.at == now && entry.beside.as_ref().is_some_and(by_call)
        };
        let caused = self.entries.iter().rev().take_while(caused).count();
        if caused == 0 || !words::is_call(event) {
            self.beside(now, host, connection, text, Origin::User);
            return;
        }
        let flow = connection.and_then(|connection| self.flow(host, connection));
        let beside = Some(Beside {
            connection,
            text,
            origin: Origin::User,
        });
        let entry = Entry {
            at: now,
            flow,
            what: What::Beside { host },
            beside,
        };
        self.entries.insert(self.entries.len() - caused, entry);
    }

    fn stack_event(&mut self, now: Instant, host: NodeId, event: &Event) {
        match event {
            Event::Opened {
                connection,
                local,
                remote,
                ..
            } => {
                if let Some(remote) = remote {
                    self.addresses.entry(local.ip()).or_insert(host);
                    self.known.opened(host, *connection, *local, *remote);
                }
            }
            Event::Transition {
                connection,
                to,
                cause,
                ..
            } => {
                let of = self.known.incarnation(host, *connection);
                self.known.entered(of, *to);
                let ends = self.known.flow(of).is_none() && *to == State::Closed;
                let text = if ends { "LISTEN ends" } else { to.name() }.to_owned();
                let by_call = matches!(cause, Cause::User(_));
                let origin = if by_call { Origin::Call } else { Origin::Stack };
                self.beside(now, host, Some(*connection), text, origin);
            }
            Event::Segment(arrival) => self.judged(now, host, arrival),
            Event::Icmp(arrival) => {
                let text = words::icmp(arrival);
                self.beside(now, host, arrival.connection, text, Origin::Stack);
            }
            Event::Timer {
                connection,
                timer,
                count,
            } => {
                let text = words::timer(*timer, *count);
                self.beside(now, host, Some(*connection), text, Origin::Stack);
            }
            Event::Ready { ready, .. } => {
                if let Some(text) = words::ready(*ready) {
                    self.beside(now, host, None, text, Origin::Stack);
                }
            }
            Event::Reopened { .. }
            | Event::RttSample { .. }
            | Event::ShiftTooLarge { .. }
            | Event::Snapshot(_) => {}
        }
    }

    /// Adds the reason of a drop to the line of the segment that has just arrived at `host`.
    fn judged(&mut self, now: Instant, host: NodeId, arrival: &SegmentArrival) {
        /// The events of one arrival make no more lines than this before its verdict.
        const LINES_BACK: usize = 8;
        let Some(text) = words::verdict(arrival.verdict) else {
            return;
        };
        for entry in self.entries.iter_mut().rev().take(LINES_BACK) {
            if let What::Arrived {
                host: its, note, ..
            } = &mut entry.what
                && *its == host
                && entry.at == now
            {
                add(note, &text);
                return;
            }
        }
    }

    /// A change at a host: on the line of the segment that caused it, if there is room.
    fn beside(
        &mut self,
        now: Instant,
        host: NodeId,
        connection: Option<ConnectionId>,
        text: String,
        origin: Origin,
    ) {
        let beside = Some(Beside {
            connection,
            text,
            origin,
        });
        if let Some(last) = self.entries.back_mut()
            && last.at == now
            && last.beside.is_none()
            && matches!(last.what, What::Arrived { host: its, .. } if its == host)
        {
            last.beside = beside;
            return;
        }
        let flow = connection.and_then(|connection| self.flow(host, connection));
        self.push(Entry {
            at: now,
            flow,
            what: What::Beside { host },
            beside,
        });
    }

    fn flow(&self, host: NodeId, connection: ConnectionId) -> Option<u64> {
        self.known.flow(self.known.incarnation(host, connection))
    }

    fn push(&mut self, entry: Entry) {
        if self.entries.len() >= self.lines_max as usize {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }
}

fn add(note: &mut String, text: &str) {
    if !note.is_empty() {
        note.push_str(", ");
    }
    note.push_str(text);
}

/// What routers send has no line of its own: it shows where it is taken.
fn is_icmp(seen: &Observation<'_, HostEvent>) -> bool {
    let protocol = seen.packet().map(|packet| packet.protocol);
    protocol.is_some_and(|protocol| icmp::PROTOCOLS.contains(&protocol))
}
