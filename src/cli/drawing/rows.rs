//! How far down each observation stands.

use timewait::properties::chronicle::{Datagram, Leg, Record, Tick};

/// A line with its word, and a remark below it, in pixels.
const LINE: i64 = 15;
const NOTE: i64 = 12;

/// The place of each observation, in pixels from the first one.
pub(super) struct Rows {
    places: Vec<i64>,
    drawn: Vec<bool>,
}

impl Rows {
    /// Places for what is drawn of this record; `has_note` says where a remark stands.
    pub(super) fn of(record: &Record, has_note: impl Fn(&Datagram, &Leg) -> bool) -> Self {
        let mut drawn = vec![false; record.ticks.len()];
        let mut notes = vec![false; record.ticks.len()];
        for datagram in &record.datagrams {
            drawn[datagram.sent as usize] = true;
            for leg in &datagram.legs {
                drawn[leg.left as usize] |= leg.kept.is_some();
                let Some(came) = leg.came else { continue };
                drawn[came as usize] |= leg.delivered || leg.lost.is_some() || leg.kept.is_some();
                notes[came as usize] |= has_note(datagram, leg);
            }
        }
        for event in &record.events {
            drawn[event.at as usize] = true;
        }
        let mut places = Vec::with_capacity(drawn.len());
        // What was before this part is its beginning.
        let first = record.first as usize;
        drawn[..first.min(record.ticks.len())].fill(false);
        let (mut y, mut last) = (0, record.ticks.get(first).copied().unwrap_or(0));
        for (tick, at) in record.ticks.iter().enumerate() {
            if tick < first {
                places.push(0);
                continue;
            }
            y += gap(at - last) + if drawn[tick] { LINE } else { 0 };
            places.push(y);
            y += if notes[tick] { NOTE } else { 0 };
            last = *at;
        }
        Self { places, drawn }
    }

    pub(super) fn at(&self, tick: Tick) -> i64 {
        self.places[tick as usize]
    }

    pub(super) fn is_drawn(&self, tick: Tick) -> bool {
        self.drawn[tick as usize]
    }

    pub(super) fn length(&self) -> i64 {
        self.places.last().copied().unwrap_or(0) + NOTE
    }
}

/// The room for a time in which nothing happened, in nanoseconds: by the logarithm of its
/// microseconds.
fn gap(ns: u64) -> i64 {
    match ns {
        0 => 0,
        ns => 2 + 12 * i64::from((1 + ns / 1_000).ilog2()) / 10,
    }
}

#[cfg(test)]
mod tests {
    use super::gap;

    #[test]
    fn a_minute_is_wider_than_a_millisecond_but_not_by_much() {
        let widths = [0, 1, 1_000_000, 60_000_000_000].map(gap);
        assert!(widths.is_sorted() && widths[0] == 0, "{widths:?}");
        assert!(widths[3] < 4 * widths[2], "{widths:?}");
    }
}
