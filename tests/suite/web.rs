//! Where the exporter listens, and what a client may ask for: sockets, sizes, times and numbers.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::process::{PATIENCE, Process, daemon, exporter, free_port, get, request, wait};
use crate::web_config::config;

const GET: &str = "GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Lets this process, and those that it starts, have many connections; many systems begin with 1,024 descriptors.
fn allow_many_connections() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

/// Sends bytes and reads until the other side closes.
fn exchange(mut stream: impl Read + Write, bytes: &[u8]) -> String {
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is an end too.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn it_listens_on_several_addresses_of_several_kinds() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("exporter.sock");
    // What a killed process leaves behind.
    drop(UnixListener::bind(&socket).unwrap());
    let unix = format!("unix:{}", socket.display());
    let mut arguments = vec!["--web.listen-address", &unix];
    let ipv6 = format!("[::1]:{}", free_port());
    let has_ipv6 = TcpListener::bind("[::1]:0").is_ok();
    if has_ipv6 {
        arguments.extend(["--web.listen-address", &ipv6]);
    }
    let (mut daemon, url) = daemon(&config(directory.path()), &arguments);
    daemon.wait_for(&unix);
    assert_eq!(get(&format!("{url}/-/healthy"), &[]).status, 200);
    assert!(exchange(UnixStream::connect(&socket).unwrap(), GET.as_bytes()).starts_with("HTTP/1.1 200 OK\r\n"));
    if has_ipv6 {
        assert_eq!(get(&format!("http://{ipv6}/-/healthy"), &[]).status, 200);
    }
    // The socket of a process that lives is not taken away.
    let mut second = exporter();
    second.arg("--config.file").arg(config(directory.path())).args(["--web.listen-address", &unix]);
    let mut second = Process::start(&mut second);
    assert_eq!(second.exit_code(), Some(1));
    wait("the fault", || second.output().contains(&format!("can't listen on {unix}; give another")).then_some(()));
    assert!(exchange(UnixStream::connect(&socket).unwrap(), GET.as_bytes()).starts_with("HTTP/1.1 200 OK\r\n"));

    daemon.signal("TERM");
    assert_eq!(daemon.exit_code(), Some(0));
    assert!(!socket.exists());
}

#[test]
fn a_file_that_is_no_socket_is_not_removed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("precious");
    fs::write(&file, "precious").unwrap();
    let mut command = exporter();
    command.arg("--config.file").arg(config(directory.path())).arg("--web.listen-address");
    let mut process = Process::start(command.arg(format!("unix:{}", file.display())));
    assert_eq!(process.exit_code(), Some(1));
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn systemd_s_sockets_are_served() {
    let directory = tempfile::tempdir().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", tcp.local_addr().unwrap());
    let path = directory.path().join("socket");
    let unix = UnixListener::bind(&path).unwrap();
    // As systemd does it: the sockets are descriptors 3 and 4, and the variables name the process.
    let mut command = std::process::Command::new("sh");
    command.env_clear().args(["-c", "exec 3<&0 4>&1 </dev/null >&2; LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\"", "sh"]);
    command.arg(env!("CARGO_BIN_EXE_minergate-exporter")).arg("--config.file").arg(config(directory.path()));
    command.arg("--web.systemd-socket").stdin(Stdio::from(OwnedFd::from(tcp))).stdout(Stdio::from(OwnedFd::from(unix)));
    let mut daemon = command.stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(get(&format!("{url}/-/healthy"), &[]).status, 200);
    let answer = exchange(UnixStream::connect(&path).unwrap(), GET.as_bytes());
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // systemd's to remove.
    assert!(path.exists());
    let mut alone = exporter();
    alone.arg("--config.file").arg(config(directory.path())).arg("--web.systemd-socket");
    let mut alone = Process::start(&mut alone);
    assert_eq!(alone.exit_code(), Some(1));
    wait("the fault", || alone.output().contains("systemd handed over no socket").then_some(()));
}

