//! A datagram as its sender hands it to the network.

use timewait_sim::{Packet, icmp};
use timewait_stack::wire::{Flags, IcmpMessage, Segment};

use super::model::{Datagram, Ip, Tcp, Tick};
use crate::label::class;
use crate::ladder::known::{Known, parse};
use crate::ladder::relative::{Bases, Relative};
use crate::ladder::words::Detail;

/// Takes in a datagram as it leaves; `of` is the number of the incarnation on its label.
pub(super) fn sent(known: &mut Known, packet: &Packet, of: u32, now: Tick) -> Datagram {
    let again = known.sent(packet);
    let words = known.text(packet, Detail::Full);
    let tcp = parse(packet).map(|segment| header(&segment, known.bases(packet)));
    let text = match icmp::PROTOCOLS.contains(&packet.protocol) {
        true => icmp_words(packet),
        false => words.text,
    };
    Datagram {
        origin: packet.id.origin.0,
        ordinal: packet.id.ordinal,
        sent: now,
        of,
        echo: packet.class & class::ECHO != 0,
        old: words.old,
        again,
        text,
        ip: ip(packet),
        tcp,
        legs: Vec::new(),
    }
}

/// `ICMP too big, MTU 1400`.
fn icmp_words(packet: &Packet) -> String {
    let message = IcmpMessage::parse(packet.dst.is_ipv4(), packet.payload.octets());
    let kind = message.map_or("of no error".to_owned(), |message| message.kind.to_string());
    format!("ICMP {kind}")
}

fn ip(packet: &Packet) -> Ip {
    Ip {
        src: packet.src.to_string(),
        dst: packet.dst.to_string(),
        hop_limit: packet.hop_limit,
        ecn: packet.ecn,
        diffserv: packet.diffserv,
        dont_fragment: packet.dont_fragment,
        protocol: packet.protocol,
        octets: packet.size(),
    }
}

fn header(segment: &Segment<'_>, bases: Bases) -> Tcp {
    let Segment {
        source_port,
        destination_port,
        seq,
        ack,
        flags,
        window,
        urgent,
        options,
        text,
    } = segment;
    let has = |flag| flags.contains(flag);
    let sack = options.sack.as_slice().iter();
    Tcp {
        source_port: *source_port,
        destination_port: *destination_port,
        seq: seq.0,
        seq_relative: relative(bases.seq(*seq)),
        ack: has(Flags::ACK).then_some(ack.0),
        ack_relative: relative(bases.ack(*ack)).filter(|_| has(Flags::ACK)),
        flags: flags.to_string(),
        window: *window,
        window_octets: bases.window(segment),
        urgent: has(Flags::URG).then_some(*urgent),
        text_octets: text.len() as u64,
        mss: options.mss,
        window_scale: options.window_scale,
        sack_permitted: options.sack_permitted,
        timestamps: options.timestamps,
        sack: sack.map(|block| (block.left.0, block.right.0)).collect(),
        user_timeout_s: options.user_timeout.map(|time| time.duration().as_secs()),
    }
}

fn relative(number: Relative) -> Option<i64> {
    match number {
        Relative::From(offset) => Some(offset.into()),
        Relative::Before(offset) => Some(-i64::from(offset)),
        Relative::Absolute(_) => None,
    }
}
