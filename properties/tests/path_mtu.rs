//! Narrow links between two hosts: what ICMP finds, what silence finds, and what nobody finds.

use std::time::Duration;

use timewait_properties::check;
use timewait_properties::pair::pair;
use timewait_properties::scenario::{
    AppPlan, Call, IcmpPlan, LinkEnd, Role, Scenario, Serve, Talk,
};
use timewait_stack::Errno;

const PATIENCE: Duration = Duration::from_secs(3600);
const OCTETS: u64 = 100_000;

/// Host 0 sends to host 1 over two routers and a link between them that carries `mtu` octets.
fn narrow(mtu: u16, icmp: bool) -> Scenario {
    let mut scenario = pair(1).scenario().clone();
    let host_link = scenario.links[0];
    let [r0, r1] = [0, 1].map(LinkEnd::Router);
    scenario.links = [
        (LinkEnd::Host(0), r0, None),
        (r0, r1, Some(mtu)),
        (r1, LinkEnd::Host(1), None),
    ]
    .map(|(a, b, mtu)| timewait_properties::scenario::LinkPlan {
        a,
        b,
        mtu,
        ..host_link
    })
    .to_vec();
    scenario.routers = 2;
    scenario.icmp = icmp.then_some(IcmpPlan {
        interval: Duration::ZERO,
        quote_octets: 8,
    });
    scenario.hosts[0].apps.push(AppPlan {
        start: Duration::ZERO,
        role: Role::Call(Call {
            from: 0,
            host: 1,
            port: 80,
            talk: Talk::bulk(OCTETS, PATIENCE),
        }),
    });
    scenario.hosts[1].apps.push(AppPlan {
        start: Duration::ZERO,
        role: Role::Serve(Serve {
            port: 80,
            backlog: 4,
            clients: 1,
            accept_pause: Duration::ZERO,
            defer_accept: None,
            patience: PATIENCE,
            talk: Talk::sink(PATIENCE),
        }),
    });
    scenario
}

#[test]
fn routers_tell_what_their_links_carry() {
    let report = check(&narrow(700, true));
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!(report.coverage.notes["icmp: path MTU"], 1);
    // The first flight is lost, and nothing after it.
    let stats = report.stats;
    assert_eq!(stats.dropped_too_big, stats.errors_reported);
    assert!(stats.dropped_too_big <= 3, "{stats:?}");
    assert_eq!((report.quiet, report.left_over), (true, 0));
    assert!(
        report.simulated < Duration::from_secs(250),
        "2MSL and no timeout"
    );
}

#[test]
fn silence_is_found_out_by_timeouts() {
    let report = check(&narrow(1100, false));
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!(report.coverage.notes["path MTU lowered by silence"], 1);
    assert_eq!((report.quiet, report.left_over), (true, 0));
}

#[test]
fn who_does_not_look_for_a_black_hole_stays_in_it_and_is_excused() {
    let mut scenario = narrow(1100, false);
    for host in &mut scenario.hosts {
        host.config.black_hole = None;
    }
    let report = check(&scenario);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let name = "delivery: black hole, and nobody looks for it";
    assert!(report.coverage.notes.contains_key(name));
}

#[test]
fn a_hop_limit_that_is_too_small_is_told_and_kills_nobody_at_once() {
    // MUST-56: time exceeded is a soft error, and only R2 ends the open.
    let mut world = pair(1)
        .reporting_router()
        .configure(|config| config.hop_limit = 1);
    world.client().send(5);
    world.run_for(Duration::from_secs(100));
    assert_eq!(world.client().state(), timewait_stack::State::SynSent);
    world.run_for(Duration::from_secs(200));
    assert_eq!(world.client().seen().error, Some(Errno::ETIMEDOUT));
}

#[test]
fn what_may_be_cut_up_needs_no_discovery() {
    let mut scenario = narrow(700, false);
    scenario.hosts[0].may_be_cut_up = true;
    scenario.hosts[0].config.black_hole = None;
    let report = check(&scenario);
    assert!(!report.failed() && report.quiet, "{report}");
    assert!(report.stats.reassembled >= OCTETS / 1460);
    assert_eq!((report.stats.dropped_too_big, report.left_over), (0, 0));
}
