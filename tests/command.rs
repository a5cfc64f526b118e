//! The `timewait` command as its users meet it: what it prints, and how it ends.

use std::io::Read;
use std::process::{Command, Output, Stdio};

pub(crate) fn timewait(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_timewait"))
        .args(arguments.split_whitespace())
        .output()
        .expect("the command starts")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("text")
}

/// Status 2 and one line on standard error that holds all of these words.
fn refused(arguments: &str, words: &[&str]) {
    let output = timewait(arguments);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
    assert_eq!(said.lines().count(), 1, "{arguments}: {said}");
    assert_eq!(stdout(&output), "", "{arguments}");
    for word in words {
        assert!(said.contains(word), "{arguments}: {said}");
    }
}

#[test]
fn wrong_input_is_one_clear_line_and_status_2() {
    refused("", &["run", "replay", "list"]);
    refused("rum", &["rum", "run"]);
    refused("run chrun", &["chrun", "did you mean 'churn'"]);
    refused("run --sed 4", &["--sed", "--seed"]);
    refused("run --seeds 0", &["--seeds", "at least 1"]);
    refused("run --seeds many", &["--seeds", "many"]);
    refused("run --seed-range 5..5", &["--seed-range", "empty"]);
    refused("run --seed-range 5-9", &["--seed-range", "A..B"]);
    refused(
        "run --seeds 4 --seed-range 0..4",
        &["--seeds", "--seed-range"],
    );
    refused("run --shard 3/2", &["--shard", "I/N"]);
    refused("run --jobs 0", &["--jobs", "at least 1"]);
    refused("run --time 60", &["--time", "1.5s"]);
    refused(
        "run churn --disable timewait",
        &["--disable", "did you mean 'time-wait'"],
    );
    refused("replay", &["SCENARIO"]);
    refused("shrink close --seed 1", &["close", "holds"]);
    refused(
        "shrink churn --seed 0 --disable time-wait --oracle codec",
        &["codec"],
    );
    refused("show churn", &["churn", "--seed is missing"]);
    refused("run no/such.toml", &["no/such.toml", "No such file"]);
    refused("run Cargo.toml", &["Cargo.toml:", "unknown field"]);
    refused("run churn scenarios/hello.toml", &["don't mix"]);
    refused(
        "run scenarios/hello.toml --seeds 3",
        &["hello.toml", "dice"],
    );
    refused(
        "replay scenarios/hello.toml --seed 3",
        &["hello.toml", "dice"],
    );
    refused("replay churn", &["--seed"]);
    refused("replay churn --seed x", &["--seed", "x"]);
    refused("replay no-such-thing-at-all --seed 1", &["timewait list"]);
    refused("replay swarm --seed 1 --between 1,1", &["--between"]);
    refused("replay close --seed 1 --interface h0", &["--pcap"]);
    refused("replay close --seed 1 --only state", &["--trace"]);
    refused(
        "replay close --seed 1 --trace x --only stat",
        &["--only", "segment, network"],
    );
    refused("replay close --seed 1 --trace x --of 7", &["--of", "h0#2"]);
    refused("run close --report Cargo.toml", &["--report", "Cargo.toml"]);
    refused("run close --report src", &["--report src", "'cli"]);
    refused(
        "replay close --seed 1 --from 2s --until 1s",
        &["--until", "before --from"],
    );
    refused(
        "replay close --seed 1 --netstat 1s --html x.html",
        &["--netstat", "--html"],
    );
    refused(
        "replay churn --seed 1 --svg x.svg",
        &["--svg x.svg", "more than the 2000 that fit", "--from"],
    );
    for option in ["--svg", "--html"] {
        refused(
            &format!("replay close --seed 1 {option} no/such/folder/x"),
            &[option, "no/such/folder/x"],
        );
    }
    refused(
        "replay close --seed 1 --pcap x.pcapng --interface h9",
        &["--interface", "'h9'", "h0, h1, "],
    );
    refused(
        "replay close --seed 1 --pcap no/such/folder/x.pcapng",
        &["--pcap", "no/such/folder/x.pcapng"],
    );
}

/// A seed and the file of it are the same run.
#[test]
fn what_show_prints_runs_as_its_seed_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shown.toml");
    for extra in ["", " --listed"] {
        let shown = timewait(&format!("show half-close --seed 3{extra}"));
        std::fs::write(&file, stdout(&shown)).expect("written");
        let ladder = timewait(&format!("replay {}", file.display()));
        let seed = timewait("replay half-close --seed 3");
        assert_eq!(stdout(&ladder), stdout(&seed), "{extra}");
    }
    let run = timewait(&format!("run {} --json", file.display()));
    assert_eq!(run.status.code(), Some(0));
    let failed = timewait("run scenarios/last-ack-lost.toml --disable tw-re-ack");
    assert_eq!(failed.status.code(), Some(1));
    let line = "timewait replay scenarios/last-ack-lost.toml --disable tw-re-ack";
    assert!(stdout(&failed).contains(line));
}

