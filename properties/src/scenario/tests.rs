use core::time::Duration;

use std::collections::BTreeMap;
use timewait_stack::{Profile, Protection};

use super::{End, FaultPlan, HostPlan, LinkEnd, Role, Scenario};
use crate::choose::{Bytes, Seeded};
use crate::clock::Clock;
use crate::label::class;
use crate::scenarios::Kind;

fn each_of_every_kind(seeds: u64, mut check: impl FnMut(&Scenario)) {
    for &kind in Kind::ALL {
        (0..seeds).for_each(|seed| check(&Scenario::from_seed(kind, seed)));
    }
}

#[test]
fn a_seed_means_one_scenario_and_another_seed_another() {
    for &kind in Kind::ALL {
        let scenario = Scenario::from_seed(kind, 7);
        assert_eq!((scenario.kind, scenario.seed), (kind, Some(7)));
        assert_eq!(scenario, Scenario::from_seed(kind, 7));
        assert_ne!(scenario.hosts, Scenario::from_seed(kind, 8).hosts);
    }
}

#[test]
fn no_bytes_mean_a_calm_world() {
    for &kind in Kind::ALL {
        let scenario = Scenario::generate(kind, &mut Bytes::new(&[]));
        assert_eq!(scenario.seed, None);
        if let FaultPlan::Drawn { hops, .. } = &scenario.faults {
            assert!(
                hops.iter().all(|(_, faults)| faults.loss == 0),
                "{kind} loses"
            );
        }
    }
}

#[test]
fn every_world_keeps_its_assumptions() {
    each_of_every_kind(200, |scenario| {
        let rogue = scenario.kind == Kind::Rogue;
        assert_eq!(scenario.lifetime.is_none(), rogue, "a conforming network");
        let lifetime = scenario.lifetime.unwrap_or_default();
        for host in &scenario.hosts {
            let config = &host.config;
            assert!(lifetime <= config.msl, "E1");
            assert!(config.msl * 2 >= config.rto.min * 4, "E4");
            assert!(config.delayed_ack < Duration::from_millis(500), "MUST-40");
            assert!(config.receive_buffer >= 2 * (u32::from(config.mtu) - 40));
            assert!((1..=1 << 20).contains(&config.receive_buffer));
        }
        assert!(scenario.heal_at < scenario.limit);
        assert!(scenario.cuts_end() <= scenario.heal_at);
    });
}

#[test]
fn every_kind_runs_over_every_profile_and_both_families_and_over_drawn_settings() {
    const SEEDS: u64 = 300;
    for &kind in Kind::ALL {
        let mut profiles = BTreeMap::new();
        let mut drawn = [0; 2];
        for seed in 0..SEEDS {
            for host in Scenario::from_seed(kind, seed).hosts {
                let v6 = host.config.addresses[0].is_ipv6();
                match host.profile() {
                    Some(profile) => *profiles.entry((profile, v6)).or_insert(0) += 1,
                    None => drawn[usize::from(v6)] += 1,
                }
            }
        }
        assert_eq!(
            profiles.len(),
            2 * Profile::ALL.len(),
            "{kind}: {profiles:?}"
        );
        // Half of the worlds, a third of their hosts, one in three over IPv6.
        assert!(
            profiles.values().all(|hosts| *hosts > 10),
            "{kind}: {profiles:?}"
        );
        assert!(drawn.iter().all(|hosts| *hosts > 50), "{kind}: {drawn:?}");
    }
}

#[test]
fn a_drawn_setting_is_no_profiles() {
    let host = |profile: Profile| HostPlan {
        config: profile.config(Vec::new(), [1; 32]),
        clock: Clock::TRUE,
        apps: Vec::new(),
        may_be_cut_up: false,
    };
    for profile in Profile::ALL {
        assert_eq!(host(profile).profile(), Some(profile));
        let mut tweaked = host(profile);
        tweaked.config.msl = Duration::from_secs(2);
        assert_eq!(tweaked.profile(), None);
    }
    let mut linux = host(Profile::Linux);
    linux.config.option_order = Profile::FreeBsd.config(Vec::new(), [1; 32]).option_order;
    assert_eq!(linux.profile(), None);
}

#[test]
fn everything_is_named_by_a_number_that_exists() {
    each_of_every_kind(100, |scenario| {
        let hosts = scenario.hosts.len() as u16;
        assert!((2..=8).contains(&hosts));
        for link in &scenario.links {
            for end in [link.a, link.b] {
                assert!(match end {
                    LinkEnd::Host(host) => host < hosts,
                    LinkEnd::Router(router) => router < scenario.routers,
                    LinkEnd::Attacker(attacker) => {
                        usize::from(attacker) < scenario.attackers.len()
                    }
                    LinkEnd::Box(number) => usize::from(number) < scenario.boxes.len(),
                });
            }
        }
        let links = scenario.links.len() as u32;
        assert!(scenario.cuts.iter().all(|cut| cut.link < links));
        let first = (0..).zip(&scenario.hosts);
        let first = first.flat_map(|(index, host)| host.apps.iter().map(move |app| (index, app)));
        let later = scenario.crashes.iter();
        let later = later.flat_map(|crash| crash.apps.iter().map(|app| (crash.host, app)));
        for (index, app) in first.chain(later) {
            let called = match &app.role {
                Role::Serve(_) => continue,
                Role::Call(call) => call.host,
                Role::Churn(churn) => churn.host,
            };
            assert!(called < hosts && called != index);
        }
        if let FaultPlan::Drawn { hops, nth, .. } = &scenario.faults {
            let named = hops
                .iter()
                .map(|(hop, _)| hop.0)
                .chain(nth.iter().map(|rule| rule.hop.0));
            named.for_each(|hop| assert!(hop < scenario.links.len() as u32 * 2));
        }
    });
}

