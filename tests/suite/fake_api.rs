//! A server whose answers a test defines. It records its requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The path and the query.
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) body: Value,
    pub(crate) began: Instant,
    /// When the answer was ready. Nothing if the client did not wait for it.
    pub(crate) ended: Option<Instant>,
}

/// An answer, and how long it takes.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    wait: Duration,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Reply {
        Reply { status, headers: Vec::new(), body: body.into(), wait: Duration::ZERO }
    }

    pub(crate) fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Reply {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn after(self, wait: Duration) -> Reply {
        Reply { wait, ..self }
    }
}

/// Status and body. A body that begins with `@name: value` and a line end sends this header, and then the rest.
impl From<(u16, String)> for Reply {
    fn from((status, body): (u16, String)) -> Reply {
        let parts = body.strip_prefix('@').and_then(|body| body.split_once('\n'));
        match parts.and_then(|(header, rest)| Some((header.split_once(": ")?, rest))) {
            Some(((name, value), rest)) => Reply::new(status, rest).header(name, value),
            None => Reply::new(status, body),
        }
    }
}

type Answer = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The server's URL, and its requests.
#[derive(Default)]
pub(crate) struct FakeApi {
    pub(crate) base_url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Clone)]
struct Server {
    answer: Arc<Answer>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeApi {
    /// Serves on a port of its own until the runtime ends.
    pub(crate) async fn start<R: Into<Reply>>(answer: impl Fn(&Asked) -> R + Send + Sync + 'static) -> FakeApi {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let server = Server { answer: Arc::new(move |asked| answer(asked).into()), asked: asked.clone() };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(reply).with_state(server)).await });
        FakeApi { base_url, asked }
    }

    /// A URL where nothing listens.
    pub(crate) fn nowhere() -> FakeApi {
        FakeApi { base_url: "http://127.0.0.1:1".to_owned(), ..FakeApi::default() }
    }

    /// The requests to a path so far.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        self.all_asked().into_iter().filter(|asked| asked.path == path).collect()
    }

    /// All requests so far, in the order in which they came.
    pub(crate) fn all_asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn reply(State(server): State<Server>, request: Request) -> Response {
    let began = Instant::now();
    let path = request.uri().path_and_query().unwrap().to_string();
    let token = request.headers().get("token").map(|token| token.to_str().unwrap().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let asked = Asked { path, token, body: serde_json::from_slice(&body).unwrap_or_default(), began, ended: None };
    let number = {
        let mut all = server.asked.lock().unwrap();
        all.push(asked.clone());
        all.len() - 1
    };
    let Reply { status, headers, body, wait } = (server.answer)(&asked);
    if !wait.is_zero() {
        sleep(wait).await;
    }
    server.asked.lock().unwrap()[number].ended = Some(Instant::now());
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        let name: axum::http::HeaderName = name.parse().unwrap();
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
