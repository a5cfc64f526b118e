//! Queues that mark congestion (RFC 3168 §5), in the campaign's own scenarios.

use timewait_properties::{Kind, Scenario, check};

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
fn marks_are_drawn_below_what_queues_hold() {
    for kind in Kind::ALL {
        let scenarios = (0..40).map(|seed| Scenario::from_seed(*kind, seed));
        let links: Vec<_> = scenarios.flat_map(|scenario| scenario.links).collect();
        let marks = links
            .iter()
            .filter_map(|link| Some((link.queue_bytes_mark?, link)));
        let marks: Vec<_> = marks.collect();
        assert!((1..links.len()).contains(&marks.len()), "{kind}");
        for (mark, link) in marks {
            assert!(
                mark >= 1500 && mark <= link.queue_bytes_max / 2,
                "{kind}: {link:?}"
            );
        }
    }
}
