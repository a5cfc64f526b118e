//! Queues that mark congestion (RFC 3168 §5), in the campaign's own scenarios.

use timewait_properties::{Kind, Scenario, check};
use timewait_sim::Aqm;

/// Kinds in which enough is sent at once for queues to grow.
const BUSY: [Kind; 3] = [Kind::Bulk, Kind::Swarm, Kind::PathMtu];

/// Few hosts offer ECN: most profiles only accept it.
const SEEDS: u64 = 400;

#[test]
fn queues_mark_in_campaigns_and_senders_answer() {
    for kind in BUSY {
        let (mut marked, mut answered) = (0, 0);
        for seed in 0..SEEDS {
            let report = check(&Scenario::from_seed(kind, seed));
            assert!(!report.failed(), "{report}");
            let notes = &report.coverage.notes;
            assert_eq!(
                report.stats.marked,
                notes.get("ecn: marked by a queue").copied().unwrap_or(0)
            );
            marked += u64::from(report.stats.marked > 0);
            answered += u64::from(notes.contains_key("ecn: a mark answered"));
            if marked > 0 && answered > 0 {
                break;
            }
        }
        assert!(marked > 0 && answered > 0, "{kind}: {marked}, {answered}");
    }
}

#[test]
fn queues_are_managed_in_all_ways_and_below_what_they_hold() {
    for kind in Kind::ALL {
        let scenarios = (0..40).map(|seed| Scenario::from_seed(*kind, seed));
        let links: Vec<_> = scenarios.flat_map(|scenario| scenario.links).collect();
        let mut kinds = [0; 4];
        for link in &links {
            let most = link.queue_bytes_max / 2;
            kinds[match link.aqm {
                Aqm::None => 0,
                Aqm::Threshold { bytes } => {
                    assert!((1500..=most).contains(&bytes), "{kind}: {link:?}");
                    1
                }
                Aqm::Red(red) => {
                    assert!((750..=most).contains(&red.bytes_min), "{kind}: {link:?}");
                    assert!(red.bytes_max > red.bytes_min, "{kind}: {link:?}");
                    2
                }
                Aqm::Codel(codel) => {
                    assert!(!codel.interval.is_zero(), "{kind}: {link:?}");
                    3
                }
            }] += 1;
        }
        assert!(kinds.iter().all(|links| *links > 0), "{kind}: {kinds:?}");
    }
}
