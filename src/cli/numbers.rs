//! Numbers for readers.

use std::time::Duration;

/// `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 seed`, `1,234 seeds`.
pub(super) fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// Grouped by three, and a dot for nothing, which the eye skips.
pub(super) fn sparse(number: u64) -> String {
    if number == 0 {
        "·".to_owned()
    } else {
        grouped(number)
    }
}

/// `950`, `12.3 k`, `4.56 M`: three digits and a unit.
pub(super) fn short(number: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| number >= *unit) else {
        return number.to_string();
    };
    let (whole, hundredths) = (number / unit, number % unit * 100 / unit);
    match whole {
        0..10 => format!("{whole}.{hundredths:02} {name}"),
        10..100 => format!("{whole}.{} {name}", hundredths / 10),
        _ => format!("{whole} {name}"),
    }
}

/// `per` of something in each second of `time`.
pub(super) fn rate(amount: u64, time: Duration) -> u64 {
    let millis = time.as_millis().max(1);
    u64::try_from(u128::from(amount) * 1_000 / millis).unwrap_or(u64::MAX)
}

/// `45 s`, `12 min`, `3.5 h`, `2.1 d`: for long simulated times.
pub(super) fn long(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{}.{} s", seconds, time.subsec_millis() / 100),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{}.{} h", seconds / 3_600, seconds % 3_600 / 360),
        _ => format!("{}.{} d", seconds / 86_400, seconds % 86_400 / 8_640),
    }
}

#[cfg(test)]
mod tests {
    use super::{grouped, long, rate, short};
    use std::time::Duration;

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn short_numbers_keep_three_digits() {
        assert_eq!(short(950), "950");
        assert_eq!(short(1_234), "1.23 k");
        assert_eq!(short(45_678), "45.6 k");
        assert_eq!(short(456_789_000), "456 M");
    }

    #[test]
    fn rates_and_times_survive_the_edges() {
        assert_eq!(rate(10, Duration::ZERO), 10_000);
        assert_eq!(rate(10, Duration::from_secs(5)), 2);
        assert_eq!(long(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(long(Duration::from_secs(9_000)), "2.5 h");
    }
}
