//! Tests of the shutdown: requests in flight are finished, everything else is closed.

use std::net::SocketAddr;

use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::io::AsyncBufReadExt;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::server::guard::plain;
use crate::server::turn::Turns;

/// A server with a page that reports each request, and answers when it is told to.
struct Running {
    address: SocketAddr,
    asked: Arc<Notify>,
    answer: Arc<Notify>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

async fn running(scrapes: usize) -> Running {
    let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (ask, wait) = (asked.clone(), answer.clone());
    let turns = Turns::new(scrapes, 1 << 20, (plain, "no turn"));
    let slow = async move || {
        ask.notify_one();
        wait.notified().await;
        "done"
    };
    let router = Router::new().route("/slow", get(slow)).route_layer(from_fn_with_state(turns, Turns::answer));
    let router = router.route("/", get(async || "quick"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let web = Arc::new(Web::load(None).unwrap());
    let served = tokio::spawn(serve(vec![listener.into()], router, web, async {
        let _ = stopped.await;
    }));
    Running { address, asked, answer, stop, served }
}

async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text).await;
    text
}

const SLOW: &str = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn a_request_under_way_is_answered_and_the_connection_closed() {
    let Running { address, asked, answer, stop, served } = running(0).await;
    let stream = send(address, SLOW).await;
    asked.notified().await;
    // A kept connection, a silent one, and one with half of a head.
    let mut kept = BufReader::new(send(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await);
    kept.read_line(&mut String::new()).await.unwrap();
    let (silent, half) = (send(address, "").await, send(address, "GET / HTTP/1.1\r\nHo").await);
    stop.send(()).unwrap();
    // These end although the request in flight does not.
    rest(kept.into_inner()).await;
    rest(silent).await;
    rest(half).await;
    assert!(!served.is_finished() && TcpStream::connect(address).await.is_err());
    answer.notify_one();
    let text = rest(stream).await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("\r\nconnection: close\r\n"), "{text}");
    assert!(text.ends_with("done"));
    served.await.unwrap();
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut() {
    let Running { address, asked, stop, served, .. } = running(0).await;
    let stream = send(address, SLOW).await;
    asked.notified().await;
    let start = Instant::now();
    stop.send(()).unwrap();
    served.await.unwrap();
    assert!(start.elapsed() >= limit::GRACE);
    assert_eq!(rest(stream).await, "");
}

const LAST: &str = "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_scrape_beyond_the_limit_waits_for_its_turn_and_other_requests_do_not() {
    let Running { address, asked, answer, stop: _running, .. } = running(1).await;
    let first = send(address, LAST).await;
    asked.notified().await;
    let second = send(address, LAST).await;
    let other = rest(send(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await).await;
    assert!(other.ends_with("quick"));
    let refused = rest(send(address, LAST).await).await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 1"), "{refused}");
    // The second has waited as long, and was refused earlier.
    assert!(rest(second).await.ends_with("no turn"));
    let third = send(address, LAST).await;
    answer.notify_one();
    assert!(rest(first).await.ends_with("done"));
    asked.notified().await;
    answer.notify_one();
    assert!(rest(third).await.ends_with("done"));
}

/// A server whose answers exceed the system's buffers, with one turn for them.
async fn large(bytes: usize) -> (SocketAddr, JoinHandle<()>) {
    let turns = Turns::new(1, 1 << 20, (plain, "no turn"));
    let router = Router::new().route("/slow", get(async move || vec![b'a'; bytes]));
    let router = router.route_layer(from_fn_with_state(turns, Turns::answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let web = Arc::new(Web::load(None).unwrap());
    (address, tokio::spawn(serve(vec![listener.into()], router, web, std::future::pending())))
}

#[tokio::test]
async fn a_client_that_reads_nothing_loses_its_turn_to_one_that_waits() {
    let (address, served) = large(64 << 20).await;
    let mut stalled = BufReader::new(send(address, SLOW).await);
    stalled.read_line(&mut String::new()).await.unwrap();
    let answer = rest(send(address, LAST).await).await;
    assert!(answer.len() > 64 << 20);
    let mut left = Vec::new();
    let _ = stalled.read_to_end(&mut left).await;
    assert!(left.len() < 64 << 20, "{}", left.len());
    served.abort();
}
