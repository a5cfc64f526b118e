//! Charts of counts, as drawings that stand in a page.

use svg::Document;
use svg::node::element::{Group, Rectangle, Text};

use crate::cli::numbers::grouped;

/// All in pixels.
const LABEL: u64 = 150;
const BAR_MAX: u64 = 420;
const ROW: u64 = 24;
const COUNT: u64 = 110;

/// How a bar grows with its count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// In proportion.
    Linear,
    /// By the logarithm: for counts of very different sizes.
    Logarithmic,
}

/// One bar for each count, with its name and number.
pub(super) fn bars(title: &str, rows: &[(&str, u64)], growth: Growth) -> String {
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let (width, height) = (LABEL + BAR_MAX + COUNT, ROW * rows.len() as u64 + 4);
    let mut chart = Document::new()
        .set("viewBox", (0, 0, width, height))
        .set("width", width)
        .set("height", height)
        .set("role", "img")
        .set("aria-label", title)
        .set("class", "bars");
    for (place, (name, count)) in (0..).zip(rows) {
        chart = chart.add(bar(place * ROW, name, *count, length(*count, most, growth)));
    }
    chart.to_string()
}

fn bar(y: u64, name: &str, count: u64, length: u64) -> Group {
    let rectangle = Rectangle::new()
        .set("x", LABEL)
        .set("y", y + 4)
        .set("width", length)
        .set("height", ROW - 8)
        .set("rx", 2);
    let word = |text: &str, x: u64, anchor: &str| {
        Text::new(text)
            .set("x", x)
            .set("y", y + 16)
            .set("text-anchor", anchor)
    };
    Group::new()
        .add(word(name, LABEL - 8, "end"))
        .add(rectangle)
        .add(word(&grouped(count), LABEL + length + 7, "start"))
}

/// The length of a bar in pixels: none for nothing, some for anything.
fn length(count: u64, most: u64, growth: Growth) -> u64 {
    let (part, whole) = match growth {
        _ if count == 0 => return 0,
        Growth::Linear => (count, most),
        Growth::Logarithmic => (sixteenths(count), sixteenths(most)),
    };
    (u128::from(part) * u128::from(BAR_MAX) / u128::from(whole.max(1))).max(2) as u64
}

/// The binary logarithm of twice a count in sixteenths, straight between powers of two.
fn sixteenths(count: u64) -> u64 {
    let whole = count.ilog2();
    let rest = (u128::from(count) * 16) >> whole;
    u64::from(whole + 1) * 16 + rest as u64 - 16
}

#[cfg(test)]
mod tests {
    use super::{BAR_MAX, Growth, bars, length};

    #[test]
    fn a_bar_is_as_long_as_its_count_and_never_too_short_to_see() {
        let linear = [0, 1, 500, 1_000].map(|count| length(count, 1_000, Growth::Linear));
        assert_eq!(linear, [0, 2, BAR_MAX / 2, BAR_MAX]);
        let log = [0, 1, 10, 100, 1 << 40].map(|count| length(count, 1 << 40, Growth::Logarithmic));
        assert!(
            log.is_sorted() && log[4] == BAR_MAX && log[1] > 2,
            "{log:?}"
        );
    }

    #[test]
    fn names_are_text_and_no_markup() {
        let chart = bars("faults", &[("<b>", 1)], Growth::Linear);
        assert!(
            chart.contains("&lt;b&gt;") && !chart.contains("<b>"),
            "{chart}"
        );
    }
}
