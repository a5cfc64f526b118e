use core::time::Duration;

use super::FileError;
use crate::scenario::{FaultPlan, LinkEnd, Scenario};
use crate::scenarios::Kind;

/// Two hosts, one link, one talk: about the least that a file can say.
const LEAST: &str = r#"
version = 1

[[hosts]]
[[hosts.apps]]
role.call = { host = 1, port = 80, talk = { write.octets = 1000, ending = "shut" } }

[[hosts]]
profile = "linux"
settings = { msl = "1.5s", keepalive = "off" }
[[hosts.apps]]
role.serve = { port = 80, talk = { write.octets = 10, ending = "passive" } }

[[links]]
a = "h0"
b = "h1"
delay = "10ms"
"#;

fn wrong(text: &str) -> String {
    match Scenario::from_toml(text) {
        Ok(_) => panic!("nothing is wrong"),
        Err(error) => error.to_string(),
    }
}

/// [`LEAST`] with one text in the place of another.
fn with(old: &str, new: &str) -> String {
    assert!(LEAST.contains(old));
    LEAST.replacen(old, new, 1)
}

#[test]
fn what_is_left_out_has_a_value() {
    let scenario = Scenario::from_toml(LEAST).expect("a scenario");
    assert_eq!(scenario.hosts.len(), 2);
    assert_eq!(
        scenario.lifetime,
        Some(Duration::from_millis(1500)),
        "the least MSL"
    );
    assert_eq!(
        scenario.address(1).map(|ip| ip.to_string()),
        Some("10.0.0.2".to_owned())
    );
    assert_eq!(scenario.links[0].b, LinkEnd::Host(1));
    assert_eq!(scenario.faults, FaultPlan::NONE);
    assert!(scenario.hosts[0].config.secret != scenario.hosts[1].config.secret);
}

/// A file says everything: what is read is what was written, of every kind.
#[test]
fn every_scenario_survives_being_written_and_read() {
    for &kind in Kind::ALL {
        for seed in 0..30 {
            let scenario = Scenario::from_seed(kind, seed);
            let text = scenario.to_toml();
            let again = match Scenario::from_toml(&text) {
                Ok(again) => again,
                Err(error) => panic!("{kind} {seed}: {error}\n{text}"),
            };
            let unnamed = Scenario {
                seed: None,
                ..scenario
            };
            assert!(again == unnamed, "{kind} {seed}\n{text}");
        }
    }
}

/// Whatever shrinking tries can be written down.
#[test]
fn every_smaller_scenario_survives_being_written_and_read() {
    for kind in [
        Kind::Swarm,
        Kind::Churn,
        Kind::Middlebox,
        Kind::Ailing,
        Kind::Attack,
    ] {
        for seed in 0..8 {
            for smaller in Scenario::from_seed(kind, seed).smaller() {
                let text = smaller.to_toml();
                match Scenario::from_toml(&text) {
                    Ok(again) => assert!(again == smaller, "{kind} {seed}\n{text}"),
                    Err(error) => panic!("{kind} {seed}: {error}\n{text}"),
                }
            }
        }
    }
}

/// And so does the list of the fates of a run.
#[test]
fn listed_faults_survive_being_written_and_read() {
    for kind in [Kind::Bulk, Kind::Churn, Kind::Reboot] {
        let mut scenario = Scenario::from_seed(kind, 3);
        scenario.faults = FaultPlan::Listed(crate::check(&scenario).fates);
        scenario.seed = None;
        assert_eq!(Scenario::from_toml(&scenario.to_toml()), Ok(scenario));
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let cases = [
        ("version = 1", "version = 2", "2:11: version: "),
        ("version = 1", "version = ", "2:11: "),
        (
            "delay = \"10ms\"",
            "delay = \"10\"",
            "17:9: links[0].delay: ",
        ),
        (
            "b = \"h1\"",
            "b = \"h2\"",
            "16:5: links[0].b: there is no h2",
        ),
        (
            "b = \"h1\"",
            "b = \"h0\"",
            "16:5: links[0].b: a link has two ends",
        ),
        (
            "b = \"h1\"",
            "b = \"x1\"",
            "16:5: links[0].b: `x1` is no machine",
        ),
        (
            "msl = \"1.5s\"",
            "mls = \"1.5s\"",
            "10:14: hosts[1].settings.mls: unknown field `mls`",
        ),
        (
            "msl = \"1.5s\"",
            "mtu = 10",
            "10:20: hosts[1].settings.mtu: it is 576 to 65535",
        ),
        (
            "keepalive = \"off\"",
            "keepalive = \"of\"",
            "10:40: hosts[1].settings.keepalive: ",
        ),
        (
            "keepalive = \"off\"",
            "keepalive = { idle = 1 }",
            "hosts[1].settings.keepalive.idle: ",
        ),
        (
            "host = 1",
            "host = 7",
            "hosts[0].apps[0].role.call.host: there is no host 7",
        ),
        (
            "ending = \"shut\"",
            "ending = \"shout\"",
            "hosts[0].apps[0].role.call.talk.ending: unknown variant `shout`",
        ),
        (
            "profile = \"linux\"",
            "profile = \"lynux\"",
            "9:11: hosts[1].profile: unknown variant `lynux`",
        ),
    ];
    for (old, new, place) in cases {
        let said = wrong(&with(old, new));
        assert!(
            said.contains(place) && said.lines().count() == 1,
            "{new}: {said}"
        );
    }
}

#[test]
fn a_file_of_nothing_and_one_of_rubbish_are_refused() {
    assert_eq!(wrong(""), "1:1: missing field `version`");
    assert!(wrong("version = 1").contains("hosts: a scenario needs a host"));
    for rubbish in ["\u{0}\u{1}[[[", "=", "[a", "x = 1e999999", "a = '"] {
        assert_eq!(wrong(rubbish).lines().count(), 1, "{rubbish:?}");
    }
    let both = format!("{LEAST}\n[faults]\nseed = \"1\"\nlisted = []\n");
    assert!(wrong(&both).contains("faults.listed: faults are listed, or they are drawn"));
}

#[test]
fn an_error_counts_characters_and_not_octets() {
    let error =
        Scenario::from_toml("# é\nversion = 1\nkind = 'é' # é\n").expect_err("no such kind");
    let FileError {
        line, column, key, ..
    } = &error;
    assert_eq!((*line, *column, key.as_str()), (3, 8, "kind"));
}