#[test]
fn a_host_is_up_before_it_crashes_again_and_only_forgets() {
    each_of_every_kind(100, |scenario| {
        let mut up_at = vec![Duration::ZERO; scenario.hosts.len()];
        for crash in &scenario.crashes {
            let host = usize::from(crash.host);
            assert!(up_at[host] <= crash.at && crash.boots_at() < scenario.limit);
            up_at[host] = crash.boots_at();
            let config = crash.config.clone();
            let before = scenario.hosts[host].config.clone();
            let same = timewait_stack::Config {
                secret: before.secret,
                isn_epoch: before.isn_epoch,
                quiet_time: before.quiet_time,
                ..config
            };
            assert_eq!(same, before);
        }
    });
}

#[test]
fn some_users_set_their_buffers_before_or_during_a_connection() {
    let mut seen = [0; 2];
    for seed in 0..100 {
        let scenario = Scenario::from_seed(Kind::Swarm, seed);
        let apps = scenario.hosts.iter().flat_map(|host| &host.apps);
        for talk in apps.filter_map(|app| app.role.talk()) {
            seen[0] += u32::from(talk.buffers.is_some());
            seen[1] += u32::from(talk.resized.is_some());
        }
    }
    assert!(seen.iter().all(|&count| count > 10), "{seen:?}");
}

#[test]
fn hosts_hold_nothing() {
    each_of_every_kind(50, |scenario| {
        let FaultPlan::Drawn { hops, .. } = &scenario.faults else {
            return;
        };
        for (hop, faults) in hops {
            if super::weather::is_leaving_host(&scenario.links, *hop) {
                assert_eq!((faults.hold_original, faults.hold_copy), (0, 0));
            }
        }
    });
}

#[test]
fn a_churn_outruns_the_isn_clock_and_its_routers_keep_copies() {
    for seed in 0..100 {
        let scenario = Scenario::from_seed(Kind::Churn, seed);
        let FaultPlan::Drawn { hops, .. } = &scenario.faults else {
            panic!("it has dice")
        };
        assert!(
            hops.iter()
                .any(|(_, faults)| faults.hold_copy > 0 && faults.seen > 0)
        );
        assert!(
            hops.iter()
                .all(|(_, faults)| faults.seen_class == class::OPEN)
        );
        let rtt: Duration = scenario.links.iter().map(|link| link.delay * 2).sum();
        assert!(
            rtt <= Duration::from_millis(20),
            "65,535 octets in 20 ms are 3.2 MB/s"
        );
        assert!(
            scenario
                .links
                .iter()
                .all(|link| link.rate.is_some_and(|rate| rate >= 2_500_000))
        );
        let [Role::Churn(a), Role::Churn(b)] = [0, 1].map(|n| &scenario.hosts[n].apps[0].role)
        else {
            panic!("two churners");
        };
        assert_eq!((a.end, b.end), (End::A, End::B));
        assert_eq!((a.port, a.peer_port), (b.peer_port, b.port));
        assert_eq!(a.rounds, b.rounds);
        assert!((10..=50).contains(&a.rounds.len()));
        for round in &a.rounds {
            let most = round.a_to_b.max(round.b_to_a);
            assert!((64 << 10..=1 << 20).contains(&most));
            assert!(round.gap < Duration::from_millis(200));
        }
    }
}

#[test]
fn swarms_reach_every_size_and_every_family() {
    let mut sizes = [0; 9];
    let mut families = [0; 5];
    for seed in 0..200 {
        let scenario = Scenario::from_seed(Kind::Swarm, seed);
        sizes[scenario.hosts.len()] += 1;
        let FaultPlan::Drawn { hops, .. } = &scenario.faults else {
            panic!("it has dice")
        };
        let Some((_, faults)) = hops.last() else {
            continue;
        };
        families[0] += u32::from(faults.loss > 0);
        families[1] += u32::from(faults.duplicate > 0);
        families[2] += u32::from(faults.reorder > 0);
        families[3] += u32::from(faults.corrupt > 0);
        families[4] += u32::from(faults.loss == 0);
    }
    assert!(sizes[2..].iter().all(|count| *count > 10), "{sizes:?}");
    assert!(families.iter().all(|count| *count > 50), "{families:?}");
}

#[test]
fn protections_are_switched_off_everywhere() {
    let scenario = Scenario::generate(Kind::Churn, &mut Seeded::new(1, "test"));
    assert_eq!(scenario.disabled().iter().count(), 0);
    let without = scenario.without(Protection::TimeWait);
    assert!(
        without
            .hosts
            .iter()
            .all(|host| !host.config.protects(Protection::TimeWait))
    );
    assert!(without.disabled().iter().eq([Protection::TimeWait]));
}
