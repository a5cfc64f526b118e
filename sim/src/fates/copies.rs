//! The copies of a datagram: a few outcomes in line, so that a fate stays `Copy`.

use super::Outcome;

/// What happens to each copy of a datagram, at most four of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies([Option<Outcome>; Copies::MAX]);

impl Copies {
    /// So many are made at most.
    pub const MAX: usize = 4;
    /// No copy.
    pub const NONE: Self = Self([None; Self::MAX]);

    /// One copy.
    pub const fn one(outcome: Outcome) -> Self {
        Self([Some(outcome), None, None, None])
    }

    /// What happens to them, in the order in which they are made.
    pub fn iter(&self) -> impl Iterator<Item = Outcome> + use<> {
        self.0.into_iter().flatten()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }
}

/// What is beyond [`Copies::MAX`] is left out.
impl FromIterator<Outcome> for Copies {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut copies = Self::NONE;
        let places = copies.0.iter_mut();
        for (place, outcome) in places.zip(outcomes) {
            *place = Some(outcome);
        }
        copies
    }
}

#[cfg(test)]
mod tests {
    use super::Copies;
    use crate::fates::Outcome;

    #[test]
    fn copies_are_kept_in_order_and_no_more_than_four() {
        let all = [Outcome::Drop, Outcome::default(), Outcome::Drop];
        let copies: Copies = all.into_iter().collect();
        assert!(copies.iter().eq(all) && !copies.is_empty());
        let many: Copies = [Outcome::Drop; 9].into_iter().collect();
        assert_eq!(many.iter().count(), Copies::MAX);
        assert!(Copies::NONE.is_empty());
        assert_eq!(
            Copies::one(Outcome::Drop),
            [Outcome::Drop].into_iter().collect()
        );
    }
}
