//! A run as one page for a browser: the ladder, the states of a connection, its sequence numbers
//! over time, the faults, the sockets at any instant, and what was found. Everything that the page
//! needs is inside it.
//!
//! The parts of the page are the files in `page/`, written by hand and joined here.

use timewait::properties::chronicle::Record;

/// More datagrams than this make a page that browsers show slowly.
pub(super) const DATAGRAMS_MAX: u64 = 20_000;

const TEMPLATE: &str = include_str!("page/page.html");

/// The colours of all pages.
pub(super) const COLOURS: &str = include_str!("page/colours.css");

/// Later ones add to earlier ones.
const STYLES: [&str; 6] = [
    COLOURS,
    include_str!("page/page.css"),
    include_str!("page/ladder.css"),
    include_str!("page/charts.css"),
    include_str!("page/lists.css"),
    include_str!("page/paper.css"),
];

/// Each does one thing; a later one uses what earlier ones define.
const SCRIPTS: [&str; 20] = [
    include_str!("page/data.js"),
    include_str!("page/format.js"),
    include_str!("page/elements.js"),
    include_str!("page/chosen.js"),
    include_str!("page/tabs.js"),
    include_str!("page/header.js"),
    include_str!("page/hover.js"),
    include_str!("page/rows.js"),
    include_str!("page/strokes.js"),
    include_str!("page/ladder_parts.js"),
    include_str!("page/ladder.js"),
    include_str!("page/ladder_controls.js"),
    include_str!("page/states.js"),
    include_str!("page/chart.js"),
    include_str!("page/sequence.js"),
    include_str!("page/faults.js"),
    include_str!("page/netstat.js"),
    include_str!("page/findings.js"),
    include_str!("page/print.js"),
    include_str!("page/main.js"),
];

/// The page of a run, under this title.
pub(super) fn page(record: &Record, title: &str) -> String {
    // Plain structs always serialise.
    let data = serde_json::to_string(record).unwrap_or_else(|error| error.to_string());
    // Nothing in the data may end the element that it stands in.
    let data = data.replace('<', "\\u003c");
    let (style, script) = (STYLES.join("\n"), SCRIPTS.join("\n"));
    filled(
        TEMPLATE,
        &[
            ("title", title),
            ("style", &style),
            ("data", &data),
            ("script", &script),
        ],
    )
}

/// The template with `{{name}}` replaced by what has this name. What is put in is not looked at
/// again.
pub(super) fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(
        template.len() + values.iter().map(|(_, value)| value.len()).sum::<usize>(),
    );
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let value = values.iter().find(|(its, _)| *its == name);
        page.push_str(before);
        page.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    page.push_str(rest);
    page
}

#[cfg(test)]
mod tests {
    use super::{SCRIPTS, STYLES, TEMPLATE, filled, page};
    use timewait::properties::chronicle::{Found, Record};

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        let page = filled("a {{b}} c {{d}} e", &[("b", "{{d}}"), ("d", "<&>")]);
        assert_eq!(page, "a {{d}} c <&> e");
    }

    #[test]
    fn a_page_asks_for_nothing_from_the_network() {
        for part in SCRIPTS.iter().chain(&STYLES).chain([&TEMPLATE]) {
            let text = part.replace("http://www.w3.org/2000/svg", "");
            for asks in ["http://", "https://", "@import", "fetch(", "src=", "url(h"] {
                assert!(!text.contains(asks), "{asks} in {part}");
            }
        }
    }

    #[test]
    fn no_message_can_end_the_data() {
        let found = Found {
            oracle: "codec",
            at_ns: 1,
            kind: "violation",
            assumption: None,
            message: "</script><b>".to_owned(),
        };
        let record = Record {
            findings: vec![found],
            ..Record::default()
        };
        assert_eq!(page(&record, "x").matches("</script>").count(), 2);
    }
}
