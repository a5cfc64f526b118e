//! `docs/requirements.tsv`: id, level, requirement, section, scope; tabs between them.

/// One requirement.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    /// `MUST-58`, `R5961-03`.
    pub(crate) id: String,
    /// MUST, SHOULD NOT, MAY…
    pub(crate) level: String,
    /// What it asks, in our words.
    pub(crate) text: String,
    /// `RFC 9293 §3.8.3`.
    pub(crate) section: String,
    pub(crate) scope: Scope,
}

/// Whether a requirement is to be met here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// It is, with a place and a test.
    In,
    /// It concerns what this project does not simulate.
    Out(String),
    /// A permission that is not made use of. Only a MAY can be that.
    NotOffered(String),
}

/// Reads the ledger.
///
/// # Panics
///
/// If a line is not as it should be.
pub(crate) fn parse(text: &str) -> Vec<Requirement> {
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("id\tlevel\trequirement\tsection\tscope"),
        "the columns"
    );
    lines.map(parse_line).collect()
}

fn parse_line(line: &str) -> Requirement {
    let fields: Vec<&str> = line.split('\t').collect();
    let [id, level, text, section, scope] = fields[..] else {
        panic!("five fields: {line:?}");
    };
    for field in [id, level, text, section] {
        assert!(!field.is_empty() && field.trim() == field, "{line:?}");
    }
    assert!(
        section.starts_with("RFC ") && section.contains(" §"),
        "{line:?}"
    );
    let scope = parse_scope(scope);
    if matches!(scope, Scope::NotOffered(_)) {
        assert_eq!(level, "MAY", "{id}: only a permission can be left unused");
    }
    if matches!(scope, Scope::Out(_)) {
        assert!(OUT_OF_SCOPE.contains(&id), "{id} is in scope");
    }
    Requirement {
        id: id.to_owned(),
        level: level.to_owned(),
        text: text.to_owned(),
        section: section.to_owned(),
        scope,
    }
}

fn parse_scope(scope: &str) -> Scope {
    if scope.is_empty() {
        return Scope::In;
    }
    let (word, reason) = scope.split_once(": ").expect("a word, a colon, a reason");
    match word {
        "out of scope" => Scope::Out(reason.to_owned()),
        "not offered" => Scope::NotOffered(reason.to_owned()),
        _ => panic!("{word:?} is no scope"),
    }
}

/// Source routes and options of IP. Nothing else may be out of scope.
const OUT_OF_SCOPE: [&str; 6] = [
    "MUST-51", "MUST-52", "MUST-53", "SHLD-24", "MAY-10", "MAY-11",
];