#[test]
fn what_is_malformed_or_too_long_is_refused_as_http_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = daemon(&config(directory.path()), &[]);
    let long = |bytes: usize| "a".repeat(bytes);
    for (head, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n".to_owned(), 200),
        ("GET / HTTP/1.0\r\n".to_owned(), 200),
        ("HEAD /metrics HTTP/1.1\r\nHost: a\r\n".to_owned(), 200),
        ("HEAD /-/healthy HTTP/1.1\r\nHost: a\r\n".to_owned(), 200),
        ("HEAD /nothing HTTP/1.1\r\nHost: a\r\n".to_owned(), 404),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n".to_owned(), 404),
        ("GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n".to_owned(), 404),
        ("GET /%00%ff HTTP/1.1\r\nHost: a\r\n".to_owned(), 404),
        ("PUT /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n".to_owned(), 405),
        ("BREW / HTTP/1.1\r\nHost: a\r\n".to_owned(), 405),
        ("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n".to_owned(), 413),
        (format!("GET /?{} HTTP/1.1\r\nHost: a\r\n", long(8 << 10)), 414),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n", long(33 << 10)), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}", "X: a\r\n".repeat(101)), 431),
        ("hello\r\n".to_owned(), 400),
        ("GET / HTTP/9.9\r\n".to_owned(), 400),
        ("GET /a b HTTP/1.1\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nno colon\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nA\0: b\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n".to_owned(), 400),
        ("\x16\x03\x01\x02\0".to_owned(), 400),
        // HTTP/2 without TLS.
        ("PRI * HTTP/2.0\r\n".to_owned(), 400),
    ] {
        let answer =
            exchange(connect(&url), format!("{}Connection: close\r\n\r\n", head.trim_start_matches(' ')).as_bytes());
        let found = answer.split(' ').nth(1).unwrap_or_default();
        assert_eq!(found, status.to_string(), "{:?}: {answer}", &head[..head.len().min(80)]);
        assert!(!head.starts_with("HEAD") || answer.ends_with("\r\n\r\n"), "{answer}");
    }
    let body = request("GET", &format!("{url}/%3Cscript%3E?%3Cscript%3E"), &[]);
    assert_eq!((body.status, body.text().contains("script")), (404, false));
}

#[test]
fn slow_clients_are_cut_and_keep_nobody_out() {
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = daemon(&config(directory.path()), &[]);
    let start = Instant::now();
    let slow: Vec<_> = (0..20)
        .map(|i| {
            let mut stream = connect(&url);
            // One in four says nothing, one asks and goes on with half a request, the others never come to an end.
            match i % 4 {
                0 => {}
                1 => stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\nGET /").unwrap(),
                _ => stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX: ").unwrap(),
            }
            thread::spawn(move || {
                if i % 4 == 1 {
                    stream.read_exact(&mut [0; 16]).unwrap();
                    stream.write_all(b"m").unwrap();
                }
                // Nearly always something more, and never enough.
                while i % 4 == 2 && start.elapsed() < PATIENCE && stream.write_all(b"a").is_ok() {
                    thread::sleep(std::time::Duration::from_millis(300));
                }
                let _ = stream.read_to_end(&mut Vec::new());
                start.elapsed()
            })
        })
        .collect();
    assert_eq!(get(&format!("{url}/metrics"), &[]).status, 200);
    for slow in slow {
        let elapsed = slow.join().unwrap().as_secs_f64();
        assert!((9.0..PATIENCE.as_secs_f64()).contains(&elapsed), "{elapsed}");
    }
    assert_eq!(get(&format!("{url}/metrics"), &[]).status, 200);
}

#[test]
fn a_thousand_scrapes_at_once_are_answered_or_refused() {
    allow_many_connections();
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = daemon(&config(directory.path()), &[]);
    let address = url.strip_prefix("http://").unwrap().to_owned();
    let scrape = async move |address: String| {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let answers = runtime.block_on(async {
        let scrapes: Vec<_> = (0..1000).map(|_| tokio::spawn(scrape(address.clone()))).collect();
        let mut answers = Vec::new();
        for scrape in scrapes {
            answers.push(tokio::time::timeout(PATIENCE, scrape).await.unwrap().unwrap());
        }
        answers
    });
    let ok = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("minergate_up{"));
    let refused = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
    let (ok, refused) = (ok.count(), refused.count());
    assert!(ok > 0 && ok + refused == 1000, "{ok} answered, {refused} refused");
    assert_eq!(get(&format!("{url}/metrics"), &[]).status, 200);
}

#[test]
fn connections_beyond_the_cap_are_told_so() {
    allow_many_connections();
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = daemon(&config(directory.path()), &[]);
    let held: Vec<TcpStream> = (0..512).map(|_| connect(&url)).collect();
    let answer = exchange(connect(&url), GET.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("Too many connections; try again later"), "{answer}");
    drop(held);
    wait("room", || exchange(connect(&url), GET.as_bytes()).starts_with("HTTP/1.1 200 ").then_some(()));
}
