//! `/-/healthy`, `/-/ready` and `/-/reload`: what a supervisor asks for.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use tokio::sync::oneshot;

use super::{App, host};

/// A request to reload, answered when it is done.
pub type Reload = oneshot::Sender<Result<(), String>>;

/// Says whether the poller gets on with its work, whatever the API answers: a restart would help against nothing else.
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
    // An error of either means that the exporter is ending.
    let _ = reload.send(sender).await;
    match receiver.await {
        Ok(Ok(())) => (StatusCode::OK, "Reloaded\n".to_owned()),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("Not reloaded: {error}\n")),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "The exporter is ending\n".to_owned()),
    }
}

/// Whether a browser sends the request for a page that is not the exporter's own. A browser says so, and a page can't forge it; what is
/// no browser sends neither header. Pages of the same site are others too: they belong to other programs on this machine or domain.
fn is_of_another_site(app: &App, uri: &Uri, headers: &HeaderMap) -> bool {
    let own = [app.external_url.as_ref().and_then(|url| url.authority().cloned()), host::of(uri, headers)];
    let is_own = |origin: &HeaderValue| {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        // Both are as the browser writes them: no port where it is the scheme's. A host has no upper case there.
        origin.and_then(|origin| origin.into_parts().authority).is_some_and(|origin| own.contains(&Some(origin)))
    };
    let is_same_site = |site: &HeaderValue| site == "same-origin" || site == "none";
    !headers.get_all("sec-fetch-site").iter().all(is_same_site) || !headers.get_all(ORIGIN).iter().all(is_own)
}