/// What `shrink` prints is the finding, a ladder that fits a page, and a test that fails.
#[test]
fn shrink_leaves_little_of_a_failing_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("small.toml");
    let shrunk = timewait(&format!(
        "shrink churn --seed 0 --disable time-wait --output {}",
        file.display()
    ));
    let said = stdout(&shrunk);
    assert_eq!(shrunk.status.code(), Some(1), "{said}");
    assert!(said.contains("violation of time-wait") && said.contains("fn time_wait_holds()"));
    assert!(
        said.lines().filter(|line| line.contains('│')).count() < 30,
        "{said}"
    );
    let replayed = timewait(&format!("replay {}", file.display()));
    assert_eq!(replayed.status.code(), Some(1));
    assert!(stdout(&replayed).contains("violation of time-wait"));
}

#[test]
fn diff_tells_where_two_runs_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, arguments) in [("a", ""), ("b", "--disable time-wait")] {
        let (trace, file) = (path(name), path(&format!("{name}.toml")));
        let status = timewait(&format!(
            "replay churn --seed 0 {arguments} --trace {trace}"
        ))
        .status;
        assert!(matches!(status.code(), Some(0 | 1)));
        let shown = timewait(&format!("show churn --seed 0 {arguments}"));
        std::fs::write(file, stdout(&shown)).expect("written");
    }
    let (a, b) = (path("a"), path("b"));
    let same = timewait(&format!("diff {a} {a}.toml"));
    assert_eq!(same.status.code(), Some(0), "{}", stdout(&same));
    let parted = timewait(&format!("diff {a} {b} --context 2"));
    let said = stdout(&parted);
    assert_eq!(parted.status.code(), Some(1));
    assert!(said.starts_with("The first difference is line "), "{said}");
    let marks: Vec<_> = said
        .lines()
        .skip(1)
        .filter_map(|line| line.chars().next())
        .collect();
    assert_eq!(marks, [' ', ' ', '-', '-', '+', '+'], "{said}");
    assert!(said.contains("TIME-WAIT"), "{said}");
    refused(&format!("diff {a} {a}.not-there"), &["not-there"]);
}

#[test]
fn help_and_version_are_answers() {
    for arguments in [
        "--help",
        "run --help",
        "replay --help",
        "show --help",
        "diff --help",
        "shrink --help",
        "counterfactuals --help",
        "list --help",
        "--version",
    ] {
        let output = timewait(arguments);
        assert_eq!(
            (output.status.code(), stderr(&output)),
            (Some(0), ""),
            "{arguments}"
        );
        assert!(
            stdout(&output)
                .lines()
                .all(|line| line.chars().count() <= 80),
            "{arguments}"
        );
    }
}

#[test]
fn counterfactuals_tell_how_the_absence_of_a_protection_shows() {
    let output = timewait("counterfactuals tw-re-ack isn-hash --searches 1");
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let row = text.lines().find(|line| line.contains("tw-re-ack"));
    let cells: Vec<_> = row.unwrap_or_default().split_whitespace().collect();
    assert_eq!(cells[..4], ["2", "tw-re-ack", "last-ack-lost", "replies"]);
    let figures: Vec<u64> = cells[4..].iter().flat_map(|cell| cell.parse()).collect();
    assert!(
        figures.len() == 3 && figures.iter().all(|&n| n > 0),
        "{text}"
    );
    assert!(text.contains("isn-hash shows elsewhere"), "{text}");
    refused("counterfactuals tw-re-akc", &["tw-re-akc"]);
}

#[test]
fn list_names_everything_that_the_other_commands_take() {
    let output = timewait("list");
    assert_eq!(output.status.code(), Some(0));
    for kind in timewait::Kind::ALL {
        assert!(stdout(&output).contains(kind.description()), "{kind}");
    }
    for protection in timewait::Protection::ALL {
        assert!(stdout(&output).contains(protection.name()), "{protection}");
    }
    assert!(stdout(&output).contains("incarnation"));
}

