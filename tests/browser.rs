//! `replay --html` as a reader meets it: the page in a headless Chromium, with real clicks, keys and
//! turns of the wheel. Where Chromium is not installed these tests say so and stop; CI installs it.

pub(crate) mod devtools;

use devtools::Browser;
use tempfile::TempPath;

use crate::command::timewait;

/// The name of a page that goes when the test is over; there is none yet.
fn page() -> TempPath {
    named(".html")
}

fn named(suffix: &str) -> TempPath {
    let made = tempfile::Builder::new().suffix(suffix).tempfile();
    let path = made.expect("a file").into_temp_path();
    std::fs::remove_file(&path).expect("removed");
    path
}

/// A page of a run, in a browser; `None`: there is no browser.
fn opened(replay: &str) -> Option<(Browser, TempPath)> {
    let file = page();
    let written = timewait(&format!("replay {replay} --html {}", file.display()));
    let said = String::from_utf8_lossy(&written.stderr);
    assert!(said.contains("datagram"), "{said}");
    let mut browser = Browser::start()?;
    browser.open(&file);
    Some((browser, file))
}

#[test]
fn every_tab_shows_its_view_and_no_other() {
    let Some((mut browser, _file)) = opened("last-ack-lost --seed 4") else {
        return;
    };
    for (view, shows) in [
        ("states", "#states-diagram .state.been"),
        ("sequence", "#sequence-chart path.seq.sent"),
        ("faults", "#faults-chart path.fault.lost"),
        ("netstat", "#netstat-table tbody tr"),
        ("findings", "#findings-list p"),
        ("ladder", "#ladder path.stroke"),
    ] {
        browser.click(&format!("#tab-{view}"));
        assert!(browser.count(shows) > 0, "{view}");
        assert_eq!(browser.count("[role=tabpanel]:not([hidden])"), 1, "{view}");
    }
    browser.press("ArrowRight");
    assert_eq!(
        browser.count("#states:not([hidden])"),
        1,
        "keys change tabs"
    );
    browser.has_no_complaint();
}

#[test]
fn the_pointer_shows_a_whole_header_and_a_click_keeps_it() {
    let Some((mut browser, _file)) = opened("last-ack-lost --seed 4") else {
        return;
    };
    browser.point_at("path.stroke[data-datagram='0']");
    let hover = browser.text("#hover");
    for word in [
        "SEQ",
        "Flags",
        "SYN",
        "Window",
        "Options",
        "MSS 1440",
        "hop limit",
        "Born",
        "delivered at",
    ] {
        assert!(hover.contains(word), "{word}: {hover}");
    }
    browser.click("path.stroke[data-datagram='0']");
    assert!(browser.text("#details").contains("MSS 1440"));
    // The next one in the order of sending.
    browser.press("ArrowDown");
    assert!(browser.text("#details").contains("SYN,ACK"));
    browser.press("Escape");
    assert!(!browser.text("#details").contains("SYN"));
    browser.has_no_complaint();
}

#[test]
fn the_slider_goes_through_the_states_of_every_host() {
    let Some((mut browser, _file)) = opened("last-ack-lost --seed 4") else {
        return;
    };
    browser.click("#tab-netstat");
    assert!(!browser.text("#netstat-table").contains("ESTABLISHED"));
    browser.focus("#instant");
    let mut seen = Vec::new();
    for _ in 0..400 {
        browser.press("ArrowRight");
        let table = browser.text("#netstat-table");
        for state in ["SYN-SENT", "ESTABLISHED", "LAST-ACK", "TIME-WAIT"] {
            if table.contains(state) && !seen.contains(&state) {
                seen.push(state);
            }
        }
    }
    assert_eq!(seen, ["SYN-SENT", "ESTABLISHED", "LAST-ACK", "TIME-WAIT"]);
    assert_eq!(browser.text("#moment"), "60.145617 s");
    browser.has_no_complaint();
}

/// The page derives the sockets from events and variables; `--netstat` asks the stacks.
#[test]
fn the_sockets_of_an_instant_are_those_that_the_stacks_have() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let mut compared = 0;
    for replay in [
        "reboot --seed 3",
        "swarm --seed 3",
        "simultaneous-open --seed 2",
        "flood --seed 1",
        "half-close --seed 2",
        "handshake --seed 5",
    ] {
        let file = page();
        timewait(&format!("replay {replay} --html {}", file.display()));
        browser.open(&file);
        browser.click("#tab-netstat");
        for millis in [0, 1, 5, 10, 30, 100, 300, 900, 1_300, 2_050, 4_400, 9_000] {
            let moment = format!("{replay} --netstat {millis}ms");
            let output = timewait(&format!("replay {moment}"));
            let asked = String::from_utf8(output.stdout).expect("text");
            browser.choose_instant(millis * 1_000_000);
            let asked = stack_sockets(&asked);
            assert_eq!(page_sockets(&mut browser), asked, "{moment}");
            compared += asked.len();
        }
    }
    assert!(compared > 60, "only {compared} sockets were compared");
    browser.has_no_complaint();
}

