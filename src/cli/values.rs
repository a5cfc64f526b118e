//! The values of arguments: each is parsed or refused with one line that says why.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use timewait::properties::Incarnation;
use timewait::properties::trace::Part;
use timewait::{Kind, Protection};

/// Seeds from `start` up to, but not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SeedRange {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// The `index`-th of `of` parts, `index` from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) index: u64,
    pub(super) of: u64,
}

/// As it is given on the command line: from 1.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.of)
    }
}

pub(super) fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_name(text)
        .ok_or_else(|| unknown("scenario", text, Kind::ALL.iter().map(|kind| kind.name())))
}

pub(super) fn protection(text: &str) -> Result<Protection, String> {
    Protection::from_name(text).ok_or_else(|| {
        unknown(
            "protection",
            text,
            Protection::ALL.iter().map(|protection| protection.name()),
        )
    })
}

pub(super) fn part(text: &str) -> Result<Part, String> {
    let names = || Part::ALL.into_iter().map(Part::name);
    Part::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = names().collect();
        format!("it takes {}", names.join(", "))
    })
}

pub(super) fn incarnation(text: &str) -> Result<Incarnation, String> {
    text.parse()
}

/// Decimal, or hexadecimal after `0x`.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16)
            .ok()
            .filter(|_| !digits.starts_with('+')),
        None => decimal(text),
    };
    parsed.ok_or_else(|| {
        "a seed is a number from 0 to 2^64 - 1, decimal or 0x hexadecimal".to_owned()
    })
}

pub(super) fn count(text: &str) -> Result<u64, String> {
    let wrong = || "it takes a number of seeds, at least 1".to_owned();
    decimal(text).filter(|count| *count > 0).ok_or_else(wrong)
}

pub(super) fn jobs(text: &str) -> Result<NonZeroU32, String> {
    let wrong = || "it takes a number, at least 1".to_owned();
    let number = decimal(text).and_then(|number| u32::try_from(number).ok());
    number.and_then(NonZeroU32::new).ok_or_else(wrong)
}

pub(super) fn seed_range(text: &str) -> Result<SeedRange, String> {
    let Some((start, end)) = text.split_once("..") else {
        return Err("a range is written A..B, such as 100..200".to_owned());
    };
    let (start, end) = (seed(start)?, seed(end)?);
    if start >= end {
        return Err(format!("the range is empty: it ends before seed {end}"));
    }
    Ok(SeedRange { start, end })
}

pub(super) fn shard(text: &str) -> Result<Shard, String> {
    let wrong = || "a shard is written I/N with I from 1 to N, such as 1/4".to_owned();
    let (index, of) = text.split_once('/').ok_or_else(wrong)?;
    match (decimal(index), decimal(of)) {
        (Some(index), Some(of)) if 1 <= index && index <= of => Ok(Shard {
            index: index - 1,
            of,
        }),
        _ => Err(wrong()),
    }
}

/// Two different hosts, the smaller number first.
pub(super) fn pair(text: &str) -> Result<(u32, u32), String> {
    let wrong = || "it takes the numbers of two hosts, such as 0,2".to_owned();
    let (a, b) = text.split_once(',').ok_or_else(wrong)?;
    let host = |text| {
        decimal(text)
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(wrong)
    };
    let (a, b) = (host(a)?, host(b)?);
    if a == b {
        Err(wrong())
    } else {
        Ok((a.min(b), a.max(b)))
    }
}

/// A decimal number and a unit: `250ms`, `1.5s`, `2m`, `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 6] = [
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let wrong = || "a time is a number and a unit, such as 250ms, 1.5s, 2m or 1h".to_owned();
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let (_, unit) = UNITS
        .into_iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(wrong)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let whole = decimal(whole)
        .and_then(|whole| whole.checked_mul(unit))
        .ok_or_else(wrong)?;
    let nanos = whole
        .checked_add(fraction(part, unit).ok_or_else(wrong)?)
        .ok_or_else(wrong)?;
    Ok(Duration::from_nanos(nanos))
}

/// `unit * 0.digits`, the rest cut off.
fn fraction(digits: &str, unit: u64) -> Option<u64> {
    const DIGITS_MAX: u32 = 12;
    let length = u32::try_from(digits.len())
        .ok()
        .filter(|length| *length <= DIGITS_MAX)?;
    let scaled = u128::from(decimal(digits)?) * u128::from(unit) / 10_u128.pow(length);
    u64::try_from(scaled).ok()
}

/// Digits only: no sign, no blanks.
fn decimal(text: &str) -> Option<u64> {
    text.bytes()
        .all(|octet| octet.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

fn unknown(what: &str, text: &str, names: impl Iterator<Item = &'static str>) -> String {
    /// More typing errors than this are another word.
    const DISTANCE_MAX: u32 = 3;
    let nearest = names.map(|name| (distance(text, name), name)).min();
    match nearest {
        Some((distance, name)) if distance <= DISTANCE_MAX => {
            format!("there is no such {what}; did you mean '{name}'?")
        }
        _ => format!("there is no such {what}; see timewait list"),
    }
}

/// How many letters to insert, delete or replace to get from one to the other.
fn distance(from: &str, to: &str) -> u32 {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<u32> = (0..).take(to.len() + 1).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = u32::try_from(line).unwrap_or(u32::MAX - 1) + 1;
        for column in 0..to.len() {
            let replace = diagonal + u32::from(letter != to[column]);
            diagonal = row[column + 1];
            row[column + 1] = replace.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{
        SeedRange, Shard, distance, duration, kind, pair, protection, seed, seed_range, shard,
    };
    use std::time::Duration;

    #[test]
    fn seeds_are_decimal_or_hexadecimal_and_nothing_else() {
        assert_eq!(seed("17"), Ok(17));
        assert_eq!(seed("0xff"), Ok(255));
        assert_eq!(seed("18446744073709551615"), Ok(u64::MAX));
        for wrong in [
            "",
            "-1",
            "+1",
            "0x",
            "0x+1",
            "1e3",
            "18446744073709551616",
            " 1",
        ] {
            assert!(seed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn ranges_are_half_open_and_not_empty() {
        assert_eq!(seed_range("3..5"), Ok(SeedRange { start: 3, end: 5 }));
        for wrong in ["5..3", "3..3", "3", "3...5", "..", "3..", "a..b", "3..=5"] {
            assert!(seed_range(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn shards_count_from_one() {
        assert_eq!(shard("1/4"), Ok(Shard { index: 0, of: 4 }));
        assert_eq!(shard("4/4"), Ok(Shard { index: 3, of: 4 }));
        for wrong in ["0/4", "5/4", "1/0", "1", "1/4/2", "a/b", "-1/4"] {
            assert!(shard(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn times_have_a_unit_and_may_have_decimals() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("0.25ms"), Ok(Duration::from_micros(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in [
            "",
            "60",
            "s",
            "1.s",
            "-1s",
            "1 s",
            "1y",
            "1e9s",
            "99999999999999h",
        ] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn pairs_are_two_hosts_in_order() {
        assert_eq!(pair("2,0"), Ok((0, 2)));
        for wrong in ["1", "1,1", "a,b", "1,2,3"] {
            assert!(pair(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_typing_error_gets_a_suggestion_and_nonsense_does_not() {
        assert_eq!(distance("chrun", "churn"), 2);
        assert!(kind("chrun").is_err_and(|said| said.contains("'churn'")));
        assert!(protection("timewait").is_err_and(|said| said.contains("'time-wait'")));
        assert!(kind("no-such-scenario-at-all").is_err_and(|said| said.contains("timewait list")));
    }
}
