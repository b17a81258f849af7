//! `/-/healthy`, `/-/ready` and `/-/reload`, for supervisors.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use tokio::sync::oneshot;

use super::{App, host};

/// A request to reload. The result is sent back.
pub type Reload = oneshot::Sender<Result<(), String>>;

/// Says whether the poller makes progress, whatever the API answers. Only a stalled poller can be helped by a restart.
pub(super) async fn healthy(State(app): State<Arc<App>>) -> (StatusCode, String) {
    match app.exposition.health.stall() {
        None => (StatusCode::OK, "Healthy\n".to_owned()),
        Some(stall) => (StatusCode::SERVICE_UNAVAILABLE, format!("Not healthy: {stall}\n")),
    }
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.exposition.health.subjects.is_ready() {
        (StatusCode::OK, "Ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "Not ready: not every account has been tried yet\n")
    }
}

pub(super) async fn reload(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> (StatusCode, String) {
    let Some(reload) = &app.reload else {
        return (StatusCode::FORBIDDEN, "Reloading is off; start the exporter with --web.enable-lifecycle\n".to_owned());
    };
    if is_of_another_site(&app, &uri, &headers) {
        let sentence = "A page of another site can't reload; behind a proxy, give --web.external-url\n";
        return (StatusCode::FORBIDDEN, sentence.to_owned());
    }
    let (sender, receiver) = oneshot::channel();
    // An error of either channel means that the exporter is stopping.
    let _ = reload.send(sender).await;
    match receiver.await {
        Ok(Ok(())) => (StatusCode::OK, "Reloaded\n".to_owned()),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("Not reloaded: {error}\n")),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "The exporter is ending\n".to_owned()),
    }
}

/// Whether a browser sends the request for a page of another site. Browsers say so in headers that pages can't forge; other clients
/// send neither header. Pages of the same site but another origin count too: they belong to other programs on this machine or domain.
fn is_of_another_site(app: &App, uri: &Uri, headers: &HeaderMap) -> bool {
    let own = [app.external_url.as_ref().and_then(|url| url.authority().cloned()), host::of(uri, headers)];
    let is_own = |origin: &HeaderValue| {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        // Browsers write both in the same form: without the scheme's default port, and the host in lower case.
        origin.and_then(|origin| origin.into_parts().authority).is_some_and(|origin| own.contains(&Some(origin)))
    };
    let is_same_site = |site: &HeaderValue| site == "same-origin" || site == "none";
    !headers.get_all("sec-fetch-site").iter().all(is_same_site) || !headers.get_all(ORIGIN).iter().all(is_own)
}
