//! One or two boxes stand between the hosts: a NAT, a firewall, one that meddles with options, one
//! that cuts segments or puts them together (RFC 9293 §3.7.1, RFC 5382, RFC 7857).
//!
//! Clients are on one side and servers on the other. Some clients call again and again from one port,
//! so that what a box remembers, and what routers have kept, meets the next incarnation.

use core::time::Duration;

use super::Kind;
use crate::choose::Choose;
use crate::scenario::boxes::{
    Answer, Bad, BoxPlan, Filter, Join, NatPlan, OptionsPlan, SegmentsPlan, StatePlan, Strip, Work,
};
use crate::scenario::ground::{Ground, Shape, narrow};
use crate::scenario::{IcmpPlan, LinkEnd, LinkPlan, Scenario};
use crate::scenario::{talks, weather};

/// When nothing has ended a conversation, its users do.
const PATIENCE: Duration = Duration::from_secs(300);
const LIMIT: Duration = Duration::from_secs(6 * 3600);
const RTT_MAX: Duration = Duration::from_millis(200);
/// Service `n` listens on this port plus `n`.
const FIRST_PORT: u16 = 1000;
/// From here a client calls again and again.
const CLIENT_PORT: u16 = 5000;

/// A scenario with boxes. Hosts with even numbers are on the inner side, the others outside.
pub(super) fn generate(choose: &mut dyn Choose) -> Scenario {
    let ground = Ground::draw(choose, RTT_MAX);
    let count = *choose.pick(&[2, 2, 3, 4, 5]);
    let shape = match count {
        2 => Shape::Chain(choose.between(2, 4) as u16),
        _ => Shape::Dumbbell,
    };
    let (routers, mut links) = ground.wires(choose, shape, count);
    let hosts: Vec<_> = (0..count).map(|index| ground.host(choose, index)).collect();
    let outside = super::beyond(hosts[0].config.addresses[0]);
    let inside: Vec<u16> = (0..count).step_by(2).collect();
    let mut boxes = vec![draw(choose, &ground, outside, &inside)];
    if choose.chance(1, 3) {
        let second = draw(choose, &ground, outside, &inside);
        // Two translators would need two addresses, and show nothing that one does not.
        boxes.extend(Some(second).filter(|it| boxes[0].nat().is_none() || it.nat().is_none()));
    }
    let joins = boxes.iter().any(|plan| !plan.delay().is_zero());
    let icmp = choose.chance(1, 2).then(|| IcmpPlan::draw(choose));
    if icmp.is_some() && !joins {
        narrow(choose, &mut links, ground.mtu_min());
    }
    for number in 0..boxes.len() as u16 {
        insert(choose, &mut links, number);
    }
    let faults = weather::families(choose, &ground, 3);
    let hops = weather::spread(choose, &links, faults, 2);
    let mut scenario = Scenario {
        boxes,
        icmp,
        faults: weather::drawn(choose, hops, Vec::new()),
        heal_at: weather::heal_at(choose),
        ..ground.calm(Kind::Middlebox, hosts, (routers, links), LIMIT)
    };
    for service in 0..choose.between(1, 3) as u16 {
        add_service(choose, &mut scenario, service);
    }
    scenario
}

/// A box.
fn draw(
    choose: &mut dyn Choose,
    ground: &Ground,
    outside: core::net::IpAddr,
    inside: &[u16],
) -> BoxPlan {
    let bad = *choose.pick(&[Bad::Pass, Bad::Drop]);
    let work = match choose.below(4) {
        0 => Work::Nat(NatPlan {
            address: outside,
            inside: inside.to_vec(),
            filter: *choose.pick(&[Filter::EndpointIndependent, Filter::AddressDependent]),
            state: state(choose),
        }),
        1 => Work::Firewall(state(choose)),
        2 => Work::Options(OptionsPlan {
            strip: Strip {
                mss: choose.chance(1, 4),
                window_scale: choose.chance(1, 2),
                sack_permitted: choose.chance(1, 2),
                timestamps: choose.chance(1, 2),
                unknown: choose.chance(1, 2),
            },
            syns_only: choose.chance(1, 2),
            reversed: choose.chance(1, 3),
            padded: choose.chance(1, 2),
        }),
        _ => segments(choose, ground),
    };
    BoxPlan { work, bad }
}

