//! Where two traces begin to differ.

/// The first line in which two traces differ, with what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its number, from 1.
    pub line: u64,
    /// The last lines that both have in common.
    pub before: Vec<String>,
    /// From there on, of the first trace: empty if it is over.
    pub left: Vec<String>,
    /// The same of the second one.
    pub right: Vec<String>,
}

/// The first difference of two traces, with up to `context` lines in front of it and as many of each
/// from there on, itself included and one at least. `None`: they are the same.
pub fn difference<L, R>(
    left: impl IntoIterator<Item = L>,
    right: impl IntoIterator<Item = R>,
    context: u32,
) -> Option<Difference>
where
    L: AsRef<str>,
    R: AsRef<str>,
{
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    let mut before: Vec<String> = Vec::new();
    for line in 1.. {
        let (one, other) = match (left.next(), right.next()) {
            (None, None) => return None,
            (Some(one), Some(other)) if one.as_ref() == other.as_ref() => {
                before.push(one.as_ref().to_owned());
                if before.len() as u64 > u64::from(context) {
                    before.remove(0);
                }
                continue;
            }
            differing => differing,
        };
        let rest = context.max(1) as usize - 1;
        let lines = |first: Option<String>, rest: Vec<String>| first.into_iter().chain(rest);
        let left = left
            .by_ref()
            .take(rest)
            .map(|line| line.as_ref().to_owned());
        let right = right
            .by_ref()
            .take(rest)
            .map(|line| line.as_ref().to_owned());
        return Some(Difference {
            line,
            before,
            left: lines(one.map(|line| line.as_ref().to_owned()), left.collect()).collect(),
            right: lines(other.map(|line| line.as_ref().to_owned()), right.collect()).collect(),
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Difference, difference};

    fn of(left: &str, right: &str, context: u32) -> Option<(u64, String, String, String)> {
        let found = difference(left.split(' '), right.split(' '), context);
        found.map(
            |Difference {
                 line,
                 before,
                 left,
                 right,
             }| { (line, before.join(" "), left.join(" "), right.join(" ")) },
        )
    }

    fn found(line: u64, texts: [&str; 3]) -> Option<(u64, String, String, String)> {
        let [before, left, right] = texts.map(str::to_owned);
        Some((line, before, left, right))
    }

    #[test]
    fn the_first_difference_has_its_context() {
        assert_eq!(of("a b c d", "a b c d", 2), None);
        assert_eq!(
            of("a b c d e f", "a b c x e f", 2),
            found(4, ["b c", "d e", "x e"])
        );
        assert_eq!(of("a b", "a c", 0), found(2, ["", "b", "c"]));
        assert_eq!(of("a b c", "a b", 9), found(3, ["a b", "c", ""]));
        assert_eq!(of("x", "y z", 1), found(1, ["", "x", "y"]));
    }
}
