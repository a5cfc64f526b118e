//! The seeds of a test, and how its user chooses others.

use std::ops::Range;

/// The seeds that a test should run: `default`, unless the environment says otherwise.
///
/// - `TIMEWAIT_SEED=17` (or `0x11`): just this one, to see a failure again.
/// - `TIMEWAIT_SEEDS=1000`: so many, counted from the start of `default`, to sweep further.
///
/// # Panics
/// If such a variable is set and holds no number: a sweep that silently is another one would
/// pass for the wrong reason.
pub fn seeds(default: Range<u64>) -> Range<u64> {
    let (one, many) = (variable("TIMEWAIT_SEED"), variable("TIMEWAIT_SEEDS"));
    chosen(default, one.as_deref(), many.as_deref()).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a test's seeds are chosen"
    )]
    std::env::var(name).ok()
}

fn chosen(
    default: Range<u64>,
    one: Option<&str>,
    many: Option<&str>,
) -> Result<Range<u64>, String> {
    if let Some(text) = one {
        let seed = number(text).filter(|seed| *seed < u64::MAX);
        let seed = seed.ok_or_else(|| format!("TIMEWAIT_SEED={text} is no seed"))?;
        return Ok(seed..seed + 1);
    }
    let Some(text) = many else { return Ok(default) };
    let count = number(text).filter(|count| *count > 0);
    let count = count.ok_or_else(|| format!("TIMEWAIT_SEEDS={text} is no number of seeds"))?;
    Ok(default.start..default.start.saturating_add(count))
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::chosen;

    #[test]
    fn the_default_holds_unless_a_variable_is_set() {
        assert_eq!(chosen(0..200, None, None), Ok(0..200));
        assert_eq!(chosen(0..200, Some("17"), None), Ok(17..18));
        assert_eq!(chosen(0..200, Some("0x11"), Some("5")), Ok(17..18));
        assert_eq!(chosen(100..200, None, Some("1000")), Ok(100..1100));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in ["", "x", "-1", "18446744073709551615"] {
            assert!(chosen(0..1, Some(wrong), None).is_err(), "{wrong:?}");
        }
        assert!(chosen(0..1, None, Some("0")).is_err());
    }
}
