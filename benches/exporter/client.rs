//! A serving process, and a client that needs as little time as possible.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::thread::{CpuSet, sched_setaffinity};
use tokio::time::Instant;

use crate::table::median;

/// Server and client have a core each. Otherwise their distribution over cores would be random in each run, and
/// would have a larger effect than the measured differences.
const CLIENT_CORE: usize = 0;
const SERVER_CORE: usize = 1;

/// Restricts this thread to the client's core.
pub(crate) fn take_core() {
    pin(&[CLIENT_CORE]);
}

/// Processes that are started run on these cores.
fn on<T>(cores: &[usize], start: impl FnOnce() -> T) -> T {
    pin(cores);
    let started = start();
    pin(&[CLIENT_CORE]);
    started
}

fn pin(numbers: &[usize]) {
    let mut cores = CpuSet::new();
    for core in numbers {
        cores.set(*core);
    }
    sched_setaffinity(None, &cores).expect("a machine with two cores");
}

/// A serving process. It is killed when this is dropped.
pub(crate) struct Server {
    process: Child,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
    pub(crate) address: String,
}

impl Server {
    /// One of this program's servers.
    pub(crate) fn own(kind: &str, argument: &str) -> Server {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        Server::start(command.args(["serve", kind, argument]))
    }

    /// A program that prints its address in its first line.
    pub(crate) fn start(command: &mut Command) -> Server {
        let mut process =
            on(&[SERVER_CORE], || command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()).expect("the server starts");
        let (input, mut output) = pipes(&mut process);
        let mut address = String::new();
        output.read_line(&mut address).expect("its address");
        Server { pipes: RefCell::new((input, output)), process, address: address.trim().to_owned() }
    }

    /// A program that is told its address.
    pub(crate) fn at(process: &mut Command, address: &str) -> Server {
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // All cores, since it depends on their number.
        let mut process = on(&[CLIENT_CORE, SERVER_CORE], || process.spawn()).expect("the server starts");
        let pipes = RefCell::new(pipes(&mut process));
        while TcpStream::connect(address).is_err() {
            assert!(process.try_wait().expect("its state").is_none(), "the server ended");
            std::thread::yield_now();
        }
        Server { pipes, process, address: address.to_owned() }
    }

    /// Sends a command, and waits until it is done.
    pub(crate) fn order(&self, command: &str) {
        let (input, output) = &mut *self.pipes.borrow_mut();
        writeln!(input, "{command}").expect("it listens");
        output.read_line(&mut String::new()).expect("it answers");
    }

    /// The CPU time of all its threads.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("its threads");
        let time = |task: std::fs::DirEntry| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0)
        };
        Duration::from_nanos(tasks.filter_map(Result::ok).map(time).sum())
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("its status");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("its memory");
        line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<f64>().ok()).expect("a number") * 1024.0
    }
}

fn pipes(process: &mut Child) -> (ChildStdin, BufReader<ChildStdout>) {
    (process.stdin.take().expect("its input"), BufReader::new(process.stdout.take().expect("its output")))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A connection that stays open.
pub(crate) struct Client {
    address: String,
    /// Nothing if the server closed it, as old servers do after each answer.
    stream: Option<TcpStream>,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Client {
    /// A connection for requests of the metrics.
    pub(crate) fn new(address: &str, gzip: bool) -> Client {
        Client::of(address, "/metrics", gzip)
    }

    /// A connection for requests of a path.
    pub(crate) fn of(address: &str, path: &str, gzip: bool) -> Client {
        let encoding = if gzip { "gzip" } else { "identity" };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/plain;version=0.0.4\r\nAccept-Encoding: {encoding}\r\n\r\n"
        );
        Client { address: address.to_owned(), stream: None, request: request.into_bytes(), buffer: vec![0; 1 << 20] }
    }

    /// Scrapes, and returns the body's length.
    pub(crate) fn scrape(&mut self) -> usize {
        self.read(None)
    }

    /// Scrapes, and returns the body.
    pub(crate) fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        self.read(Some(&mut body));
        body
    }

    fn read(&mut self, mut body: Option<&mut Vec<u8>>) -> usize {
        let stream = self.stream.get_or_insert_with(|| {
            let stream = TcpStream::connect(&self.address).expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            stream
        });
        stream.write_all(&self.request).expect("it is asked");
        let (head, mut read) = loop_until_head(stream, &mut self.buffer);
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        assert!(text.lines().next().is_some_and(|line| line.contains(" 200 ")), "{text}");
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
        assert!(length.is_some() || body.is_none(), "a body that is kept comes in one");
        let (mut start, mut have) = (head, 0);
        loop {
            have += read - start;
            if let Some(body) = body.as_mut() {
                body.extend_from_slice(&self.buffer[start..read]);
            }
            // The last chunk is empty. It arrives with the chunk before it or alone.
            if length.map_or_else(|| self.buffer[start..read].ends_with(b"0\r\n\r\n"), |length| have >= length) {
                break;
            }
            (start, read) = (0, stream.read(&mut self.buffer).expect("the body"));
            assert!(read > 0, "the body ended early");
        }
        if text.starts_with("http/1.0") {
            self.stream = None;
        }
        have
    }
}

/// Reads until the end of the head; returns its index, and how much was read.
fn loop_until_head(stream: &mut TcpStream, buffer: &mut [u8]) -> (usize, usize) {
    let mut read = 0;
    loop {
        read += stream.read(&mut buffer[read..]).expect("the head");
        assert!(read > 0, "no answer");
        if let Some(end) = buffer[..read].windows(4).position(|window| window == b"\r\n\r\n") {
            return (end + 4, read);
        }
    }
}

/// The cost of scrapes.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// The server's CPU time for one scrape, in microseconds.
    pub(crate) cpu: f64,
    /// The median latency, in microseconds.
    pub(crate) latency: f64,
}

/// The cost of a scrape. `meanwhile` runs before each scrape and does not count. A pause follows each scrape; the server's work in it
/// counts.
pub(crate) fn cost(
    server: &Server,
    client: &mut Client,
    times: usize,
    pause: Duration,
    meanwhile: Option<&dyn Fn()>,
) -> Cost {
    let (mut cpu, mut latencies) = (Duration::ZERO, Vec::new());
    for _ in 0..times {
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let before = server.cpu();
        std::thread::sleep(pause);
        let start = Instant::now();
        client.scrape();
        latencies.push(start.elapsed().as_secs_f64() * 1e6);
        // The server's work after the last byte counts too.
        std::thread::sleep(Duration::from_millis(2));
        cpu += server.cpu().saturating_sub(before);
    }
    Cost { cpu: cpu.as_secs_f64() * 1e6 / times as f64, latency: median(latencies) }
}