/// Name, queues, addresses and state of each connection, as the stacks say.
fn stack_sockets(table: &str) -> Vec<Vec<String>> {
    let rows = table.lines().skip(2).map(|line| {
        let cells = line.split_whitespace().map(str::to_owned);
        cells.collect::<Vec<_>>()
    });
    let mut rows: Vec<_> = rows.filter(|cells| cells[4] != "*").collect();
    rows.sort();
    rows
}

/// The same, as the page says.
fn page_sockets(browser: &mut Browser) -> Vec<Vec<String>> {
    let rows = "JSON.stringify([...document.querySelectorAll('#netstat-table tbody tr')]\
        .map((row) => [...row.cells].map((cell) => cell.textContent)))";
    let rows: Vec<Vec<String>> = serde_json::from_str(&browser.words(rows)).expect("rows");
    let connections = rows
        .into_iter()
        .filter(|row| row.len() > 4 && row[2] != "*");
    let mut rows: Vec<_> = connections
        .map(|row| {
            // The boot in `h0'1#2` is more than a stack knows of itself.
            let (host, number) = row[0].split_once('#').expect("a name");
            let host = host.split('\'').next().expect("a host");
            let name = format!("{host}#{number}");
            [&name, &row[4], &row[5], &row[1], &row[2], &row[3]].map(Clone::clone)
        })
        .map(Vec::from)
        .collect();
    rows.sort();
    rows
}

#[test]
fn the_wheel_and_the_buttons_zoom() {
    let Some((mut browser, _file)) = opened("swarm --seed 3") else {
        return;
    };
    let tall = "document.getElementById('ladder-tall').offsetHeight";
    let before = browser.number(tall);
    browser.click("#zoom-in");
    let closer = browser.number(tall);
    assert!(closer > before, "{before} {closer}");
    browser.click("#zoom-fit");
    let whole = browser.number(tall);
    assert!(whole < before, "{before} {whole}");
    browser.wheel("#ladder-scroll", -300, true);
    assert!(browser.number(tall) > whole);
    browser.click("#true-time");
    assert!(browser.count("path.stroke") > 0);

    browser.click("#tab-sequence");
    let first = "document.querySelector('#sequence-chart .axes text').textContent";
    let label = browser.words(first);
    browser.wheel("#sequence-chart", -400, false);
    assert_ne!(browser.words(first), label);
    browser.focus("#sequence-chart");
    let label = "document.querySelector('#sequence-chart .axes text').getAttribute('x')";
    let before = browser.words(label);
    browser.press("ArrowRight");
    assert_ne!(browser.words(label), before, "keys pan");
    browser.has_no_complaint();
}

#[test]
fn a_violation_leads_to_its_instant() {
    let churn = "churn --seed 0 --disable time-wait --from 500ms --until 600ms";
    let Some((mut browser, _file)) = opened(churn) else {
        return;
    };
    // The page begins at the first one.
    assert_eq!(browser.text("#moment"), "0.544866 s");
    browser.focus("#instant");
    browser.press("Home");
    assert_ne!(browser.text("#moment"), "0.544866 s");
    browser.click("#tab-findings");
    browser.click(".found .violation .jump");
    assert_eq!(browser.text("#moment"), "0.544866 s");
    assert_eq!(browser.count("#ladder:not([hidden])"), 1);
    assert!(browser.text("#ladder-scroll").contains("2MSL over"));
    browser.has_no_complaint();
}

#[test]
fn the_drawing_has_every_leg_and_a_cross_for_what_was_lost() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let file = named(".svg");
    let path = file.display();
    timewait(&format!("replay last-ack-lost --seed 4 --svg {path}"));
    browser.open(&file);
    // Eight datagrams; seven pass two routers, and one is lost as it leaves.
    assert_eq!(browser.count("path.stroke"), 7 * 3 + 1);
    assert_eq!(browser.count("path.cross"), 1);
    assert_eq!(browser.count("path.tip"), 7);
    assert!(browser.text(".events").contains("TIME-WAIT"));
    browser.has_no_complaint();
}

#[test]
fn every_kind_of_scenario_makes_a_page_without_complaint() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    for kind in timewait::Kind::ALL {
        let file = page();
        let path = file.display();
        timewait(&format!("replay {kind} --seed 1 --until 2s --html {path}"));
        if !file.exists() {
            continue; // More datagrams than a page holds.
        }
        browser.open(&file);
        for view in [
            "states", "sequence", "faults", "netstat", "findings", "ladder",
        ] {
            browser.click(&format!("#tab-{view}"));
        }
        browser.has_no_complaint();
    }
}
