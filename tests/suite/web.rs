//! Listeners, and limits on clients: sockets, sizes, times and numbers.

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

/// Raises the limit of descriptors of this process and its children; many systems begin with 1,024.
pub(crate) fn allow_many_connections() {
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
    // A socket that a killed process left behind.
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
    // The socket of a running process is not replaced.
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
    // As systemd does: the sockets are descriptors 3 and 4, and the variables have the process id.
    let mut command = std::process::Command::new("/bin/sh");
    command.env_clear().args(["-c", "exec 3<&0 4>&1 </dev/null >&2; LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\"", "sh"]);
    command.arg(env!("CARGO_BIN_EXE_minergate-exporter")).arg("--config.file").arg(config(directory.path()));
    command.arg("--web.systemd-socket").stdin(Stdio::from(OwnedFd::from(tcp))).stdout(Stdio::from(OwnedFd::from(unix)));
    let mut daemon = command.stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(get(&format!("{url}/-/healthy"), &[]).status, 200);
    let answer = exchange(UnixStream::connect(&path).unwrap(), GET.as_bytes());
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // systemd removes it.
    assert!(path.exists());
    let mut alone = exporter();
    alone.arg("--config.file").arg(config(directory.path())).arg("--web.systemd-socket");
    let mut alone = Process::start(&mut alone);
    assert_eq!(alone.exit_code(), Some(1));
    wait("the fault", || alone.output().contains("systemd handed over no socket").then_some(()));
}

#[test]
fn malformed_and_too_long_requests_get_the_right_status() {
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
        // HTTP/1.1 needs exactly one host.
        ("GET / HTTP/1.1\r\n".to_owned(), 400),
        ("GET /-/healthy HTTP/1.1\r\nHost: a\r\nHost: a\r\n".to_owned(), 400),
        ("GET /-/healthy HTTP/1.0\r\nHost: a\r\nHost: b\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a@b\r\n".to_owned(), 400),
        ("GET http://a/ HTTP/1.1\r\n".to_owned(), 400),
        ("GET http://a/ HTTP/1.1\r\nHost: a\r\n".to_owned(), 200),
        ("GET /sd HTTP/1.1\r\nHost: [::1]:80\r\n".to_owned(), 200),
        ("GET / HTTP/1.1\r\nHost:\r\n".to_owned(), 200),
        ("GET /sd HTTP/1.0\r\n".to_owned(), 400),
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
    for (body, status) in [(2 << 20, 413), (65_537, 413), (65_536, 200), (0, 200)] {
        let mut stream = connect(&url);
        let head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        for chunk in vec![0; body].chunks(8192) {
            // The request is refused before its end, so writing the rest can fail.
            let _ = stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes());
            let _ = stream.write_all(chunk).and_then(|()| stream.write_all(b"\r\n"));
        }
        let _ = stream.write_all(b"0\r\n\r\n");
        let answer = exchange(stream, b"");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{body}: {answer}");
    }
    let body = request("GET", &format!("{url}/%3Cscript%3E?%3Cscript%3E"), &[]);
    assert_eq!((body.status, body.text().contains("script")), (404, false));
}

#[test]
fn slow_clients_are_disconnected_and_do_not_block_others() {
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = daemon(&config(directory.path()), &[]);
    let start = Instant::now();
    let slow: Vec<_> = (0..20)
        .map(|i| {
            let mut stream = connect(&url);
            // One in four sends nothing, one sends a request and then half of another, the others never finish one.
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
                // Sends a little more each time, and never a complete request.
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

/// The two ways of keeping a connection without a request: after one, and in the middle of its head.
#[test]
fn waiting_connections_are_closed_for_new_ones() {
    allow_many_connections();
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = daemon(&config(directory.path()), &[]);
    for idle in ["GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n", "GET /-/healthy HTTP/1.1\r\nHo"] {
        let keep = || {
            let mut stream = connect(&url);
            stream.write_all(idle.as_bytes()).unwrap();
            stream
        };
        let mut held: Vec<TcpStream> = (0..600).map(|_| keep()).collect();
        for path in ["/-/healthy", "/metrics", "/"] {
            assert_eq!(get(&format!("{url}{path}"), &[]).status, 200, "{path} beside {idle:?}");
        }
        // The oldest ones were closed.
        let mut answer = String::new();
        let _ = held[0].read_to_string(&mut answer);
        assert!(answer.is_empty() || answer.ends_with("Healthy\n"), "{answer}");
    }
}

#[test]
fn half_a_head_after_a_request_has_the_usual_time() {
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = daemon(&config(directory.path()), &[]);
    let mut stream = connect(&url);
    let start = Instant::now();
    stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHo").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("Healthy\n"), "{answer}");
    assert!(start.elapsed().as_secs_f64() > 9.0);
}

#[test]
fn a_page_of_another_site_can_t_reload() {
    let directory = tempfile::tempdir().unwrap();
    let external = ["--web.enable-lifecycle", "--web.external-url", "https://example.com/miners/"];
    let (_daemon, url) = daemon(&config(directory.path()), &external);
    for (headers, status) in [
        (&[][..], 200),
        (&[("sec-fetch-site", "none")], 200),
        (&[("sec-fetch-site", "same-origin"), ("origin", &url)], 200),
        (&[("origin", &url)], 200),
        (&[("origin", "https://EXAMPLE.com")], 200),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("sec-fetch-site", "same-site"), ("origin", &url)], 403),
        (&[("origin", "https://example.com.evil.example")], 403),
        (&[("origin", "https://example.com:8443")], 403),
        (&[("origin", "null")], 403),
        (&[("origin", "")], 403),
    ] {
        for method in ["POST", "PUT"] {
            let answer = request(method, &format!("{url}/-/reload"), headers);
            assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        }
    }
}

#[test]
fn the_metrics_can_t_take_the_path_of_another_page() {
    let directory = tempfile::tempdir().unwrap();
    for path in ["/sd", "/status.css", "/status.js", "/api/v1/status", "/docs/metrics.md"] {
        for command in ["serve", "check"] {
            let mut exporter = exporter();
            exporter.arg(command).arg("--config.file").arg(config(directory.path())).args(["--web.telemetry-path", path]);
            let mut process = Process::start(exporter.args(["--web.listen-address", "127.0.0.1:0"]));
            assert_eq!(process.exit_code(), Some(1), "{command} {path}");
            assert!(process.output().contains("is another page; give a path such as \"/metrics\""), "{}", process.output());
        }
    }
    let (_daemon, url) = daemon(&config(directory.path()), &["--web.telemetry-path", "/"]);
    assert!(get(&url, &[]).text().contains("minergate_up{"));
}

#[test]
fn discovery_has_reachable_targets() {
    let directory = tempfile::tempdir().unwrap();
    let discovered = |arguments: &[&str]| {
        let (_daemon, url) = daemon(&config(directory.path()), arguments);
        let answer: serde_json::Value = serde_json::from_slice(&get(&format!("{url}/sd"), &[]).body).unwrap();
        (url, answer[1].clone())
    };
    let (url, target) = discovered(&[]);
    let labels = serde_json::json!({ "__metrics_path__": "/metrics", "__param_account": "a" });
    assert_eq!(target, serde_json::json!({ "targets": [&url[7..]], "labels": labels }));
    let (_, target) = discovered(&["--web.external-url", "https://example.com/miners/"]);
    let labels = serde_json::json!({ "__metrics_path__": "/miners/metrics", "__param_account": "a", "__scheme__": "https" });
    assert_eq!(target, serde_json::json!({ "targets": ["example.com"], "labels": labels }));
}
