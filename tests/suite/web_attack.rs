//! Hostile clients: their cost is limited, and other clients get answers. `scripts/stress/attack` does the same for minutes.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::process::{PATIENCE, Process, daemon, get, wait};
use crate::web::allow_many_connections;
use crate::web_tls::{Authority, BOTH, TLS, client_config};

/// A configuration with so many accounts, whose API does not answer.
fn accounts(directory: &Path, count: usize) -> PathBuf {
    let mut text = "[api]\nbase_url = \"http://127.0.0.1:1\"\n".to_owned();
    for i in 0..count {
        write!(text, "[[accounts]]\nname = \"a-farm-with-a-rather-long-name-{i}\"\ntoken = \"t\"\n").unwrap();
    }
    let path = directory.join("c.toml");
    fs::write(&path, text).unwrap();
    path
}

/// The daemon with TLS and so many accounts, and what a client of it needs.
fn secure(directory: &Path, count: usize) -> (Process, String, Arc<ClientConfig>) {
    let authority = Authority::new();
    authority.write(&directory.join("ca.pem"));
    authority.issue(directory, "server");
    let web = directory.join("web.yml");
    fs::write(&web, TLS).unwrap();
    let (daemon, url) = daemon(&accounts(directory, count), &["--web.config.file", web.to_str().unwrap()]);
    (daemon, url.strip_prefix("http://").unwrap().to_owned(), client_config(directory, None, BOTH, &["h2"]))
}

/// A connection of HTTP/2.
struct Client {
    requests: SendRequest<Bytes>,
    driver: JoinHandle<()>,
    unread: Vec<ResponseFuture>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Client {
    /// Connects, with a window of so many bytes for each answer.
    async fn connect(address: &str, config: &Arc<ClientConfig>, window: u32) -> Client {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(config.clone()).connect(name, stream).await.unwrap();
        let mut builder = h2::client::Builder::new();
        let (requests, connection) = builder.initial_window_size(window).handshake(stream).await.unwrap();
        Client { requests, driver: tokio::spawn(async { drop(connection.await) }), unread: Vec::new() }
    }

    async fn send(&mut self, path: &str) -> Option<ResponseFuture> {
        let mut ready = timeout(Duration::from_millis(100), self.requests.clone().ready()).await.ok()?.ok()?;
        let request = axum::http::Request::get(format!("https://localhost{path}")).body(()).unwrap();
        Some(ready.send_request(request, true).ok()?.0)
    }

    /// Sends as many requests as the server allows, and reads no answers.
    async fn ask_and_never_read(&mut self, path: &str, times: usize) {
        for _ in 0..times {
            match self.send(path).await {
                Some(response) => self.unread.push(response),
                None => break,
            }
        }
    }

    /// Sends a request and reads the answer.
    async fn get(&mut self, path: &str) -> Option<(u16, Bytes)> {
        let response = timeout(PATIENCE, self.send(path).await?).await.unwrap().ok()?;
        let (status, mut body) = (response.status().as_u16(), response.into_body());
        let mut bytes = Vec::new();
        while let Some(chunk) = timeout(PATIENCE, body.data()).await.unwrap() {
            let chunk = chunk.ok()?;
            body.flow_control().release_capacity(chunk.len()).unwrap();
            bytes.extend_from_slice(&chunk);
        }
        Some((status, bytes.into()))
    }
}

/// Sends a request on a connection of its own, as a scraper does.
async fn ask(address: &str, config: &Arc<ClientConfig>, path: &str) -> (u16, Bytes) {
    Client::connect(address, config, 1 << 20).await.get(path).await.unwrap()
}

fn resident(metrics: &[u8]) -> f64 {
    let text = String::from_utf8_lossy(metrics);
    let line = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
    line.unwrap().parse().unwrap()
}

const MIB: f64 = 1_048_576.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_answers_cost_little_and_block_no_scrape() {
    allow_many_connections();
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, address, config) = secure(directory.path(), 1000);
    let (status, metrics) = ask(&address, &config, "/metrics").await;
    assert_eq!(status, 200);
    let before = resident(&metrics);
    for path in ["/", "/metrics", "/sd", "/nothing", "/docs/metrics.md"] {
        let mut clients = Vec::new();
        for _ in 0..250 {
            let mut client = Client::connect(&address, &config, 0).await;
            client.ask_and_never_read(path, 64).await;
            clients.push(client);
        }
        for probe in ["/-/healthy", "/metrics", "/metrics?account=@exporter"] {
            let (status, body) = ask(&address, &config, probe).await;
            assert_eq!(status, 200, "{probe} beside {path}");
            if probe.starts_with("/metrics") {
                let grown = (resident(&body) - before) / MIB;
                assert!(grown < 100.0, "{grown} MiB more while {path} is not read");
            }
        }
    }
    let freed = async {
        while (resident(&ask(&address, &config, "/metrics").await.1) - before) / MIB > 16.0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, freed).await.unwrap();
}

