//! `codec` \[W\]: what a host sends is a segment that any host reads the same way (RFC 9293 §3.1,
//! §3.2, MUST-2, MUST-3).
//!
//! Its checksum verifies, by the judges' own sum and by the stack's; it parses; and parsed and
//! emitted again it is the same octets. That parsing is total is for fuzzing. Its IP header has
//! the TTL and the Diffserv field of its host (RFC 9293 §3.9.1.9, §3.9.2, MUST-48, MUST-49,
//! SHLD-22): no user changes them in a scenario (SHLD-23).

use timewait_sim::{Finding, Instant, Observation, Packet};
use timewait_stack::wire::{OptionOrder, Segment, finish_checksum};

use crate::event::HostEvent;
use crate::facts::Facts;
use crate::facts::header::checksum_verifies;
use crate::label::Incarnation;
use crate::oracle::Judge;
use crate::oracles::report::Report;

/// The oracle `codec`.
#[derive(Debug, Default)]
pub struct Codec {
    again: Vec<u8>,
}

impl Judge for Codec {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(
        &mut self,
        now: Instant,
        seen: &Observation<'_, HostEvent>,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let Observation::Sent { packet, .. } = *seen else {
            return;
        };
        if packet.protocol != PROTOCOL {
            return;
        }
        let wrong = self.wrong(packet);
        if let Some(wrong) = wrong.or_else(|| wrong_fields(packet, facts)) {
            let who = Incarnation::from_tag(packet.tag);
            Report {
                oracle: NAME,
                who,
                now,
                facts,
                findings,
            }
            .violation_unless_damaged(wrong);
        }
    }
}

impl Codec {
    fn wrong(&mut self, packet: &Packet) -> Option<String> {
        let (from, to, octets) = (packet.src, packet.dst, packet.payload.octets());
        if !checksum_verifies(from, to, octets) || !Segment::verify_checksum(from, to, octets) {
            return Some("a segment is sent with a wrong checksum".to_owned());
        }
        let segment = match Segment::parse(octets) {
            Ok(segment) => segment,
            Err(error) => return Some(format!("what is sent does not parse: {error:?}")),
        };
        let orders = [OptionOrder::Linux, OptionOrder::FreeBsd];
        let same = orders.into_iter().any(|order| {
            self.again.clear();
            segment.header().write_ordered(order, &mut self.again);
            self.again.extend_from_slice(segment.text);
            finish_checksum(from, to, &mut self.again);
            self.again == octets
        });
        (!same).then(|| format!("{segment:?} is emitted in two ways"))
    }
}

/// The fields of the IP header that the user decides.
fn wrong_fields(packet: &Packet, facts: &Facts) -> Option<String> {
    let config = facts.circumstances().config(packet.id.origin)?;
    let sent = (packet.hop_limit, packet.diffserv);
    let wanted = (config.hop_limit, config.diffserv);
    (sent != wanted).then(|| format!("hop limit and Diffserv are {sent:?}, not {wanted:?}"))
}

/// The protocol number of TCP.
const PROTOCOL: u8 = 6;
const NAME: &str = "codec";

#[cfg(test)]
mod tests {
    use timewait_sim::{Cause, Observation, Packet, Payload};
    use timewait_stack::wire::Flags;

    use super::Codec;
    use crate::staging::{A, Stage, seg};

    /// What the oracle says about the datagram with these octets changed.
    fn sent(change: impl FnOnce(&mut Vec<u8>)) -> Stage {
        sent_as(change, |_| {})
    }

    /// The same about this datagram with its octets and its IP header changed.
    fn sent_as(change: impl FnOnce(&mut Vec<u8>), header: impl FnOnce(&mut Packet)) -> Stage {
        let mut stage = Stage::new(vec![]);
        let client = stage.connect(A, 100);
        let mut packet: Packet = stage.send(client, seg(Flags::ACK).seq(1).text(vec![7; 3]));
        let mut octets = packet.payload.octets().to_vec();
        change(&mut octets);
        packet.sent.payload = Payload::new(octets);
        header(&mut packet);
        let mut judged = Stage::new(vec![Box::<Codec>::default()]);
        judged.observe(&Observation::Sent {
            cause: Cause::User,
            packet: &packet,
        });
        judged
    }

    #[test]
    fn a_segment_of_one_reading_is_silent() {
        sent(|_| {}).assert_silent();
    }

    #[test]
    fn a_wrong_checksum_is_a_violation() {
        sent(|octets| octets[20] ^= 1).assert_violation("wrong checksum");
    }

    #[test]
    fn another_hop_limit_or_diffserv_field_than_that_of_the_host_is_a_violation() {
        sent_as(|_| {}, |packet| packet.sent.hop_limit -= 1).assert_violation("hop limit");
        sent_as(|_| {}, |packet| packet.sent.diffserv = 46).assert_violation("Diffserv");
    }

    #[test]
    fn octets_that_are_no_segment_are_a_violation() {
        // The words are swapped with others, so the sum stays right.
        sent(|octets| {
            octets[4..6].copy_from_slice(&[0x50, 0x10]);
            octets[12..14].copy_from_slice(&[0, 0]);
        })
        .assert_violation("does not parse");
    }

    #[test]
    fn reserved_bits_that_are_not_read_are_a_violation() {
        // The bit moves from the window to the reserved field: same sum, another segment.
        sent(|octets| {
            octets[14] ^= 1;
            octets[12] ^= 1;
        })
        .assert_violation("is emitted in two ways");
    }
}
