//! Starts the built binary as a user would, and ends it with the test.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::fs::{CWD, Mode};
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use tokio::time::Instant;

/// A test fails after waiting this long. The machine can be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A process and its output. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    output: Arc<Mutex<String>>,
}

impl Process {
    /// Starts a program and collects its standard output and error.
    pub(crate) fn start(command: &mut Command) -> Process {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let output = output.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let mut output = output.lock().unwrap();
                    output.push_str(&line);
                    output.push('\n');
                }
            });
        }
        Process { child, output }
    }

    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits until the process has written a line with the text, and returns the rest of the line.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        wait(&format!("`{text}`"), || {
            let ended = self.ended();
            let output = self.output();
            let found = output.lines().find_map(|line| line.split_once(text)).map(|(_, rest)| rest.to_owned());
            assert!(found.is_some() || ended.is_none(), "ended without `{text}`:\n{output}");
            found
        })
    }

    /// How the process ended, after all its output was collected.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().unwrap()?;
        // Each collecting thread holds a reference until the end of its stream.
        (Arc::strong_count(&self.output) == 1).then_some(status)
    }

    /// Sends a signal by its name, such as TERM.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits for the end, and returns the exit code.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        wait("the end", || self.ended()).code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by its name, with the shell's `kill`.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("/bin/sh").args(["-c", &format!("kill -s {name} {}", child.id())]).status().unwrap();
    assert!(status.success());
}

/// Makes a FIFO without a writer: opening it for reading hangs.
pub(crate) fn make_fifo(path: &Path) {
    rustix::fs::mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
}

/// The output of a command on a terminal of 80 columns. Its lines end in CR and LF.
pub(crate) fn on_a_terminal(command: Command) -> String {
    let (status, shown) = on_a_terminal_of(80, command);
    assert!(status.success(), "{shown}");
    shown
}

/// The same for a terminal of so many columns, with the exit status.
pub(crate) fn on_a_terminal_of(columns: u16, mut command: Command) -> (ExitStatus, String) {
    let ours = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::pty::unlockpt(&ours).unwrap();
    let size = Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&ours, size).unwrap();
    let terminal = || rustix::pty::ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    let mut child = command.stdin(terminal()).stdout(terminal()).stderr(terminal()).spawn().unwrap();
    // The command keeps copies of the terminal's descriptors.
    drop(command);
    let mut shown = Vec::new();
    // Reading ends with an error after the last process has closed the terminal.
    let _ = File::from(ours).read_to_end(&mut shown);
    (child.wait().unwrap(), String::from_utf8(shown).unwrap())
}

/// Calls `look` until it returns something, or until the time is over.
pub(crate) fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("waited {PATIENCE:?} for {what} in vain");
}

pub(crate) fn exporter() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minergate-exporter"));
    // Variables of the user must not change a test.
    command.env_clear();
    command
}

/// A simulator on a port of its own, and the configuration for its accounts. It has no wallets unless the arguments say so.
pub(crate) fn simulator(directory: &Path, arguments: &[&str]) -> (Process, std::path::PathBuf) {
    let config = directory.join("simulated.toml");
    let mut command = exporter();
    command.args(["simulate", "--listen", "127.0.0.1:0", "--write-config"]).arg(&config).args(arguments);
    if !arguments.contains(&"--wallets") {
        command.args(["--wallets", "0"]);
    }
    let mut process = Process::start(&mut command);
    process.wait_for(" is at http");
    (process, config)
}

/// Changes the simulator's configuration; returns the simulator's URL.
pub(crate) fn change_config(config: &Path, change: impl FnOnce(&mut toml::Table)) -> String {
    let mut table: toml::Table = toml::from_str(&fs::read_to_string(config).unwrap()).unwrap();
    let url = table["api"]["base_url"].as_str().unwrap().trim_end_matches('/').to_owned();
    change(&mut table);
    fs::write(config, toml::to_string(&table).unwrap()).unwrap();
    url
}

/// Sets `[poll]` of a configuration to these lines of TOML.
pub(crate) fn set_intervals(config: &mut toml::Table, lines: &str) {
    config.insert("poll".to_owned(), toml::from_str::<toml::Table>(lines).unwrap().into());
}

/// Starts the daemon with a configuration, on a free port; returns its base URL.
pub(crate) fn daemon(config: &Path, arguments: &[&str]) -> (Process, String) {
    let mut command = exporter();
    command.arg("--config.file").arg(config).args(["--web.listen-address", "127.0.0.1:0"]).args(arguments);
    let mut process = Process::start(&mut command);
    let line = process.wait_for("listening");
    // `address=...` or `"address":"..."`, as the log's format has it.
    let line = line.split_once("address").unwrap().1;
    let address = line.trim_start_matches(['"', ':', '=']).split(['"', ' ']).next().unwrap().to_owned();
    (process, format!("http://{address}"))
}

/// A port that is free now, for programs that can't report the port of their choice.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An answer to a GET: status, headers, body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

pub(crate) fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
    send(method, url, headers, String::new())
}

/// Sends JSON.
pub(crate) fn post(url: &str, body: &serde_json::Value) -> Answer {
    send("POST", url, &[("content-type", "application/json")], body.to_string())
}

/// Replaces the fault rules of the simulator at that URL.
pub(crate) fn put_faults(url: &str, rules: &[String]) {
    let answer = send("PUT", &format!("{url}/-/faults"), &[], serde_json::json!(rules).to_string());
    assert_eq!(answer.status, 200, "{rules:?}: {}", answer.text());
}

fn send(method: &str, url: &str, headers: &[(&str, &str)], body: String) -> Answer {
    let (method, url) = (method.parse().unwrap(), url.to_owned());
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    // In a thread of its own, so that tests with and without a runtime can use it.
    let ask = async move {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let mut request = client.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    thread::spawn(move || runtime().block_on(ask)).join().unwrap()
}

pub(crate) fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    request("GET", url, headers)
}
