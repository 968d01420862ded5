//! A browser that tests drive over a pipe, and the page that is open in it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use fencepost_sim::history::History;
use fencepost_sim::judge::Breach;
use serde_json::{Value, json};

use super::drawn;

/// A browser without a window, spoken to over a pipe: messages are JSON and end with a zero.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    sent: u64,
    heard: VecDeque<Value>,
    folder: tempfile::TempDir,
}

impl Browser {
    pub fn start() -> Option<Self> {
        let known = ["chromium", "chromium-browser", "google-chrome"];
        let is_there = |name: &&&str| {
            std::env::var_os("PATH")
                .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
        };
        let Some(name) = known.iter().find(is_there) else {
            eprintln!("NOT TESTED: there is no Chromium here, so nobody has looked at the timeline's page");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        // Its pipe is descriptors 3 and 4. One that hangs ends by itself, and with it the test.
        let line = format!(
            "exec timeout 120 {name} --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
             --window-size=1440,900 --user-data-dir={} --remote-debugging-pipe about:blank \
             3<&0 4>&1 </dev/null >/dev/null 2>&1",
            folder.path().join("profile").display()
        );
        let mut child = Command::new("sh")
            .args(["-c", &line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut browser = Self { child, to, from, session: None, sent: 0, heard: VecDeque::new(), folder };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", &attach);
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for part in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{part}.enable"), &json!({}));
        }
        Some(browser)
    }

    pub fn call(&mut self, method: &str, with: &Value) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": with });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut text = serde_json::to_vec(&message).unwrap();
        text.push(0);
        self.to.write_all(&text).unwrap();
        loop {
            let mut answer = self.hear();
            if answer["id"] == self.sent {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
            self.heard.push_back(answer);
        }
    }

    fn hear(&mut self) -> Value {
        let mut text = Vec::new();
        self.from.read_until(0, &mut text).unwrap();
        assert_eq!(text.pop(), Some(0), "the browser went away");
        serde_json::from_slice(&text).unwrap()
    }

    /// Sets the size of the window; a narrow one is a phone's.
    pub fn resize(&mut self, width: u32, height: u32) {
        let is_phone = width < 500;
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone });
        self.call("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// Writes the page and opens it from its file.
    pub fn open(&mut self, history: &History, broken: Option<&Breach>) -> Page<'_> {
        self.open_drawn(&drawn(history, broken))
    }

    pub fn open_drawn(&mut self, drawn: &str) -> Page<'_> {
        let path = self.folder.path().join("timeline.html");
        std::fs::write(&path, drawn).unwrap();
        let address = format!("file://{}", path.display());
        self.heard.clear();
        self.call("Page.navigate", &json!({ "url": address }));
        while !self.heard.iter().any(|said| said["method"] == "Page.loadEventFired") {
            let said = self.hear();
            self.heard.push_back(said);
        }
        Page { browser: std::cell::RefCell::new(self), address }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends when nobody speaks to it any more; this is only quicker.
        drop(self.to.write_all(b"{\"id\":999999,\"method\":\"Browser.close\"}\0"));
        drop(self.child.wait());
    }
}

pub struct Page<'a> {
    browser: std::cell::RefCell<&'a mut Browser>,
    address: String,
}

impl Page<'_> {
    pub fn value(&self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.browser.borrow_mut().call("Runtime.evaluate", &asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    pub fn until(&self, condition: &str) {
        let frames = (0..200).find(|_| {
            self.value(&format!("new Promise((go) => requestAnimationFrame(() => go({condition})))")) == true
        });
        assert!(frames.is_some(), "never: {condition}");
    }

    /// Resizes the window of a page that is open.
    pub fn resize(&self, width: u32, height: u32) {
        self.browser.borrow_mut().resize(width, height);
        self.value("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(() => go(0))))");
    }

    pub fn text(&self, selector: &str) -> String {
        let text = self.value(&format!("document.querySelector('{selector}').textContent"));
        text.as_str().unwrap().to_owned()
    }

    /// The fence that somebody holds in the belief table, and the words.
    pub fn belief(&self, who: &str) -> (Option<String>, String) {
        let fence =
            self.value(&format!("document.querySelector('tr[data-who={who}]').dataset.fence ?? null"));
        (fence.as_str().map(str::to_owned), self.text(&format!("tr[data-who={who}] td")))
    }

    pub fn key(&self, key: &str, code: u64) {
        for kind in ["rawKeyDown", "keyUp"] {
            let pressed = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.browser.borrow_mut().call("Input.dispatchKeyEvent", &pressed);
        }
    }

    pub fn point(&self, x: f64, y: f64) {
        self.mouse("mouseMoved", x, y, json!({}));
        assert_ne!(self.value("fencepost.selected().hover"), Value::Null);
    }

    /// Something done with the mouse at a spot of the canvas.
    pub fn mouse(&self, kind: &str, x: f64, y: f64, mut event: Value) {
        let corner = self.value(
            "(() => { const box = document.getElementById('canvas').getBoundingClientRect(); return [box.x, box.y]; })()",
        );
        event["type"] = json!(kind);
        event["x"] = json!(x + corner[0].as_f64().unwrap());
        event["y"] = json!(y + corner[1].as_f64().unwrap());
        self.browser.borrow_mut().call("Input.dispatchMouseEvent", &event);
        self.value("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(() => go(0))))");
    }

    /// Nothing was asked for but the file itself, and nothing was complained of.
    pub fn is_clean(&self) {
        self.value("1");
        let browser = self.browser.borrow();
        for said in &browser.heard {
            match said["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => {
                    let url = said["params"]["request"]["url"].as_str().unwrap();
                    assert!(url == self.address || url.starts_with("data:"), "it asked for {url}");
                }
                "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded" => {
                    panic!("{}", said["params"]);
                }
                _ => {}
            }
        }
    }
}
