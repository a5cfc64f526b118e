//! The README says what is true.

const README: &str = include_str!("../README.md");

#[test]
fn the_example_is_the_one_that_is_tested() {
    assert!(README.contains(include_str!("example.rs").trim()));
}

#[test]
fn no_oracle_is_forgotten_and_none_invented() {
    let row = README
        .lines()
        .find(|line| line.starts_with("| judges |"))
        .expect("a row");
    let told: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
    let judges = timewait::properties::oracles::standard();
    assert!(
        told.iter()
            .copied()
            .eq(judges.iter().map(|judge| judge.name())),
        "{told:?}"
    );
}

#[test]
fn every_file_that_it_leads_to_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let links = README
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.starts_with("http")) {
        assert!(root.join(link).exists(), "{link}");
    }
}
