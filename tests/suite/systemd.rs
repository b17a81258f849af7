//! The exporter's messages to systemd, and when it stops feeding the watchdog.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minergate::api::Error;
use minergate_exporter::daemon::watchdog::{Hang, Watchdog};
use minergate_exporter::health::{Health, Stall};
use minergate_exporter::poller::{Poller, Source};
use minergate_exporter::server::SelfProbe;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::config::plan;
use crate::process::{PATIENCE, Process, exporter, get, simulator, wait};
use crate::served;
use crate::source::Answers;

/// Long enough for a busy machine to answer within a fourth of it, and short enough for a test.
const WATCHDOG: Duration = Duration::from_secs(8);

/// systemd's socket, which gets the exporter's messages.
struct Manager {
    socket: UnixDatagram,
    path: std::path::PathBuf,
}

impl Manager {
    fn listen(directory: &Path) -> Manager {
        let path = directory.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Manager { socket, path }
    }

    fn next(&self) -> String {
        let mut message = [0; 4096];
        let length = self.socket.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    }

    /// Waits for a message with that line, and returns it.
    fn wait_for(&self, line: &str) -> String {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let message = self.next();
            if message.lines().any(|found| found.starts_with(line)) {
                return message;
            }
        }
        panic!("no {line}");
    }

    /// The messages so far.
    fn drain(&self) -> Vec<String> {
        self.socket.set_nonblocking(true).unwrap();
        let mut messages = Vec::new();
        let mut message = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut message) {
            messages.push(String::from_utf8_lossy(&message[..length]).into_owned());
        }
        self.socket.set_nonblocking(false).unwrap();
        messages
    }

    fn start(&self, config: &Path, watchdog: Duration, arguments: &[&str]) -> (Process, String) {
        let mut command = exporter();
        command.env("NOTIFY_SOCKET", &self.path).env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        command.arg("--config.file").arg(config).args(["--web.listen-address", "127.0.0.1:0"]).args(arguments);
        let mut process = Process::start(&mut command);
        let address = process.wait_for("address=").split(' ').next().unwrap().to_owned();
        (process, format!("http://{address}"))
    }
}

#[test]
fn systemd_gets_a_message_for_every_change() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &[]);
    let manager = Manager::listen(directory.path());
    let (mut daemon, url) = manager.start(&config, WATCHDOG, &[]);
    // A program that waits for the exporter's start can scrape at once.
    assert_eq!(manager.next(), "READY=1\n");
    let text = get(&format!("{url}/metrics"), &[]).text();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    // The exporter hides its memory from other processes, and can still read its own /proc.
    assert!(value("process_open_fds ").is_some_and(|fds| fds > 3.0), "{text}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let start = value("process_start_time_seconds ").unwrap();
    assert!(start <= now + 1.0 && start > now - PATIENCE.as_secs_f64(), "{start} is not shortly before {now}");
    manager.wait_for("WATCHDOG=1");
    manager.wait_for("STATUS=3 of 3 accounts up");

    daemon.signal("HUP");
    let reloading = manager.wait_for("RELOADING=1");
    assert!(reloading.contains("\nMONOTONIC_USEC="), "{reloading}");
    manager.wait_for("READY=1");
    // A reload also ends if the configuration has a mistake.
    fs::write(&config, "acounts = 1\n").unwrap();
    daemon.signal("HUP");
    manager.wait_for("RELOADING=1");
    manager.wait_for("READY=1");
    wait("the fault", || daemon.output().contains("configuration not reloaded").then_some(()));
    manager.wait_for("WATCHDOG=1");

    daemon.signal("TERM");
    manager.wait_for("STOPPING=1");
    assert_eq!(daemon.exit_code(), Some(0));
    assert!(manager.drain().is_empty(), "nothing is said after the end");
    assert!(!daemon.output().contains("is not fed"), "{}", daemon.output());
}

#[test]
fn a_silent_api_is_no_hang_and_a_stopped_process_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let api = silent.local_addr().unwrap();
    let text = format!("[api]\nbase_url = \"http://{api}\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\n");
    fs::write(&config, text).unwrap();
    let manager = Manager::listen(directory.path());
    let (daemon, _) = manager.start(&config, WATCHDOG, &[]);
    for _ in 0..2 {
        manager.wait_for("WATCHDOG=1");
    }
    daemon.signal("STOP");
    // Messages that were sent before the signal; after them, none.
    std::thread::sleep(Duration::from_millis(500));
    manager.drain();
    std::thread::sleep(WATCHDOG / 2);
    assert_eq!(manager.drain(), Vec::<String>::new());
    daemon.signal("CONT");
    manager.wait_for("WATCHDOG=1");
}

