//! What a run has reached, counted for the campaign's table.

use core::ops::AddAssign;
use std::collections::BTreeMap;
use timewait_stack::State;

/// The classes of segment that are counted, by the bits of [`crate::label::class`]; a reply is a RST
/// or SYN-ACK of nobody, and ICMP is no segment.
pub const CLASS_NAMES: [&str; 8] = [
    "SYN", "SYN-ACK", "FIN", "data", "RST", "pure ACK", "reply", "ICMP",
];

/// The row of ICMP messages.
const ICMP: usize = CLASS_NAMES.len() - 1;

const STATES: usize = State::ALL.len();

/// Counters of one run, or of many added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Endpoint incarnations, listeners not among them.
    pub incarnations: u64,
    /// Of these, those that reached a synchronized state.
    pub connections: u64,
    /// Segments delivered to hosts.
    pub segments: u64,
    /// Intact segments delivered to an incarnation that began after they were sent and for which
    /// they are old.
    pub old_delivered: u64,
    /// Of these, those that touched its receive window.
    pub old_in_window: u64,
    /// Of these, whatever the window, those that it accepted in a synchronized state.
    pub old_accepted: u64,
    /// Findings of kind `Hazard`, by the assumption that was broken.
    pub hazards: BTreeMap<&'static str, u64>,
    /// Findings of kind `Violation`, by oracle.
    pub violations: BTreeMap<&'static str, u64>,
    /// Things that happened or were exempted, by name: sometimes-assertions of the oracles.
    pub notes: BTreeMap<&'static str, u64>,
    /// Transitions, by the state left and the state entered.
    pub transitions: Grid<STATES>,
    /// Segments and ICMP messages delivered, by class (see [`CLASS_NAMES`]) and by the state that received them.
    pub cells: Grid<{ CLASS_NAMES.len() }>,
}

/// A table of counters with one column for each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid<const ROWS: usize>([[u64; STATES]; ROWS]);

impl<const ROWS: usize> Default for Grid<ROWS> {
    fn default() -> Self {
        Self([[0; STATES]; ROWS])
    }
}

impl<const ROWS: usize> Grid<ROWS> {
    /// The counter in this row under this state.
    pub fn at(&self, row: usize, state: State) -> u64 {
        self.0.get(row).map_or(0, |row| row[state as usize])
    }

    /// How many counters are not zero.
    pub fn reached(&self) -> u32 {
        self.0
            .iter()
            .flatten()
            .map(|&count| u32::from(count > 0))
            .sum()
    }

    fn count(&mut self, row: usize, state: State) {
        self.0[row][state as usize] += 1;
    }
}

impl Coverage {
    /// How often a connection went from `from` to `to`.
    pub fn transition(&self, from: State, to: State) -> u64 {
        self.transitions.at(from as usize, to)
    }

    /// The states that some connection entered.
    pub fn states(&self) -> impl Iterator<Item = State> + '_ {
        let entered = |to| {
            State::ALL
                .into_iter()
                .any(|from| self.transition(from, to) > 0)
        };
        State::ALL.into_iter().filter(move |state| entered(*state))
    }

    /// Counts that something happened.
    pub fn note(&mut self, name: &'static str) {
        *self.notes.entry(name).or_default() += 1;
    }

    pub(super) fn transitioned(&mut self, from: State, to: State) {
        self.transitions.count(from as usize, to);
    }

    pub(super) fn segment(&mut self, class: u16, state: State) {
        self.segments += 1;
        for row in 0..ICMP {
            if class & 1 << row != 0 {
                self.cells.count(row, state);
            }
        }
    }

    /// An ICMP message came; the state is that of the connection that it is about.
    pub(super) fn icmp(&mut self, state: State) {
        self.cells.count(ICMP, state);
    }
}

impl AddAssign<&Coverage> for Coverage {
    fn add_assign(&mut self, other: &Coverage) {
        self.incarnations += other.incarnations;
        self.connections += other.connections;
        self.segments += other.segments;
        self.old_delivered += other.old_delivered;
        self.old_in_window += other.old_in_window;
        self.old_accepted += other.old_accepted;
        add_maps(&mut self.hazards, &other.hazards);
        add_maps(&mut self.violations, &other.violations);
        add_maps(&mut self.notes, &other.notes);
        self.transitions += &other.transitions;
        self.cells += &other.cells;
    }
}

impl<const ROWS: usize> AddAssign<&Grid<ROWS>> for Grid<ROWS> {
    fn add_assign(&mut self, other: &Grid<ROWS>) {
        for (to, from) in self.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *to += from;
        }
    }
}

fn add_maps(to: &mut BTreeMap<&'static str, u64>, from: &BTreeMap<&'static str, u64>) {
    for (name, count) in from {
        *to.entry(name).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::Coverage;
    use crate::label::class;
    use timewait_stack::State;

    #[test]
    fn sums_are_taken_counter_by_counter() {
        let mut one = Coverage {
            segments: 2,
            old_accepted: 1,
            ..Coverage::default()
        };
        one.transitioned(State::SynSent, State::Established);
        one.segment(class::FIN | class::DATA, State::FinWait1);
        one.note("probe");
        let mut sum = one.clone();
        sum += &one;
        assert_eq!(
            (sum.segments, sum.old_accepted, sum.notes["probe"]),
            (6, 2, 2)
        );
        assert_eq!(sum.transition(State::SynSent, State::Established), 2);
        assert_eq!(
            (
                sum.cells.at(2, State::FinWait1),
                sum.cells.at(3, State::FinWait1)
            ),
            (2, 2)
        );
        assert_eq!(sum.cells.at(0, State::FinWait1), 0);
        one.segment(class::RST | class::ECHO, State::SynSent);
        one.icmp(State::SynSent);
        let rows = [4, 6, 7].map(|row| one.cells.at(row, State::SynSent));
        assert_eq!(rows, [1, 1, 1], "a RST, a reply, an ICMP message");
        assert_eq!(one.segments, 4, "which is no segment");
        assert!(sum.states().eq([State::Established]));
    }
}
