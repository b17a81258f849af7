//! The HTTP server: `/metrics`, service discovery, health checks and reload, and the status page.

mod activity;
mod api;
mod connection;
mod discovery;
mod exchange;
mod guard;
mod host;
mod lifecycle;
mod limit;
mod listener;
pub mod negotiation;
mod self_probe;
mod status;
mod turn;
mod watched_stream;
mod web_config;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Query, Request, State};
pub use axum::http::Uri;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, VARY,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use tokio::sync::{Semaphore, mpsc};

pub use self::api::serve_api;
use self::guard::{Bodies, plain};
pub use self::lifecycle::Reload;
pub use self::listener::Listener;
pub use self::self_probe::SelfProbe;
use self::turn::Turns;
pub use self::web_config::Web;
use crate::exposition::{self, Encoding, Exposition, Filter};

/// The default address: every address of the machine.
pub const DEFAULT_ADDRESS: &str = ":10187";

/// The path at which supervisors check whether the exporter is healthy.
const HEALTHY: &str = "/-/healthy";

/// In `account=` and `/sd`, this name selects everything that belongs to no account: pool, networks and the exporter itself. An
/// account's name can't contain an `@`.
const EXPORTER: &str = "@exporter";

/// All paths other than the metrics' path, which must be none of these. If the metrics are at `/`, there is no status page.
pub const ROUTES: [&str; 8] =
    [HEALTHY, "/-/ready", "/-/reload", "/sd", "/api/v1/status", "/status.css", "/status.js", "/docs/metrics.md"];

/// The mistake in an address to listen on, if there is one.
pub fn address_fault(address: &str) -> Option<&'static str> {
    if let Some(path) = address.strip_prefix(listener::UNIX) {
        return (!path.starts_with('/')).then_some("a unix socket's path begins with /; give one such as \"unix:/path\"");
    }
    match address.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>())) {
        Some((host, _)) if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) => {
            Some("an IPv6 address needs brackets; give one such as \"[::1]:10187\"")
        }
        Some((_, Ok(_))) => None,
        _ => Some("not host:port; give one such as \"127.0.0.1:10187\", \":10187\" or \"unix:/path\""),
    }
}

/// Parses an external URL. `None` if it is invalid.
pub fn external_url(url: &str) -> Option<Uri> {
    let url: Uri = url.parse().ok()?;
    (matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some()).then_some(url)
}

/// Takes the sockets that systemd passes, or binds the addresses.
///
/// # Errors
/// The first address that can't be bound, and why.
pub async fn listen(systemd_socket: bool, addresses: &[String]) -> anyhow::Result<Vec<Listener>> {
    if systemd_socket {
        return Listener::from_systemd();
    }
    let mut listeners = Vec::new();
    for address in addresses {
        listeners.push(bind(address, "--web.listen-address").await?);
    }
    Ok(listeners)
}

/// Binds the address of a flag.
///
/// # Errors
/// If the address can't be bound.
pub async fn bind(address: &str, flag: &str) -> anyhow::Result<Listener> {
    Listener::bind(address).await.with_context(|| format!("can't listen on {address}; give another {flag}"))
}

/// What the request handlers use.
pub struct App {
    pub exposition: Arc<Exposition>,
    pub telemetry_path: String,
    /// The exporter's URL behind a reverse proxy, as browsers and Prometheus see it.
    pub external_url: Option<Uri>,
    /// The channel for requests to reload; `None` if they are not allowed.
    pub reload: Option<mpsc::Sender<Reload>>,
    /// Maximum number of scrapes at a time; 0 disables the limit.
    pub max_requests: usize,
}

impl App {
    /// A path as clients outside of a reverse proxy see it.
    fn external_path(&self, path: &str) -> String {
        let prefix = self.external_url.as_ref().map_or("", Uri::path);
        format!("{}{path}", prefix.trim_end_matches('/'))
    }

    /// Makes an answer that takes time on another thread than those that serve connections. Only a few are made at once.
    async fn answer_in_background<T: Send + 'static>(
        self: Arc<Self>,
        answer: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Response> {
        static SLOW_ANSWERS: Semaphore = Semaphore::const_new(limit::SLOW_ANSWERS);
        let _permit = SLOW_ANSWERS.acquire().await;
        let failed = |_| (StatusCode::INTERNAL_SERVER_ERROR, "The answer could not be made\n").into_response();
        tokio::task::spawn_blocking(answer).await.map_err(failed)
    }
}

