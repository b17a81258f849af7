//! The exporter polls, answers and ends although nobody reads its log.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::fake_api::FakeApi;
use crate::process::{PATIENCE, Process, exporter, free_port, get, signal, wait};
use tokio::time::Instant;

const DROPPED: &str = "minergate_exporter_log_lines_dropped_total";

/// Many accounts that are polled every second: at level `debug`, each poll is a line.
fn config(directory: &Path, api: &str) -> PathBuf {
    let mut text = format!("[api]\nbase_url = \"{api}\"\nrequests_per_second = 10000\n[poll]\nbalance = \"1s\"\n");
    for account in 0..500 {
        write!(text, "[[accounts]]\nname = \"a{account}\"\ntoken = \"t\"\nendpoints = [\"balance\"]\n").unwrap();
    }
    let path = directory.join("c.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// A process that is killed with the test, and whose standard error is a small pipe.
struct Stalled(Child);

impl Drop for Stalled {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Stalled {
    fn start(command: &mut Command) -> (Stalled, BufReader<PipeReader>) {
        let (reader, writer) = std::io::pipe().unwrap();
        rustix::pipe::fcntl_setpipe_size(&writer, 4096).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer).spawn().unwrap();
        // The command keeps a copy of the pipe's other end.
        command.stderr(Stdio::null());
        (Stalled(child), BufReader::with_capacity(512, reader))
    }

    fn signal(&self, name: &str) {
        signal(&self.0, name);
    }

    fn exit_code(&mut self) -> Option<i32> {
        wait("the end", || self.0.try_wait().unwrap()).code()
    }
}

fn dropped(url: &str) -> u64 {
    let text = get(&format!("{url}/metrics"), &[]).text();
    text.lines().find_map(|line| line.strip_prefix(DROPPED)?.trim().parse().ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unread_log_stops_neither_polls_nor_sigterm() {
    let api = Arc::new(FakeApi::start(|_| (200, r#"{"xmr": "1.5"}"#.to_owned())).await);
    tokio::task::spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let mut command = exporter();
        command.arg("--config.file").arg(config(directory.path(), &api.base_url));
        command.args(["--web.listen-address", "127.0.0.1:0", "--log.level", "debug"]);
        let (mut daemon, mut log) = Stalled::start(&mut command);
        let url = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "ended");
            if let Some((_, address)) = line.split_once("address=") {
                break format!("http://{}", address.split(' ').next().unwrap());
            }
        };
        assert_eq!(dropped(&url), 0);

        // From here on, nobody reads. The queue fills up, and then lines are lost.
        wait("lines to be dropped", || (dropped(&url) > 0).then_some(()));
        let polls = api.asked("/1.0/balance").len();
        wait("more polls", || (api.asked("/1.0/balance").len() > polls + 1000).then_some(()));
        assert_eq!(get(&format!("{url}/-/healthy"), &[]).status, 200);
        let lost = dropped(&url);
        assert!(lost > 100, "{lost}");

        // Reading again: lines arrive, and one says how many were lost.
        let reported = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "ended");
            if let Some((_, lines)) = line.split_once("message=\"log lines were dropped: nobody read the log\" lines=") {
                break lines.trim().parse::<u64>().unwrap();
            }
        };
        assert!(reported >= lost, "{reported} of {lost}");

        // The reader stalls again, with more lines than fit into the pipe, while the exporter ends.
        let polls = api.asked("/1.0/balance").len();
        wait("more polls", || (api.asked("/1.0/balance").len() > polls + 100).then_some(()));
        daemon.signal("TERM");
        assert_eq!(daemon.exit_code(), Some(0));
        // Lines that were written before can still be read.
        let mut rest = Vec::new();
        log.read_to_end(&mut rest).unwrap();
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_log_stops_nothing() {
    let api = Arc::new(FakeApi::start(|_| (200, r#"{"xmr": "1.5"}"#.to_owned())).await);
    tokio::task::spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path(), &api.base_url);
        let address = format!("127.0.0.1:{}", free_port());
        let up = |api: &FakeApi| {
            let polls = api.asked("/1.0/balance").len();
            wait("polls", || (api.asked("/1.0/balance").len() > polls + 1000).then_some(()));
            get(&format!("http://{address}/metrics"), &[]).text()
        };
        let arguments = ["--web.listen-address", &address, "--log.level", "debug", "--config.file"];
        let (mut daemon, log) = Stalled::start(exporter().args(arguments).arg(&config));
        drop(log);
        assert!(up(&api).contains(DROPPED));
        assert!(dropped(&format!("http://{address}")) > 0);
        daemon.signal("TERM");
        assert_eq!(daemon.exit_code(), Some(0));

        // The same with a standard error that was closed before the start.
        let mut command = Command::new("/bin/sh");
        command.env_clear().args(["-c", "exec \"$0\" \"$@\" 2>&-", env!("CARGO_BIN_EXE_minergate-exporter")]);
        let mut daemon = Process::start(command.args(arguments).arg(&config));
        up(&api);
        daemon.signal("TERM");
        assert_eq!(daemon.exit_code(), Some(0));
    })
    .await
    .unwrap();
}

/// A command that runs on needs no reader for its first output or its log.
#[test]
fn the_demo_and_the_simulator_run_with_unread_output() {
    for (arguments, path) in
        [(["demo", "--web.listen-address"], "/metrics"), (["simulate", "--listen"], "/1.0/pool/profit-rating")]
    {
        let address = format!("127.0.0.1:{}", free_port());
        let (_reader, writer) = std::io::pipe().unwrap();
        rustix::pipe::fcntl_setpipe_size(&writer, 4096).unwrap();
        fill(&writer);
        let mut command = exporter();
        command.args(arguments).arg(&address).stdin(Stdio::null());
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let mut process = Stalled(command.spawn().unwrap());
        wait("an answer", || std::net::TcpStream::connect(&address).ok());
        assert_eq!(get(&format!("http://{address}{path}"), &[]).status, 200, "{arguments:?}");
        process.signal("TERM");
        assert_eq!(process.exit_code(), Some(0), "{arguments:?}");
    }
}

/// A command that waits for the reader of its output ends at the first signal.
#[test]
fn a_command_with_unread_output_ends_at_a_signal() {
    let directory = tempfile::tempdir().unwrap();
    let (_reader, writer) = std::io::pipe().unwrap();
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).unwrap();
    fill(&writer);
    let mut command = exporter();
    command.args(["check", "--config.file"]).arg(config(directory.path(), "http://127.0.0.1:1"));
    let mut check = Stalled(command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::null()).spawn().unwrap());
    let status = format!("/proc/{}/status", check.0.id());
    wait("signals to be caught", || {
        let status = std::fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        // 15 is SIGTERM.
        (u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << 14 != 0).then_some(())
    });
    check.signal("TERM");
    assert_eq!(check.exit_code(), Some(130));
}

/// Writes to a pipe until it takes no more.
fn fill(writer: &std::io::PipeWriter) {
    use std::io::Write as _;
    let (mut copy, is_stuck) = (writer.try_clone().unwrap(), Arc::new(AtomicBool::new(false)));
    let stuck = is_stuck.clone();
    // The thread ends with the test.
    thread::spawn(move || {
        copy.write_all(&[b'x'; 4096]).unwrap();
        stuck.store(true, Ordering::Release);
        let _ = copy.write_all(&[b'x'; 4096]);
    });
    let start = Instant::now();
    while !is_stuck.load(Ordering::Acquire) {
        assert!(start.elapsed() < PATIENCE);
        thread::yield_now();
    }
}

/// The last log lines of a command are written before its error.
#[test]
fn the_last_lines_are_written() {
    let directory = tempfile::tempdir().unwrap();
    let text = "[api]\nbase_url = \"http://127.0.0.1:1\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\n";
    let config = directory.path().join("c.toml");
    std::fs::write(&config, text).unwrap();
    for format in ["logfmt", "json"] {
        for _ in 0..5 {
            let mut once = exporter();
            let output = once.args(["once", "--log.format", format, "--config.file"]).arg(&config).output().unwrap();
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1));
            let lines: Vec<&str> = text.lines().collect();
            let (last, log) = lines.split_last().unwrap();
            assert!(last.starts_with("error: http://127.0.0.1:1"), "{text}");
            assert!(log.last().is_some_and(|line| line.contains("api down")), "{text}");
        }
    }
}
