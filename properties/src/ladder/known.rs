//! What the wire and the hosts have said of incarnations so far: which is the newest on its flow,
//! how far it has sent, and what its numbers count from.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use timewait_sim::{NodeId, Packet};
use timewait_stack::event::ConnectionId;
use timewait_stack::wire::Segment;
use timewait_stack::{SeqNumber, State};

use super::entry::SegmentText;
use super::relative::{Bases, Relatives};
use super::words::{self, Detail};
use crate::facts::{TCP, Translations};
use crate::label::{Incarnation, class};

#[derive(Debug, Default)]
pub(crate) struct Known {
    relatives: Relatives,
    /// One past the last sequence number that an incarnation has sent, and the classes that it
    /// has sent.
    sent_up_to: BTreeMap<Incarnation, (SeqNumber, u16)>,
    /// The incarnation of a host on a flow that changed its state last.
    newest: BTreeMap<(NodeId, u64), Incarnation>,
    flows: BTreeMap<Incarnation, u64>,
    boots: BTreeMap<NodeId, u8>,
    translations: Translations,
}

impl Known {
    /// Takes in a datagram as it leaves. Says whether all sequence space of it was sent before.
    ///
    /// The SYN,ACK of a simultaneous open repeats a SYN, but it is not a SYN that was lost.
    pub(crate) fn sent(&mut self, packet: &Packet) -> bool {
        if packet.class & class::ECHO != 0 {
            return false;
        }
        let of = Incarnation::from_tag(packet.tag);
        let flow = (packet.id.origin, self.flow_of(packet));
        self.newest.entry(flow).or_insert(of);
        let Some(segment) = parse(packet) else {
            return false;
        };
        let end = segment.seq + segment.len();
        let Some((up_to, syns)) = self.sent_up_to.get_mut(&of) else {
            self.sent_up_to.insert(of, (end, packet.class));
            return false;
        };
        let new_syn = packet.class & class::SYN_ACK & !*syns != 0;
        *syns |= packet.class;
        if end.after(*up_to) {
            *up_to = end;
            return false;
        }
        segment.len() > 0 && !new_syn
    }

    /// A host opens an incarnation.
    pub(crate) fn opened(
        &mut self,
        host: NodeId,
        connection: ConnectionId,
        local: SocketAddr,
        remote: SocketAddr,
    ) {
        let of = self.incarnation(host, connection);
        let flow = self.translations.flow(local, remote);
        self.flows.insert(of, flow);
        self.newest.insert((host, flow), of);
    }

    /// An incarnation enters a state.
    pub(crate) fn entered(&mut self, of: Incarnation, to: State) {
        if let Some(flow) = self.flow(of)
            && to != State::Closed
        {
            self.newest.insert((of.host, flow), of);
        }
    }

    /// A NAT shows an end inside as another one.
    pub(crate) fn translates(&mut self, inside: SocketAddr, outside: SocketAddr) {
        self.translations.add(inside, outside);
    }

    /// The flow of a datagram, wherever it is seen.
    pub(crate) fn flow_of(&self, packet: &Packet) -> u64 {
        self.translations.flow_of(packet)
    }

    /// A host has booted so often before.
    pub(crate) fn rebooted(&mut self, host: NodeId, boot: u8) {
        self.boots.insert(host, boot);
    }

    pub(crate) fn incarnation(&self, host: NodeId, connection: ConnectionId) -> Incarnation {
        let boot = self.boots.get(&host).copied().unwrap_or(0);
        Incarnation {
            host,
            boot,
            connection,
        }
    }

    /// The flow of an incarnation; listeners have none.
    pub(crate) fn flow(&self, of: Incarnation) -> Option<u64> {
        self.flows.get(&of).copied()
    }

    /// Whether the incarnation that a datagram is labelled with is no longer the newest of its host
    /// on the flow.
    pub(crate) fn is_old(&self, packet: &Packet) -> bool {
        let of = Incarnation::from_tag(packet.tag);
        let newest = self.newest.get(&(of.host, self.flow_of(packet)));
        newest.is_some_and(|newest| *newest != of)
    }

    /// What the numbers of a segment count from.
    pub(crate) fn bases(&self, packet: &Packet) -> Bases {
        let of = Incarnation::from_tag(packet.tag);
        self.relatives.bases(of, packet.class)
    }

    /// The segment in words; in full as it leaves, when what its numbers count from is learned.
    pub(crate) fn text(&mut self, packet: &Packet, detail: Detail) -> SegmentText {
        let of = Incarnation::from_tag(packet.tag);
        let text = match parse(packet) {
            _ if packet.fragment.is_some() => words::part(packet),
            Some(segment) if detail == Detail::Full => {
                let flow = self.flow_of(packet);
                let learned = &mut self.relatives;
                let bases = learned.sent(of, flow, packet.class, &segment);
                words::segment(&segment, bases, detail)
            }
            Some(segment) => words::segment(&segment, self.bases(packet), detail),
            None => {
                let octets = packet.payload.octets().len();
                format!("protocol {}, {octets} octets", packet.protocol)
            }
        };
        SegmentText {
            of,
            old: self.is_old(packet),
            echo: packet.class & class::ECHO != 0,
            text,
        }
    }
}

/// The segment in a datagram; `None` if there is none.
pub(crate) fn parse(packet: &Packet) -> Option<Segment<'_>> {
    if packet.protocol == TCP {
        Segment::parse(packet.payload.octets()).ok()
    } else {
        None
    }
}
