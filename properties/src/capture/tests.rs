use std::collections::{BTreeMap, BTreeSet};

use etherparse::{Ipv4Header, NetSlice, SlicedPacket, TransportSlice};
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::{Block, PcapNgReader};

use super::Capture;
use crate::check::check_with;
use crate::scenario::FaultPlan;
use crate::{Kind, Scenario};

/// The packets of a capture of a run, read back.
fn captured(scenario: &Scenario, only: &[&str]) -> Vec<EnhancedPacketBlock<'static>> {
    let mut capture = Capture::of(scenario);
    if !only.is_empty() {
        capture = capture.only(only).expect("there are such interfaces");
    }
    let report = check_with(scenario, vec![capture.oracle()]);
    assert!(!report.failed(), "{report}");
    let mut file = Vec::new();
    capture.write(&mut file).expect("memory takes all");
    let mut reader = PcapNgReader::new(&file[..]).expect("a section header");
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.expect("a block") {
            packets.push(packet.into_owned());
        }
    }
    assert_eq!(packets.len() as u64, capture.packets());
    packets
}

fn comments(packet: &EnhancedPacketBlock<'_>) -> Vec<String> {
    let comment = |option: &EnhancedPacketOption<'_>| match option {
        EnhancedPacketOption::Comment(text) => Some(text.to_string()),
        _ => None,
    };
    packet.options.iter().filter_map(comment).collect()
}

fn says(packet: &EnhancedPacketBlock<'_>, what: &str) -> bool {
    comments(packet).iter().any(|text| text.contains(what))
}

/// Whether IP header and segment have valid checksums, by somebody else's reckoning.
fn is_sound(octets: &[u8]) -> bool {
    let Ok(sliced) = SlicedPacket::from_ip(octets) else {
        return false; // The data offset, perhaps.
    };
    let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else {
        panic!("no segment: {sliced:?}");
    };
    let (header, text) = (tcp.to_header(), tcp.payload());
    if header.to_bytes()[..] != *tcp.header_slice() {
        return false; // Damage to bits that have no name is not in the sum of what is parsed.
    }
    match sliced.net.expect("an IP header") {
        NetSlice::Ipv4(ip) => {
            let ip = ip.header().to_header();
            ip.calc_header_checksum() == ip.header_checksum
                && header.calc_checksum_ipv4(&ip, text) == Ok(header.checksum)
        }
        NetSlice::Ipv6(ip) => {
            let ip = ip.header().to_header();
            header.calc_checksum_ipv6(&ip, text) == Ok(header.checksum)
        }
        NetSlice::Arp(_) => false,
    }
}

#[test]
fn every_octet_is_real_and_only_what_was_damaged_has_a_bad_checksum() {
    let mut damaged = 0;
    for seed in 0..12 {
        let mut scenario = Scenario::from_seed(Kind::Bulk, seed);
        if let FaultPlan::Drawn { hops, .. } = &mut scenario.faults {
            // A checksum need not tell of that.
            hops.iter_mut().for_each(|(_, faults)| faults.wide = 0);
        }
        for packet in captured(&scenario, &["h0", "h1"]) {
            let harmed = says(&packet, "damaged on the way");
            damaged += u32::from(harmed);
            assert_eq!(is_sound(&packet.data), !harmed, "{packet:?}");
        }
    }
    assert!(damaged > 0, "nothing was damaged, so nothing was tested");
}

#[test]
fn times_are_those_of_the_run_and_never_go_back() {
    let packets = captured(&Scenario::from_seed(Kind::Bulk, 0), &[]);
    assert!(packets.is_sorted_by_key(|packet| packet.timestamp));
    let nanos = |packet: &EnhancedPacketBlock<'_>| packet.timestamp.subsec_nanos() % 1_000;
    assert!(packets.iter().any(|packet| nanos(packet) > 0));
}

#[test]
fn comments_say_what_a_real_capture_could_not() {
    let packets = captured(&Scenario::from_seed(Kind::LastAckLost, 2), &[]);
    let told = |what: &str| packets.iter().filter(|packet| says(packet, what)).count();
    assert!(told("lost") >= 1, "the last ACK");
    assert_eq!(told("SYN-SENT to ESTABLISHED"), 1);
    assert_eq!(told("LAST-ACK to CLOSED"), 1);
    let late = packets.iter().flat_map(comments);
    let ends = late.filter(|text| text.ends_with("TIME-WAIT to CLOSED (a timer)"));
    let [end] = &ends.collect::<Vec<_>>()[..] else {
        panic!("one TIME-WAIT ends");
    };
    assert!(end.starts_with("at "), "nothing is sent then: {end}");
}

#[test]
fn a_capture_of_one_interface_has_each_datagram_once() {
    let scenario = Scenario::from_seed(Kind::HalfClose, 1);
    let all = captured(&scenario, &[]);
    let places: BTreeSet<u32> = all.iter().map(|packet| packet.interface_id).collect();
    assert_eq!(places.len(), 2 + 2 * scenario.links.len());
    let one = captured(&scenario, &["h0"]);
    assert!(one.iter().all(|packet| packet.interface_id == 0));
    let of_h0 = all.iter().filter(|packet| packet.interface_id == 0);
    assert!(of_h0.eq(one.iter()));
}

#[test]
fn an_interface_that_is_not_there_is_refused_with_those_that_are() {
    let capture = Capture::of(&Scenario::from_seed(Kind::Refused, 0));
    let error = capture.only(&["h9"]).expect_err("no h9");
    let said = error.to_string();
    assert!(said.contains("'h9'") && said.contains("h0, h1, "), "{said}");
}

/// Worlds over IPv4 with a narrow link over which datagrams go in parts.
fn cut_up() -> impl Iterator<Item = Scenario> {
    let scenarios = (0..24).map(|seed| Scenario::from_seed(Kind::PathMtu, seed));
    let v4 = |scenario: &Scenario| scenario.hosts[0].config.addresses[0].is_ipv4();
    scenarios.filter(v4).map(|mut scenario| {
        let hosts = scenario.hosts.iter_mut();
        hosts.for_each(|host| host.may_be_cut_up = true);
        scenario.links[1].mtu = Some(600);
        scenario.faults = FaultPlan::NONE;
        scenario.cuts.clear();
        scenario
    })
}

#[test]
fn parts_of_datagrams_have_the_headers_of_parts() {
    let mut parts = 0;
    for scenario in cut_up() {
        let mut whole = BTreeMap::new();
        for packet in captured(&scenario, &[]) {
            let (header, octets) = Ipv4Header::from_slice(&packet.data).expect("IPv4");
            assert_eq!(header.calc_header_checksum(), header.header_checksum);
            let key = (header.source, header.identification);
            if !header.is_fragmenting_payload() {
                whole.insert(key, octets.to_vec());
                continue;
            }
            parts += 1;
            let from = usize::from(header.fragment_offset.value()) * 8;
            let of = &whole[&key];
            assert_eq!(octets, &of[from..from + octets.len()]);
            assert_eq!(header.more_fragments, from + octets.len() < of.len());
        }
    }
    assert!(parts > 0, "nothing was cut up, so nothing was tested");
}
