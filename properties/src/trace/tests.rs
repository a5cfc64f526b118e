use timewait_sim::NodeId;

use super::{Part, Selection, Trace};
use crate::check::check_with;
use crate::label::Incarnation;
use crate::scenario::Scenario;
use crate::scenarios::Kind;

fn lines(selection: Selection) -> Vec<String> {
    let trace = Trace::of(selection);
    check_with(
        &Scenario::from_seed(Kind::LastAckLost, 4),
        vec![trace.oracle()],
    );
    trace.lines()
}

/// Each part alone, together, is the whole; and every part says something.
#[test]
fn the_parts_are_the_whole() {
    let whole = lines(Selection::default());
    let mut parts = 0;
    for part in Part::ALL {
        let some = lines(Selection {
            parts: vec![part],
            ..Selection::default()
        });
        let named = |line: &String| line.split(' ').nth(1) == Some(part.name());
        assert!(some.iter().all(named), "{part:?}");
        assert!(!some.is_empty(), "{part:?}");
        assert_eq!(Part::from_name(part.name()), Some(part));
        parts += some.len();
    }
    assert_eq!(parts, whole.len());
}

#[test]
fn a_host_and_a_connection_can_be_looked_at_alone() {
    let states = |selection| {
        lines(Selection {
            parts: vec![Part::State],
            ..selection
        })
    };
    let all = states(Selection::default()).len();
    let of = |host| {
        states(Selection {
            hosts: vec![NodeId(host)],
            ..Selection::default()
        })
    };
    assert!(of(1).iter().all(|line| line.contains(" state h1#")));
    assert_eq!(of(0).len() + of(1).len(), all);
    let name: Incarnation = "h0#1".parse().expect("a name");
    let one = states(Selection {
        connections: vec![name],
        ..Selection::default()
    });
    assert!(one.iter().all(|line| line.contains(" state h0#1 ")));
    assert!(
        one.last().is_some_and(|line| line.contains(" to CLOSED")),
        "{one:?}"
    );
}