#[test]
fn the_watchdog_needs_no_password_and_no_turn() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &[]);
    let web = directory.path().join("web.yml");
    let hash = bcrypt_hash();
    fs::write(&web, format!("basic_auth_users:\n  a: {hash}\nrate_limit:\n  interval: 1h\n  burst: 1\n")).unwrap();
    let manager = Manager::listen(directory.path());
    let (daemon, url) = manager.start(&config, WATCHDOG, &["--web.config.file", web.to_str().unwrap()]);
    for _ in 0..2 {
        manager.wait_for("WATCHDOG=1");
    }
    let authorization = [("authorization", "Basic YTpi")];
    let text = get(&format!("{url}/metrics"), &authorization);
    assert_eq!(text.status, 200, "{}", daemon.output());
    let answered = "minergate_exporter_http_requests_total{path=\"/-/healthy\",code=\"200\"}";
    assert!(text.text().contains(answered));
    assert_eq!(get(&format!("{url}/metrics"), &authorization).status, 429);
}

/// The hash of the password `b`, as `htpasswd -nbBC 4 a b` makes it.
fn bcrypt_hash() -> String {
    bcrypt::hash("b", 4).unwrap()
}

/// The self-probe of a listener, and the server behind it.
async fn self_probe() -> (SelfProbe, impl Future<Output = ()>) {
    let (mut listener, _) = served::listener().await;
    (listener.self_probe(), served::serve(listener, Arc::default(), None))
}

fn watchdog(self_probes: Vec<SelfProbe>, health: Arc<Health>) -> Watchdog {
    Watchdog { self_probes, health }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_a_hang() {
    let (first, serving) = self_probe().await;
    let (second, hanging) = self_probe().await;
    let second_address = second.address().to_owned();
    let serving = tokio::spawn(serving);
    assert_eq!(watchdog(vec![first], Arc::default()).look(PATIENCE).await, Ok(()));
    serving.abort();

    let (first, serving) = self_probe().await;
    let serving = tokio::spawn(serving);
    let watchdog = watchdog(vec![first, second], Arc::default());
    // One of two does not answer, because its future is not polled.
    let hang = watchdog.look(Duration::from_millis(200)).await;
    assert_eq!(hang, Err(Hang::Server { address: second_address.clone(), error: ErrorKind::TimedOut }));
    // Its loop has ended.
    drop(hanging);
    let hang = watchdog.look(PATIENCE).await;
    assert!(matches!(hang, Err(Hang::Server { address, .. }) if address == second_address));
    serving.abort();
}

/// Answers with errors until a time. Later requests never end.
fn hangs_from(time: Instant) -> impl Source {
    Answers(move |_| async move {
        if Instant::now() >= time {
            std::future::pending::<()>().await;
        }
        // The longest time of a request.
        sleep(Duration::from_secs(10)).await;
        Err(Error::Timeout)
    })
}

fn poll(source: impl Source, poll: &str) -> Arc<Health> {
    let plan = plan(&["a"], poll);
    let health = Arc::<Health>::default();
    tokio::spawn(Poller::new(Arc::new(source), plan, Arc::default(), health.clone()).run(mpsc::channel(1).1));
    health
}

#[tokio::test(start_paused = true)]
async fn a_poller_that_stands_still_is_a_hang() {
    let start = Instant::now();
    let hour = Duration::from_secs(3600);
    let watchdog = watchdog(Vec::new(), poll(hangs_from(start + hour), ""));
    // An API that never answers in time is no hang.
    while start.elapsed() < hour {
        assert_eq!(watchdog.look(PATIENCE).await, Ok(()), "after {:?}", start.elapsed());
        sleep(Duration::from_secs(15)).await;
    }
    // The limit is three intervals of workers (30 s each) and 130 s after the last poll.
    let fine = hour + Duration::from_secs(30 + 90 + 130);
    sleep(Duration::from_secs(100)).await;
    assert_eq!(watchdog.look(PATIENCE).await, Ok(()), "too early");
    sleep(fine.saturating_sub(start.elapsed()) + Duration::from_secs(15)).await;
    assert!(matches!(watchdog.look(PATIENCE).await, Err(Hang::Poller(Stall::NoResult(_)))));
}

#[tokio::test(start_paused = true)]
async fn a_poller_with_nothing_to_do_is_no_hang() {
    let off: Vec<String> = minergate::endpoints::ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.name != "nickname")
        .map(|endpoint| format!("{} = \"off\"", endpoint.name))
        .collect();
    let health = poll(hangs_from(Instant::now() + Duration::from_secs(86_400)), &off.join("\n"));
    let watchdog = watchdog(Vec::new(), health);
    for _ in 0..(6 * 60) {
        sleep(Duration::from_secs(60)).await;
        assert_eq!(watchdog.look(PATIENCE).await, Ok(()));
    }
}

#[test]
fn a_systemd_that_reads_no_messages_delays_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &[]);
    let manager = Manager::listen(directory.path());
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_nonblocking(true).unwrap();
    while sender.send_to(b"FULL=1", &manager.path).is_ok() {}
    let (mut daemon, url) = manager.start(&config, WATCHDOG, &[]);
    daemon.wait_for("systemd takes no messages");
    assert_eq!(get(&format!("{url}/metrics"), &[]).status, 200);
    daemon.signal("TERM");
    assert_eq!(daemon.exit_code(), Some(0));
}
