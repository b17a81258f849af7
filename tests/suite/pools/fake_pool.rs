//! A pool that answers what a test tells it to, and remembers what it was asked and when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

/// An answer, and how long it takes.
#[derive(Clone)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    wait: Duration,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<String>) -> Reply {
        Reply { status, headers: Vec::new(), body: body.into(), wait: Duration::ZERO }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn after(self, wait: Duration) -> Reply {
        Reply { wait, ..self }
    }
}

/// A request as the pool saw it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The path and the query.
    pub(super) path: String,
    pub(super) began: Instant,
    /// When the answer was ready; nothing where the client did not wait for it.
    pub(super) ended: Option<Instant>,
}

type Answer = dyn Fn(&str) -> Reply + Send + Sync;

/// The pool's place, and what it was asked. It serves on a port of its own until it is dropped.
pub(super) struct FakePool {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    _runtime: Runtime,
}

#[derive(Clone)]
struct Server {
    answer: Arc<Answer>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakePool {
    pub(super) fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> FakePool {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let server = Server { answer: Arc::new(answer), asked: asked.clone() };
        runtime.spawn(async move { axum::serve(listener, Router::new().fallback(reply).with_state(server)).await });
        FakePool { url, asked, _runtime: runtime }
    }

    /// The requests so far, in the order in which they came.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many of them have a path that holds the text.
    pub(super) fn count(&self, part: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path.contains(part)).count()
    }
}

async fn reply(State(server): State<Server>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().to_string();
    let number = {
        let mut asked = server.asked.lock().unwrap();
        asked.push(Asked { path: path.clone(), began: Instant::now(), ended: None });
        asked.len() - 1
    };
    let reply = (server.answer)(&path);
    sleep(reply.wait).await;
    server.asked.lock().unwrap()[number].ended = Some(Instant::now());
    let mut response = (StatusCode::from_u16(reply.status).unwrap(), reply.body).into_response();
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../../crates/minergate-pools/src/software/", $name))
    };
}

/// The crate's sample answers of `nodejs-pool`, the same for every wallet.
pub(super) fn nodejs(path: &str) -> Reply {
    let body = match path {
        "/network/stats" => sample!("nodejs_pool/network.json"),
        path if path.ends_with("/stats/allWorkers") => sample!("nodejs_pool/all_workers.json"),
        path if path.ends_with("/stats") => sample!("nodejs_pool/stats.json"),
        path if path.contains("/payments?") => sample!("nodejs_pool/payments.json"),
        path if path.starts_with("/user/") => sample!("nodejs_pool/user.json"),
        _ => return Reply::new(404, "<html>"),
    };
    Reply::new(200, body)
}

/// Those of `cryptonote-nodejs-pool`.
pub(super) fn cryptonote(path: &str) -> Reply {
    let body = match path.split('?').next().unwrap() {
        "/stats_address" => sample!("cryptonote_nodejs_pool/stats_address.json"),
        "/get_miner_payout_level" => sample!("cryptonote_nodejs_pool/payout_level.json"),
        "/get_top10miners" => sample!("cryptonote_nodejs_pool/top10.json"),
        "/stats" => sample!("cryptonote_nodejs_pool/stats.json"),
        _ => return Reply::new(404, "Invalid API call"),
    };
    Reply::new(200, body)
}

/// Those of `open-ethereum-pool`.
pub(super) fn ethereum(path: &str) -> Reply {
    match path {
        "/api/stats" => Reply::new(200, sample!("open_ethereum_pool/stats.json")),
        path if path.starts_with("/api/accounts/") => Reply::new(200, sample!("open_ethereum_pool/accounts.json")),
        _ => Reply::new(404, ""),
    }
}
