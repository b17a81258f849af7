//! A Chromium that tests control by the `DevTools` protocol over pipes, on descriptors 3 and 4: JSON messages, each followed by a NUL.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::process::{PATIENCE, wait};

/// A window size, a theme, and whether scripts run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// Pixels.
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) is_dark: bool,
    pub(crate) has_script: bool,
}

pub(crate) struct Browser {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<Value>,
    latest: u64,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn start() -> Browser {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exec 3<&0 4>&1 </dev/null >/dev/null 2>&1; exec chromium \"$@\"", "sh"]);
        command.args("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars".split(' '));
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg("--remote-debugging-pipe").arg(format!("--user-data-dir={}", profile.path().display()));
        let mut child = command.arg("about:blank").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (requests, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, answers) = channel();
        thread::spawn(move || {
            for message in BufReader::new(output).split(0).map_while(Result::ok) {
                let message: Value = serde_json::from_slice(&message).unwrap();
                // Events have no number.
                if message["id"].is_u64() && sender.send(message).is_err() {
                    break;
                }
            }
        });
        Browser { child, requests, answers, latest: 0, _profile: profile }
    }

    /// Opens a page, and waits until it is loaded.
    pub(crate) fn open(&mut self, url: &str, view: View) -> Page<'_> {
        let View { width, height, is_dark, has_script } = view;
        let target = self.call("", "Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("", "Target.attachToTarget", &attach)["sessionId"].as_str().unwrap().to_owned();
        let mut page = Page { browser: self, session };
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        page.call("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        page.call("Emulation.setEmulatedMedia", &features);
        page.call("Emulation.setScriptExecutionDisabled", &json!({ "value": !has_script }));
        page.call("Page.navigate", &json!({ "url": url }));
        wait("the page", || {
            (page.evaluate("location.href !== 'about:blank' && document.readyState") == "complete").then_some(())
        });
        page
    }

    fn call(&mut self, session: &str, method: &str, params: &Value) -> Value {
        self.latest += 1;
        let mut request = json!({ "id": self.latest, "method": method, "params": params });
        if !session.is_empty() {
            request["sessionId"] = session.into();
        }
        self.requests.write_all(format!("{request}\0").as_bytes()).unwrap();
        let answer = self.answers.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("Chromium does not answer {method}"));
        assert!(answer["id"] == self.latest && answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) struct Page<'a> {
    browser: &'a mut Browser,
    session: String,
}

impl Page<'_> {
    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.browser.call(&self.session, method, params)
    }

    /// The value of an expression. It is evaluated even if the page's own scripts are off.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.call("Runtime.evaluate", &params);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Types into the element that has the focus.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Saves a picture of the whole page as PNG.
    pub(crate) fn picture(&mut self, path: &Path) {
        let picture = self.call("Page.captureScreenshot", &json!({ "format": "png", "captureBeyondViewport": true }));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
    }
}
