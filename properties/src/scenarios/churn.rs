//! One 4-tuple is used again and again, while routers keep copies of what it carried before.
//!
//! The ISN clock ticks once in 4 us, so the numbers of a new incarnation lie ahead of those of an
//! old one that sent less than 250 kB/s. Only faster incarnations, soon after one another, leave
//! copies whose numbers fall into a later one's window: every number here is made for that.

use core::time::Duration;

use timewait_sim::HopId;
use timewait_sim::fates::LinkFaults;
use timewait_stack::config::SynCookies;

use super::Kind;
use crate::choose::Choose;
use crate::label::class;
use crate::scenario::ground::{Ground, Shape};
use crate::scenario::weather::{self, PERCENT};
use crate::scenario::{
    AppPlan, Churn, End, HostPlan, LinkPlan, Role, Round, RoundEnding, Scenario,
};

/// Windows of 64 KiB carry more than 3 MB/s at this round trip: 12 times the ISN clock.
const RTT_MAX: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(48 * 3600);
/// One end connects from here to `PORT_B`, the other from there to here.
const PORT_A: u16 = 1000;
const PORT_B: u16 = 2000;

/// A churn.
pub(super) fn generate(choose: &mut dyn Choose) -> Scenario {
    let ground = Ground::draw(choose, RTT_MAX);
    let shape = Shape::Chain(choose.between(1, 3) as u16);
    let (routers, wires) = ground.wires(choose, shape, 2);
    let links = fast(choose, wires);
    let mut hosts: Vec<HostPlan> = (0..2).map(|index| ground.host(choose, index)).collect();
    let patience = Duration::from_secs(*choose.pick(&[10, 60, 300]));
    let rounds: Vec<Round> = (0..choose.between(10, 50))
        .map(|_| round(choose, &ground))
        .collect();
    for (end, host) in [(End::A, 0_u16), (End::B, 1)] {
        let (port, peer_port) = if end == End::A {
            (PORT_A, PORT_B)
        } else {
            (PORT_B, PORT_A)
        };
        let rounds = rounds.clone();
        let churn = Churn {
            end,
            port,
            host: 1 - host,
            peer_port,
            patience,
            rounds,
        };
        let plan = &mut hosts[usize::from(host)];
        // Otherwise the buffers and not the wires set the pace.
        plan.config.receive_buffer = 65_535;
        plan.config.send_buffer = 262_144;
        plan.config.max_segment = None;
        plan.config.keepalive = None;
        // Cookies know nothing of the incarnation before (E10): here it is TIME-WAIT's turn.
        plan.config.syn_cookies = SynCookies::Off;
        plan.apps.push(AppPlan {
            start: Duration::ZERO,
            role: Role::Churn(churn),
        });
    }
    let hops = weather::hops(&links).map(|hop| (hop, faults(choose, &ground, &links, hop)));
    let hops = hops.collect();
    Scenario {
        faults: weather::drawn(choose, hops, Vec::new()),
        // Incarnations that wait for 2MSL take long; the copies are to be made in all of them.
        heal_at: LIMIT / 2,
        ..ground.calm(Kind::Churn, hosts, (routers, links), LIMIT)
    }
}

/// The same wires, 20 Mbit/s to 1 Gbit/s fast.
fn fast(choose: &mut dyn Choose, links: Vec<LinkPlan>) -> Vec<LinkPlan> {
    const QUEUE: u64 = 256 << 10;
    let rate = choose.log_between(2_500_000, 125_000_000);
    let fast = |link: LinkPlan| LinkPlan {
        rate: Some(rate),
        queue_bytes_max: QUEUE,
        aqm: link.aqm.within(QUEUE / 2),
        ..link
    };
    links.into_iter().map(fast).collect()
}

fn round(choose: &mut dyn Choose, ground: &Ground) -> Round {
    let end = |choose: &mut dyn Choose| *choose.pick(&[End::A, End::B]);
    let (opener, closer, sender) = (end(choose), end(choose), end(choose));
    let octets = choose.log_between(64 << 10, 1 << 20) as u32;
    let back = *choose.pick(&[0, 0, 1000, octets]);
    let (a_to_b, b_to_a) = if sender == End::A {
        (octets, back)
    } else {
        (back, octets)
    };
    let ending = match choose.below(10) {
        8 => RoundEnding::Abort(weather::log_duration(choose, ground.rtt, ground.rtt * 16)),
        9 => RoundEnding::InSynSent(Duration::from_nanos(
            choose.between(1, ground.rtt.as_nanos() as u64),
        )),
        _ => RoundEnding::Orderly,
    };
    let gap = Duration::from_micros(choose.below(200_000));
    Round {
        gap,
        opener,
        closer,
        a_to_b,
        b_to_a,
        ending,
    }
}

/// Routers copy and hold; now and then a datagram is lost or late as well.
fn faults(choose: &mut dyn Choose, ground: &Ground, links: &[LinkPlan], hop: HopId) -> LinkFaults {
    let mut faults = LinkFaults {
        hold_max: weather::log_duration(choose, ground.rtt * 8, ground.lifetime),
        seen: 800_000,
        seen_class: class::OPEN,
        seen_packets_max: 20,
        restored: *choose.pick(&[0, 500_000]),
        ..LinkFaults::NONE
    };
    if choose.chance(1, 2) {
        faults.hold_any_of = *choose.pick(&[
            class::OPEN | class::SYN_ACK | class::FIN,
            class::FIN,
            class::OPEN,
            class::DATA,
        ]);
    }
    let rare = faults.hold_any_of != 0 && faults.hold_any_of != class::DATA;
    // Of SYNs and FINs there are only a few.
    let most = if rare { 50 * PERCENT } else { 5 * PERCENT };
    faults.hold_copy = choose.between(most / 5, most) as u32;
    if choose.chance(1, 3) {
        faults.loss = choose.log_between(PERCENT / 100, PERCENT) as u32;
    }
    if choose.chance(1, 4) {
        faults.reorder = choose.log_between(PERCENT / 100, 2 * PERCENT) as u32;
        faults.reorder_max = weather::log_duration(choose, ground.rtt / 8, ground.rtt * 2);
    }
    if choose.chance(1, 8) {
        faults.duplicate = choose.log_between(PERCENT / 10, 2 * PERCENT) as u32;
        faults.duplicate_max = ground.rtt;
    }
    match weather::is_leaving_host(links, hop) {
        true => faults.without_holds(),
        false => faults,
    }
}
