use super::{Negotiation, mss};
use crate::facts::SegmentHeader;
use crate::label::Incarnation;
use crate::scenario::Read;
use crate::staging::directed::{transfer, violation_of};
use crate::staging::{B, Stage, circumstances, seg};
use core::net::{IpAddr, Ipv6Addr};
use timewait_sim::Instant;
use timewait_stack::event::{IcmpArrival, IcmpVerdict};
use timewait_stack::wire::Flags;
use timewait_stack::{Event, Protection};

const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn header(flags: Flags, mss: Option<u16>, text_len: u32) -> SegmentHeader {
    let octets = seg(flags).octets(([10, 0, 0, 1], 1).into(), ([10, 0, 0, 2], 2).into());
    SegmentHeader {
        mss,
        text_len,
        ..SegmentHeader::decode(&octets).unwrap()
    }
}

/// Both SYNs of the stage are without options.
fn connected() -> (Stage, Incarnation) {
    let mut circumstances = circumstances();
    // An MSS option is not due where the MSS is the default.
    let hosts = circumstances.hosts.values_mut();
    hosts.for_each(|config| config.mtu = 576);
    let mut stage = Stage::under(circumstances, vec![Box::<Negotiation>::default()]);
    let listener = stage.listen(B);
    let (client, _) = stage.handshake(listener, 1000, 5000);
    stage.assert_silent();
    (stage, client)
}

#[test]
fn must_15_without_an_option_536_octets_are_the_most() {
    let text = |octets| seg(Flags::ACK).seq(1001).ack(5001).text(vec![0; octets]);
    let (mut stage, client) = connected();
    stage.send(client, text(536));
    stage.assert_silent();
    stage.send(client, text(537));
    stage.assert_violation("MUST-16: 537");
}

#[test]
fn must_16_options_take_the_place_of_text() {
    let peer = header(Flags::SYN, Some(1000), 0);
    let full = header(Flags::ACK, None, 988);
    let with = |text_start| SegmentHeader { text_start, ..full };
    let v4 = IpAddr::from([10, 0, 0, 1]);
    assert_eq!(mss::size(&with(32), &peer, v4, 1500), None);
    assert!(mss::size(&with(36), &peer, v4, 1500).is_some());
    assert!(mss::size(&with(20), &peer, v4, 1000).is_some(), "the link");
    let none = header(Flags::SYN, None, 0);
    let text = |text_len| SegmentHeader { text_len, ..full };
    assert_eq!(mss::size(&text(1220), &none, V6, 1500), None);
    assert!(mss::size(&text(1221), &none, V6, 1500).is_some());
}

#[test]
fn what_a_router_reported_binds_until_more_may_be_tried() {
    let (mut stage, client) = connected();
    let vars = stage.vars(client).clone();
    stage.event(
        client.host,
        Event::Icmp(Box::new(IcmpArrival {
            connection: Some(client.connection),
            message: None,
            verdict: IcmpVerdict::PathMtu(300),
            before: vars.clone(),
            after: vars,
        })),
    );
    let text = |octets| seg(Flags::ACK).seq(1001).ack(5001).text(vec![0; octets]);
    stage.send(client, text(260));
    stage.assert_silent();
    // RFC 1191 §6.3: ten minutes by default.
    stage.pass_ms(600_000);
    stage.send(client, text(536));
    stage.assert_silent();
    stage.turn_back_to(Instant::from_nanos(1_000_000_000));
    stage.send(client, text(261));
    stage.assert_violation("MUST-16: 261");
}

#[test]
fn options_are_read_off_the_syns_that_count() {
    let option = |stage: &mut Stage, client, options: &[u8]| {
        stage.send(client, seg(Flags::ACK).seq(1001).ack(5001).options(options));
        stage.findings().concat()
    };
    let stamps = [8, 10, 0, 0, 0, 1, 0, 0, 0, 0];
    for (options, rule) in [
        (&stamps[..], "R7323-04"),
        (&[3, 3, 7], "R7323-01"),
        (&[4, 2], "R6675-11"),
    ] {
        let (mut stage, client) = connected();
        assert!(option(&mut stage, client, options).contains(rule));
    }
    let (mut stage, _) = connected();
    let listener = stage.listen(B);
    let (client, _) = stage.handshake_stamped(listener, 9000, 7000);
    stage.send(client, seg(Flags::ACK).seq(9001).ack(7001).stamp(100, 200));
    stage.assert_silent();
    stage.send(client, seg(Flags::ACK).seq(9001).ack(7001));
    stage.assert_violation("R7323-05");
    let (mut stage, _) = connected();
    let listener = stage.listen(B);
    let (client, _) = stage.handshake_stamped(listener, 9000, 7000);
    stage.send(client, seg(Flags::ACK).seq(9001).ack(7001).stamp(100, 201));
    stage.assert_violation("TSecr is not TS.Recent");
}

#[test]
fn must_65_an_mss_option_belongs_to_a_syn() {
    let v4 = IpAddr::from([10, 0, 0, 1]);
    let syn = |mss| mss::option(&header(Flags::SYN, mss, 0), v4, 1500);
    assert_eq!(syn(Some(1460)), None);
    assert!(syn(Some(1461)).is_some_and(|what| what.contains("MUST-67")));
    assert!(syn(None).is_some_and(|what| what.contains("SHLD-5")));
    let other = mss::option(&header(Flags::ACK, Some(1460), 0), v4, 1500);
    assert!(other.is_some_and(|what| what.contains("MUST-65")));
    assert_eq!(mss::option(&header(Flags::ACK, None, 0), v4, 1500), None);
}

#[test]
fn a_reset_is_judged_too_and_needs_nothing() {
    let (mut stage, client) = connected();
    stage.send(client, seg(Flags::RST).seq(1001));
    stage.assert_silent();
}

/// 44: the peer's MSS is 536.
#[test]
fn segments_larger_than_the_peer_allows_are_noticed() {
    let mut scenario = transfer(20_000, Read::Eager);
    scenario.hosts[1].config.mtu = 576;
    assert_eq!(violation_of("negotiation", &scenario), None);
    let found = violation_of("negotiation", &scenario.without(Protection::Mss));
    assert!(
        found
            .as_ref()
            .is_some_and(|found| found.contains("MUST-16")),
        "{found:?}"
    );
}