#[test]
fn a_sound_campaign_ends_with_its_tables_and_status_0() {
    let output = timewait("run handshake close --seeds 8");
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("All held: 8 seeds"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
}

#[test]
fn one_job_and_two_print_the_same() {
    for arguments in [
        "run --seeds 11",
        "run --seeds 11 --json",
        "run churn --disable time-wait",
    ] {
        let one = timewait(&format!("{arguments} --jobs 1"));
        let two = timewait(&format!("{arguments} --jobs 2"));
        assert_eq!(stdout(&one), stdout(&two), "{arguments}");
        assert_eq!(one.status, two.status, "{arguments}");
    }
}

#[test]
fn the_shards_add_up_to_the_whole() {
    let segments = |shard: &str| {
        let output = timewait(&format!(
            "run close half-close abort --seeds 20 --json {shard}"
        ));
        let document = json(&output);
        ["seeds", "segments"].map(|field| document["total"][field].as_u64().expect("a number"))
    };
    let parts = [
        segments("--shard 1/3"),
        segments("--shard 2/3"),
        segments("--shard 3/3"),
    ];
    let sum = parts
        .iter()
        .fold([0, 0], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
    assert_eq!(sum, segments(""));
    assert_eq!(sum[0], 20);
}

#[test]
fn without_time_wait_a_churn_accepts_an_old_duplicate_and_says_which() {
    let output = timewait("run churn --disable time-wait");
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let violation = text.split("VIOLATION of ").nth(1).expect("a violation");
    assert!(
        violation.contains("\nReplay it:\n  timewait replay churn --seed "),
        "{violation}"
    );
    assert!(violation.contains(" --disable time-wait\n"), "{violation}");
    assert!(violation.contains("│"), "a ladder: {violation}");

    let line = violation
        .lines()
        .find_map(|line| line.trim().strip_prefix("timewait "));
    let replay = timewait(line.expect("a line to paste"));
    assert_eq!(replay.status.code(), Some(1));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = violation.lines().nth(1).expect("a message");
    assert!(
        words(stdout(&replay)).contains(&words(message)),
        "{message}"
    );
}

#[test]
fn the_incarnation_oracle_names_the_datagram_its_keeper_and_both_incarnations() {
    // The oracle `time-wait` is the first to notice: this one must be among the others, in one of
    // the first seeds.
    let message = (0..20).find_map(|seed| {
        let seeds = format!("--seed-range {seed}..{}", seed + 1);
        let output = timewait(&format!("run churn --disable time-wait --json {seeds}"));
        let document = json(&output);
        let others = document["violation"]["others"].as_array().expect("a list");
        let ours = others.iter().find(|it| it["oracle"] == "incarnation")?;
        ours["message"].as_str().map(ToOwned::to_owned)
    });
    let message = message.expect("such a finding");
    let words = [
        "accepted an old datagram",
        "sent by h",
        "held by router",
        "datagram ",
    ];
    for word in words {
        assert!(message.contains(word), "{word}: {message}");
    }
}

#[test]
fn json_has_everything_that_the_tables_say() {
    let output = timewait("run churn close --seeds 8 --json");
    let document = json(&output);
    assert_eq!(document["held"], true, "{document}");
    assert_eq!(document["total"]["seeds"], 8);
    let churn = &document["scenarios"][1];
    assert_eq!(churn["scenario"], "churn");
    assert!(
        churn["old_duplicates"]["inside_its_window"].as_u64() > Some(0),
        "{churn}"
    );
    assert!(churn["old_duplicates"]["accepted"].is_u64(), "{churn}");
    assert!(
        churn["transitions"]["LISTEN > SYN-RECEIVED"].as_u64() > Some(0),
        "{churn}"
    );
    assert!(stderr(&output).is_empty());
}

#[test]
fn a_replay_is_a_ladder() {
    let output = timewait("replay handshake --seed 0");
    assert_eq!(output.status.code(), Some(0));
    for word in ["h0", "h1", "SYN-SENT", "ESTABLISHED", "──▶│", "│◀──"] {
        assert!(
            stdout(&output).contains(word),
            "{word}: {}",
            stdout(&output)
        );
    }
    let last = timewait("replay handshake --seed 0x0 --last 3");
    assert_eq!(stdout(&last).lines().count(), 4, "{}", stdout(&last));
}

#[test]
fn a_part_of_a_replay_has_the_lines_of_that_time() {
    let whole = timewait("replay last-ack-lost --seed 4");
    let part = timewait("replay last-ack-lost --seed 4 --from 50ms --until 150ms");
    let (whole, part) = (stdout(&whole), stdout(&part));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let all: Vec<String> = whole.lines().map(words).collect();
    assert!(
        part.lines().all(|line| all.contains(&words(line))),
        "{part}"
    );
    assert!(
        part.contains("0.059617") && part.contains("0.145617"),
        "{part}"
    );
    assert!(
        !part.contains("0.047694") && !part.contains("0.157541"),
        "{part}"
    );
}

#[test]
fn netstat_lists_the_sockets_of_a_moment() {
    let output = timewait("replay close --seed 0 --netstat 0ms");
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("LISTEN"), "{}", stdout(&output));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_timewait"))
        .args(["replay", "bulk", "--seed", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut first = [0; 1];
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut first).expect("an octet");
    drop(out);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_str(stdout(output)).expect("one JSON document")
}
