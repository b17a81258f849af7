//! `/sd`: targets for Prometheus' HTTP service discovery, one for each account and one for the exporter itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::App;
use crate::exposition::EXPORTER;

pub(super) async fn targets(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    // Prometheus reaches the targets where it reached this page.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).filter(|host| is_host(host));
    let Some(host) = host else {
        return (StatusCode::BAD_REQUEST, "The header Host is missing or is none\n").into_response();
    };
    let names = app.exposition.health.account_names();
    let target = |account: &str| {
        json!({
            "targets": [host],
            "labels": { "__metrics_path__": app.telemetry_path, "__param_account": account },
        })
    };
    let targets: Vec<_> = [EXPORTER].into_iter().chain(names.iter().map(|name| &**name)).map(target).collect();
    ([(CONTENT_TYPE, "application/json")], json!(targets).to_string()).into_response()
}

/// Whether a text can be a host and port.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.len() <= 260 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}
