//! How an id is written: `MUST-25`, `R5961-03`, each in full. Ranges and shortened lists would hide
//! an id from a search, so they are refused.

/// An id in a text, and where its first octet is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

/// All ids, in order.
pub(crate) fn ids(text: &str) -> Vec<Id<'_>> {
    let starts = text.char_indices().filter(|(at, _)| {
        let before = text[..*at].chars().next_back();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    });
    starts
        .filter_map(|(at, _)| {
            let length = id_length(&text[at..])?;
            let text = &text[at..at + length];
            Some(Id { text, at })
        })
        .collect()
}

/// The places where somebody meant ids and did not write them in full, as octets of the text.
pub(crate) fn misspelled(text: &str) -> Vec<usize> {
    let shortened = ids(text).into_iter().filter_map(|id| {
        let rest = &text[id.at + id.text.len()..];
        is_shortened(rest).then_some(id.at)
    });
    let mut places: Vec<usize> = shortened.chain(without_hyphen(text)).collect();
    places.sort_unstable();
    places
}

/// The length of the id that `text` begins with.
fn id_length(text: &str) -> Option<usize> {
    let (word, rest) = text.split_once('-')?;
    let digits = digits(rest);
    let known = PREFIXES.contains(&word) || is_companion(word);
    (known && digits > 0).then_some(word.len() + 1 + digits)
}

/// `R5961`: a companion RFC.
fn is_companion(word: &str) -> bool {
    let number = word.strip_prefix('R');
    number.is_some_and(|number| number.len() == 4 && digits(number) == 4)
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Whether an id goes on in a way that stands for other ids: `..29`, `-29`, `/26`, ` to MUST-29`,
/// `, 30`. A number after a comma that is followed by a word counts something else.
fn is_shortened(rest: &str) -> bool {
    if let Some(list) = rest
        .strip_prefix(", ")
        .or_else(|| rest.strip_prefix(" and "))
    {
        let after = &list[digits(list)..];
        let ends = after.is_empty() || after.starts_with([')', ',', ';', ':', '"', '\n']);
        return digits(list) > 0 && ends || digits(list) > 0 && after.starts_with(". ");
    }
    if let Some(range) = rest.strip_prefix(" to ") {
        return id_length(range).is_some() || digits(range) > 0;
    }
    let continued = ["..=", "..", "-", "–", "/"];
    continued.iter().any(|sign| {
        let next = rest.strip_prefix(sign);
        next.is_some_and(|next| digits(next) > 0 || id_length(next).is_some())
    })
}

/// `MUST 25`, `SHLD31`, `must-7`.
fn without_hyphen(text: &str) -> Vec<usize> {
    let mut places = Vec::new();
    for prefix in PREFIXES {
        places.extend(text.match_indices(prefix).filter_map(|(at, _)| {
            let rest = &text[at + prefix.len()..];
            let spaced = rest.strip_prefix(' ').is_some_and(|rest| digits(rest) > 0);
            (spaced || digits(rest) > 0).then_some(at)
        }));
        let lower = format!("{}-", prefix.to_ascii_lowercase());
        places.extend(text.match_indices(&lower).filter_map(|(at, _)| {
            let rest = &text[at + lower.len()..];
            (digits(rest) > 0).then_some(at)
        }));
    }
    places
}

const PREFIXES: [&str; 4] = ["MUST", "SHLD", "MAY", "REC"];

#[test]
fn ids_are_found_wherever_they_stand() {
    let found = |text| ids(text).iter().map(|id| id.text).collect::<Vec<_>>();
    assert_eq!(
        found("// (MUST-22,\n/// R5961-03; \"SHLD-9\" MAY-1. REC-1"),
        ["MUST-22", "R5961-03", "SHLD-9", "MAY-1", "REC-1"]
    );
    for none in [
        "MUST", "MUST-", "MUSTER-3", "AMUST-3", "R123-4", "E-9", "R59610-3",
    ] {
        assert_eq!(found(none), Vec::<&str>::new(), "{none}");
    }
}

#[test]
fn whatever_stands_for_ids_without_naming_them_is_refused() {
    for wrong in [
        "MUST-25..29",
        "MUST-25..=29",
        "MUST-25..MUST-29",
        "MUST-25-29",
        "MUST-25–29",
        "MUST-25/26",
        "MUST-25 to MUST-29",
        "MUST-25 to 29",
        "SHLD-29, 30)",
        "SHLD-29 and 30",
        "SHLD-29, 30. So",
        "MUST 25",
        "SHLD31",
        "must-7",
    ] {
        assert!(!misspelled(wrong).is_empty(), "{wrong}");
    }
    for right in [
        "MUST-25, MUST-26",
        "MUST-7 and MAY-1",
        "MUST-40, 500 ms",
        "a MUST. 3 of them",
        "MUST-20: 3",
        "MUST-25. 3",
    ] {
        assert_eq!(misspelled(right), Vec::<usize>::new(), "{right}");
    }
}
