//! An API that answers what a test tells it to, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;

/// A request as the API saw it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) body: Value,
}

/// Status and body. A body that begins with `@name: value` and a line end sends a header first.
pub(crate) type Reply = (u16, String);

type Answer = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The API's place, and what it was asked.
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
    /// Serves on a port of its own until the test ends.
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> FakeApi {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let server = Server { answer: Arc::new(answer), asked: asked.clone() };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(reply).with_state(server)).await });
        FakeApi { base_url, asked }
    }

    /// A place where nothing listens.
    pub(crate) fn nowhere() -> FakeApi {
        FakeApi { base_url: "http://127.0.0.1:1".to_owned(), ..FakeApi::default() }
    }

    /// The requests to a path so far.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path == path).cloned().collect()
    }
}

async fn reply(State(server): State<Server>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let token = request.headers().get("token").map(|token| token.to_str().unwrap().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let asked = Asked { path, token, body: serde_json::from_slice(&body).unwrap_or_default() };
    let (status, body) = (server.answer)(&asked);
    server.asked.lock().unwrap().push(asked);
    let status = StatusCode::from_u16(status).unwrap();
    match body.strip_prefix('@').and_then(|reply| reply.split_once(": ")?.1.split_once('\n')) {
        Some((value, rest)) => {
            let name = body.trim_start_matches('@').split(": ").next().unwrap().to_owned();
            (status, [(name, value.to_owned())], rest.to_owned()).into_response()
        }
        None => (status, body).into_response(),
    }
}