/// Serves until `shutdown` resolves, and then until requests in flight are answered, within limits.
pub async fn serve(listeners: Vec<Listener>, app: App, web: Arc<Web>, shutdown: impl Future<Output = ()>) {
    let app = Arc::new(app);
    let router = router(app.clone(), web.clone());
    tokio::select! {
        () = connection::serve(listeners, router, web, shutdown) => {}
        never = app.exposition.keep_fresh() => match never {},
    }
}

/// Scrapes and pages at a time are limited separately, so that neither waits for the other. Small answers have no
/// limit.
fn router(app: Arc<App>, web: Arc<Web>) -> Router {
    let scrapes =
        Turns::new(app.max_requests, limit::SCRAPES_BYTES, (plain, "Too many scrapes at a time; try again later\n"));
    let pages = Turns::new(limit::PAGES, limit::PAGES_BYTES, (plain, "Too many pages at a time; try again later\n"));
    let [healthy, ready, reload, targets, status, style, script, reference] = ROUTES;
    let mut heavy = Router::new().route(targets, get(discovery::targets)).route(status, get(status::json));
    if app.telemetry_path != "/" {
        heavy = heavy.route("/", get(status::html));
    }
    let metrics = Router::new().route(&app.telemetry_path, get(metrics));
    Router::new()
        .merge(metrics.route_layer(middleware::from_fn_with_state(scrapes, Turns::answer)))
        .merge(heavy.route_layer(middleware::from_fn_with_state(pages, Turns::answer)))
        .route(healthy, get(lifecycle::healthy))
        .route(ready, get(lifecycle::ready))
        .route(reload, post(lifecycle::reload).put(lifecycle::reload))
        .route(style, get(status::style))
        .route(script, get(status::script))
        .route(reference, get(async || include_str!("../docs/metrics.md")))
        .fallback(async || (StatusCode::NOT_FOUND, "Not found; the metrics and what else there is are listed at /\n"))
        .layer(middleware::from_fn_with_state((app.clone(), web), pass))
        .with_state(app)
}

/// Checks a request, and counts it by route and status.
async fn pass(State((app, web)): State<(Arc<App>, Arc<Web>)>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = guard::admit(&web, Bodies::Dropped, plain, request, next).await;
    let path = route.as_ref().map_or("other", MatchedPath::as_str);
    // `healthcheck` treats 401 as healthy, so an unhealthy exporter must answer otherwise.
    if path == HEALTHY && response.status() == StatusCode::UNAUTHORIZED && app.exposition.health.stall().is_some() {
        response = (StatusCode::SERVICE_UNAVAILABLE, "Not healthy\n").into_response();
    }
    app.exposition.health.metrics.http_request(path, response.status().as_u16());
    response
}

async fn metrics(State(app): State<Arc<App>>, Query(query): Query<Vec<(String, String)>>, request: Request) -> Response {
    let names = query.into_iter().filter(|(key, _)| key == "account").map(|(_, name)| name);
    let mut accounts: BTreeSet<String> = names.collect();
    let others = accounts.remove(EXPORTER);
    if !accounts.iter().all(|name| app.exposition.health.subjects.has_account(name)) {
        return (StatusCode::BAD_REQUEST, "No such account; give account= the name of one in the configuration\n")
            .into_response();
    }
    let format = negotiation::format(&joined(request.headers(), &ACCEPT));
    let gzip = negotiation::gzip(&joined(request.headers(), &ACCEPT_ENCODING));
    let encoding = if gzip { Encoding::Gzip } else { Encoding::Identity };
    // The text of many accounts is written and compressed for each scrape. On this thread it would delay other connections.
    let takes_time = accounts.len() > limit::ACCOUNTS_AT_ONCE;
    let filter = Filter::only(accounts, others);
    let body = if takes_time {
        match app.clone().answer_in_background(move || app.exposition.body(format, encoding, &filter)).await {
            Ok(body) => body,
            Err(failed) => return failed,
        }
    } else {
        app.exposition.body(format, encoding, &filter)
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

/// All lines of a header joined into one, as HTTP defines it.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    lines.join(",")
}