/// More clients than turns send requests without reading, and ask now and then for `/-/healthy`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_scrapes_lose_their_turns() {
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, address, config) = secure(directory.path(), 1000);
    let mut clients = Vec::new();
    for _ in 0..60 {
        let mut client = Client::connect(&address, &config, 0).await;
        client.ask_and_never_read("/metrics", 40).await;
        clients.push(client);
    }
    for _ in 0..5 {
        for client in &mut clients {
            client.ask_and_never_read("/-/healthy", 1).await;
        }
        let (status, body) = ask(&address, &config, "/metrics").await;
        assert_eq!(status, 200);
        assert!(body.len() > 1 << 20);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_can_request_many_pages_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    // Only few, because answers of one connection wait for each other, each for at most 5 seconds.
    let (_daemon, address, config) = secure(directory.path(), 10);
    let client = Client::connect(&address, &config, 1 << 20).await;
    let asked: Vec<_> = (0..20)
        .map(|i| {
            let mut client =
                Client { requests: client.requests.clone(), driver: tokio::spawn(async {}), unread: Vec::new() };
            let path = ["/", "/metrics", "/sd", "/-/healthy"][i % 4];
            tokio::spawn(async move { client.get(path).await })
        })
        .collect();
    for asked in asked {
        // h2's client waits for room on the connection. A client without room has sent nothing.
        assert!(asked.await.unwrap().is_none_or(|(status, _)| status == 200));
    }
    let (status, targets) = ask(&address, &config, "/sd").await;
    let targets: serde_json::Value = serde_json::from_slice(&targets).unwrap();
    assert_eq!((status, &targets[0]["targets"][0]), (200, &"localhost".into()));
}

/// The bytes in the system's buffers for the server's connections, from Linux's table of connections.
fn unsent(port: u16) -> Vec<u64> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{port:04X}");
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let own = rows.filter(|row| row.get(1).is_some_and(|address| address.ends_with(&local)));
    own.map(|row| u64::from_str_radix(row[4].split(':').next().unwrap(), 16).unwrap()).collect()
}

#[test]
fn clients_that_pipeline_and_read_nothing_cost_little() {
    allow_many_connections();
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = daemon(&accounts(directory.path(), 1000), &[]);
    let address = url.strip_prefix("http://").unwrap();
    let port: u16 = address.rsplit_once(':').unwrap().1.parse().unwrap();
    let before = resident(&get(&format!("{url}/metrics"), &[]).body);
    let paths = ["/metrics", "/docs/metrics.md", "/", "/nothing"];
    let clients: Vec<TcpStream> = (0..500)
        .map(|i| {
            let mut stream = TcpStream::connect(address).unwrap();
            let asked = format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", paths[i % paths.len()]).repeat(400);
            stream.set_nonblocking(true).unwrap();
            // If the server does not read, writing can block.
            let _ = stream.write(asked.as_bytes());
            stream
        })
        .collect();
    for _ in 0..10 {
        let scrape = get(&format!("{url}/metrics"), &[]);
        assert_eq!((scrape.status, get(&format!("{url}/-/healthy"), &[]).status), (200, 200));
        let grown = (resident(&scrape.body) - before) / MIB;
        assert!(grown < 100.0, "{grown} MiB more");
        let unsent = unsent(port);
        let most = unsent.iter().max().unwrap();
        // The system accepts a last packet of up to 64 KiB if there is room for its first byte.
        assert!(*most <= 256 << 10, "{most} bytes unsent");
        thread::sleep(Duration::from_millis(100));
    }
    drop(clients);
}

#[test]
fn requests_for_pages_block_no_scrape() {
    allow_many_connections();
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = daemon(&accounts(directory.path(), 2000), &[]);
    let address = url.strip_prefix("http://").unwrap().to_owned();
    let over = Arc::new(AtomicBool::new(false));
    let crowd: Vec<_> = (0..100)
        .map(|i| {
            let (address, over) = (address.clone(), over.clone());
            let path = ["/", "/sd", "/api/v1/status", "/?page=7"][i % 4];
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let mut stream = TcpStream::connect(&address).unwrap();
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                    let _ = stream.write_all(head.as_bytes());
                    let _ = stream.read_to_end(&mut Vec::new());
                }
            })
        })
        .collect();
    for _ in 0..10 {
        assert_eq!(get(&format!("{url}/metrics"), &[]).status, 200);
        assert_eq!(get(&format!("{url}/-/healthy"), &[]).status, 200);
    }
    over.store(true, Ordering::Relaxed);
    for one in crowd {
        one.join().unwrap();
    }
}

#[test]
fn wrong_passwords_do_not_block_the_right_one() {
    allow_many_connections();
    let directory = tempfile::tempdir().unwrap();
    let hash = |password: &str| bcrypt::hash(password, 4).unwrap();
    let users: String = (0..8).fold(String::new(), |text, i| format!("{text}  user-{i}: {}\n", hash("secret")));
    let (_daemon, url) = crate::web_config::serving(directory.path(), &format!("basic_auth_users:\n{users}"));
    let address = url.strip_prefix("http://").unwrap().to_owned();
    let ask = move |user: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let credentials = STANDARD.encode(user);
        let head =
            format!("GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.read_to_string(&mut answer).map(drop));
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let over = Arc::new(AtomicBool::new(false));
    let crowd: Vec<_> = (0..200)
        .map(|i| {
            let (ask, over) = (ask.clone(), over.clone());
            thread::spawn(move || {
                let mut tries = 0;
                while !over.load(Ordering::Relaxed) {
                    tries += 1;
                    assert_ne!(ask(&format!("nobody-{i}:{tries}")), "200");
                }
            })
        })
        .collect();
    let statuses: Vec<String> = (0..8).map(|i| ask(&format!("user-{i}:secret"))).collect();
    over.store(true, Ordering::Relaxed);
    for one in crowd {
        one.join().unwrap();
    }
    assert!(statuses.iter().all(|status| status == "200"), "{statuses:?}");
    wait("a right password", || (ask("user-0:secret") == "200").then_some(()));
}
