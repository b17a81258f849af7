//! How it ends: what is under way is finished, everything else is not waited for.

use std::net::SocketAddr;
use std::time::Duration;

use axum::response::IntoResponse;
use axum::routing::get;
use tokio::io::AsyncBufReadExt;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::server::guard::Turns;

/// A server with a page that says that it was asked and answers when it is told to.
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
    let turns = Turns::new(scrapes);
    let slow = move || {
        let (ask, wait) = (ask.clone(), wait.clone());
        turns.clone().take(async move {
            ask.notify_one();
            wait.notified().await;
            "done".into_response()
        })
    };
    let router = Router::new().route("/slow", get(slow)).route("/", get(async || "quick"));
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
    // A kept connection, a silent one, and one in the middle of a head.
    let mut kept = BufReader::new(send(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await);
    kept.read_line(&mut String::new()).await.unwrap();
    let (silent, half) = (send(address, "").await, send(address, "GET / HTTP/1.1\r\nHo").await);
    stop.send(()).unwrap();
    // These end although the request under way does not.
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

#[tokio::test]
async fn scrapes_beyond_their_number_are_refused_until_there_is_a_turn() {
    let Running { address, asked, answer, stop: _running, .. } = running(1).await;
    let first = send(address, SLOW).await;
    asked.notified().await;
    let refused = rest(send(address, "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await).await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 1"), "{refused}");
    let other = rest(send(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await).await;
    assert!(other.ends_with("quick"));
    answer.notify_one();
    let mut first = BufReader::new(first);
    let mut line = String::new();
    while !line.ends_with("\r\n\r\n") {
        first.read_line(&mut line).await.unwrap();
    }
    let mut body = [0; 4];
    first.read_exact(&mut body).await.unwrap();
    assert_eq!(&body, b"done");
    // The turn ends with the answer, a moment after its last byte.
    answer.notify_one();
    loop {
        let text = rest(send(address, "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await).await;
        if text.ends_with("done") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_scrape_keeps_its_turn_until_its_answer_is_taken() {
    let turns = Turns::new(1);
    // More than the system's buffers take.
    let scrape = move || turns.clone().take(async { vec![b'a'; 64 << 20].into_response() });
    let router = Router::new().route("/", get(scrape));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let web = Arc::new(Web::load(None).unwrap());
    let served = tokio::spawn(serve(vec![listener.into()], router, web, std::future::pending()));
    let scrape = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut first = BufReader::new(send(address, scrape).await);
    first.read_line(&mut String::new()).await.unwrap();
    assert!(rest(send(address, scrape).await).await.starts_with("HTTP/1.1 503 "));
    let mut answer = Vec::new();
    first.read_to_end(&mut answer).await.unwrap();
    assert!(answer.len() > 64 << 20);
    while rest(send(address, scrape).await).await.starts_with("HTTP/1.1 503 ") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    served.abort();
}