/// Mostly as patient as it ought to be, and with room enough.
fn state(choose: &mut dyn Choose) -> StatePlan {
    let answer = *choose.pick(&[Answer::Silence, Answer::Reset]);
    let mut state = StatePlan {
        answer,
        ..StatePlan::RFC5382
    };
    if choose.chance(1, 4) {
        let seconds = |choose: &mut dyn Choose, most| {
            weather::log_duration(choose, Duration::from_secs(1), Duration::from_secs(most))
        };
        state.opening = seconds(choose, 60);
        state.established = seconds(choose, 600);
        state.closing = seconds(choose, 60);
    }
    if choose.chance(1, 8) {
        state.flows_max = choose.between(1, 3) as u32;
    }
    state
}

fn segments(choose: &mut dyn Choose, ground: &Ground) -> Work {
    let cuts = choose.chance(2, 3);
    let most = *choose.pick(&[536, 700, 100, 1400, 17]);
    let wait = weather::log_duration(choose, Duration::from_micros(10), ground.rtt / 8);
    let octets_max = *choose.pick(&[2920, 1460, 9000, 20_000, 700]);
    let joins = !cuts || choose.chance(1, 4);
    Work::Segments(SegmentsPlan {
        split: cuts.then_some(most),
        join: joins.then_some(Join { octets_max, wait }),
    })
}

/// Puts a box into a link between two machines that are no hosts: half of the delay is on either
/// side.
fn insert(choose: &mut dyn Choose, links: &mut Vec<LinkPlan>, number: u16) {
    let is_host = |end| matches!(end, LinkEnd::Host(_));
    let is_inner = |link: &&mut LinkPlan| !is_host(link.a) && !is_host(link.b);
    let mut inner: Vec<_> = links.iter_mut().filter(is_inner).collect();
    let place = choose.below(inner.len() as u64) as usize;
    let link = &mut *inner[place];
    link.delay /= 2;
    let beyond = LinkPlan {
        a: LinkEnd::Box(number),
        ..*link
    };
    link.b = LinkEnd::Box(number);
    links.push(beyond);
}

/// One server outside and up to three clients inside; perhaps one that calls again.
fn add_service(choose: &mut dyn Choose, scenario: &mut Scenario, service: u16) {
    let count = scenario.hosts.len() as u64;
    let server_at = 2 * choose.below(count / 2) + 1;
    let (client, server) = talks::pair(choose, PATIENCE);
    let port = FIRST_PORT + service;
    let again = choose.chance(1, 2);
    let clients = choose.between(1, 3) as u16 + 2 * u16::from(again);
    let mut start = Duration::from_millis(choose.below(5_000));
    let first_from = 2 * choose.below(count.div_ceil(2));
    for _ in 0..clients {
        let from = match again {
            true => first_from,
            false => 2 * choose.below(count.div_ceil(2)),
        };
        // Two hosts inside that have the same port need two ports outside.
        let own_port = match again || choose.chance(1, 4) {
            true => CLIENT_PORT + service,
            false => 0,
        };
        let caller = talks::caller(start, own_port, (server_at as u16, port), client);
        scenario.hosts[from as usize].apps.push(caller);
        let most = Duration::from_secs(*choose.pick(&[1, 10, 300]));
        start += weather::log_duration(choose, Duration::from_millis(1), most);
    }
    let server = talks::server(choose, port, clients, PATIENCE * 4, server);
    scenario.hosts[server_at as usize].apps.push(server);
}
