//! A headless Chromium, spoken to by the Chrome DevTools Protocol
//! (<https://chromedevtools.github.io/devtools-protocol/>): as much of it as a reader has hands.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// Debian's name, and that of the vendor's packages.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// How often to ask whether something is there: some half a minute.
const PATIENCE: u32 = 100_000;

/// One browser with one page. It ends with the test, and its profile with it.
pub(crate) struct Browser {
    child: Child,
    profile: PathBuf,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    calls: u64,
    /// Errors on the console and exceptions of the page.
    complaints: Vec<String>,
}

impl Drop for Browser {
    /// Asks it to end, so that none of its processes writes to the profile any more.
    fn drop(&mut self) {
        let close = json!({ "id": self.calls + 1, "method": "Browser.close" });
        let asked = self.socket.send(Message::text(close.to_string()));
        while asked.is_ok() && self.socket.read().is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
        let gone = (0..PATIENCE).any(|_| std::fs::remove_dir_all(&self.profile).is_ok());
        if !gone {
            eprintln!("{} is left", self.profile.display());
        }
    }
}

impl Browser {
    /// `None`, and a word on standard error: none is installed.
    pub(crate) fn start() -> Option<Self> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let nth = STARTED.fetch_add(1, Ordering::Relaxed);
        let own = format!("timewait-chromium-{}-{nth}", std::process::id());
        let profile = std::env::temp_dir().join(own);
        let launched = NAMES.iter().find_map(|name| launch(name, &profile));
        let Some(mut child) = launched else {
            eprintln!("skipped: chromium is not installed");
            return None;
        };
        let address = address(&mut child);
        let (socket, _) = tungstenite::connect(address).expect("the browser listens");
        let mut browser = Self {
            child,
            profile,
            socket,
            session: None,
            calls: 0,
            complaints: Vec::new(),
        };
        browser.attach();
        Some(browser)
    }

    /// A page of a known size.
    fn attach(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", target);
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        let size = json!({ "width": 1400, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Opens a file and waits until it is there.
    pub(crate) fn open(&mut self, file: &Path) {
        let url = format!("file://{}", file.display());
        self.call("Page.navigate", json!({ "url": url }));
        let there = format!("location.href === {} && document.readyState", json!(url));
        let come = (0..PATIENCE).any(|_| self.evaluate(&there) == json!("complete"));
        assert!(come, "{url} does not come");
    }

    /// Waits for an element, of the page that a click has led to.
    pub(crate) fn wait_for(&mut self, selector: &str) {
        let come = (0..PATIENCE).any(|_| self.count(selector) > 0);
        assert!(come, "{selector} does not come");
    }

    /// The value of an expression in the page.
    fn evaluate(&mut self, expression: &str) -> Value {
        let what = json!({ "expression": expression, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", what);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    pub(crate) fn number(&mut self, expression: &str) -> f64 {
        let value = self.evaluate(expression);
        value.as_f64().expect("a number")
    }

    pub(crate) fn words(&mut self, expression: &str) -> String {
        let value = self.evaluate(expression);
        value.as_str().expect("a text").to_owned()
    }

    /// How many elements there are.
    pub(crate) fn count(&mut self, selector: &str) -> u64 {
        let all = format!("document.querySelectorAll({}).length", json!(selector));
        self.evaluate(&all).as_u64().expect("a number")
    }

    /// What a reader reads there.
    pub(crate) fn text(&mut self, selector: &str) -> String {
        let element = format!("document.querySelector({})", json!(selector));
        self.words(&format!("{element}.hidden ? '' : {element}.textContent"))
    }

    pub(crate) fn focus(&mut self, selector: &str) {
        let element = format!("document.querySelector({})", json!(selector));
        self.evaluate(&format!("{element}.focus()"));
    }

    /// Moves the slider of a run's page to the last observation up to a time, in nanoseconds.
    pub(crate) fn choose_instant(&mut self, ns: u64) {
        self.evaluate(&format!(
            "{{ const slider = document.getElementById('instant'); \
             const {{ ticks }} = JSON.parse(document.getElementById('run').textContent); \
             slider.value = ticks.filter((at) => at <= {ns}).length - 1; \
             slider.dispatchEvent(new Event('input')); }}"
        ));
    }

    /// The middle of an element on the screen.
    fn place(&mut self, selector: &str) -> (f64, f64) {
        let box_ = format!(
            "(() => {{ const box = document.querySelector({}).getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(selector)
        );
        let place = self.evaluate(&box_);
        let axis = |axis: usize| place[axis].as_f64().expect("a place");
        (axis(0), axis(1))
    }

    pub(crate) fn point_at(&mut self, selector: &str) {
        let (x, y) = self.place(selector);
        self.mouse(json!({ "type": "mouseMoved", "x": x, "y": y }));
    }

    pub(crate) fn click(&mut self, selector: &str) {
        let (x, y) = self.place(selector);
        for what in ["mousePressed", "mouseReleased"] {
            self.mouse(json!({ "type": what, "x": x, "y": y, "button": "left", "clickCount": 1 }));
        }
    }

    pub(crate) fn wheel(&mut self, selector: &str, by: i32, control: bool) {
        const CONTROL: u32 = 2;
        let (x, y) = self.place(selector);
        let keys = if control { CONTROL } else { 0 };
        self.mouse(json!({
            "type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": by, "modifiers": keys
        }));
    }

    fn mouse(&mut self, event: Value) {
        self.call("Input.dispatchMouseEvent", event);
    }

    /// Presses a key and lets it go.
    pub(crate) fn press(&mut self, key: &str) {
        // The numbers of keys that move sliders: the browser asks for them.
        let code = match key {
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            "Escape" => 27,
            "Home" => 36,
            other => panic!("a key without a number: {other}"),
        };
        for what in ["rawKeyDown", "keyUp"] {
            let event = json!({
                "type": what, "key": key, "code": key, "windowsVirtualKeyCode": code
            });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// The page has thrown nothing, logged nothing, and asked the network for nothing.
    pub(crate) fn has_no_complaint(&mut self) {
        self.evaluate("0");
        assert_eq!(self.complaints, Vec::<String>::new());
    }

    /// Calls a method and waits for its result.
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.calls += 1;
        let mut call = json!({ "id": self.calls, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            call["sessionId"] = json!(session);
        }
        let sent = self.socket.send(Message::text(call.to_string()));
        sent.expect("the browser listens");
        loop {
            let message = self.socket.read().expect("the browser answers");
            let Message::Text(text) = message else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == json!(self.calls) {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.hear(&answer);
        }
    }

    /// Notes what the page complains of, and what it asks the network for.
    fn hear(&mut self, event: &Value) {
        let parameters = &event["params"];
        let complains = match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded") => true,
            Some("Network.requestWillBeSent") => {
                let url = parameters["request"]["url"].as_str().unwrap_or_default();
                !["file://", "data:", "about:"]
                    .iter()
                    .any(|own| url.starts_with(own))
            }
            _ => false,
        };
        if complains {
            self.complaints.push(event.to_string());
        }
    }
}

fn launch(name: &str, profile: &Path) -> Option<Child> {
    Command::new(name)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
        ])
        .args(["--remote-debugging-port=0", "--disable-dev-shm-usage"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("about:blank")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()
}

/// Where the browser listens, which it says on standard error.
fn address(child: &mut Child) -> String {
    let said = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut before = String::new();
    for line in said.lines() {
        let line = line.expect("text");
        if let Some(address) = line.strip_prefix("DevTools listening on ") {
            return address.to_owned();
        }
        before.push_str(&line);
    }
    panic!("chromium did not start: {before}");
}
