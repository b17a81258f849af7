//! What the exporter serves: `/metrics`, `/-/healthy`, `/-/ready` and a landing page.

mod discovery;
mod lifecycle;
pub mod negotiation;
mod status;

use std::collections::BTreeSet;
use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, VARY};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

pub use self::lifecycle::Reload;
use crate::exposition::{EXPORTER, Exposition, Filter};

/// Where the exporter listens unless told otherwise: every address of the machine.
pub const DEFAULT_ADDRESS: &str = ":10187";

/// How long scrapes under way may take to end when the exporter stops.
const GRACE: Duration = Duration::from_millis(800);

/// `[web]`: where and what is served.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `host:port`; `:port` is every address of the machine.
    pub listen_address: Vec<String>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Where browsers reach the exporter, when that is behind a reverse proxy: for the status page's links.
    pub external_url: Option<String>,
    /// Whether POST or PUT to `/-/reload` reloads the configuration.
    pub enable_lifecycle: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen_address: vec![DEFAULT_ADDRESS.to_owned()],
            telemetry_path: "/metrics".to_owned(),
            enable_lifecycle: false,
            external_url: None,
        }
    }
}

impl Config {
    /// What is wrong with the values, one by one: key and sentence.
    pub fn faults(&self) -> impl Iterator<Item = (&'static str, String)> {
        let path = &self.telemetry_path;
        let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b));
        let bad_path = !path.starts_with('/') || !plain || path.starts_with("/-/") || path.contains("//");
        let no_address = self.listen_address.is_empty();
        let bad_address = self.listen_address.iter().find(|address| {
            let port = address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            !matches!(port, Some(Ok(_)))
        });
        let bad_url = self.external_url.as_deref().filter(|url| path_prefix(Some(url)).is_none());
        [
            bad_url
                .map(|url| ("external_url", format!("`{url}` is no URL; give one such as \"https://example.com/miners\""))),
            bad_path.then(|| ("telemetry_path", format!("`{path}` can't be served; give a path such as \"/metrics\""))),
            no_address.then(|| ("listen_address", format!("is empty; give one such as \"{DEFAULT_ADDRESS}\""))),
            bad_address.map(|address| {
                (
                    "listen_address",
                    format!("`{address}` is not host:port; give one such as \"127.0.0.1:10187\" or \":10187\""),
                )
            }),
        ]
        .into_iter()
        .flatten()
    }
}

/// The path of an external URL, without a slash at its end; nothing when it is none.
pub fn path_prefix(external_url: Option<&str>) -> Option<String> {
    let Some(url) = external_url else { return Some(String::new()) };
    let url: Uri = url.parse().ok()?;
    matches!(url.scheme_str(), Some("http" | "https")).then(|| url.path().trim_end_matches('/').to_owned())
}

/// Binds the addresses.
///
/// # Errors
/// The first address that can't be had, and why.
pub async fn bind(addresses: &[String]) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = match address.strip_prefix(':') {
            // A machine without IPv6 has no [::].
            Some(port) => match TcpListener::bind(format!("[::]:{port}")).await {
                Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
                    TcpListener::bind(format!("0.0.0.0:{port}")).await
                }
                result => result,
            },
            None => TcpListener::bind(address).await,
        };
        listeners.push(listener.with_context(|| format!("can't listen on {address}; give another --web.listen-address"))?);
    }
    Ok(listeners)
}

/// What requests are answered from.
pub struct App {
    pub exposition: Exposition,
    pub telemetry_path: String,
    /// What stands before every path where a browser sees it: the path of the external URL, without a slash at its end.
    pub path_prefix: String,
    /// Where requests to reload go, if they are taken.
    pub reload: Option<mpsc::Sender<Reload>>,
}

/// Serves until `shutdown` resolves, and then until requests under way are answered, but not much longer.
///
/// # Errors
/// A listener that failed.
pub async fn serve(listeners: Vec<TcpListener>, app: App, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let router = router(Arc::new(app));
    let (stop, stopped) = watch::channel(());
    let mut servers = JoinSet::new();
    for listener in listeners {
        let mut stopped = stopped.clone();
        // A scrape's last packet must not wait for the acknowledgement of the one before.
        let listener = listener.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
        let server = axum::serve(listener, router.clone().into_make_service_with_connect_info::<SocketAddr>());
        let stop = async move {
            let _ = stopped.changed().await;
        };
        servers.spawn(server.with_graceful_shutdown(stop).into_future());
    }
    tokio::select! {
        () = shutdown => {}
        Some(ended) = servers.join_next() => ended.map_err(anyhow::Error::from).and_then(|ended| Ok(ended?))?,
    }
    drop(stop);
    let drained = tokio::time::timeout(GRACE, async { while servers.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!("connections still open at the end of the grace period were cut");
    }
    Ok(())
}

fn router(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .route(&app.telemetry_path, get(metrics))
        .route("/-/healthy", get(lifecycle::healthy))
        .route("/-/ready", get(lifecycle::ready))
        .route("/-/reload", post(lifecycle::reload).put(lifecycle::reload))
        .route("/sd", get(discovery::targets))
        .route("/api/v1/status", get(status::json))
        .route("/status.css", get(status::style))
        .route("/docs/metrics.md", get(async || include_str!("../docs/metrics.md")));
    if app.telemetry_path != "/" {
        router = router.route("/", get(status::html));
    }
    router
        .fallback(async || (StatusCode::NOT_FOUND, "Not found; the metrics and what else there is are listed at /\n"))
        .layer(middleware::from_fn_with_state(app.clone(), count))
        .with_state(app)
}

/// Counts requests by route and status.
async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let path = route.as_ref().map_or("other", MatchedPath::as_str);
    app.exposition.health.http_request(path, response.status().as_u16());
    response
}

async fn metrics(State(app): State<Arc<App>>, Query(query): Query<Vec<(String, String)>>, headers: HeaderMap) -> Response {
    let accounts: BTreeSet<String> = query.into_iter().filter(|(key, _)| key == "account").map(|(_, name)| name).collect();
    if accounts.iter().any(|name| name != EXPORTER && !app.exposition.health.has_account(name)) {
        return (StatusCode::BAD_REQUEST, "No such account; give account= the name of one in the configuration\n")
            .into_response();
    }
    let format = negotiation::format(&joined(&headers, &ACCEPT));
    let gzip = negotiation::gzip(&joined(&headers, &ACCEPT_ENCODING));
    let filter = Filter::accounts(accounts);
    let render = move || {
        let text = app.exposition.render(format, &filter);
        if gzip { compress(text.as_bytes()) } else { Ok(text.into_bytes()) }
    };
    let Ok(Ok(body)) = tokio::task::spawn_blocking(render).await else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be written\n").into_response();
    };
    let mut response = Bytes::from(body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// All lines of a header as one, as HTTP has it.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    lines.join(",")
}

fn compress(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::default());
    encoder.write_all(text)?;
    encoder.finish()
}
