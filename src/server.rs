//! What the exporter serves: `/metrics`, service discovery, what supervisors ask for, and a page for people.

mod activity;
mod connection;
mod discovery;
mod door;
mod guard;
mod lifecycle;
mod limit;
mod listener;
pub mod negotiation;
mod status;
mod web_config;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, VARY,
};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::mpsc;

pub use self::door::Door;
use self::guard::Turns;
pub use self::lifecycle::Reload;
pub use self::listener::Listener;
pub use self::web_config::Web;
use crate::exposition::{self, EXPORTER, Encoding, Exposition, Filter};

/// Where the exporter listens unless told otherwise: every address of the machine.
pub const DEFAULT_ADDRESS: &str = ":10187";

/// Where supervisors ask whether the exporter is healthy.
const HEALTHY: &str = "/-/healthy";

/// Scrapes at a time unless told otherwise, as `node_exporter` has it.
const DEFAULT_MAX_REQUESTS: usize = 40;

/// `[web]`: where and what is served.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "web")]
pub struct Config {
    /// Addresses to serve on: `host:port`; `:port` is every address of the machine; `unix:/path` is a unix socket.
    #[schemars(length(min = 1), inner(regex(pattern = "^(unix:/.*|.*:[0-9]{1,5})$")))]
    pub listen_address: Vec<String>,
    /// Listen on the sockets that systemd hands over, and on no address.
    pub systemd_socket: bool,
    /// The path of the metrics.
    #[schemars(regex(pattern = "^/[A-Za-z0-9/_.~-]*$"))]
    pub telemetry_path: String,
    /// Where browsers reach the exporter, when that is behind a reverse proxy: for the status page's links.
    pub external_url: Option<String>,
    /// Whether POST or PUT to `/-/reload` reloads the configuration.
    pub enable_lifecycle: bool,
    /// The web configuration file: TLS, users, headers, rate limit. Without one: plain HTTP for everybody.
    pub config_file: Option<PathBuf>,
    /// Scrapes at a time, more are answered 503; 0 is any number.
    pub max_requests: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen_address: vec![DEFAULT_ADDRESS.to_owned()],
            systemd_socket: false,
            telemetry_path: "/metrics".to_owned(),
            external_url: None,
            enable_lifecycle: false,
            config_file: None,
            max_requests: DEFAULT_MAX_REQUESTS,
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
        let bad_addresses =
            self.listen_address.iter().enumerate().filter_map(|(i, address)| {
                Some(("listen_address", format!("entry {}: {}", i + 1, address_fault(address)?)))
            });
        let bad_url = path_prefix(self.external_url.as_deref()).is_none();
        [
            bad_url.then(|| ("external_url", "not a URL; give one such as \"https://example.com/miners\"".to_owned())),
            bad_path.then(|| ("telemetry_path", "can't be served; give a path such as \"/metrics\"".to_owned())),
            no_address.then(|| ("listen_address", format!("is empty; give one such as \"{DEFAULT_ADDRESS}\""))),
        ]
        .into_iter()
        .flatten()
        .chain(bad_addresses)
    }
}

/// What is wrong with an address to listen on, if anything is.
pub fn address_fault(address: &str) -> Option<&'static str> {
    if let Some(path) = address.strip_prefix(listener::UNIX) {
        return (!path.starts_with('/')).then_some("a unix socket's path begins with /; give one such as \"unix:/path\"");
    }
    match address.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>())) {
        Some((host, _)) if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) => {
            Some("an IPv6 address stands in brackets; give one such as \"[::1]:10187\"")
        }
        Some((_, Ok(_))) => None,
        _ => Some("not host:port; give one such as \"127.0.0.1:10187\", \":10187\" or \"unix:/path\""),
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
pub async fn bind(addresses: &[String]) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = Listener::bind(address).await;
        listeners.push(listener.with_context(|| format!("can't listen on {address}; give another --web.listen-address"))?);
    }
    Ok(listeners)
}

/// Binds what the configuration says: systemd's sockets, or the addresses.
///
/// # Errors
/// What can't be had, and why.
pub async fn listen(config: &Config) -> anyhow::Result<Vec<Listener>> {
    if config.systemd_socket { Listener::from_systemd() } else { bind(&config.listen_address).await }
}

/// What requests are answered from.
pub struct App {
    pub exposition: Exposition,
    pub telemetry_path: String,
    /// What stands before every path where a browser sees it: the path of the external URL, without a slash at its end.
    pub path_prefix: String,
    /// Where requests to reload go, if they are taken.
    pub reload: Option<mpsc::Sender<Reload>>,
    /// Scrapes at a time; 0 is any number.
    pub max_requests: usize,
}

/// Serves until `shutdown` resolves, and then until requests under way are answered, but not much longer.
pub async fn serve(listeners: Vec<Listener>, app: App, web: Arc<Web>, shutdown: impl Future<Output = ()>) {
    connection::serve(listeners, router(Arc::new(app), web.clone()), web, shutdown).await;
}

fn router(app: Arc<App>, web: Arc<Web>) -> Router {
    let turns = Turns::new(app.max_requests);
    let metrics = move |app: State<Arc<App>>, query: Query<Vec<(String, String)>>, request: Request| {
        turns.clone().take(metrics(app, query, request))
    };
    let mut router = Router::new()
        .route(&app.telemetry_path, get(metrics))
        .route(HEALTHY, get(lifecycle::healthy))
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
        .layer(middleware::from_fn_with_state((app.clone(), web), pass))
        .with_state(app)
}

/// Admits a request, and counts it by route and status.
async fn pass(State((app, web)): State<(Arc<App>, Arc<Web>)>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = guard::admit(&web, request, next).await;
    let path = route.as_ref().map_or("other", MatchedPath::as_str);
    // A health check without a password takes 401 for healthy.
    if path == HEALTHY && response.status() == StatusCode::UNAUTHORIZED && app.exposition.health.standstill().is_some() {
        response = (StatusCode::SERVICE_UNAVAILABLE, "Not healthy\n").into_response();
    }
    app.exposition.health.http_request(path, response.status().as_u16());
    response
}

async fn metrics(State(app): State<Arc<App>>, Query(query): Query<Vec<(String, String)>>, request: Request) -> Response {
    let accounts: BTreeSet<String> = query.into_iter().filter(|(key, _)| key == "account").map(|(_, name)| name).collect();
    if accounts.iter().any(|name| name != EXPORTER && !app.exposition.health.has_account(name)) {
        return (StatusCode::BAD_REQUEST, "No such account; give account= the name of one in the configuration\n")
            .into_response();
    }
    let format = negotiation::format(&joined(request.headers(), &ACCEPT));
    let gzip = negotiation::gzip(&joined(request.headers(), &ACCEPT_ENCODING));
    let encoding = if gzip { Encoding::Gzip } else { Encoding::Identity };
    let body = if accounts.is_empty() {
        app.exposition.body(format, encoding)
    } else {
        let filter = Filter::accounts(accounts);
        match tokio::task::spawn_blocking(move || app.exposition.filtered(format, encoding, &filter)).await {
            Ok(body) => exposition::Body::Whole(body),
            Err(_) => return (StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be written\n").into_response(),
        }
    };
    let mut response = match body {
        exposition::Body::Whole(body) => body.into_response(),
        exposition::Body::Parts(length, parts) => {
            let parts = Body::from_stream(stream::iter(parts.map(Ok::<_, Infallible>)));
            ([(CONTENT_LENGTH, HeaderValue::from(length))], parts).into_response()
        }
    };
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
