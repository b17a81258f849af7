//! `/sd`: targets for Prometheus' HTTP service discovery, one for each account and one for the exporter itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{App, EXPORTER, host};

#[derive(Serialize)]
struct Target<'a> {
    targets: [&'a str; 1],
    labels: Labels<'a>,
}

#[derive(Clone, Copy, Serialize)]
struct Labels<'a> {
    #[serde(rename = "__metrics_path__")]
    path: &'a str,
    #[serde(rename = "__param_account")]
    account: &'a str,
    #[serde(rename = "__scheme__", skip_serializing_if = "Option::is_none")]
    scheme: Option<&'a str>,
}

pub(super) async fn targets(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    // Prometheus reaches the targets at the same address as this page. Behind a proxy, only the external URL says which address that is.
    let external = app.external_url.as_ref();
    let Some(host) = external.and_then(|url| url.authority().cloned()).or_else(|| host::of(&uri, &headers)) else {
        return (StatusCode::BAD_REQUEST, "The request names no host; send the header Host\n").into_response();
    };
    let scheme = external.and_then(|url| url.scheme_str().map(str::to_owned));
    let answer = app.clone().answer_in_background(move || {
        let path = app.external_path(&app.telemetry_path);
        let names = app.exposition.health.subjects.account_names();
        let accounts = [EXPORTER].into_iter().chain(names.iter().map(|name| &**name));
        let labels = |account| Labels { path: &path, account, scheme: scheme.as_deref() };
        let targets = accounts.map(|account| Target { targets: [host.as_str()], labels: labels(account) });
        serde_json::to_vec(&targets.collect::<Vec<_>>()).unwrap_or_default()
    });
    match answer.await {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(failed) => failed,
    }
}
